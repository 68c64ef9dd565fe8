//! How full the columns of a list are where a slice of its people stands.
//!
//! A list may have the numbers of all prefectures but one: where it was put together from several, or where somebody
//! has cut off a column of a part. Whether it would have shown the canaries of that prefecture is told by the rows of
//! that prefecture, and not by the whole list. Counted are the rows of [`stands_for`](super::stands_for).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::super::normalise::Class;
use super::super::traits::Attribute;
use super::tally::pairs;

/// Rows of a list by region and by sex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strata(#[serde(with = "pairs")] HashMap<(Attribute, u16), Stratum>);

/// Sampled rows of one value of an attribute. 0 stands for values that no canary has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stratum {
    /// For how many rows they stand.
    rows: u64,
    /// The same, squared and added up: a few rows that stand for very many say less than as many rows.
    squares: u64,
    /// Of them, those that have a key of each class.
    filled: [u64; Class::ALL.len()],
}

impl Strata {
    /// Counts a row that stands for `rows` and has keys of the classes in the set `filled`.
    pub fn count(&mut self, attribute: Attribute, value: u16, rows: u64, filled: u16) {
        let stratum = self.0.entry((attribute, value)).or_default();
        stratum.rows += rows;
        stratum.squares += rows * rows;
        for (class, count) in stratum.filled.iter_mut().enumerate() {
            *count += rows * u64::from(filled >> class & 1);
        }
    }

    /// Adds another part's counts.
    pub fn add(&mut self, other: Strata) {
        for (of, theirs) in other.0 {
            let mine = self.0.entry(of).or_default();
            mine.rows += theirs.rows;
            mine.squares += theirs.squares;
            let counts = mine.filled.iter_mut().zip(theirs.filled);
            counts.for_each(|(mine, theirs)| *mine += theirs);
        }
    }

    /// The rows of one value.
    pub fn of(&self, attribute: Attribute, value: u16) -> Stratum {
        self.0.get(&(attribute, value)).copied().unwrap_or_default()
    }

    /// For how many rows those stand that tell the attribute at all.
    pub fn told(&self, attribute: Attribute) -> u64 {
        let told = self.0.iter().filter(|((of, _), _)| *of == attribute);
        told.map(|(_, stratum)| stratum.rows).sum()
    }
}

impl Stratum {
    /// Whether no row is of it.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The share of these rows that has a key of a class, at the least: with a probability of `error` it is less.
    /// No rows say nothing. (Chernoff's bound of a binomial tail, exact where all rows have one.)
    pub fn filled_at_least(&self, class: Class, error: f64) -> f64 {
        if self.rows == 0 {
            return 0.0;
        }
        let rows = self.rows as f64;
        let seen = (self.filled[class as usize] as f64 / rows).min(1.0);
        // As many rows of equal weight as say the same (Kish 1965).
        let equal = rows * rows / (self.squares.max(1) as f64);
        let bound = -error.ln() / equal;
        let term = |part: f64, of: f64| {
            if part > 0.0 {
                part * (part / of).ln()
            } else {
                0.0
            }
        };
        let (mut low, mut high) = (0.0, seen);
        for _ in 0..50 {
            let middle: f64 = (low + high) / 2.0;
            let apart = term(seen, middle) + term(1.0 - seen, 1.0 - middle);
            *if apart > bound { &mut low } else { &mut high } = middle;
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_least_share_is_below_the_truth_as_often_as_is_said() {
        let mut rng = StdRng::seed_from_u64(1);
        const LISTS: usize = 2_000;
        for truth in [0.0, 0.05, 0.5, 0.97, 1.0] {
            for rows in [1, 20, 300] {
                let mut wrong = 0;
                for _ in 0..LISTS {
                    let mut strata = Strata::default();
                    for _ in 0..rows {
                        let filled = u16::from(rng.random_bool(truth)) << Class::Phone as u16;
                        strata.count(Attribute::Region, 1, 1, filled);
                    }
                    let stratum = strata.of(Attribute::Region, 1);
                    let least = stratum.filled_at_least(Class::Phone, 0.05);
                    wrong += usize::from(least > truth);
                    assert_eq!(stratum.filled_at_least(Class::Name, 0.05), 0.0);
                }
                assert!(wrong <= LISTS / 20, "{truth} {rows}: {wrong}");
            }
        }
    }

    #[test]
    fn rows_that_stand_for_many_say_less_than_as_many_rows() {
        let mut strata = Strata::default();
        let all = 1 << Class::Phone as u16;
        (0..512).for_each(|_| strata.count(Attribute::Region, 1, 1, all));
        strata.count(Attribute::Region, 2, 512, all);
        assert_eq!(strata.told(Attribute::Region), 1_024);
        let least = |value| {
            strata
                .of(Attribute::Region, value)
                .filled_at_least(Class::Phone, 0.01)
        };
        assert!((least(1) - 0.01_f64.powf(1.0 / 512.0)).abs() < 1e-6);
        assert!((least(2) - 0.01).abs() < 1e-6);
        assert_eq!(least(3), 0.0);
    }
}
