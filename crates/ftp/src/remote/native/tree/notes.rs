//! What directories are to have once all is in them, in few bytes: a tree may have many.

use store::Attributes;

/// What a directory is to have, in few bytes.
pub(super) fn note(attributes: &Attributes) -> Vec<u8> {
    let mut note = Vec::with_capacity(14);
    if let (Some(modified), Some(mode)) = (attributes.modified, attributes.mode) {
        note.extend_from_slice(&modified.seconds.to_le_bytes());
        note.extend_from_slice(&modified.nanoseconds.to_le_bytes());
        note.extend_from_slice(&(mode as u16).to_le_bytes());
    }
    note
}

/// What [`note`] noted.
pub(super) fn noted(note: &[u8]) -> Attributes {
    let (Some(seconds), Some(nanoseconds), Some(mode)) = (
        note.first_chunk(),
        note.get(8..).and_then(<[u8]>::first_chunk),
        note.get(12..).and_then(<[u8]>::first_chunk),
    ) else {
        return Attributes::default();
    };
    let modified =
        store::Time { seconds: i64::from_le_bytes(*seconds), nanoseconds: u32::from_le_bytes(*nanoseconds) };
    Attributes { modified: Some(modified), mode: Some(u16::from_le_bytes(*mode).into()) }
}
