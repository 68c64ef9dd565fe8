//! Which hashes belong to values of the watch.
//!
//! Most cells of a list are nobody's that we know. A filter of a few bits for each value says so from the
//! cache; only what it lets through is looked up in the table.

/// Bits of a slot that hold the value; the others hold the hash's.
const VALUE_BITS: u32 = 26;
const VALUE: u64 = (1 << VALUE_BITS) - 1;
const EMPTY: u64 = u64::MAX;

/// A Bloom filter whose bits for one key are all in one word.
pub struct Filter {
    words: Box<[u64]>,
    shift: u32,
}

impl Filter {
    /// Room for so many keys, at 12 to 24 bits each.
    pub fn new(keys: usize) -> Filter {
        let bits = (keys.max(64) / 4).next_power_of_two().ilog2();
        Filter {
            words: vec![0; 1 << bits].into_boxed_slice(),
            shift: 64 - bits,
        }
    }

    /// Puts a key in.
    pub fn add(&mut self, hash: u64) {
        self.words[(hash >> self.shift) as usize] |= bits(hash);
    }

    /// Whether a key may be in it; seldom when it is not.
    #[inline]
    pub fn may_have(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.words[(hash >> self.shift) as usize] & bits == bits
    }
}

/// Four bits of a word, from the low end of a hash; its high end has chosen the word.
#[inline]
fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

/// From hashes to values.
pub struct Known {
    filter: Filter,
    slots: Box<[u64]>,
    mask: usize,
}

impl Known {
    /// `None` where there are too many values to number.
    pub fn new(values: impl ExactSizeIterator<Item = (u64, u32)>) -> Option<Known> {
        let size = (values.len() * 2).next_power_of_two().max(64);
        let mut known = Known {
            filter: Filter::new(values.len()),
            slots: vec![EMPTY; size].into_boxed_slice(),
            mask: size - 1,
        };
        for (hash, value) in values {
            if u64::from(value) >= VALUE {
                return None;
            }
            known.filter.add(hash);
            let mut at = known.start(hash);
            while known.slots[at] != EMPTY {
                at = (at + 1) & known.mask;
            }
            known.slots[at] = hash & !VALUE | u64::from(value);
        }
        Some(known)
    }

    #[inline]
    fn start(&self, hash: u64) -> usize {
        (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize & self.mask
    }

    /// The value of a hash. Of the hash's 64 bits 38 are compared beside those that chose the place and
    /// those of the filter: one cell in 10^13 is counted for a value that is not its own, and none is ever claimed
    /// by it.
    #[inline]
    pub fn find(&self, hash: u64) -> Option<u32> {
        if !self.filter.may_have(hash) {
            return None;
        }
        let mut at = self.start(hash);
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return None;
            }
            if slot & !VALUE == hash & !VALUE {
                return Some((slot & VALUE) as u32);
            }
            at = (at + 1) & self.mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_little_else() {
        let hash = |n: u64| (n + 1).wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(17) ^ n;
        let hash = |n: u64| hash(n).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash(n) >> 31;
        let known = Known::new((0..50_000_u32).map(|n| (hash(n.into()), n))).unwrap();
        for n in 0..50_000_u32 {
            assert_eq!(known.find(hash(n.into())), Some(n));
        }
        let strangers = || (50_000..1_050_000_u64).map(hash);
        assert_eq!(strangers().filter_map(|hash| known.find(hash)).count(), 0);
        let passed = strangers()
            .filter(|hash| known.filter.may_have(*hash))
            .count();
        assert!(passed < 20_000, "{passed} of a million pass the filter");
        let empty = Known::new(
            std::iter::empty::<(u64, u32)>()
                .collect::<Vec<_>>()
                .into_iter(),
        );
        assert_eq!(empty.unwrap().find(hash(1)), None);
        assert!(Known::new([(1, u32::MAX)].into_iter()).is_none());
    }
}
