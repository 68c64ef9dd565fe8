//! Every table, out of one registry and into another, on whichever engine.
//!
//! What there is to copy is read from the database's own catalog, so that a table which a later
//! migration adds is in the copy without anybody thinking of it. Values are integers, texts and bytes
//! on both engines; a column of another type is refused, not left out.

use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::open::connect_store;
use super::store::{Row, Store, Tx, Value};
use super::{Error, Registry, Result};

/// The longest value, and the most columns, that a dump of ours has.
const LARGEST: u32 = 1 << 30;
const HEAD: u32 = 1 << 16;

/// A table, before its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    table: String,
    columns: Vec<String>,
    /// `i`nteger, `t`ext, `b`ytes, for each column.
    types: String,
}

impl Head {
    fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        names.join(", ")
    }
}

/// Names come from our own migrations; quoting them costs nothing.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn wrong(what: impl Into<String>) -> Error {
    Error::Dump(what.into())
}

fn broken(error: std::io::Error) -> Error {
    Error::Dump(error.to_string())
}

impl Registry {
    /// The numbers of the steps that have made the schema.
    ///
    /// # Errors
    /// The store fails.
    pub async fn migrations(&self) -> Result<Vec<i64>> {
        let sql = "select version from _sqlx_migrations order by version";
        let rows = self.store.fetch(sql, vec![]).await?;
        rows.iter().map(|row| row.int(0)).collect()
    }

    /// Writes every table as one moment holds it, whoever writes meanwhile; how many rows.
    ///
    /// # Errors
    /// The store fails, `out` cannot be written, or a column has a type that is not ours.
    pub async fn dump(&self, out: &mut (impl Write + Send)) -> Result<u64> {
        let mut tx = self.store.begin_snapshot().await?;
        let mut count = 0;
        for head in tables(&mut tx).await? {
            let text = serde_json::to_vec(&head).map_err(|error| wrong(error.to_string()))?;
            out.write_all(&[1]).map_err(broken)?;
            put(out, &text)?;
            let table = quoted(&head.table);
            let sql = format!("select {} from {table}", head.names());
            tx.each(sql, |row| {
                count += 1;
                out.write_all(&[1]).map_err(broken)?;
                put_row(out, &head.types, &row)
            })
            .await?;
            out.write_all(&[0]).map_err(broken)?;
        }
        out.write_all(&[0]).map_err(broken)?;
        Ok(count)
    }

    /// Makes a registry at `url` with the schema that these steps make, and fills it from a dump; all
    /// or nothing. No key is needed. How many rows.
    ///
    /// # Errors
    /// [`Error::NotEmpty`] if there is a registry with content, a step or a table that this program
    /// does not know, or the store fails.
    pub async fn load(
        url: &str,
        home: &Path,
        steps: &[i64],
        input: &mut (impl Read + Send),
    ) -> Result<u64> {
        let (store, _) = connect_store(url, home, true, Some(steps)).await?;
        let mut tx = store.begin().await?;
        let known = tables(&mut tx).await?;
        for head in &known {
            let sql = format!("select 1 from {} limit 1", quoted(&head.table));
            let mut rows = 0;
            tx.each(sql, |_| {
                rows += 1;
                Ok(())
            })
            .await?;
            if rows > 0 {
                return Err(Error::NotEmpty);
            }
        }
        let mut count = 0;
        let mut filled = Vec::new();
        while take_more(input)? {
            let head = take_head(input)?;
            if filled.contains(&head.table) || !known.contains(&head) {
                return Err(wrong(format!("table {} is another one here", head.table)));
            }
            let insert = tx.insert(&quoted(&head.table), &head.names(), head.columns.len());
            while take_more(input)? {
                let values = take_row(input, &head.types)?;
                tx.execute_text(insert.clone(), values).await?;
                count += 1;
            }
            tx.continue_numbers(&head.table).await?;
            filled.push(head.table);
        }
        if filled.len() != known.len() {
            return Err(wrong("tables are missing"));
        }
        tx.commit().await?;
        store.close().await;
        Ok(count)
    }

    /// Ends all connections.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Reads a dump to its end; how many rows.
///
/// # Errors
/// It does not read.
pub fn check_dump(input: &mut impl Read) -> Result<u64> {
    let mut count = 0;
    while take_more(input)? {
        let head = take_head(input)?;
        while take_more(input)? {
            take_row(input, &head.types)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Every table of ours, those that others point at first.
async fn tables(tx: &mut Tx) -> Result<Vec<Head>> {
    let (list, columns) = match tx.locks_rows() {
        true => (
            "select relname::text from pg_class
             where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace
               and relname <> '_sqlx_migrations' order by oid",
            "select attname::text, format_type(atttypid, atttypmod) from pg_attribute
             where attrelid = (select oid from pg_class where relname = $1
                                   and relnamespace = current_schema()::regnamespace)
               and attnum > 0 and not attisdropped order by attname",
        ),
        false => (
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'
               and name <> '_sqlx_migrations' order by rowid",
            "select name, lower(type) from pragma_table_info($1) order by name",
        ),
    };
    let mut heads = Vec::new();
    for row in tx.fetch(list, vec![]).await? {
        let table = row.text(0)?;
        let mut head = Head {
            table: table.clone(),
            columns: Vec::new(),
            types: String::new(),
        };
        for row in tx.fetch(columns, vec![table.as_str().into()]).await? {
            let (name, kind) = (row.text(0)?, row.text(1)?);
            head.types.push(match kind.as_str() {
                "integer" | "bigint" => 'i',
                "text" => 't',
                "blob" | "bytea" => 'b',
                _ => return Err(wrong(format!("column {table}.{name} is a {kind}"))),
            });
            head.columns.push(name);
        }
        heads.push(head);
    }
    Ok(heads)
}

fn put(out: &mut impl Write, bytes: &[u8]) -> Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|n| *n <= LARGEST);
    let length = length.ok_or_else(|| wrong("a value is too large"))?;
    out.write_all(&length.to_be_bytes()).map_err(broken)?;
    out.write_all(bytes).map_err(broken)
}

fn put_row(out: &mut impl Write, types: &str, row: &Row) -> Result<()> {
    for (column, kind) in types.bytes().enumerate() {
        let value = match kind {
            b'i' => row
                .int_or_null(column)?
                .map(|number| number.to_be_bytes().to_vec()),
            b't' => row.text_or_null(column)?.map(String::into_bytes),
            _ => row.bytes_or_null(column)?,
        };
        out.write_all(&[u8::from(value.is_some())])
            .map_err(broken)?;
        if let Some(value) = value {
            put(out, &value)?;
        }
    }
    Ok(())
}

fn take_more(input: &mut impl Read) -> Result<bool> {
    let mut byte = [0];
    input.read_exact(&mut byte).map_err(broken)?;
    match byte {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(wrong("a mark is neither 0 nor 1")),
    }
}

fn take(input: &mut impl Read, most: u32) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(broken)?;
    let length = u32::from_be_bytes(length);
    if length > most {
        return Err(wrong("a value is too large"));
    }
    let mut bytes = vec![0; length as usize];
    input.read_exact(&mut bytes).map_err(broken)?;
    Ok(bytes)
}

fn take_head(input: &mut impl Read) -> Result<Head> {
    let head: Head =
        serde_json::from_slice(&take(input, HEAD)?).map_err(|error| wrong(error.to_string()))?;
    match head.columns.len() == head.types.len() {
        true => Ok(head),
        false => Err(wrong("a table's columns and types do not agree")),
    }
}

fn take_row(input: &mut impl Read, types: &str) -> Result<Vec<Value>> {
    let mut values = Vec::with_capacity(types.len());
    for kind in types.bytes() {
        let value = match take_more(input)? {
            true => Some(take(input, LARGEST)?),
            false => None,
        };
        values.push(match kind {
            b'i' => Value::Int(match value {
                None => None,
                Some(bytes) => {
                    let bytes = bytes.try_into().map_err(|_| wrong("a number is none"))?;
                    Some(i64::from_be_bytes(bytes))
                }
            }),
            b't' => {
                let text = value.map(String::from_utf8).transpose();
                Value::Text(text.map_err(|_| wrong("a text is none"))?)
            }
            _ => Value::Bytes(value),
        });
    }
    Ok(values)
}

impl Store {
    async fn close(&self) {
        match self {
            Store::Sqlite(pool, _) => pool.close().await,
            Store::Postgres(pool) => pool.close().await,
        }
    }
}
