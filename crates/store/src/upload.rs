//! Transfers at a home that go on where they stopped: what a peer says to have is compared with what is here.

use std::ffi::OsStr;
use std::sync::atomic::Ordering;

use digest::{Algorithm, Digest, Root};
use rustix::fs::{AtFlags, unlinkat};

use crate::error::{Error, Kind};
use crate::home::Home;
use crate::incoming::{Incoming, Replace};
use crate::kept::{NOT_KEPT, Prefix, bytes_in, root_of, stage_name};
use crate::name::KEPT;
use crate::outgoing::Outgoing;
use crate::path::HomePath;
use crate::place::Place;
use crate::quota::check_space;
use crate::stage::{Hold, Stage};

/// An upload of which is kept what came, if it is cut.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// For whom.
    pub whom: &'a str,
    /// Bytes of the whole file.
    pub size: u64,
    /// Blocks to go on behind; 0 for a new beginning.
    pub first_block: u64,
    /// Their root.
    pub proof: Digest,
}

impl Home {
    /// Opens a file to send it from block number `first_block` on, to a peer who has the blocks before; their root must be `proof`.
    /// They are read here, while `go_on` says so, from the file that is then sent.
    ///
    /// # Errors
    /// As [`open`](Home::open); [`Kind::Changed`] if the root is another; [`Kind::Io`] if it was not to go on.
    pub fn resume(
        &self,
        path: &HomePath,
        algorithm: Algorithm,
        prefix: Prefix,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Outgoing, Error> {
        let file = self.base().file(&path.relative())?;
        let again = file.try_clone()?;
        let outgoing = Outgoing::from_block(file, algorithm, prefix.blocks)?;
        if bytes_in(prefix.blocks, outgoing.size()).is_none() {
            return Err(NOT_KEPT);
        }
        let root = root_of(&again, prefix.blocks, algorithm, go_on)?;
        if root.value() == prefix.root { Ok(outgoing) } else { Err(NOT_KEPT) }
    }

    /// What is kept of an upload of `whom` to `path`: nothing, if somebody is at it. It is read here, while `go_on` says so.
    ///
    /// # Errors
    /// [`Kind::IsDirectory`], [`Kind::Special`], [`Kind::NotFound`] of its directory, [`Kind::Denied`]; [`Kind::Io`] if it was not
    /// to go on; and what the system reports.
    pub fn kept(
        &self,
        path: &HomePath,
        whom: &str,
        algorithm: Algorithm,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Prefix, Error> {
        let nothing = Prefix { blocks: 0, root: Root::new(algorithm).value() };
        let place = Place::find(self.base(), path.relative())?;
        if self.keep.is_zero() {
            return Ok(nothing);
        }
        match Stage::hold(&place.directory, &stage_name(&place.name, whom.as_bytes()), false)? {
            Hold::Held(stage) => {
                let blocks = stage.blocks()?;
                let root = root_of(stage.file(), blocks, algorithm, go_on)?;
                Ok(Prefix { blocks, root: root.value() })
            }
            Hold::Nothing | Hold::Taken => Ok(nothing),
        }
    }

    /// Begins to receive a file at `path`, or goes on with what is kept of it; otherwise as [`create`](Home::create). What comes is
    /// kept if this is dropped too early, unless somebody else is at the same upload.
    ///
    /// # Errors
    /// As [`create`](Home::create); [`Kind::Changed`] if what is kept is not what `upload` says; [`Kind::Io`] if it was not to go on.
    pub fn create_kept(
        &self,
        path: &HomePath,
        upload: &Upload<'_>,
        algorithm: Algorithm,
        replace: Replace,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Incoming, Error> {
        let Upload { whom, size, first_block, proof } = *upload;
        if self.keep.is_zero() && first_block == 0 {
            return self.create(path, size, algorithm, replace);
        }
        let place = Place::find(self.base(), path.relative())?;
        if place.old.is_some() && replace == Replace::No {
            return Err(Kind::Exists.into());
        }
        let name = stage_name(&place.name, whom.as_bytes());
        if self.keep.is_zero() || bytes_in(first_block, size).is_none() {
            return Err(NOT_KEPT);
        }
        let (held, reservation) =
            self.ledger.take_over((&place.directory, OsStr::new(&name)), size, || {
                let held = Stage::hold(&place.directory, &name, first_block == 0)?;
                let has = matches!(held, Hold::Held(_));
                Ok((held, has))
            })?;
        let stage = match held {
            Hold::Held(stage) => stage,
            Hold::Nothing | Hold::Taken if first_block > 0 => return Err(NOT_KEPT),
            Hold::Nothing | Hold::Taken => {
                let begun = Incoming::begin(
                    place,
                    Some(size),
                    Some(algorithm),
                    replace,
                    reservation,
                    self.durability,
                )?;
                return Ok(begun.known_to(&self.roots));
            }
        };
        self.holds.store(true, Ordering::Relaxed);
        let Place { directory, name, old } = place;
        let begun = Incoming::on(
            stage,
            (name, old),
            Some(size),
            Some(algorithm),
            replace,
            reservation,
            self.durability,
        );
        let mut begun = begun.known_to(&self.roots).keeping()?;
        check_space(&directory, size.saturating_sub(begun.written()))?;
        begun.take_up(first_block, Some(&proof), go_on)?;
        Ok(begun)
    }

    /// Removes what is kept in the directory `path`, if nothing else is in it and nobody is at it; whether it did.
    pub(crate) fn remove_kept(&self, path: &HomePath) -> Result<bool, Error> {
        let directory = self.base().directory(&path.relative())?;
        let mut held = Vec::new();
        for entry in self.base().entries(&path.relative(), false)? {
            let entry = entry?;
            let name = match entry.file_name() {
                name if name == c"." || name == c".." => continue,
                name => name.to_str().ok().filter(|name| name.starts_with(KEPT)).map(str::to_owned),
            };
            let Some(name) = name else { return Ok(false) };
            match Stage::hold(&directory, &name, false)? {
                Hold::Held(stage) => held.push((name, stage)),
                Hold::Nothing => {}
                Hold::Taken => return Ok(false),
            }
        }
        for (name, _locked) in &held {
            let name = OsStr::new(name);
            self.ledger.free((&directory, name), || Ok(unlinkat(&directory, name, AtFlags::empty())?))?;
        }
        Ok(!held.is_empty())
    }
}
