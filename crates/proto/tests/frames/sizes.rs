//! What fits: the largest messages, and blocks in their frames.

use digest::{Algorithm, BATCH, BLOCK, Blocks};
use proto::{
    Abort, Branch, Command, Decoded, End, Entry, EntryKind, Failure, Fault, Found, Frame, HEAD, Kind,
    Message, Missed, Page, Reply, Secret, Side, Time, block_frame, gap, limits, seal,
};

fn survives(side: Side, message: Message) -> usize {
    let mut frame = Vec::new();
    message.encode(&mut frame);
    let decoded = Frame::decode(&frame, side, Algorithm::Md5);
    assert!(
        decoded == Decoded::Message(Frame::Message(message), frame.len()),
        "a frame of {} bytes",
        frame.len()
    );
    frame.len() - HEAD
}

const LATEST: Time = Time { seconds: i64::MIN, nanoseconds: 999_999_999 };

fn entry(name: usize) -> Entry {
    Entry { name: vec![0xff; name], kind: EntryKind::Other, size: u64::MAX, modified: LATEST, mode: u32::MAX }
}

#[test]
fn the_largest_of_all_that_is_said_fits_its_frame() {
    let path = vec![b'x'; limits::PATH];
    survives(Side::Client, Message::Command(Command::Rename { from: path.clone(), to: path.clone() }));
    let password = Secret::new("p".repeat(limits::PATH));
    survives(Side::Client, Message::Command(Command::Login { user: "u".repeat(limits::PATH), password }));
    survives(Side::Server, Message::Reply(Reply::Directory { path }));
    survives(Side::Server, Message::Reply(Reply::Entry(entry(255))));
    let end = End { size: u64::MAX, root: vec![0xff; 32], modified: Some(LATEST), mode: Some(u32::MAX) };
    survives(Side::Server, Message::End(end));
    let failure = Failure::new(Kind::Internal, "é".repeat(40_000)).with_remedy("…".repeat(40_000));
    survives(Side::Server, Message::Reply(Reply::Refused(failure.clone())));
    survives(Side::Server, Message::Abort(Abort { command: u64::MAX, failure }));
}

#[test]
fn a_sentence_too_long_is_cut_between_letters() {
    for letter in ["a", "é", "…", "🙂"] {
        let cut = Failure::new(Kind::Internal, letter.repeat(limits::SENTENCE)).message;
        assert!(cut.len() <= limits::SENTENCE && cut.len() > limits::SENTENCE - 8, "{letter}: {}", cut.len());
        assert!(letter == "a" || cut.trim_end_matches('…').chars().all(|c| letter.contains(c)), "{letter}");
        let whole = letter.repeat(limits::SENTENCE / letter.len());
        assert_eq!(Failure::new(Kind::Internal, &whole).message, whole);
    }
}

#[test]
fn a_page_of_the_longest_names_fits() {
    let page = Page { entries: vec![entry(255); limits::PAGE_ENTRIES], last: true };
    survives(Side::Server, Message::Page(page));
}

#[test]
fn a_page_of_the_shortest_names_is_read_up_to_the_cap() {
    let tiny = Entry {
        name: vec![b'a'],
        kind: EntryKind::File,
        size: 0,
        modified: Time { seconds: 0, nanoseconds: 0 },
        mode: 0,
    };
    let most = (limits::PAGE - 4) / 7;
    let len = survives(Side::Server, Message::Page(Page { entries: vec![tiny; most], last: true }));
    assert!(limits::PAGE - len < 7, "one more would not fit");
}

#[test]
fn a_branch_of_as_much_as_it_may_have_fits() {
    let found = |path: usize, target: usize| Found {
        path: vec![0xff; path],
        kind: EntryKind::Other,
        size: u64::MAX,
        modified: LATEST,
        mode: u32::MAX,
        target: Some(vec![0xff; target]),
    };
    // Names of any length: all that is counted before the last thing, and that one as long as can be.
    for name in [0, 1, 60, 255, limits::PATH] {
        let mut all = vec![found(name, 0); limits::BRANCH.div_ceil(name + 64) - 1];
        all.push(found(limits::PATH, limits::PATH));
        survives(Side::Server, Message::Branch(Branch { found: all, missed: vec![], last: false }));
        let failure = Failure::new(Kind::Internal, "m".repeat(200)).with_remedy("r".repeat(300));
        let missed = Missed { path: vec![0xff; name], failure };
        let mut all = vec![missed.clone(); limits::BRANCH.div_ceil(name + 512) - 1];
        all.push(Missed { path: vec![0xff; limits::PATH + 256], ..missed });
        survives(Side::Server, Message::Branch(Branch { found: vec![], missed: all, last: true }));
    }
}

#[test]
fn sealed_blocks_are_data_frames_end_to_end() {
    for algorithm in Algorithm::ALL {
        for len in [1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, BATCH * BLOCK] {
            let mut blocks = Blocks::default();
            blocks.lay_out(len, gap(algorithm));
            for (number, block) in blocks.slices_mut().into_iter().enumerate() {
                block.fill(number as u8 + 1);
            }
            blocks.hash(algorithm);
            seal(&mut blocks);
            let mut rest = blocks.buffer();
            let mut left = len;
            for (number, digest) in blocks.digests().iter().enumerate() {
                let decoded = Frame::decode(rest, Side::Client, algorithm);
                let Decoded::Message(Frame::Data(block), used) = decoded else { panic!("{decoded:?}") };
                assert_eq!(block_frame(used - HEAD, algorithm, left as u64), Ok(block.len()));
                assert!(rest[block.clone()].iter().all(|byte| usize::from(*byte) == number + 1));
                assert_eq!(&rest[block.end..used], digest.as_bytes());
                left -= block.len();
                rest = &rest[used..];
            }
            assert_eq!((rest.len(), left), (0, 0), "{algorithm}: {len} bytes");
        }
    }
}

#[test]
fn a_block_is_as_long_as_it_must_be() {
    let block = BLOCK as u64;
    let table = [
        (BLOCK + 16, block, Ok(BLOCK)),
        (BLOCK + 16, u64::MAX, Ok(BLOCK)),
        (BLOCK + 15, block, Err(Fault::BlockLength)),
        (BLOCK + 17, block, Err(Fault::BlockLength)),
        (1 + 16, 1, Ok(1)),
        (1 + 16, 2, Err(Fault::BlockLength)),
        (2 + 16, 1, Err(Fault::BlockLength)),
        (16, 1, Err(Fault::BlockLength)),
        (0, 1, Err(Fault::BlockLength)),
        (1 + 16, 0, Err(Fault::MoreThanAnnounced)),
        (16, 0, Err(Fault::MoreThanAnnounced)),
    ];
    for (body, left, expected) in table {
        assert_eq!(
            block_frame(body, Algorithm::Md5, left),
            expected,
            "a body of {body} bytes, {left} bytes due"
        );
    }
}
