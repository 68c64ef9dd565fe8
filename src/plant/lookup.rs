//! Rows of others that a canary refers to: a city is found by its name, and never added.

use std::collections::{HashMap, VecDeque};

use crate::canary::Cell;
use crate::database::{Database, Joined, JoinedPlace as Place, Leg, Row};
use crate::notation::{Mapping, Role, fold};

use super::Result;

/// What stands in a table of rows that exist already, with what these refer to in turn.
pub(super) struct Lookup {
    /// The names of its columns with a meaning, as the joined tables call them.
    columns: Vec<(String, Role)>,
    /// Keys by what stands there, folded.
    by_text: HashMap<Vec<String>, Vec<Row>>,
    by_key: HashMap<Row, Row>,
}

impl Lookup {
    pub(super) async fn read(
        database: &Database,
        joined: &Joined,
        at: usize,
        mapping: &Mapping,
    ) -> Result<Lookup> {
        let (own, places) = part(joined, at);
        let told = mapping.columns.iter().filter_map(|column| {
            let (place, _) = places.iter().find(|(_, name)| *name == column.column)?;
            Some((place.clone(), column.column.clone(), column.role))
        });
        let told: Vec<(Place, String, Role)> = told.collect();
        let key = joined.legs[at].on.iter().map(|(own, _)| Place {
            leg: None,
            column: own.clone(),
        });
        let mut wanted: Vec<Place> = key.collect();
        let width = wanted.len();
        wanted.extend(told.iter().map(|(place, ..)| place.clone()));
        let mut lookup = Lookup {
            columns: told
                .into_iter()
                .map(|(_, name, role)| (name, role))
                .collect(),
            by_text: HashMap::new(),
            by_key: HashMap::new(),
        };
        if lookup.columns.is_empty() {
            return Ok(lookup);
        }
        database
            .scan_joined(&own, &wanted, |row| {
                let (key, texts) = (row[..width].to_vec(), row[width..].to_vec());
                let folded = texts
                    .iter()
                    .map(|text| fold(text.as_deref().unwrap_or_default()));
                lookup
                    .by_text
                    .entry(folded.collect())
                    .or_default()
                    .push(key.clone());
                lookup.by_key.insert(key, texts);
            })
            .await?;
        Ok(lookup)
    }

    /// The key of the row that holds what these cells say; of several the first.
    pub(super) fn find(&self, cells: &[Cell]) -> Option<&Row> {
        let text = |name: &String| {
            let cell = cells.iter().find(|cell| cell.column == *name)?;
            Some(fold(cell.value.as_deref()?))
        };
        if self.columns.is_empty() {
            return None;
        }
        let wanted: Option<Vec<String>> = self.columns.iter().map(|(name, _)| text(name)).collect();
        self.by_text.get(&wanted?)?.first()
    }

    /// Whether anything is looked for there.
    pub(super) fn is_told(&self) -> bool {
        !self.columns.is_empty()
    }

    /// What it is looked for by.
    pub(super) fn roles(&self) -> impl Iterator<Item = Role> {
        self.columns.iter().map(|(_, role)| *role)
    }

    /// What the row with that key holds.
    pub(super) fn shows(&self, key: &Row) -> Vec<Cell> {
        let texts = self.by_key.get(key).into_iter().flatten();
        let cells = self
            .columns
            .iter()
            .zip(texts)
            .map(|((column, role), value)| Cell {
                column: column.clone(),
                role: *role,
                value: value.clone(),
            });
        cells.collect()
    }
}

/// A leg with the legs that hang on it alone, as joined tables of their own, and the names of its places
/// among all.
fn part(joined: &Joined, at: usize) -> (Joined, Vec<(Place, String)>) {
    let mut taken = vec![at];
    let mut open = VecDeque::from([at]);
    while let Some(of) = open.pop_front() {
        for (place, leg) in joined.legs.iter().enumerate() {
            if leg.to == Some(of) && leg.rows == joined.legs[at].rows {
                taken.push(place);
                open.push_back(place);
            }
        }
    }
    let inner = |place: usize| {
        taken
            .iter()
            .position(|own| *own == place)
            .and_then(|at| at.checked_sub(1))
    };
    let legs = taken[1..].iter().map(|place| Leg {
        to: joined.legs[*place].to.and_then(inner),
        ..joined.legs[*place].clone()
    });
    let own = Joined {
        main: joined.legs[at].table.clone(),
        legs: legs.collect(),
    };
    let mut places = Vec::new();
    for (inner, place) in taken.iter().enumerate() {
        for column in &joined.legs[*place].columns {
            let outer = Place {
                leg: Some(*place),
                column: column.clone(),
            };
            let inner = Place {
                leg: inner.checked_sub(1),
                column: column.clone(),
            };
            places.push((inner, joined.name(&outer)));
        }
    }
    (own, places)
}
