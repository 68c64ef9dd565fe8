//! Texts of columns without a personal meaning: notes, tokens, settings.
//!
//! What one customer alone has is never copied, and least of all what opens an account: a password's hash and a
//! token are made anew, of the letters that stand at each place in the others. In a JSON document that is so
//! for each value by itself.

use std::collections::BTreeMap;
use std::ops::Range;

use rand::{Rng, RngExt};
use serde::de::IgnoredAny;

use super::counted::Counted;
use super::moment::{day, moment_like, order};

/// Draws until a text is found that no row has.
const TRIES: usize = 40;
/// Texts that are looked at to tell what a column's are like.
const LOOKED_AT: usize = 60;
/// Shorter texts are words, not tokens.
const TOKEN: usize = 8;

/// A text that other rows have too; where `own` is one customer's alone, a new one, or `blank`, what stands in empty
/// cells where there are any.
pub(super) fn drawn<R: Rng + ?Sized>(
    own: String,
    counted: &Counted<String>,
    blank: Option<&Option<String>>,
    rng: &mut R,
) -> Option<String> {
    if own.trim().is_empty() || counted.count(&own) > 1 {
        return Some(own);
    }
    if let Some(token) = token(&own, counted, rng) {
        return Some(token);
    }
    if let Some(numbered) = numbered(&own, counted, rng) {
        return Some(numbered);
    }
    if let Some(joined) = unborne(counted, || crossed(&own, counted.any(rng)?, rng)) {
        return Some(joined);
    }
    let mut shared = (2..8).rev().filter_map(|count| counted.like(count, rng));
    if let Some(shared) = shared.find(|text| counted.count(text) > 1) {
        return Some(shared.clone());
    }
    match blank {
        Some(blank) => blank.clone(),
        None => Some(spliced(&own, counted, rng)),
    }
}

/// A token as the column's are: letters and digits without a space, all of one length. `None` where they are none.
fn token<R: Rng + ?Sized>(own: &str, counted: &Counted<String>, rng: &mut R) -> Option<String> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if own.len() < TOKEN || !plain(own) {
        return None;
    }
    let others: Vec<&String> = (0..LOOKED_AT).filter_map(|_| counted.any(rng)).collect();
    let alike = |text: &&&String| text.len() == own.len() && plain(text);
    let alike: Vec<&[u8]> = others
        .iter()
        .filter(alike)
        .map(|text| text.as_bytes())
        .collect();
    if alike.len() * 10 < others.len() * 9 {
        return None;
    }
    unborne(counted, || {
        let at = |place: usize| {
            let other = alike[rng.random_range(0..alike.len())];
            char::from(other[place])
        };
        Some((0..own.len()).map(at).collect())
    })
}

/// The first text that is made which no row has.
fn unborne(counted: &Counted<String>, mut make: impl FnMut() -> Option<String>) -> Option<String> {
    (0..TRIES).find_map(|_| make().filter(|text| counted.count(text) == 0))
}

/// The same words with another number, where others have these words with numbers of their own.
fn numbered<R: Rng + ?Sized>(own: &str, counted: &Counted<String>, rng: &mut R) -> Option<String> {
    let words = |text: &str| -> String { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
    let bare = words(own);
    if bare.len() == own.len() || bare.trim().is_empty() {
        return None;
    }
    let mut others = (0..LOOKED_AT).filter_map(|_| counted.any(rng));
    others.find(|other| *other != own && words(other) == bare)?;
    unborne(counted, || {
        let mut before = false;
        let each = own.chars().map(|c| {
            let digit = c.is_ascii_digit();
            // No number begins with a zero that did not.
            let least = u8::from(!before && c != '0');
            before = digit;
            match digit {
                true => char::from(b'0' + rng.random_range(least..10)),
                false => c,
            }
        });
        Some(each.collect())
    })
}

/// The beginning of one text with the end of another, joined where both have the same mark.
fn crossed<R: Rng + ?Sized>(one: &str, other: &str, rng: &mut R) -> Option<String> {
    let marks = |text: &str| -> Vec<usize> {
        let mark = |c: char| matches!(c, '。' | '、' | ' ' | '\u{3000}' | ',' | '.' | '/' | ';');
        text.char_indices()
            .filter(|(_, c)| mark(*c))
            .map(|(at, _)| at)
            .collect()
    };
    let (cuts, ends) = (marks(one), marks(other));
    if cuts.is_empty() || ends.is_empty() {
        return None;
    }
    let (cut, end) = (
        cuts[rng.random_range(0..cuts.len())],
        ends[rng.random_range(0..ends.len())],
    );
    (one[cut..].chars().next() == other[end..].chars().next())
        .then(|| format!("{}{}", &one[..cut], &other[end..]))
}

/// The beginning of one text with the end of another, wherever they can be cut.
fn spliced<R: Rng + ?Sized>(own: &str, counted: &Counted<String>, rng: &mut R) -> String {
    let mut text = own.to_owned();
    for _ in 0..TRIES {
        let Some(other) = counted.any(rng) else { break };
        let cut = |text: &str, rng: &mut R| {
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).collect();
            match ends.as_slice() {
                [] => text.len(),
                ends => ends[rng.random_range(0..ends.len())],
            }
        };
        let (head, tail) = (cut(own, rng), cut(other, rng));
        text = format!("{}{}", &own[..head], &other[tail..]);
        if counted.count(&text) == 0 {
            break;
        }
    }
    text
}

/// The values of a column of JSON documents, by the keys that lead to them.
pub(super) struct Documents(BTreeMap<String, Counted<String>>);

impl Documents {
    /// Learns from a column's texts; `None` where they are no documents.
    pub(super) fn learn<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Documents> {
        let mut by_path: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (mut count, mut read) = (0_usize, 0_usize);
        for text in texts {
            count += 1;
            let Some(leaves) = leaves(text) else {
                // A column of something else is left at once.
                if read * 10 < count * 9 {
                    return None;
                }
                continue;
            };
            read += 1;
            for leaf in leaves {
                let value = text[leaf.span].to_owned();
                by_path.entry(leaf.path).or_default().push(value);
            }
        }
        let counted = by_path
            .into_iter()
            .map(|(path, values)| (path, Counted::of(values)));
        (read * 10 >= count * 9 && read > 0).then(|| Documents(counted.collect()))
    }

    /// A document with the keys of `own`, in which no value is one customer's alone.
    pub(super) fn drawn<R: Rng + ?Sized>(&self, own: &str, rng: &mut R) -> Option<String> {
        let mut text = own.to_owned();
        for leaf in leaves(own)?.into_iter().rev() {
            let value = &own[leaf.span.clone()];
            let Some(counted) = self.0.get(&leaf.path) else {
                continue;
            };
            if counted.count(&value.to_owned()) > 1 {
                continue;
            }
            let new = match value
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
            {
                Some(inner) => format!("\"{}\"", worded(inner, counted, rng)),
                None => number(value, counted, rng),
            };
            text.replace_range(leaf.span, &new);
        }
        serde_json::from_str::<IgnoredAny>(&text)
            .is_ok()
            .then_some(text)
    }
}

/// A text within quotes, as others have it at the same place of their documents.
fn worded<R: Rng + ?Sized>(own: &str, counted: &Counted<String>, rng: &mut R) -> String {
    let bare = |text: &str| text.trim_matches('"').to_owned();
    let others = counted.all().map(|(text, _)| bare(text));
    let plain = others.filter(|text| !text.contains('\\'));
    let plain = Counted::of(plain);
    if own.contains('\\') {
        // Cut anywhere, a sign that is written by several would break.
        return plain
            .any(rng)
            .map_or_else(String::new, |other| spliced(other, &plain, rng));
    }
    let moment = |text: &str| order(text).filter(|at| day(*at).is_some());
    let other = plain.any(rng).and_then(|other| moment(other));
    if let Some((own_at, other)) = moment(own).zip(other) {
        let between = own_at + (other - own_at) * rng.random::<f64>();
        if let Some(text) = moment_like(own, between, rng) {
            return text;
        }
    }
    drawn(own.to_owned(), &plain, None, rng).unwrap_or_default()
}

/// A number with as many digits, or what else stands without quotes.
fn number<R: Rng + ?Sized>(own: &str, counted: &Counted<String>, rng: &mut R) -> String {
    if own.parse::<f64>().is_err() || own.contains(['e', 'E']) {
        return counted
            .any(rng)
            .map_or_else(|| own.to_owned(), String::clone);
    }
    let first = own.find(|c: char| c.is_ascii_digit() && c != '0');
    let mut text = own.to_owned();
    for _ in 0..TRIES {
        let each = own.char_indices().map(|(at, c)| match c.is_ascii_digit() {
            true if Some(at) > first => char::from(b'0' + rng.random_range(0..10)),
            _ => c,
        });
        text = each.collect();
        if counted.count(&text) == 0 {
            break;
        }
    }
    text
}

/// A value of a document that holds no others.
struct Leaf {
    /// The keys that lead to it.
    path: String,
    span: Range<usize>,
}

/// All of a document, in order; `None` for what is no object or list.
fn leaves(text: &str) -> Option<Vec<Leaf>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    // The keys of the objects that are open; nothing for a list.
    let mut open: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'{' | b'[' => open.push(""),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| *byte != b'"') {
                    at += 1 + usize::from(bytes[at] == b'\\');
                }
                let span = start..(at + 1).min(text.len());
                match (
                    text[span.end..].trim_start().starts_with(':'),
                    open.last_mut(),
                ) {
                    (true, Some(key)) => *key = &text[span],
                    _ => found.push(Leaf {
                        path: open.join("/"),
                        span,
                    }),
                }
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                let rest = &text[at..];
                let end = rest.find([',', '}', ']', ' ', '\n', '\r', '\t']);
                let end = at + end.unwrap_or(rest.len());
                found.push(Leaf {
                    path: open.join("/"),
                    span: start..end,
                });
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn counted(texts: &[String]) -> Counted<String> {
        Counted::of(texts.iter().cloned())
    }

    #[test]
    fn nobodys_password_or_token_is_copied() {
        let mut rng = StdRng::seed_from_u64(1);
        let letters = |rng: &mut StdRng, many: usize| -> String {
            let all = b"./ABCDEFabcdefghijklmnop0123456789";
            (0..many)
                .map(|_| char::from(all[rng.random_range(0..all.len())]))
                .collect()
        };
        let hashes: Vec<String> = (0..300)
            .map(|_| format!("$2y$10${}", letters(&mut rng, 53)))
            .collect();
        let column = counted(&hashes);
        for own in &hashes[..100] {
            let new = drawn(own.clone(), &column, None, &mut rng).unwrap();
            assert!(!hashes.contains(&new));
            assert!(new.starts_with("$2y$10$") && new.len() == 60, "{new}");
        }
        // Words that all have stay, and the number is another.
        let numbers: Vec<String> = (0..300)
            .map(|at| format!("さくら{}", at * 37 + 1_000))
            .collect();
        let column = counted(&numbers);
        for own in &numbers[..100] {
            let new = drawn(own.clone(), &column, None, &mut rng).unwrap();
            let number = new.strip_prefix("さくら").unwrap();
            assert!(!numbers.contains(&new) && !number.starts_with('0'), "{new}");
            assert_eq!(new.len(), own.len());
        }
        // Nor what somebody has written, though nothing may be empty.
        let kana = |at: usize| char::from_u32(0x3042 + at as u32 % 70).unwrap();
        let words: Vec<String> = (0..300)
            .map(|at| {
                format!(
                    "{}{}の{}覚え",
                    kana(at),
                    kana(at * 11 + at / 70),
                    kana(at * 29)
                )
            })
            .collect();
        let column = counted(&words);
        for own in &words[..100] {
            let new = drawn(own.clone(), &column, None, &mut rng).unwrap();
            assert!(!words.contains(&new), "{new}");
            let empty = drawn(own.clone(), &column, Some(&None), &mut rng);
            assert_eq!(empty, None);
        }
    }

    #[test]
    fn documents_keep_their_form_and_nobodys_values() {
        let mut rng = StdRng::seed_from_u64(1);
        let texts: Vec<String> = (0..400)
            .map(|at| {
                format!(
                    "{{\"name\": \"客 {at}\", \"since\": \"20{:02}-04-{:02}\", \"tags\": [\"a\", {}], \"plan\": {{\"id\": \"{}\", \"x\": null}}, \"key\": \"{:08x}\"}}",
                    10 + at % 15,
                    1 + at % 28,
                    100_000 + at * 7,
                    ["free", "paid"][at % 2],
                    (at as u32).wrapping_mul(2_654_435_761),
                )
            })
            .collect();
        let documents = Documents::learn(texts.iter().map(String::as_str)).unwrap();
        for own in &texts[..100] {
            let new = documents.drawn(own, &mut rng).unwrap();
            let (old, value): (serde_json::Value, serde_json::Value) = (
                serde_json::from_str(own).unwrap(),
                serde_json::from_str(&new).unwrap(),
            );
            assert_eq!(value["plan"], old["plan"]);
            assert_ne!(value["name"], old["name"]);
            assert_ne!(value["tags"][1], old["tags"][1]);
            for (key, all) in [("name", "客"), ("key", "")] {
                let held = |text: &String| {
                    let other: serde_json::Value = serde_json::from_str(text).unwrap();
                    other[key] == value[key]
                };
                assert!(!texts.iter().any(held), "{new}");
                assert!(value[key].as_str().unwrap().starts_with(all), "{new}");
            }
        }
        assert!(Documents::learn(["a, b", "c"].into_iter()).is_none());
        assert!(Documents::learn(["17", "18"].into_iter()).is_none());
        let escaped = r#"{"a\"b": "c\\d", "e": []}"#;
        let spans: Vec<&str> = leaves(escaped)
            .unwrap()
            .iter()
            .map(|leaf| &escaped[leaf.span.clone()])
            .collect();
        assert_eq!(spans, [r#""c\\d""#]);
    }
}
