//! One row of a source for one household, cell by cell.

use std::collections::{BTreeMap, HashMap};

use rand::{Rng, RngExt};
use time::OffsetDateTime;

use super::{Codes, Format, MappedColumn, Mapping, Role};
use crate::canary::Cell;
use crate::persona::{Household, Person};

/// What a row needs beside the household.
pub struct Surroundings<'a> {
    /// When the row is made; its offset is that of the table's clock.
    pub now: OffsetDateTime,
    /// Names of the columns of `rows`.
    pub columns: &'a [String],
    /// Existing rows: columns without a personal meaning are filled like one of them.
    pub rows: &'a [Vec<Option<String>>],
    /// For each column of role [`Role::Code`], what makes its codes.
    pub codes: &'a mut BTreeMap<String, Codes>,
}

/// The cells of one row, in the mapping's order, without the columns that are left to the database.
///
/// `child` is the child that the row is about, in a table that records children.
pub fn cells<R: Rng + ?Sized>(
    mapping: &Mapping,
    household: &Household,
    child: Option<usize>,
    around: &mut Surroundings<'_>,
    rng: &mut R,
) -> Vec<Cell> {
    // One row lends all its values, so that what belongs together (plan and price) stays together.
    let donor = (!around.rows.is_empty()).then(|| rng.random_range(0..around.rows.len()));
    let mut cells = Vec::with_capacity(mapping.columns.len());
    for column in &mapping.columns {
        let value = if column.value.is_some() {
            column.value.clone()
        } else {
            match column.role {
                Role::Skip | Role::Id => continue,
                Role::Other => borrowed(column, donor, around, rng),
                Role::Code => around
                    .codes
                    .get_mut(&column.column)
                    .and_then(|codes| codes.next(rng)),
                _ => {
                    let value = value(mapping, column, household, child, around.now);
                    value.or_else(|| column.blank.then(String::new))
                }
            }
        };
        cells.push(Cell {
            column: column.column.clone(),
            role: column.role,
            value,
        });
    }
    cells
}

/// What a household's row has in a column with a personal meaning; `None` where the household has no
/// such thing.
pub fn value(
    mapping: &Mapping,
    column: &MappedColumn,
    household: &Household,
    child: Option<usize>,
    now: OffsetDateTime,
) -> Option<String> {
    let role = column.role;
    let format = column
        .format
        .clone()
        .or_else(|| Format::default_of(role, household.locale));
    let person = if role.is_child() {
        household.children.get(child.unwrap_or(0))?
    } else {
        &household.guardian
    };
    let text = |text: &str| match &format {
        Some(Format::Text(format)) => format.write(text),
        _ => text.to_owned(),
    };
    Some(match (role, &format) {
        (Role::Name | Role::ChildName, Some(Format::Name(format))) => format.write(person),
        (Role::FamilyName | Role::ChildFamilyName, _) => text(&person.family.written),
        (Role::GivenName | Role::ChildGivenName, _) => text(&person.given.written),
        (Role::AddressKana, Some(Format::Kana(format))) => {
            let address = &household.address;
            format
                .script
                .write(&format!("{}{}", address.city_kana, address.town_kana))
                + &address.block
        }
        (_, Some(Format::Kana(format))) => kana(role, format, person)?,
        (_, Some(Format::Date(format))) => format.write(person.birth),
        (_, Some(Format::Sex(format))) => format.write(person.sex),
        (_, Some(Format::Postcode(format))) => format.write(&household.address.postcode),
        (_, Some(Format::Phone(format))) => format.write(number(mapping, role, household)?),
        (_, Some(Format::Timestamp(format))) => format.write(now),
        (_, Some(Format::Address(format))) => {
            if mapping.has(Role::Address2) || mapping.has(Role::Building) {
                format.write(role, &household.address)?
            } else {
                format.write_whole(role, &household.address)?
            }
        }
        (Role::Email, _) => text(household.email.as_deref()?),
        (Role::Region, _) => text(&household.address.region),
        (Role::City, _) => text(&household.address.city),
        (Role::Town, _) => {
            text(Some(household.address.town.as_str()).filter(|town| !town.is_empty())?)
        }
        (Role::Age, _) => person.age(now.date()).to_string(),
        _ => return None,
    })
}

fn kana(role: Role, format: &super::KanaFormat, person: &Person) -> Option<String> {
    let text = match role {
        Role::FamilyNameKana | Role::ChildFamilyNameKana => {
            format.script.write(&person.family.kana)
        }
        Role::GivenNameKana | Role::ChildGivenNameKana => format.script.write(&person.given.kana),
        _ => format.write(person),
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

/// A table with a column of its own for mobiles has landlines in the other; one column takes either.
fn number<'h>(mapping: &Mapping, role: Role, household: &'h Household) -> Option<&'h str> {
    let (landline, mobile) = (household.landline.as_deref(), household.mobile.as_deref());
    match role {
        Role::Mobile => mobile,
        _ if mapping.has(Role::Mobile) => landline,
        _ => landline.or(mobile),
    }
}

/// A value of an existing row. Text that no two rows share (a note about a customer) is not copied where
/// the column can do without.
fn borrowed<R: Rng + ?Sized>(
    column: &MappedColumn,
    donor: Option<usize>,
    around: &Surroundings<'_>,
    rng: &mut R,
) -> Option<String> {
    let at = around
        .columns
        .iter()
        .position(|name| *name == column.column)?;
    let cell = |row: &'_ Vec<Option<String>>| row.get(at).cloned().flatten();
    let own = cell(around.rows.get(donor?)?)?;
    if !own.chars().any(char::is_alphabetic) {
        return Some(own);
    }
    let mut counts: HashMap<Option<&str>, usize> = HashMap::new();
    for row in around.rows {
        *counts
            .entry(row.get(at).and_then(Option::as_deref))
            .or_default() += 1;
    }
    if counts
        .get(&Some(own.as_str()))
        .is_some_and(|count| *count > 1)
        || around.rows.len() < 3
    {
        return Some(own);
    }
    if counts.contains_key(&None) {
        return None;
    }
    if counts.contains_key(&Some("")) {
        return Some(String::new());
    }
    let mut shared: Vec<&str> = counts
        .iter()
        .filter(|(_, count)| **count > 1)
        .filter_map(|(value, _)| *value)
        .collect();
    shared.sort_unstable();
    match shared.as_slice() {
        [] => Some(own),
        shared => Some(shared[rng.random_range(0..shared.len())].to_owned()),
    }
}
