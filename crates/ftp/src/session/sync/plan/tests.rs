use store::{EntryKind, Found, Time};

use super::super::there::Standing;
use super::*;
use crate::commands::Rule;
use crate::failure::Code;

const MIB: u64 = 1 << 20;

/// What a word stands for: `d/` a directory, `f=12` a file of so many bytes, `l>x` a link, `o!` a special thing; after `@` seconds,
/// after `%` an octal mode.
fn thing(word: &str) -> Found {
    let (word, mode) = word.split_once('%').unwrap_or((word, "644"));
    let (word, seconds) = word.split_once('@').unwrap_or((word, "5"));
    let (path, kind, size, target) = if let Some(path) = word.strip_suffix('/') {
        (path, EntryKind::Directory, 0, None)
    } else if let Some((path, target)) = word.split_once('>') {
        (path, EntryKind::Link, 0, Some(target.as_bytes().to_vec()))
    } else if let Some(path) = word.strip_suffix('!') {
        (path, EntryKind::Other, 0, None)
    } else {
        let (path, size) = word.split_once('=').unwrap_or((word, "1"));
        (path, EntryKind::File, size.parse().unwrap(), None)
    };
    Found {
        path: path.as_bytes().to_vec(),
        kind,
        size,
        modified: Time { seconds: seconds.parse().unwrap(), nanoseconds: 0 },
        mode: u32::from_str_radix(
            if kind == EntryKind::Directory && mode == "644" { "755" } else { mode },
            8,
        )
        .unwrap(),
        target,
    }
}

struct Case {
    delete: bool,
    checksum: bool,
    rules: Vec<Rule>,
}

const PLAIN: Case = Case { delete: false, checksum: false, rules: Vec::new() };
const DELETE: Case = Case { delete: true, checksum: false, rules: Vec::new() };

impl Case {
    fn planner(&self, there: &str) -> Planner {
        let rules = Rules::new(&self.rules).unwrap();
        let mut stands = There::default();
        there.split_whitespace().for_each(|word| stands.add(&rules, thing(word)).unwrap());
        Planner::new(rules, stands, self.checksum, self.delete)
    }

    fn plan(&self, here: &str, there: &str) -> Plan {
        let mut planner = self.planner(there);
        for word in here.split_whitespace() {
            let found = thing(word);
            planner.meet(&found.path.clone(), &Fact::from(found));
        }
        planner.finish()
    }
}

/// Steps as words.
fn told(mut steps: Steps) -> String {
    let mut words = Vec::new();
    while let Some((path, step)) = steps.pop_front() {
        let path = String::from_utf8(path).unwrap();
        words.push(match step {
            Step::Directory(_) => format!("{path}/"),
            Step::File { .. } => path,
            Step::Link { target } => format!("{path}>{}", String::from_utf8(target).unwrap()),
            Step::Attributes(attributes) => format!("{path}%{:o}", attributes.mode.unwrap()),
            Step::Remove { directory } => format!("-{path}{}", if directory { "/" } else { "" }),
        });
    }
    words.join(" ")
}

fn failed(plan: &Plan) -> String {
    plan.failures.iter().map(|(path, _)| String::from_utf8_lossy(path)).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_the_same_is_left_alone() {
    let all = "/ a=5 d/ d/b=7@9%600 l>a";
    let plan = DELETE.plan(all, all);
    assert_eq!((plan.looked_at, plan.unchanged), (3, 3));
    for steps in [plan.fresh, plan.changed, plan.attributes, plan.extra, plan.clear, plan.directories] {
        assert_eq!(told(steps), "");
    }
    assert_eq!(plan.removed, (0, 0));
}

#[test]
fn what_is_new_differs_or_has_other_attributes_is_told_apart() {
    let plan = PLAIN.plan(
        "/ new d/ d/new size=5 time@6 mode%600 zero=0@9 n/ n/x l>b m>a",
        "/ d/ size=6 time mode zero=0 l>a extra m>a",
    );
    assert_eq!(told(plan.fresh), "new d/new n/ n/x");
    assert_eq!(told(plan.changed), "size time l>b");
    assert_eq!(told(plan.attributes), "mode%600 zero%644");
    assert_eq!(told(plan.directories), "d%755 %755", "what changes in a directory changes its time");
    assert_eq!((told(plan.extra).as_str(), plan.removed, plan.unchanged), ("", (0, 0), 1));
}

#[test]
fn times_are_the_same_to_the_second_where_one_end_has_no_more() {
    let fact =
        |nanoseconds| Fact { what: What::File(1), modified: Time { seconds: 7, nanoseconds }, mode: 0o644 };
    assert!(
        fact(0).is_as_old_as(&fact(5)) && fact(5).is_as_old_as(&fact(0)) && fact(5).is_as_old_as(&fact(5))
    );
    assert!(!fact(4).is_as_old_as(&fact(5)));
}

#[test]
fn large_files_go_by_blocks_unless_next_to_nothing_could_stay() {
    let there = format!("/ a={} b={MIB} c=100 d={} e={} f={MIB}", MIB - 1, MIB - 1, 2 * MIB);
    let here = format!("/ a={MIB} b=70000@9 c={MIB} d={}@8 e=0 f={MIB}@9", MIB - 1);
    let plan = PLAIN.plan(&here, &there);
    let blocks: Vec<_> = plan.by_blocks.iter().map(|large| str::from_utf8(&large.path).unwrap()).collect();
    assert_eq!(blocks, ["a", "b", "f"]);
    assert_eq!(told(plan.changed), "c d e");
}

#[test]
fn very_large_new_files_go_one_by_one_and_so_does_a_single_one() {
    let plan = DELETE.plan(&format!("/ a={} b={WIDE} c={WIDE}", WIDE - 1), "/ c/");
    assert_eq!(failed(&plan), "");
    assert_eq!((told(plan.fresh).as_str(), told(plan.long).as_str()), ("a", "b c"));
    let mut plan = PLAIN.plan(&format!("/ d/%555 e/%555 e/f/%500 e/f/a={WIDE} e/g/%555"), "/%700");
    let mut modes = Vec::new();
    while let Some((path, step)) = plan.fresh.pop_front() {
        let Step::Directory(attributes) = step else { panic!("{step:?}") };
        modes.push((String::from_utf8(path).unwrap(), attributes.mode));
    }
    let modes: Vec<_> = modes.iter().map(|(path, mode)| (path.as_str(), *mode)).collect();
    assert_eq!(modes, [("d", Some(0o555)), ("e", None), ("e/f", None), ("e/g", Some(0o555))]);
    assert_eq!(told(plan.directories), "e/f%500 e%555 %755");
    for (size, fresh, long) in [(MIB - 1, 1, 0), (MIB, 0, 1)] {
        let mut planner = PLAIN.planner("");
        let fact = Fact { what: What::File(size), ..Fact::from(thing("x")) };
        planner.meet(b"", &fact);
        let plan = planner.finish();
        assert_eq!((plan.fresh.len(), plan.long.len()), (fresh, long), "{size}");
    }
}

#[test]
fn with_checksum_only_contents_count() {
    let case = Case { checksum: true, ..PLAIN };
    let mut planner = case.planner("/ same old@9 other size zero=0");
    for word in "/ same old other size=7 zero=0@9".split_whitespace() {
        let found = thing(word);
        planner.meet(&found.path.clone(), &Fact::from(found));
    }
    let (mut unsure, bytes) = planner.unsure();
    assert_eq!(bytes, 3);
    let mut seen = Vec::new();
    while let Some((path, noted)) = unsure.pop_front() {
        let same = path != b"other";
        seen.push(String::from_utf8(path.clone()).unwrap());
        planner.settle(path, &noted, Ok(same));
    }
    assert_eq!(seen, ["same", "old", "other"]);
    let plan = planner.finish();
    assert_eq!(
        (told(plan.changed).as_str(), told(plan.attributes).as_str()),
        ("size other", "zero%644 old%644")
    );
    assert_eq!(plan.unchanged, 1);
}

#[test]
fn what_the_source_does_not_have_goes_the_deepest_first() {
    let plan = DELETE.plan("/ a", "/ a x d/ d/e/ d/e/f d-f l>a");
    assert_eq!(told(plan.extra), "-x -l -d/e/f -d/e/ -d-f -d/");
    assert_eq!(plan.removed, (4, 2));
    assert_eq!(told(plan.directories), "%755");
}

#[test]
fn what_takes_no_part_stays_and_so_does_what_holds_it() {
    let rules =
        vec![Rule { include: false, pattern: "*.o".into() }, Rule { include: false, pattern: "/k".into() }];
    let case = Case { rules, ..DELETE };
    let plan = case.plan("/ a a.o f", "/ a k/ k/x d/ d/e/ d/e/y.o d/z f/ f/y.o");
    assert_eq!(failed(&plan), "f", "what it holds is excluded");
    assert_eq!((told(plan.extra).as_str(), told(plan.fresh).as_str()), ("-d/z", ""));
}

#[test]
fn a_directory_in_the_place_of_a_file_and_the_reverse_need_a_word() {
    let (here, there) = ("/ f d/ d/x d/e/ l>f g", "/ f/ f/a f/b/ f/b/c d l/ g>f");
    let plan = PLAIN.plan(here, there);
    assert_eq!((failed(&plan).as_str(), told(plan.fresh).as_str()), ("f d l", ""));
    assert_eq!((told(plan.replacing).as_str(), told(plan.changed).as_str()), ("g", ""));
    let plan = DELETE.plan(here, there);
    assert_eq!(told(plan.clear), "-f/b/c -f/b/ -f/a -f/ -d -l/");
    assert_eq!(told(plan.fresh), "f d/ d/x d/e/ l>f");
    assert_eq!((plan.removed, told(plan.extra).as_str()), ((3, 3), ""));
    assert_eq!(told(plan.replacing), "g");
}

#[test]
fn a_file_takes_the_place_of_a_link_or_a_special_file_and_nothing_makes_room_for_it_before() {
    let plan = PLAIN.plan("/ a=5 b l>a m>a", "/ a>b b! l! m>b");
    assert_eq!((told(plan.replacing).as_str(), told(plan.changed).as_str()), ("a b", "l>a m>a"));
    assert_eq!(
        (told(plan.clear).as_str(), plan.removed, told(plan.directories).as_str()),
        ("", (0, 0), "%755")
    );
}

#[test]
fn where_a_listing_is_incomplete_nothing_is_removed() {
    let why = || Failure::new(Code::Denied, "it cannot be read");
    let mut planner = DELETE.planner("/ x d/ d/y f/");
    for word in "/ d/ f".split_whitespace() {
        let found = thing(word);
        planner.meet(&found.path.clone(), &Fact::from(found));
    }
    planner.miss(b"d".to_vec(), why());
    let plan = planner.finish();
    assert!(plan.incomplete);
    assert_eq!((failed(&plan).as_str(), plan.removed), ("d f", (0, 0)));
    assert_eq!((told(plan.extra).as_str(), told(plan.clear).as_str()), ("", ""));
    let mut there = There { incomplete: true, ..There::default() };
    there.add(&Rules::default(), thing("x")).unwrap();
    assert_eq!(told(Planner::new(Rules::default(), there, false, true).finish().extra), "");
}

#[test]
fn what_the_source_has_and_cannot_give_stays_with_all_beneath() {
    let mut planner = DELETE.planner("/ l/ l/x o s p/");
    planner.meet(b"", &Fact::from(thing("/")));
    planner.fail(b"l".to_vec(), Failure::new(Code::Denied, "it leads out"));
    planner.meet(b"o", &Fact::from(thing("o!")));
    planner.skip(b"s".to_vec());
    planner.fail(b"l/deeper".to_vec(), Failure::new(Code::Denied, "told already"));
    let plan = planner.finish();
    assert_eq!((failed(&plan).as_str(), told(plan.extra).as_str(), plan.skipped), ("l o", "-p/", 1));
}

#[test]
fn directories_that_cannot_be_written_to_are_opened_only_where_something_changes() {
    let plan = DELETE.plan("/ d/%555 d/new e/%555 e/same", "/ d/%555 e/%555 e/same x/%500 x/y");
    assert_eq!(told(plan.unlock), "x%700 d%755");
    assert_eq!(told(plan.directories), "d%555 %755");
}

#[test]
fn so_are_those_in_the_place_of_a_file_and_what_is_in_them() {
    let there = "/ d/%555 d/f/%500 d/f/a d/f/e/%555 d/f/e/b d/f/none/%555";
    let plan = DELETE.plan("/ d/%555 d/f", there);
    assert_eq!(told(plan.unlock), "d/f%700 d/f/e%755 d%755", "but for one in which there is nothing");
    assert_eq!(told(plan.clear), "-d/f/none/ -d/f/e/b -d/f/e/ -d/f/a -d/f/");
    assert_eq!(told(plan.directories), "d%555");
    assert_eq!(told(PLAIN.plan("/ d/%555 d/f", there).unlock), "", "what stays is left alone");
}

#[test]
fn a_thing_that_stands_is_met_once() {
    let mut there = There::default();
    there.add(&Rules::default(), thing("a")).unwrap();
    assert!(matches!(there.all.get(&b"a"[..]), Some(Standing { met: false, held: false, .. })));
    assert!(!there.is_directory(b"a") && !there.is_directory(b"b"));
}
