//! Calls over SIP (RFC 3261): a telephone that rings and is never answered.

mod calls;
mod config;
mod message;
mod numbers;

pub use config::{Decline, SipConfig};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::Intake;
use crate::metrics::metrics;
use crate::registry::Registry;
use calls::Calls;
use message::{MOST, Request, framed};
use numbers::Numbers;

/// Connections over TCP at a time.
const CONNECTIONS: usize = 256;
/// A connection that is silent for this long is closed; so is one in whose message nothing comes.
const SILENT: Duration = Duration::from_secs(120);
/// Answers that wait for a slow client.
const WAITING: usize = 64;

/// By what way a request came, and its answer goes.
struct Line {
    peer: SocketAddr,
    way: Way,
}

enum Way {
    Udp(Arc<UdpSocket>),
    Tcp(mpsc::Sender<String>),
}

impl Line {
    fn datagrams(&self) -> bool {
        matches!(self.way, Way::Udp(_))
    }

    /// Whether the client's address may be somebody else's.
    fn forgeable(&self, believed: bool) -> bool {
        self.datagrams() && !believed
    }

    async fn send(&self, request: &Request, answer: &str) {
        match &self.way {
            Way::Udp(socket) => {
                // RFC 3261, section 18.2.2, and RFC 3581: never to another host than it came from.
                let mut to = self.peer;
                if let Some(via) = request.via().filter(|via| !via.rport) {
                    to.set_port(via.port);
                }
                if let Err(error) = socket.send_to(answer.as_bytes(), to).await {
                    tracing::debug!(%error, "an answer over SIP could not be sent");
                }
            }
            // Who does not read gets nothing more.
            Way::Tcp(answers) => drop(answers.try_send(answer.to_owned())),
        }
    }
}

/// Everything that is read of a message.
#[cfg(fuzzing)]
pub(super) fn look(bytes: &[u8]) {
    if let Some((head, body)) = message::framed(bytes) {
        assert!(head <= bytes.len() && (body == usize::MAX || head.checked_add(body).is_some()));
    }
    let Ok((request, _)) = message::read(bytes) else {
        return;
    };
    let _ = (request.cseq(), request.tag("to"), request.required());
    let via = request.via().expect("a request without a Via is none");
    assert!(!via.whole.contains(['\r', '\n']));
    for name in ["from", "to", "p-asserted-identity", "diversion"] {
        let value = request.get(name).unwrap_or_default();
        let _ = message::user(message::address(value));
    }
}

/// Serves until `stop`.
pub(super) async fn run(
    (udp, tcp): (UdpSocket, TcpListener),
    config: &SipConfig,
    registry: Registry,
    intake: Intake,
    stop: CancellationToken,
) {
    let numbers = Numbers::new(registry);
    let calls = Arc::new(Calls::new(config, numbers, intake, stop.clone()));
    let both = async {
        tokio::join!(datagrams(udp, &calls), connections(tcp, &calls, &stop));
    };
    stop.run_until_cancelled(both).await;
}

async fn datagrams(socket: UdpSocket, calls: &Arc<Calls>) {
    let socket = Arc::new(socket);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let (length, peer) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(%error, "SIP over UDP");
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        // Shorter ones keep a way through a router open (RFC 5626).
        if (16..=MOST).contains(&length) {
            let way = Way::Udp(Arc::clone(&socket));
            calls.take(&buffer[..length], Line { peer, way }).await;
        }
    }
}

async fn connections(listener: TcpListener, calls: &Arc<Calls>, stop: &CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "SIP over TCP");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let place = Arc::clone(&places).try_acquire_owned();
        let (Ok(place), true) = (place, calls.hears(peer.ip())) else {
            metrics().turned_away("sip");
            continue;
        };
        let (calls, stop) = (Arc::clone(calls), stop.clone());
        tokio::spawn(async move {
            let open = metrics().connection("sip");
            connection(stream, peer, calls, stop).await;
            drop((open, place));
        });
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    calls: Arc<Calls>,
    stop: CancellationToken,
) {
    let (mut from, mut to) = stream.into_split();
    let (answers, mut waiting) = mpsc::channel::<String>(WAITING);
    // It ends when the last call of this connection has got its answer.
    tokio::spawn(async move {
        while let Some(answer) = waiting.recv().await {
            let sent = tokio::time::timeout(SILENT, to.write_all(answer.as_bytes())).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    });
    let mut buffer = Vec::new();
    loop {
        let blank = buffer
            .iter()
            .take_while(|&&b| b == b'\r' || b == b'\n')
            .count();
        buffer.drain(..blank);
        while let Some((head, body)) = framed(&buffer) {
            let length = head.saturating_add(body);
            if length > MOST {
                return;
            }
            if buffer.len() < length {
                break;
            }
            let message: Vec<u8> = buffer.drain(..length).collect();
            let way = Way::Tcp(answers.clone());
            calls.take(&message, Line { peer, way }).await;
        }
        if buffer.len() > MOST {
            return;
        }
        let read = tokio::time::timeout(SILENT, from.read_buf(&mut buffer));
        match stop.run_until_cancelled(read).await {
            Some(Ok(Ok(length))) if length > 0 => {}
            _ => return,
        }
    }
}
