//! One transaction: rows in, rows looked at, rows out; all or nothing.

use super::csv::Rewrite;
use super::sql_transaction::SqlTransaction;
use super::{Database, Error, Pool, Result, Row, Table};

/// A cell to write or to compare: column and text, NULL as `None`.
pub type Cell<'c> = (&'c str, Option<&'c str>);

/// Primary key columns with their values as text; empty in a table without a key.
pub type Key = Vec<(String, String)>;

/// Where one row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The row's primary key.
    pub key: Key,
    /// What the engine itself tells rows apart by, where the table has no key.
    pub(super) hidden: Option<String>,
}

impl Place {
    /// The place of the row with this primary key.
    pub fn of_key(key: Key) -> Place {
        Place { key, hidden: None }
    }
}

enum Open {
    Sql(SqlTransaction),
    Csv(Box<Rewrite>),
}

/// A transaction that writes. Dropped without [`commit`](Transaction::commit), it changes nothing.
pub struct Transaction(Open);

impl Transaction {
    pub(super) async fn begin(database: &Database) -> Result<Transaction> {
        if let Pool::Csv(file) = &database.pool {
            return Ok(Transaction(Open::Csv(Box::new(Rewrite::begin(file)?))));
        }
        match SqlTransaction::begin(database.engine(), &database.pool).await? {
            Some(open) => Ok(Transaction(Open::Sql(open))),
            None => unreachable!("CSV was dealt with above"),
        }
    }

    /// Inserts a row and returns its primary key as text.
    ///
    /// # Errors
    /// A constraint, a value that does not fit, a missing right, a storage engine without
    /// transactions; the transaction is then of no more use.
    pub async fn insert(&mut self, table: &Table, row: &[Cell<'_>]) -> Result<Key> {
        match &mut self.0 {
            Open::Sql(open) => open.insert(table, row).await,
            Open::Csv(open) => open.insert(row).map(|()| Key::new()),
        }
    }

    /// The row with this primary key: the cells of `columns`, or `None` if there is no such row. A
    /// table without a key has none: use [`scan`](Transaction::scan).
    ///
    /// # Errors
    /// An unknown column; the user may not read the table.
    pub async fn read(
        &mut self,
        table: &Table,
        key: &[(String, String)],
        columns: &[&str],
    ) -> Result<Option<Row>> {
        match &mut self.0 {
            Open::Sql(open) if !key.is_empty() => open.read(table, key, columns).await,
            _ => Ok(None),
        }
    }

    /// Calls `each` with every row: where it stands, and the cells of `columns`. Rows written in this
    /// transaction are among them.
    ///
    /// # Errors
    /// An unknown column; the user may not read the table.
    pub async fn scan(
        &mut self,
        table: &Table,
        columns: &[&str],
        mut each: impl FnMut(Place, &[Option<String>]),
    ) -> Result<()> {
        match &mut self.0 {
            Open::Sql(open) => open.scan(table, columns, each).await,
            Open::Csv(open) => open.scan(columns, |number, row| {
                let place = Place {
                    key: Key::new(),
                    hidden: Some(number.to_string()),
                };
                each(place, row);
            }),
        }
    }

    /// Removes the row that stands at `place` and holds exactly `content`.
    ///
    /// # Errors
    /// There is no such row, or (which cannot be) more than one; a foreign key still points at it.
    pub async fn delete(
        &mut self,
        table: &Table,
        place: &Place,
        content: &[Cell<'_>],
    ) -> Result<()> {
        match &mut self.0 {
            Open::Sql(open) => open.delete(table, place, content).await,
            Open::Csv(open) => {
                // A place in a CSV file comes from `scan`, which numbers the records.
                let number = place.hidden.as_ref().and_then(|number| number.parse().ok());
                open.delete(number.unwrap_or(u64::MAX), content)
            }
        }
    }

    /// Changes `new` cells of the row that has this primary key and holds exactly `content`.
    ///
    /// # Errors
    /// There is no such row, or (which cannot be) more than one; a constraint, a value that does not fit,
    /// a missing right. A CSV file, and a table without a key, are not changed.
    pub async fn update(
        &mut self,
        table: &Table,
        key: &[(String, String)],
        content: &[Cell<'_>],
        new: &[Cell<'_>],
    ) -> Result<()> {
        match &mut self.0 {
            Open::Sql(open) if !key.is_empty() => open.update(table, key, content, new).await,
            _ => Err(Error::Swallowed {
                table: table.to_string(),
                why: "it has no key by which one row could be changed and no other",
            }),
        }
    }

    /// Makes it all durable.
    ///
    /// # Errors
    /// A deferred constraint refused it, or the connection was lost: what has happened is then found
    /// out by looking.
    pub async fn commit(self) -> Result<()> {
        match self.0 {
            Open::Sql(open) => open.commit().await,
            Open::Csv(open) => open.commit(),
        }
    }

    /// Takes it all back.
    ///
    /// # Errors
    /// The connection was lost; the server then takes it back by itself.
    pub async fn rollback(self) -> Result<()> {
        match self.0 {
            Open::Sql(open) => open.rollback().await,
            Open::Csv(_) => Ok(()),
        }
    }
}
