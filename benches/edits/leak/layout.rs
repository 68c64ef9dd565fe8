//! Columns and files.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS};
use otori::notation::Role;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::ground::Table;

type Write = fn(&Table, &mut StdRng) -> Vec<u8>;

/// Every layout with the name of its file.
pub const ALL: &[(&str, &str, Write)] = &[
    ("csv", "list.csv", |table, _| csv(table)),
    ("tsv", "list.tsv", |table, _| lines(table, "\t", true)),
    ("semicolons", "list.csv", |table, _| lines(table, ";", true)),
    ("pipes", "list.txt", |table, _| lines(table, "|", true)),
    ("quotes", "list.csv", |table, _| quoted(table)),
    ("no header", "list.csv", |table, _| lines(table, ",", false)),
    ("wrong header", "list.csv", |table, rng| {
        let mut table = table.clone();
        let mut headers: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        headers.shuffle(rng);
        for (column, header) in table.columns.iter_mut().zip(headers) {
            column.0 = header;
        }
        csv(&table)
    }),
    ("a header in the middle", "list.csv", |table, _| {
        let list = String::from_utf8(csv(table)).unwrap_or_default();
        let (header, rest) = list.split_once('\n').unwrap_or_default();
        let middle = rest[rest.len() / 2..]
            .find('\n')
            .map_or(rest.len(), |at| rest.len() / 2 + at + 1);
        format!("{header}\n{}{header}\n{}", &rest[..middle], &rest[middle..]).into_bytes()
    }),
    ("columns in another order", "list.csv", |table, rng| {
        csv(&shuffled(table, rng))
    }),
    ("another order, no header", "list.csv", |table, rng| {
        lines(&shuffled(table, rng), ",", false)
    }),
    ("name and phone merged", "list.csv", |table, _| {
        csv(&merged(table, &[Role::Name, Role::Phone], " 様 "))
    }),
    ("all merged", "list.csv", |table, _| {
        csv(&merged(
            table,
            &[Role::Name, Role::Address, Role::Phone, Role::Email],
            " ",
        ))
    }),
    ("free text", "list.txt", |table, _| lines(table, " ", false)),
    ("UTF-8 with a mark", "list.csv", |table, _| {
        [b"\xEF\xBB\xBF".to_vec(), csv(table)].concat()
    }),
    ("UTF-16, little end first", "list.csv", |table, _| {
        utf16(table, u16::to_le_bytes)
    }),
    ("UTF-16, big end first", "list.csv", |table, _| {
        utf16(table, u16::to_be_bytes)
    }),
    ("CP932", "list.csv", |table, _| encoded(table, SHIFT_JIS)),
    ("EUC-JP", "list.csv", |table, _| encoded(table, EUC_JP)),
    ("ISO-2022-JP", "list.csv", |table, _| {
        encoded(table, ISO_2022_JP)
    }),
    ("encodings mixed by line", "list.csv", |table, _| {
        let list = String::from_utf8(csv(table)).unwrap_or_default();
        let lines = list.split_inclusive('\n').enumerate();
        let line = |(at, line): (usize, &str)| match at % 3 {
            0 => SHIFT_JIS.encode(line).0.into_owned(),
            _ => line.as_bytes().to_vec(),
        };
        lines.flat_map(line).collect()
    }),
    ("JSON by line", "list.ndjson", |table, _| {
        json(table).join("\n").into_bytes()
    }),
    ("JSON", "list.json", |table, _| {
        format!("[{}]", json(table).join(",\n")).into_bytes()
    }),
    ("SQL inserts", "list.sql", |table, _| sql(table)),
];

/// The layouts that lists of all edits at once are written in.
pub const MIXED: &[&str] = &["csv", "another order, no header", "CP932", "all merged"];

/// The usual list.
pub fn csv(table: &Table) -> Vec<u8> {
    lines(table, ",", true)
}

fn lines(table: &Table, delimiter: &str, header: bool) -> Vec<u8> {
    let mut out = String::new();
    if header {
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        out += &(names.join(delimiter) + "\n");
    }
    for row in &table.rows {
        let cell = |cell: &String| {
            if delimiter != " " && cell.contains([',', '\t', ';', '|', '"']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.clone()
            }
        };
        let cells: Vec<String> = row.cells.iter().map(cell).collect();
        out += &(cells.join(delimiter) + "\n");
    }
    out.into_bytes()
}

fn quoted(table: &Table) -> Vec<u8> {
    let names = table
        .columns
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let rows = [names]
        .into_iter()
        .chain(table.rows.iter().map(|row| row.cells.clone()));
    let line = |cells: Vec<String>| format!("\"{}\"\r\n", cells.join("\",\""));
    rows.map(line).collect::<String>().into_bytes()
}

fn shuffled(table: &Table, rng: &mut StdRng) -> Table {
    let mut roles: Vec<Role> = table.columns.iter().map(|(_, role)| *role).collect();
    roles.shuffle(rng);
    table.only(&roles)
}

/// Some columns in one cell, the others as they were.
fn merged(table: &Table, roles: &[Role], gap: &str) -> Table {
    let places: Vec<usize> = roles.iter().filter_map(|role| table.place(*role)).collect();
    let others: Vec<Role> = table
        .columns
        .iter()
        .map(|(_, role)| *role)
        .filter(|role| !roles.contains(role))
        .collect();
    let mut rest = table.only(&others);
    for (row, old) in rest.rows.iter_mut().zip(&table.rows) {
        let cells: Vec<&str> = places.iter().map(|at| old.cells[*at].as_str()).collect();
        row.cells.push(cells.join(gap));
    }
    rest.columns.push(("備考", Role::Other));
    rest
}

fn utf16(table: &Table, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let list = String::from_utf8(csv(table)).unwrap_or_default();
    let units = std::iter::once(0xFEFF).chain(list.encode_utf16());
    units.flat_map(bytes).collect()
}

fn encoded(table: &Table, encoding: &'static Encoding) -> Vec<u8> {
    let list = String::from_utf8(csv(table)).unwrap_or_default();
    encoding.encode(&list).0.into_owned()
}

fn json(table: &Table) -> Vec<String> {
    let names = || table.columns.iter().map(|(name, _)| (*name).to_owned());
    let values = |cells: &[String]| {
        cells
            .iter()
            .cloned()
            .map(serde_json::Value::from)
            .collect::<Vec<_>>()
    };
    let object = |cells: &[String]| {
        names()
            .zip(values(cells))
            .collect::<serde_json::Map<_, _>>()
    };
    let rows = table.rows.iter();
    rows.map(|row| serde_json::Value::from(object(&row.cells)).to_string())
        .collect()
}

fn sql(table: &Table) -> Vec<u8> {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let mut out = String::new();
    for row in &table.rows {
        let cells: Vec<String> = row
            .cells
            .iter()
            .map(|cell| format!("'{}'", cell.replace('\'', "''")))
            .collect();
        out += &format!(
            "insert into customers ({}) values ({});\n",
            names.join(", "),
            cells.join(", ")
        );
    }
    out.into_bytes()
}
