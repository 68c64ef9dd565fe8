//! Small tables that people bring from their spreadsheet or exchange: encoding, delimiter, days.

use time::{Date, Month};

/// How a day is written whose year stands last and whose two other numbers could both be the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `05/06/2026` is 5 June.
    DayFirst,
    /// It is May 6th.
    MonthFirst,
}

/// A file's text, in UTF-8 (with or without a mark), UTF-16 (with one) or CP932; `None` if it is none of these.
pub fn decoded(bytes: &[u8]) -> Option<String> {
    for encoding in [encoding_rs::UTF_8, encoding_rs::SHIFT_JIS] {
        let (text, _, wrong) = encoding.decode(bytes);
        if !wrong {
            return Some(text.into_owned());
        }
    }
    None
}

/// What stands between a table's cells: of comma, tab, semicolon and bar the first with which its header, the first line,
/// names columns that are known; else the comma. A bar is a second byte of CP932, and cannot be one there.
pub fn delimiter(text: &[u8], knows: impl Fn(&[&str]) -> bool) -> u8 {
    let line = text.split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default();
    let bars: &[u8] = match std::str::from_utf8(line) {
        Ok(_) => b",\t;|",
        Err(_) => b",\t;",
    };
    let header = decoded(line).unwrap_or_default();
    let mut all = bars.iter().copied();
    let known = |delimiter: &u8| {
        let cells = header.split(char::from(*delimiter));
        let cells: Vec<&str> = cells
            .map(|cell| cell.trim().trim_matches('"').trim())
            .collect();
        knows(&cells)
    };
    all.find(known).unwrap_or(b',')
}

/// A day such as 2026-03-01, 2026/3/1, 2026年3月1日, 1.3.2026 or 26/11/2026. Where the year stands last, dots put the
/// day first; where both other numbers could be the month, `order` says which is.
pub fn day(text: &str, order: Option<DateOrder>) -> Option<Date> {
    let text = text.trim();
    let dots = text.contains('.');
    let numbers = text.replace(['/', '.', '年', '月'], "-").replace('日', "");
    let mut parts = numbers.splitn(3, '-');
    let mut number = || parts.next()?.trim().parse::<u16>().ok();
    let (first, second, third) = (number()?, number()?, number()?);
    let (year, month, day) = if first >= 1000 {
        (first, second, third)
    } else if third < 1000 {
        return None;
    } else if dots || order == Some(DateOrder::DayFirst) || (order.is_none() && first > 12) {
        (third, second, first)
    } else if order == Some(DateOrder::MonthFirst) || second > 12 {
        (third, first, second)
    } else {
        return None;
    };
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn days_are_read_and_none_is_guessed() {
        let (dmy, mdy) = (Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst));
        for (text, order, is) in [
            ("2026-11-05", None, Some(date!(2026 - 11 - 05))),
            ("2026/11/5", mdy, Some(date!(2026 - 11 - 05))),
            ("2026年11月5日", dmy, Some(date!(2026 - 11 - 05))),
            ("5.11.2026", mdy, Some(date!(2026 - 11 - 05))),
            ("26/11/2026", None, Some(date!(2026 - 11 - 26))),
            ("11/26/2026", None, Some(date!(2026 - 11 - 26))),
            ("05/11/2026", None, None),
            ("05/11/2026", dmy, Some(date!(2026 - 11 - 05))),
            ("05/11/2026", mdy, Some(date!(2026 - 05 - 11))),
            ("26/11/2026", mdy, None),
            ("11/26/2026", dmy, None),
            ("05/11/26", dmy, None),
            ("2026-02-30", None, None),
            ("2026-13-01", None, None),
            ("2026-11", None, None),
            ("", None, None),
        ] {
            assert_eq!(day(text, order), is, "{text} {order:?}");
        }
    }

    #[test]
    fn delimiters_are_told_by_what_the_header_says() {
        let knows = |cells: &[&str]| cells.contains(&"to");
        for (header, is) in [
            ("from,to,at\n", b','),
            ("from\tto\tat\r\n", b'\t'),
            ("\"from, or whom\";\"to\";at\n,,,,", b';'),
            ("from|to", b'|'),
            ("to,memo (a;b;c;d)", b','),
            ("\u{feff}to;at", b';'),
            ("nothing;known", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(header.as_bytes(), knows), is, "{header}");
        }
        // ポ is 83 7c.
        let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode("ポto|to");
        assert_eq!(delimiter(&cp932, knows), b',');
    }

    #[test]
    fn either_encoding_is_read() {
        let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode("日付");
        let utf16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain("日付".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for bytes in ["日付".as_bytes(), "\u{feff}日付".as_bytes(), &cp932, &utf16] {
            assert_eq!(decoded(bytes).as_deref(), Some("日付"));
        }
        assert_eq!(decoded(b"a\xff\n"), None);
    }
}
