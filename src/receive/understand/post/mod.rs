//! A letter: name and address on the envelope, typed by the person who opened the post, or read from its
//! photographs and confirmed by that person.
//!
//! The registry is asked for exactly these first. Where nothing fits, or only half does, every
//! canary is compared, since senders misspell names and drop units, and so do those who type. What was read
//! from a photograph alone settles nothing: it ranks canaries, of which the person chooses.

mod read;
mod typed;

use serde::{Deserialize, Serialize};

use super::{Reached, one_line};
use crate::canary::{Actor, Canary, CanaryId, Channel, SourceName, State};
use crate::persona::Household;
use crate::registry::{Error, Mark, Message, Registry, Result};
use read::Read;
use typed::Typed;

/// From this likeness on a canary is taken for the addressee, if it leads by so much.
const SURE: f64 = 0.8;
const LEAD: f64 = 0.1;
/// From this likeness on a canary is shown to the person who posted the letter.
const SHOWN: f64 = 0.5;
/// So many are shown.
const MOST: usize = 5;

/// What the envelope of a letter says, stored beside the picture.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Letter {
    /// To whom.
    pub addressee: String,
    /// Postcode.
    pub postcode: String,
    /// Address with building and unit.
    pub address: String,
    /// From whom.
    pub sender: String,
    /// The sender's address, to which it wants its mail back.
    pub return_address: String,
    /// The day on the postmark.
    pub postmark: String,
    /// Numbers under which the sender knows the addressee, and what barcodes say.
    pub customer: String,
    /// What the mail room has to say.
    pub note: String,
    /// The canary that the person has chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryId>,
    /// The person says that it is for none of the canaries.
    #[serde(skip_serializing_if = "is_false")]
    pub nobody: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A canary that a letter may have meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The canary.
    pub canary: CanaryId,
    /// Its source.
    pub source: SourceName,
    /// How alike, 0 to 1; 1 is name and address in full.
    pub likeness: f64,
}

fn letter(message: &Message) -> Letter {
    serde_json::from_str(&message.envelope).unwrap_or_default()
}

/// Whom a letter has reached.
pub(super) async fn reached(registry: &Registry, message: &Message) -> Result<Reached> {
    let letter = letter(message);
    if letter.nobody {
        return Ok(Reached::default());
    }
    let chosen = match &letter.canary {
        Some(id) => registry.canary_of(id).await.map(Some),
        None => Ok(None),
    };
    match chosen {
        Ok(Some(canary)) => return Ok(Reached::of([&canary])),
        // Its source was forgotten since: it is looked for by what was typed.
        Ok(None) | Err(Error::Forgotten(_) | Error::UnknownCanary(_)) => {}
        Err(error) => return Err(error),
    }
    let ranked = ranked(registry, &letter).await?;
    Ok(Reached::of(meant(&ranked)))
}

/// Photographs that wait for a person to say what is on them.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Photographs {
    photographs: usize,
}

/// Whether a message is a letter's photographs alone: the letter itself comes when a person has confirmed
/// what was read, as a message of its own, and is what counts.
pub fn waits(message: &Message) -> bool {
    message.channel == Channel::Post
        && serde_json::from_str(&message.envelope)
            .is_ok_and(|waiting: Photographs| waiting.photographs > 0)
}

/// Who wrote.
pub(super) fn actor(message: &Message) -> Actor {
    let letter = letter(message);
    let from = [&letter.sender, &letter.return_address];
    let from = from.into_iter().find(|from| !from.is_empty());
    // Where nobody is named, it is whom the letter is from.
    let back = (!letter.sender.is_empty()).then_some(&letter.return_address);
    let noted = [
        Some(&letter.note),
        Some(&letter.customer),
        Some(&letter.postmark),
        back,
    ];
    let noted: Vec<&str> = noted
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    Actor {
        from: from.map(|from| one_line(from)).unwrap_or_default(),
        summary: one_line(&noted.join(" · ")),
        ..Actor::default()
    }
}

/// How much alike a canary is in the version that is most so: letters go to where it was, too.
fn most_alike(canary: &Canary, likeness: impl Fn(&Household) -> f64) -> f64 {
    let homes = canary.all_details().map(|details| &details.household);
    homes.map(likeness).fold(0.0, f64::max)
}

/// The canaries that a letter may have meant, most alike first.
///
/// # Errors
/// The registry failed.
pub async fn matches(registry: &Registry, letter: &Letter) -> Result<Vec<Candidate>> {
    Ok(candidates(&ranked(registry, letter).await?))
}

/// The canaries that what was typed with a letter's photographs, or read from them, may have meant, most alike first.
///
/// # Errors
/// The registry failed.
pub async fn matches_read(
    registry: &Registry,
    typed: &Letter,
    text: &str,
) -> Result<Vec<Candidate>> {
    let told = !typed.addressee.is_empty() || !typed.address.is_empty();
    let mut all = match told {
        true => matches(registry, typed).await?,
        false => Vec::new(),
    };
    for read in read_matches(registry, text).await? {
        match all.iter_mut().find(|known| known.canary == read.canary) {
            Some(known) => known.likeness = known.likeness.max(read.likeness),
            None => all.push(read),
        }
    }
    all.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
    all.truncate(MOST);
    Ok(all)
}

async fn read_matches(registry: &Registry, text: &str) -> Result<Vec<Candidate>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let canaries = registry.canaries(None).await?;
    let read = Read::new(text);
    let ranked = tokio::task::spawn_blocking(move || {
        let alike = |canary: Canary| (most_alike(&canary, |home| read.likeness(home)), canary);
        let canaries = canaries
            .into_iter()
            .filter(|canary| canary.state != State::Void);
        let alike = canaries
            .map(alike)
            .filter(|(likeness, _)| *likeness >= SHOWN);
        let mut ranked: Ranked = alike.collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranked
    });
    // It cannot fail but by a defect, and then there is nothing to choose from.
    Ok(candidates(&ranked.await.unwrap_or_default()))
}

fn candidates(ranked: &Ranked) -> Vec<Candidate> {
    let candidates = ranked.iter().take(MOST);
    let candidates = candidates.map(|(likeness, canary)| Candidate {
        canary: canary.id.clone(),
        source: canary.source.clone(),
        likeness: *likeness,
    });
    candidates.collect()
}

/// The candidate of whom one would say without looking twice that it is meant.
pub fn plain(candidates: &[Candidate]) -> Option<&Candidate> {
    let best = candidates.first()?;
    let next = candidates.get(1).map_or(0.0, |next| next.likeness);
    (best.likeness >= SURE && best.likeness > next + LEAD).then_some(best)
}

/// Whether a person has to say whom a letter is for: nothing was typed, or what was typed is like some canaries, and like
/// none enough to be taken for it.
///
/// # Errors
/// The registry failed.
pub async fn unsure(registry: &Registry, letter: &Letter) -> Result<bool> {
    if letter.addressee.is_empty() && letter.address.is_empty() {
        return Ok(true);
    }
    let candidates = matches(registry, letter).await?;
    Ok(candidates.first().is_some_and(|best| best.likeness < SURE))
}

type Ranked = Vec<(f64, Canary)>;

/// Those who are meant: the best alone if it is sure and leads, else all that are as good.
fn meant(ranked: &Ranked) -> impl Iterator<Item = &Canary> {
    let best = ranked.first().map_or(0.0, |(likeness, _)| *likeness);
    let near = move |(likeness, _): &&(f64, Canary)| best >= SURE && *likeness > best - LEAD;
    ranked.iter().filter(near).map(|(_, canary)| canary)
}

async fn ranked(registry: &Registry, letter: &Letter) -> Result<Ranked> {
    let mut named = registry.find(Mark::Name, &letter.addressee).await?;
    named.extend(registry.find(Mark::Kana, &letter.addressee).await?);
    let housed = registry.find(Mark::Address, &letter.address).await?;
    let exactly: Vec<Canary> = match (letter.addressee.is_empty(), letter.address.is_empty()) {
        (true, _) => housed,
        (_, true) => named,
        (false, false) => {
            let housed = |canary: &Canary| housed.iter().any(|other| other.id == canary.id);
            named.into_iter().filter(housed).collect()
        }
    };
    let exact = !exactly.is_empty();
    let canaries = if exact {
        exactly
    } else {
        registry.canaries(None).await?
    };
    let typed = Typed::new(letter);
    let mut ranked: Ranked = canaries
        .into_iter()
        .filter(|canary| canary.state != State::Void)
        .map(|canary| {
            let likeness = if exact {
                1.0
            } else {
                most_alike(&canary, |home| typed.likeness(home))
            };
            (likeness, canary)
        })
        .filter(|(likeness, _)| *likeness >= SHOWN)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.dedup_by(|a, b| a.1.id == b.1.id);
    Ok(ranked)
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn a_letters_sender_is_told_with_the_address_that_it_wants_its_mail_back_at() {
        let told = |sender: &str| {
            let letter = Letter {
                sender: sender.to_owned(),
                return_address: "大阪市北区梅田1-1-1".to_owned(),
                customer: "A-12345".to_owned(),
                ..Letter::default()
            };
            let actor = actor(&Message {
                id: 1,
                at: OffsetDateTime::UNIX_EPOCH,
                channel: Channel::Post,
                envelope: serde_json::to_string(&letter).unwrap(),
                recipients: Vec::new(),
                raw: Vec::new(),
            });
            (actor.from, actor.summary)
        };
        let both = (
            "名簿屋".to_owned(),
            "A-12345 · 大阪市北区梅田1-1-1".to_owned(),
        );
        assert_eq!(told("名簿屋"), both);
        let alone = ("大阪市北区梅田1-1-1".to_owned(), "A-12345".to_owned());
        assert_eq!(told(""), alone);
    }
}
