//! What the columns of one table tell about each other.

use super::content::Content;
use super::header::Header;
use super::{ColumnFacts, SURE, Understanding, one};
use crate::notation::{AddressFormat, AddressStart, Format, Role};

struct Column {
    found: Understanding,
    header: Header,
    content: Content,
}

/// Understands the columns of one table, or of one list, together.
pub fn understand_table(facts: &[ColumnFacts<'_>]) -> Vec<Understanding> {
    let mut columns: Vec<Column> = facts
        .iter()
        .map(|facts| {
            let content = Content::of(facts.samples);
            let (found, header) = one(facts, &content);
            Column {
                found,
                header,
                content,
            }
        })
        .collect();
    parts_of_names(&mut columns, Role::Name, Role::FamilyName, Role::GivenName);
    parts_of_names(
        &mut columns,
        Role::NameKana,
        Role::FamilyNameKana,
        Role::GivenNameKana,
    );
    people(&mut columns);
    phones(&mut columns);
    addresses(&mut columns);
    twins(&mut columns);
    for (column, facts) in columns.iter_mut().zip(facts) {
        let role = column.found.role;
        let recognised = role.and_then(|role| Format::recognise(role, facts.samples));
        let sure = recognised.as_ref().map_or(0.0, |(_, sure)| *sure);
        column.found.format = recognised.map(|(format, _)| format);
        // Which of two values is which sex may itself be a guess.
        let is_sex = matches!(role, Some(Role::Sex | Role::ChildSex));
        if is_sex && column.content.count > 0 && sure < 0.6 {
            column.found.confidence = column.found.confidence.min(0.6);
            column.found.why += "; which value is which sex cannot be told: say it in a mapping file (format = \"0/1\": male, female)";
        }
    }
    columns.into_iter().map(|column| column.found).collect()
}

impl Column {
    fn is(&self, role: Role) -> bool {
        self.found.role == Some(role)
    }

    fn set(&mut self, role: Role, confidence: f64, why: &str) {
        if self.found.role != Some(role) || self.found.confidence < confidence {
            self.found.role = Some(role);
            self.found.confidence = confidence;
            self.found.rivals.retain(|(rival, _)| *rival != role);
            why.clone_into(&mut self.found.why);
        }
    }

    fn may_be(&self, role: Role) -> bool {
        self.is(role) || self.found.rivals.iter().any(|(rival, _)| *rival == role)
    }
}

/// A family name beside a name that could be a given one: it is one.
fn parts_of_names(columns: &mut [Column], whole: Role, family: Role, given: Role) {
    for at in 0..columns.len().saturating_sub(1) {
        let (left, right) = columns.split_at_mut(at + 1);
        let (Some(one), Some(two)) = (left.last_mut(), right.first_mut()) else {
            continue;
        };
        let kana = |column: &Column| column.content.kana > 0.8;
        let short = |column: &Column| {
            let word = column.content.latin > 0.8 && column.content.two_words < 0.1;
            column.content.short > 0.6 || kana(column) || word
        };
        let could = |column: &Column| {
            [whole, family, given]
                .iter()
                .any(|role| column.may_be(*role))
        };
        if kana(one) != kana(two) || !short(one) || !short(two) || !could(one) || !could(two) {
            continue;
        }
        let family_of = |column: &Column| {
            let content = &column.content;
            content
                .family
                .max(content.kana_family)
                .max(content.latin_family)
        };
        let given_of = |column: &Column| {
            let content = &column.content;
            content
                .given
                .max(content.kana_given)
                .max(content.latin_given)
        };
        // Which of the two holds the family names shows in the lists; both must not be whole names.
        let parts = |one: &Column, two: &Column| {
            family_of(one) > 0.15
                && family_of(two) < family_of(one) / 2.0
                && given_of(two) >= given_of(one)
        };
        let roles = match (parts(one, two), parts(two, one)) {
            (true, false) => (family, given),
            (false, true) => (given, family),
            _ => continue,
        };
        for (column, role) in [(one, roles.0), (two, roles.1)] {
            if column.header.topic.is_none() {
                column.set(
                    role,
                    0.95,
                    "its values, and the other part of the name beside it",
                );
            }
        }
    }
}

const PAIRS: [(Role, Role); 8] = [
    (Role::Name, Role::ChildName),
    (Role::FamilyName, Role::ChildFamilyName),
    (Role::GivenName, Role::ChildGivenName),
    (Role::NameKana, Role::ChildNameKana),
    (Role::FamilyNameKana, Role::ChildFamilyNameKana),
    (Role::GivenNameKana, Role::ChildGivenNameKana),
    (Role::BirthDate, Role::ChildBirthDate),
    (Role::Sex, Role::ChildSex),
];

/// Parts guardian from child where both are in one table.
fn people(columns: &mut [Column]) {
    // Two of a kind, no header: births tell who is the child.
    let births: Vec<usize> = positions(columns, Role::BirthDate);
    if let [one, two] = births[..] {
        let (old, young) = if columns[one].content.year <= columns[two].content.year {
            (one, two)
        } else {
            (two, one)
        };
        if columns[young].content.year - columns[old].content.year >= 15
            && !columns[young].header.guardian
        {
            columns[young].set(
                Role::ChildBirthDate,
                0.93,
                "its dates, a generation after the other's",
            );
        }
    }
    let said_child = columns
        .iter()
        .any(|column| column.found.role.is_some_and(Role::is_child));
    for (own, of_child) in PAIRS {
        if matches!(own, Role::BirthDate | Role::Sex) {
            continue;
        }
        let found = positions(columns, own);
        let [first, second] = found[..] else { continue };
        // A second name is the child's; which one it is, the headers may say.
        let (parent, child) = match (
            columns[first].header.guardian,
            columns[second].header.guardian,
        ) {
            (false, true) => (second, first),
            _ => (first, second),
        };
        if positions(columns, of_child).is_empty() && !columns[child].header.guardian {
            let told = columns[parent].header.guardian;
            let confidence = if told || said_child { 0.92 } else { 0.7 };
            let rival = (own, 0.5);
            columns[child].set(
                of_child,
                confidence,
                "a second name in the row: the child's, behind the guardian's",
            );
            columns[child].found.rivals.insert(0, rival);
            if !told && !said_child {
                let parent = &mut columns[parent].found;
                parent.confidence = parent.confidence.min(0.75);
                parent.rivals.insert(0, (of_child, 0.4));
            }
        }
    }
    // A reading without a header's word belongs to the name just before it; so do birth and sex.
    let has_child = columns.iter().any(|column| {
        matches!(
            column.found.role,
            Some(Role::ChildName | Role::ChildGivenName)
        )
    });
    let has_guardian = columns.iter().any(|column| {
        matches!(
            column.found.role,
            Some(Role::Name | Role::FamilyName | Role::GivenName)
        )
    });
    if !has_child {
        return;
    }
    let mut child_before = false;
    for column in columns.iter_mut() {
        let Some(role) = column.found.role else {
            continue;
        };
        match role {
            Role::Name | Role::FamilyName | Role::GivenName => child_before = false,
            role if role.is_child() => child_before = true,
            _ => {}
        }
        let Some((own, of_child)) = PAIRS.into_iter().find(|(own, _)| *own == role) else {
            continue;
        };
        if column.header.child
            || column.header.guardian
            || matches!(own, Role::Name | Role::FamilyName | Role::GivenName)
        {
            continue;
        }
        if !has_guardian {
            column.set(
                of_child,
                column.found.confidence.max(0.92),
                "the only person in the table is the child",
            );
        } else if child_before {
            let young =
                own != Role::BirthDate || column.content.count == 0 || column.content.year >= 1995;
            let confidence = if young { 0.92 } else { 0.6 };
            column.set(of_child, confidence, "it stands behind the child's name");
            column.found.rivals.insert(0, (own, 0.4));
        }
    }
}

fn positions(columns: &[Column], role: Role) -> Vec<usize> {
    columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.is(role))
        .map(|(at, _)| at)
        .collect()
}

/// Of two telephone columns the one with mobile numbers is the mobile one.
fn phones(columns: &mut [Column]) {
    let phones = positions(columns, Role::Phone);
    if let [one, two] = phones[..] {
        let (one, two) = if columns[one].content.mobile >= columns[two].content.mobile {
            (one, two)
        } else {
            (two, one)
        };
        if columns[one].content.mobile > 0.8
            && columns[two].content.mobile < 0.5
            && positions(columns, Role::Mobile).is_empty()
        {
            columns[one].set(
                Role::Mobile,
                0.95,
                "mobile numbers, beside a column of landlines",
            );
        }
    }
}

/// A first line beside a second one; an address that begins with the town beside its city.
fn addresses(columns: &mut [Column]) {
    let second = columns
        .iter()
        .any(|column| column.is(Role::Address2) || column.is(Role::Building));
    let placed = columns.iter().any(|column| column.is(Role::City));
    for column in columns.iter_mut() {
        if column.is(Role::Address) && second {
            column.found.role = Some(Role::Address1);
        }
        if (column.is(Role::Address1) || column.is(Role::Address))
            && placed
            && column.content.count > 0
            && column.content.address > 0.5
            && column.content.whole_address < 0.3
        {
            column.found.role = Some(Role::Street);
        }
    }
    // A column of buildings is one only beside an address.
    let addressed = columns.iter().any(|column| {
        matches!(
            column.found.role,
            Some(Role::Address | Role::Address1 | Role::Street | Role::Block)
        )
    });
    for column in columns.iter_mut() {
        if column.is(Role::Address2) && column.header.topic.is_none() && !addressed {
            column.found.confidence = column.found.confidence.min(0.4);
        }
    }
}

/// Two columns of one role where a person has only one: neither is sure, unless a header said so.
fn twins(columns: &mut [Column]) {
    for role in Role::ALL.iter().copied() {
        if matches!(
            role,
            Role::Phone
                | Role::Mobile
                | Role::Code
                | Role::Other
                | Role::Skip
                | Role::Id
                | Role::Email
                | Role::CreatedAt
                | Role::UpdatedAt
                | Role::AddressKana
        ) {
            continue;
        }
        let same = positions(columns, role);
        if same.len() < 2 {
            continue;
        }
        let said: Vec<usize> = same
            .iter()
            .copied()
            .filter(|at| columns[*at].header.topic.is_some())
            .collect();
        for at in same {
            if said.len() == 1 && said[0] == at {
                continue;
            }
            let found = &mut columns[at].found;
            if found.confidence >= SURE {
                found.confidence = 0.75;
                found.why += "; but another column looks the same";
            }
        }
    }
}

/// The format of an address column whose values are not known, from its neighbours: where a column of
/// its own holds prefecture or city, the address goes on behind them.
pub fn address_start(roles: &[Role], format: &mut AddressFormat) {
    if let AddressFormat::Japanese(format) = format {
        format.start = match () {
            () if roles.contains(&Role::City) => AddressStart::Town,
            () if roles.contains(&Role::Region) => AddressStart::City,
            () => AddressStart::Region,
        };
    }
}
