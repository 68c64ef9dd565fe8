//! Random choices that do not change with a version of `rand`: the same seed gives the same people.

use rand::Rng;

/// A whole number below `n` (0 for `n` = 0). The bias of at most n / 2^32 does not matter here.
pub(super) fn below<R: Rng + ?Sized>(rng: &mut R, n: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(n)) >> 32) as u32
}

/// A whole number from `low` to `high`, both included.
pub(super) fn between<R: Rng + ?Sized>(rng: &mut R, low: i32, high: i32) -> i32 {
    low + below(rng, high.saturating_sub(low).max(0) as u32 + 1) as i32
}

/// True in `percent` of 100 cases.
pub(super) fn chance<R: Rng + ?Sized>(rng: &mut R, percent: u32) -> bool {
    below(rng, 100) < percent
}

/// One of these.
pub(super) fn pick<'a, T: ?Sized, R: Rng + ?Sized>(rng: &mut R, of: &[&'a T]) -> &'a T {
    of[below(rng, of.len() as u32) as usize]
}

/// Draws from a list by weight in constant time (Vose's alias method).
pub(super) struct Alias {
    /// Per place: keep it if the low 32 bits are below the threshold, else take the other one.
    cells: Vec<(u64, u32)>,
}

impl Alias {
    /// A table of these weights; weights below 0 count as 0. With no weight above 0 every place is
    /// equally likely. `weights` must not be empty.
    pub(super) fn new(weights: impl IntoIterator<Item = f64>) -> Alias {
        const ALWAYS: u64 = 1 << 32;
        let weights: Vec<f64> = weights.into_iter().map(|w| w.max(0.0)).collect();
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            let even = (0..weights.len() as u32).map(|i| (ALWAYS, i));
            return Alias {
                cells: even.collect(),
            };
        }
        let mut scaled: Vec<f64> = weights
            .iter()
            .map(|w| w * weights.len() as f64 / total)
            .collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..scaled.len()).partition(|&i| scaled[i] < 1.0);
        let mut cells: Vec<(u64, u32)> = (0..scaled.len() as u32).map(|i| (ALWAYS, i)).collect();
        while let (Some(&less), Some(&more)) = (small.last(), large.last()) {
            small.pop();
            cells[less] = ((scaled[less] * ALWAYS as f64) as u64, more as u32);
            scaled[more] -= 1.0 - scaled[less];
            if scaled[more] < 1.0 {
                large.pop();
                small.push(more);
            }
        }
        // Rounding may strand a place that has no weight among those that keep themselves.
        let heaviest = (0..weights.len())
            .max_by(|&a, &b| weights[a].total_cmp(&weights[b]))
            .unwrap_or_default();
        for (i, weight) in weights.iter().enumerate() {
            if *weight == 0.0 && cells[i].1 as usize == i {
                cells[i] = (0, heaviest as u32);
            }
        }
        Alias { cells }
    }

    /// The index of a weight.
    pub(super) fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        let random = rng.next_u64();
        let at = (((random >> 32) * self.cells.len() as u64) >> 32) as usize;
        let (threshold, other) = self.cells[at];
        if random & 0xFFFF_FFFF < threshold {
            at
        } else {
            other as usize
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    #[test]
    fn draws_follow_the_weights() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let table = Alias::new([1.0, 0.0, 7.0, 2.0]);
        let mut counts = [0u32; 4];
        for _ in 0..100_000 {
            counts[table.draw(&mut rng)] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, share) in counts.into_iter().zip([0.1, 0.0, 0.7, 0.2]) {
            assert!((f64::from(count) / 1e5 - share).abs() < 0.01, "{counts:?}");
        }
    }

    proptest! {
        #[test]
        fn what_has_no_weight_is_never_drawn(
            weights in proptest::collection::vec(0u32..5, 1..40).prop_filter("some", |w| w.iter().any(|&w| w > 0)),
            seed: u64,
        ) {
            let table = Alias::new(weights.iter().map(|&w| f64::from(w)));
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            for _ in 0..200 {
                prop_assert!(weights[table.draw(&mut rng)] > 0);
            }
        }

        #[test]
        fn between_stays_between(low in -50i32..50, more in 0i32..50, seed: u64) {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let drawn = between(&mut rng, low, low + more);
            prop_assert!((low..=low + more).contains(&drawn));
        }
    }
}
