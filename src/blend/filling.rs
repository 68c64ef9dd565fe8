//! Columns without a personal meaning, filled as another customer's would be.
//!
//! What few rows share is never copied: a value whose count becomes two gives a canary away, and so
//! does a combination of values that one customer alone has.

use std::collections::HashMap;

use rand::{Rng, RngExt};

use super::counted::Counted;
use super::moment::{order, written_like};
use super::partner::{Group, Partner};
use super::texts::{self, Documents};

/// How a column's values are drawn.
enum Kind {
    /// A handful of values, many rows each: drawn together with the other columns of this kind.
    Few,
    /// Amounts and moments: a value near another row's, as round as that one. Sorted, with its row.
    Ordered(Vec<(f64, usize)>),
    /// Documents in JSON, of which each value is drawn by itself.
    Documents(Documents),
    /// Texts.
    Text,
}

struct Column {
    place: usize,
    kind: Kind,
    counted: Counted<String>,
    blank: Option<Option<String>>,
    /// The column with which its amounts go most.
    partner: Option<Partner>,
}

/// The columns of a table that are filled by resampling.
pub(crate) struct Filling {
    columns: Vec<Column>,
    /// The columns of amounts and moments, each behind its partner.
    ordered: Vec<usize>,
    /// Rows by what they have in the columns of few values.
    groups: HashMap<Vec<Option<String>>, u32>,
}

/// Columns with at most so many rows to each value hold amounts, moments or texts.
const ROWS_PER_VALUE: usize = 12;
/// Numbers of more different values than this are amounts, however many rows there are to each, unless they go with the
/// place.
const CODES: usize = 24;
/// How much oftener two rows of one region than any two have the same value, where it goes with the place.
const TIED: f64 = 1.5;
/// Draws until a value is found that no row has.
const TRIES: usize = 40;

impl Filling {
    /// Learns the columns at these places. `region` is the part of the country of a row.
    pub(crate) fn learn<'r>(
        places: &[usize],
        rows: &[Vec<Option<String>>],
        region: impl Fn(usize) -> Option<&'r str>,
    ) -> Filling {
        let columns: Vec<Column> = places
            .iter()
            .map(|place| Column::learn(*place, rows, &region))
            .collect();
        let mut filling = Filling {
            columns,
            ordered: Vec::new(),
            groups: HashMap::new(),
        };
        filling.pair(rows);
        for row in rows {
            *filling.groups.entry(filling.group(row)).or_default() += 1;
        }
        filling
    }

    /// Finds for each column of amounts or moments the one with which it goes most, of those that are drawn before it.
    fn pair(&mut self, rows: &[Vec<Option<String>>]) {
        let all = 0..self.columns.len();
        let (mut drawn, mut ordered): (Vec<usize>, Vec<usize>) =
            all.partition(|at| matches!(self.columns[*at].kind, Kind::Few));
        drawn.retain(|at| {
            let column = &self.columns[*at];
            column.counted.len() + usize::from(column.blank.is_some()) > 1
        });
        ordered.retain(|at| matches!(self.columns[*at].kind, Kind::Ordered(_)));
        ordered.sort_by_key(|at| self.columns[*at].counted.len());
        for at in &ordered {
            let Kind::Ordered(sorted) = &self.columns[*at].kind else {
                continue;
            };
            let others = drawn.iter();
            let others = others.map(|other| (*other, self.columns[*other].place));
            let place = self.columns[*at].place;
            let partner = Partner::of((place, sorted), others, rows);
            let column = &mut self.columns[*at];
            column.partner = partner;
            if column.counted.len() > 1 && !many_values(&column.counted) {
                drawn.push(*at);
            }
        }
        self.ordered = ordered;
    }

    /// What stands in a column's cells that are empty; `None` where none is.
    pub(crate) fn blank(&self, place: Option<usize>) -> Option<Option<String>> {
        let mut columns = self.columns.iter();
        columns
            .find(|column| Some(column.place) == place)?
            .blank
            .clone()
    }

    /// The columns of few values.
    fn few(&self) -> impl Iterator<Item = &Column> {
        let all = self.columns.iter();
        all.filter(|column| matches!(column.kind, Kind::Few))
    }

    fn group(&self, row: &[Option<String>]) -> Vec<Option<String>> {
        let cells = self.few().map(|column| row.get(column.place));
        cells.map(|cell| cell.cloned().flatten()).collect()
    }

    /// A cell for each column (place and value), as in row `at`. `near` are rows that could stand for it.
    pub(crate) fn draw<R: Rng + ?Sized>(
        &self,
        rows: &[Vec<Option<String>>],
        at: usize,
        near: &[usize],
        rng: &mut R,
    ) -> Vec<(usize, Option<String>)> {
        let row = &rows[at];
        let mut few = self.group(row);
        if self.groups.get(&few).is_none_or(|count| *count < 2) {
            few = self.alone(rows, few, near, rng);
        }
        let mut few = few.into_iter();
        let own = |column: &Column| row.get(column.place).cloned().flatten();
        let mut values: Vec<Option<String>> = self
            .columns
            .iter()
            .map(|column| match &column.kind {
                Kind::Few => few.next().flatten(),
                Kind::Text => own(column)
                    .and_then(|own| texts::drawn(own, &column.counted, column.blank.as_ref(), rng)),
                Kind::Documents(documents) => {
                    own(column).and_then(|own| match column.counted.count(&own) {
                        2.. => Some(own),
                        _ => documents
                            .drawn(&own, rng)
                            .or(column.blank.clone().flatten()),
                    })
                }
                Kind::Ordered(_) => None,
            })
            .collect();
        for number in &self.ordered {
            let column = &self.columns[*number];
            let partner = column.partner.as_ref().map(|partner| {
                let place = self.columns[partner.number].place;
                let was = row.get(place).cloned().flatten();
                let group = |value| partner.groups.get(value);
                (group(&was), group(&values[partner.number]))
            });
            values[*number] = column.near(own(column), partner, rows, rng);
        }
        let places = self.columns.iter().map(|column| column.place);
        places.zip(values).collect()
    }

    /// A combination that no row has, in the place of one that one customer alone has: that of the row near by which
    /// is most like it gives some of the values in which they differ.
    ///
    /// Most customers of a table with a column of many values have a combination of their own, so it must not be
    /// traded for a common one: those have the common values.
    fn alone<R: Rng + ?Sized>(
        &self,
        rows: &[Vec<Option<String>>],
        own: Vec<Option<String>>,
        near: &[usize],
        rng: &mut R,
    ) -> Vec<Option<String>> {
        if near.is_empty() {
            return own;
        }
        let mut best: Option<(usize, Vec<Option<String>>)> = None;
        let mut shared = None;
        for _ in 0..TRIES {
            let other = self.group(&rows[near[rng.random_range(0..near.len())]]);
            let differing: Vec<usize> =
                (0..own.len()).filter(|at| own[*at] != other[*at]).collect();
            if shared.is_none() && self.groups.get(&other).is_some_and(|count| *count > 1) {
                shared = Some(other.clone());
            }
            // With one value alone it would become the other's.
            if differing.len() < 2
                || best
                    .as_ref()
                    .is_some_and(|(least, _)| differing.len() >= *least)
            {
                continue;
            }
            let mut mixed = own.clone();
            for at in &differing {
                if self.nobody_else(*at, &own) || rng.random_bool(0.5) {
                    mixed[*at].clone_from(&other[*at]);
                }
            }
            if !self.groups.contains_key(&mixed) {
                best = Some((differing.len(), mixed));
            }
        }
        best.map(|(_, mixed)| mixed).or(shared).unwrap_or(own)
    }

    /// Whether one customer alone has that value of the columns of few values.
    fn nobody_else(&self, number: usize, group: &[Option<String>]) -> bool {
        let own = self.few().nth(number).zip(group[number].as_ref());
        own.is_some_and(|(column, value)| column.counted.count(value) == 1)
    }
}

impl Column {
    fn learn<'r>(
        place: usize,
        rows: &[Vec<Option<String>>],
        region: &impl Fn(usize) -> Option<&'r str>,
    ) -> Column {
        let cells = || {
            rows.iter()
                .map(|row| row.get(place).and_then(Option::as_deref))
        };
        let filled = || cells().flatten().filter(|text| !text.trim().is_empty());
        let counted = Counted::of(filled().map(str::to_owned));
        let blank = rows
            .iter()
            .map(|row| row.get(place).cloned().flatten())
            .find(|cell| cell.as_deref().is_none_or(|text| text.trim().is_empty()));
        let amounts = || {
            let mut lengths = filled().map(|text| text.trim().len());
            let first = lengths.next();
            counted.len() > CODES
                && filled().all(|text| text.trim().parse::<f64>().is_ok())
                && lengths.any(|length| Some(length) != first)
                && !goes_with_the_place(&counted, rows, place, region)
        };
        let kind = if !many_values(&counted) && !amounts() {
            Kind::Few
        } else {
            let numbers = rows
                .iter()
                .enumerate()
                .filter_map(|(at, row)| Some((order(row.get(place)?.as_deref()?)?, at)));
            let mut sorted: Vec<(f64, usize)> = numbers.collect();
            if sorted.len() * 10 >= filled().count() * 9 {
                sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                Kind::Ordered(sorted)
            } else {
                Documents::learn(filled()).map_or(Kind::Text, Kind::Documents)
            }
        };
        Column {
            place,
            kind,
            counted,
            blank,
            partner: None,
        }
    }

    /// An amount or a moment near `own`: one that as many other rows have as have `own`. Where it has a partner, these
    /// are the rows of the partner's value; `own` was of the first group, what is drawn is of the second.
    fn near<R: Rng + ?Sized>(
        &self,
        own: Option<String>,
        partner: Option<(Option<&Group>, Option<&Group>)>,
        rows: &[Vec<Option<String>>],
        rng: &mut R,
    ) -> Option<String> {
        let Kind::Ordered(all) = &self.kind else {
            return own;
        };
        let text = |at: usize| {
            rows[at]
                .get(self.place)
                .cloned()
                .flatten()
                .unwrap_or_default()
        };
        let group = partner.and_then(|(_, group)| group);
        let own = match (partner, group) {
            // Who has this value of the partner has no amount, or has one where the first group has none.
            (_, Some(group)) if group.sorted.is_empty() => return self.blank.clone().flatten(),
            (Some((Some(was), _)), Some(group)) if was.sorted.is_empty() => {
                let (_, at) = group.sorted[rng.random_range(0..group.sorted.len())];
                Some(text(at))
            }
            _ => own,
        };
        let own = own?;
        let Some(value) = order(&own) else {
            return (self.counted.count(&own) > 1)
                .then_some(own)
                .or(self.blank.clone()?);
        };
        let (own, value) = match (partner, group) {
            (Some((Some(was), _)), Some(group))
                if !std::ptr::eq(was, group) && !was.sorted.is_empty() =>
            {
                // As far up among the new ones as it was among its own; equal amounts stand anywhere in their stretch.
                let below = was.sorted.partition_point(|(other, _)| *other < value);
                let upto = was.sorted.partition_point(|(other, _)| *other <= value);
                let rank = rng.random_range(below..upto.max(below + 1));
                let at = rank * group.sorted.len() / was.sorted.len();
                let (value, at) = group.sorted[at.min(group.sorted.len() - 1)];
                (text(at), value)
            }
            _ => (own, value),
        };
        let sorted = group.map_or(all, |group| &group.sorted);
        let count = |text: &str| match group {
            Some(group) => group.counts.get(text).copied().unwrap_or(0),
            None => self.counted.count(&text.to_owned()),
        };
        let neighbour = |sorted: &[(f64, usize)], rng: &mut R| {
            let middle = sorted.partition_point(|(other, _)| *other < value);
            let reach = (sorted.len() / 50).max(8);
            let low = middle.saturating_sub(reach);
            let high = (middle + reach + 1).min(sorted.len());
            let (number, at) = sorted[rng.random_range(low.min(high - 1)..high)];
            (number, text(at))
        };
        if sorted.is_empty() {
            return Some(own);
        }
        let alike = |count: u32, others: u32| count * 2 >= others && count <= others * 2;
        let everywhere = |text: &String| self.counted.count(text);
        let (others, shared) = (
            count(&own).saturating_sub(1),
            everywhere(&own).saturating_sub(1),
        );
        if others > 0 {
            // One that is about as common, here and in the whole table, if there is one near; `own` is shared, so it may
            // be copied.
            for _ in 0..TRIES {
                let (_, text) = neighbour(sorted, rng);
                if alike(count(&text), others) && alike(everywhere(&text), shared) {
                    return Some(text);
                }
            }
            return Some(own);
        }
        if shared > 0 {
            // Shared, but by nobody who has that value of the partner: so is what takes its place.
            let (least, most) = (sorted[0].0, sorted[sorted.len() - 1].0);
            for _ in 0..TRIES {
                let (number, text) = neighbour(all, rng);
                if alike(everywhere(&text), shared)
                    && count(&text) == 0
                    && (least..=most).contains(&number)
                {
                    return Some(text);
                }
            }
            return Some(own);
        }
        for attempt in 0..TRIES {
            let (number, text) = neighbour(sorted, rng);
            let share: f64 = rng.random_range(0.0..1.0);
            // As round as its own; where such values are all taken, as the neighbour's.
            let like = if attempt < TRIES / 2 { &own } else { &text };
            let Some(between) = written_like(like, value + (number - value) * share, &text) else {
                continue;
            };
            if self.counted.count(&between) == 0 {
                return Some(between);
            }
        }
        Some(neighbour(sorted, rng).1)
    }
}

/// Whether there are few rows to each value.
fn many_values(counted: &Counted<String>) -> bool {
    let total: u32 = counted.all().map(|(_, count)| count).sum();
    counted.len() > 0 && (total as usize) / counted.len() < ROWS_PER_VALUE
}

/// Whether rows of one region have the same value oftener than others, as those of a branch have its number.
fn goes_with_the_place<'r>(
    counted: &Counted<String>,
    rows: &[Vec<Option<String>>],
    place: usize,
    region: &impl Fn(usize) -> Option<&'r str>,
) -> bool {
    let pairs = |count: u32| f64::from(count) * (f64::from(count) - 1.0);
    let mut regions: HashMap<&str, HashMap<&str, u32>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let value = row.get(place).and_then(Option::as_deref);
        if let (Some(value), Some(region)) = (value, region(at)) {
            *regions.entry(region).or_default().entry(value).or_default() += 1;
        }
    }
    let (mut alike, mut all) = (0.0, 0.0);
    for values in regions.values() {
        alike += values.values().map(|count| pairs(*count)).sum::<f64>();
        all += pairs(values.values().sum());
    }
    let anywhere: f64 = counted.all().map(|(_, count)| pairs(count)).sum();
    let total: u32 = counted.all().map(|(_, count)| count).sum();
    all > 0.0 && alike / all > TIED * anywhere / pairs(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn values_are_as_common_as_among_customers_whose_combinations_are_their_own() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        // A third has no points, as many as share the rest of a combination; nearly all others stand alone.
        let rows: Vec<Vec<Option<String>>> = (0..3000)
            .map(|_| {
                let points = match rng.random_bool(0.3) {
                    true => 0,
                    false => rng.random_range(1..150) * 10,
                };
                let of = |most: u32, rng: &mut rand_chacha::ChaCha8Rng| {
                    Some(rng.random_range(0..most).to_string())
                };
                vec![
                    Some(format!("{points} p")),
                    Some(format!("c{}", rng.random_range(0..60))),
                    of(5, &mut rng),
                    of(2, &mut rng),
                ]
            })
            .collect();
        let filling = Filling::learn(&[0, 1, 2, 3], &rows, |_| None);
        let near: Vec<usize> = (0..rows.len()).collect();
        let (mut none, mut copied) = (0, 0);
        for at in 0..1000 {
            let drawn = filling.draw(&rows, at, &near, &mut rng);
            let cells: Vec<_> = drawn.into_iter().map(|(_, value)| value).collect();
            none += usize::from(cells[0].as_deref() == Some("0 p"));
            let same = rows.iter().filter(|row| **row == cells).count();
            copied += usize::from(same == 1);
        }
        assert!((250..360).contains(&none), "{none}");
        assert_eq!(copied, 0);
    }

    #[test]
    fn the_number_of_a_branch_goes_with_its_place_and_an_amount_does_not() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let regions: Vec<String> = (0..10).map(|region| format!("{region}0")).collect();
        let rows: Vec<Vec<Option<String>>> = (0..2000)
            .map(|at| {
                let branch = at % 10 * 5 + rng.random_range(1..6);
                let amount = rng.random_range(0..60) * 5;
                vec![Some(branch.to_string()), Some(amount.to_string())]
            })
            .collect();
        let filling = Filling::learn(&[0, 1], &rows, |at| Some(&regions[at % 10]));
        let near: Vec<usize> = (3..2000).step_by(10).collect();
        let mut amounts = HashMap::new();
        for at in &near {
            let drawn = filling.draw(&rows, *at, &near, &mut rng);
            let number = |at: usize| drawn[at].1.as_ref().unwrap().parse::<u32>().unwrap();
            assert!((16..=20).contains(&number(0)), "{}", number(0));
            assert!(number(1) < 300 && number(1) % 5 == 0);
            *amounts.entry(number(1)).or_insert(0) += 1;
        }
        assert!(amounts.len() > 40, "{}", amounts.len());
    }

    #[test]
    fn amounts_go_with_each_other() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let rank = |orders: u32| match orders {
            9.. => "gold",
            4.. => "silver",
            _ => "regular",
        };
        let possible = |row: &[Option<String>]| {
            let number = |at: usize| row[at].as_ref().unwrap().parse::<u32>().unwrap();
            let (orders, points) = (number(1), number(2));
            let least = orders * 110;
            let most = if orders == 0 { 0 } else { least + 490 };
            row[0].as_deref() == Some(rank(orders)) && (least..=most).contains(&points)
        };
        let rows: Vec<Vec<Option<String>>> = (0..6000)
            .map(|_| {
                let silent = rng.random_bool(0.3);
                let often = -(rng.random_range(f64::MIN_POSITIVE..1.0_f64)).ln() * 4.0;
                let orders = if silent { 0 } else { 1 + often as u32 };
                let more = if silent {
                    0
                } else {
                    rng.random_range(0..50) * 10
                };
                let points = orders * 110 + more;
                let cells = [
                    rank(orders).to_owned(),
                    orders.to_string(),
                    points.to_string(),
                ];
                cells.map(Some).to_vec()
            })
            .collect();
        assert!(rows.iter().all(|row| possible(row)));
        let filling = Filling::learn(&[0, 1, 2], &rows, |_| None);
        let near: Vec<usize> = (0..rows.len()).collect();
        let (mut possibly, mut pairs) = (0, std::collections::BTreeSet::new());
        for at in 0..1000 {
            let drawn = filling.draw(&rows, at, &near, &mut rng);
            let cells: Vec<_> = drawn.into_iter().map(|(_, value)| value).collect();
            possibly += usize::from(possible(&cells));
            pairs.insert(cells);
        }
        assert!(possibly > 985, "{possibly}");
        assert!(pairs.len() > 300, "{}", pairs.len());
    }

    #[test]
    fn no_amount_of_one_customer_alone_is_copied_beside_a_common_one() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        // Most have the usual amount, or one of their own that is larger in one group; of a third nobody has any.
        let rows: Vec<Vec<Option<String>>> = (0..3000)
            .map(|at| {
                let group = ["a", "b", "c"][at % 3];
                let amount = match group {
                    "c" => None,
                    _ if rng.random_bool(0.15) => Some("500".to_owned()),
                    "a" => Some((1_000 + at * 7).to_string()),
                    _ => Some((90_000 + at * 7).to_string()),
                };
                vec![Some(group.to_owned()), amount]
            })
            .collect();
        let filling = Filling::learn(&[0, 1], &rows, |_| None);
        assert!(filling.columns[1].partner.is_some());
        let near: Vec<usize> = (0..rows.len()).collect();
        let mut usual = 0;
        for at in 0..1500 {
            let drawn = filling.draw(&rows, at, &near, &mut rng);
            let (group, amount) = (drawn[0].1.as_deref(), drawn[1].1.as_deref());
            assert_eq!(group == Some("c"), amount.is_none());
            usual += usize::from(amount == Some("500"));
            let own = |row: &&Vec<Option<String>>| row[1].as_deref() == amount;
            let copied = amount.is_some() && rows.iter().filter(own).count() == 1;
            assert!(!copied, "{amount:?}");
        }
        assert!((90..220).contains(&usual), "{usual}");
    }

    #[test]
    fn nobodys_own_value_is_copied() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let rows: Vec<Vec<Option<String>>> = (0..500u32)
            .map(|at| {
                let some = |text: String| Some(text);
                vec![
                    some(["gold", "silver"][(at % 2) as usize].to_owned()),
                    some((at * 37 + 1000).to_string()),
                    (at % 3 > 0).then(|| {
                        format!(
                            "2025-{:02}-{:02} 10:{:02}:{:02}",
                            1 + at % 12,
                            1 + at % 28,
                            at % 60,
                            at % 59
                        )
                    }),
                    (at % 5 == 0).then(|| format!("note {at}, called back, item {at}")),
                ]
            })
            .collect();
        let filling = Filling::learn(&[0, 1, 2, 3], &rows, |_| None);
        let near: Vec<usize> = (0..rows.len()).collect();
        let has =
            |place: usize, value: &str| rows.iter().any(|row| row[place].as_deref() == Some(value));
        for at in 0..200 {
            for (place, value) in filling.draw(&rows, at, &near, &mut rng) {
                let Some(value) = value else { continue };
                match place {
                    0 => assert!(has(0, &value)),
                    1 => assert!(!has(1, &value) && value.parse::<u32>().is_ok(), "{value}"),
                    _ => assert!(!has(place, &value), "{value}"),
                }
            }
        }
    }
}
