//! Which values stand beside each other in customers' rows. A rank that the number of orders decides does not change
//! while that stays: it would be the one such row of the table.

use std::collections::{BTreeSet, HashMap};

use crate::database::Row;

/// A column of more values than these is told by its numbers, or not at all.
const VALUES: usize = 200;
/// Numbers are told by the tenth of the rows that they lie in, too: most of many values are in few rows.
const PARTS: usize = 10;
/// Rows that two values should share, were they independent, before anything follows from their not doing so. A change
/// that is held back by chance is missed by nobody.
const EXPECTED: f64 = 3.0;
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
    /// Every way that tells a column's values apart, the finest first.
    fn ways(values: &[&Option<String>]) -> Vec<Told> {
        let mut ways = Vec::new();
        let distinct: BTreeSet<&Option<String>> = values.iter().copied().collect();
        let many = distinct.len();
        if many <= VALUES {
            ways.push(Told::Values(distinct.into_iter().cloned().collect()));
        }
        let mut numbers: Vec<f64> = values.iter().filter_map(|value| number(value)).collect();
        if many > PARTS && numbers.len() * 10 >= values.len() * 9 {
            numbers.sort_by(f64::total_cmp);
            let mut begins: Vec<f64> = (1..PARTS)
                .map(|part| numbers[numbers.len() * part / PARTS])
                .collect();
            begins.dedup();
            ways.push(Told::Numbers(begins));
        }
        ways
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
    /// Each column by its name, as often as there are ways to tell its values apart.
    columns: Vec<(String, Told)>,
    rows: f64,
    /// By column and bucket.
    each: HashMap<(usize, Bucket), f64>,
    /// By two columns, the first of them before the other, with a bucket of each.
    both: HashMap<(usize, Bucket, usize, Bucket), f64>,
}

impl Beside {
    /// Counts rows; each column comes with its place in them. Only pairs with one of the columns that `move` are asked for.
    pub(super) fn learn(
        columns: &[(&str, usize)],
        moves: impl Fn(&str) -> bool,
        rows: &[Row],
    ) -> Beside {
        let mut beside = Beside {
            columns: Vec::new(),
            rows: rows.len() as f64,
            each: HashMap::new(),
            both: HashMap::new(),
        };
        let (mut places, mut moving) = (Vec::new(), Vec::new());
        let any = columns.iter().any(|(name, _)| moves(name));
        for (name, place) in columns.iter().filter(|_| any) {
            let values: Vec<&Option<String>> =
                rows.iter().filter_map(|row| row.get(*place)).collect();
            for told in Told::ways(&values) {
                beside.columns.push(((*name).to_owned(), told));
                places.push(*place);
                moving.push(moves(name));
            }
        }
        for row in rows.iter().filter(|_| any) {
            let buckets = (0..).zip(&places).zip(&beside.columns);
            let buckets: Vec<(usize, Bucket)> = buckets
                .filter_map(|((at, place), (_, told))| Some((at, told.bucket(row.get(*place)?)?)))
                .collect();
            for (nth, (one, a)) in buckets.iter().enumerate() {
                *beside.each.entry((*one, *a)).or_default() += 1.0;
                for (other, b) in &buckets[nth + 1..] {
                    if !moving[*one] && !moving[*other] {
                        continue;
                    }
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
        let Some(own) = self.buckets(column, value).next() else {
            return true;
        };
        let count = |of: &(usize, Bucket)| self.each.get(of).copied().unwrap_or(0.0);
        others
            .filter(|(name, _)| *name != column)
            .flat_map(|(name, value)| self.buckets(name, value))
            .all(|other| {
                let (first, second) = (own.min(other), own.max(other));
                let pair = (first.0, first.1, second.0, second.1);
                let seen = self.both.get(&pair).copied().unwrap_or(0.0);
                let expected = count(&own) * count(&other) / self.rows;
                expected < EXPECTED || seen > expected * NEVER
            })
    }

    /// Where a value stands, in each way that its column is told.
    fn buckets(
        &self,
        column: &str,
        value: &Option<String>,
    ) -> impl Iterator<Item = (usize, Bucket)> {
        let ways = self.columns.iter().enumerate();
        ways.filter(move |(_, (name, _))| name == column)
            .filter_map(move |(at, (_, told))| Some((at, told.bucket(value)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_stays_with_the_orders_that_made_it() {
        let text = |text: &str| Some(text.to_owned());
        let rank = |column: &str| column == "rank";
        let rows: Vec<Row> = (0..1000)
            .map(|at| {
                let orders = at % 40;
                let rank = if orders > 8 { "gold" } else { "regular" };
                let plan = if at % 3 == 0 { "A" } else { "B" };
                vec![text(&orders.to_string()), text(rank), text(plan)]
            })
            .collect();
        let beside = Beside::learn(&[("orders", 0), ("rank", 1), ("plan", 2)], rank, &rows);
        let may = |rank: &str, orders: Option<String>| {
            let plan = text("A");
            let others = [("orders", &orders), ("rank", &None), ("plan", &plan)];
            beside.may("rank", &text(rank), others.into_iter())
        };
        assert!(may("gold", text("20")) && may("regular", text("3")));
        assert!(!may("gold", text("1")) && !may("regular", text("39")));
        // Tenths alone would not tell these two apart.
        assert!(!may("gold", text("8")) && !may("regular", text("9")));
        // Nothing is known of what no customer has.
        assert!(may("gold", None) && may("platinum", text("1")));
        // Of a thousand values the tenths are told.
        let rows: Vec<Row> = (0..1000)
            .map(|at| {
                let rank = if at > 500 { "gold" } else { "regular" };
                vec![text(&at.to_string()), text(rank)]
            })
            .collect();
        let beside = Beside::learn(&[("points", 0), ("rank", 1)], rank, &rows);
        let may = |rank: &str, points: &str| {
            let points = text(points);
            beside.may("rank", &text(rank), [("points", &points)].into_iter())
        };
        assert!(may("gold", "930") && !may("gold", "70"));
        assert!(Beside::learn(&[], rank, &[]).may("rank", &text("gold"), std::iter::empty()));
    }
}
