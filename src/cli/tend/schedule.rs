//! Tending that the receiver does by itself, once a day for each source.
//!
//! When a source was last tended is in the registry: a receiver that was restarted goes on from there, and
//! of several on one registry one does it.

use std::time::Duration;

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::source;
use crate::registry::{Error, Registry};
use crate::workspace::TendConfig;

/// How long after the start it is looked for the first time what is due, and how often from then on.
const FIRST: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_secs(600);
/// How often a source is tended.
const EVERY: time::Duration = time::Duration::days(1);

/// Tends what is due until `stop`.
pub(in crate::cli) async fn run(registry: Registry, config: TendConfig, stop: CancellationToken) {
    let mut pause = FIRST;
    while config.daily
        && stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
    {
        pause = AGAIN;
        // What has begun is ended: a change that is only registered would wait for the next day.
        if let Err(error) = look(&registry, &config).await {
            tracing::error!(%error, "the canaries could not be tended");
        }
    }
}

async fn look(registry: &Registry, config: &TendConfig) -> Result<(), Error> {
    for known in registry.sources().await? {
        let name = known.name;
        let before = registry.tended_until(&name).await?;
        if before.is_some_and(|before| OffsetDateTime::now_utc() - before < EVERY) {
            continue;
        }
        let standing = registry.batches(Some(&name)).await?;
        if !standing
            .iter()
            .any(|batch| batch.state == crate::canary::State::Live)
        {
            continue;
        }
        let _held = match registry.exclusive().await {
            Ok(held) => held,
            // Somebody plants just now: there is time enough.
            Err(Error::Busy) => return Ok(()),
            Err(error) => return Err(error),
        };
        match source(registry, &name, config.rate, false).await {
            Ok(done) => tracing::info!(
                source = name.as_str(),
                changed = done.changed,
                altered = done.altered_canaries.len(),
                failed = done.failed.len(),
                "canaries were tended"
            ),
            Err(error) => {
                // Its table is not looked at again before tomorrow.
                registry
                    .register_versions(&name, &[], OffsetDateTime::now_utc())
                    .await?;
                tracing::error!(
                    source = name.as_str(),
                    error = format!("{error:#}"),
                    "canaries were not tended"
                );
            }
        }
    }
    Ok(())
}
