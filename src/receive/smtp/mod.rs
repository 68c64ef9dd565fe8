//! Mail over SMTP.
//!
//! The commands are parsed by smtp-proto; the session, and above all the reader of messages, are our
//! own, since no crate answers 250 after the fsync, ends a message by CR LF `.` CR LF alone and
//! drops what was smuggled in front of a TLS handshake.

mod command;
mod data;
mod guesses;
pub(super) mod identity;
mod input;
mod message;
mod network;
mod obey;
mod probe;
mod proxy;
mod recipients;
mod seats;
mod session;
mod tls;

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use data::{DataReader, Received};
pub(super) use network::around;
pub use network::{InvalidNetwork, Network};
pub use recipients::{Recipients, Standing};
pub use session::{Ended, Protocol, Session};
pub use tls::{Tls, ends as certificate_ends, install_crypto};

use guesses::Guesses;
use probe::{Journal, Probes, Room};
pub(super) use seats::{Heard, Seat, Seats};

use super::{Intake, Limits, ReceiveConfig};
use crate::metrics::metrics;
use crate::registry::Registry;

/// How long sessions may go on when the receiver stops: enough to finish a message.
const GRACE: Duration = Duration::from_secs(5);
/// Whoever has spoken within this time does not give way to others.
const SILENT: Duration = Duration::from_secs(5);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// How long a proxy may take to say who its client is.
const PROXIED: Duration = Duration::from_secs(5);

/// What all sessions share.
pub struct Context {
    hostname: String,
    banner: String,
    answer_delay: Duration,
    limits: Limits,
    proxies: Vec<Network>,
    tls: Option<Tls>,
    recipients: Recipients,
    intake: Intake,
    guesses: Guesses,
    probes: Probes,
    /// Room for unfinished messages, in KiB.
    memory: Arc<Semaphore>,
    /// Cancelled when sessions are to end.
    stop: CancellationToken,
    seats: Seats,
}

impl Context {
    /// What sessions need: the names that they show, their limits, for whom they take mail and
    /// where it goes. Starts the keeper of recipient checks, so that it wants a runtime.
    pub fn new(
        config: &ReceiveConfig,
        tls: Option<Tls>,
        recipients: Recipients,
        intake: Intake,
    ) -> Context {
        let limits = config.limits.clone();
        let memory = (limits.memory_bytes >> 10).min(Semaphore::MAX_PERMITS);
        Context {
            hostname: config.hostname.clone().unwrap_or_else(machine_name),
            banner: config.banner.clone(),
            answer_delay: Duration::from_millis(config.answer_delay_ms),
            limits,
            proxies: config.proxies.clone(),
            tls,
            guesses: Guesses::default(),
            probes: Probes::start(
                recipients.clone(),
                intake.clone(),
                Room::new(config.limits.checks, config.limits.checks_per_network),
                None,
                Vec::new(),
            ),
            recipients,
            intake,
            memory: Arc::new(Semaphore::new(memory)),
            stop: CancellationToken::new(),
            seats: Seats::new(SILENT),
        }
    }
}

impl Context {
    /// The same with a journal in the workspace `dir`, so that recipient checks outlive a kill. Without it, if it
    /// cannot be written, which is told.
    pub fn remembering(mut self, dir: &Path, registry: Registry) -> Context {
        match Journal::open(dir, registry) {
            Ok((journal, left)) => {
                let (recipients, intake) = (self.recipients.clone(), self.intake.clone());
                let room = Room::new(self.limits.checks, self.limits.checks_per_network);
                self.probes = Probes::start(recipients, intake, room, Some(journal), left);
            }
            Err(error) => {
                tracing::error!(%error, "recipient checks would be lost if the receiver were killed: the workspace's directory 'probes' cannot be written");
            }
        }
        self
    }

    /// For the next handshake, if there is a certificate.
    fn acceptor(&self) -> Option<TlsAcceptor> {
        self.tls.as_ref().and_then(Tls::acceptor)
    }
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

/// Serves clients until `shutdown`, then lets those that are inside a message finish it. A
/// connection that cannot be taken is logged, and the next one waited for.
pub async fn run(
    listener: TcpListener,
    protocol: Protocol,
    context: Arc<Context>,
    shutdown: impl Future<Output = ()>,
) {
    tokio::pin!(shutdown);
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let peer = peer.ip().to_canonical();
                    sessions.spawn(connection(stream, peer, protocol, Arc::clone(&context)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    // Out of file handles: the next try would fail at once, too.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    drop(listener);
    context.stop.cancel();
    let finish = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finish).await.is_err() {
        tracing::warn!(sessions = sessions.len(), "sessions cut off");
    }
    sessions.shutdown().await;
}

async fn connection(
    mut stream: TcpStream,
    peer: IpAddr,
    protocol: Protocol,
    context: Arc<Context>,
) {
    let _ = stream.set_nodelay(true);
    let peer = if context.proxies.iter().any(|proxy| proxy.contains(peer)) {
        match tokio::time::timeout(PROXIED, proxy::client(&mut stream)).await {
            Ok(Ok(client)) => client.unwrap_or(peer),
            _ => {
                tracing::warn!(proxy = %peer, "a proxy did not say who its client is");
                return;
            }
        }
    } else {
        peer
    };
    let _open = metrics().connection(protocol.name());
    let Some(seat) = context.seats.take(&context.limits, peer) else {
        metrics().turned_away(protocol.name());
        let answer = format!(
            "421 4.7.0 {} Error: too many connections\r\n",
            context.hostname
        );
        let _ =
            tokio::time::timeout(Duration::from_secs(1), stream.write_all(answer.as_bytes())).await;
        return;
    };
    let whole = Duration::from_secs(context.limits.session_seconds);
    let session = talk(seat.listen(stream), peer, protocol, &context);
    tokio::select! {
        ended = tokio::time::timeout(whole, session) => match ended {
            Ok(Ok(())) => {}
            // Strangers break connections all day.
            Ok(Err(error)) => tracing::debug!(%error, "a session broke"),
            Err(_) => tracing::debug!("a session lasted too long"),
        },
        () = seat.gone() => tracing::debug!("a silent session gave way to another"),
    }
}

/// Serves one client over any stream, through STARTTLS if it asks for it.
///
/// # Errors
/// The connection broke, or the handshake failed.
pub async fn serve<S>(stream: S, peer: IpAddr, context: &Context) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    talk(stream, peer, Protocol::Smtp, context).await
}

/// The same in either protocol.
///
/// # Errors
/// The connection broke, or the handshake failed.
pub async fn talk<S>(
    stream: S,
    peer: IpAddr,
    protocol: Protocol,
    context: &Context,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let plain = Session::new(stream, peer, false, protocol, context);
    let Ended::StartTls(stream) = plain.run().await? else {
        return Ok(());
    };
    if let Some(acceptor) = context.acceptor() {
        // A new session over the new stream: nothing said in plain text is known to it.
        let stream = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await??;
        Session::new(stream, peer, true, protocol, context)
            .run()
            .await?;
    }
    Ok(())
}
