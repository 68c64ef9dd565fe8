//! What is known about an incident. It holds ids, numbers and what strangers said of themselves; a
//! canary's detail is in it only where it was asked for.

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;

use crate::canary::{Channel, IncidentState};
use crate::evidence::{TracedClear, TracedSource};
use crate::notation::Role;
use crate::weigh::Weight;

/// Everything that the documents are made from.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// The incident's number.
    pub incident: i64,
    /// The source that it points at.
    pub source: String,
    /// Its state.
    pub state: IncidentState,
    /// First sighting.
    #[serde(with = "rfc3339")]
    pub opened_at: OffsetDateTime,
    /// Latest sighting.
    #[serde(with = "rfc3339")]
    pub last_at: OffsetDateTime,
    /// When the leak came to be known: what deadlines are counted from.
    #[serde(with = "rfc3339")]
    pub known_at: OffsetDateTime,
    /// Whether somebody said so; else it is the incident's opening.
    pub known_at_said: bool,
    /// When this was gathered.
    #[serde(with = "rfc3339")]
    pub made_at: OffsetDateTime,
    /// How much better a leak explains what came than chance does, by all channels together.
    pub weight: Option<Weight>,
    /// What people made of it, in order.
    pub history: Vec<Change>,
    /// The source's batches, in order of planting.
    pub batches: Vec<Planted>,
    /// When the canaries were looked for, in order.
    pub verifications: Vec<Verification>,
    /// The incident's sightings, in order.
    pub sightings: Vec<Seen>,
    /// Who they came from, as they said themselves; the busiest first.
    pub actors: Vec<Actor>,
    /// Lists that were traced, in order.
    pub traces: Vec<Trace>,
    /// Who saw or handed out what bears on the source, in order.
    pub accesses: Vec<Access>,
    /// What the source's table holds; `None` if its mapping does not read.
    pub fields: Option<Fields>,
    /// The evidence log, as it was signed last.
    pub log: Option<LogState>,
    /// The canaries' details, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revealed: Vec<Revealed>,
}

/// A person's judgement.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Who.
    pub by: String,
    /// The state from then on.
    pub state: String,
    /// Why.
    pub why: Option<String>,
}

/// A batch.
#[derive(Clone, Debug, Serialize)]
pub struct Planted {
    /// Its id.
    pub batch: String,
    /// How many canaries.
    pub canaries: usize,
    /// When it was planted.
    #[serde(with = "rfc3339")]
    pub planted_at: OffsetDateTime,
    /// When it was removed.
    #[serde(with = "rfc3339::option")]
    pub unplanted_at: Option<OffsetDateTime>,
    /// Its state.
    pub state: &'static str,
    /// Customers in the table when it was planted.
    pub customers: u64,
}

/// A look at the canaries in their table.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Canaries that should stand there.
    pub live: usize,
    /// Those that do, unchanged.
    pub intact: usize,
    /// Those that somebody has changed.
    pub altered: usize,
    /// Those that are gone.
    pub missing: usize,
}

/// One sighting with its evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// Its number.
    pub sighting: i64,
    /// The stored message's number.
    pub message: i64,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// By which way.
    pub channel: Channel,
    /// The canary that was reached, where it was one.
    pub canary: Option<String>,
    /// Its batch.
    pub batch: Option<String>,
    /// Who, as the message says; `None`: withheld, because it names a canary.
    pub from: Option<String>,
    /// What, in a line; `None`: withheld, because it names a canary.
    pub summary: Option<String>,
    /// How often the same message came again.
    pub repeats: u32,
    /// SHA-256 of its raw bytes, hexadecimal: of a mail, whose bytes nobody guesses. A call's are few
    /// enough to be tried out, so that its hash is told only to those who are handed the details.
    pub sha256: Option<String>,
    /// The salted hash under which it stands in the evidence log.
    pub logged: Option<String>,
    /// The salt, for those who are handed the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// Whoever used the data, as far as they say themselves.
#[derive(Clone, Debug, Serialize)]
pub struct Actor {
    /// Sender, caller's number, or the name on the envelope; `None`: withheld.
    pub from: Option<String>,
    /// By which ways.
    pub channels: Vec<Channel>,
    /// Sightings.
    pub sightings: usize,
    /// Different canaries reached.
    pub canaries: usize,
    /// The first.
    #[serde(with = "rfc3339")]
    pub first_at: OffsetDateTime,
    /// The latest.
    #[serde(with = "rfc3339")]
    pub last_at: OffsetDateTime,
}

/// A list that was traced.
#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Who traced it.
    pub by: String,
    /// SHA-256 of the list, hexadecimal.
    pub list: String,
    /// Its rows, where the log says.
    pub rows: Option<u64>,
    /// `attributed`, `inconclusive` or `no_canary`.
    pub verdict: String,
    /// Whether it names this incident's source.
    pub names_source: bool,
    /// At most this probable that an innocent source is named.
    pub false_accusation_probability: f64,
    /// What it showed of this source.
    pub finding: Option<TracedSource>,
    /// What it cleared this source of.
    pub cleared: Option<TracedClear>,
}

/// A look at what bears on the source.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Who.
    pub by: String,
    /// What was done.
    pub what: AccessKind,
    /// To which canary; none: to all of the source.
    pub canary: Option<String>,
}

/// Kinds of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    /// A canary's details were shown.
    Revealed,
    /// A canary was opened to a stranger.
    Proved,
    /// Evidence was handed out.
    Exported,
    /// The details of all canaries were destroyed.
    Forgotten,
    /// A dossier was made.
    Dossier,
}

/// What the source's table holds.
#[derive(Clone, Debug, Serialize)]
pub struct Fields {
    /// Meanings of its columns that concern a person.
    pub roles: Vec<Role>,
    /// Columns whose meaning nobody has said.
    pub unclear: usize,
}

/// The evidence log's last checkpoint.
#[derive(Clone, Debug, Serialize)]
pub struct LogState {
    /// Entries below it.
    pub size: u64,
    /// The root over them.
    pub root: String,
    /// When it was signed.
    #[serde(with = "rfc3339")]
    pub signed_at: OffsetDateTime,
    /// Whether a time-stamping authority has stamped it.
    pub stamped: bool,
    /// The public key that it verifies with.
    pub key: String,
}

/// A canary shown to the police.
#[derive(Clone, Serialize)]
pub struct Revealed {
    /// Its id.
    pub canary: String,
    /// The name.
    pub name: String,
    /// The postal address.
    pub address: String,
    /// Mail address and telephone numbers.
    pub contacts: Vec<String>,
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revealed")
            .field("canary", &self.canary)
            .finish_non_exhaustive()
    }
}

impl Case {
    /// The strongest trace that names the source; of equals the latest.
    pub fn best(&self) -> Option<(&Trace, &TracedSource)> {
        let named = self.traces.iter().filter(|trace| trace.names_source);
        let found = named.filter_map(|trace| Some((trace, trace.finding.as_ref()?)));
        found.max_by(|one, other| one.1.log10_lr.total_cmp(&other.1.log10_lr))
    }

    /// Whether any trace names the source, with numbers or without.
    pub fn named(&self) -> bool {
        self.traces.iter().any(|trace| trace.names_source)
    }

    /// Customers in the table at the newest planting; `None` before the first.
    pub fn customers(&self) -> Option<u64> {
        let newest = self.batches.iter().max_by_key(|batch| batch.planted_at)?;
        (newest.customers > 0).then_some(newest.customers)
    }

    /// How many contacts canaries had; customers' reports tell of contacts that others had.
    pub fn contacts(&self) -> usize {
        let all = self.sightings.iter();
        all.filter(|seen| seen.channel != Channel::Report).count()
    }

    /// How many customers have reported contacts.
    pub fn reports(&self) -> usize {
        self.sightings.len() - self.contacts()
    }

    /// Ways by which canaries had contacts, each once.
    pub fn channels(&self) -> Vec<Channel> {
        let mut channels: Vec<Channel> = Vec::new();
        for seen in &self.sightings {
            if seen.channel != Channel::Report && !channels.contains(&seen.channel) {
                channels.push(seen.channel);
            }
        }
        channels
    }
}
