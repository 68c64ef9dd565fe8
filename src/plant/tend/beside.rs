//! Which values stand beside each other in customers' rows. A rank that the number of orders decides does not change
//! while that stays: it would be the one such row of the table.

use std::collections::{BTreeSet, HashMap};

use crate::database::Row;

/// A column of more values than these is told by tenths of its numbers, or not at all.
const VALUES: usize = 20;
const PARTS: usize = 10;
/// Rows that two values should share, were they independent, before anything follows from their not doing so.
const EXPECTED: f64 = 5.0;
/// So much less than expected is never.
const NEVER: f64 = 0.1;

/// A value, or the part of a column's numbers that it lies in.
type Bucket = usize;

/// How a column's values are told apart.
enum Told {
    Values(Vec<Option<String>>),
    /// Where each part but the first begins.
    Numbers(Vec<f64>),
}

impl Told {
    fn of(values: &[&Option<String>]) -> Option<Told> {
        let distinct: BTreeSet<&Option<String>> = values.iter().copied().collect();
        if distinct.len() <= VALUES {
            return Some(Told::Values(distinct.into_iter().cloned().collect()));
        }
        let mut numbers: Vec<f64> = values.iter().filter_map(|value| number(value)).collect();
        if numbers.len() * 10 < values.len() * 9 {
            return None;
        }
        numbers.sort_by(f64::total_cmp);
        let mut begins: Vec<f64> = (1..PARTS)
            .map(|part| numbers[numbers.len() * part / PARTS])
            .collect();
        begins.dedup();
        Some(Told::Numbers(begins))
    }

    fn bucket(&self, value: &Option<String>) -> Option<Bucket> {
        match self {
            Told::Values(values) => values.binary_search(value).ok(),
            Told::Numbers(begins) => {
                let number = number(value)?;
                Some(begins.partition_point(|begin| *begin <= number))
            }
        }
    }
}

fn number(value: &Option<String>) -> Option<f64> {
    let number: f64 = value.as_deref()?.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

/// Columns without a personal meaning, and how often their values share a row.
pub(super) struct Beside {
    columns: Vec<(String, Option<Told>)>,
    rows: f64,
    /// By column and bucket.
    each: HashMap<(usize, Bucket), f64>,
    /// By two columns, the first of them before the other, with a bucket of each.
    both: HashMap<(usize, Bucket, usize, Bucket), f64>,
}

impl Beside {
    /// Counts rows; each column comes with its place in them.
    pub(super) fn learn(columns: &[(&str, usize)], rows: &[Row]) -> Beside {
        let told = |place: usize| {
            let values: Vec<&Option<String>> =
                rows.iter().filter_map(|row| row.get(place)).collect();
            Told::of(&values)
        };
        let mut beside = Beside {
            columns: (columns.iter())
                .map(|(name, place)| ((*name).to_owned(), told(*place)))
                .collect(),
            rows: rows.len() as f64,
            each: HashMap::new(),
            both: HashMap::new(),
        };
        for row in rows {
            let buckets = (0..).zip(columns).zip(&beside.columns);
            let buckets: Vec<(usize, Bucket)> = buckets
                .filter_map(|((at, (_, place)), (_, told))| {
                    Some((at, told.as_ref()?.bucket(row.get(*place)?)?))
                })
                .collect();
            for (nth, (one, a)) in buckets.iter().enumerate() {
                *beside.each.entry((*one, *a)).or_default() += 1.0;
                for (other, b) in &buckets[nth + 1..] {
                    *beside.both.entry((*one, *a, *other, *b)).or_default() += 1.0;
                }
            }
        }
        beside
    }

    /// Whether a column may have a value in a row that has these others; what customers' rows say nothing of may be.
    pub(super) fn may<'v>(
        &self,
        column: &str,
        value: &Option<String>,
        others: impl Iterator<Item = (&'v str, &'v Option<String>)>,
    ) -> bool {
        let find = |name: &str, value: &Option<String>| {
            let at = self.columns.iter().position(|(own, _)| own == name)?;
            Some((at, self.columns[at].1.as_ref()?.bucket(value)?))
        };
        let Some(own) = find(column, value) else {
            return true;
        };
        let count = |of: &(usize, Bucket)| self.each.get(of).copied().unwrap_or(0.0);
        others
            .filter(|(name, _)| *name != column)
            .filter_map(|(name, value)| find(name, value))
            .all(|other| {
                let (first, second) = (own.min(other), own.max(other));
                let pair = (first.0, first.1, second.0, second.1);
                let seen = self.both.get(&pair).copied().unwrap_or(0.0);
                let expected = count(&own) * count(&other) / self.rows;
                expected < EXPECTED || seen > expected * NEVER
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_stays_with_the_orders_that_made_it() {
        let text = |text: &str| Some(text.to_owned());
        let rows: Vec<Row> = (0..1000)
            .map(|at| {
                let orders = at % 40;
                let rank = if orders > 8 { "gold" } else { "regular" };
                let plan = if at % 3 == 0 { "A" } else { "B" };
                vec![text(&orders.to_string()), text(rank), text(plan)]
            })
            .collect();
        let beside = Beside::learn(&[("orders", 0), ("rank", 1), ("plan", 2)], &rows);
        let may = |rank: &str, orders: Option<String>| {
            let plan = text("A");
            let others = [("orders", &orders), ("rank", &None), ("plan", &plan)];
            beside.may("rank", &text(rank), others.into_iter())
        };
        assert!(may("gold", text("20")) && may("regular", text("3")));
        assert!(!may("gold", text("1")) && !may("regular", text("39")));
        // Nothing is known of what no customer has.
        assert!(may("gold", None) && may("platinum", text("1")));
        assert!(Beside::learn(&[], &[]).may("rank", &text("gold"), std::iter::empty()));
    }
}
