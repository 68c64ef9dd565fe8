//! A leaked list to its source.
//!
//! A list is read once, in bounded memory, and goes through four stages that know nothing of each
//! other but what the first column says:
//!
//! | stage | what it gives | where |
//! | --- | --- | --- |
//! | read | records and cells of any delimiter, quoting and encoding, bad rows counted | `read` |
//! | normalise | what each column means; the keys of each row | `columns`, `normalise` |
//! | match | which canaries each row agrees with, on which marks, exactly or nearly | `watch`, `scan`, `near` |
//! | decide | likelihood ratios, share, time window, verdict | `decide` |
//!
//! All of it is a pure function of the registered canaries, the list and the settings. The published
//! forms stand apart from the inner types: `json`, `words` and `html`.

mod columns;
mod decide;
mod error;
mod few;
mod fields;
mod filter;
mod hashed;
mod html;
mod json;
mod mark;
mod memory;
mod near;
mod normalise;
#[cfg(test)]
mod odd_lists;
pub mod parts;
mod pieces;
mod plain;
mod read;
mod redact;
mod report;
mod scan;
mod store;
#[cfg(test)]
mod testing;
mod traits;
mod watch;
pub mod watchlist;
mod words;

#[cfg(fuzzing)]
pub use read::doors;

pub use decide::{
    Cleared, ClearedSlice, Composition, Condition, Decision, FoundCanary, Interval, OneOf, Origin,
    Settings, Slice, SourceFinding, Verdict, support,
};
pub use error::Error;
pub use fields::Field;
pub use html::html;
pub use json::{Document, Documents};
pub use mark::{Agreed, Group, Mark, Marks};
pub use near::{How, Hows};
pub use report::{Listed, Part, Report, trace, trace_file};
pub use traits::Attribute;
pub use watch::{Watch, WatchBuilder};
pub use words::words;
