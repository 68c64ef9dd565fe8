//! What a row needs beside its person: keys and codes that continue the table's own, times, and a
//! check that every cell fits its column.

use std::collections::BTreeMap;

use rand::{Rng, RngExt};
use time::{Duration, OffsetDateTime};

use crate::canary::{Cell, PlantedRow};
use crate::database::{Column, Database, Engine, Row, Table};
use crate::notation::{Codes, MappedColumn, Mapping, RelatedRows, Role};
use crate::persona::Locale;

use super::tables::Tables;
use super::{Error, Result};

/// Makes keys for a column that the database does not fill by itself and that has no pattern yet.
#[derive(Clone)]
enum Fresh {
    Count(u64),
    Uuid,
}

impl Fresh {
    fn next<R: Rng + ?Sized>(&mut self, rng: &mut R) -> String {
        match self {
            Fresh::Uuid => uuid(rng),
            Fresh::Count(next) => {
                *next += 1;
                (*next - 1).to_string()
            }
        }
    }
}

/// What codes and keys are made from, at one moment.
pub(super) struct Makers(BTreeMap<String, Codes>, BTreeMap<String, Fresh>);

/// The mapping as it will be written, and what makes its keys and codes.
pub(super) struct Filler {
    pub mapping: Mapping,
    pub codes: BTreeMap<String, Codes>,
    fresh: BTreeMap<String, Fresh>,
}

impl Filler {
    /// Fits the mapping to the table's constraints: a value that must be unique is a code, even where
    /// its meaning is unknown, and a key that the database does not make is made here.
    pub(super) async fn new(database: &Database, tables: &Tables) -> Result<Filler> {
        let mut mapping = tables.mapping.clone();
        for column in &mut mapping.columns {
            let Some((leg, table, about)) = stands(tables, &column.column) else {
                continue;
            };
            // A key that begins with the customer's own is new, whatever else is in it.
            let within =
                leg.is_some_and(|at| tables.counts_within(at).contains(&about.name.as_str()));
            if about.generated {
                column.role = Role::Skip;
            } else if within {
                column.role = Role::Other;
            } else if column.value.is_none() && needs_code(table, about, column.role) {
                column.role = Role::Code;
            }
        }
        let mut filler = Filler {
            codes: BTreeMap::new(),
            fresh: BTreeMap::new(),
            mapping,
        };
        let coded = filler
            .mapping
            .columns
            .iter()
            .filter(|column| column.role == Role::Code && column.value.is_none());
        let coded: Vec<String> = coded.map(|column| column.column.clone()).collect();
        let is_other = |name: &String| {
            let mut columns = tables.mapping.columns.iter();
            columns.any(|column| column.column == *name && column.role == Role::Other)
        };
        for name in coded {
            let Some((_, table, about)) = stands(tables, &name) else {
                continue;
            };
            let mut values = Vec::new();
            database
                .scan(table, &[&about.name], |row| values.extend(row[0].clone()))
                .await?;
            if let Some(codes) = Codes::learn(values.iter().map(String::as_str)) {
                filler.codes.insert(name, codes);
            } else if about.base_type() == "uuid" {
                filler.fresh.insert(name, Fresh::Uuid);
            } else if values.is_empty() && is_integer(about) {
                filler.fresh.insert(name, Fresh::Count(1));
            } else if !table.primary_key.contains(&about.name) && is_other(&name) {
                // User names and tokens: each customer has its own, drawn like other texts.
                let columns = filler.mapping.columns.iter_mut();
                columns
                    .filter(|column| column.column == name)
                    .for_each(|column| column.role = Role::Other);
            } else if must_fill(table, about) {
                return Err(Error::CannotFill {
                    column: about.name.clone(),
                    table: table.to_string(),
                    hint: "its values follow no pattern that could be continued; give the database a default, or use --csv and fill it yourself",
                });
            }
        }
        Ok(filler)
    }

    /// What the next codes and keys are made from.
    pub(super) fn makers(&self) -> Makers {
        Makers(self.codes.clone(), self.fresh.clone())
    }

    /// Goes back to what the next codes and keys were made from before.
    pub(super) fn go_back(&mut self, Makers(codes, fresh): Makers) {
        (self.codes, self.fresh) = (codes, fresh);
    }

    /// Whether a column's codes or keys are made here.
    pub(super) fn makes(&self, column: &str) -> bool {
        self.codes.contains_key(column) || self.fresh.contains_key(column)
    }

    /// Codes and keys anew, in a row that has some already.
    pub(super) fn recode<R: Rng + ?Sized>(&mut self, cells: &mut [Cell], rng: &mut R) {
        for cell in cells {
            if let Some(codes) = self.codes.get_mut(&cell.column) {
                cell.value = codes.next(rng);
            }
            if let Some(fresh) = self.fresh.get_mut(&cell.column) {
                cell.value = Some(fresh.next(rng));
            }
        }
    }

    /// Completes the cells that `notation` has written.
    pub(super) fn finish<R: Rng + ?Sized>(
        &mut self,
        database: &Database,
        mut cells: Vec<Cell>,
        rng: &mut R,
    ) -> Vec<Cell> {
        for cell in &mut cells {
            if let Some(fresh) = self.fresh.get_mut(&cell.column) {
                cell.value = Some(fresh.next(rng));
            }
            if database.engine() == Engine::Csv && cell.value.as_deref() == Some("") {
                cell.value = None;
            }
        }
        cells
    }
}

/// Where a column of the joined tables stands; nothing for attributes and for marks of presence.
fn stands<'t>(tables: &'t Tables, name: &str) -> Option<(Option<usize>, &'t Table, &'t Column)> {
    let place = tables.place(name)?;
    let leg = place.leg.map(|at| &tables.legs()[at]);
    if leg.is_some_and(|leg| leg.attribute.is_some() || leg.rows == RelatedRows::Existing) {
        return None;
    }
    let (table, about) = tables.home(place)?;
    Some((place.leg, table, about))
}

/// Whether a row has all that its table wants.
pub(super) fn check_filled(table: &Table, row: &PlantedRow) -> Result<()> {
    for column in &table.columns {
        let cell = row.cells.iter().find(|cell| cell.column == column.name);
        let linked = row.links.iter().any(|link| link.column == column.name);
        let filled = linked || cell.is_some_and(|cell| cell.value.is_some());
        let left_out = cell.is_none() && column.can_be_left_out();
        if !filled && !left_out && must_fill(table, column) {
            return Err(Error::CannotFill {
                column: column.name.clone(),
                table: table.to_string(),
                hint: "give it a value in a mapping file ([columns.NAME] role = \"other\", value = \"…\"), or a role",
            });
        }
    }
    Ok(())
}

/// The first column whose value is longer than it can hold.
pub(super) fn too_long<'c>(
    table: &Table,
    mut cells: impl Iterator<Item = &'c Cell>,
) -> Option<&'c str> {
    let long = |cell: &&Cell| {
        let limit = table.column(&cell.column).ok().and_then(Column::max_chars);
        let length = cell.value.as_deref().map_or(0, |text| text.chars().count());
        limit.is_some_and(|limit| length > limit)
    };
    cells.find(long).map(|cell| cell.column.as_str())
}

fn must_fill(table: &Table, column: &Column) -> bool {
    let key = table.primary_key.contains(&column.name);
    (column.not_null || key) && column.default.is_none() && !column.generated && !column.identity
}

/// Whether a column of that role has to get a value that no row has, other than by the database.
fn needs_code(table: &Table, column: &Column, role: Role) -> bool {
    let own_key = table.primary_key == [column.name.clone()];
    // In a key of several columns one that is new is enough: the last that points nowhere.
    let foreign = |name: &String| {
        table
            .foreign_keys
            .iter()
            .any(|key| key.columns.contains(name))
    };
    let last = table.primary_key.iter().rev().find(|name| !foreign(name));
    let part_of_key = table.primary_key.len() > 1 && last == Some(&column.name);
    let unique = table
        .unique_keys
        .iter()
        .any(|key| key.columns == [column.name.clone()]);
    match role {
        Role::Id | Role::Skip => {
            must_fill(table, column) && (role == Role::Id || own_key || part_of_key)
        }
        Role::Other => (own_key || part_of_key || unique) && !column.identity,
        _ => false,
    }
}

fn is_integer(column: &Column) -> bool {
    let name = column.base_type();
    name.contains("int") || name == "numeric" || name == "decimal" || name == "number"
}

/// A random UUID of version 4 (RFC 9562).
fn uuid<R: Rng + ?Sized>(rng: &mut R) -> String {
    let bits: u128 = rng.random();
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// When the rows are made: a while ago, one after the other, as if each had been typed in. The offset
/// is that of the table's clock.
pub(super) fn times<R: Rng + ?Sized>(
    count: usize,
    locale: Locale,
    now: OffsetDateTime,
    rng: &mut R,
) -> Vec<OffsetDateTime> {
    // A table's clock without an offset shows its country's time, as far as anybody can tell.
    let now = now.to_offset(locale.clock());
    // One alone is typed in now; what is a batch has taken a while.
    let span = if count == 1 { 2_000 } else { 3_600_000 };
    let mut ago: Vec<i64> = (0..count).map(|_| rng.random_range(0..span)).collect();
    ago.sort_unstable_by(|a, b| b.cmp(a));
    ago.into_iter()
        .map(|ago| now - Duration::milliseconds(ago))
        .collect()
}

/// The columns of the mapping that the table has not.
pub(super) fn strays(table: &Table, mapping: &Mapping) -> Vec<String> {
    let stray = |column: &&MappedColumn| table.column(&column.column).is_err();
    mapping
        .columns
        .iter()
        .filter(stray)
        .map(|column| column.column.clone())
        .collect()
}

/// Ages of customers, from the birth dates or ages that their rows show: nearly all of them.
pub(super) fn ages(
    mapping: &Mapping,
    columns: &[String],
    rows: &[Row],
    today: time::Date,
    child: bool,
) -> Option<std::ops::RangeInclusive<u8>> {
    let (birth, age) = if child {
        (Role::ChildBirthDate, None)
    } else {
        (Role::BirthDate, Some(Role::Age))
    };
    let place = |role: Role| {
        let column = mapping.with_role(role).next()?;
        columns.iter().position(|name| *name == column.column)
    };
    let mut ages: Vec<u8> = Vec::new();
    for row in rows {
        let cell = |at: usize| row.get(at).and_then(Option::as_deref);
        if let Some(birth) = place(birth)
            .and_then(cell)
            .and_then(crate::notation::birth_key)
        {
            let days = (today - birth).whole_days();
            ages.extend(u8::try_from(days * 10_000 / 3_652_425).ok());
        } else if let Some(age) = age.and_then(place).and_then(cell) {
            ages.extend(age.trim().parse::<u8>().ok());
        }
    }
    ages.retain(|age| *age < 110);
    ages.sort_unstable();
    let at = |hundredths: usize| {
        ages.get((ages.len().checked_sub(1)?) * hundredths / 100)
            .copied()
    };
    (ages.len() >= 10).then_some(at(2)?..=at(98)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn uuids_say_that_they_are_random() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        for _ in 0..100 {
            let text = uuid(&mut rng);
            assert_eq!(text.len(), 36);
            assert_eq!(&text[14..15], "4");
            assert!("89ab".contains(&text[19..20]), "{text}");
        }
    }

    #[test]
    fn times_rise_and_lie_in_the_last_hour() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let now = time::macros::datetime!(2026-11-24 00:00 UTC);
        let times = times(50, Locale::JaJp, now, &mut rng);
        assert!(times.is_sorted());
        assert!(
            times
                .iter()
                .all(|at| *at <= now && now - *at < Duration::hours(1))
        );
        assert_eq!(times[0].hour(), 8);
    }
}
