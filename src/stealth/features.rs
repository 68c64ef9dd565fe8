//! What can be seen of a row beside all others, in numbers.
//!
//! Counts leave the row itself out: a customer's own name is in the table once because of that customer,
//! and a canary's because of the canary. A row that is only held against the table is not in it, and sees one more of a
//! value than each customer who has it; once it stands there, it and they see the same. Where few have the value, that one
//! is the difference between somebody's own and a shared one, and has to be seen; where many have it, it would tell
//! nothing but who is held against the table ([`others`]).

use std::collections::{BTreeMap, HashMap};

use super::parts::{Part, parts};
use super::{Exhibit, Kind};
use super::{near, order};
use crate::persona::romaji;

/// What a number says, and of which columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trait {
    MissingPattern,
    Missing(usize),
    Length(usize),
    Count(usize, Part),
    Value(usize),
    LastDigit(usize),
    Moment(usize, &'static str),
    Surprise(usize),
    RarestLetters(usize),
    Has(usize, String),
    Pair((usize, Part), (usize, Part)),
    Between(usize, usize),
    NameInMail(usize, usize),
    Nearest,
    KeyGap(&'static str),
    OffByKey,
    AfterLast,
}

/// Features column by column, each with what it is; NaN where a row has none.
pub(super) struct Features {
    pub(super) traits: Vec<Trait>,
    pub(super) values: Vec<Vec<f32>>,
}

/// Numbers beyond this are taken for none.
const MOST: f32 = 1e37;

impl Features {
    fn add(&mut self, what: Trait, mut values: Vec<f32>) {
        // An infinite number, or one beyond all use, is none: between two such no cut can be drawn.
        for value in values.iter_mut().filter(|value| value.abs() > MOST) {
            *value = f32::NAN;
        }
        // What is the same in all rows tells nothing.
        let same = |value: &f32| *value == values[0] || (value.is_nan() && values[0].is_nan());
        if !values.is_empty() && !values.iter().all(same) {
            self.traits.push(what);
            self.values.push(values);
        }
    }

    /// Only these features.
    pub(super) fn keep(&mut self, wanted: impl Fn(&Trait, &[f32]) -> bool) {
        let kept: Vec<bool> = self
            .traits
            .iter()
            .zip(&self.values)
            .map(|(what, values)| wanted(what, values))
            .collect();
        let mut at = kept.iter();
        self.traits.retain(|_| at.next() == Some(&true));
        let mut at = kept.iter();
        self.values.retain(|_| at.next() == Some(&true));
    }
}

/// Letters and pairs of letters of a column that are looked for.
const GRAMS: usize = 30;
/// Pairs of columns' parts at most: a wide table has very many.
const PAIRS: usize = 500;

/// From so many on, one more or less is no difference.
const MANY: u32 = 10;

/// How many other rows have what a row has, of so many that are counted.
fn others(count: u32, counted: bool) -> u32 {
    count - u32::from(counted || count >= MANY)
}

/// One part of one column in all rows; 0 is "none".
pub(super) struct Piece {
    pub(super) column: usize,
    pub(super) part: Part,
    pub(super) ids: Vec<u32>,
    pub(super) counts: Vec<u32>,
}

impl Piece {
    /// How many other rows have what a row has.
    pub(super) fn others(&self, row: usize, counted: &[bool]) -> u32 {
        others(self.counts[self.ids[row] as usize], counted[row])
    }
}

/// Looks at all rows. The rows `counted` are the table; the others are only held against it.
pub(super) fn features(exhibit: &Exhibit<'_>, counted: &[bool]) -> Features {
    let mut out = Features {
        traits: Vec::new(),
        values: Vec::new(),
    };
    let rows = exhibit.rows.len();
    let plain: Vec<usize> = (0..exhibit.columns.len())
        .filter(|at| !matches!(exhibit.columns[*at].kind, Kind::Hidden))
        .collect();
    missing_pattern(exhibit, counted, &plain, &mut out);
    let mut pieces = Vec::new();
    let mut moments: Vec<(usize, Vec<f64>)> = Vec::new();
    for at in &plain {
        let texts: Vec<Option<&str>> = (exhibit.rows.iter())
            .map(|row| row[*at].as_deref())
            .collect();
        let flag = |text: &Option<&str>| f32::from(u8::from(text.is_none()));
        out.add(Trait::Missing(*at), texts.iter().map(flag).collect());
        let length = |text: &Option<&str>| text.map_or(-1.0, |text| text.chars().count() as f32);
        out.add(Trait::Length(*at), texts.iter().map(length).collect());
        if !matches!(exhibit.columns[*at].kind, Kind::Key) {
            for piece in pieces_of(*at, exhibit.columns[*at].contact, &texts, counted) {
                let count = |row: usize| (piece.others(row, counted) as f32).ln_1p();
                out.add(
                    Trait::Count(*at, piece.part),
                    (0..rows).map(count).collect(),
                );
                pieces.push(piece);
            }
            letters(*at, &texts, counted, &mut out);
        }
        numbers(*at, &texts, &mut out);
        if let Some(seconds) = order::moments(&texts) {
            order::add_parts(*at, &seconds, &texts, |what, values| out.add(what, values));
            moments.push((*at, seconds));
        }
    }
    for (place, (one, first)) in moments.iter().enumerate() {
        for (other, second) in &moments[place + 1..] {
            let days = first
                .iter()
                .zip(second)
                .map(|(a, b)| ((b - a) / 86_400.0) as f32);
            out.add(Trait::Between(*one, *other), days.collect());
        }
    }
    out.add(Trait::Nearest, near::nearest(&pieces, counted));
    pieces.retain(|piece| tells_in_pairs(piece, rows));
    pairs(&pieces, counted, &mut out);
    names_in_mail(exhibit, &mut out);
    order::add_neighbours(exhibit, &moments, |what, values| out.add(what, values));
    out
}

fn missing_pattern(exhibit: &Exhibit<'_>, counted: &[bool], plain: &[usize], out: &mut Features) {
    let patterns: Vec<Vec<u8>> = (exhibit.rows.iter())
        .map(|row| {
            let kind = |at: &usize| match row[*at].as_deref() {
                None => 0,
                Some("") => 1,
                Some(_) => 2,
            };
            plain.iter().map(kind).collect()
        })
        .collect();
    let mut counts: HashMap<&[u8], u32> = HashMap::new();
    for (pattern, counted) in patterns.iter().zip(counted) {
        *counts.entry(pattern).or_default() += u32::from(*counted);
    }
    let others = |(pattern, counted): (&Vec<u8>, &bool)| {
        (others(counts[pattern.as_slice()], *counted) as f32).ln_1p()
    };
    out.add(
        Trait::MissingPattern,
        patterns.iter().zip(counted).map(others).collect(),
    );
}

fn pieces_of(
    column: usize,
    contact: Option<super::Contact>,
    texts: &[Option<&str>],
    counted: &[bool],
) -> Vec<Piece> {
    let mut names: HashMap<(Part, String), u32> = HashMap::new();
    let mut pieces: Vec<Piece> = Vec::new();
    for (row, text) in texts.iter().enumerate() {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            continue;
        };
        for (part, value) in parts(text, contact) {
            let piece = match pieces.iter().position(|piece| piece.part == part) {
                Some(at) => &mut pieces[at],
                None => {
                    pieces.push(Piece {
                        column,
                        part,
                        ids: vec![0; texts.len()],
                        counts: vec![0],
                    });
                    pieces.last_mut().expect("one was pushed")
                }
            };
            let id = *names.entry((part, value)).or_insert_with(|| {
                piece.counts.push(0);
                piece.counts.len() as u32 - 1
            });
            piece.ids[row] = id;
        }
    }
    for piece in &mut pieces {
        for (id, counted) in piece.ids.iter().zip(counted) {
            piece.counts[*id as usize] += u32::from(*counted);
        }
    }
    pieces.retain(|piece| {
        let own = piece.ids.iter().filter(|id| **id != 0).count();
        own * 50 >= texts.len()
    });
    pieces
}

/// What hardly comes again, or is nearly always the same, says nothing beside another column.
fn tells_in_pairs(piece: &Piece, rows: usize) -> bool {
    let own = piece.ids.iter().filter(|id| **id != 0).count();
    let most = piece.counts.iter().max().copied().unwrap_or(0) as usize;
    piece.part.pairs() && piece.counts.len() * 10 < own * 6 && most * 100 < rows * 98
}

/// How often two parts are seen together, against chance.
fn pairs(pieces: &[Piece], counted: &[bool], out: &mut Features) {
    let table = counted.iter().filter(|counted| **counted).count().max(1) as f32;
    let mut left = PAIRS;
    for (place, one) in pieces.iter().enumerate() {
        for other in &pieces[place + 1..] {
            if one.column == other.column {
                continue;
            }
            if left == 0 {
                return;
            }
            left -= 1;
            let key = |row: usize| (u64::from(one.ids[row]) << 32) | u64::from(other.ids[row]);
            let mut both: HashMap<u64, u32> = HashMap::with_capacity(counted.len() / 2);
            for row in (0..counted.len()).filter(|row| counted[*row]) {
                *both.entry(key(row)).or_default() += 1;
            }
            let lift = |row: usize| {
                let together = others(both.get(&key(row)).copied().unwrap_or(0), counted[row]);
                let chance =
                    one.others(row, counted) as f32 * other.others(row, counted) as f32 / table;
                ((together as f32 + 0.3) / (chance + 0.3)).ln()
            };
            out.add(
                Trait::Pair((one.column, one.part), (other.column, other.part)),
                (0..counted.len()).map(lift).collect(),
            );
        }
    }
}

/// Which letters a column's values have, and how usual their sequence is.
fn letters(column: usize, texts: &[Option<&str>], counted: &[bool], out: &mut Features) {
    const EDGE: char = '\u{0}';
    let bigrams = |text: &str| -> Vec<(char, char)> {
        let mut last = EDGE;
        let mut found = Vec::with_capacity(text.len() + 1);
        for sign in text.chars().chain([EDGE]) {
            found.push((last, sign));
            last = sign;
        }
        found
    };
    let mut pairs: HashMap<(char, char), u32> = HashMap::new();
    let mut heads: HashMap<char, u32> = HashMap::new();
    let mut grams: HashMap<String, u32> = HashMap::new();
    for (text, counted) in texts.iter().zip(counted) {
        let Some(text) = text.filter(|_| *counted) else {
            continue;
        };
        for pair in bigrams(text) {
            *pairs.entry(pair).or_default() += 1;
            *heads.entry(pair.0).or_default() += 1;
        }
        for gram in grams_of(text) {
            *grams.entry(gram).or_default() += 1;
        }
    }
    let (mut surprise, mut rarest) = (Vec::new(), Vec::new());
    for (text, counted) in texts.iter().zip(counted) {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            surprise.push(f32::NAN);
            rarest.push(f32::NAN);
            continue;
        };
        // In order: sums of floats are to be the same each time.
        let mut own: BTreeMap<(char, char), u32> = BTreeMap::new();
        for pair in bigrams(text) {
            *own.entry(pair).or_default() += 1;
        }
        let (mut sum, mut worst) = (0.0f32, f32::MIN);
        for (pair, times) in &own {
            let seen = pairs.get(pair).copied().unwrap_or(0);
            let own = match *counted || seen >= MANY + times {
                true => *times,
                false => 0,
            };
            let seen = (seen - own) as f32;
            let head = (heads.get(&pair.0).copied().unwrap_or(0) - own) as f32;
            sum -= ((seen + 0.1) / (head + 10.0)).ln();
            worst = worst.max(-(seen + 0.1).ln());
        }
        surprise.push(sum / own.len() as f32);
        rarest.push(worst);
    }
    out.add(Trait::Surprise(column), surprise);
    out.add(Trait::RarestLetters(column), rarest);
    let rows = counted.iter().filter(|counted| **counted).count() as u32;
    let mut common: Vec<(String, u32)> = grams
        .into_iter()
        .filter(|(_, count)| *count * 100 > rows && *count * 100 < rows * 99)
        .collect();
    common.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (gram, _) in common.into_iter().take(GRAMS) {
        let has =
            |text: &Option<&str>| f32::from(u8::from(text.is_some_and(|t| t.contains(&gram))));
        let values = texts.iter().map(has).collect();
        out.add(Trait::Has(column, gram), values);
    }
}

/// Each letter and each pair of letters of a text, once.
fn grams_of(text: &str) -> std::collections::HashSet<String> {
    let letters: Vec<char> = text.chars().collect();
    let singles = letters.iter().map(char::to_string);
    let doubles = letters.windows(2).map(|pair| pair.iter().collect());
    singles.chain(doubles).collect()
}

fn numbers(column: usize, texts: &[Option<&str>], out: &mut Features) {
    let numbers: Vec<f64> = (texts.iter())
        .map(|text| {
            text.and_then(|text| text.trim().parse().ok())
                .unwrap_or(f64::NAN)
        })
        .collect();
    if numbers.iter().filter(|number| number.is_finite()).count() * 10 > texts.len() * 3 {
        out.add(
            Trait::Value(column),
            numbers.iter().map(|number| *number as f32).collect(),
        );
        out.add(
            Trait::LastDigit(column),
            numbers
                .iter()
                .map(|number| (number % 10.0) as f32)
                .collect(),
        );
    }
}

/// How much of a mail address's local part stands in the names.
fn names_in_mail(exhibit: &Exhibit<'_>, out: &mut Features) {
    let columns = |wanted: fn(&super::Column) -> bool| -> Vec<usize> {
        let all = 0..exhibit.columns.len();
        all.filter(|at| wanted(&exhibit.columns[*at])).collect()
    };
    let mails = columns(|column| column.contact == Some(super::Contact::Mail));
    for mail in mails {
        for name in columns(|column| column.kana) {
            let common = |row: &super::Row| {
                let (Some(mail), Some(name)) = (row[mail].as_deref(), row[name].as_deref()) else {
                    return f32::NAN;
                };
                let local = mail.split('@').next().unwrap_or_default().to_lowercase();
                let local: String = local.chars().filter(char::is_ascii_lowercase).collect();
                longest_common(&local, &latin(name)) as f32
            };
            let values = exhibit.rows.iter().map(common).collect();
            out.add(Trait::NameInMail(mail, name), values);
        }
    }
}

/// A name in small Latin letters: a reading spelt out, a Latin name as it is.
fn latin(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let wide: String = name.nfkc().collect();
    let kana: String = wide
        .chars()
        .map(|c| match c {
            '\u{3041}'..='\u{3096}' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            other => other,
        })
        .collect();
    romaji::hepburn(&kana)
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_lowercase)
        .collect()
}

/// Length of the longest run of letters that both have.
fn longest_common(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut best = 0;
    let mut last = vec![0usize; other.len() + 1];
    for a in one {
        let mut now = vec![0usize; other.len() + 1];
        for (at, b) in other.iter().enumerate() {
            if a == b {
                now[at + 1] = last[at] + 1;
                best = best.max(now[at + 1]);
            }
        }
        last = now;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_held_against_the_letters_of_an_address() {
        assert_eq!(longest_common("ksato", &latin("サトウ")), 4);
        assert_eq!(longest_common("xyz", &latin("サトウ")), 0);
        assert_eq!(latin("Anne-Marie"), "annemarie");
    }
}
