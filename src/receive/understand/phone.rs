//! A call or a text message. A number is shared by several canaries of a source: what they agree on
//! is what the call says, and a text that calls one of them by name says more.

use serde::Deserialize;

use super::names::named;
use super::{Reached, one_line};
use crate::canary::{Actor, Named};
use crate::registry::{Mark, Message, Registry, Result};

/// What the webhooks store beside the raw body.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    from: String,
    text: String,
    call: Option<i64>,
}

fn envelope(message: &Message) -> Envelope {
    serde_json::from_str(&message.envelope).unwrap_or_default()
}

/// Whether it tells more of a call that is stored, and so is no contact of its own.
pub fn belongs(message: &Message) -> bool {
    envelope(message).call.is_some()
}

/// Whom a call or a text has reached, and how the caller called them.
pub async fn reached(registry: &Registry, message: &Message) -> Result<(Reached, Option<Named>)> {
    let mut canaries = Vec::new();
    for number in &message.recipients {
        canaries.extend(registry.find(Mark::Phone, number).await?);
    }
    // An exchange's records go back to before the number was given: such a call is its background.
    let later = registry.planted_after(message.at).await?;
    canaries.retain(|canary| !later.contains(&canary.batch));
    Ok(match named(&canaries, &envelope(message).text) {
        None => (Reached::of(&canaries), None),
        Some((canaries, how)) => (Reached::of(canaries), Some(how)),
    })
}

/// Who called.
pub fn actor(message: &Message) -> Actor {
    let envelope = envelope(message);
    Actor {
        from: one_line(&envelope.from),
        summary: one_line(&envelope.text),
        ..Actor::default()
    }
}
