//! STARTTLS, with a certificate that is read again when its files change: whoever renews it need not
//! stop the receiver, and no client is turned away meanwhile.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use cms::cert::x509::Certificate;
use der::Decode;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::metrics::metrics;
use crate::receive::{Error, TlsConfig};
use crate::workspace::read_private;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Makes aws-lc the process's cryptography, once; a choice made earlier stands.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that somebody has chosen already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// What tells one content of a file from the next: who writes it anew moves its time, and who puts
/// another in its place its number.
type Stamp = Option<(u64, u64, SystemTime)>;

/// The certificate and key in use. Clones share them.
#[derive(Clone)]
pub struct Tls {
    certificate: Arc<Path>,
    key: Arc<Path>,
    /// Nothing before there are files.
    current: Arc<RwLock<Option<TlsAcceptor>>>,
    /// The files as they were when they were last read, whatever came of it.
    seen: Arc<Mutex<[Stamp; 2]>>,
}

impl Tls {
    /// Reads certificate and key; relative paths start at `dir`.
    ///
    /// # Errors
    /// A file cannot be read, is not PEM, or others may read the key; or the two do not fit.
    pub fn load(config: &TlsConfig, dir: &Path) -> Result<Tls, Error> {
        let certificate = dir.join(&config.certificate);
        let key = dir.join(&config.key);
        // Looked at before they are read: what changes in between is read again.
        let seen = [stamp(&certificate), stamp(&key)];
        let acceptor = acceptor(&certificate, &key)?;
        Ok(Tls {
            certificate: certificate.into(),
            key: key.into(),
            current: Arc::new(RwLock::new(Some(acceptor))),
            seen: Arc::new(Mutex::new(seen)),
        })
    }

    /// Files that somebody else will write: read when they are there.
    pub fn awaited(config: &TlsConfig) -> Tls {
        let tls = Tls {
            certificate: config.certificate.as_path().into(),
            key: config.key.as_path().into(),
            current: Arc::default(),
            seen: Arc::default(),
        };
        tls.refresh();
        tls
    }

    /// For the next handshake; `None` as long as there is no certificate.
    pub fn acceptor(&self) -> Option<TlsAcceptor> {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the files every few seconds, for ever.
    pub async fn keep_fresh(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let this = self.clone();
            // Files may lie on a share that is slow to answer.
            let _ = tokio::task::spawn_blocking(move || this.refresh()).await;
        }
    }

    /// Reads the files again, changed or not.
    ///
    /// # Errors
    /// They cannot be used; the former ones stay in use.
    pub fn reload(&self) -> Result<(), Error> {
        let acceptor = acceptor(&self.certificate, &self.key)?;
        let current = self.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = Some(acceptor);
        Ok(())
    }

    /// Reads the files again if they have changed. Those that do not fit each other (one renewed, the
    /// other not yet) or cannot be read leave the former ones in use.
    fn refresh(&self) {
        let now = [stamp(&self.certificate), stamp(&self.key)];
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == now {
                return;
            }
            *seen = now;
        }
        match acceptor(&self.certificate, &self.key) {
            Ok(acceptor) => {
                let current = self.current.write();
                *current.unwrap_or_else(PoisonError::into_inner) = Some(acceptor);
                tracing::info!("the certificate for STARTTLS was read again");
            }
            Err(error) => {
                tracing::error!(%error, "the former certificate for STARTTLS stays in use");
            }
        }
    }
}

/// When a certificate ends, since 1970.
pub fn ends(certificate: &CertificateDer<'_>) -> Option<Duration> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let until = certificate.tbs_certificate.validity.not_after;
    Some(until.to_unix_duration())
}

fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let file = std::fs::metadata(path).ok()?;
    Some((file.ino(), file.len(), file.modified().ok()?))
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Error> {
    install_crypto();
    let wrong = |path: &Path, message: String| Error::Tls {
        path: PathBuf::from(path),
        message,
    };
    let certificates = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, error.to_string()))?;
    if let Some(until) = certificates.first().and_then(ends) {
        metrics().certificate_until(until.as_secs());
    }
    let pem = zeroize::Zeroizing::new(read_private(key).map_err(crate::secret::Error::from)?);
    let private = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| wrong(key, error.to_string()))?;
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| wrong(certificate, error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(server)))
}
