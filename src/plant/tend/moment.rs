//! Points in time as a table writes them, read for their distances only.

use crate::blend::order;

const DAY: f64 = 86_400.0;

/// Seconds on the table's own clock, from a beginning that one column has throughout; `None` for what is
/// no time. Counts of milliseconds and times without separators are read too.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return order(text);
    }
    let part = |from: usize, to: usize| text.get(from..to);
    match text.len() {
        // 20261127093000, 20261127
        14 if text.starts_with(['1', '2']) => order(&format!(
            "{}-{}-{} {}:{}:{}",
            part(0, 4)?,
            part(4, 6)?,
            part(6, 8)?,
            part(8, 10)?,
            part(10, 12)?,
            part(12, 14)?
        )),
        8 => order(&format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?)),
        13 => order(text).map(|millis| millis / 1000.0),
        _ => order(text),
    }
}

/// The time of the day of such a moment, in seconds.
pub(super) fn clock(seconds: f64) -> u32 {
    seconds.rem_euclid(DAY) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_gives_the_same_distances() {
        for (one, other) in [
            ("2026-11-26 09:30:00", "2026-11-27 10:30:00"),
            ("2026-11-26T09:30:00.000Z", "2026-11-27T10:30:00.000Z"),
            ("20261126093000", "20261127103000"),
            ("1795685400", "1795775400"),
            ("1795685400000", "1795775400000"),
        ] {
            let distance = seconds(other).unwrap() - seconds(one).unwrap();
            assert!((distance - 90_000.0).abs() < 1e-6, "{one}: {distance}");
        }
        assert_eq!(
            clock(seconds("2026-11-26 09:30:00").unwrap()),
            9 * 3600 + 1800
        );
        assert_eq!(seconds("soon"), None);
    }
}
