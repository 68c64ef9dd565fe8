//! `otori watchlist export`.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use time::OffsetDateTime;

use crate::canary::SourceName;
use crate::cli::trace::watch;
use crate::cli::{Global, Outcome, Output, pair};
use crate::custody::TwoPersonAct;
use crate::evidence::{Act, Pseudonym};
use crate::registry::Registry;
use crate::trace::Watch;
use crate::trace::watchlist::{Dates, Options, WatchList};
use crate::workspace::Unnamed;

/// Write a file with which an outside firm finds canaries in a list: otori trace --watchlist FILE LIST
///
/// The firm needs no workspace and gets canary ids and pseudonyms of the sources; `otori watchlist
/// list` says what these stand for. The file holds keyed fingerprints under a key of its own, never a
/// value of a canary.
///
/// What it protects: of a canary that is not in the list nobody learns a value, unless they guess
/// several of its values at once. The key must be in the file, so a single telephone number or birthday
/// would be found by trying all of them; therefore a row shows a canary only by values that together
/// take --guesses tries or more, such as a number with a name. One try in 512 at the least costs
/// Argon2id with 2 MiB of memory; what the weakest combination comes to on this machine is printed. A
/// list with one column of numbers, or of names and birthdays alone, therefore shows nothing with a
/// watch list; and values must agree exactly (once folded): misspelt or hashed ones, and which slice of a
/// source leaked, need the registry.
///
/// What it does not protect: whoever holds the file and a table in which canaries stand finds them
/// there, as the firm is meant to. The number of canaries of each batch, which of them share a contact
/// point, their ids, and when and among how many rows they were planted are plain. A mail address is
/// hard to guess only while nobody knows which domains are yours: the first canary found shows one.
/// Treat the file as a secret, send it encrypted, and have it destroyed afterwards.
#[derive(clap::Args)]
pub struct Args {
    /// For whom it is: goes into the file and into the evidence log
    #[arg(long = "for", value_name = "NAME", value_parser = recipient)]
    recipient: String,
    /// Only this source, or these; without it all
    #[arg(long, value_name = "NAME")]
    source: Vec<SourceName>,
    /// Where the list goes: a file that must not be there yet
    #[arg(long, value_name = "FILE", default_value = "watchlist.jsonl")]
    out: PathBuf,
    /// Tries that it takes at least to find a canary's values: fewer show canaries in shorter lists,
    /// to everybody (1e10: also name with birthday; 1e8: also a number alone)
    #[arg(long, value_name = "N", default_value = "5e12", value_parser = guesses)]
    guesses: f64,
    /// The firm may know which mail domains are yours: an address alone then takes a billion tries, and
    /// shows no canary without another value
    #[arg(long)]
    domains_known: bool,
    /// How closely batches are dated; the rows of a source are told to two digits
    #[arg(long, value_name = "UNIT", value_enum, default_value = "day")]
    dates: DatesArg,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum DatesArg {
    Day,
    Month,
    Year,
}

fn recipient(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) || text.chars().count() > 200 {
        return Err("give a name on one line".to_owned());
    }
    Ok(text.to_owned())
}

fn guesses(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (1e6..=1e30).contains(&value) => Ok(value),
        _ => Err("give a number from 1e6 to 1e30".to_owned()),
    }
}

#[derive(Serialize)]
struct Document {
    file: String,
    sha256: String,
    recipient: String,
    canaries: usize,
    /// Canaries whose marks are too few to be found with this list.
    unseen: usize,
    sources: Vec<Pseudonym>,
    combinations: Vec<String>,
    cheapest: Option<Guessing>,
}

#[derive(Serialize)]
struct Guessing {
    combination: String,
    guesses: f64,
    core_seconds: f64,
}

/// Runs it.
///
/// # Errors
/// No canary is there to be found, the file is there already or cannot be written, or the registry
/// fails; then there is no file.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (workspace, registry) = global.open().await?;
    let subject = format!("watch list for {}", args.recipient);
    let act = TwoPersonAct::Reveal;
    if !pair::may_go_on(global, &workspace, &registry, act, &subject, None).await? {
        return Ok(Outcome::CheckFailed);
    }
    let out = args.out.display().to_string();
    if args.out.exists() {
        bail!("{out} is there already: give another --out, or remove it");
    }
    let watch = asked(&registry, &args.source).await?;
    let now = OffsetDateTime::now_utc();
    let options = Options {
        recipient: args.recipient.clone(),
        now,
        guesses: args.guesses,
        domains_known: args.domains_known,
        dates: match args.dates {
            DatesArg::Day => Dates::Day,
            DatesArg::Month => Dates::Month,
            DatesArg::Year => Dates::Year,
        },
    };
    let bar = bar(watch.len());
    let list = tokio::task::block_in_place(|| {
        let told = |done: usize, _| bar.set_position(done as u64);
        WatchList::make(&watch, &options, &mut rand::rng(), &told)
    });
    bar.finish_and_clear();
    let file = Unnamed::begin(&args.out, ".otori-watchlist-").with_context(|| out.clone())?;
    let mut handle = BufWriter::new(file.handle()?);
    let written = list.write(&mut handle).and_then(|()| handle.flush());
    written.with_context(|| out.clone())?;
    let sources: Vec<Pseudonym> = list
        .pseudonyms
        .iter()
        .map(|(source, pseudonym)| Pseudonym {
            source: source.to_string(),
            pseudonym: pseudonym.to_string(),
        })
        .collect();
    let sha256 = file.sha256().with_context(|| out.clone())?;
    // Recorded first: a list that nobody knows of must not be handed out.
    let act = Act::WatchlistExported {
        recipient: args.recipient.clone(),
        sha256: sha256.clone(),
        canaries: watch.len() - list.unseen,
        pseudonyms: sources.clone(),
        guesses: args.guesses,
    };
    registry.record(act, now).await?;
    file.name().with_context(|| out.clone())?;
    let document = Document {
        file: out,
        sha256,
        recipient: args.recipient,
        canaries: watch.len(),
        unseen: list.unseen,
        sources,
        combinations: list.combinations().collect(),
        cheapest: list.cheapest().map(|cheapest| Guessing {
            combination: cheapest.combination,
            guesses: cheapest.guesses,
            core_seconds: cheapest.core_seconds,
        }),
    };
    Output::new(global).result(&document, |out| words(&document, out))?;
    Ok(Outcome::Done)
}

/// The canaries of the sources asked for.
async fn asked(registry: &Registry, only: &[SourceName]) -> anyhow::Result<Watch> {
    let known = registry.sources().await?;
    let known = |name: &SourceName| known.iter().any(|source| source.name == *name);
    if let Some(missing) = only.iter().find(|name| !known(name)) {
        bail!("there is no source '{missing}': `otori source list` names them");
    }
    let watch = watch(registry, |name| only.is_empty() || only.contains(name)).await?;
    if watch.is_empty() {
        bail!(
            "no canary is planted there yet, so there is nothing to look for: `otori plant` first"
        );
    }
    Ok(watch)
}

fn bar(length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} canaries, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

fn words(document: &Document, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{}: {} canaries, for {}",
        document.file, document.canaries, document.recipient
    )?;
    writeln!(out, "SHA-256 {}", document.sha256)?;
    for source in &document.sources {
        writeln!(out, "  {} is {}", source.pseudonym, source.source)?;
    }
    if document.unseen > 0 {
        writeln!(
            out,
            "{} canaries cannot be found with it: what was planted of them is soon guessed (--guesses)",
            document.unseen
        )?;
    }
    writeln!(
        out,
        "a row shows a canary by {}",
        document.combinations.join(", or by ")
    )?;
    if let Some(cheapest) = &document.cheapest {
        writeln!(
            out,
            "the least to try is {}: {:.0e} guesses, {} of one core of this machine, less with graphics cards",
            cheapest.combination,
            cheapest.guesses,
            time(cheapest.core_seconds)
        )?;
    }
    writeln!(
        out,
        "keep it secret: whoever has it and a table with canaries finds them (otori watchlist export --help)"
    )
}

/// A time in words that are as coarse as the estimate.
fn time(seconds: f64) -> String {
    let (unit, length) = match seconds {
        s if s < 120.0 => ("seconds", 1.0),
        s if s < 7_200.0 => ("minutes", 60.0),
        s if s < 172_800.0 => ("hours", 3_600.0),
        s if s < 63_072_000.0 => ("days", 86_400.0),
        _ => ("years", 31_536_000.0),
    };
    format!("{:.0} {unit}", seconds / length)
}
