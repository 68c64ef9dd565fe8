//! A thief's view of a table in which canaries stand.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::blend::{of_late, order};
use crate::canary::Canary;
use crate::database::{Database, Row, Table};
use crate::notation::Mapping;
use crate::stealth::{self, Exhibit, Findings, Kind, Unjudged};

use super::eye::columns_after;
use super::known::Known;

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
    let (rows, canary) = read(database, table, canaries, most, seed).await?;
    let columns = columns_after(table, mapping);
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

/// All canaries and an even sample of the customers, in the table's order.
async fn read(
    database: &Database,
    table: &Table,
    planted: &[Canary],
    most: usize,
    seed: u64,
) -> super::Result<(Vec<Row>, Vec<bool>)> {
    let place = |name: &str| table.columns.iter().position(|column| column.name == name);
    let known = Known::of(table, place, planted);
    let names: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut customers: Vec<(u64, Row)> = Vec::new();
    let mut canaries: Vec<(u64, Row)> = Vec::new();
    let (mut number, mut seen) = (0u64, 0usize);
    database
        .scan(table, &names, |row| {
            number += 1;
            if known.holds(row) {
                canaries.push((number, row.to_vec()));
                return;
            }
            // Each customer stays with the same chance (Vitter, 1985, algorithm R).
            seen += 1;
            if customers.len() < most {
                customers.push((number, row.to_vec()));
            } else {
                let at = rng.random_range(0..seen);
                if at < most {
                    customers[at] = (number, row.to_vec());
                }
            }
        })
        .await?;
    let marked = |canary: bool| move |(number, row)| (number, row, canary);
    let mut all: Vec<(u64, Row, bool)> = (customers.into_iter().map(marked(false)))
        .chain(canaries.into_iter().map(marked(true)))
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
