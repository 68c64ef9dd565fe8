//! The form and the API for reports. Both want credentials: what is open to everybody can be flooded, and a
//! flood is a surge.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::{Report, Via, form, moment};
use crate::canary::SourceName;
use crate::receive::Accepted;
use crate::receive::http::page::page;
use crate::receive::http::{Site, User, refuse};
use crate::receive::understand::one_line;
use crate::registry::{Error, UNKNOWN_SOURCE};

/// A report is some lines of text.
const BODY: usize = 16 << 10;

/// What the form and the API take.
#[derive(Deserialize)]
struct Told {
    about: String,
    #[serde(default)]
    via: Via,
    #[serde(default)]
    source: String,
    #[serde(default)]
    note: String,
    at: Option<String>,
    id: Option<String>,
}

/// The page.
pub(in crate::receive) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/report", get(show).post(file))
        .layer(DefaultBodyLimit::max(BODY))
}

/// The API.
pub(in crate::receive) fn api() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/reports", post(tell))
        .layer(DefaultBodyLimit::max(BODY))
}

async fn show(State(site): State<Arc<Site>>) -> Response {
    again(&site, StatusCode::OK, &Report::default(), None).await
}

async fn again(
    site: &Site,
    status: StatusCode,
    report: &Report,
    problem: Option<&str>,
) -> Response {
    let sources = match site.registry.sources().await {
        Ok(sources) => sources
            .iter()
            .map(|source| source.name.to_string())
            .collect(),
        Err(error) => {
            tracing::error!(%error, "the sources could not be read");
            Vec::new()
        }
    };
    let form = form::empty(report, &sources, problem);
    (status, page(form::TITLE, &form)).into_response()
}

async fn file(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Form(told): Form<Told>,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let mut report = report(&told, user);
    report.source = match source(&site, &told.source).await {
        Ok(source) => source,
        Err((status, why)) => return again(&site, status, &report, Some(&why)).await,
    };
    // Two customers of one firm are two reports, however alike: the moment parts them, and a form that is
    // sent twice within a second is one.
    let raw = format!(
        "{} {}",
        now.unix_timestamp(),
        serde_json::to_string(&report).unwrap_or_default()
    );
    match store(&site, report.clone(), now, raw.as_bytes(), now).await {
        Ok((id, _)) => page(form::TITLE, &form::filed(id)).into_response(),
        Err((status, why)) => again(&site, status, &report, Some(&why)).await,
    }
}

async fn tell(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    body: Bytes,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let told: Told = match serde_json::from_slice(&body) {
        Ok(told) => told,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let at = match told.at.as_deref().map(moment) {
        None => now,
        Some(Some(at)) => at,
        Some(None) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                "'at' must be a day or an RFC 3339 time",
            );
        }
    };
    let mut report = report(&told, user);
    report.source = match source(&site, &told.source).await {
        Ok(source) => source,
        Err((status, why)) => return refuse(status, &why),
    };
    match store(&site, report, at, &body, now).await {
        Ok((id, accepted)) => {
            let repeat = matches!(accepted, Accepted::Repeat(_));
            Json(json!({ "report": id, "repeat": repeat })).into_response()
        }
        Err((status, why)) => refuse(status, &why),
    }
}

/// What was told, but for its source.
fn report(told: &Told, user: User) -> Report {
    Report {
        about: told.about.clone(),
        via: told.via,
        source: None,
        note: told.note.clone(),
        by: user.0,
        id: told.id.clone(),
    }
}

/// The source that was named, or none: the reports of one that is misspelt would be compared with everybody's.
async fn source(site: &Site, name: &str) -> Result<Option<SourceName>, (StatusCode, String)> {
    let name = name.trim();
    if name.is_empty() || name == UNKNOWN_SOURCE {
        return Ok(None);
    }
    let unknown = || {
        let why = format!(
            "there is no source '{}': give one that `otori source list` shows, or none",
            one_line(name)
        );
        (StatusCode::BAD_REQUEST, why)
    };
    let name: SourceName = name.parse().map_err(|_| unknown())?;
    match site.registry.source(&name).await {
        Ok(source) => Ok(Some(source.name)),
        Err(Error::UnknownSource { .. }) => Err(unknown()),
        Err(error) => {
            tracing::error!(%error, "the sources could not be read");
            let why = "the registry does not answer: try again later".to_owned();
            Err((StatusCode::SERVICE_UNAVAILABLE, why))
        }
    }
}

async fn store(
    site: &Site,
    report: Report,
    at: OffsetDateTime,
    told: &[u8],
    now: OffsetDateTime,
) -> Result<(i64, Accepted), (StatusCode, String)> {
    let message = report.message(at, told, now);
    let message = message.map_err(|why| (StatusCode::BAD_REQUEST, why.to_string()))?;
    let stored = site.intake.accept(message).await;
    let accepted = stored.map_err(|why| (StatusCode::SERVICE_UNAVAILABLE, why.to_string()))?;
    let (Accepted::New(id) | Accepted::Repeat(id)) = accepted;
    Ok((id, accepted))
}
