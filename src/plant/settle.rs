//! What a crash left: batches of which the registry does not know whether they stand in the database.
//! Looking answers it, because a batch is one transaction: all of it is there, or nothing.

use time::OffsetDateTime;

use crate::canary::{Batch, Canary, PlantedRow, State};
use crate::database::{Database, Table};
use crate::registry::Registry;

use super::look::{Seen, look};
use super::{Error, Result};

/// What a batch turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// All of it stands in the table.
    Live,
    /// Nothing of it does, and nothing will: its transaction is over.
    Void,
    /// It was handed out, and so many of its canaries have arrived so far.
    Waiting(usize),
}

/// Settles every batch of the source that is planned or handed out; returns what became of each.
///
/// The caller holds [`Registry::exclusive`].
///
/// # Errors
/// A planned batch stands there in part ([`Error::Partly`]); the database or the registry fails.
pub async fn settle(
    registry: &Registry,
    database: &Database,
    table: &Table,
    batches: &[Batch],
) -> Result<Vec<(Batch, Settled)>> {
    let mut settled = Vec::new();
    for batch in batches {
        if matches!(batch.state, State::Planned | State::HandedOut) {
            let outcome = settle_batch(registry, database, table, batch).await?;
            settled.push((batch.clone(), outcome));
        }
    }
    Ok(settled)
}

/// Settles one batch.
pub(super) async fn settle_batch(
    registry: &Registry,
    database: &Database,
    table: &Table,
    batch: &Batch,
) -> Result<Settled> {
    let mut canaries = registry.batch_canaries(&batch.id).await?;
    // A transaction, though it only reads: it waits for the end of one that has lost its process.
    let mut tx = database.begin().await?;
    let rows: Vec<&PlantedRow> = canaries
        .iter()
        .flat_map(|canary| &canary.details.rows)
        .collect();
    let seen = look(&mut tx, table, &rows).await;
    tx.rollback().await?;
    let seen = seen?;
    let mut keys = seen.into_iter();
    let mut there = Vec::new();
    for canary in &mut canaries {
        let mut whole = true;
        for row in &mut canary.details.rows {
            match keys.next() {
                Some(Seen::Intact(place)) => row.key = place.key,
                // Changed since it was planted: it is there all the same.
                Some(Seen::Altered { place, .. }) => row.key = place.key,
                Some(Seen::Missing) | None => whole = false,
            }
        }
        if whole {
            there.push(canary.id.clone());
        }
    }
    let now = OffsetDateTime::now_utc();
    if there.len() == canaries.len() {
        registry.batch_is_live(&batch.id, &canaries).await?;
        return Ok(Settled::Live);
    }
    match (batch.state, there.len()) {
        (State::HandedOut, arrived) => Ok(Settled::Waiting(arrived)),
        (_, 0) => {
            registry
                .set_batch_state(&batch.id, State::Void, now)
                .await?;
            Ok(Settled::Void)
        }
        (_, found) => Err(Error::Partly {
            batch: batch.id.clone(),
            table: table.to_string(),
            found,
            of: canaries.len(),
            present: there,
        }),
    }
}

/// The canaries of these batches, in planting order.
pub(super) async fn canaries_of(registry: &Registry, batches: &[&Batch]) -> Result<Vec<Canary>> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(registry.batch_canaries(&batch.id).await?);
    }
    Ok(all)
}
