//! Canaries age as customers do: now and then a row of theirs, in the customer table or beside it, gets a small
//! change, at the rate and of the kinds that the tables themselves show. Every state that a canary was in is a version in the registry, so
//! that an old list is told from a new one by the version in it.
//!
//! The order is that of planting. A version is registered, as pending, before the row is touched; the row
//! is changed in a transaction that finds it by its whole key and by everything that the registry says it
//! holds; and whether it was changed is then found out by looking, as it is after a crash.
//!
//! Contact points are never changed: a move is one to another unit of the same drop.

mod beside;
mod drift;
mod habits;
mod moment;
mod pace;
mod placed;
mod plan;
mod settle;
mod unit;
mod visits;
mod write;

pub use pace::Grounds;
pub use plan::{TendAsk, Tending, plan_tending};
pub use settle::{VersionsSettled, settle_versions};
pub use write::{TendStep, Tended, tend};

use crate::canary::PlantedRow;
use crate::database::Table;

/// Whether the row is one of this table, and found by its whole key.
fn is_keyed(table: &Table, row: &PlantedRow) -> bool {
    let named = row.table == table.name || row.table == table.to_string();
    named
        && !row.key.is_empty()
        && row
            .key
            .iter()
            .all(|(name, _)| table.primary_key.contains(name))
}

/// The row's columns that differ in another version of it.
fn changed<'r>(old: &'r PlantedRow, new: &PlantedRow) -> Vec<&'r str> {
    let cells = old.cells.iter().zip(&new.cells);
    cells
        .filter(|(old, new)| old.value != new.value)
        .map(|(old, _)| old.column.as_str())
        .collect()
}
