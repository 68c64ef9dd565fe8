//! A filter that says of most keys, from a few bits each, that they are none of ours.

/// A Bloom filter whose bits for one key are all in one word.
pub struct Filter {
    words: Box<[u64]>,
}

/// Bits for each key: of keys that are not in it, one in some 250 passes.
const BITS: usize = 16;

impl Filter {
    /// Room for so many keys.
    pub fn new(keys: usize) -> Filter {
        let words = (keys * BITS).div_ceil(64).max(1);
        Filter {
            words: vec![0; words].into_boxed_slice(),
        }
    }

    /// With these in it.
    pub fn of(hashes: &[u64]) -> Filter {
        Filter::with_room(hashes, 1)
    }

    /// With these in it, and so many times the usual room: the more are asked for together, the seldomer may one pass by
    /// mistake.
    fn with_room(hashes: &[u64], times: usize) -> Filter {
        let mut filter = Filter::new(hashes.len() * times);
        hashes.iter().for_each(|hash| filter.add(*hash));
        filter
    }

    /// Puts a key in.
    pub fn add(&mut self, hash: u64) {
        let place = place(hash, self.words.len());
        self.words[place] |= bits(hash);
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
        bits(hash) & !self.words[place(hash, self.words.len())]
    }
}

/// A filter for keys of which many are asked for at once: what passes one that is small, and so stays at hand, is asked
/// for in a large one.
pub struct Sieve {
    small: Filter,
    large: Filter,
}

/// How many times the usual room the large one has: one in some 50,000 keys passes both by mistake.
const ROOM: usize = 4;

impl Sieve {
    /// With these in it.
    pub fn of(hashes: &[u64]) -> Sieve {
        let turned: Vec<u64> = hashes.iter().map(|hash| turned(*hash)).collect();
        Sieve {
            small: Filter::of(hashes),
            large: Filter::with_room(&turned, ROOM),
        }
    }

    /// The bits of a key that are not in the small one, as [`Filter::missing`].
    #[inline]
    pub fn missing(&self, hash: u64) -> u64 {
        self.small.missing(hash)
    }

    /// Whether a key may be in it; very seldom when it is not.
    #[inline]
    pub fn may_have(&self, hash: u64) -> bool {
        self.small.may_have(hash) && self.large.may_have(turned(hash))
    }
}

/// A hash with the ends changed, so that either filter goes by other bits.
fn turned(hash: u64) -> u64 {
    hash.rotate_left(32)
}

/// The place of a key among so many, from the high end of its hash: a product where a remainder would take longer.
#[inline]
pub fn place(hash: u64, places: usize) -> usize {
    let share = (hash >> 32) * places as u64;
    (share >> 32) as usize
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
        assert!(passed < 6_000, "{passed} of a million pass");
        assert!(!Filter::new(0).may_have(hash(1)));
        let all: Vec<u64> = (1..=50_000).map(hash).collect();
        let sieve = Sieve::of(&all);
        assert!(all.iter().all(|hash| sieve.may_have(*hash)));
        let strangers = (50_001..1_050_001).filter(|n| sieve.may_have(hash(*n)));
        let passed = strangers.count();
        assert!(passed < 60, "{passed} of a million pass");
    }
}
