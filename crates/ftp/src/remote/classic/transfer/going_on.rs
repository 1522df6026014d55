//! Files that go on where they stopped, at a server that proves nothing of what it has before it has all of it: whether the parts
//! belong together, the digest of the whole must show, where there is one.

use std::path::Path;

use digest::{BLOCK, Gap};
use store::{Incoming, Outgoing, Proof, ReadAhead, WriteBehind};
use tokio::time::Instant;

use super::get::{Before, Sink};
use super::{Classic, Trouble, Way};
use crate::failure::{Code, Failure};
use crate::progress::Progress;
use crate::remote::disk::{on_disk, size_of};
use crate::remote::{Course, LARGE, Receipt, Verified};

impl Classic {
    /// Fetches a file, or what is missing of it (REST, RFC 3659, section 5).
    pub(in crate::remote) async fn get_on(
        &mut self,
        path: &str,
        place: &Path,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let began = Instant::now();
        self.ready().await?;
        self.check(path)?;
        let (told, algorithm) = (self.told_of(path).await?, self.settings.digest);
        let size = told.size;
        let part = if course.go_on { self.part(path, place, size, course).await? } else { None };
        let gone_on = part.is_some();
        let (file, mut before) = match part {
            Some((incoming, before)) => (WriteBehind::new(incoming), before),
            None if size.is_some_and(|size| size >= LARGE) => {
                (self.disk.receive_to_keep(place, &course.mark, size, algorithm).await?, Before::default())
            }
            None => (self.disk.receive(place, size, algorithm).await?, Before::default()),
        };
        let there = before.bytes;
        let mut sink = Sink::File(Box::new(file));
        let received = match self.receive_whole(path, &mut sink, &mut before, size, progress).await {
            Ok((verified, _)) => {
                self.attributes_of(path, told).await.map(|attributes| (verified, attributes))
            }
            Err(failure) => Err(failure),
        };
        let Sink::File(file) = sink else { unreachable!("it was made so") };
        match received {
            Ok((verified, attributes)) => {
                let stored = file.commit(Proof::CleanEnd, attributes).await?;
                let moved = stored.size.saturating_sub(there);
                Ok(Receipt { size: stored.size, moved, verified, elapsed: began.elapsed() })
            }
            Err(failure) if failure.code == Code::Connection => {
                file.leave().await;
                // Not tried again by itself: nothing proves that the file is still the same.
                course.size = size.unwrap_or_default();
                course.kept = before.bytes - before.bytes % BLOCK as u64;
                Err(failure)
            }
            Err(failure) => {
                if let Ok(mut incoming) = file.finish().await {
                    incoming.forget();
                }
                if gone_on && failure.code == Code::NotVerified {
                    let what = "what was here and what arrived are not what the server has";
                    return Err(Failure::new(Code::NotVerified, what)
                        .with_remedy("Nothing of it was kept. get without -c fetches the file anew."));
                }
                Err(failure)
            }
        }
    }

    /// What there is of a file here: its whole blocks.
    async fn part(
        &mut self,
        path: &str,
        place: &Path,
        size: Option<u64>,
        course: &mut Course,
    ) -> Result<Option<(Incoming, Before)>, Failure> {
        let algorithm = self.settings.digest;
        let Some(size) = size else {
            course.note(format!(
                "the server does not tell the size of {path}: it is fetched from its beginning"
            ));
            return Ok(None);
        };
        let found = match self.disk.kept(place, &course.mark, algorithm).await? {
            None if size_of(place).await.is_some_and(|here| here < size) => {
                self.disk.copied(place, &course.mark, algorithm).await?
            }
            found => found,
        };
        let Some((mut incoming, prefix)) = found else { return Ok(None) };
        let bytes = prefix.blocks * BLOCK as u64;
        if bytes > size {
            incoming.forget();
            course.note(format!("more is here of {path} than the server has: it is fetched anew"));
            return Ok(None);
        }
        let told = on_disk(move || {
            incoming.announce(size)?;
            let md5 = incoming.md5_so_far()?;
            Ok((incoming, Before { bytes, md5 }))
        });
        told.await.map(Some)
    }

    /// Brings a file, or what the server does not have of it (APPE, RFC 959, section 4.1.3).
    pub(in crate::remote) async fn put_on(
        &mut self,
        local: &Path,
        path: &str,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        if !course.go_on {
            return self.put(local, path, progress).await;
        }
        let began = Instant::now();
        self.ready().await?;
        self.check(path)?;
        let here = size_of(local).await.unwrap_or_default();
        let there = match self.size(path).await? {
            None | Some(0) => return self.put(local, path, progress).await,
            Some(there) if there > here => {
                course.note(format!("the server has more of {path} than is here: it is sent anew"));
                return self.put(local, path, progress).await;
            }
            Some(there) => there,
        };
        let source = local.to_owned();
        let (outgoing, md5) = on_disk(move || Ok(Outgoing::local_from(&source, there)?)).await?;
        if there == here {
            let md5 = md5.finish();
            if self.digest(path).await?.is_some_and(|theirs| theirs == md5) {
                course.note(format!("{path} is complete already"));
                let (verified, elapsed) = (Verified::File(md5), began.elapsed());
                return Ok(Receipt { size: here, moved: 0, verified, elapsed });
            }
            return self.put(local, path, progress).await;
        }
        let file = on_disk(move || Ok(ReadAhead::begin(outgoing, Gap::default())?)).await?;
        match self.open(Way::Behind(path)).await {
            Ok(stream) => {
                let before = Before { bytes: there, md5 };
                self.bring(path, file, stream, before, began, progress).await
            }
            Err(Trouble::Failed(failure)) => Err(failure),
            Err(Trouble::Refused(_)) => {
                course.note(format!("the server does not let {path} be gone on with: it is sent anew"));
                self.put(local, path, progress).await
            }
        }
    }
}
