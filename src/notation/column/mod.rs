//! What columns mean: by their names and comments, by their values, and by their neighbours.
//!
//! Used for customer tables, which have names, comments and types, and for leaked lists, which may have
//! nothing but their values. It would rather be unsure than wrong: below [`SURE`] somebody is asked.

mod content;
mod header;
mod table;

use content::Content;
use header::{Header, Topic};

use super::{Codes, Format, Role};

pub use table::{address_start, understand_table};

/// From this confidence on nobody need be asked.
pub const SURE: f64 = 0.9;

/// What is known of a column.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnFacts<'a> {
    /// Its name; empty in a list without a header.
    pub name: &'a str,
    /// Its comment in the database.
    pub comment: Option<&'a str>,
    /// Its type in the database.
    pub sql_type: Option<&'a str>,
    /// Some of its values, as text; empty ones may be among them.
    pub samples: &'a [&'a str],
    /// Whether it is the primary key or part of it.
    pub is_key: bool,
    /// Whether no two rows may have the same value.
    pub unique: bool,
    /// Whether the database gives a value by itself (numbered, generated).
    pub filled: bool,
}

/// What a column means.
#[derive(Clone, Debug)]
pub struct Understanding {
    /// Its role; `None` where it has no personal meaning.
    pub role: Option<Role>,
    /// How sure that is, 0 to 1; see [`SURE`].
    pub confidence: f64,
    /// How its values are written.
    pub format: Option<Format>,
    /// What it was told by, for a person to read.
    pub why: String,
    /// Other roles that it may have, the likelier first.
    pub rivals: Vec<(Role, f64)>,
}

impl Understanding {
    /// Whether nobody need be asked.
    pub fn is_sure(&self) -> bool {
        self.confidence >= SURE
    }

    fn nothing(confidence: f64, why: &str) -> Understanding {
        Understanding {
            role: None,
            confidence,
            format: None,
            why: why.to_owned(),
            rivals: Vec::new(),
        }
    }
}

/// Understands one column without its neighbours.
pub fn understand(facts: &ColumnFacts<'_>) -> Understanding {
    let content = Content::of(facts.samples);
    let (mut understanding, _) = one(facts, &content);
    let format = |role| Format::recognise(role, facts.samples);
    understanding.format = understanding
        .role
        .and_then(format)
        .map(|(format, _)| format);
    understanding
}

/// One column, with what its header said; its format is still to be recognised.
fn one(facts: &ColumnFacts<'_>, content: &Content) -> (Understanding, Header) {
    let mut header = header::read(facts.name);
    let mut from = "its name";
    if let Some(comment) = facts.comment.filter(|comment| !comment.is_empty()) {
        let said = header::read(comment);
        header.child |= said.child;
        header.guardian |= said.guardian;
        header.kana |= said.kana;
        // A comment is written for people, a name often for machines.
        if said.topic.is_some()
            && said.topic != Some(Topic::Foreign)
            && (header.topic.is_none() || header.topic == Some(Topic::Code))
        {
            header.topic = said.topic;
            from = "its comment";
        }
    }
    (judge(facts, content, header, from), header)
}

fn judge(facts: &ColumnFacts<'_>, content: &Content, header: Header, from: &str) -> Understanding {
    let sure = |role, confidence, why: &str| Understanding {
        role: Some(role),
        confidence,
        format: None,
        why: why.to_owned(),
        rivals: Vec::new(),
    };
    if facts.filled && (facts.is_key || facts.unique) {
        return sure(Role::Id, 0.99, "a key that the database numbers by itself");
    }
    let told = header.topic.and_then(|topic| role_of(topic, header));
    if facts.is_key && !matches!(told, Some(Role::Email | Role::Phone | Role::Mobile)) {
        return code(facts, "a key that the database does not number by itself");
    }
    let flag = facts
        .sql_type
        .is_some_and(|sql_type| sql_type.to_ascii_lowercase().starts_with("bool"));
    if flag {
        return Understanding::nothing(0.99, "a yes or no");
    }
    let mut rivals = content.guesses();
    match told {
        Some(role) => by_header(facts, content, role, rivals, from),
        None if header.topic == Some(Topic::Foreign) => {
            // Its name says that it is not about the person; its values may still look as if it were.
            match rivals.first().copied() {
                Some((role, likely))
                    if likely >= SURE
                        && matches!(
                            role,
                            Role::Email | Role::Phone | Role::Name | Role::Address
                        ) =>
                {
                    let mut unsure = sure(role, 0.6, "its values look personal, its name does not");
                    unsure.rivals = rivals.split_off(1);
                    unsure
                }
                _ => Understanding::nothing(0.95, "its name says something else"),
            }
        }
        None => {
            let Some((role, likely)) = rivals.first().copied() else {
                return plain(facts, content);
            };
            let mut found = sure(role, likely, "its values");
            found.rivals = rivals.split_off(1);
            // Weak evidence from values alone in a table that has names for its columns is none.
            if likely < 0.5
                && !facts.name.is_empty()
                && matches!(role, Role::Postcode | Role::Sex | Role::City)
            {
                return plain(facts, content);
            }
            found
        }
    }
}

fn by_header(
    facts: &ColumnFacts<'_>,
    content: &Content,
    role: Role,
    mut rivals: Vec<(Role, f64)>,
    from: &str,
) -> Understanding {
    rivals.retain(|(rival, _)| *rival != role && !same_kind(*rival, role));
    let (confidence, why) = if content.count == 0 {
        (0.8, format!("{from} alone: there are no values to see"))
    } else {
        let fit = content.fit(role, facts.samples);
        // A handful of values cannot gainsay a clear name by the names that are in no list.
        let few = content.count < 12 && fit > 0.0
            || listless(role)
                && content.count < 40
                && !rivals.iter().any(|(_, likely)| *likely >= 0.5);
        match fit {
            fit if fit >= 0.75 => (0.9 + 0.09 * fit, format!("{from} and its values")),
            _ if few => (0.9, format!("{from}; its values are too few to say much")),
            fit if fit >= 0.4 => (
                0.75,
                format!("{from}, but only {:.0}% of its values look so", fit * 100.0),
            ),
            fit => (
                0.2 + 0.5 * fit,
                format!("{from}, but its values look otherwise"),
            ),
        }
    };
    // A header that was mixed up: the values are plainly of another kind.
    if let Some((rival, _)) = rivals
        .first()
        .copied()
        .filter(|(_, likely)| *likely >= SURE)
        && content.count >= 12
        && content.fit(role, facts.samples) < 0.2
    {
        rivals[0] = (role, confidence);
        return Understanding {
            role: Some(rival),
            confidence: 0.75,
            format: None,
            why: format!("its values; {from} says otherwise"),
            rivals,
        };
    }
    if matches!(role, Role::Code) {
        let mut found = code(facts, from);
        if content.count > 0 && content.fit(Role::Code, facts.samples) < 0.5 && !facts.unique {
            found = plain(facts, content);
        }
        return found;
    }
    Understanding {
        role: Some(role),
        confidence,
        format: None,
        why,
        rivals,
    }
}

/// Roles whose values are told by word lists or by nothing at all.
fn listless(role: Role) -> bool {
    use Role::*;
    matches!(
        role,
        FamilyName
            | GivenName
            | ChildFamilyName
            | ChildGivenName
            | Name
            | ChildName
            | City
            | Town
            | Address2
            | Building
    )
}

/// Roles between which values cannot tell, so that the header does.
fn same_kind(one: Role, other: Role) -> bool {
    use Role::*;
    let kind = |role| match role {
        Name | FamilyName | GivenName | ChildName | ChildFamilyName | ChildGivenName => 1,
        NameKana | FamilyNameKana | GivenNameKana | ChildNameKana | ChildFamilyNameKana
        | ChildGivenNameKana => 2,
        Phone | Mobile => 3,
        BirthDate | ChildBirthDate => 4,
        Sex | ChildSex => 5,
        Address | Address1 | Street | Block => 6,
        Address2 | Building => 7,
        CreatedAt | UpdatedAt => 8,
        _ => 0,
    };
    kind(one) != 0 && kind(one) == kind(other)
}

fn code(facts: &ColumnFacts<'_>, why: &str) -> Understanding {
    let values = facts.samples.iter().copied();
    let (confidence, why) = match Codes::learn(values) {
        Some(_) => (0.95, format!("{why}; its pattern can be continued")),
        None => (0.6, format!("{why}; no pattern to continue")),
    };
    Understanding {
        role: Some(Role::Code),
        confidence,
        format: None,
        why,
        rivals: vec![(Role::Skip, 0.3)],
    }
}

/// A column without a personal meaning, unless its values may not repeat.
fn plain(facts: &ColumnFacts<'_>, content: &Content) -> Understanding {
    if facts.unique {
        return code(facts, "no two rows may agree in it");
    }
    let numbered =
        content.count >= 20 && content.distinct == content.count && content.letters > 0.9;
    if numbered && content.kanji < 0.1 && Codes::learn(facts.samples.iter().copied()).is_some() {
        return code(facts, "its values never repeat");
    }
    Understanding::nothing(0.95, "nothing personal in its name or its values")
}

fn role_of(topic: Topic, header: Header) -> Option<Role> {
    use Role::*;
    let child = header.child && !header.guardian;
    let pick = |own: Role, of_child: Role| if child { of_child } else { own };
    Some(match (topic, header.kana) {
        (Topic::Name, true) => pick(NameKana, ChildNameKana),
        (Topic::Name, false) => pick(Name, ChildName),
        (Topic::Family, true) => pick(FamilyNameKana, ChildFamilyNameKana),
        (Topic::Family, false) => pick(FamilyName, ChildFamilyName),
        (Topic::Given, true) => pick(GivenNameKana, ChildGivenNameKana),
        (Topic::Given, false) => pick(GivenName, ChildGivenName),
        (Topic::Address | Topic::Address1 | Topic::Region | Topic::City | Topic::Town, true) => {
            AddressKana
        }
        (Topic::Address, _) => Address,
        (Topic::Address1, _) => Address1,
        (Topic::Address2, _) => Address2,
        (Topic::Region, _) => Region,
        (Topic::City, _) => City,
        (Topic::Town, _) => Town,
        (Topic::Street, _) => Street,
        (Topic::Block, _) => Block,
        (Topic::Building, _) => Building,
        (Topic::Postcode, _) => Postcode,
        (Topic::Phone, _) => Phone,
        (Topic::Mobile, _) => Mobile,
        (Topic::Email, _) => Email,
        (Topic::Birth, _) => pick(BirthDate, ChildBirthDate),
        (Topic::Age, _) if !child => Age,
        (Topic::Sex, _) => pick(Sex, ChildSex),
        (Topic::Code, _) => Code,
        (Topic::Created, _) => CreatedAt,
        (Topic::Updated, _) => UpdatedAt,
        (Topic::Age | Topic::Foreign, _) => return None,
    })
}
