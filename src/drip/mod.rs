//! Canaries one by one, at times like real customers'.
//!
//! A batch of hundreds shows: its rows stand together, and so do their keys and times. And it dates a leak
//! to a whole season, since what was planted in one act tells only 'before' or 'after' it. A drip plants one
//! canary at a time, when a customer might have come: an inhomogeneous Poisson process whose intensity by
//! weekday and hour is the table's own ([`Intensity`]).
//!
//! The process has no memory, and that is what makes it simple to keep. Only the next arrival is drawn
//! ahead and kept; whatever is missed is owed ([`Course`]), and what is owed comes by a second process of
//! the same intensity beside the first. So a receiver that was away for a month catches up at twice the
//! rate, at natural times, and never in a burst.

mod config;
mod course;
mod hours;
mod intensity;
mod learner;
mod moment;

pub use config::DripConfig;
pub use course::{Course, LATE, pause};
pub use hours::Hours;
pub use intensity::{Basis, Intensity};
pub use learner::Learner;
pub use moment::clock_offset;

use time::OffsetDateTime;

use crate::canary::{BatchId, SourceName};

/// A source's drip, as the registry keeps it.
#[derive(Clone, Debug)]
pub struct Drip {
    /// The source.
    pub source: SourceName,
    /// Arrivals a week, in thousandths.
    pub per_mille: u32,
    /// When canaries come.
    pub intensity: Intensity,
    /// When the table was last looked at for that.
    pub learnt_at: OffsetDateTime,
    /// When it was set.
    pub set_at: OffsetDateTime,
    /// No canary comes from then on.
    pub until: Option<OffsetDateTime>,
    /// When somebody stopped it.
    pub stopped_at: Option<OffsetDateTime>,
    /// When the next canary comes; `None` where none does any more.
    pub next_at: Option<OffsetDateTime>,
    /// Arrivals that were missed and are to come yet.
    pub owed: u32,
    /// The batch of an arrival that was begun, and of which nobody has noted the end.
    pub pending: Option<BatchId>,
    /// The last canary that came.
    pub last: Option<(OffsetDateTime, BatchId)>,
    /// Canaries that have come.
    pub arrived: u32,
    /// What keeps them from coming.
    pub failing: Option<Failing>,
}

/// Why the last tries failed.
#[derive(Clone, Debug)]
pub struct Failing {
    /// Since when.
    pub since: OffsetDateTime,
    /// How often in a row.
    pub tries: u32,
    /// Why, the last time; without a secret or a canary's detail.
    pub why: String,
}

impl Drip {
    /// Arrivals a week.
    pub fn per_week(&self) -> f64 {
        f64::from(self.per_mille) / 1000.0
    }

    /// Where its process stands.
    pub fn course(&self) -> Course<'_> {
        Course {
            intensity: &self.intensity,
            per_week: self.per_week(),
            until: self.until,
            owed: self.owed,
        }
    }
}
