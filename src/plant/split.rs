//! From one wide row, drawn as the joined tables show their customers, to the rows of each table.

use std::collections::HashSet;

use rand::{Rng, RngExt};

use crate::canary::{Cell, PlantedRow, RowLink};
use crate::database::{ForeignKey, Row, Table};
use crate::notation::{RelatedRows, Role};

use super::fill;
use super::lend::is_given;
use super::tables::Tables;
use super::wide::THERE;
use super::{Error, Result};

/// A canary's rows.
pub(super) struct Parted {
    pub(super) rows: Vec<PlantedRow>,
    /// Tables in which what the canary should refer to is not found.
    pub(super) elsewhere: Vec<String>,
}

/// The column that a key to the same table refers to, if nine rows of ten refer to themselves by it.
fn itself(tables: &Tables, leg: Option<usize>, key: &ForeignKey, rows: &[Row]) -> Option<String> {
    let table = tables.joined.table(leg);
    let ([from], [to]) = (key.columns.as_slice(), key.foreign_columns.as_slice()) else {
        return None;
    };
    if key.table.rsplit('.').next() != Some(table.name.as_str())
        || table.primary_key != [to.clone()]
    {
        return None;
    }
    let (from, at) = (
        tables.at(&tables.name(leg, from))?,
        tables.at(&tables.name(leg, to))?,
    );
    let told = rows.iter().filter(|row| row[from].is_some()).count();
    let own = rows
        .iter()
        .filter(|row| row[from].is_some() && row[from] == row[at])
        .count();
    (told > 0 && own * 10 >= told * 9).then(|| to.clone())
}

/// Parts wide rows.
pub(super) struct Splitter<'a> {
    tables: &'a Tables,
    /// The customer table's name, as its source has it.
    main: &'a str,
    /// Sampled customers.
    rows: &'a [Row],
    references: Vec<Reference>,
}

/// What sampled customers refer to by one foreign key.
struct Reference {
    leg: Option<usize>,
    columns: Vec<String>,
    used: Vec<Row>,
    known: HashSet<Row>,
    /// The column of its own that nearly every row refers to, where rows refer to themselves.
    own: Option<String>,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(tables: &'a Tables, main: &'a str, rows: &'a [Row]) -> Splitter<'a> {
        let mut references = Vec::new();
        for leg in std::iter::once(None).chain((0..tables.legs().len()).map(Some)) {
            if leg.is_some_and(|at| tables.legs()[at].attribute.is_some()) {
                continue;
            }
            for key in &tables.joined.table(leg).foreign_keys {
                let at = |name: &String| tables.at(&tables.name(leg, name));
                let Some(at) = key.columns.iter().map(at).collect::<Option<Vec<usize>>>() else {
                    continue;
                };
                let keys = rows
                    .iter()
                    .map(|row| at.iter().map(|at| row[*at].clone()).collect::<Row>());
                let used: Vec<Row> = keys.filter(|key| key.iter().all(Option::is_some)).collect();
                references.push(Reference {
                    leg,
                    columns: key.columns.clone(),
                    known: used.iter().cloned().collect(),
                    own: itself(tables, leg, key, rows),
                    used,
                });
            }
        }
        Splitter {
            tables,
            main,
            rows,
            references,
        }
    }
    /// The rows of a canary. `cells` are those of the wide row; `more` those of further children.
    ///
    /// # Errors
    /// A column must be filled, and nothing tells with what.
    pub(super) fn split<R: Rng + ?Sized>(
        &self,
        cells: &[Cell],
        more: &[Vec<Cell>],
        children: Option<usize>,
        rng: &mut R,
    ) -> Result<Parted> {
        let mut rows = vec![PlantedRow {
            table: self.main.to_owned(),
            cells: self.own(None, cells),
            ..PlantedRow::default()
        }];
        // For each leg, the places of its rows.
        let mut of_leg: Vec<Vec<usize>> = Vec::new();
        for (at, leg) in self.tables.legs().iter().enumerate() {
            let mut own = Vec::new();
            let targets = leg.to.map_or(vec![0], |to| of_leg[to].clone());
            if leg.rows == RelatedRows::Existing || targets.is_empty() {
                of_leg.push(own);
                continue;
            }
            let mut new: Vec<(usize, Vec<Cell>)> = Vec::new();
            if let Some((attribute, value)) = &leg.attribute {
                for cell in self.own(Some(at), cells) {
                    let Some(text) = cell.value else { continue };
                    let plain = |column: &String, value: &String| Cell {
                        column: column.clone(),
                        role: Role::Other,
                        value: Some(value.clone()),
                    };
                    let mut row = vec![plain(attribute, &cell.column)];
                    row.push(Cell {
                        column: value.clone(),
                        role: cell.role,
                        value: Some(text),
                    });
                    row.extend(leg.fixed.iter().map(|(column, value)| plain(column, value)));
                    new.push((targets[0], row));
                }
            } else if leg.rows == RelatedRows::Child {
                let all = std::iter::once(cells).chain(more.iter().map(Vec::as_slice));
                for (number, cells) in all.take(children.unwrap_or(1)).enumerate() {
                    let mut row = self.own(Some(at), cells);
                    self.complete(at, &mut row, true, rng);
                    for column in self.tables.counts_within(at) {
                        if let Some(cell) = row.iter_mut().find(|cell| cell.column == column) {
                            cell.value = Some((number + 1).to_string());
                        }
                    }
                    new.push((targets[0], row));
                }
            } else if let Some(row) = self.household(at, cells, rng) {
                new.extend(targets.iter().map(|target| (*target, row.clone())));
            }
            for (target, cells) in new {
                let row = rows.len();
                rows.push(PlantedRow {
                    table: leg.table.to_string(),
                    cells,
                    ..PlantedRow::default()
                });
                own.push(row);
                for (mine, theirs) in &leg.on {
                    match leg.refers {
                        true => link(&mut rows[row], mine, target, theirs),
                        false => link(&mut rows[target], theirs, row, mine),
                    }
                }
                for (theirs, mine) in &leg.referred {
                    let cell = rows[target]
                        .cells
                        .iter()
                        .find(|cell| cell.column == *theirs);
                    if cell.is_some_and(|cell| cell.value.is_some()) {
                        link(&mut rows[target], theirs, row, mine);
                    }
                }
            }
            of_leg.push(own);
        }
        for leg in self.tables.legs() {
            // What nobody's row stands for is referred to by nobody.
            for (theirs, _) in &leg.referred {
                for row in leg.to.map_or(vec![0], |to| of_leg[to].clone()) {
                    let row = &mut rows[row];
                    if !row.links.iter().any(|link| link.column == *theirs) {
                        row.cells.retain(|cell| cell.column != *theirs);
                    }
                }
            }
        }
        let mut elsewhere = Vec::new();
        for place in std::iter::once(None).chain((0..of_leg.len()).map(Some)) {
            for number in place.map_or(vec![0], |at| of_leg[at].clone()) {
                self.refer(place, number, &mut rows[number], cells, &mut elsewhere, rng);
                let table = self.tables.joined.table(place);
                let order =
                    |cell: &Cell| table.columns.iter().position(|one| one.name == cell.column);
                rows[number].cells.sort_by_key(order);
                fill::check_filled(table, &rows[number])?;
            }
        }
        self.check_links(&rows, &of_leg)?;
        Ok(Parted { rows, elsewhere })
    }

    /// The cells of one table, under the names that the table has for them; marks of presence go.
    fn own(&self, leg: Option<usize>, cells: &[Cell]) -> Vec<Cell> {
        let own = cells.iter().filter_map(|cell| {
            let place = self.tables.place(&cell.column)?;
            (place.leg == leg && !place.column.is_empty()).then(|| Cell {
                column: place.column.clone(),
                ..cell.clone()
            })
        });
        own.collect()
    }

    /// The row of a related table, if the canary has one there.
    fn household<R: Rng + ?Sized>(
        &self,
        at: usize,
        cells: &[Cell],
        rng: &mut R,
    ) -> Option<Vec<Cell>> {
        let marked = self.is_marked(at, cells);
        let mut row = self.own(Some(at), cells);
        if !marked && !self.must_stand(at, &row) {
            return None;
        }
        self.complete(at, &mut row, !marked, rng);
        Some(row)
    }

    /// Whether whoever the canary was drawn like has a row there.
    fn is_marked(&self, at: usize, cells: &[Cell]) -> bool {
        let marker = self.tables.name(Some(at), "");
        let mut marks = cells.iter().filter(|cell| cell.column == marker);
        marks.any(|cell| cell.value.is_some())
    }

    /// Whether the canary has a row there whatever others have: its contact point stands in it, or another row needs it.
    fn must_stand(&self, at: usize, row: &[Cell]) -> bool {
        let leg = &self.tables.legs()[at];
        let contact = row.iter().any(|cell| {
            is_given(cell.role) && cell.value.as_deref().is_some_and(|text| !text.is_empty())
        });
        let other = self.tables.joined.table(leg.to);
        let needed = !leg.refers
            && leg
                .on
                .iter()
                .any(|(_, name)| other.column(name).is_ok_and(|column| column.not_null));
        contact || needed
    }

    /// The row of a draft as the joined tables would show it, as far as it is known before it is parted: with nothing of
    /// a table in which it will have no row.
    pub(super) fn shown(&self, cells: &[Cell], children: Option<usize>) -> Row {
        let mut row: Row = vec![None; self.tables.columns.len()];
        for cell in cells {
            if let Some(at) = self.tables.at(&cell.column) {
                row[at] = cell.value.clone();
            }
        }
        for (at, leg) in self.tables.legs().iter().enumerate() {
            let stands = match leg.rows {
                RelatedRows::Existing => continue,
                _ if leg.attribute.is_some() => continue,
                RelatedRows::Child => children != Some(0),
                RelatedRows::Household => {
                    self.is_marked(at, cells) || self.must_stand(at, &self.own(Some(at), cells))
                }
            };
            if let Some(marker) = self.tables.at(&self.tables.name(Some(at), "")) {
                row[marker] = stands.then(|| THERE.to_owned());
            }
            let own = leg.columns.iter().filter(|_| !stands);
            for column in
                own.filter_map(|column| self.tables.at(&self.tables.name(Some(at), column)))
            {
                row[column] = None;
            }
        }
        row
    }

    /// Columns of the joined tables in which a draft does not yet hold what it will: they refer to rows that are found
    /// when it is parted, or planted with it.
    pub(super) fn later(&self) -> HashSet<String> {
        let mut later = HashSet::new();
        for leg in std::iter::once(None).chain((0..self.tables.legs().len()).map(Some)) {
            let columns = self.tables.joined.table(leg).columns.iter();
            let open = columns.filter(|column| {
                self.tables.is_linked(leg, &column.name)
                    || self.tables.is_referred(leg, &column.name)
                    || self.tables.is_looked_up(leg, &column.name)
            });
            later.extend(open.map(|column| self.tables.name(leg, &column.name)));
        }
        for reference in self.references.iter().filter(|one| one.own.is_some()) {
            let names = reference.columns.iter();
            later.extend(names.map(|name| self.tables.name(reference.leg, name)));
        }
        later
    }

    /// Takes cells without a personal meaning from another customer's row: all of them, or those that must
    /// not be empty and are.
    fn complete<R: Rng + ?Sized>(&self, at: usize, row: &mut [Cell], all: bool, rng: &mut R) {
        let table = &self.tables.legs()[at].table;
        let lacks = |cell: &Cell| {
            let must = table
                .column(&cell.column)
                .is_ok_and(|column| column.not_null);
            cell.role == Role::Other && cell.value.is_none() && (all || must)
        };
        if !row.iter().any(lacks) {
            return;
        }
        let there = self.tables.at(&self.tables.name(Some(at), ""));
        let donors: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| there.is_some_and(|there| row[there].is_some()))
            .collect();
        if donors.is_empty() {
            return;
        }
        let donor = donors[rng.random_range(0..donors.len())];
        for cell in row.iter_mut().filter(|cell| lacks(cell)) {
            let place = self.tables.at(&self.tables.name(Some(at), &cell.column));
            cell.value = place.and_then(|place| donor[place].clone());
        }
    }

    /// Rows of others that a row refers to: found by what the canary has there, else such as another
    /// customer's row refers to.
    fn refer<R: Rng + ?Sized>(
        &self,
        place: Option<usize>,
        number: usize,
        row: &mut PlantedRow,
        cells: &[Cell],
        elsewhere: &mut Vec<String>,
        rng: &mut R,
    ) {
        let is_attribute = place.is_some_and(|at| self.tables.legs()[at].attribute.is_some());
        if is_attribute {
            return;
        }
        for (at, leg) in self.tables.legs().iter().enumerate() {
            if leg.to != place || leg.rows != RelatedRows::Existing {
                continue;
            }
            let lookup = &self.tables.lookups[&at];
            match lookup.find(cells) {
                Some(key) => {
                    for ((_, column), value) in leg.on.iter().zip(key) {
                        if let Some(cell) = row.cells.iter_mut().find(|cell| cell.column == *column)
                        {
                            cell.value = value.clone();
                        }
                    }
                }
                None if lookup.is_told() => elsewhere.push(leg.table.to_string()),
                None => {}
            }
        }
        for reference in self.references.iter().filter(|own| own.leg == place) {
            let held = row
                .cells
                .iter()
                .find(|cell| cell.column == reference.columns[0]);
            match &reference.own {
                Some(own) if held.is_some_and(|cell| cell.value.is_some()) => {
                    link(row, &reference.columns[0], number, own);
                }
                _ => self.keep(reference, row, rng),
            }
        }
        for (at, leg) in self.tables.legs().iter().enumerate() {
            if leg.to == place && leg.rows == RelatedRows::Existing {
                let value = |(_, column): &(String, String)| {
                    let cell = row.cells.iter().find(|cell| cell.column == *column);
                    cell.and_then(|cell| cell.value.clone())
                };
                let key: Row = leg.on.iter().map(value).collect();
                row.shows.extend(self.tables.lookups[&at].shows(&key));
            }
        }
    }

    /// Keeps a reference to what another customer refers to, too: a number in between is nobody's.
    fn keep<R: Rng + ?Sized>(&self, reference: &Reference, row: &mut PlantedRow, rng: &mut R) {
        let columns = &reference.columns;
        let linked = |name: &String| row.links.iter().any(|link| link.column == *name);
        let cell = |name: &String| row.cells.iter().find(|cell| cell.column == *name);
        let drawn = |name: &String| {
            !linked(name) && cell(name).is_some_and(|cell| cell.role == Role::Other)
        };
        if !columns.iter().all(drawn) {
            return;
        }
        let own: Row = columns
            .iter()
            .map(|name| cell(name).and_then(|cell| cell.value.clone()))
            .collect();
        let found = self.tables.legs().iter().zip(0..).any(|(leg, at)| {
            leg.to == reference.leg
                && leg.rows == RelatedRows::Existing
                && leg.on.iter().all(|(_, name)| columns.contains(name))
                && !self.tables.lookups[&at].shows(&own).is_empty()
        });
        let open = own.iter().any(Option::is_none);
        if open || found || reference.known.contains(&own) || reference.used.is_empty() {
            return;
        }
        let other = &reference.used[rng.random_range(0..reference.used.len())];
        for (name, value) in columns.iter().zip(other) {
            if let Some(cell) = row.cells.iter_mut().find(|cell| cell.column == *name) {
                cell.value = value.clone();
            }
        }
    }

    /// What is referred to must be known once the row is in: its key, or what was written.
    fn check_links(&self, rows: &[PlantedRow], of_leg: &[Vec<usize>]) -> Result<()> {
        let table = |row: usize| -> &Table {
            let leg = of_leg.iter().position(|own| own.contains(&row));
            self.tables.joined.table(leg)
        };
        for link in rows.iter().flat_map(|row| &row.links) {
            let target = &rows[link.row];
            let known = table(link.row).primary_key.contains(&link.of)
                || target.cells.iter().any(|cell| cell.column == link.of);
            if !known {
                return Err(Error::CannotFill {
                    column: link.of.clone(),
                    table: target.table.clone(),
                    hint: "other rows refer to it, and it is neither the key nor written: give it a role (code) or a value",
                });
            }
        }
        Ok(())
    }
}

fn link(row: &mut PlantedRow, column: &str, target: usize, of: &str) {
    row.cells.retain(|cell| cell.column != column);
    row.cells.push(Cell {
        column: column.to_owned(),
        role: Role::Other,
        value: None,
    });
    row.links.push(RowLink {
        column: column.to_owned(),
        row: target,
        of: of.to_owned(),
    });
}
