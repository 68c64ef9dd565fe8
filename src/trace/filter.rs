//! A filter that says of most keys, from a few bits each, that they are none of ours.

use std::io;

use prefetch_index::prefetch_index;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::store::{Items, Packer, broken};

/// A Bloom filter whose bits for one key are all in one word, and the words for keys of one group ([`beside`]) in one line
/// of the cache.
pub struct Filter {
    lines: Box<[Line]>,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(align(64))]
struct Line([u64; WORDS]);

const WORDS: usize = 8;

/// Bits for each key: of keys that are not in it, one in 190 passes.
const BITS: usize = 16;
/// The same of a narrow one: one in 90.
const NARROW: usize = 12;

impl Filter {
    /// Room for so many keys.
    pub fn new(keys: usize) -> Filter {
        Filter::of_bits(keys * BITS)
    }

    /// Less room for them: where they are very many, and what passes is soon told from them.
    pub fn narrow(keys: usize) -> Filter {
        Filter::of_bits(keys * NARROW)
    }

    fn of_bits(bits: usize) -> Filter {
        let lines = bits.div_ceil(64 * WORDS).max(1);
        Filter {
            lines: vec![Line([0; WORDS]); lines].into_boxed_slice(),
        }
    }

    /// With these in it.
    pub fn of(hashes: &[u64]) -> Filter {
        let mut filter = Filter::new(hashes.len());
        hashes.iter().for_each(|hash| filter.add(*hash));
        filter
    }

    /// Stores it, for [`Filter::restore`].
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn store(&self, out: &mut Packer<'_>) -> io::Result<()> {
        out.all(&self.lines)
    }

    /// As it was stored.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where it is no filter.
    pub fn restore(input: &mut Items<'_>) -> io::Result<Filter> {
        let lines = input.all()?.into_boxed_slice();
        match lines.is_empty() {
            true => Err(broken()),
            false => Ok(Filter { lines }),
        }
    }

    /// Puts a key in.
    pub fn add(&mut self, hash: u64) {
        let line = place(hash, self.lines.len());
        self.lines[line].0[word(hash)] |= bits(hash);
    }

    /// Whether a key may be in it; seldom when it is not.
    #[inline]
    pub fn may_have(&self, hash: u64) -> bool {
        let line = &self.lines[place(hash, self.lines.len())];
        bits(hash) & !line.0[word(hash)] == 0
    }

    /// Has the line of a key brought from memory, for who asks for it later and has something else to do meanwhile.
    #[inline]
    pub fn fetch(&self, hash: u64) {
        prefetch_index(&self.lines, place(hash, self.lines.len()));
    }
}

/// A filter for keys of which many are asked for at once: what passes one that is small, and so stays at hand, is asked
/// for in a large one.
pub struct Sieve {
    small: Filter,
    large: Filter,
}

/// How many times the room of a narrow one the large one has: one in some 100,000 keys passes both by mistake, and more
/// where a group is large.
const ROOM: usize = 2;

impl Sieve {
    /// Room for so many keys.
    pub fn new(keys: usize) -> Sieve {
        Sieve {
            small: Filter::new(keys),
            large: Filter::narrow(keys * ROOM),
        }
    }

    /// With these in it.
    pub fn of(hashes: &[u64]) -> Sieve {
        let mut sieve = Sieve::new(hashes.len());
        hashes.iter().for_each(|hash| sieve.add(*hash));
        sieve
    }

    /// Puts a key in.
    pub fn add(&mut self, hash: u64) {
        self.small.add(hash);
        self.large.add(turned(hash));
    }

    /// Stores it, for [`Sieve::restore`].
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn store(&self, out: &mut Packer<'_>) -> io::Result<()> {
        self.small.store(out)?;
        self.large.store(out)
    }

    /// As it was stored.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where it is no sieve.
    pub fn restore(input: &mut Items<'_>) -> io::Result<Sieve> {
        Ok(Sieve {
            small: Filter::restore(input)?,
            large: Filter::restore(input)?,
        })
    }

    /// As [`Filter::fetch`], from the small one.
    #[inline]
    pub fn fetch(&self, hash: u64) {
        self.small.fetch(hash);
    }

    /// Whether a key may be in it; very seldom when it is not.
    #[inline]
    pub fn may_have(&self, hash: u64) -> bool {
        self.small.may_have(hash) && self.large.may_have(turned(hash))
    }
}

/// The hash of a key that is asked for together with others of its group. Their bits lie in one line of a filter; a group
/// of very many fills its line, which makes a filter slow for them and wrong for nobody.
#[inline]
pub const fn beside(group: u64, hash: u64) -> u64 {
    const LOW: u64 = u32::MAX as u64;
    group & !LOW | hash & LOW
}

/// A hash of which the high end hangs on all of another, so that it goes by other bits, and those of a group lie apart.
#[inline]
pub const fn turned(hash: u64) -> u64 {
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The place of a key among so many, from the high end of its hash: a product where a remainder would take longer.
#[inline]
pub fn place(hash: u64, places: usize) -> usize {
    let share = (hash >> 32) * places as u64;
    (share >> 32) as usize
}

/// The word of a line, from the low end of a hash; its high end has chosen the line.
#[inline]
const fn word(hash: u64) -> usize {
    (hash >> 24) as usize % WORDS
}

/// Four bits of a word, from the low end, too.
#[inline]
const fn bits(hash: u64) -> u64 {
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

    #[test]
    fn keys_of_a_group_lie_together_in_a_filter_and_apart_in_a_sieve() {
        let hash = |n: u64| n.wrapping_add(1).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let hash = |n: u64| hash(n ^ hash(n) >> 32);
        let keys: Vec<u64> = (0..60_000).map(|n| beside(hash(n / 6), hash(n))).collect();
        let filter = Filter::of(&keys);
        let line = |key: u64| place(key, filter.lines.len());
        assert!(
            keys.chunks(6)
                .all(|group| group.iter().all(|key| line(*key) == line(group[0])))
        );
        let sieve = Sieve::of(&keys);
        assert!(keys.iter().all(|key| sieve.may_have(*key)));
        // Other keys of the same groups.
        let others = (0..1_000_000).map(|n| beside(hash(n % 60_000 / 6), hash(n + 1_000_000)));
        let (first, both) = others.fold((0, 0), |(first, both), key| {
            let passes = [filter.may_have(key), sieve.may_have(key)].map(usize::from);
            (first + passes[0], both + passes[1])
        });
        assert!(
            first < 12_000 && both < 200,
            "{first} and {both} of a million pass"
        );
    }
}
