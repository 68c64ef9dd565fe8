//! Running codes (customer numbers): continuing the pattern that a column's values have.

use std::collections::HashSet;

use rand::{Rng, RngExt};

/// Makes codes like those of a column, none of them twice and none that it has.
#[derive(Clone, Debug)]
pub struct Codes {
    shape: Shape,
    taken: HashSet<String>,
}

#[derive(Clone, Debug)]
enum Shape {
    /// `M-000123`: a number between two texts, with leading zeros to a width.
    Numbered {
        before: String,
        after: String,
        width: usize,
        low: u64,
        high: u64,
        running: bool,
    },
    /// The same length throughout: per place, the characters seen there.
    Placed(Vec<Vec<char>>),
}

impl Codes {
    /// Learns from existing values; for codes that must not repeat, from all of them. `None` when they
    /// have no pattern, or there are none.
    pub fn learn<'v>(values: impl IntoIterator<Item = &'v str>) -> Option<Codes> {
        let taken: HashSet<String> = values
            .into_iter()
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect();
        let shape = numbered(&taken).or_else(|| placed(&taken))?;
        Some(Codes { shape, taken })
    }

    /// A code that the column does not have; `None` when the pattern is used up.
    pub fn next<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Option<String> {
        // A pattern nearly used up needs many tries; one that is full must not hang.
        for _ in 0..10_000 {
            let code = self.draw(rng)?;
            if self.taken.insert(code.clone()) {
                return Some(code);
            }
        }
        None
    }

    fn draw<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Option<String> {
        let count = self.taken.len() as u64;
        match &mut self.shape {
            Shape::Numbered {
                before,
                after,
                width,
                low,
                high,
                running,
            } => {
                let number = if *running {
                    // New customers get the next numbers, with the gaps that there always were.
                    let gap = (*high - *low) / count.max(1);
                    *high = high.checked_add(rng.random_range(1..=1 + 2 * gap))?;
                    *high
                } else {
                    rng.random_range(*low..=*high)
                };
                let digits = format!("{number:0width$}", width = *width);
                (*width == 0 || digits.len() == *width).then(|| format!("{before}{digits}{after}"))
            }
            Shape::Placed(places) => Some(
                places
                    .iter()
                    .map(|seen| seen[rng.random_range(0..seen.len())])
                    .collect(),
            ),
        }
    }
}

fn numbered(values: &HashSet<String>) -> Option<Shape> {
    let first = values.iter().next()?;
    let start = first.find(|c: char| c.is_ascii_digit())?;
    let end = first.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (before, after) = (&first[..start], &first[end..]);
    let mut numbers = Vec::with_capacity(values.len());
    let mut widths = HashSet::new();
    let mut padded = false;
    for value in values {
        let digits = value.strip_prefix(before)?.strip_suffix(after)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        numbers.push(digits.parse::<u64>().ok()?);
        widths.insert(digits.len());
        padded |= digits.starts_with('0') && digits.len() > 1;
    }
    if padded && widths.len() > 1 {
        return None;
    }
    let (low, high) = (*numbers.iter().min()?, *numbers.iter().max()?);
    let fixed = widths.len() == 1 && (padded || values.len() > 1);
    Some(Shape::Numbered {
        before: before.to_owned(),
        after: after.to_owned(),
        // Numbers that merely happen to have one length so far may grow by a digit.
        width: if fixed && padded {
            *widths.iter().next()?
        } else {
            0
        },
        low,
        high,
        running: values.len() < 3 || (high - low) / (numbers.len() as u64) < 64,
    })
}

fn placed(values: &HashSet<String>) -> Option<Shape> {
    let length = values.iter().next()?.chars().count();
    let mut places: Vec<Vec<char>> = vec![Vec::new(); length];
    for value in values {
        if value.chars().count() != length || !value.is_ascii() {
            return None;
        }
        for (place, c) in places.iter_mut().zip(value.chars()) {
            if !place.contains(&c) {
                place.push(c);
            }
        }
    }
    for place in &mut places {
        // A place that varies holds any character of the kinds seen there; hexadecimal digits are a kind.
        if place.len() > 1 {
            let hex = place.iter().all(char::is_ascii_hexdigit) && values.len() >= 3;
            let any = |kind: fn(&char) -> bool| place.iter().any(kind);
            let mut all: Vec<char> = Vec::new();
            if any(char::is_ascii_digit) {
                all.extend('0'..='9');
            }
            if any(char::is_ascii_uppercase) {
                all.extend('A'..=if hex { 'F' } else { 'Z' });
            }
            if any(char::is_ascii_lowercase) {
                all.extend('a'..=if hex { 'f' } else { 'z' });
            }
            // Separators that vary, and the few letters of a UUID's variant, stay as seen.
            let few = hex && place.len() <= 4 && values.len() >= 64;
            if !few && place.iter().all(char::is_ascii_alphanumeric) {
                *place = all;
            }
        }
        place.sort_unstable();
    }
    // Sorted, so that equal columns and equal seeds give equal codes.
    (places.iter().filter(|place| place.len() > 1).count() >= 3).then_some(Shape::Placed(places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    fn three(values: &[&str]) -> Vec<String> {
        let mut codes = Codes::learn(values.iter().copied()).unwrap();
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        (0..3).map(|_| codes.next(&mut rng).unwrap()).collect()
    }

    #[test]
    fn patterns_are_continued() {
        assert_eq!(
            three(&["M-000123", "M-000124", "M-000125"]),
            ["M-000126", "M-000127", "M-000128"]
        );
        assert_eq!(three(&["9998", "9999"])[2], "10002");
        for code in three(&["20190000000123", "20260000000001", "20230000000777"]) {
            assert_eq!(code.len(), 14);
        }
        for code in three(&["a3f09c", "00b1e7", "9d8e2f", "c41177"]) {
            assert!(
                code.len() == 6 && code.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
                "{code}"
            );
        }
        assert!(Codes::learn(["free", "text of any length"]).is_none());
        assert!(Codes::learn([]).is_none());
    }

    #[test]
    fn a_pattern_that_is_used_up_ends() {
        let all: Vec<String> = (0..10).map(|digit| format!("A{digit:01}")).collect();
        let mut codes = Codes::learn(["00", "98", "99"]).unwrap();
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        assert_eq!(
            std::iter::from_fn(|| codes.next(&mut rng))
                .take(200)
                .filter(|code| code.len() != 2)
                .count(),
            0
        );
        assert!(Codes::learn(all.iter().map(String::as_str)).is_some());
    }
}
