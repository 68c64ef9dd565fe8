//! Rows that a CHECK of their table would refuse are drawn anew.
//!
//! Columns without a personal meaning are taken from customers' rows together where they hang together, but what two of
//! them must keep (a first day before a last one) is broken by some of those drawn apart. One such row would undo its
//! whole batch.

use std::collections::HashSet;

use rand::Rng;

use crate::canary::PlantedRow;
use crate::database::{self, Checks, Database};
use crate::notation::email_key;

use super::compose::{Composer, Draft};
use super::marks::{Borne, Collision, Marks};
use super::split::Parted;
use super::tables::Tables;
use super::{Error, Result};

/// Rows drawn for one canary, until the table itself has to say what it wants.
const TRIES: usize = 100;
/// Passes over the table: those drawn anew may meet a customer.
const PASSES: usize = 6;

/// The conditions of the tables that canaries are written into.
pub(super) struct Conditions<'t>(Vec<(String, Checks<'t>)>);

impl<'t> Conditions<'t> {
    /// `main` is the customer table's name, as its source has it.
    pub(super) async fn of(
        database: &Database,
        tables: &'t Tables,
        main: &str,
    ) -> Result<Conditions<'t>> {
        let mut all = Vec::new();
        let related = tables.written().skip(1).map(ToString::to_string);
        let names = std::iter::once(main.to_owned()).chain(related);
        for (name, table) in names.zip(tables.written()) {
            let checks = database.checks(table).await?;
            if !checks.is_empty() {
                all.push((name, checks));
            }
        }
        Ok(Conditions(all))
    }

    /// The condition that a canary's rows would break, with its table.
    async fn broken(&self, database: &Database, rows: &[PlantedRow]) -> Option<(String, String)> {
        for row in rows {
            let checks = self.0.iter().filter(|(table, _)| *table == row.table);
            for (table, checks) in checks {
                let linked = |column: &str| row.links.iter().any(|link| link.column == column);
                let cells: Vec<database::Cell<'_>> = row
                    .cells
                    .iter()
                    .filter(|cell| !linked(&cell.column))
                    .map(|cell| (cell.column.as_str(), cell.value.as_deref()))
                    .collect();
                // What cannot be asked is left to the insertion, which tells more.
                if let Ok(Some(name)) = database.broken(checks, &cells).await {
                    return Some((name, table.clone()));
                }
            }
        }
        None
    }
}

impl Composer<'_> {
    /// Draws anew the rows that a condition of their table refuses, each a bounded number of times. If one is refused each
    /// time, it is told which condition that is, and the table has the last word.
    pub(super) async fn redraw<R: Rng + ?Sized>(
        &mut self,
        conditions: &Conditions<'_>,
        drafts: &mut [Draft],
        parted: &mut [Parted],
        rng: &mut R,
    ) -> Result<Option<String>> {
        if conditions.0.is_empty() {
            return Ok(None);
        }
        // Those of whoever is not planted would leave gaps.
        let makers = self.filler.makers();
        let told = self.drawn_anew(conditions, drafts, parted, rng).await;
        self.filler.go_back(makers);
        told
    }

    async fn drawn_anew<R: Rng + ?Sized>(
        &mut self,
        conditions: &Conditions<'_>,
        drafts: &mut [Draft],
        parted: &mut [Parted],
        rng: &mut R,
    ) -> Result<Option<String>> {
        let database = self.ask.database;
        let (mut borne, mut used) = (self.borne(), self.used_mail());
        for draft in drafts.iter() {
            borne.take(&draft.marks);
            used.extend(draft.household.email.as_deref().and_then(email_key));
        }
        let mut open: Vec<usize> = (0..drafts.len()).collect();
        let mut met: HashSet<usize> = HashSet::new();
        for _ in 0..PASSES {
            let mut anew = Vec::new();
            for at in open {
                let mut broken = conditions.broken(database, &parted[at].rows).await;
                if broken.is_none() && !met.contains(&at) {
                    continue;
                }
                for _ in 0..TRIES {
                    let draft = self.instead(at, &drafts[at], &mut used, &mut borne, rng)?;
                    parted[at] = self.part(&draft, rng)?;
                    drafts[at] = draft;
                    broken = conditions.broken(database, &parted[at].rows).await;
                    if broken.is_none() {
                        break;
                    }
                }
                if let Some((condition, table)) = broken {
                    return Ok(Some(format!(
                        "none of {TRIES} rows drawn for one canary keeps the CHECK constraint {condition} of {table}: map the columns that it names to what it wants ([columns.NAME] value = \"…\" in a mapping file), or to skip"
                    )));
                }
                anew.push(at);
            }
            let marks: Vec<Marks> = anew.iter().map(|at| drafts[*at].marks.clone()).collect();
            if marks.is_empty() {
                return Ok(None);
            }
            let collisions = self.collisions(marks).await?.into_iter();
            // Its numbers are those that it had before.
            met = collisions
                .filter_map(|collision| match collision {
                    Collision::Person(number) => Some(anew[number]),
                    Collision::Phone(_) => None,
                })
                .collect();
            if met.is_empty() {
                return Ok(None);
            }
            open = met.iter().copied().collect();
            open.sort_unstable();
        }
        Err(Error::Collisions {
            tries: PASSES as u32,
            hint: "nearly every person whose row keeps the table's CHECK constraints is in it; plant fewer at a time",
        })
    }

    /// Somebody else with the same contact points, codes and keys.
    fn instead<R: Rng + ?Sized>(
        &mut self,
        place: usize,
        old: &Draft,
        used: &mut HashSet<String>,
        borne: &mut Borne,
        rng: &mut R,
    ) -> Result<Draft> {
        borne.free(&old.marks);
        let household = self.renewed(&old.household, used, rng);
        let mut draft = self.draft(place, household, old.points.clone(), used, borne, rng)?;
        let held = std::iter::once(&old.cells).chain(&old.further);
        let rows = std::iter::once(&mut draft.cells).chain(&mut draft.further);
        for (row, held) in rows.zip(held) {
            for cell in row
                .iter_mut()
                .filter(|cell| self.filler.makes(&cell.column))
            {
                if let Some(own) = held.iter().find(|own| own.column == cell.column) {
                    cell.value = own.value.clone();
                }
            }
        }
        Ok(draft)
    }
}
