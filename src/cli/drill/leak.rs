//! `otori drill leak`.

mod take;

use anyhow::Context;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Serialize;
use time::OffsetDateTime;

use crate::canary::SourceName;
use crate::cli::broker::{self, Edits, Trade};
use crate::cli::opened::Opened;
use crate::cli::trace::watch;
use crate::cli::{Global, Outcome, Output};
use crate::evidence::Act;
use crate::notation::Region;
use crate::trace::{Report, Settings, trace};
use take::{Amount, take};

/// One line in so many is mistyped.
const MISTYPED: u32 = 40;
/// From so many canaries on a trace has to name their source: fewer may share one contact point.
const ENOUGH: usize = 2;

/// Take rows as a thief would, make a list of them as a broker would, and see whether it is traced
///
/// The rows are read through the source's own connection, by select only. They and the list are customers'
/// data: both stay in this process's memory and end with it. The evidence log keeps that the source
/// was named, or not, and how large the share was. Exits with 1 if the source was not named although
/// two or more of its canaries were taken, or if another was.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The source that leaks
    name: SourceName,
    /// So many rows, drawn by chance
    #[arg(long, value_name = "N", conflicts_with = "share", value_parser = clap::value_parser!(u64).range(1..))]
    rows: Option<u64>,
    /// So large a share of the table, 0 to 1, drawn by chance
    #[arg(long, value_name = "X", default_value_t = 0.25, value_parser = share)]
    share: f64,
    /// What the broker does to the list
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Edit::Columns, Edit::Order, Edit::Notation, Edit::Encoding, Edit::Mistypes])]
    edits: Vec<Edit>,
}

/// One thing that a broker does to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Edit {
    /// Drop mail addresses, keys and whatever else does not sell
    Columns,
    /// Mix the rows
    Order,
    /// Write names, addresses and numbers another way
    Notation,
    /// Write CP932 (Japanese lists)
    Encoding,
    /// Mistype a few rows
    Mistypes,
    /// Nothing
    None,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("give a number above 0 and at most 1".to_owned()),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    leak_drill: LeakDrill<'a>,
}

#[derive(Serialize)]
struct LeakDrill<'a> {
    source: &'a SourceName,
    rows: u64,
    table_rows: u64,
    /// The share that was taken.
    share: f64,
    /// Canaries among the rows.
    canaries: usize,
    edits: &'a [Edit],
    /// Whether the source was named.
    named: bool,
    /// Whether it had to be: enough canaries were taken.
    possible: bool,
    /// Whether all is as it has to be.
    passed: bool,
    verdict: &'static str,
    /// Every source that was named.
    sources: Vec<String>,
    log10_lr: Option<f64>,
    estimate: Option<Estimate>,
    false_accusation_probability: f64,
    elapsed_seconds: f64,
}

/// What the trace says of the share.
#[derive(Clone, Copy, Serialize)]
struct Estimate {
    share: f64,
    low: f64,
    high: f64,
    level: f64,
    /// Whether the share that was taken lies in it.
    holds: bool,
}

pub(super) async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let opened = Opened::named(&registry, &args.name).await?;
    let watch = watch(&registry, |_| true).await?;
    let mut rng: StdRng = rand::make_rng();
    let amount = match args.rows {
        Some(rows) => Amount::Rows(usize::try_from(rows)?),
        None => Amount::Share(args.share),
    };
    let canaries = registry.canaries(Some(&args.name)).await?;
    let taken = take(&opened, &canaries, amount, &mut rng).await;
    let mut taken = taken.with_context(|| format!("source {}", args.name))?;
    anyhow::ensure!(
        !taken.lines.is_empty(),
        "source {}: no row was drawn: take a larger share",
        args.name
    );

    let does = |edit| args.edits.contains(&edit);
    if does(Edit::Order) {
        taken.lines.shuffle(&mut rng);
    }
    if does(Edit::Mistypes) {
        for line in &mut taken.lines {
            if rng.random_ratio(1, MISTYPED) {
                broker::mistype(line, &mut rng);
            }
        }
    }
    let trade = match Region::from(opened.mapping.locale) {
        Region::Jp => Trade::Japanese,
        Region::Us => Trade::American,
    };
    let edits = Edits {
        columns: does(Edit::Columns),
        notation: does(Edit::Notation),
        encoding: does(Edit::Encoding),
    };
    let rows = taken.lines.len() as u64;
    let now = OffsetDateTime::now_utc();
    let settings = Settings::new(now);
    // Making and matching the list take every core; the runtime must not wait on its own thread.
    let report = tokio::task::block_in_place(|| {
        let list = broker::list(&taken.lines, trade, edits)?;
        anyhow::Ok(trace(
            &watch,
            "leak drill",
            &list[..],
            &settings,
            &mut |_| {},
        )?)
    })?;
    let share = rows as f64 / taken.table_rows.max(1) as f64;
    let drill = verdict(
        &args,
        &report,
        rows,
        taken.table_rows,
        share,
        taken.canaries,
    );
    registry.record(act(&drill, &report), now).await?;
    let passed = drill.passed;
    let document = Document { leak_drill: drill };
    Output::new(global).result(&document, |out| words(out, &document.leak_drill))?;
    Ok(match passed {
        true => Outcome::Done,
        false => Outcome::CheckFailed,
    })
}

fn verdict<'a>(
    args: &'a Args,
    report: &Report<'_>,
    rows: u64,
    table_rows: u64,
    share: f64,
    canaries: usize,
) -> LeakDrill<'a> {
    let decision = &report.decision;
    let mut sources = Vec::new();
    let (mut log10_lr, mut estimate) = (None, None);
    for found in &decision.sources {
        let name = report.source(found.source);
        if *name == args.name {
            log10_lr = Some(found.log10_lr);
        }
        if !found.named {
            continue;
        }
        sources.push(name.to_string());
        if *name == args.name {
            estimate = Some(Estimate {
                share: found.share.estimate,
                low: found.share.low,
                high: found.share.high,
                level: report.settings.level,
                holds: (found.share.low..=found.share.high).contains(&share),
            });
        }
    }
    let named = estimate.is_some();
    let possible = canaries >= ENOUGH;
    let innocent = sources.iter().any(|name| *name != *args.name.as_str());
    LeakDrill {
        source: &args.name,
        rows,
        table_rows,
        share,
        canaries,
        edits: &args.edits,
        named,
        possible,
        passed: !innocent && (named || !possible),
        verdict: decision.verdict.name(),
        sources,
        log10_lr,
        estimate,
        false_accusation_probability: decision.false_accusation_probability,
        elapsed_seconds: report.elapsed.as_secs_f64(),
    }
}

fn act(drill: &LeakDrill<'_>, report: &Report<'_>) -> Act {
    Act::LeakDrilled {
        source: drill.source.to_string(),
        taken: drill.rows,
        canaries: drill.canaries as u64,
        list: report.list.sha256.clone(),
        verdict: drill.verdict.to_owned(),
        named: drill.sources.clone(),
        share: drill.share,
        estimate: drill.estimate.map(|e| [e.share, e.low, e.high]),
    }
}

fn words(out: &mut dyn std::io::Write, drill: &LeakDrill<'_>) -> std::io::Result<()> {
    let percent = |share: f64| format!("{:.1}%", share * 100.0);
    writeln!(
        out,
        "Taken: {} of {}'s {} rows ({}), {} canaries among them.",
        drill.rows,
        drill.source,
        drill.table_rows,
        percent(drill.share),
        drill.canaries
    )?;
    match (&drill.estimate, drill.possible) {
        (Some(estimate), _) => writeln!(
            out,
            "Named: {}. Its share was taken for {} ({} to {}, {:.0}%), which {}.",
            drill.source,
            percent(estimate.share),
            percent(estimate.low),
            percent(estimate.high),
            estimate.level * 100.0,
            if estimate.holds {
                "holds"
            } else {
                "DOES NOT HOLD"
            }
        )?,
        (None, true) => writeln!(out, "NOT NAMED: {} ({}).", drill.source, drill.verdict)?,
        (None, false) => writeln!(
            out,
            "Not named: {} ({}). So few canaries cannot carry a verdict: see otori plan {}.",
            drill.source, drill.verdict, drill.source
        )?,
    }
    for other in drill
        .sources
        .iter()
        .filter(|name| **name != *drill.source.as_str())
    {
        writeln!(out, "NAMED ALTHOUGH IT DID NOT LEAK: {other}.")?;
    }
    Ok(())
}
