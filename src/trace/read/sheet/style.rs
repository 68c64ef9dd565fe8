//! How a number in a cell is shown: as a date, or with zeros before it that the number has lost.

use time::{Date, Duration, Month};

/// What a cell's format makes of its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// Nothing.
    Plain,
    /// A date, kept as days since an epoch.
    Date,
    /// Digits with zeros before them and hyphens between: `0` and `-`.
    Digits(String),
}

impl Style {
    /// By a format's number, and its text where the workbook defines it.
    pub fn of(id: u32, code: Option<&str>) -> Style {
        match code {
            None if matches!(id, 14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58) => Style::Date,
            None => Style::Plain,
            Some(code) => Style::of_code(code),
        }
    }

    fn of_code(code: &str) -> Style {
        let mut bare = String::new();
        let mut chars = code.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => bare.extend(
                    chars
                        .by_ref()
                        .take_while(|c| *c != '"')
                        .filter(|c| *c == '-'),
                ),
                '[' => {
                    chars.by_ref().take_while(|c| *c != ']').for_each(drop);
                }
                '\\' | '_' => bare.extend(chars.next().filter(|c| *c == '-')),
                c => bare.push(c.to_ascii_lowercase()),
            }
        }
        // The last section of "[<=9999]000;000-0000" is for the longest numbers.
        let last = bare
            .split(';')
            .filter(|section| section.contains('0'))
            .max_by_key(|section| section.len());
        if let Some(digits) = last
            && digits.len() > 1
            && digits.bytes().all(|byte| matches!(byte, b'0' | b'-'))
        {
            return Style::Digits(digits.to_owned());
        }
        if bare.contains(['y', 'd']) || bare.contains("ge") {
            return Style::Date;
        }
        Style::Plain
    }

    /// The cell's text.
    pub fn show(&self, value: &str, since_1904: bool) -> String {
        let plain = super::number(value);
        match self {
            Style::Plain => plain,
            Style::Date => date(value, since_1904).unwrap_or(plain),
            Style::Digits(digits) => fill(digits, &plain).unwrap_or(plain),
        }
    }
}

/// Days since 1900 or 1904 as a date, with the time of day where there is one.
fn date(value: &str, since_1904: bool) -> Option<String> {
    let serial: f64 = value.parse().ok()?;
    if !(1.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let days = serial.floor() as i64;
    let epoch = match since_1904 {
        true => Date::from_calendar_date(1904, Month::January, 1),
        // Excel counts a 29 February 1900 that never was.
        false if days < 60 => Date::from_calendar_date(1899, Month::December, 31),
        false => Date::from_calendar_date(1899, Month::December, 30),
    };
    let date = epoch.ok()?.checked_add(Duration::days(days))?;
    let seconds = (serial.fract() * 86_400.0).round() as u32;
    Some(match seconds {
        0 | 86_400 => date.to_string(),
        seconds => format!(
            "{date} {:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    })
}

/// Digits put into a pattern from the right.
fn fill(pattern: &str, digits: &str) -> Option<String> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut rest = digits.bytes().rev();
    let mut out: Vec<u8> = Vec::new();
    for place in pattern.bytes().rev() {
        out.push(if place == b'0' {
            rest.next().unwrap_or(b'0')
        } else {
            place
        });
    }
    out.extend(rest);
    out.reverse();
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_lost_zeros_come_back() {
        let shown = |code, value| Style::of(200, Some(code)).show(value, false);
        assert_eq!(shown("yyyy/mm/dd", "26394"), "1972-04-05");
        assert_eq!(
            shown("[$-411]ggge\"年\"m\"月\"d\"日\"", "26394.5"),
            "1972-04-05 12:00:00"
        );
        assert_eq!(shown("00000000000", "9001234567"), "09001234567");
        assert_eq!(
            shown("[<=999]000;[<=9999]000\\-00;000\\-0000", "600001"),
            "060-0001"
        );
        assert_eq!(shown("General", "9.0123456789E10"), "90123456789");
        assert_eq!(shown("#,##0", "12"), "12");
        assert_eq!(Style::of(14, None).show("1", false), "1900-01-01");
        assert_eq!(Style::of(14, None).show("61", false), "1900-03-01");
        assert_eq!(Style::of(14, None).show("0", true), "0");
        assert_eq!(date("24932", true).as_deref(), Some("1972-04-05"));
    }
}
