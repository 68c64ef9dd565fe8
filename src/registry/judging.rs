//! What calls say is computed while no transaction holds anybody up, and asked for within: it may take seconds where
//! the pool is large and many call.
//!
//! A transaction that has to know brings a [`Question`] of everything that the answer depends on. If it was not
//! answered yet, the transaction is given up, the question answered, and the transaction done again: where what the
//! question is made of has changed in the meantime, that is another question. After a few of these it is answered
//! within, so that an end comes however busy the others are.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::agreeing::CallBook;

/// A transaction is given up so many times.
pub(super) const ROUNDS: usize = 4;
/// Answers that are remembered.
const REMEMBERED: usize = 256;
/// Later calls at which an older one is judged, too, where records come in another order.
const LATER: usize = 32;

/// Whether the calls to a source agree at the moment of one of them, or of a later one.
pub(super) struct Question {
    pub(super) book: CallBook,
    pub(super) source: String,
    pub(super) at: i64,
    /// From how many powers of ten on they do.
    pub(super) opens: f64,
}

impl Question {
    fn answer(&self) -> bool {
        let later = self.book.moments(&self.source, self.at);
        let plainly = |at| self.book.weigh(&self.source, at).log10_lr >= self.opens;
        let later = later.into_iter().take(LATER);
        std::iter::once(self.at).chain(later).any(plainly)
    }

    /// By what it is known: a hash of all that the answer depends on.
    fn key(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.at.to_be_bytes());
        hash.update(self.opens.to_be_bytes());
        self.book.told_to(&self.source, |part| hash.update(part));
        hash.finalize().into()
    }
}

/// A question's key, and what is known of it.
type Answer = ([u8; 32], bool);

/// Answers so far. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Judgements(Arc<Mutex<VecDeque<Answer>>>);

impl Judgements {
    /// What is known of it.
    pub(super) fn known(&self, question: &Question) -> Option<bool> {
        let key = question.key();
        // Nothing can panic while the lock is held, so it is never poisoned.
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(is, _)| *is == key);
        found.map(|(_, answer)| *answer)
    }

    /// Answers it here and now.
    pub(super) fn answer(&self, question: &Question) -> bool {
        let answer = question.answer();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back((question.key(), answer));
        answer
    }

    /// Answers these where they hold nobody up. What fails is asked again.
    pub(super) async fn answer_all(&self, questions: Vec<Question>) {
        let all = self.clone();
        let answered = spawn_blocking(move || {
            for question in &questions {
                all.answer(question);
            }
        });
        if let Err(error) = answered.await {
            tracing::error!(%error, "what calls say could not be computed");
        }
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::super::receiving::Settled;
    use super::super::{
        Accepted, IncidentConfig, MasterKey, NewMessage, NewSighting, Registry, micros,
    };
    use crate::canary::{Actor, Channel, ContactPoint, SightingKind};

    const NUMBERS: [&str; 3] = ["03-0101-4501", "03-0102-4502", "03-0103-4503"];

    /// A source whose canaries have these numbers.
    async fn registry(home: &std::path::Path, now: OffsetDateTime) -> Registry {
        let key = MasterKey::generate();
        let registry = Registry::create("sqlite:registry.db", home, &key);
        let registry = registry.await.unwrap().joining(&IncidentConfig {
            calls_log10_lr: 12.0,
            ..IncidentConfig::default()
        });
        let points = NUMBERS.map(|number| (ContactPoint::Phone(number.parse().unwrap()), None));
        let since = now - Duration::days(200);
        registry.add_contact_points(&points, since).await.unwrap();
        let planted = micros(now - Duration::days(100));
        let mut tx = registry.store.begin().await.unwrap();
        let sql = "insert into source (name, sealed, added_at) values ('s', x'00', 1)";
        tx.execute(sql, vec![]).await.unwrap();
        let sql = "insert into batch (id, source, number, state, planted_at, rows_at)
                   values ('b', 's', 1, 'live', $1, 0)";
        tx.execute(sql, vec![planted.into()]).await.unwrap();
        for place in 1..=NUMBERS.len() as i64 {
            let name = format!("C{place}");
            let sql = "insert into canary (id, batch, sealed) values ($1, 'b', x'00')";
            tx.execute(sql, vec![name.as_str().into()]).await.unwrap();
            let sql = "insert into canary_point (canary, point) values ($1, $2)";
            let values = vec![name.into(), place.into()];
            tx.execute(sql, values).await.unwrap();
        }
        tx.commit().await.unwrap();
        registry
    }

    /// A call is stored; its number, and what it is.
    async fn called(
        registry: &Registry,
        at: OffsetDateTime,
        place: usize,
    ) -> (i64, [NewSighting; 1]) {
        let message = NewMessage {
            at,
            channel: Channel::Phone,
            envelope: "{}".to_owned(),
            recipients: vec![NUMBERS[place].to_owned()],
            raw: Vec::new(),
            same_as: None,
        };
        let accepted = registry.accept(&[message]).await.unwrap();
        let [Accepted::New(id)] = accepted[..] else {
            panic!("{accepted:?}");
        };
        let alarm = NewSighting {
            source: Some("s".parse().unwrap()),
            canary: None,
            batch: None,
            kind: SightingKind::Alarm,
            actor: Actor {
                from: format!("03-0199-000{place}"),
                ..Actor::default()
            },
            network: None,
        };
        (id, [alarm])
    }

    #[tokio::test]
    async fn no_transaction_waits_for_what_calls_say() {
        let home = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let registry = registry(home.path(), now).await;
        // One number agrees with nothing, and nothing is asked.
        let (first, call) = called(&registry, now - Duration::days(3), 0).await;
        assert!(registry.settle(first, &call).await.unwrap().is_some());
        let (second, call) = called(&registry, now - Duration::days(2), 1).await;
        let attempt = async || {
            let tx = registry.begin_round(&mut 0).await.unwrap();
            registry.settle_in(tx, second, &call, None).await.unwrap()
        };
        let Settled::Asks(questions) = attempt().await else {
            panic!("it was computed within");
        };
        assert_eq!(questions.len(), 1);
        assert_eq!(registry.unsettled_count().await.unwrap(), 1, "given up");
        registry.judgements.answer_all(questions).await;
        // Somebody else has settled another call in the meantime: it is another question.
        let (third, other) = called(&registry, now - Duration::days(1), 2).await;
        assert!(registry.settle(third, &other).await.unwrap().is_some());
        let Settled::Asks(questions) = attempt().await else {
            panic!("an answer to another question was taken");
        };
        registry.judgements.answer_all(questions).await;
        let Settled::Done(Some(stored)) = attempt().await else {
            panic!("it was answered");
        };
        assert_eq!(stored[0].incident, None);
        assert_eq!(registry.unsettled_count().await.unwrap(), 0);
    }
}
