//! A conversation with a provider's server, up to the log-in.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_imap::{Authenticator, Client, Session};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::config::{ImapConfig, ImapTls};
use crate::receive::smtp::install_crypto;
use crate::workspace::read_private;

/// For each step of the conversation.
const PATIENCE: Duration = Duration::from_secs(30);
/// The machine's authorities are read again after so long.
const ROOTS_KEPT: Duration = Duration::from_secs(3600);

/// Why a mailbox could not be read. What the server says itself is not repeated: it may hold an address.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The connection.
    #[error("no connection: {0}")]
    Connection(String),
    /// TLS.
    #[error("no TLS with it: {0}")]
    Tls(String),
    /// The password's file.
    #[error(transparent)]
    Password(#[from] crate::workspace::Error),
    /// User or password.
    #[error("the server refuses user or password; put the right one into password_file")]
    LogIn,
    /// A folder that is not there, or may not be read.
    #[error("the server does not open the folder '{0}'; folders are named as it lists them")]
    Folder(String),
    /// Mails cannot be told from each other.
    #[error("the server numbers no mails in '{0}' (no UIDVALIDITY), so none could be counted once")]
    Numbers(String),
    /// It does not say what a server of IMAP does.
    #[error("the server broke off, or said what cannot be understood")]
    Talk,
    /// It says nothing.
    #[error("the server was silent for too long")]
    Silent,
    /// Not its fault.
    #[error("{0}")]
    Ours(String),
}

impl From<async_imap::error::Error> for Failed {
    fn from(error: async_imap::error::Error) -> Failed {
        match error {
            // What cannot be parsed is quoted in the error's text: a mail.
            async_imap::error::Error::Io(error) if error.kind() != std::io::ErrorKind::Other => {
                Failed::Connection(error.kind().to_string())
            }
            _ => Failed::Talk,
        }
    }
}

/// Any stream under a conversation.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Debug {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + Debug> Stream for S {}

/// A conversation in which we are logged in.
pub(super) type Talk = Session<Box<dyn Stream>>;

/// What a step brings, if it does so in time.
pub(super) async fn in_time<T, E: Into<Failed>>(
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, Failed> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(Failed::Silent),
    }
}

/// Connects and logs in.
pub(super) async fn log_in(config: &ImapConfig, dir: &Path) -> Result<Talk, Failed> {
    let password = Zeroizing::new(read_private(&dir.join(&config.password_file))?);
    let password = password.trim_end_matches(['\r', '\n']);
    let client = client(config, dir).await?;
    let refused = |error| match error {
        async_imap::error::Error::No(_) | async_imap::error::Error::Bad(_) => Failed::LogIn,
        other => other.into(),
    };
    // LOGIN is what every server knows, and takes ASCII alone (RFC 9051, section 6.2.3).
    let ascii = config.user.is_ascii() && password.is_ascii();
    let talk = async {
        match ascii {
            true => client.login(&config.user, password).await,
            false => {
                let plain = Plain(Zeroizing::new(format!("\0{}\0{password}", config.user)));
                client.authenticate("PLAIN", plain).await
            }
        }
        .map_err(|(error, _)| refused(error))
    };
    in_time(talk).await
}

async fn client(config: &ImapConfig, dir: &Path) -> Result<Client<Box<dyn Stream>>, Failed> {
    let address = (config.host.as_str(), config.port());
    let connected = async {
        let stream = TcpStream::connect(address).await;
        stream.map_err(|error| Failed::Connection(error.to_string()))
    };
    let tcp = in_time(connected).await?;
    if config.tls == ImapTls::Implicit {
        let stream = encrypted(config, dir, tcp).await?;
        return greeted(stream).await;
    }
    let mut client = greeted(Box::new(tcp)).await?;
    if config.tls == ImapTls::None {
        return Ok(client);
    }
    let asked = in_time(client.run_command_and_check_ok("STARTTLS", None)).await;
    asked.map_err(|error| match error {
        Failed::Talk => Failed::Tls("it refuses STARTTLS".to_owned()),
        other => other,
    })?;
    // What stood behind the answer in plain text is dropped with the client's buffer (CVE-2011-0411's kind).
    let stream = encrypted(config, dir, client.into_inner()).await?;
    Ok(Client::new(stream))
}

/// A server speaks first.
async fn greeted(stream: Box<dyn Stream>) -> Result<Client<Box<dyn Stream>>, Failed> {
    let mut client = Client::new(stream);
    let greeting = async {
        let read = client.read_response().await;
        read.map_err(async_imap::error::Error::from)
    };
    match in_time(greeting).await? {
        Some(_) => Ok(client),
        None => Err(Failed::Talk),
    }
}

async fn encrypted(
    config: &ImapConfig,
    dir: &Path,
    stream: impl Stream + 'static,
) -> Result<Box<dyn Stream>, Failed> {
    install_crypto();
    let root = config.root.as_ref().map(|root| dir.join(root));
    let roots = tokio::task::spawn_blocking(move || roots(root)).await;
    let roots = roots.map_err(|error| Failed::Ours(error.to_string()))??;
    let tls = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(config.host.clone());
    let name = name.map_err(|_| Failed::Tls("host is no name of a server".to_owned()))?;
    let shaken = async {
        let stream = TlsConnector::from(Arc::new(tls))
            .connect(name, stream)
            .await;
        stream.map_err(|error| Failed::Tls(error.to_string()))
    };
    Ok(Box::new(in_time(shaken).await?))
}

/// The authorities that this machine trusts. Reading some hundred files takes longer than a look into a mailbox, so
/// they are kept for an hour.
fn native_roots() -> RootCertStore {
    static KEPT: Mutex<Option<(Instant, RootCertStore)>> = Mutex::new(None);
    // Should a reader have panicked, what it left is whole.
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((read, store)) = &*kept
        && read.elapsed() < ROOTS_KEPT
    {
        return store.clone();
    }
    let mut store = RootCertStore::empty();
    // What of them does not read is no reason to do without the others.
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if !store.is_empty() {
        *kept = Some((Instant::now(), store.clone()));
    }
    store
}

fn roots(file: Option<PathBuf>) -> Result<RootCertStore, Failed> {
    let Some(file) = file else {
        return Ok(native_roots());
    };
    let mut store = RootCertStore::empty();
    let all = crate::roots::read(&file).map_err(|error| Failed::Tls(error.to_string()))?;
    for certificate in all {
        let added = store.add(certificate);
        added.map_err(|error| Failed::Tls(format!("{}: {error}", file.display())))?;
    }
    Ok(store)
}

/// SASL PLAIN (RFC 4616).
struct Plain(Zeroizing<String>);

impl Authenticator for Plain {
    type Response = Zeroizing<String>;

    fn process(&mut self, _challenge: &[u8]) -> Zeroizing<String> {
        std::mem::take(&mut self.0)
    }
}
