//! A canary's rows among each other: which goes in first, and what each holds of another.

use std::collections::{BTreeSet, HashMap};

use crate::canary::{Canary, PlantedRow};
use crate::database::{Database, Table};

use super::Result;

/// The tables that canaries' rows stand in.
pub(super) struct Standing<'t> {
    main: &'t Table,
    others: HashMap<String, Table>,
}

impl<'t> Standing<'t> {
    /// Looks up the tables beside `main`, which holds each canary's first row.
    ///
    /// # Errors
    /// One of them is gone.
    pub(super) async fn of(
        database: &Database,
        main: &'t Table,
        beside: BTreeSet<String>,
    ) -> Result<Standing<'t>> {
        let mut others = HashMap::new();
        for name in beside {
            let table = database.table(&name).await?;
            others.insert(name, table);
        }
        Ok(Standing { main, others })
    }

    /// The table of a row; what is not known stands in the customer table.
    pub(super) fn table(&self, row: &PlantedRow) -> &Table {
        self.others.get(&row.table).unwrap_or(self.main)
    }
}

/// The names of the tables that canaries have rows in, beside that of the first of each.
pub(super) fn beside<'c>(canaries: impl IntoIterator<Item = &'c Canary>) -> BTreeSet<String> {
    let rows = canaries
        .into_iter()
        .flat_map(|canary| canary.details.rows.iter().skip(1));
    rows.map(|row| row.table.clone()).collect()
}

/// The order in which rows go in: each after those that it refers to. Where they refer to each other in a
/// ring, one goes in before what it refers to, and is completed afterwards.
pub(super) fn order(rows: &[PlantedRow]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(rows.len());
    while order.len() < rows.len() {
        let open = || (0..rows.len()).filter(|at| !order.contains(at));
        let ready = open().find(|at| rows[*at].links.iter().all(|link| order.contains(&link.row)));
        match ready.or_else(|| open().next()) {
            Some(next) => order.push(next),
            None => break,
        }
    }
    order
}

/// What a row holds in a column, its key included.
pub(super) fn held(row: &PlantedRow, column: &str) -> Option<String> {
    let key = row
        .key
        .iter()
        .find(|(name, _)| name == column)
        .map(|(_, value)| value.clone());
    let cell = row.cells.iter().find(|cell| cell.column == column);
    key.or_else(|| cell?.value.clone())
}

/// Fills a row's links with what is known of the rows they refer to; tells which columns were filled.
pub(super) fn fill_links(rows: &mut [PlantedRow], at: usize) -> Vec<String> {
    let mut filled = Vec::new();
    for link in rows[at].links.clone() {
        let value = rows.get(link.row).and_then(|target| held(target, &link.of));
        let cell = rows[at]
            .cells
            .iter_mut()
            .find(|cell| cell.column == link.column);
        if let (Some(cell), Some(value)) = (cell, value)
            && cell.value.is_none()
        {
            cell.value = Some(value);
            filled.push(link.column);
        }
    }
    filled
}

/// A row as far as it is known: without links to rows that nobody has found yet.
pub(super) fn known(row: &PlantedRow) -> PlantedRow {
    let open = |column: &str| row.links.iter().any(|link| link.column == column);
    let mut known = row.clone();
    known
        .cells
        .retain(|cell| cell.value.is_some() || !open(&cell.column));
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::{Cell, RowLink};
    use crate::notation::Role;

    fn row(links: &[(&str, usize, &str)]) -> PlantedRow {
        let cell = |(column, ..): &(&str, usize, &str)| Cell {
            column: (*column).to_owned(),
            role: Role::Other,
            value: None,
        };
        let link = |(column, row, of): &(&str, usize, &str)| RowLink {
            column: (*column).to_owned(),
            row: *row,
            of: (*of).to_owned(),
        };
        PlantedRow {
            cells: links.iter().map(cell).collect(),
            links: links.iter().map(link).collect(),
            ..PlantedRow::default()
        }
    }

    #[test]
    fn what_is_referred_to_goes_in_first() {
        let rows = [
            row(&[("address_id", 1, "id")]),
            row(&[]),
            row(&[("parent", 0, "id")]),
        ];
        assert_eq!(order(&rows), [1, 0, 2]);
    }

    #[test]
    fn a_ring_is_broken_and_closed_afterwards() {
        let mut rows = vec![
            row(&[("default_billing", 1, "id")]),
            row(&[("parent_id", 0, "id")]),
        ];
        assert_eq!(order(&rows), [0, 1]);
        assert!(fill_links(&mut rows, 0).is_empty());
        assert!(known(&rows[0]).cells.is_empty());
        rows[0].key = vec![("id".to_owned(), "7".to_owned())];
        assert_eq!(fill_links(&mut rows, 1), ["parent_id"]);
        rows[1].key = vec![("id".to_owned(), "9".to_owned())];
        assert_eq!(fill_links(&mut rows, 0), ["default_billing"]);
        assert_eq!(held(&rows[0], "default_billing").as_deref(), Some("9"));
    }
}
