//! The way into the store: what several clients bring at the same time is stored in one transaction,
//! so that they share its fsync, and each is told when its own message is durable.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::in_time;
use crate::metrics::metrics;
use crate::registry::{Accepted, NewMessage, Registry};

/// A registry that takes longer to store messages is not waited for. Their clients come again, and a
/// message that was stored after all is recognised.
const PATIENCE: Duration = Duration::from_secs(45);

/// Messages stored by one transaction at most, and their bytes.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 64 << 20;

/// The message was not stored: its client has to be told to come again. The writer has logged why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message could not be stored")]
pub struct NotStored;

struct Job {
    message: NewMessage,
    answer: oneshot::Sender<Result<Accepted, NotStored>>,
}

/// A handle on the writer; clones share it. The writer ends when all of them are gone.
#[derive(Clone)]
pub struct Intake {
    jobs: mpsc::Sender<Job>,
    /// When storing failed, if it has not gone well since.
    failed: Failed,
}

type Failed = Arc<Mutex<Option<Instant>>>;

/// For so long a failure is told to whoever asks whether messages can be stored: where nobody is sent any more,
/// nothing would show that it has gone by.
const TOLD: Duration = Duration::from_secs(60);

impl Intake {
    /// Starts the writer. It rings `news` whenever it has stored something.
    pub fn start(registry: Registry, news: Arc<Notify>) -> (Intake, JoinHandle<()>) {
        let (jobs, queue) = mpsc::channel(BATCH);
        let failed = Failed::default();
        let writer = tokio::spawn(write(registry, queue, news, Arc::clone(&failed)));
        (Intake { jobs, failed }, writer)
    }

    /// Whether the last messages could be stored, as far as is known.
    pub fn stores(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_none_or(|at| at.elapsed() >= TOLD)
    }

    /// Stores a message; when this returns, a power cut does not lose it.
    ///
    /// # Errors
    /// The registry failed, or the receiver is stopping.
    pub async fn accept(&self, message: NewMessage) -> Result<Accepted, NotStored> {
        let (answer, result) = oneshot::channel();
        let job = Job { message, answer };
        self.jobs.send(job).await.map_err(|_| NotStored)?;
        result.await.map_err(|_| NotStored)?
    }
}

async fn write(
    registry: Registry,
    mut queue: mpsc::Receiver<Job>,
    news: Arc<Notify>,
    failed: Failed,
) {
    let stored = |well: bool| {
        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = (!well).then(Instant::now);
    };
    while let Some(first) = queue.recv().await {
        let mut bytes = first.message.raw.len();
        let (mut messages, mut answers) = (vec![first.message], vec![first.answer]);
        while messages.len() < BATCH
            && bytes < BATCH_BYTES
            && let Ok(next) = queue.try_recv()
        {
            bytes += next.message.raw.len();
            messages.push(next.message);
            answers.push(next.answer);
        }
        let results = match in_time(PATIENCE, registry.accept(&messages)).await {
            Ok(accepted) => {
                stored(true);
                news.notify_one();
                for (message, accepted) in messages.iter().zip(&accepted) {
                    let repeat = matches!(accepted, Accepted::Repeat(_));
                    metrics().stored(message.channel.name(), message.raw.len(), repeat);
                }
                accepted.into_iter().map(Ok).collect()
            }
            Err(error) => {
                // A commit whose answer was lost may have been done: trying the messages again, one
                // by one, could store them twice. The clients come again.
                tracing::error!(messages = messages.len(), %error, "messages not stored");
                stored(false);
                metrics().not_stored(messages.len());
                vec![Err(NotStored); answers.len()]
            }
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // A client that has gone in the meantime comes again, and is recognised.
            let _ = answer.send(result);
        }
    }
}
