//! Letters to messages, for the page and for the command line.
//!
//! Photographs are stored as soon as they come, as a message that is no sighting (`photographs` in its
//! envelope): a crash, a closed browser or a person who goes to lunch loses nothing, and what waits for
//! somebody is listed. When a person has confirmed what is on them, the letter becomes a message of its own,
//! which holds the pictures too, so that it is evidence by itself. It is stored under the number of the
//! photographs: of a form sent twice, or by two people, the first one counts.
//!
//! A letter whose addressee was typed with its photographs needs no second step.

use std::net::IpAddr;

use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::pages::{self, Refused};
use crate::canary::{Channel, PictureFormat};
use crate::receive::hex;
use crate::receive::reading::Reading;
use crate::receive::understand::Letter;
use crate::registry::{Message, NewMessage, letter_identity};

/// Who files a letter, and from where.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// Their name.
    pub name: &'a str,
    /// Their address, where they came over the network.
    pub peer: Option<IpAddr>,
}

/// What is stored beside the pictures.
#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(flatten)]
    letter: &'a Letter,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<IpAddr>,
    /// Who filed it.
    by: &'a str,
    picture: &'a str,
    /// How many pictures wait for somebody to say what is on them; 0 where somebody has.
    #[serde(skip_serializing_if = "is_zero")]
    photographs: usize,
    /// The message whose photographs these are.
    #[serde(skip_serializing_if = "Option::is_none")]
    photographed: Option<i64>,
    /// What was read on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<&'a Reading>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A letter as it is typed with its pictures; or its pictures, with what was typed, where it `waits` for a person to say
/// whom it is for.
///
/// # Errors
/// The pictures cannot be taken.
pub fn message(
    letter: &Letter,
    pictures: Vec<Vec<u8>>,
    waits: bool,
    by: By<'_>,
    at: OffsetDateTime,
) -> Result<NewMessage, Refused> {
    let photographs = if waits { pictures.len() } else { 0 };
    let raw = pages::packed(pictures)?;
    let envelope = Envelope {
        letter,
        peer: by.peer,
        by: by.name,
        picture: media_type(&raw),
        photographs,
        photographed: None,
        read: None,
    };
    Ok(NewMessage {
        at,
        channel: Channel::Post,
        envelope: text(&envelope),
        recipients: vec![letter.addressee.clone()],
        same_as: Some(same(letter, &raw)),
        raw,
    })
}

/// The letter that a person has confirmed of photographs.
pub fn confirmed(
    photographs: i64,
    raw: Vec<u8>,
    letter: &Letter,
    reading: Option<&Reading>,
    by: By<'_>,
    at: OffsetDateTime,
) -> NewMessage {
    let envelope = Envelope {
        letter,
        peer: by.peer,
        by: by.name,
        picture: media_type(&raw),
        photographs: 0,
        photographed: Some(photographs),
        read: reading,
    };
    NewMessage {
        at,
        channel: Channel::Post,
        envelope: text(&envelope),
        recipients: vec![letter.addressee.clone()],
        same_as: Some(letter_identity(photographs)),
        raw,
    }
}

/// What was typed with photographs.
pub fn typed(photographs: &Message) -> Letter {
    serde_json::from_str(&photographs.envelope).unwrap_or_default()
}

/// What was typed with photographs, and what was read for the rest.
pub fn proposed(photographs: &Message, read: &Letter) -> Letter {
    let typed = typed(photographs);
    let either = |typed: String, read: &String| {
        if typed.is_empty() {
            read.clone()
        } else {
            typed
        }
    };
    Letter {
        addressee: either(typed.addressee, &read.addressee),
        postcode: either(typed.postcode, &read.postcode),
        address: either(typed.address, &read.address),
        sender: either(typed.sender, &read.sender),
        return_address: either(typed.return_address, &read.return_address),
        postmark: either(typed.postmark, &read.postmark),
        customer: either(typed.customer, &read.customer),
        note: typed.note,
        ..Letter::default()
    }
}

fn media_type(raw: &[u8]) -> &'static str {
    PictureFormat::of(raw).map_or("application/zip", PictureFormat::media_type)
}

fn text(envelope: &Envelope<'_>) -> String {
    serde_json::to_string(envelope).expect("texts and numbers are JSON")
}

/// A form sent twice is one letter.
fn same(letter: &Letter, raw: &[u8]) -> String {
    let mut hash = Sha256::new();
    let typed = [
        &letter.addressee,
        &letter.postcode,
        &letter.address,
        &letter.sender,
        &letter.note,
    ];
    let mut put = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    typed.iter().for_each(|part| put(part.as_bytes()));
    put(raw);
    // The fields that came later leave letters of before as they were.
    let later = [&letter.return_address, &letter.postmark, &letter.customer];
    if later.iter().any(|part| !part.is_empty()) {
        later.iter().for_each(|part| put(part.as_bytes()));
    }
    format!("post {}", hex(&hash.finalize()))
}
