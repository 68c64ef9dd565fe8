//! A canary that ages: its rows get the small changes that customers' rows get, and each state that they
//! were in is a version. An old list bears an old one.

use time::OffsetDateTime;

use super::Details;

/// How a canary's rows stood for a time, or may stand now.
#[derive(Clone, PartialEq, Eq)]
pub struct Version {
    /// Counted from 1, which is what was planted. Numbers of changes that were never written are left out.
    pub number: u32,
    /// Since when.
    pub from: OffsetDateTime,
    /// Until when; `None`: to this day, or until the canary was removed.
    pub until: Option<OffsetDateTime>,
    /// Registered before it is written, and not known yet to stand in the database.
    pub pending: bool,
    /// What it is.
    pub details: Details,
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Version")
            .field("number", &self.number)
            .field("from", &self.from)
            .field("until", &self.until)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}
