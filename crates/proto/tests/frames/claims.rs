//! Lengths that are claimed and not there.

use digest::Algorithm;
use proto::{Decoded, Fault, Frame, HEAD, Side};

use crate::fixtures::bytes;

/// Where each container of the wire states its length: a frame up to there.
const BEFORE: [(&str, Side, &str); 23] = [
    ("hello", Side::Client, "01  00"),
    ("user", Side::Client, "01  01"),
    ("password", Side::Client, r#"01  01 05 "alice""#),
    ("path", Side::Client, "01  07"),
    ("new name", Side::Client, "01  0c 00"),
    ("server", Side::Server, "02  00"),
    ("directory", Side::Server, "02  03"),
    ("entry's name", Side::Server, "02  05"),
    ("root stored", Side::Server, "02  07 00"),
    ("message", Side::Server, "02  09 05"),
    ("remedy", Side::Server, "02  09 05 00 01"),
    ("entries", Side::Server, "03"),
    ("name in a page", Side::Server, "03 01"),
    ("root", Side::Client, "05  00"),
    ("target", Side::Client, "01  11 00"),
    ("found", Side::Server, "08"),
    ("path in a branch", Side::Server, "08 01"),
    ("target in a branch", Side::Server, "08 01 00 02 00 0000 00 01"),
    ("missed", Side::Server, "08 00"),
    ("path missed", Side::Server, "08 00 01"),
    ("proof of a resume", Side::Client, "01  12 00 00"),
    ("proof of a rest", Side::Client, "01  14 00 00 00"),
    ("root of what is kept", Side::Server, "02  0b 00"),
];

#[test]
fn a_claim_beyond_the_body_is_refused() {
    for (what, side, before) in BEFORE {
        for claimed in [200, 1 << 14, 1 << 19, 1 << 20, 1 << 32, 1 << 40, u64::MAX / 56, u64::MAX] {
            let body = [&bytes(before)[1..], &[0xfd], &u64::to_le_bytes(claimed), &[0; 100]].concat();
            let head = [&(body.len() as u32).to_le_bytes()[..], &bytes(before)[..1]].concat();
            assert_eq!(head.len(), HEAD);
            let frame = [head, body].concat();
            let refused = Decoded::Malformed(Fault::Body);
            assert_eq!(Frame::decode(&frame, side, Algorithm::Md5), refused, "{what}: {claimed}");
        }
    }
}
