//! Any message there can be, for property tests.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proto::{
    Abort, Access, Branch, Command, End, Entry, EntryKind, Failure, Found, Kind, Message, Missed, Page, Part,
    Reply, Secret, Side, Ticket, Time,
};

/// A message and the side that may send it.
pub(crate) fn message() -> impl Strategy<Value = (Side, Message)> {
    let either = || prop_oneof![Just(Side::Client), Just(Side::Server)];
    prop_oneof![
        4 => command().prop_map(|command| (Side::Client, Message::Command(command))),
        4 => reply().prop_map(|reply| (Side::Server, Message::Reply(reply))),
        2 => page().prop_map(|page| (Side::Server, Message::Page(page))),
        2 => branch().prop_map(|branch| (Side::Server, Message::Branch(branch))),
        1 => vec(any::<u8>(), 16).prop_map(|digest| (Side::Server, Message::Digests(digest.repeat(4)))),
        2 => (either(), end()).prop_map(|(side, end)| (side, Message::End(end))),
        2 => (either(), abort()).prop_map(|(side, abort)| (side, Message::Abort(abort))),
        1 => Just((Side::Server, Message::Busy)),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 4000..4097)]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![8 => "\\PC{0,20}", 1 => ".{0,4}"]
}

/// Numbers of every length on the wire, the borders among them.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), (0u32..64).prop_map(|bits| 1 << bits), 249..253u64, 65_534..65_538u64]
}

fn time() -> impl Strategy<Value = Time> {
    let seconds = prop_oneof![any::<i64>(), -200..200i64];
    (seconds, 0..1_000_000_000u32).prop_map(|(seconds, nanoseconds)| Time { seconds, nanoseconds })
}

fn command() -> impl Strategy<Value = Command> {
    let secret = text().prop_map(Secret::new);
    let attributes = (bytes(), option::of(time()), option::of(any::<u32>()));
    prop_oneof![
        text().prop_map(|client| Command::Hello { client }),
        (text(), secret).prop_map(|(user, password)| Command::Login { user, password }),
        Just(Command::Pwd),
        bytes().prop_map(|path| Command::Cd { path }),
        Just(Command::CdUp),
        bytes().prop_map(|path| Command::List { path }),
        bytes().prop_map(|path| Command::Stat { path }),
        (bytes(), number()).prop_map(|(path, first_block)| Command::Get { path, first_block }),
        (bytes(), number()).prop_map(|(path, size)| Command::Put { path, size }),
        bytes().prop_map(|path| Command::Mkdir { path }),
        bytes().prop_map(|path| Command::Rmdir { path }),
        bytes().prop_map(|path| Command::Remove { path }),
        (bytes(), bytes()).prop_map(|(from, to)| Command::Rename { from, to }),
        attributes.prop_map(|(path, modified, mode)| Command::SetAttributes { path, modified, mode }),
        bytes().prop_map(|path| Command::Md5 { path }),
        Just(Command::Quit),
        bytes().prop_map(|path| Command::Walk { path }),
        (bytes(), bytes()).prop_map(|(path, target)| Command::Link { path, target }),
        (bytes(), number(), bytes()).prop_map(|(path, first_block, proof)| Command::Resume {
            path,
            first_block,
            proof
        }),
        bytes().prop_map(|path| Command::Kept { path }),
        (bytes(), number(), number(), bytes()).prop_map(|(path, size, first_block, proof)| {
            Command::PutRest { path, size, first_block, proof }
        }),
        Just(Command::Ticket),
        any::<[u8; 32]>().prop_map(|word| Command::Enter { ticket: Ticket::new(word) }),
        bytes().prop_map(|path| Command::Root { path }),
        (bytes(), part(), option::of(word())).prop_map(|(path, part, version)| Command::Digests {
            path,
            part,
            version
        }),
        (bytes(), option::of(word()), vec(part(), 0..9))
            .prop_map(|(path, version, parts)| Command::GetParts { path, version, parts }),
        (bytes(), number(), option::of(word())).prop_map(|(path, size, onto)| Command::Assemble {
            path,
            size,
            onto
        }),
        (word(), number(), vec(part(), 0..9)).prop_map(|(assembly, size, parts)| Command::PutParts {
            assembly,
            size,
            parts
        }),
        (word(), bytes(), option::of(time()), option::of(any::<u32>()))
            .prop_map(|(assembly, root, modified, mode)| Command::Publish { assembly, root, modified, mode }),
        word().prop_map(|assembly| Command::Leave { assembly }),
        bytes().prop_map(|path| Command::GetTree { path }),
        (bytes(), bytes()).prop_map(|(path, name)| Command::Target { path, name }),
    ]
}

fn word() -> impl Strategy<Value = [u8; 16]> {
    any::<[u8; 16]>()
}

fn part() -> impl Strategy<Value = Part> {
    (number(), number()).prop_map(|(first_block, blocks)| Part { first_block, blocks })
}

fn reply() -> impl Strategy<Value = Reply> {
    let access = prop_oneof![Just(Access::Read), Just(Access::Write), Just(Access::Drop)];
    prop_oneof![
        text().prop_map(|server| Reply::Hello { server }),
        access.prop_map(|access| Reply::Welcome { access }),
        Just(Reply::Done),
        bytes().prop_map(|path| Reply::Directory { path }),
        Just(Reply::Listing),
        entry().prop_map(Reply::Entry),
        number().prop_map(|size| Reply::Sending { size }),
        (number(), bytes()).prop_map(|(size, root)| Reply::Stored { size, root }),
        (number(), any::<[u8; 16]>()).prop_map(|(size, digest)| Reply::Md5 { size, digest }),
        failure().prop_map(Reply::Refused),
        Just(Reply::Goodbye),
        (number(), bytes()).prop_map(|(blocks, root)| Reply::Kept { blocks, root }),
        (any::<[u8; 32]>(), any::<u32>())
            .prop_map(|(word, seconds)| Reply::Ticket { ticket: Ticket::new(word), seconds }),
        (number(), word(), bytes()).prop_map(|(size, version, root)| Reply::Root { size, version, root }),
        (number(), word()).prop_map(|(size, version)| Reply::Reading { size, version }),
        word().prop_map(|assembly| Reply::Assembling { assembly }),
        (bytes(), any::<bool>()).prop_map(|(path, made)| Reply::Target { path, made }),
    ]
}

fn kind() -> impl Strategy<Value = EntryKind> {
    prop_oneof![
        Just(EntryKind::File),
        Just(EntryKind::Directory),
        Just(EntryKind::Link),
        Just(EntryKind::Other)
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    (vec(any::<u8>(), 1..=255), kind(), number(), time(), any::<u32>())
        .prop_map(|(name, kind, size, modified, mode)| Entry { name, kind, size, modified, mode })
}

fn page() -> impl Strategy<Value = Page> {
    (vec(entry(), 0..30), any::<bool>()).prop_map(|(entries, last)| Page { entries, last })
}

fn branch() -> impl Strategy<Value = Branch> {
    let path = || vec(any::<u8>(), 0..100);
    let found = (path(), kind(), number(), time(), any::<u32>(), option::of(path()));
    let found = found.prop_map(|(path, kind, size, modified, mode, target)| Found {
        path,
        kind,
        size,
        modified,
        mode,
        target,
    });
    let missed = (path(), failure()).prop_map(|(path, failure)| Missed { path, failure });
    (vec(found, 0..30), vec(missed, 0..10), any::<bool>()).prop_map(|(found, missed, last)| Branch {
        found,
        missed,
        last,
    })
}

fn end() -> impl Strategy<Value = End> {
    (number(), vec(any::<u8>(), 0..33), option::of(time()), option::of(any::<u32>()))
        .prop_map(|(size, root, modified, mode)| End { size, root, modified, mode })
}

fn failure() -> impl Strategy<Value = Failure> {
    let kind = prop_oneof![Just(Kind::Protocol), Just(Kind::NoSpace), Just(Kind::Internal)];
    (kind, text(), option::of(text())).prop_map(|(kind, message, remedy)| Failure { kind, message, remedy })
}

fn abort() -> impl Strategy<Value = Abort> {
    (number(), failure()).prop_map(|(command, failure)| Abort { command, failure })
}
