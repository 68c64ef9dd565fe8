//! STARTTLS.

use std::path::Path;
use std::sync::{Arc, Once};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::receive::{Error, TlsConfig};
use crate::workspace::read_private;

/// Makes aws-lc the process's cryptography, once; a choice made earlier stands.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that somebody has chosen already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// Reads certificate and key; relative paths start at `dir`.
///
/// # Errors
/// A file cannot be read, is not PEM, or others may read the key; or the two do not fit.
pub fn acceptor(config: &TlsConfig, dir: &Path) -> Result<TlsAcceptor, Error> {
    install_crypto();
    let wrong = |path: &Path, message: String| Error::Tls {
        path: path.to_owned(),
        message,
    };
    let path = dir.join(&config.certificate);
    let certificates = CertificateDer::pem_file_iter(&path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&path, error.to_string()))?;
    let key_path = dir.join(&config.key);
    let pem = zeroize::Zeroizing::new(read_private(&key_path).map_err(crate::secret::Error::from)?);
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| wrong(&key_path, error.to_string()))?;
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| wrong(&path, error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(server)))
}
