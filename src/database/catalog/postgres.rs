//! PostgreSQL's catalog.

use super::super::error::Doing;
use super::super::link::Link;
use super::super::sql::Sql;
use super::super::{Engine, Error, Result};
use super::{Check, Column, ForeignKey, Relation, Table, UniqueKey, cell, is_true, names};

const READING: Doing = Doing::Reading("read the catalog for");

pub(super) async fn relations(link: &mut Link<'_>) -> Result<Vec<Relation>> {
    let sql = Sql::new(
        Engine::Postgres,
        "select n.nspname::text, c.relname::text, pg_table_is_visible(c.oid)::text, c.relkind::text
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'p', 'v', 'm', 'f')
            and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%'
          order by 1, 2",
    );
    let rows = link.rows("pg_class", READING, sql).await?;
    Ok(rows
        .iter()
        .map(|row| Relation {
            schema: Some(cell(row, 0)),
            name: cell(row, 1),
            visible: is_true(row, 2),
            is_view: matches!(cell(row, 3).as_str(), "v" | "m" | "f"),
        })
        .collect())
}

/// `… where c.oid = (the relation)`.
fn of(text: &'static str, relation: &Relation) -> Sql {
    Sql::new(Engine::Postgres, text)
        .text(" (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ")
        .value(relation.schema.as_deref())
        .text(" and c.relname = ")
        .value(Some(&relation.name))
        .text(")")
}

pub(super) async fn describe(link: &mut Link<'_>, relation: &Relation) -> Result<Table> {
    let name = relation.full_name();
    let columns = of(
        "select a.attname::text, format_type(a.atttypid, a.atttypmod),
                case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end,
                (a.attnotnull or t.typnotnull)::text,
                coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault),
                a.attgenerated::text, a.attidentity::text, col_description(a.attrelid, a.attnum),
                (select string_agg(e.enumlabel, chr(31) order by e.enumsortorder) from pg_enum e
                  where e.enumtypid in (t.oid, t.typbasetype))
           from pg_attribute a join pg_type t on t.oid = a.atttypid
           left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attnum > 0 and not a.attisdropped and a.attrelid =",
        relation,
    )
    .text(" order by a.attnum");
    let columns: Vec<Column> = link
        .rows(&name, READING, columns)
        .await?
        .iter()
        .map(|row| {
            let default = row[4].clone();
            let (generated, identity) = (cell(row, 5), cell(row, 6));
            let serial = default
                .as_deref()
                .is_some_and(|text| text.starts_with("nextval("));
            Column {
                name: cell(row, 0),
                sql_type: cell(row, 1),
                domain_of: cell(row, 2),
                not_null: is_true(row, 3),
                generated: !generated.is_empty() || identity == "a",
                identity: !identity.is_empty() || serial,
                default: if generated.is_empty() { default } else { None },
                comment: cell(row, 7),
                enum_values: names(&cell(row, 8)),
                charset: None,
            }
        })
        .collect();
    if columns.is_empty() {
        return Err(Error::NoTable {
            table: name,
            near: Vec::new(),
        });
    }
    let mut table = Table {
        schema: relation.schema.clone(),
        name: relation.name.clone(),
        columns,
        is_view: relation.is_view,
        ..Table::default()
    };
    keys(link, relation, &mut table).await?;
    references(link, relation, &mut table).await?;
    let triggers = of(
        "select tgname::text from pg_trigger where not tgisinternal and tgrelid =",
        relation,
    )
    .text(" order by 1");
    let triggers = link.rows(&name, READING, triggers).await?;
    table.triggers = triggers.iter().map(|row| cell(row, 0)).collect();
    let comment = of("select obj_description(o, 'pg_class') from", relation).text(" as t(o)");
    let comment = link.rows(&name, READING, comment).await?;
    table.comment = comment.first().map(|row| cell(row, 0)).unwrap_or_default();
    Ok(table)
}

async fn keys(link: &mut Link<'_>, relation: &Relation, table: &mut Table) -> Result<()> {
    // Partial unique indexes are taken as if they covered all rows: the safe side.
    let sql = of(
        "select i.relname::text, x.indisprimary::text,
                (select string_agg(coalesce(a.attname::text, ''), chr(31) order by k.place)
                   from unnest(x.indkey) with ordinality as k(attnum, place)
                   left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
                  where k.place <= x.indnkeyatts)
           from pg_index x join pg_class i on i.oid = x.indexrelid
          where x.indisunique and x.indrelid =",
        relation,
    )
    .text(" order by 1");
    for row in link.rows(&relation.full_name(), READING, sql).await? {
        let columns = names(&cell(&row, 2));
        if is_true(&row, 1) {
            table.primary_key = columns;
        } else if !columns.is_empty() {
            table.unique_keys.push(UniqueKey {
                name: cell(&row, 0),
                columns,
            });
        }
    }
    Ok(())
}

async fn references(link: &mut Link<'_>, relation: &Relation, table: &mut Table) -> Result<()> {
    let sql = of(
        "select c.conname::text, n.nspname || '.' || f.relname,
                (select string_agg(a.attname::text, chr(31) order by k.place)
                   from unnest(c.conkey) with ordinality as k(attnum, place)
                   join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum),
                (select string_agg(a.attname::text, chr(31) order by k.place)
                   from unnest(c.confkey) with ordinality as k(attnum, place)
                   join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum)
           from pg_constraint c join pg_class f on f.oid = c.confrelid join pg_namespace n on n.oid = f.relnamespace
          where c.contype = 'f' and c.conrelid =",
        relation,
    )
    .text(" order by 1");
    for row in link.rows(&relation.full_name(), READING, sql).await? {
        table.foreign_keys.push(ForeignKey {
            name: cell(&row, 0),
            table: cell(&row, 1),
            columns: names(&cell(&row, 2)),
            foreign_columns: names(&cell(&row, 3)),
        });
    }
    let own = of(
        "select conname::text, pg_get_constraintdef(oid) from pg_constraint where contype = 'c' and conrelid =",
        relation,
    )
    .text(" order by 1");
    let domains = of(
        "select c.conname::text, pg_get_constraintdef(c.oid) from pg_constraint c
           join pg_attribute a on a.atttypid = c.contypid and not a.attisdropped
          where c.contype = 'c' and a.attrelid =",
        relation,
    )
    .text(" order by 1");
    for sql in [own, domains] {
        for row in link.rows(&relation.full_name(), READING, sql).await? {
            table.checks.push(Check {
                name: cell(&row, 0),
                expression: cell(&row, 1),
            });
        }
    }
    Ok(())
}
