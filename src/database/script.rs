//! Rows that refer to each other, as a script: what the database makes of one row's key goes into the
//! next, by the means that each engine has for it.

use super::sql::Sql;
use super::sql_transaction::insertion;
use super::{Column, Database, Engine, Error, Result, Table};

/// What a script writes into a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling<'c> {
    /// A text; `None` is NULL.
    Text(Option<&'c str>),
    /// The key that the database makes for another row: its number.
    KeyOf(usize),
}

/// A step of a script.
pub enum Written<'c> {
    /// A row goes in; `key` is the column of its key, where others refer to what the database makes there.
    Insert {
        /// Its number in the script.
        row: usize,
        /// Its table.
        table: &'c Table,
        /// Its cells.
        cells: Vec<(&'c str, Filling<'c>)>,
        /// The column that the database fills.
        key: Option<&'c str>,
    },
    /// A cell of the row with that number is set.
    Update {
        /// The row's number, of which the database has made the key.
        row: usize,
        /// Its table.
        table: &'c Table,
        /// The column of its key.
        key: &'c str,
        /// The cell's column.
        column: &'c str,
        /// What goes into it.
        filling: Filling<'c>,
    },
}

impl Database {
    /// The statements of rows that belong together, each with its semicolon. Numbers of rows are those of
    /// one script: no two calls for it share one.
    ///
    /// # Errors
    /// An unknown column, or the engine runs no SQL.
    pub fn script(&self, steps: &[Written<'_>]) -> Result<String> {
        let engine = self.engine();
        let tied = steps.iter().any(|step| match step {
            Written::Insert { key, .. } => key.is_some(),
            Written::Update { .. } => true,
        });
        if !tied {
            let mut text = String::new();
            for step in steps {
                text += &statement(engine, step)?;
                text += ";\n";
            }
            return Ok(text);
        }
        let mut text = String::new();
        if engine == Engine::Postgres {
            text += "do $otori$\ndeclare\n";
            for step in steps {
                if let Written::Insert {
                    row,
                    table,
                    key: Some(key),
                    ..
                } = step
                {
                    let column = table.column(key)?;
                    let declared = variable(Sql::literal(engine, "  "), *row).text(" ");
                    let declared = declared.table(table).text(".").name(&column.name);
                    text += &declared.text("%type;\n").into_parts().0;
                }
            }
            text += "begin\n";
        }
        for step in steps {
            text += &statement(engine, step)?;
            if let Written::Insert {
                row,
                table,
                key: Some(key),
                ..
            } = step
            {
                text += &keeping(engine, table.column(key)?, *row);
            }
            text += ";\n";
        }
        if engine == Engine::Postgres {
            text += "end $otori$;\n";
        }
        Ok(text)
    }

    /// What stands before and after all of a script's rows.
    ///
    /// # Errors
    /// The engine runs no SQL.
    pub fn script_frame(&self, tied: bool) -> Result<(&'static str, &'static str)> {
        Ok(match self.engine() {
            Engine::Csv => {
                return Err(Error::Swallowed {
                    table: self.url().to_string(),
                    why: "a CSV file runs no SQL",
                });
            }
            Engine::MySql => (
                "set names utf8mb4;\nset session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES');\nstart transaction;\n",
                "commit;\n",
            ),
            Engine::Postgres => ("begin;\n", "commit;\n"),
            Engine::Sqlite if tied => (
                "begin;\ncreate temp table otori_keys (row_number integer primary key, key);\n",
                "drop table temp.otori_keys;\ncommit;\n",
            ),
            Engine::Sqlite => ("begin;\n", "commit;\n"),
        })
    }
}

fn variable(sql: Sql, row: usize) -> Sql {
    sql.text("otori_key_").number(row as u64)
}

/// The key of a row of this script.
fn key_of(engine: Engine, sql: Sql, row: usize) -> Sql {
    match engine {
        Engine::MySql => variable(sql.text("@"), row),
        Engine::Postgres | Engine::Csv => variable(sql, row),
        Engine::Sqlite => sql
            .text("(select key from temp.otori_keys where row_number = ")
            .number(row as u64)
            .text(")"),
    }
}

/// What keeps the key that the database has just made.
fn keeping(engine: Engine, column: &Column, row: usize) -> String {
    let sql = Sql::literal(engine, "");
    let sql = match engine {
        Engine::Postgres | Engine::Csv => variable(
            sql.text(" returning ").name(&column.name).text(" into "),
            row,
        ),
        Engine::MySql => variable(sql.text(";\nset @"), row).text(" = last_insert_id()"),
        Engine::Sqlite => sql
            .text(";\ninsert into temp.otori_keys values (")
            .number(row as u64)
            .text(", last_insert_rowid())"),
    };
    sql.into_parts().0
}

fn filled(engine: Engine, sql: Sql, column: &Column, filling: Filling<'_>) -> Sql {
    match filling {
        Filling::Text(value) => sql.stored(column, value),
        Filling::KeyOf(row) => key_of(engine, sql, row),
    }
}

fn statement(engine: Engine, step: &Written<'_>) -> Result<String> {
    let sql = match step {
        Written::Insert { table, cells, .. } => {
            let sql = Sql::literal(engine, "insert into ");
            let names: Vec<&str> = cells.iter().map(|(name, _)| *name).collect();
            insertion(sql, table, &names, |sql, column, at| {
                filled(engine, sql, column, cells[at].1)
            })?
        }
        Written::Update {
            row,
            table,
            key,
            column,
            filling,
        } => {
            let sql = Sql::literal(engine, "update ").table(table).text(" set ");
            let about = table.column(column)?;
            let sql = filled(engine, sql.name(column).text(" = "), about, *filling);
            let key = &table.column(key)?.name;
            key_of(engine, sql.text(" where ").name(key).text(" = "), *row)
        }
    };
    Ok(sql.into_parts().0)
}
