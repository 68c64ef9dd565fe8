//! What a table shows of its customers, without any customer: counts, shapes and shares, the rare ones
//! folded.
//!
//! Nothing in it is a row's own. A value is named only where [`FOLDED_BELOW`] rows have it, a number is told
//! by rounded deciles, and of a column with a personal meaning (a name, an address, a number) only parts that so
//! many share are told: a family name, a town, an area code, the shape of the text.

mod facets;
mod mix;
mod moments;
mod persons;
mod shape;
mod together;

use serde::{Deserialize, Serialize};

use super::Ground;
use super::counted::Counted;
use super::moment::{day, order};
use crate::notation::Role;

pub use mix::{FOLDED_BELOW, Mix, Portion};
use shape::shape;
use together::Facet;

/// A column of at most so many values is one of codes.
const CODES: usize = 60;
/// Values, shapes, towns and so on that are named at most.
const MOST: usize = 24;
/// Rows from which a number is rounded to deciles.
const DECILES_FROM: usize = 20 * FOLDED_BELOW as usize;

/// A table's customers, in sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Rows that were looked at, canaries left out.
    pub rows: usize,
    /// A value that fewer rows have is not named.
    pub folded_below: u32,
    /// Its columns, in the order of the mapping.
    pub columns: Vec<ColumnProfile>,
    /// Which columns are left empty together: their names, joined by ", "; "" for rows in which none is.
    pub empty: Mix,
    /// What the persons, their contact points and the moments are like.
    pub traits: Vec<Trait>,
    /// What hangs together: columns without a personal meaning, numbers and moments by the fifth that they lie in, and
    /// what is read out of the others (years of birth, mail domain, region, kind of number).
    pub together: Vec<Together>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Its name.
    pub column: String,
    /// What it means.
    pub role: String,
    /// Share of the rows that have a value, 0 to 1.
    pub filled: f64,
    /// How its texts are spelt.
    pub shapes: Mix,
    /// Its values, where it has few and they mean nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Mix>,
    /// The first to the ninth decile of its numbers, rounded to two digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deciles: Option<Vec<f64>>,
}

/// One thing that customers have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trait {
    /// What it is, e.g. "family name".
    pub name: String,
    /// How often.
    #[serde(flatten)]
    pub mix: Mix,
}

/// Two columns that hang together, or what is read out of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Together {
    /// Their names.
    pub columns: [String; 2],
    /// Cramér's V without its bias, 0 to 1.
    pub strength: f64,
}

/// What is different in a later profile of the same source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What changed, e.g. "family name" or "values of plan".
    pub what: String,
    /// The share of the rows that would have to change, 0 to 1.
    pub apart: f64,
}

impl Ground<'_> {
    /// The profile of the rows that this was learnt from.
    pub fn profile(&self) -> Profile {
        let columns: Vec<(usize, &str, Role)> = (self.mapping.columns.iter())
            .zip(&self.places)
            .filter_map(|(column, place)| Some(((*place)?, column.column.as_str(), column.role)))
            .collect();
        let cell = |row: usize, place: usize| {
            let text = self.rows[row].get(place)?.as_deref()?.trim();
            (!text.is_empty()).then_some(text)
        };
        let all = || 0..self.rows.len();
        let mut facets: Vec<Facet> = Vec::new();
        let mut looks = Vec::with_capacity(columns.len());
        for (place, name, role) in &columns {
            let texts: Vec<&str> = all().filter_map(|row| cell(row, *place)).collect();
            let counted = Counted::of(texts.iter().map(|text| (*text).to_owned()));
            let codes = matches!(
                role,
                Role::Other | Role::Sex | Role::ChildSex | Role::Region
            ) && counted.len() <= CODES;
            if codes {
                let texts: Vec<Option<String>> = all()
                    .map(|row| cell(row, *place).map(str::to_owned))
                    .collect();
                facets.push(Facet::of_texts(name, name, &texts, CODES));
            } else if matches!(role, Role::Other | Role::UpdatedAt) {
                let ordered = |read: fn(&str) -> Option<f64>| {
                    let numbers: Vec<Option<f64>> =
                        all().map(|row| read(cell(row, *place)?)).collect();
                    let known = numbers.iter().flatten().count();
                    (known >= DECILES_FROM && known * 10 >= texts.len() * 9).then_some(numbers)
                };
                let numbers =
                    ordered(|text| text.parse().ok().filter(|number: &f64| number.is_finite()));
                let numbers = numbers.or_else(|| ordered(|text| Some(moment(text)?.0)));
                facets.extend(numbers.map(|numbers| Facet::of_numbers(name, &numbers)));
            }
            looks.push(ColumnProfile {
                column: (*name).to_owned(),
                role: role.name().to_owned(),
                filled: texts.len() as f64 / self.rows.len().max(1) as f64,
                shapes: Mix::of(texts.iter().map(|text| shape(text)), MOST),
                values: codes.then(|| Mix::counted(&counted, MOST)),
                deciles: (*role == Role::Other && !codes)
                    .then(|| deciles(&texts))
                    .flatten(),
            });
        }
        let empty = all().map(|row| {
            let empty = columns
                .iter()
                .filter(|(place, ..)| cell(row, *place).is_none())
                .map(|(_, name, _)| *name);
            empty.collect::<Vec<&str>>().join(", ")
        });
        let homes = self.homes();
        facets.extend(self.facets(&homes));
        let mut traits = self.persons(&homes);
        traits.extend(self.moments());
        traits.retain(|one| one.mix.rows >= FOLDED_BELOW as usize);
        Profile {
            rows: self.rows.len(),
            folded_below: FOLDED_BELOW,
            columns: looks,
            empty: Mix::of(empty, MOST),
            traits,
            together: together::together(&facets),
        }
    }
}

impl Profile {
    /// What is different now, the greatest difference first; what chance could have brought is left out.
    pub fn changes(&self, now: &Profile) -> Vec<Change> {
        let mut out = Vec::new();
        let mut held = |what: String, before: &Mix, after: &Mix| {
            if let Some(apart) = before.apart(after) {
                out.push(Change { what, apart });
            }
        };
        held(
            "which columns are empty".to_owned(),
            &self.empty,
            &now.empty,
        );
        for before in &self.traits {
            let after = now.traits.iter().find(|one| one.name == before.name);
            if let Some(after) = after {
                held(before.name.clone(), &before.mix, &after.mix);
            }
        }
        for before in &self.columns {
            let after = now.columns.iter().find(|one| one.column == before.column);
            let Some(after) = after else {
                out.push(Change {
                    what: format!("column {} is gone", before.column),
                    apart: 1.0,
                });
                continue;
            };
            let mut held = |what: &str, before: &Mix, after: &Mix, column: &str| {
                if let Some(apart) = before.apart(after) {
                    out.push(Change {
                        what: format!("{what} of {column}"),
                        apart,
                    });
                }
            };
            held("spelling", &before.shapes, &after.shapes, &before.column);
            if let (Some(before_values), Some(values)) = (&before.values, &after.values) {
                held("values", before_values, values, &before.column);
            }
            let filled = f64::abs(before.filled - after.filled);
            if filled > 0.05 {
                out.push(Change {
                    what: format!("how many rows have a {}", before.column),
                    apart: filled,
                });
            }
        }
        for after in &now.columns {
            if self.columns.iter().all(|one| one.column != after.column) {
                out.push(Change {
                    what: format!("column {} is new", after.column),
                    apart: 1.0,
                });
            }
        }
        out.sort_by(|one, other| other.apart.total_cmp(&one.apart));
        out
    }
}

/// Deciles of a column that is mostly numbers; `None` for texts and moments, and for few rows.
fn deciles(texts: &[&str]) -> Option<Vec<f64>> {
    let mut numbers: Vec<f64> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    numbers.retain(|number: &f64| number.is_finite());
    if numbers.len() < DECILES_FROM || numbers.len() * 10 < texts.len() * 9 {
        return None;
    }
    numbers.sort_by(f64::total_cmp);
    let at = |tenth: usize| rounded(numbers[numbers.len() * tenth / 10]);
    Some((1..10).map(at).collect())
}

/// To two digits.
fn rounded(number: f64) -> f64 {
    format!("{number:.1e}").parse().unwrap_or(number)
}

/// Moments of the rows as filling reads them, in seconds.
fn moment(text: &str) -> Option<(f64, time::Date)> {
    let seconds = order(text)?;
    Some((seconds, day(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decile_has_two_digits() {
        let shown = [1234.0, 0.001_234, -98_765.0, 0.0, 10.0].map(rounded);
        assert_eq!(shown, [1200.0, 0.0012, -99_000.0, 0.0, 10.0]);
    }
}
