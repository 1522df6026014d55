//! What stays of files in parts that were given up.

use std::sync::Arc;

use digest::Algorithm;
use store::{Assembly, Attributes, Kind, Replace};

use super::{B, begin, bring, bringing, ground, hashed, kept, publish, root, version};
use crate::ground::{at, kind, pattern};

#[test]
fn given_up_it_leaves_what_came_from_the_first_block_on() {
    let data = pattern(9 * B + 4);
    for (ranges, left) in
        [(&[][..], 0), (&[1..9][..], 0), (&[0..1, 2..9], 1), (&[0..3, 3..5, 7..10], 5), (&[0..10], 9)]
    {
        let ground = ground(None);
        ground.write("file", &data);
        let parts = begin(&ground, data.len(), version(&ground)).unwrap();
        if !ranges.is_empty() {
            bring(&parts, &data, ranges).unwrap();
        }
        parts.leave();
        assert_eq!(kind(bringing(&parts, &[0..1]).write(&hashed(&data[..B]))), Err(Kind::NotFound));
        assert_eq!(kept(&ground), left, "{ranges:?}");
        assert_eq!(ground.names().len(), 1 + usize::from(left > 0));
        assert!(ground.read("file") == data);
    }
    let ground = ground(None);
    let parts = begin(&ground, data.len(), None).unwrap();
    bring(&parts, &data, &[0..3]).unwrap();
    parts.forget();
    drop(parts);
    assert!(ground.names().is_empty());
}

#[test]
fn where_nothing_is_kept_nothing_is() {
    let ground = ground(None);
    let assembly = Assembly { whom: None, size: 3 * B as u64, onto: None };
    let begun = || ground.home.assemble(&at("file"), &assembly, Algorithm::Md5, Replace::No).map(Arc::new);
    let (parts, data) = (begun().unwrap(), pattern(3 * B));
    bring(&parts, &data, &[0..2]).unwrap();
    drop(parts);
    assert!(ground.names().is_empty());
    let (parts, late) = (begun().unwrap(), begun().unwrap());
    for parts in [&parts, &late] {
        bring(parts, &data, &[0..3]).unwrap();
    }
    publish(&parts, &data).unwrap();
    assert_eq!(kind(publish(&late, &data)), Err(Kind::Exists));
    assert_eq!(kind(begun()), Err(Kind::Exists));
    assert_eq!(ground.names(), ["file"]);
}

#[test]
fn one_that_is_stopped_while_it_is_read_back_keeps_what_came() {
    let (ground, data) = (ground(None), pattern(200 * B));
    let parts = begin(&ground, data.len(), None).unwrap();
    bring(&parts, &data, &[0..200]).unwrap();
    assert_eq!(kind(parts.publish(root(&data), Attributes::default(), &mut || false)), Err(Kind::Io));
    assert_eq!(kept(&ground), 200);
}
