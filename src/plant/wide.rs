//! A canary's rows put together as the joined tables show them: the way back from `split.rs`.

use crate::canary::PlantedRow;
use crate::database::Row;
use crate::notation::RelatedRows;

use super::tables::Tables;

/// What stands in the marks of presence where there is a row.
pub(super) const THERE: &str = "1";

/// The canary's row with all columns of the joined tables, of several children the first. Keys that the database gives
/// and what hangs on them stay empty.
pub(super) fn wide(tables: &Tables, rows: &[PlantedRow]) -> Row {
    let mut wide: Row = vec![None; tables.columns.len()];
    let mut put = |leg: Option<usize>, column: &str, value: Option<String>| {
        if let Some(at) = tables.at(&tables.name(leg, column)) {
            wide[at] = value;
        }
    };
    let mut of_leg: Vec<Vec<usize>> = Vec::new();
    for cell in rows.first().iter().flat_map(|row| &row.cells) {
        put(None, &cell.column, cell.value.clone());
    }
    for (at, leg) in tables.legs().iter().enumerate() {
        let targets = leg.to.map_or(vec![0], |to| of_leg[to].clone());
        if leg.rows == RelatedRows::Existing {
            // Its rows are others'; what they hold is known by who refers to them.
            let shown = targets.first().and_then(|target| rows.get(*target));
            for cell in shown.iter().flat_map(|row| &row.shows) {
                let place = tables.place(&cell.column);
                if let Some(place) = place.filter(|place| place.leg == Some(at)) {
                    put(Some(at), &place.column, cell.value.clone());
                    put(Some(at), "", Some(THERE.to_owned()));
                }
            }
            of_leg.push(Vec::new());
            continue;
        }
        let table = leg.table.to_string();
        let belongs = |number: &usize| {
            let row = &rows[*number];
            let fixed = leg.fixed.iter().all(|(column, value)| {
                let cell = row.cells.iter().find(|cell| cell.column == *column);
                cell.is_some_and(|cell| cell.value.as_ref() == Some(value))
            });
            // One table may be there twice, for rows of two kinds: what a row hangs on tells which it is.
            row.table == table
                && fixed
                && leg.on.iter().all(|(mine, theirs)| match leg.refers {
                    true => row.links.iter().any(|link| {
                        link.column == *mine && link.of == *theirs && targets.contains(&link.row)
                    }),
                    false => targets.iter().any(|target| {
                        let links = rows[*target].links.iter();
                        links.clone().any(|link| {
                            link.column == *theirs && link.of == *mine && link.row == *number
                        })
                    }),
                })
        };
        let own: Vec<usize> = (1..rows.len()).filter(belongs).collect();
        match &leg.attribute {
            Some((attribute, value)) => {
                for row in own.iter().map(|number| &rows[*number]) {
                    let held = |column: &String| {
                        let cell = row.cells.iter().find(|cell| cell.column == *column);
                        cell.and_then(|cell| cell.value.clone())
                    };
                    if let Some(name) = held(attribute) {
                        put(Some(at), &name, held(value));
                    }
                }
            }
            None => {
                for cell in own.first().iter().flat_map(|number| &rows[**number].cells) {
                    put(Some(at), &cell.column, cell.value.clone());
                }
                if !own.is_empty() {
                    put(Some(at), "", Some(THERE.to_owned()));
                }
            }
        }
        of_leg.push(own);
    }
    wide
}
