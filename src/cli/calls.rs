//! `otori calls`: what a telephone exchange has written of calls.

use std::io::BufReader;
use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;
use time::{OffsetDateTime, UtcOffset};

use super::taken_in::{self, Order, Unread};
use super::{Global, Outcome, Output};
use crate::receive::cdr::{self, BadLine, Clock, Layout, Record, Role};
use crate::receive::understand;
use crate::registry::{Mark, NewMessage, Registry};

/// Calls stored by one transaction.
const BATCH: usize = 256;

/// Calls that an exchange or a provider has recorded
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    Import(Import),
}

/// Take in calls to our numbers from call detail records; each is counted once
///
/// Calls to numbers of the pool that no canary had yet count for their burn-in: how often they are called by chance.
/// Columns are known by their header (from, to, at, duration, id, kind, in English or Japanese), or by what
/// --map says; Asterisk's Master.csv has none, and is read by --format asterisk.
#[derive(clap::Args)]
struct Import {
    /// The files, in UTF-8 or CP932, with commas, tabs, semicolons or bars
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How the columns stand
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: Format,
    /// What a column means: its name, = and from, to, at, duration, id or kind; may be given several times
    #[arg(long, value_name = "COLUMN=ROLE", value_parser = mapped)]
    map: Vec<(String, Role)>,
    /// The zone of times that say none
    #[arg(long, value_name = "±HH:MM", default_value = "+09:00", value_parser = offset, allow_hyphen_values = true)]
    utc_offset: UtcOffset,
    /// Which comes first in times such as 05/11/2026 9:30
    #[arg(long, value_name = "ORDER")]
    date_order: Option<Order>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Csv,
    Asterisk,
}

fn mapped(text: &str) -> Result<(String, Role), String> {
    let (column, role) = text.rsplit_once('=').ok_or("write COLUMN=ROLE")?;
    let role = Role::named(role).ok_or("the role is from, to, at, duration, id or kind")?;
    Ok((column.to_owned(), role))
}

fn offset(text: &str) -> Result<UtcOffset, String> {
    let format = time::macros::format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    UtcOffset::parse(text, format).map_err(|_| "write it like +09:00".to_owned())
}

#[derive(Default, Serialize)]
struct Document {
    read: u64,
    stored: u64,
    repeats: u64,
    /// Calls to numbers of the pool that no canary had when they came: their background.
    burn_in: u64,
    /// Calls whose time is in the future, or ten years back: it is a typing error, and they stand at that of the import.
    misdated: u64,
    /// Calls to numbers that are not in the pool.
    elsewhere: u64,
    #[serde(flatten)]
    unread: Unread,
}

/// Runs `otori calls`.
///
/// # Errors
/// The workspace does not open, a file cannot be read, or the registry fails: what was stored until then is
/// counted once when the same files are read again.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let Act::Import(args) = args.act;
    let (workspace, registry) = global.open().await?;
    let layout = match args.format {
        Format::Asterisk => Layout::Asterisk,
        Format::Csv => Layout::Header(args.map),
    };
    let mut document = Document::default();
    for path in &args.files {
        let shown = path.display().to_string();
        let file = std::fs::File::open(path).with_context(|| shown.clone())?;
        let (lines, mut records) = tokio::sync::mpsc::channel(BATCH);
        let layout = layout.clone();
        let clock = Clock {
            offset: args.utc_offset,
            order: args.date_order.map(Order::order),
        };
        // The file is read beside the registry's work, and no further ahead than the channel holds.
        let reading = tokio::task::spawn_blocking(move || {
            cdr::read(BufReader::new(file), &layout, clock, |line| {
                // Nobody listens any more once the registry has failed.
                let _ = lines.blocking_send(line);
            })
        });
        let mut batch = Vec::new();
        while let Some(line) = records.recv().await {
            document.read += 1;
            match line {
                Ok(record) => {
                    let now = OffsetDateTime::now_utc();
                    let call = record.message(now);
                    match whose(&registry, &record, call.at).await? {
                        Whose::Elsewhere => document.elsewhere += 1,
                        ours => {
                            document.burn_in += u64::from(ours == Whose::Nobodys);
                            document.misdated += u64::from(record.at.is_some() && call.at == now);
                            batch.push(call);
                        }
                    }
                }
                Err(BadLine { line, why }) => {
                    document.unread.add(format!("{shown}, line {line}"), why);
                }
            }
            if batch.len() == BATCH {
                store(&registry, &mut batch, &mut document).await?;
            }
        }
        store(&registry, &mut batch, &mut document).await?;
        reading
            .await
            .context("the file's reader ended badly")?
            .with_context(|| shown.clone())?;
    }
    let left = understand::settle_waiting(&registry, &super::taken_in::asking(&workspace)?).await?;
    if left > 0 {
        eprintln!("warning: {left} stored messages could not be settled yet");
    }
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "{} records read, {} calls stored, {} known already, {} of these to numbers that no canary had then (burn-in), {} to other numbers",
            document.read, document.stored, document.repeats, document.burn_in, document.elsewhere
        )?;
        if document.misdated > 0 {
            writeln!(
                out,
                "  {} of them are of the future, or ten years old: a typing error, and they stand at the time of this import",
                document.misdated
            )?;
        }
        for unreadable in &document.unread.unreadable {
            writeln!(out, "  {}: {}", unreadable.place, unreadable.why)?;
        }
        if document.unread.more_unreadable > 0 {
            writeln!(out, "  and {} lines more", document.unread.more_unreadable)?;
        }
        Ok(())
    })?;
    Ok(match document.unread.unreadable.is_empty() {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    })
}

/// Whose number was called.
#[derive(PartialEq, Eq)]
enum Whose {
    Canarys,
    /// In the pool, and not given to anybody then.
    Nobodys,
    Elsewhere,
}

async fn whose(registry: &Registry, record: &Record, at: OffsetDateTime) -> anyhow::Result<Whose> {
    if registry.bears(Mark::Phone, &record.to).await? {
        let later = registry.planted_after(at).await?;
        let mut theirs = later.is_empty();
        if !theirs {
            let canaries = registry.find(Mark::Phone, &record.to).await?;
            theirs = canaries.iter().any(|canary| !later.contains(&canary.batch));
        }
        return Ok(match theirs {
            true => Whose::Canarys,
            false => Whose::Nobodys,
        });
    }
    Ok(match registry.owns_number(&record.to).await? {
        true => Whose::Nobodys,
        false => Whose::Elsewhere,
    })
}

async fn store(
    registry: &Registry,
    batch: &mut Vec<NewMessage>,
    document: &mut Document,
) -> anyhow::Result<()> {
    let (stored, repeats) = taken_in::store(registry, batch).await?;
    document.stored += stored;
    document.repeats += repeats;
    batch.clear();
    Ok(())
}
