//! The way into the store: what several clients bring at the same time is stored in one transaction,
//! so that they share its fsync, and each is told when its own message is durable.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use super::in_time;
use crate::metrics::metrics;
use crate::registry::{Accepted, NewMessage, Registry};

/// A registry that takes longer to store messages is not waited for. Their clients come again, and a
/// message that was stored after all is recognised.
const PATIENCE: Duration = Duration::from_secs(45);

/// Messages stored by one transaction at most, and their bytes.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 64 << 20;

/// So long a transaction waits for messages that are on their way, however slow they are. One that is alone waits for
/// nobody; many that come at once are stored by few transactions, where the first of them would have had one of its own.
const GATHERED: Duration = Duration::from_millis(2);
/// A client that has begun its message so long ago is slow, or stuck, and nobody waits for it.
const LATELY: Duration = Duration::from_secs(1);

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
    underway: Underway,
}

/// A message that a client has begun to send and was not answered for: it is under way for as long as this lives.
pub struct OnItsWay {
    underway: Underway,
    which: (Instant, u64),
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.underway.all().begun.remove(&self.which);
    }
}

/// The messages that are [`OnItsWay`].
#[derive(Clone, Default)]
struct Underway(Arc<Mutex<Begun>>);

#[derive(Default)]
struct Begun {
    /// When each began, and its number.
    begun: BTreeSet<(Instant, u64)>,
    numbers: u64,
}

impl Underway {
    fn all(&self) -> MutexGuard<'_, Begun> {
        // What is done with it cannot be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn one_more(&self, now: Instant) -> OnItsWay {
        let mut all = self.all();
        all.numbers += 1;
        let which = (now, all.numbers);
        all.begun.insert(which);
        OnItsWay {
            underway: self.clone(),
            which,
        }
    }

    /// How many began lately.
    fn count(&self, now: Instant) -> usize {
        let lately = now.checked_sub(LATELY).map_or((now, 0), |from| (from, 0));
        self.all().begun.range(lately..).count()
    }
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
        let underway = Underway::default();
        let queue = Queue {
            jobs: queue,
            underway: underway.clone(),
        };
        let writer = tokio::spawn(write(registry, queue, news, Arc::clone(&failed)));
        let intake = Intake {
            jobs,
            failed,
            underway,
        };
        (intake, writer)
    }

    /// A client begins to send a message: what is dropped when it has been answered for.
    pub fn begun(&self) -> OnItsWay {
        self.underway.one_more(Instant::now())
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

/// What waits to be stored.
struct Queue {
    jobs: mpsc::Receiver<Job>,
    underway: Underway,
}

impl Queue {
    /// What goes into the next transaction; none once nobody is left who could bring anything.
    async fn next(&mut self) -> Option<Vec<Job>> {
        let first = self.jobs.recv().await?;
        let until = tokio::time::Instant::now() + GATHERED;
        let mut bytes = first.message.raw.len();
        let mut jobs = vec![first];
        while jobs.len() < BATCH && bytes < BATCH_BYTES {
            let next = match self.jobs.try_recv() {
                Ok(next) => next,
                Err(_) if jobs.len() >= self.underway.count(Instant::now()) => break,
                Err(_) => match timeout_at(until, self.jobs.recv()).await {
                    Ok(Some(next)) => next,
                    Ok(None) | Err(_) => break,
                },
            };
            bytes += next.message.raw.len();
            jobs.push(next);
        }
        Some(jobs)
    }
}

async fn write(registry: Registry, mut queue: Queue, news: Arc<Notify>, failed: Failed) {
    let stored = |well: bool| {
        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = (!well).then(Instant::now);
    };
    while let Some(jobs) = queue.next().await {
        let (messages, answers): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            .map(|job| (job.message, job.answer))
            .unzip();
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

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::canary::Channel;

    fn job() -> Job {
        Job {
            message: NewMessage {
                at: OffsetDateTime::UNIX_EPOCH,
                channel: Channel::Mail,
                same_as: None,
                envelope: String::new(),
                recipients: Vec::new(),
                raw: Vec::new(),
            },
            answer: oneshot::channel().0,
        }
    }

    #[test]
    fn who_is_nearly_done_is_stored_with_the_first() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (jobs, receiver) = mpsc::channel(BATCH);
            let underway = Underway::default();
            let mut queue = Queue {
                jobs: receiver,
                underway: underway.clone(),
            };
            let now = Instant::now();
            let (first, second) = (underway.one_more(now), underway.one_more(now));
            jobs.send(job()).await.unwrap();
            let late = jobs.clone();
            tokio::spawn(async move { late.send(job()).await });
            assert_eq!(queue.next().await.unwrap().len(), 2);
            // One that does not come keeps nobody waiting for long.
            jobs.send(job()).await.unwrap();
            assert_eq!(queue.next().await.unwrap().len(), 1);
            drop((first, second));
            assert_eq!(underway.count(now), 0);
            // Who is stuck is not waited for.
            let _stuck = underway.one_more(now);
            assert_eq!(underway.count(now + LATELY), 1);
            assert_eq!(underway.count(now + LATELY * 2), 0);
            drop(jobs);
            assert!(queue.next().await.is_none());
        });
    }
}
