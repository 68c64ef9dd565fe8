//! What would be planted: people, their contact points and their rows, resolved and checked, before
//! anything is registered or written.

use std::collections::HashSet;

use rand::{Rng, RngExt};
use time::OffsetDateTime;

use crate::blend::{Ground, Holders};
use crate::canary::{Batch, Canary, CanaryId, ContactPoint, Details, State};
use crate::database::{self, Database, Row, Table};
use crate::notation::{Mapping, Role};
use crate::persona::{Children, Generator, Lexicon, Shape};
use crate::registry::{PoolEntry, Registry, Source};
use crate::stealth::{Findings, LEAST_CANARIES, Unjudged};

use super::allot::{AreaCodes, Custom, Needs};
use super::compose::Composer;
use super::eye::{LEAST_ROWS, View};
use super::fill::{self, Filler};
use super::known::customers;
use super::redraw::Conditions;
use super::shows;
use super::split::Splitter;
use super::tables::Tables;
use super::towns::{Elsewhere, elsewhere};
use super::wide;
use super::{Error, Result};

/// Rows that are looked at to make canaries like them.
const SAMPLE: usize = 20_000;

/// A batch, ready to be planted.
pub struct Plan {
    /// The table as the catalog describes it now.
    pub table: Table,
    /// The batch, in state `Planned`.
    pub batch: Batch,
    /// Its canaries with every cell that will be written.
    pub canaries: Vec<Canary>,
    /// What the operator should know, though it stops nothing.
    pub notes: Vec<String>,
    /// What a thief would find, keys and times aside, or why nothing can be said.
    pub stealth: std::result::Result<Findings, Unjudged>,
    /// Canaries that stand in the table already: he was to find these together with the batch.
    pub standing: usize,
}

/// What to plan with.
pub struct Ask<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// The source's database.
    pub database: &'a Database,
    /// The source.
    pub source: &'a Source,
    /// Its mapping.
    pub mapping: &'a Mapping,
    /// Makes the people; of the mapping's locale.
    pub generator: &'a Generator,
    /// Reads names; of the mapping's locale.
    pub lexicon: &'a Lexicon,
    /// How many canaries.
    pub count: usize,
    /// Goes past warnings.
    pub force: bool,
    /// Whether of several persons at each contact point the one that a thief would least suspect is taken; it costs seconds.
    pub choose: bool,
    /// The area under the ROC curve beyond which a thief has found too much, 0.5 to 1; `None`: no thief looks.
    pub stealth_limit: Option<f64>,
    /// When.
    pub now: OffsetDateTime,
}

/// Plans a batch. Reads the table, the pool and the registry; writes nothing.
///
/// # Errors
/// A column is unresolved or cannot be filled, a pool is exhausted, the table is a view or cannot take
/// a batch back, no further person can be told from all others; canaries would stand out in this table
/// ([`Error::Warned`]).
pub async fn plan<R: Rng>(ask: &Ask<'_>, rng: &mut R) -> Result<Plan> {
    let (database, source) = (ask.database, ask.source);
    let table = database.table(&source.table).await?;
    check(&table, ask.mapping)?;
    let tables = Tables::of(database, table.clone(), ask.mapping).await?;
    recognisable(&tables)?;
    let registered = ask.registry.canaries(None).await?;
    let own = registered
        .iter()
        .filter(|canary| canary.source == source.name);
    let standing = own.filter(|canary| canary.state == State::Live).count();
    let rows_at = database
        .count(&table)
        .await?
        .saturating_sub(standing as u64);
    let mut notes = Vec::new();
    let all = standing + ask.count;
    let few = shows::few(&table, rows_at, all as u64);
    let dense = few.is_none() && all as u64 * 100 > rows_at;
    warn(ask, &mut notes, few)?;
    if dense {
        notes.push(format!("more than 1 % of {table} would be canaries ({all} beside {rows_at} customers): so many may show"));
    }
    shows::references(database, &tables).await?;
    let related = tables.legs().iter().map(|leg| &leg.table);
    for table in std::iter::once(&table).chain(related) {
        if !table.triggers.is_empty() {
            notes.push(format!(
                "{table} has triggers ({}): they run for canaries too",
                table.triggers.join(", ")
            ));
        }
    }
    let ragged = database.ragged()?;
    if ragged > 0 {
        notes.push(format!("{ragged} lines of {table} have more or fewer fields than its header; they are left as they are"));
    }

    let mut filler = Filler::new(database, &tables).await?;
    let columns = &tables.columns;
    let own = registered
        .iter()
        .filter(|canary| canary.source == source.name);
    let rows = customers(database, &tables, own, SAMPLE).await?;
    let fitted = filler.mapping.clone();
    let children = tables.children(database, &rows).await?;
    let children = children.filter(|counts| !counts.is_empty()).map(|counts| {
        let any = |_| counts[rng.random_range(0..counts.len())];
        (0..ask.count).map(any).collect()
    });
    let ground = Ground::learn(&fitted, columns, &rows, ask.lexicon, ask.now.date());
    warn(
        ask,
        &mut notes,
        shows::constant(&table, &fitted, columns, &rows),
    )?;
    let empty = shows::empty(&fitted, columns, &rows);
    let learnt = ground.is_some();
    let unfilled = shows::unfilled(&table, &fitted, &empty, rows.len(), learnt);
    warn(ask, &mut notes, unfilled)?;
    let pool = ask.registry.pool().await?;
    let away = match Needs::of(&fitted).drop && !tables.lookups.is_empty() {
        true => {
            let someone = Shape::adults(20..=79);
            let someone = ask.generator.household(rng, ask.now.date(), &someone);
            elsewhere(&tables, &fitted, &pool, someone, ask.now, rng)
        }
        false => Elsewhere::default(),
    };
    let pool = away.left(pool);
    notes.extend(away.note());
    let area = AreaCodes::of(&fitted, columns, &rows);
    let custom = ground.as_ref().map(|ground| {
        let custom = Custom::of(&fitted, columns, &rows, &ground.late(), &area);
        let needs = Needs::in_table(&fitted, &tables.one);
        notes.extend(custom.carried(&pool, &source.name, needs, fitted.locale, all));
        custom
    });
    let mut composer = Composer {
        ask,
        tables: &tables,
        splitter: Splitter::new(&tables, &source.table, &rows),
        children,
        filler: &mut filler,
        pool: &pool,
        mailboxes: mailboxes(&pool),
        registered: &registered,
        shape: shape(ask, &fitted, columns, &rows),
        times: fill::times(ask.count, ask.mapping.locale, ask.now, rng),
        holders: (ground.is_none() && fitted.has(Role::Email))
            .then(|| Holders::of(ask.lexicon, fitted.locale)),
        ground,
        columns,
        rows: &rows,
        area: &area,
        custom: &custom.unwrap_or_default(),
    };
    let composed = composer.compose(rng).await;
    let mut drafts = composed.map_err(|error| away.told(error))?;
    let mut parted = Vec::with_capacity(drafts.len());
    for draft in &drafts {
        parted.push(composer.part(draft, rng)?);
    }
    let conditions = Conditions::of(database, &tables, &source.table).await?;
    let refused = composer.redraw(&conditions, &mut drafts, &mut parted, rng);
    notes.extend(refused.await?);
    let open = composer.splitter.later();
    let ground = composer.ground;
    let mut elsewhere: Vec<&String> = parted.iter().flat_map(|parted| &parted.elsewhere).collect();
    elsewhere.sort_unstable();
    let all = elsewhere.len();
    elsewhere.dedup();
    if let (Some(lookup), true) = (elsewhere.first(), Needs::of(&fitted).drop) {
        // Our street in another city is a stranger's address.
        return Err(Error::NoSuchRow {
            table: (*lookup).clone(),
            missing: all,
            count: drafts.len(),
        });
    }
    for table in elsewhere {
        notes.push(format!(
            "{table} has no row of what the canaries would refer to there: they refer to such rows as other customers do ({all} references)"
        ));
    }

    let drawn = drafts.iter().map(|draft| draft.cells.as_slice());
    let (marks, others) = shows::filled(&table, &empty, rows.len(), drawn);
    // Told before it was made, where nothing else could come of it.
    if notes.iter().all(|note| Some(note) != marks.as_ref()) {
        warn(ask, &mut notes, marks)?;
    }
    notes.extend(others);

    let batch = Batch {
        id: ask.registry.next_batch(&source.name).await?,
        source: source.name.clone(),
        planted_at: ask.now,
        unplanted_at: None,
        state: State::Planned,
        canaries: drafts.len(),
        rows_at,
    };
    let mut ids: HashSet<CanaryId> = registered.iter().map(|canary| canary.id.clone()).collect();
    let mut canaries = Vec::with_capacity(drafts.len());
    for (draft, parted) in drafts.into_iter().zip(parted) {
        let mut id = CanaryId::random(rng);
        while !ids.insert(id.clone()) {
            id = CanaryId::random(rng);
        }
        canaries.push(Canary {
            id,
            source: source.name.clone(),
            batch: batch.id.clone(),
            state: State::Planned,
            details: Details {
                household: draft.household,
                rows: parted.rows,
            },
            points: draft.points,
            versions: Vec::new(),
        });
    }
    let stealth = match (&ground, ask.stealth_limit) {
        (Some(ground), Some(_)) => {
            let as_joined = |canary: &Canary| wide::wide(&tables, &canary.details.rows);
            let own = registered
                .iter()
                .filter(|canary| canary.source == source.name);
            let live = own.filter(|canary| canary.state == State::Live);
            let view = View {
                tables: &tables,
                mapping: &fitted,
                ground,
                rows: &rows,
                drawn: &canaries.iter().map(as_joined).collect::<Vec<Row>>(),
                standing: &live.map(as_joined).collect::<Vec<Row>>(),
                open,
            };
            view.look(rng.random())
        }
        _ => Err(Unjudged::TooFew),
    };
    if let Some(limit) = ask.stealth_limit {
        notes.extend(unseen(&stealth, &table, rows_at, standing, canaries.len()));
        if let Ok(found) = &stealth
            && found.with_labels.low.max(found.without_labels.low) > limit
        {
            warn(ask, &mut notes, Some(too_plain(found, limit, standing)))?;
        }
    }
    Ok(Plan {
        table,
        batch,
        canaries,
        notes,
        stealth,
        standing,
    })
}

/// What keeps the audit from saying what it is there to say.
fn unseen(
    stealth: &std::result::Result<Findings, Unjudged>,
    table: &Table,
    customers: u64,
    standing: usize,
    drawn: usize,
) -> Option<String> {
    let all = standing + drawn;
    match stealth {
        Ok(found) => found.doubt(),
        Err(Unjudged::TooFewGroups(groups)) => Some(format!(
            "the {all} canaries share contact points: whoever finds one of them finds its neighbours, and they are {groups} groups in all; what else a thief would see cannot be said",
        )),
        Err(Unjudged::TooFew) if customers < LEAST_ROWS as u64 || all < LEAST_CANARIES => {
            Some(format!(
                "whether a thief would pick them out was not looked at: that takes {LEAST_ROWS} customers and {LEAST_CANARIES} canaries at least, and {table} has {customers} and, with these, {all}"
            ))
        }
        Err(Unjudged::TooFew) => Some(format!(
            "whether a thief would pick them out was not looked at: {table} shows too little of the customers who joined of late"
        )),
    }
}

/// What only `--force` goes past; with it, it is a note.
fn warn(ask: &Ask<'_>, notes: &mut Vec<String>, told: Option<String>) -> Result<()> {
    match told {
        Some(told) if !ask.force => Err(Error::Warned(told)),
        told => {
            notes.extend(told);
            Ok(())
        }
    }
}

fn mailboxes(pool: &[PoolEntry]) -> HashSet<&str> {
    pool.iter()
        .filter_map(|entry| match &entry.point {
            ContactPoint::Mailbox(address) => Some(address.as_str()),
            _ => None,
        })
        .collect()
}

/// What a thief finds in a batch, as a warning.
fn too_plain(found: &Findings, limit: f64, standing: usize) -> String {
    let because: Vec<&str> = found
        .telling
        .iter()
        .take(3)
        .map(|telling| telling.sentence.as_str())
        .collect();
    let (who, caught) = match found.with_labels.low > limit {
        true => (
            "a thief who knows some of these canaries would pick out the others",
            &found.with_labels,
        ),
        false => (
            "a thief who knows none of these canaries would pick them out",
            &found.without_labels,
        ),
    };
    let together = match standing {
        0 => String::new(),
        standing => format!(" (with the {standing} that stand there already)"),
    };
    format!(
        "{who}{together} too well: area under the ROC curve {:.2} ({:.2} to {:.2}), more than the limit of {limit} ([plant] stealth_limit). What gives them away: {}",
        caught.auc,
        caught.low,
        caught.high,
        because.join("; ")
    )
}

/// Whether this table can be planted into with this mapping at all.
fn check(table: &Table, mapping: &Mapping) -> Result<()> {
    if table.is_view {
        return Err(Error::View(table.to_string()));
    }
    if let Some(engine) = &table.not_transactional {
        return Err(Error::Database(database::Error::NotTransactional {
            table: table.to_string(),
            engine: engine.clone(),
        }));
    }
    let columns = fill::strays(table, mapping);
    if !columns.is_empty() {
        return Err(Error::MissingColumns {
            table: table.to_string(),
            columns,
        });
    }
    let unmapped = table.columns.iter().filter(|column| {
        let mapped = mapping
            .columns
            .iter()
            .any(|mapped| mapped.column == column.name);
        !mapped && !column.can_be_left_out()
    });
    let unmapped: Vec<String> = unmapped.map(|column| column.name.clone()).collect();
    if !unmapped.is_empty() {
        return Err(Error::Unresolved(unmapped));
    }
    Ok(())
}

/// Whether anything in the rows could be recognised.
fn recognisable(tables: &Tables) -> Result<()> {
    use Role::*;
    let marks = [
        Name,
        FamilyName,
        GivenName,
        NameKana,
        FamilyNameKana,
        GivenNameKana,
        ChildName,
        Address,
        Address1,
        Street,
        Block,
        Phone,
        Mobile,
        Email,
    ];
    if !marks.into_iter().any(|role| tables.mapping.has(role)) {
        return Err(Error::NoMarks(tables.joined.main.to_string()));
    }
    Ok(())
}

/// People of the ages that the table has.
fn shape(ask: &Ask<'_>, mapping: &Mapping, columns: &[String], rows: &[Row]) -> Shape {
    let today = ask.now.date();
    let ages = |child| fill::ages(mapping, columns, rows, today, child);
    let adults = ages(false).unwrap_or(20..=79);
    if !mapping.has_child() {
        return Shape::adults(adults);
    }
    let of_children = ages(true).unwrap_or(3..=18);
    Shape {
        ages: adults,
        children: Some(Children {
            count: 1..=2,
            ages: *of_children.start().min(&25)..=*of_children.end().min(&25),
        }),
    }
}
