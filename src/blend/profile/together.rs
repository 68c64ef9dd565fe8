//! Columns whose values hang together.

use std::collections::HashMap;

use super::super::counted::Counted;
use super::Together;
use super::mix::commonest;

/// Pairs that are told at most.
const PAIRS: usize = 40;

/// Cramér's V with its bias taken off (Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", J. Korean Stat.
/// Soc. 2013): 0 for columns that do not hang together, 1 for one that follows from the other. `None`
/// where one of them has a single value.
fn strength(one: &[u32], other: &[u32]) -> Option<f64> {
    let n = one.len() as f64;
    let count = |values: &[u32]| {
        let mut counts: HashMap<u32, f64> = HashMap::new();
        for value in values {
            *counts.entry(*value).or_default() += 1.0;
        }
        counts
    };
    let (rows, columns) = (count(one), count(other));
    let (r, k) = (rows.len() as f64, columns.len() as f64);
    if r < 2.0 || k < 2.0 || n < 2.0 {
        return None;
    }
    let mut both: HashMap<(u32, u32), f64> = HashMap::new();
    for pair in one.iter().zip(other) {
        *both.entry((*pair.0, *pair.1)).or_default() += 1.0;
    }
    // The sum of (seen - expected)^2 / expected, over all cells, is n (the sum of seen^2 / (row column) - 1).
    let sum: f64 = both
        .iter()
        .map(|((a, b), seen)| seen * seen / (rows[a] * columns[b]))
        .sum();
    let phi = (sum - 1.0 - (r - 1.0) * (k - 1.0) / (n - 1.0)).max(0.0);
    let own = |size: f64| size - (size - 1.0).powi(2) / (n - 1.0);
    let least = own(r).min(own(k)) - 1.0;
    (least > 0.0).then(|| (phi / least).sqrt().min(1.0))
}

/// One thing that every row shows, by which rows are told apart.
pub(super) struct Facet {
    /// A column's name, or what is read out of one, e.g. "mail domain".
    pub name: String,
    /// What it is read out of: what two facets of one column have in common says nothing of customers.
    pub of: String,
    /// For each row the number of its value; 0 where it has none.
    pub values: Vec<u32>,
}

impl Facet {
    /// Of texts; what fewer than [`FOLDED_BELOW`](super::FOLDED_BELOW) rows have, or is not among the `most` commonest, is taken together.
    pub(super) fn of_texts(name: &str, of: &str, texts: &[Option<String>], most: usize) -> Facet {
        let counted = Counted::of(texts.iter().flatten().cloned());
        let named = commonest(&counted, most);
        let numbers: HashMap<&String, u32> =
            (2..).zip(named).map(|(at, (text, _))| (text, at)).collect();
        let number = |text: &Option<String>| {
            text.as_ref()
                .map_or(0, |text| numbers.get(text).copied().unwrap_or(1))
        };
        Facet {
            name: name.to_owned(),
            of: of.to_owned(),
            values: texts.iter().map(number).collect(),
        }
    }

    /// Of numbers, by the fifth of the rows that each lies in.
    pub(super) fn of_numbers(name: &str, numbers: &[Option<f64>]) -> Facet {
        let mut sorted: Vec<f64> = numbers.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let mut begins: Vec<f64> = (1..5)
            .filter_map(|part| sorted.get(sorted.len() * part / 5).copied())
            .collect();
        begins.dedup();
        let part = |number: f64| begins.partition_point(|begin| *begin <= number) as u32 + 1;
        Facet {
            name: name.to_owned(),
            of: name.to_owned(),
            values: numbers
                .iter()
                .map(|number| number.map_or(0, part))
                .collect(),
        }
    }
}

/// Pairs of facets that hang together, the strongest first.
pub(super) fn together(facets: &[Facet]) -> Vec<Together> {
    let mut out = Vec::new();
    for (at, one) in facets.iter().enumerate() {
        for other in facets[at + 1..].iter().filter(|other| other.of != one.of) {
            let strength = strength(&one.values, &other.values);
            if let Some(strength) = strength.filter(|strength| *strength >= 0.05) {
                out.push(Together {
                    columns: [one.name.clone(), other.name.clone()],
                    strength,
                });
            }
        }
    }
    // Sums over tables of counts differ in their last digits from run to run.
    out.sort_by_key(|one| std::cmp::Reverse((one.strength * 1e9).round() as i64));
    out.truncate(PAIRS);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn chance_is_no_bond_and_a_rule_is_a_whole_one() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let one: Vec<u32> = (0..3000).map(|_| rng.random_range(0..8)).collect();
        let other: Vec<u32> = (0..3000).map(|_| rng.random_range(0..20)).collect();
        assert!(strength(&one, &other).unwrap() < 0.05);
        let follows: Vec<u32> = one.iter().map(|value| value / 2).collect();
        assert!(strength(&one, &follows).unwrap() > 0.99);
        assert_eq!(strength(&one, &vec![1; 3000]), None);
    }

    #[test]
    fn facets_of_one_column_are_no_pair_and_numbers_are_told_by_their_fifth() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
        let ages: Vec<u32> = (0..2000).map(|_| rng.random_range(20..80)).collect();
        let domain = |age: &u32| {
            Some(
                if *age < 40 {
                    "young.example"
                } else {
                    "old.example"
                }
                .to_owned(),
            )
        };
        let domains: Vec<_> = ages.iter().map(domain).collect();
        let made: Vec<_> = domains
            .iter()
            .map(|domain| Some(domain.clone()?[..1].to_owned()))
            .collect();
        let points: Vec<_> = ages
            .iter()
            .map(|age| (age % 7 > 0).then_some(f64::from(*age) * 10.0))
            .collect();
        let facets = [
            Facet::of_texts("mail domain", "mail", &domains, 24),
            Facet::of_texts("how it is made", "mail", &made, 24),
            Facet::of_numbers("points", &points),
        ];
        assert_eq!(facets[2].values.iter().max(), Some(&5));
        assert_eq!(
            facets[2].values.iter().filter(|value| **value == 0).count(),
            ages.iter().filter(|age| **age % 7 == 0).count()
        );
        let found = together(&facets);
        let pairs: Vec<[&str; 2]> = found
            .iter()
            .map(|one| [one.columns[0].as_str(), one.columns[1].as_str()])
            .collect();
        assert_eq!(
            pairs,
            [["mail domain", "points"], ["how it is made", "points"]]
        );
        assert!(found[0].strength > 0.8, "{found:?}");
        // What few have is one value.
        let rare: Vec<_> = (0..100)
            .map(|at| Some(format!("{}", if at < 50 { 0 } else { at })))
            .collect();
        let rare = Facet::of_texts("rare", "rare", &rare, 24);
        assert_eq!(
            (rare.values[0], rare.values[70], rare.values[99]),
            (2, 1, 1)
        );
    }
}
