//! Entries of the log: what was done, when, by whom, and which rows of the registry it wrote.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::merkle::{Hash, leaf_hash};
use super::traced::{TracedClear, TracedSource};

/// Something that may have to be proved later. It holds ids, counts, names and hashes, never a canary's
/// detail: the log may be shown to a stranger. No field is named as one of [`Entry`]'s (`seq`, `at`, `by`,
/// `rows`), beside which it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// The log begins. What stood in the registry before is taken over as it was.
    LogOpened,
    /// Contact points were added to the pool.
    PoolChanged {
        /// New ones.
        added: usize,
    },
    /// A source was registered.
    SourceAdded {
        /// Its name.
        source: String,
    },
    /// A batch was registered, before any of it was written to its source.
    BatchRegistered {
        /// The batch.
        batch: String,
        /// Its source.
        source: String,
        /// How many canaries.
        canaries: usize,
        /// The root over the canaries' commitments.
        commitment: Hash,
    },
    /// A batch went over to another state (live, void, unplanted, …).
    BatchChanged {
        /// The batch.
        batch: String,
        /// The new state.
        state: String,
    },
    /// Changes of canaries' rows were registered, before any of them was written to the source.
    VersionsRegistered {
        /// The source.
        source: String,
        /// How many canaries are to change.
        canaries: usize,
        /// The root over the commitments to their new versions; all zero where there are none.
        commitment: Hash,
    },
    /// It was found out by looking which of the changes stand in the source.
    VersionsSettled {
        /// The source.
        source: String,
        /// Canaries, each with the number of its version that stands there.
        live: Vec<(String, u32)>,
        /// Those whose change was never written.
        void: Vec<(String, u32)>,
    },
    /// A source's canaries were looked for.
    Verified {
        /// The source.
        source: String,
        /// Canaries that should stand there.
        live: usize,
        /// Those that do, unchanged.
        intact: usize,
        /// Those that somebody has changed.
        altered: usize,
        /// Those that are gone.
        missing: usize,
    },
    /// Messages were stored, before their senders were answered.
    MessagesAccepted {
        /// Their numbers, each with its [`message_hash`]: the salt comes from the registry's key, so that
        /// nobody can try numbers out against the hash.
        messages: Vec<(i64, String)>,
    },
    /// The contents of messages were destroyed by a rule of the operator's.
    MessagesErased {
        /// Which rule: `noise`, `expected` or `closed`.
        rule: String,
        /// What is left of each.
        messages: Vec<ErasedMessage>,
    },
    /// A message was understood.
    MessageSettled {
        /// Its number.
        message: i64,
        /// The sightings that came of it.
        sightings: Vec<i64>,
        /// The incidents that they joined.
        incidents: Vec<i64>,
    },
    /// Reports that had said nothing turned out to be a surge, when older ones came in behind them.
    SurgeShown {
        /// Whose customers reported.
        source: String,
        /// The incident that they are of.
        incident: i64,
    },
    /// An alert was handed on to every place that is to be told.
    AlertHandedOn {
        /// Its number.
        alert: i64,
        /// The places' names in the configuration.
        places: Vec<String>,
    },
    /// An alert was accepted by its receiver, or failed and is tried again.
    AlertTried {
        /// Its number.
        alert: i64,
        /// Whether it was accepted.
        sent: bool,
        /// Where. Older entries lack it: there was mail alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<String>,
    },
    /// An alert that a place has not taken is to be tried there again, by somebody's wish.
    AlertRetried {
        /// Its number.
        alert: i64,
        /// Where.
        places: Vec<String>,
    },
    /// A list was traced.
    Traced {
        /// SHA-256 of the list in hexadecimal.
        list: String,
        /// `attributed`, `inconclusive` or `no_canary`.
        verdict: String,
        /// The sources named.
        sources: Vec<String>,
        /// At most this probable that an innocent source is named.
        false_accusation_probability: f64,
        /// Rows of the list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        list_rows: Option<u64>,
        /// What it showed of each source. Older entries lack it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<TracedSource>,
        /// Sources that it cleared.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cleared: Vec<TracedClear>,
    },
    /// The configuration is another one than before.
    Configured {
        /// SHA-256 of `otori.toml` in hexadecimal.
        sha256: String,
    },
    /// The log's size and root were signed.
    Checkpointed {
        /// Entries below the checkpoint.
        size: u64,
        /// The root over them.
        root: Hash,
    },
    /// A time-stamping authority has stamped a checkpoint.
    CheckpointStamped {
        /// Entries below the checkpoint.
        size: u64,
    },
    /// A witness was given a checkpoint.
    Witnessed {
        /// Entries below the checkpoint.
        size: u64,
        /// The witness's name in the configuration.
        witness: String,
    },
    /// Evidence was handed out.
    Exported {
        /// Messages in the bundle.
        messages: usize,
        /// The incident that it is about; none: all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<i64>,
        /// SHA-256 of its list of contents, in hexadecimal.
        manifest: String,
    },
    /// One canary's details were about to be shown.
    Revealed {
        /// The canary.
        canary: String,
        /// Its source.
        source: String,
        /// Why, in the words of who asked.
        reason: Option<String>,
    },
    /// Somebody was refused what their role does not allow, or what they did not prove who they are for.
    Refused {
        /// The command, or the page.
        what: String,
        /// Why.
        why: String,
    },
    /// An act was asked for that takes two people.
    Requested {
        /// The request's number.
        request: i64,
        /// Which act.
        what: String,
        /// On what.
        subject: String,
        /// Why, in the words of who asked.
        why: Option<String>,
    },
    /// Another person approved a request.
    RequestApproved {
        /// The request's number.
        request: i64,
    },
    /// An approved request was used up: its act is done once.
    RequestUsed {
        /// The request's number.
        request: i64,
    },
    /// A key or a secret gave way to a new one.
    KeyRotated {
        /// `registry`, `evidence`, or the file of the secret.
        key: String,
    },
    /// The log is signed by another key from here on; the checkpoint over this entry is still signed by the
    /// old one, which so vouches for the new one.
    SigningKeyChanged {
        /// The public key until now.
        from: String,
        /// The public key from now on.
        to: String,
    },
    /// Sources of an older registry were given keys of their own, under which their canaries are sealed.
    SourceKeysMade {
        /// How many sources.
        sources: usize,
        /// How many canaries.
        canaries: usize,
    },
    /// Calls of a registry that is older than this were noted by the number that they came to.
    CallsNoted {
        /// How many.
        calls: usize,
    },
    /// The details of a source's canaries were destroyed.
    Forgotten {
        /// The source.
        source: String,
        /// How many canaries.
        canaries: usize,
    },
    /// The workspace was copied into an encrypted file.
    BackedUp {
        /// SHA-256 of the file in hexadecimal.
        sha256: String,
        /// Whether the keys are in it.
        with_keys: bool,
    },
    /// The registry was brought back from a backup.
    Restored {
        /// SHA-256 of the file in hexadecimal.
        sha256: String,
    },
    /// One canary was opened to a stranger.
    Proved {
        /// The canary.
        canary: String,
    },
    /// A drill's message was about to be sent.
    DrillSent {
        /// The drill's number.
        drill: i64,
        /// By which way.
        channel: String,
        /// Which source's canary it goes to.
        source: String,
        /// The canary.
        canary: String,
        /// When it has to have been seen.
        #[serde(with = "time::serde::rfc3339")]
        due_at: OffsetDateTime,
    },
    /// A drill's message was recognised.
    DrillSeen {
        /// The drill's number.
        drill: i64,
        /// The message's number.
        message: i64,
    },
    /// A drill failed: nothing came by its deadline, or it could not be sent, or nobody was told.
    DrillFailed {
        /// The drill's number.
        drill: i64,
        /// Why.
        why: String,
    },
    /// A source was exported as a thief would, and the list traced.
    LeakDrilled {
        /// The source.
        source: String,
        /// Rows taken; not `rows`, which are the registry's own in an entry.
        taken: u64,
        /// Canaries among them.
        canaries: u64,
        /// SHA-256 of the list, which is kept nowhere, in hexadecimal.
        list: String,
        /// `attributed`, `inconclusive` or `no_canary`.
        verdict: String,
        /// The sources named.
        named: Vec<String>,
        /// The share that was taken.
        share: f64,
        /// The share that the trace estimated, and its interval; `None` where the source was not named.
        estimate: Option<[f64; 3]>,
    },
    /// A source's table was looked at, and what its customers are like was kept.
    SourceProfiled {
        /// The source.
        source: String,
        /// Of the profile, as JSON.
        sha256: String,
    },
    /// Canaries are to arrive in a source one by one.
    DripSet {
        /// The source.
        source: String,
        /// So many a week.
        per_week: f64,
        /// None from then on.
        #[serde(with = "time::serde::rfc3339::option")]
        until: Option<OffsetDateTime>,
    },
    /// No more canaries are to arrive in a source by themselves.
    DripStopped {
        /// The source.
        source: String,
    },
    /// Canaries that should have arrived in a source have not for a day, and an alert tells of it.
    DripFailing {
        /// The source.
        source: String,
    },
    /// A mailing of a source's own side was planned, its time is over, and it was looked at what came of it.
    CampaignJudged {
        /// The source.
        source: String,
        /// The domain of its author.
        sender: String,
        /// When it was to be sent.
        #[serde(with = "time::serde::rfc3339")]
        planned: OffsetDateTime,
        /// How it stands.
        state: String,
        /// Canaries that stood in the source.
        canaries: u64,
        /// Those that got it in time.
        in_time: u64,
        /// Those that got it later.
        late: u64,
    },
    /// A receiver began to listen.
    ReceiverStarted {
        /// This run of it.
        run: String,
        /// Where SMTP listens.
        smtp: String,
        /// Where HTTP listens.
        http: String,
    },
    /// A receiver stopped because it was asked to.
    ReceiverStopped {
        /// Which run.
        run: String,
    },
    /// A receiver was found to have ended, or to have stood still, without saying so.
    ReceiverLost {
        /// Which run.
        run: String,
        /// When it was last alive.
        #[serde(with = "time::serde::rfc3339")]
        alive_at: OffsetDateTime,
    },
    /// A report about a period was written.
    Reported {
        /// The period's first day.
        from: String,
        /// Its last day.
        to: String,
        /// SHA-256 of the file in hexadecimal.
        sha256: String,
    },
    /// A person has judged an incident.
    IncidentChanged {
        /// The incident.
        incident: i64,
        /// Its new state.
        state: String,
        /// Why, in the words of who judged.
        why: Option<String>,
    },
    /// A person has written to an incident.
    IncidentNoted {
        /// The incident.
        incident: i64,
        /// The note's number.
        note: i64,
        /// `note`, or `owner`: whom it was given to.
        kind: String,
        /// The hash of its text, made as [`message_hash`] is, in hexadecimal.
        sha256: String,
    },
    /// A mailbox elsewhere was read.
    FolderRead {
        /// A keyed hash of host, user and folder.
        place: String,
        /// The folder's numbering.
        uid_validity: u32,
        /// The last number that was looked at.
        uid: u32,
    },
    /// A dossier was made of an incident.
    DossierMade {
        /// The incident.
        incident: i64,
        /// SHA-256 of its list of contents, in hexadecimal.
        manifest: String,
    },
    /// A filter was about to be handed out that keeps a source's canaries out of billing and the like.
    Suppressed {
        /// The source.
        source: String,
        /// SHA-256 of the file in hexadecimal.
        sha256: String,
        /// Canaries in it.
        canaries: usize,
    },
    /// A watch list was about to be handed out: fingerprints with which others find our canaries.
    WatchlistExported {
        /// For whom, in the words of who exported it.
        recipient: String,
        /// SHA-256 of the file in hexadecimal.
        sha256: String,
        /// How many canaries can be found with it.
        canaries: usize,
        /// Which source each of its pseudonyms stands for.
        pseudonyms: Vec<Pseudonym>,
        /// A row must agree on values that take at least so many guesses.
        guesses: f64,
    },
}

/// What is left of a message whose content was destroyed: whoever is told the salt can show that a copy is the
/// one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedMessage {
    /// Its number.
    pub message: i64,
    /// The [`content_hash`] of its envelope.
    pub envelope: String,
    /// The [`content_hash`] of its raw bytes.
    pub raw: String,
}

/// A source's name in a watch list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pseudonym {
    /// The source.
    pub source: String,
    /// What it is called there.
    pub pseudonym: String,
}

impl Act {
    /// Whether the act is about the log's own signatures: what says so need not be signed at once, or
    /// the log would grow for ever by itself.
    pub const fn is_of_signing(&self) -> bool {
        matches!(
            self,
            Act::Checkpointed { .. } | Act::CheckpointStamped { .. } | Act::Witnessed { .. }
        )
    }
}

/// The hash of a message in the log, in hexadecimal: SHA-256 over its salt (hexadecimal text), the length of
/// its envelope (eight bytes, the highest first), the envelope, and its raw bytes.
pub fn message_hash(salt: &str, envelope: &[u8], raw: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(salt)
        .chain_update((envelope.len() as u64).to_be_bytes())
        .chain_update(envelope)
        .chain_update(raw);
    super::hex(&hash.finalize())
}

/// The hash of one part of a message, in hexadecimal: SHA-256 over the message's salt (hexadecimal text) and
/// the part.
pub fn content_hash(salt: &str, part: &[u8]) -> String {
    let hash = Sha256::new().chain_update(salt).chain_update(part);
    super::hex(&hash.finalize())
}

/// The state in which an act left one row of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowDigest {
    /// The table.
    pub table: String,
    /// The row's key, as text.
    pub key: String,
    /// SHA-256 over its columns in hexadecimal; empty where the row was removed.
    pub sha256: String,
}

/// An entry of the log, as it is hashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 0.
    pub seq: u64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who: a person, or a program.
    pub by: String,
    /// What.
    #[serde(flatten)]
    pub act: Act,
    /// The rows that it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowDigest>,
}

impl Entry {
    /// The entry's text, which is what the log keeps and hashes.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("an entry has text keys and finite numbers")
    }

    /// The hash of an entry's text.
    pub fn hash(text: &str) -> Hash {
        leaf_hash(text.as_bytes())
    }
}
