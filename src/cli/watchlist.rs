//! `otori watchlist`: fingerprints for others to trace lists with.

mod export;
mod list;

use clap::Subcommand;

use super::{Global, Outcome};

/// Watch lists: let an outside firm trace a list without learning your canaries
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    Export(export::Args),
    /// Which watch lists were handed out, to whom, and what their pseudonyms stand for
    List,
}

/// Runs `otori watchlist`.
///
/// # Errors
/// The workspace does not open, or the file cannot be written.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.act {
        Act::Export(args) => export::run(args, global).await,
        Act::List => list::run(global).await,
    }
}
