//! Vonage's webhooks, signed in one of two ways.
//!
//! The Voice and Messages APIs send `Authorization: Bearer` and a JSON web token (RFC 7519) under HMAC-SHA-256 by
//! the account's signature secret, which says when it was made (`iat`) and what the body hashes to
//! (`payload_hash`, SHA-256 in hexadecimal). The older SMS API puts `sig` among the parameters: all others in
//! alphabetical order, each as `&name=value` with `&` and `=` in the value made `_`, under MD5 with the secret
//! behind, or under an HMAC. Its length says which; the account's settings choose it, and SHA-256 is to be
//! preferred.
//!
//! A request that was signed more than five minutes ago is refused, and a fresh one that comes twice counts once.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::Contact;
use crate::canary::Channel;
use crate::receive::http::{Peer, Site, refuse};
use crate::receive::{hex, unhex};
use crate::secret::Secret;

/// How far Vonage's clock and ours may be apart, in seconds, and how long a request may be under way.
const FRESH: i64 = 300;

/// A webhook's parameters, in alphabetical order.
type Parameters = BTreeMap<String, String>;

/// The routes of all of them.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/hooks/vonage/answer", post(answer))
        .route("/hooks/vonage/event", post(event))
        // The SMS API asks by GET where an account is set so.
        .route("/hooks/vonage/sms", post(sms).get(sms))
}

/// An incoming call. An empty call control object ends it, unanswered.
async fn answer(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parameters = match by_token(&site, &headers, &body) {
        Ok(parameters) => parameters,
        Err(refused) => return *refused,
    };
    call(&site, peer, &parameters, &body, json!([])).await
}

/// What becomes of a call. One whose beginning we were told of is known; one that we were not told of counts
/// now.
async fn event(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parameters = match by_token(&site, &headers, &body) {
        Ok(parameters) => parameters,
        Err(refused) => return *refused,
    };
    let get = |name: &str| parameters.get(name).map_or("", String::as_str);
    // Events of other kinds (a recording, an error) carry no direction.
    if get("direction") != "inbound" || get("uuid").is_empty() {
        return Json(json!({})).into_response();
    }
    match site.registry.stored_as(&named(get("uuid"))).await {
        Ok(Some(_)) => Json(json!({})).into_response(),
        Ok(None) => call(&site, peer, &parameters, &body, json!({})).await,
        Err(error) => {
            tracing::error!(%error, "a call's event could not be taken");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn call(
    site: &Site,
    peer: Peer,
    parameters: &Parameters,
    body: &Bytes,
    answer: Value,
) -> Response {
    let get = |name: &str| parameters.get(name).map_or("", String::as_str);
    let contact = Contact {
        peer: peer.0,
        provider: "vonage",
        from: get("from"),
        to: get("to"),
        text: "",
        at: parameters.get("timestamp").map(String::as_str),
        id: get("uuid"),
        call: None,
    };
    store(site, &contact, Channel::Phone, body.to_vec(), answer).await
}

/// A text message, of the Messages API or the SMS API.
async fn sms(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (parameters, raw) = match headers.contains_key(header::AUTHORIZATION) {
        true => match by_token(&site, &headers, &body) {
            Ok(parameters) => (parameters, body.to_vec()),
            Err(refused) => return *refused,
        },
        false => {
            let query = uri.query().unwrap_or_default();
            let raw = match body.is_empty() {
                true => query.as_bytes().to_vec(),
                false => body.to_vec(),
            };
            match by_sig(&site, &headers, &raw) {
                Ok(parameters) => (parameters, raw),
                Err(refused) => return *refused,
            }
        }
    };
    let get = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| parameters.get(*name));
        found.map_or("", String::as_str)
    };
    let contact = Contact {
        peer: peer.0,
        provider: "vonage",
        from: get(["msisdn", "from"]),
        to: get(["to", "to"]),
        text: get(["text", "text"]),
        at: parameters.get("timestamp").map(String::as_str),
        id: get(["messageId", "message_uuid"]),
        call: None,
    };
    store(&site, &contact, Channel::Sms, raw, json!({})).await
}

async fn store(
    site: &Site,
    contact: &Contact<'_>,
    channel: Channel,
    raw: Vec<u8>,
    answer: Value,
) -> Response {
    if contact.id.is_empty() || contact.to.is_empty() {
        return refuse(StatusCode::BAD_REQUEST, "no number called, or no id");
    }
    match contact.store(site, channel, raw, named(contact.id)).await {
        Ok(_) => Json(answer).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The identity under which a call or message of that id is stored.
fn named(id: &str) -> String {
    format!("vonage {id}")
}

/// The claims that count.
#[derive(Deserialize)]
struct Claims {
    iat: i64,
    payload_hash: String,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
}

/// The parameters of a JSON body that a token stands for.
fn by_token(site: &Site, headers: &HeaderMap, body: &[u8]) -> Result<Parameters, Box<Response>> {
    let Some(secret) = &site.vonage_secret else {
        return Err(Box::new(StatusCode::NOT_FOUND.into_response()));
    };
    let given = headers.get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer "));
    let Some(claims) = token.and_then(|token| claims(secret, token)) else {
        return Err(forged("the token is missing or not Vonage's"));
    };
    if !fresh(claims.iat) {
        return Err(forged("the token was not made within five minutes of now"));
    }
    if !claims
        .payload_hash
        .eq_ignore_ascii_case(&hex(&Sha256::digest(body)))
    {
        return Err(forged("the token is that of another body"));
    }
    told(body).map_err(|why| Box::new(refuse(StatusCode::BAD_REQUEST, &why)))
}

fn claims(secret: &Secret, token: &str) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    // The algorithm is ours to name, not the token's.
    let head: Head = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    if head.alg != "HS256" || !secret.signed_sha256(&[signed.as_bytes()], &signature) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// The parameters of a form or JSON document whose `sig` is right.
fn by_sig(site: &Site, headers: &HeaderMap, raw: &[u8]) -> Result<Parameters, Box<Response>> {
    let Some(secret) = &site.vonage_secret else {
        return Err(Box::new(StatusCode::NOT_FOUND.into_response()));
    };
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|value| value.to_str().ok());
    let parameters = match kind.is_some_and(|kind| kind.starts_with("application/json")) {
        true => told(raw).map_err(|why| Box::new(refuse(StatusCode::BAD_REQUEST, &why)))?,
        false => url::form_urlencoded::parse(raw).into_owned().collect(),
    };
    let mut others = parameters.clone();
    let sig = others.remove("sig").as_deref().and_then(unhex);
    let signed: String = (others.iter())
        .map(|(name, value)| format!("&{name}={}", value.replace(['&', '='], "_")))
        .collect();
    let right = sig.is_some_and(|sig| secret.signed_by_length(signed.as_bytes(), &sig));
    if !right {
        return Err(forged("'sig' is missing or wrong"));
    }
    let at = parameters.get("timestamp").and_then(|at| at.parse().ok());
    if !at.is_some_and(fresh) {
        return Err(forged("'timestamp' is not within five minutes of now"));
    }
    Ok(parameters)
}

/// A JSON object's texts and numbers.
fn told(body: &[u8]) -> Result<Parameters, String> {
    let object: BTreeMap<String, Value> =
        serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let plain = object.into_iter().filter_map(|(name, value)| {
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((name, value))
    });
    Ok(plain.collect())
}

fn fresh(at: i64) -> bool {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    now.checked_sub(at).is_some_and(|age| age.abs() <= FRESH)
}

fn forged(why: &str) -> Box<Response> {
    tracing::warn!(why, "a Vonage webhook was refused");
    Box::new(refuse(StatusCode::FORBIDDEN, why))
}
