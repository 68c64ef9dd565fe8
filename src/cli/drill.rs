//! `otori drill`.

mod aim;
#[cfg(all(feature = "plant", feature = "trace"))]
mod leak;
mod list;
mod post;
pub(super) mod schedule;
mod send;
mod ways;

pub(super) use ways::Ways;

use clap::Subcommand;

use super::{Global, Outcome};

/// Test every channel with a real message to a real canary, timed from sending to alert
///
/// A mail goes out through the relay of [drill] in otori.toml, and a call is reported to the webhook as the
/// telephone provider would. The receiver (otori serve, here or on another host with the same registry)
/// recognises them: they are sightings of kind drill and open no incident. A drill has passed when its
/// alert, whose subject says that it is a drill, was taken. Exits with 1 if any has failed; that a channel is
/// deaf is an alert of its own.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    send: send::SendArgs,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Post(post::Args),
    #[cfg(all(feature = "plant", feature = "trace"))]
    Leak(leak::Args),
}

/// Runs `otori drill`.
///
/// # Errors
/// The registry fails, or there is nothing to drill.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.command {
        None => send::run(args.send, global).await,
        Some(Command::List(args)) => list::run(args, global).await,
        Some(Command::Post(args)) => post::run(args, global).await,
        #[cfg(all(feature = "plant", feature = "trace"))]
        Some(Command::Leak(args)) => leak::run(args, global).await,
    }
}
