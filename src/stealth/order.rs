//! Keys and times: when a row was made, and whether it stands where it says.

use super::features::Trait;
use super::{Exhibit, Kind};
use crate::notation::birth_key;

/// Moments of a column in seconds since the Julian day 0, NaN where there is none; `None` where the column
/// holds none.
pub(super) fn moments(texts: &[Option<&str>]) -> Option<Vec<f64>> {
    let seconds: Vec<f64> = (texts.iter())
        .map(|text| text.and_then(seconds).unwrap_or(f64::NAN))
        .collect();
    let own = seconds.iter().filter(|second| second.is_finite()).count();
    (own * 10 > texts.len() * 3).then_some(seconds)
}

/// A date, or a date and a time as databases write it.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    // A bare number is an amount or a key before it is a date.
    if text.len() < 6
        || text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let (day, clock) = match text.find([' ', 'T']) {
        Some(at) if text.is_char_boundary(10) && at == 10 => (&text[..10], &text[11..]),
        _ => (text, ""),
    };
    let day = f64::from(birth_key(day)?.to_julian_day()) * 86_400.0;
    let mut clock = clock.trim_end_matches('Z').split(':');
    let mut field = || -> f64 {
        let text = clock.next().unwrap_or("0");
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        text[..end.unwrap_or(text.len())].parse().unwrap_or(0.0)
    };
    let (hours, minutes, seconds) = (field(), field(), field());
    Some(day + hours * 3600.0 + minutes * 60.0 + seconds)
}

/// The parts of a column of moments.
pub(super) fn add_parts(
    column: usize,
    seconds: &[f64],
    texts: &[Option<&str>],
    mut add: impl FnMut(Trait, Vec<f32>),
) {
    let mut part = |name: &'static str, of: &dyn Fn(f64) -> f64| {
        let values = seconds.iter().map(|second| of(*second) as f32).collect();
        add(Trait::Moment(column, name), values);
    };
    part("day", &|second| second / 86_400.0);
    part("weekday", &|second| (second / 86_400.0).floor() % 7.0);
    part("hour", &|second| (second % 86_400.0 / 3600.0).floor());
    part("minute", &|second| (second % 3600.0 / 60.0).floor());
    part("second", &|second| (second % 60.0).floor());
    part("fraction of the second", &|second| {
        f64::from(u8::from(second.fract() > 1e-6))
    });
    let day = |text: &Option<&str>| {
        let date = text.and_then(|text| birth_key(text.get(..10).unwrap_or(text)));
        date.map_or((f32::NAN, f32::NAN, f32::NAN), |date| {
            (
                date.year() as f32,
                f32::from(u8::from(date.month())),
                f32::from(date.day()),
            )
        })
    };
    let days: Vec<(f32, f32, f32)> = texts.iter().map(day).collect();
    add(
        Trait::Moment(column, "year"),
        days.iter().map(|day| day.0).collect(),
    );
    add(
        Trait::Moment(column, "month"),
        days.iter().map(|day| day.1).collect(),
    );
    add(
        Trait::Moment(column, "day of the month"),
        days.iter().map(|day| day.2).collect(),
    );
}

/// Gaps between keys, and times that do not fit the keys around.
pub(super) fn add_neighbours(
    exhibit: &Exhibit<'_>,
    moments: &[(usize, Vec<f64>)],
    mut add: impl FnMut(Trait, Vec<f32>),
) {
    let column = |wanted: fn(&Kind) -> bool| {
        (exhibit.columns.iter()).position(|column| wanted(&column.kind))
    };
    let Some(key) = column(|kind| matches!(kind, Kind::Key)) else {
        return;
    };
    let keys: Vec<f64> = (exhibit.rows.iter())
        .map(|row| {
            row[key]
                .as_deref()
                .and_then(|text| text.parse().ok())
                .unwrap_or(f64::NAN)
        })
        .collect();
    if keys.iter().any(|key| !key.is_finite()) {
        return;
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|a, b| keys[*a].total_cmp(&keys[*b]));
    let (mut before, mut after) = (vec![1.0f32; keys.len()], vec![1.0f32; keys.len()]);
    for pair in order.windows(2) {
        let gap = (keys[pair[1]] - keys[pair[0]]) as f32;
        before[pair[1]] = gap;
        after[pair[0]] = gap;
    }
    add(Trait::KeyGap("before"), before);
    add(Trait::KeyGap("after"), after);
    let made = column(|kind| matches!(kind, Kind::Made));
    let Some((_, made)) = moments.iter().find(|(at, _)| Some(*at) == made) else {
        return;
    };
    let (mut off, mut step) = (vec![f32::NAN; keys.len()], vec![f32::NAN; keys.len()]);
    for place in 0..order.len() {
        let row = order[place];
        let around = (place.saturating_sub(5)..(place + 6).min(order.len()))
            .filter(|other| *other != place)
            .map(|other| made[order[other]])
            .filter(|second| second.is_finite());
        let mut around: Vec<f64> = around.collect();
        around.sort_by(f64::total_cmp);
        if let Some(middle) = around.get(around.len() / 2) {
            off[row] = (made[row] - middle) as f32;
        }
        if place > 0 {
            step[row] = (made[row] - made[order[place - 1]]) as f32;
        }
    }
    add(Trait::OffByKey, off);
    add(Trait::AfterLast, step);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_their_times_and_amounts_are_none() {
        let day = seconds("2024-03-05").unwrap();
        assert_eq!(seconds("2024-03-05 01:02:03.5").unwrap() - day, 3723.5);
        assert_eq!(seconds("2024-03-05T10:00:00Z").unwrap() - day, 36_000.0);
        assert_eq!(seconds("2024-03-05 10:00:00+09").unwrap() - day, 36_000.0);
        assert_eq!(seconds("20240305"), None);
        assert_eq!(seconds("青葉市緑町一丁目"), None);
        assert_eq!(seconds(""), None);
    }
}
