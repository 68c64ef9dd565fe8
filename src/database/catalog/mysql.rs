//! The catalog of MySQL and MariaDB.

use super::super::error::Doing;
use super::super::link::Link;
use super::super::sql::Sql;
use super::super::{Engine, Result};
use super::{Check, Column, ForeignKey, Relation, Table, UniqueKey, cell, is_true};

const READING: Doing = Doing::Reading("read the catalog for");

// Every name is converted, for MySQL 8 gives some of them as bytes.

pub(super) async fn relations(link: &mut Link<'_>) -> Result<Vec<Relation>> {
    let sql = Sql::new(
        Engine::MySql,
        "select convert(table_schema using utf8mb4), convert(table_name using utf8mb4),
                cast(coalesce(table_schema = database(), 0) as char), convert(table_type using utf8mb4)
           from information_schema.tables
          where table_schema not in ('mysql', 'information_schema', 'performance_schema', 'sys')
          order by 1, 2",
    );
    let rows = link.rows("information_schema", READING, sql).await?;
    Ok(rows
        .iter()
        .map(|row| Relation {
            schema: Some(cell(row, 0)),
            name: cell(row, 1),
            visible: is_true(row, 2),
            is_view: cell(row, 3) != "BASE TABLE",
        })
        .collect())
}

/// `… schema_column = S and table_column = T`.
fn of(text: &'static str, relation: &Relation) -> Sql {
    Sql::new(Engine::MySql, text)
        .text(" table_schema = ")
        .value(relation.schema.as_deref())
        .text(" and table_name = ")
        .value(Some(&relation.name))
}

pub(super) async fn describe(link: &mut Link<'_>, relation: &Relation) -> Result<Table> {
    let name = relation.full_name();
    let sql = of(
        "select convert(column_name using utf8mb4), convert(column_type using utf8mb4), is_nullable,
                convert(column_default using utf8mb4), convert(extra using utf8mb4),
                convert(column_comment using utf8mb4), convert(character_set_name using utf8mb4)
           from information_schema.columns where",
        relation,
    )
    .text(" order by ordinal_position");
    let columns = link.rows(&name, READING, sql).await?;
    let columns = columns.iter().map(|row| column(row)).collect();
    let sql = of(
        "select convert(t.table_comment using utf8mb4), convert(e.engine using utf8mb4)
           from information_schema.tables t
           left join information_schema.engines e on e.engine = t.engine and e.transactions <> 'YES'
          where",
        relation,
    );
    let about = link.rows(&name, READING, sql).await?;
    let about = about.first().cloned().unwrap_or_default();
    let mut table = Table {
        schema: relation.schema.clone(),
        name: relation.name.clone(),
        columns,
        is_view: relation.is_view,
        comment: if relation.is_view {
            String::new()
        } else {
            cell(&about, 0)
        },
        not_transactional: about.get(1).cloned().flatten(),
        ..Table::default()
    };
    keys(link, relation, &mut table).await?;
    checks(link, relation, &mut table).await?;
    let sql = Sql::new(
        Engine::MySql,
        "select convert(trigger_name using utf8mb4) from information_schema.triggers
          where event_object_schema = ",
    )
    .value(relation.schema.as_deref())
    .text(" and event_object_table = ")
    .value(Some(&relation.name))
    .text(" order by 1");
    let triggers = link.rows(&name, READING, sql).await?;
    table.triggers = triggers.iter().map(|row| cell(row, 0)).collect();
    Ok(table)
}

fn column(row: &[Option<String>]) -> Column {
    let sql_type = cell(row, 1);
    let extra = cell(row, 4).to_ascii_uppercase();
    // "DEFAULT_GENERATED" is MySQL's word for a default that is an expression.
    let generated = extra
        .split_whitespace()
        .any(|word| matches!(word, "GENERATED" | "VIRTUAL" | "STORED" | "PERSISTENT"));
    // MariaDB writes the default NULL as a word.
    let default = row[3].clone().filter(|text| text != "NULL" && !generated);
    Column {
        name: cell(row, 0),
        enum_values: enum_values(&sql_type),
        sql_type,
        not_null: cell(row, 2) == "NO",
        default,
        generated,
        identity: extra.contains("AUTO_INCREMENT"),
        comment: cell(row, 5),
        charset: row[6].clone(),
        ..Column::default()
    }
}

/// The values of `enum('M','F')`; quotes in a value are doubled.
fn enum_values(sql_type: &str) -> Vec<String> {
    let list = sql_type
        .strip_prefix("enum('")
        .or_else(|| sql_type.strip_prefix("set('"));
    let Some(list) = list.and_then(|rest| rest.strip_suffix("')")) else {
        return Vec::new();
    };
    list.split("','")
        .map(|value| value.replace("''", "'"))
        .collect()
}

async fn keys(link: &mut Link<'_>, relation: &Relation, table: &mut Table) -> Result<()> {
    let name = relation.full_name();
    let sql = of(
        "select convert(index_name using utf8mb4), convert(column_name using utf8mb4)
           from information_schema.statistics where non_unique = 0 and",
        relation,
    )
    .text(" order by index_name, seq_in_index");
    for row in link.rows(&name, READING, sql).await? {
        let (index, column) = (cell(&row, 0), cell(&row, 1));
        if index == "PRIMARY" {
            table.primary_key.push(column);
            continue;
        }
        match table.unique_keys.iter_mut().find(|key| key.name == index) {
            Some(key) => key.columns.push(column),
            None => table.unique_keys.push(UniqueKey {
                name: index,
                columns: vec![column],
            }),
        }
    }
    let sql = of(
        "select convert(constraint_name using utf8mb4), convert(column_name using utf8mb4),
                convert(concat(referenced_table_schema, '.', referenced_table_name) using utf8mb4),
                convert(referenced_column_name using utf8mb4)
           from information_schema.key_column_usage where referenced_table_name is not null and",
        relation,
    )
    .text(" order by constraint_name, ordinal_position");
    for row in link.rows(&name, READING, sql).await? {
        let (constraint, column, foreign) = (cell(&row, 0), cell(&row, 1), cell(&row, 3));
        match table
            .foreign_keys
            .iter_mut()
            .find(|key| key.name == constraint)
        {
            Some(key) => {
                key.columns.push(column);
                key.foreign_columns.push(foreign);
            }
            None => table.foreign_keys.push(ForeignKey {
                name: constraint,
                columns: vec![column],
                table: cell(&row, 2),
                foreign_columns: vec![foreign],
            }),
        }
    }
    Ok(())
}

async fn checks(link: &mut Link<'_>, relation: &Relation, table: &mut Table) -> Result<()> {
    let version = Sql::new(Engine::MySql, "select version()");
    let version = link.rows("version", READING, version).await?;
    let mariadb = version.iter().any(|row| cell(row, 0).contains("MariaDB"));
    // MariaDB's check_constraints names the table; MySQL's is joined to it by the schema-wide name.
    let sql = if mariadb {
        Sql::new(
            Engine::MySql,
            "select convert(constraint_name using utf8mb4), convert(check_clause using utf8mb4)
               from information_schema.check_constraints where constraint_schema = ",
        )
        .value(relation.schema.as_deref())
        .text(" and table_name = ")
        .value(Some(&relation.name))
    } else {
        Sql::new(
            Engine::MySql,
            "select convert(c.constraint_name using utf8mb4), convert(c.check_clause using utf8mb4)
               from information_schema.check_constraints c
               join information_schema.table_constraints t
                 on t.constraint_schema = c.constraint_schema and t.constraint_name = c.constraint_name
              where t.constraint_type = 'CHECK' and t.table_schema = ",
        )
        .value(relation.schema.as_deref())
        .text(" and t.table_name = ")
        .value(Some(&relation.name))
    };
    let rows = link
        .rows(&relation.full_name(), READING, sql.text(" order by 1"))
        .await?;
    table.checks = rows
        .iter()
        .map(|row| Check {
            name: cell(row, 0),
            expression: cell(row, 1),
        })
        .collect();
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn enum_values_are_read() {
        assert_eq!(
            super::enum_values("enum('男','女','it''s')"),
            ["男", "女", "it's"]
        );
        assert!(super::enum_values("varchar(10)").is_empty());
    }
}
