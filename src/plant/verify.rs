//! Are all canaries still there, unchanged?

use crate::canary::{Batch, CanaryId, SourceName, State};
use crate::database::{Database, Table};
use crate::registry::Registry;

use super::Result;
use super::look::{Seen, look};
use super::rows::{Standing, beside};
use super::settle::{Settled, canaries_of, settle};
use super::tend::{VersionsSettled, settle_versions};

/// What a source's canaries were found to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Canaries that should stand in the table.
    pub live: usize,
    /// Those that stand there as they were written.
    pub intact: usize,
    /// Those that somebody has changed, with the columns that differ (`TABLE.COLUMN` in related tables).
    pub altered: Vec<(CanaryId, Vec<String>)>,
    /// Those that are gone from the customer table.
    pub missing: Vec<CanaryId>,
    /// Canaries of batches that were handed out, and how many of them have arrived.
    pub handed_out: (usize, usize),
    /// Batches that this look settled: planned ones after a crash, handed-out ones that arrived.
    pub settled: Vec<(Batch, Settled)>,
    /// Changes of canaries that this look settled.
    pub changes: VersionsSettled,
}

/// Looks for every canary of the source. The caller holds [`Registry::exclusive`].
///
/// # Errors
/// See [`settle`].
pub async fn verify(
    registry: &Registry,
    database: &Database,
    table: &Table,
    source: &SourceName,
) -> Result<Verified> {
    let batches = registry.batches(Some(source)).await?;
    let mut verified = Verified {
        settled: settle(registry, database, table, &batches).await?,
        changes: settle_versions(registry, database, table, source).await?,
        ..Verified::default()
    };
    for (batch, outcome) in &verified.settled {
        if let Settled::Waiting(arrived) = outcome {
            verified.handed_out.0 += batch.canaries;
            verified.handed_out.1 += arrived;
        }
    }
    let batches = registry.batches(Some(source)).await?;
    let live: Vec<&Batch> = batches
        .iter()
        .filter(|batch| batch.state == State::Live)
        .collect();
    let canaries = canaries_of(registry, &live).await?;
    verified.live = canaries.len();
    if canaries.is_empty() {
        return Ok(verified);
    }
    let tables = Standing::of(database, table, beside(&canaries)).await?;
    let mut tx = database.begin().await?;
    let found = look(&mut tx, &tables, &canaries).await;
    tx.rollback().await?;
    for (canary, rows) in canaries.iter().zip(found?) {
        let (mut gone, mut differing) = (rows.is_empty(), Vec::new());
        for (number, found) in rows.into_iter().enumerate() {
            // A row of a related table is told with its table.
            let told = |what: String| match number {
                0 => what,
                _ => format!("{}.{what}", found.row.table),
            };
            match found.seen {
                Seen::Intact(_) => {}
                Seen::Altered { columns, .. } => differing.extend(columns.into_iter().map(told)),
                Seen::Missing if number == 0 => gone = true,
                Seen::Missing => differing.push(format!("{} (its row is gone)", found.row.table)),
            }
        }
        if gone {
            verified.missing.push(canary.id.clone());
        } else if !differing.is_empty() {
            verified.altered.push((canary.id.clone(), differing));
        } else {
            verified.intact += 1;
        }
    }
    Ok(verified)
}
