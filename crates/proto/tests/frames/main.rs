//! Frames: their bytes, what they can hold, and what is refused.

mod check;
mod claims;
mod fixtures;
mod golden;
mod messages;
mod mutated;
mod refusals;
mod roundtrip;
mod seeds;
mod session;
mod sizes;
