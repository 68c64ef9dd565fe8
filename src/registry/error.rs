//! What can go wrong in the store.

/// An error of the registry; it never carries a canary's detail.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or could not be reached.
    #[error("the registry failed: {0}")]
    Database(#[from] sqlx::Error),
}
