//! A table's own intensity, from the times at which its rows were made.
//!
//! Rows of late are looked at, because a shop's hours change. A mass import is no rhythm, so no single hour
//! of one day counts for more than a few. What one hour of the week shows is drawn towards what its weekday
//! and its hour show together, the more so the fewer rows there are.

use std::collections::BTreeMap;

use time::{Date, Duration, Time, UtcOffset};

use super::hours::WAKING;
use super::intensity::{SLOTS, slot};
use super::moment::Moment;
use super::{Basis, Intensity};

/// Fewer rows show no rhythm.
const LEAST_ROWS: u64 = 50;
/// Days that are looked at: at least so many, and as many as it takes to have enough rows, but no more
/// than a year.
const LEAST_DAYS: i64 = 56;
const ENOUGH_ROWS: u64 = 2_000;
const MOST_DAYS: i64 = 364;
/// An hour of one day counts for at most so many times what such an hour usually has.
const BUSY: u32 = 10;
/// Weight, in rows, of what weekday and hour show together.
const DRAWN: f64 = 8.0;

/// Counts rows by the day and hour at which they were made.
#[derive(Default)]
pub struct Learner {
    days: BTreeMap<Date, [u32; 24]>,
    rows: u64,
    /// Rows that show a time of day.
    timed: u64,
    /// Rows that show midnight: what a day alone looks like in a column of times.
    midnight: u64,
    newest: Option<(Date, Option<UtcOffset>)>,
}

impl Learner {
    /// Sees one row's cell.
    pub fn see(&mut self, shown: &str) {
        let Some(moment) = Moment::read(shown) else {
            return;
        };
        self.rows += 1;
        self.timed += u64::from(moment.time.is_some());
        self.midnight += u64::from(moment.time == Some(Time::MIDNIGHT));
        let hour = moment.time.map_or(0, Time::hour);
        let count = &mut self.days.entry(moment.date).or_default()[usize::from(hour)];
        *count = count.saturating_add(1);
        if self.newest.is_none_or(|(date, _)| date <= moment.date) {
            self.newest = Some((moment.date, moment.offset));
        }
    }

    /// Whether the rows show at what time of day they were made.
    pub fn shows_hours(&self) -> bool {
        self.timed * 2 > self.rows && self.midnight * 10 < self.timed * 9
    }

    /// What the rows show; `clock` is how far the column's clock is from UTC where they do not. `None` where
    /// there are too few.
    pub fn learn(&self, today: Date, clock: UtcOffset) -> Option<Intensity> {
        let days = self.of_late(today);
        let rows: u64 = days.iter().map(|(_, hours)| total(hours)).sum();
        let (first, last) = (days.first()?.0, days.last()?.0);
        if rows < LEAST_ROWS {
            return None;
        }
        let hours = self.shows_hours();
        let (counts, exposure) = counted(&days, first, last);
        let by_day: Vec<f64> = (0..7)
            .map(|day| counts[day * 24..][..24].iter().sum::<f64>())
            .collect();
        let by_hour: Vec<f64> = match hours {
            true => (0..24)
                .map(|hour| (0..7).map(|day| counts[day * 24 + hour]).sum())
                .collect(),
            false => (0..24)
                .map(|hour| f64::from(u8::from(WAKING.holds(hour))))
                .collect(),
        };
        let of_hours: f64 = by_hour.iter().sum();
        // Of a weekday that the rows do not reach nothing is known: it is like the others.
        let usual = by_day.iter().sum::<f64>() / exposure.iter().sum::<f64>();
        let densities: Vec<f64> = (0..SLOTS)
            .map(|slot| {
                let (day, hour) = (slot / 24, slot % 24);
                let of_day = match exposure[day] > 0.0 {
                    true => by_day[day] / exposure[day],
                    false => usual,
                };
                let drawn = of_day * by_hour[hour] / of_hours;
                match hours {
                    true if drawn > 0.0 => {
                        drawn * (counts[slot] + DRAWN) / (exposure[day] * drawn + DRAWN)
                    }
                    _ => drawn,
                }
            })
            .collect();
        let offset = self.newest.and_then(|(_, offset)| offset).unwrap_or(clock);
        let basis = Basis::Learnt {
            rows,
            days: u32::try_from((last - first).whole_days() + 1).unwrap_or(u32::MAX),
            hours,
        };
        Intensity::of(&densities, offset, basis)
    }

    /// Rows that the table gains in a week, of late.
    pub fn rows_a_week(&self, today: Date) -> Option<f64> {
        let days = self.of_late(today);
        let rows: u64 = days.iter().map(|(_, hours)| total(hours)).sum();
        let (first, last) = (days.first()?.0, days.last()?.0);
        let weeks = ((last - first).whole_days() + 1) as f64 / 7.0;
        (rows >= LEAST_ROWS).then_some(rows as f64 / weeks)
    }

    /// The last days on which rows were made. Days to come are somebody's mistake.
    fn of_late(&self, today: Date) -> Vec<(Date, [u32; 24])> {
        let mut days: Vec<(Date, [u32; 24])> = Vec::new();
        let mut rows = 0;
        for (date, hours) in self.days.range(..=today + Duration::days(1)).rev() {
            let newest = days.first().map_or(*date, |(newest, _)| *newest);
            let age = (newest - *date).whole_days();
            if age >= MOST_DAYS || age >= LEAST_DAYS && rows >= ENOUGH_ROWS {
                break;
            }
            rows += total(hours);
            days.push((*date, *hours));
        }
        days.reverse();
        days
    }
}

fn total(hours: &[u32; 24]) -> u64 {
    hours.iter().copied().map(u64::from).sum()
}

/// Rows by hour of the week, and how often each weekday was among the days.
fn counted(days: &[(Date, [u32; 24])], first: Date, last: Date) -> (Vec<f64>, Vec<f64>) {
    let mut busy: Vec<u32> = days
        .iter()
        .flat_map(|(_, hours)| hours)
        .copied()
        .filter(|count| *count > 0)
        .collect();
    busy.sort_unstable();
    let usual = busy.get(busy.len() / 2).copied().unwrap_or(1);
    let most = usual.saturating_mul(BUSY);
    let mut counts = vec![0.0; SLOTS];
    for (date, hours) in days {
        let day = date.weekday().number_days_from_monday();
        for (hour, count) in (0..24).zip(hours) {
            counts[slot(day, hour)] += f64::from((*count).min(most));
        }
    }
    let mut exposure = vec![0.0; 7];
    let mut date = Some(first);
    while let Some(day) = date.filter(|day| *day <= last) {
        exposure[usize::from(day.weekday().number_days_from_monday())] += 1.0;
        date = day.next_day();
    }
    (counts, exposure)
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime, offset};

    use super::*;

    const TODAY: Date = date!(2026 - 11 - 27);

    /// The share of the week that lies in these hours of these weekdays.
    fn share(intensity: &Intensity, days: &[u8], hours: std::ops::Range<u8>) -> f64 {
        // 2026-11-23 is a Monday.
        let monday = datetime!(2026-11-23 00:00 UTC).replace_offset(intensity.offset());
        let slots = days
            .iter()
            .flat_map(|day| hours.clone().map(move |hour| (*day, hour)));
        let density = |(day, hour): (u8, u8)| {
            let at = monday + Duration::days(i64::from(day)) + Duration::hours(i64::from(hour));
            intensity.at(at).0
        };
        slots.map(density).sum::<f64>() / SLOTS as f64
    }

    /// Five rows an hour on weekdays from 10 to 20, one on weekends, for so many days.
    fn shop(days: i64) -> Learner {
        let mut learner = Learner::default();
        for day in 0..days {
            let date = TODAY - Duration::days(day);
            let weekend = date.weekday().number_days_from_monday() >= 5;
            for hour in 10..20 {
                for minute in 0..if weekend { 1 } else { 5 } {
                    learner.see(&format!("{date} {hour:02}:{minute:02}:30"));
                }
            }
        }
        learner
    }

    #[test]
    fn weekdays_and_hours_are_learnt() {
        let intensity = shop(70).learn(TODAY, offset!(+9)).unwrap();
        assert_eq!(intensity.offset(), offset!(+9));
        let week = [0, 1, 2, 3, 4];
        assert!((share(&intensity, &week, 10..20) - 25.0 / 27.0).abs() < 0.01);
        assert!((share(&intensity, &[5, 6], 10..20) - 2.0 / 27.0).abs() < 0.01);
        assert_eq!(share(&intensity, &[0, 1, 2, 3, 4, 5, 6], 0..10), 0.0);
        let per_week = shop(70).rows_a_week(TODAY).unwrap();
        assert!((per_week - 270.0).abs() < 3.0, "{per_week}");
    }

    #[test]
    fn an_import_is_no_rhythm() {
        let mut learner = shop(70);
        for row in 0..20_000 {
            learner.see(&format!(
                "2026-11-10 03:{:02}:{:02}",
                row / 60 % 60,
                row % 60
            ));
        }
        let intensity = learner.learn(TODAY, offset!(UTC)).unwrap();
        let night = share(&intensity, &[0, 1, 2, 3, 4, 5, 6], 0..10);
        assert!(night < 0.03, "{night}");
    }

    #[test]
    fn only_rows_of_late_count() {
        let mut learner = shop(70);
        // Five years ago the shop was open at night.
        for day in 0..500 {
            let date = date!(2020 - 01 - 01) + Duration::days(day);
            learner.see(&format!("{date} 03:00:01"));
        }
        // Somebody mistyped a year.
        learner.see("2062-11-23 03:00:01");
        let intensity = learner.learn(TODAY, offset!(UTC)).unwrap();
        assert_eq!(share(&intensity, &[0, 1, 2, 3, 4, 5, 6], 0..10), 0.0);
    }

    #[test]
    fn days_alone_show_no_hours() {
        let mut days = Learner::default();
        let mut midnights = Learner::default();
        for day in 0..140 {
            let date = TODAY - Duration::days(day);
            let weekend = date.weekday().number_days_from_monday() >= 5;
            for _ in 0..if weekend { 0 } else { 3 } {
                days.see(&date.to_string());
                midnights.see(&format!("{date} 00:00:00"));
            }
        }
        assert!(shop(70).shows_hours());
        for learner in [days, midnights] {
            assert!(!learner.shows_hours());
            let intensity = learner.learn(TODAY, offset!(UTC)).unwrap();
            assert!(matches!(
                intensity.basis(),
                Basis::Learnt { hours: false, .. }
            ));
            assert!((share(&intensity, &[0, 1, 2, 3, 4], 8..22) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_newest_row_shows_the_clock() {
        let mut learner = Learner::default();
        for day in 0..100 {
            let date = TODAY - Duration::days(day);
            let offset = if day < 26 { "-05" } else { "-04" };
            learner.see(&format!("{date} 12:00:01{offset}"));
        }
        let intensity = learner.learn(TODAY, offset!(UTC)).unwrap();
        assert_eq!(intensity.offset(), offset!(-5));
    }

    #[test]
    fn few_rows_show_nothing() {
        let mut learner = Learner::default();
        assert!(learner.learn(TODAY, offset!(UTC)).is_none());
        for _ in 0..49 {
            learner.see("2026-11-23 10:00:01");
        }
        learner.see("");
        learner.see("yesterday");
        assert!(learner.learn(TODAY, offset!(UTC)).is_none());
        // All on one day: its weekday is the only one that is known.
        learner.see("2026-11-23 10:00:01");
        let intensity = learner.learn(TODAY, offset!(UTC)).unwrap();
        let of_day = |day: u8| share(&intensity, &[day], 10..11);
        assert!((of_day(0) - of_day(3)).abs() < 0.1);
    }
}
