//! A transaction of an SQL database.

use super::error::{Doing, classify};
use super::link::Link;
use super::sql::Sql;
use super::transaction::{Cell, Place};
use super::{Column, Engine, Error, Pool, Result, Row, Table};

macro_rules! end {
    ($open:expr, $how:expr) => {
        match $how {
            "commit" => $open.commit().await,
            _ => $open.rollback().await,
        }
    };
}

enum Open {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
    MySql {
        open: sqlx::Transaction<'static, sqlx::MySql>,
        returning: bool,
    },
}

pub(super) struct SqlTransaction {
    engine: Engine,
    open: Open,
}

impl SqlTransaction {
    /// `None` where the pool is none of SQL.
    pub(super) async fn begin(engine: Engine, pool: &Pool) -> Result<Option<SqlTransaction>> {
        let failed = |error| classify(engine, "", Doing::Reading("write to"), error);
        let open = match pool {
            // Takes the write lock now, so that a lock held by others is met before anything is done.
            Pool::Sqlite(pool) => {
                Open::Sqlite(pool.begin_with("begin immediate").await.map_err(failed)?)
            }
            // A session of ours that died may still have a commit on its way through the server. Its
            // lock lasts as long as its transaction, so whoever holds the lock sees how that ended.
            // READ COMMITTED: what is looked at after waiting must be as new as the lock.
            Pool::Postgres(pool) => {
                let mut open = pool.begin().await.map_err(failed)?;
                sqlx::query("select pg_advisory_xact_lock(8026093325817)")
                    .execute(&mut *open)
                    .await
                    .map_err(failed)?;
                Open::Postgres(open)
            }
            Pool::MySql(pool) => {
                let mut open = pool.begin().await.map_err(failed)?;
                let (got, version): (Option<i64>, String) =
                    sqlx::query_as("select get_lock('otori', 10), version()")
                        .fetch_one(&mut *open)
                        .await
                        .map_err(failed)?;
                if got != Some(1) {
                    return Err(Error::Locked(
                        "another otori writes to this server".to_owned(),
                    ));
                }
                let returning = version.contains("MariaDB");
                Open::MySql { open, returning }
            }
            Pool::Csv(_) => return Ok(None),
        };
        Ok(Some(SqlTransaction { engine, open }))
    }

    fn link(&mut self) -> Link<'_> {
        match &mut self.open {
            Open::Sqlite(open) => Link::Sqlite(open),
            Open::Postgres(open) => Link::Postgres(open),
            Open::MySql { open, .. } => Link::MySql(open),
        }
    }

    /// Inserts a row and returns its primary key as text (empty in a table without one).
    pub(super) async fn insert(
        &mut self,
        table: &Table,
        row: &[Cell<'_>],
    ) -> Result<Vec<(String, String)>> {
        if let Some(engine) = &table.not_transactional {
            return Err(Error::NotTransactional {
                table: table.to_string(),
                engine: engine.clone(),
            });
        }
        let name = table.to_string();
        let writing = Doing::Writing("insert into");
        let names: Vec<&str> = row.iter().map(|(name, _)| *name).collect();
        let sql = insertion(
            Sql::new(self.engine, "insert into "),
            table,
            &names,
            |sql, column, at| sql.stored(column, row[at].1),
        )?;
        let key = key_columns(table)?;
        let returning = !matches!(
            self.open,
            Open::MySql {
                returning: false,
                ..
            }
        );
        if !returning {
            self.link().execute(&name, writing, sql).await?;
            return self.last_key(table, row).await;
        }
        // Without a key there is still something to return, which shows that the row went in.
        let sql = match key.as_slice() {
            [] => sql.text(" returning 'in'"),
            key => sql
                .text(" returning ")
                .list(", ", key.iter().copied(), Sql::shown),
        };
        let rows = match self.link().rows(&name, writing, sql).await {
            Err(Error::Value {
                column: None, why, ..
            }) if self.engine == Engine::Postgres => {
                let column = self.misfit(table, row).await;
                return Err(Error::Value {
                    column,
                    table: name,
                    why,
                });
            }
            other => other?,
        };
        let [returned] = rows.as_slice() else {
            return Err(Error::Swallowed {
                table: name,
                why: "a trigger or rule kept a row from being inserted",
            });
        };
        named_key(table, &key, returned)
    }

    /// The key of the row just inserted, where the server has no RETURNING.
    async fn last_key(&mut self, table: &Table, row: &[Cell<'_>]) -> Result<Vec<(String, String)>> {
        let mut key = Vec::new();
        for column in key_columns(table)? {
            let given = row.iter().find(|(name, _)| *name == column.name);
            let value = match given.and_then(|(_, value)| *value) {
                Some(value) => value.to_owned(),
                None if column.identity => {
                    let sql = Sql::new(self.engine, "select cast(last_insert_id() as char)");
                    let name = table.to_string();
                    let rows = self
                        .link()
                        .rows(&name, Doing::Reading("read the key of"), sql)
                        .await?;
                    rows.into_iter()
                        .flatten()
                        .flatten()
                        .next()
                        .unwrap_or_default()
                }
                None => {
                    return Err(Error::Swallowed {
                        table: table.to_string(),
                        why: "the server makes the key and does not tell it (MySQL has no RETURNING); map the key column to a role",
                    });
                }
            };
            key.push((column.name.clone(), value));
        }
        Ok(key)
    }

    /// PostgreSQL does not say which column a value did not fit: tries them one by one, after the end
    /// of the transaction, which has failed anyway.
    async fn misfit(&mut self, table: &Table, row: &[Cell<'_>]) -> Option<String> {
        let reading = Doing::Reading("check a value for");
        let name = table.to_string();
        let end = Sql::new(self.engine, "rollback");
        self.link().execute(&name, reading, end).await.ok()?;
        for (column, value) in row {
            let column = table.column(column).ok()?;
            let sql = Sql::new(self.engine, "select ")
                .stored(column, *value)
                .text("::text");
            if self.link().rows(&name, reading, sql).await.is_err() {
                return Some(column.name.clone());
            }
        }
        None
    }

    /// The row with this primary key: the cells of `columns`, or `None` if there is no such row.
    pub(super) async fn read(
        &mut self,
        table: &Table,
        key: &[(String, String)],
        columns: &[&str],
    ) -> Result<Option<Row>> {
        let shown = known(table, columns)?;
        let sql = super::select(self.engine, table, shown).text(" where ");
        let sql = where_key(sql, table, key)?;
        let name = table.to_string();
        let rows = self.link().rows(&name, Doing::Reading("read"), sql).await?;
        Ok(rows.into_iter().next())
    }

    /// Calls `each` with every row: where it stands, and the cells of `columns`. Rows written in this
    /// transaction are among them.
    pub(super) async fn scan(
        &mut self,
        table: &Table,
        columns: &[&str],
        mut each: impl FnMut(Place, &[Option<String>]),
    ) -> Result<()> {
        let shown = known(table, columns)?;
        let key = key_columns(table)?;
        let sql = Sql::new(self.engine, "select ")
            .list(", ", shown, Sql::shown)
            .text(", ");
        let sql = match (key.as_slice(), self.engine) {
            ([], Engine::Sqlite) => sql.text("cast(").text(rowid(table)).text(" as text)"),
            ([], Engine::Postgres) => sql.text("tableoid::text || ' ' || ctid::text"),
            ([], _) => sql.text("null"),
            (key, _) => sql.list(", ", key.iter().copied(), Sql::shown),
        };
        let sql = sql.text(" from ").table(table);
        let name = table.to_string();
        let width = columns.len();
        let key: Vec<String> = key.into_iter().map(|column| column.name.clone()).collect();
        let placed = |row: &[Option<String>]| {
            let (cells, place) = row.split_at(width);
            let values = place.iter().map(|value| value.clone().unwrap_or_default());
            let place = Place {
                key: key.iter().cloned().zip(values).collect(),
                hidden: if key.is_empty() {
                    place.first().cloned().flatten()
                } else {
                    None
                },
            };
            each(place, cells);
        };
        self.link()
            .each(&name, Doing::Reading("read"), sql, placed)
            .await
    }

    /// Removes the row that stands at `place` and holds exactly `content`.
    pub(super) async fn delete(
        &mut self,
        table: &Table,
        place: &Place,
        content: &[Cell<'_>],
    ) -> Result<()> {
        let mut sql = Sql::new(self.engine, "delete from ")
            .table(table)
            .text(" where ");
        sql = match (&place.hidden, self.engine) {
            (Some(hidden), Engine::Sqlite) => sql
                .text(rowid(table))
                .text(" = ")
                .value(Some(hidden))
                .text(" and "),
            (Some(hidden), Engine::Postgres) => sql
                .text("tableoid::text || ' ' || ctid::text = ")
                .value(Some(hidden))
                .text(" and "),
            _ if place.key.is_empty() => sql,
            _ => where_key(sql, table, &place.key)?.text(" and "),
        };
        let columns = known(
            table,
            &content.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        )?;
        let cells = columns.into_iter().zip(content);
        sql = sql.list(" and ", cells, |sql, (column, (_, value))| {
            sql.equals_exactly(column, *value)
        });
        // Rows alike in every column are one as good as the other, but only one is ours.
        if self.engine == Engine::MySql && place.key.is_empty() {
            sql = sql.text(" limit 1");
        }
        let name = table.to_string();
        let removed = self
            .link()
            .execute(&name, Doing::Writing("delete from"), sql)
            .await?;
        if removed == 1 {
            return Ok(());
        }
        Err(Error::Swallowed {
            table: name,
            why: "a row to remove was changed or removed by somebody else meanwhile, or a trigger kept it",
        })
    }

    /// Changes `new` cells of the row that has this key and holds exactly `content`.
    pub(super) async fn update(
        &mut self,
        table: &Table,
        key: &[(String, String)],
        content: &[Cell<'_>],
        new: &[Cell<'_>],
    ) -> Result<()> {
        let columns = |cells: &[Cell<'_>]| {
            let names: Vec<&str> = cells.iter().map(|(name, _)| *name).collect();
            known(table, &names)
        };
        let (held, changed) = (columns(content)?, columns(new)?);
        let sql = Sql::new(self.engine, "update ").table(table).text(" set ");
        let cells = changed.into_iter().zip(new);
        let sql = sql.list(", ", cells, |sql, (column, (_, value))| {
            sql.name(&column.name).text(" = ").stored(column, *value)
        });
        let sql = where_key(sql.text(" where "), table, key)?;
        let cells = held.into_iter().zip(content);
        let sql = cells.fold(sql, |sql, (column, (_, value))| {
            sql.text(" and ").equals_exactly(column, *value)
        });
        let name = table.to_string();
        let writing = Doing::Writing("update");
        match self.link().execute(&name, writing, sql).await? {
            1 => Ok(()),
            _ => Err(Error::Swallowed {
                table: name,
                why: "a row to change was changed or removed by somebody else meanwhile, or a trigger kept it: see otori verify",
            }),
        }
    }

    /// Makes it all durable.
    pub(super) async fn commit(self) -> Result<()> {
        self.end("commit").await
    }

    /// Takes it all back.
    pub(super) async fn rollback(self) -> Result<()> {
        self.end("rollback").await
    }

    async fn end(self, how: &'static str) -> Result<()> {
        let engine = self.engine;
        let done = match self.open {
            Open::Sqlite(open) => end!(open, how),
            Open::Postgres(open) => end!(open, how),
            Open::MySql { mut open, .. } => {
                // MySQL's named lock belongs to the session, so it would outlive the transaction; it
                // must be given back only after its end, on the same connection.
                let done = sqlx::query(how).execute(&mut *open).await.map(|_| ());
                let freed = sqlx::query("do release_lock('otori')")
                    .execute(&mut *open)
                    .await;
                let ended = open.rollback().await;
                done.and(freed.map(|_| ())).and(ended)
            }
        };
        done.map_err(|error| classify(engine, "", Doing::Writing(how), error))
    }
}

/// `insert into T (columns) values (values)`; `value` writes the value of the column at a place.
pub(super) fn insertion(
    sql: Sql,
    table: &Table,
    names: &[&str],
    value: impl Fn(Sql, &Column, usize) -> Sql,
) -> Result<Sql> {
    let columns = known(table, names)?;
    let places = columns.iter().zip(0..);
    Ok(sql
        .table(table)
        .text(" (")
        .list(", ", &columns, |sql, column| sql.name(&column.name))
        .text(") values (")
        .list(", ", places, |sql, (column, at)| value(sql, column, at))
        .text(")"))
}

fn known<'t>(table: &'t Table, columns: &[&str]) -> Result<Vec<&'t Column>> {
    columns.iter().map(|name| table.column(name)).collect()
}

fn key_columns(table: &Table) -> Result<Vec<&Column>> {
    table
        .primary_key
        .iter()
        .map(|name| table.column(name))
        .collect()
}

fn named_key(
    table: &Table,
    key: &[&Column],
    values: &[Option<String>],
) -> Result<Vec<(String, String)>> {
    let pair = |(column, value): (&&Column, &Option<String>)| {
        let value = value.clone().ok_or_else(|| Error::Swallowed {
            table: table.to_string(),
            why: "a row got no primary key (it is NULL)",
        })?;
        Ok((column.name.clone(), value))
    };
    key.iter().zip(values).map(pair).collect()
}

fn where_key(sql: Sql, table: &Table, key: &[(String, String)]) -> Result<Sql> {
    let mut parts = Vec::new();
    for (name, value) in key {
        parts.push((table.column(name)?, value.as_str()));
    }
    Ok(sql.list(" and ", parts, |sql, (column, value)| {
        sql.equals_key(column, value)
    }))
}

/// A name for SQLite's row number that no column of the table has taken.
fn rowid(table: &Table) -> &'static str {
    ["rowid", "_rowid_", "oid"]
        .into_iter()
        .find(|name| {
            !table
                .columns
                .iter()
                .any(|column| column.name.eq_ignore_ascii_case(name))
        })
        .unwrap_or("rowid")
}
