//! The seed tables.

use std::path::{Path, PathBuf};

/// The tables that people are made from; cheap to clone.
#[derive(Clone)]
pub struct Seeds {}

/// A seed file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A file or directory that cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

#[expect(unused_variables, reason = "signatures first, bodies follow")]
impl Seeds {
    /// The tables in the binary.
    pub fn embedded() -> Seeds {
        todo!()
    }

    /// The tables in the binary, but where `dir` holds a file of the same name
    /// (`ja_JP/towns.csv`, plain or `.gz`), that one.
    pub fn overlaid(dir: &Path) -> Result<Seeds, SeedError> {
        todo!()
    }
}
