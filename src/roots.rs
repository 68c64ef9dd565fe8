//! Root certificates of authorities that the world does not know: a house's own, or one of timestamps.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Why a file gives no roots.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no PEM, or one without a certificate.
    #[error("{0} holds no certificate in PEM")]
    None(PathBuf),
    /// One of its certificates is broken.
    #[error("{path}: certificate {number} is broken: {why}")]
    Broken {
        /// Which file.
        path: PathBuf,
        /// Which of them, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// The certificates in a PEM file, of which there must be one.
///
/// # Errors
/// The file cannot be read, or holds no certificate, or one that is broken.
pub fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = std::fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    let mut found = Vec::new();
    for (place, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
        found.push(certificate.map_err(|error| Error::Broken {
            path: path.to_owned(),
            number: place + 1,
            why: error.to_string(),
        })?);
    }
    match found.is_empty() {
        false => Ok(found),
        true => Err(Error::None(path.to_owned())),
    }
}
