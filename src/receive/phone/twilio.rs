//! Twilio's webhooks. A request is Twilio's if it is signed: base64 of HMAC-SHA-1, by the account's
//! auth token, of the public URL followed by all parameters in alphabetical order.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Contact;
use crate::canary::Channel;
use crate::receive::http::{Peer, Site};
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
    let parameters: Vec<(String, String)> =
        url::form_urlencoded::parse(body).into_owned().collect();
    let signature = headers.get("x-twilio-signature");
    let signature = signature.and_then(|value| value.to_str().ok());
    let path = uri
        .path_and_query()
        .map_or(uri.path(), |path| path.as_str());
    if !signature.is_some_and(|signature| twilio.signed(path, &parameters, signature)) {
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
    let id = get(hook.id);
    if id.is_empty() || get("To").is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let contact = Contact {
        peer: peer.0,
        provider: "twilio",
        from: get("From"),
        to: get("To"),
        text: get(hook.text),
        at: None,
        id,
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
