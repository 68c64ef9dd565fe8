//! Numbers, dates and times as cells show them: where each lies on a line, and how one is written as another is.

use rand::{Rng, RngExt};

/// A number or a moment as a place on a line: numbers as they are, dates and times in seconds.
pub(crate) fn order(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    let moment = Moment::read(text)?;
    Some(moment.seconds as f64)
}

/// The beginning of a day on that line.
pub(crate) fn midnight(date: time::Date) -> f64 {
    f64::from(date.to_julian_day()) * 86_400.0
}

/// The day of such a moment; `None` for a number that is none.
pub(crate) fn day(seconds: f64) -> Option<time::Date> {
    let days = i32::try_from((seconds as i64).div_euclid(86_400)).ok()?;
    // Moments count from the Julian day 0; a count of seconds since 1970 lies far below.
    (days > 2_000_000).then(|| time::Date::from_julian_day(days).ok())?
}

/// A date, with or without a time, in digits.
struct Moment {
    seconds: i64,
}

/// Numbers, and where each stands.
type Fields = (Vec<i64>, Vec<(usize, usize)>);

/// The digits of a date and time at their places: year, month, day, hour, minute, second.
fn fields(text: &str) -> Option<Fields> {
    let bytes = text.as_bytes();
    let mut values = Vec::new();
    let mut spans = Vec::new();
    let mut at = 0;
    while at < bytes.len() && values.len() < 6 {
        if !bytes[at].is_ascii_digit() {
            if !matches!(bytes[at], b'-' | b'/' | b':' | b' ' | b'T') {
                break;
            }
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        values.push(text[start..at].parse().ok()?);
        spans.push((start, at));
    }
    let year = spans.first().is_some_and(|(start, end)| end - start == 4);
    (year && (values.len() == 3 || values.len() >= 5)).then_some((values, spans))
}

impl Moment {
    fn read(text: &str) -> Option<Moment> {
        let (values, _) = fields(text)?;
        let part = |at: usize| values.get(at).copied().unwrap_or(0);
        let month = time::Month::try_from(u8::try_from(part(1)).ok()?).ok()?;
        let day = u8::try_from(part(2)).ok()?;
        let date = time::Date::from_calendar_date(i32::try_from(part(0)).ok()?, month, day).ok()?;
        let days = i64::from(date.to_julian_day());
        Some(Moment {
            seconds: days * 86_400 + part(3) * 3600 + part(4) * 60 + part(5),
        })
    }

    /// This moment in the notation of `like`.
    fn write(&self, like: &str) -> Option<String> {
        let (_, spans) = fields(like)?;
        let date =
            time::Date::from_julian_day(i32::try_from(self.seconds.div_euclid(86_400)).ok()?)
                .ok()?;
        let rest = self.seconds.rem_euclid(86_400);
        let parts = [
            i64::from(date.year()),
            i64::from(u8::from(date.month())),
            i64::from(date.day()),
            rest / 3600,
            rest % 3600 / 60,
            rest % 60,
        ];
        let mut out = String::with_capacity(like.len());
        let mut at = 0;
        for ((start, end), part) in spans.iter().zip(parts) {
            out += &like[at..*start];
            let width = if like.as_bytes()[*start] == b'0' || end - start >= 2 {
                end - start
            } else {
                1
            };
            out += &format!("{part:0width$}");
            at = *end;
        }
        Some(out + &like[at..])
    }
}

/// A moment in the notation of another, `like`; a fraction of its second is nobody's. `None` where `like` is none.
pub(crate) fn moment_like<R: Rng + ?Sized>(
    like: &str,
    seconds: f64,
    rng: &mut R,
) -> Option<String> {
    let text = Moment {
        seconds: seconds.floor() as i64,
    }
    .write(like)?;
    let Some(fraction) = text.rfind('.').filter(|at| text[..*at].contains(':')) else {
        return Some(text);
    };
    let end = text[fraction + 1..].find(|c: char| !c.is_ascii_digit());
    let end = end.map_or(text.len(), |end| fraction + 1 + end);
    if text[fraction + 1..end].bytes().all(|digit| digit == b'0') {
        return Some(text);
    }
    let digits: String = (fraction + 1..end)
        .map(|_| char::from(b'0' + rng.random_range(0..10)))
        .collect();
    Some(format!("{}{digits}{}", &text[..=fraction], &text[end..]))
}

/// `value` written as `like` is: as round, with as many places, in the same notation.
pub(crate) fn written_like(like: &str, value: f64, other: &str) -> Option<String> {
    let text = like.trim();
    if text.parse::<f64>().is_ok() {
        let places = |text: &str| text.split_once('.').map_or(0, |(_, places)| places.len());
        let decimals = places(text).max(places(other.trim()));
        if decimals > 0 {
            return Some(format!("{value:.decimals$}"));
        }
        // The roundness of whole numbers: the zeros at their end.
        let zeros = |text: &str| text.len() - text.trim_end_matches('0').len();
        let unit = 10f64.powi(zeros(text).min(9) as i32);
        let width = if text.len() > 1 && text.starts_with('0') {
            text.len()
        } else {
            0
        };
        let rounded = (value / unit).round() * unit;
        return Some(format!("{rounded:0width$.0}"));
    }
    let (values, _) = fields(text)?;
    let whole_minutes = values.get(5).is_none_or(|second| *second == 0);
    let mut seconds = value as i64;
    if values.len() == 3 || values[3..].iter().all(|part| *part == 0) {
        seconds -= seconds.rem_euclid(86_400);
    } else if whole_minutes {
        seconds -= seconds.rem_euclid(60);
    } else {
        // The time of the day is the other row's or this one's: shops have opening hours.
        let day = seconds.div_euclid(86_400);
        let clock = Moment::read(text)?.seconds.rem_euclid(86_400);
        seconds = day * 86_400 + (clock + value.to_bits() as i64 % 1800).rem_euclid(86_400);
    }
    Moment { seconds }.write(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn moments_are_written_as_their_neighbours_are() {
        let moment = Moment::read("2026-11-05 09:08:07").unwrap();
        assert_eq!(
            moment.write("2020-01-02 03:04:05").unwrap(),
            "2026-11-05 09:08:07"
        );
        assert_eq!(moment.write("2020/1/2").unwrap(), "2026/11/5");
        assert_eq!(
            moment.write("2020-01-02T03:04:05.000Z").unwrap(),
            "2026-11-05T09:08:07.000Z"
        );
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let at = moment.seconds as f64;
        let mut like = |like: &str| moment_like(like, at, &mut rng).unwrap();
        assert_eq!(like("2020/1/2"), "2026/11/5");
        assert_eq!(like("2020-01-02 03:04:05.000"), "2026-11-05 09:08:07.000");
        let (one, other) = (
            like("2020-01-02 03:04:05.123456+09"),
            like("2020-01-02 03:04:05.123456+09"),
        );
        assert!(one != other && one.starts_with("2026-11-05 09:08:07.") && one.ends_with("+09"));
        assert_eq!(one.len(), other.len());
        assert!(Moment::read("1.5").is_none() && Moment::read("2026-13-01").is_none());
    }
}
