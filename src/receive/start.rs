//! Starting the whole receiver, and stopping it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::acme::Acme;
use super::authenticate::Expected;
use super::calendar;
use super::http::{self, Site};
use super::imap::{Mailboxes, Post, Readers};
use super::ingest::Maildir;
use super::lookup;
use super::sip;
use super::smtp::{self, Context, Protocol, Recipients, Tls};
use super::{Authenticator, Error, Intake, ReceiveConfig, understand};
use crate::registry::Registry;

/// How long the worker may go on settling when the receiver stops.
const GRACE: Duration = Duration::from_secs(5);

/// Bound sockets.
pub struct Listeners {
    smtp: (TcpListener, SocketAddr),
    http: (TcpListener, SocketAddr),
    lmtp: Option<(TcpListener, SocketAddr)>,
    sip: Option<((UdpSocket, TcpListener), SocketAddr)>,
}

async fn bound(
    what: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Bind {
        what,
        address,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

impl Listeners {
    /// Binds SMTP and HTTP; port 0 takes a free one.
    ///
    /// # Errors
    /// An address is taken, is not this machine's, or needs a privilege.
    pub async fn bind(smtp: SocketAddr, http: SocketAddr) -> Result<Listeners, Error> {
        Ok(Listeners {
            smtp: bound("SMTP", smtp).await?,
            http: bound("HTTP", http).await?,
            lmtp: None,
            sip: None,
        })
    }

    /// Binds LMTP as well, where it is wanted.
    ///
    /// # Errors
    /// As [`Listeners::bind`].
    pub async fn with_lmtp(mut self, address: Option<SocketAddr>) -> Result<Listeners, Error> {
        if let Some(address) = address {
            self.lmtp = Some(bound("LMTP", address).await?);
        }
        Ok(self)
    }

    /// Binds SIP as well, over UDP and TCP on the same port, where it is wanted.
    ///
    /// # Errors
    /// As [`Listeners::bind`].
    pub async fn with_sip(mut self, address: Option<SocketAddr>) -> Result<Listeners, Error> {
        if let Some(address) = address {
            let (tcp, address) = bound("SIP", address).await?;
            let udp = UdpSocket::bind(address).await;
            let udp = udp.map_err(|source| Error::Bind {
                what: "SIP over UDP",
                address,
                source,
            })?;
            self.sip = Some(((udp, tcp), address));
        }
        Ok(self)
    }

    /// Where HTTP listens.
    pub fn http_addr(&self) -> SocketAddr {
        self.http.1
    }
}

/// A receiver at work.
pub struct Running {
    /// Where SMTP listens.
    pub smtp_addr: SocketAddr,
    /// Where HTTP listens.
    pub http_addr: SocketAddr,
    /// Where LMTP listens, if it does.
    pub lmtp_addr: Option<SocketAddr>,
    /// Where SIP listens, if it does.
    pub sip_addr: Option<SocketAddr>,
    task: JoinHandle<()>,
    expected: Expected,
    dir: PathBuf,
    /// A certificate whose files are the operator's.
    tls: Option<Tls>,
}

impl Running {
    /// Takes over what can change while it runs: who is expected to write, and the certificate's files. Everything
    /// else in the configuration is for the next start.
    ///
    /// # Errors
    /// The certificate or the campaign calendar cannot be used; then nothing has changed.
    pub fn reload(&self, config: &ReceiveConfig) -> Result<(), Error> {
        let calendar = config.calendar(&self.dir).map_err(Error::Config)?;
        if let Some(tls) = &self.tls {
            tls.reload()?;
        }
        self.expected.set(&config.expected, calendar);
        Ok(())
    }

    /// Waits until the receiver has stopped: its shutdown came, sessions and requests had a few
    /// seconds to end, and what was accepted is stored.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the receiver ended badly");
        }
    }
}

/// Starts the receiver: it serves until `shutdown`. Files in `config` are relative to `dir`.
///
/// # Errors
/// A certificate or secret that the configuration names cannot be used.
pub async fn start(
    registry: Registry,
    config: &ReceiveConfig,
    dir: &Path,
    listeners: Listeners,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, Error> {
    if let Some(fault) = config.faults().into_iter().next() {
        return Err(Error::Config(fault));
    }
    let acme = config.acme.as_ref();
    let acme = acme.map(|acme| Acme::new(acme, dir)).transpose()?;
    let tls = match (&config.tls, &acme) {
        (Some(_), Some(_)) => return Err(Error::Config("tls and acme are both set".to_owned())),
        (Some(tls), None) => Some(Tls::load(tls, dir)?),
        (None, Some(acme)) => Some(Tls::awaited(&acme.files())),
        (None, None) => None,
    };
    let challenges = acme.as_ref().map(|acme| acme.challenges.clone());
    let lookups = match config.socketmap {
        Some(address) => Some(bound("socketmap", address).await?.0),
        None => None,
    };
    let asked = match config.acme.as_ref().and_then(|acme| acme.listen) {
        Some(address) => Some(bound("ACME", address).await?.0),
        None => None,
    };
    let authenticator = Authenticator::new(
        &config.auth,
        &config.expected,
        config.calendar(dir).map_err(Error::Config)?,
    )
    .map_err(Error::Config)?;
    let expected = authenticator.expected();
    let planned = expected.clone();
    let own_tls = tls.clone().filter(|_| config.tls.is_some());
    let news = Arc::new(Notify::new());
    let (intake, writer) = Intake::start(registry.clone(), Arc::clone(&news));
    let recipients = Recipients::new(registry.clone(), &config.catch_all);
    let mailboxes = Mailboxes::default();
    let readers = Readers::new(
        &config.imap,
        Post {
            dir: dir.to_owned(),
            registry: registry.clone(),
            recipients: recipients.clone(),
            intake: intake.clone(),
            largest: config.limits.message_bytes,
            state: mailboxes.clone(),
        },
    )?;
    let site = Site::new(
        config,
        dir,
        registry.clone(),
        intake.clone(),
        recipients.clone(),
        mailboxes,
    )?;
    let maildir = match &config.maildir {
        Some(maildir) => Some(Maildir::new(
            dir.join(maildir),
            config.limits.message_bytes,
            recipients.clone(),
            intake.clone(),
        )?),
        None => None,
    };
    let telephone = config.sip.clone();
    if (telephone.server.as_ref()).is_some_and(|server| server.contains(char::is_control)) {
        let why = "sip.server has a control character; it is one line of text";
        return Err(Error::Config(why.to_owned()));
    }
    let calls = (intake.clone(), registry.clone());
    let context = Context::new(config, tls.clone(), recipients.clone(), intake);
    let context = Arc::new(context.remembering(dir, registry.clone()));
    recipients.refresh().await;
    for domain in recipients.catch_all_in_vain() {
        tracing::warn!(domain, "catch_all names a domain that is not in the pool");
    }

    let answers = challenges.map_or_else(Router::new, |challenges| challenges.routes());
    let (smtp_listener, smtp_addr) = listeners.smtp;
    let (http_listener, http_addr) = listeners.http;
    let lmtp_addr = listeners.lmtp.as_ref().map(|(_, address)| *address);
    let sip_addr = listeners.sip.as_ref().map(|(_, address)| *address);
    let task = tokio::spawn(async move {
        let stop = CancellationToken::new();
        let known = recipients.clone();
        let refresher = tokio::spawn(recipients.keep_fresh());
        let renewer = tls.map(|tls| tokio::spawn(tls.keep_fresh()));
        let orders = acme.map(|acme| tokio::spawn(acme.keep()));
        let judging = calendar::run(registry.clone(), planned, stop.clone());
        let judging = tokio::spawn(judging);
        let understanding =
            tokio::spawn(understand::run(registry, authenticator, news, stop.clone()));
        let serving = stop.child_token();
        let servers = async {
            tokio::join!(
                smtp::run(
                    smtp_listener,
                    Protocol::Smtp,
                    Arc::clone(&context),
                    serving.cancelled()
                ),
                async {
                    if let Some((listener, _)) = listeners.lmtp {
                        let context = Arc::clone(&context);
                        smtp::run(listener, Protocol::Lmtp, context, serving.cancelled()).await;
                    }
                },
                async {
                    let (intake, registry) = calls;
                    if let Some((sockets, _)) = listeners.sip {
                        sip::run(sockets, &telephone, registry, intake, serving.clone()).await;
                    }
                },
                readers.run(serving.clone()),
                async {
                    if let Some(listener) = lookups {
                        lookup::run(listener, known, serving.clone()).await;
                    }
                },
                async {
                    if let Some(maildir) = maildir {
                        maildir.watch(serving.clone()).await;
                    }
                },
                http::run(
                    http_listener,
                    http::router(Arc::new(site)).merge(answers.clone()),
                    serving.cancelled()
                ),
                async {
                    if let Some(listener) = asked {
                        http::run(listener, answers.clone(), serving.cancelled()).await;
                    }
                },
            );
        };
        let ring = async {
            shutdown.await;
            serving.cancel();
        };
        tokio::join!(ring, servers);
        drop(context);
        // All handles on the intake are gone with the servers: the writer ends when it has stored
        // what it was given.
        if let Err(error) = writer.await {
            tracing::error!(%error, "the writer ended badly");
        }
        stop.cancel();
        // What it does not get done is done by the next receiver.
        let abort = understanding.abort_handle();
        match tokio::time::timeout(GRACE, understanding).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the worker ended badly"),
            Err(_) => abort.abort(),
        }
        refresher.abort();
        judging.abort();
        for task in renewer.into_iter().chain(orders) {
            task.abort();
        }
    });
    Ok(Running {
        smtp_addr,
        http_addr,
        lmtp_addr,
        sip_addr,
        task,
        expected,
        dir: dir.to_owned(),
        tls: own_tls,
    })
}
