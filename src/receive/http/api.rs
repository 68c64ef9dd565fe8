//! The API: the JSON that the command line prints.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Site;
use crate::canary::{IncidentsDocument, SightingsDocument};
use crate::registry::{Error, Heard, SightingFilter};

/// Which sightings: `?source=…&since=…&limit=…`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    source: Option<String>,
    since: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn sightings(
    State(site): State<Arc<Site>>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let source = wanted.source.map(|name| name.parse()).transpose();
    let since = wanted.since.map(|at| OffsetDateTime::parse(&at, &Rfc3339));
    let (source, since) = match (source, since.transpose()) {
        (Ok(source), Ok(since)) => (source, since),
        (Err(error), _) => return refuse(&error),
        (_, Err(error)) => return refuse(&error),
    };
    let limit = Some(wanted.limit.unwrap_or(1000));
    let filter = SightingFilter {
        source,
        since,
        limit,
    };
    let now = OffsetDateTime::now_utc();
    let calls = site.registry.calls_say(filter.source.as_ref(), now).await;
    match (site.registry.sightings(&filter).await, calls) {
        (Ok(sightings), Ok(calls)) => {
            let sightings = SightingsDocument::new(&sightings);
            Json(Heard { sightings, calls }).into_response()
        }
        (Err(error), _) | (_, Err(error)) => failed(&error),
    }
}

pub(super) async fn incidents(State(site): State<Arc<Site>>) -> Response {
    match site.registry.incidents().await {
        Ok(incidents) => Json(IncidentsDocument::new(&incidents)).into_response(),
        Err(error) => failed(&error),
    }
}

fn refuse(error: &dyn std::error::Error) -> Response {
    let answer = Json(json!({ "error": error.to_string() }));
    (StatusCode::BAD_REQUEST, answer).into_response()
}

/// The registry failed: what it said is for the log.
pub(super) fn failed(error: &Error) -> Response {
    tracing::error!(%error, "a page could not be made");
    let answer = Json(json!({ "error": "the registry failed; see the receiver's log" }));
    (StatusCode::SERVICE_UNAVAILABLE, answer).into_response()
}
