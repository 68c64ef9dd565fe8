//! Which of the registered changes stand in the table: found out by looking, after each run and after a
//! crash.

use crate::canary::{Canary, CanaryId, Details, PlantedRow, SourceName, State};
use crate::database::{Database, Table};
use crate::notation::Role;
use crate::registry::{Outcome, Registry};

use super::super::Result;
use super::super::look::standing;
use super::super::rows::{Standing, beside};
use super::{changed, is_keyed};

/// What became of changes that were pending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionsSettled {
    /// Versions that stand in the table.
    pub live: Vec<(CanaryId, u32)>,
    /// Changes that were never written.
    pub void: Vec<(CanaryId, u32)>,
    /// Canaries of which the table does not tell: their row is gone, or somebody has changed it. Both
    /// versions stay watched.
    pub open: Vec<CanaryId>,
}

/// Settles every pending change of the source's canaries.
///
/// The caller holds [`Registry::exclusive`].
///
/// # Errors
/// The database or the registry fails.
pub async fn settle_versions(
    registry: &Registry,
    database: &Database,
    table: &Table,
    source: &SourceName,
) -> Result<VersionsSettled> {
    let mut settled = VersionsSettled::default();
    let canaries = registry.canaries(Some(source)).await?;
    let pending: Vec<&Canary> = canaries
        .iter()
        .filter(|canary| canary.pending().is_some() && canary.state == State::Live)
        .collect();
    if pending.is_empty() {
        return Ok(settled);
    }
    let beside = beside(pending.iter().copied());
    let tables = Standing::of(database, table, beside).await?;
    // A transaction, though it only reads: it waits for the end of one that has lost its process.
    let mut tx = database.begin().await?;
    let mut outcomes = Vec::new();
    let looked = async {
        for canary in pending {
            let Some(version) = canary.pending() else {
                continue;
            };
            let (old, new) = (&canary.details, &version.details);
            let mut now = Vec::new();
            for row in &new.rows {
                let table = tables.table(row);
                now.push(match is_keyed(table, row) {
                    true => tx.read(table, &row.key, &standing(table, row)).await?,
                    false => None,
                });
            }
            let outcome = |stands| Outcome {
                canary: canary.id.clone(),
                number: version.number,
                stands,
            };
            match judge(&tables, old, new, &now) {
                Found::New(details) => {
                    settled.live.push((canary.id.clone(), version.number));
                    outcomes.push(outcome(Some(*details)));
                }
                Found::Old => {
                    settled.void.push((canary.id.clone(), version.number));
                    outcomes.push(outcome(None));
                }
                Found::Neither => settled.open.push(canary.id.clone()),
            }
        }
        Result::Ok(())
    }
    .await;
    tx.rollback().await?;
    looked?;
    registry.settle_versions(source, &outcomes).await?;
    Ok(settled)
}

enum Found {
    /// The new version, with what the table itself has put into it.
    New(Box<Details>),
    Old,
    Neither,
}

/// Only the columns that were to change tell the versions apart. A moment of change may be the table's own
/// (a trigger): any that is not the old one is the new one.
fn judge(
    tables: &Standing<'_>,
    old: &Details,
    new: &Details,
    now: &[Option<Vec<Option<String>>>],
) -> Found {
    let (mut as_new, mut as_old, mut moments_new) = (0, 0, 0);
    let mut stands = new.clone();
    for (place, (old, new)) in old.rows.iter().zip(&new.rows).enumerate() {
        let differing = changed(old, new);
        if differing.is_empty() {
            continue;
        }
        let Some(held) = now.get(place).and_then(Option::as_ref) else {
            return Found::Neither;
        };
        let names = standing(tables.table(new), new);
        for column in differing {
            let Some(at) = names.iter().position(|name| *name == column) else {
                return Found::Neither;
            };
            let cell = |row: &PlantedRow| row.cells.iter().position(|cell| cell.column == column);
            let Some(cell) = cell(new) else { continue };
            let held = &held[at];
            if new.cells[cell].role == Role::UpdatedAt {
                moments_new += usize::from(*held != old.cells[cell].value);
                stands.rows[place].cells[cell].value.clone_from(held);
            } else if *held == new.cells[cell].value {
                as_new += 1;
            } else if *held == old.cells[cell].value {
                as_old += 1;
            } else {
                return Found::Neither;
            }
        }
    }
    match (as_new, as_old) {
        (0, 0) if moments_new > 0 => Found::New(Box::new(stands)),
        (0, _) => Found::Old,
        (_, 0) => Found::New(Box::new(stands)),
        _ => Found::Neither,
    }
}
