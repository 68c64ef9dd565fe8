//! A thief's view of a table in which canaries stand.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::blend::{of_late, order};
use crate::canary::Canary;
use crate::database::{Database, Row, Table};
use crate::notation::Mapping;
use crate::stealth::{self, Exhibit, Findings, Kind, Unjudged};

use super::eye::columns_after;
use super::known::Known;
use super::tables::{Tables, mark};

/// Among which customers canaries were looked for. A customer who joined years before the first canary
/// differs from all who joined since, and tells nothing of canaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Those who joined since the first canary did.
    SinceFirst,
    /// Those who joined last: too few have since the first canary.
    OfLate,
    /// All, since nothing says when a row was made.
    All,
}

/// What was looked at, and what was found.
pub struct Audit {
    /// Customers that were read.
    pub customers: usize,
    /// Canaries that stand in the table.
    pub canaries: usize,
    /// Among which customers canaries were looked for.
    pub period: Period,
    /// What they found, or why nothing can be said.
    pub findings: Result<Findings, Unjudged>,
}

/// Reads a table and lets two thieves look for its canaries; of customers at most `most` are read into memory.
///
/// # Errors
/// The table cannot be read.
pub async fn audit(
    database: &Database,
    table: &Table,
    mapping: &Mapping,
    canaries: &[Canary],
    most: usize,
    seed: u64,
) -> super::Result<Audit> {
    let tables = Tables::of(database, table.clone(), mapping).await?;
    let (rows, canary) = read(database, &tables, canaries, most, seed).await?;
    let columns = columns_after(&tables);
    let made = columns.iter().position(|column| column.kind == Kind::Made);
    let (among, period) = contemporaries(&rows, &canary, made);
    let found = canary.iter().filter(|canary| **canary).count();
    let exhibit = Exhibit {
        columns,
        rows: &rows,
        canary: &canary,
    };
    Ok(Audit {
        customers: rows.len() - found,
        canaries: found,
        period,
        findings: stealth::judge(&exhibit, &among, true, seed),
    })
}

/// All canaries and an even sample of the customers, in the table's order, each with what the related tables hold of
/// it: of several children the first.
async fn read(
    database: &Database,
    tables: &Tables,
    planted: &[Canary],
    most: usize,
    seed: u64,
) -> super::Result<(Vec<Row>, Vec<bool>)> {
    let main = &tables.joined.main;
    let known = Known::of(main, |name| tables.at(name), planted);
    let names: Vec<&str> = tables.columns.iter().map(String::as_str).collect();
    let own: Vec<usize> = (0..main.columns.len())
        .filter(|at| {
            let key = &main.primary_key;
            key.is_empty() || key.contains(&main.columns[*at].name)
        })
        .collect();
    let alone = tables.legs().is_empty();
    let marks = tables.marks();
    // Customers whose keys fall on the lowest numbers stay: as even as a draw, and a customer who comes once for each of
    // two children is known by the number, without a list of all who were met.
    let mut customers: BTreeMap<u64, (u64, Row)> = BTreeMap::new();
    let mut canaries: BTreeMap<u64, (u64, Row)> = BTreeMap::new();
    let mut number = 0u64;
    tables
        .scan(database, &names, |row| {
            number += 1;
            let mut hasher = DefaultHasher::new();
            seed.hash(&mut hasher);
            match alone {
                true => number.hash(&mut hasher),
                false => own.iter().for_each(|at| row[*at].hash(&mut hasher)),
            }
            let draw = hasher.finish();
            let keep = |among: &mut BTreeMap<u64, (u64, Row)>| {
                among.entry(draw).or_insert_with(|| {
                    let mut row = row.to_vec();
                    mark(&mut row, &marks);
                    (number, row)
                });
            };
            if known.holds(row) {
                return keep(&mut canaries);
            }
            let last = customers.last_key_value().map(|(last, _)| *last);
            if customers.len() < most || last.is_some_and(|last| draw < last) {
                keep(&mut customers);
                if customers.len() > most {
                    customers.pop_last();
                }
            }
        })
        .await?;
    let marked = |canary: bool| move |(number, row)| (number, row, canary);
    let mut all: Vec<(u64, Row, bool)> = (customers.into_values().map(marked(false)))
        .chain(canaries.into_values().map(marked(true)))
        .collect();
    all.sort_by_key(|(number, ..)| *number);
    Ok(all
        .into_iter()
        .map(|(_, row, canary)| (row, canary))
        .unzip())
}

fn contemporaries(rows: &[Row], canary: &[bool], made: Option<usize>) -> (Vec<bool>, Period) {
    let customers = || (0..rows.len()).filter(|row| !canary[*row]);
    let all = || canary.iter().map(|canary| !canary).collect();
    let Some(made) = made else {
        return (all(), Period::All);
    };
    let moments: Vec<Option<f64>> = (rows.iter())
        .map(|row| order(row[made].as_deref()?))
        .collect();
    let first = (0..rows.len())
        .filter(|row| canary[*row])
        .filter_map(|row| moments[row])
        .min_by(f64::total_cmp);
    let Some(first) = first else {
        return (all(), Period::All);
    };
    let since: Vec<bool> = (0..rows.len())
        .map(|row| !canary[row] && moments[row].is_some_and(|moment| moment >= first))
        .collect();
    if since.iter().filter(|among| **among).count() >= stealth::LEAST_CUSTOMERS {
        return (since, Period::SinceFirst);
    }
    let places: Vec<usize> = customers().collect();
    let own: Vec<Option<f64>> = places.iter().map(|row| moments[*row]).collect();
    let mut among = vec![false; rows.len()];
    for at in of_late(&own, places.len()) {
        among[places[at]] = true;
    }
    (among, Period::OfLate)
}
