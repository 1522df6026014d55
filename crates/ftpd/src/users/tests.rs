//! The commands on users: what they keep, what they refuse, and that two at once lose nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::config::{Access, Size};

const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZSBzYWx0$c29tZSBvdXRwdXQgb2YgMzIgYnl0ZXMgb3IgbW9yZQ";

/// A file with comments in every place and odd blanks, in which `HASH` stands for a hash.
const KEPT: &str = r#"# head
state   =  "s"     # odd   blanks

  [native] # door
listen = [
  "127.0.0.1:0", # any
]
tls = false


# about everybody

# about ann
[users.ann]  # ann
home = 'homes/ann'
password = "HASH"  # hers
# access = "write"

# about bob
[users."bob"]
access = "drop"
  password = 'HASH' # his
home = """homes/bob"""

[limits] # after the users
idle = "1h"

# the end
"#;

fn kept() -> String {
    KEPT.replace("HASH", HASH)
}

fn user(name: &str) -> Add {
    let password = Password { stdin: true };
    Add { name: name.into(), home: format!("homes/{name}"), access: Access::Read, quota: None, password }
}

/// An empty directory, and the name of a file in it.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users.toml");
    (directory, file)
}

/// As `user add`, without a password being asked for or hashed.
fn add_to(file: &Path, user: &Add) -> Result<(), Error> {
    file::rewrite(file, Some(FRESH), |text| Ok(edit::add(text, user, Some(HASH)).unwrap()))
}

fn names(file: &Path) -> Vec<String> {
    Config::load(file).unwrap().users.into_keys().collect()
}

/// What a command says that needs no password.
fn said(file: &Path, command: &User) -> String {
    let mut out = Vec::new();
    match run(file, command, &mut out) {
        Ok(()) => String::from_utf8(out).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_addition_is_at_the_end_and_nothing_else_changes() {
    let full =
        Add { access: Access::Write, quota: Some(Size(10 << 30)), home: "/srv/it's".into(), ..user("c@d.e") };
    let section = |name: &str, more: &str| format!("\n[users.{name}]\npassword = \"{HASH}\"\n{more}");
    let plain = section("carol", "home = \"homes/carol\"\naccess = \"read\"\n");
    let text = kept();
    assert_eq!(edit::add(&text, &user("carol"), Some(HASH)).unwrap(), format!("{text}{plain}"));
    assert_eq!(
        edit::add(&text, &full, Some(HASH)).unwrap(),
        format!(
            "{text}{}",
            section("\"c@d.e\"", "home = \"/srv/it's\"\naccess = \"write\"\nquota = \"10 GiB\"\n")
        )
    );
    for text in [FRESH, "[native]\n[limits]\n# x\n", "a = 1 # no users\n", "[users]\n", "\u{feff}# mark\n"] {
        assert_eq!(edit::add(text, &user("carol"), Some(HASH)).unwrap(), format!("{text}{plain}"));
    }
    for text in ["# unended", "a = 1", "[native]\n\n# x"] {
        assert_eq!(edit::add(text, &user("carol"), Some(HASH)).unwrap(), format!("{text}\n{plain}"));
    }
}

#[test]
fn users_in_another_style_are_added_to_in_that_style_or_beside() {
    for before in ["users = { ann = { password = \"HASH\", home = \"h\" } }\n", "users = {}\n", ""] {
        let text =
            format!("{before}[native]\nlisten = [\"127.0.0.1:0\"]\ntls = false\n").replace("HASH", HASH);
        let added = edit::add(&text, &user("bob"), Some(HASH)).unwrap();
        let config = Config::parse(Path::new("users.toml"), &added).unwrap();
        assert_eq!(config.users["bob"].home, Path::new("homes/bob"));
        assert_eq!(config.users.len(), if before.contains("ann") { 2 } else { 1 });
        assert!(!edit::has(&edit::remove(&added, "bob").unwrap(), "bob").unwrap());
    }
}

#[test]
fn another_password_changes_only_the_hash() {
    let text = kept();
    let other = "$argon2id$v=19$other";
    for name in ["ann", "bob"] {
        let [before, after] = if name == "ann" { ["\"", "\""] } else { ["'", "'"] };
        let old = format!("password = {before}{HASH}{after}");
        assert_eq!(
            edit::passwd(&text, name, other).unwrap(),
            text.replace(&old, &format!("password = \"{other}\"")),
        );
    }
    let without = "[users.ann]\nhome = \"h\" # x\n\n# y\n[limits]\n";
    assert_eq!(
        edit::passwd(without, "ann", "x").unwrap(),
        "[users.ann]\nhome = \"h\" # x\npassword = \"x\"\n\n# y\n[limits]\n"
    );
}

#[test]
fn a_removal_takes_its_own_comments_and_nothing_else() {
    let text = kept();
    let cut = |from: &str, to: &str| {
        let (start, end) = (text.find(from).unwrap(), text.find(to).unwrap());
        format!("{}{}", &text[..start], &text[end..])
    };
    assert_eq!(edit::remove(&text, "ann").unwrap(), cut("\n# about ann", "\n# about bob"));
    assert_eq!(edit::remove(&text, "bob").unwrap(), cut("\n# about bob", "\n[limits]"));
    let first = "# head\n\n# ann\n[users.ann]\nhome = \"h\"\n# bob\n[users.bob]\n";
    assert_eq!(edit::remove(first, "ann").unwrap(), "# head\n# bob\n[users.bob]\n");
    let last = "[users.ann]\nhome = \"h\"\n\n# note\n\n# bob\n[users.bob]\nhome = \"h\"\n# end\n";
    assert_eq!(edit::remove(last, "bob").unwrap(), "[users.ann]\nhome = \"h\"\n\n# note\n# end\n");
}

proptest! {
    /// Whatever lines a file has, of either kind: an addition only appends, and its removal leaves what was.
    #[test]
    fn what_is_added_and_removed_has_never_been(
        lines in prop::collection::vec(prop::sample::select(vec!["# note", "", "[limits]", "[native] # x", "  # y", "[users.ann]", "[users]"]), 0..8),
        windows in any::<bool>(),
    ) {
        let end = if windows { "\r\n" } else { "\n" };
        let text: String = lines.iter().map(|line| format!("{line}{end}")).collect();
        prop_assume!(text.parse::<toml_edit::DocumentMut>().is_ok()); // no section twice
        let added = edit::add(&text, &user("carol"), Some(HASH)).unwrap();
        prop_assert!(added.starts_with(&text), "{:?}", added);
        prop_assert_eq!(added.contains('\r'), windows && text.contains('\r'));
        prop_assert!(edit::has(&added, "carol").unwrap());
        let other = edit::passwd(&added, "carol", "other").unwrap();
        prop_assert_eq!(&other, &added.replace(HASH, "other"));
        prop_assert_eq!(edit::remove(&other, "carol").unwrap(), text);
    }
}

#[test]
fn a_missing_file_is_made_for_its_owner_alone() {
    let (directory, file) = place();
    add_to(&file, &user("ann")).unwrap();
    assert_eq!(names(&file), ["ann"]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().starts_with(FRESH));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no stage is left");
}

#[test]
fn the_mode_stays_and_so_does_a_link() {
    let (directory, file) = place();
    let real = directory.path().join("real.toml");
    fs::write(&real, kept()).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.toml", &file).unwrap();
    add_to(&file, &user("carol")).unwrap();
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(names(&real), ["ann", "bob", "carol"]);
}

#[test]
fn what_a_crash_left_behind_is_no_hindrance() {
    let (directory, file) = place();
    fs::write(directory.path().join(".users.toml.new"), "half").unwrap();
    add_to(&file, &user("ann")).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn additions_at_once_all_survive() {
    let (_directory, file) = place();
    let everybody: Vec<String> = (0..16).map(|n| format!("user{n:02}")).collect();
    std::thread::scope(|scope| {
        for name in &everybody {
            scope.spawn(|| add_to(&file, &user(name)).unwrap());
        }
    });
    assert_eq!(names(&file), everybody);
}

#[test]
fn a_broken_file_is_told_by_line_and_stays() {
    let (_directory, file) = place();
    let broken = kept().replace("idle = \"1h\"", "idle = 1");
    fs::write(&file, &broken).unwrap();
    let commands = [
        User::Add(user("carol")),
        User::Passwd { name: "ann".into(), password: Password { stdin: true } },
        User::Remove { name: "ann".into() },
        User::List,
    ];
    for command in commands {
        let said = said(&file, &command);
        assert!(said.starts_with(&format!("{}:26: idle must be a time", file.display())), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), broken);
    }
}

#[test]
fn a_broken_user_can_be_removed() {
    let (_directory, file) = place();
    fs::write(&file, kept().replace("'HASH'", "'plain'").replace(&format!("'{HASH}'"), "'plain'")).unwrap();
    assert!(Config::load(&file).is_err());
    assert!(said(&file, &User::Remove { name: "bob".into() }).contains("bob is removed"));
    assert_eq!(names(&file), ["ann"]);
}

#[test]
fn an_edit_that_would_break_the_file_is_not_written() {
    let (directory, file) = place();
    fs::write(&file, kept()).unwrap();
    let outcome = file::rewrite(&file, None, |text| Ok(format!("{text}nonsense")));
    assert!(
        matches!(outcome, Err(Error::Config(problem)) if problem.line == Some(kept().lines().count() + 1))
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), kept());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_done_says_what_can() {
    let (_directory, file) = place();
    fs::write(&file, kept()).unwrap();
    let shown = file.display();
    let password = Password { stdin: true };
    for (command, expected) in [
        (
            User::Add(user("ann")),
            format!(
                "there is a user ann already. to change the password: ftpd --config {shown} user passwd ann"
            ),
        ),
        (
            User::Add(user("a b")),
            "\"a b\" cannot be the name of a user. use 1 to 64 of a-z A-Z 0-9 . _ - @, and no - first".into(),
        ),
        (
            User::Add(user("a\x1b")),
            "\"a\\x1b\" cannot be the name of a user. use 1 to 64 of a-z A-Z 0-9 . _ - @, and no - first"
                .into(),
        ),
        (
            User::Add(Add { home: "".into(), ..user("eve") }),
            "--home must name a directory. write, for example: --home homes/eve".into(),
        ),
        (
            User::Passwd { name: "eve".into(), password },
            format!("there is no user \"eve\". to see who there is: ftpd --config {shown} user list"),
        ),
        (
            User::Remove { name: "eve".into() },
            format!("there is no user \"eve\". to see who there is: ftpd --config {shown} user list"),
        ),
    ] {
        assert_eq!(said(&file, &command), expected);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), kept());
    fs::remove_file(&file).unwrap();
    for command in
        [User::List, User::Remove { name: "ann".into() }, User::Passwd { name: "ann".into(), password }]
    {
        assert!(
            said(&file, &command)
                .contains("there is no such file. make it with its first user: ftpd --config ")
        );
        assert!(!file.exists());
    }
}

#[test]
fn the_list_is_a_table() {
    let text = kept()
        + &format!(
            "[users.with-a-long-name]\npassword = \"{HASH}\"\nhome = \"/srv\\n\"\nquota = \"10 GiB\"\n"
        );
    let config = Config::parse(Path::new("users.toml"), &text).unwrap();
    let mut out = Vec::new();
    list::write(&config, &mut out).unwrap();
    let table = [
        "NAME              ACCESS  HOME       QUOTA",
        "ann               read    homes/ann  -",
        "bob               drop    homes/bob  -",
        "with-a-long-name  read    /srv\\n     10 GiB",
        "",
    ];
    assert_eq!(String::from_utf8(out).unwrap(), table.join("\n"));

    let (_directory, file) = place();
    fs::write(&file, FRESH).unwrap();
    assert!(said(&file, &User::List).ends_with("user add NAME --home DIR\n"));
}

#[test]
fn everybody_is_added_without_a_password() {
    let (_directory, file) = place();
    let anonymous = |access, stdin| {
        let password = Password { stdin };
        let home = "pub".into();
        User::Add(Add { name: "anonymous".into(), home, access, quota: None, password })
    };
    let shown = file.display();
    for (command, expected) in [
        (
            anonymous(Access::Write, false),
            "anonymous is everybody, who could change and remove all there is. write access = \"read\", \
             or \"drop\" to let them upload and see nothing",
        ),
        (
            anonymous(Access::Read, true),
            "anonymous is everybody, and has no password. leave out --password-stdin",
        ),
    ] {
        assert_eq!(said(&file, &command), expected);
        assert!(!file.exists());
    }
    let added = said(&file, &anonymous(Access::Drop, false));
    assert_eq!(
        added,
        format!(
            "{shown} has a new user anonymous: drop access to pub\n\
             everybody may log in as anonymous, with any password\nnext, to serve it:\n  ftpd --config {shown}\n"
        )
    );
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, format!("{FRESH}\n[users.anonymous]\nhome = \"pub\"\naccess = \"drop\"\n"));

    let again = said(&file, &anonymous(Access::Read, false));
    let remove = format!("ftpd --config {shown} user remove anonymous");
    assert!(again.contains("it is there already") && again.ends_with(&remove), "{again}");
    let password = Password { stdin: true };
    assert_eq!(
        said(&file, &User::Passwd { name: "anonymous".into(), password }),
        format!(
            "anonymous is everybody, and has no password. to give somebody one, add another user: \
             ftpd --config {shown} user add NAME --home DIR"
        )
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(said(&file, &User::List).contains("anonymous  drop"));
    assert!(said(&file, &User::Remove { name: "anonymous".into() }).contains("anonymous is removed"));
    assert!(names(&file).is_empty());
}
