//! Of several persons that could stand at a contact point, the one that a thief would least suspect.
//!
//! Trees learn to tell candidates from customers; the log odds that they give a candidate are the
//! (negative) log ratio of the two densities at it, so a candidate taken with a chance in proportion to that ratio
//! follows the customers' distribution (Azadi et al., "Discriminator rejection sampling", ICLR 2019). The least
//! suspicious one of all would not: it would be too ordinary.
//!
//! Trees tell less than there is to be told. Where some candidates with an amount are spoilt and none without, those are
//! passed over, and the others with an amount are not taken as much oftener: too many would have none. So the chances are
//! adjusted until each common value is as common as among customers (raking; Deming and Stephan, 1940).

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::boost::Binned;
use super::{Column, Exhibit, FOLDS, Kind, Row, at_rows, features, out_of_fold};

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

/// The share of customers that have a value, from which on it is common.
const COMMON: f64 = 0.03;
/// Customers who have it, at least.
const COMMON_ROWS: usize = 30;
/// How often each column's values are brought to their shares, and how far at most: where it takes more, whoever has the
/// value is spoilt.
const ROUNDS: usize = 8;
const FURTHEST: f64 = 4.0;

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
    let mut chances = vec![1.0; candidates.rows.len()];
    for own in &by_slot {
        let mean = own.iter().map(|at| margins[first + at]).sum::<f64>() / own.len().max(1) as f64;
        for at in own {
            chances[*at] = (mean - margins[first + at]).clamp(-MOST, MOST).exp();
        }
    }
    let among: Vec<&Row> = (customers.iter().zip(among))
        .filter_map(|(row, among)| among.then_some(row))
        .collect();
    let plain = columns.iter().enumerate();
    let plain = plain.filter(|(_, column)| column.kind == Kind::Plain);
    let mut common: Vec<Common> = plain
        .filter_map(|(column, _)| Common::of(column, &among, candidates))
        .collect();
    for _ in 0..ROUNDS {
        common
            .iter_mut()
            .for_each(|column| column.rake(&mut chances, &by_slot));
    }
    // Ordered by exponential times with these rates: the first is drawn in proportion to them.
    for own in &mut by_slot {
        let mut timed: Vec<(f64, usize)> = own
            .iter()
            .map(|at| {
                let uniform: f64 = rng.random_range(f64::MIN_POSITIVE..1.0);
                (-uniform.ln() / chances[*at], *at)
            })
            .collect();
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        *own = timed.into_iter().map(|(_, at)| at).collect();
    }
    by_slot
}

/// The common values of a column, the last of which stands for all others.
struct Common {
    /// Their shares of the customers.
    shares: Vec<f64>,
    /// Which of them each candidate has.
    value: Vec<usize>,
    /// By how much the chances of whoever has each of them are multiplied so far.
    factors: Vec<f64>,
}

impl Common {
    /// `None` where no value is common, or no slot leaves a choice.
    fn of(column: usize, customers: &[&Row], candidates: &Candidates<'_>) -> Option<Common> {
        let mut counts: HashMap<&Option<String>, usize> = HashMap::new();
        for row in customers {
            *counts.entry(&row[column]).or_default() += 1;
        }
        let least = COMMON_ROWS.max((COMMON * customers.len() as f64) as usize);
        counts.retain(|_, count| *count >= least);
        // A seed decides every draw, to the last bit of a sum.
        let mut known: Vec<(&Option<String>, usize)> = counts.into_iter().collect();
        known.sort_unstable();
        let place = |value: &Option<String>| known.binary_search_by(|(own, _)| (*own).cmp(value));
        let value = candidates.rows.iter().map(|row| place(&row[column]));
        let value: Vec<usize> = value.map(|place| place.unwrap_or(known.len())).collect();
        let mut of_slot: HashMap<usize, usize> = HashMap::new();
        let mut both = candidates.slot.iter().zip(&value);
        let varies = both.any(|(slot, value)| of_slot.entry(*slot).or_insert(*value) != value);
        let share = |count: usize| count as f64 / customers.len() as f64;
        let mut shares: Vec<f64> = known.iter().map(|(_, count)| share(*count)).collect();
        shares.push(1.0 - shares.iter().sum::<f64>());
        (varies && !known.is_empty()).then(|| Common {
            factors: vec![1.0; shares.len()],
            shares,
            value,
        })
    }

    /// Brings the chances nearer to where each value would be chosen as often as customers have it.
    fn rake(&mut self, chances: &mut [f64], by_slot: &[Vec<usize>]) {
        let mut chosen = vec![0.0; self.shares.len()];
        for own in by_slot {
            let all: f64 = own.iter().map(|at| chances[*at]).sum();
            own.iter()
                .for_each(|at| chosen[self.value[*at]] += chances[*at] / all);
        }
        let slots = by_slot.iter().filter(|own| !own.is_empty()).count();
        let shares = self.shares.iter().zip(chosen);
        let further = self
            .factors
            .iter_mut()
            .zip(shares)
            .map(|(factor, (share, chosen))| {
                let further = share * slots as f64 / chosen.max(f64::MIN_POSITIVE);
                let before = *factor;
                *factor = (before * further).clamp(1.0 / FURTHEST, FURTHEST);
                *factor / before
            });
        let further: Vec<f64> = further.collect();
        for (chance, value) in chances.iter_mut().zip(&self.value) {
            *chance *= further[*value];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The choice among so many candidates for each contact point.
    fn chosen(names: [&str; 2], customers: &[Row], rows: &[Row], each: usize) -> Vec<Vec<usize>> {
        let slot: Vec<usize> = (0..rows.len()).map(|at| at / each).collect();
        let columns = names.map(|name| Column {
            name: name.to_owned(),
            kind: Kind::Plain,
            contact: None,
            kana: false,
        });
        let candidates = Candidates { rows, slot: &slot };
        let among = vec![true; customers.len()];
        choose(&columns, customers, &among, &candidates, 3)
    }

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
        let order = chosen(["town", "note"], &customers, &rows, 15);
        let chosen = || order.iter().map(|own| rows[own[0]][1].as_deref());
        let noted = chosen().flatten().count();
        // Of 300, thirty, and of each note four; five standard deviations beyond.
        assert!((8..=56).contains(&noted), "{noted}");
        for note in notes {
            let count = chosen().filter(|own| *own == Some(note)).count();
            assert!(count <= 15, "{note}: {count}");
        }
    }

    /// A quarter of the customers and of the candidates has no points. Of the candidates with points half are spoilt and
    /// passed over, and the chances of the others are no higher for that: four in ten would have none.
    #[test]
    fn as_many_go_without_as_of_the_customers_where_others_are_spoilt() {
        let row = |at: usize| -> Row {
            let points = ["0", "110", "120", "130"][at % 4];
            vec![Some(points.to_owned())]
        };
        let customers: Vec<Row> = (0..400).map(row).collect();
        let rows: Vec<Row> = (0..4_000).map(row).collect();
        let none = |at: usize| at.is_multiple_of(4);
        let spoilt = |at: usize| !none(at) && (at / 4).is_multiple_of(2);
        let mut chances: Vec<f64> = (0..rows.len())
            .map(|at| if spoilt(at) { 1e-6 } else { 1.0 })
            .collect();
        let slot: Vec<usize> = (0..rows.len()).map(|at| at / 20).collect();
        let by_slot: Vec<Vec<usize>> = (0..200)
            .map(|slot| (slot * 20..slot * 20 + 20).collect())
            .collect();
        let chosen = |chances: &[f64], is: &dyn Fn(usize) -> bool| {
            let own = by_slot.iter().map(|own| {
                let all: f64 = own.iter().map(|at| chances[*at]).sum();
                own.iter()
                    .filter(|at| is(**at))
                    .map(|at| chances[*at] / all)
                    .sum::<f64>()
            });
            own.sum::<f64>() / by_slot.len() as f64
        };
        assert!((chosen(&chances, &none) - 0.4).abs() < 0.01);
        let candidates = Candidates {
            rows: &rows,
            slot: &slot,
        };
        let customers: Vec<&Row> = customers.iter().collect();
        let mut common = Common::of(0, &customers, &candidates).unwrap();
        for _ in 0..ROUNDS {
            common.rake(&mut chances, &by_slot);
        }
        assert!((chosen(&chances, &none) - 0.25).abs() < 0.01);
        assert!(chosen(&chances, &spoilt) < 0.01);
    }
}
