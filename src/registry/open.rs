//! Making and opening a registry.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgConnection, SqlSafeStr};

use super::exclusive::LockPlace;
use super::log::system_user;
use super::store::{Store, Tx, Writers};
use super::vault::Vault;
use super::{Error, IncidentConfig, MasterKey, Registry, Result};

/// A plain text sealed when the registry is made; it opens only with the right key.
pub(super) const KEY_CHECK: &[u8] = b"the key fits";
pub(super) const KEY_CHECK_PLACE: &str = "meta key_check";
const READ_KEY_CHECK: &str = "select value from meta where name = 'key_check'";

/// Number, name, text; a step that has been released is never edited, only followed by the next.
type Step = (i64, &'static str, &'static str);
const SQLITE: [Step; 20] = [
    (
        1,
        "registry",
        include_str!("migrations/sqlite/0001_registry.sql"),
    ),
    (
        2,
        "evidence",
        include_str!("migrations/sqlite/0002_evidence.sql"),
    ),
    (
        5,
        "custody",
        include_str!("migrations/sqlite/0005_custody.sql"),
    ),
    (6, "drill", include_str!("migrations/sqlite/0006_drill.sql")),
    (
        7,
        "receiver",
        include_str!("migrations/sqlite/0007_receiver.sql"),
    ),
    (
        9,
        "witness",
        include_str!("migrations/sqlite/0009_witness.sql"),
    ),
    (10, "mark", include_str!("migrations/sqlite/0010_mark.sql")),
    (
        11,
        "probe",
        include_str!("migrations/sqlite/0011_probe.sql"),
    ),
    (
        14,
        "delivery",
        include_str!("migrations/sqlite/0014_delivery.sql"),
    ),
    (
        15,
        "erasure",
        include_str!("migrations/sqlite/0015_erasure.sql"),
    ),
    (
        16,
        "letters",
        include_str!("migrations/sqlite/0016_letters.sql"),
    ),
    (
        19,
        "incident",
        include_str!("migrations/sqlite/0019_incident.sql"),
    ),
    (26, "news", include_str!("migrations/sqlite/0026_news.sql")),
    (33, "drip", include_str!("migrations/sqlite/0033_drip.sql")),
    (
        35,
        "version",
        include_str!("migrations/sqlite/0035_version.sql"),
    ),
    (
        36,
        "tended",
        include_str!("migrations/sqlite/0036_tended.sql"),
    ),
    (
        37,
        "folder",
        include_str!("migrations/sqlite/0037_folder.sql"),
    ),
    (
        38,
        "campaign",
        include_str!("migrations/sqlite/0038_campaign.sql"),
    ),
    (
        40,
        "called",
        include_str!("migrations/sqlite/0040_called.sql"),
    ),
    (
        44,
        "profile",
        include_str!("migrations/sqlite/0044_profile.sql"),
    ),
];
const POSTGRES: [Step; 20] = [
    (
        1,
        "registry",
        include_str!("migrations/postgres/0001_registry.sql"),
    ),
    (
        2,
        "evidence",
        include_str!("migrations/postgres/0002_evidence.sql"),
    ),
    (
        5,
        "custody",
        include_str!("migrations/postgres/0005_custody.sql"),
    ),
    (
        6,
        "drill",
        include_str!("migrations/postgres/0006_drill.sql"),
    ),
    (
        7,
        "receiver",
        include_str!("migrations/postgres/0007_receiver.sql"),
    ),
    (
        9,
        "witness",
        include_str!("migrations/postgres/0009_witness.sql"),
    ),
    (
        10,
        "mark",
        include_str!("migrations/postgres/0010_mark.sql"),
    ),
    (
        11,
        "probe",
        include_str!("migrations/postgres/0011_probe.sql"),
    ),
    (
        14,
        "delivery",
        include_str!("migrations/postgres/0014_delivery.sql"),
    ),
    (
        15,
        "erasure",
        include_str!("migrations/postgres/0015_erasure.sql"),
    ),
    (
        16,
        "letters",
        include_str!("migrations/postgres/0016_letters.sql"),
    ),
    (
        19,
        "incident",
        include_str!("migrations/postgres/0019_incident.sql"),
    ),
    (
        26,
        "news",
        include_str!("migrations/postgres/0026_news.sql"),
    ),
    (
        33,
        "drip",
        include_str!("migrations/postgres/0033_drip.sql"),
    ),
    (
        35,
        "version",
        include_str!("migrations/postgres/0035_version.sql"),
    ),
    (
        36,
        "tended",
        include_str!("migrations/postgres/0036_tended.sql"),
    ),
    (
        37,
        "folder",
        include_str!("migrations/postgres/0037_folder.sql"),
    ),
    (
        38,
        "campaign",
        include_str!("migrations/postgres/0038_campaign.sql"),
    ),
    (
        40,
        "called",
        include_str!("migrations/postgres/0040_called.sql"),
    ),
    (
        44,
        "profile",
        include_str!("migrations/postgres/0044_profile.sql"),
    ),
];

/// The text of every step, for both engines.
#[cfg(test)]
pub(super) fn schema() -> impl Iterator<Item = &'static str> {
    SQLITE.iter().chain(&POSTGRES).map(|(_, _, sql)| *sql)
}

/// All steps, or those of the given numbers.
fn migrator(steps: &'static [Step], only: Option<&[i64]>) -> Migrator {
    let step = |&(version, name, sql): &Step| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    let wanted = steps
        .iter()
        .filter(|step| only.is_none_or(|only| only.contains(&step.0)));
    Migrator::with_migrations(wanted.map(step).collect())
}

enum Place {
    File(PathBuf),
    Server(Box<PgConnectOptions>),
}

fn place(url: &str, home: &Path) -> Result<Place> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return Ok(Place::File(home.join(path)));
    }
    let bad = || {
        // The URL may hold a password, so only its scheme is repeated.
        let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
        Error::Url(format!("{scheme}:…"))
    };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let options = PgConnectOptions::from_str(url).map_err(|_| bad())?;
        return Ok(Place::Server(Box::new(options.application_name("otori"))));
    }
    Err(bad())
}

impl Registry {
    /// Makes a registry at `url` (`sqlite:PATH`, relative to `home`, or `postgres://…`), or brings
    /// an existing one of the same key up to date.
    ///
    /// # Errors
    /// The database cannot be reached or written, or belongs to another key.
    pub async fn create(url: &str, home: &Path, key: &MasterKey) -> Result<Registry> {
        Registry::connect(url, home, key, true).await
    }

    /// Opens a registry that exists.
    ///
    /// # Errors
    /// It is not there, cannot be reached, or belongs to another key.
    pub async fn open(url: &str, home: &Path, key: &MasterKey) -> Result<Registry> {
        Registry::connect(url, home, key, false).await
    }

    async fn connect(url: &str, home: &Path, key: &MasterKey, create: bool) -> Result<Registry> {
        let (store, lock) = connect_store(url, home, create, None).await?;
        let mut registry = Registry {
            store,
            vault: Arc::new(Vault::new(key)),
            lock: Arc::new(lock),
            by: system_user().into(),
            key_check: Arc::new([]),
            quiet: 0,
            calls_open: 0.0,
            judgements: super::judging::Judgements::default(),
        }
        .joining(&IncidentConfig::default());
        registry.check_key(key).await?;
        registry.open_log().await?;
        registry.give_source_keys().await?;
        registry.note_older_calls().await?;
        Ok(registry)
    }

    /// The first key to open a registry is its key for ever; any other is refused.
    async fn check_key(&mut self, key: &MasterKey) -> Result<()> {
        let read = READ_KEY_CHECK;
        if self.store.fetch(read, vec![]).await?.is_empty() {
            let sealed = self.vault.seal(KEY_CHECK_PLACE, KEY_CHECK)?;
            let mut tx = self.store.begin().await?;
            tx.execute(
                "insert into meta (name, value) values ('key_check', $1) on conflict do nothing",
                vec![sealed.into()],
            )
            .await?;
            // The log begins behind this, and takes it over.
            tx.commit().await?;
        }
        let rows = self.store.fetch(read, vec![]).await?;
        let row = rows.first().ok_or(Error::WrongKey)?;
        let check = row.bytes(0)?;
        match self.vault.open(KEY_CHECK_PLACE, &check) {
            Ok(plain) if &**plain == KEY_CHECK => self.key_check = check.into(),
            _ => return Err(Error::WrongKey),
        }
        let lasting = "select value from meta where name = 'lasting_key'";
        if let Some(row) = self.store.fetch(lasting, vec![]).await?.first() {
            let mut vault = Vault::new(key);
            vault.take_lasting(&row.bytes(0)?)?;
            self.vault = Arc::new(vault);
        }
        Ok(())
    }

    /// Whether the registry still opens with the key that it was opened with.
    ///
    /// # Errors
    /// The store fails.
    pub async fn key_is_current(&self) -> Result<bool> {
        let rows = self.store.fetch(READ_KEY_CHECK, vec![]).await?;
        Ok(rows.first().map(|row| row.bytes(0)).transpose()? == Some(self.key_check.to_vec()))
    }

    /// The same inside a transaction that is about to end: nothing is written under a key that has
    /// gone.
    pub(super) async fn key_is_current_in(&self, tx: &mut Tx) -> Result<()> {
        let rows = tx.fetch(READ_KEY_CHECK, vec![]).await?;
        match rows.first().map(|row| row.bytes(0)).transpose()? {
            Some(check) if *check == *self.key_check => Ok(()),
            _ => Err(Error::KeyChanged),
        }
    }
}

/// Connects to the database of a registry and brings its schema up to date, or only as far as some
/// steps lead. No key is asked for.
pub(super) async fn connect_store(
    url: &str,
    home: &Path,
    create: bool,
    steps: Option<&[i64]>,
) -> Result<(Store, LockPlace)> {
    if let Some(steps) = steps
        && let Some(unknown) = steps
            .iter()
            .find(|step| !SQLITE.iter().any(|s| s.0 == **step))
    {
        return Err(Error::Newer(*unknown));
    }
    Ok(match place(url, home)? {
        Place::File(path) => {
            if !create && !path.exists() {
                return Err(Error::Missing(path));
            }
            if create {
                private_file(&path)?;
            }
            (sqlite(&path, steps).await?, LockPlace::beside(&path))
        }
        Place::Server(options) => {
            // A pool would ask a dead server again and again until its time is up.
            PgConnection::connect_with(&options).await?.close().await?;
            let pool = PgPoolOptions::new()
                .max_connections(8)
                .acquire_timeout(Duration::from_secs(10))
                .connect_with(*options)
                .await?;
            migrator(&POSTGRES, steps).run(&pool).await?;
            (Store::Postgres(pool.clone()), LockPlace::Server(pool))
        }
    })
}

/// The registry's file is for its owner only, from its first byte on.
fn private_file(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    options.open(path).map_err(file)?;
    Ok(())
}

async fn sqlite(path: &Path, steps: Option<&[i64]>) -> Result<Store> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: what was committed survives a power cut, which `250 Ok` promises.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is forgotten is overwritten.
        .pragma("secure_delete", "on")
        .busy_timeout(Duration::from_secs(30));
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        // On a full disk SQLite takes a transaction back by itself. sqlx then fails to do so, and would
        // hold the connection for busy, and refuse to begin another transaction on it, for ever.
        .before_acquire(|connection, _| {
            let free = !connection.is_in_transaction();
            Box::pin(async move { Ok(free) })
        })
        .connect_with(options)
        .await?;
    migrator(&SQLITE, steps).run(&pool).await?;
    Ok(Store::Sqlite(pool, Writers::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_taken() {
        for (steps, engine) in [(&SQLITE, "sqlite"), (&POSTGRES, "postgres")] {
            let folder = format!(
                "{}/src/registry/migrations/{engine}",
                env!("CARGO_MANIFEST_DIR")
            );
            let files = std::fs::read_dir(folder).unwrap();
            let mut texts: Vec<String> = files
                .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
                .collect();
            let mut taken: Vec<&str> = steps.iter().map(|(_, _, text)| *text).collect();
            texts.sort();
            taken.sort_unstable();
            assert_eq!(taken, texts, "{engine}");
            assert!(steps.is_sorted_by_key(|(number, _, _)| *number));
        }
    }
}
