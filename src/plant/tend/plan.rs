//! Which canaries change by now, and to what; nothing is registered or written.

use std::collections::{HashMap, HashSet};

use rand::{Rng, RngExt};
use time::{Duration, OffsetDateTime, Time, UtcOffset};

use crate::blend::{midnight, order};
use crate::canary::{BatchId, Canary, CanaryId, Details, PlantedRow, SourceName, State};
use crate::database::{Database, Engine, Row, Table};
use crate::notation::{Mapping, Role, value};
use crate::persona::Locale;
use crate::registry::{Change, Registry, Source};

use super::super::{Error, Result};
use super::beside::Beside;
use super::drift::Drift;
use super::pace::{Grounds, MOVES, Pace};
use super::unit::{Units, door, taken};
use super::visits::{Span, Visits};
use super::{changed, is_keyed};

/// Rows that are looked at to learn how customers' rows change.
const SAMPLE: usize = 20_000;
/// At most this part of all changes are moves.
const MOVES_AT_MOST: f64 = 0.5;

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
}

impl Tending {
    /// The canaries that change, each with the columns that do.
    pub fn columns(&self) -> impl Iterator<Item = (&CanaryId, Vec<&str>)> {
        self.changes.iter().map(|change| {
            let rows = change.canary.details.rows.iter().zip(&change.details.rows);
            let columns = rows.flat_map(|(old, new)| changed(old, new));
            (&change.canary.id, columns.collect())
        })
    }
}

/// Plans the changes that are due. Reads the table, the pool and the registry; writes nothing.
///
/// # Errors
/// The table has no key by which a single row could be changed, or it has no transactions; the database
/// or the registry fails.
pub async fn plan_tending<R: Rng>(ask: &TendAsk<'_>, rng: &mut R) -> Result<Tending> {
    let (table, mapping) = (ask.table, ask.mapping);
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

    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let rows = customers(ask, &columns, &live).await?;
    let pace = Pace::learn(mapping, &columns, &rows);
    let natural = pace.mean;
    let pace = match ask.rate {
        Some(rate) => pace.told(rate),
        None => pace,
    };
    let free = free_columns(ask, &columns);
    let drifts = drifts(&free, &rows, &pace);
    let visits = visits(ask, &free, &columns, &rows, &pace);
    let beside = beside(mapping, &columns, &drifts, &rows);
    // Where no moment of change is written, a change that shows nothing is none: what is left are moves.
    let moments = moment_columns(table, mapping);
    let moving = match moments.is_empty() {
        true => 1.0,
        false => (MOVES / natural.max(f64::MIN_POSITIVE)).min(MOVES_AT_MOST),
    };
    let mut tending = Tending {
        source: ask.source.name.clone(),
        now: ask.now,
        live: live.len(),
        per_year: ask.rate.unwrap_or(natural),
        grounds: pace.grounds,
        ageing: (drifts.iter().map(|drift| &drift.column))
            .chain(visits.iter().map(|visits| &visits.column))
            .cloned()
            .collect(),
        changes: Vec::new(),
        altered: Vec::new(),
        notes: notes(&pace, &live),
    };
    let mut units = Units::new(&pool, &registered);
    let mut moved: HashMap<usize, String> = HashMap::new();
    for canary in live {
        let Some(planted) = planted.get(&canary.batch) else {
            continue;
        };
        let row = canary
            .details
            .rows
            .iter()
            .position(|row| is_keyed(table, row));
        let (Some(row), None) = (row, canary.pending()) else {
            continue;
        };
        let since = tended.map_or(*planted, |tended| tended.max(*planted));
        let within = (ask.now - since).as_seconds_f64();
        let age = (ask.now - *planted).as_seconds_f64();
        let before = canary.versions.last().filter(|last| last.number > 1);
        let before = before.map(|last| (last.from - *planted).as_seconds_f64());
        let touch = pace.last_change(age, within, rng);
        let mut details = canary.details.clone();
        if touch.is_some()
            && rng.random::<f64>() < moving
            && let Some(elsewhere) = units.moved(canary, rng)
        {
            moved.extend(door(&elsewhere.rows[row]).map(|door| (tending.changes.len(), door)));
            details = elsewhere;
        }
        for drift in &drifts {
            let own = &mut details.rows[row];
            // What holds the key of another of its rows holds it for ever.
            if own.links.iter().any(|link| link.column == drift.column) {
                continue;
            }
            let mut cells = own.cells.iter();
            let Some(at) = cells.position(|cell| cell.column == drift.column) else {
                continue;
            };
            let old = &own.cells[at].value;
            let new = match (drift.with_touch(), touch) {
                (true, Some(_)) => drift.at_touch(old, age, before, rng),
                (true, None) => None,
                (false, _) => drift.within(old, within, rng),
            };
            let others = || {
                own.cells
                    .iter()
                    .map(|cell| (cell.column.as_str(), &cell.value))
            };
            if let Some(new) = new.filter(|new| beside.may(&drift.column, new, others())) {
                own.cells[at].value = new;
            }
        }
        let seen = canary.details != details;
        let span = Span { age, within };
        let visited = visit(&visits, &mut details.rows[row], ask, span, rng);
        if touch.is_some() || seen || visited.is_some() {
            let last = [touch, visited].into_iter().flatten().reduce(f64::min);
            let ago = last.unwrap_or_else(|| rng.random::<f64>() * within);
            for column in &moments {
                touched(
                    mapping,
                    column,
                    &mut details,
                    row,
                    (ask.now, ago, within),
                    &pace,
                    rng,
                );
            }
        }
        if canary.details != details {
            let canary = canary.clone();
            tending.changes.push(Change { canary, details });
        } else {
            moved.remove(&tending.changes.len());
        }
    }
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

fn notes(pace: &Pace, live: &[&Canary]) -> Vec<String> {
    let mut notes = Vec::new();
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

/// A sample of rows without our own.
async fn customers(ask: &TendAsk<'_>, columns: &[String], live: &[&Canary]) -> Result<Vec<Row>> {
    let key: Vec<usize> = ask
        .table
        .primary_key
        .iter()
        .filter_map(|name| columns.iter().position(|column| column == name))
        .collect();
    let rows = live.iter().flat_map(|canary| &canary.details.rows);
    let own: HashSet<Vec<Option<String>>> = rows
        .filter(|row| is_keyed(ask.table, row))
        .map(|row| {
            let part = |name: &String| row.key.iter().find(|(own, _)| own == name);
            let values = ask.table.primary_key.iter().map(part);
            values
                .map(|pair| pair.map(|(_, value)| value.clone()))
                .collect()
        })
        .collect();
    let mut rows = ask.database.sample(ask.table, SAMPLE).await?;
    rows.retain(|row| {
        let key: Vec<Option<String>> = key.iter().map(|at| row[*at].clone()).collect();
        !own.contains(&key)
    });
    Ok(rows)
}

/// Columns without a personal meaning that may change in a row, and where they stand.
fn free_columns<'a>(ask: &TendAsk<'a>, columns: &[String]) -> Vec<(&'a str, usize)> {
    let table = ask.table;
    let free = |name: &String| {
        let bound = |keys: &[String]| keys.contains(name);
        let about = table.column(name).ok();
        about.is_some_and(|about| !about.generated && !about.identity)
            && !bound(&table.primary_key)
            && !table.unique_keys.iter().any(|key| bound(&key.columns))
            && !table.foreign_keys.iter().any(|key| bound(&key.columns))
    };
    let others = ask.mapping.with_role(Role::Other);
    others
        .filter(|column| column.value.is_none() && free(&column.column))
        .filter_map(|column| {
            let place = columns.iter().position(|name| *name == column.column)?;
            Some((column.column.as_str(), place))
        })
        .collect()
}

/// Those whose values are seen to change as rows age.
fn drifts(free: &[(&str, usize)], rows: &[Row], pace: &Pace) -> Vec<Drift> {
    let learn = |(column, place): &(&str, usize)| Drift::learn(column, *place, rows, pace);
    free.iter().filter_map(learn).collect()
}

/// Those whose dates move on as rows age.
fn visits(
    ask: &TendAsk<'_>,
    free: &[(&str, usize)],
    columns: &[String],
    rows: &[Row],
    pace: &Pace,
) -> Vec<Visits> {
    let place = |role: Role| {
        let column = ask.mapping.with_role(role).next()?;
        columns.iter().position(|name| *name == column.column)
    };
    let (made, changed) = (place(Role::CreatedAt), place(Role::UpdatedAt));
    let moments = |row: &Row| {
        let at = |place: Option<usize>| order(row.get(place?)?.as_deref()?);
        (at(made), at(changed))
    };
    let now = shown(ask.now, None, ask.mapping.locale);
    let learn = |column: &(&str, usize)| Visits::learn(*column, free, rows, pace, moments, now);
    free.iter().filter_map(learn).collect()
}

/// Moves dates of a row on that was looked at `span.within` seconds ago; gives how long ago the last of those is that
/// the row's moment of change goes with.
fn visit<R: Rng + ?Sized>(
    visits: &[Visits],
    row: &mut PlantedRow,
    ask: &TendAsk<'_>,
    span: Span,
    rng: &mut R,
) -> Option<f64> {
    let mut last: Option<f64> = None;
    for visits in visits {
        if row.links.iter().any(|link| link.column == visits.column) {
            continue;
        }
        let Some(at) = row
            .cells
            .iter()
            .position(|cell| cell.column == visits.column)
        else {
            continue;
        };
        let value = row.cells[at].value.as_deref();
        let now = shown(ask.now, Some(visits.like(value)), ask.mapping.locale);
        let other = |name: &str| {
            let cell = row.cells.iter().find(|cell| cell.column == name)?;
            cell.value.clone()
        };
        let Some((value, ago)) = visits.moved(value, other, now, span, rng) else {
            continue;
        };
        row.cells[at].value = Some(value);
        if visits.touches() {
            last = Some(last.map_or(ago, |last| last.min(ago)));
        }
    }
    last
}

/// A moment as the table's clock shows it, in seconds; `like` is how the column writes it.
fn shown(now: OffsetDateTime, like: Option<&str>, locale: Locale) -> f64 {
    let now = now.to_offset(offset(like, locale));
    let seconds = now.time().as_hms();
    let of_day = [(seconds.0, 3600.0), (seconds.1, 60.0), (seconds.2, 1.0)];
    let of_day: f64 = of_day
        .iter()
        .map(|(part, each)| f64::from(*part) * each)
        .sum();
    midnight(now.date()) + of_day
}

/// How often values of columns without a personal meaning share a row with those that change.
fn beside(mapping: &Mapping, columns: &[String], drifts: &[Drift], rows: &[Row]) -> Beside {
    let others = mapping.with_role(Role::Other).filter_map(|column| {
        let place = columns.iter().position(|name| *name == column.column)?;
        Some((column.column.as_str(), place))
    });
    let moves = |name: &str| drifts.iter().any(|drift| drift.column == name);
    Beside::learn(&others.collect::<Vec<_>>(), moves, rows)
}

/// The columns that say when a row was last changed.
fn moment_columns(table: &Table, mapping: &Mapping) -> Vec<String> {
    let columns = mapping.with_role(Role::UpdatedAt);
    let columns = columns.filter(|column| column.value.is_none());
    let written = |name: &&String| table.column(name).is_ok_and(|about| !about.generated);
    columns
        .map(|column| &column.column)
        .filter(written)
        .cloned()
        .collect()
}

/// Writes a moment so many seconds before now into a column, at a time of the day at which customers' rows
/// change.
fn touched<R: Rng + ?Sized>(
    mapping: &Mapping,
    column: &str,
    details: &mut Details,
    row: usize,
    (now, ago, within): (OffsetDateTime, f64, f64),
    pace: &Pace,
    rng: &mut R,
) {
    let mapped = mapping
        .columns
        .iter()
        .find(|mapped| mapped.column == column);
    let cells = &mut details.rows[row].cells;
    let (Some(mapped), Some(cell)) = (mapped, cells.iter_mut().find(|cell| cell.column == column))
    else {
        return;
    };
    let now = now.to_offset(offset(cell.value.as_deref(), mapping.locale));
    let plain = now - Duration::seconds_f64(ago);
    let at_clock = pace.clock(rng).and_then(|clock| {
        let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
        let micro = rng.random_range(0..1_000_000);
        let time = Time::from_hms_micro(hour as u8, minute as u8, second as u8, micro).ok()?;
        Some(plain.replace_time(time))
    });
    let fits = |at: &OffsetDateTime| *at <= now && (now - *at).as_seconds_f64() < within;
    let at = at_clock.filter(fits).unwrap_or(plain);
    cell.value = value(mapping, mapped, &details.household, None, at);
}

/// The offset of the table's clock: what its values say, else its country's.
fn offset(text: Option<&str>, locale: Locale) -> UtcOffset {
    let text = text.unwrap_or_default();
    match text.ends_with('Z') || text.ends_with("+00") || text.ends_with("+00:00") {
        true => UtcOffset::UTC,
        false => locale.clock(),
    }
}

/// Takes back moves to where a customer lives.
async fn drop_taken(
    ask: &TendAsk<'_>,
    tending: &mut Tending,
    moved: HashMap<usize, String>,
) -> Result<()> {
    let doors: HashSet<String> = moved.values().cloned().collect();
    let taken = taken(ask.database, ask.table, ask.mapping, &doors).await?;
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
    let mut tx = ask.database.begin().await?;
    let mut kept = Vec::new();
    let looked = async {
        for change in tending.changes.drain(..) {
            let mut intact = true;
            for row in change
                .canary
                .details
                .rows
                .iter()
                .filter(|row| is_keyed(ask.table, row))
            {
                let names: Vec<&str> = row.cells.iter().map(|cell| cell.column.as_str()).collect();
                let now = tx.read(ask.table, &row.key, &names).await?;
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
