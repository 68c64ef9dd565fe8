//! One way to talk to either engine: the same SQL with `$1` placeholders, three kinds of values.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Postgres, Row as _, Sqlite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Result;
use super::judging::Question;
use super::witness::Table;

/// A value on its way into the store.
#[derive(Clone)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// How many bytes it has, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Value::Int(_) => 8,
            Value::Text(text) => text.as_ref().map_or(0, String::len),
            Value::Bytes(bytes) => bytes.as_ref().map_or(0, Vec::len),
        }
    }
}

macro_rules! into_value {
    ($($from:ty => $variant:ident),+) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Value {
                Value::$variant(Some(value.into()))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Value {
                Value::$variant(value.map(Into::into))
            }
        }
    )+};
}
into_value!(i64 => Int, u32 => Int, &str => Text, String => Text, Vec<u8> => Bytes);

/// A row on its way out; columns are asked for by place.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! get {
    ($($name:ident -> $type:ty),+) => {$(
        pub(super) fn $name(&self, column: usize) -> Result<$type> {
            Ok(match self {
                Row::Sqlite(row) => row.try_get(column)?,
                Row::Postgres(row) => row.try_get(column)?,
            })
        }
    )+};
}

impl Row {
    get!(int -> i64, int_or_null -> Option<i64>, text -> String, text_or_null -> Option<String>, bytes -> Vec<u8>, bytes_or_null -> Option<Vec<u8>>);
}

/// A pool of connections to either engine.
#[derive(Clone)]
pub(super) enum Store {
    Sqlite(SqlitePool, Writers),
    Postgres(PgPool),
}

/// Where this process's writers of one SQLite file wait for each other, in the order in which they came: SQLite itself
/// would have them sleep and look again, whoever comes first.
#[derive(Clone)]
pub(super) struct Writers(Arc<Semaphore>);

impl Writers {
    /// After so long without a turn a writer goes on, and SQLite says who is in its way.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Nobody writes.
    pub(super) fn new() -> Writers {
        Writers(Arc::new(Semaphore::new(1)))
    }

    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.0).acquire_owned();
        timeout(Writers::PATIENCE, turn).await.ok()?.ok()
    }
}

/// A transaction on either engine; dropped without `commit`, it is rolled back.
pub(super) struct Tx {
    engine: Engine,
    /// Given back when it has ended, whichever way.
    _turn: Option<OwnedSemaphorePermit>,
    /// Rows that it has written, for the log.
    pub(super) touched: Touched,
    /// What it has found or written and need not look for again; whoever remembers says what in the first byte.
    pub(super) known: HashSet<Vec<u8>>,
    /// What has to be known before it can be committed.
    pub(super) questions: Vec<Question>,
    /// It is not given up once more.
    pub(super) last_round: bool,
}

/// Rows that were written, by their tables' keys; with their digests where these are known from the writing.
pub(super) type Touched = BTreeMap<(Table, String), Option<String>>;

enum Engine {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Store {
    /// Begins a transaction that may write: SQLite takes its write lock at once, so that two writers
    /// wait for each other instead of one failing half way.
    pub(super) async fn begin(&self) -> Result<Tx> {
        let (engine, turn) = match self {
            Store::Sqlite(pool, writers) => {
                let turn = writers.turn().await;
                let begun = pool.begin_with("begin immediate").await?;
                (Engine::Sqlite(begun), turn)
            }
            Store::Postgres(pool) => (Engine::Postgres(pool.begin().await?), None),
        };
        Ok(Tx {
            engine,
            _turn: turn,
            touched: BTreeMap::new(),
            known: HashSet::new(),
            questions: Vec::new(),
            last_round: false,
        })
    }

    /// Reads rows outside of a transaction.
    pub(super) async fn fetch(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>> {
        Ok(match self {
            Store::Sqlite(pool, _) => {
                let rows = bound!(sql, values).fetch_all(pool).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Store::Postgres(pool) => {
                let rows = bound!(sql, values).fetch_all(pool).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The same of a statement that was put together.
    pub(super) async fn fetch_text(&self, sql: String, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sqlx::AssertSqlSafe(sql);
        Ok(match self {
            Store::Sqlite(pool, _) => {
                let rows = bound!(sql, values).fetch_all(pool).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Store::Postgres(pool) => {
                let rows = bound!(sql, values).fetch_all(pool).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Begins a transaction that sees one moment for as long as it lasts, and holds nobody up.
    pub(super) async fn begin_snapshot(&self) -> Result<Tx> {
        let engine = match self {
            Store::Sqlite(pool, _) => Engine::Sqlite(pool.begin_with("begin deferred").await?),
            Store::Postgres(pool) => Engine::Postgres(
                pool.begin_with("begin isolation level repeatable read read only")
                    .await?,
            ),
        };
        Ok(Tx {
            engine,
            _turn: None,
            touched: BTreeMap::new(),
            known: HashSet::new(),
            questions: Vec::new(),
            last_round: false,
        })
    }

    /// Has the database overwrite what was removed, wherever it still lies. `false` if SQLite could
    /// not, since somebody reads.
    pub(super) async fn sweep(&self) -> Result<bool> {
        match self {
            Store::Sqlite(pool, _) => {
                sqlx::query("vacuum").execute(pool).await?;
                let row = sqlx::query("pragma wal_checkpoint(truncate)")
                    .fetch_one(pool)
                    .await?;
                Ok(row.try_get::<i64, _>(0)? == 0)
            }
            Store::Postgres(pool) => {
                let tables = "vacuum (full) source_key, canary, canary_mark, canary_version";
                sqlx::query(tables).execute(pool).await?;
                Ok(true)
            }
        }
    }

    /// Has SQLite write what was removed over in its file too: until then its log of changes holds it.
    /// Somebody who reads puts that off to a later time.
    pub(super) async fn settle_file(&self) -> Result<()> {
        if let Store::Sqlite(pool, _) = self {
            sqlx::query("pragma wal_checkpoint(truncate)")
                .execute(pool)
                .await?;
        }
        Ok(())
    }

    /// What SQLite itself finds wrong with its file.
    pub(super) async fn integrity(&self) -> Result<Vec<String>> {
        if let Store::Postgres(_) = self {
            return Ok(Vec::new());
        }
        let rows = self.fetch("pragma integrity_check", vec![]).await?;
        let lines: Result<Vec<String>> = rows.iter().map(|row| row.text(0)).collect();
        Ok(lines?.into_iter().filter(|line| line != "ok").collect())
    }
}

impl Tx {
    /// Says that a row has been written, by its table's key.
    pub(super) fn touch(&mut self, table: Table, key: impl ToString) {
        self.touched.insert((table, key.to_string()), None);
    }

    /// The same of a row that is known as it now stands, and that nobody else can write before this ends.
    pub(super) fn touch_known(&mut self, table: Table, key: impl ToString, sha256: String) {
        self.touched.insert((table, key.to_string()), Some(sha256));
    }

    /// Whether rows have to be locked by hand: SQLite's writers are alone from the start.
    pub(super) fn locks_rows(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Reads rows, or runs a statement with `returning`.
    pub(super) async fn fetch(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        Ok(match &mut self.engine {
            Engine::Sqlite(tx) => {
                let rows = bound!(sql, values).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Engine::Postgres(tx) => {
                let rows = bound!(sql, values).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The same of a statement that was put together.
    pub(super) async fn fetch_text(&mut self, sql: String, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sqlx::AssertSqlSafe(sql);
        Ok(match &mut self.engine {
            Engine::Sqlite(tx) => {
                let rows = bound!(sql, values).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Engine::Postgres(tx) => {
                let rows = bound!(sql, values).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs one statement; how many rows it touched.
    pub(super) async fn execute(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64> {
        Ok(match &mut self.engine {
            Engine::Sqlite(tx) => bound!(sql, values)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
            Engine::Postgres(tx) => bound!(sql, values)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        })
    }

    /// Reads rows one by one, however many there are.
    pub(super) async fn each(
        &mut self,
        sql: String,
        mut take: impl FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let query = sqlx::AssertSqlSafe(sql);
        match &mut self.engine {
            Engine::Sqlite(tx) => {
                let mut rows = sqlx::query(query).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    take(Row::Sqlite(row))?;
                }
            }
            Engine::Postgres(tx) => {
                let mut rows = sqlx::query(query).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    take(Row::Postgres(row))?;
                }
            }
        }
        Ok(())
    }

    /// The statement that puts whole rows into a table, numbers that the database gave included.
    pub(super) fn insert(&self, table: &str, columns: &str, count: usize) -> String {
        let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
        let places = places.join(", ");
        let given = match self.engine {
            Engine::Sqlite(_) => "",
            Engine::Postgres(_) => "overriding system value ",
        };
        format!("insert into {table} ({columns}) {given}values ({places})")
    }

    /// Runs a statement whose names come from the catalog.
    pub(super) async fn execute_text(&mut self, sql: String, values: Vec<Value>) -> Result<()> {
        let sql = sqlx::AssertSqlSafe(sql);
        match &mut self.engine {
            Engine::Sqlite(tx) => {
                bound!(sql, values).execute(&mut **tx).await?;
            }
            Engine::Postgres(tx) => {
                bound!(sql, values).execute(&mut **tx).await?;
            }
        }
        Ok(())
    }

    /// Has a table go on numbering behind the numbers that were put into it: SQLite does by itself.
    pub(super) async fn continue_numbers(&mut self, table: &str) -> Result<()> {
        let Engine::Postgres(tx) = &mut self.engine else {
            return Ok(());
        };
        let own = "select attname::text from pg_attribute
                   where attidentity <> '' and attrelid = (select oid from pg_class
                       where relname = $1 and relnamespace = current_schema()::regnamespace)";
        let columns: Vec<String> = sqlx::query_scalar(own)
            .bind(table)
            .fetch_all(&mut **tx)
            .await?;
        for column in columns {
            let sql = format!(
                "select setval(pg_get_serial_sequence('{table}', '{column}'),
                               coalesce(max({column}), 1), max({column}) is not null) from {table}"
            );
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Undoes it; what has to be known before it can be done.
    pub(super) async fn give_up(self) -> Result<Vec<Question>> {
        match self.engine {
            Engine::Sqlite(tx) => tx.rollback().await?,
            Engine::Postgres(tx) => tx.rollback().await?,
        }
        Ok(self.questions)
    }

    /// Makes it durable.
    pub(super) async fn commit(self) -> Result<()> {
        match self.engine {
            Engine::Sqlite(tx) => tx.commit().await?,
            Engine::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}
