//! Columns whose values hang together.

use std::collections::HashMap;

use super::Together;

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

/// Pairs of columns of few values that hang together, the strongest first. Each column is the name and for each
/// row the number of its value.
pub(super) fn together(columns: &[(String, Vec<u32>)]) -> Vec<Together> {
    let mut out = Vec::new();
    for (at, (one, left)) in columns.iter().enumerate() {
        for (other, right) in &columns[at + 1..] {
            if let Some(strength) = strength(left, right).filter(|strength| *strength >= 0.05) {
                out.push(Together {
                    columns: [one.clone(), other.clone()],
                    strength,
                });
            }
        }
    }
    out.sort_by(|one, other| other.strength.total_cmp(&one.strength));
    out.truncate(30);
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
}
