//! What can go wrong with a customer database, in words that a person can act on.
//!
//! Servers put values into their messages ("Duplicate entry 'hana@…'"). What was written is a
//! canary, so of a failed write only the error's code and the names in it are told, never its text.

use std::path::PathBuf;

use super::sql::Sql;
use super::{DatabaseUrl, Engine};

/// Which promise of a table a row did not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// UNIQUE or the primary key.
    Unique,
    /// NOT NULL, or a column without a default.
    NotNull,
    /// CHECK, of the table or of a domain.
    Check,
    /// A foreign key.
    ForeignKey,
    /// Another one (exclusion, partition).
    Other,
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Constraint::Unique => "UNIQUE",
            Constraint::NotNull => "NOT NULL",
            Constraint::Check => "CHECK",
            Constraint::ForeignKey => "FOREIGN KEY",
            Constraint::Other => "other",
        })
    }
}

/// An error of a customer database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a connection URL that otori knows.
    #[error(
        "this is not a database URL: {0}; use sqlite:PATH, postgres://USER:PASSWORD@HOST/NAME, mysql://USER:PASSWORD@HOST/NAME or csv:PATH"
    )]
    Url(&'static str),
    /// A table that cannot be filtered by its keys within its database.
    #[error(
        "{table} cannot be filtered in its database: {why}; `otori suppress --csv` filters outside of it"
    )]
    NoFilter {
        /// The table.
        table: String,
        /// Why not.
        why: String,
    },
    /// The file does not exist.
    #[error("there is no file {0}; otori does not make customer databases: check the path")]
    NoFile(PathBuf),
    /// A directory, or another thing that is no file.
    #[error("{0} is not a file but {1}")]
    NotAFile(PathBuf, &'static str),
    /// An empty file.
    #[error("{0} is empty (0 bytes)")]
    EmptyFile(PathBuf),
    /// The file is there but may not be opened, or holds something else.
    #[error("{path} cannot be opened: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A server that does not answer, or does not let us in.
    #[error("no connection to {url}: {why}")]
    Unreachable {
        /// The URL, without its password.
        url: DatabaseUrl,
        /// What the server or the network said.
        why: String,
    },
    /// Somebody else holds a lock.
    #[error(
        "the database is locked by another process: {0}; nothing was written; try again when it has finished"
    )]
    Locked(String),
    /// No table of that name.
    #[error("there is no table '{table}'{}", near_text(.near))]
    NoTable {
        /// What was asked for.
        table: String,
        /// Names like it, or all names where they are few.
        near: Vec<String>,
    },
    /// More than one table of that name.
    #[error("'{table}' could be any of {}: write it with its schema", .found.join(", "))]
    AmbiguousTable {
        /// What was asked for.
        table: String,
        /// The tables found.
        found: Vec<String>,
    },
    /// A related table that does not hang together with the others as the mapping says.
    #[error("related table {name}: {why}")]
    Related {
        /// What the mapping calls it.
        name: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A column that the table does not have.
    #[error("table {table} has no column '{column}'")]
    NoColumn {
        /// The table.
        table: String,
        /// The column asked for.
        column: String,
    },
    /// A table whose engine cannot take back what it has written.
    #[error(
        "table {table} is kept by the {engine} storage engine, which has no transactions: a failure would leave half a batch; convert it (ALTER TABLE … ENGINE=InnoDB) or use --sql"
    )]
    NotTransactional {
        /// The table.
        table: String,
        /// Its storage engine.
        engine: String,
    },
    /// The user lacks a right.
    #[error("the database user may not {doing} {table}: {why}")]
    Denied {
        /// What was tried.
        doing: &'static str,
        /// The table.
        table: String,
        /// The code or message.
        why: String,
    },
    /// A constraint of the table refused a row.
    #[error("the {kind} constraint{} of table {table} refused a row; nothing was written", name_text(.name))]
    Constraint {
        /// Its kind.
        kind: Constraint,
        /// Its name, or its column, where the server tells it.
        name: Option<String>,
        /// The table.
        table: String,
    },
    /// A trigger of the table refused a row.
    #[error("a trigger{} of table {table} refused a row{}; nothing was written", name_text(.by), says_text(.says))]
    Raised {
        /// The table.
        table: String,
        /// The trigger's function, where the server tells it.
        by: Option<String>,
        /// What it said, if that repeats nothing that was written.
        says: Option<String>,
    },
    /// A value does not fit its column.
    #[error("a value does not fit {} of table {table}: {why}; nothing was written", column_text(.column))]
    Value {
        /// The column, where it is known.
        column: Option<String>,
        /// The table.
        table: String,
        /// In what way.
        why: String,
    },
    /// A row was accepted but not written, or its key cannot be found out.
    #[error("table {table}: {why}; nothing was written")]
    Swallowed {
        /// The table.
        table: String,
        /// What happened.
        why: &'static str,
    },
    /// A CSV file that cannot be read or written safely.
    #[error("{path}{}: {why}", line_text(.line))]
    Csv {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1, where it is known.
        line: Option<u64>,
        /// What is wrong and what to do.
        why: String,
    },
    /// Any other failure while reading.
    #[error("{engine} could not {doing} {table}: {why}", engine = .engine.name())]
    Failed {
        /// The engine.
        engine: Engine,
        /// What was being done.
        doing: &'static str,
        /// The table, or the database.
        table: String,
        /// The message, or only the code where the message could repeat a canary.
        why: String,
    },
}

fn near_text(near: &[String]) -> String {
    if near.is_empty() {
        "; the database has no tables that this user may see".to_owned()
    } else {
        format!("; there is: {}", near.join(", "))
    }
}

fn name_text(name: &Option<String>) -> String {
    name.as_ref()
        .map(|name| format!(" {name}"))
        .unwrap_or_default()
}

fn says_text(says: &Option<String>) -> String {
    match says {
        Some(says) => format!(": {says}"),
        None => " (what it said repeats a value, and is not shown here: see the server's log)"
            .to_owned(),
    }
}

fn column_text(column: &Option<String>) -> String {
    column.as_ref().map_or_else(
        || "a column".to_owned(),
        |column| format!("column {column}"),
    )
}

fn line_text(line: &Option<u64>) -> String {
    line.map(|line| format!(", line {line}"))
        .unwrap_or_default()
}

/// What was being done when an error came, which decides how much of its text may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Reading: messages name objects, not canaries.
    Reading(&'static str),
    /// Writing: the server's message may repeat a value.
    Writing(&'static str),
}

impl Doing {
    /// The values that a writing statement brings.
    pub(super) fn written(self, sql: &Sql) -> Vec<Option<String>> {
        match self {
            Doing::Writing(_) => sql.values().to_vec(),
            Doing::Reading(_) => Vec::new(),
        }
    }
}

/// The error of one statement on `table`.
pub(super) fn classify(engine: Engine, table: &str, doing: Doing, error: sqlx::Error) -> Error {
    let (verb, writing) = match doing {
        Doing::Reading(verb) => (verb, false),
        Doing::Writing(verb) => (verb, true),
    };
    let table = if table.is_empty() {
        "the database"
    } else {
        table
    }
    .to_owned();
    let sqlx::Error::Database(told) = &error else {
        // A bound value is in no message of the driver's own, so these can be shown.
        return Error::Failed {
            engine,
            doing: verb,
            table,
            why: error.to_string(),
        };
    };
    let code = told.code().unwrap_or_default().into_owned();
    let message = told.message();
    let known = match engine {
        Engine::Sqlite => sqlite(&code, message),
        Engine::Postgres => {
            let told = told.downcast_ref::<sqlx::postgres::PgDatabaseError>();
            postgres(&code, told.constraint().or(told.column()))
        }
        Engine::MySql => {
            let number = told
                .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
                .map_or(0, |told| told.number());
            mysql(number, message)
        }
        Engine::Csv => Known::Other,
    };
    match known {
        Known::Locked => Error::Locked(if writing {
            format!("code {code}")
        } else {
            message.to_owned()
        }),
        Known::Denied => Error::Denied {
            doing: verb,
            table,
            why: message.to_owned(),
        },
        Known::Constraint(kind, name) => Error::Constraint { kind, name, table },
        Known::Value(column, why) => Error::Value {
            column,
            table,
            why: why.to_owned(),
        },
        Known::Other => Error::Failed {
            engine,
            doing: verb,
            table,
            why: if writing {
                format!("error code {code}")
            } else {
                message.to_owned()
            },
        },
    }
}

enum Known {
    Locked,
    Denied,
    Constraint(Constraint, Option<String>),
    Value(Option<String>, &'static str),
    Other,
}

/// SQLite's extended result codes: <https://www.sqlite.org/rescode.html>.
fn sqlite(code: &str, message: &str) -> Known {
    let named = || {
        message
            .split_once("failed: ")
            .map(|(_, name)| name.to_owned())
    };
    match code.parse::<u32>().unwrap_or(0) {
        275 => Known::Constraint(Constraint::Check, named()),
        787 => Known::Constraint(Constraint::ForeignKey, None),
        1299 => Known::Constraint(Constraint::NotNull, named()),
        1555 | 2067 | 2579 => Known::Constraint(Constraint::Unique, named()),
        3091 => Known::Value(named(), "its type is another (STRICT table)"),
        other => match other & 0xff {
            5 | 6 => Known::Locked,
            8 | 3 | 23 => Known::Denied,
            19 => Known::Constraint(Constraint::Other, None),
            _ => Known::Other,
        },
    }
}

/// PostgreSQL's error codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn postgres(code: &str, name: Option<&str>) -> Known {
    let name = name.map(str::to_owned);
    match code {
        "23505" => Known::Constraint(Constraint::Unique, name),
        "23502" => Known::Constraint(Constraint::NotNull, name),
        "23503" => Known::Constraint(Constraint::ForeignKey, name),
        "23514" => Known::Constraint(Constraint::Check, name),
        "42501" | "25006" => Known::Denied,
        "55P03" | "40P01" | "40001" => Known::Locked,
        "22001" => Known::Value(name, "it is too long"),
        "22P05" | "22021" => Known::Value(name, "the database's encoding has no such character"),
        _ if code.starts_with("23") => Known::Constraint(Constraint::Other, name),
        _ if code.starts_with("22") => Known::Value(name, "it is not of the column's type"),
        _ => Known::Other,
    }
}

/// MySQL's and MariaDB's error numbers: <https://mariadb.com/kb/en/mariadb-error-codes/>.
fn mysql(number: u16, message: &str) -> Known {
    match number {
        1048 => Known::Constraint(Constraint::NotNull, quoted_after(message, "Column ")),
        1364 => Known::Constraint(Constraint::NotNull, quoted_after(message, "Field ")),
        1062 | 1586 => Known::Constraint(Constraint::Unique, quoted_after(message, " for key ")),
        1216 | 1217 | 1451 | 1452 => {
            Known::Constraint(Constraint::ForeignKey, quoted_after(message, "CONSTRAINT "))
        }
        3819 => Known::Constraint(Constraint::Check, quoted_after(message, "constraint ")),
        4025 => Known::Constraint(Constraint::Check, quoted_after(message, "CONSTRAINT ")),
        1205 | 1213 | 3572 => Known::Locked,
        1044 | 1045 | 1142 | 1143 | 1227 | 1290 | 1792 | 1836 => Known::Denied,
        1406 => Known::Value(quoted_after(message, " for column "), "it is too long"),
        1366 => Known::Value(
            quoted_after(message, " for column "),
            "the column's character set or type has no such value",
        ),
        1264 => Known::Value(quoted_after(message, " for column "), "it is out of range"),
        1265 | 1292 | 1411 => Known::Value(
            quoted_after(message, " for column "),
            "it is not of the column's type",
        ),
        3140 | 1525 | 1367 => Known::Value(None, "it is not of the column's type"),
        _ => Known::Other,
    }
}

/// The last part of the quoted name behind the last `marker`: `` `shop`.`kunde`.`mail` `` gives
/// `mail`. The last one, because the value before it could hold the marker too.
fn quoted_after(message: &str, marker: &str) -> Option<String> {
    let (_, rest) = message.rsplit_once(marker)?;
    let end = rest.find(' ').unwrap_or(rest.len());
    let name = rest[..end].rsplit('.').next()?;
    Some(name.trim_matches(['\'', '`', '.']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_from_messages_and_values_are_not() {
        let cases = [
            (
                "Duplicate entry 'a for key b@x.example' for key 'shop.メール'",
                " for key ",
                "メール",
            ),
            (
                "Data too long for column '氏名' at row 1",
                " for column ",
                "氏名",
            ),
            (
                "Incorrect string value: '\\xE3' for column `d`.`t`.`氏名` at row 1",
                " for column ",
                "氏名",
            ),
            (
                "CONSTRAINT `age_ok` failed for `d`.`t`",
                "CONSTRAINT ",
                "age_ok",
            ),
        ];
        for (message, marker, name) in cases {
            assert_eq!(
                quoted_after(message, marker).as_deref(),
                Some(name),
                "{message}"
            );
        }
    }
}
