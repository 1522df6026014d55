//! The way in to a server, whatever it speaks.

use super::{Scheme, Settings, Target, classic, native};
use crate::failure::Failure;
use crate::output::Output;
use crate::trust::Trust;

/// A connection to a server that is trusted, on which nobody has logged in yet.
#[derive(Debug)]
pub(crate) enum Door {
    Native(Box<native::Door>),
    Classic(Box<classic::Door>),
}

impl Door {
    /// Connects to a server that `trust` takes for the right one; without `trust`, in the clear.
    pub(crate) async fn open(
        target: &Target,
        settings: &Settings,
        trust: Option<&mut Trust>,
        output: &Output,
    ) -> Result<Door, Failure> {
        match target.scheme {
            Scheme::Native => native::Door::open(target, settings, trust, output)
                .await
                .map(|door| Door::Native(Box::new(door))),
            Scheme::Ftp | Scheme::Ftps => classic::Door::open(target, settings, trust, output)
                .await
                .map(|door| Door::Classic(Box::new(door))),
        }
    }

    /// Whether a person was asked for so long as a person takes.
    pub(crate) fn was_asked_about(&self) -> bool {
        match self {
            Door::Native(door) => door.was_asked_about(),
            Door::Classic(door) => door.was_asked_about(),
        }
    }

    /// Whether the server still waits for the login, as far as is known.
    pub(crate) fn stands(&mut self) -> bool {
        match self {
            Door::Native(door) => door.stands(),
            Door::Classic(door) => door.stands(),
        }
    }
}
