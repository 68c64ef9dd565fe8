//! One connection of whichever engine: statements in, rows of text out.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};

use super::error::{Doing, classify};
use super::raised::raised;
use super::sql::Sql;
use super::{Engine, Error, Result};

/// A borrowed connection.
pub(super) enum Link<'c> {
    Sqlite(&'c mut sqlx::SqliteConnection),
    Postgres(&'c mut sqlx::PgConnection),
    MySql(&'c mut sqlx::MySqlConnection),
}

/// A row as text; NULL is `None`.
pub(super) type TextRow = Vec<Option<String>>;

macro_rules! each_row {
    ($connection:expr, $sql:expr, $each:expr) => {{
        // `Sql` is put together in `sql.rs` alone: names quoted, values bound.
        let (text, values) = $sql.into_parts();
        let mut query = sqlx::query(AssertSqlSafe(text));
        for value in values {
            query = query.bind(value);
        }
        let mut rows = query.fetch($connection);
        let mut cells = TextRow::new();
        while let Some(row) = rows.try_next().await? {
            cells.clear();
            for place in 0..row.len() {
                cells.push(row.try_get_unchecked(place)?);
            }
            $each(&cells);
        }
        Ok(())
    }};
}

macro_rules! affected {
    ($connection:expr, $sql:expr) => {{
        let (text, values) = $sql.into_parts();
        let mut query = sqlx::query(AssertSqlSafe(text));
        for value in values {
            query = query.bind(value);
        }
        query
            .execute($connection)
            .await
            .map(|done| done.rows_affected())
    }};
}

impl Link<'_> {
    fn engine(&self) -> Engine {
        match self {
            Link::Sqlite(_) => Engine::Sqlite,
            Link::Postgres(_) => Engine::Postgres,
            Link::MySql(_) => Engine::MySql,
        }
    }

    /// Calls `each` with every row; every column must be text in the statement itself.
    pub(super) async fn each(
        &mut self,
        table: &str,
        doing: Doing,
        sql: Sql,
        mut each: impl FnMut(&[Option<String>]),
    ) -> Result<()> {
        let engine = self.engine();
        let written = doing.written(&sql);
        let run = async {
            match self {
                Link::Sqlite(connection) => each_row!(&mut **connection, sql, each),
                Link::Postgres(connection) => each_row!(&mut **connection, sql, each),
                Link::MySql(connection) => each_row!(&mut **connection, sql, each),
            }
        };
        run.await.map_err(|error| {
            let by_trigger = raised(engine, table, &written, &error);
            by_trigger.unwrap_or_else(|| classify(engine, table, doing, error))
        })
    }

    /// All rows.
    pub(super) async fn rows(
        &mut self,
        table: &str,
        doing: Doing,
        sql: Sql,
    ) -> Result<Vec<TextRow>> {
        let mut rows = Vec::new();
        self.each(table, doing, sql, |row| rows.push(row.to_vec()))
            .await?;
        Ok(rows)
    }

    /// Runs a statement that gives no rows; returns how many it touched.
    pub(super) async fn execute(&mut self, table: &str, doing: Doing, sql: Sql) -> Result<u64> {
        let engine = self.engine();
        let written = doing.written(&sql);
        let done = match self {
            Link::Sqlite(connection) => affected!(&mut **connection, sql),
            Link::Postgres(connection) => affected!(&mut **connection, sql),
            Link::MySql(connection) => affected!(&mut **connection, sql),
        };
        done.map_err(|error: sqlx::Error| -> Error {
            let by_trigger = raised(engine, table, &written, &error);
            by_trigger.unwrap_or_else(|| classify(engine, table, doing, error))
        })
    }
}
