//! Who may be connected at a time: a client that asks for something is never kept waiting by ones that ask for nothing.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Seats for connections.
pub(super) struct Seats {
    free: Arc<Semaphore>,
    taken: Vec<Weak<Seat>>,
}

/// One connection's.
pub(super) struct Seat {
    /// Since when it has asked for nothing; `None` while a request of it is answered.
    idle: Mutex<Option<Instant>>,
    /// Cancelled when somebody else needs the seat.
    pub leave: CancellationToken,
    /// There is one always: nobody closes the semaphore.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Seats {
    pub fn new(seats: usize) -> Seats {
        Seats {
            free: Arc::new(Semaphore::new(seats)),
            taken: Vec::new(),
        }
    }

    /// A seat for whoever comes next. If all are taken, whoever has asked for nothing the longest has to leave; if
    /// everybody has asked for something, it waits for one who is done. Nothing is lost if it is dropped before.
    pub async fn take(&mut self) -> Arc<Seat> {
        self.taken.retain(|seat| seat.strong_count() > 0);
        let taken: Vec<_> = self.taken.iter().filter_map(Weak::upgrade).collect();
        let leaves = taken.iter().any(|seat| seat.leave.is_cancelled());
        if self.free.available_permits() == 0 && !leaves {
            let idle = taken
                .iter()
                .filter_map(|seat| Some((seat.idle_since()?, seat)));
            if let Some((_, seat)) = idle.min_by_key(|(since, _)| *since) {
                seat.leave.cancel();
            }
        }
        // They are no obstacle to their own leaving.
        drop(taken);
        let permit = Arc::clone(&self.free).acquire_owned().await;
        let seat = Arc::new(Seat {
            idle: Mutex::new(Some(Instant::now())),
            leave: CancellationToken::new(),
            _permit: permit.ok(),
        });
        self.taken.push(Arc::downgrade(&seat));
        seat
    }
}

impl Seat {
    fn idle_since(&self) -> Option<Instant> {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, idle: Option<Instant>) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = idle;
    }
}

/// A request that is being answered; a client who hangs up drops it in the middle.
struct Answering(Arc<Seat>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set(Some(Instant::now()));
    }
}

/// Marks a seat as in use while a request is answered.
pub(super) async fn asks(State(seat): State<Arc<Seat>>, request: Request, next: Next) -> Response {
    seat.set(None);
    let _answering = Answering(seat);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn who_has_asked_for_nothing_the_longest_leaves() {
        let mut seats = Seats::new(2);
        let first = seats.take().await;
        let second = seats.take().await;
        let answering = Answering(Arc::clone(&first));
        first.set(None);
        let took = async {
            let taking = seats.take();
            tokio::pin!(taking);
            let waits = tokio::time::timeout(Duration::from_millis(50), taking.as_mut()).await;
            assert!(waits.is_err(), "both seats are taken");
            assert!(second.leave.is_cancelled() && !first.leave.is_cancelled());
            drop(second);
            taking.await
        };
        let third = took.await;
        drop(answering);
        assert!(first.idle_since() > third.idle_since());
        let (late, ()) = tokio::join!(seats.take(), async {
            third.leave.cancelled().await;
            drop(third);
        });
        assert!(!first.leave.is_cancelled() && !late.leave.is_cancelled());
    }
}
