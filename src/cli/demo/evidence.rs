//! What the contacts have become.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::told;
use super::world::Company;
use crate::registry::{Registry, SightingFilter};

/// Longer than this nothing of the story takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Shows the sightings of so many contacts, all of which must name the leaked source.
///
/// # Errors
/// They do not come, or one names another source.
pub(super) async fn show(
    registry: &Registry,
    leak: Company,
    contacts: usize,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut sightings = Vec::new();
    while sightings.len() < contacts && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sightings = registry.sightings(&SightingFilter::default()).await?;
    }
    ensure!(
        sightings.len() == contacts,
        "{} of {contacts} contacts became sightings",
        sightings.len()
    );
    for sighting in sightings.iter().rev() {
        let source = sighting
            .source
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let canary = sighting
            .canary
            .as_ref()
            .map_or("one of several", |id| id.as_str());
        let batch = sighting.batch.as_ref().map_or("-", |id| id.as_str());
        told(&format!(
            "sighting: {:<5} -> canary {canary}, batch {batch}, source {source}",
            sighting.channel.name()
        ));
        ensure!(source == leak.name(), "the sighting names {source}");
    }
    Ok(())
}

/// Shows that the alert has reached the security team's mail server.
///
/// # Errors
/// It does not.
pub(super) async fn show_alerts(security: &Registry, since: Instant) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let mails = security.sightings(&SightingFilter::default()).await?;
        if let Some(first) = mails.last() {
            told(&format!(
                "alert to the security team: \"{}\", {:.0} s after the story began",
                first.actor.summary,
                since.elapsed().as_secs_f64()
            ));
            return Ok(());
        }
        ensure!(
            began.elapsed() < PATIENCE,
            "no alert has reached the security team"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
