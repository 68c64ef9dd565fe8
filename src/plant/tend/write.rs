//! Changes into the database: registered first, then each in a transaction of its own, read back before it is
//! committed.

use crate::canary::{Canary, CanaryId, Details, PlantedRow};
use crate::database::{Cell, Database, Table, Transaction};
use crate::notation::Role;
use crate::registry::{Change, Registry};

use super::super::rows::{Standing, beside, known};
use super::super::{Error, Result};
use super::plan::Tending;
use super::settle::{VersionsSettled, settle_versions};
use super::{changed, is_keyed};

/// A moment of tending at which a crash leaves something else behind than before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TendStep {
    /// All changes are in the registry, as pending.
    Registered,
    /// A canary's transaction has begun.
    Begun,
    /// Its row is changed and read back.
    Changed,
    /// It is committed.
    Committed,
    /// The registry knows which changes stand.
    Settled,
}

/// What was changed.
#[derive(Clone, Debug, Default)]
pub struct Tended {
    /// What the table shows of the changes.
    pub settled: VersionsSettled,
    /// Canaries whose change was refused, and why.
    pub failed: Vec<(CanaryId, String)>,
}

/// Changes the canaries as planned.
///
/// The caller holds [`Registry::exclusive`] and has settled what a crash left ([`settle_versions`]).
///
/// # Errors
/// The registry fails, or the database cannot be looked at afterwards; what has happened is then found out
/// by the next command. A change that the table refuses is taken back and stands in [`Tended::failed`].
pub async fn tend(
    registry: &Registry,
    database: &Database,
    table: &Table,
    tending: &Tending,
    watch: &mut (dyn FnMut(TendStep) + Send),
) -> Result<Tended> {
    let mut done = Tended::default();
    let changes = &tending.changes;
    registry
        .register_versions(&tending.source, changes, tending.now)
        .await?;
    watch(TendStep::Registered);
    let beside = beside(changes.iter().map(|change| &change.canary));
    let tables = Standing::of(database, table, beside).await?;
    for Change { canary, details } in changes {
        if let Err(error) = change(database, &tables, canary, details, watch).await {
            done.failed.push((canary.id.clone(), error.to_string()));
        }
    }
    done.settled = settle_versions(registry, database, table, &tending.source).await?;
    watch(TendStep::Settled);
    Ok(done)
}

async fn change(
    database: &Database,
    tables: &Standing<'_>,
    canary: &Canary,
    new: &Details,
    watch: &mut (dyn FnMut(TendStep) + Send),
) -> Result<()> {
    let mut tx = database.begin().await?;
    watch(TendStep::Begun);
    for (old, new) in canary.details.rows.iter().zip(&new.rows) {
        if let Err(error) = change_row(&mut tx, tables.table(old), old, new).await {
            // The error that came first is the one to tell; without its commit the transaction is nothing.
            let _ = tx.rollback().await;
            return Err(error);
        }
    }
    watch(TendStep::Changed);
    tx.commit().await?;
    watch(TendStep::Committed);
    Ok(())
}

/// One row, found by its whole key and all that the registry says it holds.
async fn change_row(
    tx: &mut Transaction,
    table: &Table,
    old: &PlantedRow,
    new: &PlantedRow,
) -> Result<()> {
    let differing = changed(old, new);
    if differing.is_empty() || !is_keyed(table, old) {
        return Ok(());
    }
    let (old, new) = (known(old), known(new));
    let held: Vec<Cell<'_>> = cells(&old).collect();
    let cells: Vec<Cell<'_>> = cells(&new)
        .filter(|(name, _)| differing.contains(name))
        .collect();
    tx.update(table, &old.key, &held, &cells).await?;
    let names: Vec<&str> = held.iter().map(|(name, _)| *name).collect();
    let rewritten = |column: &str| Error::Rewritten {
        column: column.to_owned(),
        table: table.to_string(),
    };
    let Some(now) = tx.read(table, &old.key, &names).await? else {
        return Err(rewritten(&table.primary_key.join(", ")));
    };
    for (cell, now) in new.cells.iter().zip(now) {
        // A table may set the moment of change by itself.
        if cell.value != now && cell.role != Role::UpdatedAt {
            return Err(rewritten(&cell.column));
        }
    }
    Ok(())
}

fn cells(row: &PlantedRow) -> impl Iterator<Item = Cell<'_>> {
    let cells = row.cells.iter();
    cells.map(|cell| (cell.column.as_str(), cell.value.as_deref()))
}
