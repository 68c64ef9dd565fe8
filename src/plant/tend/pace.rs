//! How often customers' rows change, learnt from when they last did.
//!
//! A row shows only its latest change. Looking backwards from now, the time until one meets it is
//! exponential with the rate of changes, cut off at the row's age: changes met over time looked through is
//! the rate (the maximum likelihood estimate under censoring). It is taken by age, since new customers
//! change more than old ones, and over the last year only. A moment that very many rows share is a job's
//! that ran over the whole table, and says nothing of customers.
//!
//! Customers differ: some change every month, and some never do. One rate for all would leave more rows as they were
//! made, or fewer, than the table has. So a canary's first change comes when as many customers of its age have changed
//! as its own rank among all rows says. How often rows change again can be told from the same table where customers who
//! joined early changed as those do who joined late: of the rows that last changed at some age, the older ones are
//! missing that have changed again meanwhile ([`again`]).

use std::collections::HashMap;

use rand::{Rng, RngExt};

use super::moment::{clock, seconds};
use crate::database::Row;
use crate::notation::{Mapping, Role};

/// Changes per row and year where the table does not show any: what a mover makes. About 4 % of Japan's
/// people move in a year (Report on Internal Migration, Statistics Bureau of Japan); nothing else is
/// assumed.
pub(super) const MOVES: f64 = 0.04;
const DAY: f64 = 86_400.0;
const YEAR: f64 = 365.25 * DAY;
/// Ends of the age classes, in days.
const AGES: [f64; 3] = [30.0, 182.0, 730.0];
/// How many age classes there are.
pub(super) const CLASSES: usize = AGES.len() + 1;
/// Rows that a class needs to speak for itself.
const ENOUGH: usize = 50;
/// Rows of about the same age from which is told how many have changed.
const ALIKE: usize = 200;
/// Of what share of an age such rows are, where there are more.
const NEAR: std::ops::Range<f64> = 0.8..1.25;
/// A change so soon is part of making the row.
const MAKING: f64 = 60.0;

/// Where a rate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// When the table's rows were last changed.
    Learnt,
    /// Nothing: a small rate is assumed.
    Assumed,
    /// The operator has said it.
    Told,
}

impl Grounds {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Grounds::Learnt => "learnt",
            Grounds::Assumed => "assumed",
            Grounds::Told => "told",
        }
    }
}

/// A row's life as far as its table shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// Which row.
    pub row: usize,
    /// Its age in seconds.
    pub age: f64,
    /// Whether it has changed since it was made; `None` where the table does not say.
    pub touched: Option<bool>,
}

/// How often rows change.
pub(super) struct Pace {
    pub grounds: Grounds,
    /// Changes per row and year, by age class.
    rates: [f64; CLASSES],
    /// Of all ages.
    pub mean: f64,
    /// Times of the day at which rows were changed, in seconds.
    clocks: Vec<u32>,
    /// Rows whose age is known.
    pub lives: Vec<Life>,
    /// The ages of the rows that say whether they have changed, in order, and how many of those before each have not;
    /// none where a rate was told or assumed.
    ages: Vec<f64>,
    unchanged: Vec<usize>,
    /// Changes per second of a row that has changed before, at most.
    again: f64,
}

/// The age class of an age in seconds.
pub(super) fn class(age: f64) -> usize {
    AGES.iter().take_while(|end| age >= **end * DAY).count()
}

impl Pace {
    /// Learns from a sample of rows.
    pub(super) fn learn(mapping: &Mapping, columns: &[String], rows: &[Row]) -> Pace {
        let place = |role: Role| {
            let column = mapping.with_role(role).next()?;
            columns.iter().position(|name| *name == column.column)
        };
        let (made, changed) = (place(Role::CreatedAt), place(Role::UpdatedAt));
        let read = |row: &Row, place: Option<usize>| seconds(row.get(place?)?.as_deref()?);
        let times: Vec<(Option<f64>, Option<f64>)> = rows
            .iter()
            .map(|row| (read(row, made), read(row, changed)))
            .collect();
        // The table's own clock: what is newest in it is now.
        let all = times.iter().flat_map(|(made, changed)| [*made, *changed]);
        let now = all.flatten().fold(f64::NEG_INFINITY, f64::max);
        let mut shared: HashMap<i64, usize> = HashMap::new();
        for changed in times.iter().filter_map(|(_, changed)| *changed) {
            *shared.entry(changed as i64).or_default() += 1;
        }
        let job = |at: f64| {
            shared
                .get(&(at as i64))
                .is_some_and(|n| *n > 5.max(rows.len() / 100))
        };
        let mut pace = Pace {
            grounds: Grounds::Assumed,
            rates: [MOVES; CLASSES],
            mean: MOVES,
            clocks: Vec::new(),
            lives: Vec::new(),
            ages: Vec::new(),
            unchanged: Vec::new(),
            again: f64::INFINITY,
        };
        // Of rows that have changed their age, and how old they were when they last did.
        let mut changed_at: Vec<(f64, f64)> = Vec::new();
        // Of each class: changes met, seconds looked through, rows.
        let mut met = [(0.0, 0.0, 0_usize); CLASSES];
        for (row, (made, changed)) in times.into_iter().enumerate() {
            let Some(made) = made else { continue };
            let age = (now - made).max(0.0);
            let changed = changed.filter(|at| !job(*at));
            let touched = changed.map(|at| at - made > MAKING);
            pace.lives.push(Life { row, age, touched });
            let Some(at) = changed else { continue };
            let since = match touched {
                Some(true) => (now - at).clamp(0.0, age),
                _ => age,
            };
            if touched == Some(true) {
                changed_at.push((age, age - since));
            }
            let (changes, through, count) = &mut met[class(age)];
            *count += 1;
            *through += since.min(YEAR);
            if touched == Some(true) && since < YEAR {
                *changes += 1.0;
                pace.clocks.push(clock(at));
            }
        }
        let (changes, through, count) = met.iter().fold((0.0, 0.0, 0), |sum, class| {
            (sum.0 + class.0, sum.1 + class.1, sum.2 + class.2)
        });
        if count < ENOUGH || through < 30.0 * DAY {
            return pace;
        }
        pace.grounds = Grounds::Learnt;
        pace.mean = changes / through * YEAR;
        for (rate, (changes, through, count)) in pace.rates.iter_mut().zip(met) {
            *rate = match count >= ENOUGH && through > DAY {
                true => changes / through * YEAR,
                false => pace.mean,
            };
        }
        let seen = |life: &Life| Some((life.age, life.touched?));
        let mut seen: Vec<(f64, bool)> = pace.lives.iter().filter_map(seen).collect();
        seen.sort_by(|one, other| one.0.total_cmp(&other.0));
        pace.ages = seen.iter().map(|(age, _)| *age).collect();
        let mut unchanged = 0;
        pace.unchanged = std::iter::once(0)
            .chain(seen.iter().map(|(_, touched)| {
                unchanged += usize::from(!touched);
                unchanged
            }))
            .collect();
        if changed_at.len() >= ENOUGH {
            pace.again = again(&pace.ages, &changed_at);
        }
        pace
    }

    /// Of the rows of about an age, the share that is as it was made; `None` where the table does not tell.
    fn unchanged(&self, age: f64) -> Option<f64> {
        if self.ages.len() < ENOUGH {
            return None;
        }
        let before = |age: f64| self.ages.partition_point(|other| *other < age);
        let (mut from, mut to) = (before(age * NEAR.start), before(age * NEAR.end));
        let mut younger = 1.0;
        if to - from < ALIKE {
            from = before(age).saturating_sub(ALIKE / 2);
            to = (from + ALIKE).min(self.ages.len());
            from = to.saturating_sub(ALIKE);
            // Whoever is younger than all these has had less time to change.
            let mean = self.ages[from..to].iter().sum::<f64>() / (to - from) as f64;
            younger = (age / mean.max(1.0)).min(1.0);
        }
        let rows = (to - from) as f64;
        let unchanged = (self.unchanged[to] - self.unchanged[from]) as f64;
        Some(1.0 - younger * (1.0 - unchanged / rows))
    }

    /// Changes per second of a row of that age which has changed before.
    fn rate_again(&self, age: f64) -> f64 {
        let unchanged = |age| self.unchanged(age).unwrap_or(1.0);
        let (young, old) = (age * NEAR.start, age * NEAR.end);
        let first = (unchanged(young) - unchanged(old)).max(0.0) / (old - young).max(DAY);
        let changed = 1.0 - unchanged(age);
        let left = match changed > 0.0 {
            true => (self.rate(age) - first).max(0.0) / changed,
            false => self.rate(age),
        };
        left.min(self.again)
    }

    /// The same at a rate that the operator says, in changes per row and year.
    pub(super) fn told(mut self, rate: f64) -> Pace {
        self.grounds = Grounds::Told;
        self.rates = [rate; CLASSES];
        self.ages.clear();
        self
    }

    /// Changes per second of a row of that age in seconds.
    pub(super) fn rate(&self, age: f64) -> f64 {
        self.rates[class(age)] / YEAR
    }

    /// When a canary of that age has last changed within the last so many seconds; seconds ago, or `None`: not at all.
    /// `rank` is the canary's own for ever, from 0 to 1, the sooner it changes for the first time the higher it is; with
    /// it, whether it has. `None` where nobody can see that.
    pub(super) fn last_change<R: Rng + ?Sized>(
        &self,
        age: f64,
        within: f64,
        rank: Option<(f64, bool)>,
        rng: &mut R,
    ) -> Option<f64> {
        if within <= 0.0 {
            return None;
        }
        let rate = match rank.zip(self.unchanged(age)) {
            Some(((rank, false), unchanged)) => {
                return (rank >= unchanged).then(|| rng.random::<f64>() * within);
            }
            Some(((_, true), _)) => self.rate_again(age),
            None => self.rate(age),
        };
        if rate <= 0.0 {
            return None;
        }
        let ago = -(1.0 - rng.random::<f64>()).ln() / rate;
        (ago < within).then_some(ago)
    }

    /// A time of the day at which customers' rows change, in seconds; `None` where nothing shows it.
    pub(super) fn clock<R: Rng + ?Sized>(&self, rng: &mut R) -> Option<u32> {
        if self.clocks.len() < ENOUGH {
            return None;
        }
        let near = self.clocks[rng.random_range(0..self.clocks.len())];
        Some((near + rng.random_range(0..1_200)) % 86_400)
    }
}

/// How often rows that have changed change again, per second: the maximum likelihood estimate where this rate is one for
/// all of them, and rows change at an age as often whenever they were made. `ages` are those of all rows, in order;
/// `changed` the age of each that has changed, and how old it was when it last did.
///
/// Of the rows that are older than `u`, those that last changed at that age are then of age `a` in proportion to the
/// number of rows of that age times exp(-rate × a), whatever it is that made them change: only that they did not again
/// is left. So the rate is where their mean age is what it should be.
fn again(ages: &[f64], changed: &[(f64, f64)]) -> f64 {
    let oldest = ages.last().copied().unwrap_or_default();
    // Each with the first of the rows that were older then.
    let older = |last: &f64| ages.partition_point(|age| age <= last);
    let changed = changed.iter().map(|(age, last)| (*age, older(last)));
    let changed: Vec<(f64, usize)> = changed.collect();
    // How much older they are together than they should be at a rate.
    let excess = |rate: f64| {
        // Sums over all rows from each on.
        let mut sums = vec![(0.0, 0.0); ages.len() + 1];
        for (at, age) in ages.iter().enumerate().rev() {
            let weight = (-rate * (age - ages[0])).exp();
            sums[at] = (sums[at + 1].0 + weight, sums[at + 1].1 + weight * age);
        }
        let over = changed.iter().map(|(age, first)| {
            let (weight, weighed) = sums[*first];
            match weight > 0.0 {
                true => age - weighed / weight,
                false => 0.0,
            }
        });
        over.sum::<f64>()
    };
    // The higher the rate, the younger they should be.
    let (mut low, mut high) = (0.0, 500.0 / oldest.max(DAY));
    if excess(low) >= 0.0 {
        return 0.0;
    }
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        match excess(middle) < 0.0 {
            true => low = middle,
            false => high = middle,
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::MappedColumn;
    use crate::persona::Locale;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn mapping() -> Mapping {
        Mapping {
            locale: Locale::JaJp,
            columns: vec![
                MappedColumn::told("made", Role::CreatedAt),
                MappedColumn::told("changed", Role::UpdatedAt),
            ],
            related: Vec::new(),
        }
    }

    /// Rows of ages up to three years that change `rate` times a year.
    fn rows(rate: f64, job: bool) -> Vec<Row> {
        let mut rng = StdRng::seed_from_u64(3);
        let now = 1_790_000_000.0;
        (0..6_000)
            .map(|number| {
                let age = if number == 0 {
                    0.0
                } else {
                    rng.random::<f64>() * 3.0 * YEAR
                };
                let ago = -(1.0 - rng.random::<f64>()).ln() / rate * YEAR;
                let changed = match job && number % 3 == 0 && age > 10.0 * DAY {
                    true => now - 10.0 * DAY,
                    false if ago < age => now - ago,
                    false => now - age,
                };
                let text = |at: f64| Some(format!("{:.0}", at));
                vec![text(now - age), text(changed)]
            })
            .collect()
    }

    #[test]
    fn the_rate_is_found_again() {
        let columns = ["made".to_owned(), "changed".to_owned()];
        for (rate, job) in [(0.2, false), (2.0, false), (0.8, true)] {
            let pace = Pace::learn(&mapping(), &columns, &rows(rate, job));
            assert_eq!(pace.grounds, Grounds::Learnt);
            assert!(
                (pace.mean / rate - 1.0).abs() < 0.15,
                "{} for {rate}",
                pace.mean
            );
        }
        let few = Pace::learn(&mapping(), &columns, &rows(1.0, false)[..20]);
        assert_eq!((few.grounds, few.mean), (Grounds::Assumed, MOVES));
    }

    /// A fifth of the customers never change, and the others once, whenever it may be.
    #[test]
    fn as_many_never_change_as_of_the_customers() {
        let columns = ["made".to_owned(), "changed".to_owned()];
        let mut rng = StdRng::seed_from_u64(8);
        let start = 1_700_000_000.0;
        let customers: Vec<(f64, Option<f64>)> = (0..4_000)
            .map(|_| {
                let made = start + rng.random::<f64>() * 3.0 * YEAR;
                let change = rng.random_bool(0.8);
                let until = start + 4.0 * YEAR - made;
                (made, change.then(|| made + rng.random::<f64>() * until))
            })
            .collect();
        let ranks: Vec<f64> = (0..400).map(|at| (f64::from(at) + 0.5) / 400.0).collect();
        let made = start + YEAR;
        let mut changes = vec![0; ranks.len()];
        let step = YEAR / 26.0;
        for time in 27..=104 {
            let now = start + f64::from(time) * step;
            let seen = customers.iter().filter(|(made, _)| *made <= now);
            let mut rows: Vec<Row> = seen
                .map(|(made, change)| {
                    let changed = change.filter(|at| *at <= now).unwrap_or(*made);
                    vec![Some(format!("{made:.0}")), Some(format!("{changed:.0}"))]
                })
                .collect();
            rows.push(vec![Some(format!("{now:.0}")); 2]);
            let pace = Pace::learn(&mapping(), &columns, &rows);
            for (rank, changes) in ranks.iter().zip(&mut changes) {
                let of = Some((*rank, *changes > 0));
                *changes += usize::from(pace.last_change(now - made, step, of, &mut rng).is_some());
            }
        }
        let never = changes.iter().filter(|changes| **changes == 0).count();
        assert!((60..=100).contains(&never), "{never} of 400");
    }

    /// Where each customer changes once, soon after joining, and where they change again and again.
    #[test]
    fn rows_that_change_again_are_told_from_those_that_do_not() {
        let mut rng = StdRng::seed_from_u64(4);
        let mut ages: Vec<f64> = (0..5_000)
            .map(|_| rng.random::<f64>() * 3.0 * YEAR)
            .collect();
        ages.sort_by(f64::total_cmp);
        let mut found = |rate: f64| {
            let last = |age: &f64| {
                let mut at = rng.random::<f64>() * YEAR / 2.0;
                let mut last = None;
                while at < *age {
                    last = Some((*age, at));
                    at += -(1.0 - rng.random::<f64>()).ln() / rate * YEAR;
                }
                last
            };
            let changed: Vec<(f64, f64)> = ages.iter().filter_map(last).collect();
            again(&ages, &changed) * YEAR
        };
        assert!(found(1e-6) < 0.02);
        for rate in [0.2, 1.0, 4.0] {
            let estimate = found(rate);
            assert!((estimate / rate - 1.0).abs() < 0.1, "{estimate} for {rate}");
        }
    }

    /// Nobody in the table is as young.
    #[test]
    fn what_was_made_a_moment_ago_has_not_changed() {
        let columns = ["made".to_owned(), "changed".to_owned()];
        let mut rows = rows(2.0, false);
        rows.sort();
        rows.truncate(5_000);
        let pace = Pace::learn(&mapping(), &columns, &rows);
        let mut rng = StdRng::seed_from_u64(6);
        let mut changed = |age: f64| {
            let ranks = (0..1_000).map(|rank| (f64::from(rank) + 0.5) / 1_000.0);
            let all = ranks.filter(|rank| {
                let of = Some((*rank, false));
                pace.last_change(age, age, of, &mut rng).is_some()
            });
            all.count()
        };
        assert!(changed(1.0) == 0 && changed(YEAR) > 700);
    }

    #[test]
    fn a_canary_changes_again_as_often_as_customers() {
        let columns = ["made".to_owned(), "changed".to_owned()];
        let pace = Pace::learn(&mapping(), &columns, &rows(1.0, false));
        let mut rng = StdRng::seed_from_u64(9);
        let (step, canaries) = (YEAR / 26.0, 400);
        let mut all = 0;
        for canary in 0..canaries {
            let rank = (f64::from(canary) + 0.5) / f64::from(canaries);
            let mut changes = 0;
            for time in 1..=65 {
                let of = Some((rank, changes > 0));
                let change = pace.last_change(f64::from(time) * step, step, of, &mut rng);
                changes += usize::from(change.is_some());
            }
            all += changes;
        }
        let mean = all as f64 / f64::from(canaries);
        assert!((2.2..2.8).contains(&mean), "{mean} in two and a half years");
    }

    #[test]
    fn changes_come_as_often_as_the_rate_says() {
        let pace = Pace::learn(&mapping(), &[], &[]).told(1.0);
        let mut rng = StdRng::seed_from_u64(5);
        let mut due = |within: f64| {
            let all = (0..4_000).filter_map(|_| pace.last_change(DAY, within, None, &mut rng));
            let all: Vec<f64> = all.collect();
            assert!(all.iter().all(|ago| *ago < within));
            all.len() as f64 / 4_000.0
        };
        assert!((due(YEAR) - 0.632).abs() < 0.03);
        assert!((due(YEAR / 12.0) - 0.080).abs() < 0.015);
    }
}
