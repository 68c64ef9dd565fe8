//! One arrival: taken, planted, noted.
//!
//! The order is what makes it come once, whoever is killed when. Before anything is planted the arrival is
//! taken: the next one and the batch to be are written down in one transaction. What became of that batch
//! is in the registry and in the table, and the next look settles it.

use anyhow::bail;
use rand::SeedableRng;
use rand::rngs::StdRng;
use time::{Duration, OffsetDateTime};

use super::learn;
use crate::canary::State;
use crate::cli::opened::Opened;
use crate::database::{self, Table};
use crate::drip::{Basis, Drip, LATE, pause};
use crate::plant::{self, Ask, Plan};
use crate::registry::{self, Registry, Tried};
use crate::workspace::Workspace;

/// How long what a table showed is believed.
const BELIEVED: Duration = Duration::days(7);
/// A cause is told with so many letters at the most.
const WHY: usize = 500;

/// What became of a drip that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// A canary came.
    Planted,
    /// It was too late for it: it comes at another time.
    PutOff,
    /// Somebody else plants just now, or has taken it: to be looked at again.
    NotNow,
    /// It could not be planted.
    Failed(String),
}

/// Deals with an arrival that is due.
///
/// # Errors
/// The registry fails. That a source does is no error but noted.
pub(super) async fn arrive(
    workspace: &Workspace,
    registry: &Registry,
    drip: &Drip,
    due: OffsetDateTime,
) -> registry::Result<Arrival> {
    let mut rng = StdRng::from_seed(rand::random());
    let now = OffsetDateTime::now_utc();
    if now - due > LATE {
        let owed = drip.course().missed(due, now, &mut rng);
        let course = Drip {
            owed,
            ..drip.clone()
        };
        let next = course.course().next(now, &mut rng);
        let moved = registry.put_arrival_off(&drip.source, due, next, owed);
        return Ok(match moved.await? {
            true => Arrival::PutOff,
            false => Arrival::NotNow,
        });
    }
    let mut taken = false;
    match plant_one(workspace, registry, drip, due, &mut taken, &mut rng).await {
        Ok(Some(())) => {
            let now = OffsetDateTime::now_utc();
            let ended = registry.arrival_tried(&drip.source, None, &Tried::Ended, now);
            ended.await?;
            Ok(Arrival::Planted)
        }
        Ok(None) => Ok(Arrival::NotNow),
        Err(error) => {
            // A registry that fails is no failure of the source; what was taken is settled later.
            if let Some(registry::Error::Database(_) | registry::Error::Locked) =
                error.downcast_ref::<registry::Error>()
            {
                return Err(error.downcast().expect("it was seen to be one"));
            }
            let why: String = kept(&error).chars().take(WHY).collect();
            let now = OffsetDateTime::now_utc();
            let tries = drip.failing.as_ref().map_or(0, |failing| failing.tries) + 1;
            let owing = Drip {
                owed: drip.owed + 1,
                ..drip.clone()
            };
            let failed = Tried::Failed {
                why: why.clone(),
                next_at: owing.course().next(now + pause(tries), &mut rng),
            };
            let missed = (!taken).then_some(due);
            let noted = registry.arrival_tried(&drip.source, missed, &failed, now);
            noted.await?;
            Ok(Arrival::Failed(why))
        }
    }
}

/// The cause as it is kept and logged: without the words of a trigger, which may name some other customer.
fn kept(error: &anyhow::Error) -> String {
    let raised = error.chain().find_map(|cause| {
        let within = match cause.downcast_ref() {
            Some(plant::Error::Database(within)) => Some(within),
            _ => cause.downcast_ref(),
        };
        match within? {
            database::Error::Raised { table, by, .. } => Some(database::Error::Raised {
                table: table.clone(),
                by: by.clone(),
                says: None,
            }),
            _ => None,
        }
    });
    raised.map_or_else(|| crate::cli::told(error), |raised| raised.to_string())
}

/// Plants one canary; `None` if it is not to be now. `taken` becomes true with the arrival.
async fn plant_one(
    workspace: &Workspace,
    registry: &Registry,
    drip: &Drip,
    due: OffsetDateTime,
    taken: &mut bool,
    rng: &mut StdRng,
) -> anyhow::Result<Option<()>> {
    // The database is asked first: nobody waits for the lock behind one that does not answer.
    let opened = Opened::named(registry, &drip.source).await?;
    let table = opened.table().await?;
    let _held = match registry.exclusive().await {
        Err(registry::Error::Busy) => return Ok(None),
        held => held?,
    };
    opened.settle(registry, &table).await?;
    // What it was before the lock was had may be old.
    let Some(mut known) = registry.drip(&drip.source).await? else {
        return Ok(None);
    };
    if known.pending.is_some() {
        // One that was broken off, and whose batch is settled now.
        let now = OffsetDateTime::now_utc();
        let ended = registry.arrival_tried(&drip.source, None, &Tried::Ended, now);
        ended.await?;
        match registry.drip(&drip.source).await? {
            Some(settled) => known = settled,
            None => return Ok(None),
        }
    }
    let batch = registry.next_batch(&drip.source).await?;
    let now = OffsetDateTime::now_utc();
    let left = Drip {
        owed: known.course().taken(rng),
        ..known
    };
    let next = left.course().next(now, rng);
    let arrival = registry.take_arrival(&drip.source, due, &batch, next, left.owed);
    if !arrival.await? {
        return Ok(None);
    }
    *taken = true;
    let seeds = workspace.seeds()?;
    let people = opened.people(&seeds);
    let ask = Ask {
        choose: true,
        ..opened.ask(registry, &people, 1, now)
    };
    let Plan {
        table,
        batch: planned,
        mut canaries,
        ..
    } = plant::plan(&ask, rng).await?;
    if planned.id != batch {
        bail!("another batch was registered while this one was being planned");
    }
    leave_to_the_clock(&opened, &table, &mut canaries);
    let database = &opened.database;
    plant::plant(registry, database, &table, &planned, canaries, &mut |_| {}).await?;
    Ok(Some(()))
}

/// Takes what the database's own clock fills out of the rows: then the times are of its precision, and on
/// its clock, like every other customer's. Rows of related tables say when, as they were written.
pub(super) fn leave_to_the_clock(
    opened: &Opened,
    table: &Table,
    canaries: &mut [crate::canary::Canary],
) {
    let columns: Vec<String> = learn::by_clock(opened, table).collect();
    let rows = canaries
        .iter_mut()
        .filter_map(|canary| canary.details.rows.first_mut());
    for row in rows {
        row.cells.retain(|cell| !columns.contains(&cell.column));
    }
}

/// Looks at the table again, if what it showed is old; whatever goes wrong changes nothing.
pub(super) async fn learn_again(registry: &Registry, drip: &Drip) -> anyhow::Result<()> {
    let now = OffsetDateTime::now_utc();
    let told = matches!(drip.intensity.basis(), Basis::Told(_));
    if told || now - drip.learnt_at < BELIEVED {
        return Ok(());
    }
    let opened = Opened::named(registry, &drip.source).await?;
    let table = opened.table().await?;
    let shown = learn::learn(&opened, &table, now).await?;
    registry
        .drip_learnt(&drip.source, &shown.intensity, now)
        .await?;
    Ok(())
}

/// Settles an arrival that was broken off, though none is due: so that it is not owed, or shown as open,
/// until the next.
pub(super) async fn settle(registry: &Registry, drip: &Drip) -> anyhow::Result<()> {
    let Some(batch) = &drip.pending else {
        return Ok(());
    };
    let Ok(_held) = registry.exclusive().await else {
        return Ok(());
    };
    let batches = registry.batches(Some(&drip.source)).await?;
    let planned = batches
        .iter()
        .any(|known| known.id == *batch && known.state == State::Planned);
    if planned {
        let opened = Opened::named(registry, &drip.source).await?;
        let table = opened.table().await?;
        opened.settle(registry, &table).await?;
    }
    let now = OffsetDateTime::now_utc();
    registry
        .arrival_tried(&drip.source, None, &Tried::Ended, now)
        .await?;
    Ok(())
}
