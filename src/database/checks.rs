//! Whether a row that nobody has inserted would keep a table's CHECK conditions.
//!
//! The server is asked, in words of its own catalog, about values alone. An insertion that is taken back would tell as
//! much, but it draws numbers from the key's sequence, and the gap before a batch would show where the batch begins.
//!
//! Doubts: the values are given the types of their columns as well as a query can (collations are not). So what is
//! said here is a reason to draw a row anew, never one to refuse it: that is left to the table.

use super::error::Doing;
use super::link::Link;
use super::sql::Sql;
use super::{Cell, Check, Column, Database, Engine, Pool, Result, Table, error};

/// The conditions of a table that can be asked about.
pub struct Checks<'t> {
    table: &'t Table,
    /// Each with the columns that it names.
    conditions: Vec<(&'t Check, Vec<&'t Column>)>,
}

impl Checks<'_> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }
}

impl Database {
    /// The conditions of a table that its server can answer without a row in it.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn checks<'t>(&self, table: &'t Table) -> Result<Checks<'t>> {
        let mut conditions = Vec::new();
        for check in &table.checks {
            let named = |column: &&Column| names(&check.expression, &column.name);
            let columns: Vec<&Column> = table.columns.iter().filter(named).collect();
            // One of a domain names no column; the types do not hold it against a query's values either.
            if columns.is_empty() || self.engine() == Engine::Csv {
                continue;
            }
            // A condition that cannot be asked so (a server's own quoting, a function of the row) is left to the insertion.
            let nothing: Vec<Cell<'_>> = columns.iter().map(|c| (c.name.as_str(), None)).collect();
            if self
                .broken_of(table, &[(check, &columns)], &nothing)
                .await
                .is_ok()
            {
                conditions.push((check, columns));
            }
        }
        Ok(Checks { table, conditions })
    }

    /// The name of a condition that a row would break; where it has none, its words. What names a column that is not
    /// among the row's is not asked about.
    ///
    /// # Errors
    /// The connection is lost, or a value does not fit its column.
    pub async fn broken(&self, checks: &Checks<'_>, row: &[Cell<'_>]) -> Result<Option<String>> {
        let told = |column: &&Column| row.iter().any(|(name, _)| *name == column.name);
        let asked: Vec<(&Check, &Vec<&Column>)> = checks
            .conditions
            .iter()
            .filter(|(_, columns)| columns.iter().all(told))
            .map(|(check, columns)| (*check, columns))
            .collect();
        if asked.is_empty() {
            return Ok(None);
        }
        let broken = self.broken_of(checks.table, &asked, row).await?;
        Ok(broken.map(|at| {
            let check = asked[at].0;
            match check.name.is_empty() {
                true => check.expression.clone(),
                false => check.name.clone(),
            }
        }))
    }

    /// The place of the first of these conditions that the row would break.
    async fn broken_of(
        &self,
        table: &Table,
        asked: &[(&Check, &Vec<&Column>)],
        row: &[Cell<'_>],
    ) -> Result<Option<usize>> {
        let engine = self.engine();
        let sql = Sql::new(engine, "select ").list(", ", asked, |sql, (check, _)| {
            let sql = match engine {
                Engine::Postgres => sql.text("(("),
                _ => sql.text("cast(("),
            };
            let sql = sql.condition(check).text(") is false");
            match engine {
                Engine::Postgres => sql.text(")::text"),
                Engine::MySql => sql.text(" as char)"),
                _ => sql.text(" as text)"),
            }
        });
        let mentioned = |column: &&Column| {
            let mut named = asked.iter().flat_map(|(_, columns)| columns.iter());
            named.any(|named| named.name == column.name)
        };
        let columns = table.columns.iter().filter(mentioned);
        let sql = sql
            .text(" from (select ")
            .list(", ", columns, |sql, column| {
                let cell = row.iter().find(|(name, _)| *name == column.name);
                let value = cell.and_then(|(_, value)| *value);
                sql.typed(column, value).text(" as ").name(&column.name)
            })
            .text(") as t");
        let name = table.to_string();
        // The values are a canary's, so no message of the server's may be shown.
        let asking = Doing::Writing("ask for the conditions of");
        let failed = |error| error::classify(engine, &name, asking, error);
        let rows = match &self.pool {
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await.map_err(failed)?;
                Link::Sqlite(&mut connection).rows(&name, asking, sql).await
            }
            Pool::Postgres(pool) => {
                let mut connection = pool.acquire().await.map_err(failed)?;
                Link::Postgres(&mut connection)
                    .rows(&name, asking, sql)
                    .await
            }
            Pool::MySql(pool) => {
                let mut connection = pool.acquire().await.map_err(failed)?;
                Link::MySql(&mut connection).rows(&name, asking, sql).await
            }
            Pool::Csv(_) => return Ok(None),
        }?;
        let is_broken = |told: &Option<String>| matches!(told.as_deref(), Some("1" | "true"));
        Ok(rows
            .first()
            .and_then(|told| told.iter().position(is_broken)))
    }
}

/// Whether a condition names a column: as a word of its own, whatever its case and quotes.
fn names(condition: &str, column: &str) -> bool {
    let (condition, column) = (condition.to_lowercase(), column.to_lowercase());
    let inside = |letter: Option<char>| letter.is_some_and(|c| c.is_alphanumeric() || c == '_');
    condition.match_indices(&column).any(|(at, found)| {
        let (before, behind) = (&condition[..at], &condition[at + found.len()..]);
        !inside(before.chars().next_back()) && !inside(behind.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_by_a_word_of_its_own() {
        assert!(names("CHECK (((\"Last\" > first_day)))", "last"));
        assert!(names("(始 < 終)", "始"));
        assert!(!names("(first_day > paid)", "id"));
        assert!(!names("(first_day > 0)", "first"));
    }
}
