//! Blocking keys to canaries, in eight bytes each.

use crate::trace::filter::Filter;

/// A bucket has about so many entries.
const BUCKET: usize = 4;

/// Which canaries are found under which key. A key is kept as its bucket and 32 bits: what is found
/// under it is compared in full anyway.
pub struct Index {
    /// All keys: most rows have none of them, and this says so from fewer bytes than the rest.
    known: Filter,
    shift: u32,
    starts: Vec<u32>,
    prints: Vec<u32>,
    canaries: Vec<u32>,
}

impl Index {
    /// Builds the index; `all` gives each key with its canary.
    pub fn new(all: impl FnOnce(&mut dyn FnMut(u64, u32))) -> Index {
        // What a key costs is more than the room it takes for a moment.
        let (mut keys, mut bearers) = (Vec::new(), Vec::new());
        all(&mut |key, canary| {
            keys.push(key);
            bearers.push(canary);
        });
        let total = keys.len();
        let bits = (total / BUCKET).max(2).ilog2();
        let shift = 64 - bits;
        // Where each bucket ends, moved down to where it starts as it is filled.
        let mut starts = vec![0_u32; (1 << bits) + 1];
        let mut known = Filter::new(total);
        for &key in &keys {
            starts[(key >> shift) as usize] += 1;
            known.add(key);
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let (mut prints, mut canaries) = (vec![0; total], vec![0; total]);
        for (key, canary) in keys.into_iter().zip(bearers) {
            let place = &mut starts[(key >> shift) as usize];
            *place -= 1;
            prints[*place as usize] = key as u32;
            canaries[*place as usize] = canary;
        }
        Index {
            known,
            shift,
            starts,
            prints,
            canaries,
        }
    }

    /// Whether there may be any under a key.
    pub fn may_have(&self, key: u64) -> bool {
        self.known.may_have(key)
    }

    /// Gives the canaries under a key.
    pub fn find(&self, key: u64, give: &mut impl FnMut(u32)) {
        let bucket = (key >> self.shift) as usize;
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        let print = key as u32;
        for (place, found) in range.clone().zip(&self.prints[range]) {
            if *found == print {
                give(self.canaries[place]);
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
