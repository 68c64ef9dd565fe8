//! The tables that a source's canaries are written into, seen as one: the customer table with its related
//! tables beside it, each column under one name.

use std::collections::{HashMap, HashSet};

use crate::database::{self, Column, Database, Joined, JoinedPlace as Place, Leg, Row, Table};
use crate::notation::{MappedColumn, Mapping, RelatedRows, Role};

use super::lookup::Lookup;
use super::wide::THERE;
use super::{Error, Result};

/// The customer table and what belongs to it.
pub(super) struct Tables {
    pub(super) joined: Joined,
    /// All of them as if they were one table.
    pub(super) one: Table,
    /// What its columns mean.
    pub(super) mapping: Mapping,
    /// Its columns.
    pub(super) columns: Vec<String>,
    places: Vec<Place>,
    by_name: HashMap<String, usize>,
    /// For each leg of rows that exist already, what is there.
    pub(super) lookups: HashMap<usize, Lookup>,
}

impl Tables {
    /// Looks up what the mapping names.
    ///
    /// # Errors
    /// There is no such table or column, or they do not hang together; a column is unresolved.
    pub(super) async fn of(database: &Database, main: Table, mapping: &Mapping) -> Result<Tables> {
        let joined = Joined::of(database, main, &mapping.related).await?;
        let places = joined.places();
        let columns: Vec<String> = places.iter().map(|place| joined.name(place)).collect();
        let by_name = columns.iter().cloned().zip(0..).collect();
        let mut tables = Tables {
            one: joined.as_one(),
            mapping: Mapping {
                locale: mapping.locale,
                columns: Vec::new(),
                related: Vec::new(),
            },
            lookups: HashMap::new(),
            joined,
            columns,
            places,
            by_name,
        };
        tables.mapping.columns = tables.flat(mapping);
        tables.check(mapping)?;
        for at in 0..tables.joined.legs.len() {
            if tables.joined.legs[at].rows == RelatedRows::Existing {
                let lookup = Lookup::read(database, &tables.joined, at, &tables.mapping).await?;
                tables.lookups.insert(at, lookup);
            }
        }
        Ok(tables)
    }

    pub(super) fn legs(&self) -> &[Leg] {
        &self.joined.legs
    }

    /// Where a column of this name stands.
    pub(super) fn place(&self, name: &str) -> Option<&Place> {
        self.by_name.get(name).map(|at| &self.places[*at])
    }

    /// Where a column of this name stands in a sampled row.
    pub(super) fn at(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The related table whose column stands at a place of a sampled row; `None` for the customers' own.
    pub(super) fn leg(&self, at: usize) -> Option<usize> {
        self.places[at].leg
    }

    pub(super) fn name(&self, leg: Option<usize>, column: &str) -> String {
        self.joined.name(&Place {
            leg,
            column: column.to_owned(),
        })
    }

    /// The table and the column in which a place's values stand.
    pub(super) fn home(&self, place: &Place) -> Option<(&Table, &Column)> {
        let table = self.joined.table(place.leg);
        let attribute = place.leg.and_then(|at| self.legs()[at].attribute.as_ref());
        let column = attribute.map_or(place.column.as_str(), |(_, value)| value.as_str());
        Some((table, table.column(column).ok()?))
    }

    /// Whether a row's column is filled from another of the canary's rows.
    pub(super) fn is_linked(&self, leg: Option<usize>, column: &str) -> bool {
        let own = leg.map(|at| &self.legs()[at]);
        own.is_some_and(|own| own.linked().contains(&column))
            || self.legs().iter().any(|other| {
                other.to == leg
                    && !other.refers
                    && other.rows != RelatedRows::Existing
                    && other.on.iter().any(|(_, name)| name == column)
            })
    }

    /// Whether a row's column refers to a row that exists already.
    pub(super) fn is_looked_up(&self, leg: Option<usize>, column: &str) -> bool {
        self.legs().iter().any(|other| {
            other.to == leg
                && other.rows == RelatedRows::Existing
                && other.on.iter().any(|(_, name)| name == column)
        })
    }

    /// Whether a row's column holds what a related row beside the join is known by.
    pub(super) fn is_referred(&self, leg: Option<usize>, column: &str) -> bool {
        self.legs()
            .iter()
            .any(|other| other.to == leg && other.referred.iter().any(|(name, _)| name == column))
    }

    fn flat(&self, mapping: &Mapping) -> Vec<MappedColumn> {
        let fitted = |leg: Option<usize>, column: &MappedColumn| {
            let drawn =
                self.is_looked_up(leg, &column.column) || self.is_referred(leg, &column.column);
            MappedColumn {
                column: self.name(leg, &column.column),
                role: if drawn && column.value.is_none() {
                    Role::Other
                } else {
                    column.role
                },
                ..column.clone()
            }
        };
        let free =
            |leg: Option<usize>, column: &&MappedColumn| !self.is_linked(leg, &column.column);
        let own = mapping.columns.iter().filter(|column| free(None, column));
        let mut all: Vec<MappedColumn> = own.map(|column| fitted(None, column)).collect();
        for (at, (leg, related)) in self.legs().iter().zip(&mapping.related).enumerate() {
            let own = related
                .columns
                .iter()
                .filter(|column| free(Some(at), column));
            if leg.rows == RelatedRows::Existing {
                let told = own
                    .filter(|column| !matches!(column.role, Role::Other | Role::Skip | Role::Id));
                all.extend(told.map(|column| fitted(Some(at), column)));
                continue;
            }
            if leg.attribute.is_none() {
                all.push(MappedColumn::told(&self.name(Some(at), ""), Role::Other));
                all.extend(leg.fixed.iter().map(|(column, value)| MappedColumn {
                    value: Some(value.clone()),
                    ..MappedColumn::told(&self.name(Some(at), column), Role::Other)
                }));
            }
            let fixed = |column: &&MappedColumn| {
                leg.attribute.is_none() && leg.fixed.iter().any(|(name, _)| *name == column.column)
            };
            all.extend(
                own.filter(|column| !fixed(column))
                    .map(|column| fitted(Some(at), column)),
            );
        }
        all
    }

    /// Whether rows of the related tables can be taken back, and every column of theirs that must be
    /// filled is.
    fn check(&self, mapping: &Mapping) -> Result<()> {
        let mut open = Vec::new();
        for (at, (leg, related)) in self.legs().iter().zip(&mapping.related).enumerate() {
            if leg.rows == RelatedRows::Existing {
                continue;
            }
            if let Some(engine) = &leg.table.not_transactional {
                return Err(Error::Database(database::Error::NotTransactional {
                    table: leg.table.to_string(),
                    engine: engine.clone(),
                }));
            }
            let known = |name: &String| {
                let told = match &leg.attribute {
                    Some((attribute, value)) => name == attribute || name == value,
                    None => related.columns.iter().any(|column| column.column == *name),
                };
                told || leg.fixed.iter().any(|(own, _)| own == name)
                    || self.is_linked(Some(at), name)
            };
            let columns = leg.table.columns.iter();
            let unknown =
                columns.filter(|column| !column.can_be_left_out() && !known(&column.name));
            open.extend(unknown.map(|column| self.name(Some(at), &column.name)));
        }
        match open.is_empty() {
            true => Ok(()),
            false => Err(Error::Unresolved(open)),
        }
    }

    /// The tables that canaries are written into, the customers' own first.
    pub(super) fn written(&self) -> impl Iterator<Item = &Table> {
        let planted = |at: &usize| self.legs()[*at].rows != RelatedRows::Existing;
        let related = (0..self.legs().len()).filter(planted).map(Some);
        let places = std::iter::once(None).chain(related);
        places.map(|place| self.joined.table(place))
    }

    /// Whether a column of the joined tables is one of rows that are there already.
    pub(super) fn is_existing(&self, name: &str) -> bool {
        let leg = self.place(name).and_then(|place| place.leg);
        leg.is_some_and(|at| self.legs()[at].rows == RelatedRows::Existing)
    }

    /// The key columns of a related table's rows that only count the rows of one customer (1, 2, 3).
    pub(super) fn counts_within(&self, at: usize) -> Vec<&str> {
        let leg = &self.legs()[at];
        let linked = leg.linked();
        let uniques = leg.table.unique_keys.iter().map(|key| &key.columns);
        let keys = std::iter::once(&leg.table.primary_key).chain(uniques);
        let within = keys.filter(|key| key.iter().any(|name| linked.contains(&name.as_str())));
        let rest: Vec<&str> = within
            .flatten()
            .map(String::as_str)
            .filter(|name| !linked.contains(name))
            .collect();
        rest
    }

    /// Customers, each with what the related tables hold of them.
    ///
    /// # Errors
    /// One of the tables cannot be read.
    pub(super) async fn sample(&self, database: &Database, n: usize) -> Result<Vec<Row>> {
        if self.legs().is_empty() {
            return Ok(database.sample(&self.joined.main, n).await?);
        }
        let mut rows = database.sample_joined(&self.joined, n).await?;
        let marks = self.marks();
        for row in &mut rows {
            mark(row, &marks);
        }
        Ok(rows)
    }

    /// The columns of no name, which tell whether there is a row.
    pub(super) fn marks(&self) -> Vec<usize> {
        let places = self.places.iter().zip(0..);
        let marks = places.filter(|(place, _)| place.column.is_empty());
        marks.map(|(_, at)| at).collect()
    }

    /// How many children the sampled customers have; `None` where no table holds children one by one.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(super) async fn children(
        &self,
        database: &Database,
        rows: &[Row],
    ) -> Result<Option<Vec<usize>>> {
        let Some(leg) = self
            .legs()
            .iter()
            .find(|leg| leg.rows == RelatedRows::Child)
        else {
            return Ok(None);
        };
        let counts = database.counts(leg).await?;
        let own: Vec<usize> = leg
            .on
            .iter()
            .filter_map(|(_, column)| self.at(&self.name(leg.to, column)))
            .collect();
        let count = |row: &Row| {
            let key: Row = own.iter().map(|at| row[*at].clone()).collect();
            counts.get(&key).copied().unwrap_or(0)
        };
        Ok(Some(rows.iter().map(count).collect()))
    }

    /// Calls `each` with the cells of these columns, of every customer.
    ///
    /// # Errors
    /// One of the tables cannot be read.
    pub(super) async fn scan(
        &self,
        database: &Database,
        columns: &[&str],
        each: impl FnMut(&[Option<String>]),
    ) -> Result<()> {
        let places: Vec<Place> = columns
            .iter()
            .filter_map(|name| self.place(name).cloned())
            .collect();
        let outer: HashSet<usize> = places.iter().filter_map(|place| place.leg).collect();
        match outer.is_empty() {
            true => database.scan(&self.joined.main, columns, each).await?,
            false => database.scan_joined(&self.joined, &places, each).await?,
        }
        Ok(())
    }
}

/// A mark of presence holds a key as it is read: that there is one is all that it says.
pub(super) fn mark(row: &mut [Option<String>], marks: &[usize]) {
    for at in marks {
        row[*at] = row[*at].take().map(|_| THERE.to_owned());
    }
}
