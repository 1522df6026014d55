//! Any bytes, taken for what either side sends: no panic, no allocation beyond the caps, and what is understood is said
//! again alike.

#![no_main]

#[path = "../../tests/frames/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::any_bytes(bytes);
});
