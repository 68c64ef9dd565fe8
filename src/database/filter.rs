//! A keyed filter over a table, as SQL for the table's own database: a view without certain rows, which
//! says of no row why it is not there.
//!
//! The rows are known by HMAC-SHA256 (RFC 2104) over their primary keys. PostgreSQL and MySQL have no HMAC
//! of their own without extensions, but they have SHA-256, and HMAC is two of these over the key's two
//! padded blocks.

use super::sql::Sql;
use super::{Column, Engine, Error, Result, Table};

/// Between the columns of a composite key: the unit separator, which no key has.
pub const BETWEEN: char = '\u{1f}';
/// SHA-256's block.
const BLOCK: usize = 64;

/// What the filter is made of.
pub struct Filter<'a> {
    /// HMAC key.
    pub key: &'a [u8; 32],
    /// HMACs of the rows that the view leaves out, over their keys' texts joined by [`BETWEEN`].
    pub tags: &'a [[u8; 32]],
    /// Name of the view, in the table's schema; the tags go to a table beside it.
    pub view: &'a str,
}

/// The script that makes the view, or brings it up to date, in one transaction where the engine can.
///
/// # Errors
/// The engine has no SHA-256, or the table has no primary key.
pub fn filter_script(engine: Engine, table: &Table, filter: &Filter<'_>) -> Result<String> {
    if !matches!(engine, Engine::Postgres | Engine::MySql) {
        return Err(Error::NoFilter {
            table: table.to_string(),
            why: format!("{} has no SHA-256", engine.name()),
        });
    }
    let keys: Vec<&Column> = table
        .primary_key
        .iter()
        .map(|name| table.column(name))
        .collect::<Result<_>>()?;
    if keys.is_empty() {
        return Err(Error::NoFilter {
            table: table.to_string(),
            why: "it has no primary key".to_owned(),
        });
    }
    let beside = |name: String| Table {
        name,
        schema: table.schema.clone(),
        ..Table::default()
    };
    // A name that no column of the table has: it would be taken for the table's own within the view.
    let mut tag = "tag".to_owned();
    let taken = |name: &str| {
        let columns = table.columns.iter();
        columns
            .into_iter()
            .any(|column| column.name.eq_ignore_ascii_case(name))
    };
    while taken(&tag) {
        tag.push('_');
    }
    let view = beside(filter.view.to_owned());
    let tags = beside(format!("{}_tags", filter.view));
    let begin = |text| Sql::literal(engine, text);
    let mut script = Vec::new();
    let create = begin("create table if not exists ").table(&tags);
    match engine {
        Engine::Postgres => {
            script.push(begin("begin"));
            script.push(create.text(" (").name(&tag).text(" bytea primary key)"));
            let revoke = begin("revoke all on table ").table(&tags);
            script.push(revoke.text(" from public"));
        }
        // Whatever creates something ends a transaction there.
        _ => {
            script.push(
                create
                    .text(" (")
                    .name(&tag)
                    .text(" varbinary(32) primary key)"),
            );
            script.push(begin("begin"));
        }
    }
    script.push(begin("delete from ").table(&tags));
    for some in filter.tags.chunks(500) {
        let insert = begin("insert into ")
            .table(&tags)
            .text(" (")
            .name(&tag)
            .text(") values ");
        script.push(insert.list(", ", some, |sql, tag| {
            bytes(sql.text("("), engine, tag).text(")")
        }));
    }
    let create = match engine {
        Engine::Postgres => begin("create or replace view ").table(&view),
        _ => begin("create or replace sql security definer view ").table(&view),
    };
    let create = create
        .text(" as select * from ")
        .table(table)
        .text(" where not exists (select 1 from ")
        .table(&tags)
        .text(" where ")
        .name(&tag)
        .text(" = ");
    let create = hmac(create, engine, filter.key, &keys).text(")");
    match engine {
        Engine::Postgres => script.extend([create, begin("commit")]),
        _ => script.extend([begin("commit"), create]),
    }
    let lines = script.into_iter().map(|sql| sql.into_parts().0 + ";\n");
    Ok(lines.collect())
}

/// The HMAC of a row's key as the database computes it.
fn hmac(sql: Sql, engine: Engine, key: &[u8; 32], keys: &[&Column]) -> Sql {
    let block = |pad: u8| {
        let mut block = [pad; BLOCK];
        block
            .iter_mut()
            .zip(key)
            .for_each(|(byte, key)| *byte ^= key);
        block
    };
    let (outer, inner) = (block(0x5c), block(0x36));
    let text = |sql: Sql| match keys {
        [only] => sql.shown(only),
        several => {
            let sql = sql.text("concat_ws(").text(match engine {
                Engine::Postgres => "chr(31), ",
                _ => "char(31), ",
            });
            sql.list(", ", several, |sql, column| sql.shown(column))
                .text(")")
        }
    };
    match engine {
        Engine::Postgres => {
            let sql = bytes(sql.text("sha256("), engine, &outer).text(" || sha256(");
            let sql = bytes(sql, engine, &inner).text(" || convert_to(");
            text(sql).text(", 'UTF8')))")
        }
        _ => {
            let sql = bytes(sql.text("unhex(sha2(concat("), engine, &outer);
            let sql = bytes(sql.text(", unhex(sha2(concat("), engine, &inner);
            text(sql.text(", cast(convert(")).text(" using utf8mb4) as binary)), 256))), 256))")
        }
    }
}

fn bytes(sql: Sql, engine: Engine, bytes: &[u8]) -> Sql {
    match engine {
        Engine::Postgres => sql.text("'\\x").hex(bytes).text("'::bytea"),
        _ => sql.text("x'").hex(bytes).text("'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_column_is_none_of_the_tables() {
        let table = Table {
            name: "t".to_owned(),
            columns: vec![Column {
                name: "Tag".to_owned(),
                ..Column::default()
            }],
            primary_key: vec!["Tag".to_owned()],
            ..Table::default()
        };
        let filter = Filter {
            key: &[7; 32],
            tags: &[[1; 32]],
            view: "v",
        };
        let script = filter_script(Engine::Postgres, &table, &filter).unwrap();
        assert!(script.contains(r#"where "tag_" = sha256("#), "{script}");
        assert!(script.contains(r#"convert_to("Tag"::text"#), "{script}");
    }
}
