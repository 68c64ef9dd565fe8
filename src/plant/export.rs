//! A batch as a file that somebody else runs or loads.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::canary::{Canary, PlantedRow};
use crate::database::{Database, Engine, Table};

use super::{Error, Result};

fn rows(canaries: &[Canary]) -> impl Iterator<Item = &PlantedRow> {
    canaries.iter().flat_map(|canary| &canary.details.rows)
}

/// The batch as SQL: one transaction, one statement to a line unless a value has line breaks.
///
/// # Errors
/// The source is a CSV file.
pub fn insert_statements(
    database: &Database,
    table: &Table,
    canaries: &[Canary],
) -> Result<String> {
    let mut text = String::from(match database.engine() {
        Engine::Csv => {
            return Err(Error::Unsuited(
                "the source is a CSV file, which runs no SQL: use --csv",
            ));
        }
        Engine::MySql => {
            "set names utf8mb4;\nset session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES');\nstart transaction;\n"
        }
        Engine::Sqlite | Engine::Postgres => "begin;\n",
    });
    for row in rows(canaries) {
        let cells: Vec<(&str, Option<&str>)> = row
            .cells
            .iter()
            .map(|cell| (cell.column.as_str(), cell.value.as_deref()))
            .collect();
        text.push_str(&database.insert_statement(table, &cells)?);
        text.push_str(";\n");
    }
    text.push_str("commit;\n");
    Ok(text)
}

/// The batch as CSV in UTF-8 with a header; NULL is an empty field.
///
/// # Errors
/// None in practice: the writer writes to memory.
pub fn csv_rows(canaries: &[Canary]) -> std::result::Result<Vec<u8>, csv::Error> {
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
