//! What is to be sent of a tree, counted before it is read, for who looks on.

use std::sync::{Arc, Weak};

use tokio::task::spawn_blocking;

use crate::progress::Progress;
use crate::remote::tree::{Bring, Item, Links, Source};

/// Files that are told of at once.
const TOGETHER: u64 = 256;

/// The count ends at the latest when this is dropped.
pub(super) struct Ahead(#[expect(dead_code, reason = "only whether it is there matters")] Arc<()>);

/// Has files and bytes counted that `bring` is to send, if somebody sees them.
pub(super) fn count(bring: &Bring, links: Links, progress: &Progress) -> Ahead {
    let wanted = Arc::new(());
    if progress.is_visible() {
        let (bring, progress, still) = (bring.clone(), progress.clone(), Arc::downgrade(&wanted));
        spawn_blocking(move || {
            // What cannot be counted is told of when it is to be sent.
            if let Ok(source) = Source::open(&bring.from, links, bring.only) {
                tell(source, &progress, &still);
            }
        });
    }
    Ahead(wanted)
}

fn tell(items: impl Iterator<Item = Item>, progress: &Progress, still: &Weak<()>) {
    let (mut files, mut bytes) = (0, 0);
    for item in items {
        if let Item::File { size, .. } = item {
            files += 1;
            bytes += size;
        }
        if files == TOGETHER {
            if still.strong_count() == 0 {
                return;
            }
            progress.found(std::mem::take(&mut files));
            progress.expect(std::mem::take(&mut bytes));
        }
    }
    if still.strong_count() > 0 {
        progress.found(files);
        progress.expect(bytes);
        progress.all_found();
    }
}
