//! Blocking keys to canaries, in four bytes each.

use std::io;

use crate::trace::filter::{Filter, turned};
use crate::trace::store::{Items, Packer, broken};

/// A bucket has at least about so many entries.
const BUCKET: usize = 16;

/// Which canaries are found under which key. Of a key its bucket tells some bits, and as many more are kept as a canary's
/// number leaves of 32: what is found under it is compared in full anyway.
pub struct Index {
    /// All keys: most rows have none of them, and this says so from fewer bytes than the rest.
    known: Filter,
    /// How many bits of a key tell its bucket.
    bits: u32,
    /// Where the entries of each bucket begin.
    starts: Vec<u32>,
    /// By bucket: what is kept of a key, and in the lowest bits the canary.
    entries: Vec<u32>,
    /// Those bits.
    canary: u32,
}

impl Index {
    /// Builds the index; `all` gives each key with its canary, the canaries in order.
    pub fn new(all: impl FnOnce(&mut dyn FnMut(u64, u32))) -> Index {
        // Whose the keys are is kept where that changes: only when all are there is it known how many bits it takes.
        let (mut keys, mut changes) = (Vec::new(), Vec::<(u32, usize)>::new());
        all(&mut |key, canary| {
            if changes.last().is_none_or(|(last, _)| *last != canary) {
                changes.push((canary, keys.len()));
            }
            keys.push(key);
        });
        keys.shrink_to_fit();
        let bits = (keys.len() / BUCKET).max(2).ilog2();
        let most = changes.iter().map(|(canary, _)| *canary).max();
        let most = most.unwrap_or_default();
        let mut index = Index {
            known: Filter::narrow(keys.len()),
            bits,
            starts: vec![0; (1 << bits) + 1],
            entries: vec![0; keys.len()],
            canary: u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0),
        };
        for key in &keys {
            index.known.add(*key);
            let bucket = index.bucket(turned(*key));
            index.starts[bucket] += 1;
        }
        // Where each bucket ends; filled from its end, it begins there when all are in it.
        let mut end = 0;
        for start in &mut index.starts {
            end += *start;
            *start = end;
        }
        let ends = changes.iter().skip(1).map(|(_, start)| *start);
        for ((own, start), end) in changes.iter().zip(ends.chain([keys.len()])) {
            for key in keys[*start..end].iter().map(|key| turned(*key)) {
                let bucket = index.bucket(key);
                index.starts[bucket] -= 1;
                let place = index.starts[bucket] as usize;
                index.entries[place] = index.kept(key) | own;
            }
        }
        index
    }

    /// Stores it, for [`Index::restore`].
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn store(&self, out: &mut Packer<'_>) -> io::Result<()> {
        out.item(&(self.bits, self.canary))?;
        self.known.store(out)?;
        out.all(&self.starts)?;
        out.all(&self.entries)
    }

    /// As it was stored.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where it is no index.
    pub fn restore(input: &mut Items<'_>) -> io::Result<Index> {
        let (bits, canary) = input.item()?;
        let index = Index {
            known: Filter::restore(input)?,
            bits,
            starts: input.all()?,
            entries: input.all()?,
            canary,
        };
        let whole = (1..u32::BITS).contains(&bits)
            && index.starts.len() == (1 << bits) + 1
            && index.starts.is_sorted()
            && index.starts.last().map(|end| *end as usize) == Some(index.entries.len());
        whole.then_some(index).ok_or_else(broken)
    }

    /// The bucket of a key that was [`turned`].
    fn bucket(&self, turned: u64) -> usize {
        (turned >> (u64::BITS - self.bits)) as usize
    }

    /// What is kept of it.
    fn kept(&self, turned: u64) -> u32 {
        ((turned << self.bits) >> u32::BITS) as u32 & !self.canary
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
        let key = turned(key);
        let (bucket, kept) = (self.bucket(key), self.kept(key));
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        for entry in &self.entries[range] {
            if entry & !self.canary == kept {
                give(entry & self.canary);
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
        let single = Index::new(|give: &mut dyn FnMut(u64, u32)| give(key(7), 0));
        let mut found = Vec::new();
        (0..9).for_each(|n| single.find(key(n), &mut |canary| found.push((n, canary))));
        assert_eq!(found, [(7, 0)]);
        let empty = Index::new(|_: &mut dyn FnMut(u64, u32)| {});
        empty.find(7, &mut |_| panic!("nothing is in it"));
    }
}
