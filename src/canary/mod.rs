//! The vocabulary: what the whole house talks about. No I/O, no clock, no thread RNG.

mod actor;
mod authentication;
mod campaign;
mod cluster;
mod contact;
mod drill;
mod id;
mod notice;
mod origin;
mod picture;
mod published;
mod sighting;
mod timeline;
mod version;

pub use actor::{ActorKey, ActorKeys, KeyKind};
pub use authentication::{Authentication, Checked};
pub use campaign::{Came, Campaign, CampaignState, Judgement, LATE, judge};
pub use cluster::{Cluster, Contact, Link, MANY, clusters};
pub use contact::{
    ContactKind, ContactPoint, Domain, InvalidContact, MailAddress, PhoneNumber, PostalDrop, Units,
    is_japanese_mobile,
};
pub use drill::{Drill, DrillState, DrillsDocument};
pub use id::{BatchId, CanaryId, InvalidCanaryId, InvalidSourceName, SourceName};
pub use notice::{canaries_needed, notice_probability, smallest_noticed};
pub use origin::{Attachment, Origin, SenderDomain};
pub use picture::PictureFormat;
pub use published::{IncidentsDocument, SightingsDocument};
pub use sighting::{Actor, Channel, Incident, IncidentState, Named, Sighting, SightingKind};
pub use timeline::{Moment, MomentKind, Note, NoteKind};
pub use version::Version;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::notation::Role;
use crate::persona::Household;

/// Where a canary or a batch is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Registered, not yet known to stand in the database. A crash leaves it so; the next command
    /// that plants, verifies or removes settles it by looking.
    Planned,
    /// Given out as SQL or CSV for somebody else to insert; `verify` sees when it has arrived.
    HandedOut,
    /// Standing in the database.
    Live,
    /// Never written: the planting failed and its contact points are free again.
    Void,
    /// Removed by `unplant`. It still betrays lists that were taken while it stood there.
    Unplanted,
}

impl State {
    /// The state's name in the registry and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::HandedOut => "handed_out",
            State::Live => "live",
            State::Void => "void",
            State::Unplanted => "unplanted",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<State> {
        [
            State::Planned,
            State::HandedOut,
            State::Live,
            State::Void,
            State::Unplanted,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }
}

/// One value of a planted row, exactly as written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Column name.
    pub column: String,
    /// What the column means.
    pub role: Role,
    /// The text that the database holds; `None` is SQL's NULL.
    pub value: Option<String>,
}

/// One row that a canary consists of.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantedRow {
    /// Table, as its source names it.
    pub table: String,
    /// Every column that otori wrote, in the table's order.
    pub cells: Vec<Cell>,
    /// Primary key columns with their values as text; empty until the database has given them, and
    /// for ever in a table without a key.
    pub key: Vec<(String, String)>,
    /// Cells that hold what another of the canary's rows is known by. They are NULL until that row
    /// stands in the database.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<RowLink>,
    /// What stands in rows of others to which this one refers (the name of its city), and is shown with
    /// it wherever the tables are joined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<Cell>,
}

/// A column that refers to another row of the same canary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowLink {
    /// The column that refers.
    pub column: String,
    /// The row referred to: its place in [`Details::rows`].
    pub row: usize,
    /// The column of that row.
    pub of: String,
}

/// What a canary is: sealed in the registry, never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The people, with owned contact points in the place of generated ones.
    pub household: Household,
    /// The rows planted for them: that of the customer table first, then those of related tables.
    pub rows: Vec<PlantedRow>,
}

/// One fake customer household, planted in exactly one source.
#[derive(Clone, PartialEq, Eq)]
pub struct Canary {
    /// Its name, which may be shown.
    pub id: CanaryId,
    /// Its source.
    pub source: SourceName,
    /// Its batch.
    pub batch: BatchId,
    /// Where it is in its life.
    pub state: State,
    /// What it is now: its newest version that is known to stand.
    pub details: Details,
    /// Registry numbers of the contact points that it was given.
    pub points: Vec<i64>,
    /// Its versions, the planted one first and one that may stand last; none where it has never changed.
    pub versions: Vec<Version>,
}

impl std::fmt::Debug for Canary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canary")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("batch", &self.batch)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Canary {
    /// What it is, and what it was or may be by now: the details of every version.
    pub fn all_details(&self) -> impl Iterator<Item = &Details> {
        let others = self.versions.iter().map(|version| &version.details);
        std::iter::once(&self.details).chain(others.filter(|other| **other != self.details))
    }

    /// The version that may stand in the database by now: a crash left it so.
    pub fn pending(&self) -> Option<&Version> {
        self.versions.iter().find(|version| version.pending)
    }

    /// The cells with a value of all rows in all versions, and what they show of others' rows; what did not
    /// change comes again with each.
    pub fn written(&self) -> impl Iterator<Item = (Role, &str)> {
        let rows = self.all_details().flat_map(|details| &details.rows);
        let cells = rows.flat_map(|row| row.cells.iter().chain(&row.shows));
        cells.filter_map(|cell| Some((cell.role, cell.value.as_deref()?)))
    }
}

/// The canaries planted together; the time dates a leak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its name.
    pub id: BatchId,
    /// Its source.
    pub source: SourceName,
    /// When it was planted.
    pub planted_at: OffsetDateTime,
    /// When it was removed, if it was.
    pub unplanted_at: Option<OffsetDateTime>,
    /// Where it is in its life.
    pub state: State,
    /// How many canaries it holds.
    pub canaries: usize,
    /// Rows in the source's table, without canaries, when it was planted: what a share is a share of.
    pub rows_at: u64,
}
