//! Which rows of a table are canaries.

use std::collections::{HashMap, HashSet};

use crate::canary::Canary;
use crate::database::{Database, Row, Table};

use super::Result;
use super::tables::Tables;

/// Rows that were planted, by their keys or by what was written.
pub(super) struct Known<'r> {
    keys: HashSet<Vec<Option<&'r str>>>,
    key_places: Vec<usize>,
    written: HashMap<Vec<usize>, HashSet<Vec<Option<&'r str>>>>,
}

impl<'r> Known<'r> {
    /// The rows that canaries have or had in this table, their customer table, among rows that have its columns at these
    /// places.
    pub(super) fn of(
        table: &Table,
        place: impl Fn(&str) -> Option<usize>,
        canaries: impl IntoIterator<Item = &'r Canary>,
    ) -> Known<'r> {
        let mut known = Known {
            keys: HashSet::new(),
            key_places: table
                .primary_key
                .iter()
                .filter_map(|name| place(name))
                .collect(),
            written: HashMap::new(),
        };
        let details = canaries.into_iter().flat_map(Canary::all_details);
        for row in details.filter_map(|details| details.rows.first()) {
            let value = |name: &String| {
                let found = row.key.iter().find(|(own, _)| own == name);
                found.map(|(_, value)| Some(value.as_str()))
            };
            let key: Option<Vec<_>> = table.primary_key.iter().map(value).collect();
            if let Some(key) = key.filter(|key| !key.is_empty()) {
                known.keys.insert(key);
                continue;
            }
            let cells = row
                .cells
                .iter()
                .filter_map(|cell| Some((place(&cell.column)?, cell.value.as_deref())));
            let (places, values): (Vec<usize>, Vec<Option<&str>>) = cells.unzip();
            known.written.entry(places).or_default().insert(values);
        }
        known
    }

    /// Whether a row is one of them.
    pub(super) fn holds(&self, row: &[Option<String>]) -> bool {
        let at = |places: &[usize]| -> Vec<Option<&str>> {
            places.iter().map(|place| row[*place].as_deref()).collect()
        };
        (!self.keys.is_empty() && self.keys.contains(&at(&self.key_places)))
            || self
                .written
                .iter()
                .any(|(places, values)| values.contains(&at(places)))
    }
}

/// About `most` customers of the joined tables, canaries left out: what is learnt is to be like customers, not like
/// earlier canaries.
///
/// # Errors
/// The tables cannot be read.
pub(super) async fn customers<'c>(
    database: &Database,
    tables: &Tables,
    canaries: impl IntoIterator<Item = &'c Canary>,
    most: usize,
) -> Result<Vec<Row>> {
    let known = Known::of(&tables.joined.main, |name| tables.at(name), canaries);
    let mut rows = tables.sample(database, most).await?;
    rows.retain(|row| !known.holds(row));
    Ok(rows)
}
