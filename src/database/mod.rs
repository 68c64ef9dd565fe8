//! Customer databases: catalog, rows, and one transaction per batch.
//!
//! Every value goes in and comes out as text. What a table holds in fact (dates, UUIDs, domains,
//! enumerations) is the server's business: it converts, and what it shows afterwards is compared
//! with what was written, byte for byte.

mod catalog;
mod checks;
mod connect;
mod csv;
mod error;
mod filter;
mod joined;
mod link;
mod raised;
mod script;
mod sql;
mod sql_transaction;
mod transaction;
mod url;

use csv::CsvFile;
use link::Link;
use sql::Sql;

pub use catalog::{Check, Column, ForeignKey, Table, UniqueKey};
pub use checks::Checks;
pub use error::{Constraint, Error};
pub use filter::{BETWEEN, Filter, filter_script};
pub use joined::{Joined, Leg, Place as JoinedPlace};
pub use script::{Filling, Written};
pub use transaction::{Cell, Key, Place, Transaction};
pub use url::{DatabaseUrl, Engine};

use error::Doing;

/// Result of a call to a customer database.
pub type Result<T> = std::result::Result<T, Error>;

/// A row of text; NULL is `None`.
pub type Row = Vec<Option<String>>;

enum Pool {
    Sqlite(sqlx::SqlitePool),
    Postgres(sqlx::PgPool),
    MySql(sqlx::MySqlPool),
    Csv(CsvFile),
}

/// An open customer database.
pub struct Database {
    url: DatabaseUrl,
    pool: Pool,
}

/// Runs `$body` with a [`Link`] to a connection of the pool.
macro_rules! with_link {
    ($self:expr, $table:expr, $link:ident => $body:expr, $csv:ident => $csv_body:expr) => {{
        let failed =
            |error| error::classify($self.engine(), $table, Doing::Reading("connect to"), error);
        match &$self.pool {
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await.map_err(failed)?;
                let mut $link = Link::Sqlite(&mut connection);
                $body
            }
            Pool::Postgres(pool) => {
                let mut connection = pool.acquire().await.map_err(failed)?;
                let mut $link = Link::Postgres(&mut connection);
                $body
            }
            Pool::MySql(pool) => {
                let mut connection = pool.acquire().await.map_err(failed)?;
                let mut $link = Link::MySql(&mut connection);
                $body
            }
            Pool::Csv($csv) => $csv_body,
        }
    }};
}

impl Database {
    /// Opens the database. A file is never created.
    ///
    /// # Errors
    /// The file is missing, empty, a directory or unreadable; the server does not answer within ten
    /// seconds or refuses the user.
    pub async fn connect(url: &DatabaseUrl) -> Result<Database> {
        Ok(Database {
            url: url.clone(),
            pool: connect::open(url).await?,
        })
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Its engine.
    pub fn engine(&self) -> Engine {
        self.url.engine()
    }

    /// What the catalog says of a table; `name` may carry a schema (`crm.customers`).
    ///
    /// # Errors
    /// No such table (with the names that are near), or several.
    pub async fn table(&self, name: &str) -> Result<Table> {
        let engine = self.engine();
        with_link!(self, name, link => catalog::table(&mut link, engine, name).await, file => Ok(file.table()))
    }

    /// What the database's own clock shows now, as its defaults write it into a column without an offset;
    /// `local` asks SQLite for this host's time instead of UTC. `None` for a file without a clock.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn clock(&self, local: bool) -> Result<Option<String>> {
        let sql = Sql::new(
            self.engine(),
            match (self.engine(), local) {
                (Engine::Postgres, _) => "select localtimestamp(0)::text",
                (Engine::MySql, _) => "select cast(now() as char)",
                (_, true) => "select datetime('now', 'localtime')",
                (_, false) => "select datetime('now')",
            },
        );
        let name = "the clock";
        let rows = with_link!(self, name, link => link.rows(name, Doing::Reading("read"), sql).await, _file => return Ok(None))?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next()?))
    }

    /// How many rows the table has.
    ///
    /// # Errors
    /// The user may not read it.
    pub async fn count(&self, table: &Table) -> Result<u64> {
        let sql = Sql::new(self.engine(), "select ");
        let sql = match self.engine() {
            Engine::MySql => sql.text("cast(count(*) as char)"),
            _ => sql.text("cast(count(*) as text)"),
        };
        let sql = sql.text(" from ").table(table);
        let name = table.to_string();
        let rows = with_link!(self, &name, link => link.rows(&name, Doing::Reading("count the rows of"), sql).await, file => return Ok(file.count()?.0))?;
        let count = rows
            .first()
            .and_then(|row| row.first()?.as_deref()?.parse().ok());
        Ok(count.unwrap_or(0))
    }

    /// Whether the table has no row at all.
    ///
    /// # Errors
    /// The user may not read it.
    pub async fn is_empty(&self, table: &Table) -> Result<bool> {
        let sql = Sql::new(self.engine(), "select '1' from ").table(table);
        let sql = sql.text(" limit 1");
        let name = table.to_string();
        let rows = with_link!(self, &name, link => link.rows(&name, Doing::Reading("read"), sql).await, file => return Ok(file.count()?.0 == 0))?;
        Ok(rows.is_empty())
    }

    /// About `n` rows with all columns, spread over the whole table; all rows where there are no more.
    ///
    /// # Errors
    /// The user may not read it.
    pub async fn sample(&self, table: &Table, n: usize) -> Result<Vec<Row>> {
        let count = self.count(table).await?;
        let engine = self.engine();
        let mut sql = select(engine, table, table.columns.iter());
        // Small tables are read whole and thinned out evenly; of large ones the server picks at random,
        // a few more than wanted, because chance gives a few fewer.
        if count > 10_000.max(4 * n as u64) {
            let per_million = (n as u64).saturating_mul(1_200_000).div_ceil(count) + 20;
            sql = match engine {
                Engine::Postgres => sql.text(" where random() * 1000000 < ").number(per_million),
                Engine::MySql => sql
                    .text(" where rand(20140627) * 1000000 < ")
                    .number(per_million),
                _ => sql
                    .text(" where abs(random() % 1000000) < ")
                    .number(per_million),
            };
        }
        let name = table.to_string();
        // A CSV file is passed through anyway, so it is thinned out on the way.
        let rows = with_link!(self, &name, link => link.rows(&name, Doing::Reading("read"), sql).await, file => return file.sample(count, n))?;
        let total = rows.len() as u64;
        let numbered = rows.into_iter().zip(0..);
        Ok(numbered
            .filter_map(|(row, number)| is_sampled(number, total, n).then_some(row))
            .collect())
    }

    /// Records of a CSV file with more or fewer fields than the header has: they are left alone, but
    /// somebody should know. 0 for other engines.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn ragged(&self) -> Result<u64> {
        match &self.pool {
            Pool::Csv(file) => Ok(file.count()?.1),
            _ => Ok(0),
        }
    }

    /// Calls `each` with every row of the table, streaming; the cells are those of `columns`.
    ///
    /// # Errors
    /// An unknown column; the user may not read the table.
    pub async fn scan(
        &self,
        table: &Table,
        columns: &[&str],
        each: impl FnMut(&[Option<String>]),
    ) -> Result<()> {
        let names = columns;
        let columns = names
            .iter()
            .map(|name| table.column(name))
            .collect::<Result<Vec<_>>>()?;
        let sql = select(self.engine(), table, columns);
        let name = table.to_string();
        with_link!(self, &name, link => link.each(&name, Doing::Reading("read"), sql, each).await, file => file.scan(names, each))
    }

    /// Runs a statement of several tables; a CSV file has none.
    async fn run_each(
        &self,
        name: &str,
        doing: Doing,
        sql: Sql,
        each: impl FnMut(&[Option<String>]),
    ) -> Result<()> {
        with_link!(self, name, link => link.each(name, doing, sql, each).await, _file => Ok(()))
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// The database is locked, or the connection is lost.
    pub async fn begin(&self) -> Result<Transaction> {
        Transaction::begin(self).await
    }
}

/// Whether row `number` of `total` is among `n` that are spread evenly.
fn is_sampled(number: u64, total: u64, n: usize) -> bool {
    let n = n as u64;
    n >= total || number * n / total != (number + 1) * n / total
}

/// `select COLUMNS as text from TABLE`.
fn select<'c>(engine: Engine, table: &Table, columns: impl IntoIterator<Item = &'c Column>) -> Sql {
    Sql::new(engine, "select ")
        .list(", ", columns, Sql::shown)
        .text(" from ")
        .table(table)
}
