//! Drills that the receiver runs by itself, and the watch over every deadline.
//!
//! All there is to know is in the registry: what was sent last, and what is still awaited. So a receiver
//! that was killed goes on where it was, and of several on one registry one sends.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::aim::{Target, targets};
use super::ways::Ways;
use crate::canary::Drill;
use crate::drill::{self, DrillConfig, Span};
use crate::registry::{Busy, NewDrill, Registry, Result};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How long it is remembered which channels there are: to find out, every canary is opened.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Runs due drills and fails overdue ones until `stop`.
pub(in crate::cli) async fn run(
    registry: Registry,
    ways: Ways,
    config: DrillConfig,
    stop: CancellationToken,
) {
    let mut known: Option<(Instant, Vec<Target>)> = None;
    while stop
        .run_until_cancelled(tokio::time::sleep(TICK))
        .await
        .is_some()
    {
        // A drill that is on its way when the receiver is to stop is sent: half of one would be silence.
        if let Err(error) = look(&registry, &ways, &config, &mut known).await {
            tracing::error!(%error, "the drills could not be looked after");
        }
    }
}

async fn look(
    registry: &Registry,
    ways: &Ways,
    config: &DrillConfig,
    known: &mut Option<(Instant, Vec<Target>)>,
) -> Result<()> {
    let now = OffsetDateTime::now_utc();
    for drill in registry.fail_overdue_drills(now).await? {
        tracing::warn!(
            drill = drill.id,
            source = drill.source.as_str(),
            channel = drill.channel.name(),
            "a drill was not heard"
        );
    }
    let Some(Span(every)) = config.every else {
        return Ok(());
    };
    if known
        .as_ref()
        .is_none_or(|(since, _)| since.elapsed() > REMEMBERED)
    {
        let sources = registry.sources().await?;
        let names: Vec<_> = sources.into_iter().map(|source| source.name).collect();
        let mut all = targets(registry, &names).await?;
        all.retain(|target| ways.missing(target.channel).is_none());
        *known = Some((Instant::now(), all));
    }
    let all = known.as_ref().map_or(&[][..], |(_, targets)| targets);
    let latest = registry.latest_drills().await?;
    let Some((target, last)) = due(all, &latest, every, now) else {
        return Ok(());
    };
    let aim = target.any();
    let new = NewDrill {
        channel: target.channel,
        source: target.source.clone(),
        canary: aim.canary.clone(),
        scheduled: true,
        sent_at: now,
        due_at: now + config.deadline.0,
    };
    let busy = Busy {
        channel_since: last.map_or(OffsetDateTime::UNIX_EPOCH, |last| last.sent_at),
        any_since: now - drill::gap(every, all.len()),
        any_until: now + drill::CLOCKS,
    };
    let Some(drill) = registry.begin_drill(&new, Some(busy)).await? else {
        return Ok(());
    };
    tracing::info!(
        drill = drill.id,
        source = target.source.as_str(),
        channel = target.channel.name(),
        "drill sent"
    );
    if let Err(error) = ways.send(registry, &drill, &aim).await {
        let now = OffsetDateTime::now_utc();
        registry
            .drill_failed(drill.id, &error.to_string(), now)
            .await?;
    }
    Ok(())
}

/// The channel that is longest overdue, with its last drill.
fn due<'a>(
    all: &'a [Target],
    latest: &'a [Drill],
    every: time::Duration,
    now: OffsetDateTime,
) -> Option<(&'a Target, Option<&'a Drill>)> {
    all.iter()
        .map(|target| {
            let same =
                |drill: &&Drill| drill.source == target.source && drill.channel == target.channel;
            let last = latest.iter().find(same);
            let at = last.map_or(OffsetDateTime::UNIX_EPOCH, |last| {
                drill::next(every, last, now)
            });
            (at, target, last)
        })
        .filter(|(at, _, _)| *at <= now)
        .min_by_key(|(at, _, _)| *at)
        .map(|(_, target, last)| (target, last))
}
