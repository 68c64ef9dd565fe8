//! The days that a report tells of.

use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use crate::report::{Lang, when};

/// Whole days, the first and the last included, by the clock of the report's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    from: Date,
    to: Date,
    offset: UtcOffset,
}

/// Why there is no such period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeriod {
    /// It ends before it begins.
    #[error("--from {from} comes after --to {to}: exchange them")]
    Reversed {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// It is not over, and has not even begun.
    #[error(
        "--to {to} lies in the future: today is {today} by the clock of the report's language ({clock}), and that is the last day that can be told of"
    )]
    Future {
        /// Last day.
        to: Date,
        /// Today.
        today: Date,
        /// That clock's name.
        clock: &'static str,
    },
}

impl Period {
    /// The days from `from` to `to`.
    ///
    /// # Errors
    /// They are in the wrong order, or not yet here.
    pub fn new(
        from: Date,
        to: Date,
        lang: Lang,
        now: OffsetDateTime,
    ) -> Result<Period, InvalidPeriod> {
        let (offset, clock) = when::clock(lang);
        let today = now.to_offset(offset).date();
        if from > to {
            return Err(InvalidPeriod::Reversed { from, to });
        }
        if to > today {
            return Err(InvalidPeriod::Future { to, today, clock });
        }
        Ok(Period { from, to, offset })
    }

    /// Its first moment.
    pub fn start(&self) -> OffsetDateTime {
        self.from.midnight().assume_offset(self.offset)
    }

    /// The first moment after it.
    pub fn end(&self) -> OffsetDateTime {
        self.to.midnight().assume_offset(self.offset) + Duration::DAY
    }

    /// Whether the moment lies in it.
    pub fn holds(&self, at: OffsetDateTime) -> bool {
        at >= self.start() && at < self.end()
    }

    /// How many days.
    pub fn length(&self) -> i64 {
        (self.to - self.from).whole_days() + 1
    }

    /// The day of a moment by its clock.
    pub fn day_of(&self, at: OffsetDateTime) -> Date {
        at.to_offset(self.offset).date()
    }

    /// The first day.
    pub fn from(&self) -> Date {
        self.from
    }

    /// The last day.
    pub fn to(&self) -> Date {
        self.to
    }

    /// First and last day as a language writes them.
    pub fn days(&self, lang: Lang) -> (String, String) {
        (when::date(lang, self.from), when::date(lang, self.to))
    }

    /// The first day as `2026-04-01`.
    pub fn from_text(&self) -> String {
        text(self.from)
    }

    /// The last day as `2026-06-30`.
    pub fn to_text(&self) -> String {
        text(self.to)
    }
}

fn text(date: Date) -> String {
    let format = format_description!("[year]-[month]-[day]");
    date.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn days_are_by_the_clock_of_the_language() {
        let now = datetime!(2026-06-30 20:00 UTC);
        let day = date!(2026 - 07 - 01);
        // It is the first of July in Japan already.
        let japan = Period::new(day, day, Lang::Ja, now).unwrap();
        assert!(japan.holds(datetime!(2026-06-30 15:00 UTC)));
        assert!(!japan.holds(datetime!(2026-06-30 14:59:59 UTC)));
        assert!(!japan.holds(datetime!(2026-07-01 15:00 UTC)));
        let early = Period::new(day, day, Lang::En, now);
        assert!(matches!(
            early,
            Err(InvalidPeriod::Future { clock: "UTC", .. })
        ));
        let wrong = Period::new(day, date!(2026 - 06 - 30), Lang::En, now);
        assert!(matches!(wrong, Err(InvalidPeriod::Reversed { .. })));
    }
}
