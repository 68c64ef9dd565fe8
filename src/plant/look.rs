//! Finding planted rows again: by primary key where there is one, else by what they hold.

use std::collections::{HashMap, HashSet};

use crate::canary::PlantedRow;
use crate::database::{Place, Row, Table, Transaction};

use super::Result;
use super::resemblance::{agreeing_marks, is_personal};

/// How a planted row was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// As it was written.
    Intact(Place),
    /// There, but not as it was written.
    Altered {
        place: Place,
        /// Columns that differ.
        columns: Vec<String>,
        /// What the written columns hold now; a column that is gone is left out.
        now: Vec<(String, Option<String>)>,
    },
    Missing,
}

/// Looks for every row, in the order given.
pub(super) async fn look(
    tx: &mut Transaction,
    table: &Table,
    rows: &[&PlantedRow],
) -> Result<Vec<Seen>> {
    let mut seen = vec![Seen::Missing; rows.len()];
    let mut without_key = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        if row.key.is_empty() || row.key.iter().any(|(name, _)| table.column(name).is_err()) {
            without_key.push(number);
            continue;
        }
        let columns = standing(table, row);
        if let Some(now) = tx.read(table, &row.key, &columns).await? {
            seen[number] = compare(row, &columns, &now, Place::of_key(row.key.clone()));
        }
    }
    if !without_key.is_empty() {
        by_content(tx, table, rows, &without_key, &mut seen).await?;
    }
    Ok(seen)
}

/// The row's columns that the table still has.
pub(super) fn standing<'r>(table: &Table, row: &'r PlantedRow) -> Vec<&'r str> {
    let names = row.cells.iter().map(|cell| cell.column.as_str());
    names.filter(|name| table.column(name).is_ok()).collect()
}

fn compare(row: &PlantedRow, columns: &[&str], now: &[Option<String>], place: Place) -> Seen {
    let held = |name: &str| {
        columns
            .iter()
            .position(|column| *column == name)
            .map(|at| &now[at])
    };
    let differing = row
        .cells
        .iter()
        .filter(|cell| held(&cell.column) != Some(&cell.value));
    let differing: Vec<String> = differing.map(|cell| cell.column.clone()).collect();
    if differing.is_empty() {
        return Seen::Intact(place);
    }
    // A key that was given away again belongs to a customer, who must not be taken for ours.
    let marks = agreeing_marks(row, |cell| !differing.contains(&cell.column));
    if marks
        < if place.key.is_empty() || row.key.is_empty() {
            2
        } else {
            1
        }
    {
        return Seen::Missing;
    }
    let now = columns
        .iter()
        .zip(now)
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    Seen::Altered {
        place,
        columns: differing,
        now: now.collect(),
    }
}

/// One pass over the table for all rows that have no key.
async fn by_content(
    tx: &mut Transaction,
    table: &Table,
    rows: &[&PlantedRow],
    wanted: &[usize],
    seen: &mut [Seen],
) -> Result<()> {
    let mut columns: Vec<&str> = Vec::new();
    for number in wanted {
        for name in standing(table, rows[*number]) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    // Exact content by the columns that were written: usually all batches wrote the same ones.
    let mut exact: HashMap<Vec<usize>, HashMap<Row, Vec<usize>>> = HashMap::new();
    let mut personal: HashMap<(usize, &str), Vec<usize>> = HashMap::new();
    for number in wanted {
        let row = rows[*number];
        let cells: Vec<(usize, &crate::canary::Cell)> = row
            .cells
            .iter()
            .filter_map(|cell| Some((columns.iter().position(|name| *name == cell.column)?, cell)))
            .collect();
        if cells.len() == row.cells.len() {
            let places = cells.iter().map(|(place, _)| *place).collect();
            let values = cells.iter().map(|(_, cell)| cell.value.clone()).collect();
            let group = exact.entry(places).or_default();
            group.entry(values).or_default().push(*number);
        }
        for (place, cell) in cells {
            if let (true, Some(value)) = (is_personal(cell.role), &cell.value) {
                personal.entry((place, value)).or_default().push(*number);
            }
        }
    }
    // The row that bears most marks of a wanted one so far.
    let mut best: Vec<(usize, Option<(Place, Row)>)> = vec![(1, None); rows.len()];
    let mut found: Vec<(usize, Place)> = Vec::new();
    let mut values = Row::new();
    let personal_columns: Vec<usize> = {
        let mut places: Vec<usize> = personal.keys().map(|(place, _)| *place).collect();
        places.sort_unstable();
        places.dedup();
        places
    };
    let mut met: HashSet<usize> = HashSet::new();
    tx.scan(table, &columns, |place, cells| {
        for (places, group) in &mut exact {
            values.clear();
            values.extend(places.iter().map(|place| cells[*place].clone()));
            // Each row of the table can be one wanted row only.
            if let Some(number) = group.get_mut(&values).and_then(Vec::pop) {
                found.push((number, place));
                return;
            }
        }
        met.clear();
        for column in &personal_columns {
            let Some(value) = &cells[*column] else {
                continue;
            };
            for number in personal
                .get(&(*column, value.as_str()))
                .into_iter()
                .flatten()
            {
                met.insert(*number);
            }
        }
        for number in &met {
            let marks = agreeing_marks(rows[*number], |cell| {
                let place = columns.iter().position(|name| *name == cell.column);
                place.is_some_and(|place| cells[place] == cell.value)
            });
            if marks > best[*number].0 {
                best[*number] = (marks, Some((place.clone(), cells.to_vec())));
            }
        }
    })
    .await?;
    for number in wanted {
        if let Some((place, cells)) = best[*number].1.take() {
            let row = rows[*number];
            let own = standing(table, row);
            let place_of = |name: &&str| columns.iter().position(|column| column == name);
            let now: Row = own
                .iter()
                .filter_map(place_of)
                .map(|at| cells[at].clone())
                .collect();
            seen[*number] = compare(row, &own, &now, place);
        }
    }
    for (number, place) in found {
        seen[number] = Seen::Intact(place);
    }
    Ok(())
}
