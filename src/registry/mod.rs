//! The one store: canaries, contact points, batches, messages, sightings, incidents, alerts.
//!
//! SQLite in one file by default, PostgreSQL where several receivers share it; nothing outside this
//! module knows which. Everything that could name a canary is sealed (XChaCha20-Poly1305) and found
//! by keyed blind indexes (HMAC-SHA-256): without the key a copied registry names nobody.

mod error;

pub use error::Error;

use time::OffsetDateTime;

use crate::canary::{
    Actor, Batch, BatchId, Canary, CanaryId, Channel, ContactPoint, Incident, Sighting,
    SightingKind, SourceName,
};

/// Result of a registry call.
pub type Result<T> = std::result::Result<T, Error>;

/// A contact point in the pool, and how much of it is used.
#[derive(Clone, Debug)]
pub struct PoolEntry {
    /// Its registry number.
    pub id: i64,
    /// What it is.
    pub point: ContactPoint,
    /// At most this many canaries of one source get it (`None`: the kind's default).
    pub cap_per_source: Option<u32>,
    /// Given to so many canaries (planned, handed out, live or unplanted), by source.
    pub given: Vec<(SourceName, u32)>,
}

/// What `add_contact_points` did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// New ones.
    pub added: usize,
    /// Those that were in the pool already; they are left as they were.
    pub known: usize,
}

/// A registered source. `url` may hold a password: it is sealed at rest and hidden in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: SourceName,
    /// Connection URL as the operator gave it.
    pub url: String,
    /// Table.
    pub table: String,
    /// The mapping (columns, roles, formats) as `source::Mapping` writes it, in JSON.
    pub mapping: String,
    /// When it was registered.
    pub added_at: OffsetDateTime,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// A message as it came in, before anybody has understood it.
#[derive(Clone)]
pub struct NewMessage {
    /// When it was accepted.
    pub at: OffsetDateTime,
    /// By which way it came.
    pub channel: Channel,
    /// What the transport said beside the message, in JSON (peer, HELO, sender; form fields).
    pub envelope: String,
    /// Every recipient: mail addresses as given, dialled number, addressee.
    pub recipients: Vec<String>,
    /// The raw bytes: RFC 5322 message, webhook body, picture.
    pub raw: Vec<u8>,
    /// What makes a second copy the same contact (a retry); `None`: each copy counts.
    pub same_as: Option<String>,
}

/// A stored message that awaits being understood.
#[derive(Clone)]
pub struct Message {
    /// Its registry number.
    pub id: i64,
    /// When it was accepted.
    pub at: OffsetDateTime,
    /// By which way it came.
    pub channel: Channel,
    /// See [`NewMessage::envelope`].
    pub envelope: String,
    /// See [`NewMessage::recipients`].
    pub recipients: Vec<String>,
    /// See [`NewMessage::raw`].
    pub raw: Vec<u8>,
}

/// What a message turned out to be, for one recipient; `settle` stores it.
#[derive(Clone, Debug)]
pub struct NewSighting {
    /// The source that it points at.
    pub source: Option<SourceName>,
    /// The canary that was reached.
    pub canary: Option<CanaryId>,
    /// The canary's batch.
    pub batch: Option<BatchId>,
    /// What it says.
    pub kind: SightingKind,
    /// Who, as told by the message.
    pub actor: Actor,
}

/// An alert in the outbox.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its registry number.
    pub id: i64,
    /// The sighting's or the incident's facts, in JSON without canary details.
    pub body: String,
    /// Tries so far.
    pub attempts: u32,
}

/// Which marks of a canary the registry finds it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A mail address, folded by `notation`.
    Email,
    /// A telephone number in E.164.
    Phone,
    /// A name in any script, folded by `notation`.
    Name,
    /// A reading, folded by `notation`.
    Kana,
    /// An address with its unit, folded by `notation`.
    Address,
}

/// What `accept` did with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Stored durably, under this number.
    New(i64),
    /// The same message had been stored under this number; its count of repeats grew.
    Repeat(i64),
}

/// Which sightings to list.
#[derive(Clone, Debug, Default)]
pub struct SightingFilter {
    /// Only those of this source.
    pub source: Option<SourceName>,
    /// Only those at or after this time.
    pub since: Option<OffsetDateTime>,
    /// At most this many, newest first.
    pub limit: Option<u32>,
}

/// The store. Cheap to clone: clones share one connection pool.
#[derive(Clone)]
pub struct Registry {}

/// Held while planting, verifying or removing: no two such acts run at once on one registry. Freed
/// when dropped, and by the death of the process.
pub struct Exclusive {}

#[expect(unused_variables, reason = "signatures first, bodies follow")]
impl Registry {
    // ---- contact points

    /// Adds contact points, all or none.
    pub async fn add_contact_points(
        &self,
        points: &[(ContactPoint, Option<u32>)],
    ) -> Result<Added> {
        todo!()
    }

    /// The pool, oldest entry first.
    pub async fn pool(&self) -> Result<Vec<PoolEntry>> {
        todo!()
    }

    // ---- sources

    /// Registers a source; a name that is taken is an error.
    pub async fn add_source(&self, source: &Source) -> Result<()> {
        todo!()
    }

    /// The source of that name; unknown is an error that lists the known names.
    pub async fn source(&self, name: &SourceName) -> Result<Source> {
        todo!()
    }

    /// All sources by name.
    pub async fn sources(&self) -> Result<Vec<Source>> {
        todo!()
    }

    // ---- planting

    /// Takes the planting lock; an error that says so if another process holds it.
    pub async fn exclusive(&self) -> Result<Exclusive> {
        todo!()
    }

    /// Registers a batch with its canaries durably, in state `Planned` or `HandedOut`, before
    /// anything is written to the source. Numbers the batch: `batch` of each canary and of `batch`
    /// itself must be `self.next_batch(source)`.
    pub async fn register_batch(&self, batch: &Batch, canaries: &[Canary]) -> Result<()> {
        todo!()
    }

    /// The id that the source's next batch will have.
    pub async fn next_batch(&self, source: &SourceName) -> Result<BatchId> {
        todo!()
    }

    /// Sets the state of a batch and of all its canaries; `at` becomes `unplanted_at` for
    /// `Unplanted`. `Void` frees the contact points.
    pub async fn set_batch_state(
        &self,
        batch: &BatchId,
        state: crate::canary::State,
        at: OffsetDateTime,
    ) -> Result<()> {
        todo!()
    }

    /// Stores the details anew of canaries whose keys the database has now given, and makes the batch
    /// `Live`, all in one transaction.
    pub async fn batch_is_live(&self, batch: &BatchId, canaries: &[Canary]) -> Result<()> {
        todo!()
    }

    /// All batches, or one source's, oldest first, whatever their state.
    pub async fn batches(&self, source: Option<&SourceName>) -> Result<Vec<Batch>> {
        todo!()
    }

    /// All canaries, or one source's, in planting order, whatever their state.
    pub async fn canaries(&self, source: Option<&SourceName>) -> Result<Vec<Canary>> {
        todo!()
    }

    /// The canaries of one batch, in planting order.
    pub async fn batch_canaries(&self, batch: &BatchId) -> Result<Vec<Canary>> {
        todo!()
    }

    // ---- receiving

    /// Canaries that bear this mark, whatever their state but `Void`. The value may be spelt in any
    /// way: it is folded here as it was when the canary was registered.
    pub async fn find(&self, mark: Mark, value: &str) -> Result<Vec<Canary>> {
        todo!()
    }

    /// Stores messages durably, all or none; when this returns, a power cut loses none of them.
    pub async fn accept(&self, messages: &[NewMessage]) -> Result<Vec<Accepted>> {
        todo!()
    }

    /// Stored messages that nobody has settled yet, oldest first.
    pub async fn unsettled(&self, limit: u32) -> Result<Vec<Message>> {
        todo!()
    }

    /// In one transaction: stores a message's sightings, joins each alarm to its source's open
    /// incident (or opens one), queues one alert per incident touched, and marks the message settled.
    /// A message settled by somebody else in the meantime is left alone (`None`).
    pub async fn settle(
        &self,
        message: i64,
        sightings: &[NewSighting],
    ) -> Result<Option<Vec<Sighting>>> {
        todo!()
    }

    /// Sightings, newest first.
    pub async fn sightings(&self, filter: &SightingFilter) -> Result<Vec<Sighting>> {
        todo!()
    }

    /// One stored message, for whoever examines a sighting.
    pub async fn message(&self, id: i64) -> Result<Option<Message>> {
        todo!()
    }

    /// Incidents, newest first.
    pub async fn incidents(&self) -> Result<Vec<Incident>> {
        todo!()
    }

    // ---- alerts

    /// Alerts that are due at `now`, oldest first.
    pub async fn due_alerts(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<Alert>> {
        todo!()
    }

    /// An alert was accepted by its receiver.
    pub async fn alert_sent(&self, id: i64, at: OffsetDateTime) -> Result<()> {
        todo!()
    }

    /// An alert was not accepted; it is tried again at `next`. `why` is stored for the operator.
    pub async fn alert_failed(&self, id: i64, next: OffsetDateTime, why: &str) -> Result<()> {
        todo!()
    }
}
