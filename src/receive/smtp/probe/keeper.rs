//! The keeper of probes: stores what sessions have asked for in vain, and what is left of receivers that were killed.
//! A registry that is away for a while is waited for.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::super::Recipients;
use super::left::Left;
use super::{Check, Journal, Open, Room};
use crate::metrics::metrics;
use crate::receive::Intake;

/// Checks stored at a time: they share a transaction.
const TOGETHER: usize = 64;
/// Pauses after a failure: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));

/// A check without a message, and how many addresses its network had asked for in vain, where it guesses.
type Ended = (Open, Option<usize>);

/// The way to the keeper of probes; clones share it.
#[derive(Clone)]
pub(in crate::receive::smtp) struct Probes {
    /// What is in it has a place in the room each, so that it has an end.
    ended: mpsc::UnboundedSender<Ended>,
    pub(super) journal: Option<Journal>,
    pub(super) room: Room,
}

impl Probes {
    /// Starts the keeper; it ends when all handles are gone. With a journal, `left` is what was in the others.
    pub fn start(
        recipients: Recipients,
        intake: Intake,
        room: Room,
        journal: Option<Journal>,
        left: Vec<Left>,
    ) -> Probes {
        let (ended, waiting) = mpsc::unbounded_channel();
        let checks: usize = left.iter().map(Left::len).sum();
        if checks > 0 {
            tracing::info!(
                checks,
                "recipient checks of a receiver that was killed are stored"
            );
        }
        let keeper = Keeper {
            recipients,
            intake,
            journal: journal.clone(),
            waiting: VecDeque::new(),
            left,
        };
        tokio::spawn(keeper.run(waiting));
        Probes {
            ended,
            journal,
            room,
        }
    }

    /// These were asked for, and no message came.
    pub(super) fn keep(&self, checks: Vec<Open>, guessed: Option<usize>) {
        for check in checks {
            // The keeper is there as long as a handle is.
            let _ = self.ended.send((check, guessed));
        }
    }
}

struct Keeper {
    recipients: Recipients,
    intake: Intake,
    journal: Option<Journal>,
    waiting: VecDeque<Ended>,
    left: Vec<Left>,
}

impl Keeper {
    async fn run(mut self, mut ended: mpsc::UnboundedReceiver<Ended>) {
        let mut pause = PAUSES.0;
        loop {
            let closed = loop {
                match ended.try_recv() {
                    Ok(check) => self.waiting.push_back(check),
                    Err(TryRecvError::Empty) => break false,
                    Err(TryRecvError::Disconnected) => break true,
                }
            };
            if self.waiting.is_empty() && (closed || self.left.is_empty()) {
                match ended.recv().await {
                    Some(check) => self.waiting.push_back(check),
                    None => return,
                }
                continue;
            }
            let mut stored = self.store_some().await;
            if !closed {
                stored &= self.store_left().await;
            }
            if stored {
                pause = PAUSES.0;
            } else if closed {
                return self.give_up();
            } else {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }

    /// Stores some of what waits; whether that went well.
    async fn store_some(&mut self) -> bool {
        let some = self.waiting.len().min(TOGETHER);
        let stored = self.waiting.iter().take(some);
        let stored = stored.map(|(open, guessed)| self.store(&open.check, *guessed));
        let stored = futures_util::future::join_all(stored).await;
        let some: Vec<Ended> = self.waiting.drain(..some).collect();
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for (ended, stored) in some.into_iter().zip(stored) {
            match stored {
                true => done.extend(ended.0.number),
                false => failed.push(ended),
            }
        }
        let well = failed.is_empty();
        self.waiting.extend(failed);
        if let Some(journal) = &self.journal {
            journal.done(done);
        }
        well
    }

    /// Stores some of what is left in one of the old journals; whether that went well.
    async fn store_left(&mut self) -> bool {
        let Some(mut left) = self.left.pop() else {
            return true;
        };
        let checks = match left.some(TOGETHER) {
            Ok(checks) => checks,
            Err(error) => {
                tracing::error!(%error, "recipient checks that a receiver had kept cannot be read");
                self.left.insert(0, left);
                return false;
            }
        };
        let stored = checks
            .iter()
            .map(|(_, check)| self.store(check, check.guessed));
        let stored = futures_util::future::join_all(stored).await;
        let done = checks.iter().zip(&stored).filter(|(_, stored)| **stored);
        let done: Vec<u64> = done.map(|((number, _), _)| *number).collect();
        if let Err(error) = left.done(&done) {
            tracing::warn!(%error, "recipient checks that are stored now cannot be marked in their journal");
        }
        match left.len() {
            0 => left.finish(),
            _ => self.left.push(left),
        }
        stored.iter().all(|stored| *stored)
    }

    async fn store(&self, check: &Check, guessed: Option<usize>) -> bool {
        match self.recipients.is_canary(&check.recipient).await {
            Some(true) => {
                let stored = self.intake.accept(check.message(guessed)).await.is_ok();
                if stored {
                    metrics().probe();
                }
                stored
            }
            // Some mailbox of ours: strangers guess at those all day.
            Some(false) => true,
            None => false,
        }
    }

    /// The receiver stops, and the registry is away.
    fn give_up(self) {
        let left = self.waiting.len();
        match &self.journal {
            Some(_) => tracing::warn!(left, "recipient checks wait for the next start"),
            None => tracing::error!(left, "recipient checks are not stored"),
        }
    }
}
