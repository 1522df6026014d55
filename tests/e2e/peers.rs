//! `cargo peers` with very little to do: everybody works, everything is told, nothing is left behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// Ours both ways, and somebody else.
const PEERS: [&str; 3] = ["ours", "ours-plain", "rsync"];

/// A run in `place`. It looks for cargo as this one does.
fn peers(place: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peers")).args(words).current_dir(place).output().unwrap()
}

/// What is told of a run in which each peer must be in each of `titles`.
#[track_caller]
fn told(words: &[&str], titles: &[&str]) {
    let place = tempfile::tempdir().unwrap();
    let more = ["--runs", "1", "--json", "json", "--plot", "svg", "--peers", &PEERS.join(",")];
    let ran = peers(place.path(), &[words, &more].concat());
    let (text, stderr) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{text}{stderr}");
    let tables: Vec<&str> = text.split("\n\n").filter(|table| !table.trim().is_empty()).collect();
    assert_eq!(tables.len(), titles.len(), "{text}");
    for (table, title) in tables.iter().zip(titles) {
        assert_eq!(table.lines().next().unwrap(), format!("{title}, 1 run"), "{text}");
        let rows: Vec<Vec<&str>> =
            table.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), PEERS.len(), "{text}");
        for peer in PEERS {
            assert!(rows.iter().any(|row| row[0] == peer && row.len() == 7), "no row of {peer}:\n{text}");
        }
        assert_eq!(rows[0][6], "1.00", "the fastest is the first:\n{text}");
    }
    let read = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();
    let (json, svg) = (read("json"), read("svg"));
    for title in titles {
        assert!(json.contains(&format!("\"title\": \"{title}\"")), "{json}");
    }
    assert_eq!(json.matches("\"seconds\": [").count(), titles.len() * PEERS.len(), "{json}");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("ours (TLS)"), "{svg}");
    let root = stderr.split_once("peers: in ").unwrap().1.split_once(", with").unwrap().0;
    assert!(root.contains("ftpd-peers-") && !Path::new(root).exists(), "{root} is still there");
}

#[test]
fn one_file_both_ways() {
    told(&["big", "--mib", "1"], &["get big, 1 MiB", "put big, 1 MiB"]);
}

#[test]
fn a_small_file_both_ways() {
    told(&["small"], &["get small, 4 KiB", "put small, 4 KiB"]);
}

#[test]
fn growth() {
    let words = ["growth", "--largest", "64KiB", "--clients", "4"];
    let clients = ["get 64 KiB", "4 clients at once, each get 64 KiB"];
    told(&words, &[&clients[..], &["get 1 KiB", "get 64 KiB"]].concat());
}

#[test]
fn everything_that_a_page_needs() {
    let place = tempfile::tempdir().unwrap();
    let words = ["all", "--out", "out", "--runs", "1", "--mib", "1", "--files", "3", "--largest", "64KiB"];
    let more = ["--clients", "4", "--peers", "ours,ours-plain,rsync,nginx+curl"];
    let ran = peers(place.path(), &[&words[..], &more].concat());
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let read = |name: &str| fs::read_to_string(place.path().join("out").join(name)).unwrap();
    for workload in ["big", "tree", "mixed", "small", "growth"] {
        assert!(read(&format!("{workload}.json")).starts_with(&format!("{{\"workload\": \"{workload}\"")));
        assert!(read(&format!("{workload}.svg")).ends_with("</svg>\n"));
    }
    let (page, all) = (read("tables.md"), read("all.svg"));
    for title in ["get big, 1 MiB", "put big, 1 MiB", "get tree, 3 files of 4 KiB", "put small, 4 KiB"] {
        assert!(page.contains(&format!("\n**{title}**, over loopback\n\n| | median s |")), "{page}");
        assert!(all.contains(&format!(">{title}<")), "{all}");
    }
    assert!(page.contains("\n| | 1 KiB | 64 KiB |\n|---|--:|--:|\n| **ours (TLS)** | "), "{page}");
    assert!(page.contains("\n| | 1 | 4 |\n|---|--:|--:|\n| **ours (TLS)** | "), "{page}");
    let head: Vec<&str> = page.lines().take(3).collect();
    assert!(head[0].starts_with("Measured on 2") && head[0].contains(", Linux "), "{page}");
    assert!(head[1].starts_with(&format!("ftpd {}, ", env!("CARGO_PKG_VERSION"))), "{page}");
    let rsync = head[1].split_once("rsync ").expect("whose version it is").1;
    assert!(rsync.starts_with(|first: char| first.is_ascii_digit()), "{page}");
    // Of a table, every line has as many cells.
    for table in page.split("\n\n").filter(|part| part.starts_with('|')) {
        let cells: Vec<usize> = table.lines().map(|line| line.matches('|').count()).collect();
        assert!(cells.iter().all(|count| *count == cells[0]), "{table}");
    }
}

#[test]
fn of_several_workloads_no_single_file_is_written() {
    let ran = peers(Path::new("."), &["all", "--json", "json"]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("name a directory with --out"));
}

#[test]
fn who_cannot_take_part_is_named() {
    let place = tempfile::tempdir().unwrap();
    // curl moves no trees, and a user other than root has no vsftpd.
    let ran = peers(place.path(), &["tree", "--files", "3", "--runs", "1", "--peers", "vsftpd+curl,rsync"]);
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{text}");
    assert!(text.contains("\nleft out: vsftpd+curl: "), "{text}");
    for way in ["get", "put"] {
        assert!(text.contains(&format!("{way} tree, 3 files of 4 KiB, 1 run\n")), "{text}");
    }
    assert_eq!(text.matches("\n  rsync ").count(), 2, "{text}");
}

#[test]
fn nobody_of_that_name() {
    let ran = peers(Path::new("."), &["small", "--peers", "nobody"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("[possible values: ours, ours-plain, "));
}

/// A run over a link, as root: only root may make one, and a machine on which nobody may become root cannot pass.
fn linked(place: &Path, words: &[&str]) -> Command {
    let program = env!("CARGO_BIN_EXE_peers");
    let mut command = if geteuid().is_root() {
        Command::new(program)
    } else {
        let mut command = Command::new("sudo");
        let kept = |name: &str| format!("{name}={}", std::env::var(name).unwrap_or_default());
        command.args(["-n", "env", &kept("PATH"), &kept("HOME"), &kept("CARGO"), program]);
        command
    };
    command.args(words).current_dir(place);
    command
}

/// The first number behind `"name": `.
#[track_caller]
fn number(json: &str, name: &str) -> f64 {
    let (_, rest) =
        json.split_once(&format!("\"{name}\": ")).unwrap_or_else(|| panic!("no {name} in {json}"));
    let rest = rest.trim_start_matches('[');
    rest[..rest.find([',', '}', ']']).unwrap()].parse().unwrap()
}

#[test]
fn a_link_delays_limits_and_loses() {
    let place = tempfile::tempdir().unwrap();
    let words = ["big", "--mib", "1", "--runs", "1", "--json", "json", "--link", "2,80,1%"];
    let ran = linked(place.path(), &words).output().unwrap();
    let (text, stderr) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{text}{stderr}");
    assert!(
        text.starts_with("link: 2 ms each way, 80 Mbit/s, 1 % lost, queue 65 kB; measured: round trip "),
        "{text}"
    );
    assert!(text.contains("\nlink: "), "{text}");
    // Everybody who is measured at all is reached.
    for peer in ["ours", "ours-plain", "vsftpd+lftp", "vsftpd+curl", "rsync"] {
        assert_eq!(text.matches(&format!("\n  {peer} ")).count(), 2, "{peer}:\n{text}");
    }
    let json = fs::read_to_string(place.path().join("json")).unwrap();
    // However busy this machine is, nothing is there before the delay and the rate allow it.
    assert!(number(&json, "round_trip") >= 0.004, "{json}");
    let at_least = (1 << 20) as f64 * 8.0 / 80e6 + 0.002;
    for table in json.split("\"title\"").skip(1) {
        for row in table.split("\"peer\"").skip(1).filter(|row| row.contains("\"seconds\"")) {
            assert!(number(row, "seconds") >= at_least, "{row} is faster than the link");
        }
    }
    assert!(number(&json, "lost") > 0.0, "{json}");
    assert!(number(&json, "packets") > number(&json, "lost"), "{json}");
}

#[test]
fn an_interrupted_link_is_gone_with_all_who_were_on_it() {
    let place = tempfile::tempdir().unwrap();
    // At this rate the first get alone would take a quarter of an hour.
    let words = ["big", "--mib", "10", "--link", "5,0.1", "--peers", "ours,rsync,vsftpd+curl"];
    let mut command = linked(place.path(), &words);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let line = lines.next().expect("it says where it works").unwrap();
    assert!(line.starts_with("peers: in "), "{line}");
    let root = line["peers: in ".len()..].split_once(", with").unwrap().0.to_owned();
    // Servers have it in their command line, or the directory beneath it as their own.
    let there = || {
        let all = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        all.filter(|process| {
            let line = fs::read(process.join("cmdline")).unwrap_or_default();
            let work = fs::read_link(process.join("cwd")).unwrap_or_default();
            let words = String::from_utf8_lossy(&line);
            words.contains(&root) || work.starts_with(&root)
        })
        .map(|process| fs::read_link(process.join("ns/net")).unwrap_or_default())
        .collect::<Vec<_>>()
    };
    let here = fs::read_link("/proc/self/ns/net").unwrap();
    let found = there();
    assert!(!found.is_empty() && found.iter().all(|network| *network != here), "{found:?}");
    let pid = Pid::from_raw(run.id() as i32).unwrap();
    let asked = if geteuid().is_root() {
        kill_process(pid, Signal::INT).is_ok()
    } else {
        Command::new("sudo").args(["-n", "kill", "-INT", &run.id().to_string()]).status().unwrap().success()
    };
    assert!(asked);
    assert!(!run.wait().unwrap().success());
    let began = Instant::now();
    while !there().is_empty() {
        assert!(began.elapsed() < e2e::DEADLINE, "still there: {:?}", there());
        std::thread::sleep(Duration::from_millis(5)); // processes of others, whose end nobody is told
    }
    drop(fs::remove_dir_all(root)); // the next measurement would
}

#[test]
fn only_root_makes_a_link_and_others_are_told_so() {
    if !geteuid().is_root() {
        let ran = peers(Path::new("."), &["small", "--link", "20,200"]);
        assert_eq!(ran.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&ran.stderr).contains("Run it as root: sudo "));
        return;
    }
    // As somebody who may run what lies here, and no more.
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-all", "--inh-caps", "-all", env!("CARGO_BIN_EXE_peers")]);
    let ran = command.args(["small", "--link", "20,200"]).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{told}");
    assert!(told.contains("--link makes networks of its own, and may not"), "{told}");
}

#[test]
fn a_link_that_cannot_be() {
    for link in ["20", "20,0", "20,200,60%", "-1,200", "a,b", "20,200,0,0"] {
        let ran = peers(Path::new("."), &["small", &format!("--link={link}")]);
        assert_eq!(ran.status.code(), Some(2), "{link}");
        assert!(String::from_utf8_lossy(&ran.stderr).contains("a link is DELAY_MS,MBIT[,LOSS%]"), "{link}");
    }
}
