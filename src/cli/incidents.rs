//! `otori incidents`.

use time::macros::format_description;

use super::{Global, Outcome, Output};
use crate::canary::IncidentsDocument;

/// The leaks that sightings point at, newest first
#[derive(clap::Args)]
pub struct Args {}

/// Runs `otori incidents`.
///
/// # Errors
/// The registry fails.
pub async fn run(_args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let (_, registry) = global.open().await?;
    let incidents = registry.incidents().await?;
    Output::new(global).result(&IncidentsDocument::new(&incidents), |out| {
        if incidents.is_empty() {
            return writeln!(out, "No incident: nobody has used a canary.");
        }
        let minute = format_description!("[year]-[month]-[day] [hour]:[minute]Z");
        for incident in &incidents {
            writeln!(
                out,
                "incident {}  {}  {}  {} to {}  sightings: {}  canaries: {}",
                incident.id,
                incident.source,
                incident.state.name(),
                incident.opened_at.format(minute).unwrap_or_default(),
                incident.last_at.format(minute).unwrap_or_default(),
                incident.sightings,
                incident.canaries,
            )?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}
