//! Who may open what: HTTP Basic credentials, and a check that a form was sent from our own page.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{Site, api, page};
use crate::custody::{PersonConfig, Right, Role};
use crate::evidence::Act;
use crate::receive::Error;
use crate::secret::Secret;

struct Person {
    name: String,
    token: Secret,
    role: Role,
}

/// The name of whoever sent a request.
#[derive(Clone)]
pub(in crate::receive) struct User(pub String);

/// Those who have credentials.
pub(in crate::receive) struct Door {
    people: Vec<Person>,
    /// Scheme and host of the public address.
    public_origin: Option<String>,
}

impl Door {
    /// Reads the tokens.
    ///
    /// # Errors
    /// A token cannot be read, others can read it, or it is too short; the public address is none.
    pub fn new(
        people: &[PersonConfig],
        public_url: Option<&str>,
        dir: &Path,
    ) -> Result<Door, Error> {
        let mut known: Vec<Person> = Vec::new();
        for person in people {
            known.push(Person {
                name: person.name.clone(),
                token: Secret::read(dir, &person.token_file)?,
                role: person.role,
            });
        }
        let public_origin = match public_url.map(url::Url::parse) {
            Some(Ok(url)) if matches!(url.scheme(), "http" | "https") => {
                Some(url.origin().ascii_serialization())
            }
            Some(_) => {
                let message = "public_url must be like https://hooks.shop.example".to_owned();
                return Err(Error::Config(message));
            }
            None => None,
        };
        Ok(Door {
            people: known,
            public_origin,
        })
    }

    /// Whom the credentials belong to.
    fn person(&self, headers: &HeaderMap) -> Option<&Person> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, given) = given.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let given = String::from_utf8(STANDARD.decode(given.trim()).ok()?).ok()?;
        let (name, token) = given.split_once(':')?;
        // Every token is compared, so that the time taken does not tell which names there are.
        let mut found = None;
        for person in &self.people {
            if person.token.is(token) && person.name == name {
                found = Some(person);
            }
        }
        found
    }

    /// Whether a request that changes something comes from our own page, or from no page at all.
    fn same_origin(&self, headers: &HeaderMap) -> bool {
        let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(site) = get("sec-fetch-site") {
            return matches!(site, "same-origin" | "none");
        }
        let Some(origin) = get("origin") else {
            // Browsers always say it where it matters.
            return true;
        };
        let own = get("host").is_some_and(|host| {
            origin == format!("http://{host}") || origin == format!("https://{host}")
        });
        own || self.public_origin.as_deref() == Some(origin)
    }
}

/// Lets in whose role has the right; that a person without it knocked is recorded.
pub(super) async fn check(
    State((site, right)): State<(Arc<Site>, Right)>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let Some(person) = site.door.person(headers) else {
        let challenge = [(
            header::WWW_AUTHENTICATE,
            "Basic realm=\"Restricted\", charset=\"UTF-8\"",
        )];
        return (StatusCode::UNAUTHORIZED, challenge, "401 Unauthorized\n").into_response();
    };
    if !person.role.may(right) {
        let act = Act::Refused {
            what: request.uri().path().chars().take(100).collect(),
            why: format!("the role {} may not {}", person.role.name(), right.words()),
        };
        let registry = site.registry.clone().acting_as(&person.name);
        if let Err(error) = registry.record(act, OffsetDateTime::now_utc()).await {
            return api::failed(&error);
        }
        return (StatusCode::FORBIDDEN, "403 Forbidden\n").into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && !site.door.same_origin(headers) {
        return (
            StatusCode::FORBIDDEN,
            "403 Forbidden: sent from another site\n",
        )
            .into_response();
    }
    let user = User(person.name.clone());
    request.extensions_mut().insert(user);
    next.run(request).await
}

/// No script, no frame, nothing from elsewhere: only our one style sheet, and our own pictures of letters.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(page::STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 and ASCII words are a header value")
});

/// Puts the security headers on every answer.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        // Not 'no-referrer': browsers would then say `Origin: null` of our own form.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
