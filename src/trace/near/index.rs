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

/// How many keys each bucket of an index is to have: so they are placed one by one, and need not be in memory beside it.
pub struct Buckets {
    bits: u32,
    sizes: Vec<u32>,
    keys: usize,
    /// The highest number of a canary.
    most: u32,
}

impl Buckets {
    /// For about so many keys.
    pub fn new(about: usize) -> Buckets {
        let bits = (about / BUCKET).max(2).ilog2();
        Buckets {
            bits,
            sizes: vec![0; (1 << bits) + 1],
            keys: 0,
            most: 0,
        }
    }

    /// Counts a key of a canary.
    pub fn count(&mut self, key: u64, canary: u32) {
        self.sizes[bucket(turned(key), self.bits)] += 1;
        self.keys += 1;
        self.most = self.most.max(canary);
    }

    /// The index, in which each key that was counted is still to be put once.
    pub fn index(self) -> Index {
        // Where each bucket ends; filled from its end, it begins there when all are in it.
        let (mut starts, mut end) = (self.sizes, 0);
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        Index {
            known: Filter::narrow(self.keys),
            bits: self.bits,
            starts,
            entries: vec![0; self.keys],
            canary: u32::MAX.checked_shr(self.most.leading_zeros()).unwrap_or(0),
        }
    }
}

impl Index {
    /// Puts a key of a canary in, of those that were counted ([`Buckets::count`]).
    pub fn put(&mut self, key: u64, canary: u32) {
        self.known.add(key);
        let key = turned(key);
        let bucket = self.bucket(key);
        self.starts[bucket] -= 1;
        let place = self.starts[bucket] as usize;
        self.entries[place] = self.kept(key) | canary;
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
        bucket(turned, self.bits)
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

/// The bucket of a key that was [`turned`], which so many of its bits tell.
fn bucket(turned: u64, bits: u32) -> usize {
    (turned >> (u64::BITS - bits)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(about: usize, all: &[(u64, u32)]) -> Index {
        let mut buckets = Buckets::new(about);
        all.iter()
            .for_each(|(key, canary)| buckets.count(*key, *canary));
        let mut index = buckets.index();
        all.iter()
            .for_each(|(key, canary)| index.put(*key, *canary));
        index
    }

    #[test]
    fn each_key_finds_its_canaries_and_no_others() {
        let key = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let all: Vec<_> = (0..5_000).map(|n| (key(n / 2), n as u32)).collect();
        // How many there are is only guessed beforehand.
        for about in [2_500, 5_000, 80_000] {
            let index = index(about, &all);
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
        }
        let single = index(1, &[(key(7), 0)]);
        let mut found = Vec::new();
        (0..9).for_each(|n| single.find(key(n), &mut |canary| found.push((n, canary))));
        assert_eq!(found, [(7, 0)]);
        let empty = index(0, &[]);
        empty.find(7, &mut |_| panic!("nothing is in it"));
    }
}
