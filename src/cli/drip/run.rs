//! Drips at work: in `otori serve`, or in `otori drip --run` where that does not reach the databases.
//!
//! All there is to know is in the registry, so whoever was killed goes on where it was, and of several one
//! plants.

use std::collections::HashSet;
use std::time::Duration;

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::arrive::{Arrival, arrive, learn_again, settle};
use crate::canary::SourceName;
use crate::drip::Drip;
use crate::registry::{self, Registry};
use crate::workspace::Workspace;

/// How often the registry is looked at for the next arrival.
const TICK: Duration = Duration::from_secs(1);

/// What a run has said already, so that a drip that stays as it is does not fill the log.
#[derive(Default)]
struct Said {
    settled: HashSet<SourceName>,
}

/// Plants what falls due until `stop`.
pub(in crate::cli) async fn keep(
    workspace: Workspace,
    registry: Registry,
    only: Option<SourceName>,
    stop: CancellationToken,
) {
    let mut said = Said::default();
    loop {
        let pause = match look(&workspace, &registry, only.as_ref(), &mut said).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the drips could not be looked after");
                TICK
            }
        };
        let pause = tokio::time::sleep(pause.min(TICK));
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// `otori drip --run`.
pub(super) async fn run(
    workspace: &Workspace,
    registry: &Registry,
    only: Option<&SourceName>,
    minutes: u32,
) -> anyhow::Result<()> {
    let log = tracing_subscriber::fmt()
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    // Whoever tests this in one process has a log already.
    let _ = log.try_init();
    let stop = CancellationToken::new();
    let ended = stop.clone();
    let keeping = keep(workspace.clone(), registry.clone(), only.cloned(), ended);
    let time = tokio::time::sleep(Duration::from_secs(u64::from(minutes) * 60));
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let over = async {
        tokio::select! {
            () = time => {}
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        stop.cancel();
    };
    // What is being planted when the time is over is planted.
    tokio::join!(keeping, over);
    Ok(())
}

/// Deals with every drip that is due; how long until the next.
async fn look(
    workspace: &Workspace,
    registry: &Registry,
    only: Option<&SourceName>,
    said: &mut Said,
) -> registry::Result<Duration> {
    let drips = registry.drips().await?;
    let mut next: Option<OffsetDateTime> = None;
    for drip in drips {
        if only.is_some_and(|only| *only != drip.source) {
            continue;
        }
        // Another process may be at work on it just now: only what was left from before is settled.
        if drip.pending.is_some()
            && said.settled.insert(drip.source.clone())
            && let Err(error) = settle(registry, &drip).await
        {
            let (source, error) = (drip.source.as_str(), crate::cli::told(&error));
            tracing::warn!(source, %error, "an arrival that was broken off could not be settled");
        }
        let Some(due) = drip.next_at else { continue };
        if due > OffsetDateTime::now_utc() {
            next = Some(next.map_or(due, |next| next.min(due)));
            continue;
        }
        deal(workspace, registry, drip, due).await?;
    }
    let left = next.map(|next| next - OffsetDateTime::now_utc());
    Ok(left
        .and_then(|left| Duration::try_from(left).ok())
        .unwrap_or(TICK))
}

async fn deal(
    workspace: &Workspace,
    registry: &Registry,
    drip: Drip,
    due: OffsetDateTime,
) -> registry::Result<()> {
    let source = drip.source.clone();
    let source = source.as_str();
    let (workspace, registry) = (workspace.clone(), registry.clone());
    // A table of millions is thought about for seconds: not on a thread on which mail comes in.
    let handle = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        handle.block_on(async {
            let arrival = arrive(&workspace, &registry, &drip, due).await?;
            if arrival == Arrival::Planted
                && let Err(error) = learn_again(&registry, &drip).await
            {
                let (source, error) = (drip.source.as_str(), crate::cli::told(&error));
                tracing::warn!(source, %error, "what the table shows could not be learnt again");
            }
            Ok::<Arrival, registry::Error>(arrival)
        })
    });
    let arrival = work
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    match arrival {
        Arrival::Planted => tracing::info!(source, "a canary has arrived"),
        Arrival::PutOff => tracing::info!(source, "arrivals were missed, and are put off"),
        Arrival::NotNow => {}
        Arrival::Failed(why) => {
            tracing::warn!(source, %why, "a canary could not arrive: it is tried again later");
        }
    }
    Ok(())
}
