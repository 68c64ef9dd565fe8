//! Whose a mailbox might be: the names that its address is made of.
//!
//! A mailbox at a provider was made before its canary, so the person follows the address and not the other
//! way round.

use std::collections::HashMap;

use rand::Rng;
use rand::seq::IndexedRandom;

use crate::persona::{Locale, NamePart, Sex, romaji};

/// Letters of a name, at least, to be taken for it beside another name, and alone.
const LETTERS: usize = 3;
const ALONE: usize = 4;
/// Years of birth that an address may end in.
const YEARS: std::ops::RangeInclusive<i32> = 1930..=2012;

/// Names by the letters that they have in a mail address, each with the rows that bear it.
#[derive(Default)]
pub(crate) struct Spelt(HashMap<String, Vec<(NamePart, u32)>>);

impl Spelt {
    pub(crate) fn of(locale: Locale, names: impl Iterator<Item = (NamePart, u32)>) -> Spelt {
        let mut spelt: HashMap<String, Vec<(NamePart, u32)>> = HashMap::new();
        for (name, rows) in names {
            let mut ways = match locale {
                Locale::JaJp => vec![
                    letters(&romaji::hepburn(&name.kana)),
                    letters(&romaji::passport(&name.kana)),
                ],
                Locale::EnUs => vec![letters(&name.written)],
            };
            ways.dedup();
            for way in ways.into_iter().filter(|way| way.len() >= LETTERS) {
                spelt.entry(way).or_default().push((name.clone(), rows));
            }
        }
        for names in spelt.values_mut() {
            names.sort_by(|a, b| (&a.0.written, &a.0.kana).cmp(&(&b.0.written, &b.0.kana)));
        }
        Spelt(spelt)
    }

    /// One of the names that are spelt so; the commoner, the likelier.
    fn pick<R: Rng + ?Sized>(&self, letters: &str, rng: &mut R) -> Option<NamePart> {
        let names = self.0.get(letters)?;
        let chosen = names.choose_weighted(rng, |(_, rows)| rows + 1).ok();
        chosen.map(|(name, _)| name.clone())
    }

    fn has(&self, letters: &str) -> bool {
        self.0.contains_key(letters)
    }
}

/// What an address says of who has it.
#[derive(Default)]
pub(crate) struct Holder {
    pub(crate) family: Option<NamePart>,
    pub(crate) given: Option<NamePart>,
    /// Whose name the given one is, where the table shows that.
    pub(crate) sex: Option<Sex>,
    /// Year of birth.
    pub(crate) year: Option<i32>,
}

/// Reads the part of an address before its `@`.
pub(crate) fn holder<R: Rng + ?Sized>(
    local: &str,
    families: &Spelt,
    given: &Spelt,
    rng: &mut R,
) -> Holder {
    let text = local.to_lowercase();
    let runs: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|run| run.len() >= LETTERS)
        .map(str::to_owned)
        .collect();
    // Every part of every run that is a name, the longest first.
    let found = |names: &Spelt| -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        for (run, text) in runs.iter().enumerate() {
            for from in 0..text.len() {
                for to in from + LETTERS..=text.len() {
                    if names.has(&text[from..to]) {
                        found.push((run, from, to));
                    }
                }
            }
        }
        found
    };
    let (of_family, of_given) = (found(families), found(given));
    let long = |(_, from, to): &(usize, usize, usize)| to - from;
    let apart = |a: &(usize, usize, usize), b: &(usize, usize, usize)| {
        a.0 != b.0 || a.2 <= b.1 || b.2 <= a.1
    };
    // Names within words are none: together they leave hardly a letter of their runs.
    let leave = |a: &(usize, usize, usize), b: &(usize, usize, usize)| {
        let second = if a.0 == b.0 { 0 } else { runs[b.0].len() };
        runs[a.0].len() + second - long(a) - long(b)
    };
    let whole = |names: &[(usize, usize, usize)]| {
        let single = runs.len() == 1;
        single && names.iter().any(|at| long(at) == runs[0].len())
    };
    let both = of_family
        .iter()
        .flat_map(|a| of_given.iter().map(move |b| (a, b)))
        .filter(|(a, b)| apart(a, b))
        .filter(|(a, b)| leave(a, b) <= usize::from(long(a) + long(b) >= 2 * ALONE))
        .filter(|_| !whole(&of_family) && !whole(&of_given))
        .max_by_key(|(a, b)| long(a) + long(b));
    let text = |(run, from, to): &(usize, usize, usize)| &runs[*run][*from..*to];
    // A name within a word is none: alone it has to fill most of its run.
    let alone = |found: &[(usize, usize, usize)]| {
        let fills =
            |at: &&(usize, usize, usize)| long(at) >= ALONE && long(at) + 2 >= runs[at.0].len();
        found
            .iter()
            .filter(fills)
            .max_by_key(|at| long(at))
            .copied()
    };
    let (family, given_name) = match both {
        Some((a, b)) => (Some(*a), Some(*b)),
        None => match (alone(&of_family), alone(&of_given)) {
            (Some(a), Some(b)) if long(&b) > long(&a) => (None, Some(b)),
            (Some(a), _) => (Some(a), None),
            (None, b) => (None, b),
        },
    };
    let digits: String = local
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let year = (digits.len() == 4).then(|| digits.parse().ok()).flatten();
    Holder {
        family: family.and_then(|at| families.pick(text(&at), rng)),
        given: given_name.and_then(|at| given.pick(text(&at), rng)),
        sex: None,
        year: year.filter(|year| YEARS.contains(year)),
    }
}

fn letters(text: &str) -> String {
    let small = text.chars().map(|c| c.to_ascii_lowercase());
    small.filter(char::is_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn part(written: &str, kana: &str) -> (NamePart, u32) {
        let name = NamePart {
            written: written.to_owned(),
            kana: kana.to_owned(),
        };
        (name, 3)
    }

    #[test]
    fn an_address_names_its_holder_in_either_order_and_words_name_nobody() {
        let families = Spelt::of(
            Locale::JaJp,
            [part("大野", "オオノ"), part("佐藤", "サトウ")].into_iter(),
        );
        let given = Spelt::of(
            Locale::JaJp,
            [
                part("健", "ケン"),
                part("由紀", "ユキ"),
                part("優子", "ユウコ"),
            ]
            .into_iter(),
        );
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut read = |local: &str| {
            let found = holder(local, &families, &given, &mut rng);
            let name = |part: Option<NamePart>| part.map(|part| part.written).unwrap_or_default();
            (name(found.family), name(found.given), found.year)
        };
        let told = |family: &str, given: &str, year| (family.to_owned(), given.to_owned(), year);
        assert_eq!(read("yuki.sato"), told("佐藤", "由紀", None));
        assert_eq!(read("ohnoken1978"), told("", "", Some(1978)));
        assert_eq!(read("onoken1978"), told("大野", "健", Some(1978)));
        assert_eq!(read("yukiko.sato"), told("佐藤", "", None));
        assert_eq!(read("snowy_onokendo"), told("", "", None));
        assert_eq!(read("k-sato77"), told("佐藤", "", None));
        assert_eq!(read("snowyukigunipanda"), told("", "", None));
        assert_eq!(read("hanabi0412"), told("", "", None));
    }
}
