//! Points in time, for columns such as created_at.

use time::{OffsetDateTime, UtcOffset};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Style {
    /// Pieces: date separator, between date and time, digits of the fraction, offset.
    Civil {
        date: char,
        gap: char,
        fraction: u8,
        offset: &'static str,
    },
    /// Only the date.
    Date { separator: &'static str },
    /// Digits without separators.
    Compact,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
}

/// How a point in time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimestampFormat(Style);

impl TimestampFormat {
    pub(super) const fn iso() -> TimestampFormat {
        TimestampFormat(Style::Civil {
            date: '-',
            gap: ' ',
            fraction: 0,
            offset: "",
        })
    }

    pub(super) fn all() -> impl Iterator<Item = TimestampFormat> {
        let civil = ["", "+00", "+09", "+00:00", "+09:00", "Z"]
            .into_iter()
            .flat_map(|offset| {
                [0, 3, 6].into_iter().flat_map(move |fraction| {
                    [('-', ' '), ('-', 'T'), ('/', ' ')].map(|(date, gap)| Style::Civil {
                        date,
                        gap,
                        fraction,
                        offset,
                    })
                })
            });
        let others = [
            Style::Date { separator: "-" },
            Style::Date { separator: "/" },
            Style::Date { separator: "" },
            Style::Compact,
            Style::Seconds,
            Style::Millis,
        ];
        civil.chain(others).map(TimestampFormat)
    }

    pub(super) fn example(&self) -> String {
        let example = time::macros::datetime!(2026-11-23 21:05:09.123456 UTC);
        // Shown as on a clock there, not converted, so that all examples look alike.
        match self.0 {
            Style::Civil { offset, .. } => {
                self.write(example.replace_offset(offset_of(offset).unwrap_or(UtcOffset::UTC)))
            }
            _ => self.write(example),
        }
    }

    /// Writes a time. Where the column shows no offset, it is written as on the clock of `at`'s own offset.
    pub fn write(&self, at: OffsetDateTime) -> String {
        match self.0 {
            Style::Civil {
                date,
                gap,
                fraction,
                offset,
            } => {
                let at = offset_of(offset).map_or(at, |offset| at.to_offset(offset));
                let mut out = format!(
                    "{:04}{date}{:02}{date}{:02}{gap}",
                    at.year(),
                    u8::from(at.month()),
                    at.day()
                );
                out += &format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
                match fraction {
                    0 => {}
                    3 => out += &format!(".{:03}", at.millisecond()),
                    _ => out += &format!(".{:06}", at.microsecond()),
                }
                out + offset
            }
            Style::Date { separator } => format!(
                "{:04}{separator}{:02}{separator}{:02}",
                at.year(),
                u8::from(at.month()),
                at.day()
            ),
            Style::Compact => format!(
                "{:04}{:02}{:02}{:02}{:02}{:02}",
                at.year(),
                u8::from(at.month()),
                at.day(),
                at.hour(),
                at.minute(),
                at.second()
            ),
            Style::Seconds => at.unix_timestamp().to_string(),
            Style::Millis => (at.unix_timestamp_nanos() / 1_000_000).to_string(),
        }
    }

    /// Whether a text has this shape and is of our times.
    fn fits(&self, text: &str) -> bool {
        let example = self.example();
        let fraction = matches!(self.0, Style::Civil { fraction: 6, .. });
        // PostgreSQL shows a fraction without its trailing zeros.
        let same_shape = |text: &str| {
            text.len() == example.len()
                && text
                    .bytes()
                    .zip(example.bytes())
                    .all(|(a, b)| a == b || a.is_ascii_digit() && b.is_ascii_digit())
        };
        let shaped = match (fraction, text.split_once('.')) {
            (true, Some((whole, rest))) => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let padded = format!(
                    "{whole}.{}{}{}",
                    &rest[..digits],
                    "0".repeat(6usize.saturating_sub(digits)),
                    &rest[digits..]
                );
                (1..=6).contains(&digits) && digits != 3 && same_shape(&padded)
            }
            _ => same_shape(text),
        };
        shaped
            && match self.0 {
                Style::Seconds => {
                    (600_000_000..2_500_000_000).contains(&text.parse::<i64>().unwrap_or(0))
                }
                Style::Millis => {
                    (600_000_000_000..2_500_000_000_000).contains(&text.parse::<i64>().unwrap_or(0))
                }
                Style::Compact | Style::Date { separator: "" } => {
                    let part = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap_or(0);
                    (1985..2100).contains(&part(0, 4))
                        && (1..13).contains(&part(4, 6))
                        && (1..32).contains(&part(6, 8))
                }
                _ => true,
            }
    }
}

fn offset_of(text: &str) -> Option<UtcOffset> {
    match text {
        "" => None,
        text if text.starts_with("+09") => UtcOffset::from_hms(9, 0, 0).ok(),
        _ => Some(UtcOffset::UTC),
    }
}

pub(super) fn recognise(samples: &[&str]) -> Option<(TimestampFormat, f64)> {
    super::best(TimestampFormat::all(), samples, |format, sample| {
        format.fits(sample)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_on_the_clock_that_the_column_shows() {
        let tokyo = time::macros::datetime!(2026-11-24 06:05:09 +9);
        let named = |example: &str| {
            TimestampFormat::all()
                .find(|format| format.example() == example)
                .unwrap()
        };
        assert_eq!(
            named("2026-11-23T21:05:09Z").write(tokyo),
            "2026-11-23T21:05:09Z"
        );
        assert_eq!(
            named("2026-11-23 21:05:09").write(tokyo),
            "2026-11-24 06:05:09"
        );
        assert_eq!(
            named("2026-11-23 21:05:09+09").write(tokyo.to_offset(UtcOffset::UTC)),
            "2026-11-24 06:05:09+09"
        );
        assert!(named("2026-11-23 21:05:09.123456+00").fits("2026-11-01 10:00:01.12+00"));
    }
}
