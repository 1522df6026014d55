//! Which blocks of a file have come.

use std::collections::BTreeMap;
use std::ops::Range;

/// A set of numbers as ranges that lie apart: the end of each, by its start.
#[derive(Debug, Default)]
pub(crate) struct Covered(BTreeMap<u64, u64>);

impl Covered {
    pub(crate) fn add(&mut self, Range { mut start, mut end }: Range<u64>) {
        while let Some((&first, &last)) = self.0.range(..=end).next_back().filter(|(_, last)| **last >= start)
        {
            self.0.remove(&first);
            (start, end) = (start.min(first), end.max(last));
        }
        self.0.insert(start, end);
    }

    pub(crate) fn remove(&mut self, Range { start, end }: &Range<u64>) {
        while let Some((&first, &last)) = self.0.range(..end).next_back().filter(|(_, last)| *last > start) {
            self.0.remove(&first);
            if first < *start {
                self.0.insert(first, *start);
            }
            if last > *end {
                self.0.insert(*end, last);
            }
        }
    }

    /// What of `range` is not in it.
    pub(crate) fn gaps(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let (mut gaps, mut at) = (Vec::new(), range.start);
        let before = self.0.range(..range.start).next_back().into_iter();
        for (&first, &last) in before.chain(self.0.range(range.clone())) {
            if first > at {
                gaps.push(at..first);
            }
            at = at.max(last);
        }
        if at < range.end {
            gaps.push(at..range.end);
        }
        gaps
    }

    /// How many numbers from 0 on are in it without a gap.
    pub(crate) fn prefix(&self) -> u64 {
        self.0.get(&0).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_set_that_a_set_would_be(
            changes in vec((any::<bool>(), 0_u64..40, 1_u64..12), 0..40),
            asked in (0_u64..50, 1_u64..20),
        ) {
            let (mut covered, mut set) = (Covered::default(), BTreeSet::new());
            for (add, start, length) in changes {
                let range = start..start + length;
                if add {
                    set.extend(range.clone());
                    covered.add(range);
                } else {
                    set.retain(|number| !range.contains(number));
                    covered.remove(&range);
                }
                prop_assert!(covered.0.iter().zip(covered.0.iter().skip(1)).all(|((_, end), (next, _))| end <= next));
                prop_assert!(covered.0.iter().all(|(start, end)| start < end));
            }
            let asked = asked.0..asked.0 + asked.1;
            let gaps: Vec<u64> = covered.gaps(&asked).into_iter().flatten().collect();
            let missing: Vec<u64> = asked.filter(|number| !set.contains(number)).collect();
            prop_assert_eq!(gaps, missing);
            let prefix = (0..).take_while(|number| set.contains(number)).count() as u64;
            prop_assert_eq!(covered.prefix(), prefix);
        }
    }
}
