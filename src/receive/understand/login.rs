//! An attempt to log in with a canary's address or number.

use serde::Deserialize;

use super::{Reached, one_line};
use crate::canary::Actor;
use crate::receive::login::Kind;
use crate::registry::{Mark, Message, Registry, Result};

#[derive(Deserialize)]
struct Envelope {
    from: String,
    kind: Kind,
    #[serde(default)]
    user_agent: String,
}

/// Whose address or number it was.
pub async fn reached(registry: &Registry, message: &Message) -> Result<Reached> {
    let mut canaries = Vec::new();
    for account in &message.recipients {
        canaries.extend(registry.find(Mark::Email, account).await?);
        canaries.extend(registry.find(Mark::Phone, account).await?);
    }
    Ok(Reached::of(&canaries))
}

/// From where it was made, and with what.
pub fn actor(message: &Message) -> Actor {
    let Ok(envelope) = serde_json::from_str::<Envelope>(&message.envelope) else {
        return Actor::default();
    };
    let what = match envelope.kind {
        Kind::Login => "an attempt to log in",
        Kind::PasswordReset => "an attempt to reset the password",
        Kind::SignUp => "an attempt to open an account",
    };
    Actor {
        from: one_line(&envelope.from),
        summary: one_line(&format!("{what} {}", envelope.user_agent)),
        ..Actor::default()
    }
}
