//! Finding planted rows again: by primary key where there is one, else by what they hold.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::canary::{Canary, PlantedRow, RowLink};
use crate::database::{Place, Row, Table, Transaction};

use super::Result;
use super::resemblance::{agreeing_marks, is_personal};
use super::rows::{Standing, held, known};

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

/// One of a canary's rows, looked for.
pub(super) struct Found {
    /// The row, with its key and what it holds of the canary's other rows, as far as that came out.
    pub(super) row: PlantedRow,
    pub(super) seen: Seen,
}

/// Looks for every row of every canary, in the order given. Rows of related tables are found from the row
/// in the customer table: what it refers to, and what refers to it.
pub(super) async fn look(
    tx: &mut Transaction,
    tables: &Standing<'_>,
    canaries: &[Canary],
) -> Result<Vec<Vec<Found>>> {
    let start = |row: &PlantedRow| Found {
        row: row.clone(),
        seen: Seen::Missing,
    };
    let all = canaries.iter().map(|canary| canary.details.rows.iter());
    let mut found: Vec<Vec<Found>> = all.map(|rows| rows.map(start).collect()).collect();
    let mut done: HashSet<(usize, usize)> = HashSet::new();
    let mut stage: Vec<(usize, usize)> = (0..found.len()).map(|canary| (canary, 0)).collect();
    stage.retain(|(canary, _)| !found[*canary].is_empty());
    while !stage.is_empty() {
        let mut groups: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
        for (canary, row) in &stage {
            let name = canaries[*canary].details.rows[*row].table.as_str();
            groups.entry(name).or_default().push((*canary, *row));
        }
        for places in groups.into_values() {
            let row = |(canary, row): &(usize, usize)| &found[*canary][*row].row;
            // A row that is known by nothing but its parent is not to be found without it.
            let (open, lost): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| {
                let row = row(place);
                !row.key.is_empty() || place.1 == 0 || known(row).cells.len() == row.cells.len()
            });
            let rows: Vec<PlantedRow> = open.iter().map(|place| known(row(place))).collect();
            if let Some(first) = rows.first() {
                let table = tables.table(first);
                let seen = look_in(tx, table, &rows.iter().collect::<Vec<_>>()).await?;
                for ((canary, row), seen) in open.iter().zip(seen) {
                    let own = &mut found[*canary][*row];
                    if let Seen::Intact(place) | Seen::Altered { place, .. } = &seen
                        && own.row.key.is_empty()
                    {
                        own.row.key = place.key.clone();
                    }
                    own.seen = seen;
                }
            }
            done.extend(open.into_iter().chain(lost));
        }
        for (canary, row) in &stage {
            learn(tx, tables, &mut found[*canary], *row).await?;
        }
        stage = next(&found, &done);
    }
    Ok(found)
}

/// The rows that hang together with one that was looked for; then those that do not.
fn next(found: &[Vec<Found>], done: &HashSet<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut near = Vec::new();
    let mut far = Vec::new();
    for (canary, rows) in found.iter().enumerate() {
        for row in (0..rows.len()).filter(|row| !done.contains(&(canary, *row))) {
            let is_done = |other: usize| done.contains(&(canary, other));
            let up = rows[row].row.links.iter().any(|link| is_done(link.row));
            let down = rows.iter().enumerate().any(|(other, own)| {
                is_done(other) && own.row.links.iter().any(|link| link.row == row)
            });
            if up || down { &mut near } else { &mut far }.push((canary, row));
        }
    }
    if near.is_empty() { far } else { near }
}

/// What a row that stands there tells of the rows beside it.
async fn learn(
    tx: &mut Transaction,
    tables: &Standing<'_>,
    rows: &mut [Found],
    at: usize,
) -> Result<()> {
    if rows[at].seen == Seen::Missing {
        return Ok(());
    }
    let open = |row: &PlantedRow, column: &str| held(row, column).is_none();
    let row = &rows[at].row;
    let links: Vec<RowLink> = row
        .links
        .iter()
        .filter(|link| open(row, &link.column))
        .cloned()
        .collect();
    if !links.is_empty() && !row.key.is_empty() {
        let columns: Vec<&str> = links.iter().map(|link| link.column.as_str()).collect();
        let key = row.key.clone();
        let values = tx.read(tables.table(row), &key, &columns).await?;
        for (link, value) in links.iter().zip(values.into_iter().flatten()) {
            let cells = &mut rows[at].row.cells;
            if let Some(cell) = cells.iter_mut().find(|cell| cell.column == link.column) {
                cell.value = value;
            }
        }
    }
    // What it refers to has that key.
    let own = rows[at].row.clone();
    for target in own
        .links
        .iter()
        .map(|link| link.row)
        .collect::<HashSet<_>>()
    {
        let Some(other) = rows.get(target).filter(|other| other.row.key.is_empty()) else {
            continue;
        };
        let value = |name: &String| {
            let mut links = own.links.iter();
            let link = links.find(|link| link.row == target && link.of == *name)?;
            Some((name.clone(), held(&own, &link.column)?))
        };
        let names = &tables.table(&other.row).primary_key;
        let key: Option<Vec<(String, String)>> = names.iter().map(value).collect();
        rows[target].row.key = key.unwrap_or_default();
    }
    // What refers to it holds its key.
    for other in 0..rows.len() {
        for link in rows[other].row.links.clone() {
            let value = held(&rows[at].row, &link.of).filter(|_| link.row == at);
            let cells = &mut rows[other].row.cells;
            let cell = cells.iter_mut().find(|cell| cell.column == link.column);
            if let (Some(cell), Some(value)) = (cell, value)
                && cell.value.is_none()
            {
                cell.value = Some(value);
            }
        }
    }
    Ok(())
}

/// Looks for rows of one table, in the order given.
async fn look_in(tx: &mut Transaction, table: &Table, rows: &[&PlantedRow]) -> Result<Vec<Seen>> {
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
