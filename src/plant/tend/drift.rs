//! Which columns change with a customer's row, and to what.
//!
//! A row that was never touched shows what it was made with; of rows of the same age, those that were
//! touched show what became of it. Where a flag's values are spread otherwise in the second than in the
//! first, it changes with the row, and a canary's value moves along: as rarely as makes the one spread
//! into the other, and never back and forth. Where no column says when rows were changed, young and old
//! rows stand in for the two, which takes what differs between years of customers for change; the
//! movement is then spread over the years between them.

use std::collections::BTreeMap;

use rand::{Rng, RngExt};

use super::pace::{CLASSES, Life, Pace, class};
use crate::database::Row;

/// Values of a flag, a status or a plan: a column with more is none.
const VALUES: usize = 20;
/// Rows that each side of a comparison needs.
const ENOUGH: usize = 40;

type Value = Option<String>;

/// How a column's values are spread.
type Spread = BTreeMap<Value, f64>;

/// What a column does as rows age.
pub(super) struct Drift {
    pub column: String,
    shown: Shown,
}

/// By what a change shows.
enum Shown {
    /// From what was made to what was touched, by age class; where a class is too small, of all.
    Touched(Vec<(Spread, Spread)>),
    /// From young to old rows, and the seconds between them.
    Aged(Spread, Spread, f64),
}

impl Drift {
    /// Learns of a column; `None` where nothing shows that it changes.
    pub(super) fn learn(column: &str, place: usize, rows: &[Row], pace: &Pace) -> Option<Drift> {
        let value = |life: &Life| rows.get(life.row).and_then(|row| row.get(place)).cloned();
        let distinct: std::collections::BTreeSet<Value> =
            pace.lives.iter().filter_map(value).collect();
        if !(2..=VALUES).contains(&distinct.len()) {
            return None;
        }
        let spread = |lives: &[&Life]| -> (Spread, usize) {
            let mut counts = Spread::new();
            for value in lives.iter().filter_map(|life| value(life)) {
                *counts.entry(value).or_default() += 1.0;
            }
            (counts, lives.len())
        };
        let of = |touched: bool, of_class: Option<usize>| -> Vec<&Life> {
            let fits = |life: &&Life| {
                life.touched == Some(touched) && of_class.is_none_or(|own| own == class(life.age))
            };
            pace.lives.iter().filter(fits).collect()
        };
        let compared = |of_class| differ(spread(&of(false, of_class)), spread(&of(true, of_class)));
        let known = pace.lives.iter().any(|life| life.touched.is_some());
        if known {
            let all = compared(None)?;
            let touched =
                (0..CLASSES).map(|own| compared(Some(own)).unwrap_or_else(|| all.clone()));
            return Some(Drift {
                column: column.to_owned(),
                shown: Shown::Touched(touched.collect()),
            });
        }
        let mut by_age: Vec<&Life> = pace.lives.iter().collect();
        by_age.sort_by(|one, other| one.age.total_cmp(&other.age));
        let third = by_age.len() / 3;
        let (young, old) = (&by_age[..third], &by_age[by_age.len() - third..]);
        let middle = |lives: &[&Life]| lives.get(lives.len() / 2).map(|life| life.age);
        let apart = middle(old)? - middle(young)?;
        let (from, to) = differ(spread(young), spread(old))?;
        (apart > 0.0).then(|| Drift {
            column: column.to_owned(),
            shown: Shown::Aged(from, to, apart),
        })
    }

    /// Whether its changes are seen with the moments of change, and happen then alone.
    pub(super) fn with_touch(&self) -> bool {
        matches!(self.shown, Shown::Touched(_))
    }

    /// What a value becomes when its row is touched at this age for the first time, or again after a touch
    /// at the age of `before`; `None`: it stays.
    pub(super) fn at_touch<R: Rng + ?Sized>(
        &self,
        value: &Value,
        age: f64,
        before: Option<f64>,
        rng: &mut R,
    ) -> Option<Value> {
        let Shown::Touched(touched) = &self.shown else {
            return None;
        };
        let (made, now) = &touched[class(age)];
        let from = match before {
            None => made,
            Some(before) if class(before) == class(age) => return None,
            Some(before) => &touched[class(before)].1,
        };
        moved(value, from, now, 1.0, rng)
    }

    /// What a value becomes within some seconds; `None`: it stays.
    pub(super) fn within<R: Rng + ?Sized>(
        &self,
        value: &Value,
        seconds: f64,
        rng: &mut R,
    ) -> Option<Value> {
        let Shown::Aged(from, to, apart) = &self.shown else {
            return None;
        };
        moved(value, from, to, seconds / apart, rng)
    }
}

/// Two spreads as shares, if they are no draws from one (Pearson's chi-squared, beyond four standard
/// deviations of what chance gives).
fn differ(
    (mut one, of_one): (Spread, usize),
    (mut other, of_other): (Spread, usize),
) -> Option<(Spread, Spread)> {
    if of_one < ENOUGH || of_other < ENOUGH {
        return None;
    }
    let values: std::collections::BTreeSet<Value> =
        one.keys().chain(other.keys()).cloned().collect();
    let (of_one, of_other) = (of_one as f64, of_other as f64);
    let mut squares = 0.0;
    for value in &values {
        let (a, b) = (
            one.get(value).copied().unwrap_or(0.0),
            other.get(value).copied().unwrap_or(0.0),
        );
        for (seen, of) in [(a, of_one), (b, of_other)] {
            let expected = (a + b) * of / (of_one + of_other);
            squares += (seen - expected).powi(2) / expected;
        }
    }
    let free = values.len() as f64 - 1.0;
    one.values_mut().for_each(|count| *count /= of_one);
    other.values_mut().for_each(|count| *count /= of_other);
    (free > 0.0 && squares > free + 4.0 * (2.0 * free).sqrt()).then_some((one, other))
}

/// The least movement that makes the first spread the second, or the part of it that falls to `part` of the
/// time.
fn moved<R: Rng + ?Sized>(
    value: &Value,
    from: &Spread,
    to: &Spread,
    part: f64,
    rng: &mut R,
) -> Option<Value> {
    let (had, has) = (*from.get(value)?, to.get(value).copied().unwrap_or(0.0));
    let stays = (has / had).min(1.0).powf(part);
    if rng.random::<f64>() < stays {
        return None;
    }
    let gains: Vec<(&Value, f64)> = to
        .iter()
        .map(|(value, share)| (value, share - from.get(value).copied().unwrap_or(0.0)))
        .filter(|(_, gain)| *gain > 0.0)
        .collect();
    let mut left = rng.random::<f64>() * gains.iter().map(|(_, gain)| gain).sum::<f64>();
    for (value, gain) in &gains {
        left -= gain;
        if left <= 0.0 {
            return Some((*value).clone());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::{MappedColumn, Mapping, Role};
    use crate::persona::Locale;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const YEAR: f64 = 365.25 * 86_400.0;

    /// Of untouched rows one in ten has opted in, of touched ones every second; the colour is nobody's
    /// business.
    fn learnt(with_changes: bool) -> (Option<Drift>, Option<Drift>) {
        let mut rng = StdRng::seed_from_u64(11);
        let now = 1_790_000_000.0;
        let rows: Vec<Row> = (0..4_000)
            .map(|_| {
                let age = rng.random::<f64>() * 2.0 * YEAR;
                let touched = rng.random::<f64>() < age / YEAR / 2.0;
                let ago = if touched {
                    age * rng.random::<f64>() * 0.9
                } else {
                    age
                };
                let opted = rng.random::<f64>() < if touched { 0.5 } else { 0.1 };
                let text = |at: f64| Some(format!("{at:.0}"));
                vec![
                    text(now - age),
                    text(now - ago),
                    Some(u8::from(opted).to_string()),
                    Some(["red", "blue"][rng.random_range(0..2_usize)].to_owned()),
                ]
            })
            .collect();
        let mut roles = vec![MappedColumn::told("made", Role::CreatedAt)];
        if with_changes {
            roles.push(MappedColumn::told("changed", Role::UpdatedAt));
        }
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns: roles,
            related: Vec::new(),
        };
        let columns = ["made", "changed", "opted", "colour"].map(str::to_owned);
        let pace = Pace::learn(&mapping, &columns, &rows);
        (
            Drift::learn("opted", 2, &rows, &pace),
            Drift::learn("colour", 3, &rows, &pace),
        )
    }

    #[test]
    fn what_changes_with_a_touch_moves_and_nothing_else_does() {
        let (opted, colour) = learnt(true);
        assert!(colour.is_none());
        let (opted, mut rng) = (opted.unwrap(), StdRng::seed_from_u64(1));
        assert!(opted.with_touch());
        let (no, yes) = (Some("0".to_owned()), Some("1".to_owned()));
        let moves = (0..2_000)
            .filter(|_| opted.at_touch(&no, YEAR, None, &mut rng) == Some(yes.clone()))
            .count();
        // From 90 % to 50 %: four in nine.
        assert!((750..1_050).contains(&moves), "{moves}");
        assert_eq!(opted.at_touch(&yes, YEAR, None, &mut rng), None);
        assert_eq!(opted.at_touch(&no, YEAR, Some(0.9 * YEAR), &mut rng), None);
    }

    #[test]
    fn without_moments_of_change_age_stands_in() {
        let (opted, colour) = learnt(false);
        assert!(colour.is_none());
        let (opted, mut rng) = (opted.unwrap(), StdRng::seed_from_u64(1));
        assert!(!opted.with_touch());
        let no = Some("0".to_owned());
        let mut count = |seconds: f64| {
            (0..4_000)
                .filter(|_| opted.within(&no, seconds, &mut rng).is_some())
                .count()
        };
        let (month, year) = (count(YEAR / 12.0), count(YEAR));
        assert!(month * 6 < year && year < 2_000, "{month} {year}");
    }
}
