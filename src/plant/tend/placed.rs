//! Where the values of a canary stand in its rows, by the columns of the joined tables.

use crate::canary::PlantedRow;
use crate::notation::RelatedRows;

use super::super::tables::Tables;
use super::super::wide::{Spot, rows_of_legs, spots};

/// A canary as the joined tables show it beside one of its children.
pub(super) struct Turn {
    /// Of each column.
    spots: Vec<Option<Spot>>,
    /// Columns that no turn before this one has shown.
    own: Vec<usize>,
}

impl Turn {
    /// The canary with its first child, or with none; then once for each further child.
    pub(super) fn all(tables: &Tables, rows: &[PlantedRow]) -> Vec<Turn> {
        let of_legs = rows_of_legs(tables, rows);
        let of_child = |leg: usize| tables.legs()[leg].rows == RelatedRows::Child;
        let children = (0..of_legs.len()).filter(|leg| of_child(*leg));
        let most = children.map(|leg| of_legs[leg].len()).max().unwrap_or(0);
        let turn = |child: usize| {
            let spots = spots(tables, rows, &of_legs, child);
            let new = |at: &usize| child == 0 || tables.leg(*at).is_some_and(of_child);
            let own = (0..spots.len()).filter(|at| spots[*at].is_some() && new(at));
            Turn {
                own: own.collect(),
                spots,
            }
        };
        (0..most.max(1)).map(turn).collect()
    }

    /// Where a column stands that this turn is the first to show.
    pub(super) fn own_at(&self, at: usize) -> Option<Spot> {
        self.own.contains(&at).then(|| self.spots[at])?
    }

    /// Every column that this turn is the first to show, and where it stands.
    pub(super) fn own(&self) -> impl Iterator<Item = (usize, Spot)> {
        self.own
            .iter()
            .filter_map(|at| Some((*at, self.spots[*at]?)))
    }

    /// What a column holds beside this child.
    pub(super) fn value<'r>(
        &self,
        at: usize,
        rows: &'r [PlantedRow],
    ) -> Option<&'r Option<String>> {
        let spot = self.spots[at]?;
        Some(&rows[spot.row].cells[spot.cell].value)
    }
}
