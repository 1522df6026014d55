//! `sync`: a place made like another one, both ways.

mod blocks;
mod changes;
mod deletes;
mod strangers;
mod whole;

use e2e::{ALICE, Ran, Server};

/// A run of `sync` with `words` behind it.
fn sync(server: &Server, words: &str) -> Ran {
    server.client(ALICE).args(["sync"]).args(words.split(' ')).run()
}
