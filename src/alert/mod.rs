//! An incident to a person.
//!
//! The registry queues an alert in the transaction that makes it due. The worker here hands it on to every
//! place that the configuration names, and each place is told by itself: tried ever more slowly until it
//! has taken the alert, and given up after three days of failing, which is shown and can be taken back. A
//! crash between a place's answer and the registry's note tells it twice, under the same name.
//! Alerts carry the ids of canaries, never their details: they are read by many.

mod campaign_text;
mod config;
mod drill_text;
mod drip_text;
mod error;
mod mail;
mod places;
mod syslog;
mod text;
mod webhook;

use std::time::Duration;

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

pub use config::{AlertConfig, SyslogConfig, WebhookConfig, WebhookFormat};
pub use error::Error;
pub use places::{Place, Places};

use crate::metrics::metrics;
use crate::registry::{Alert, Registry, Result};

/// How often the outbox is looked at.
const POLL: Duration = Duration::from_secs(1);
/// Alerts sent in one round.
const ROUND: u32 = 20;
/// The longest pause between two tries, in seconds.
const LONGEST: u64 = 3600;
/// A place that has failed for so long is not tried any more.
const DEAD_AFTER: Duration = Duration::from_secs(3 * 24 * 3600);
/// A place that has not taken an alert within this time has not taken it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nobody else sends what one receiver is sending for so long.
const CLAIM: Duration = Duration::from_secs(90);

/// Tells every place what is due until `shutdown`.
pub async fn run(registry: Registry, places: Places, shutdown: impl Future<Output = ()>) {
    run_until(registry, places, CancellationToken::new(), shutdown).await;
}

/// The same for places that may give way to others: `retire` ends it once what is being sent is sent.
pub async fn run_until(
    registry: Registry,
    places: Places,
    retire: CancellationToken,
    shutdown: impl Future<Output = ()>,
) {
    tokio::pin!(shutdown);
    if places.is_empty() {
        tokio::select! {
            () = shutdown => {}
            () = retire.cancelled() => {}
        }
        return;
    }
    let names = places.names();
    let handing_on = async {
        loop {
            let now = OffsetDateTime::now_utc();
            if let Err(error) = registry.hand_on_alerts(&names, now).await {
                tracing::error!(%error, "alerts could not be handed on");
            }
            tokio::time::sleep(POLL).await;
        }
    };
    // Each at its own pace: one that is slow to fail holds up no other.
    let telling = places.iter().map(|place| tell(&registry, place, &retire));
    let telling = futures_util::future::join_all(telling);
    tokio::select! {
        () = &mut shutdown => {}
        () = handing_on => {}
        _ = telling => {}
    }
}

/// Tells one place until it is retired.
async fn tell(registry: &Registry, place: &Place, retire: &CancellationToken) {
    while !retire.is_cancelled() {
        if let Err(error) = round(registry, place, retire).await {
            let place = place.name();
            tracing::error!(place, %error, "the outbox could not be read or noted");
        }
        retire.run_until_cancelled(tokio::time::sleep(POLL)).await;
    }
}

async fn round(registry: &Registry, place: &Place, retire: &CancellationToken) -> Result<()> {
    let name = place.name();
    let now = OffsetDateTime::now_utc();
    for alert in registry.due_deliveries(name, now, ROUND).await? {
        if retire.is_cancelled() {
            break;
        }
        let now = OffsetDateTime::now_utc();
        if !registry.claim_delivery(&alert, now, now + CLAIM).await? {
            continue;
        }
        let sent = tokio::time::timeout(PATIENCE, place.send(&alert)).await;
        let sent = sent.unwrap_or(Err(Error::Slow(PATIENCE.as_secs())));
        let now = OffsetDateTime::now_utc();
        match sent {
            Ok(()) => {
                registry.alert_delivered(&alert, now).await?;
                metrics().alert_tried(name, "sent");
                tracing::info!(alert = alert.id, place = name, "alert sent");
            }
            Err(error) => {
                let why = error.to_string();
                let next = next(&alert, now);
                let (id, attempts) = (alert.id, alert.attempts + 1);
                metrics().alert_tried(name, next.map_or("given_up", |_| "failed"));
                match next {
                    Some(_) => {
                        tracing::warn!(alert = id, place = name, attempts, %why, "alert not sent")
                    }
                    None => {
                        tracing::error!(alert = id, place = name, attempts, %why, "alert given up: `otori alerts retry` tries it again")
                    }
                }
                registry.delivery_failed(&alert, now, next, &why).await?;
            }
        }
    }
    Ok(())
}

/// When an alert that has just failed is tried again; never, if its place has failed for too long.
fn next(alert: &Alert, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let since = alert.failing_since.unwrap_or(now);
    (now - since < DEAD_AFTER).then(|| now + pause(alert))
}

/// 2, 4, 8 seconds and so on, up to an hour.
fn pause(alert: &Alert) -> Duration {
    let seconds = 2_u64.saturating_pow(alert.attempts.saturating_add(1));
    Duration::from_secs(seconds.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing_since(since: Option<OffsetDateTime>) -> Alert {
        Alert {
            id: 1,
            delivery: 1,
            place: "mail".to_owned(),
            sighting: 1,
            body: String::new(),
            attempts: 0,
            failing_since: since,
        }
    }

    #[test]
    fn pauses_grow_to_an_hour_and_stay() {
        let seconds = |attempts| {
            let alert = Alert {
                attempts,
                ..failing_since(None)
            };
            pause(&alert).as_secs()
        };
        assert_eq!(
            [0, 1, 2, 10, 11, 40, 62, 63, 64, u32::MAX].map(seconds),
            [2, 4, 8, 2048, 3600, 3600, 3600, 3600, 3600, 3600]
        );
    }

    #[test]
    fn three_days_of_failing_are_enough() {
        let now = time::macros::datetime!(2026-03-04 12:00 UTC);
        let since = |hours| Some(now - time::Duration::hours(hours));
        assert_eq!(
            next(&failing_since(None), now),
            Some(now + Duration::from_secs(2))
        );
        assert!(next(&failing_since(since(71)), now).is_some());
        assert!(next(&failing_since(since(72)), now).is_none());
    }
}
