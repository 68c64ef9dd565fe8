//! How dense arrivals are, by weekday and hour.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

use super::Hours;

/// Hours of a week.
pub(super) const SLOTS: usize = 7 * 24;

/// What an intensity rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Basis {
    /// Times at which the table's rows were made.
    Learnt {
        /// So many rows.
        rows: u64,
        /// Made within so many days.
        days: u32,
        /// Whether they show hours; else the hours are those in which people are awake.
        hours: bool,
    },
    /// The table does not show when its rows were made: hours in which people are awake.
    Waking(Hours),
    /// Hours that an operator has told.
    Told(Hours),
}

/// The share of each hour of the week, on the clock of the table. Whole numbers, which read back as they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Intensity {
    weights: Vec<u32>,
    sum: f64,
    offset: UtcOffset,
    basis: Basis,
}

/// As it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    weights: Vec<u32>,
    offset_seconds: i32,
    basis: Basis,
}

impl From<Intensity> for Stored {
    fn from(intensity: Intensity) -> Stored {
        Stored {
            weights: intensity.weights,
            offset_seconds: intensity.offset.whole_seconds(),
            basis: intensity.basis,
        }
    }
}

impl TryFrom<Stored> for Intensity {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Intensity, &'static str> {
        let offset = UtcOffset::from_whole_seconds(stored.offset_seconds);
        let offset = offset.map_err(|_| "no clock is so far from UTC")?;
        Intensity::new(stored.weights, offset, stored.basis)
            .ok_or("a week has 168 hours, and not all of them are without arrivals")
    }
}

/// The greatest weight; others are shares of it.
const FULL: f64 = 100_000.0;

impl Intensity {
    fn new(weights: Vec<u32>, offset: UtcOffset, basis: Basis) -> Option<Intensity> {
        let sum: f64 = weights.iter().copied().map(f64::from).sum();
        (weights.len() == SLOTS && sum > 0.0).then_some(Intensity {
            weights,
            sum,
            offset,
            basis,
        })
    }

    /// From densities of the hours of a week, from Monday's first on.
    pub(super) fn of(densities: &[f64], offset: UtcOffset, basis: Basis) -> Option<Intensity> {
        let top = densities.iter().copied().fold(0.0, f64::max);
        let weight = |density: &f64| (density / top * FULL).round() as u32;
        Intensity::new(densities.iter().map(weight).collect(), offset, basis)
    }

    /// The same density within hours of the day, and none outside of them.
    fn within(hours: Hours, offset: UtcOffset, basis: Basis) -> Intensity {
        let weights = (0..SLOTS).map(|slot| u32::from(hours.holds((slot % 24) as u8)));
        Intensity::new(weights.collect(), offset, basis)
            .expect("hours of the day hold one hour at least")
    }

    /// Where the table shows no times.
    pub fn waking(offset: UtcOffset) -> Intensity {
        let hours = super::hours::WAKING;
        Intensity::within(hours, offset, Basis::Waking(hours))
    }

    /// As an operator says.
    pub fn told(hours: Hours, offset: UtcOffset) -> Intensity {
        Intensity::within(hours, offset, Basis::Told(hours))
    }

    /// What it rests on.
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// How far the table's clock is from UTC.
    pub fn offset(&self) -> UtcOffset {
        self.offset
    }

    /// Density in the hour that holds a moment, and how many seconds are left of that hour. The mean over a
    /// week is 1.
    pub(super) fn at(&self, moment: OffsetDateTime) -> (f64, f64) {
        let shown = moment.to_offset(self.offset);
        let slot = slot(shown.weekday().number_days_from_monday(), shown.hour());
        let into = f64::from(u32::from(shown.minute()) * 60 + u32::from(shown.second()))
            + f64::from(shown.nanosecond()) / 1e9;
        let density = f64::from(self.weights[slot]) * SLOTS as f64 / self.sum;
        (density, (3600.0 - into).max(1e-3))
    }
}

pub(super) fn slot(weekday: u8, hour: u8) -> usize {
    usize::from(weekday) * 24 + usize::from(hour)
}

#[cfg(test)]
mod tests {
    use time::macros::{datetime, offset};

    use super::*;

    #[test]
    fn an_intensity_is_kept_as_it_is() {
        let densities: Vec<f64> = (0..SLOTS).map(|slot| slot as f64 / 3.0).collect();
        let basis = Basis::Learnt {
            rows: 3,
            days: 2,
            hours: true,
        };
        let made = Intensity::of(&densities, offset!(+5:30), basis).unwrap();
        let text = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Intensity>(&text).unwrap(), made);
        let short = text.replace("[0,", "[");
        assert!(serde_json::from_str::<Intensity>(&short).is_err());
        assert!(Intensity::of(&[0.0; SLOTS], offset!(UTC), basis).is_none());
    }

    #[test]
    fn the_hour_is_that_of_the_tables_clock() {
        let intensity = Intensity::told("9-18".parse().unwrap(), offset!(+9));
        let (density, left) = intensity.at(datetime!(2026-11-23 00:30 UTC));
        assert!((density - 24.0 / 9.0).abs() < 1e-9);
        assert!((left - 1800.0).abs() < 1e-6);
        assert_eq!(intensity.at(datetime!(2026-11-23 09:00 UTC)).0, 0.0);
    }
}
