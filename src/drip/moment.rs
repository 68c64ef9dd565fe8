//! Points in time as a column shows them, read without knowing which notation it is.

use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset};

/// What a cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// The day on the column's clock.
    pub(super) date: Date,
    /// The time of day; `None` where only the day is shown.
    pub(super) time: Option<Time>,
    /// How far that clock is from UTC, where it is shown.
    pub(super) offset: Option<UtcOffset>,
}

impl Moment {
    /// Reads a date with or without a time, digits alone, or seconds or milliseconds since 1970.
    pub(super) fn read(text: &str) -> Option<Moment> {
        let text = text.trim();
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Moment::of_digits(text);
        }
        let (date, rest) = text.split_at_checked(10)?;
        let mut parts = date.split(['-', '/', '.']);
        let date = day(parts.next()?, parts.next()?, parts.next()?)?;
        let Some(rest) = rest.strip_prefix(['T', 't', ' ']) else {
            return rest.is_empty().then_some(Moment {
                date,
                time: None,
                offset: None,
            });
        };
        let clock = rest.find(['+', '-', 'Z', 'z', ' ']);
        let (clock, offset) = rest.split_at(clock.unwrap_or(rest.len()));
        let clock = clock.split_once('.').map_or(clock, |(whole, _)| whole);
        let mut parts = clock.split(':');
        let time = time(
            parts.next()?,
            parts.next()?,
            parts.next().unwrap_or_default(),
        )?;
        Some(Moment {
            date,
            time: Some(time),
            offset: offset_of(offset.trim()),
        })
    }

    fn of_digits(text: &str) -> Option<Moment> {
        let since_1970 = |seconds: i64| {
            let at = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
            Some(Moment {
                date: at.date(),
                time: Some(at.time()),
                offset: Some(UtcOffset::UTC),
            })
        };
        match text.len() {
            8 | 14 => {
                let date = day(&text[..4], &text[4..6], &text[6..8])?;
                let time = match text.len() {
                    8 => None,
                    _ => Some(time(&text[8..10], &text[10..12], &text[12..])?),
                };
                Some(Moment {
                    date,
                    time,
                    offset: None,
                })
            }
            9 | 10 => since_1970(text.parse().ok()?),
            12 | 13 => since_1970(text.parse::<i64>().ok()? / 1000),
            _ => None,
        }
    }
}

fn day(year: &str, month: &str, day: &str) -> Option<Date> {
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

fn time(hour: &str, minute: &str, second: &str) -> Option<Time> {
    let second = match second {
        "" => 0,
        second => second.parse().ok()?,
    };
    Time::from_hms(hour.parse().ok()?, minute.parse().ok()?, second).ok()
}

/// `Z`, `+09`, `+0900`, `-05:30`.
fn offset_of(text: &str) -> Option<UtcOffset> {
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return Some(UtcOffset::UTC);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize| digits.get(from..from + 2)?.parse::<i8>().ok();
    UtcOffset::from_hms(sign * part(0)?, sign * part(2).unwrap_or(0), 0).ok()
}

/// How far a clock is from UTC that shows this text now, to a quarter of an hour.
pub fn clock_offset(shown: &str, now: OffsetDateTime) -> Option<UtcOffset> {
    let moment = Moment::read(shown)?;
    let shown = moment.date.with_time(moment.time?).assume_utc();
    let quarters = ((shown - now) / Duration::minutes(15)).round();
    UtcOffset::from_whole_seconds(quarters as i32 * 900).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime, offset, time};

    use super::*;

    #[test]
    fn every_notation_of_a_time_is_read() {
        let same = [
            "2026-11-23 21:05:09",
            "2026-11-23T21:05:09",
            "2026/11/23 21:05:09",
            "2026-11-23 21:05:09.123456",
            "20261123210509",
        ];
        for text in same {
            let read = Moment::read(text).unwrap();
            let wanted = (date!(2026 - 11 - 23), Some(time!(21:05:09)), None);
            assert_eq!((read.date, read.time, read.offset), wanted, "{text}");
        }
        let offsets = [
            ("2026-11-23 21:05:09+09", offset!(+9)),
            ("2026-11-23 21:05:09.12-05:30", offset!(-5:30)),
            ("2026-11-23T21:05:09Z", offset!(UTC)),
            ("2026-11-23 21:05:09 +0900", offset!(+9)),
        ];
        for (text, offset) in offsets {
            assert_eq!(Moment::read(text).unwrap().offset, Some(offset), "{text}");
        }
        for text in ["2026-11-23", "2026/11/23", "20261123"] {
            assert_eq!(Moment::read(text).unwrap().time, None, "{text}");
        }
        let unix = Moment::read("1795467909").unwrap();
        assert_eq!(Moment::read("1795467909123").unwrap(), unix);
        for text in ["", "soon", "2026-13-01", "99999999", "2026-11-23 25:00:00"] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_clock_is_told_by_what_it_shows() {
        let now = datetime!(2026-11-23 12:00:07 UTC);
        let offset = |shown: &str| clock_offset(shown, now).unwrap();
        assert_eq!(offset("2026-11-23 21:00:05"), offset!(+9));
        assert_eq!(offset("2026-11-23 17:30:06"), offset!(+5:30));
        assert_eq!(offset("2026-11-23 12:00:06"), offset!(UTC));
        assert_eq!(offset("2026-11-23 04:00:07"), offset!(-8));
    }
}
