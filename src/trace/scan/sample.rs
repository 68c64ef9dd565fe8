//! A sample of a list's rows, from which it is seen which marks hang together in it.
//!
//! Names come in fashions that follow years, family names and postcodes in regions. How much, the
//! list itself tells: of all pairs of its rows, so many agree on the name, so many on the birth date,
//! and so many on both. Were the two independent, both would agree in the product of the two rates.
//!
//! Kept are the rows of [`stands_for`], and of them the [`ROWS`]
//! with the smallest hash of their place: the same ones whichever worker or machine sees them first, so
//! that samples of parts add up. Of a row the hashes of its keys are kept, 32 bits of each, and no text.
//!
//! A person who is in the list twice agrees with itself on everything. Such pairs say nothing about
//! strangers and are left out: rows that are equal throughout count once, and a pair that agrees on
//! two classes and on a third that follows from neither is taken for one person.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::normalise::Class;
use super::super::watch::Watch;
use super::tally::Place;

/// Rows that are kept.
pub const ROWS: usize = 65_536;
/// One-sided normal quantile of the bounds: pairs that share a row are no independent trials, so they
/// are wide.
const Z: f64 = 2.33;
/// Fewer pairs than these under independence bound nothing.
const EXPECTED: f64 = 0.5;

/// So many rows that agree on two classes are a habit of the list, and nobody twice.
const CROWD: usize = 1_000;

/// So many of a part's first rows are all in the sample, and one of so many that follow: how a list is written and
/// filled is soon seen.
const ALL_OF: u64 = 2_048;
const EACH: u64 = 512;

/// For how many rows a row of the sample stands; 0 for one that is not of it.
pub fn stands_for(row: u64) -> u64 {
    match row {
        0..=ALL_OF => 1,
        row if row.is_multiple_of(EACH) => EACH,
        _ => 0,
    }
}

/// For how many rows the sample of a part of so many stands.
pub fn stood_for(rows: u64) -> u64 {
    let first = rows.min(ALL_OF);
    first + (rows / EACH - first / EACH) * EACH
}

/// So many canaries' values are more than anybody guesses.
const SECRET: usize = 4_096;

/// Hashes of the keys of one row, by class; 0 stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Keys([u32; Class::ALL.len()]);

impl Keys {
    /// Takes one key; the first of each class counts.
    pub fn keep(&mut self, class: Class, text: &str, hasher: &KeyHasher) {
        let key = &mut self.0[class as usize];
        if *key == 0 {
            *key = hasher.hash(class, text);
        }
    }
}

/// Hashes keys under a secret that only the watch gives: the result of a part holds the sample, and who
/// gets hold of it must not find names and numbers out by trying them.
#[derive(Clone)]
pub struct KeyHasher(Sha256);

impl KeyHasher {
    /// The same for every part that is examined with a watch.
    pub fn new(watch: &Watch) -> KeyHasher {
        let mut secret = Sha256::new();
        match &watch.blind {
            Some(blind) => secret.update(blind.secret()),
            None => {
                for text in watch.texts().take(SECRET) {
                    secret.update(text);
                    secret.update([0]);
                }
            }
        }
        KeyHasher(Sha256::new_with_prefix(secret.finalize()))
    }

    fn hash(&self, class: Class, text: &str) -> u32 {
        let hash = self.0.clone().chain_update([class as u8]);
        let hash = hash.chain_update(text).finalize();
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) | 1
    }
}

/// A bounded sample of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    rows: BTreeMap<u64, Keys>,
}

impl Sample {
    /// Whether a row belongs to the sample, as far as is known by now.
    pub fn wants(&self, place: Place) -> bool {
        if stands_for(place.row) == 0 {
            return false;
        }
        let last = self.rows.last_key_value();
        self.rows.len() < ROWS || last.is_some_and(|(last, _)| number(place) < *last)
    }

    /// Keeps a row.
    pub fn note(&mut self, place: Place, keys: Keys) {
        self.rows.insert(number(place), keys);
        self.trim();
    }

    /// Adds another part's sample.
    pub fn add(&mut self, other: Sample) {
        for (number, keys) in other.rows {
            self.rows.insert(number, keys);
            self.trim();
        }
    }

    /// The sample of a piece that stands further behind in the list: its rows are others than those of
    /// the first piece, though both are numbered from 1.
    #[must_use]
    pub fn moved(self, parts: usize, rows: u64) -> Sample {
        let mut place = (parts as u64).to_be_bytes().to_vec();
        place.extend(rows.to_be_bytes());
        let other = hash(&place);
        let moved = |(number, keys): (u64, Keys)| (number ^ other, keys);
        Sample {
            rows: self.rows.into_iter().map(moved).collect(),
        }
    }

    fn trim(&mut self) {
        while self.rows.len() > ROWS {
            self.rows.pop_last();
        }
    }

    /// For every pair of classes how much likelier strangers agree on both than if the two were
    /// independent, at the most; nothing where the sample says too little.
    pub fn together(&self) -> Together {
        let mut together = Together::default();
        let persons: HashSet<&Keys> = self.rows.values().collect();
        // In any order: only counts are taken.
        let persons: Vec<&Keys> = persons.into_iter().collect();
        for (place, one) in Class::ALL.into_iter().enumerate() {
            for other in &Class::ALL[..place] {
                if let Some(factor) = factor(&persons, one as usize, *other as usize) {
                    together.0.insert((one as usize, *other as usize), factor);
                }
            }
        }
        together
    }
}

/// How much likelier marks of two classes are together than apart, at the most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Together(HashMap<(usize, usize), f64>);

impl Together {
    /// The bound for two classes, where the sample gives one.
    pub fn of(&self, one: Class, other: Class) -> Option<f64> {
        let (one, other) = (one as usize, other as usize);
        self.0.get(&(one.max(other), one.min(other))).copied()
    }
}

fn factor(persons: &[&Keys], one: usize, other: usize) -> Option<f64> {
    if kind(one) == kind(other) {
        return None;
    }
    let is_third = |class: usize| kind(class) != kind(one) && kind(class) != kind(other);
    let mut ones: HashMap<u32, f64> = HashMap::new();
    let mut others: HashMap<u32, f64> = HashMap::new();
    let mut both: HashMap<(u32, u32), Vec<&Keys>> = HashMap::new();
    let mut count = 0.0;
    let mut third = false;
    for keys in persons {
        if keys.0[one] == 0 || keys.0[other] == 0 {
            continue;
        }
        count += 1.0;
        *ones.entry(keys.0[one]).or_default() += 1.0;
        *others.entry(keys.0[other]).or_default() += 1.0;
        both.entry((keys.0[one], keys.0[other]))
            .or_default()
            .push(keys);
        third |= (0..keys.0.len()).any(|class| is_third(class) && keys.0[class] != 0);
    }
    if !third {
        // Strangers that agree on both cannot be told from one person twice.
        return None;
    }
    let pairs =
        |counts: &HashMap<u32, f64>| -> f64 { counts.values().map(|n| n * (n - 1.0) / 2.0).sum() };
    let expected = pairs(&ones) * pairs(&others) / (count * (count - 1.0) / 2.0);
    if expected.is_nan() || expected < EXPECTED {
        return None;
    }
    let mut seen = 0.0;
    for group in both.values() {
        if group.len() > CROWD {
            seen += group.len() as f64 * (group.len() - 1) as f64 / 2.0;
            continue;
        }
        for (place, row) in group.iter().enumerate() {
            let strangers = group[..place].iter().filter(|known| {
                let same = |class: usize| row.0[class] != 0 && row.0[class] == known.0[class];
                !(0..row.0.len()).any(|class| is_third(class) && same(class))
            });
            seen += strangers.count() as f64;
        }
    }
    Some(at_most(seen) / expected)
}

/// Classes of one kind follow from each other: a reading from its name, a postcode from its address.
fn kind(class: usize) -> usize {
    let kinds: [&[Class]; 2] = [
        &[Class::Name, Class::Given, Class::Kana],
        &[Class::Address, Class::Block, Class::Postcode],
    ];
    let of = |kind: &&[Class]| kind.iter().any(|member| *member as usize == class);
    kinds.iter().position(of).unwrap_or(kinds.len() + class)
}

/// An upper bound of the mean of which so many were seen (Wilson and Hilferty's form of the Poisson
/// bound).
fn at_most(seen: f64) -> f64 {
    let next = seen + 1.0;
    next * (1.0 - 1.0 / (9.0 * next) + Z / (3.0 * next.sqrt())).powi(3)
}

/// The order in which rows are kept: as good as random, and the same everywhere.
fn number(place: Place) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(place.part as u64).to_le_bytes());
    bytes[8..].copy_from_slice(&place.row.to_le_bytes());
    hash(&bytes)
}

/// FNV-1a with a last stir, so that all bits depend on all bytes.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_sample_stands_for_as_many_rows_as_its_rows_say() {
        for rows in [0, 1, 1_000, 2_048, 2_072, 2_559, 2_560, 9_999] {
            let each = (1..=rows).map(stands_for);
            assert_eq!(stood_for(rows), each.sum::<u64>(), "{rows}");
        }
        // A list of 2,072 rows is counted in its first 2,048, not in all of them.
        assert_eq!(stood_for(2_072), 2_048);
    }

    fn hasher() -> KeyHasher {
        KeyHasher(Sha256::new())
    }

    fn place(row: u64) -> Place {
        Place { part: 0, row }
    }

    /// People of 300 names and 400 days; a part of them have a name that follows the year.
    fn sample(rows: u64, fashion: f64, twice: f64) -> Sample {
        let mut rng = StdRng::seed_from_u64(1);
        let mut sample = Sample::default();
        let mut row = 0;
        while row < rows {
            let birth: u32 = rng.random_range(0..400);
            let name = if rng.random_bool(fashion) {
                birth / 4 * 3 + rng.random_range(0..3)
            } else {
                rng.random_range(0..300)
            };
            let phone: u32 = rng.random();
            for _ in 0..if rng.random_bool(twice) { 2 } else { 1 } {
                row += 1;
                let mut keys = Keys::default();
                keys.keep(Class::Name, &name.to_string(), &hasher());
                keys.keep(Class::Kana, &format!("reading of {name}"), &hasher());
                keys.keep(Class::Birth, &birth.to_string(), &hasher());
                keys.keep(Class::Phone, &phone.to_string(), &hasher());
                // A person may be there under another postcode.
                keys.keep(
                    Class::Postcode,
                    &rng.random_range(0..50_000).to_string(),
                    &hasher(),
                );
                sample.note(place(row), keys);
            }
        }
        sample
    }

    #[test]
    fn what_is_independent_is_bounded_near_one() {
        let factor = sample(20_000, 0.0, 0.0).together();
        let factor = factor.of(Class::Name, Class::Birth).unwrap();
        assert!((1.0..1.3).contains(&factor), "{factor}");
    }

    #[test]
    fn fashions_are_seen() {
        let factor = sample(20_000, 1.0, 0.0).together();
        let factor = factor.of(Class::Birth, Class::Name).unwrap();
        // Each name is borne in one hundredth of the years.
        assert!((80.0..130.0).contains(&factor), "{factor}");
    }

    #[test]
    fn people_who_are_there_twice_are_no_fashion() {
        let factor = sample(20_000, 0.0, 0.3).together();
        let factor = factor.of(Class::Name, Class::Birth).unwrap();
        assert!((1.0..1.4).contains(&factor), "{factor}");
    }

    #[test]
    fn two_columns_alone_and_short_lists_bound_nothing() {
        let mut sample = Sample::default();
        for row in 0..1_000 {
            let mut keys = Keys::default();
            keys.keep(Class::Name, &(row % 7).to_string(), &hasher());
            keys.keep(Class::Birth, &(row % 5).to_string(), &hasher());
            sample.note(place(row), keys);
        }
        assert_eq!(sample.together().of(Class::Name, Class::Birth), None);
        let short = self::sample(60, 0.0, 0.0).together();
        assert_eq!(short.of(Class::Name, Class::Birth), None);
    }

    #[test]
    fn samples_of_parts_add_up_to_that_of_the_whole() {
        let mut whole = Sample::default();
        let mut parts = [Sample::default(), Sample::default()];
        for row in 0..2 * ROWS as u64 {
            let place = Place {
                part: 0,
                row: row * 512,
            };
            for sample in [&mut whole, &mut parts[(row % 2) as usize]] {
                if sample.wants(place) {
                    let mut keys = Keys::default();
                    keys.keep(Class::Name, &(row % 97).to_string(), &hasher());
                    sample.note(place, keys);
                }
            }
        }
        let [mut first, second] = parts;
        first.add(second);
        assert_eq!(first.rows.len(), ROWS);
        assert!(first == whole);
        assert!(!whole.wants(place(5_001)));
    }
}
