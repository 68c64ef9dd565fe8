//! Canaries out of a database: exactly the planted rows, found by key and content.

use time::OffsetDateTime;

use crate::canary::{Batch, BatchId, CanaryId, PlantedRow, SourceName, State};
use crate::database::{Database, Table, Transaction};
use crate::registry::Registry;

use super::look::{Found, Seen, look};
use super::rows::{Standing, beside, known, order};
use super::settle::canaries_of;
use super::tend::settle_versions;
use super::{Error, Result};

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unplanted {
    /// Batches that are now removed.
    pub batches: Vec<BatchId>,
    /// Canaries whose rows were removed.
    pub removed: Vec<CanaryId>,
    /// Canaries whose rows had been changed, and were removed as they were (`force`).
    pub altered: Vec<CanaryId>,
    /// Canaries that were gone already.
    pub missing: Vec<CanaryId>,
}

/// The batches of the source that `unplant` would remove, or the one named.
///
/// # Errors
/// There is none.
pub async fn removable(
    registry: &Registry,
    source: &SourceName,
    only: Option<&BatchId>,
) -> Result<Vec<Batch>> {
    let mut batches = registry.batches(Some(source)).await?;
    batches.retain(|batch| {
        let standing = matches!(batch.state, State::Live | State::HandedOut | State::Planned);
        standing && only.is_none_or(|only| *only == batch.id)
    });
    if batches.is_empty() {
        let what = only.map_or_else(
            || format!("source {source}"),
            |batch| format!("batch {batch}"),
        );
        return Err(Error::NothingToRemove(what));
    }
    Ok(batches)
}

/// Removes the rows of these batches in one transaction. A row that was changed since it was planted
/// stops it, unless `force` says to remove it as it is now. The canaries stay in the registry: lists
/// taken while they stood there still name their source.
///
/// The caller holds [`Registry::exclusive`].
///
/// # Errors
/// [`Error::Altered`]; a foreign key points at a row; the database or the registry fails. Then nothing
/// was removed.
pub async fn unplant(
    registry: &Registry,
    database: &Database,
    table: &Table,
    batches: &[Batch],
    force: bool,
) -> Result<Unplanted> {
    if let Some(batch) = batches.first() {
        settle_versions(registry, database, table, &batch.source).await?;
    }
    let canaries = canaries_of(registry, &batches.iter().collect::<Vec<_>>()).await?;
    let mut done = Unplanted::default();
    let tables = Standing::of(database, table, beside(&canaries)).await?;
    let mut tx = database.begin().await?;
    let removed = async {
        let all = look(&mut tx, &tables, &canaries).await?;
        for (canary, mut found) in canaries.iter().zip(all) {
            let altered = found
                .iter()
                .any(|row| matches!(row.seen, Seen::Altered { .. }));
            let there = found.iter().any(|row| row.seen != Seen::Missing);
            if force || !altered {
                let rows: Vec<PlantedRow> = found.iter().map(|found| found.row.clone()).collect();
                let order = order(&rows);
                untie(&mut tx, &tables, &mut found, &order).await?;
                for at in order.into_iter().rev() {
                    remove(&mut tx, tables.table(&found[at].row), &found[at]).await?;
                }
            }
            let list = match (altered, there) {
                (true, _) => &mut done.altered,
                (false, true) => &mut done.removed,
                (false, false) => &mut done.missing,
            };
            list.push(canary.id.clone());
        }
        match force || done.altered.is_empty() {
            true => Ok(()),
            false => Err(Error::Altered(done.altered.clone())),
        }
    };
    if let Err(error) = removed.await {
        let _ = tx.rollback().await;
        return Err(error);
    }
    tx.commit().await?;
    for batch in batches {
        let now = OffsetDateTime::now_utc();
        registry
            .set_batch_state(&batch.id, State::Unplanted, now)
            .await?;
        done.batches.push(batch.id.clone());
    }
    Ok(done)
}

/// Takes back references to rows that went in later and so go out earlier: the database would keep them.
async fn untie(
    tx: &mut Transaction,
    tables: &Standing<'_>,
    found: &mut [Found],
    order: &[usize],
) -> Result<()> {
    let number = |row: usize| order.iter().position(|at| *at == row);
    for (at, found) in found.iter_mut().enumerate() {
        let row = &found.row;
        let late = row
            .links
            .iter()
            .filter(|link| number(link.row) > number(at));
        let late: Vec<String> = late.map(|link| link.column.clone()).collect();
        if late.is_empty() || row.key.is_empty() || found.seen == Seen::Missing {
            continue;
        }
        let empty: Vec<(&str, Option<&str>)> =
            late.iter().map(|name| (name.as_str(), None)).collect();
        let whole = known(row);
        let held = content(&whole, &found.seen);
        tx.update(tables.table(row), &row.key, &held, &empty)
            .await?;
        let Found { row, seen } = found;
        for cell in row
            .cells
            .iter_mut()
            .filter(|cell| late.contains(&cell.column))
        {
            cell.value = None;
        }
        if let Seen::Altered { now, .. } = seen {
            for (_, value) in now.iter_mut().filter(|(name, _)| late.contains(name)) {
                *value = None;
            }
        }
    }
    Ok(())
}

/// Removes one row as it was found.
async fn remove(tx: &mut Transaction, table: &Table, found: &Found) -> Result<()> {
    if let Seen::Intact(place) | Seen::Altered { place, .. } = &found.seen {
        let whole = known(&found.row);
        tx.delete(table, place, &content(&whole, &found.seen))
            .await?;
    }
    Ok(())
}

/// What a row holds as it was found.
fn content<'r>(row: &'r PlantedRow, seen: &'r Seen) -> Vec<(&'r str, Option<&'r str>)> {
    match seen {
        Seen::Altered { now, .. } => now
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect(),
        Seen::Intact(_) | Seen::Missing => row
            .cells
            .iter()
            .map(|cell| (cell.column.as_str(), cell.value.as_deref()))
            .collect(),
    }
}
