//! Canaries out of a database: exactly the planted rows, found by key and content.

use time::OffsetDateTime;

use crate::canary::{Batch, BatchId, CanaryId, PlantedRow, SourceName, State};
use crate::database::{Database, Table, Transaction};
use crate::registry::Registry;

use super::look::{Seen, look};
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
    let rows: Vec<&PlantedRow> = canaries
        .iter()
        .flat_map(|canary| &canary.details.rows)
        .collect();
    let mut done = Unplanted::default();
    let mut tx = database.begin().await?;
    let removed = async {
        let mut seen = look(&mut tx, table, &rows).await?.into_iter();
        for canary in &canaries {
            let (mut there, mut altered) = (false, false);
            for row in &canary.details.rows {
                let found = seen.next().unwrap_or(Seen::Missing);
                altered |= matches!(found, Seen::Altered { .. });
                if force || matches!(found, Seen::Intact(_)) {
                    there |= remove(&mut tx, table, row, found).await?;
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

/// Removes one row as it was found; says whether there was one.
async fn remove(
    tx: &mut Transaction,
    table: &Table,
    row: &PlantedRow,
    found: Seen,
) -> Result<bool> {
    let (place, content): (_, Vec<(&str, Option<&str>)>) = match &found {
        Seen::Missing => return Ok(false),
        Seen::Intact(place) => {
            let cells = row.cells.iter();
            (
                place,
                cells
                    .map(|cell| (cell.column.as_str(), cell.value.as_deref()))
                    .collect(),
            )
        }
        Seen::Altered { place, now, .. } => (
            place,
            now.iter()
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .collect(),
        ),
    };
    tx.delete(table, place, &content).await?;
    Ok(true)
}
