//! Starting the whole receiver, and stopping it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::http::{self, Site};
use super::smtp::{self, Context, Recipients};
use super::{Error, Intake, ReceiveConfig, understand};
use crate::registry::Registry;

/// How long the worker may go on settling when the receiver stops.
const GRACE: Duration = Duration::from_secs(5);

/// Bound sockets.
pub struct Listeners {
    smtp: (TcpListener, SocketAddr),
    http: (TcpListener, SocketAddr),
}

impl Listeners {
    /// Binds both; port 0 takes a free one.
    ///
    /// # Errors
    /// An address is taken, is not this machine's, or needs a privilege.
    pub async fn bind(smtp: SocketAddr, http: SocketAddr) -> Result<Listeners, Error> {
        let bind = async |what, address| {
            let failed = |source| Error::Bind {
                what,
                address,
                source,
            };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let bound = listener.local_addr().map_err(failed)?;
            Ok::<_, Error>((listener, bound))
        };
        Ok(Listeners {
            smtp: bind("SMTP", smtp).await?,
            http: bind("HTTP", http).await?,
        })
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
    task: JoinHandle<()>,
}

impl Running {
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
    let tls = config.tls.as_ref();
    let tls = tls.map(|tls| smtp::acceptor(tls, dir)).transpose()?;
    let news = Arc::new(Notify::new());
    let (intake, writer) = Intake::start(registry.clone(), Arc::clone(&news));
    let recipients = Recipients::default();
    let site = Site::new(
        config,
        dir,
        registry.clone(),
        intake.clone(),
        recipients.clone(),
    )?;
    let context = Context::new(
        config.hostname.clone().unwrap_or_else(machine_name),
        config.banner.clone(),
        config.limits.clone(),
        tls,
        recipients.clone(),
        intake,
    );
    recipients.refresh(&registry).await;

    let (smtp_listener, smtp_addr) = listeners.smtp;
    let (http_listener, http_addr) = listeners.http;
    let task = tokio::spawn(async move {
        let stop = CancellationToken::new();
        let refresher = tokio::spawn(recipients.keep_fresh(registry.clone()));
        let understanding = tokio::spawn(understand::run(registry, news, stop.clone()));
        let serving = stop.child_token();
        let servers = async {
            tokio::join!(
                smtp::run(smtp_listener, Arc::new(context), serving.cancelled()),
                http::run(
                    http_listener,
                    http::router(Arc::new(site)),
                    serving.cancelled()
                ),
            );
        };
        let ring = async {
            shutdown.await;
            serving.cancel();
        };
        tokio::join!(ring, servers);
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
    });
    Ok(Running {
        smtp_addr,
        http_addr,
        task,
    })
}

/// This machine's name, for the banner.
fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"));
    match name.as_deref().map(str::trim) {
        Ok(name) if !name.is_empty() => name.to_owned(),
        _ => "localhost".to_owned(),
    }
}
