//! Twilio's webhooks. A request is Twilio's if it is signed: base64 of HMAC-SHA-1, by the account's
//! auth token, of the public URL followed by all parameters in alphabetical order. Of a JSON body the URL says
//! the SHA-256 (`bodySHA256`), and no parameter is signed beside it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Contact;
use crate::canary::Channel;
use crate::receive::hex;
use crate::receive::http::{Peer, Site};
use crate::registry::{self, Message};
use crate::secret::Secret;

/// What Twilio's webhooks need.
pub(in crate::receive) struct Twilio {
    /// The account's auth token.
    pub token: Secret,
    /// The public address without a slash at its end.
    pub public_url: String,
}

impl Twilio {
    /// Whether `signature` is that of a request to `path` with these parameters.
    fn signed(&self, path: &str, parameters: &[(String, String)], signature: &str) -> bool {
        let Ok(given) = STANDARD.decode(signature) else {
            return false;
        };
        let mut sorted: Vec<_> = parameters.iter().collect();
        sorted.sort();
        sorted.dedup();
        let mut parts = vec![self.public_url.as_bytes(), path.as_bytes()];
        for (name, value) in sorted {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
        self.token.signed_sha1(&parts, &given)
    }
}

/// One of its webhooks: which parameters hold what, and what is answered.
struct Hook {
    channel: Channel,
    id: &'static str,
    text: &'static str,
    answer: &'static str,
}

/// An incoming call: it is declined, as a number out of service declines it.
const VOICE: Hook = Hook {
    channel: Channel::Phone,
    id: "CallSid",
    text: "",
    answer: "<Response><Reject/></Response>",
};

/// An incoming text message: nothing is answered.
const SMS: Hook = Hook {
    channel: Channel::Sms,
    id: "MessageSid",
    text: "Body",
    answer: "<Response/>",
};

/// What was said after the tone, in words: a contact of its own beside its call, since it may say a name.
const TRANSCRIPTION: Hook = Hook {
    channel: Channel::Phone,
    id: "TranscriptionSid",
    text: "TranscriptionText",
    answer: "<Response/>",
};

/// A recording is ready: what is told of it is kept with its call, and nothing is fetched.
const RECORDING: Hook = Hook {
    channel: Channel::Phone,
    id: "RecordingSid",
    text: "",
    answer: "<Response/>",
};

/// The routes of all of them.
pub(super) fn routes() -> Router<Arc<Site>> {
    let taking = |hook: &'static Hook| {
        post(
            move |State(site): State<Arc<Site>>,
                  Extension(peer): Extension<Peer>,
                  uri: Uri,
                  headers: HeaderMap,
                  body: Bytes| async move {
                take(hook, &site, peer, &uri, &headers, &body).await
            },
        )
    };
    Router::new()
        .route("/hooks/twilio/voice", taking(&VOICE))
        .route("/hooks/twilio/sms", taking(&SMS))
        .route("/hooks/twilio/transcription", taking(&TRANSCRIPTION))
        .route("/hooks/twilio/recording", taking(&RECORDING))
}

async fn take(
    hook: &Hook,
    site: &Site,
    peer: Peer,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    let Some(twilio) = &site.twilio else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some((parameters, signed)) = parameters(uri, body) else {
        tracing::warn!(path = uri.path(), "a Twilio webhook with another body");
        return StatusCode::FORBIDDEN.into_response();
    };
    // A JSON document is signed as a whole.
    let covered = if signed { &parameters[..] } else { &[] };
    let signature = headers.get("x-twilio-signature");
    let signature = signature.and_then(|value| value.to_str().ok());
    let path = uri
        .path_and_query()
        .map_or(uri.path(), |path| path.as_str());
    if !signature.is_some_and(|signature| twilio.signed(path, covered, signature)) {
        tracing::warn!(
            path = uri.path(),
            "a Twilio webhook without a right signature"
        );
        return StatusCode::FORBIDDEN.into_response();
    }
    let get = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let (mut id, mut call) = (get(hook.id), None);
    let (mut from, mut to) = (get("From").to_owned(), get("To").to_owned());
    if id.is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if hook.id == RECORDING.id {
        match known(site, get("CallSid")).await {
            Ok(Some(known)) => {
                to = known.recipients.into_iter().next().unwrap_or_default();
                from.clear();
                call = Some(known.id);
            }
            // The first that we hear of the call, if it says whom it was for.
            Ok(None) => id = get("CallSid"),
            Err(error) => {
                tracing::error!(%error, "a recording could not be taken");
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
        }
    }
    if id.is_empty() || (to.is_empty() && call.is_none()) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let contact = Contact {
        peer: peer.0,
        provider: "twilio",
        from: &from,
        to: &to,
        text: get(hook.text),
        at: None,
        id,
        call,
    };
    let same_as = format!("twilio {id}");
    match contact
        .store(site, hook.channel, body.to_vec(), same_as)
        .await
    {
        Ok(_) => (
            [(header::CONTENT_TYPE, "text/xml; charset=utf-8")],
            hook.answer,
        )
            .into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What a request says, and whether its signature covers these parameters one by one; else, by the hash in its
/// URL, it covers the whole body. Nothing, if the body is not the one that the URL names.
fn parameters(uri: &Uri, body: &[u8]) -> Option<(Vec<(String, String)>, bool)> {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let hash = query.into_owned().find(|(name, _)| name == "bodySHA256");
    let Some((_, hash)) = hash else {
        let form = url::form_urlencoded::parse(body);
        return Some((form.into_owned().collect(), true));
    };
    if !hash.eq_ignore_ascii_case(&hex(&Sha256::digest(body))) {
        return None;
    }
    let object: serde_json::Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let texts = object.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    });
    Some((texts.collect(), false))
}

/// The call of that id, if we were told of it.
async fn known(site: &Site, call: &str) -> registry::Result<Option<Message>> {
    match site.registry.stored_as(&format!("twilio {call}")).await? {
        Some(message) => site.registry.message(message).await,
        None => Ok(None),
    }
}
