//! Whose a mailbox might be: the names that its address is made of.
//!
//! A mailbox at a provider was made before its canary, so the person follows the address and not the other
//! way round.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use time::Month;

use crate::persona::{Locale, NamePart, Sex, romaji};

/// Letters of a name, at least, to be taken for it beside another name, and alone.
const LETTERS: usize = 3;
const ALONE: usize = 4;
/// How much rarer a name of the seed tables is than one that a single row has.
const UNSEEN: u32 = 20;
/// Years of birth that an address may end in.
pub(super) const YEARS: std::ops::RangeInclusive<i32> = 1930..=2012;

/// Names by the letters that they have in a mail address, each with the rows that bear it.
#[derive(Default)]
pub(crate) struct Spelt(HashMap<String, Vec<(NamePart, u32)>>);

impl Spelt {
    pub(crate) fn of(locale: Locale, names: impl Iterator<Item = (NamePart, u32)>) -> Spelt {
        let mut spelt: HashMap<String, Vec<(NamePart, u32)>> = HashMap::new();
        for (name, rows) in names {
            let ways = ways(locale, &name);
            for way in ways.into_iter().filter(|way| way.len() >= LETTERS) {
                spelt.entry(way).or_default().push((name.clone(), rows));
            }
        }
        for names in spelt.values_mut() {
            names.sort_by(|a, b| (&a.0.written, &a.0.kana).cmp(&(&b.0.written, &b.0.kana)));
        }
        Spelt(spelt)
    }

    /// One of the names that are spelt so, which as many rows have as others have that of somebody called so; where no
    /// row is, any of them.
    fn pick<R: Rng + ?Sized>(&self, letters: &str, rng: &mut R) -> Option<NamePart> {
        let names = self.0.get(letters)?;
        let own = names.choose_weighted(rng, |(_, rows)| *rows).ok();
        let others = own.map_or(0, |(_, rows)| rows - 1);
        let alike: Vec<&(NamePart, u32)> =
            names.iter().filter(|(_, rows)| *rows == others).collect();
        let chosen = alike.choose(rng).copied().or(own);
        chosen.map(|(name, _)| name.clone())
    }

    /// How many rows bear a name that is spelt so.
    pub(crate) fn rows(&self, letters: &str) -> u32 {
        let names = self.0.get(letters).into_iter().flatten();
        names.map(|(_, rows)| rows).sum()
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
    /// What the name begins with that the address does not tell: `k.sato` is some K. Sato's.
    pub(crate) initial: Option<char>,
    /// Whose name the given one is, where the table shows that.
    pub(crate) sex: Option<Sex>,
    /// Year of birth.
    pub(crate) year: Option<i32>,
    /// Birthday.
    pub(crate) day: Option<(Month, u8)>,
}

impl Holder {
    /// Whether a family name is none that the address speaks against.
    pub(crate) fn of_family(&self, locale: Locale, name: &NamePart) -> bool {
        let open = self.given.is_some() && self.family.is_none();
        self.initial
            .is_none_or(|initial| !open || begins(locale, name, initial))
    }

    /// The same of a given name.
    pub(crate) fn of_given(&self, locale: Locale, name: &NamePart) -> bool {
        let open = self.family.is_some() && self.given.is_none();
        self.initial
            .is_none_or(|initial| !open || begins(locale, name, initial))
    }
}

/// How a name may be spelt in an address.
fn ways(locale: Locale, name: &NamePart) -> Vec<String> {
    let mut ways = match locale {
        Locale::JaJp => vec![
            letters(&romaji::hepburn(&name.kana)),
            letters(&romaji::passport(&name.kana)),
        ],
        Locale::EnUs => vec![letters(&name.written)],
    };
    ways.dedup();
    ways
}

fn begins(locale: Locale, name: &NamePart, initial: char) -> bool {
    let ways = ways(locale, name);
    ways.iter().any(|way| way.starts_with(initial))
}

/// The digits that an address ends in.
pub(crate) fn ending(local: &str) -> &str {
    let name = local.trim_end_matches(|c: char| c.is_ascii_digit());
    &local[name.len()..]
}

/// Reads the part of an address before its `@`.
pub(crate) fn holder<R: Rng + ?Sized>(
    local: &str,
    families: &Spelt,
    given: &Spelt,
    rng: &mut R,
) -> Holder {
    let text = local.to_lowercase();
    let all = text.split(|c: char| !c.is_ascii_alphabetic());
    let (runs, short): (Vec<&str>, Vec<&str>) = all
        .filter(|run| !run.is_empty())
        .partition(|run| run.len() >= LETTERS);
    // The letter beside a name that fills the one run of letters but for it.
    let beside = |(run, from, to): &(usize, usize, usize)| {
        let (before, behind) = (&runs[*run][..*from], &runs[*run][*to..]);
        let mut rest = [before, behind].into_iter().chain(short.iter().copied());
        let letter = rest.clone().map(str::len).sum::<usize>() == 1 && runs.len() == 1;
        let letter = letter.then(|| rest.find(|rest| !rest.is_empty()));
        letter.flatten()?.chars().next()
    };
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
    let least = match short[..] {
        [one] if one.len() == 1 => LETTERS,
        _ => ALONE,
    };
    let alone = |found: &[(usize, usize, usize)]| {
        let fills =
            |at: &&(usize, usize, usize)| long(at) >= least && long(at) + 2 >= runs[at.0].len();
        found
            .iter()
            .filter(fills)
            .max_by_key(|at| long(at))
            .copied()
    };
    // A name as a family's and as a given one: the more people are called so, the likelier.
    let mut either = |a: (usize, usize, usize), b: (usize, usize, usize)| {
        // Of the names that no row has each is far rarer than one that a row has.
        let weight = |rows: u32| UNSEEN.saturating_mul(rows).saturating_add(1);
        let rows = (
            weight(families.rows(text(&a))),
            weight(given.rows(text(&b))),
        );
        let rest = |at: &(usize, usize, usize)| runs[at.0].len() - long(at);
        let fills = |at| (long(at), Reverse(rest(at)));
        let is_given = match fills(&a).cmp(&fills(&b)) {
            Ordering::Equal => rng.random_ratio(rows.1, rows.0.saturating_add(rows.1)),
            longer => longer.is_lt(),
        };
        if is_given {
            (None, Some(b))
        } else {
            (Some(a), None)
        }
    };
    let one = match (alone(&of_family), alone(&of_given)) {
        (Some(a), Some(b)) => either(a, b),
        one => one,
    };
    let initial = one.0.or(one.1).as_ref().and_then(beside);
    let (family, given_name, initial) = match both {
        // Two names that leave a letter are less than one whose letter is the other's first.
        Some((a, b)) if leave(a, b) == 0 || initial.is_none() => (Some(*a), Some(*b), None),
        _ => (one.0, one.1, initial),
    };
    let digits = ending(local);
    let year = (digits.len() == 4).then(|| digits.parse().ok()).flatten();
    Holder {
        family: family.and_then(|at| families.pick(text(&at), rng)),
        given: given_name.and_then(|at| given.pick(text(&at), rng)),
        initial,
        sex: None,
        day: None,
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
        assert_eq!(read("k-ono77"), told("大野", "", None));
        assert_eq!(read("kono77"), told("", "", None));
        assert_eq!(read("snowyukigunipanda"), told("", "", None));
        assert_eq!(read("hanabi0412"), told("", "", None));
    }

    /// Of a hundred called ユミコ, 90 write it in one way and ten each in their own; there are many others.
    #[test]
    fn a_name_is_written_as_those_who_are_called_so_write_it() {
        let name = |at: u32, rows: u32| (part(&format!("由美{at}"), "ユミコ").0, rows);
        let common = [name(0, 90)].into_iter();
        let own = (1..=10).map(|at| name(at, 1));
        let unseen = (11..=60).map(|at| name(at, 0));
        let given = Spelt::of(Locale::JaJp, common.chain(own).chain(unseen));
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let rows = |name: &NamePart| match name.written["由美".len()..].parse::<u32>().unwrap() {
            0 => 90,
            1..=10 => 1,
            _ => 0,
        };
        let drawn: Vec<u32> = (0..2_000)
            .map(|_| rows(&given.pick("yumiko", &mut rng).unwrap()))
            .collect();
        let share = |rows: u32| drawn.iter().filter(|drawn| **drawn == rows).count();
        assert!((1_740..=1_860).contains(&share(90)), "{}", share(90));
        assert!((140..=260).contains(&share(0)), "{}", share(0));
        let seeds = Spelt::of(Locale::JaJp, (11..=60).map(|at| name(at, 0)));
        assert!(seeds.pick("yumiko", &mut rng).is_some());
    }

    #[test]
    fn a_letter_beside_one_name_is_the_first_of_the_other() {
        let name = |written: &str, rows| (part(written, "").0, rows);
        let families = [name("Miller", 9), name("Cass", 2), name("Charles", 1)];
        let given = [name("Andra", 1), name("Cassandra", 9), name("Charles", 40)];
        let families = Spelt::of(Locale::EnUs, families.into_iter());
        let given = Spelt::of(Locale::EnUs, given.into_iter());
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut read = |local: &str| {
            let found = holder(local, &families, &given, &mut rng);
            let name = |part: Option<NamePart>| part.map(|part| part.written).unwrap_or_default();
            (name(found.family), name(found.given), found.initial)
        };
        let told =
            |family: &str, given: &str, initial| (family.to_owned(), given.to_owned(), initial);
        assert_eq!(read("jmiller77"), told("Miller", "", Some('j')));
        assert_eq!(read("millerj"), told("Miller", "", Some('j')));
        assert_eq!(read("j.miller1980"), told("Miller", "", Some('j')));
        assert_eq!(read("miller"), told("Miller", "", None));
        assert_eq!(read("cassandrav2"), told("", "Cassandra", Some('v')));
        assert_eq!(read("a.cassandra_b"), told("", "Cassandra", None));
        // Few have it for their family's.
        let known = (0..200).filter(|_| read("charlesl").1 == "Charles");
        assert!((180..200).contains(&known.count()));
        let holder = holder(
            "millerj",
            &families,
            &given,
            &mut rand_chacha::ChaCha8Rng::seed_from_u64(1),
        );
        let fits = |name: &str| holder.of_given(Locale::EnUs, &part(name, "").0);
        assert!(fits("John") && !fits("Mary"));
        assert!(holder.of_family(Locale::EnUs, &part("Zed", "").0));
        let (jun, chie) = (part("純", "ジュン").0, part("千恵", "チエ").0);
        assert!(holder.of_given(Locale::JaJp, &jun) && !holder.of_given(Locale::JaJp, &chie));
    }
}
