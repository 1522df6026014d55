//! Sizes as people say them: `64 KiB`.

const UNITS: [(&str, u32); 4] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

/// One MiB.
pub(super) const MIB: u64 = 1 << 20;

/// `bytes` in the largest unit that leaves a whole number.
pub(super) fn said(bytes: u64) -> String {
    let whole = |shift: u32| bytes >> shift > 0 && bytes.trailing_zeros() >= shift;
    let (unit, shift) = UNITS.into_iter().find(|(_, shift)| whole(*shift)).unwrap_or(("B", 0));
    format!("{} {unit}", bytes >> shift)
}

/// A size of the command line: `4GiB`, `64 KiB`, `1000`.
pub(super) fn read(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (unit, shift) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit)).unwrap_or(("", 0));
    let number = text.strip_suffix(unit).unwrap_or(text).trim();
    let number: u64 =
        number.parse().map_err(|_| "a size is a number of B, KiB, MiB or GiB: 4GiB".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that is too large".to_owned())
}
