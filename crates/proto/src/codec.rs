//! The one place that knows bincode: bytes from messages and back, with a limit, to the last byte.

use bincode::config::{self, Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};

use crate::frame::Type;
use crate::limits;

fn config() -> Configuration<LittleEndian, Varint, Limit<{ limits::DECODED }>> {
    config::standard().with_limit()
}

/// The message that `body` holds and is; `None` when it is none, or when bytes are left over.
pub(crate) fn decode<T: Decode<()>>(body: &[u8]) -> Option<T> {
    let (message, used) = bincode::decode_from_slice(body, config()).ok()?;
    (used == body.len()).then_some(message)
}

/// Appends the bytes of `message`, and passes `kind` on.
pub(crate) fn encode<T: Encode>(message: &T, out: &mut Vec<u8>, kind: Type) -> Type {
    bincode::encode_into_std_write(message, out, config())
        .expect("writing to a Vec does not fail, and no message is near the limit");
    kind
}
