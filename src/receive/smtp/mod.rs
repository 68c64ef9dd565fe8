//! Mail over SMTP.
//!
//! The commands are parsed by smtp-proto; the session, and above all the reader of messages, are our
//! own, since no crate answers 250 after the fsync, ends a message by CR LF `.` CR LF alone and
//! drops what was smuggled in front of a TLS handshake.

mod command;
mod data;
mod identity;
mod input;
mod obey;
mod recipients;
mod session;
mod tls;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use data::{DataReader, Received};
pub use recipients::{Recipients, Standing};
pub use session::{Ended, Session};
pub use tls::{acceptor, install_crypto};

use super::{Intake, Limits};

/// How long sessions may go on when the receiver stops: enough to finish a message.
const GRACE: Duration = Duration::from_secs(5);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// What all sessions share.
pub struct Context {
    hostname: String,
    banner: String,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    recipients: Recipients,
    intake: Intake,
    /// Room for unfinished messages, in KiB.
    memory: Arc<Semaphore>,
    /// Cancelled when sessions are to end.
    stop: CancellationToken,
    seats: Mutex<HashMap<IpAddr, usize>>,
}

impl Context {
    /// What sessions need: the names that they show, their limits, for whom they take mail and
    /// where it goes.
    pub fn new(
        hostname: String,
        banner: String,
        limits: Limits,
        tls: Option<TlsAcceptor>,
        recipients: Recipients,
        intake: Intake,
    ) -> Context {
        let memory = (limits.memory_bytes >> 10).min(Semaphore::MAX_PERMITS);
        Context {
            hostname,
            banner,
            limits,
            tls,
            recipients,
            intake,
            memory: Arc::new(Semaphore::new(memory)),
            stop: CancellationToken::new(),
            seats: Mutex::default(),
        }
    }
}

/// Serves clients until `shutdown`, then lets those that are inside a message finish it. A
/// connection that cannot be taken is logged, and the next one waited for.
pub async fn run(listener: TcpListener, context: Arc<Context>, shutdown: impl Future<Output = ()>) {
    tokio::pin!(shutdown);
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    sessions.spawn(connection(stream, peer.ip().to_canonical(), Arc::clone(&context)));
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

async fn connection(mut stream: TcpStream, peer: IpAddr, context: Arc<Context>) {
    let Some(_seat) = Seat::take(&context, peer) else {
        let answer = format!(
            "421 4.7.0 {} Error: too many connections\r\n",
            context.hostname
        );
        let _ =
            tokio::time::timeout(Duration::from_secs(1), stream.write_all(answer.as_bytes())).await;
        return;
    };
    let _ = stream.set_nodelay(true);
    let whole = Duration::from_secs(context.limits.session_seconds);
    match tokio::time::timeout(whole, serve(stream, peer, &context)).await {
        Ok(Ok(())) => {}
        // Strangers break connections all day.
        Ok(Err(error)) => tracing::debug!(%error, "a session broke"),
        Err(_) => tracing::debug!("a session lasted too long"),
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
    let Ended::StartTls(stream) = Session::new(stream, peer, false, context).run().await? else {
        return Ok(());
    };
    if let Some(tls) = &context.tls {
        // A new session over the new stream: nothing said in plain text is known to it.
        let stream = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await??;
        Session::new(stream, peer, true, context).run().await?;
    }
    Ok(())
}

/// One of the connections that a client may have; given back when dropped.
struct Seat {
    context: Arc<Context>,
    client: IpAddr,
}

impl Seat {
    fn take(context: &Arc<Context>, peer: IpAddr) -> Option<Seat> {
        let client = match peer {
            // One customer's line is a /64.
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        };
        let mut seats = context.seats.lock().unwrap_or_else(|e| e.into_inner());
        let all: usize = seats.values().sum();
        let own = seats.get(&client).copied().unwrap_or_default();
        if all >= context.limits.connections || own >= context.limits.connections_per_address {
            return None;
        }
        seats.insert(client, own + 1);
        drop(seats);
        Some(Seat {
            context: Arc::clone(context),
            client,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.context.seats.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(own) = seats.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                seats.remove(&self.client);
            }
        }
    }
}
