//! Dates.

use time::Date;

use super::super::keys::{DateHint, Era, birth_key_hinted};
use super::widen;

/// How a date is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateFormat {
    pattern: &'static str,
    wide: bool,
}

/// Letters stand for parts, all else for itself: Y year, y its last two digits, m/n month, d/j day (with
/// and without a leading zero), G era in kanji, g its first kanji, R its letter, N its number, E/e year of
/// the era (with and without a leading zero), X a spreadsheet's serial number.
const PATTERNS: [&str; 40] = [
    "Y-m-d",
    "Y/m/d",
    "Y/n/j",
    "Ymd",
    "Y年n月j日",
    "Y年m月d日",
    "Ge年n月j日",
    "GE年m月d日",
    "Re.n.j",
    "RE.m.d",
    "Re/n/j",
    "RE/m/d",
    "REmd",
    "ge.n.j",
    "ge年n月j日",
    "NEmd",
    "n/j/Y",
    "m/d/Y",
    "j/n/Y",
    "d/m/Y",
    "m-d-Y",
    "d-m-Y",
    "d.m.Y",
    "Y-n-j",
    "Y.m.d",
    "Y.n.j",
    "Y-m-d 00:00:00",
    "Y/m/d 00:00:00",
    "Y-m-dT00:00:00",
    "Y/n/j 0:00",
    "Y-m-d 00:00:00+00",
    "Y-m-d 00:00:00+09",
    "y/m/d",
    "ymd",
    "n/j/y",
    "m/d/y",
    "j/n/y",
    "d/m/y",
    "d.m.y",
    "X",
];

/// Two-digit years end with this one. Nobody reads a century out of them otherwise, so it is fixed.
const TWO_DIGITS_TO: i32 = 2029;

impl DateFormat {
    pub(super) const fn iso() -> DateFormat {
        DateFormat {
            pattern: PATTERNS[0],
            wide: false,
        }
    }

    pub(super) fn all() -> impl Iterator<Item = DateFormat> {
        let of = |wide| {
            PATTERNS
                .into_iter()
                .map(move |pattern| DateFormat { pattern, wide })
        };
        // Times come from computers, which do not write full width.
        of(false).chain(of(true).filter(|format| !format.pattern.contains("00")))
    }

    pub(super) fn example(&self) -> String {
        let example = Date::from_calendar_date(1972, time::Month::April, 1);
        example.map(|date| self.write(date)).unwrap_or_default()
    }

    /// Writes a date.
    pub fn write(&self, date: Date) -> String {
        let era = Era::of(date);
        let era_year = era.map_or(date.year(), |era| date.year() - era.start.0 + 1);
        let (month, day) = (u8::from(date.month()), date.day());
        let mut out = String::with_capacity(24);
        // The zeros and letters of a time behind the date stand for themselves.
        let (pattern, time) = match self.pattern.find([' ', 'T']) {
            Some(at) => self.pattern.split_at(at),
            None => (self.pattern, ""),
        };
        for c in pattern.chars() {
            match c {
                'Y' => out += &format!("{:04}", date.year()),
                'y' => out += &format!("{:02}", date.year().rem_euclid(100)),
                'm' => out += &format!("{month:02}"),
                'n' => out += &month.to_string(),
                'd' => out += &format!("{day:02}"),
                'j' => out += &day.to_string(),
                'G' => out += era.map_or("", |era| era.kanji),
                'g' => out.extend(era.and_then(|era| era.kanji.chars().next())),
                'R' => out.extend(era.map(|era| era.letter.to_ascii_uppercase())),
                'N' => {
                    let number = era.and_then(|era| Era::ALL.iter().position(|one| *one == era));
                    out += &number.map_or(0, |at| 5 - at).to_string();
                }
                // The first year of an era is 元年 where it is written out.
                'e' | 'E' if era_year == 1 && pattern.contains('年') => out.push('元'),
                'e' => out += &era_year.to_string(),
                'E' => out += &format!("{era_year:02}"),
                'X' => out += &(date.to_julian_day() - SERIAL_ZERO).to_string(),
                other => out.push(other),
            }
        }
        out += time;
        if self.wide { widen(&out) } else { out }
    }

    /// Reads a date of this column; `None` for one in another notation.
    pub fn read(&self, text: &str) -> Option<Date> {
        birth_key_hinted(text, self.hint()).filter(|date| self.write(*date) == text.trim())
    }

    fn hint(&self) -> DateHint {
        DateHint {
            day_first: self.pattern.find(['d', 'j']) < self.pattern.find(['m', 'n']),
            two_digit_years_to: self.pattern.contains('y').then_some(TWO_DIGITS_TO),
            year_first: self.pattern.starts_with('y'),
            era_numbers: self.pattern.contains('N'),
        }
    }
}

/// The Julian day of a serial number 0 (30 December 1899).
const SERIAL_ZERO: i32 = 2_415_019;

pub(super) fn recognise(samples: &[&str]) -> Option<(DateFormat, f64)> {
    // To read a date takes longer than to write it, and most formats read it alike.
    let mut hints: Vec<DateHint> = Vec::new();
    let formats: Vec<(DateFormat, usize)> = DateFormat::all()
        .map(|format| {
            let hint = format.hint();
            let known = hints.iter().position(|known| *known == hint);
            let at = known.unwrap_or(hints.len());
            if known.is_none() {
                hints.push(hint);
            }
            (format, at)
        })
        .collect();
    let read = |text: &&str| -> (String, Vec<Option<Date>>) {
        let dates = hints.iter().map(|hint| birth_key_hinted(text, *hint));
        (text.trim().to_owned(), dates.collect())
    };
    let read: Vec<(String, Vec<Option<Date>>)> = samples.iter().map(read).collect();
    let fits = |(format, hint): &(DateFormat, usize),
                (text, dates): &(String, Vec<Option<Date>>)| {
        dates[*hint].is_some_and(|date| format.write(date) == *text)
    };
    let found = super::best(formats.into_iter(), &read, fits);
    found.map(|((format, _), share)| (format, share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Births of living people; two-digit years and serial numbers reach no further back.
        #[test]
        fn what_is_written_is_read_back(day in 2_426_000i32..2_461_300) {
            let date = Date::from_julian_day(day).unwrap();
            for format in DateFormat::all() {
                prop_assert_eq!(format.read(&format.write(date)), Some(date), "{} {}", format.pattern, format.write(date));
            }
        }
    }

    #[test]
    fn the_first_year_of_an_era() {
        let date = time::macros::date!(1989 - 01 - 08);
        assert_eq!(
            DateFormat {
                pattern: "Ge年n月j日",
                wide: false
            }
            .write(date),
            "平成元年1月8日"
        );
        assert_eq!(
            DateFormat {
                pattern: "Re.n.j",
                wide: false
            }
            .write(date),
            "H1.1.8"
        );
        assert_eq!(
            DateFormat {
                pattern: "NEmd",
                wide: false
            }
            .write(date),
            "4010108"
        );
    }
}
