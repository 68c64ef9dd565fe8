//! Values with how often a table has them, and draws that keep those frequencies.

use std::collections::HashMap;
use std::hash::Hash;

use rand::{Rng, RngExt};

/// Values with their numbers of rows.
///
/// A thief who knows the table sees of each value how many other rows share it. For a customer that is
/// the count less one; for a row that was added it is the whole count. So a draw is not "like a row of
/// the table" but "like a row that is not there yet" (Good and Turing's question): see [`Counted::like`].
pub(crate) struct Counted<K> {
    counts: HashMap<K, u32>,
    /// By count, then by value, so that a seed decides every draw.
    order: Vec<(u32, K)>,
}

impl<K: Clone + Eq + Hash + Ord> Counted<K> {
    /// Counts values.
    pub(crate) fn of(values: impl IntoIterator<Item = K>) -> Counted<K> {
        let mut counts: HashMap<K, u32> = HashMap::new();
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
        let mut order: Vec<(u32, K)> = counts
            .iter()
            .map(|(value, count)| (*count, value.clone()))
            .collect();
        order.sort_unstable();
        Counted { counts, order }
    }

    /// How many rows have the value.
    pub(crate) fn count(&self, value: &K) -> u32 {
        self.counts.get(value).copied().unwrap_or(0)
    }

    /// All values with their numbers of rows.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&K, u32)> {
        self.order.iter().map(|(count, value)| (value, *count))
    }

    /// How many different values there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Any value, whatever its number of rows; `None` where there is none.
    pub(crate) fn any<R: Rng + ?Sized>(&self, rng: &mut R) -> Option<&K> {
        let last = self.order.len().checked_sub(1)?;
        Some(&self.order[rng.random_range(0..=last)].1)
    }

    /// A value that about `others` rows have; `None` for 0 (one that no row has is wanted), or where
    /// there is none near that count.
    pub(crate) fn like<R: Rng + ?Sized>(&self, others: u32, rng: &mut R) -> Option<&K> {
        if others == 0 {
            return None;
        }
        let mut slack = 0;
        // Common values stand alone at their counts: the nearest few are as good.
        while slack <= others.max(4) {
            let low = self
                .order
                .partition_point(|(count, _)| *count + slack < others);
            let high = self
                .order
                .partition_point(|(count, _)| *count <= others + slack);
            if low < high {
                return Some(&self.order[rng.random_range(low..high)].1);
            }
            slack = slack + 1 + slack / 2;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_draw_is_shared_by_as_many_rows_as_a_customers_value_is_by_others() {
        // Zipf-like counts, down to values that one row alone has.
        let rows: Vec<u32> = (1..400u32)
            .flat_map(|value| std::iter::repeat_n(value, 400 / value as usize))
            .collect();
        let counted = Counted::of(rows.iter().copied());
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let bins = |others: u32| (f64::from(others) + 1.0).log2() as usize;
        let (mut customers, mut drawn) = ([0f64; 10], [0f64; 10]);
        for (at, value) in rows.iter().enumerate().cycle().take(40_000) {
            let others = counted.count(value) - 1;
            customers[bins(others)] += 1.0;
            let value = counted.like(others, &mut rng);
            drawn[bins(value.map_or(0, |value| counted.count(value)))] += 1.0;
            assert!(at < rows.len());
        }
        for (one, other) in customers.iter().zip(drawn) {
            assert!(
                (one - other).abs() < 0.03 * 40_000.0,
                "{customers:?} {drawn:?}"
            );
        }
    }
}
