//! `otori source`: customer tables, understood.

mod add;
mod list;
mod profile;
mod show;
mod view;

use clap::Subcommand;

use super::{Global, Outcome};

/// Customer tables: what their columns mean, and how a canary would be written there
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Look at a table, work out what its columns mean, and register it; nothing is written to it
    Add(add::Args),
    /// A registered source: its columns, and three canaries as they would be written
    Show(show::Args),
    /// What the table's customers are like, in sums without any customer, and what has changed
    Profile(profile::Args),
    /// All registered sources
    List,
}

/// Runs `otori source`.
///
/// # Errors
/// The table cannot be read, the mapping does not fit it, the source is registered already, or the
/// registry fails; then nothing was registered.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.act {
        Act::Add(args) => add::run(args, global).await,
        Act::Show(args) => show::run(args, global).await,
        Act::Profile(args) => profile::run(args, global).await,
        Act::List => list::run(global).await,
    }
}
