//! Parts of files, by hand: their digests, their contents, and files that are assembled from them.

#![allow(clippy::single_range_in_vec_init, reason = "one part lies in one range")]

mod assembling;
mod ending;
mod hostile;
mod reading;

use std::ops::Range;

use e2e::{Raw, data_frame, end};
use proto::{Command, End, Message, Part, Reply};

const BLOCK: usize = 64 * 1024;

fn root(content: &[u8]) -> Vec<u8> {
    end(content).root
}

fn list(ranges: &[Range<u64>]) -> Vec<Part> {
    ranges.iter().map(|range| Part { first_block: range.start, blocks: range.end - range.start }).collect()
}

/// The bytes of those blocks, one range behind the other.
fn of(content: &[u8], ranges: &[Range<u64>]) -> Vec<u8> {
    let place = |block: u64| content.len().min(usize::try_from(block).unwrap().saturating_mul(BLOCK));
    ranges.iter().flat_map(|range| content[place(range.start)..place(range.end)].to_vec()).collect()
}

fn version(raw: &mut Raw, path: &str) -> [u8; 16] {
    let part = Part { first_block: 0, blocks: 0 };
    match raw.ask(Command::Digests { path: path.into(), part, version: None }) {
        Reply::Reading { version, .. } => {
            assert!(matches!(raw.hear(), e2e::Heard::Message(Message::End(_))));
            version
        }
        other => panic!("{other:?}"),
    }
}

fn assemble(path: &str, size: usize, onto: Option<[u8; 16]>) -> Command {
    Command::Assemble { path: path.into(), size: size as u64, onto }
}

/// Begins to assemble `file`.
#[track_caller]
fn begin(raw: &mut Raw, size: usize, onto: Option<[u8; 16]>) -> [u8; 16] {
    match raw.ask(assemble("file", size, onto)) {
        Reply::Assembling { assembly } => assembly,
        other => panic!("{other:?}"),
    }
}

fn put_parts(assembly: [u8; 16], size: usize, ranges: &[Range<u64>]) -> Message {
    Message::Command(Command::PutParts { assembly, size: size as u64, parts: list(ranges) })
}

/// Sends parts of `content`; the reply is still to be heard.
fn send(raw: &mut Raw, assembly: [u8; 16], content: &[u8], ranges: &[Range<u64>]) {
    raw.tell(&put_parts(assembly, content.len(), ranges));
    let bytes = of(content, ranges);
    bytes.chunks(BLOCK).for_each(|block| raw.say(&data_frame(block)));
    raw.tell(&Message::End(End { size: content.len() as u64, ..end(&bytes) }));
}

#[track_caller]
fn bring(raw: &mut Raw, assembly: [u8; 16], content: &[u8], ranges: &[Range<u64>]) {
    send(raw, assembly, content, ranges);
    assert_eq!(raw.reply(), Reply::Done);
}

fn publish(assembly: [u8; 16], content: &[u8]) -> Command {
    Command::Publish { assembly, root: root(content), modified: None, mode: None }
}

fn stored(content: &[u8]) -> Reply {
    Reply::Stored { size: content.len() as u64, root: root(content) }
}

#[track_caller]
fn kept(raw: &mut Raw) -> u64 {
    match raw.ask(Command::Kept { path: b"file".to_vec() }) {
        Reply::Kept { blocks, .. } => blocks,
        other => panic!("{other:?}"),
    }
}
