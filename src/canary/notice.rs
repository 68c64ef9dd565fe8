//! How many canaries a source needs.
//!
//! A leak takes a part of the table's rows. It is noticed if at least one canary is among them. Of N
//! rows K are canaries; a leak of m rows drawn without looking misses all of them with the
//! hypergeometric probability C(N-K, m) / C(N, m), which for large tables is (1 - m/N)^K.

/// How probable it is that a leak of `share` (0 to 1) of a table with `customers` rows takes at least
/// one of `canaries` planted beside them.
pub fn notice_probability(customers: u64, canaries: u64, share: f64) -> f64 {
    let rows = customers + canaries;
    let leaked = (share.clamp(0.0, 1.0) * rows as f64).ceil();
    1.0 - missed(rows, canaries, leaked)
}

/// How probable it is that `leaked` of `rows` hold none of the `canaries` among them.
fn missed(rows: u64, canaries: u64, leaked: f64) -> f64 {
    // Rows beside the leak must hold every canary: C(N-m, K) / C(N, K), factor by factor.
    (0..canaries)
        .map(|place| {
            let left = rows as f64 - place as f64;
            ((left - leaked) / left).max(0.0)
        })
        .product()
}

/// The fewest rows of the table, canaries among them, that a leak can take so that it holds at least
/// one canary with `confidence`; `None` if there is no canary to be held.
pub fn smallest_noticed(customers: u64, canaries: u64, confidence: f64) -> Option<u64> {
    if canaries == 0 || !(0.0..1.0).contains(&confidence) {
        return None;
    }
    let rows = customers + canaries;
    let (mut low, mut high) = (0, rows);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if 1.0 - missed(rows, canaries, middle as f64) >= confidence {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// The fewest canaries with which a leak of `share` of the table is noticed with `confidence`; `None`
/// if a leak of that share takes no row at all.
pub fn canaries_needed(customers: u64, share: f64, confidence: f64) -> Option<u64> {
    if share <= 0.0 || !(0.0..1.0).contains(&confidence) {
        return None;
    }
    // Doubling, then halving the gap: the probability grows with the number of canaries.
    let enough = |canaries: u64| notice_probability(customers, canaries, share) >= confidence;
    let mut high = 1;
    while !enough(high) {
        high *= 2;
        if high > 1 << 32 {
            return None;
        }
    }
    let mut low = high / 2;
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_large_table_follows_the_simple_formula() {
        // 1 - (1 - s)^n >= c: n = ln(1 - c) / ln(1 - s).
        for (share, confidence, canaries) in [
            (0.10, 0.95, 29),
            (0.05, 0.95, 59),
            (0.01, 0.95, 299),
            (0.01, 0.99, 459),
            (0.5, 0.99, 7),
        ] {
            assert_eq!(
                canaries_needed(1_000_000_000, share, confidence),
                Some(canaries)
            );
        }
    }

    #[test]
    fn a_small_table_needs_fewer() {
        let small = canaries_needed(200, 0.05, 0.95).unwrap();
        assert!(small < 59, "{small}");
        // All rows leaked: one canary is enough.
        assert_eq!(canaries_needed(200, 1.0, 0.999), Some(1));
        assert_eq!(canaries_needed(200, 0.0, 0.9), None);
    }

    #[test]
    fn the_smallest_leak_noticed() {
        // 29 canaries in a large table: a tenth of it.
        let rows = smallest_noticed(1_000_000, 29, 0.95).unwrap();
        assert!((97_000..=100_000).contains(&rows), "{rows}");
        assert_eq!(smallest_noticed(1_000, 0, 0.95), None);
        // One canary among twenty rows: nineteen of them.
        assert_eq!(smallest_noticed(19, 1, 0.95), Some(19));
        assert_eq!(smallest_noticed(0, 3, 0.95), Some(1));
    }

    proptest! {
        #[test]
        fn one_row_less_than_the_smallest_leak_is_not_noticed(customers in 0u64..100_000, canaries in 1u64..300, confidence in 0.5f64..0.999) {
            let (all, rows) = (customers + canaries, smallest_noticed(customers, canaries, confidence).unwrap());
            prop_assert!(1.0 - missed(all, canaries, rows as f64) >= confidence);
            prop_assert!(rows == 1 || 1.0 - missed(all, canaries, (rows - 1) as f64) < confidence);
        }

        #[test]
        fn the_number_is_the_least_that_is_enough(customers in 1u64..100_000, share in 0.01f64..0.9, confidence in 0.5f64..0.999) {
            let needed = canaries_needed(customers, share, confidence).unwrap();
            prop_assert!(notice_probability(customers, needed, share) >= confidence);
            prop_assert!(notice_probability(customers, needed - 1, share) < confidence);
        }
    }
}
