//! What directories are to have once all is in them, in few bytes: a tree may have many.

use store::{Attributes, Time};

/// What a directory is to have, in few bytes.
pub(crate) fn note(attributes: &Attributes) -> Vec<u8> {
    let mut note = Vec::with_capacity(14);
    if let Some(mode) = attributes.mode {
        note.extend_from_slice(&(mode as u16).to_le_bytes());
        if let Some(modified) = attributes.modified {
            note.extend_from_slice(&modified.seconds.to_le_bytes());
            note.extend_from_slice(&modified.nanoseconds.to_le_bytes());
        }
    }
    note
}

/// What [`note`] noted.
pub(crate) fn noted(note: &[u8]) -> Attributes {
    let mode = note.first_chunk().map(|mode| u16::from_le_bytes(*mode).into());
    let seconds = note.get(2..).and_then(<[u8]>::first_chunk).map(|seconds| i64::from_le_bytes(*seconds));
    let nanoseconds = note.get(10..).and_then(<[u8]>::first_chunk).map(|more| u32::from_le_bytes(*more));
    let modified = seconds.zip(nanoseconds).map(|(seconds, nanoseconds)| Time { seconds, nanoseconds });
    Attributes { modified, mode }
}
