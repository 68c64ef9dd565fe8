//! What a source's table shows of its customers.

use time::Date;

use crate::blend::{Ground, LEAST_ROWS, Profile};
use crate::canary::Canary;
use crate::database::{Database, Table};
use crate::notation::Mapping;
use crate::persona::Lexicon;

use super::known::customers;
use super::tables::Tables;
use super::{Error, Result};

/// The profile of a table's customers, of at most `most` of whom rows are read; `canaries` are left out. `today` is the day on which it is read.
///
/// # Errors
/// [`Error::TooFewRows`]; the table cannot be read.
pub async fn profile(
    database: &Database,
    table: &Table,
    mapping: &Mapping,
    lexicon: &Lexicon,
    canaries: &[Canary],
    most: usize,
    today: Date,
) -> Result<Profile> {
    let tables = Tables::of(database, table.clone(), mapping).await?;
    let rows = customers(database, &tables, canaries, most).await?;
    let ground = Ground::learn(&tables.mapping, &tables.columns, &rows, lexicon, today);
    let ground = ground.ok_or_else(|| Error::TooFewRows {
        table: table.to_string(),
        rows: rows.len(),
        least: LEAST_ROWS,
    })?;
    Ok(ground.profile())
}
