//! `otori plant`.

#[cfg(feature = "receive")]
use std::collections::HashSet;
use std::path::PathBuf;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use time::OffsetDateTime;

use super::opened::Opened;
use super::{Global, Outcome, Output};
use crate::canary::{Batch, Canary, PlantedRow, SourceName, State};
use crate::plant::{self, Plan, Step};
use crate::registry::Registry;

/// Plant a batch of canaries into a source
///
/// The batch is registered first; then its rows go into the table in one transaction, are read back
/// and compared, and only then committed. Whatever goes wrong leaves the table as it was.
///
/// Where canaries would stand out whatever their rows hold, nothing is planted without --force: in a table of
/// fewer than 100 customers, as more than one row in five, where the columns by which somebody is known are
/// empty in every row or hold one and the same value.
#[derive(clap::Args)]
pub struct Args {
    /// The source
    name: SourceName,
    /// How many canaries; see `otori plan`
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Show the rows; write nothing anywhere
    #[arg(long, conflicts_with_all = ["sql", "csv"])]
    dry_run: bool,
    /// Do not write into the database: write the statements that its administrator would run. `otori
    /// verify` sees when they have been run
    #[arg(long, value_name = "FILE", conflicts_with = "csv")]
    sql: Option<PathBuf>,
    /// Do not write into the database: write the rows as CSV (UTF-8) for its administrator to load
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Go past a warning (never past an error), and write over an existing FILE
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    source: &'a SourceName,
    batch: Option<String>,
    planted: usize,
    canaries: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_out: Option<HandedOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<DryRun<'a>>,
    notes: &'a [String],
    /// What a thief would find, keys and times aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    stealth: Option<super::stealth::Found>,
}

#[derive(Serialize)]
struct HandedOut {
    file: String,
    canaries: usize,
}

#[derive(Serialize)]
struct DryRun<'a> {
    columns: Vec<&'a str>,
    rows: Vec<Vec<Option<&'a str>>>,
    /// What goes into related tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<RelatedRow<'a>>,
}

#[derive(Serialize)]
struct RelatedRow<'a> {
    /// The canary's place among `rows`.
    canary: usize,
    table: &'a str,
    /// Cells that take another row's key are left out.
    cells: Vec<(&'a str, Option<&'a str>)>,
}

/// Runs `otori plant`.
///
/// # Errors
/// See [`plant::Error`]; nothing is half done.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    // A dry run writes nothing, not even what it could settle.
    let _held = match args.dry_run {
        true => None,
        false => Some(registry.exclusive().await?),
    };
    let opened = Opened::named(&registry, &args.name).await?;
    let table = opened.table().await?;
    if !args.dry_run {
        opened.settle(&registry, &table).await?;
    }
    let file = args.sql.as_ref().or(args.csv.as_ref());
    if let Some(file) = file.filter(|file| file.exists() && !args.force) {
        return Err(plant::Error::FileExists(file.clone()).into());
    }
    let seeds = workspace.seeds()?;
    let people = opened.people(&seeds);
    let now = OffsetDateTime::now_utc();
    let ask = plant::Ask {
        force: args.force,
        choose: true,
        stealth_limit: Some(workspace.config().plant.stealth_limit),
        ..opened.ask(&registry, &people, args.count as usize, now)
    };
    let mut rng = StdRng::from_seed(rand::random());
    let mut planned = plant::plan(&ask, &mut rng).await?;
    #[cfg(feature = "receive")]
    {
        let days = workspace.config().receive.phone.burn_in_days;
        let note = fresh_numbers(&registry, &planned.canaries, days, ask.now).await?;
        planned.notes.extend(note);
    }
    for note in &planned.notes {
        eprintln!("note: {note}");
    }
    let output = Output::new(global);
    if args.dry_run {
        return show(&args.name, &planned, &output);
    }
    if let Some(file) = file {
        return hand_out(&args, file, &registry, &opened, planned, &output).await;
    }
    let bar = indicatif::ProgressBar::new(planned.canaries.len() as u64);
    let Plan {
        table,
        batch,
        canaries,
        notes,
        stealth,
        standing,
    } = planned;
    let planted = plant::plant(
        &registry,
        &opened.database,
        &table,
        &batch,
        canaries,
        &mut |step| {
            if let Step::Inserted(count) = step {
                bar.set_position(count as u64);
            }
        },
    )
    .await;
    bar.finish_and_clear();
    let planted = planted?;
    let document = Document {
        source: &args.name,
        batch: Some(batch.id.to_string()),
        planted: planted.len(),
        canaries: ids(&planted),
        handed_out: None,
        dry_run: None,
        notes: &notes,
        stealth: stealth.as_ref().ok().map(super::stealth::Found::of),
    };
    output.result(&document, |out| {
        writeln!(
            out,
            "Batch {}: {} canaries planted in {}, read back, committed.",
            batch.id,
            planted.len(),
            opened.source.table
        )?;
        seen(out, &document, standing)
    })?;
    Ok(Outcome::Done)
}

/// What a thief would find, where one looked.
fn seen(
    out: &mut dyn std::io::Write,
    document: &Document<'_>,
    standing: usize,
) -> std::io::Result<()> {
    match &document.stealth {
        Some(found) => super::stealth::brief(out, found, standing),
        None => Ok(()),
    }
}

/// Tells of numbers whose background is hardly known.
#[cfg(feature = "receive")]
async fn fresh_numbers(
    registry: &Registry,
    canaries: &[Canary],
    days: u16,
    now: OffsetDateTime,
) -> anyhow::Result<Option<String>> {
    let given: HashSet<i64> = canaries.iter().flat_map(|one| one.points.clone()).collect();
    let burn_in = registry.burn_in().await?;
    let fresh = burn_in.iter().filter(|number| {
        given.contains(&number.point) && number.lasted(now) < time::Duration::days(i64::from(days))
    });
    let count = fresh.clone().count();
    let shortest = fresh.map(|number| number.lasted(now).whole_days()).min();
    Ok(shortest.map(|shortest| {
        format!(
            "{count} of the telephone numbers given were listened to for less than {days} days before a canary got them (the shortest: {shortest}): how often they are called by chance is hardly known, and a call to them says less; see `otori pool list`, and `burn_in_days` in [receive.phone]"
        )
    }))
}

fn ids(canaries: &[Canary]) -> Vec<&str> {
    canaries.iter().map(|canary| canary.id.as_str()).collect()
}

fn show(name: &SourceName, planned: &Plan, output: &Output) -> anyhow::Result<Outcome> {
    let rows = || {
        let canaries = planned.canaries.iter();
        canaries.filter_map(|canary| canary.details.rows.first())
    };
    let columns = rows()
        .next()
        .map(|row| row.cells.iter().map(|cell| cell.column.as_str()).collect());
    let values = rows().map(|row| row.cells.iter().map(|cell| cell.value.as_deref()).collect());
    let mut related = Vec::new();
    for (canary, planned) in planned.canaries.iter().enumerate() {
        related.extend(planned.details.rows.iter().skip(1).map(|row| RelatedRow {
            canary,
            table: &row.table,
            cells: written(row).collect(),
        }));
    }
    let shown = DryRun {
        columns: columns.unwrap_or_default(),
        rows: values.collect(),
        related,
    };
    let document = Document {
        source: name,
        batch: None,
        planted: 0,
        canaries: Vec::new(),
        handed_out: None,
        dry_run: Some(shown),
        notes: &planned.notes,
        stealth: planned.stealth.as_ref().ok().map(super::stealth::Found::of),
    };
    output.result(&document, |out| {
        writeln!(
            out,
            "{} rows would be planted in {}. Nothing is written.",
            planned.canaries.len(),
            planned.table
        )?;
        for canary in planned.canaries.iter().take(5) {
            writeln!(out)?;
            for (number, row) in canary.details.rows.iter().enumerate() {
                if number > 0 {
                    writeln!(out, "  in {}:", row.table)?;
                }
                for (column, value) in written(row) {
                    writeln!(out, "  {column:<20} {}", value.unwrap_or("NULL"))?;
                }
            }
        }
        match planned.canaries.len().saturating_sub(5) {
            0 => {}
            more => writeln!(out, "\n… and {more} more; --json shows all.")?,
        }
        seen(out, &document, planned.standing)
    })?;
    Ok(Outcome::Done)
}

/// The cells of a row without those that take another row's key.
fn written(row: &PlantedRow) -> impl Iterator<Item = (&str, Option<&str>)> {
    let linked = |column: &str| row.links.iter().any(|link| link.column == column);
    let cells = row.cells.iter().filter(move |cell| !linked(&cell.column));
    cells.map(|cell| (cell.column.as_str(), cell.value.as_deref()))
}

async fn hand_out(
    args: &Args,
    file: &std::path::Path,
    registry: &Registry,
    opened: &Opened,
    planned: Plan,
    output: &Output,
) -> anyhow::Result<Outcome> {
    let Plan {
        table,
        batch,
        mut canaries,
        notes,
        stealth,
        standing,
    } = planned;
    let content = match &args.sql {
        Some(_) => plant::insert_statements(&opened.database, &table, &canaries)
            .await?
            .into_bytes(),
        None => plant::csv_rows(&canaries)?,
    };
    let batch = Batch {
        state: State::HandedOut,
        ..batch
    };
    for canary in &mut canaries {
        canary.state = State::HandedOut;
    }
    // Registered before the file is there: nobody can run what the registry does not know.
    registry.register_batch(&batch, &canaries).await?;
    if let Err(error) = plant::write_private(file, &content, args.force) {
        let now = OffsetDateTime::now_utc();
        registry
            .set_batch_state(&batch.id, State::Void, now)
            .await?;
        return Err(error.into());
    }
    let document = Document {
        source: &args.name,
        batch: Some(batch.id.to_string()),
        planted: 0,
        canaries: ids(&canaries),
        handed_out: Some(HandedOut {
            file: file.display().to_string(),
            canaries: canaries.len(),
        }),
        dry_run: None,
        notes: &notes,
        stealth: stealth.as_ref().ok().map(super::stealth::Found::of),
    };
    output.result(&document, |out| {
        writeln!(
            out,
            "Batch {}: {} canaries handed out in {}.\nIt names them: give it only to who runs it, and destroy it afterwards.\n`otori verify {}` sees when they have arrived.",
            batch.id,
            canaries.len(),
            file.display(),
            args.name
        )?;
        seen(out, &document, standing)
    })?;
    Ok(Outcome::Done)
}
