//! `otori trace merge`.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context;

use super::against::Against;
use super::input::name;
use super::interrupt::Interrupt;
use super::telling::Telling;
use crate::cli::{Global, Outcome};
use crate::trace::parts::{Piece, merge, once};

/// Put the results of parts together and decide: the report is that of the whole list
///
/// Parts are what `otori trace --partial` has written, in the order in which they stand in the list, all
/// of them made with the same canaries. Nothing of the list is needed any more.
#[derive(clap::Args)]
pub struct Args {
    /// The parts' results
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
    /// The list itself: the report then tells its name, length and SHA-256, and not those of the parts
    #[arg(long, value_name = "FILE")]
    whole: Option<PathBuf>,
    #[command(flatten)]
    telling: Telling,
}

/// Runs it.
///
/// # Errors
/// A part cannot be read, or the parts do not belong together.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let telling = &args.telling;
    telling.check()?;
    let against = Against::open(telling.watchlist.as_deref(), global).await?;
    let settings = telling.settings();
    let interrupt = Interrupt::listen();
    let (list, piece) = tokio::task::block_in_place(|| put_together(&args, &against))?;
    let report = tokio::task::block_in_place(|| piece.report(&against.watch, &list, &settings));
    interrupt.hold().await;
    let act = report.act();
    telling.tell(&telling.redacted(vec![report]), true, global)?;
    against.record(vec![act], settings.now).await?;
    against.keep();
    Ok(Outcome::Done)
}

fn put_together(args: &Args, against: &Against) -> anyhow::Result<(String, Piece)> {
    let mut pieces = Vec::with_capacity(args.parts.len());
    for path in &args.parts {
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(shown)?;
        pieces.push(Piece::from_json(&text, &against.watch).with_context(shown)?);
    }
    once(&pieces)?;
    let mut piece = merge(pieces)?;
    let Some(path) = &args.whole else {
        return Ok((piece.name(), piece));
    };
    let (list, shown) = (name(path), || path.display().to_string());
    let file = File::open(path).with_context(shown)?;
    piece.is_of(&list, file).with_context(shown)?;
    Ok((list, piece))
}
