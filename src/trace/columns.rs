//! What the columns of a list mean, and whether its first row names them.

use super::hashed;
use super::normalise::Plan;
use super::read::commonest;
use crate::notation::column::{ColumnFacts, SURE, understand, understand_table};
use crate::notation::{
    Format, Region, Role, address_key, birth_key, email_key, phone_key, postcode_key,
};

/// Below this a column's role is no better than none.
const DOUBTFUL: f64 = 0.4;

/// How sure it is what a column of digests holds the digests of; both are tried.
const DIGESTS: f64 = 0.5;

/// One column of a list.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name, where the list has a header.
    pub header: Option<String>,
    /// What it means; `None` where nobody knows.
    pub role: Option<Role>,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    pub(super) format: Option<Format>,
}

/// The columns of a list as far as they are understood.
#[derive(Clone, Debug)]
pub struct Columns {
    /// In the list's order; as many as most rows have.
    pub columns: Vec<Column>,
    /// The country whose notation the list uses.
    pub region: Option<Region>,
    /// Rows before the data: 1 where the first row names the columns.
    pub before: usize,
}

impl Columns {
    /// Understands a part of a list by its first records, and by the names that its format gives.
    pub fn understand(names: Option<&[String]>, sample: &[Vec<String>]) -> Columns {
        let mut widths: Vec<usize> = sample.iter().map(Vec::len).collect();
        let width = commonest(&mut widths).map_or(0, |(width, _)| width);
        let width = names.map_or(width, |names| names.len());
        let header = sample
            .split_first()
            .filter(|(first, rest)| names.is_none() && is_header(first, rest));
        let rows = header.map_or(sample, |(_, rest)| rest);
        let before = usize::from(header.is_some());
        let header = names.or(header.map(|(first, _)| &first[..]));
        let values: Vec<Vec<&str>> = (0..width)
            .map(|column| {
                let sound = rows.iter().filter(|row| row.len() == width);
                sound.map(|row| row[column].trim()).collect()
            })
            .collect();
        let name = |column: usize| {
            header
                .and_then(|header| header.get(column))
                .map(|name| name.trim())
        };
        let facts: Vec<ColumnFacts<'_>> = values
            .iter()
            .enumerate()
            .map(|(column, samples)| ColumnFacts {
                name: name(column).unwrap_or_default(),
                samples,
                ..ColumnFacts::default()
            })
            .collect();
        let columns = understand_table(&facts)
            .into_iter()
            .enumerate()
            .map(|(column, found)| {
                let digests = hashed::role(name(column).unwrap_or_default(), &values[column]);
                let role = found.role.filter(|_| found.confidence >= DOUBTFUL);
                Column {
                    header: name(column).map(str::to_owned),
                    role: digests.or(role),
                    confidence: if digests.is_some() {
                        DIGESTS
                    } else {
                        found.confidence
                    },
                    format: found.format,
                }
            })
            .collect();
        Columns {
            columns,
            region: region(rows),
            before,
        }
    }

    /// Which cells make which keys.
    pub fn plan(&self) -> Plan {
        let roles: Vec<Option<Role>> = self.columns.iter().map(|column| column.role).collect();
        let mut plan = Plan::new(&roles, self.region);
        for (place, column) in self.columns.iter().enumerate() {
            if column.confidence < SURE {
                plan.also_guess(place);
            }
            if let Some(Format::Date(format)) = &column.format {
                plan.date_format(place, format);
            }
        }
        plan
    }
}

/// Whether a cell is a value that no column is called by.
fn is_value(cell: &str) -> bool {
    let cell = cell.trim();
    email_key(cell).is_some()
        || phone_key(cell, None).is_some()
        || postcode_key(cell, None).is_some()
        || birth_key(cell).is_some()
        || address_key(cell).is_some()
}

/// Whether the first row names the columns: no value stands in it, and either half of it are words
/// that columns are called by, or columns full of values begin with something else there.
fn is_header(first: &[String], rest: &[Vec<String>]) -> bool {
    let filled: Vec<(usize, &str)> = first
        .iter()
        .map(|cell| cell.trim())
        .enumerate()
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    if filled.is_empty() || filled.iter().any(|(_, cell)| is_value(cell)) {
        return false;
    }
    let named = filled
        .iter()
        .filter(|(_, cell)| {
            let name = ColumnFacts {
                name: cell,
                ..ColumnFacts::default()
            };
            understand(&name).role.is_some()
        })
        .count();
    let look = &rest[..rest.len().min(50)];
    let stands_out = filled.iter().any(|(column, _)| {
        let cells = look.iter().filter_map(|row| row.get(*column));
        let (values, all) = cells.fold((0, 0), |(values, all), cell| {
            (values + usize::from(is_value(cell)), all + 1)
        });
        all > 0 && values * 2 > all
    });
    named * 2 >= filled.len() || stands_out
}

fn region(rows: &[Vec<String>]) -> Option<Region> {
    let japanese = rows
        .iter()
        .filter(|row| {
            let mut letters = row.iter().flat_map(|cell| cell.chars());
            letters.any(|c| matches!(c, '\u{3041}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9f}'))
        })
        .count();
    (japanese * 2 > rows.len()).then_some(Region::Jp)
}
