//! Canaries into a database: registered first, then one transaction, read back before it is committed.

use time::OffsetDateTime;

use crate::canary::{Batch, Canary, PlantedRow, State};
use crate::database::{self, Database, Table, Transaction};
use crate::registry::Registry;

use super::look::{Seen, look};
use super::rows::{Standing, beside, fill_links, order};
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
    /// The rows of so many canaries are inserted.
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
    let begun = match Standing::of(database, table, beside(&canaries)).await {
        Ok(tables) => database.begin().await.map(|tx| (tx, tables)),
        Err(error) => {
            void(registry, batch).await?;
            return Err(error);
        }
    };
    let (mut tx, tables) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            void(registry, batch).await?;
            return Err(error.into());
        }
    };
    watch(Step::Begun);
    if let Err(error) = insert(&mut tx, &tables, &mut canaries, watch).await {
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

/// Inserts the rows of canaries that are not registered, reads them back, and takes them out again in the same
/// transaction: whatever would keep them out is told, and nobody else sees them. A sequence that numbers the rows goes on
/// by one for each.
///
/// # Errors
/// What [`plant`] would tell.
pub async fn rehearse(database: &Database, table: &Table, mut canaries: Vec<Canary>) -> Result<()> {
    let tables = Standing::of(database, table, beside(&canaries)).await?;
    let mut tx = database.begin().await?;
    let inserted = insert(&mut tx, &tables, &mut canaries, &mut |_| {}).await;
    let ended = tx.rollback().await;
    inserted?;
    Ok(ended?)
}

async fn void(registry: &Registry, batch: &Batch) -> Result<()> {
    let now = OffsetDateTime::now_utc();
    Ok(registry
        .set_batch_state(&batch.id, State::Void, now)
        .await?)
}

async fn insert(
    tx: &mut Transaction,
    tables: &Standing<'_>,
    canaries: &mut [Canary],
    watch: &mut dyn FnMut(Step),
) -> Result<()> {
    for (number, canary) in canaries.iter_mut().enumerate() {
        let rows = &mut canary.details.rows;
        for at in order(rows) {
            fill_links(rows, at);
            let row = &rows[at];
            let table = tables.table(row);
            rows[at].key = tx.insert(table, &cells(row, |_| true)).await?;
        }
        // Rows that refer to each other in a ring: one of them was in before the other had a key.
        for at in 0..rows.len() {
            let filled = fill_links(rows, at);
            if !filled.is_empty() {
                let row = &rows[at];
                let is_late = |column: &str| filled.iter().any(|name| name == column);
                let held = cells(row, |column| !is_late(column));
                let late = cells(row, is_late);
                tx.update(tables.table(row), &row.key, &held, &late).await?;
            }
        }
        watch(Step::Inserted(number + 1));
    }
    for (canary, found) in canaries.iter().zip(look(tx, tables, canaries).await?) {
        for (row, found) in canary.details.rows.iter().zip(found) {
            let column = match found.seen {
                Seen::Intact(_) => continue,
                Seen::Altered { columns, .. } => columns.join(", "),
                Seen::Missing => "(most of them)".to_owned(),
            };
            return Err(Error::Changed {
                column,
                table: tables.table(row).to_string(),
            });
        }
    }
    Ok(())
}

fn cells(row: &PlantedRow, wanted: impl Fn(&str) -> bool) -> Vec<database::Cell<'_>> {
    let cells = row.cells.iter().filter(|cell| wanted(&cell.column));
    cells
        .map(|cell| (cell.column.as_str(), cell.value.as_deref()))
        .collect()
}
