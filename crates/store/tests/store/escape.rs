//! Links that lead out of the home: whatever is asked of them is refused, and nothing outside notices.

use std::fs;
use std::os::unix::fs::symlink;

use digest::Algorithm;
use store::{Attributes, Kind, Replace, Time};

use crate::ground::{Ground, at, kind};

/// Asks everything of `path`, a link to a file outside or a path through one to a directory outside.
fn ask_everything(ground: &Ground, path: &str) -> Vec<(&'static str, Result<(), Kind>)> {
    let Ground { home, .. } = ground;
    let path = at(path);
    let attributes = Attributes { modified: Some(Time { seconds: 1, nanoseconds: 0 }), mode: Some(0) };
    vec![
        ("stat", kind(home.stat(&path))),
        ("check_directory", kind(home.check_directory(&path))),
        ("list", kind(home.list(&path))),
        ("open", kind(home.open(&path, Algorithm::Md5, 0))),
        ("create", kind(home.create(&path, 1, Algorithm::Md5, Replace::Yes))),
        ("create new", kind(home.create(&path, 1, Algorithm::Md5, Replace::No))),
        ("set_attributes", kind(home.set_attributes(&path, &attributes))),
        ("read", kind(home.read(&path, 0..9, &mut |_| true))),
    ]
}

/// The links that an inmate might make, and paths by which each leads out.
fn links(ground: &Ground) -> Vec<&'static str> {
    let absolute = ground.outside().join("file");
    fs::create_dir_all(ground.at("deep/er")).unwrap();
    let links = [
        ("absolute", absolute.to_str().unwrap()),
        ("relative", "../outside/file"),
        ("chained", "first"),
        ("first", "deep/second"),
        ("deep/second", "../../outside/file"),
        ("climbing", "deep/../deep/er/../../../outside/file"),
        ("directory", "../outside"),
        ("deep/er/directory", "../../../outside"),
        ("up", ".."),
        ("slashed", "../outside/file/"),
        ("process", "/proc/self/cwd/Cargo.toml"),
        ("root", "/"),
    ];
    for (link, target) in links {
        symlink(target, ground.at(link)).unwrap();
    }
    vec![
        "absolute",
        "relative",
        "chained",
        "first",
        "climbing",
        "directory",
        "directory/file",
        "deep/er/directory/file",
        "up",
        "up/outside/file",
        "slashed",
        "process",
        "root",
        "root/etc/passwd",
    ]
}

#[test]
fn nothing_is_done_to_what_a_link_leads_to_outside() {
    let ground = Ground::new();
    let paths = links(&ground);
    let watch = ground.watch();
    for path in paths {
        for (verb, answer) in ask_everything(&ground, path) {
            assert_eq!(answer, Err(Kind::Denied), "{verb} {path}");
        }
    }
    watch.saw_nothing();
}

#[test]
fn names_in_a_directory_outside_are_neither_made_nor_removed_nor_moved() {
    let ground = Ground::new();
    links(&ground);
    ground.write("mine", b"mine");
    let watch = ground.watch();
    for way in ["directory", "deep/er/directory", "up/outside"] {
        let inside = |name: &str| at(&format!("{way}/{name}"));
        let home = &ground.home;
        assert_eq!(kind(home.mkdir(&inside("new"))), Err(Kind::Denied));
        assert_eq!(kind(home.rmdir(&inside("sub"))), Err(Kind::Denied));
        assert_eq!(kind(home.remove(&inside("file"))), Err(Kind::Denied));
        assert_eq!(kind(home.rename(&inside("file"), &at("stolen"))), Err(Kind::Denied));
        assert_eq!(kind(home.rename(&at("mine"), &inside("planted"))), Err(Kind::Denied));
        assert_eq!(kind(home.create(&inside("new"), 1, Algorithm::Md5, Replace::Yes)), Err(Kind::Denied));
    }
    watch.saw_nothing();
    assert_eq!(ground.read("mine"), b"mine");
}

#[test]
fn a_link_itself_can_be_listed_renamed_and_removed() {
    let ground = Ground::new();
    symlink("../outside/file", ground.at("link")).unwrap();
    let watch = ground.watch();
    assert_eq!(ground.list("/").unwrap(), ["link"]);
    ground.home.rename(&at("link"), &at("moved")).unwrap();
    ground.home.remove(&at("moved")).unwrap();
    assert_eq!(ground.names(), [""; 0]);
    watch.saw_nothing();
}

#[test]
fn links_that_stay_inside_are_followed_by_every_way() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("a/b")).unwrap();
    ground.write("a/file", b"inside");
    symlink("../file", ground.at("a/b/up")).unwrap();
    symlink("a/b/../file", ground.at("winding")).unwrap();
    symlink("winding", ground.at("chained")).unwrap();
    symlink("a/b", ground.at("directory")).unwrap();
    for path in ["a/b/up", "winding", "chained", "directory/up"] {
        assert_eq!(ground.get(path).unwrap(), b"inside", "{path}");
        assert_eq!(ground.home.stat(&at(path)).unwrap().size, 6);
        ground.put(path, b"inside").unwrap();
        assert!(ground.at(path).symlink_metadata().unwrap().is_symlink(), "{path} is still a link");
    }
    assert_eq!(ground.list("directory").unwrap(), ["up"]);
    assert_eq!(ground.list("winding").unwrap(), ["winding"]);
    ground.home.check_directory(&at("directory")).unwrap();
    ground.put("chained", b"new").unwrap();
    assert_eq!(ground.read("a/file"), b"new");
}

#[test]
fn a_dangling_link_inside_leads_to_the_place_of_a_new_file() {
    let ground = Ground::new();
    fs::create_dir(ground.at("a")).unwrap();
    symlink("a/new", ground.at("link")).unwrap();
    assert_eq!(kind(ground.get("link")), Err(Kind::NotFound));
    ground.put("link", b"data").unwrap();
    assert_eq!(ground.read("a/new"), b"data");
}

#[test]
fn links_in_a_circle_or_too_many_in_a_row_end() {
    let ground = Ground::new();
    symlink("round", ground.at("about")).unwrap();
    symlink("about", ground.at("round")).unwrap();
    for (verb, answer) in ask_everything(&ground, "round") {
        assert_eq!(answer, Err(Kind::TooManyLinks), "{verb}");
    }
    symlink("file", ground.at("0")).unwrap();
    (0..50).for_each(|n| symlink(n.to_string(), ground.at(&(n + 1).to_string())).unwrap());
    ground.put("39", b"data").unwrap();
    assert_eq!(ground.get("39").unwrap(), b"data");
    for far in ["40", "50"] {
        assert_eq!(kind(ground.get(far)), Err(Kind::TooManyLinks), "{far}");
        assert_eq!(kind(ground.put(far, b"data")), Err(Kind::TooManyLinks), "{far}");
    }
}

#[test]
fn a_link_to_the_name_of_a_stage_leads_to_no_file() {
    let ground = Ground::new();
    symlink(".ftpd~abcdefghijkl", ground.at("link")).unwrap();
    assert_eq!(kind(ground.put("link", b"data")), Err(Kind::InvalidName));
    let path = ground.at(".ftpd~x");
    assert_eq!(kind(crate::ground::local(&path, 0)), Err(Kind::InvalidName));
}

#[test]
fn the_witness_sees() {
    let ground = Ground::new();
    let watch = ground.watch();
    fs::read(ground.outside().join("file")).unwrap();
    watch.saw_something();
}
