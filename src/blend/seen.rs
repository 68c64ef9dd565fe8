//! Who a row is about: the person read out of its cells.

use std::collections::HashMap;

use time::Date;
use unicode_normalization::UnicodeNormalization;

use crate::notation::{Format, Mapping, NameFormat, Role};
use crate::persona::{Lexicon, Locale, NamePart, Sex};

/// A person as far as a row shows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) family: Option<NamePart>,
    pub(crate) given: Option<NamePart>,
    pub(crate) sex: Option<Sex>,
    pub(crate) birth: Option<Date>,
}

/// The roles of one of the two persons that a row may be about.
#[derive(Clone, Copy)]
pub(crate) struct Roles {
    name: Role,
    family: Role,
    given: Role,
    kana: Role,
    family_kana: Role,
    given_kana: Role,
    sex: Role,
    birth: Role,
}

pub(crate) const GUARDIAN: Roles = Roles {
    name: Role::Name,
    family: Role::FamilyName,
    given: Role::GivenName,
    kana: Role::NameKana,
    family_kana: Role::FamilyNameKana,
    given_kana: Role::GivenNameKana,
    sex: Role::Sex,
    birth: Role::BirthDate,
};

pub(crate) const CHILD: Roles = Roles {
    name: Role::ChildName,
    family: Role::ChildFamilyName,
    given: Role::ChildGivenName,
    kana: Role::ChildNameKana,
    family_kana: Role::ChildFamilyNameKana,
    given_kana: Role::ChildGivenNameKana,
    sex: Role::ChildSex,
    birth: Role::ChildBirthDate,
};

/// The cells of a row by their roles, with their formats; empty cells are left out.
pub(crate) struct Cells<'r> {
    locale: Locale,
    cells: HashMap<Role, (&'r str, Option<&'r Format>)>,
}

impl<'r> Cells<'r> {
    pub(crate) fn of(
        mapping: &'r Mapping,
        places: &[Option<usize>],
        row: &'r [Option<String>],
    ) -> Cells<'r> {
        let mut cells = HashMap::new();
        for (column, place) in mapping.columns.iter().zip(places) {
            let text = place.and_then(|at| row.get(at)?.as_deref());
            if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
                cells.insert(column.role, (text, column.format.as_ref()));
            }
        }
        Cells {
            locale: mapping.locale,
            cells,
        }
    }

    pub(crate) fn text(&self, role: Role) -> Option<&'r str> {
        self.cells.get(&role).map(|(text, _)| *text)
    }

    /// The person of these roles.
    pub(crate) fn person(&self, roles: Roles, lexicon: &Lexicon) -> Seen {
        let whole = self.text(roles.name).and_then(|text| {
            let format = self.cells.get(&roles.name).and_then(|(_, format)| *format);
            parted(text, format, self.locale, lexicon)
        });
        let family = self.text(roles.family).map(str::to_owned);
        let family = family.or(whole.as_ref().map(|(family, _)| family.clone()));
        let given = self.text(roles.given).map(str::to_owned);
        let given = given.or(whole.map(|(_, given)| given));
        // A column of given names alone beside the guardian's family name.
        let (family, given) = (
            family.map(|name| cased(&name, self.locale)),
            given.map(|name| cased(&name, self.locale)),
        );
        let kana = self.text(roles.kana).map(katakana);
        let parts = kana.as_deref().and_then(|kana| {
            let reading = family.as_deref().and_then(|name| lexicon.family(name));
            let (one, other) = kana.split_once(' ').or_else(|| {
                let reading = reading?;
                kana.strip_prefix(reading)
                    .map(|rest| (&kana[..reading.len()], rest))
            })?;
            Some((one.to_owned(), other.trim().to_owned()))
        });
        let reading = |own: Role, part: Option<String>, known: Option<&str>| {
            let own = self.text(own).map(katakana);
            own.or(part)
                .or(known.map(str::to_owned))
                .unwrap_or_default()
        };
        let family = family.map(|written| {
            let part = parts.as_ref().map(|(family, _)| family.clone());
            let kana = reading(roles.family_kana, part, lexicon.family(&written));
            NamePart { written, kana }
        });
        let given = given.map(|written| {
            let part = parts.as_ref().map(|(_, given)| given.clone());
            let kana = reading(roles.given_kana, part, lexicon.given(&written));
            NamePart { written, kana }
        });
        let format = |role: Role| self.cells.get(&role).and_then(|(_, format)| *format);
        Seen {
            family,
            given,
            sex: match (self.text(roles.sex), format(roles.sex)) {
                (Some(text), Some(Format::Sex(format))) => format.read(text),
                _ => None,
            },
            birth: match (self.text(roles.birth), format(roles.birth)) {
                (Some(text), Some(Format::Date(format))) => format
                    .read(text)
                    .or_else(|| crate::notation::birth_key(text)),
                _ => None,
            },
        }
    }
}

/// Family and given name of a whole name.
fn parted(
    text: &str,
    format: Option<&Format>,
    locale: Locale,
    lexicon: &Lexicon,
) -> Option<(String, String)> {
    let own = |(family, given): (&str, &str)| (family.trim().to_owned(), given.trim().to_owned());
    if let Some((family, given)) = text.split_once(',') {
        return Some(own((family, given)));
    }
    let given_first = match format {
        Some(Format::Name(NameFormat { given_first, .. })) => *given_first,
        _ => locale == Locale::EnUs,
    };
    let gap = |c: char| c == ' ' || c == '\u{3000}';
    let parts = match given_first {
        true => text.rsplit_once(gap).map(|(given, family)| (family, given)),
        false => text.split_once(gap),
    };
    match (parts, locale) {
        (Some(parts), _) => Some(own(parts)),
        (None, Locale::JaJp) => lexicon.split(text).map(own),
        (None, Locale::EnUs) => None,
    }
}

/// A Latin name as it is written in a sentence, whatever the table's case.
fn cased(name: &str, locale: Locale) -> String {
    let shouts = name.chars().any(char::is_alphabetic)
        && (name.to_uppercase() == name || name.to_lowercase() == name);
    if locale == Locale::JaJp || !shouts {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    let mut first = true;
    for c in name.chars() {
        if first {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        first = !c.is_alphabetic() && c != '\'';
    }
    out
}

/// A reading in full-width katakana, with a plain space between its parts.
fn katakana(text: &str) -> String {
    let wide: String = text.nfkc().collect();
    wide.trim()
        .chars()
        .map(|c| match c {
            '\u{3041}'..='\u{3096}' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
            '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}
