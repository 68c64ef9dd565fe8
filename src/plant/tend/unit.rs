//! A move inside a postal drop: the row's address with another of its units, written as it was.

use std::collections::{HashMap, HashSet};

use rand::Rng;
use rand::seq::IndexedRandom;

use crate::canary::{Canary, ContactPoint, Details, PlantedRow, State};
use crate::database::{Database, Table};
use crate::notation::{Mapping, Role, address_key};
use crate::registry::PoolEntry;

use super::super::Result;
use super::super::allot::building;

/// Units that no canary has had, by building.
pub(super) struct Units<'a> {
    pool: &'a [PoolEntry],
    used: HashMap<String, HashSet<String>>,
}

impl<'a> Units<'a> {
    pub(super) fn new(pool: &'a [PoolEntry], registered: &[Canary]) -> Units<'a> {
        let mut used: HashMap<String, HashSet<String>> = HashMap::new();
        for canary in registered.iter().filter(|one| one.state != State::Void) {
            for details in canary.all_details() {
                let address = &details.household.address;
                let units = used.entry(building(address)).or_default();
                units.insert(address.unit.clone().unwrap_or_default());
            }
        }
        Units { pool, used }
    }

    /// The canary in another unit of the drop that it was given, which is then taken; `None` where there
    /// is none, or its row does not show the unit.
    pub(super) fn moved<R: Rng + ?Sized>(
        &mut self,
        canary: &Canary,
        rng: &mut R,
    ) -> Option<Details> {
        let home = building(&canary.details.household.address);
        let drop = self.pool.iter().find_map(|entry| match &entry.point {
            ContactPoint::Drop(drop)
                if canary.points.contains(&entry.id) && building(&drop.address) == home =>
            {
                Some(drop)
            }
            _ => None,
        })?;
        let used = self.used.entry(home).or_default();
        let all = (0..drop.units.capacity()).filter_map(|place| drop.units.nth(place));
        let free: Vec<String> = all
            .filter(|unit| !unit.is_empty() && !used.contains(unit))
            .collect();
        let unit = free.choose(rng)?;
        let details = in_unit(&canary.details, unit)?;
        used.insert(unit.clone());
        Some(details)
    }
}

const fn is_address(role: Role) -> bool {
    matches!(
        role,
        Role::Address
            | Role::Address1
            | Role::Address2
            | Role::Street
            | Role::Block
            | Role::Building
    )
}

/// The address as the row's cells give it, in their order.
fn whole<'c>(cells: impl Iterator<Item = (Role, Option<&'c str>)>) -> String {
    let cells = cells.filter(|(role, _)| is_address(*role));
    let texts: Vec<&str> = cells.filter_map(|(_, text)| text).collect();
    texts.join(" ")
}

fn cells(row: &PlantedRow) -> impl Iterator<Item = (Role, Option<&str>)> {
    let cells = row.cells.iter();
    cells.map(|cell| (cell.role, cell.value.as_deref()))
}

/// The door that a planted row gives.
pub(super) fn door(row: &PlantedRow) -> Option<String> {
    Some(address_key(&whole(cells(row)))?.mark())
}

/// Which of these doors customers' rows give: there somebody lives whom we do not know.
pub(super) async fn taken(
    database: &Database,
    table: &Table,
    mapping: &Mapping,
    doors: &HashSet<String>,
) -> Result<HashSet<String>> {
    let mut taken = HashSet::new();
    let (roles, columns): (Vec<Role>, Vec<&str>) = mapping
        .columns
        .iter()
        .filter(|column| is_address(column.role))
        .map(|column| (column.role, column.column.as_str()))
        .unzip();
    if doors.is_empty() || columns.is_empty() {
        return Ok(taken);
    }
    database
        .scan(table, &columns, |row| {
            let cells = roles.iter().zip(row);
            let text = whole(cells.map(|(role, text)| (*role, text.as_deref())));
            if let Some(door) = address_key(&text).map(|key| key.mark())
                && doors.contains(&door)
            {
                taken.insert(door);
            }
        })
        .await?;
    Ok(taken)
}

/// The same people in another unit.
fn in_unit(details: &Details, unit: &str) -> Option<Details> {
    let old = details.household.address.unit.as_deref()?;
    let [row] = &details.rows[..] else {
        // Where several rows tell the address, nobody knows which of them do.
        return None;
    };
    let mut row = row.clone();
    let before = whole(cells(&row));
    let cell = row
        .cells
        .iter_mut()
        .rfind(|cell| is_address(cell.role) && cell.value.as_deref().is_some_and(has_digit))?;
    cell.value = Some(replaced(cell.value.as_deref()?, old, unit)?);
    let (was, is) = (address_key(&before)?, address_key(&whole(cells(&row)))?);
    if was.mark() == is.mark() {
        return None;
    }
    let mut household = details.household.clone();
    household.address.unit = Some(unit.to_owned());
    Some(Details {
        household,
        rows: vec![row],
    })
}

fn has_digit(text: &str) -> bool {
    text.chars().any(|c| digit(c).is_some())
}

/// A digit of either width.
fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32),
        _ => None,
    }
}

/// The text with another unit in the place of its last number, if that is the old one, in digits of the same
/// width.
fn replaced(text: &str, old: &str, new: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let end = chars.iter().rposition(|c| digit(*c).is_some())? + 1;
    let start = chars[..end]
        .iter()
        .rposition(|c| digit(*c).is_none())
        .map_or(0, |at| at + 1);
    let number: Option<String> = chars[start..end].iter().map(|c| digit(*c)).collect();
    if number? != old || !new.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let wide = chars[start] != digit(chars[start])?;
    let shown = |c: char| match wide {
        true => char::from_u32(c as u32 - '0' as u32 + '０' as u32).unwrap_or(c),
        false => c,
    };
    let mut out: String = chars[..start].iter().collect();
    out.extend(new.chars().map(shown));
    out.extend(&chars[end..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn the_unit_is_written_as_it_was() {
        let cases = [
            ("霞が関9-12-8 囮ハイツ101", "霞が関9-12-8 囮ハイツ205"),
            ("霞が関９－１２－８－１０１", "霞が関９－１２－８－２０５"),
            ("囮ハイツ101号室", "囮ハイツ205号室"),
            ("12 Main St Apt 101", "12 Main St Apt 205"),
        ];
        for (before, after) in cases {
            assert_eq!(replaced(before, "101", "205").as_deref(), Some(after));
        }
        assert_eq!(replaced("霞が関9-12-8", "101", "205"), None);
        assert_eq!(replaced("霞が関 1101", "101", "205"), None);
    }
}
