//! `otori trace`.

mod against;
mod input;
mod interrupt;
mod kept;
mod layout;
mod merge;
mod pages;
mod progress;
mod telling;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use self::against::Against;
pub use self::against::watch;
use self::input::{Reading, name};
use self::interrupt::Interrupt;
pub use self::pages::ask_for_huge;
use self::telling::Telling;
use super::{Global, Outcome, Output, usage};
use crate::trace::Report;
use crate::trace::parts::Piece;

/// Examine an obtained list: which canaries are in it, so which source, when and how much
///
/// The list is a file, a directory with its files, or standard input (-). It may be in any of the
/// formats and encodings that lists come in, with its columns in any order, with a header or without
/// one. It is read once and not changed. Exit status 0 means that it was examined, whatever the
/// verdict; Ctrl-C ends with 130, and then nothing is written or recorded.
///
/// A list that is too large for one machine is examined in parts: on each machine `otori trace
/// --partial PART` (with --layout, if the part is a stretch of a longer text without its header), and
/// then `otori trace merge` over what they have printed.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    act: Option<Act>,
    /// The list; several are examined one by one. A directory is one list, - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// All files are one list
    #[arg(long)]
    together: bool,
    /// Decide nothing: print what otori trace merge needs of this part of a list. It holds canary ids,
    /// numbers of rows, the names of columns, and of a sample of rows hashes under a secret of the
    /// registry (or the watch list); nothing else of the list
    #[arg(long, conflicts_with_all = ["html", "redact"])]
    partial: bool,
    /// Read the list as otori trace layout has understood it: for a stretch of a longer text
    #[arg(long, value_name = "FILE")]
    layout: Option<PathBuf>,
    #[command(flatten)]
    telling: Telling,
}

#[derive(Subcommand)]
enum Act {
    Merge(merge::Args),
    Layout(layout::Args),
}

/// Runs `otori trace`.
///
/// # Errors
/// The workspace does not open, or the page cannot be written. A file that cannot be read is told,
/// the others are examined, and the exit status is 1.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.act {
        Some(Act::Merge(args)) => return merge::run(args, global).await,
        Some(Act::Layout(args)) => return layout::run(&args),
        None => {}
    }
    let (one, telling) = (args.together || args.files.len() == 1, &args.telling);
    let several = "run otori trace once for each, or say --together";
    if !one && telling.html.is_some() {
        usage(&format!("--html takes one list at a time: {several}"));
    }
    if !one && args.partial {
        usage(&format!("--partial takes one part at a time: {several}"));
    }
    telling.check()?;
    let against = Against::open(telling.watchlist.as_deref(), global).await?;
    let laid = args.layout.as_deref().map(layout::read).transpose()?;
    let settings = telling.settings();
    let interrupt = Interrupt::listen();
    let reading = Reading {
        watch: &against.watch,
        laid: laid.as_ref(),
    };
    // Reading and matching take every core; the runtime must not wait on its own thread.
    let read = tokio::task::block_in_place(|| read(&args, &reading));
    let lists = read?;
    let whole = one || lists.len() == args.files.len();
    if let (true, [(_, piece)]) = (args.partial, &lists[..]) {
        interrupt.hold().await;
        partial(piece, &against)?;
        against.keep();
        return Ok(Outcome::Done);
    }
    let reports: Vec<Report<'_>> = tokio::task::block_in_place(|| {
        let lists = lists.into_iter();
        lists
            .map(|(name, piece)| piece.report(&against.watch, &name, &settings))
            .collect()
    });
    interrupt.hold().await;
    let acts = reports.iter().map(Report::act).collect();
    telling.tell(&telling.redacted(reports), one, global)?;
    against.record(acts, settings.now).await?;
    against.keep();
    Ok(if whole {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}

/// Reads the lists, each with its name.
fn read(args: &Args, reading: &Reading<'_>) -> anyhow::Result<Vec<(String, Piece)>> {
    if args.together {
        let piece = reading.together(&args.files)?;
        return Ok(vec![(together(&args.files), piece)]);
    }
    let mut lists = Vec::with_capacity(args.files.len());
    for file in &args.files {
        match reading.list(file) {
            Ok(piece) => lists.push((name(file), piece)),
            Err(error) if args.files.len() == 1 => return Err(error.into()),
            Err(error) => eprintln!("error: {error}"),
        }
    }
    Ok(lists)
}

/// What several files are called that are one list.
fn together(files: &[PathBuf]) -> String {
    match files {
        [first, rest @ ..] if !rest.is_empty() => {
            format!("{} and {} more", name(first), rest.len())
        }
        files => name(files.first().map_or(Path::new("-"), PathBuf::as_path)),
    }
}

/// Prints what was counted of a part.
fn partial(piece: &Piece, against: &Against) -> anyhow::Result<()> {
    let global = Global {
        json: true,
        ..Global::default()
    };
    let document = piece.document(&against.watch);
    Output::new(&global).result(&document, |_| Ok(()))
}
