//! What would be planted: people, their contact points and their rows, resolved and checked, before
//! anything is registered or written.

use std::collections::HashSet;

use rand::Rng;
use time::OffsetDateTime;

use crate::canary::{Batch, Canary, CanaryId, Cell, Details, PlantedRow, State};
use crate::database::{self, Database, Row, Table};
use crate::notation::{Mapping, Role, Surroundings, cells, email_key, phone_key};
use crate::persona::{Children, Generator, Household, Shape};
use crate::registry::{PoolEntry, Registry, Source};

use super::allot::{Needs, allot, rename};
use super::fill::{self, Filler};
use super::marks::{Borne, Collision, Marks, Watch};
use super::{Error, Result};

/// Rows that are looked at to fill canaries like them.
const SAMPLE: usize = 2000;
/// Persons made for one canary until it is given up.
const TRIES: u32 = 500;
/// Passes over the table; one is enough unless a person made anew meets a customer again.
const PASSES: u32 = 6;

/// A batch, ready to be planted.
pub struct Plan {
    /// The table as the catalog describes it now.
    pub table: Table,
    /// The batch, in state `Planned`.
    pub batch: Batch,
    /// Its canaries with every cell that will be written.
    pub canaries: Vec<Canary>,
    /// What the operator should know, though it stops nothing.
    pub notes: Vec<String>,
}

/// What to plan with.
pub struct Ask<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// The source's database.
    pub database: &'a Database,
    /// The source.
    pub source: &'a Source,
    /// Its mapping.
    pub mapping: &'a Mapping,
    /// Makes the people; of the mapping's locale.
    pub generator: &'a Generator,
    /// How many canaries.
    pub count: usize,
    /// Goes past warnings.
    pub force: bool,
    /// When.
    pub now: OffsetDateTime,
}

/// Plans a batch. Reads the table, the pool and the registry; writes nothing.
///
/// # Errors
/// A column is unresolved or cannot be filled, a pool is exhausted, the table is a view or cannot take
/// a batch back, no further person can be told from all others.
pub async fn plan<R: Rng>(ask: &Ask<'_>, rng: &mut R) -> Result<Plan> {
    let (database, source) = (ask.database, ask.source);
    let table = database.table(&source.table).await?;
    check(&table, ask.mapping)?;
    let registered = ask.registry.canaries(None).await?;
    let own = registered
        .iter()
        .filter(|canary| canary.source == source.name);
    let standing = own.filter(|canary| canary.state == State::Live).count();
    let rows_at = database
        .count(&table)
        .await?
        .saturating_sub(standing as u64);
    let mut notes = Vec::new();
    if rows_at == 0 && !ask.force {
        return Err(Error::Warned(format!(
            "{table} has no rows: the canaries would be its only customers, and nothing shows how its values are written"
        )));
    }
    if (standing + ask.count) as u64 * 100 > rows_at {
        notes.push(format!("more than 1 % of {table} would be canaries ({} beside {rows_at} customers): so many may show", standing + ask.count));
    }
    if !table.triggers.is_empty() {
        notes.push(format!(
            "{table} has triggers ({}): they run for canaries too",
            table.triggers.join(", ")
        ));
    }
    let ragged = database.ragged()?;
    if ragged > 0 {
        notes.push(format!("{ragged} lines of {table} have more or fewer fields than its header; they are left as they are"));
    }

    let mut filler = Filler::new(database, &table, ask.mapping).await?;
    let pool = ask.registry.pool().await?;
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let rows = database.sample(&table, SAMPLE).await?;
    let mut composer = Composer {
        ask,
        table: &table,
        filler: &mut filler,
        pool: &pool,
        registered: &registered,
        shape: shape(ask, &columns, &rows),
        times: fill::times(ask.count, ask.mapping.locale, ask.now, rng),
        columns,
        rows,
    };
    let drafts = composer.compose(rng).await?;

    let batch = Batch {
        id: ask.registry.next_batch(&source.name).await?,
        source: source.name.clone(),
        planted_at: ask.now,
        unplanted_at: None,
        state: State::Planned,
        canaries: drafts.len(),
        rows_at,
    };
    let mut ids: HashSet<CanaryId> = registered.iter().map(|canary| canary.id.clone()).collect();
    let mut canaries = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let mut id = CanaryId::random(rng);
        while !ids.insert(id.clone()) {
            id = CanaryId::random(rng);
        }
        canaries.push(Canary {
            id,
            source: source.name.clone(),
            batch: batch.id.clone(),
            state: State::Planned,
            details: Details {
                household: draft.household,
                rows: vec![PlantedRow {
                    table: source.table.clone(),
                    cells: draft.cells,
                    key: Vec::new(),
                }],
            },
            points: draft.points,
        });
    }
    Ok(Plan {
        table,
        batch,
        canaries,
        notes,
    })
}

/// Whether this table can be planted into with this mapping at all.
fn check(table: &Table, mapping: &Mapping) -> Result<()> {
    if table.is_view {
        return Err(Error::View(table.to_string()));
    }
    if let Some(engine) = &table.not_transactional {
        return Err(Error::Database(database::Error::NotTransactional {
            table: table.to_string(),
            engine: engine.clone(),
        }));
    }
    let columns = fill::strays(table, mapping);
    if !columns.is_empty() {
        return Err(Error::MissingColumns {
            table: table.to_string(),
            columns,
        });
    }
    let unmapped = table.columns.iter().filter(|column| {
        let mapped = mapping
            .columns
            .iter()
            .any(|mapped| mapped.column == column.name);
        !mapped && !column.can_be_left_out()
    });
    let unmapped: Vec<String> = unmapped.map(|column| column.name.clone()).collect();
    if !unmapped.is_empty() {
        return Err(Error::Unresolved(unmapped));
    }
    use Role::*;
    let marks = [
        Name,
        FamilyName,
        GivenName,
        NameKana,
        FamilyNameKana,
        GivenNameKana,
        ChildName,
        Address,
        Address1,
        Street,
        Block,
        Phone,
        Mobile,
        Email,
    ];
    if !marks.into_iter().any(|role| mapping.has(role)) {
        return Err(Error::NoMarks(table.to_string()));
    }
    Ok(())
}

/// People of the ages that the table has.
fn shape(ask: &Ask<'_>, columns: &[String], rows: &[Row]) -> Shape {
    let today = ask.now.date();
    let ages = |child| fill::ages(ask.mapping, columns, rows, today, child);
    let adults = ages(false).unwrap_or(20..=79);
    if !ask.mapping.has_child() {
        return Shape::adults(adults);
    }
    let of_children = ages(true).unwrap_or(3..=18);
    Shape {
        ages: adults,
        children: Some(Children {
            count: 1..=2,
            ages: *of_children.start().min(&25)..=*of_children.end().min(&25),
        }),
    }
}

/// A canary that has no name yet.
struct Draft {
    household: Household,
    points: Vec<i64>,
    cells: Vec<Cell>,
    marks: Marks,
}

struct Composer<'a> {
    ask: &'a Ask<'a>,
    table: &'a Table,
    filler: &'a mut Filler,
    pool: &'a [PoolEntry],
    registered: &'a [Canary],
    shape: Shape,
    times: Vec<OffsetDateTime>,
    columns: Vec<String>,
    rows: Vec<Row>,
}

impl Composer<'_> {
    async fn compose<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Result<Vec<Draft>> {
        let mut taken = HashSet::new();
        let own: HashSet<String> = self
            .pool
            .iter()
            .filter(|entry| {
                entry
                    .given
                    .iter()
                    .any(|(name, _)| *name == self.ask.source.name)
            })
            .filter_map(|entry| phone_key(&entry.point.identity(), None))
            .collect();
        let mut drafts = Vec::new();
        let mut borne = Borne::default();
        for _ in 0..PASSES {
            if drafts.is_empty() {
                borne = self.borne();
                drafts = self.draft_all(&taken, &mut borne, rng)?;
            }
            let collisions = self.collisions(&drafts).await?;
            // Earlier canaries of this source have its numbers already, and are no strangers.
            let strange = |place: usize| {
                drafts[place]
                    .marks
                    .phones
                    .iter()
                    .any(|phone| !own.contains(phone))
            };
            let numbers: HashSet<usize> = collisions
                .iter()
                .filter_map(|collision| match collision {
                    Collision::Phone(place) if strange(*place) => Some(*place),
                    _ => None,
                })
                .collect();
            let people: HashSet<usize> = collisions
                .iter()
                .filter_map(|collision| match collision {
                    Collision::Person(place) => Some(*place),
                    Collision::Phone(_) => None,
                })
                .collect();
            if numbers.is_empty() && people.is_empty() {
                return Ok(drafts);
            }
            if !numbers.is_empty() {
                // A number that a customer has is not ours alone, whatever the pool says.
                taken.extend(
                    numbers
                        .iter()
                        .flat_map(|place| drafts[*place].marks.phones.clone()),
                );
                drafts.clear();
                continue;
            }
            let mut used = self.used_mail(&drafts);
            for place in people {
                borne.free(&drafts[place].marks);
                let (household, points) = (
                    drafts[place].household.clone(),
                    drafts[place].points.clone(),
                );
                let household = self.renewed(&household, &mut used, rng);
                drafts[place] = self.draft(place, household, points, &mut used, &mut borne, rng)?;
            }
        }
        Err(Error::Collisions {
            tries: PASSES,
            hint: "the table changes while it is read, or nearly every person that could be made is in it; plant fewer at a time",
        })
    }

    /// What the registry's canaries bear, dead ones too: their rows may be in somebody's list.
    fn borne(&self) -> Borne {
        let mut borne = Borne::default();
        for canary in self
            .registered
            .iter()
            .filter(|canary| canary.state != State::Void)
        {
            borne.take(&Marks::of(
                canary.details.household.locale,
                canary.written(),
            ));
        }
        borne
    }

    fn used_mail(&self, drafts: &[Draft]) -> HashSet<String> {
        let known = self
            .registered
            .iter()
            .map(|canary| &canary.details.household);
        let known = known.chain(drafts.iter().map(|draft| &draft.household));
        known
            .filter_map(|household| email_key(household.email.as_deref()?))
            .collect()
    }

    fn person<R: Rng + ?Sized>(&self, rng: &mut R) -> Household {
        self.ask
            .generator
            .household(rng, self.ask.now.date(), &self.shape)
    }

    fn draft_all<R: Rng + ?Sized>(
        &mut self,
        taken: &HashSet<String>,
        borne: &mut Borne,
        rng: &mut R,
    ) -> Result<Vec<Draft>> {
        let mut households: Vec<Household> =
            (0..self.ask.count).map(|_| self.person(rng)).collect();
        let needs = Needs::in_table(&self.filler.mapping, self.table);
        let name = &self.ask.source.name;
        let points = allot(
            &mut households,
            name,
            needs,
            self.pool,
            self.registered,
            taken,
            rng,
        )?;
        let mut used = self.used_mail(&[]);
        used.extend(
            households
                .iter()
                .filter_map(|household| email_key(household.email.as_deref()?)),
        );
        let both = households.into_iter().zip(points).enumerate();
        both.map(|(place, (household, points))| {
            self.draft(place, household, points, &mut used, borne, rng)
        })
        .collect()
    }

    /// The row of one household; while it cannot be told from another or does not fit, of another
    /// household with the same contact points.
    fn draft<R: Rng + ?Sized>(
        &mut self,
        place: usize,
        mut household: Household,
        points: Vec<i64>,
        used: &mut HashSet<String>,
        borne: &mut Borne,
        rng: &mut R,
    ) -> Result<Draft> {
        let child = (!household.children.is_empty()).then_some(0);
        let mut long = None;
        for _ in 0..TRIES {
            let mut around = Surroundings {
                now: self.times.get(place).copied().unwrap_or(self.ask.now),
                columns: &self.columns,
                rows: &self.rows,
                codes: &mut self.filler.codes,
            };
            let cells = cells(&self.filler.mapping, &household, child, &mut around, rng);
            let cells = self
                .filler
                .finish(self.ask.database, self.table, cells, rng)?;
            let written = cells
                .iter()
                .filter_map(|cell| Some((cell.role, cell.value.as_deref()?)));
            let marks = Marks::of(household.locale, written);
            long = fill::too_long(self.table, &cells).map(str::to_owned);
            if long.is_none() && borne.take(&marks) {
                return Ok(Draft {
                    household,
                    points,
                    cells,
                    marks,
                });
            }
            household = self.renewed(&household, used, rng);
        }
        Err(match long {
            Some(column) => Error::Database(database::Error::Value {
                column: Some(column),
                table: self.table.to_string(),
                why: "every value that could stand there is too long".to_owned(),
            }),
            None => Error::Collisions {
                tries: TRIES,
                hint: "the table has too few columns to tell so many canaries apart",
            },
        })
    }

    /// Another person at the same contact points.
    fn renewed<R: Rng + ?Sized>(
        &self,
        old: &Household,
        used: &mut HashSet<String>,
        rng: &mut R,
    ) -> Household {
        let new = self.person(rng);
        let drop = Needs::of(&self.filler.mapping).drop;
        let mut household = Household {
            address: if drop {
                old.address.clone()
            } else {
                new.address
            },
            landline: old.landline.clone(),
            mobile: old.mobile.clone(),
            email: old.email.clone(),
            ..new
        };
        rename(&mut household, self.pool, used, rng);
        household
    }

    /// One pass over the table.
    async fn collisions(&self, drafts: &[Draft]) -> Result<Vec<Collision>> {
        let watch = Watch::new(drafts.iter().map(|draft| draft.marks.clone()).collect());
        let mapping = &self.filler.mapping;
        let plain = [
            Role::Other,
            Role::Skip,
            Role::Id,
            Role::Code,
            Role::CreatedAt,
            Role::UpdatedAt,
        ];
        let (roles, columns): (Vec<Role>, Vec<&str>) = mapping
            .columns
            .iter()
            .filter(|column| !plain.contains(&column.role))
            .map(|column| (column.role, column.column.as_str()))
            .unzip();
        let mut found = Vec::new();
        if columns.is_empty() {
            return Ok(found);
        }
        let locale = mapping.locale;
        self.ask
            .database
            .scan(self.table, &columns, |row| {
                let cells = roles.iter().zip(row);
                let cells = cells.filter_map(|(role, value)| Some((*role, value.as_deref()?)));
                watch.meet(&Marks::of(locale, cells), &mut found);
            })
            .await?;
        Ok(found)
    }
}
