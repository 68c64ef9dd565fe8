//! Rows in which each cell is written as its column says, which nearly all are: what stands in them is told without
//! making a text of each key, but for the cells of columns that nobody understood.

use std::borrow::Cow;
use std::iter::once;

use smallvec::SmallVec;

use super::memory::{Memory, Room};
use super::near::{Date, date, dialled};
use super::normalise::{Class, NameColumns, Plan, birth, guess, has_at, is_kana, join_address};
use crate::notation::{
    Region, Role, digest_key, email_key_into, fold_into, has_japanese, kana_key_into,
    name_key_into, phone_key_into, plain_date, plain_email_into, plain_kana, plain_name,
    plain_phone, postcode_key_into, untitled,
};

/// A value of a row, which [`Plan::keys`] would give a key of.
pub enum Plain<'a> {
    /// A name or a reading in Japanese: the letters of its key.
    Person(Class, &'a [char]),
    /// A number in E.164, and its digits as they are dialled within its country.
    Phone { number: u64, dialled: &'a [u8] },
    /// A day.
    Birth(Date),
    /// The key of a mail address.
    Email(&'a str),
    /// The key of a postcode.
    Postcode(&'a str),
    /// A key of a cell that was tried as everything.
    Guessed(Class, &'a str),
}

impl Plan {
    /// Whether each column has a meaning of its own, or none, so that [`Plan::plain_values`] can read the rows.
    pub fn is_plain(&self) -> bool {
        let whole = |name: &NameColumns| name.family.or(name.given).is_none();
        let named = |name: &NameColumns| match name.whole {
            Some(_) => whole(name),
            None => name.family.is_some() == name.given.is_some(),
        };
        // A child's given name may stand for it alone.
        let names = [self.customer, self.customer_kana];
        self.apart.is_empty()
            && names.iter().chain(&self.children_kana).all(named)
            && self.children.iter().all(whole)
    }

    /// Gives the values of a row in which each cell is written as its column says, all but the address. `false` where
    /// that is not so, or where `found` has said so: then some may have been given, and the row wants to be read by
    /// [`Plan::keys`].
    pub fn plain_values<'a>(
        &self,
        memory: &mut Memory,
        cell: impl Fn(usize) -> &'a str,
        found: &mut impl FnMut(Plain<'_>) -> bool,
    ) -> bool {
        let scripts = [
            (Class::Name, self.customer, &self.children),
            (Class::Kana, self.customer_kana, &self.children_kana),
        ];
        for (class, customer, children) in scripts {
            for name in once(&customer).chain(children) {
                if !person(&mut memory.room, class, *name, &cell, found) {
                    return false;
                }
            }
        }
        let filled = |place: &usize| Some(cell(*place)).filter(|written| !written.is_empty());
        let Room { folded, key, .. } = &mut memory.room;
        for written in self.emails.iter().filter_map(filled) {
            let plain = plain_email_into(written, key) || {
                fold_into(written, folded);
                is_one_email(folded) && email_key_into(folded, key)
            };
            if !plain || !found(Plain::Email(key)) {
                return false;
            }
        }
        for written in self.phones.iter().filter_map(filled) {
            let plain = if let Some(national) = plain_phone(written) {
                let digit = |sum: u64, digit: &u8| sum * 10 + u64::from(digit - b'0');
                found(Plain::Phone {
                    number: national.digits().iter().fold(81, digit),
                    dialled: national.dialled(),
                })
            } else {
                phone_key_into(written, self.region, key) && phone(key, found)
            };
            if !plain {
                return false;
            }
        }
        for written in self.postcodes.iter().filter_map(filled) {
            if !postcode_key_into(written, self.region, key) || !found(Plain::Postcode(key)) {
                return false;
            }
        }
        for (place, _, format) in &self.births {
            let Some(written) = filled(place) else {
                continue;
            };
            let day = match plain_date(written) {
                Some(date) => Some((date.year(), u8::from(date.month()), date.day())),
                None => birth(memory, *place, format.as_ref(), written).and_then(date),
            };
            if !day.is_some_and(|day| found(Plain::Birth(day))) {
                return false;
            }
        }
        for written in self.loose.iter().filter_map(filled) {
            let mut plain = true;
            let mut give = |guessed: Plain<'_>| plain = plain && found(guessed);
            if !guess_plain(written, self.region, &mut memory.room, &mut give) {
                guess(written, self.region, &mut memory.room, &mut |key| {
                    give(Plain::Guessed(key.class, key.text));
                });
            }
            if !plain {
                return false;
            }
        }
        let mut codes = self.codes.iter().filter_map(filled);
        codes.all(|code| digest_key(code).is_none())
    }

    /// The address of a row as it is read: its only column, or all of them in the order of their country.
    pub fn address_of<'a>(&self, cell: impl Fn(usize) -> &'a str) -> Cow<'a, str> {
        match self.address[..] {
            [] => Cow::Borrowed(""),
            [(_, place)] => Cow::Borrowed(cell(place)),
            _ => Cow::Owned(join_address(&|role: Role| {
                let column = self.address.iter().find(|(found, _)| *found == role);
                column.map_or("", |(_, place)| cell(*place).trim())
            })),
        }
    }

    /// Whether there is but one column of addresses: what stands in it and has no digit may be something else.
    pub fn has_one_address(&self) -> bool {
        self.address.len() == 1
    }
}

/// Gives what [`guess`] does for the cells of which most columns are full that are tried as everything: names and other
/// words of ideographs, and postcodes. `false`, and nothing given, for any other.
fn guess_plain(
    written: &str,
    region: Option<Region>,
    room: &mut Room,
    give: &mut impl FnMut(Plain<'_>),
) -> bool {
    let Room { key, letters, .. } = room;
    if written.len() > LONGEST_WORDS {
        return false;
    }
    if looks_like_postcode(written) {
        let postcode = postcode_key_into(written, region, key);
        if postcode {
            give(Plain::Guessed(Class::Postcode, key));
        }
        return postcode;
    }
    letters.clear();
    // Three words and more are tried one by one.
    let words = written.split_whitespace().count() <= 2;
    if !words || plain_name(written.chars(), &mut |letter| letters.push(letter)) != Some(true) {
        return false;
    }
    key.clear();
    key.extend(&*letters);
    give(Plain::Person(Class::Name, letters));
    give(Plain::Guessed(Class::Given, key));
    true
}

/// Whether a cell is seven digits of either width, with a hyphen behind the third or without, which can be nothing else.
fn looks_like_postcode(written: &str) -> bool {
    let (mut digits, mut parted) = (0, false);
    for c in written.chars() {
        match c {
            '0'..='9' | '０'..='９' => digits += 1,
            '-' | '－' if digits == 3 && !parted => parted = true,
            _ => return false,
        }
    }
    digits == 7
}

/// Cells of more bytes are read with more care.
const LONGEST_WORDS: usize = 60;

/// Gives the number of a key; `false` where it is none, or `found` says so.
pub fn phone(key: &str, found: &mut impl FnMut(Plain<'_>) -> bool) -> bool {
    let (zero, rest) = dialled(key);
    let dialled: SmallVec<[u8; 24]> = zero.bytes().chain(rest.bytes()).collect();
    let number = key.trim_start_matches('+').parse();
    number.is_ok_and(|number| {
        found(Plain::Phone {
            number,
            dialled: &dialled,
        })
    })
}

/// Whether a cell holds one mail address and nothing else.
fn is_one_email(written: &str) -> bool {
    let parted = || memchr::memchr3(b' ', b';', b',', written.as_bytes()).is_some();
    written.is_ascii() && has_at(written) && !parted()
}

/// Gives a name in Japanese; `false` where it is none, or `found` says so.
fn person<'a>(
    room: &mut Room,
    class: Class,
    name: NameColumns,
    cell: &impl Fn(usize) -> &'a str,
    found: &mut impl FnMut(Plain<'_>) -> bool,
) -> bool {
    let Room {
        folded,
        key,
        letters,
        ..
    } = room;
    letters.clear();
    let mut put = |letter| letters.push(letter);
    let at = |place: Option<usize>| place.map_or("", cell);
    let (whole, family, given) = (at(name.whole), at(name.family), at(name.given));
    let plain = match (family, given) {
        ("", "") if whole.is_empty() => return true,
        ("", "") if class == Class::Kana => plain_kana(whole.chars(), &mut put),
        ("", "") => is_person(class, untitled(whole).chars(), &mut put),
        _ if family.is_empty() || given.is_empty() => return false,
        _ => {
            let both = family.chars().chain(once(' ')).chain(given.chars());
            is_person(class, both, &mut put)
        }
    };
    if !plain {
        let written = match whole {
            "" => Cow::Owned([family.trim(), " ", given.trim()].concat()),
            whole => Cow::Borrowed(whole.trim()),
        };
        let reading = written.chars().all(|c| is_kana(c) || c.is_whitespace());
        let read = match class {
            Class::Kana => !written.is_ascii() && reading && kana_key_into(&written, folded, key),
            _ => has_japanese(&written) && !reading && name_key_into(&written, key),
        };
        if !read {
            return false;
        }
        letters.clear();
        letters.extend(key.chars());
    }
    found(Plain::Person(class, letters))
}

/// Gives the letters of a name or a reading as nearly all are written; whether it is one.
fn is_person(
    class: Class,
    written: impl Iterator<Item = char> + Clone,
    give: &mut impl FnMut(char),
) -> bool {
    match class {
        Class::Kana => plain_kana(written, give),
        // A name in kana alone may be the reading.
        _ => plain_name(written, give) == Some(true),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whichever way a cell is tried, it is the same that comes of it.
        #[test]
        fn a_cell_is_tried_as_everything_by_a_short_way(
            cell in "[林千春山田様殿一二十々ヶノかヤﾊー 　0-9-]{1,7}|[0-9０-９]{3}[-－]{0,2}[0-9０-９]{4}|[0-9]{3}[-－]?[0-9]{4}|[^\\n]{0,12}",
            region in prop::option::of(prop::sample::select(vec![Region::Jp, Region::Us])),
        ) {
            let mut room = Room::default();
            let mut short = Vec::new();
            let plain = guess_plain(&cell, region, &mut room, &mut |given| short.push(match given {
                Plain::Person(class, letters) => (class, letters.iter().collect::<String>()),
                Plain::Guessed(class, key) => (class, key.to_owned()),
                _ => unreachable!("it gives no other"),
            }));
            let mut long = Vec::new();
            guess(&cell, region, &mut room, &mut |key| long.push((key.class, key.text.to_owned())));
            prop_assert!(if plain { short == long } else { short.is_empty() }, "{:?} {:?}", short, long);
        }
    }

    #[test]
    fn a_plan_with_a_child_s_given_name_is_not_plain() {
        let plain = |roles: &[Role]| {
            let roles: Vec<_> = roles.iter().copied().map(Some).collect();
            Plan::new(&roles, None).is_plain()
        };
        assert!(plain(&[Role::FamilyName, Role::GivenName, Role::ChildName]));
        assert!(plain(&[
            Role::ChildFamilyNameKana,
            Role::ChildGivenNameKana
        ]));
        assert!(!plain(&[Role::FamilyName]));
        assert!(!plain(&[Role::ChildGivenName]));
        // It is given by itself, too.
        assert!(!plain(&[Role::ChildFamilyName, Role::ChildGivenName]));
        assert!(plain(&[Role::Name, Role::Other]));
    }
}
