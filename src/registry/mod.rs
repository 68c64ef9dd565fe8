//! The one store: canaries, contact points, batches, messages, sightings, incidents, alerts.
//!
//! SQLite in one file by default, PostgreSQL where several receivers share it; nothing outside this
//! module knows which. Everything that could name a canary is sealed (XChaCha20-Poly1305) and found
//! by keyed blind indexes (HMAC-SHA-256): without the key a copied registry names nobody.

mod accepting;
mod actors;
mod agreeing;
mod alerts;
mod burn_in;
mod called;
mod campaigns;
mod check;
mod deliveries;
mod drills;
mod drips;
mod dump;
mod erasure;
mod error;
mod exclusive;
mod finding;
mod folders;
mod history;
mod incidents;
mod index;
mod joining;
mod judging;
mod letters;
mod log;
mod marks;
mod notes;
mod open;
mod planting;
mod pool;
mod probes;
mod profiles;
mod receivers;
mod receiving;
mod reports;
mod requests;
mod reseal;
mod several;
mod source_keys;
mod sources;
mod store;
mod surges;
mod vault;
mod versions;
mod weighing;
mod witness;

pub use agreeing::{CallsSaid, Heard};
pub use burn_in::BurnIn;
pub use check::{LogCheck, Problem, Trust};
pub use drills::{Busy, NewDrill};
pub use drips::{NewDrip, Tried};
pub use dump::check_dump;
pub use erasure::{Erasable, Erased, Rule};
pub use error::Error;
pub use exclusive::Exclusive;
pub use folders::{FolderPlace, FolderRead};
pub use index::{IndexSeal, LogPlace};
pub use joining::IncidentConfig;
pub use letters::letter_identity;
pub use log::{SignedCheckpoint, Witnessed};
pub use receivers::{BEAT, LOST};
pub use receiving::envelope_text;
pub use requests::{Asked, Request};
pub use reseal::ResealStep;
pub use source_keys::Forgotten;
pub use sources::UNKNOWN_SOURCE;
pub use vault::{InvalidKey, MasterKey};
pub use versions::{Change, Outcome};

use std::sync::Arc;

use time::OffsetDateTime;

use crate::canary::{Actor, BatchId, CanaryId, Channel, ContactPoint, SightingKind, SourceName};
use store::Store;
use vault::Vault;

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

/// A telephone number is given to so many canaries of a source unless its entry says otherwise: it
/// then survives a leak of a quarter of the table with 99.7%, and no cluster shows.
const PHONE_CAP: u32 = 20;

impl PoolEntry {
    /// How many canaries of one source may get it; `None`: as many as it carries.
    pub fn cap(&self) -> Option<u32> {
        let default = match self.point {
            ContactPoint::Phone(_) => Some(PHONE_CAP),
            _ => None,
        };
        self.cap_per_source.or(default)
    }
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
    /// The network that checked a recipient, for those of kind `Probe`.
    pub network: Option<String>,
}

/// An alert in the outbox.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its registry number.
    pub id: i64,
    /// The number of its delivery to one place; 0 where it is not handed on yet.
    pub delivery: i64,
    /// The place that is to take it; empty where it is not handed on yet.
    pub place: String,
    /// The latest sighting that it tells of.
    pub sighting: i64,
    /// The sighting's or the incident's facts, in JSON without canary details.
    pub body: String,
    /// Tries so far.
    pub attempts: u32,
    /// When the place failed first, if it has failed ever since.
    pub failing_since: Option<OffsetDateTime>,
}

/// An alert that a place has not accepted yet, as its operator sees it.
#[derive(Clone, Debug)]
pub struct OpenAlert {
    /// Its registry number.
    pub id: i64,
    /// The place that is to take it; none where nobody was to be told yet.
    pub place: Option<String>,
    /// The incident that it tells of.
    pub incident: Option<i64>,
    /// Or the drill.
    pub drill: Option<i64>,
    /// Or the source whose drip fails.
    pub drip: Option<String>,
    /// Or the source whose campaign did not come.
    pub campaign: Option<String>,
    /// Tries so far.
    pub attempts: u32,
    /// When it is tried next.
    pub due_at: OffsetDateTime,
    /// When it was given up.
    pub dead_at: Option<OffsetDateTime>,
    /// Why the last try failed.
    pub failure: Option<String>,
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
pub struct Registry {
    store: Store,
    vault: Arc<Vault>,
    lock: Arc<exclusive::LockPlace>,
    /// In whose name it writes.
    by: Arc<str>,
    /// The sealed key check as it was when the key was found to fit: another key, another check.
    key_check: Arc<[u8]>,
    /// Microseconds after which an incident has gone quiet.
    quiet: i64,
    /// From how many powers of ten on calls alone open an incident.
    calls_open: f64,
    /// What calls said.
    judgements: judging::Judgements,
}

/// Times are kept as microseconds since 1970 UTC: exact, sortable, the same on both engines.
fn micros(at: OffsetDateTime) -> i64 {
    // Years 1970 ± 292,000 fit; `time` ends at year 9999.
    (at.unix_timestamp_nanos() / 1_000) as i64
}

fn from_micros(micros: i64, place: &str) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .map_err(|_| Error::Damaged(place.to_owned()))
}
