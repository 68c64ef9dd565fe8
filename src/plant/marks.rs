//! Marks: name with its reading, birth date, address unit, phone, mail address. Any two of them that
//! survive in a leaked list identify the canary, so no two canaries agree on two, and no customer has
//! a canary's number, mail address, or name with birth date or address.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use time::Date;

use crate::notation::{Role, address_key, birth_key, email_key, kana_key, name_key, phone_key};
use crate::persona::Locale;

/// The marks that a row bears, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Names and readings of guardian and child.
    pub names: Vec<String>,
    pub births: Vec<Date>,
    pub address: Option<String>,
    pub phones: Vec<String>,
    pub emails: Vec<String>,
}

impl Marks {
    /// The marks in a row's cells. The same reading serves customers and canaries, so what is alike is
    /// found alike however the table writes it.
    pub(super) fn of<'c>(locale: Locale, cells: impl Iterator<Item = (Role, &'c str)>) -> Marks {
        let mut marks = Marks::default();
        let mut parts: HashMap<Role, &str> = HashMap::new();
        for (role, text) in cells {
            match role {
                Role::Name | Role::ChildName => marks.names.extend(name_key(text)),
                Role::NameKana | Role::ChildNameKana => marks.names.extend(kana_key(text)),
                Role::BirthDate | Role::ChildBirthDate => marks.births.extend(birth_key(text)),
                Role::Phone | Role::Mobile => {
                    marks.phones.extend(phone_key(text, Some(locale.into())))
                }
                Role::Email => marks.emails.extend(email_key(text)),
                _ => {
                    parts.insert(role, text);
                }
            }
        }
        let joined = |family: Role, given: Role| -> Option<String> {
            let (family, given) = (parts.get(&family)?, parts.get(&given)?);
            Some(match locale {
                Locale::JaJp => format!("{family}{given}"),
                Locale::EnUs => format!("{given} {family}"),
            })
        };
        let names = [
            joined(Role::FamilyName, Role::GivenName),
            joined(Role::ChildFamilyName, Role::ChildGivenName),
        ];
        let readings = [
            joined(Role::FamilyNameKana, Role::GivenNameKana),
            joined(Role::ChildFamilyNameKana, Role::ChildGivenNameKana),
        ];
        marks
            .names
            .extend(names.iter().flatten().filter_map(|name| name_key(name)));
        marks
            .names
            .extend(readings.iter().flatten().filter_map(|name| kana_key(name)));
        marks.address = address(locale, &parts);
        marks
    }

    /// Every two different marks that the row bears, as one number.
    pub(super) fn pairs(&self) -> Vec<u64> {
        let mut all: Vec<(u8, String)> = Vec::new();
        all.extend(self.names.iter().map(|name| (0, name.clone())));
        all.extend(self.births.iter().map(|birth| (1, birth.to_string())));
        all.extend(self.address.iter().map(|address| (2, address.clone())));
        all.extend(self.phones.iter().map(|phone| (3, phone.clone())));
        all.extend(self.emails.iter().map(|email| (4, email.clone())));
        let mut pairs = Vec::new();
        for (place, one) in all.iter().enumerate() {
            for other in &all[place + 1..] {
                if one.0 != other.0 {
                    pairs.push(hash(&(one, other)));
                }
            }
        }
        pairs
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn address(locale: Locale, parts: &HashMap<Role, &str>) -> Option<String> {
    use Role::*;
    let part = |role: Role| parts.get(&role).copied().unwrap_or_default();
    let street = [Address, Address1, Street, Block]
        .into_iter()
        .any(|role| parts.contains_key(&role));
    if !street {
        return None;
    }
    let whole = part(Address);
    let text = match locale {
        _ if !whole.is_empty() => whole.to_owned(),
        Locale::JaJp => {
            // A first line may hold the region already; written twice it would be another address.
            let first = part(Address1);
            let region = if first.starts_with(part(Region)) {
                ""
            } else {
                part(Region)
            };
            let town = if part(Street).is_empty() {
                part(Town)
            } else {
                ""
            };
            let city = if first.contains(part(City)) {
                ""
            } else {
                part(City)
            };
            format!(
                "{region}{city}{town}{first}{}{} {}{}",
                part(Street),
                part(Block),
                part(Building),
                part(Address2)
            )
        }
        Locale::EnUs => {
            let street = [
                part(Address1),
                part(Street),
                part(Block),
                part(Building),
                part(Address2),
            ];
            let street: Vec<&str> = street.into_iter().filter(|text| !text.is_empty()).collect();
            format!("{}, {}, {}", street.join(" "), part(City), part(Region))
        }
    };
    address_key(&text).map(|key| key.mark())
}

/// What stands in the way of a planned canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collision {
    /// A customer with this name and birth date or address, or with this mail address.
    Person(usize),
    /// A customer with this number.
    Phone(usize),
}

/// Planned canaries, to be held against every row of the table.
pub(super) struct Watch {
    names: HashMap<String, Vec<usize>>,
    phones: HashMap<String, Vec<usize>>,
    emails: HashMap<String, Vec<usize>>,
    marks: Vec<Marks>,
}

impl Watch {
    pub(super) fn new(marks: Vec<Marks>) -> Watch {
        let mut watch = Watch {
            names: HashMap::new(),
            phones: HashMap::new(),
            emails: HashMap::new(),
            marks: Vec::new(),
        };
        for (place, own) in marks.iter().enumerate() {
            let note = |map: &mut HashMap<String, Vec<usize>>, values: &[String]| {
                for value in values {
                    map.entry(value.clone()).or_default().push(place);
                }
            };
            note(&mut watch.names, &own.names);
            note(&mut watch.phones, &own.phones);
            note(&mut watch.emails, &own.emails);
        }
        watch.marks = marks;
        watch
    }

    /// The planned canaries that a customer's row stands in the way of; `roles` are those of its cells.
    ///
    /// Nearly no customer has a canary's name, so the rest of a row is read only where one has.
    pub(super) fn meet_row(
        &self,
        locale: Locale,
        roles: &[Role],
        row: &[Option<String>],
        found: &mut Vec<Collision>,
    ) {
        let cells = || {
            let cells = roles.iter().zip(row);
            cells.filter_map(|(role, value)| Some((*role, value.as_deref()?)))
        };
        let first = Marks::of(locale, cells().filter(|(role, _)| comes_first(*role)));
        let known = |map: &HashMap<String, Vec<usize>>, values: &[String]| {
            values.iter().any(|value| map.contains_key(value))
        };
        if known(&self.names, &first.names) {
            self.meet(&Marks::of(locale, cells()), found);
        } else {
            self.meet(&first, found);
        }
    }

    /// The planned canaries that this customer stands in the way of.
    pub(super) fn meet(&self, customer: &Marks, found: &mut Vec<Collision>) {
        let places = |map: &HashMap<String, Vec<usize>>, values: &[String]| -> Vec<usize> {
            values
                .iter()
                .filter_map(|value| map.get(value))
                .flatten()
                .copied()
                .collect()
        };
        found.extend(
            places(&self.phones, &customer.phones)
                .into_iter()
                .map(Collision::Phone),
        );
        found.extend(
            places(&self.emails, &customer.emails)
                .into_iter()
                .map(Collision::Person),
        );
        for place in places(&self.names, &customer.names) {
            let own = &self.marks[place];
            let birth = own
                .births
                .iter()
                .any(|birth| customer.births.contains(birth));
            if birth || (own.address.is_some() && own.address == customer.address) {
                found.push(Collision::Person(place));
            }
        }
    }
}

/// Roles of names, numbers and mail addresses.
fn comes_first(role: Role) -> bool {
    use Role::*;
    matches!(
        role,
        Name | FamilyName
            | GivenName
            | NameKana
            | FamilyNameKana
            | GivenNameKana
            | ChildName
            | ChildFamilyName
            | ChildGivenName
            | ChildNameKana
            | ChildFamilyNameKana
            | ChildGivenNameKana
            | Phone
            | Mobile
            | Email
    )
}

/// Which pairs of marks canaries bear already.
#[derive(Default)]
pub(super) struct Borne(HashSet<u64>);

impl Borne {
    /// Takes the pairs of a canary, or says that another has one of them.
    pub(super) fn take(&mut self, marks: &Marks) -> bool {
        let pairs = marks.pairs();
        if pairs.iter().any(|pair| self.0.contains(pair)) {
            return false;
        }
        self.0.extend(pairs);
        true
    }

    /// Gives back the pairs of a canary that is made anew.
    pub(super) fn free(&mut self, marks: &Marks) {
        for pair in marks.pairs() {
            self.0.remove(&pair);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(cells: &[(Role, &str)]) -> Marks {
        Marks::of(Locale::JaJp, cells.iter().copied())
    }

    #[test]
    fn one_person_in_two_notations_bears_the_same_marks() {
        let one = marks(&[
            (Role::Name, "髙橋　圭祐"),
            (Role::BirthDate, "1972-04-01"),
            (
                Role::Address,
                "東京都千代田区霞が関9丁目12番8号 囮ハイツ707号室",
            ),
            (Role::Phone, "03-0123-4567"),
        ]);
        let other = marks(&[
            (Role::FamilyName, "高橋"),
            (Role::GivenName, "圭祐"),
            (Role::BirthDate, "昭和47年4月1日"),
            (Role::Region, "東京都"),
            (Role::City, "千代田区"),
            (Role::Town, "霞が関"),
            (Role::Block, "9-12-8"),
            (Role::Building, "囮ハイツ707"),
            (Role::Phone, "+81301234567"),
        ]);
        assert_eq!(one, other);
        assert_eq!(one.pairs().len(), 6);
    }

    #[test]
    fn a_customer_in_the_way_is_met_and_another_is_not() {
        let canary = [
            (Role::Name, "佐藤 花子"),
            (Role::NameKana, "サトウ ハナコ"),
            (Role::BirthDate, "1980-02-03"),
            (Role::Phone, "090-0123-4567"),
            (Role::Email, "Hana@decoys.example"),
        ];
        let watch = Watch::new(vec![marks(&canary)]);
        let meet = |cells: &[(Role, &str)]| {
            let mut found = Vec::new();
            watch.meet(&marks(cells), &mut found);
            found
        };
        assert!(meet(&[(Role::Name, "佐藤花子"), (Role::BirthDate, "1980-02-04")]).is_empty());
        assert!(meet(&[(Role::Name, "佐藤花江"), (Role::BirthDate, "1980-02-03")]).is_empty());
        let same = [Collision::Person(0)];
        assert_eq!(
            meet(&[(Role::Name, "佐藤花子"), (Role::BirthDate, "19800203")]),
            same
        );
        assert_eq!(
            meet(&[(Role::NameKana, "ｻﾄｳﾊﾅｺ"), (Role::BirthDate, "19800203")]),
            same
        );
        assert_eq!(meet(&[(Role::Email, "hana@decoys.example")]), same);
        assert_eq!(meet(&[(Role::Phone, "09001234567")]), [Collision::Phone(0)]);
    }

    #[test]
    fn no_two_canaries_agree_on_two_marks() {
        let mut borne = Borne::default();
        let one = marks(&[
            (Role::Name, "佐藤花子"),
            (Role::BirthDate, "1980-02-03"),
            (Role::Phone, "090-0123-4567"),
        ]);
        assert!(borne.take(&one));
        let shares_phone_and_birth = marks(&[
            (Role::Name, "山田太郎"),
            (Role::BirthDate, "1980-02-03"),
            (Role::Phone, "090-0123-4567"),
        ]);
        assert!(!borne.take(&shares_phone_and_birth));
        let shares_phone = marks(&[
            (Role::Name, "山田太郎"),
            (Role::BirthDate, "1980-02-04"),
            (Role::Phone, "090-0123-4567"),
        ]);
        assert!(borne.take(&shares_phone));
        borne.free(&one);
        borne.free(&shares_phone);
        assert!(borne.take(&one));
    }
}
