//! Why a table cannot be a source.

use crate::database;
use crate::notation::MappingError;

/// An error of understanding a table.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The customer database.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A view has no rows of its own.
    #[error(
        "{0} is a view: it has no rows of its own to plant among; register the table that it shows"
    )]
    View(String),
    /// The mapping does not fit.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A column was mapped twice.
    #[error("column '{column}' is mapped to {one} and to {other}: say it once")]
    MappedTwice {
        /// The column.
        column: String,
        /// One role.
        one: crate::notation::Role,
        /// The other.
        other: crate::notation::Role,
    },
    /// A mapping file names attributes that no row has.
    #[error(
        "no row of {table} has the attribute {attributes}; attributes that many customers have: {known}"
    )]
    NoAttribute {
        /// The table.
        table: String,
        /// The attributes.
        attributes: String,
        /// Those that are common.
        known: String,
    },
}

/// Result of a call of this module.
pub type Result<T> = std::result::Result<T, Error>;
