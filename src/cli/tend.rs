//! `otori tend`.

#[cfg(feature = "receive")]
pub(super) mod schedule;

use anyhow::Context;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use time::OffsetDateTime;

use super::opened::Opened;
use super::{Global, Outcome, Output};
use crate::canary::{CanaryId, SourceName};
use crate::plant::{self, TendAsk, Tended, Tending, VersionsSettled};
use crate::registry::Registry;

/// Give canaries the small changes that customers' rows get, at the table's own rate
///
/// Flags and statuses that change as customers' rows age change in canaries too, a canary moves to another
/// unit of its postal drop now and then, and the moment of change is written as for customers. How often
/// is learnt from the table. Mail addresses and telephone numbers never change. Each state is kept: an
/// old list is told from a new one by it. Exits with 1 if a canary that was due is not as it was left.
#[derive(clap::Args)]
pub struct Args {
    /// Only this source; without it, all
    name: Option<SourceName>,
    /// Say what would change; write nothing anywhere
    #[arg(long)]
    dry_run: bool,
    /// Changes per canary and year, instead of what the table shows
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Option<f64>,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match rate.is_finite() && rate >= 0.0 {
        true => Ok(rate),
        false => Err("a rate is 0 or more".to_owned()),
    }
}

#[derive(Serialize)]
struct Document {
    sources: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    source: SourceName,
    live: usize,
    dry_run: bool,
    rate_per_year: f64,
    rate_from: &'static str,
    ageing_columns: Vec<String>,
    changed: usize,
    changes: Vec<Changed>,
    altered_canaries: Vec<CanaryId>,
    failed: Vec<Failed>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Changed {
    canary: CanaryId,
    /// The number of the version that it is now; none in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    columns: Vec<String>,
}

#[derive(Serialize)]
struct Failed {
    canary: CanaryId,
    why: String,
}

/// Runs `otori tend`.
///
/// # Errors
/// See [`plant::Error`]. A source that cannot be tended is told, the others are, and the exit status is 1.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let one = args.name.is_some();
    let sources = match &args.name {
        Some(name) => vec![registry.source(name).await?.name],
        None => registry
            .sources()
            .await?
            .into_iter()
            .map(|source| source.name)
            .collect(),
    };
    let _held = match args.dry_run {
        true => None,
        false => Some(registry.exclusive().await?),
    };
    let mut document = Document {
        sources: Vec::new(),
    };
    let mut whole = true;
    for name in sources {
        match source(&registry, &name, args.rate, args.dry_run).await {
            Ok(entry) => {
                whole &= entry.altered_canaries.is_empty() && entry.failed.is_empty();
                document.sources.push(entry);
            }
            Err(error) if one => return Err(error),
            Err(error) => {
                eprintln!("error: {error:#}");
                whole = false;
            }
        }
    }
    Output::new(global).result(&document, |out| {
        for entry in &document.sources {
            let verb = if entry.dry_run { "would change" } else { "changed" };
            writeln!(
                out,
                "{}: {} of {} canaries {verb} ({:.2} changes per row and year, {})",
                entry.source, entry.changed, entry.live, entry.rate_per_year, entry.rate_from
            )?;
            for changed in &entry.changes {
                let version = changed.version.map_or(String::new(), |n| format!(", version {n}"));
                writeln!(out, "  {}{version}: {}", changed.canary, changed.columns.join(", "))?;
            }
            for canary in &entry.altered_canaries {
                writeln!(out, "  {canary} was altered or removed by somebody, and is left alone: see `otori verify`")?;
            }
            for failed in &entry.failed {
                writeln!(out, "  {} not changed: {}", failed.canary, failed.why)?;
            }
            for note in &entry.notes {
                writeln!(out, "  note: {note}")?;
            }
        }
        Ok(())
    })?;
    Ok(match whole {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    })
}

/// Tends one source. Unless it is a dry run, the caller holds [`Registry::exclusive`].
async fn source(
    registry: &Registry,
    name: &SourceName,
    rate: Option<f64>,
    dry_run: bool,
) -> anyhow::Result<Entry> {
    let opened = Opened::named(registry, name).await?;
    let table = opened.table().await?;
    let context = || format!("source {name}");
    if !dry_run {
        opened.settle(registry, &table).await?;
        let settled = plant::settle_versions(registry, &opened.database, &table, name).await;
        tell(&settled.with_context(context)?);
    }
    let ask = TendAsk {
        registry,
        database: &opened.database,
        source: &opened.source,
        mapping: &opened.mapping,
        table: &table,
        rate,
        now: OffsetDateTime::now_utc(),
    };
    let mut rng = StdRng::from_seed(rand::random());
    let tending = plant::plan_tending(&ask, &mut rng).await;
    let tending = tending.with_context(context)?;
    if dry_run {
        return Ok(entry(tending, None));
    }
    let done = plant::tend(registry, &opened.database, &table, &tending, &mut |_| {}).await;
    let done = done.with_context(context)?;
    Ok(entry(tending, Some(done)))
}

fn entry(tending: Tending, done: Option<Tended>) -> Entry {
    let version = |canary: &CanaryId| {
        let live = done.iter().flat_map(|done| &done.settled.live);
        let mut live = live.filter(|(id, _)| id == canary);
        live.next().map(|(_, number)| *number)
    };
    let changes: Vec<Changed> = tending
        .columns()
        .map(|(canary, columns)| Changed {
            canary: canary.clone(),
            version: version(canary),
            columns: columns.into_iter().map(str::to_owned).collect(),
        })
        .filter(|changed| done.is_none() || changed.version.is_some())
        .collect();
    let dry_run = done.is_none();
    let failed = done.map_or(Vec::new(), |done| done.failed);
    Entry {
        source: tending.source,
        live: tending.live,
        dry_run,
        rate_per_year: tending.per_year,
        rate_from: tending.grounds.name(),
        ageing_columns: tending.ageing,
        changed: changes.len(),
        changes,
        altered_canaries: tending.altered,
        failed: failed
            .into_iter()
            .map(|(canary, why)| Failed { canary, why })
            .collect(),
        notes: tending.notes,
    }
}

/// Tells what became of changes that a crash left.
pub(super) fn tell(settled: &VersionsSettled) {
    let (live, void, open) = (settled.live.len(), settled.void.len(), settled.open.len());
    if live + void > 0 {
        eprintln!(
            "an earlier run of otori tend was broken off: {live} of its changes stand in the table, {void} were never made"
        );
    }
    if open > 0 {
        eprintln!(
            "warning: of {open} canaries the table does not tell whether an earlier change was made; both states are watched"
        );
    }
}
