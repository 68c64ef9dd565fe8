//! What can go wrong in the store.

/// An error of the registry; it never carries a canary's detail.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or could not be reached.
    #[error("the registry failed: {0}")]
    Database(#[source] sqlx::Error),
    /// Somebody else has SQLite's file locked, and did not let go of it in time.
    #[error(
        "the registry is locked: another program has been writing to it for half a minute; try again when it has ended (`fuser registry.db` names it)"
    )]
    Locked,
    /// The registry's server took the question and gave no answer.
    #[error(
        "the registry did not answer within {} seconds: see whether its server and the network to it work", .0.as_secs()
    )]
    Silent(std::time::Duration),
    /// The schema could not be brought up to date.
    #[error("the registry's schema could not be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A URL that is no registry's.
    #[error("'{0}' is no registry URL: give sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Url(String),
    /// The file is not there.
    #[error("there is no registry at {0}: run `otori init` first, or restore the file")]
    Missing(std::path::PathBuf),
    /// The lock file or the registry's file could not be used.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key does not fit the registry.
    #[error(
        "the key does not open this registry: give the key that it was made with (keys/registry.key, or OTORI_KEY)"
    )]
    WrongKey,
    /// A sealed field was changed, moved or cut.
    #[error("{0} does not open: the registry was changed or damaged; restore it from a backup")]
    Damaged(String),
    /// A field that cannot be sealed.
    #[error("{0} is too large to be sealed")]
    TooLarge(String),
    /// Another process plants, verifies or removes.
    #[error(
        "another otori process is planting, verifying or removing canaries: try again when it has ended"
    )]
    Busy,
    /// A source's name is taken.
    #[error(
        "a source named '{0}' is registered already: choose another name, or see `otori source show {0}`"
    )]
    SourceTaken(String),
    /// No such source.
    #[error("there is no source named '{name}'; {known}")]
    UnknownSource {
        /// The name that was asked for.
        name: String,
        /// The names there are, in words.
        known: String,
    },
    /// A canary that is not registered.
    #[error("there is no canary '{0}'")]
    UnknownCanary(String),
    /// The registry was set back.
    #[error(
        "the evidence log ({size} entries) does not continue the checkpoint over {anchor} entries that this workspace signed before: the registry was set back to an older state or replaced; run `otori evidence verify`, and restore the newest registry"
    )]
    LogForked {
        /// Entries below the checkpoint that is known.
        anchor: u64,
        /// Entries now.
        size: u64,
    },
    /// A copy of a registry that does not read.
    #[error("the copy of the registry does not read: {0}")]
    Dump(String),
    /// A copy goes only into a registry without content.
    #[error("there is a registry with content already: restore into an empty one")]
    NotEmpty,
    /// A copy that this program is too old for.
    #[error(
        "the backup was made by a newer otori (schema step {0} is not known here): restore it with that one"
    )]
    Newer(i64),
    /// The key is another one than when the registry was opened.
    #[error(
        "the registry's key was changed while this was running, and nothing was written: run it again"
    )]
    KeyChanged,
    /// The source's canaries were forgotten.
    #[error(
        "the canaries of source '{0}' were forgotten: their details are destroyed; to plant there again, register the table under another name"
    )]
    Forgotten(String),
    /// Canaries that may stand in the source cannot be forgotten.
    #[error(
        "source '{source_name}' has canaries that may stand in its table ({batches}): remove them first (`otori unplant {source_name}`), or nobody could any more"
    )]
    StillStanding {
        /// The source.
        source_name: String,
        /// Its batches.
        batches: String,
    },
    /// No such request.
    #[error("there is no request {0}: see `otori requests`")]
    UnknownRequest(i64),
    /// Nobody approves what they asked for themselves.
    #[error("request {0} is your own: another person must approve it")]
    OwnRequest(i64),
    /// A request that cannot be approved any more.
    #[error("request {id} is {state}: it cannot be approved")]
    RequestClosed {
        /// The request.
        id: i64,
        /// Where it stands.
        state: &'static str,
    },
    /// No such incident.
    #[error("there is no incident {0}: see `otori incidents`")]
    UnknownIncident(i64),
    /// An incident does not go back.
    #[error("incident {id} is {state} already")]
    IncidentJudged {
        /// The incident.
        id: i64,
        /// Where it is.
        state: &'static str,
    },
    /// A batch that is not registered.
    #[error("there is no batch '{0}'")]
    UnknownBatch(String),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        // SQLite's codes for a busy file; PostgreSQL's have five characters.
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            Some("5" | "261" | "517") => Error::Locked,
            _ => Error::Database(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;

    #[tokio::test]
    async fn who_waits_too_long_is_told_why() {
        let home = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(home.path().join("registry.db"))
            .create_if_missing(true)
            .busy_timeout(Duration::from_millis(1));
        let mut first = options.connect().await.unwrap();
        let mut second = options.connect().await.unwrap();
        let begin = || sqlx::query("begin immediate");
        begin().execute(&mut first).await.unwrap();
        let busy = begin().execute(&mut second).await.unwrap_err();
        assert!(matches!(Error::from(busy), Error::Locked));
        let wrong = sqlx::query("no sql")
            .execute(&mut second)
            .await
            .unwrap_err();
        assert!(matches!(Error::from(wrong), Error::Database(_)));
    }
}
