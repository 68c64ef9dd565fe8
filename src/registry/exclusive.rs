//! One planting act at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;
use sqlx::{Postgres, Row};

use super::{Error, Registry, Result};

/// Any number will do that no other program uses as an advisory lock in this database.
const ADVISORY_LOCK: i64 = 0x6f74_6f72_6901;

/// Where the lock of this registry is.
pub(super) enum LockPlace {
    File(PathBuf),
    Server(PgPool),
}

impl LockPlace {
    pub(super) fn beside(registry: &Path) -> LockPlace {
        let mut name = registry.as_os_str().to_owned();
        name.push(".lock");
        LockPlace::File(name.into())
    }
}

/// Held while planting, verifying or removing: no two such acts run at once on one registry. Freed
/// when dropped, and by the death of the process, since the lock is the operating system's or the
/// server's.
pub struct Exclusive {
    _held: Held,
}

#[expect(dead_code, reason = "held for what dropping them does")]
enum Held {
    File(File),
    Server(Session),
}

/// A connection that is closed, not given back, when it is dropped: its end frees the lock.
struct Session(Option<PoolConnection<Postgres>>);

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl Registry {
    /// Takes the planting lock; an error that says so if another process holds it.
    ///
    /// # Errors
    /// [`Error::Busy`], or the lock file or the server cannot be used.
    pub async fn exclusive(&self) -> Result<Exclusive> {
        let held = match &*self.lock {
            LockPlace::File(path) => {
                let failed = |source| Error::File {
                    path: path.clone(),
                    source,
                };
                let file = File::options()
                    .create(true)
                    .append(true)
                    .open(path)
                    .map_err(failed)?;
                match file.try_lock() {
                    Ok(()) => Held::File(file),
                    Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Busy),
                    Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
                }
            }
            LockPlace::Server(pool) => {
                let mut connection = pool.acquire().await?;
                let row = sqlx::query("select pg_try_advisory_lock($1)")
                    .bind(ADVISORY_LOCK)
                    .fetch_one(&mut *connection)
                    .await?;
                if !row.try_get::<bool, _>(0)? {
                    return Err(Error::Busy);
                }
                Held::Server(Session(Some(connection)))
            }
        };
        Ok(Exclusive { _held: held })
    }
}
