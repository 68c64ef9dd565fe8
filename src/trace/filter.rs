//! A filter that says of most keys, from a few bits each, that they are none of ours.

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

    /// With these in it.
    pub fn of(hashes: &[u64]) -> Filter {
        Filter::with_room(hashes, 1)
    }

    /// With these in it, and so many times the usual room: the more are asked for together, the seldomer may one pass by
    /// mistake.
    pub fn with_room(hashes: &[u64], times: usize) -> Filter {
        let mut filter = Filter::new(hashes.len() * times);
        hashes.iter().for_each(|hash| filter.add(*hash));
        filter
    }

    /// Puts a key in.
    pub fn add(&mut self, hash: u64) {
        self.words[(hash >> self.shift) as usize] |= bits(hash);
    }

    /// Whether a key may be in it; seldom when it is not.
    #[inline]
    pub fn may_have(&self, hash: u64) -> bool {
        self.missing(hash) == 0
    }

    /// The bits of a key that are not there; none if it may be in it. Who asks for several keys before looking at any
    /// answer waits for memory once.
    #[inline]
    pub fn missing(&self, hash: u64) -> u64 {
        bits(hash) & !self.words[(hash >> self.shift) as usize]
    }
}

/// Four bits of a word, from the low end of a hash; its high end has chosen the word.
#[inline]
fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_passes_and_little_else() {
        let hash = |n: u64| {
            let bits = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb)
        };
        let mut filter = Filter::new(50_000);
        (1..=50_000).for_each(|n| filter.add(hash(n)));
        assert!((1..=50_000).all(|n| filter.may_have(hash(n))));
        let strangers = (50_001..1_050_001).filter(|n| filter.may_have(hash(*n)));
        let passed = strangers.count();
        assert!(passed < 20_000, "{passed} of a million pass");
        assert!(!Filter::new(0).may_have(hash(1)));
    }
}
