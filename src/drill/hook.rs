//! A call as the telephone provider reports it: the same form or document, signed with the same secret,
//! to the same address. What is not in it is the provider itself.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::OffsetDateTime;

use super::Error;
use crate::evidence::hex;
use crate::relay::is_loopback;
use crate::secret::Secret;

/// Whoever takes longer has not answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the receiver knows the provider.
enum Signs {
    Twilio(Secret),
    Generic(Secret),
}

/// Reports drills' calls to the receiver's webhook.
pub struct Hook {
    base: String,
    signs: Signs,
}

impl Hook {
    /// Reports as Twilio does, to the receiver at that address.
    pub fn twilio(base: &str, token: Secret) -> Hook {
        Hook {
            base: base.trim_end_matches('/').to_owned(),
            signs: Signs::Twilio(token),
        }
    }

    /// Reports as a telephone system of one's own does.
    pub fn generic(base: &str, secret: Secret) -> Hook {
        Hook {
            base: base.trim_end_matches('/').to_owned(),
            signs: Signs::Generic(secret),
        }
    }

    /// Reports a call; when this returns, the receiver has answered 2xx.
    ///
    /// # Errors
    /// It cannot be reached, or answered otherwise.
    pub async fn call(&self, from: &str, to: &str, token: &str) -> Result<(), Error> {
        let (path, headers, body) = match &self.signs {
            Signs::Twilio(secret) => self.form(secret, from, to, token),
            Signs::Generic(secret) => document(secret, from, to, token),
        };
        let place = format!("{}{path}", self.base);
        let url = url::Url::parse(&place).map_err(|_| Error::Url(path.to_owned()))?;
        // A URL may hold a secret, and this is told in alerts.
        let place = format!("{}{path}", url.host_str().unwrap_or_default());
        let unreachable = |error: reqwest::Error| Error::Unreachable {
            place: place.clone(),
            why: root(&error),
        };
        let mut client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&url) {
            client = client.no_proxy();
        }
        let mut request = client.build().map_err(unreachable)?.post(url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let status = request.send().await.map_err(unreachable)?.status();
        match status.is_success() {
            true => Ok(()),
            false => Err(Error::Answered {
                place,
                status: status.as_u16(),
            }),
        }
    }

    /// Twilio signs the address and the sorted fields.
    fn form(&self, secret: &Secret, from: &str, to: &str, token: &str) -> Request {
        const PATH: &str = "/hooks/twilio/voice";
        let sid = format!("CA{token}");
        let mut fields = [
            ("ApiVersion", "2010-04-01"),
            ("CallSid", sid.as_str()),
            ("CallStatus", "ringing"),
            ("Called", to),
            ("Caller", from),
            ("Direction", "inbound"),
            ("From", from),
            ("To", to),
        ];
        fields.sort_unstable();
        let mut parts = vec![self.base.as_bytes(), PATH.as_bytes()];
        for (name, value) in fields {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
        let signature = STANDARD.encode(secret.hmac_sha1(&parts));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let headers = vec![
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
            ("x-twilio-signature", signature),
        ];
        (PATH, headers, body)
    }
}

type Request = (&'static str, Vec<(&'static str, String)>, String);

fn document(secret: &Secret, from: &str, to: &str, token: &str) -> Request {
    let body = json!({ "to": to, "from": from, "kind": "call", "id": token }).to_string();
    let at = OffsetDateTime::now_utc().unix_timestamp().to_string();
    let signature = secret.hmac_sha256(&[at.as_bytes(), b".", body.as_bytes()]);
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("x-otori-timestamp", at),
        ("x-otori-signature", format!("sha256={}", hex(&signature))),
    ];
    ("/hooks/phone", headers, body)
}

/// What lies at the bottom of an error: `connection refused` rather than the layers above it.
fn root(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
