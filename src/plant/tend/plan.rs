//! Which canaries change by now, and to what; nothing is registered or written.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::Rng;
use time::OffsetDateTime;

use crate::canary::{BatchId, Canary, CanaryId, PlantedRow, SourceName, State};
use crate::database::{Database, Engine, Row, Table};
use crate::notation::Mapping;
use crate::registry::{Change, Registry, Source};

use super::super::rows::{Standing, beside, known};
use super::super::tables::Tables;
use super::super::wide::Spot;
use super::super::{Error, Result};
use super::habits::{Habits, Look};
use super::is_keyed;
use super::pace::{Grounds, MOVES, Pace};
use super::placed::Turn;
use super::unit::{Units, taken};
use super::visits::Span;

/// Customers who are looked at to learn how their rows change.
const SAMPLE: usize = 20_000;

/// What to tend with.
pub struct TendAsk<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// The source's database.
    pub database: &'a Database,
    /// The source.
    pub source: &'a Source,
    /// Its mapping.
    pub mapping: &'a Mapping,
    /// Its table, as the catalog describes it now.
    pub table: &'a Table,
    /// Changes per canary and year, in the place of what the table shows.
    pub rate: Option<f64>,
    /// When.
    pub now: OffsetDateTime,
}

/// Changes, ready to be written.
pub struct Tending {
    /// The source.
    pub source: SourceName,
    /// When.
    pub now: OffsetDateTime,
    /// Canaries that stand there.
    pub live: usize,
    /// Changes per row and year, of all ages together.
    pub per_year: f64,
    /// Where that comes from.
    pub grounds: Grounds,
    /// Columns that are seen to change as rows age.
    pub ageing: Vec<String>,
    /// What changes.
    pub changes: Vec<Change>,
    /// Canaries that were due and are not as the registry knows them: somebody has changed or removed them.
    pub altered: Vec<CanaryId>,
    /// What the operator should know.
    pub notes: Vec<String>,
    tables: Tables,
}

impl Tending {
    /// The canaries that change, each with the columns that do: those of a related table with its name, as
    /// `address.city`.
    pub fn columns(&self) -> impl Iterator<Item = (&CanaryId, Vec<&str>)> {
        self.changes.iter().map(|change| {
            let (old, new) = (&change.canary.details.rows, &change.details.rows);
            let turns = Turn::all(&self.tables, old);
            let differ = |(_, spot): &(usize, Spot)| {
                let value = |rows: &[PlantedRow]| rows[spot.row].cells[spot.cell].value.clone();
                value(old) != value(new)
            };
            let places: BTreeSet<usize> = (turns.iter().flat_map(Turn::own))
                .filter(differ)
                .map(|(at, _)| at)
                .collect();
            let names = places
                .into_iter()
                .map(|at| self.tables.columns[at].as_str());
            (&change.canary.id, names.collect())
        })
    }
}

/// Plans the changes that are due. Reads the table, the pool and the registry; writes nothing.
///
/// # Errors
/// The table has no key by which a single row could be changed, or it has no transactions; the database
/// or the registry fails.
pub async fn plan_tending<R: Rng>(ask: &TendAsk<'_>, rng: &mut R) -> Result<Tending> {
    check(ask)?;
    let registered = ask.registry.canaries(None).await?;
    let pool = ask.registry.pool().await?;
    let batches = ask.registry.batches(Some(&ask.source.name)).await?;
    let planted: HashMap<&BatchId, OffsetDateTime> = batches
        .iter()
        .map(|batch| (&batch.id, batch.planted_at))
        .collect();
    let live = |canary: &&Canary| canary.source == ask.source.name && canary.state == State::Live;
    let live: Vec<&Canary> = registered.iter().filter(live).collect();
    let tended = ask.registry.tended_until(&ask.source.name).await?;

    let tables = Tables::of(ask.database, ask.table.clone(), ask.mapping).await?;
    let rows = customers(ask, &tables, &live).await?;
    let habits = Habits::learn(&tables, &rows, ask.rate, ask.now);
    let mut changes = Vec::new();
    let mut units = Units::new(&pool, &registered);
    let mut moved: HashMap<usize, String> = HashMap::new();
    for canary in &live {
        let Some(planted) = planted.get(&canary.batch) else {
            continue;
        };
        let rows = &canary.details.rows;
        if !rows.iter().any(|row| is_keyed(ask.table, row)) || canary.pending().is_some() {
            continue;
        }
        let since = tended.map_or(*planted, |tended| tended.max(*planted));
        let span = Span {
            age: (ask.now - *planted).as_seconds_f64(),
            within: (ask.now - since).as_seconds_f64(),
        };
        let before = canary.versions.last().filter(|last| last.number > 1);
        let before = before.map(|last| (last.from - *planted).as_seconds_f64());
        let (details, door) = habits.changed(canary, Look { span, before }, &mut units, rng);
        if canary.details != details {
            moved.extend(door.map(|door| (changes.len(), door)));
            let canary = Canary::clone(canary);
            changes.push(Change { canary, details });
        }
    }
    let mut tending = Tending {
        source: ask.source.name.clone(),
        now: ask.now,
        live: live.len(),
        per_year: ask.rate.unwrap_or(habits.pace.mean),
        grounds: habits.pace.grounds,
        ageing: habits.ageing().cloned().collect(),
        changes,
        altered: Vec::new(),
        notes: notes(&habits.pace, &tables, &live),
        tables,
    };
    drop_taken(ask, &mut tending, moved).await?;
    keep_intact(ask, &mut tending).await?;
    Ok(tending)
}

fn check(ask: &TendAsk<'_>) -> Result<()> {
    let table = ask.table;
    let why = if ask.database.engine() == Engine::Csv {
        "a file that was handed out stays as it is".to_owned()
    } else if table.is_view {
        "it is a view".to_owned()
    } else if table.primary_key.is_empty() {
        "it has no primary key, by which one row could be changed and no other".to_owned()
    } else if let Some(engine) = &table.not_transactional {
        format!("its storage engine {engine} has no transactions")
    } else {
        return Ok(());
    };
    Err(Error::Untendable {
        table: table.to_string(),
        why,
    })
}

fn notes(pace: &Pace, tables: &Tables, live: &[&Canary]) -> Vec<String> {
    let mut notes = Vec::new();
    let fixed: BTreeSet<String> = (tables.written())
        .filter(|table| table.primary_key.is_empty())
        .map(ToString::to_string)
        .collect();
    for table in fixed {
        notes.push(format!(
            "{table} has no primary key, by which one row could be changed and no other: what stands there stays as it was planted"
        ));
    }
    if pace.grounds == Grounds::Assumed {
        notes.push(format!(
            "the table does not show how often its rows change (no column of the role updated_at, or too few rows with it): {MOVES} changes per canary and year are assumed"
        ));
    }
    let open = live
        .iter()
        .filter(|canary| canary.pending().is_some())
        .count();
    if open > 0 {
        notes.push(format!(
            "{open} canaries have an earlier change of which the table does not tell whether it was made; they are left as they are: see otori verify"
        ));
    }
    notes
}

/// A sample of customers without our own.
async fn customers(ask: &TendAsk<'_>, tables: &Tables, live: &[&Canary]) -> Result<Vec<Row>> {
    let key: Vec<usize> = (ask.table.primary_key.iter())
        .filter_map(|name| tables.at(name))
        .collect();
    let rows = live.iter().flat_map(|canary| &canary.details.rows);
    let own: HashSet<Row> = rows
        .filter(|row| is_keyed(ask.table, row))
        .map(|row| {
            let part = |name: &String| row.key.iter().find(|(own, _)| own == name);
            let values = ask.table.primary_key.iter().map(part);
            values
                .map(|pair| pair.map(|(_, value)| value.clone()))
                .collect()
        })
        .collect();
    let mut rows = tables.sample(ask.database, SAMPLE).await?;
    rows.retain(|row| {
        let key: Row = key.iter().map(|at| row[*at].clone()).collect();
        !own.contains(&key)
    });
    Ok(rows)
}

/// Takes back moves to where a customer lives.
async fn drop_taken(
    ask: &TendAsk<'_>,
    tending: &mut Tending,
    moved: HashMap<usize, String>,
) -> Result<()> {
    let doors: HashSet<String> = moved.values().cloned().collect();
    let taken = taken(ask.database, &tending.tables, &doors).await?;
    let mut place = 0;
    tending.changes.retain(|_| {
        let lost = moved.get(&place).is_some_and(|door| taken.contains(door));
        place += 1;
        !lost
    });
    Ok(())
}

/// Leaves out what is not as the registry knows it.
async fn keep_intact(ask: &TendAsk<'_>, tending: &mut Tending) -> Result<()> {
    if tending.changes.is_empty() {
        return Ok(());
    }
    let beside = beside(tending.changes.iter().map(|change| &change.canary));
    let tables = Standing::of(ask.database, ask.table, beside).await?;
    let mut tx = ask.database.begin().await?;
    let mut kept = Vec::new();
    let looked = async {
        for change in tending.changes.drain(..) {
            let mut intact = true;
            let rows = change.canary.details.rows.iter();
            for row in rows.filter(|row| is_keyed(tables.table(row), row)) {
                let row = known(row);
                let names: Vec<&str> = row.cells.iter().map(|cell| cell.column.as_str()).collect();
                let now = tx.read(tables.table(&row), &row.key, &names).await?;
                let planted = row.cells.iter().map(|cell| cell.value.clone());
                intact &= now == Some(planted.collect());
            }
            match intact {
                true => kept.push(change),
                false => tending.altered.push(change.canary.id),
            }
        }
        Result::Ok(())
    }
    .await;
    tx.rollback().await?;
    looked?;
    tending.changes = kept;
    Ok(())
}
