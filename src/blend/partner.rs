//! Which amounts go with which column: as points go with orders, and orders with a rank.

use std::collections::HashMap;

/// The share of the variance of a column's ranks that its partner explains, at least.
const EXPLAINED: f64 = 0.2;

/// Amounts or moments in their order, each with its row.
type Sorted = [(f64, usize)];

/// A column of which each value has amounts of its own in another.
pub(crate) struct Partner {
    /// Which of the columns.
    pub number: usize,
    /// By its value: the other's amounts.
    pub groups: HashMap<Option<String>, Group>,
}

/// The amounts of the rows that have one value of the partner.
#[derive(Default)]
pub(crate) struct Group {
    pub sorted: Vec<(f64, usize)>,
    pub counts: HashMap<String, u32>,
}

impl Partner {
    /// That of the amounts that stand at `place`: of the other columns (number and place) the one with which they go
    /// most, if they go with any.
    pub fn of(
        (place, sorted): (usize, &Sorted),
        others: impl Iterator<Item = (usize, usize)>,
        rows: &[Vec<Option<String>>],
    ) -> Option<Partner> {
        let shares = others.map(|(number, by)| (explained(sorted, by, rows), number, by));
        let best = shares.max_by(|a, b| a.0.total_cmp(&b.0));
        let (_, number, by) = best.filter(|(share, ..)| *share >= EXPLAINED)?;
        let mut groups: HashMap<Option<String>, Group> = HashMap::new();
        // Those of which no row has an amount are told from those that there are not.
        for row in rows {
            groups.entry(row.get(by).cloned().flatten()).or_default();
        }
        for (value, row) in sorted {
            let key = rows[*row].get(by).cloned().flatten();
            let group = groups.entry(key).or_default();
            group.sorted.push((*value, *row));
            let text = rows[*row].get(place).cloned().flatten();
            *group.counts.entry(text.unwrap_or_default()).or_default() += 1;
        }
        Some(Partner { number, groups })
    }
}

/// The share of the variance of the amounts' ranks that lies between the values at `place` (the correlation ratio).
fn explained(sorted: &Sorted, place: usize, rows: &[Vec<Option<String>>]) -> f64 {
    // In the order in which the values come: a seed decides every draw, to the last bit of a sum.
    let mut known: HashMap<Option<&str>, usize> = HashMap::new();
    let mut sums: Vec<(f64, f64)> = Vec::new();
    let (mut total, mut squares) = (0.0, 0.0);
    // Equal amounts share their rank: as many zeros are no spread.
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        let first = sorted.partition_point(|(value, _)| *value < same[0].0);
        let rank = first as f64 + same.len() as f64 / 2.0;
        for (_, row) in same {
            let value = rows[*row].get(place).and_then(Option::as_deref);
            let at = *known.entry(value).or_insert(sums.len());
            if at == sums.len() {
                sums.push((0.0, 0.0));
            }
            let (sum, count) = &mut sums[at];
            *sum += rank;
            *count += 1.0;
            total += rank;
            squares += rank * rank;
        }
    }
    let count = sorted.len() as f64;
    let mean = total / count;
    let all = squares - count * mean * mean;
    let between: f64 =
        sums.iter().map(|(sum, own)| sum * sum / own).sum::<f64>() - count * mean * mean;
    // Many small groups explain something by chance alone.
    let by_chance = all * (sums.len() as f64 - 1.0) / (count - 1.0).max(1.0);
    if all > 0.0 {
        (between - by_chance) / all
    } else {
        0.0
    }
}
