//! Dates as coarse as a watch list tells them.
//!
//! The order of a source's plantings and removals must stay, or two batches of one day would seem to
//! have always stood together, and a list that holds only the first of them could not be explained.
//! So what happened within one unit of time is spread over it in its order, and no report tells a time
//! more closely than to the unit.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use time::{Duration, Month, OffsetDateTime, Time, UtcOffset};

/// How closely a watch list dates its batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// To the day.
    Day,
    /// To the month.
    Month,
    /// To the year.
    Year,
}

impl Dates {
    /// The start of the day, month or year.
    pub fn floor(self, at: OffsetDateTime) -> OffsetDateTime {
        let day = at.to_offset(UtcOffset::UTC).replace_time(Time::MIDNIGHT);
        let first = |at: OffsetDateTime| at.replace_day(1).unwrap_or(at);
        match self {
            Dates::Day => day,
            Dates::Month => first(day),
            Dates::Year => first(day).replace_month(Month::January).unwrap_or(day),
        }
    }

    /// The end of the day, month or year.
    pub fn ceiling(self, at: OffsetDateTime) -> OffsetDateTime {
        let longest = match self {
            Dates::Day => Duration::days(1),
            Dates::Month => Duration::days(31),
            Dates::Year => Duration::days(366),
        };
        self.floor(self.floor(at) + longest)
    }
}

/// What a watch list says of each time, by source.
pub struct Times(HashMap<(u32, OffsetDateTime), OffsetDateTime>);

impl Times {
    /// Spreads the events of each source; none is later than now.
    pub fn of(mut events: Vec<(u32, OffsetDateTime)>, dates: Dates, now: OffsetDateTime) -> Times {
        events.sort_unstable();
        events.dedup();
        let mut units: BTreeMap<(u32, OffsetDateTime), Vec<OffsetDateTime>> = BTreeMap::new();
        for (source, at) in events {
            units.entry((source, dates.floor(at))).or_default().push(at);
        }
        let mut times = HashMap::new();
        for ((source, start), events) in units {
            let length = dates.ceiling(start).min(now).max(start) - start;
            for (place, at) in (0_u32..).zip(&events) {
                let told = start + length * f64::from(place) / f64::from(events.len() as u32);
                times.insert((source, *at), told);
            }
        }
        Times(times)
    }

    /// What is said of a time.
    pub fn at(&self, source: u32, at: OffsetDateTime) -> OffsetDateTime {
        self.0.get(&(source, at)).copied().unwrap_or(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn what_happened_in_one_month_keeps_its_order() {
        let events = [
            datetime!(2026-03-20 10:00 UTC),
            datetime!(2026-03-25 10:00 UTC),
            datetime!(2026-05-02 10:00 UTC),
        ];
        let all = events.map(|at| (0, at)).to_vec();
        let times = Times::of(all, Dates::Month, datetime!(2026-05-03 00:00 UTC));
        let told = events.map(|at| times.at(0, at));
        assert!(told.is_sorted() && told[0] < told[1]);
        assert_eq!(told[0], datetime!(2026-03-01 00:00 UTC));
        assert_eq!(Dates::Month.floor(told[1]), told[0]);
        assert_eq!(told[2], datetime!(2026-05-01 00:00 UTC));
    }

    #[test]
    fn units_end_where_the_next_one_begins() {
        let at = datetime!(2024-01-31 23:59 UTC);
        assert_eq!(Dates::Day.ceiling(at), datetime!(2024-02-01 00:00 UTC));
        assert_eq!(Dates::Month.ceiling(at), datetime!(2024-02-01 00:00 UTC));
        assert_eq!(Dates::Year.ceiling(at), datetime!(2025-01-01 00:00 UTC));
    }
}
