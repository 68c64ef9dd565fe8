//! `otori incidents`.

mod judge;
mod note;
#[cfg(feature = "report")]
mod show;

use clap::Subcommand;

use super::{Global, Outcome, Output, minute};
use crate::canary::IncidentsDocument;

/// The leaks that sightings point at, newest first
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Subcommand)]
enum Act {
    /// What is known about one incident
    #[cfg(feature = "report")]
    Show(show::Args),
    /// Write down that an incident is a leak: later sightings of its source still join it, until it has
    /// gone quiet
    Confirm(judge::Args),
    /// Write down that an incident is done with: a later sighting of its source opens another
    Close(judge::Close),
    /// Give an incident to somebody who is to see to it
    Assign(note::Assign),
    /// Write a remark to an incident; it is sealed, and cannot be changed or removed
    Note(note::Args),
}

/// Runs `otori incidents`.
///
/// # Errors
/// There is no such incident, or the registry fails.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    match args.act {
        None => list(global).await,
        #[cfg(feature = "report")]
        Some(Act::Show(args)) => show::run(args, global).await,
        Some(Act::Confirm(args)) => judge::confirm(args, global).await,
        Some(Act::Close(args)) => judge::close(args, global).await,
        Some(Act::Assign(args)) => note::assign(args, global).await,
        Some(Act::Note(args)) => note::note(args, global).await,
    }
}

async fn list(global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let incidents = registry.incidents().await?;
    Output::new(global).result(&IncidentsDocument::new(&incidents), |out| {
        if incidents.is_empty() {
            return writeln!(out, "No incident: nobody has used a canary.");
        }
        for incident in &incidents {
            write!(
                out,
                "incident {}  {}  {}  {} to {}  sightings: {}  canaries: {}",
                incident.id,
                incident.source,
                incident.state.name(),
                minute(incident.opened_at),
                minute(incident.last_at),
                incident.sightings,
                incident.canaries,
            )?;
            if let Some(owner) = &incident.owner {
                write!(out, "  owner: {owner}")?;
            }
            if let Some(before) = incident.follows {
                write!(out, "  follows incident {before}")?;
            }
            writeln!(out)?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
