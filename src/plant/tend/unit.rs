//! A move inside a postal drop: the row's address with another of its units, written as it was.

use std::collections::{BTreeMap, HashMap, HashSet};

use rand::Rng;
use rand::seq::IndexedRandom;

use crate::canary::{Canary, ContactPoint, Details, PlantedRow, State};
use crate::database::Database;
use crate::notation::{Role, address_key};
use crate::registry::PoolEntry;

use super::super::Result;
use super::super::allot::building;
use super::super::tables::Tables;
use super::super::wide::Spot;
use super::is_keyed;
use super::placed::Turn;

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

    /// The canary in another unit of the drop that it was given, which is then taken, and the door there; `None` where
    /// there is none, or one of the addresses in its rows does not show the unit.
    pub(super) fn moved<R: Rng + ?Sized>(
        &mut self,
        canary: &Canary,
        tables: &Tables,
        turns: &[Turn],
        rng: &mut R,
    ) -> Option<(Details, String)> {
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
        let addresses = addresses(&canary.details.rows, tables, turns)?;
        let moved = in_unit(&canary.details, &addresses, unit)?;
        used.insert(unit.clone());
        Some(moved)
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

/// The cells of each address that the canary's rows give: one for each table that holds one, and for each child. `None`
/// where a row of them cannot be changed.
fn addresses(rows: &[PlantedRow], tables: &Tables, turns: &[Turn]) -> Option<Vec<Vec<Spot>>> {
    let mut addresses = Vec::new();
    for turn in turns {
        let mut of_leg: BTreeMap<Option<usize>, Vec<Spot>> = BTreeMap::new();
        for (at, spot) in turn.own() {
            let cell = &rows[spot.row].cells[spot.cell];
            if is_address(cell.role) && cell.value.is_some() {
                let leg = tables.leg(at);
                if !is_keyed(tables.joined.table(leg), &rows[spot.row]) {
                    return None;
                }
                of_leg.entry(leg).or_default().push(spot);
            }
        }
        addresses.extend(of_leg.into_values());
    }
    Some(addresses)
}

/// The door that these texts give as an address, in their order.
fn door<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> Option<String> {
    let whole = texts.flatten().collect::<Vec<&str>>().join(" ");
    Some(address_key(&whole)?.mark())
}

/// Which of these doors customers' rows give: there somebody lives whom we do not know.
pub(super) async fn taken(
    database: &Database,
    tables: &Tables,
    doors: &HashSet<String>,
) -> Result<HashSet<String>> {
    let mut taken = HashSet::new();
    if doors.is_empty() {
        return Ok(taken);
    }
    let mut of_leg: BTreeMap<Option<usize>, Vec<&str>> = BTreeMap::new();
    for (at, name) in tables.columns.iter().enumerate() {
        let mapped = tables
            .mapping
            .columns
            .iter()
            .find(|column| column.column == *name);
        if mapped.is_some_and(|column| is_address(column.role)) && !tables.is_existing(name) {
            of_leg.entry(tables.leg(at)).or_default().push(name);
        }
    }
    for columns in of_leg.into_values() {
        let look = |row: &[Option<String>]| {
            let door = door(row.iter().map(Option::as_deref));
            taken.extend(door.filter(|door| doors.contains(door)));
        };
        tables.scan(database, &columns, look).await?;
    }
    Ok(taken)
}

/// The same people in another unit, and its door.
fn in_unit(details: &Details, addresses: &[Vec<Spot>], unit: &str) -> Option<(Details, String)> {
    let old = details.household.address.unit.as_deref()?;
    let text = |rows: &[PlantedRow], spot: &Spot| rows[spot.row].cells[spot.cell].value.clone();
    let door_of = |rows: &[PlantedRow], spots: &[Spot]| {
        let texts: Vec<_> = spots.iter().map(|spot| text(rows, spot)).collect();
        door(texts.iter().map(Option::as_deref))
    };
    let mut moved = details.clone();
    moved.household.address.unit = Some(unit.to_owned());
    let mut to = None;
    for spots in addresses {
        let numbered = |spot: &&Spot| text(&details.rows, spot).as_deref().is_some_and(has_digit);
        let spot = spots.iter().rfind(numbered)?;
        let value = replaced(text(&details.rows, spot)?.as_str(), old, unit)?;
        moved.rows[spot.row].cells[spot.cell].value = Some(value);
        let (was, is) = (door_of(&details.rows, spots)?, door_of(&moved.rows, spots)?);
        if was == is {
            return None;
        }
        to = Some(is);
    }
    Some((moved, to?))
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
