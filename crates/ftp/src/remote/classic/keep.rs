//! Times and permission bits of what was brought, as far as a server lets them be set (MFMT, draft-somers-ftp-mfxx; SITE CHMOD).

use store::{Attributes, EntryKind};

use super::{Classic, listing, words};
use crate::failure::{Code, Failure};

/// What a server's modes are, as far as was seen.
#[derive(Debug, Default)]
pub(super) struct Modes {
    /// It knows no SITE CHMOD.
    unknown: bool,
    /// While nothing is brought but what is new there: the mode that a new file and a new directory get by themselves.
    usual: Option<[Usual; 2]>,
}

/// A mode that something new gets.
#[derive(Clone, Copy, Debug, Default)]
enum Usual {
    #[default]
    Unasked,
    Untold,
    Told(u32),
}

impl Modes {
    /// From here on all that is brought is new at the server, or not.
    pub(super) fn all_new(&mut self, new: bool) {
        self.usual = new.then(Default::default);
    }
}

impl Classic {
    /// Gives something that was brought the time and the mode that it is to have. That the server does not let it is counted, and
    /// no failure: what was brought is there.
    pub(super) async fn keep(
        &mut self,
        path: &str,
        kind: EntryKind,
        attributes: Attributes,
    ) -> Result<(), Failure> {
        let (mut kept, mut denied) = (true, false);
        if let Some(time) = attributes.modified.and_then(listing::time_text) {
            kept = self.offers.set_times;
            if kept {
                let answer = self.ask(&format!("MFMT {time} {path}")).await?;
                kept = answer.is_done();
                denied = !kept && words::meaning(&answer, path) == Some(Code::Denied);
            }
        }
        // Who may not set the one may not set the other.
        if let Some(mode) = attributes.mode.filter(|_| !denied)
            && !self.has_mode(path, kind, mode).await?
        {
            kept &= !self.modes.unknown && self.change_mode(path, mode).await?;
        }
        self.unkept += u64::from(!kept);
        Ok(())
    }

    async fn change_mode(&mut self, path: &str, mode: u32) -> Result<bool, Failure> {
        let answer = self.ask(&format!("SITE CHMOD {mode:03o} {path}")).await?;
        self.modes.unknown = answer.is_unknown() && answer.code != 501;
        Ok(answer.is_done())
    }

    /// Whether something has that mode by itself, as far as is known: it is new, and the first of its kind was looked at.
    async fn has_mode(&mut self, path: &str, kind: EntryKind, mode: u32) -> Result<bool, Failure> {
        let of_kind = usize::from(kind == EntryKind::Directory);
        let Some(usual) = self.modes.usual.as_ref().map(|usual| usual[of_kind]) else { return Ok(false) };
        let usual = match usual {
            Usual::Unasked => match self.mode_of(path).await? {
                Some(mode) => Usual::Told(mode),
                None => Usual::Untold,
            },
            usual => usual,
        };
        if let Some(known) = &mut self.modes.usual {
            known[of_kind] = usual;
        }
        Ok(matches!(usual, Usual::Told(usual) if usual == mode))
    }
}
