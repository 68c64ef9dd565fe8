//! Our own tests: a message that brings the token of a drill which is awaited, to the drill's canary.
//!
//! Everything else that looks like a drill is what it is without it: an alarm.

use memchr::memmem;
use serde::Deserialize;

use super::Reached;
use super::origin::with_mail;
use super::post::Letter;
use crate::canary::{Actor, BatchId, CanaryId, Channel, Drill, SightingKind, SourceName};
use crate::notation::fold;
use crate::registry::{Error, Message, NewSighting, Registry, Result};

/// A drill's mail is small; a larger one is not opened to look for a token.
const LARGEST: usize = 256 << 10;

/// The drill that a message is.
pub struct Brought {
    /// Its number.
    pub id: i64,
    channel: Channel,
    source: SourceName,
    batch: BatchId,
    canary: CanaryId,
}

impl Brought {
    /// Whether whom the message has reached is the drill's canary.
    pub fn is(&self, reached: &Reached) -> bool {
        fits(self.channel, &self.canary, reached)
    }

    /// The drill's sighting: whatever else has the same number, this canary was called.
    pub fn sighting(&self, actor: &Actor) -> NewSighting {
        NewSighting {
            source: Some(self.source.clone()),
            canary: Some(self.canary.clone()),
            batch: Some(self.batch.clone()),
            kind: SightingKind::Drill,
            actor: actor.clone(),
            network: None,
        }
    }
}

/// Letters are typed by people: the code alone will do where nobody was recognised by name and address.
fn fits(channel: Channel, canary: &CanaryId, reached: &Reached) -> bool {
    reached.canaries.contains(canary) || (channel == Channel::Post && reached.canaries.is_empty())
}

/// The drill whose token a message brings to the drill's canary.
pub async fn brought(
    registry: &Registry,
    message: &Message,
    reached: &[Reached],
) -> Result<Option<Brought>> {
    let channel = message.channel;
    if channel != Channel::Post && reached.iter().all(|reached| reached.canaries.is_empty()) {
        // Only a letter can be a drill without naming its canary.
        return Ok(None);
    }
    let awaited = registry.drills_awaited(channel, message.at).await?;
    let Some(drill) = found(registry, message, reached, awaited) else {
        return Ok(None);
    };
    let canary = match registry.canary_of(&drill.canary).await {
        // Nothing that is forgotten is drilled.
        Err(Error::Forgotten(_)) => return Ok(None),
        canary => canary?,
    };
    Ok(Some(Brought {
        id: drill.id,
        channel,
        source: canary.source,
        batch: canary.batch,
        canary: canary.id,
    }))
}

/// Of the drills that are awaited, the one that the message is.
fn found(
    registry: &Registry,
    message: &Message,
    reached: &[Reached],
    awaited: Vec<Drill>,
) -> Option<Drill> {
    let fits = |drill: &Drill| {
        let one = |reached| fits(message.channel, &drill.canary, reached);
        reached.iter().any(one)
    };
    let possible: Vec<Drill> = awaited.into_iter().filter(fits).collect();
    if possible.is_empty() {
        return None;
    }
    let content = Content::of(message);
    possible
        .into_iter()
        .find(|drill| content.has(registry, drill))
}

/// Where a message may have a token.
enum Content {
    Mail { raw: Vec<u8>, text: String },
    Call { id: String },
    Letter { typed: String },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Call {
    id: String,
}

impl Content {
    fn of(message: &Message) -> Content {
        match message.channel {
            Channel::Post => {
                let letter: Letter = serde_json::from_str(&message.envelope).unwrap_or_default();
                let fields = [
                    &letter.note,
                    &letter.sender,
                    &letter.return_address,
                    &letter.customer,
                    &letter.addressee,
                    &letter.address,
                ];
                let typed = fields.map(|field| letters(field)).join("\n");
                Content::Letter { typed }
            }
            Channel::Mail => {
                let raw = message.raw[..message.raw.len().min(LARGEST)].to_vec();
                let text = text(&raw);
                Content::Mail { raw, text }
            }
            _ => {
                let call: Call = serde_json::from_str(&message.envelope).unwrap_or_default();
                Content::Call { id: call.id }
            }
        }
    }

    fn has(&self, registry: &Registry, drill: &Drill) -> bool {
        let token = || registry.drill_token(drill);
        match self {
            // In the Message-ID; some relays make their own, so it is in the text too.
            Content::Mail { raw, text } => {
                let token = token();
                memmem::find(raw, token.as_bytes()).is_some() || text.contains(&token)
            }
            Content::Call { id } => id.ends_with(&token()),
            Content::Letter { typed } => typed.contains(&registry.drill_code(drill)),
        }
    }
}

fn text(raw: &[u8]) -> String {
    let text = with_mail(raw, |mail| {
        mail.and_then(|mail| mail.body_text(0).map(|text| text.into_owned()))
    });
    text.ok().flatten().unwrap_or_default()
}

/// What was typed, without spaces and hyphens of any width, in capitals.
fn letters(typed: &str) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric();
    let folded = fold(typed).to_ascii_uppercase();
    folded.chars().filter(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in [
            "AB2C-9XYZ",
            "ab2c 9xyz",
            "お客様番号：ＡＢ２Ｃ－９ＸＹＺ です",
        ] {
            assert!(letters(typed).contains("AB2C9XYZ"), "{typed}");
        }
    }
}
