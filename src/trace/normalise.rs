//! The cells of one row into keys, by what its columns mean.
//!
//! A canary's planted row and a list's row go through the same code, so that both are folded alike
//! whatever was split, joined or left out.

use super::columns::Apart;
use super::mark::Mark;
use super::memory::{Memory, Room};
use super::near::slips::{letters_read, number_read};
use super::pieces::pieces;
use crate::notation::{
    DateFormat, HashName, Region, Role, address_key_into, birth_key, digest_key, email_key,
    email_key_into, epoch_key, has_japanese, kana_key, kana_key_into, name_key, name_key_into,
    phone_key, phone_key_into, plain_date, postcode_key, postcode_key_into, region_key, romaji_key,
};
use smallvec::SmallVec;
use time::Date;

/// What kind of key it is. Whose name or birth a column holds is often lost or wrong in a list, so
/// customers and children share the classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A whole name.
    Name,
    /// A given name alone.
    Given,
    /// The reading of a whole name, in kana or in the letters of romaji: no text is both.
    Kana,
    /// A date of birth.
    Birth,
    /// Town, block and unit.
    Address,
    /// Town and block.
    Block,
    /// A postcode.
    Postcode,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 9] = [
        Class::Email,
        Class::Phone,
        Class::Name,
        Class::Given,
        Class::Kana,
        Class::Birth,
        Class::Address,
        Class::Block,
        Class::Postcode,
    ];

    /// The class of the values that show a mark.
    pub const fn of(mark: Mark) -> Class {
        match mark {
            Mark::Email => Class::Email,
            Mark::Phone => Class::Phone,
            Mark::Address => Class::Address,
            Mark::Block => Class::Block,
            Mark::Postcode => Class::Postcode,
            Mark::Name | Mark::ChildName => Class::Name,
            Mark::ChildGiven => Class::Given,
            Mark::Kana | Mark::ChildKana => Class::Kana,
            Mark::Birth | Mark::ChildBirth => Class::Birth,
        }
    }

    /// Whether its values are given by us to canaries alone, as [`Mark::is_owned`].
    pub const fn is_owned(self) -> bool {
        matches!(self, Class::Email | Class::Phone | Class::Address)
    }
}

/// A key found in a row.
pub struct Key<'a> {
    /// Its kind.
    pub class: Class,
    /// The folded text.
    pub text: &'a str,
    /// What stood in the row, for the notation's own sake.
    pub written: &'a str,
    /// The city beside an address, empty where there is none: it must not contradict.
    pub city: &'a str,
    /// Whether the column is a child's.
    pub child: bool,
    /// Whether the cell was tried without knowing what its column means.
    pub guessed: bool,
}

impl Key<'_> {
    /// Whether the column that it stands in shows values of its class. Any text could be a name, any digest
    /// one of a mail address or of a number, and any number without a sign of it a telephone number: a time in
    /// seconds has as many digits.
    pub fn shows_its_class(&self) -> bool {
        let shows_itself = match self.class {
            Class::Email => true,
            Class::Phone => {
                let written = self.written.trim();
                let number = written.strip_prefix('-').unwrap_or(written);
                written.starts_with(['0', '+', '(', '０', '＋', '（'])
                    || !number.bytes().all(|byte| byte.is_ascii_digit())
            }
            _ => false,
        };
        !self.guessed || shows_itself && HashName::of_key(self.text).is_none()
    }
}

/// One person's name in a row: whole, in two parts, or both.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NameColumns {
    pub whole: Option<usize>,
    pub family: Option<usize>,
    pub given: Option<usize>,
}

impl NameColumns {
    pub fn is_empty(self) -> bool {
        self.whole.is_none() && self.family.is_none() && self.given.is_none()
    }
}

/// Which cells make which keys.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(super) region: Option<Region>,
    pub(super) emails: Vec<usize>,
    pub(super) phones: Vec<usize>,
    pub(super) postcodes: Vec<usize>,
    pub(super) births: Vec<(usize, bool, Option<DateFormat>)>,
    pub(super) customer: NameColumns,
    pub(super) customer_kana: NameColumns,
    pub(super) children: Vec<NameColumns>,
    pub(super) children_kana: Vec<NameColumns>,
    pub(super) address: Vec<(Role, usize)>,
    /// The customer's sex: no key, but it tells which slice of the list a row is of.
    pub(super) sex: Option<usize>,
    pub(super) loose: Vec<usize>,
    /// Columns of codes, which digests may be taken for.
    pub(super) codes: Vec<usize>,
    /// Dates and numbers of which each stands in three columns.
    pub(super) apart: Vec<Apart>,
    /// Classes that columns of several values hold, as a set.
    pub(super) trusted: u16,
}

impl Plan {
    /// The plan for columns of these roles; `None` is a column that nobody understood.
    pub fn new(roles: &[Option<Role>], region: Option<Region>) -> Plan {
        let mut plan = Plan {
            region,
            ..Plan::default()
        };
        for (place, role) in roles.iter().enumerate() {
            let Some(role) = *role else {
                plan.loose.push(place);
                continue;
            };
            let (child, kana) = (&mut plan.children, &mut plan.children_kana);
            match role {
                Role::Email => plan.emails.push(place),
                Role::Phone | Role::Mobile => plan.phones.push(place),
                Role::Postcode => plan.postcodes.push(place),
                Role::Sex => plan.sex = Some(place),
                Role::BirthDate => plan.births.push((place, false, None)),
                Role::ChildBirthDate => plan.births.push((place, true, None)),
                Role::Name => plan.customer.whole = Some(place),
                Role::FamilyName => plan.customer.family = Some(place),
                Role::GivenName => plan.customer.given = Some(place),
                Role::NameKana => plan.customer_kana.whole = Some(place),
                Role::FamilyNameKana => plan.customer_kana.family = Some(place),
                Role::GivenNameKana => plan.customer_kana.given = Some(place),
                Role::ChildName => put(child, |name| &mut name.whole, place),
                Role::ChildFamilyName => put(child, |name| &mut name.family, place),
                Role::ChildGivenName => put(child, |name| &mut name.given, place),
                Role::ChildNameKana => put(kana, |name| &mut name.whole, place),
                Role::ChildFamilyNameKana => put(kana, |name| &mut name.family, place),
                Role::ChildGivenNameKana => put(kana, |name| &mut name.given, place),
                Role::Address
                | Role::Address1
                | Role::Address2
                | Role::Region
                | Role::City
                | Role::Town
                | Role::Street
                | Role::Block
                | Role::Building => plan.address.push((role, place)),
                Role::Other => plan.loose.push(place),
                Role::Id | Role::Code => plan.codes.push(place),
                Role::AddressKana
                | Role::Age
                | Role::ChildSex
                | Role::CreatedAt
                | Role::UpdatedAt
                | Role::Skip => {}
            }
        }
        plan
    }

    /// Keys of these classes are what columns of several values hold, though no column is theirs alone.
    pub fn trust(&mut self, classes: &[Class]) {
        for class in classes {
            self.trusted |= 1 << *class as u16;
        }
    }

    /// Whether columns of several values hold keys of a class.
    pub fn trusts(&self, class: Class) -> bool {
        self.trusted >> class as u16 & 1 == 1
    }

    /// Tries a column as everything, beside what it is taken for.
    pub fn also_guess(&mut self, place: usize) {
        if !self.loose.contains(&place) {
            self.loose.push(place);
        }
    }

    /// Reads the dates of a column in its own notation first.
    pub fn date_format(&mut self, place: usize, format: &DateFormat) {
        for (birth, _, known) in &mut self.births {
            if *birth == place {
                *known = Some(*format);
            }
        }
    }

    /// Whether columns of a child are among them.
    pub fn has_children(&self) -> bool {
        !self.children.is_empty()
            || !self.children_kana.is_empty()
            || self.births.iter().any(|(_, child, _)| *child)
    }

    /// The plan for rows whose cells may have moved: each of `columns` cells is tried as everything.
    pub fn guessing(columns: usize, region: Option<Region>) -> Plan {
        Plan {
            region,
            loose: (0..columns).collect(),
            ..Plan::default()
        }
    }

    /// Gives every key of a row to `found`; `cell` is the text at a place, empty where there is none. `memory` may
    /// be used again for rows of the same plan, and of [`Plan::guessing`].
    pub fn keys<'a>(
        &self,
        memory: &mut Memory,
        cell: impl Fn(usize) -> &'a str,
        found: &mut impl FnMut(Key<'_>),
    ) {
        let give = |found: &mut dyn FnMut(Key<'_>), class, written: &str, text: &str, child| {
            found(Key {
                class,
                text,
                written,
                city: "",
                child,
                guessed: false,
            });
        };
        // What does not fit its column may have moved there from another.
        let mut unread = Unread::new();
        let room = &mut memory.room;
        for place in &self.emails {
            let written = cell(*place);
            if !has_at(written) {
                unread.push(*place);
                if let Some(key) = digest_key(written) {
                    give(found, Class::Email, written, &key, false);
                }
                continue;
            }
            // Some tables hold several addresses in one cell.
            for part in written.split([' ', ';', ',']) {
                if has_at(part) && email_key_into(part, &mut room.key) {
                    give(found, Class::Email, part, &room.key, false);
                }
            }
        }
        for place in &self.phones {
            let written = cell(*place);
            if phone_key_into(written, self.region, &mut room.key) {
                give(found, Class::Phone, written, &room.key, false);
                continue;
            }
            if let Some(key) = digest_key(written) {
                give(found, Class::Phone, written, &key, false);
                continue;
            }
            let mut several = false;
            if written.len() > 16 {
                // Some cells hold several numbers.
                for part in written.split([' ', '\u{3000}', '/', '／', ',', ';', '、', '・']) {
                    if let Some(key) = phone_key(part, self.region) {
                        give(found, Class::Phone, part, &key, false);
                        several = true;
                    }
                }
            }
            match number_read(written, self.region).filter(|_| !several) {
                Some(key) => give(found, Class::Phone, written, &key, false),
                None if several => {}
                None => unread.push(*place),
            }
        }
        for place in &self.postcodes {
            let written = cell(*place);
            match postcode_key_into(written, self.region, &mut room.key) {
                true => give(found, Class::Postcode, written, &room.key, false),
                false => unread.push(*place),
            }
        }
        for (place, child, format) in &self.births {
            let written = cell(*place);
            match birth(memory, *place, format.as_ref(), written) {
                Some(key) => give(found, Class::Birth, written, key, *child),
                None => unread.push(*place),
            }
        }
        for apart in &self.apart {
            let written = apart.join(&cell);
            if apart.role == Role::Phone {
                if let Some(key) = phone_key(&written, self.region) {
                    give(found, Class::Phone, &written, &key, false);
                }
            } else if let Some(date) = birth_key(&written) {
                give(found, Class::Birth, &written, &date.to_string(), false);
            }
        }
        self.names(memory, &cell, &mut unread, found);
        let room = &mut memory.room;
        self.addresses(room, &cell, &mut unread, found);
        let tried = unread.iter().filter(|place| !self.loose.contains(place));
        for place in tried.chain(&self.loose) {
            guess(cell(*place), self.region, room, found);
        }
        for place in &self.codes {
            guess_digest(cell(*place), found);
        }
    }

    /// The prefecture or state of a row, as far as its address columns tell.
    pub fn place<'a>(&self, cell: impl Fn(usize) -> &'a str) -> Option<String> {
        let columns = |role| self.address.iter().filter(move |(of, _)| *of == role);
        let first = [Role::Region, Role::Address, Role::Address1, Role::City];
        let mut columns = first.into_iter().flat_map(columns);
        columns.find_map(|(_, place)| region_key(cell(*place)))
    }

    fn names<'a>(
        &self,
        memory: &mut Memory,
        cell: &impl Fn(usize) -> &'a str,
        unread: &mut Unread,
        found: &mut impl FnMut(Key<'_>),
    ) {
        let none = NameColumns::default();
        let scripts = [
            (Class::Name, self.customer, &self.children),
            (Class::Kana, self.customer_kana, &self.children_kana),
        ];
        for (class, customer, children) in scripts {
            let romaji = class == Class::Name && self.region != Some(Region::Us);
            let fold = Folding { class, romaji };
            whole_name(memory, fold, customer, none, false, cell, found);
            for child in children {
                whole_name(memory, fold, *child, customer, true, cell, found);
            }
            for place in [customer]
                .iter()
                .chain(children)
                .filter_map(|name| name.whole)
            {
                // A name in kana alone may be the reading.
                let kana = cell(place).chars().all(|c| is_kana(c) || c.is_whitespace());
                let fits = kana == (class == Class::Kana);
                if !fits {
                    unread.push(place);
                }
            }
        }
    }

    fn addresses<'a>(
        &self,
        room: &mut Room,
        cell: &impl Fn(usize) -> &'a str,
        unread: &mut Unread,
        found: &mut impl FnMut(Key<'_>),
    ) {
        if self.address.is_empty() {
            return;
        }
        if let [(_, place)] = self.address[..]
            && !cell(place).contains(is_digit)
        {
            unread.push(place);
            return give_address(cell(place), false, room, found);
        }
        let written = self.address_of(cell);
        give_address(&written, false, room, found);
    }
}

/// The day in a cell of a column of births.
pub(super) fn birth<'m>(
    memory: &'m mut Memory,
    place: usize,
    format: Option<&DateFormat>,
    written: &str,
) -> Option<&'m str> {
    // Nearly all dates are sooner read than known again.
    if let Some(date) = plain_date(written) {
        put_date(date, &mut memory.room.key);
        return Some(&memory.room.key);
    }
    let fold = |written: &str| {
        // 04/01/72 and 3470401 mean something only in the column's own notation.
        let own = format.and_then(|format| format.read(written));
        let date = own.or_else(|| birth_key(written));
        date.or_else(|| epoch_key(written))
            .map(|date| date.to_string())
    };
    memory.key(BIRTHS + place, written, fold)
}

/// Places of cells that do not fit their columns.
type Unread = SmallVec<[usize; 8]>;

/// Ways of folding that a [`Memory`] tells apart, beside the classes of names, which are their own.
const ROMAJI: usize = Class::ALL.len();
/// With the column added, each of which has its own notation.
const BIRTHS: usize = ROMAJI + 1;

/// Whether there is the sign of a mail address in a text.
pub(super) fn has_at(text: &str) -> bool {
    text.as_bytes().contains(&b'@') || text.contains('＠')
}

/// A date as a key: as it writes itself, at a fraction of the cost.
fn put_date(date: Date, key: &mut String) {
    key.clear();
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let digits = |number: u8| [number / 10, number % 10].map(|digit| char::from(b'0' + digit));
    match u8::try_from(year / 100) {
        Ok(century @ ..100) => {
            key.extend(digits(century));
            key.extend(digits((year % 100) as u8));
            key.push('-');
            key.extend(digits(month));
            key.push('-');
            key.extend(digits(day));
        }
        _ => key.push_str(&date.to_string()),
    }
}

/// Kana of either width, which a reading has throughout and few names have at all.
pub(super) fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{ff65}'..='\u{ff9f}' | '-')
}

/// A digit that an address cannot do without.
pub(super) fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '０'..='９' | '一'..='十' | '〇')
}

/// Puts a child's column into the first child that has none of the kind yet.
fn put(
    children: &mut Vec<NameColumns>,
    part: impl Fn(&mut NameColumns) -> &mut Option<usize>,
    place: usize,
) {
    for child in children.iter_mut() {
        if part(child).is_none() {
            *part(child) = Some(place);
            return;
        }
    }
    let mut child = NameColumns::default();
    *part(&mut child) = Some(place);
    children.push(child);
}

/// How names of one script are folded.
#[derive(Clone, Copy)]
struct Folding {
    class: Class,
    /// Whether a name in Latin letters may be a Japanese one's reading.
    romaji: bool,
}

/// A person's name, whole or put together; a child that has only a given name gets the customer's
/// family name, as far as the row tells it apart.
fn whole_name<'a>(
    memory: &mut Memory,
    folding: Folding,
    person: NameColumns,
    customer: NameColumns,
    child: bool,
    cell: &impl Fn(usize) -> &'a str,
    found: &mut impl FnMut(Key<'_>),
) {
    if person.is_empty() {
        return;
    }
    let at = |place: Option<usize>| place.map_or("", |place| cell(place).trim());
    let Folding { class, romaji } = folding;
    let mut give = |class: Class, written: &str| {
        let mut key = |class, text: &str| {
            found(Key {
                class,
                text,
                written,
                city: "",
                child,
                guessed: false,
            });
        };
        // A name in Japanese is sooner folded than known again.
        if has_japanese(written) {
            let Room {
                folded, key: text, ..
            } = &mut memory.room;
            let read = match class {
                Class::Kana => kana_key_into(written, folded, text),
                _ => name_key_into(written, text),
            };
            if read {
                key(class, text);
            }
            return;
        }
        let fold = match class {
            Class::Kana => kana_key,
            _ => name_key,
        };
        let read = |written: &str| fold(written).or_else(|| fold(&letters_read(written)?));
        if let Some(text) = memory.key(class as usize, written, read) {
            key(class, text);
        }
        if romaji
            && class == Class::Name
            && let Some(text) = memory.key(ROMAJI, written, romaji_key)
        {
            key(Class::Kana, text);
        }
    };
    if !at(person.whole).is_empty() {
        give(class, at(person.whole));
        return;
    }
    let given = at(person.given);
    let family = [at(person.family), at(customer.family)]
        .into_iter()
        .find(|family| !family.is_empty())
        .unwrap_or_else(|| family_of(at(customer.whole)));
    if !given.is_empty() && !family.is_empty() {
        give(class, &format!("{family} {given}"));
    }
    if child && class == Class::Name && !given.is_empty() {
        give(Class::Given, given);
    }
}

/// The family name of a whole name with a gap: the first word in Japan, the last elsewhere.
fn family_of(whole: &str) -> &str {
    let words = || whole.split_whitespace();
    if words().count() < 2 {
        ""
    } else if whole.is_ascii() {
        words().next_back().unwrap_or_default()
    } else {
        words().next().unwrap_or_default()
    }
}

/// Parts of an address in the order in which their country writes them.
pub(super) fn join_address<'a>(part: &dyn Fn(Role) -> &'a str) -> String {
    let [
        region,
        city,
        town,
        street,
        block,
        whole,
        first,
        second,
        building,
    ] = [
        Role::Region,
        Role::City,
        Role::Town,
        Role::Street,
        Role::Block,
        Role::Address,
        Role::Address1,
        Role::Address2,
        Role::Building,
    ]
    .map(part);
    let main = [whole, first, street, town, block];
    let japanese = main
        .iter()
        .chain([&region, &city])
        .any(|text| text.chars().any(|c| c > '\u{2fff}'));
    let mut out = String::new();
    if japanese {
        // A whole address often repeats what stands in the columns before it.
        let rest = [town, street, block, whole, first];
        for place in [region, city] {
            if !rest.iter().any(|text| text.contains(place)) {
                out.push_str(place);
            }
        }
        out.extend(rest);
        for inner in [second, building] {
            if !inner.is_empty() {
                out.push(' ');
                out.push_str(inner);
            }
        }
        return out;
    }
    for text in [block, town, street, whole, first] {
        if !text.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(text);
        }
    }
    for inner in [second, building] {
        if !inner.is_empty() {
            // `4B` alone is a unit; `Apt 4B` says so itself.
            let bare = !inner.contains(' ') && inner.bytes().any(|b| b.is_ascii_digit());
            out.push_str(if bare && !inner.starts_with('#') {
                " # "
            } else {
                " "
            });
            out.push_str(inner);
        }
    }
    for place in [city, region] {
        if !place.is_empty() {
            out.push_str(", ");
            out.push_str(place);
        }
    }
    out
}

fn give_address(written: &str, guessed: bool, room: &mut Room, found: &mut impl FnMut(Key<'_>)) {
    let Room {
        folded,
        key: mark,
        address,
        ..
    } = room;
    if !address_key_into(written, folded, address) {
        return;
    }
    mark.clear();
    for part in [&address.town, " ", &address.numbers] {
        mark.push_str(part);
    }
    for (class, text) in [
        (Class::Address, &**mark),
        (Class::Block, address.block_in(mark)),
    ] {
        found(Key {
            class,
            text,
            written,
            city: &address.city,
            child: false,
            guessed,
        });
    }
}

/// A digest in a column that says nothing of what was hashed.
fn guess_digest(cell: &str, found: &mut impl FnMut(Key<'_>)) -> bool {
    let Some(text) = digest_key(cell) else {
        return false;
    };
    for class in [Class::Email, Class::Phone] {
        found(Key {
            class,
            text: &text,
            written: cell,
            city: "",
            child: false,
            guessed: true,
        });
    }
    true
}

/// Tries a cell as everything that its letters allow, and a cell of several words as the values that
/// somebody has put into it together.
pub(super) fn guess(
    cell: &str,
    region: Option<Region>,
    room: &mut Room,
    found: &mut impl FnMut(Key<'_>),
) {
    let written = cell.trim();
    if written.is_empty() || written.len() > 400 || guess_digest(written, found) {
        return;
    }
    guess_one(written, region, room, found);
    for piece in pieces(written) {
        guess_one(piece, region, room, found);
    }
}

fn guess_one(
    written: &str,
    region: Option<Region>,
    room: &mut Room,
    found: &mut impl FnMut(Key<'_>),
) {
    let digits = written
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '０'..='９'))
        .count();
    let mut give = |class, text: Option<&str>| {
        if let Some(text) = text {
            found(Key {
                class,
                text,
                written,
                city: "",
                child: false,
                guessed: true,
            });
        }
    };
    if written.contains(['@', '＠']) {
        give(Class::Email, email_key(written).as_deref());
        return;
    }
    if digits >= 9 {
        give(Class::Phone, phone_key(written, region).as_deref());
    }
    if digits >= 3 {
        give(Class::Postcode, postcode_key(written, region).as_deref());
        let birth = birth_key(written).map(|date| date.to_string());
        give(Class::Birth, birth.as_deref());
    } else {
        let name = name_key(written);
        give(Class::Name, name.as_deref());
        give(Class::Given, name.as_deref());
        give(Class::Kana, kana_key(written).as_deref());
        if region != Some(Region::Us) {
            give(Class::Kana, romaji_key(written).as_deref());
        }
    }
    if digits >= 1 {
        give_address(written, true, room, found);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_date_is_put_as_it_writes_itself(day in 2_400_411_i32..2_488_434) {
            let date = Date::from_julian_day(day).unwrap();
            let mut key = "before".to_owned();
            put_date(date, &mut key);
            prop_assert_eq!(key, date.to_string());
        }
    }

    /// A room in which another cell was folded is as good as a new one.
    #[test]
    fn what_was_folded_before_leaves_nothing_behind() {
        let rows = [
            "佐藤　架子様;ｻﾄｳ ｶｺ;〒100-0013;東京都千代田区霞が関9丁目12番8号 霞ハイツ203号室;TEL:090-0123-4567;K@Mail.example;S47.4.1",
            "林一;ハヤシハジメ;1000014;永田町9-1;0301234567;h@mail.example;1972/4/1",
            ";;;山梨県;x;@;",
            "Kako Sato;ﾔﾏﾀﾞ;100;9 Elm Ave Apt 4B;+1 202 555 0123;<k@mail.example>;1972年4月1日",
        ];
        let roles = [
            Role::Name,
            Role::NameKana,
            Role::Postcode,
            Role::Address,
            Role::Phone,
            Role::Email,
            Role::BirthDate,
        ];
        let plan = Plan::new(&roles.map(Some), None);
        let keys = |memory: &mut Memory, row: &'static str| {
            let cells: Vec<&str> = row.split(';').collect();
            let mut keys = Vec::new();
            plan.keys(memory, |place| cells[place], &mut |key| {
                let texts = [key.text, key.written, key.city].map(str::to_owned);
                keys.push((key.class, texts, key.guessed));
            });
            keys
        };
        let mut memory = Memory::new();
        for row in rows.iter().chain(rows.iter().rev()) {
            let alone = keys(&mut Memory::brief(), row);
            assert_eq!(keys(&mut memory, row), alone, "{row}");
        }
    }
}
