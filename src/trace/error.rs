//! What keeps a list from being traced.

use std::path::PathBuf;

/// A list that could not be examined. Bad rows are no error: they are counted and shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file.
    #[error("{0}: there is no such file")]
    Missing(PathBuf),
    /// A directory stands where a file was expected.
    #[error("{0} is a directory: name the files in it")]
    Directory(PathBuf),
    /// A file without a byte.
    #[error("{0} is empty: there is nothing to trace")]
    Empty(PathBuf),
    /// Nothing in it is a list, or all of it is locked or damaged.
    #[error("{path}: {why}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What it is, and what to do.
        why: String,
    },
    /// The system does not let us read it, or stopped half-way.
    #[error("{path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
