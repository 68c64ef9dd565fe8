//! Blocking keys to canaries, in eight bytes each.

use crate::trace::filter::{Filter, turned};

/// A bucket has about so many entries.
const BUCKET: usize = 4;

/// Which canaries are found under which key. Of a key as many bits are kept as a canary's number leaves of 64: what is
/// found under it is compared in full anyway.
pub struct Index {
    /// All keys: most rows have none of them, and this says so from fewer bytes than the rest.
    known: Filter,
    shift: u32,
    /// Where the entries of each bucket begin.
    starts: Vec<u32>,
    /// In order: what is kept of a key, and in the lowest bits the canary.
    entries: Vec<u64>,
    /// Those bits.
    canary: u64,
}

impl Index {
    /// Builds the index; `all` gives each key with its canary, the canaries in order.
    pub fn new(all: impl FnOnce(&mut dyn FnMut(u64, u32))) -> Index {
        // Whose the keys are is kept where that changes: only when all are there is it known how many bits it takes.
        let (mut entries, mut changes) = (Vec::new(), Vec::<(u32, usize)>::new());
        all(&mut |key, canary| {
            if changes.last().is_none_or(|(last, _)| *last != canary) {
                changes.push((canary, entries.len()));
            }
            entries.push(key);
        });
        entries.shrink_to_fit();
        let total = entries.len();
        let mut known = Filter::new(total);
        entries.iter().for_each(|key| known.add(*key));
        let most = changes.iter().map(|(canary, _)| u64::from(*canary)).max();
        let canary = (most.unwrap_or_default() + 1).next_power_of_two() - 1;
        let ends = changes.iter().skip(1).map(|(_, start)| *start);
        for ((own, start), end) in changes.iter().zip(ends.chain([total])) {
            for entry in &mut entries[*start..end] {
                *entry = turned(*entry) & !canary | u64::from(*own);
            }
        }
        entries.sort_unstable();
        let shift = 64 - (total / BUCKET).max(2).ilog2();
        let mut starts = Vec::with_capacity((1 << (64 - shift)) + 1);
        for (at, entry) in (0..).zip(&entries) {
            starts.resize(starts.len().max((entry >> shift) as usize + 1), at);
        }
        starts.resize((1 << (64 - shift)) + 1, total as u32);
        Index {
            known,
            shift,
            starts,
            entries,
            canary,
        }
    }

    /// As [`Filter::fetch`].
    pub fn fetch(&self, key: u64) {
        self.known.fetch(key);
    }

    /// Whether there may be any under a key.
    pub fn may_have(&self, key: u64) -> bool {
        self.known.may_have(key)
    }

    /// Gives the canaries under a key.
    pub fn find(&self, key: u64, give: &mut impl FnMut(u32)) {
        let kept = turned(key) & !self.canary;
        let bucket = (kept >> self.shift) as usize;
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        for entry in &self.entries[range] {
            if entry & !self.canary == kept {
                give((entry & self.canary) as u32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_finds_its_canaries_and_no_others() {
        let key = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let all = |give: &mut dyn FnMut(u64, u32)| {
            for n in 0..5_000_u64 {
                give(key(n / 2), n as u32);
            }
        };
        let index = Index::new(all);
        for n in 0..2_600_u64 {
            let mut found = Vec::new();
            index.find(key(n), &mut |canary| found.push(canary));
            found.sort_unstable();
            let wanted: Vec<u32> = if n < 2_500 {
                vec![2 * n as u32, 2 * n as u32 + 1]
            } else {
                Vec::new()
            };
            assert_eq!(found, wanted, "{n}");
        }
        let empty = Index::new(|_: &mut dyn FnMut(u64, u32)| {});
        empty.find(7, &mut |_| panic!("nothing is in it"));
    }
}
