//! How the local parts of a table's mail addresses come from their owners' names, and new ones by the
//! same habits.

use rand::{Rng, RngExt};
use time::{Date, Month};

use super::counted::Counted;
use super::mailbox::YEARS;
use crate::persona::{Locale, NamePart, romaji};

/// A piece of a local part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Piece {
    /// The family name, the given name; `true` in passport spelling (`ono` for オオノ).
    Family(bool),
    Given(bool),
    /// Their first letters.
    FamilyInitial,
    GivenInitial,
    /// The year of birth in four digits or two, month and day of birth.
    Year,
    ShortYear,
    MonthDay,
    /// So many other digits; `true` where the first is 0.
    Digits(usize, bool),
    /// What is no letter and no digit.
    Gap(String),
    /// Letters that come from no name.
    Word(String),
}

/// Whose address it is.
pub(crate) struct Owner<'p> {
    pub(crate) locale: Locale,
    pub(crate) family: Option<&'p NamePart>,
    pub(crate) given: Option<&'p NamePart>,
    pub(crate) birth: Option<Date>,
}

/// The habits of a table.
pub(crate) struct Locals {
    habits: Vec<Vec<Piece>>,
    words: Counted<String>,
    /// Addresses that end in two digits, and such where they are the year of birth; the same of four and the birthday.
    years: [u32; 2],
    birthdays: [u32; 2],
}

impl Owner<'_> {
    fn letters(&self, part: Option<&NamePart>, passport: bool) -> String {
        let Some(part) = part else {
            return String::new();
        };
        let text = match self.locale {
            Locale::JaJp if passport => romaji::passport(&part.kana),
            Locale::JaJp => romaji::hepburn(&part.kana),
            Locale::EnUs => part.written.to_lowercase(),
        };
        let letter = |c: &char| c.is_ascii_alphanumeric();
        text.chars().filter(letter).collect()
    }
}

/// Takes a local part to pieces.
fn pieces(local: &str, owner: &Owner<'_>) -> Vec<Piece> {
    let mut names: Vec<(String, Piece)> = Vec::new();
    for passport in [false, true] {
        names.push((
            owner.letters(owner.family, passport),
            Piece::Family(passport),
        ));
        names.push((owner.letters(owner.given, passport), Piece::Given(passport)));
    }
    names.retain(|(text, _)| text.len() > 1);
    // The longer spelling first: 'ono' begins 'onoda'.
    names.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    let local = local.to_lowercase();
    let mut out = Vec::new();
    let mut rest = local.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some((text, piece)) = names
            .iter()
            .find(|(text, _)| rest.starts_with(text.as_str()))
        {
            out.push(piece.clone());
            rest = &rest[text.len()..];
            continue;
        }
        let class = |c: char| (c.is_alphabetic(), c.is_numeric());
        let name_within = |at: usize| {
            names
                .iter()
                .any(|(text, _)| rest[at..].starts_with(text.as_str()))
        };
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(at, other)| class(*other) != class(c) || name_within(*at))
            .map_or(rest.len(), |(at, _)| at);
        let (run, after) = rest.split_at(end);
        out.push(match class(c) {
            (_, true) => digits(run, owner.birth),
            (true, _) => letters(run, owner),
            _ => Piece::Gap(run.to_owned()),
        });
        rest = after;
    }
    out
}

fn digits(run: &str, birth: Option<Date>) -> Piece {
    if let Some(birth) = birth {
        let (month, day) = (u8::from(birth.month()), birth.day());
        if run == format!("{:04}", birth.year()) {
            return Piece::Year;
        }
        if run == format!("{month:02}{day:02}") {
            return Piece::MonthDay;
        }
        if run == format!("{:02}", birth.year().rem_euclid(100)) {
            return Piece::ShortYear;
        }
    }
    Piece::Digits(run.chars().count(), run.starts_with('0'))
}

fn letters(run: &str, owner: &Owner<'_>) -> Piece {
    let initial = |part| owner.letters(part, false).chars().next().map(String::from);
    if Some(run) == initial(owner.given).as_deref() {
        Piece::GivenInitial
    } else if Some(run) == initial(owner.family).as_deref() {
        Piece::FamilyInitial
    } else {
        Piece::Word(run.to_owned())
    }
}

impl Locals {
    /// Learns from local parts and their owners; one habit per address, in the order given.
    pub(crate) fn learn<'a>(rows: impl Iterator<Item = Option<(&'a str, Owner<'a>)>>) -> Locals {
        let (mut years, mut birthdays) = ([0; 2], [0; 2]);
        let mut learnt = |local: &str, owner: &Owner<'_>| {
            let pieces = pieces(local, owner);
            let end = pieces.last().filter(|_| owner.birth.is_some());
            let (counts, told) = match end {
                Some(Piece::ShortYear) => (&mut years, true),
                Some(Piece::Digits(2, _)) => (&mut years, false),
                Some(Piece::MonthDay) => (&mut birthdays, true),
                Some(Piece::Digits(4, _)) => (&mut birthdays, false),
                _ => return pieces,
            };
            counts[0] += 1;
            counts[1] += u32::from(told);
            pieces
        };
        let habits: Vec<Vec<Piece>> = rows
            .map(|row| row.map_or(Vec::new(), |(local, owner)| learnt(local, &owner)))
            .collect();
        let words = habits.iter().flatten().filter_map(|piece| match piece {
            Piece::Word(word) => Some(word.clone()),
            _ => None,
        });
        Locals {
            words: Counted::of(words),
            habits,
            years,
            birthdays,
        }
    }

    /// Whether the letters of a local part are a word to more customers than are called so.
    pub(crate) fn is_word(&self, local: &str, called: impl Fn(&str) -> u32) -> bool {
        let text = local.to_lowercase();
        let word = text.trim_matches(|c: char| !c.is_ascii_alphabetic());
        self.words.count(&word.to_owned()) > called(word)
    }

    /// The year of birth, or the birthday, that the digits at the end of an address stand for, as often as they do so
    /// in the table.
    pub(crate) fn born<R: Rng + ?Sized>(
        &self,
        digits: &str,
        rng: &mut R,
    ) -> (Option<i32>, Option<(Month, u8)>) {
        let mut told = |[all, told]: [u32; 2]| all > 0 && rng.random_ratio(told, all);
        match digits.len() {
            2 if told(self.years) => {
                let short: Option<i32> = digits.parse().ok();
                let years = short
                    .into_iter()
                    .flat_map(|short| [1900 + short, 2000 + short]);
                (years.into_iter().find(|year| YEARS.contains(year)), None)
            }
            4 if told(self.birthdays) => {
                let month = digits[..2]
                    .parse()
                    .ok()
                    .and_then(|month: u8| Month::try_from(month).ok());
                let day = digits[2..].parse().ok();
                let day = month
                    .zip(day)
                    .filter(|(month, day)| (1..=month.length(2000)).contains(day));
                (None, day)
            }
            _ => (None, None),
        }
    }

    /// The habit of one row; empty where the row has no address.
    pub(crate) fn habit(&self, row: usize) -> &[Piece] {
        self.habits.get(row).map_or(&[], Vec::as_slice)
    }

    /// A local part by a habit. `stranger` is somebody else's given name, of which a word is made that
    /// no row has.
    pub(crate) fn write<R: Rng + ?Sized>(
        &self,
        habit: &[Piece],
        owner: &Owner<'_>,
        stranger: &NamePart,
        rng: &mut R,
    ) -> String {
        let mut out = String::new();
        for piece in habit {
            match piece {
                Piece::Family(passport) => out += &owner.letters(owner.family, *passport),
                Piece::Given(passport) => out += &owner.letters(owner.given, *passport),
                Piece::FamilyInitial => {
                    out.extend(owner.letters(owner.family, false).chars().next())
                }
                Piece::GivenInitial => out.extend(owner.letters(owner.given, false).chars().next()),
                Piece::Year | Piece::ShortYear | Piece::MonthDay if owner.birth.is_none() => {
                    out += &number(if *piece == Piece::ShortYear { 2 } else { 4 }, false, rng);
                }
                Piece::Year => {
                    out += &owner
                        .birth
                        .map_or(String::new(), |birth| format!("{:04}", birth.year()))
                }
                Piece::ShortYear => {
                    out += &owner.birth.map_or(String::new(), |birth| {
                        format!("{:02}", birth.year().rem_euclid(100))
                    });
                }
                Piece::MonthDay => {
                    out += &owner.birth.map_or(String::new(), |birth| {
                        format!("{:02}{:02}", u8::from(birth.month()), birth.day())
                    });
                }
                Piece::Digits(count, zero) => out += &number(*count, *zero, rng),
                Piece::Gap(gap) => out += gap,
                Piece::Word(word) => match self
                    .words
                    .like(self.words.count(word).saturating_sub(1), rng)
                {
                    Some(other) => out += other,
                    None => {
                        let other = Owner {
                            locale: owner.locale,
                            family: None,
                            given: Some(stranger),
                            birth: None,
                        };
                        let name = other.letters(other.given, false);
                        let length = word.len().clamp(2, name.len().max(2));
                        out += name.get(..length).unwrap_or(&name);
                    }
                },
            }
        }
        out
    }
}

/// Digits at random, the first 0 or not.
fn number<R: Rng + ?Sized>(count: usize, zero: bool, rng: &mut R) -> String {
    let mut out = String::with_capacity(count);
    for place in 0..count {
        let digit = match place {
            0 if zero => 0,
            0 => rng.random_range(1..10),
            _ => rng.random_range(0..10),
        };
        out.push(char::from(b'0' + digit));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn an_address_is_made_as_another_persons_was() {
        let part = |written: &str, kana: &str| NamePart {
            written: written.to_owned(),
            kana: kana.to_owned(),
        };
        let (sato, hanako) = (part("佐藤", "サトウ"), part("花子", "ハナコ"));
        let (ono, jun) = (part("大野", "オオノ"), part("純", "ジュン"));
        let owner = |family, given, birth| Owner {
            locale: Locale::JaJp,
            family: Some(family),
            given: Some(given),
            birth: Some(birth),
        };
        let one = || owner(&sato, &hanako, time::macros::date!(1980 - 04 - 01));
        let locals = [
            "h.satou80",
            "hanako-satou",
            "sato0401",
            "mimi1980x",
            "hanasan7",
        ];
        let learnt = Locals::learn(locals.iter().map(|local| Some((*local, one()))));
        assert_eq!(learnt.habit(2), [Piece::Family(true), Piece::MonthDay]);
        let other = owner(&ono, &jun, time::macros::date!(1992 - 12 - 24));
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let stranger = part("太郎", "タロウ");
        let mut written = |at: usize| learnt.write(learnt.habit(at), &other, &stranger, &mut rng);
        assert_eq!(written(0), "j.oono92");
        assert_eq!(written(1), "jun-oono");
        assert_eq!(written(2), "ono1224");
        assert_eq!(written(3), "tarou1992ta".replace("tarou", "taro"));
        assert!(written(4).starts_with("tarou"));
    }

    #[test]
    fn digits_are_a_birthday_as_often_as_in_the_table() {
        let name = NamePart {
            written: "Jane".to_owned(),
            kana: String::new(),
        };
        let birth = time::macros::date!(1980 - 04 - 01);
        let owner = |birth| Owner {
            locale: Locale::EnUs,
            family: None,
            given: Some(&name),
            birth,
        };
        // Of four that end in two digits three tell the year; of four digits none tells more than by chance.
        let locals = [
            "jane80", "jane80", "jane80", "jane17", "jane0401", "sunny", "sunny2",
        ];
        let rows = locals
            .iter()
            .map(|local| Some((*local, owner(Some(birth)))));
        let unknown = std::iter::once(Some(("jane17", owner(None))));
        let learnt = Locals::learn(rows.chain(unknown));
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let years = (0..400).filter(|_| learnt.born("64", &mut rng).0 == Some(1964));
        assert!((270..330).contains(&years.count()));
        let mut born = |digits: &str| learnt.born(digits, &mut rng);
        assert_eq!(born("1224"), (None, Some((Month::December, 24))));
        assert_eq!(born("1324"), (None, None));
        assert_eq!(born("0230"), (None, None));
        assert_eq!(born("7"), (None, None));
        let told = (0..100)
            .filter_map(|_| born("05").0)
            .all(|year| year == 2005);
        assert!(told);
        let called = |word: &str| u32::from(word == "jane") * 5;
        assert!(learnt.is_word("sunny77", called) && !learnt.is_word("jane80", called));
        assert!(!learnt.is_word("runner1", called));
    }
}
