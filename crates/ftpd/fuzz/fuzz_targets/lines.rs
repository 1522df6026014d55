//! Any bytes, taken for what a client of the classic door says: no panic, no line that is none, no command that nobody said, and
//! nothing told to somebody who is not logged in.

#![no_main]
// The rooms of the door that are pure are all that is built here, and no more of them is used than the check does.
#![allow(dead_code)]

#[path = "../../src/classic/any.rs"]
mod any;
#[path = "../../src/classic/command.rs"]
mod command;
#[path = "../../src/classic/gate.rs"]
mod gate;
#[path = "../../src/classic/line.rs"]
mod line;
#[path = "../../src/classic/parse.rs"]
mod parse;
#[path = "../../src/classic/reply.rs"]
mod reply;
#[path = "../../src/classic/time.rs"]
mod time;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    any::bytes(bytes);
});
