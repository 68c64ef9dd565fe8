//! What a trace found, as the log keeps it: the numbers that a verdict stands on.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A source of which a list showed something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracedSource {
    /// The source.
    pub source: String,
    /// Whether the list was attributed to it.
    pub named: bool,
    /// Canaries of it that were found.
    pub found: usize,
    /// Canaries of it that the list could have shown.
    pub live: usize,
    /// log10 of the likelihood ratio.
    pub log10_lr: f64,
    /// The same in the words of the ENFSI scale.
    pub support: String,
    /// Share of the source in the list: estimate, lower and upper bound.
    pub share: [f64; 3],
    /// The same in rows.
    pub rows: [u64; 3],
    /// Not taken before this.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// Not taken after that; `None`: until the list was traced.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_after: Option<OffsetDateTime>,
    /// The level of the bounds.
    pub level: f64,
    /// The probability that it was taken within the two times.
    pub window_probability: f64,
}

/// A source of which a list showed nothing although it would have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracedClear {
    /// The source.
    pub source: String,
    /// A larger share of it would have shown with the level's probability.
    pub share_below: f64,
    /// The level.
    pub level: f64,
}
