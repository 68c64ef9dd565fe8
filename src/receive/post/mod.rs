//! Letters: the mail room photographs the envelope and types what is on it.

mod form;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Multipart, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::http::page::page;
use super::http::{Peer, Site, User};
use super::understand::{self, Letter};
use super::{Accepted, hex};
use crate::canary::{Channel, PictureFormat};
use crate::registry::{Message, NewMessage};

/// The largest picture, and what the rest of a form may take.
const PICTURE: usize = 20 << 20;
const FIELDS: usize = 64 << 10;
/// The longest text in a field, in characters.
const TEXT: usize = 500;

/// What is stored beside the picture.
#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(flatten)]
    letter: &'a Letter,
    peer: std::net::IpAddr,
    /// Who filed it.
    by: &'a str,
    picture: &'a str,
}

/// The routes of the mail room's page.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/drop", get(show).post(file))
        .layer(DefaultBodyLimit::max(PICTURE + FIELDS))
}

async fn show() -> Response {
    page(form::TITLE, &form::empty(&Letter::default(), None)).into_response()
}

async fn file(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    Extension(user): Extension<User>,
    form: Multipart,
) -> Response {
    let (letter, picture) = match read(form).await {
        Ok(read) => read,
        Err((status, letter, problem)) => {
            let again = form::empty(&letter, Some(&problem));
            return (status, page(form::TITLE, &again)).into_response();
        }
    };
    let refuse = |status: StatusCode, problem: &str| {
        let again = form::empty(&letter, Some(problem));
        (status, page(form::TITLE, &again)).into_response()
    };
    let Some(format) = PictureFormat::of(&picture) else {
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "写真は PNG、JPEG、WebP、PDF のどれかです / The picture must be PNG, JPEG, WebP or PDF",
        );
    };
    if letter.addressee.is_empty() && letter.address.is_empty() {
        return refuse(
            StatusCode::BAD_REQUEST,
            "宛名か住所を入力してください / Type the addressee or the address",
        );
    }
    let envelope = Envelope {
        letter: &letter,
        peer: peer.0,
        by: &user.0,
        picture: format.media_type(),
    };
    let Ok(envelope) = serde_json::to_string(&envelope) else {
        return refuse(StatusCode::BAD_REQUEST, "unreadable");
    };
    let message = NewMessage {
        at: OffsetDateTime::now_utc(),
        channel: Channel::Post,
        envelope: envelope.clone(),
        recipients: vec![letter.addressee.clone()],
        same_as: Some(identity(&letter, &picture)),
        raw: picture,
    };
    let at = message.at;
    let Ok(accepted) = site.intake.accept(message).await else {
        return refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "保存できませんでした。もう一度送ってください / It could not be stored: send it again",
        );
    };
    let (Accepted::New(id) | Accepted::Repeat(id)) = accepted;
    // The worker may be faster; what is shown is the same.
    let message = Message {
        id,
        at,
        channel: Channel::Post,
        envelope,
        recipients: vec![letter.addressee.clone()],
        raw: Vec::new(),
    };
    let shown = async {
        let sightings = understand::settle(&site.registry, &message).await?;
        let candidates = understand::matches(&site.registry, &letter).await?;
        Ok::<_, crate::registry::Error>((sightings, candidates))
    };
    let filed = match shown.await {
        Ok((sightings, candidates)) => form::filed(id, accepted, sightings.first(), &candidates),
        Err(error) => {
            tracing::error!(%error, message = id, "a letter is stored, and not matched yet");
            form::filed(id, accepted, None, &[])
        }
    };
    page(form::TITLE, &filed).into_response()
}

/// A form sent twice is one letter.
fn identity(letter: &Letter, picture: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [
        letter.addressee.as_bytes(),
        letter.postcode.as_bytes(),
        letter.address.as_bytes(),
        letter.sender.as_bytes(),
        letter.note.as_bytes(),
        picture,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("post {}", hex(&hash.finalize()))
}

type Refused = (StatusCode, Letter, String);

async fn read(mut form: Multipart) -> Result<(Letter, Vec<u8>), Refused> {
    let mut letter = Letter::default();
    let mut picture = Vec::new();
    let broken = |letter: &Letter, error: axum::extract::multipart::MultipartError| {
        let problem = format!("{} (20 MB まで / at most 20 MB)", error.body_text());
        (error.status(), letter.clone(), problem)
    };
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => return Ok((letter, picture)),
            Err(error) => return Err(broken(&letter, error)),
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "picture" {
            match field.bytes().await {
                Ok(bytes) => picture = bytes.to_vec(),
                Err(error) => return Err(broken(&letter, error)),
            }
            continue;
        }
        let text = match field.text().await {
            Ok(text) => text.trim().chars().take(TEXT).collect(),
            Err(error) => return Err(broken(&letter, error)),
        };
        match name.as_str() {
            "addressee" => letter.addressee = text,
            "postcode" => letter.postcode = text,
            "address" => letter.address = text,
            "sender" => letter.sender = text,
            "note" => letter.note = text,
            _ => {}
        }
    }
}
