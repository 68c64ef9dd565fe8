//! What a crash left: batches of which the registry does not know whether they stand in the database.
//! Looking answers it, because a batch is one transaction: all of it is there, or nothing.

use time::OffsetDateTime;

use crate::canary::{Batch, Canary, State};
use crate::database::{Database, Table};
use crate::registry::Registry;

use super::look::{Seen, look};
use super::rows::{Standing, beside};
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
    let tables = Standing::of(database, table, beside(&canaries)).await?;
    // A transaction, though it only reads: it waits for the end of one that has lost its process.
    let mut tx = database.begin().await?;
    let found = look(&mut tx, &tables, &canaries).await;
    tx.rollback().await?;
    let mut there = Vec::new();
    for (canary, found) in canaries.iter_mut().zip(found?) {
        // One that was changed since it was planted is there all the same.
        if found.iter().all(|found| found.seen != Seen::Missing) {
            there.push(canary.id.clone());
        }
        canary.details.rows = found.into_iter().map(|found| found.row).collect();
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
