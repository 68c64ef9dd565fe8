//! Opening a customer database, with an error that says what is wrong when it cannot be opened.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Connection, MySqlConnection, PgConnection};

use super::csv::CsvFile;
use super::{DatabaseUrl, Engine, Error, Pool, Result};

/// How long a server may take to answer, and how long we wait for a lock.
const PATIENCE: Duration = Duration::from_secs(10);
/// SQLite's own wait for a lock; a person sits before it.
const SQLITE_PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn open(url: &DatabaseUrl) -> Result<Pool> {
    match (url.engine(), url.path()) {
        (Engine::Sqlite, Some(path)) => sqlite(&path).await,
        (Engine::Csv, Some(path)) => {
            readable(&path)?;
            Ok(Pool::Csv(CsvFile::open(&path)?))
        }
        (Engine::MySql, _) => mysql(url).await,
        _ => postgres(url).await,
    }
}

/// A file that is there, has bytes in it and may be read.
fn readable(path: &Path) -> Result<()> {
    let path_buf = || path.to_owned();
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NoFile(path_buf()));
        }
        Err(error) => {
            return Err(Error::File {
                path: path_buf(),
                why: error.to_string(),
            });
        }
    };
    if about.is_dir() {
        return Err(Error::NotAFile(path_buf(), "a directory"));
    }
    if !about.is_file() {
        return Err(Error::NotAFile(path_buf(), "a device or a pipe"));
    }
    if about.len() == 0 {
        return Err(Error::EmptyFile(path_buf()));
    }
    match std::fs::File::open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::File {
            path: path_buf(),
            why: error.to_string(),
        }),
    }
}

async fn sqlite(path: &Path) -> Result<Pool> {
    readable(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(SQLITE_PATIENCE);
    let failed = |error: sqlx::Error| match &error {
        sqlx::Error::Database(told) if told.message().contains("locked") => {
            Error::Locked(path.display().to_string())
        }
        sqlx::Error::Database(told) => Error::File {
            path: path.to_owned(),
            why: told.message().to_owned(),
        },
        other => Error::File {
            path: path.to_owned(),
            why: other.to_string(),
        },
    };
    let pool = SqlitePoolOptions::new()
        .max_connections(2)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
        .map_err(failed)?;
    // Opening reads nothing; the first statement finds out whether the file is a database.
    sqlx::query("select count(*) from sqlite_master")
        .execute(&pool)
        .await
        .map_err(failed)?;
    Ok(Pool::Sqlite(pool))
}

fn unreachable(url: &DatabaseUrl, error: &sqlx::Error) -> Error {
    let why = match error {
        sqlx::Error::PoolTimedOut => format!("no answer within {} seconds", PATIENCE.as_secs()),
        sqlx::Error::Database(told) => told.message().to_owned(),
        // The text of a bad URL could repeat its password.
        sqlx::Error::Configuration(_) => "an option in it is not understood".to_owned(),
        other => other.to_string(),
    };
    Error::Unreachable {
        url: url.clone(),
        why,
    }
}

async fn postgres(url: &DatabaseUrl) -> Result<Pool> {
    let options = PgConnectOptions::from_str(url.secret())
        .map_err(|error| unreachable(url, &error))?
        .options([("lock_timeout", "10s")]);
    // A pool would ask a dead server again and again until its time is up, and not say why.
    within(url, PgConnection::connect_with(&options)).await?;
    let connecting = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(PATIENCE)
        .connect_with(options);
    within(url, connecting).await.map(Pool::Postgres)
}

async fn mysql(url: &DatabaseUrl) -> Result<Pool> {
    let text = url.secret().replacen("mariadb:", "mysql:", 1);
    let options = MySqlConnectOptions::from_str(&text)
        .map_err(|error| unreachable(url, &error))?
        // The server's own time zone, so that its defaults are what other rows got.
        .timezone(None);
    within(url, MySqlConnection::connect_with(&options)).await?;
    let connecting = MySqlPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Without strictness an unknown character becomes '?' and a long text is cut, both
                // with a warning that nobody reads.
                let strict = "set session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES,NO_ZERO_IN_DATE'),
                    innodb_lock_wait_timeout = 10, lock_wait_timeout = 10";
                sqlx::query(strict).execute(connection).await.map(|_| ())
            })
        })
        .connect_with(options);
    within(url, connecting).await.map(Pool::MySql)
}

async fn within<T>(
    url: &DatabaseUrl,
    connecting: impl Future<Output = std::result::Result<T, sqlx::Error>>,
) -> Result<T> {
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(done) => done.map_err(|error| unreachable(url, &error)),
        Err(_) => Err(unreachable(url, &sqlx::Error::PoolTimedOut)),
    }
}
