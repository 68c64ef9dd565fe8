//! Attempts to log in, or to have a password reset, with a canary's address: whoever makes them has the
//! list.
//!
//! The source's own application tells of every attempt by a signed webhook (`/hooks/login`), since it
//! cannot know which are canaries'. Those of real customers are not kept, not even in the log, and the
//! answer is the same for both and takes the same time: the application, and whoever watches it, must not
//! learn from it who is a canary.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use super::http::{Peer, Site, refuse, signed};
use super::in_time;
use crate::canary::Channel;
use crate::registry::{Mark, NewMessage};

/// A body is a JSON document of a few hundred bytes.
const BODY: usize = 16 << 10;
/// Answers come at multiples of this after the request, so that storing does not show.
const BEAT: Duration = Duration::from_millis(50);
/// A registry that takes longer to answer is asked again by the application.
const PATIENCE: Duration = Duration::from_secs(15);

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// To log in.
    Login,
    /// To have a password set anew.
    PasswordReset,
    /// To open an account.
    SignUp,
}

/// The body of the webhook.
#[derive(Deserialize)]
struct Attempt {
    /// The mail address or telephone number that was typed.
    account: String,
    kind: Kind,
    /// From where.
    ip: IpAddr,
    #[serde(default)]
    user_agent: String,
    at: Option<String>,
    id: Option<String>,
}

/// What is stored beside the raw body.
#[derive(Serialize)]
struct Envelope<'a> {
    peer: IpAddr,
    from: IpAddr,
    kind: Kind,
    user_agent: &'a str,
    at: Option<&'a str>,
    id: &'a str,
}

/// The route; without a secret there is none.
pub(super) fn routes(site: &Site) -> Router<Arc<Site>> {
    let mut routes = Router::new();
    if site.login_secret.is_some() {
        routes = routes.route("/hooks/login", post(login));
    }
    routes.layer(DefaultBodyLimit::max(BODY))
}

async fn login(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let begun = Instant::now();
    let Some(secret) = &site.login_secret else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let signature = match signed(secret, &headers, &body) {
        Ok(signature) => signature,
        Err(refused) => return *refused,
    };
    let attempt: Attempt = match serde_json::from_slice(&body) {
        Ok(attempt) => attempt,
        // The parser's words could hold what was typed.
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            let wanted = "'account', 'kind' (login, password_reset or sign_up) and 'ip' are wanted";
            return refuse(StatusCode::BAD_REQUEST, &format!("{wanted} ({place})"));
        }
    };
    let at_is_time = |at: &String| OffsetDateTime::parse(at, &Rfc3339).is_ok();
    if attempt.account.is_empty() || !attempt.at.as_ref().is_none_or(at_is_time) {
        let why = "'account' must not be empty, and 'at' must be an RFC 3339 time";
        return refuse(StatusCode::BAD_REQUEST, why);
    }
    let kept = keep(&site, peer.0, &attempt, &signature, &body).await;
    let beats = begun.elapsed().div_duration_f64(BEAT).ceil();
    tokio::time::sleep_until(begun + BEAT.mul_f64(beats)).await;
    match kept {
        Ok(()) => Json(json!({ "accepted": true })).into_response(),
        Err(NotKept) => refuse(StatusCode::SERVICE_UNAVAILABLE, "try again"),
    }
}

struct NotKept;

/// Stores an attempt with a canary's address or number.
async fn keep(
    site: &Site,
    peer: IpAddr,
    attempt: &Attempt,
    signature: &str,
    body: &[u8],
) -> Result<(), NotKept> {
    let account = &attempt.account;
    let mark = match account.contains('@') {
        true => Mark::Email,
        false => Mark::Phone,
    };
    let canary = in_time(PATIENCE, site.registry.bears(mark, account)).await;
    match canary {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(error) => {
            tracing::error!(%error, "an account could not be looked up");
            return Err(NotKept);
        }
    }
    let id = attempt.id.as_deref().unwrap_or(signature);
    let envelope = Envelope {
        peer,
        from: attempt.ip.to_canonical(),
        kind: attempt.kind,
        user_agent: &attempt.user_agent,
        at: attempt.at.as_deref(),
        id,
    };
    let message = NewMessage {
        at: OffsetDateTime::now_utc(),
        channel: Channel::Login,
        envelope: serde_json::to_string(&envelope).map_err(|_| NotKept)?,
        recipients: vec![account.clone()],
        raw: body.to_vec(),
        same_as: Some(format!("login {id}")),
    };
    let stored = site.intake.accept(message).await;
    stored.map(|_| ()).map_err(|_| NotKept)
}
