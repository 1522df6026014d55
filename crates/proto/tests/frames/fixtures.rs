//! Every message once, beside its bytes.
//!
//! In the bytes, `"…"` is text as it is and all else hexadecimal, spaced at will.

use digest::{Algorithm, Digest};
use proto::{
    Abort, Access, Branch, Command, End, Entry, EntryKind, Failure, Found, Kind, Message, Missed, Page, Part,
    Reply, Secret, Side, Ticket, Time,
};

/// A message and the frame that says it.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) from: Side,
    pub(crate) message: Message,
    pub(crate) bytes: Vec<u8>,
}

/// The MD5 of `abc` (RFC 1321, A.5).
pub(crate) const MD5_OF_ABC: &str = "900150983cd24fb0d6963f7d28e17f72";

/// Every command.
pub(crate) fn commands() -> Vec<Fixture> {
    let path = |path: &str| path.as_bytes().to_vec();
    let login = Command::Login { user: "alice".into(), password: Secret::new("wonder".into()) };
    let rename = Command::Rename { from: path("a"), to: path("/b/c") };
    let touch = Command::SetAttributes { path: path("a"), modified: Some(MOMENT), mode: None };
    let chmod = Command::SetAttributes { path: path("a"), modified: None, mode: Some(0o644) };
    [
        ("hello", Command::Hello { client: "ftp 0.1.0".into() }, r#"0b000000 01  00 09 "ftp 0.1.0""#),
        ("login", login, r#"0e000000 01  01 05 "alice" 06 "wonder""#),
        ("pwd", Command::Pwd, "01000000 01  02"),
        ("cd", Command::Cd { path: path("a b/..") }, r#"08000000 01  03 06 "a b/..""#),
        ("cdup", Command::CdUp, "01000000 01  04"),
        ("list", Command::List { path: path("") }, "02000000 01  05 00"),
        ("stat", Command::Stat { path: vec![0xff, 0] }, "04000000 01  06 02 ff00"),
        ("get", Command::Get { path: path("/abc"), first_block: 0 }, r#"07000000 01  07 04 "/abc" 00"#),
        (
            "get_on",
            Command::Get { path: path("abc"), first_block: 251 },
            r#"08000000 01  07 03 "abc" fb fb00"#,
        ),
        ("put", Command::Put { path: path("abc"), size: 65_536 }, r#"0a000000 01  08 03 "abc" fc 00000100"#),
        (
            "put_big",
            Command::Put { path: path("a"), size: 1 << 32 },
            r#"0c000000 01  08 01 "a" fd 0000000001000000"#,
        ),
        ("mkdir", Command::Mkdir { path: path("a") }, r#"03000000 01  09 01 "a""#),
        ("rmdir", Command::Rmdir { path: path("a") }, r#"03000000 01  0a 01 "a""#),
        ("remove", Command::Remove { path: path("a") }, r#"03000000 01  0b 01 "a""#),
        ("rename", rename, r#"08000000 01  0c 01 "a" 04 "/b/c""#),
        ("touch", touch, r#"0f000000 01  0d 01 "a" 01 fc 009ce4a6 fc 15cd5b07 00"#),
        ("chmod", chmod, r#"08000000 01  0d 01 "a" 00 01 fb a401"#),
        ("md5", Command::Md5 { path: path("a") }, r#"03000000 01  0e 01 "a""#),
        ("quit", Command::Quit, "01000000 01  0f"),
        ("walk", Command::Walk { path: path("a") }, r#"03000000 01  10 01 "a""#),
        (
            "link",
            Command::Link { path: path("a"), target: path("../b") },
            r#"08000000 01  11 01 "a" 04 "../b""#,
        ),
        (
            "resume",
            Command::Resume { path: path("abc"), first_block: 251, proof: vec![0xab, 0xcd] },
            r#"0b000000 01  12 03 "abc" fb fb00 02 abcd"#,
        ),
        ("kept", Command::Kept { path: path("abc") }, r#"05000000 01  13 03 "abc""#),
        (
            "put_rest",
            Command::PutRest { path: path("abc"), size: 65_536, first_block: 1, proof: vec![0xab, 0xcd] },
            r#"0e000000 01  14 03 "abc" fc 00000100 01 02 abcd"#,
        ),
        ("ticket", Command::Ticket, "01000000 01  15"),
        (
            "enter",
            Command::Enter { ticket: Ticket::new([0xab; 32]) },
            "21000000 01  16 abababababababababababababababababababababababababababababababab",
        ),
        ("root", Command::Root { path: path("abc") }, r#"05000000 01  17 03 "abc""#),
        (
            "digests",
            Command::Digests { path: path("abc"), part: Part { first_block: 251, blocks: 2 }, version: None },
            r#"0a000000 01  18 03 "abc" fb fb00 02 00"#,
        ),
        (
            "get_parts",
            Command::GetParts {
                path: path("abc"),
                version: Some(*b"0123456789abcdef"),
                parts: vec![Part { first_block: 0, blocks: 1 }, Part { first_block: 3, blocks: 2 }],
            },
            r#"1b000000 01  19 03 "abc" 01 "0123456789abcdef" 02 00 01 03 02"#,
        ),
        (
            "assemble",
            Command::Assemble { path: path("abc"), size: 65_536, onto: Some(*b"0123456789abcdef") },
            r#"1b000000 01  1a 03 "abc" fc 00000100 01 "0123456789abcdef""#,
        ),
        (
            "put_parts",
            Command::PutParts {
                assembly: *b"0123456789abcdef",
                size: 65_537,
                parts: vec![Part { first_block: 1, blocks: 1 }],
            },
            r#"19000000 01  1b "0123456789abcdef" fc 01000100 01 01 01"#,
        ),
        (
            "publish",
            Command::Publish {
                assembly: *b"0123456789abcdef",
                root: vec![0xab, 0xcd],
                modified: Some(MOMENT),
                mode: None,
            },
            r#"20000000 01  1c "0123456789abcdef" 02 abcd 01 fc 009ce4a6 fc 15cd5b07 00"#,
        ),
        ("leave", Command::Leave { assembly: *b"0123456789abcdef" }, r#"11000000 01  1d "0123456789abcdef""#),
        ("get_tree", Command::GetTree { path: path("a") }, r#"03000000 01  1e 01 "a""#),
        (
            "target",
            Command::Target { path: path("a"), name: path("bc") },
            r#"06000000 01  1f 01 "a" 02 "bc""#,
        ),
    ]
    .into_iter()
    .map(|(name, command, bytes)| fixture(name, Side::Client, Message::Command(command), bytes))
    .collect()
}

/// 2014-05-13 16:53:20 UTC and 123,456,789 ns.
const MOMENT: Time = Time { seconds: 1_400_000_000, nanoseconds: 123_456_789 };

/// Every reply.
pub(crate) fn replies() -> Vec<Fixture> {
    let entry =
        Entry { name: b"abc".to_vec(), kind: EntryKind::File, size: 3, modified: MOMENT, mode: 0o640 };
    let plain = Failure::new(Kind::NotFound, "no such file");
    let helped = Failure::new(Kind::Quota, "full").with_remedy("Remove some.");
    let root = md5_of_abc().as_bytes().to_vec();
    let digest = root.clone().try_into().expect("16 bytes");
    [
        (
            "reply_hello",
            Reply::Hello { server: "ftpd 0.1.0".into() },
            r#"0c000000 02  00 0a "ftpd 0.1.0""#.into(),
        ),
        ("welcome_read", Reply::Welcome { access: Access::Read }, "02000000 02  01 00".into()),
        ("welcome_write", Reply::Welcome { access: Access::Write }, "02000000 02  01 01".into()),
        ("welcome_drop", Reply::Welcome { access: Access::Drop }, "02000000 02  01 02".into()),
        ("done", Reply::Done, "01000000 02  02".into()),
        ("directory", Reply::Directory { path: b"/".to_vec() }, r#"03000000 02  03 01 "/""#.into()),
        ("listing", Reply::Listing, "01000000 02  04".into()),
        (
            "entry",
            Reply::Entry(entry),
            r#"14000000 02  05 03 "abc" 00 03 fc 009ce4a6 fc 15cd5b07 fb a001"#.into(),
        ),
        ("sending", Reply::Sending { size: 3 }, "02000000 02  06 03".into()),
        ("stored", Reply::Stored { size: 3, root }, format!("13000000 02  07 03 10 {MD5_OF_ABC}")),
        ("reply_md5", Reply::Md5 { size: 3, digest }, format!("12000000 02  08 03 {MD5_OF_ABC}")),
        ("refused", Reply::Refused(plain), r#"10000000 02  09 05 0c "no such file" 00"#.into()),
        (
            "refused_remedy",
            Reply::Refused(helped),
            r#"15000000 02  09 0d 04 "full" 01 0c "Remove some.""#.into(),
        ),
        ("goodbye", Reply::Goodbye, "01000000 02  0a".into()),
        (
            "reply_kept",
            Reply::Kept { blocks: 251, root: vec![0xab, 0xcd] },
            "07000000 02  0b fb fb00 02 abcd".into(),
        ),
        (
            "reply_ticket",
            Reply::Ticket { ticket: Ticket::new([0xab; 32]), seconds: 60 },
            "22000000 02  0c abababababababababababababababababababababababababababababababab 3c".into(),
        ),
        (
            "reply_root",
            Reply::Root { size: 3, version: *b"0123456789abcdef", root: vec![0xab, 0xcd] },
            r#"15000000 02  0d 03 "0123456789abcdef" 02 abcd"#.into(),
        ),
        (
            "reading",
            Reply::Reading { size: 3, version: *b"0123456789abcdef" },
            r#"12000000 02  0e 03 "0123456789abcdef""#.into(),
        ),
        (
            "assembling",
            Reply::Assembling { assembly: *b"0123456789abcdef" },
            r#"11000000 02  0f "0123456789abcdef""#.into(),
        ),
        (
            "reply_target",
            Reply::Target { path: b"/a".to_vec(), made: true },
            r#"05000000 02  10 02 "/a" 01"#.into(),
        ),
    ]
    .into_iter()
    .map(|(name, reply, bytes)| fixture(name, Side::Server, Message::Reply(reply), &bytes))
    .collect()
}

/// Pages, branches, digests, ends, aborts and a sign of life.
pub(crate) fn others() -> Vec<Fixture> {
    let entry = |name: &str, kind, size| {
        let modified = Time { seconds: -1, nanoseconds: 0 };
        Entry { name: name.into(), kind, size, modified, mode: 0 }
    };
    let entries = vec![
        entry("d", EntryKind::Directory, 0),
        entry("l", EntryKind::Link, 250),
        entry("o", EntryKind::Other, 251),
    ];
    let page = Page { entries, last: false };
    let found = |path: &str, kind, size, target: Option<&str>| {
        let target = target.map(|target| target.as_bytes().to_vec());
        Found { path: path.into(), kind, size, modified: MOMENT, mode: 0o640, target }
    };
    let missed = Missed { path: b"d".to_vec(), failure: Failure::new(Kind::Denied, "no") };
    let branch = Branch {
        found: vec![
            found("", EntryKind::Directory, 0, None),
            found("d/f", EntryKind::File, 251, None),
            found("l", EntryKind::Link, 3, Some("d/f")),
        ],
        missed: vec![missed],
        last: false,
    };
    let end =
        End { size: 3, root: md5_of_abc().as_bytes().to_vec(), modified: Some(MOMENT), mode: Some(0o640) };
    let bare = End { size: 0, root: vec![0xb3; 32], modified: None, mode: None };
    let abort = Abort { command: 2, failure: Failure::new(Kind::Changed, "it grew") };
    let (moment, b3) = ("fc 009ce4a6 fc 15cd5b07", "b3".repeat(32));
    [
        (
            "page",
            Message::Page(page),
            r#"19000000 03  03 01"d"010001 0000 01"l"02fa01 0000 01"o"03fbfb0001 0000 00"#.into(),
        ),
        ("page_last", Message::Page(Page { entries: vec![], last: true }), "02000000 03  00 01".into()),
        (
            "branch",
            Message::Branch(branch),
            format!(
                r#"47000000 08  03  00 01 00 {moment} fb a001 00  03 "d/f" 00 fb fb00 {moment} fb a001 00
                01 "l" 02 03 {moment} fb a001 01 03 "d/f"  01 01 "d" 04 02 "no" 00  00"#
            ),
        ),
        (
            "branch_last",
            Message::Branch(Branch { found: vec![], missed: vec![], last: true }),
            "03000000 08  00 00 01".into(),
        ),
        ("end", Message::End(end), format!("21000000 05  03 10 {MD5_OF_ABC} 01 {moment} 01 fb a001")),
        ("end_bare", Message::End(bare), format!("24000000 05  00 20 {b3} 00 00")),
        ("abort", Message::Abort(abort), r#"0b000000 06  02 10 07 "it grew" 00"#.into()),
        (
            "digests_frame",
            Message::Digests(b"0123456789abcdef".repeat(2)),
            r#"20000000 09 "0123456789abcdef0123456789abcdef""#.into(),
        ),
        ("busy", Message::Busy, "00000000 07".into()),
    ]
    .into_iter()
    .map(|(name, message, bytes)| fixture(name, Side::Server, message, &bytes))
    .collect()
}

/// Every message.
pub(crate) fn all() -> Vec<Fixture> {
    [commands(), replies(), others()].into_iter().flatten().collect()
}

/// A data frame that holds `abc`.
pub(crate) fn data() -> Vec<u8> {
    bytes(&format!(r#"13000000 04 "abc" {MD5_OF_ABC}"#))
}

fn fixture(name: &'static str, from: Side, message: Message, text: &str) -> Fixture {
    Fixture { name, from, message, bytes: bytes(text) }
}

fn md5_of_abc() -> Digest {
    Digest::new(Algorithm::Md5, &bytes(MD5_OF_ABC)).expect("16 bytes")
}

/// The bytes that the notation above spells.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (part, quoted) in text.split('"').zip([false, true].into_iter().cycle()) {
        if quoted {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u32> = part.chars().filter_map(|c| c.to_digit(16)).collect();
        assert!(digits.len().is_multiple_of(2), "half a byte in {part:?}");
        bytes.extend(digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8));
    }
    bytes
}
