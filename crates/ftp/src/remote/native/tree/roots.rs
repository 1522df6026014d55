//! Files of both ends compared by their roots: many are asked for ahead, while those here are hashed.

use std::collections::VecDeque;
use std::path::Path;

use digest::{Algorithm, BLOCK, Blocks, Digest, Gap, of_blocks};
use proto::{Command, Message, Reply};
use store::Outgoing;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::super::Native;
use super::super::crew::BREATH;
use super::{Whole, Window};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::remote::Settle;
use crate::remote::tree::{Account, Paths, below, place_in};

/// Files that are hashed together, and bytes of them.
const FILES: usize = 128;
const BYTES: usize = 1024 * 1024;

/// Size and root of a file here.
type Ours = Result<(u64, Digest), Failure>;

impl Native {
    /// Compares files beneath `local` and `remote`, and tells of each, with what was noted of it, whether they are the same.
    pub(in crate::remote) async fn compare_roots(
        &mut self,
        (local, remote): (&Path, &str),
        files: Paths,
        account: &mut Account<'_>,
        settle: Settle<'_>,
    ) -> Result<(), Failure> {
        if files.is_empty() {
            return Ok(());
        }
        self.begin_many().await?;
        let whole = self.compare_all((local, remote), files, account, settle).await;
        self.end_many(whole)
    }

    async fn compare_all(
        &mut self,
        (local, remote): (&Path, &str),
        files: Paths,
        account: &mut Account<'_>,
        settle: Settle<'_>,
    ) -> Whole {
        let (ask, asked) = unbounded_channel();
        let (tell, told) = unbounded_channel();
        let (from, algorithm, progress) =
            (local.to_owned(), self.settings.digest, account.progress().clone());
        drop(spawn_blocking(move || hash_all(&from, algorithm, asked, &tell, &progress)));
        self.compare_with(Hasher { ask, told }, remote, files, account, settle).await
    }

    async fn compare_with(
        &mut self,
        mut hasher: Hasher,
        remote: &str,
        mut files: Paths,
        account: &mut Account<'_>,
        settle: Settle<'_>,
    ) -> Whole {
        let (mut window, mut due) = (Window::beneath(remote), VecDeque::new());
        loop {
            if window.is_low() {
                while window.is_open()
                    && let Some((path, note)) = files.pop_front()
                {
                    self.ask(&Command::Root { path: below(remote, &path) });
                    window.sent(&path);
                    let _ = hasher.ask.send(path.clone()); // it is there as long as there is something to be told
                    due.push_back(Due::Root(path, note));
                }
            }
            let Some(first) = due.pop_front() else { return Ok(Ok(())) };
            self.flush_many().await?;
            let answer = self.answer().await?;
            let (path, note) = match (first, &answer) {
                (Due::Root(path, note), _) => (path, note),
                (Due::Breath, Message::Reply(Reply::Directory { .. })) => continue,
                (Due::Breath, _) => return self.out_of_turn(),
            };
            let theirs = match answer {
                Message::Reply(Reply::Root { size, root, .. }) => {
                    account.moved += root.len() as u64;
                    Ok((size, self.root(&root)?))
                }
                Message::Reply(Reply::Refused(refused)) => Err(self.refused_many(refused)?),
                _ => return self.out_of_turn(),
            };
            window.answered(&path);
            let ours = loop {
                match timeout(BREATH, hasher.told.recv()).await {
                    Ok(ours) => {
                        break ours.unwrap_or_else(|| Err(store::Error::from(store::Kind::Io).into()));
                    }
                    // The file is large. All that was asked may have been answered: the server shall not take the session for idle.
                    Err(_) => {
                        self.ask(&Command::Pwd);
                        self.flush_many().await?;
                        due.push_back(Due::Breath);
                    }
                }
            };
            let same = theirs.and_then(|theirs| ours.map(|ours| ours == theirs));
            settle(path, note, same);
        }
    }
}

/// What the server is to answer.
enum Due {
    /// The root of a file, of which something was noted.
    Root(Vec<u8>, Vec<u8>),
    /// That it has heard a sign of life.
    Breath,
}

/// Who hashes files here, in the order in which they are asked for.
struct Hasher {
    ask: UnboundedSender<Vec<u8>>,
    told: UnboundedReceiver<Ours>,
}

/// Hashes files in the order in which they are asked for, small ones many at once; `progress` is that of their bytes.
fn hash_all(
    root: &Path,
    algorithm: Algorithm,
    mut asked: UnboundedReceiver<Vec<u8>>,
    tell: &UnboundedSender<Ours>,
    progress: &Progress,
) {
    let mut bytes = Vec::new();
    while let Some(first) = asked.blocking_recv() {
        bytes.clear();
        let (mut found, mut blocks): (Vec<Option<Ours>>, _) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(path) = next.take() {
            match look(&place_in(root, &path), algorithm, &mut bytes, progress) {
                Ok(Looked::Block(start)) => {
                    found.push(None);
                    blocks.push(start..bytes.len());
                }
                Ok(Looked::Hashed(size, root)) => found.push(Some(Ok((size, root)))),
                Err(failure) => found.push(Some(Err(failure))),
            }
            if found.len() < FILES && bytes.len() < BYTES {
                next = asked.try_recv().ok();
            }
        }
        let slices: Vec<&[u8]> = blocks.iter().map(|block| &bytes[block.clone()]).collect();
        progress.advance(slices.iter().map(|slice| slice.len() as u64).sum());
        let mut digests = slices.iter().map(|slice| slice.len() as u64).zip(of_blocks(algorithm, &slices));
        for found in found {
            let ours = found.unwrap_or_else(|| Ok(digests.next().expect("a digest for each block")));
            if tell.send(ours).is_err() {
                return; // nobody hears it any more
            }
        }
    }
}

/// What came of looking at a file.
enum Looked {
    /// It is a block that begins there, still to be hashed.
    Block(usize),
    Hashed(u64, Digest),
}

fn look(
    place: &Path,
    algorithm: Algorithm,
    bytes: &mut Vec<u8>,
    progress: &Progress,
) -> Result<Looked, Failure> {
    let mut file = Outgoing::local(place, algorithm)?;
    let size = file.size();
    if (1..=BLOCK as u64).contains(&size) {
        let start = bytes.len();
        file.read_to(bytes)?;
        return Ok(Looked::Block(start));
    }
    let mut blocks = Blocks::default();
    loop {
        match file.read(&mut blocks, Gap::default())? {
            0 => break,
            bytes => progress.advance(bytes as u64),
        }
    }
    Ok(Looked::Hashed(size, file.root().expect("opened with a digest")))
}

#[cfg(test)]
mod tests {
    use digest::of_block;

    use super::super::super::fake::{answer_in_order, session};
    use super::*;
    use crate::output::Output;

    #[test]
    fn each_file_is_told_in_its_turn_and_all_bytes_are_seen_to_go() {
        let directory = tempfile::tempdir().unwrap();
        let sizes = [3, 0, 5 * BLOCK + 1, BLOCK, 3 * BLOCK];
        let (ask, asked) = unbounded_channel();
        let (tell, mut told) = unbounded_channel();
        for (name, size) in ('a'..).zip(sizes) {
            std::fs::write(directory.path().join(name.to_string()), vec![7; size]).unwrap();
            ask.send(vec![name as u8]).unwrap();
        }
        ask.send(b"none".to_vec()).unwrap();
        drop(ask);
        let (progress, all) = (Progress::visible(), sizes.iter().sum::<usize>() as u64);
        progress.begin("all", all);
        hash_all(directory.path(), Algorithm::Md5, asked, &tell, &progress);
        assert_eq!(progress.seen(), Some((all, all)));
        drop(tell);
        let told: Vec<_> = std::iter::from_fn(|| told.blocking_recv()).map(|ours| ours.ok()).collect();
        let told: Vec<_> = told.into_iter().map(|ours| ours.map(|(size, _)| size as usize)).collect();
        assert_eq!(told, sizes.into_iter().map(Some).chain([None]).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn while_files_here_take_their_time_the_server_sees_that_the_session_is_in_use() {
        let (mut native, mut server) = session().await;
        let root = of_block(Algorithm::Md5, b"x");
        let (ask, mut asked) = unbounded_channel();
        let (tell, told) = unbounded_channel();
        let mut files = Paths::default();
        [&b"a"[..], b"b", b"c"].into_iter().for_each(|path| files.push(path, b""));
        let mut breaths = 0;
        let answers = answer_in_order(&mut server, |command| match command {
            Command::Root { .. } => Reply::Root { size: 1, version: [0; 16], root: root.as_bytes().into() },
            Command::Pwd => {
                breaths += 1;
                // The first takes three breaths, the second one and the last none.
                for _ in 0..[0, 0, 1, 2][breaths - 1] {
                    tell.send(Ok((1, root))).unwrap();
                }
                Reply::Directory { path: "/".into() }
            }
            other => panic!("{other:?}"),
        });
        let (output, progress) = (Output::new(true, false), Progress::hidden());
        let mut account = Account::open("to", &output, &progress);
        let mut settled = Vec::new();
        let mut settle = |path, _, same: Result<bool, Failure>| settled.push((path, same.unwrap()));
        tokio::select! {
            whole = native.compare_with(Hasher { ask, told }, "there", files, &mut account, &mut settle) => {
                whole.unwrap().unwrap();
            }
            () = answers => panic!("the server hangs up"),
        }
        assert_eq!(settled, [(b"a".to_vec(), true), (b"b".to_vec(), true), (b"c".to_vec(), true)]);
        assert_eq!((breaths, asked.try_recv()), (4, Ok(b"a".to_vec())));
    }
}
