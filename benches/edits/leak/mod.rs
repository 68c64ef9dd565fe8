//! Edited leaks: a customer table with canaries in it, and what may happen to it on its way to a list.
//!
//! | module | what it edits |
//! | --- | --- |
//! | `ground` | the table, its strangers and its canaries |
//! | `notation` | how the values of one column are written |
//! | `slips` | what goes wrong with single rows: typing, reading, moving, losing |
//! | `layout` | columns and files |

pub mod ground;
pub mod layout;
pub mod notation;
pub mod slips;

use std::collections::HashSet;
use std::io::Cursor;

use otori::notation::Role;
use otori::trace::{Document, Settings, Watch, trace};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use ground::{Ground, NOW, Table};

/// What `otori trace --json` would say of a list.
pub fn document(watch: &Watch, name: &str, bytes: Vec<u8>) -> serde_json::Value {
    let settings = Settings::new(NOW);
    let report = trace(watch, name, Cursor::new(bytes), &settings, &mut |_| {});
    let report = report.expect("a list in memory can be read");
    serde_json::to_value(Document::from(&report)).expect("a report is JSON")
}

/// Which canaries a list is traced to.
pub fn found(watch: &Watch, name: &str, bytes: Vec<u8>) -> HashSet<String> {
    let shown = document(watch, name, bytes);
    let canaries = shown["canaries"].as_array().cloned().unwrap_or_default();
    let id = |canary: serde_json::Value| canary["canary"].as_str().map(str::to_owned);
    canaries.into_iter().filter_map(id).collect()
}

/// One edit and the share of the canaries in its list that were found.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub edit: String,
    pub present: usize,
    pub found: usize,
}

impl Outcome {
    pub fn share(&self) -> f64 {
        self.found as f64 / self.present.max(1) as f64
    }
}

impl Ground {
    /// What is found of the canaries in one list.
    pub fn outcome(&self, edit: String, name: &str, bytes: Vec<u8>) -> Outcome {
        let found = found(&self.watch(), name, bytes);
        let present = self.canaries.iter().map(|canary| canary.id.as_str());
        let (found, present) = present.fold((0, 0), |(hit, all), id| {
            (hit + usize::from(found.contains(id)), all + 1)
        });
        Outcome {
            edit,
            present,
            found,
        }
    }

    /// Every notation of every column alone, in a list that has only one other column. A postcode is no
    /// second mark: beside a name it finds nobody in a list of thousands, however it is written.
    pub fn notations(&self) -> Vec<Outcome> {
        let edits = notation::all().into_iter();
        let mine = edits.filter(|edit| edit.locale == self.locale && edit.role != Role::Postcode);
        mine.map(|edit| {
            let mut table = self.table.clone();
            let mut rng = StdRng::seed_from_u64(7);
            edit.apply(&mut table, &mut rng);
            // What is left beside it: the name, or to a name the birth date.
            let other = match edit.role {
                Role::Name | Role::NameKana => Role::BirthDate,
                _ => Role::Name,
            };
            let table = table.only(&[edit.role, other]);
            self.outcome(edit.label(), "list.csv", layout::csv(&table))
        })
        .collect()
    }

    /// Every slip alone: one field of each row is spoilt.
    pub fn slips(&self) -> Vec<Outcome> {
        let slips = slips::ALL.iter();
        slips
            .map(|(name, slip)| {
                let mut table = self.table.clone();
                let mut rng = StdRng::seed_from_u64(8);
                for row in &mut table.rows {
                    slip(row, &table.columns, &mut rng);
                }
                self.outcome(format!("row: {name}"), "list.csv", layout::csv(&table))
            })
            .collect()
    }

    /// Every layout and encoding alone.
    pub fn layouts(&self) -> Vec<Outcome> {
        let layouts = layout::ALL.iter();
        layouts
            .map(|(name, file, write)| {
                let mut rng = StdRng::seed_from_u64(9);
                let bytes = write(&self.table, &mut rng);
                self.outcome(format!("file: {name}"), file, bytes)
            })
            .collect()
    }

    /// Every notation at once, with a slip in each row, in a layout.
    pub fn mixed(&self) -> Vec<Outcome> {
        let layouts = layout::ALL
            .iter()
            .filter(|(name, ..)| layout::MIXED.contains(name));
        layouts
            .map(|(name, file, write)| {
                let mut rng = StdRng::seed_from_u64(10);
                let table = self.mixed_table(&mut rng);
                let bytes = write(&table, &mut rng);
                self.outcome(format!("all mixed, {name}"), file, bytes)
            })
            .collect()
    }

    /// The table with every row in notations of its own, and a slip in each.
    pub fn mixed_table(&self, rng: &mut StdRng) -> Table {
        let edits: Vec<_> = notation::all()
            .into_iter()
            .filter(|edit| edit.locale == self.locale && edit.by_row)
            .collect();
        let mut table = self.table.clone();
        let columns = table.columns.clone();
        for row in &mut table.rows {
            for (place, (_, role)) in columns.iter().enumerate() {
                let fitting: Vec<_> = edits.iter().filter(|edit| edit.role == *role).collect();
                if !fitting.is_empty() {
                    let edit = fitting[rng.random_range(0..fitting.len())];
                    row.cells[place] = edit.written(row, place, rng);
                }
            }
            let (_, slip) = slips::ALL[rng.random_range(0..slips::ALL.len())];
            slip(row, &columns, rng);
        }
        table
    }
}
