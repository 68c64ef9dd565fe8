//! Letters: the mail room photographs the envelope, and confirms what was read on it, or types it.
//!
//! Two steps, so that nothing counts that nobody has looked at: the photographs are stored first and wait,
//! and the letter counts when a person has said whom it is for (see `filing`).

mod filing;
mod form;
mod label;
mod pages;
mod upload;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use time::OffsetDateTime;

pub use filing::{By, confirmed, message, proposed, typed};
pub use pages::{Refused, unpacked};

use super::Accepted;
use super::config::PostConfig;
use super::http::page::page;
use super::http::{Peer, Site, User};
use super::reading::{Pages, Reader};
use super::understand::{self, Letter};
use crate::canary::{CanaryId, Channel};
use crate::registry::{self, Error, Message, letter_identity};
use upload::Upload;

/// What the rest of a form may take, beside the pictures.
const FIELDS: usize = 64 << 10;
/// Letters whose reading is kept until they are confirmed; of an older one, the pictures are read again.
const KEPT: usize = 16;

/// What the mail room's pages share.
pub(super) struct Desk {
    reader: Reader,
    read: Mutex<VecDeque<(i64, Arc<Pages>)>>,
}

impl Desk {
    /// A desk with the programs that the configuration names.
    pub fn new(config: &PostConfig) -> Desk {
        Desk {
            reader: Reader::new(config),
            read: Mutex::new(VecDeque::new()),
        }
    }

    /// What is on the pictures of a message.
    async fn pages(&self, message: &Message) -> Arc<Pages> {
        let known = |read: &VecDeque<(i64, Arc<Pages>)>| {
            let found = read.iter().find(|(id, _)| *id == message.id);
            found.map(|(_, pages)| Arc::clone(pages))
        };
        // Whoever panicked with it in hand left it whole: it is a list of what can be read again.
        let lock = || {
            self.read
                .lock()
                .unwrap_or_else(|broken| broken.into_inner())
        };
        if let Some(pages) = known(&lock()) {
            return pages;
        }
        let pages = self.reader.read(unpacked(message.raw.clone())).await;
        let pages = Arc::new(pages);
        let mut read = lock();
        read.retain(|(id, _)| *id != message.id);
        read.push_back((message.id, Arc::clone(&pages)));
        if read.len() > KEPT {
            read.pop_front();
        }
        pages
    }
}

/// The routes of the mail room's page.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/drop", get(show).post(file))
        .route("/drop/{id}", get(look).post(confirm))
        .route("/drop/{id}/page/{number}", get(picture))
        .route("/drop/{id}/label", get(print))
        .layer(DefaultBodyLimit::max(pages::LETTER + FIELDS))
}

async fn show(State(site): State<Arc<Site>>) -> Response {
    empty(&site, StatusCode::OK, &Letter::default(), None).await
}

async fn empty(
    site: &Site,
    status: StatusCode,
    letter: &Letter,
    problem: Option<&str>,
) -> Response {
    let waiting = site.registry.letters_waiting().await;
    let waiting = waiting.unwrap_or_else(|error| {
        tracing::error!(%error, "letters that wait could not be listed");
        Vec::new()
    });
    let form = form::empty(letter, problem, &waiting, site.desk.reader.reads());
    (status, page(form::TITLE, &form)).into_response()
}

const NOT_STORED: &str =
    "保存できませんでした。もう一度送ってください / It could not be stored: send it again";

async fn file(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    Extension(user): Extension<User>,
    form: Multipart,
) -> Response {
    let Upload {
        letter, pictures, ..
    } = match upload::read(form).await {
        Ok(upload) => upload,
        Err((status, letter, problem)) => {
            return empty(&site, status, &letter, Some(&problem)).await;
        }
    };
    let by = By {
        name: &user.0,
        peer: Some(peer.0),
    };
    // What goes wrong here goes wrong again where it is settled, and is told there.
    let waits = understand::unsure(&site.registry, &letter).await;
    let waits = waits.unwrap_or(letter.addressee.is_empty() && letter.address.is_empty());
    let message = match message(&letter, pictures, waits, by, OffsetDateTime::now_utc()) {
        Ok(message) => message,
        Err(refused) => {
            let status = match refused {
                Refused::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Refused::TooMany => StatusCode::BAD_REQUEST,
                Refused::None | Refused::NoPicture => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            };
            return empty(&site, status, &letter, Some(&refused.to_string())).await;
        }
    };
    let (channel, at, envelope) = (message.channel, message.at, message.envelope.clone());
    let Ok(accepted) = site.intake.accept(message).await else {
        return empty(
            &site,
            StatusCode::SERVICE_UNAVAILABLE,
            &letter,
            Some(NOT_STORED),
        )
        .await;
    };
    let (Accepted::New(id) | Accepted::Repeat(id)) = accepted;
    if waits {
        return Redirect::to(&format!("/drop/{id}")).into_response();
    }
    let message = Message {
        id,
        at,
        channel,
        envelope,
        recipients: vec![letter.addressee.clone()],
        raw: Vec::new(),
    };
    filed(&site, &message, accepted, &letter).await
}

/// Settles a letter, unless the worker was faster: what is shown is the same.
async fn filed(site: &Site, message: &Message, accepted: Accepted, letter: &Letter) -> Response {
    let shown = async {
        let sightings = understand::settle(&site.registry, message).await?;
        let candidates = match letter.nobody {
            true => Vec::new(),
            false => understand::matches(&site.registry, letter).await?,
        };
        Ok::<_, registry::Error>((sightings, candidates))
    };
    let filed = match shown.await {
        Ok((sightings, candidates)) => {
            form::filed(message.id, accepted, sightings.first(), &candidates)
        }
        Err(error) => {
            tracing::error!(%error, message = message.id, "a letter is stored, and not matched yet");
            form::filed(message.id, accepted, None, &[])
        }
    };
    page(form::TITLE, &filed).into_response()
}

/// The photographs of this number, which wait; or the answer that says why not.
async fn waiting(site: &Site, id: i64) -> Result<Message, Box<Response>> {
    let message = match site.registry.message(id).await {
        Ok(Some(message)) if understand::waits(&message) => message,
        Ok(_) => return Err(Box::new(StatusCode::NOT_FOUND.into_response())),
        Err(error) => return Err(failed(&error)),
    };
    match site.registry.stored_as(&letter_identity(id)).await {
        Ok(Some(letter)) => Err(Box::new(become_of(site, letter).await)),
        Ok(None) => Ok(message),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &Error) -> Box<Response> {
    tracing::error!(%error, "a letter could not be shown");
    Box::new(StatusCode::SERVICE_UNAVAILABLE.into_response())
}

/// What became of photographs that somebody has confirmed already.
async fn become_of(site: &Site, letter: i64) -> Response {
    match site.registry.sightings_of(letter).await {
        Ok(sightings) => {
            let repeat = Accepted::Repeat(letter);
            let shown = form::filed(letter, repeat, sightings.first(), &[]);
            page(form::TITLE, &shown).into_response()
        }
        Err(error) => *failed(&error),
    }
}

async fn look(State(site): State<Arc<Site>>, Path(id): Path<i64>) -> Response {
    let message = match waiting(&site, id).await {
        Ok(message) => message,
        Err(response) => return *response,
    };
    let pages = site.desk.pages(&message).await;
    ask(
        &site,
        StatusCode::OK,
        &message,
        &filing::proposed(&message, &pages.fields),
        &pages,
        None,
    )
    .await
}

async fn ask(
    site: &Site,
    status: StatusCode,
    message: &Message,
    letter: &Letter,
    pages: &Pages,
    problem: Option<&str>,
) -> Response {
    let typed = filing::typed(message);
    let candidates = understand::matches_read(&site.registry, &typed, &pages.reading.text).await;
    match candidates {
        Ok(candidates) => {
            let form = form::confirm(message.id, letter, pages, &candidates, problem);
            (status, page(form::TITLE, &form)).into_response()
        }
        Err(error) => *failed(&error),
    }
}

async fn confirm(
    State(site): State<Arc<Site>>,
    Path(id): Path<i64>,
    Extension(peer): Extension<Peer>,
    Extension(user): Extension<User>,
    form: Multipart,
) -> Response {
    let photographs = match waiting(&site, id).await {
        Ok(message) => message,
        Err(response) => return *response,
    };
    let pages = site.desk.pages(&photographs).await;
    let upload = match upload::read(form).await {
        Ok(upload) => upload,
        Err((status, letter, problem)) => {
            return ask(&site, status, &photographs, &letter, &pages, Some(&problem)).await;
        }
    };
    let mut letter = upload.letter;
    let again = async |letter: &Letter, problem: &str| {
        let status = StatusCode::BAD_REQUEST;
        ask(&site, status, &photographs, letter, &pages, Some(problem)).await
    };
    match upload.choice.as_str() {
        "none" => letter.nobody = true,
        "" if letter.addressee.is_empty() && letter.address.is_empty() => {
            let problem = "宛名か住所を入力するか、候補を選んでください / \
                           Type the addressee or the address, or choose";
            return again(&letter, problem).await;
        }
        "" => {}
        chosen => {
            let id = chosen.parse::<CanaryId>().ok();
            let known = match &id {
                Some(id) => site.registry.canary_of(id).await.is_ok(),
                None => false,
            };
            if !known {
                let problem = "その候補はありません / There is no such canary";
                return again(&letter, problem).await;
            }
            letter.canary = id;
        }
    }
    let by = By {
        name: &user.0,
        peer: Some(peer.0),
    };
    let now = OffsetDateTime::now_utc();
    let read = Some(&pages.reading);
    let message = confirmed(id, photographs.raw.clone(), &letter, read, by, now);
    let (at, envelope) = (message.at, message.envelope.clone());
    let Ok(accepted) = site.intake.accept(message).await else {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return ask(
            &site,
            status,
            &photographs,
            &letter,
            &pages,
            Some(NOT_STORED),
        )
        .await;
    };
    let id = match accepted {
        Accepted::New(id) => id,
        // Somebody else was faster: theirs counts.
        Accepted::Repeat(id) => return become_of(&site, id).await,
    };
    let message = Message {
        id,
        at,
        channel: Channel::Post,
        envelope,
        recipients: vec![letter.addressee.clone()],
        raw: Vec::new(),
    };
    filed(&site, &message, accepted, &letter).await
}

/// A page of photographs that wait: as it was read, or to be saved where it cannot be shown.
async fn picture(
    State(site): State<Arc<Site>>,
    Path((id, number)): Path<(i64, usize)>,
) -> Response {
    let message = match waiting(&site, id).await {
        Ok(message) => message,
        Err(response) => return *response,
    };
    let pages = site.desk.pages(&message).await;
    match pages.shown.get(number) {
        Some(Some(png)) => ([(header::CONTENT_TYPE, "image/png")], png.clone()).into_response(),
        Some(None) => {
            let Some(picture) = unpacked(message.raw).into_iter().nth(number) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CONTENT_DISPOSITION, "attachment"),
            ];
            (headers, picture).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn print(State(site): State<Arc<Site>>, Path(id): Path<i64>) -> Response {
    let found = async {
        let message = site.registry.message(id).await?;
        let sightings = site.registry.sightings_of(id).await?;
        Ok::<_, registry::Error>((message, sightings))
    };
    match found.await {
        Ok((Some(message), sightings)) if message.channel == Channel::Post => {
            let label = label::label(id, message.at, &sightings);
            page("ラベル / Label", &label).into_response()
        }
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => *failed(&error),
    }
}
