//! Why canaries cannot be planted, found or removed.

use std::borrow::Borrow;

use crate::canary::{BatchId, CanaryId, ContactKind};
use crate::{database, registry};

/// An error of planting, verifying or removing. It names canaries by their ids only.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The customer database.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A view has no rows of its own.
    #[error("{0} is a view: plant into the table that it shows")]
    View(String),
    /// The mapping leaves open what a column means.
    #[error("it is not settled what these columns mean: {}; settle them: otori source add … --map COLUMN=ROLE (or COLUMN=skip)", .0.join(", "))]
    Unresolved(Vec<String>),
    /// The mapping names columns that the table does not have (any more).
    #[error("table {table} has no column {}: register the source anew", .columns.join(", "))]
    MissingColumns {
        /// The table.
        table: String,
        /// The columns.
        columns: Vec<String>,
    },
    /// Nothing can be said of so few customers.
    #[error(
        "{table} has {rows} customers: of fewer than {least} nothing can be said that would not be somebody's own"
    )]
    TooFewRows {
        /// The table.
        table: String,
        /// Its rows, canaries left out.
        rows: usize,
        /// So many are needed.
        least: usize,
    },
    /// The table has nothing that a canary could be recognised by.
    #[error(
        "no column of {0} holds a name, an address, a number or a mail address: nobody could recognise a canary in it; map the columns that do (--map COLUMN=ROLE)"
    )]
    NoMarks(String),
    /// A column that must be filled, and nobody knows with what.
    #[error(
        "column {column} of {table} must not be empty, has no default, and no row shows what it holds: {hint}"
    )]
    CannotFill {
        /// The column.
        column: String,
        /// The table.
        table: String,
        /// What to do.
        hint: &'static str,
    },
    /// A canary's address would stand in a town that is not its own.
    #[error(
        "{table} has no row for the town of the postal drops given to {missing} of {count} canaries, and otori adds none there: in another town the address would be a stranger's; register drops in towns that {table} has (otori pool add drop), or add the town as the application does"
    )]
    NoSuchRow {
        /// The table of rows that must be there already.
        table: String,
        /// References that found nothing.
        missing: usize,
        /// Canaries planned.
        count: usize,
    },
    /// Without the drops in other towns there are too few.
    #[error(
        "{table} has no row for the town of {left_out} of the {of} postal drops of the pool, and the others lack {missing} units: otori adds no town there, and in another one the address would be a stranger's; register drops in towns that {table} has (otori pool add drop), or add the town as the application does"
    )]
    NoTown {
        /// The table of rows that must be there already.
        table: String,
        /// Drops that are left out.
        left_out: usize,
        /// Drops of the country.
        of: usize,
        /// How many canaries would go without.
        missing: usize,
    },
    /// A row must refer to one of another table, and there is none.
    #[error(
        "{} of {table} must refer to a row of {other} (a foreign key, NOT NULL), and {other} has no rows; nothing was planted: fill {other} as the application does, then plant", column_words(.columns)
    )]
    NothingToRefer {
        /// The columns of the key.
        columns: Vec<String>,
        /// Their table.
        table: String,
        /// The table that has no rows.
        other: String,
    },
    /// Too few contact points.
    #[error("the pool lacks {missing} {}: {hint}", kind_words(*.kind))]
    PoolExhausted {
        /// Of which kind.
        kind: ContactKind,
        /// How many canaries would go without.
        missing: usize,
        /// The command that adds some.
        hint: String,
    },
    /// No person could be made that differs from all others.
    #[error(
        "after {tries} tries no further person could be made who differs from every customer and every canary in two marks: {hint}"
    )]
    Collisions {
        /// Tries for one canary.
        tries: u32,
        /// What to do.
        hint: &'static str,
    },
    /// Something that --force goes past.
    #[error("{0}; --force plants all the same")]
    Warned(String),
    /// The database keeps something else than was written.
    #[error(
        "column {column} of {table} does not keep what was written into it (a trigger, or a text cut short); nothing was planted: map the column to skip, or look at the trigger"
    )]
    Changed {
        /// The column, or how it could not be found out.
        column: String,
        /// The table.
        table: String,
    },
    /// A batch of which one transaction has left a part.
    #[error("batch {batch} was being planted when otori stopped, and {found} of its {of} canaries stand in {table}; one transaction cannot leave that, so somebody has changed the table since: look at the canaries {}, then run 'otori unplant' with --batch {batch}", ids(.present))]
    Partly {
        /// The batch.
        batch: BatchId,
        /// The table.
        table: String,
        /// Canaries found.
        found: usize,
        /// Canaries of the batch.
        of: usize,
        /// Those that are there.
        present: Vec<CanaryId>,
    },
    /// Rows to remove have been changed by somebody.
    #[error("these canaries have been changed since they were planted: {}; nothing was removed; --force removes them as they are now", ids(.0))]
    Altered(Vec<CanaryId>),
    /// There is nothing to remove.
    #[error("no canary of {0} is planted: there is nothing to remove")]
    NothingToRemove(String),
    /// A file that is not written over.
    #[error("{0} exists already; --force writes over it")]
    FileExists(std::path::PathBuf),
    /// A file that cannot be written.
    #[error("{path} cannot be written: {why}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The rows of this table cannot be changed one by one.
    #[error("the canaries of {table} stay as they were planted: {why}")]
    Untendable {
        /// The table.
        table: String,
        /// Why.
        why: String,
    },
    /// A row that was changed is not as it was to become.
    #[error(
        "column {column} of {table} is changed by something else (a trigger) when a row is updated; the change of the canary was taken back"
    )]
    Rewritten {
        /// The column.
        column: String,
        /// The table.
        table: String,
    },
    /// A source of this kind takes no such file.
    #[error("{0}")]
    Unsuited(&'static str),
}

/// Result of a call of this module.
pub type Result<T> = std::result::Result<T, Error>;

fn ids(canaries: &[CanaryId]) -> String {
    let shown: Vec<&str> = canaries.iter().take(10).map(CanaryId::as_str).collect();
    let more = canaries.len().saturating_sub(shown.len());
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Columns by name, as a sentence begins with them.
pub(super) fn column_words<S: Borrow<str>>(columns: &[S]) -> String {
    match columns {
        [one] => format!("column {}", one.borrow()),
        all => format!("columns {}", all.join(", ")),
    }
}

fn kind_words(kind: ContactKind) -> &'static str {
    match kind {
        ContactKind::Mail | ContactKind::Mailbox => "mail addresses",
        ContactKind::Phone => "telephone numbers",
        ContactKind::Drop => "units of postal drops",
    }
}
