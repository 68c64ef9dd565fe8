//! `otori trace`.

mod against;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use time::OffsetDateTime;

use self::against::Against;
use super::{Global, Outcome, Output};
use crate::evidence::Act;
use crate::trace::{Document, Documents, Report, Settings, Watch, html, trace_file, words};

/// Examine an obtained list: which canaries are in it, so which source, when and how much
///
/// The list may be CSV or TSV, or use semicolons or pipes, in UTF-8, UTF-16 or CP932, with its
/// columns in any order, with a header or without one. It is read once and not changed. Exit status
/// 0 means that it was examined, whatever the verdict.
#[derive(clap::Args)]
pub struct Args {
    /// The list; several are examined one by one
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also write the report as one self-contained page, for print
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Look for the canaries of a watch list (otori watchlist export), without a workspace: sources are
    /// named by pseudonyms, and nothing is recorded
    #[arg(long, value_name = "FILE")]
    watchlist: Option<PathBuf>,
    /// Accepted probability that any innocent source is named
    #[arg(long, value_name = "P", default_value = "1e-6", value_parser = probability)]
    false_accusation: f64,
}

fn probability(text: &str) -> Result<f64, String> {
    let value: f64 = text
        .parse()
        .map_err(|_| "give a number such as 1e-6".to_owned())?;
    if value > 0.0 && value <= 0.5 {
        Ok(value)
    } else {
        Err("it must be above 0 and at most 0.5".to_owned())
    }
}

/// Runs `otori trace`.
///
/// # Errors
/// The workspace does not open, or the page cannot be written. A file that cannot be read is told,
/// the others are examined, and the exit status is 1.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        args.html.is_none() || args.files.len() == 1,
        "--html takes one list at a time: run otori trace once for each"
    );
    let against = Against::open(args.watchlist.as_deref(), global).await?;
    let settings = Settings {
        false_accusation: args.false_accusation,
        ..Settings::new(OffsetDateTime::now_utc())
    };
    // Reading and matching take every core; the runtime must not wait on its own thread.
    let mut acts = Vec::new();
    let outcome = tokio::task::block_in_place(|| {
        examine(&args, &against.watch, &settings, global, &mut acts)
    })?;
    against.record(acts, settings.now).await?;
    Ok(outcome)
}

fn examine(
    args: &Args,
    watch: &Watch,
    settings: &Settings,
    global: &Global,
    acts: &mut Vec<Act>,
) -> anyhow::Result<Outcome> {
    let mut reports: Vec<Report<'_>> = Vec::with_capacity(args.files.len());
    for file in &args.files {
        let bar = progress(file);
        let report = trace_file(watch, file, settings, &mut |bytes| bar.set_position(bytes));
        bar.finish_and_clear();
        match report {
            Ok(report) => reports.push(report),
            Err(error) if args.files.len() == 1 => return Err(error.into()),
            Err(error) => eprintln!("error: {error}"),
        }
    }
    acts.extend(reports.iter().map(Report::act));
    if let (Some(path), [report]) = (&args.html, &reports[..]) {
        std::fs::write(path, html(report)).with_context(|| path.display().to_string())?;
    }
    let output = Output::new(global);
    let print = |out: &mut dyn std::io::Write| {
        for (place, report) in reports.iter().enumerate() {
            if place > 0 {
                writeln!(out)?;
            }
            words(report, out)?;
        }
        Ok(())
    };
    if let ([report], [_]) = (&reports[..], &args.files[..]) {
        output.result(&Document::from(report), print)?;
    } else {
        let lists = reports.iter().map(Document::from).collect();
        output.result(&Documents { lists }, print)?;
    }
    Ok(if reports.len() == args.files.len() {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}

/// A bar on a terminal, nothing elsewhere; it appears only once there is something to wait for.
fn progress(file: &Path) -> ProgressBar {
    let length = std::fs::metadata(file).map_or(0, |file| file.len());
    if !std::io::stderr().is_terminal() || length < 16 << 20 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}
