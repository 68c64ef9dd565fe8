//! What keeps a list from being traced.

use std::io;
use std::path::{Path, PathBuf};

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
        source: io::Error,
    },
}

impl Error {
    /// What the system said of a file.
    pub fn at(path: &Path, source: io::Error) -> Error {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Error::Missing(path),
            io::ErrorKind::IsADirectory => Error::Directory(path),
            _ => Error::Read { path, source },
        }
    }

    /// What is wrong, where the file is named beside it.
    pub fn why(&self) -> String {
        match self {
            Error::Missing(_) => "there is no such file".to_owned(),
            Error::Directory(_) => "it is a directory".to_owned(),
            Error::Empty(_) => "it is empty".to_owned(),
            Error::Unreadable { why, .. } => why.clone(),
            Error::Read { source, .. } => source.to_string(),
        }
    }
}
