//! From a stored message to sightings: who was reached, and what that says.
//!
//! A worker settles what is stored, each message in one transaction of the registry, so that a crash
//! anywhere leaves a message either settled or waiting. Several workers on one registry do no harm:
//! a message that another one has settled is left alone.

mod mail;
mod phone;
mod post;
mod text;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::canary::{Actor, BatchId, Canary, CanaryId, Channel, SightingKind, SourceName};
use crate::registry::{Message, NewSighting, Registry, Result};

pub use post::{Candidate, Letter, matches};
pub(super) use text::one_line;

/// Messages taken at a time; each may be as large as the limit.
const TAKE: u32 = 8;
/// How often the registry is asked for messages that another process has stored.
const POLL: Duration = Duration::from_secs(5);
/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Settles messages until told to stop, and then what is left. `news` rings when something was
/// stored.
pub async fn run(registry: Registry, news: Arc<Notify>, stop: CancellationToken) {
    let mut pause = PAUSES.0;
    // Messages that could not be settled lately: the others go past them.
    let mut stuck: HashSet<i64> = HashSet::new();
    loop {
        let limit = TAKE.saturating_add(u32::try_from(stuck.len()).unwrap_or(u32::MAX));
        let wait = match registry.unsettled(limit).await {
            Ok(messages) => {
                let fresh: Vec<Message> = messages
                    .into_iter()
                    .filter(|message| !stuck.contains(&message.id))
                    .collect();
                for message in &fresh {
                    match settle(&registry, message).await {
                        Ok(_) => pause = PAUSES.0,
                        Err(error) => {
                            tracing::error!(message = message.id, %error, "a message is not settled");
                            stuck.insert(message.id);
                        }
                    }
                }
                match (fresh.is_empty(), stuck.is_empty()) {
                    (false, _) => continue,
                    (true, true) => POLL,
                    (true, false) => pause,
                }
            }
            Err(error) => {
                tracing::error!(%error, "stored messages could not be read");
                pause
            }
        };
        if stop.is_cancelled() {
            return;
        }
        if wait != POLL {
            stuck.clear();
            pause = (pause * 2).min(PAUSES.1);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = news.notified(), if wait == POLL => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Understands one message and settles it, unless somebody has in the meantime.
///
/// # Errors
/// The registry failed; then the message stays unsettled.
pub async fn settle(registry: &Registry, message: &Message) -> Result<Vec<NewSighting>> {
    let sightings = understand(registry, message).await?;
    registry.settle(message.id, &sightings).await?;
    Ok(sightings)
}

/// What a message turned out to be: one sighting for each canary reached, and for each recipient
/// that is none.
async fn understand(registry: &Registry, message: &Message) -> Result<Vec<NewSighting>> {
    let mut sightings: Vec<NewSighting> = match message.channel {
        Channel::Mail => {
            let actor = mail::actor(message);
            let mut sightings = Vec::new();
            for recipient in &message.recipients {
                let reached = mail::reached(registry, recipient).await?;
                sightings.push(sighting(&reached, &actor));
            }
            sightings
        }
        Channel::Phone | Channel::Sms => {
            let reached = phone::reached(registry, message).await?;
            vec![sighting(&reached, &phone::actor(message))]
        }
        Channel::Post => {
            let reached = post::reached(registry, message).await?;
            vec![sighting(&reached, &post::actor(message))]
        }
        // Nothing brings these in yet; what is stored is shown all the same.
        Channel::Login | Channel::Report => vec![sighting(&Reached::default(), &Actor::default())],
    };
    if sightings.is_empty() {
        sightings.push(sighting(&Reached::default(), &Actor::default()));
    }
    let mut seen = HashSet::new();
    sightings.retain(|sighting| match &sighting.canary {
        // One address in two spellings is one canary reached.
        Some(canary) => seen.insert(canary.clone()),
        None => true,
    });
    Ok(sightings)
}

/// What the canaries that a contact may have meant have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reached {
    any: bool,
    source: Option<SourceName>,
    batch: Option<BatchId>,
    canary: Option<CanaryId>,
}

impl Reached {
    fn of<'a>(canaries: impl IntoIterator<Item = &'a Canary>) -> Reached {
        let canaries: Vec<&Canary> = canaries.into_iter().collect();
        let Some(first) = canaries.first() else {
            return Reached::default();
        };
        let agree = |same: fn(&Canary, &Canary) -> bool| canaries.iter().all(|c| same(c, first));
        Reached {
            any: true,
            source: agree(|a, b| a.source == b.source).then(|| first.source.clone()),
            batch: agree(|a, b| a.batch == b.batch).then(|| first.batch.clone()),
            canary: agree(|a, b| a.id == b.id).then(|| first.id.clone()),
        }
    }
}

fn sighting(reached: &Reached, actor: &Actor) -> NewSighting {
    NewSighting {
        source: reached.source.clone(),
        canary: reached.canary.clone(),
        batch: reached.batch.clone(),
        kind: if reached.any {
            SightingKind::Alarm
        } else {
            SightingKind::Noise
        },
        actor: actor.clone(),
    }
}
