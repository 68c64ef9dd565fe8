//! How many connections there may be at a time: of one address, of its network, and of all. Where
//! there is no room, the client that has been silent for longest gives way, so that those who hold
//! places and say nothing keep nobody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::network::{around, client};
use crate::receive::Limits;

/// What is said of when a client was last heard while a request of it is answered.
const BUSY: u64 = u64::MAX;

struct Place {
    client: IpAddr,
    network: IpAddr,
    heard: Heard,
    gone: CancellationToken,
}

/// Whether a place is one of those that share a limit.
type Among<'a> = &'a dyn Fn(&Place) -> bool;

/// When a client was last heard.
#[derive(Clone)]
pub(in crate::receive) struct Heard {
    start: Instant,
    millis: Arc<AtomicU64>,
}

impl Heard {
    fn now(start: Instant) -> Heard {
        let heard = Heard {
            start,
            millis: Arc::default(),
        };
        heard.again();
        heard
    }

    fn again(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.store(millis, Ordering::Relaxed);
    }

    /// Keeps the client's place while it is answered; it is heard last when this is dropped.
    pub fn busy(self) -> Busy {
        self.millis.store(BUSY, Ordering::Relaxed);
        Busy(self)
    }
}

/// A client that is being answered.
pub(in crate::receive) struct Busy(Heard);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.again();
    }
}

/// All places. Clones share them.
#[derive(Clone)]
pub(in crate::receive) struct Seats {
    start: Instant,
    /// Whoever was heard within this time does not give way.
    patience: Duration,
    places: Arc<Mutex<Places>>,
}

#[derive(Default)]
struct Places {
    next: u64,
    taken: HashMap<u64, Place>,
}

/// One of the connections that there may be; given back when dropped.
pub(in crate::receive) struct Seat {
    seats: Seats,
    number: u64,
    heard: Heard,
    gone: CancellationToken,
}

impl Seats {
    pub fn new(patience: Duration) -> Seats {
        Seats {
            start: Instant::now(),
            patience,
            places: Arc::default(),
        }
    }

    /// A place for a client; `None` if there is none.
    pub fn take(&self, limits: &Limits, peer: IpAddr) -> Option<Seat> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let (client, network) = (client(peer), around(peer));
        let shares: [(usize, Among<'_>); 3] = [
            (limits.connections_per_address, &|p| p.client == client),
            (limits.connections_per_network, &|p| p.network == network),
            (limits.connections, &|_| true),
        ];
        for (most, among) in shares {
            if places.taken.values().filter(|p| among(p)).count() >= most {
                self.clear_one(&mut places, among)?;
            }
        }
        let number = places.next;
        places.next += 1;
        let heard = Heard::now(self.start);
        let gone = CancellationToken::new();
        let place = Place {
            client,
            network,
            heard: heard.clone(),
            gone: gone.clone(),
        };
        places.taken.insert(number, place);
        Some(Seat {
            seats: self.clone(),
            number,
            heard,
            gone,
        })
    }

    /// Sends away the one that has been silent for longest; of several, the first.
    fn clear_one(&self, places: &mut Places, among: Among<'_>) -> Option<()> {
        let when = |place: &Place| place.heard.millis.load(Ordering::Relaxed);
        let silent = places.taken.iter().filter(|(_, place)| among(place));
        let silent = silent.map(|(number, place)| (when(place), *number));
        let (heard, number) = silent.filter(|(heard, _)| *heard != BUSY).min()?;
        let since = self.start + Duration::from_millis(heard);
        if since.elapsed() < self.patience {
            return None;
        }
        places.taken.remove(&number)?.gone.cancel();
        Some(())
    }
}

impl Seat {
    /// Returns when the place is given to somebody else.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// When its client was last heard, for whoever knows that better than the stream.
    pub fn heard(&self) -> Heard {
        self.heard.clone()
    }

    /// The client's stream, which tells the seat when the client is heard.
    pub fn listen<S>(&self, stream: S) -> Listened<S> {
        Listened {
            stream,
            heard: self.heard.clone(),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let places = self.seats.places.lock();
        let mut places = places.unwrap_or_else(PoisonError::into_inner);
        places.taken.remove(&self.number);
    }
}

/// A stream that is listened to.
pub(in crate::receive) struct Listened<S> {
    stream: S,
    heard: Heard,
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let result = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        self.heard.again();
        Poll::Ready(result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SILENT;
    use super::*;

    fn limits(all: usize, network: usize, address: usize) -> Limits {
        Limits {
            connections: all,
            connections_per_network: network,
            connections_per_address: address,
            ..Limits::default()
        }
    }

    fn take(seats: &Seats, limits: &Limits, peer: &str) -> Option<Seat> {
        seats.take(limits, peer.parse().unwrap())
    }

    #[test]
    fn each_address_network_and_all_have_their_share() {
        let (seats, limits) = (Seats::new(SILENT), limits(5, 3, 2));
        let first = take(&seats, &limits, "192.0.2.1");
        let _second = take(&seats, &limits, "192.0.2.1").unwrap();
        assert!(take(&seats, &limits, "192.0.2.1").is_none(), "its address");
        let _third = take(&seats, &limits, "192.0.2.2").unwrap();
        assert!(take(&seats, &limits, "192.0.2.3").is_none(), "its network");
        let _fourth = take(&seats, &limits, "2001:db8::1").unwrap();
        let _fifth = take(&seats, &limits, "2001:db8::2").unwrap();
        assert!(take(&seats, &limits, "2001:db8::3").is_none(), "one line");
        assert!(take(&seats, &limits, "198.51.100.1").is_none(), "all");
        drop(first);
        assert!(take(&seats, &limits, "198.51.100.1").is_some());
    }

    #[test]
    fn the_longest_silent_gives_way() {
        let (mut seats, limits) = (Seats::new(SILENT), limits(2, 2, 2));
        seats.start = Instant::now().checked_sub(SILENT * 3).unwrap();
        let silent = take(&seats, &limits, "192.0.2.1").unwrap();
        let heard = take(&seats, &limits, "192.0.2.1").unwrap();
        silent.heard.millis.store(0, Ordering::Relaxed);
        let third = take(&seats, &limits, "198.51.100.1").unwrap();
        assert!(silent.gone.is_cancelled() && !heard.gone.is_cancelled());
        // Nobody else has been silent for long enough, and the former guest takes no place with it.
        assert!(take(&seats, &limits, "198.51.100.1").is_none());
        drop((silent, third));
        assert!(take(&seats, &limits, "198.51.100.1").is_some());
    }

    #[test]
    fn who_is_answered_does_not_give_way() {
        let (seats, limits) = (Seats::new(Duration::ZERO), limits(2, 2, 2));
        let first = take(&seats, &limits, "192.0.2.1").unwrap();
        let second = take(&seats, &limits, "192.0.2.1").unwrap();
        let answering = first.heard().busy();
        let third = take(&seats, &limits, "192.0.2.1").unwrap();
        assert!(second.gone.is_cancelled() && !first.gone.is_cancelled());
        let _third = third.heard().busy();
        assert!(take(&seats, &limits, "192.0.2.1").is_none(), "both ask");
        drop(answering);
        assert!(take(&seats, &limits, "192.0.2.1").is_some());
        assert!(first.gone.is_cancelled() && !third.gone.is_cancelled());
    }
}
