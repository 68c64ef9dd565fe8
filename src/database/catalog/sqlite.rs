//! SQLite's catalog: pragmas, and the table's own text for what no pragma tells.

use super::super::error::Doing;
use super::super::link::Link;
use super::super::sql::Sql;
use super::super::{Engine, Result};
use super::{Check, Column, ForeignKey, Relation, Table, UniqueKey, cell, is_true};

const READING: Doing = Doing::Reading("read the catalog for");

pub(super) async fn relations(link: &mut Link<'_>) -> Result<Vec<Relation>> {
    let sql = Sql::new(
        Engine::Sqlite,
        "select name, type from sqlite_master
          where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\' order by name",
    );
    let rows = link.rows("sqlite_master", READING, sql).await?;
    Ok(rows
        .iter()
        .map(|row| Relation {
            schema: None,
            name: cell(row, 0),
            visible: true,
            is_view: cell(row, 1) == "view",
        })
        .collect())
}

fn of(text: &'static str, name: &str) -> Sql {
    Sql::new(Engine::Sqlite, text).value(Some(name)).text(")")
}

pub(super) async fn describe(link: &mut Link<'_>, relation: &Relation) -> Result<Table> {
    let name = relation.name.as_str();
    let sql = of(
        "select name, type, cast(\"notnull\" as text), dflt_value, cast(hidden as text), cast(pk as text)
           from pragma_table_xinfo(",
        name,
    );
    let rows = link.rows(name, READING, sql).await?;
    let mut key: Vec<(u32, String)> = Vec::new();
    let mut columns = Vec::new();
    for row in &rows {
        let place: u32 = cell(row, 5).parse().unwrap_or(0);
        if place > 0 {
            key.push((place, cell(row, 0)));
        }
        columns.push(Column {
            name: cell(row, 0),
            sql_type: cell(row, 1),
            not_null: is_true(row, 2),
            default: row[3]
                .clone()
                .filter(|text| !text.eq_ignore_ascii_case("null")),
            generated: cell(row, 4) != "0",
            ..Column::default()
        });
    }
    key.sort();
    let primary_key: Vec<String> = key.into_iter().map(|(_, column)| column).collect();
    let sql = Sql::new(
        Engine::Sqlite,
        "select sql from sqlite_master where name = ",
    )
    .value(Some(name));
    let text = link.rows(name, READING, sql).await?;
    let text = text.first().map(|row| cell(row, 0)).unwrap_or_default();
    // INTEGER PRIMARY KEY is the rowid itself, which SQLite numbers.
    if let [only] = primary_key.as_slice() {
        for column in &mut columns {
            column.identity =
                column.name == *only && column.sql_type.eq_ignore_ascii_case("integer");
        }
    }
    let mut table = Table {
        name: name.to_owned(),
        columns,
        primary_key,
        is_view: relation.is_view,
        checks: checks(&text),
        ..Table::default()
    };
    keys(link, name, &mut table).await?;
    let sql = Sql::new(
        Engine::Sqlite,
        "select name from sqlite_master where type = 'trigger' and tbl_name = ",
    )
    .value(Some(name))
    .text(" collate nocase order by name");
    let triggers = link.rows(name, READING, sql).await?;
    table.triggers = triggers.iter().map(|row| cell(row, 0)).collect();
    Ok(table)
}

async fn keys(link: &mut Link<'_>, name: &str, table: &mut Table) -> Result<()> {
    let sql = of(
        "select l.name, i.name from pragma_index_list(",
        name,
    )
    .text(" l join pragma_index_info(l.name) i where l.\"unique\" = 1 and l.origin <> 'pk' order by l.seq, i.seqno");
    for row in link.rows(name, READING, sql).await? {
        // An index on an expression has no column name.
        let (index, Some(column)) = (cell(&row, 0), row[1].clone()) else {
            continue;
        };
        match table.unique_keys.iter_mut().find(|key| key.name == index) {
            Some(key) => key.columns.push(column),
            None => table.unique_keys.push(UniqueKey {
                name: index,
                columns: vec![column],
            }),
        }
    }
    let sql = of(
        "select cast(id as text), \"table\", \"from\",
                coalesce(\"to\", (select p.name from pragma_table_info(f.\"table\") p where p.pk = f.seq + 1))
           from pragma_foreign_key_list(",
        name,
    )
    .text(" f order by id, seq");
    let mut last = None;
    for row in link.rows(name, READING, sql).await? {
        let id = cell(&row, 0);
        if last.as_ref() != Some(&id) {
            table.foreign_keys.push(ForeignKey {
                name: String::new(),
                columns: Vec::new(),
                table: cell(&row, 1),
                foreign_columns: Vec::new(),
            });
            last = Some(id);
        }
        if let Some(key) = table.foreign_keys.last_mut() {
            key.columns.push(cell(&row, 2));
            key.foreign_columns.push(cell(&row, 3));
        }
    }
    Ok(())
}

/// The CHECK conditions in the text of CREATE TABLE, which no pragma tells.
fn checks(text: &str) -> Vec<Check> {
    let mut checks = Vec::new();
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower[from..].find("check") {
        let start = from + found;
        from = start + "check".len();
        let word = lower[..start]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | '`'));
        let rest = &text[from..];
        if word || !rest.trim_start().starts_with('(') {
            continue;
        }
        if let Some(length) = closing(rest) {
            checks.push(Check {
                name: name_before(&text[..start]),
                expression: rest[..length].trim().to_owned(),
            });
            from += length;
        }
    }
    checks
}

/// The length of `text` up to the parenthesis that closes its first one; quoted ones do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (place, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(place + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// `constraint NAME` directly before a CHECK.
fn name_before(text: &str) -> String {
    let mut words = text.split_whitespace().rev();
    match (words.next(), words.next()) {
        (Some(name), Some(word)) if word.eq_ignore_ascii_case("constraint") => {
            name.trim_matches(['"', '`', '[', ']']).to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn checks_are_found_in_the_text() {
        let text = "create table t (a text check (a <> ')'), checked int, b int, constraint \"b_ok\" CHECK (b in (1, 2)))";
        let checks = super::checks(text);
        assert_eq!(checks.len(), 2);
        assert_eq!(checks[0].expression, "(a <> ')')");
        assert_eq!(
            (checks[1].name.as_str(), checks[1].expression.as_str()),
            ("b_ok", "(b in (1, 2))")
        );
    }
}
