//! How customers' rows change, as the joined tables show it, and what that makes of a canary.

use std::collections::BTreeSet;

use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime, Time, UtcOffset};

use super::super::tables::Tables;
use super::super::wide::Spot;
use super::beside::Beside;
use super::drift::Drift;
use super::is_keyed;
use super::pace::{MOVES, Pace};
use super::placed::Turn;
use super::unit::Units;
use super::visits::{Span, Visits};
use crate::blend::{midnight, order};
use crate::canary::{Canary, CanaryId, Details, PlantedRow};
use crate::database::Row;
use crate::notation::{Role, value};
use crate::persona::Locale;

/// At most this part of all changes are moves.
const MOVES_AT_MOST: f64 = 0.5;

/// What is seen to change in customers' rows, and how.
pub(super) struct Habits<'t> {
    tables: &'t Tables,
    now: OffsetDateTime,
    pub(super) pace: Pace,
    drifts: Vec<(usize, Drift)>,
    visits: Vec<(usize, Visits)>,
    beside: Beside,
    /// The columns that say when a row was last changed.
    moments: Vec<usize>,
    /// The part of all changes that are moves.
    moving: f64,
}

/// Where a canary stands among all rows in changing for the first time, from 0 to 1: the same whenever it is asked.
fn rank_of(id: &CanaryId) -> f64 {
    let hash = Sha256::digest(id.as_str());
    let first = hash.iter().take(6);
    first.fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte)) / 2_f64.powi(48)
}

/// A canary that was looked at some time ago.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Its age now and how long ago that was, in seconds.
    pub(super) span: Span,
    /// Its age when it changed last, if it ever has.
    pub(super) before: Option<f64>,
}

impl<'t> Habits<'t> {
    /// Learns from sampled customers; `rate` says how many changes there are per row and year in the place of what they
    /// show.
    pub(super) fn learn(
        tables: &'t Tables,
        rows: &[Row],
        rate: Option<f64>,
        now: OffsetDateTime,
    ) -> Habits<'t> {
        let pace = Pace::learn(&tables.mapping, &tables.columns, rows);
        let pace = match rate {
            Some(rate) => pace.told(rate),
            None => pace,
        };
        let free = free_columns(tables);
        let drift = |(column, at): &(&str, usize)| {
            Drift::learn(column, *at, rows, &pace).map(|drift| (*at, drift))
        };
        let drifts: Vec<(usize, Drift)> = free.iter().filter_map(drift).collect();
        let place = |role: Role| tables.at(&tables.mapping.with_role(role).next()?.column);
        let (made, changed) = (place(Role::CreatedAt), place(Role::UpdatedAt));
        let joined = |row: &Row| {
            let at = |place: Option<usize>| order(row.get(place?)?.as_deref()?);
            (at(made), at(changed))
        };
        let shown = shown(now, None, tables.mapping.locale);
        let visit = |column: &(&str, usize)| {
            Visits::learn(*column, &free, rows, &pace, joined, shown)
                .map(|visits| (column.1, visits))
        };
        let visits = free.iter().filter_map(visit).collect();
        let others = tables.mapping.with_role(Role::Other);
        let others =
            others.filter_map(|column| Some((column.column.as_str(), tables.at(&column.column)?)));
        let moves = |name: &str| drifts.iter().any(|(_, drift)| drift.column == name);
        let beside = Beside::learn(&others.collect::<Vec<_>>(), moves, rows);
        // Where no moment of change is written, a change that shows nothing is none: what is left are moves.
        let moments = moment_columns(tables);
        let moving = match moments.is_empty() {
            true => 1.0,
            false => (MOVES / pace.mean.max(f64::MIN_POSITIVE)).min(MOVES_AT_MOST),
        };
        Habits {
            tables,
            now,
            drifts,
            visits,
            beside,
            moments,
            moving,
            pace,
        }
    }

    /// Columns that are seen to change as rows age.
    pub(super) fn ageing(&self) -> impl Iterator<Item = &String> {
        let drifts = self.drifts.iter().map(|(_, drift)| &drift.column);
        drifts.chain(self.visits.iter().map(|(_, visits)| &visits.column))
    }

    /// What has become of a canary since it was looked at, and the door to which it has moved, if it has.
    pub(super) fn changed<R: Rng + ?Sized>(
        &self,
        canary: &Canary,
        look: Look,
        units: &mut Units<'_>,
        rng: &mut R,
    ) -> (Details, Option<String>) {
        let (mut details, mut door) = (canary.details.clone(), None);
        let turns = Turn::all(self.tables, &details.rows);
        // Where a change can be told of no row, there is no first one.
        let told = |at: &usize| {
            let mut turns = turns.iter();
            turns.any(|turn| self.open_at(turn, *at, &canary.details.rows).is_some())
        };
        let rank = self.moments.first().filter(|at| told(at));
        let rank = rank.map(|_| (rank_of(&canary.id), look.before.is_some()));
        let Span { age, within } = look.span;
        let touch = self.pace.last_change(age, within, rank, rng);
        if touch.is_some()
            && rng.random::<f64>() < self.moving
            && let Some((elsewhere, to)) = units.moved(canary, self.tables, &turns, rng)
        {
            details = elsewhere;
            door = Some(to);
        }
        let mut last = touch;
        for turn in &turns {
            self.drift(turn, &mut details.rows, look, touch.is_some(), rng);
            let visited = self.visit(turn, &mut details.rows, look.span, rng);
            last = [last, visited].into_iter().flatten().reduce(f64::min);
        }
        let old = &canary.details.rows;
        let is_new = |row: usize| old[row] != details.rows[row];
        let spots = turns.iter().flat_map(Turn::own);
        let legs: BTreeSet<Option<usize>> = spots
            .filter(|(_, spot)| is_new(spot.row))
            .map(|(at, _)| self.tables.leg(at))
            .collect();
        let paced = self.moments.first().map(|at| self.tables.leg(*at));
        let mut due: Vec<(usize, Spot)> = Vec::new();
        for at in self.moments.iter().copied() {
            let leg = self.tables.leg(at);
            // Attributes are rows of their own, and one of them tells of all.
            let attribute = leg.is_some_and(|leg| self.tables.legs()[leg].attribute.is_some());
            let told = touch.is_some() && Some(leg) == paced;
            let spots = turns.iter().filter_map(|turn| self.open_at(turn, at, old));
            let seen = |spot: &Spot| match attribute {
                true => legs.contains(&leg),
                false => is_new(spot.row),
            };
            due.extend(
                spots
                    .filter(|spot| told || seen(spot))
                    .map(|spot| (at, spot)),
            );
        }
        let ago = last.unwrap_or_else(|| rng.random::<f64>() * look.span.within);
        for (at, spot) in due {
            self.touched(at, spot, &mut details, (ago, look.span.within), rng);
        }
        (details, door)
    }

    /// Where a column stands that this turn is the first to show, if it may change there: its row can be found by its
    /// key, and it holds none of another of the canary's rows, which it holds for ever.
    fn open_at(&self, turn: &Turn, at: usize, rows: &[PlantedRow]) -> Option<Spot> {
        let spot = turn.own_at(at)?;
        let row = &rows[spot.row];
        let column = &row.cells[spot.cell].column;
        let keyed = is_keyed(self.tables.joined.table(self.tables.leg(at)), row);
        let held = row.links.iter().any(|link| link.column == *column);
        (keyed && !held).then_some(spot)
    }

    fn drift<R: Rng + ?Sized>(
        &self,
        turn: &Turn,
        rows: &mut [PlantedRow],
        look: Look,
        touched: bool,
        rng: &mut R,
    ) {
        let Span { age, within } = look.span;
        for (at, drift) in &self.drifts {
            let Some(spot) = self.open_at(turn, *at, rows) else {
                continue;
            };
            let old = &rows[spot.row].cells[spot.cell].value;
            let new = match (drift.with_touch(), touched) {
                (true, true) => drift.at_touch(old, age, look.before, rng),
                (true, false) => None,
                (false, _) => drift.within(old, within, rng),
            };
            // In a related table nothing means that there is no row, and rows neither come nor go here.
            let new = new.filter(|new| new.is_some() || self.tables.leg(*at).is_none());
            let others = || {
                let names = self.tables.columns.iter().enumerate();
                names.filter_map(|(at, name)| Some((name.as_str(), turn.value(at, rows)?)))
            };
            if let Some(new) = new.filter(|new| self.beside.may(&drift.column, new, others())) {
                rows[spot.row].cells[spot.cell].value = new;
            }
        }
    }

    /// Moves dates on; gives how long ago the last of those is that the moment of change goes with.
    fn visit<R: Rng + ?Sized>(
        &self,
        turn: &Turn,
        rows: &mut [PlantedRow],
        span: Span,
        rng: &mut R,
    ) -> Option<f64> {
        let mut last: Option<f64> = None;
        for (at, visits) in &self.visits {
            let Some(spot) = self.open_at(turn, *at, rows) else {
                continue;
            };
            let value = rows[spot.row].cells[spot.cell].value.as_deref();
            let now = shown(
                self.now,
                Some(visits.like(value)),
                self.tables.mapping.locale,
            );
            let other = |name: &str| turn.value(self.tables.at(name)?, rows)?.clone();
            let Some((value, ago)) = visits.moved(value, other, now, span, rng) else {
                continue;
            };
            rows[spot.row].cells[spot.cell].value = Some(value);
            if visits.touches() {
                last = Some(last.map_or(ago, |last| last.min(ago)));
            }
        }
        last
    }

    /// Writes a moment so many seconds before now into a column, at a time of the day at which customers' rows
    /// change.
    fn touched<R: Rng + ?Sized>(
        &self,
        at: usize,
        spot: Spot,
        details: &mut Details,
        (ago, within): (f64, f64),
        rng: &mut R,
    ) {
        let mapping = &self.tables.mapping;
        let name = &self.tables.columns[at];
        let mapped = mapping.columns.iter().find(|mapped| mapped.column == *name);
        let cell = &mut details.rows[spot.row].cells[spot.cell];
        let Some(mapped) = mapped else { return };
        let now = self
            .now
            .to_offset(offset(cell.value.as_deref(), mapping.locale));
        let plain = now - Duration::seconds_f64(ago);
        let at_clock = self.pace.clock(rng).and_then(|clock| {
            let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
            let micro = rng.random_range(0..1_000_000);
            let time = Time::from_hms_micro(hour as u8, minute as u8, second as u8, micro).ok()?;
            Some(plain.replace_time(time))
        });
        let fits = |at: &OffsetDateTime| *at <= now && (now - *at).as_seconds_f64() < within;
        let at = at_clock.filter(fits).unwrap_or(plain);
        cell.value = value(mapping, mapped, &details.household, None, at);
    }
}

/// Columns without a personal meaning that may change in a row, and where they stand.
fn free_columns(tables: &Tables) -> Vec<(&str, usize)> {
    let free = |name: &str, at: usize| {
        let place = tables.place(name)?;
        let (table, about) = tables.home(place)?;
        let own = &about.name;
        let bound = |keys: &[String]| keys.contains(own);
        let leg = tables.leg(at);
        let held = tables.is_linked(leg, own)
            || tables.is_looked_up(leg, own)
            || tables.is_referred(leg, own);
        let may = !place.column.is_empty()
            && !tables.is_existing(name)
            && !held
            && !about.generated
            && !about.identity
            && !table.primary_key.is_empty()
            && !bound(&table.primary_key)
            && !table.unique_keys.iter().any(|key| bound(&key.columns))
            && !table.foreign_keys.iter().any(|key| bound(&key.columns));
        may.then_some(())
    };
    let others = tables.mapping.with_role(Role::Other);
    others
        .filter(|column| column.value.is_none())
        .filter_map(|column| {
            let at = tables.at(&column.column)?;
            free(&column.column, at)?;
            Some((column.column.as_str(), at))
        })
        .collect()
}

/// The columns that say when a row was last changed.
fn moment_columns(tables: &Tables) -> Vec<usize> {
    let columns = tables.mapping.with_role(Role::UpdatedAt);
    let columns = columns.filter(|column| column.value.is_none());
    let written = |name: &str| {
        let (table, about) = tables.home(tables.place(name)?)?;
        (!about.generated && !table.primary_key.is_empty()).then(|| tables.at(name))?
    };
    columns
        .filter_map(|column| written(&column.column))
        .collect()
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

/// The offset of the table's clock: what its values say, else its country's.
fn offset(text: Option<&str>, locale: Locale) -> UtcOffset {
    let text = text.unwrap_or_default();
    match text.ends_with('Z') || text.ends_with("+00") || text.ends_with("+00:00") {
        true => UtcOffset::UTC,
        false => locale.clock(),
    }
}
