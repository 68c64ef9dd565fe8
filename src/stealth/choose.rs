//! Of several persons that could stand at a contact point, the one that a thief would least suspect.
//!
//! Trees learn to tell candidates from customers; the log odds that they give a candidate are the
//! (negative) log ratio of the two densities at it, so a candidate taken with a chance in proportion to that ratio
//! follows the customers' distribution (Azadi et al., "Discriminator rejection sampling", ICLR 2019). The least
//! suspicious one of all would not: it would be too ordinary.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::boost::Binned;
use super::{Column, Exhibit, FOLDS, Row, at_rows, features, out_of_fold};

/// Persons who could stand at contact points.
pub struct Candidates<'a> {
    /// Their rows, with all columns of the table.
    pub rows: &'a [Row],
    /// For each of them, the number of the contact points at which it would stand.
    pub slot: &'a [usize],
}

/// Candidates that trees learn from: of many more they would learn little more, and take as much longer.
const LEARNT: usize = 6_000;

/// How far a single look is trusted: odds beyond this are taken for this.
const MOST: f64 = 4.0;

/// For each slot its candidates in the order in which they are to be taken: the first is the choice, the others
/// stand by. `customers` are the table's rows, of which those `among` are like customers who join now.
pub fn choose(
    columns: &[Column],
    customers: &[Row],
    among: &[bool],
    candidates: &Candidates<'_>,
    seed: u64,
) -> Vec<Vec<usize>> {
    let slots = candidates.slot.iter().max().map_or(0, |slot| slot + 1);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut rows: Vec<Row> = customers.to_vec();
    rows.extend_from_slice(candidates.rows);
    let canary: Vec<bool> = (0..rows.len()).map(|row| row >= customers.len()).collect();
    let counted: Vec<bool> = canary.iter().map(|canary| !canary).collect();
    let judged: Vec<usize> = (0..rows.len())
        .filter(|row| canary[*row] || among[*row])
        .collect();
    let exhibit = Exhibit {
        columns: columns.to_vec(),
        rows: &rows,
        canary: &canary,
    };
    let first = judged.len() - candidates.rows.len();
    let mut seen = at_rows(features::features(&exhibit, &counted), &judged);
    // What all candidates of a slot share is not theirs to choose: their contact points.
    seen.keep(|_, values| {
        let own = &values[first..];
        let mut of_slot: Vec<Option<f32>> = vec![None; slots];
        own.iter().zip(candidates.slot).any(|(value, slot)| {
            let known = *of_slot[*slot].get_or_insert(*value);
            known != *value && !(known.is_nan() && value.is_nan())
        })
    });
    let mut by_slot: Vec<Vec<usize>> = vec![Vec::new(); slots];
    for (at, slot) in candidates.slot.iter().enumerate() {
        by_slot[*slot].push(at);
    }
    if seen.values.is_empty() {
        return by_slot;
    }
    let table = Binned::of(&seen.values);
    let fold: Vec<usize> = (0..judged.len())
        .map(|at| match at.checked_sub(first) {
            Some(candidate) if slots >= FOLDS => candidates.slot[candidate] % FOLDS,
            _ => rng.random_range(0..FOLDS),
        })
        .collect();
    let canary: Vec<bool> = judged.iter().map(|row| canary[*row]).collect();
    let share = LEARNT as f64 / candidates.rows.len().max(LEARNT) as f64;
    let learnt: Vec<bool> = canary
        .iter()
        .map(|canary| !canary || rng.random_bool(share))
        .collect();
    let (margins, _) = out_of_fold(&table, &canary, &fold, |row| learnt[row], &mut rng);
    // Ordered by exponential times with these rates: the first is drawn in proportion to them.
    for own in &mut by_slot {
        let mean = own.iter().map(|at| margins[first + at]).sum::<f64>() / own.len().max(1) as f64;
        let mut timed: Vec<(f64, usize)> = own
            .iter()
            .map(|at| {
                let odds = (margins[first + at] - mean).clamp(-MOST, MOST);
                let uniform: f64 = rng.random_range(f64::MIN_POSITIVE..1.0);
                (-uniform.ln() * odds.exp(), *at)
            })
            .collect();
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        *own = timed.into_iter().map(|(_, at)| at).collect();
    }
    by_slot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stealth::Kind;

    #[test]
    fn who_is_drawn_as_customers_are_is_chosen_with_the_notes_that_customers_have() {
        let mut rng = StdRng::seed_from_u64(5);
        let notes = [
            "vip",
            "locker 12",
            "call first",
            "spouse is a member",
            "moved?",
            "prefers mail",
            "guest of a friend",
        ];
        let mut row = || -> Row {
            let note = notes[rng.random_range(0..notes.len())].to_owned();
            vec![
                Some(format!("town {}", rng.random_range(0..40))),
                rng.random_bool(0.1).then_some(note),
            ]
        };
        let customers: Vec<Row> = (0..3_000).map(|_| row()).collect();
        let rows: Vec<Row> = (0..4_500).map(|_| row()).collect();
        let slot: Vec<usize> = (0..rows.len()).map(|at| at / 15).collect();
        let columns = ["town", "note"].map(|name| Column {
            name: name.to_owned(),
            kind: Kind::Plain,
            contact: None,
            kana: false,
        });
        let candidates = Candidates {
            rows: &rows,
            slot: &slot,
        };
        let among = vec![true; customers.len()];
        let order = choose(&columns, &customers, &among, &candidates, 3);
        let chosen = || order.iter().map(|own| rows[own[0]][1].as_deref());
        let noted = chosen().flatten().count();
        // Of 300, thirty, and of each note four; five standard deviations beyond.
        assert!((8..=56).contains(&noted), "{noted}");
        for note in notes {
            let count = chosen().filter(|own| *own == Some(note)).count();
            assert!(count <= 15, "{note}: {count}");
        }
    }
}
