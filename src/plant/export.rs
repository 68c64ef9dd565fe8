//! A batch as a file that somebody else runs or loads.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::canary::{Canary, PlantedRow, RowLink};
use crate::database::{Database, Engine, Filling, Table, Written};

use super::rows::{Standing, beside, held, order};
use super::{Error, Result};

fn rows(canaries: &[Canary]) -> impl Iterator<Item = &PlantedRow> {
    canaries.iter().flat_map(|canary| &canary.details.rows)
}

/// The batch as SQL, in one transaction. Rows of related tables take the keys that the database makes for
/// the rows they refer to.
///
/// # Errors
/// The source is a CSV file; a table is gone; a key of several columns that the database makes.
pub async fn insert_statements(
    database: &Database,
    table: &Table,
    canaries: &[Canary],
) -> Result<String> {
    if database.engine() == Engine::Csv {
        return Err(Error::Unsuited(
            "the source is a CSV file, which runs no SQL: use --csv",
        ));
    }
    let tables = Standing::of(database, table, beside(canaries)).await?;
    let tied = canaries.iter().any(|canary| canary.details.rows.len() > 1);
    let (head, foot) = database.script_frame(tied)?;
    let mut text = head.to_owned();
    let mut before = 0;
    for canary in canaries {
        let rows = &canary.details.rows;
        text += &database.script(&steps(&tables, rows, before)?)?;
        before += rows.len();
    }
    Ok(text + foot)
}

/// The statements of one canary. `before` rows stand in the script already.
fn steps<'c>(
    tables: &'c Standing<'_>,
    rows: &'c [PlantedRow],
    before: usize,
) -> Result<Vec<Written<'c>>> {
    // What the rows refer to is in a cell, or in a key that the database makes.
    let filling = |link: &RowLink| match held(&rows[link.row], &link.of) {
        Some(_) => {
            let cells = &rows[link.row].cells;
            let cell = cells.iter().find(|cell| cell.column == link.of);
            Filling::Text(cell.and_then(|cell| cell.value.as_deref()))
        }
        None => Filling::KeyOf(before + link.row),
    };
    let made = |row: usize| {
        let links = rows.iter().flat_map(|row| &row.links);
        let mut links =
            links.filter(|link| link.row == row && held(&rows[row], &link.of).is_none());
        links.next().map(|link| link.of.as_str())
    };
    let order = order(rows);
    let number = |row: usize| order.iter().position(|at| *at == row);
    let mut steps = Vec::new();
    let mut late = Vec::new();
    for at in &order {
        let row = &rows[*at];
        let table = tables.table(row);
        let mut cells = Vec::new();
        for cell in &row.cells {
            let link = row.links.iter().find(|link| link.column == cell.column);
            let filled = match link {
                None => Filling::Text(cell.value.as_deref()),
                Some(link) if number(link.row) >= number(*at) => {
                    let key = row_key(table)?;
                    late.push(Written::Update {
                        row: before + at,
                        table,
                        key,
                        column: &cell.column,
                        filling: filling(link),
                    });
                    Filling::Text(None)
                }
                Some(link) => filling(link),
            };
            cells.push((cell.column.as_str(), filled));
        }
        steps.push(Written::Insert {
            row: before + at,
            table,
            cells,
            key: made(*at),
        });
    }
    steps.extend(late);
    Ok(steps)
}

fn row_key(table: &Table) -> Result<&str> {
    match table.primary_key.as_slice() {
        [only] => Ok(only),
        _ => Err(Error::Unsuited(
            "rows refer to each other in a ring, and one of them has no key of one column: plant without --sql",
        )),
    }
}

/// The batch as CSV in UTF-8 with a header; NULL is an empty field.
///
/// # Errors
/// A canary has rows in several tables, for which a CSV file has no place.
pub fn csv_rows(canaries: &[Canary]) -> Result<Vec<u8>> {
    if canaries.iter().any(|canary| canary.details.rows.len() > 1) {
        return Err(Error::Unsuited(
            "the canaries have rows in several tables, which refer to each other: use --sql",
        ));
    }
    written(canaries).map_err(|_| Error::Unsuited("the rows could not be written as CSV"))
}

fn written(canaries: &[Canary]) -> std::result::Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(first) = rows(canaries).next() {
        writer.write_record(first.cells.iter().map(|cell| &cell.column))?;
    }
    for row in rows(canaries) {
        writer.write_record(
            row.cells
                .iter()
                .map(|cell| cell.value.as_deref().unwrap_or_default()),
        )?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// Writes a file that only its owner may read. What is there already is written over only if told so.
///
/// # Errors
/// [`Error::FileExists`], [`Error::File`].
pub fn write_private(path: &Path, content: &[u8], over: bool) -> Result<()> {
    let failed = |why: std::io::Error| match why.kind() {
        std::io::ErrorKind::AlreadyExists => Error::FileExists(path.to_owned()),
        _ => Error::File {
            path: path.to_owned(),
            why,
        },
    };
    if over && path.is_file() {
        // Removed rather than emptied: an old file's readers and permissions are not ours.
        std::fs::remove_file(path).map_err(failed)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_all().map_err(failed)
}
