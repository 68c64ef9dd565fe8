//! Until when something has to be reported, counted from the moment of knowledge.
//!
//! Japanese periods in days are counted on Japan's clock, without the day of knowledge (Civil Code
//! Article 140; the day counts where the period begins at midnight), and end with the last day. The
//! Commission's practice may take the day of knowledge for the first: each deadline therefore has an
//! earlier, careful day beside it, and whoever keeps to that one is late under neither reading. A last
//! day on a weekend or a holiday is named and not extended: that is counsel's to decide. The GDPR's 72
//! hours are hours, whatever the day.

use serde::Serialize;
use time::serde::rfc3339;
use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset, Weekday};

use super::{Case, words};
use crate::report::when::{self, JST};
use crate::report::{Lang, say};

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The prompt report, early end of the guideline's three to five days.
    AppiPrompt3,
    /// The prompt report, late end of them.
    AppiPrompt5,
    /// The final report.
    AppiFinal30,
    /// The final report where the leak may have been done with a wrongful purpose.
    AppiFinal60,
    /// The notification to a supervisory authority.
    Gdpr72,
}

/// One deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// Of what.
    pub rule: Rule,
    /// The moment at which it has passed.
    #[serde(with = "rfc3339")]
    pub ends_at: OffsetDateTime,
    /// The last day, where it is counted in days (Japan's calendar).
    #[serde(serialize_with = "day")]
    pub last_day: Option<Date>,
    /// The last day if the day of knowledge is taken for the first.
    #[serde(serialize_with = "day")]
    pub careful_day: Option<Date>,
    /// Whether it has passed.
    pub passed: bool,
    /// Seconds until then, or since.
    pub seconds: i64,
}

fn day<S: serde::Serializer>(day: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match day {
        Some(day) => serializer.serialize_some(&when::date(Lang::En, *day)),
        None => serializer.serialize_none(),
    }
}

/// All deadlines that begin with this moment of knowledge, as they stand now.
pub fn deadlines(known_at: OffsetDateTime, now: OffsetDateTime) -> [Deadline; 5] {
    [
        days(Rule::AppiPrompt3, 3, known_at, now),
        days(Rule::AppiPrompt5, 5, known_at, now),
        days(Rule::AppiFinal30, 30, known_at, now),
        days(Rule::AppiFinal60, 60, known_at, now),
        made(Rule::Gdpr72, known_at + Duration::hours(72), None, now),
    ]
}

fn days(rule: Rule, count: i64, known_at: OffsetDateTime, now: OffsetDateTime) -> Deadline {
    let known = known_at.to_offset(JST);
    let careful = known.date() + Duration::days(count - 1);
    let last = match known.time() == Time::MIDNIGHT {
        true => careful,
        false => careful + Duration::DAY,
    };
    let ends_at = (last + Duration::DAY)
        .with_time(Time::MIDNIGHT)
        .assume_offset(JST);
    made(rule, ends_at, Some((last, careful)), now)
}

fn made(
    rule: Rule,
    ends_at: OffsetDateTime,
    days: Option<(Date, Date)>,
    now: OffsetDateTime,
) -> Deadline {
    Deadline {
        rule,
        ends_at,
        last_day: days.map(|(last, _)| last),
        careful_day: days.map(|(_, careful)| careful),
        passed: now >= ends_at,
        seconds: (ends_at - now).whole_seconds().abs(),
    }
}

impl Case {
    /// The deadline of a rule.
    pub(super) fn deadline(&self, rule: Rule) -> Deadline {
        let all = deadlines(self.known_at, self.made_at);
        // The array holds one of each.
        *all.iter()
            .find(|deadline| deadline.rule == rule)
            .unwrap_or(&all[0])
    }
}

impl Deadline {
    /// The last day or moment, in words.
    pub(super) fn end(&self, lang: Lang, local: UtcOffset) -> String {
        match self.last_day {
            Some(day) => {
                let date = when::date_with_weekday(lang, day);
                let closed = closed(lang, day).map_or(String::new(), |why| match lang {
                    Lang::En => format!(" ({why}; not extended here)"),
                    Lang::Ja => format!("({why}。ここでは延長していない)"),
                });
                say!(
                    lang,
                    "end of {date} JST{closed}",
                    "{date}の終わり(JST){closed}"
                )
            }
            None => {
                let utc = when::minute_at(lang, self.ends_at, UtcOffset::UTC, "UTC");
                let there = when::minute_at(lang, self.ends_at, local, &offset(local));
                match local.is_utc() {
                    true => utc,
                    false => format!("{utc} = {there}"),
                }
            }
        }
    }

    /// All of it in a line for a terminal.
    pub fn line(&self, local: UtcOffset) -> String {
        let lang = Lang::En;
        let (name, end) = (words::rule(lang, self.rule), self.end(lang, local));
        let standing = self.standing(lang);
        match self.careful_day {
            Some(_) => format!(
                "{name}: {end}, careful day {}; {standing}",
                self.careful(lang)
            ),
            None => format!("{name}: {end}; {standing}"),
        }
    }

    /// The careful day, in words.
    pub(super) fn careful(&self, lang: Lang) -> String {
        self.careful_day
            .map_or_else(|| "–".to_owned(), |day| when::date_with_weekday(lang, day))
    }

    /// How it stands now, in words.
    pub(super) fn standing(&self, lang: Lang) -> String {
        let span = when::span(lang, Duration::seconds(self.seconds));
        if self.passed {
            say!(lang, "PASSED {span} ago", "経過済み({span}前)")
        } else {
            say!(lang, "{span} left", "残り{span}")
        }
    }
}

/// `UTC+09:00`.
pub(super) fn offset(offset: UtcOffset) -> String {
    let (hours, minutes, _) = offset.as_hms();
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!(
        "UTC{sign}{:02}:{:02}",
        hours.unsigned_abs(),
        minutes.unsigned_abs()
    )
}

/// Why an office may be closed on a day, as far as the calendar alone says.
fn closed(lang: Lang, day: Date) -> Option<String> {
    let year_end = matches!(
        (day.month(), day.day()),
        (Month::December, 29..) | (Month::January, ..=3)
    );
    match day.weekday() {
        _ if year_end => Some(say!(
            lang,
            "offices close over the year's end",
            "年末年始の閉庁期間"
        )),
        Weekday::Saturday => Some(say!(lang, "a Saturday", "土曜日")),
        Weekday::Sunday => Some(say!(lang, "a Sunday", "日曜日")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime, offset};

    fn last(known: OffsetDateTime, rule: Rule) -> (Date, Date) {
        let all = deadlines(known, known);
        let found = all.iter().find(|deadline| deadline.rule == rule).unwrap();
        (found.last_day.unwrap(), found.careful_day.unwrap())
    }

    #[test]
    fn the_day_of_knowledge_is_not_counted_and_the_careful_day_counts_it() {
        let known = datetime!(2026-03-02 10:00 +9);
        assert_eq!(
            last(known, Rule::AppiPrompt3),
            (date!(2026 - 03 - 05), date!(2026 - 03 - 04))
        );
        assert_eq!(
            last(known, Rule::AppiPrompt5),
            (date!(2026 - 03 - 07), date!(2026 - 03 - 06))
        );
        assert_eq!(
            last(known, Rule::AppiFinal30),
            (date!(2026 - 04 - 01), date!(2026 - 03 - 31))
        );
        assert_eq!(
            last(known, Rule::AppiFinal60),
            (date!(2026 - 05 - 01), date!(2026 - 04 - 30))
        );
    }

    #[test]
    fn the_year_ends_and_a_leap_day_comes() {
        let known = datetime!(2026-12-30 10:00 +9);
        assert_eq!(last(known, Rule::AppiPrompt5).0, date!(2027 - 01 - 04));
        assert_eq!(last(known, Rule::AppiFinal30).0, date!(2027 - 01 - 29));
        // 2028 has a 29th of February, 2027 has none.
        assert_eq!(
            last(datetime!(2028-01-30 10:00 +9), Rule::AppiFinal30).0,
            date!(2028 - 02 - 29)
        );
        assert_eq!(
            last(datetime!(2027-01-30 10:00 +9), Rule::AppiFinal30).0,
            date!(2027 - 03 - 01)
        );
        assert_eq!(
            last(datetime!(2028-02-28 10:00 +9), Rule::AppiPrompt3).0,
            date!(2028 - 03 - 02)
        );
        assert_eq!(
            last(datetime!(2028-02-29 10:00 +9), Rule::AppiFinal60).0,
            date!(2028 - 04 - 29)
        );
    }

    #[test]
    fn the_day_is_japans() {
        // 23:30 in Japan is still that day; 23:30 UTC is Japan's next.
        assert_eq!(
            last(datetime!(2026-03-02 23:30 +9), Rule::AppiPrompt3).0,
            date!(2026 - 03 - 05)
        );
        assert_eq!(
            last(datetime!(2026-03-02 23:30 UTC), Rule::AppiPrompt3).0,
            date!(2026 - 03 - 06)
        );
        // At midnight the period begins with the day, which then counts.
        assert_eq!(
            last(datetime!(2026-03-02 0:00 +9), Rule::AppiPrompt3),
            (date!(2026 - 03 - 04), date!(2026 - 03 - 04))
        );
    }

    #[test]
    fn seventy_two_hours_are_hours() {
        let known = datetime!(2028-02-27 23:30 UTC);
        let [.., gdpr] = deadlines(known, known);
        assert_eq!(gdpr.ends_at, datetime!(2028-03-01 23:30 UTC));
        assert_eq!(
            gdpr.end(Lang::En, offset!(+9)),
            "2028-03-01 23:30 UTC = 2028-03-02 08:30 UTC+09:00"
        );
        assert_eq!(gdpr.end(Lang::En, UtcOffset::UTC), "2028-03-01 23:30 UTC");
        assert_eq!(super::offset(offset!(-3:30)), "UTC-03:30");
    }

    #[test]
    fn what_has_passed_is_said_to_have() {
        let known = datetime!(2026-03-02 10:00 +9);
        let at = |now| deadlines(known, now);
        let [three, ..] = at(datetime!(2026-03-05 23:59:59 +9));
        assert!(!three.passed);
        let [three, .., gdpr] = at(datetime!(2026-03-06 0:00 +9));
        assert!(three.passed && gdpr.passed);
        assert_eq!(three.standing(Lang::En), "PASSED 0.0 s ago");
        let [three, ..] = at(datetime!(2026-03-07 3:00 +9));
        assert_eq!(three.standing(Lang::En), "PASSED 1 d 3 h ago");
        assert_eq!(three.standing(Lang::Ja), "経過済み(1日3時間前)");
        let [.., gdpr] = at(datetime!(2026-03-02 12:00 +9));
        assert_eq!(gdpr.standing(Lang::En), "2 d 22 h left");
    }

    #[test]
    fn a_last_day_on_which_offices_are_closed_is_named_and_not_extended() {
        let known = datetime!(2026-03-02 10:00 +9);
        let [_, five, ..] = deadlines(known, known);
        assert_eq!(
            five.end(Lang::En, UtcOffset::UTC),
            "end of Saturday 2026-03-07 JST (a Saturday; not extended here)"
        );
        assert_eq!(
            five.end(Lang::Ja, UtcOffset::UTC),
            "2026年3月7日(土)の終わり(JST)(土曜日。ここでは延長していない)"
        );
        let known = datetime!(2026-12-28 10:00 +9);
        let [three, ..] = deadlines(known, known);
        assert!(three.end(Lang::En, UtcOffset::UTC).contains("year's end"));
    }
}
