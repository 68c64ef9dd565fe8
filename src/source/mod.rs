//! Understanding a customer table: what its columns mean, how they are written, and what must be asked.
//!
//! It asks rather than guesses. A wrong role plants canaries that stand out, or that nobody recognises
//! in a list; a question costs the operator one `--map`.

mod error;
mod preview;
mod related;
mod understand;

pub use error::{Error, Result};
pub use preview::{Preview, preview};
pub use related::{RelatedProposal, understand_related};
pub use understand::{Proposal, Question, understand};

use crate::database::{Database, Row, Table};

/// Rows that are looked at.
pub const SAMPLE: usize = 1000;

/// A customer table with what was seen of it.
pub struct Survey {
    /// The table.
    pub table: Table,
    /// Its number of rows.
    pub rows: u64,
    /// Some of them, spread over the whole table; cells in the order of the table's columns.
    pub sample: Vec<Row>,
}

impl Survey {
    /// Looks at a table.
    ///
    /// # Errors
    /// There is no such table, it is a view, or the user may not read it.
    pub async fn of(database: &Database, table: &str) -> Result<Survey> {
        let table = database.table(table).await?;
        if table.is_view {
            return Err(Error::View(table.to_string()));
        }
        let rows = database.count(&table).await?;
        let sample = database.sample(&table, SAMPLE).await?;
        Ok(Survey {
            table,
            rows,
            sample,
        })
    }

    /// The table's columns by name.
    pub fn column_names(&self) -> Vec<String> {
        self.table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }
}
