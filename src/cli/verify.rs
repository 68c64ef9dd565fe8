//! `otori verify`.

use anyhow::Context;
use serde::Serialize;
use time::OffsetDateTime;

use super::opened::{Opened, tell};
use super::{Global, Outcome, Output};
use crate::canary::SourceName;
use crate::evidence::Act;
use crate::plant::{self, Verified};

/// Look whether all canaries are still in their tables, unchanged
///
/// Exits with 1 if any is altered or missing. Batches that were handed out as SQL or CSV become live
/// when all their canaries have arrived.
#[derive(clap::Args)]
pub struct Args {
    /// Only this source; without it, all
    name: Option<SourceName>,
}

#[derive(Serialize)]
struct Document<'a> {
    sources: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    source: &'a SourceName,
    live: usize,
    intact: usize,
    altered: usize,
    missing: usize,
    /// Canaries handed out and not all arrived, and how many of them have.
    handed_out: usize,
    arrived: usize,
    altered_canaries: Vec<Altered<'a>>,
    missing_canaries: Vec<&'a str>,
}

#[derive(Serialize)]
struct Altered<'a> {
    canary: &'a str,
    columns: &'a [String],
}

fn entry<'a>((source, verified): &'a (SourceName, Verified)) -> Entry<'a> {
    let altered = verified.altered.iter();
    Entry {
        source,
        live: verified.live,
        intact: verified.intact,
        altered: verified.altered.len(),
        missing: verified.missing.len(),
        handed_out: verified.handed_out.0,
        arrived: verified.handed_out.1,
        altered_canaries: altered
            .map(|(canary, columns)| Altered {
                canary: canary.as_str(),
                columns,
            })
            .collect(),
        missing_canaries: verified
            .missing
            .iter()
            .map(|canary| canary.as_str())
            .collect(),
    }
}

/// Runs `otori verify`.
///
/// # Errors
/// A source's database cannot be read.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let sources = match &args.name {
        Some(name) => vec![registry.source(name).await?],
        None => registry.sources().await?,
    };
    let _held = registry.exclusive().await?;
    let mut all = Vec::new();
    for source in sources {
        let name = source.name.clone();
        let opened = Opened::of(source).await?;
        let table = opened.table().await?;
        let verified = plant::verify(&registry, &opened.database, &table, &name)
            .await
            .with_context(|| format!("source {name}"))?;
        tell(&verified.settled);
        super::tend::tell(&verified.changes);
        let act = Act::Verified {
            source: name.to_string(),
            live: verified.live,
            intact: verified.intact,
            altered: verified.altered.len(),
            missing: verified.missing.len(),
        };
        registry.record(act, OffsetDateTime::now_utc()).await?;
        all.push((name, verified));
    }
    let document = Document {
        sources: all.iter().map(entry).collect(),
    };
    Output::new(global).result(&document, |out| {
        if document.sources.is_empty() {
            return writeln!(out, "There is no source: see `otori source add --help`.");
        }
        for entry in &document.sources {
            writeln!(
                out,
                "{}: {} live, {} intact, {} altered, {} missing",
                entry.source, entry.live, entry.intact, entry.altered, entry.missing
            )?;
            for altered in &entry.altered_canaries {
                writeln!(
                    out,
                    "  {} altered: {}",
                    altered.canary,
                    altered.columns.join(", ")
                )?;
            }
            for missing in &entry.missing_canaries {
                writeln!(out, "  {missing} missing")?;
            }
        }
        Ok(())
    })?;
    let whole = all
        .iter()
        .all(|(_, verified)| verified.altered.is_empty() && verified.missing.is_empty());
    Ok(if whole {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}
