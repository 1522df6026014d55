//! What `check` finds, and that it makes nothing.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZSBzYWx0$c29tZSBvdXRwdXQgb2YgMzIgYnl0ZXMgb3IgbW9yZQ";

/// A directory with a users.toml of mode 0600 in it: one listener, and `more`.
fn place(listen: &str, more: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users.toml");
    fs::write(&file, format!("[native]\nlisten = [{listen}]\ntls = false\n{more}")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    (directory, file)
}

fn bob(home: &str, access: &str) -> String {
    format!("[users.bob]\npassword = \"{HASH}\"\nhome = \"{home}\"\naccess = \"{access}\"\n")
}

/// Whether all is well, and every line, with the directory's name cut out.
fn checked(directory: &TempDir, file: &Path) -> (bool, Vec<String>) {
    let mut out = Vec::new();
    let well = run(&Config::load(file).unwrap(), &mut out).unwrap();
    let here = format!("{}/", directory.path().display());
    let lines = String::from_utf8(out).unwrap().replace(&here, "");
    (well, lines.lines().map(String::from).collect())
}

#[test]
fn all_is_well_and_nothing_is_made() {
    let (directory, file) = place("\"127.0.0.1:0\"", &bob("homes/bob", "write"));
    let expected = [
        "ok       users.toml: 1 user",
        "ok       users.toml: for its owner alone",
        "ok       state: state is made when it is needed",
        "ok       home of bob: homes/bob is made when it is needed",
        "ok       native: 127.0.0.1:0, plain, from this machine only",
    ];
    assert_eq!(checked(&directory, &file), (true, expected.map(String::from).into()));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    fs::create_dir_all(directory.path().join("homes/bob")).unwrap();
    let (well, lines) = checked(&directory, &file);
    assert!(well);
    assert_eq!(lines[3], "ok       home of bob: homes/bob");
}

#[test]
fn the_key_of_tls() {
    let (directory, file) = place("\"127.0.0.1:0\"", "");
    let text = fs::read_to_string(&file).unwrap().replace("tls = false", "tls = true");
    fs::write(&file, text).unwrap();
    let (_, lines) = checked(&directory, &file);
    assert_eq!(&lines[3..], ["ok       key: made when it is needed", "ok       native: 127.0.0.1:0, TLS"]);
    assert!(!directory.path().join("state").exists());

    let identity = crate::tls::Identity::load(&Config::load(&file).unwrap()).unwrap().unwrap();
    let (_, lines) = checked(&directory, &file);
    assert_eq!(lines[3], format!("ok       key: {}", identity.fingerprint()));
    fs::remove_file(directory.path().join("state/key.pem")).unwrap();
    let (well, lines) = checked(&directory, &file);
    assert!(!well && lines[3].starts_with("problem  key: state/certificate.pem is there"), "{}", lines[3]);
}

#[test]
fn warnings_are_no_problems() {
    let (directory, file) = place("\"0.0.0.0:0\"", "");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (well, lines) = checked(&directory, &file);
    assert!(well);
    let expected = [
        "warning  users.toml: nobody can log in. add someone: ftpd --config users.toml user add NAME --home DIR",
        "warning  users.toml: others than its owner get at the password hashes (mode 644). run: chmod 600 users.toml",
        "ok       state: state is made when it is needed",
        "warning  native: 0.0.0.0:0 is plain: passwords and files can be read on the way. \
         keep it to a wire that you trust, or listen on 127.0.0.1:0",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn homes_and_state_that_cannot_be() {
    let (directory, file) =
        place("\"127.0.0.1:0\"", &(bob("file", "read") + &bob("file/deep", "read").replace("bob", "ann")));
    fs::write(directory.path().join("file"), "").unwrap();
    fs::create_dir(directory.path().join("state")).unwrap();
    fs::set_permissions(directory.path().join("state"), fs::Permissions::from_mode(0o755)).unwrap();
    let (well, lines) = checked(&directory, &file);
    assert!(!well);
    assert_eq!(lines[2], "problem  state: state is open to others (mode 755). run: chmod 700 state");
    assert!(lines[3].starts_with("problem  home of ann: file/deep: Not a directory"), "{}", lines[3]);
    assert_eq!(lines[4], "problem  home of bob: file is not a directory. name another, or move it away");
}

#[test]
fn a_home_must_not_hold_the_hashes() {
    let (directory, file) = place("\"127.0.0.1:0\"", &bob(".", "read"));
    let (well, lines) = checked(&directory, &file);
    assert!(!well);
    assert!(lines[3].starts_with("problem  home of bob: . holds this file"), "{}", lines[3]);

    let (directory, file) = place("\"127.0.0.1:0\"", &bob("state", "drop"));
    fs::create_dir(directory.path().join("state")).unwrap();
    let (well, lines) = checked(&directory, &file);
    assert!(!well);
    assert!(lines[3].starts_with("problem  home of bob: state holds the state directory"), "{}", lines[3]);
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (directory, file) = place(&format!("\"127.0.0.1:0\", \"{address}\", \"203.0.113.7:1\""), "");
    let (well, lines) = checked(&directory, &file);
    assert!(!well);
    let said =
        format!("problem  native: {address}: Address already in use (os error 98). end what listens there");
    assert!(lines[4].starts_with(&said), "{}", lines[4]);
    assert!(lines[5].ends_with("choose an address of this machine: ip address"), "{}", lines[5]);

    drop(taken);
    let (well, _) = checked(&directory, &file);
    assert!(!well, "203.0.113.7 is nobody's (RFC 5737)");
}

#[test]
fn roots_are_tested_as_homes_are() {
    let (directory, file) = place("\"127.0.0.1:0\"", "");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(directory.path().join("taken"), "").unwrap();
    fs::write(&file, format!("roots = [\"more\", \"taken\", \".\"]\n{text}")).unwrap();
    let (well, lines) = checked(&directory, &file);
    assert!(!well);
    let roots: Vec<&String> = lines.iter().filter(|line| line.contains(" roots: ")).collect();
    assert_eq!(roots[0], "ok       roots: more is made when it is needed");
    assert_eq!(roots[1], "problem  roots: taken is not a directory. name another, or move it away");
    assert!(roots[2].starts_with("warning  roots: . holds this file"), "{}", roots[2]);
}

#[test]
fn the_classic_door() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let classic = format!(
        "[classic]\nlisten = [\"0.0.0.0:0\", \"127.0.0.1:0\", \"{address}\"]\nimplicit = [\"0.0.0.0:0\"]\n"
    );
    let (directory, file) = place("\"127.0.0.1:0\"", &classic);
    let (well, lines) = checked(&directory, &file);
    assert!(!well);
    let (taken_line, others): (Vec<_>, Vec<_>) =
        lines[3..].iter().partition(|line| line.contains(&address.to_string()));
    assert!(taken_line[0].contains("problem  classic: ") && taken_line[0].contains("in use"), "{lines:?}");
    let expected = [
        "ok       key: made when it is needed",
        "ok       native: 127.0.0.1:0, plain, from this machine only",
        "ok       classic: 0.0.0.0:0, TLS required",
        "ok       classic: 127.0.0.1:0, TLS required",
        "ok       classic: 0.0.0.0:0, TLS from the first byte",
    ];
    assert_eq!(others, expected);

    drop(taken);
    fs::write(
        &file,
        format!("{}tls = \"offered\"\npassive_ports = \"1-3\"\n", fs::read_to_string(&file).unwrap()),
    )
    .unwrap();
    let (well, lines) = checked(&directory, &file);
    assert!(well);
    let expected = [
        "warning  classic: 0.0.0.0:0 only offers TLS: passwords and files of who goes without can be read on the way. \
         write tls = \"required\", or keep it to a wire that you trust",
        "ok       classic: 127.0.0.1:0, TLS offered, from this machine only",
        &format!("ok       classic: {address}, TLS offered, from this machine only"),
        "ok       classic: 0.0.0.0:0, TLS from the first byte",
        "warning  classic: passive_ports: 3 clients use them up, and others have to wait. \
         name 4 or more, such as \"2122-2141\"",
    ];
    assert_eq!(lines[5..], expected);
    let four = fs::read_to_string(&file).unwrap().replace("1-3", "1-4");
    fs::write(&file, four).unwrap();
    assert!(!checked(&directory, &file).1.iter().any(|line| line.contains("passive_ports")));
}

#[test]
fn everybody_needs_a_bound() {
    let anonymous = |more: &str| {
        let user = format!("[users.anonymous]\nhome = \"pub\"\n{more}");
        let (directory, file) = place("\"127.0.0.1:0\"", &user);
        checked(&directory, &file).1[3].clone()
    };
    let warning =
        "warning  home of anonymous: everybody can fill its disk. give it a bound: quota = \"10 GiB\"";
    assert_eq!(anonymous("access = \"drop\""), warning);
    for more in ["", "access = \"drop\"\nquota = \"1 MiB\""] {
        assert_eq!(anonymous(more), "ok       home of anonymous: pub is made when it is needed");
    }
}

#[test]
fn homes_that_have_something_in_common() {
    let user = |name: &str, home: &str, quota: &str| bob(home, "write").replace("bob", name) + quota;
    let users = user("ann", "homes/one", "quota = \"1 GiB\"\n")
        + &user("bob", "homes/./one", "")
        + &user("cat", "homes/one/deep/er", "")
        + &user("dan", "homes/one-more", "quota = \"1 GiB\"\n")
        + &user("eve", "link", "quota = \"1 GiB\"\n");
    let (directory, file) = place("\"127.0.0.1:0\"", &users);
    fs::create_dir_all(directory.path().join("homes/one-more")).unwrap();
    std::os::unix::fs::symlink("homes/one-more", directory.path().join("link")).unwrap();
    let (well, lines) = checked(&directory, &file);
    assert!(well);
    let warnings: Vec<_> = lines.iter().filter(|line| line.starts_with("warning ")).collect();
    assert_eq!(
        warnings,
        [
            "warning  home of ann, bob: homes/one has different quotas (ann: 1 GiB, bob: none), and what any of them stores \
             counts for all. give all the same quota, or homes of their own",
            "warning  home of cat: homes/one/deep/er lies within homes/one, the home of ann, bob: who is there reaches it too, \
             and a quota there takes notice of what is stored here only at the start and on SIGHUP. \
             give one of them a home beside the other",
        ]
    );
}
