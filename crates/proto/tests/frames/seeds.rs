//! The seeds of the fuzz target: the fixtures, and what either side says in a whole session.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use digest::Algorithm;
use proto::{Preamble, Side};

use crate::{fixtures, session};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds");

/// Name and bytes of every seed.
pub(crate) fn seeds() -> BTreeMap<String, Vec<u8>> {
    let mut seeds: BTreeMap<_, _> =
        fixtures::all().into_iter().map(|f| (f.name.to_owned(), f.bytes)).collect();
    seeds.insert("data".into(), fixtures::data());
    seeds.insert("preamble".into(), Preamble::new(&Algorithm::ALL).encode().to_vec());
    for (name, side) in [("session_client", Side::Client), ("session_server", Side::Server)] {
        // Without the preamble: it is no frame, and would hide the rest.
        let frames = session::session().into_iter().filter(|said| said.by == side).skip(1);
        seeds.insert(name.into(), frames.flat_map(|said| said.bytes).collect());
    }
    seeds
}

#[test]
fn the_seeds_are_the_fixtures() {
    let committed: BTreeMap<_, _> = fs::read_dir(FOLDER)
        .expect("the seeds are there")
        .map(|seed| seed.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    assert!(committed == seeds(), "write them anew: cargo test -p proto -- --ignored write_the_seeds");
}

#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds() {
    let folder = Path::new(FOLDER);
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in seeds() {
        fs::write(folder.join(name), bytes).unwrap();
    }
}
