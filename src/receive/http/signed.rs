//! Requests that are signed with a shared secret.
//!
//! `X-Otori-Signature: sha256=…` is the hex HMAC-SHA-256 of `<timestamp>.<body>`, and
//! `X-Otori-Timestamp` the Unix time in it. An old request is refused.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use time::OffsetDateTime;

use crate::receive::{hex, unhex};
use crate::secret::Secret;

/// How far the clocks of sender and receiver may be apart, in seconds.
const FRESH: i64 = 300;

/// Checks a request; its signature in hex, which names it where it has no name of its own.
///
/// # Errors
/// The answer to a request that is not signed, not by us, or not now.
pub(in crate::receive) fn signed(
    secret: &Secret,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<String, Box<Response>> {
    let refuse = |why| Err(Box::new(refuse(StatusCode::FORBIDDEN, why)));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(timestamp), Some(signature)) =
        (header("x-otori-timestamp"), header("x-otori-signature"))
    else {
        // Whoever has no secret need not be told whose door this is; the README names the headers.
        return refuse("the request is not signed");
    };
    let given = signature.strip_prefix("sha256=").and_then(unhex);
    let given = given.unwrap_or_default();
    if !secret.signed_sha256(&[timestamp.as_bytes(), b".", body], &given) {
        return refuse("the signature is wrong");
    }
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let fresh = |at: i64| now.checked_sub(at).is_some_and(|age| age.abs() <= FRESH);
    if !timestamp.parse().is_ok_and(fresh) {
        return refuse("the timestamp is not within five minutes of now");
    }
    Ok(hex(&given))
}

/// Why a request was not taken.
pub(in crate::receive) fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
