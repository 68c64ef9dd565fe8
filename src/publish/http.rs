//! One request, one answer, in bounded time and space.

use std::path::Path;
use std::time::Duration;

use super::{Error, PublishConfig};

/// Whoever has not answered within this time is tried again later.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer of these protocols comes near it.
const LARGEST: usize = 1 << 20;

/// The client. It follows no redirection: the operator named the place, and no other.
pub struct Http(reqwest::Client);

/// What came back.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Http {
    /// A client.
    ///
    /// # Errors
    /// A root certificate does not read.
    pub fn new(config: &PublishConfig, dir: &Path) -> Result<Http, Error> {
        let wrong = |error: reqwest::Error| Error::Config(error.to_string());
        let mut builder = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(file) = &config.http_roots {
            let path = dir.join(file);
            for root in crate::roots::read(&path)? {
                let root = reqwest::Certificate::from_der(&root);
                let broken =
                    |error| Error::Config(format!("http_roots: {}: {error}", path.display()));
                builder = builder.add_root_certificate(root.map_err(broken)?);
            }
        }
        Ok(Http(builder.build().map_err(wrong)?))
    }

    /// Sends a body.
    ///
    /// # Errors
    /// The host cannot be reached, or its answer is too large. The URL, which may hold a secret, is not told.
    pub async fn post(&self, url: &url::Url, kind: &str, body: Vec<u8>) -> Result<Answer, Error> {
        let failed = |error: reqwest::Error| {
            let host = url.host_str().unwrap_or_default();
            let error = error.without_url();
            // The error itself says little; what lies below it says why.
            let mut why = error.to_string();
            let mut below = std::error::Error::source(&error);
            while let Some(error) = below {
                why = format!("{why}: {error}");
                below = error.source();
            }
            Error::Http(format!("{host}: {why}"))
        };
        let request = self.0.post(url.clone()).header("content-type", kind);
        let mut response = request.body(body).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                let host = url.host_str().unwrap_or_default();
                return Err(Error::Answer(format!("{host} answers without end")));
            }
        }
        Ok(Answer { status, body })
    }
}

/// A URL of the configuration that is one for HTTP.
pub fn http_url(what: &str, text: &str) -> Result<url::Url, Error> {
    let wrong = |why: String| Error::Config(format!("{what}: {why}"));
    let url = url::Url::parse(text)
        .map_err(|error| wrong(format!("must be like https://host/path: {error}")))?;
    match matches!(url.scheme(), "http" | "https") && url.host_str().is_some() {
        true => Ok(url),
        false => Err(wrong("must be like https://host/path".to_owned())),
    }
}
