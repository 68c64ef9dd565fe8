//! A canary's rows put together as the joined tables show them: the way back from `split.rs`.

use crate::canary::PlantedRow;
use crate::database::{Leg, Row};
use crate::notation::RelatedRows;

use super::tables::Tables;

/// What stands in the marks of presence where there is a row.
pub(super) const THERE: &str = "1";

/// Where a value stands among a canary's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// Which row.
    pub(super) row: usize,
    /// Which of its cells.
    pub(super) cell: usize,
}

/// A canary's rows by the related tables that they stand in, in the order of [`Tables::legs`]: of a household all
/// children, and none of rows that are others'.
pub(super) fn rows_of_legs(tables: &Tables, rows: &[PlantedRow]) -> Vec<Vec<usize>> {
    let mut of_leg: Vec<Vec<usize>> = Vec::new();
    for leg in tables.legs() {
        let targets = leg.to.map_or(vec![0], |to| of_leg[to].clone());
        let own = |number: &usize| {
            leg.rows != RelatedRows::Existing && belongs(leg, &targets, rows, *number)
        };
        of_leg.push((1..rows.len()).filter(own).collect());
    }
    of_leg
}

/// Whether a row is one of a related table's that hangs on one of `targets`. One table may be there twice, for rows of
/// two kinds: what a row hangs on tells which it is.
fn belongs(leg: &Leg, targets: &[usize], rows: &[PlantedRow], number: usize) -> bool {
    let row = &rows[number];
    let fixed = leg.fixed.iter().all(|(column, value)| {
        let cell = row.cells.iter().find(|cell| cell.column == *column);
        cell.is_some_and(|cell| cell.value.as_ref() == Some(value))
    });
    row.table == leg.table.to_string()
        && fixed
        && leg.on.iter().all(|(mine, theirs)| match leg.refers {
            true => row.links.iter().any(|link| {
                link.column == *mine && link.of == *theirs && targets.contains(&link.row)
            }),
            false => targets.iter().any(|target| {
                let links = rows[*target].links.iter();
                links
                    .clone()
                    .any(|link| link.column == *theirs && link.of == *mine && link.row == number)
            }),
        })
}

/// Where the canary has each column of the joined tables, in their order: of several children those of the `child`th.
pub(super) fn spots(
    tables: &Tables,
    rows: &[PlantedRow],
    of_legs: &[Vec<usize>],
    child: usize,
) -> Vec<Option<Spot>> {
    let mut spots = vec![None; tables.columns.len()];
    let mut put = |leg: Option<usize>, column: &str, spot: Spot| {
        if let Some(at) = tables.at(&tables.name(leg, column)) {
            spots[at] = Some(spot);
        }
    };
    let main = rows.first().map(|_| (None, 0));
    let mut single: Vec<(Option<usize>, usize)> = main.into_iter().collect();
    for (at, (leg, own)) in tables.legs().iter().zip(of_legs).enumerate() {
        let Some((attribute, value)) = &leg.attribute else {
            let which = if leg.rows == RelatedRows::Child {
                child
            } else {
                0
            };
            single.extend(own.get(which).map(|row| (Some(at), *row)));
            continue;
        };
        for row in own {
            let cells = &rows[*row].cells;
            let cell = |column: &String| cells.iter().position(|cell| cell.column == *column);
            let name = cell(attribute).and_then(|at| cells[at].value.as_deref());
            if let (Some(name), Some(cell)) = (name, cell(value)) {
                put(Some(at), name, Spot { row: *row, cell });
            }
        }
    }
    for (leg, row) in single {
        for (cell, about) in rows[row].cells.iter().enumerate() {
            put(leg, &about.column, Spot { row, cell });
        }
    }
    spots
}

/// The canary's row with all columns of the joined tables, of several children the first. Keys that the database gives
/// and what hangs on them stay empty.
pub(super) fn wide(tables: &Tables, rows: &[PlantedRow]) -> Row {
    let of_legs = rows_of_legs(tables, rows);
    let spots = spots(tables, rows, &of_legs, 0);
    let value = |spot: &Option<Spot>| {
        rows[spot.as_ref()?.row].cells[spot.as_ref()?.cell]
            .value
            .clone()
    };
    let mut wide: Row = spots.iter().map(value).collect();
    let mut put = |leg: usize, column: &str, value: Option<String>| {
        if let Some(at) = tables.at(&tables.name(Some(leg), column)) {
            wide[at] = value;
        }
    };
    for (at, leg) in tables.legs().iter().enumerate() {
        if leg.rows != RelatedRows::Existing {
            if leg.attribute.is_none() && !of_legs[at].is_empty() {
                put(at, "", Some(THERE.to_owned()));
            }
            continue;
        }
        // Its rows are others'; what they hold is known by who refers to them.
        let target = leg.to.map_or(Some(0), |to| of_legs[to].first().copied());
        let shown = target.and_then(|target| rows.get(target));
        for cell in shown.iter().flat_map(|row| &row.shows) {
            let place = tables.place(&cell.column);
            if let Some(place) = place.filter(|place| place.leg == Some(at)) {
                put(at, &place.column, cell.value.clone());
                put(at, "", Some(THERE.to_owned()));
            }
        }
    }
    wide
}
