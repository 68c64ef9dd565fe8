//! Watch lists: a watch for somebody who must not learn the canaries.
//!
//! An outside firm traces a list with a file of keyed fingerprints and gets canary ids and the
//! sources' pseudonyms. The key is in the file, as it must be, so the file protects by what has to be
//! tried: see `combination` for which values have to be guessed together, and `digest` for what each
//! guess costs. Two things no watch list can keep: whoever holds a table in which canaries stand finds
//! them with it, and how many canaries there are, by batch and source, is plain.

mod blind;
mod combination;
mod dates;
mod digest;
mod file;
mod folding;
mod make;
mod open;

pub(super) use blind::{Blind, Kept};
pub use dates::Dates;
pub use file::Error;
pub use make::{Cheapest, Options, WatchList};

#[cfg(test)]
mod tests;
