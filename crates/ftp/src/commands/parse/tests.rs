//! The parser, held by a table and by arbitrary text.

use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;

use super::super::{Rule, Sync, TABLE, Way, from_line, from_words, quote};
use super::*;

fn line(text: &str) -> Result<Option<Command>, Failure> {
    from_line(text, Some(Path::new("/home/ana")))
}

fn command(text: &str) -> Command {
    line(text).unwrap().unwrap()
}

fn arguments(words: &[&str]) -> Result<Command, Failure> {
    from_words(words.iter().map(OsString::from).collect())
}

fn list(path: &str, long: bool) -> Command {
    Command::List { path: path.into(), long }
}

fn get(remote: &str, local: Option<&str>) -> Command {
    Command::Get { remote: remote.into(), local: local.map(PathBuf::from), go_on: false }
}

fn put(local: &str, remote: Option<&str>) -> Command {
    Command::Put { local: local.into(), remote: remote.map(str::to_owned), go_on: false }
}

fn sync(way: Way) -> Sync {
    Sync { way, dry_run: false, delete: false, yes: false, checksum: false, rules: Vec::new() }
}

#[test]
fn lines_become_commands() {
    let help = Command::Help(Row::named("get"));
    for (text, wanted) in [
        ("ls", list(".", false)),
        ("dir -l", list(".", true)),
        ("list -a", list(".", false)),
        ("ls -la sub", list("sub", true)),
        ("ls -a -l sub", list("sub", true)),
        ("ls sub -l", list("sub", true)),
        ("ls -- -l", list("-l", false)),
        ("ls -", list("-", false)),
        ("cd", Command::ChangeDirectory("/".into())),
        ("cd ..", Command::ChangeDirectory("..".into())),
        ("cd..", Command::Climb),
        ("cdup", Command::Climb),
        ("cwd", Command::WorkingDirectory),
        ("cwd sub", Command::ChangeDirectory("sub".into())),
        ("pwd", Command::WorkingDirectory),
        ("get a", get("a", None)),
        ("get -c a", Command::Get { remote: "a".into(), local: None, go_on: true }),
        ("put -c a", Command::Put { local: "a".into(), remote: None, go_on: true }),
        ("get 'a b' c", get("a b", Some("c"))),
        ("get ~/x ~/y", get("~/x", Some("/home/ana/y"))),
        ("put a", put("a", None)),
        ("put ~/a b/", put("/home/ana/a", Some("b/"))),
        ("put -- -a -b", put("-a", Some("-b"))),
        ("put ~a", put("~a", None)),
        ("ls -lr a", Command::ListTree { path: "a".into(), long: true }),
        ("get -r a b", Command::GetTree { remote: "a".into(), local: Some("b".into()) }),
        ("put a -r", Command::PutTree { local: "a".into(), remote: None }),
        ("rm -r a", Command::RemoveTree("a".into())),
        ("mget *.c 'a b'", Command::GetMany(vec!["*.c".into(), "a b".into()])),
        ("mput ~/*.c", Command::PutMany(vec!["/home/ana/*.c".into()])),
        ("sync put a", Command::Sync(sync(Way::Put { from: "a".into(), to: None }))),
        (
            "sync put ~/a b",
            Command::Sync(sync(Way::Put { from: "/home/ana/a".into(), to: Some("b".into()) })),
        ),
        (
            "sync get -- -a ~/b",
            Command::Sync(sync(Way::Get { from: "-a".into(), to: Some("/home/ana/b".into()) })),
        ),
        (
            "sync --delete put -n a --yes --checksum",
            Command::Sync(Sync {
                dry_run: true,
                delete: true,
                yes: true,
                checksum: true,
                ..sync(Way::Put { from: "a".into(), to: None })
            }),
        ),
        (
            "sync get a --exclude '*.o' b --include=*.c --dry-run",
            Command::Sync(Sync {
                dry_run: true,
                rules: vec![
                    Rule { include: false, pattern: "*.o".into() },
                    Rule { include: true, pattern: "*.c".into() },
                ],
                ..sync(Way::Get { from: "a".into(), to: Some("b".into()) })
            }),
        ),
        ("cat a", Command::Cat("a".into())),
        ("mkdir a", Command::MakeDirectory("a".into())),
        ("rmdir a", Command::RemoveDirectory("a".into())),
        ("rm -- -x", Command::Remove("-x".into())),
        ("delete --  --", Command::Remove("--".into())),
        ("mv a b", Command::Rename { from: "a".into(), to: "b".into() }),
        ("stat 日本", Command::Stat("日本".into())),
        ("md5 a", Command::Md5("a".into())),
        ("lcd", Command::LocalChangeDirectory(None)),
        ("lcd ~", Command::LocalChangeDirectory(Some("/home/ana/".into()))),
        ("lpwd", Command::LocalWorkingDirectory),
        ("lls", Command::LocalList { path: ".".into(), long: false }),
        ("lls -l /tmp", Command::LocalList { path: "/tmp".into(), long: true }),
        ("!", Command::Shell(String::new())),
        ("  ! ls 'a  b' | wc ", Command::Shell("ls 'a  b' | wc".into())),
        ("!it's \"open", Command::Shell("it's \"open".into())),
        ("?", Command::Help(None)),
        ("help get", help),
        ("q", Command::Quit),
        ("exit", Command::Quit),
    ] {
        assert_eq!(command(text), wanted, "{text}");
    }
}

#[test]
fn a_blank_line_is_no_command() {
    for text in ["", "  \t", "\r"] {
        assert_eq!(line(text).unwrap(), None);
    }
}

#[test]
fn misuse_says_what_is_wrong_and_how_it_is_called() {
    for (text, wanted) in [
        ("get", "REMOTE is missing. Usage: get [-c|-r] REMOTE [LOCAL]."),
        ("mv a", "TO is missing. Usage: mv FROM TO."),
        ("rm", "PATH is missing. Usage: rm [-r] PATH."),
        ("pwd x", "pwd takes no name. Usage: pwd."),
        ("rm a b", "rm takes one name, not 2. Usage: rm [-r] PATH. Blanks in a name need quotes: rm 'a b'."),
        (
            "put -x a",
            "put has no option -x. Usage: put [-c|-r] LOCAL [REMOTE]. A name that begins with a dash goes after --: put -- -x.",
        ),
        ("quit -f", "quit has no option -f. Usage: quit."),
        (
            "ls --all",
            "ls has no option --all. Usage: ls [-lar] [PATH]. A name that begins with a dash goes after --: ls -- --all.",
        ),
        ("sync put", "SRC is missing. Usage: sync put|get SRC [DST]. help sync shows its options."),
        (
            "sync a b",
            "sync goes put or get, not a. To the server: sync put LOCAL [REMOTE]. From it: sync get REMOTE [LOCAL].",
        ),
        (
            "sync put a --nothing",
            "sync has no option --nothing. Usage: sync put|get SRC [DST]. help sync shows its options. A name that \
             begins with a dash goes after --: sync -- --nothing.",
        ),
        (
            "sync put a --exclude",
            "--exclude needs a GLOB. Usage: sync put|get SRC [DST]. help sync shows its options.",
        ),
        (
            "sync put a --delete=1",
            "--delete is told nothing. Usage: sync put|get SRC [DST]. help sync shows its options.",
        ),
        ("get ''", "a name is empty. Usage: get [-c|-r] REMOTE [LOCAL]."),
        ("gte x", "there is no command gte. Did you mean get? help shows all commands."),
        ("frobnicate", "there is no command frobnicate. help shows all commands."),
        ("'' x", "there is no command ''. help shows all commands."),
        ("help gte", "there is no command gte. Did you mean get? help shows all commands."),
        ("-l", "there is no command -l. help shows all commands."),
    ] {
        let failure = line(text).unwrap_err();
        assert_eq!((failure.code, failure.to_string().as_str()), (Code::Usage, wanted), "{text}");
    }
}

#[test]
fn arguments_are_never_cut_again() {
    assert_eq!(arguments(&["get", "a b", "c 'd"]).unwrap(), get("a b", Some("c 'd")));
    assert_eq!(arguments(&["get", r"a\b"]).unwrap(), get(r"a\b", None));
    assert_eq!(arguments(&["ls", "-la"]).unwrap(), list(".", true));
    assert_eq!(arguments(&["rm", "--", "-x"]).unwrap(), Command::Remove("-x".into()));
    // The shell has expanded what was to be expanded.
    assert_eq!(arguments(&["put", "~/a"]).unwrap(), put("~/a", None));
    assert_eq!(arguments(&["!", "ls", "a b"]).unwrap(), Command::Shell("ls 'a b'".into()));
    assert_eq!(arguments(&["!ls | wc"]).unwrap(), Command::Shell("ls | wc".into()));
    assert_eq!(arguments(&["get 'a'"]).unwrap_err().message, r"there is no command 'get '\''a'\'''");
}

#[test]
fn a_local_name_may_be_any_bytes_and_a_remote_name_only_text() {
    let odd = OsString::from_vec(b"a\xff".to_vec());
    let words = |verb: &str| vec![OsString::from(verb), odd.clone()];
    assert_eq!(
        from_words(words("put")).unwrap(),
        Command::Put { local: odd.clone().into(), remote: None, go_on: false }
    );
    assert_eq!(from_words(words("get")).unwrap_err().code, Code::Usage);
    assert_eq!(from_words(vec![odd]).unwrap_err().code, Code::Usage);
}

proptest! {
    #[test]
    fn any_line_is_a_command_or_a_usage_error(text in any::<String>()) {
        if let Err(failure) = line(&text) {
            prop_assert_eq!(failure.code, Code::Usage);
            prop_assert!(failure.remedy.is_some());
        }
    }

    #[test]
    fn any_row_with_any_words_is_a_command_or_a_usage_error(
        row in 0..TABLE.len(),
        rest in prop::collection::vec("(-{0,2}[lar]{0,2}|put|--exclude|.{0,3})", 0..4),
    ) {
        let mut words = vec![OsString::from(TABLE[row].name())];
        words.extend(rest.iter().map(OsString::from));
        if let Err(failure) = from_words(words) {
            prop_assert_eq!(failure.code, Code::Usage);
        }
    }

    #[test]
    fn a_quoted_name_after_dashes_is_taken_as_it_is(name in ".{1,20}") {
        prop_assert_eq!(command(&format!("rm -- {}", quote(&name))), Command::Remove(name));
    }
}
