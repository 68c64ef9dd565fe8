//! `otori reports`: customers' own reports, and whether there are more than ordinarily.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde::Serialize;
use time::OffsetDateTime;

use super::taken_in::{self, Order, Unreadable};
use super::{Global, Outcome, Output};
use crate::canary::{Channel, SourceName};
use crate::notation::fold;
use crate::receive::report::{self, BadRow, Table};
use crate::receive::understand;
use crate::registry::{SightingFilter, UNKNOWN_SOURCE};

/// Reports stored by one transaction.
const BATCH: usize = 256;
/// Firms that are shown.
const FIRMS: usize = 10;
/// Of the days, so many are shown.
const DAYS: usize = 14;

/// Customers' own reports of firms that they never dealt with, and whether there are more than ordinarily
///
/// They come in over the receiver's page /report, over its API, and from files. By source it shows the last
/// days, which are compared with eight weeks before; a surge opens an incident.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Subcommand)]
enum Act {
    Import(Import),
}

/// Take in reports from CSV files with a header: at, about, and via, source, id, note where there are any
#[derive(clap::Args)]
struct Import {
    /// The files, in UTF-8 or CP932, with commas, tabs, semicolons or bars; the header may be Japanese (受付日, 会社名, 媒体, 受付番号, 内容)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The source whose customers these are, where a row does not say
    #[arg(long, value_name = "NAME")]
    source: Option<SourceName>,
    /// Which comes first in days such as 05/11/2026
    #[arg(long, value_name = "ORDER")]
    date_order: Option<Order>,
}

#[derive(Serialize)]
struct Document {
    sources: Vec<Entry>,
    /// Reports that name no source, within the last eight weeks.
    without_source: usize,
    /// A surge of all reports that no source's incident explains.
    all: Option<Shown>,
    firms: Vec<Firm>,
}

#[derive(Serialize)]
struct Entry {
    source: SourceName,
    /// The last days, UTC, oldest first.
    days: Vec<u64>,
    /// For how many days reports have been counted, which tell what is ordinary.
    watched_days: usize,
    surge: Option<Shown>,
}

#[derive(Serialize)]
struct Shown {
    days: usize,
    reports: u64,
    expected: f64,
    chance: f64,
}

impl From<report::Surge> for Shown {
    fn from(surge: report::Surge) -> Shown {
        Shown {
            days: surge.days,
            reports: surge.reports,
            expected: surge.expected,
            chance: surge.chance,
        }
    }
}

/// A firm, and how many customers have named it.
#[derive(Serialize)]
struct Firm {
    about: String,
    reports: usize,
}

#[derive(Serialize)]
struct Imported {
    read: usize,
    stored: u64,
    repeats: u64,
    unreadable: Vec<Unreadable>,
}

/// Runs `otori reports`.
///
/// # Errors
/// The workspace does not open, a file cannot be read, or the registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.act {
        None => list(global).await,
        Some(Act::Import(args)) => import(args, global).await,
    }
}

async fn list(global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let now = OffsetDateTime::now_utc();
    let mut sources = Vec::new();
    for source in registry.sources().await? {
        let (mut days, surge) = report::days(&registry, Some(&source.name), now, 0).await?;
        let watched_days = days.len();
        days.drain(..days.len().saturating_sub(DAYS));
        sources.push(Entry {
            source: source.name,
            days,
            watched_days,
            surge: surge.map(Shown::from),
        });
    }
    let (_, all) = report::days(&registry, None, now, 0).await?;
    let filter = SightingFilter {
        since: Some(now - time::Duration::weeks(8)),
        ..SightingFilter::default()
    };
    let mut reports = registry.sightings(&filter).await?;
    reports.retain(|sighting| sighting.channel == Channel::Report);
    let mut firms: BTreeMap<String, Firm> = BTreeMap::new();
    for report in &reports {
        let about = &report.actor.from;
        let firm = firms.entry(firm_key(about)).or_insert_with(|| Firm {
            about: about.clone(),
            reports: 0,
        });
        firm.reports += 1;
    }
    let mut firms: Vec<Firm> = firms.into_values().collect();
    firms.sort_by_key(|firm| std::cmp::Reverse(firm.reports));
    firms.truncate(FIRMS);
    let document = Document {
        sources,
        without_source: reports
            .iter()
            .filter(|report| {
                let source = report.source.as_ref().map(SourceName::as_str);
                source.is_none_or(|source| source == UNKNOWN_SOURCE)
            })
            .count(),
        all: all.map(Shown::from),
        firms,
    };
    Output::new(global).result(&document, |out| words(&document, out))?;
    Ok(Outcome::Done)
}

/// A firm's name without what kind of firm it is, folded: customers write both ways.
fn firm_key(name: &str) -> String {
    let mut key = fold(name);
    for kind in ["株式会社", "有限会社", "(株)", "(有)", "co.,ltd.", "inc."] {
        key = key.replace(kind, "");
    }
    key.retain(|c| !c.is_whitespace());
    key
}

fn words(document: &Document, out: &mut dyn Write) -> std::io::Result<()> {
    for entry in &document.sources {
        let total: u64 = entry.days.iter().sum();
        writeln!(
            out,
            "{}: {total} reports in {} days",
            entry.source,
            entry.days.len()
        )?;
        match &entry.surge {
            Some(surge) => writeln!(
                out,
                "  SURGE: {} within {} days, where {:.1} were to be expected (chance {:.0e})",
                surge.reports, surge.days, surge.expected, surge.chance
            )?,
            None if entry.watched_days < report::WATCHED => writeln!(
                out,
                "  how many are ordinary is not known yet: watched for {} of {} days; no surge would be told",
                entry.watched_days,
                report::WATCHED
            )?,
            None => writeln!(out, "  no more than ordinarily")?,
        }
    }
    if document.without_source > 0 {
        writeln!(
            out,
            "{} reports of eight weeks name no source, and are compared with those of all",
            document.without_source
        )?;
        match &document.all {
            Some(surge) => writeln!(
                out,
                "  SURGE: {} of all within {} days, where {:.1} were to be expected (chance {:.0e})",
                surge.reports, surge.days, surge.expected, surge.chance
            )?,
            None => writeln!(out, "  no more than ordinarily")?,
        }
    }
    for firm in &document.firms {
        writeln!(out, "  {} named {}", firm.reports, firm.about)?;
    }
    Ok(())
}

async fn import(args: Import, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    if let Some(source) = &args.source {
        registry.source(source).await?;
    }
    let mut done = Imported {
        read: 0,
        stored: 0,
        repeats: 0,
        unreadable: Vec::new(),
    };
    let known = registry.sources().await?;
    let order = args.date_order.map(Order::order);
    for path in &args.files {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| shown.clone())?;
        let table = Table::read(&bytes, order).with_context(|| shown.clone())?;
        let bad = |BadRow { line, why }| Unreadable {
            place: format!("{shown}, line {line}"),
            why,
        };
        done.unreadable.extend(table.bad.into_iter().map(bad));
        let mut messages = Vec::new();
        for (line, mut report, at, row) in table.reports {
            done.read += 1;
            report.source = report.source.or_else(|| args.source.clone());
            let unknown = report
                .source
                .as_ref()
                .filter(|name| !known.iter().any(|source| source.name == **name));
            if let Some(name) = unknown {
                done.unreadable.push(bad(BadRow {
                    line,
                    why: format!("there is no source '{name}'"),
                }));
                continue;
            }
            match report.message(at, row.as_bytes(), OffsetDateTime::now_utc()) {
                Ok(message) => messages.push(message),
                Err(why) => done.unreadable.push(bad(BadRow {
                    line,
                    why: why.to_string(),
                })),
            }
        }
        // Each is judged by those before it.
        messages.sort_by_key(|message| message.at);
        for some in messages.chunks(BATCH) {
            let (stored, repeats) = taken_in::store(&registry, some).await?;
            done.stored += stored;
            done.repeats += repeats;
        }
    }
    let left = understand::settle_waiting(&registry, &super::taken_in::asking(&workspace)?).await?;
    if left > 0 {
        bail!("{left} stored messages could not be settled yet: the receiver goes on with them");
    }
    Output::new(global).result(&done, |out| {
        writeln!(
            out,
            "{} reports read, {} stored, {} known already",
            done.read, done.stored, done.repeats
        )?;
        for unreadable in &done.unreadable {
            writeln!(out, "  {}: {}", unreadable.place, unreadable.why)?;
        }
        Ok(())
    })?;
    Ok(match done.unreadable.is_empty() {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    })
}
