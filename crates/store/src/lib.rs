//! Bytes and names on disk, for both ends of a transfer: paths that cannot escape, homes, files going out and coming in.
//!
//! Everything here knows files and no protocol. A [`Home`] is an opened directory; a [`HomePath`] is resolved beneath it by
//! the kernel. [`Outgoing`] reads a file that must not change meanwhile; [`Incoming`] stages one beside its target, and only
//! [`commit`](Incoming::commit) with a [`Proof`] publishes it; [`Parts`] is one that comes
//! in any order. Calls block and belong on a thread that may, except those of the
//! two pipelines for async callers, [`ReadAhead`] and [`WriteBehind`].

mod ahead;
mod alongside;
mod attributes;
mod behind;
mod beneath;
mod book;
mod complete;
mod count;
mod covered;
mod digests;
mod entry;
mod error;
mod escaped;
mod home;
mod incoming;
mod kept;
mod link;
mod listing;
mod moment;
mod name;
mod outgoing;
mod parcels;
mod parts;
mod path;
mod patience;
mod place;
mod quota;
mod ranges;
mod roots;
mod round;
mod source;
mod stage;
mod streamed;
mod sweep;
mod upload;
mod version;
mod walk;
mod whole;

pub use ahead::ReadAhead;
pub use attributes::set_directory;
pub use behind::WriteBehind;
pub use book::Books;
pub use digests::Digests;
pub use entry::{Attributes, Entry, EntryKind, Time};
pub use error::{Error, Kind};
pub use escaped::{escaped, misleads};
pub use home::{Home, Options};
pub use incoming::{Incoming, Proof, Receipt, Replace};
pub use kept::Prefix;
pub use listing::Listing;
pub use name::Name;
pub use outgoing::{Going, Outgoing};
pub use parcels::Parcel;
pub use parts::{Assembly, Bringing, Parts};
pub use path::HomePath;
pub use ranges::Ranges;
pub use roots::{Roots, Seen};
pub use round::Work;
pub use stage::Durability;
pub use streamed::{Keep, Streamed};
pub use sweep::{Swept, sweep_directory};
pub use upload::Upload;
pub use version::Version;
pub use walk::{Branch, Found, Missed, Walk};
pub use whole::Whole;
