//! Times, spans and numbers as each language writes them.

use time::macros::{format_description, offset};
use time::{Date, Duration, OffsetDateTime, UtcOffset, Weekday};

use super::Lang;

/// Japan's clock; there is no summer time.
pub const JST: UtcOffset = offset!(+9);

/// The clock that a reader of that language goes by: Japan's, or UTC.
pub fn clock(lang: Lang) -> (UtcOffset, &'static str) {
    match lang {
        Lang::En => (UtcOffset::UTC, "UTC"),
        Lang::Ja => (JST, "JST"),
    }
}

/// The day, by the language's clock.
pub fn day(lang: Lang, at: OffsetDateTime) -> String {
    date(lang, at.to_offset(clock(lang).0).date())
}

/// A calendar day.
pub fn date(lang: Lang, date: Date) -> String {
    match lang {
        Lang::En => date
            .format(format_description!("[year]-[month]-[day]"))
            .unwrap_or_default(),
        Lang::Ja => format!(
            "{}年{}月{}日",
            date.year(),
            u8::from(date.month()),
            date.day()
        ),
    }
}

/// A calendar day with its weekday.
pub fn date_with_weekday(lang: Lang, at: Date) -> String {
    let place = usize::from(at.weekday().number_days_from_monday());
    match lang {
        Lang::En => format!("{} {}", weekday_en(at.weekday()), date(lang, at)),
        Lang::Ja => {
            let name = ['月', '火', '水', '木', '金', '土', '日'][place];
            format!("{}({name})", date(lang, at))
        }
    }
}

fn weekday_en(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// The minute, with its clock.
pub fn minute(lang: Lang, at: OffsetDateTime) -> String {
    let (offset, name) = clock(lang);
    minute_at(lang, at, offset, name)
}

/// The minute on a clock of choice.
pub fn minute_at(lang: Lang, at: OffsetDateTime, offset: UtcOffset, clock: &str) -> String {
    let at = at.to_offset(offset);
    let time = at
        .format(format_description!("[hour]:[minute]"))
        .unwrap_or_default();
    format!("{} {time} {clock}", date(lang, at.date()))
}

/// A span, rounded to what matters at its size.
pub fn span(lang: Lang, span: Duration) -> String {
    let seconds = span.whole_seconds().max(0);
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3600);
    let (minutes, rest) = (seconds % 3600 / 60, seconds % 60);
    match (lang, seconds) {
        (Lang::En, 0..60) => format!("{:.1} s", span.as_seconds_f64().max(0.0)),
        (Lang::Ja, 0..60) => format!("{:.1}秒", span.as_seconds_f64().max(0.0)),
        (Lang::En, 60..3600) => format!("{minutes} min {rest} s"),
        (Lang::Ja, 60..3600) => format!("{minutes}分{rest}秒"),
        (Lang::En, 3600..86_400) => format!("{hours} h {minutes} min"),
        (Lang::Ja, 3600..86_400) => format!("{hours}時間{minutes}分"),
        (Lang::En, _) => format!("{days} d {hours} h"),
        (Lang::Ja, _) => format!("{days}日{hours}時間"),
    }
}

/// A number with its thousands apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share as a percentage, with as many digits as tell something.
pub fn percent(share: f64) -> String {
    let share = 100.0 * share;
    if share >= 10.0 || share == 0.0 {
        format!("{share:.0}%")
    } else {
        format!("{share:.2}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn each_language_has_its_clock() {
        let at = datetime!(2026-02-28 16:05 UTC);
        assert_eq!(minute(Lang::En, at), "2026-02-28 16:05 UTC");
        assert_eq!(minute(Lang::Ja, at), "2026年3月1日 01:05 JST");
        assert_eq!(
            date_with_weekday(Lang::Ja, time::macros::date!(2026 - 03 - 01)),
            "2026年3月1日(日)"
        );
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(7_600_000), "7,600,000");
        assert_eq!(thousands(999), "999");
        assert_eq!(percent(0.0123), "1.23%");
        assert_eq!(span(Lang::En, Duration::seconds(3_660)), "1 h 1 min");
        assert_eq!(span(Lang::Ja, Duration::milliseconds(1_250)), "1.2秒");
    }
}
