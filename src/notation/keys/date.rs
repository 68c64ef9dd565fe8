//! Dates of birth in Western and Japanese notation.

use std::str::Chars;

use time::{Date, Month};

use super::super::fold::fold;

/// What a column says about its dates where one date alone does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateHint {
    /// `04/01/1972` is 4 January, not April 1st.
    pub day_first: bool,
    /// Years of two digits are read, and fall into the hundred years that end with this one.
    pub two_digit_years_to: Option<i32>,
    /// A two-digit year leads: `01/02/03` is 3 February 2001.
    pub year_first: bool,
    /// Seven digits are an era by its number (3 昭和, 4 平成, 5 令和), then yymmdd.
    pub era_numbers: bool,
}

/// Japanese eras with their first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Era {
    pub kanji: &'static str,
    pub letter: char,
    pub start: (i32, u8, u8),
}

impl Era {
    pub const ALL: [Era; 5] = [
        Era {
            kanji: "令和",
            letter: 'r',
            start: (2019, 5, 1),
        },
        Era {
            kanji: "平成",
            letter: 'h',
            start: (1989, 1, 8),
        },
        Era {
            kanji: "昭和",
            letter: 's',
            start: (1926, 12, 25),
        },
        Era {
            kanji: "大正",
            letter: 't',
            start: (1912, 7, 30),
        },
        Era {
            kanji: "明治",
            letter: 'm',
            start: (1868, 1, 25),
        },
    ];

    /// The era of a date, `None` before Meiji.
    pub fn of(date: Date) -> Option<Era> {
        let day = (date.year(), u8::from(date.month()), date.day());
        Era::ALL.into_iter().find(|era| day >= era.start)
    }

    /// The era that a text begins with, by its name or its letter, and what follows.
    fn leading(text: &str) -> Option<(Era, &str)> {
        Era::ALL.into_iter().find_map(|era| {
            let rest = text.strip_prefix(era.kanji);
            let letters = [era.letter, era.letter.to_ascii_uppercase()];
            let rest = rest.or_else(|| text.strip_prefix(letters))?;
            Some((era, rest))
        })
    }

    fn date(self, year: i32, month: u8, day: u8) -> Option<Date> {
        // Forms printed in the old era go on being filled in: 平成32年 is read, 昭和70年 too.
        (1..=99)
            .contains(&year)
            .then(|| civil(self.start.0 + year - 1, month, day))?
    }
}

/// Whether a text is the name of an era, or the letter that stands for it.
pub fn is_era(text: &str) -> bool {
    let letter = |era: &Era| text.eq_ignore_ascii_case(era.letter.encode_utf8(&mut [0; 4]));
    Era::ALL.iter().any(|era| era.kanji == text || letter(era))
}

/// A date within the years that births have.
pub(in super::super) fn civil(year: i32, month: u8, day: u8) -> Option<Date> {
    if !(1860..=2100).contains(&year) {
        return None;
    }
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// A date in any notation that needs no hint: ISO (with a time behind it or not), slashes and dots,
/// `19720401`, 1972年4月1日, 昭和47年4月1日, S47.4.1, `4/1/1972` (month first unless it cannot be),
/// `Apr 1, 1972`, and the serial numbers of spreadsheets from 1927 to 2030.
pub fn birth_key(text: &str) -> Option<Date> {
    birth_key_hinted(text, DateHint::default())
}

/// A date as [`birth_key`], with what its column is known to mean.
pub fn birth_key_hinted(text: &str, hint: DateHint) -> Option<Date> {
    if text.len() > 64 || text.len() < 5 {
        return None;
    }
    let folded = without_note(&fold(super::bare(text)));
    era_date(&folded)
        .or_else(|| digits_only(&folded, hint))
        .or_else(|| separated(&folded, hint))
        .or_else(|| month_name(&folded, hint))
}

/// A date as nearly all are written: a year of four digits, month and day, with hyphens, slashes, characters or nothing
/// between them, or the year of an era. Whatever a column's own notation is, such a text is read alike. `None` for any
/// other.
pub fn plain_date(text: &str) -> Option<Date> {
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u32 = text.parse().ok()?;
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        return civil(year as i32, month as u8, day as u8);
    }
    let digit = |c: char| super::digit(c).map(i32::from);
    let era = match text.chars().next().and_then(digit) {
        Some(_) => None,
        None => Some(Era::leading(text)?),
    };
    let mut chars = era.map_or(text, |(_, rest)| rest).chars();
    // A number of one or two digits, and what stands behind it.
    let number = |chars: &mut Chars<'_>| {
        let first = digit(chars.next()?)?;
        let second = chars.next();
        match second.and_then(digit) {
            Some(second) => Some((first * 10 + second, chars.next())),
            None => Some((first, second)),
        }
    };
    let mut year = 0;
    let between = if era.is_some() {
        let behind;
        (year, behind) = number(&mut chars)?;
        behind
    } else {
        for _ in 0..4 {
            year = year * 10 + digit(chars.next()?)?;
        }
        chars.next()
    };
    let (month, behind) = number(&mut chars)?;
    let (day, end) = number(&mut chars)?;
    let sound = match (between?, behind?) {
        ('年', '月') => end.is_none_or(|end| end == '日') && chars.next().is_none(),
        ('-' | '－', '-' | '－') | ('/' | '／', '/' | '／') => era.is_none() && end.is_none(),
        ('.', '.') => era.is_some() && end.is_none(),
        _ => false,
    };
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    let date = match era {
        Some((era, _)) => era.date(year, month, day),
        None => civil(year, month, day),
    };
    date.filter(|_| sound)
}

/// The day of a time in seconds or milliseconds since 1970, as programs write births: `78796800`, `-305856000000`.
/// Midnight is meant, wherever that was: 15:00 of the day before in UTC is midnight in Tokyo. Only for columns of
/// births, and where [`birth_key`] reads nothing. A number that is no midnight of any zone is none: zones lie quarters
/// of an hour apart, so of other numbers one in 900 is taken for one at the most.
pub fn epoch_key(text: &str) -> Option<Date> {
    let text = text.trim();
    // `78796800.0`, as a table with gaps is written by pandas.
    let text = text.strip_suffix(".0").unwrap_or(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !(7..=14).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    // Seconds up to the year 2100; as milliseconds these are seven weeks around 1970.
    let seconds = match number.abs() {
        0..=4_102_444_800 => number,
        _ => number.div_euclid(1_000),
    };
    let whole = number == seconds || number.rem_euclid(1_000) == 0;
    if !whole || seconds.rem_euclid(900) != 0 {
        return None;
    }
    let at = time::OffsetDateTime::from_unix_timestamp(seconds + 43_200).ok()?;
    civil(at.year(), u8::from(at.month()), at.day())
}

/// Without what only repeats the date: 1972(昭和47)年4月1日, 西暦1972年4月1日, 1972/4/1(土).
fn without_note(folded: &str) -> String {
    let text = folded.strip_prefix("西暦").unwrap_or(folded).trim_start();
    match text.split_once('(') {
        Some((before, rest)) => match rest.split_once(')') {
            Some((_, behind)) => format!("{before}{behind}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

fn era_date(text: &str) -> Option<Date> {
    let (era, rest) = Era::ALL.into_iter().find_map(|era| {
        let short = era.kanji.chars().next()?;
        let rest = text
            .strip_prefix(era.kanji)
            .or_else(|| text.strip_prefix(short))
            .or_else(|| text.strip_prefix(era.letter))?;
        Some((era, rest.trim_start_matches(['.', ' '])))
    })?;
    if rest.len() == 6 && rest.bytes().all(|b| b.is_ascii_digit()) {
        let part = |at: usize| rest[at..at + 2].parse::<u8>().ok();
        return era.date(i32::from(part(0)?), part(2)?, part(4)?);
    }
    let numbers = numbers(rest)?;
    let [year, month, day] = numbers[..] else {
        return None;
    };
    era.date(
        i32::try_from(year).ok()?,
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
    )
}

fn digits_only(text: &str, hint: DateHint) -> Option<Date> {
    // A spreadsheet's day may have a time of day behind it.
    let text = match text.split_once('.') {
        Some((day, part)) if matches!(part, "0" | "00") || day.len() == 5 && numeric(part) => day,
        _ => text,
    };
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let date = |year: u32, month: u32, day: u32| {
        civil(
            i32::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    };
    match text.len() {
        14 => date(part(0, 4)?, part(4, 6)?, part(6, 8)?),
        8 => date(part(0, 4)?, part(4, 6)?, part(6, 8)?).or_else(|| {
            let (one, other) = (part(0, 2)?, part(2, 4)?);
            let (month, day) = if hint.day_first {
                (other, one)
            } else {
                (one, other)
            };
            date(part(4, 8)?, month, day)
        }),
        5 => {
            // Day 1 of the 1900 system is 1 January 1900, and it counts a 29 February 1900.
            let serial = i64::from(part(0, 5)?);
            (9_863..=47_848)
                .contains(&serial)
                .then(|| Date::from_calendar_date(1899, Month::December, 30).ok())?
                .and_then(|epoch| epoch.checked_add(time::Duration::days(serial)))
        }
        6 if hint.two_digit_years_to.is_some() => {
            date(full_year(part(0, 2)?, hint)?, part(2, 4)?, part(4, 6)?)
        }
        7 if hint.era_numbers => {
            let era = Era::ALL[5usize.checked_sub(part(0, 1)? as usize)?.min(4)];
            era.date(part(1, 3)? as i32, part(3, 5)? as u8, part(5, 7)? as u8)
        }
        _ => None,
    }
}

fn numeric(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn full_year(two_digits: u32, hint: DateHint) -> Option<u32> {
    let last = u32::try_from(hint.two_digit_years_to?).ok()?;
    let year = last - last % 100 + two_digits;
    Some(if year > last { year - 100 } else { year })
}

fn separated(text: &str, hint: DateHint) -> Option<Date> {
    let text = without_time(text);
    let numbers = numbers(text)?;
    let [first, second, third] = numbers[..] else {
        return None;
    };
    let date = |year: u32, month: u32, day: u32| {
        civil(
            i32::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    };
    if first >= 1000 {
        return date(first, second, third);
    }
    let month_first = |year: u32| {
        if hint.day_first || (first > 12 && second <= 12) {
            date(year, second, first)
        } else {
            date(year, first, second)
        }
    };
    if third >= 1000 {
        return month_first(third);
    }
    hint.two_digit_years_to?;
    // 72/04/01 and 72年4月1日 lead with the year, 04/01/72 cannot; 13/04/72 does not where days come first.
    let no_day = first > if hint.day_first { 31 } else { 12 };
    if no_day || text.contains('年') || first == 0 || hint.year_first {
        date(full_year(first, hint)?, second, third)
    } else {
        month_first(full_year(third, hint)?)
    }
}

/// The date of `1972-04-01 00:00:00+09`, `1972-04-01T00:00:00Z`, `1972/4/1 (土)`.
fn without_time(text: &str) -> &str {
    let cut = text
        .char_indices()
        .find(|(at, c)| *at >= 6 && matches!(c, ' ' | 't' | '('))
        .map_or(text.len(), |(at, _)| at);
    let rest = &text[cut..];
    // `1972年 4月 1日` has spaces too, but no time behind them.
    if rest.contains(['月', '日']) {
        text
    } else {
        &text[..cut]
    }
}

/// The numbers of a text that holds nothing but numbers and date separators; kanji numerals and 元 too.
fn numbers(text: &str) -> Option<Vec<u32>> {
    let mut found = Vec::with_capacity(3);
    let mut current: Option<u32> = None;
    let mut tens = false;
    for c in text.chars() {
        let digit = match c {
            '0'..='9' => c.to_digit(10),
            '元' | '一' => Some(1),
            '〇' => Some(0),
            '二' => Some(2),
            '三' => Some(3),
            '四' => Some(4),
            '五' => Some(5),
            '六' => Some(6),
            '七' => Some(7),
            '八' => Some(8),
            '九' => Some(9),
            _ => None,
        };
        match (digit, c) {
            (Some(digit), _) => {
                // Behind 十 a digit is added, elsewhere it is the next place.
                let value = current.unwrap_or(0);
                current = Some(if tens {
                    value + digit
                } else {
                    value.checked_mul(10)?.checked_add(digit)?
                });
                tens = false;
            }
            (None, '十') => {
                current = Some(current.unwrap_or(1).checked_mul(10)?);
                tens = true;
            }
            (None, '-' | '/' | '.' | '年' | '月' | '日' | ' ' | '生' | 'ー') => {
                found.extend(current.take());
                tens = false;
            }
            _ => return None,
        }
    }
    found.extend(current);
    Some(found)
}

fn month_name(text: &str, hint: DateHint) -> Option<Date> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let (mut month, mut day, mut year) = (None, None, None);
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let plain = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        if let Ok(number) = plain.parse::<u32>() {
            if plain.len() == 4 {
                year = year.or(Some(number))
            } else if day.is_none() {
                day = Some(number)
            } else if hint.two_digit_years_to.is_some() && plain.len() == 2 {
                year = year.or(full_year(number, hint))
            }
        } else if let Some(named) = named(word, &MONTHS) {
            month = month.or(u8::try_from(named + 1).ok());
        } else if named(word, &DAYS).is_none() && (month.is_none() || day.is_none()) {
            // A time zone may follow the date; before it, a word makes it something else.
            return None;
        }
    }
    civil(i32::try_from(year?).ok()?, month?, u8::try_from(day?).ok()?)
}

fn named(word: &str, names: &[&str]) -> Option<usize> {
    names
        .iter()
        .position(|name| word.len() >= 3 && word.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    #[test]
    fn times_since_1970_are_the_day_of_their_midnight() {
        let key = |text| epoch_key(text).map(|date| date.to_string());
        for text in [
            "78796800", // midnight of Greenwich
            "78764400", // of Tokyo
            "78825600", // of Los Angeles, in winter
            "78796800000",
            "78764400000",
            "78796800.0",
            " 78796800",
        ] {
            assert_eq!(key(text).as_deref(), Some("1972-07-01"), "{text}");
        }
        assert_eq!(key("-305888400").as_deref(), Some("1960-04-23"));
        assert_eq!(key("-305888400000").as_deref(), Some("1960-04-23"));
        for text in [
            "",
            "-",
            "999999",
            "9999999999999",
            "12345678901234567",
            "7.8e7",
            "78796800.5",
            "78796801",
            "78796800001",
        ] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_is_the_same(
            text in "(明治|平成|令和|昭|[hSrT])[0-9０-９]{1,2}[年.][0-9]{1,2}[月.][0-9０-９]{1,2}日?|[12][0-9]{3}[01][0-9][0-3][0-9]|[12][0-9]{3}[-/年－]{1,2}[01]?[0-9][-/月 ][0-3]?[0-9]日?[0-9 日]?|[0-9０-９]{4}(年|-|－|／)[0-9０-９]{1,2}(月|-|－|／)[0-9０-９]{1,3}(日|)",
            (day_first, year_first, era_numbers) in (any::<bool>(), any::<bool>(), any::<bool>()),
            two_digit_years_to in prop::option::of(1950..2050),
        ) {
            let hint = DateHint { day_first, two_digit_years_to, year_first, era_numbers };
            if let Some(date) = plain_date(&text) {
                prop_assert_eq!(birth_key_hinted(&text, hint), Some(date), "{}", text);
            }
        }
    }

    #[test]
    fn one_date_has_one_key() {
        for text in [
            "1972-04-01",
            "1972/04/01",
            "1972/4/1",
            "1972.4.1",
            "19720401",
            "1972年4月1日",
            "1972年04月01日生",
            "昭和47年4月1日",
            "昭和４７年４月１日",
            "昭和四十七年四月一日",
            "S47.4.1",
            "s47/04/01",
            "S470401",
            "昭47.4.1",
            "㍼47年4月1日",
            "4/1/1972",
            "04/01/1972",
            "04-01-1972",
            "1972-04-01 00:00:00",
            "1972-04-01T00:00:00Z",
            "1972-04-01 00:00:00+09",
            "Apr 1, 1972",
            "1 April 1972",
            "1st Apr 1972",
            "26390",
            "26390.0",
            "04011972",
            "１９７２年　４月　１日",
            "1972/4/1 0:00",
            "1972/4/1(土)",
            "1972(昭和47)年4月1日",
            "西暦1972年4月1日",
            "昭和47年(1972年)4月1日",
            "S.47.4.1",
            "26390.5",
            "19720401000000",
            "Sat Apr 01 1972 00:00:00 GMT+0900",
            "01-APR-1972",
            "Saturday, April 1, 1972",
        ] {
            assert_eq!(birth_key(text), Some(date!(1972 - 04 - 01)), "{text}");
        }
        assert_eq!(birth_key("令和元年5月1日"), Some(date!(2019 - 05 - 01)));
        assert_eq!(birth_key("平成元年1月8日"), Some(date!(1989 - 01 - 08)));
        assert_eq!(birth_key("H1.1.8"), Some(date!(1989 - 01 - 08)));
        assert_eq!(
            birth_key("二〇〇三年十一月二十日"),
            Some(date!(2003 - 11 - 20))
        );
        assert_eq!(birth_key("23/11/1980"), Some(date!(1980 - 11 - 23)));
    }

    #[test]
    fn hints_are_needed_where_a_date_is_ambiguous() {
        let two = DateHint {
            two_digit_years_to: Some(2026),
            ..DateHint::default()
        };
        assert_eq!(birth_key("72/04/01"), None);
        assert_eq!(
            birth_key_hinted("72/04/01", two),
            Some(date!(1972 - 04 - 01))
        );
        assert_eq!(
            birth_key_hinted("04/01/72", two),
            Some(date!(1972 - 04 - 01))
        );
        assert_eq!(birth_key_hinted("720401", two), Some(date!(1972 - 04 - 01)));
        assert_eq!(birth_key_hinted("120401", two), Some(date!(2012 - 04 - 01)));
        assert_eq!(birth_key("1-Apr-72"), None);
        assert_eq!(
            birth_key_hinted("1-Apr-72", two),
            Some(date!(1972 - 04 - 01))
        );
        let day = DateHint {
            day_first: true,
            ..DateHint::default()
        };
        assert_eq!(
            birth_key_hinted("01/04/1972", day),
            Some(date!(1972 - 04 - 01))
        );
        let era = DateHint {
            era_numbers: true,
            ..DateHint::default()
        };
        assert_eq!(
            birth_key_hinted("3470401", era),
            Some(date!(1972 - 04 - 01))
        );
        assert_eq!(birth_key("3470401"), None);
    }

    #[test]
    fn what_is_no_date_has_no_key() {
        for text in [
            "",
            "0000-00-00",
            "1972-13-01",
            "1972-02-30",
            "090-0123-4567",
            "100-0013",
            "abc",
            "山田太郎",
            "12345678",
            "99999",
            "1.2.3",
            "昭和町1-2-3",
            "2025550123",
            "march",
            "s",
            "9-12-8",
        ] {
            assert_eq!(birth_key(text), None, "{text}");
        }
    }
}
