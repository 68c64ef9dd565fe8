//! Looks every few minutes at the campaigns whose time is over: what did not come is told.

use std::time::Duration;

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::super::authenticate::Expected;
use super::super::in_time;
use crate::canary::judge;
use crate::registry::{Registry, Result};

const EVERY: Duration = Duration::from_secs(120);
/// A registry that takes longer to answer is asked again later.
const PATIENCE: Duration = Duration::from_secs(60);

/// Judges until `stop`.
pub async fn run(registry: Registry, expected: Expected, stop: CancellationToken) {
    loop {
        let looked = in_time(
            PATIENCE,
            look(&registry, &expected, OffsetDateTime::now_utc()),
        );
        let looked = stop.run_until_cancelled(looked).await;
        if let Some(Err(error)) = looked {
            tracing::error!(%error, "the campaign calendar could not be compared with what came");
        }
        let pause = tokio::time::sleep(EVERY);
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

async fn look(registry: &Registry, expected: &Expected, now: OffsetDateTime) -> Result<()> {
    // Later nothing that comes is of the campaign: it is as it was judged last.
    let due = |campaign: &crate::canary::Campaign| campaign.until() < now && now <= campaign.ends();
    for campaign in expected.calendar().iter().filter(|one| due(one)) {
        let came = registry.campaign_mail(campaign).await?;
        let judged = judge(campaign, &came, now);
        let new = registry.campaign_judged(campaign, &came, judged, now);
        if new.await? {
            let (source, state) = (campaign.source.as_str(), judged.state.name());
            let (of, got) = (came.canaries, came.in_time + came.late);
            match judged.state.warns() {
                true => tracing::warn!(
                    source,
                    state,
                    of,
                    got,
                    "mail that was planned did not come to canaries: see `otori campaigns`"
                ),
                false => tracing::info!(source, state, of, got, "a planned mailing is over"),
            }
        }
    }
    Ok(())
}
