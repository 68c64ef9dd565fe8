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
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Error::None(path.to_owned())),
    }
}
