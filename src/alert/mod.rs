//! An incident to a person.
//!
//! The registry queues an alert in the transaction that makes it due; the worker here sends what is
//! due and tries again, ever more slowly and for ever, until a mail server has taken it. A crash
//! between the server's answer and the registry's note sends a mail twice, with the same Message-ID.
//! Alerts carry the ids of canaries, never their details: mail is read by many.

mod config;
mod drill_text;
mod mail;
mod text;

use std::time::Duration;

use time::OffsetDateTime;

pub use config::AlertConfig;
pub use mail::{Error, Mailer};

use crate::registry::{Alert, Registry, Result};

/// How often the outbox is looked at.
const POLL: Duration = Duration::from_secs(1);
/// Alerts sent in one round.
const ROUND: u32 = 20;
/// The longest pause between two tries, in seconds.
const LONGEST: u64 = 3600;

/// Sends what is due until `shutdown`.
pub async fn run(registry: Registry, mailer: Mailer, shutdown: impl Future<Output = ()>) {
    tokio::pin!(shutdown);
    let work = async {
        loop {
            if let Err(error) = round(&registry, &mailer).await {
                tracing::error!(%error, "the outbox could not be read or noted");
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::select! {
        () = &mut shutdown => {}
        () = work => {}
    }
}

async fn round(registry: &Registry, mailer: &Mailer) -> Result<()> {
    for alert in registry
        .due_alerts(OffsetDateTime::now_utc(), ROUND)
        .await?
    {
        let sent = mailer.send(&alert).await;
        let now = OffsetDateTime::now_utc();
        match sent {
            Ok(()) => {
                registry.alert_sent(&alert, now).await?;
                tracing::info!(alert = alert.id, "alert sent");
            }
            Err(error) => {
                let why = error.to_string();
                tracing::warn!(alert = alert.id, attempts = alert.attempts + 1, %why, "alert not sent");
                registry
                    .alert_failed(alert.id, now + pause(&alert), &why)
                    .await?;
            }
        }
    }
    Ok(())
}

/// 2, 4, 8 seconds and so on, up to an hour.
fn pause(alert: &Alert) -> Duration {
    let seconds = 2_u64.saturating_pow(alert.attempts.saturating_add(1));
    Duration::from_secs(seconds.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_stay() {
        let seconds = |attempts| {
            let alert = Alert {
                id: 1,
                sighting: 1,
                body: String::new(),
                attempts,
            };
            pause(&alert).as_secs()
        };
        assert_eq!(
            [0, 1, 2, 10, 11, 40, 62, 63, 64, u32::MAX].map(seconds),
            [2, 4, 8, 2048, 3600, 3600, 3600, 3600, 3600, 3600]
        );
    }
}
