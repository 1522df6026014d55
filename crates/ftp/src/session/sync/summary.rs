//! What a `sync` came to, in words or for a program.

use std::time::Duration;

use crate::show::human;
use crate::show::json::Object;

/// What came of a `sync`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Nothing was changed: it says what would be.
    pub(super) dry_run: bool,
    pub(super) looked_at: u64,
    pub(super) new: u64,
    pub(super) changed: u64,
    /// Blocks of large files that were moved, and blocks that these files have.
    pub(super) blocks: (u64, u64),
    /// Files of which only time or mode were set.
    pub(super) attributes: u64,
    /// Files and directories.
    pub(super) deleted: u64,
    pub(super) unchanged: u64,
    pub(super) failed: u64,
    /// Links, wanted or not; those that were are among what failed.
    pub(super) left_out: u64,
    /// Bytes of data and of digests that went over the wire, both ways.
    pub(super) moved: u64,
    pub(super) elapsed: Duration,
}

impl Summary {
    /// Adds what was done before the comparison that this came of: what the `first` one found to be done, and the `last` one did not.
    /// So whatever a lost connection has kept silent of is counted, too.
    pub(super) fn complete(&mut self, first: &Summary, last: &Summary) {
        let before = |of: fn(&Summary) -> u64| of(first).saturating_sub(of(last));
        self.new += before(|sums| sums.new);
        self.changed += before(|sums| sums.changed);
        self.attributes += before(|sums| sums.attributes);
        self.deleted += before(|sums| sums.deleted);
        (self.looked_at, self.unchanged) = (first.looked_at, first.unchanged);
    }

    /// `412 files looked at: 3 new, 2 changed (14 of 1,024 blocks), 1 deleted, 406 unchanged; 3.1 MB moved in 0.8 s`.
    pub(super) fn words(&self) -> String {
        let files = if self.looked_at == 1 { "file" } else { "files" };
        let mut parts = vec![
            format!("{} new", human::count(self.new)),
            format!("{} changed", human::count(self.changed)),
        ];
        if self.blocks.1 > 0 {
            let (some, all) = (human::count(self.blocks.0), human::count(self.blocks.1));
            parts[1] += &format!(" ({some} of {all} blocks)");
        }
        if self.attributes > 0 {
            parts.push(format!("{} with another time or mode", human::count(self.attributes)));
        }
        parts.push(format!("{} deleted", human::count(self.deleted)));
        parts.push(format!("{} unchanged", human::count(self.unchanged)));
        if self.failed > 0 {
            parts.push(format!("{} failed", human::count(self.failed)));
        }
        let end = if self.dry_run {
            "nothing was done (dry run)".to_owned()
        } else {
            format!("{} moved in {}", human::size(self.moved), human::seconds(self.elapsed))
        };
        format!("{} {files} looked at: {}; {end}", human::count(self.looked_at), parts.join(", "))
    }

    /// Things that were done, or could not be.
    pub(super) fn of(&self) -> u64 {
        self.new + self.changed + self.attributes + self.deleted + self.failed
    }

    /// The same for a program.
    pub(super) fn json(&self) -> String {
        Object::default()
            .truth("dry_run", self.dry_run)
            .number("looked_at", self.looked_at)
            .number("new", self.new)
            .number("changed", self.changed)
            .number("blocks_moved", self.blocks.0)
            .number("blocks", self.blocks.1)
            .number("attributes", self.attributes)
            .number("deleted", self.deleted)
            .number("unchanged", self.unchanged)
            .number("not_done", self.failed)
            .number("links_left_out", self.left_out)
            .number("bytes_moved", self.moved)
            .seconds("seconds", self.elapsed)
            .line()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Summary {
        Summary {
            looked_at: 1412,
            new: 3,
            changed: 2,
            blocks: (14, 1024),
            deleted: 1,
            unchanged: 1407,
            moved: 3_100_000,
            elapsed: Duration::from_millis(812),
            ..Summary::default()
        }
    }

    #[test]
    fn words_tell_what_was_done() {
        assert_eq!(
            some().words(),
            "1,412 files looked at: 3 new, 2 changed (14 of 1,024 blocks), 1 deleted, 1,407 unchanged; \
             3.1 MB moved in 0.8 s"
        );
        let one = Summary { looked_at: 1, attributes: 1, failed: 2, dry_run: true, ..Summary::default() };
        assert_eq!(
            one.words(),
            "1 file looked at: 0 new, 0 changed, 1 with another time or mode, 0 deleted, 0 unchanged, 2 failed; \
             nothing was done (dry run)"
        );
    }

    #[test]
    fn what_was_done_before_a_connection_was_lost_is_counted() {
        let first =
            Summary { new: 5, changed: 2, deleted: 3, looked_at: 17, unchanged: 10, ..Summary::default() };
        let last =
            Summary { new: 2, changed: 2, deleted: 0, looked_at: 17, unchanged: 13, ..Summary::default() };
        let mut sum = Summary { new: 1, changed: 2, failed: 1, ..last.clone() };
        sum.complete(&first, &last);
        assert_eq!(sum, Summary { new: 4, changed: 2, failed: 1, ..first.clone() });
        let mut alone = first.clone();
        alone.complete(&first, &first);
        assert_eq!(alone, first);
    }

    #[test]
    fn a_program_gets_one_object() {
        assert_eq!(
            some().json(),
            "{\"dry_run\":false,\"looked_at\":1412,\"new\":3,\"changed\":2,\"blocks_moved\":14,\"blocks\":1024,\
             \"attributes\":0,\"deleted\":1,\"unchanged\":1407,\"not_done\":0,\"links_left_out\":0,\"bytes_moved\":3100000,\
             \"seconds\":0.812}\n"
        );
    }
}
