//! Canaries into a database: registered first, then one transaction, read back before it is committed.

use time::OffsetDateTime;

use crate::canary::{Batch, Canary, PlantedRow, State};
use crate::database::{Database, Table, Transaction};
use crate::registry::Registry;

use super::look::{Seen, look};
use super::settle::{Settled, settle_batch};
use super::{Error, Result};

/// A moment of planting at which a crash leaves something else behind than before it. Whoever
/// watches (progress on a terminal; a test that stops the process) is told each as it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The batch is in the registry, as planned.
    Registered,
    /// The transaction has begun.
    Begun,
    /// So many rows are inserted.
    Inserted(usize),
    /// All rows were read back and are as they were written.
    Checked,
    /// The transaction is committed.
    Committed,
    /// The registry knows the keys, and that the batch is live.
    Live,
}

/// Plants a batch: registers it, inserts all rows in one transaction, reads them back, commits, and
/// marks the batch live. Returns the canaries with the keys that the database gave them.
///
/// The caller holds [`Registry::exclusive`] and has settled what a crash left ([`super::settle`]).
///
/// # Errors
/// Whatever goes wrong before the commit is rolled back, and the batch is void. If the commit itself
/// fails, the table tells what has happened, and if it cannot be asked, the batch stays planned for
/// the next command to settle.
pub async fn plant(
    registry: &Registry,
    database: &Database,
    table: &Table,
    batch: &Batch,
    mut canaries: Vec<Canary>,
    watch: &mut dyn FnMut(Step),
) -> Result<Vec<Canary>> {
    registry.register_batch(batch, &canaries).await?;
    watch(Step::Registered);
    let mut tx = match database.begin().await {
        Ok(tx) => tx,
        Err(error) => {
            void(registry, batch).await?;
            return Err(error.into());
        }
    };
    watch(Step::Begun);
    if let Err(error) = insert(&mut tx, table, &mut canaries, watch).await {
        // The error that came first is the one to tell; without its commit the transaction is nothing.
        let _ = tx.rollback().await;
        void(registry, batch).await?;
        return Err(error);
    }
    watch(Step::Checked);
    if let Err(error) = tx.commit().await {
        return match settle_batch(registry, database, table, batch).await? {
            Settled::Live => Ok(registry.batch_canaries(&batch.id).await?),
            _ => Err(error.into()),
        };
    }
    watch(Step::Committed);
    registry.batch_is_live(&batch.id, &canaries).await?;
    watch(Step::Live);
    for canary in &mut canaries {
        canary.state = State::Live;
    }
    Ok(canaries)
}

async fn void(registry: &Registry, batch: &Batch) -> Result<()> {
    let now = OffsetDateTime::now_utc();
    Ok(registry
        .set_batch_state(&batch.id, State::Void, now)
        .await?)
}

async fn insert(
    tx: &mut Transaction,
    table: &Table,
    canaries: &mut [Canary],
    watch: &mut dyn FnMut(Step),
) -> Result<()> {
    let mut inserted = 0;
    for row in canaries
        .iter_mut()
        .flat_map(|canary| &mut canary.details.rows)
    {
        let cells: Vec<(&str, Option<&str>)> = row
            .cells
            .iter()
            .map(|cell| (cell.column.as_str(), cell.value.as_deref()))
            .collect();
        row.key = tx.insert(table, &cells).await?;
        inserted += 1;
        watch(Step::Inserted(inserted));
    }
    let rows: Vec<&PlantedRow> = canaries
        .iter()
        .flat_map(|canary| &canary.details.rows)
        .collect();
    for seen in look(tx, table, &rows).await? {
        let column = match seen {
            Seen::Intact(_) => continue,
            Seen::Altered { columns, .. } => columns.join(", "),
            Seen::Missing => "(most of them)".to_owned(),
        };
        return Err(Error::Changed {
            column,
            table: table.to_string(),
        });
    }
    Ok(())
}
