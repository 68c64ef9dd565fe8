//! The time-stamping authority, asked over HTTP (RFC 3161, 3.4).

use std::path::Path;

use rand::RngExt;
use rustls::pki_types::CertificateDer;

use super::http::{Http, http_url};
use super::{Error, PublishConfig};
use crate::evidence::{Stamp, StampRequest};
use crate::registry::SignedCheckpoint;
use crate::roots;

/// An authority, and who vouches for it.
pub struct Authority {
    url: url::Url,
    roots: Vec<CertificateDer<'static>>,
}

/// The certificates of the authorities that the configuration trusts.
///
/// # Errors
/// The file cannot be read, or holds no certificate.
pub fn roots(config: &PublishConfig, dir: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let Some(file) = &config.tsa_roots else {
        return Ok(Vec::new());
    };
    Ok(roots::read(&dir.join(file))?)
}

impl Authority {
    pub(super) fn new(config: &PublishConfig, dir: &Path) -> Result<Option<Authority>, Error> {
        let Some(url) = &config.tsa else {
            return Ok(None);
        };
        Ok(Some(Authority {
            url: http_url("tsa", url)?,
            roots: roots(config, dir)?,
        }))
    }

    /// A token over a checkpoint's note, which holds.
    pub(super) async fn stamp(
        &self,
        http: &Http,
        checkpoint: &SignedCheckpoint,
    ) -> Result<Vec<u8>, Error> {
        let message = checkpoint.note.as_bytes();
        let request = StampRequest::new(message, rand::rng().random());
        let kind = "application/timestamp-query";
        let answer = http.post(&self.url, kind, request.der().to_vec()).await?;
        if answer.status != 200 {
            let host = self.url.host_str().unwrap_or_default();
            let status = answer.status;
            return Err(Error::Answer(format!("{host} answered HTTP {status}")));
        }
        let token = request.token(&answer.body)?;
        // What does not hold today will not in court.
        Stamp::open(&token, message, &self.roots)?;
        Ok(token)
    }
}
