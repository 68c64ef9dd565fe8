//! Dates that move on with a customer: the last visit, the last order, the last login.
//!
//! A row shows only the last of them. How far back it lies, as a part of the time since the customer joined, is spread
//! in some way over customers (a beta distribution, fitted by its mean and variance), by a status or the like where
//! one tells those who still come from those who stopped. A canary gets older, and its date with it. Whether the date
//! is still the last one is drawn so that canaries of every age are spread as customers are: it is, with the
//! density at the place that it comes to by that at the place where it was, if that is less; otherwise there is a new
//! one. So what happens once never happens again, and somebody who has not come for years hardly ever comes back, as the
//! table has it. Who has no date at all gets a first one as the share of customers without one falls with their age.
//!
//! Doubt: the customers of one day's table stand for what becomes of each of them, which they do as long as
//! the business stays as it is.

use std::collections::HashMap;

use rand::{Rng, RngExt};

use super::pace::Pace;
use crate::blend::{Dated, Partner, day, moment_like, order};
use crate::database::Row;

const DAY: f64 = 86_400.0;
/// Rows that a group needs to speak for itself.
const ENOUGH: usize = 40;
/// Values of a column that tells groups of customers apart, at most.
const VALUES: usize = 20;
/// Rows of which the share without a date is taken, at least.
const SHARE_OF: usize = 30;
/// The share of the rows that keep a rule; the others are slips.
const RULE: f64 = 0.99;

/// How the last date of customers lies in the time since they joined: the part of it that has passed since, by a beta
/// distribution.
#[derive(Clone, Copy, Debug)]
struct Law {
    p: f64,
    q: f64,
}

impl Law {
    fn of(parts: impl Iterator<Item = f64>) -> Option<Law> {
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for part in parts {
            count += 1.0;
            sum += part;
            squares += part * part;
        }
        if count < ENOUGH as f64 {
            return None;
        }
        let mean = (sum / count).clamp(0.002, 0.998);
        let variance = (squares / count - (sum / count).powi(2)).max(1e-5);
        let weight = (mean * (1.0 - mean) / variance - 1.0).max(0.05);
        Some(Law {
            p: mean * weight,
            q: (1.0 - mean) * weight,
        })
    }

    /// With which probability a date that lay `gap` back at the age of `before` is still the last one at the age of
    /// `age`; all in seconds.
    fn stays(self, gap: f64, before: f64, age: f64) -> f64 {
        // What happened within a day is not told apart.
        let (before, age) = (before.max(DAY), age.max(DAY));
        let part = |of: f64, age: f64| (of.max(DAY / 2.0) / age).min(1.0);
        let (since, until) = (gap + age - before, before - gap);
        let behind = part(since, age) / part(gap, before);
        let ahead = part(until, age) / part(until, before);
        let density = behind.powf(self.p - 1.0) * ahead.powf(self.q - 1.0);
        (density * before / age).min(1.0)
    }
}

/// What a column of dates does as its row gets older.
pub(super) struct Visits {
    pub column: String,
    /// Whether the row's moment of change moves along.
    touches: bool,
    /// A customer's date, as the column writes it.
    like: String,
    /// Whether the column says the day alone.
    days: bool,
    law: Law,
    /// The column by which customers are told apart, and the law of each value.
    by: Option<(String, HashMap<Option<String>, Law>)>,
    /// The share of customers without a date, by their age in seconds; it never rises.
    without: Vec<(f64, f64)>,
    /// Times of the day, in seconds.
    clocks: Vec<u32>,
}

/// A canary between two looks at it, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// How old it is.
    pub age: f64,
    /// How long ago it was looked at, at most its age.
    pub within: f64,
}

/// Where columns stand in a row, by their names.
pub(super) type Places<'a> = [(&'a str, usize)];

impl Visits {
    /// Learns of a column at a place; `None` where its dates do not lie between joining and now. `others` are columns
    /// by which customers may be told apart, `joined` gives when a row was made and last changed, and `now` is when, as the
    /// table's clock shows it ([`order`]).
    pub(super) fn learn(
        (column, place): (&str, usize),
        others: &Places<'_>,
        rows: &[Row],
        pace: &Pace,
        joined: impl Fn(&Row) -> (Option<f64>, Option<f64>),
        now: f64,
    ) -> Option<Visits> {
        let cell = |row: usize| rows.get(row)?.get(place)?.as_deref();
        let moments: Vec<(Option<f64>, Option<f64>)> = rows.iter().map(&joined).collect();
        let dates: Vec<(Option<f64>, Option<f64>)> = moments
            .iter()
            .enumerate()
            .map(|(row, (joined, _))| (*joined, cell(row).and_then(order)))
            .collect();
        let Some(Dated::Since { .. }) = Dated::learn(&dates, now) else {
            return None;
        };
        let dated = |row: usize| dates.get(row)?.1.filter(|at| day(*at).is_some());
        let lives = || pace.lives.iter();
        let mut sorted: Vec<(f64, usize)> = lives()
            .filter(|life| life.age > DAY)
            .filter_map(|life| {
                let gap = (now - dated(life.row)?).clamp(0.0, life.age);
                Some((gap / life.age, life.row))
            })
            .collect();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let law = Law::of(sorted.iter().map(|(part, _)| *part))?;
        let few = others.iter().enumerate().filter(|(_, (_, place))| {
            let values: std::collections::BTreeSet<&Option<String>> =
                rows.iter().filter_map(|row| row.get(*place)).collect();
            (2..=VALUES).contains(&values.len())
        });
        let few = few.map(|(number, (_, place))| (number, *place));
        let by = Partner::of((place, &sorted), few, rows).map(|partner| {
            let groups = partner.groups.into_iter().filter_map(|(value, group)| {
                Some((value, Law::of(group.sorted.iter().map(|(part, _)| *part))?))
            });
            (others[partner.number].0.to_owned(), groups.collect())
        });
        let days = dates
            .iter()
            .all(|(_, date)| date.is_none_or(|at| at % DAY == 0.0));
        let clock = |(_, date): &(_, Option<f64>)| Some(date.as_ref()?.rem_euclid(DAY) as u32);
        let touched: Vec<bool> = moments
            .iter()
            .zip(&dates)
            .filter_map(|((_, changed), (_, date))| Some((*changed)? - (*date)? > -DAY))
            .collect();
        let told = touched.iter().filter(|touched| **touched).count();
        Some(Visits {
            column: column.to_owned(),
            touches: touched.len() >= ENOUGH && told as f64 >= RULE * touched.len() as f64,
            like: lives()
                .find_map(|life| dated(life.row).and(cell(life.row)))?
                .to_owned(),
            days,
            law,
            by,
            without: without(lives().map(|life| (life.age, cell(life.row).is_none()))),
            clocks: if days {
                Vec::new()
            } else {
                dates.iter().filter_map(clock).collect()
            },
        })
    }

    /// Whether the moment of change of a row moves along.
    pub(super) fn touches(&self) -> bool {
        self.touches
    }

    /// The value in whose notation a new one is written.
    pub(super) fn like<'v>(&'v self, value: Option<&'v str>) -> &'v str {
        value.unwrap_or(&self.like)
    }

    /// The date of a row that had `value` when it was looked at last, and how many seconds ago it is; `None`: it is still
    /// the same. `other` gives the row's value in another column, and `now` is when, as the table's clock shows it.
    pub(super) fn moved<R: Rng + ?Sized>(
        &self,
        value: Option<&str>,
        other: impl Fn(&str) -> Option<String>,
        now: f64,
        span: Span,
        rng: &mut R,
    ) -> Option<(String, f64)> {
        let before = span.age - span.within;
        let old = match value {
            None => None,
            Some(text) => Some(order(text).filter(|at| day(*at).is_some())?),
        };
        let stays = match old {
            None => self.share_without(span.age) / self.share_without(before),
            Some(old) => {
                let gap = (now - span.within - old).clamp(0.0, before.max(0.0));
                let by = self.by.as_ref();
                let law = by.and_then(|(column, laws)| laws.get(&other(column)));
                law.unwrap_or(&self.law).stays(gap, before, span.age)
            }
        };
        if rng.random::<f64>() < stays {
            return None;
        }
        let within = now - span.within..=now;
        let plain = now - rng.random::<f64>() * span.within;
        let mut at = plain;
        if !self.clocks.is_empty() {
            let clock = self.clocks[rng.random_range(0..self.clocks.len())];
            let clock = (clock + rng.random_range(0..1_200)) % 86_400;
            let day = at - at.rem_euclid(DAY);
            at = Some(day + f64::from(clock))
                .filter(|at| within.contains(at))
                .unwrap_or(at);
        }
        if self.days {
            at -= at.rem_euclid(DAY);
        }
        if old.is_some_and(|old| at <= old) {
            return None;
        }
        let text = moment_like(self.like(value), at, rng)?;
        Some((text, (now - plain).min(now - at)))
    }

    /// The share of customers of an age without a date.
    fn share_without(&self, age: f64) -> f64 {
        let place = |age: f64| age.max(DAY / 2.0).ln();
        let behind = self.without.partition_point(|(other, _)| *other < age);
        let next = self.without.get(behind).or(self.without.last());
        let last = self
            .without
            .get(behind.wrapping_sub(1))
            .or(self.without.first());
        match (last, next) {
            (Some(last), Some(next)) if next.0 > last.0 => {
                let part = (place(age) - place(last.0)) / (place(next.0) - place(last.0));
                last.1 + (next.1 - last.1) * part.clamp(0.0, 1.0)
            }
            (Some((_, share)), _) => *share,
            (None, _) => 1.0,
        }
        .max(f64::MIN_POSITIVE)
    }
}

/// The share of rows without a date by age: rows of about one age together, and then as little changed as makes it fall
/// (the pooling of adjacent violators, Ayer et al. 1955).
fn without(rows: impl Iterator<Item = (f64, bool)>) -> Vec<(f64, f64)> {
    let mut rows: Vec<(f64, bool)> = rows.collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    // Of each: sum of ages, rows, rows without.
    let mut parts: Vec<(f64, f64, f64)> = Vec::new();
    let mut last = f64::NEG_INFINITY;
    for (age, empty) in rows {
        let class = (age / DAY).max(1.0).log2().floor();
        let full = parts.last().is_none_or(|part| part.1 >= SHARE_OF as f64);
        if full && class > last {
            parts.push((0.0, 0.0, 0.0));
            last = class;
        }
        if let Some(part) = parts.last_mut() {
            part.0 += age;
            part.1 += 1.0;
            part.2 += f64::from(u8::from(empty));
        }
    }
    let mut pooled: Vec<(f64, f64, f64)> = Vec::new();
    for part in parts {
        let mut own = part;
        while let Some(before) = pooled.last().copied()
            && own.2 / own.1 > before.2 / before.1
        {
            own = (own.0 + before.0, own.1 + before.1, own.2 + before.2);
            pooled.pop();
        }
        pooled.push(own);
    }
    pooled
        .into_iter()
        .map(|(ages, count, empty)| (ages / count, empty / count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::{MappedColumn, Mapping, Role};
    use crate::persona::Locale;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    /// 2026-11-01.
    const NOW: f64 = 2_461_346.0 * DAY;

    fn text(at: f64) -> Option<String> {
        let mut rng = StdRng::seed_from_u64(1);
        moment_like("2026-11-01 00:00:00", at, &mut rng)
    }

    fn date(at: f64) -> Option<String> {
        text(at).map(|text| text[..10].to_owned())
    }

    fn learnt(rows: &[Row]) -> Option<Visits> {
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns: vec![
                MappedColumn::told("made", Role::CreatedAt),
                MappedColumn::told("changed", Role::UpdatedAt),
            ],
            related: Vec::new(),
        };
        let columns = ["made", "changed", "status", "visited"].map(str::to_owned);
        let pace = Pace::learn(&mapping, &columns, rows);
        let moments = |row: &Row| {
            let at = |place: usize| row[place].as_deref().and_then(order);
            (at(0), at(1))
        };
        Visits::learn(("visited", 3), &[("status", 2)], rows, &pace, moments, NOW)
    }

    /// Customers who come again and again, but ever more seldom, and one in five who never comes. `lapsed` are those who
    /// have stopped.
    fn customers(touching: bool) -> Vec<Row> {
        let mut rng = StdRng::seed_from_u64(5);
        (0..6_000)
            .map(|number| {
                let age = if number == 0 {
                    0.0
                } else {
                    1_500.0 * rng.random::<f64>()
                } * DAY;
                let lapsed = rng.random_bool(0.3);
                let power = if lapsed { 0.5 } else { 4.0 };
                let visited = NOW - age + age * rng.random::<f64>().powf(1.0 / power);
                let visited = rng.random_bool(0.8).then_some(visited);
                let changed = visited.filter(|_| touching).unwrap_or(NOW - age);
                vec![
                    text(NOW - age),
                    text(changed + 5.0),
                    Some(if lapsed { "lapsed" } else { "active" }.to_owned()),
                    visited.and_then(date),
                ]
            })
            .collect()
    }

    #[test]
    fn canaries_of_every_age_are_spread_as_customers_are() {
        let rows = customers(false);
        let visits = learnt(&rows).unwrap();
        assert!(!visits.touches() && visits.days);
        assert_eq!(visits.by.as_ref().unwrap().0, "status");
        let mut rng = StdRng::seed_from_u64(9);
        for (status, mean) in [("active", 0.2), ("lapsed", 2.0 / 3.0)] {
            for step in [1.0, 30.0] {
                let mut parts = Vec::new();
                let mut changes = 0;
                for _ in 0..400 {
                    let (mut age, mut value) = (0.0, date(NOW));
                    while age < 600.0 * DAY {
                        age += step * DAY;
                        let span = Span {
                            age,
                            within: step * DAY,
                        };
                        let other = |column: &str| (column == "status").then(|| status.to_owned());
                        let at = NOW + age;
                        if let Some((new, ago)) =
                            visits.moved(value.as_deref(), other, at, span, &mut rng)
                        {
                            assert!((0.0..=span.within + DAY).contains(&ago), "{ago}");
                            assert!(new > value.unwrap());
                            value = Some(new);
                            changes += 1;
                        }
                    }
                    let last = order(value.as_deref().unwrap()).unwrap();
                    parts.push((NOW + age - last) / age);
                }
                let found = parts.iter().sum::<f64>() / 400.0;
                assert!((found - mean).abs() < 0.06, "{status} {step}: {found}");
                // As rarely as that takes: about its power by each e-fold of the age.
                let each = f64::from(changes) / 400.0;
                assert!(each < 40.0, "{each}");
            }
        }
    }

    #[test]
    fn who_never_comes_stays_away_and_who_is_new_comes_once() {
        let visits = learnt(&customers(true)).unwrap();
        assert!(visits.touches());
        let mut rng = StdRng::seed_from_u64(9);
        // As many never come among the old as among the young.
        let span = Span {
            age: 400.0 * DAY,
            within: 200.0 * DAY,
        };
        let other = |_: &str| Some("active".to_owned());
        let first = (0..1_000)
            .filter(|_| visits.moved(None, other, NOW, span, &mut rng).is_some())
            .count();
        assert!(first < 150, "{first}");
        // Here everybody orders once, a hundred days behind joining, and never again.
        let mut rows = customers(false);
        for row in &mut rows {
            let joined = row[0].as_deref().and_then(order).unwrap();
            row[3] = date(joined + 100.0 * DAY).filter(|_| joined + 100.0 * DAY < NOW);
        }
        let once = learnt(&rows).unwrap();
        let mut moved = |value: Option<String>, age: f64| {
            let span = Span {
                age: age * DAY,
                within: 10.0 * DAY,
            };
            (0..500)
                .filter(|_| {
                    once.moved(value.as_deref(), other, NOW, span, &mut rng)
                        .is_some()
                })
                .count()
        };
        assert_eq!(moved(None, 40.0), 0);
        assert!(moved(None, 130.0) > 50);
        let held = moved(date(NOW - 500.0 * DAY), 600.0);
        assert!(held < 15, "{held}");
        assert!(learnt(&rows[..20]).is_none());
    }
}
