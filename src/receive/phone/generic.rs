//! A signed webhook for any telephone system that can send one.
//!
//! An old request is refused, and a fresh one that comes twice counts once.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Contact;
use crate::canary::Channel;
use crate::receive::Accepted;
use crate::receive::http::{Peer, Site, refuse, signed};

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Call,
    Sms,
}

/// The body of the webhook; further fields are kept with the raw body.
#[derive(Deserialize)]
struct Report {
    to: String,
    #[serde(default)]
    from: String,
    kind: Kind,
    #[serde(default)]
    text: String,
    at: Option<String>,
    id: Option<String>,
}

/// A call or a text message, told by a telephone system.
pub(super) async fn phone(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(secret) = &site.phone_secret else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let signed = match signed(secret, &headers, &body) {
        Ok(signature) => signature,
        Err(refused) => return *refused,
    };
    let report: Report = match serde_json::from_slice(&body) {
        Ok(report) => report,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let at_is_time = |at: &String| OffsetDateTime::parse(at, &Rfc3339).is_ok();
    if report.to.is_empty() || !report.at.as_ref().is_none_or(at_is_time) {
        return refuse(
            StatusCode::BAD_REQUEST,
            "'to' must be a number, and 'at' an RFC 3339 time",
        );
    }
    // Without an id the request itself is one: the same bytes at the same second.
    let id = report.id.as_deref().unwrap_or(&signed);
    let contact = Contact {
        peer: peer.0,
        provider: "generic",
        from: &report.from,
        to: &report.to,
        text: &report.text,
        at: report.at.as_deref(),
        id,
        call: None,
    };
    let channel = match report.kind {
        Kind::Call => Channel::Phone,
        Kind::Sms => Channel::Sms,
    };
    let same_as = format!("phone {id}");
    match contact.store(&site, channel, body.to_vec(), same_as).await {
        Ok(accepted) => {
            let repeat = matches!(accepted, Accepted::Repeat(_));
            Json(json!({ "accepted": true, "repeat": repeat })).into_response()
        }
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}
