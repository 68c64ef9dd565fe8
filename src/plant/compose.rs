//! The people of a batch and their rows: made, given contact points, and made anew until each can be
//! told from every customer and every other canary.

use std::collections::HashSet;

use rand::Rng;
use time::OffsetDateTime;

use crate::blend::{Drawn, Ground};
use crate::canary::{Canary, Cell, ContactPoint, State};
use crate::database::{self, Row};
use crate::notation::{
    MappedColumn, Mapping, RelatedRows, Role, Surroundings, cells, email_key, phone_key,
};
use crate::persona::{Household, Shape};
use crate::registry::PoolEntry;

use super::allot::{AreaCodes, Custom, Needs, Stock, allot, rename};
use super::fill::{self, Filler};
use super::lend::lend;
use super::marks::{Borne, Collision, Marks, Watch};
use super::plan::Ask;
use super::split::{Parted, Splitter};
use super::tables::Tables;
use super::{Error, Result};

/// Persons made for one canary until it is given up.
const TRIES: u32 = 500;
/// Passes over the table; one is enough unless a person made anew meets a customer again.
const PASSES: u32 = 6;

/// A canary that has no name yet.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) household: Household,
    pub(super) points: Vec<i64>,
    /// The row as the joined tables would show it, and those of further children.
    pub(super) cells: Vec<Cell>,
    pub(super) further: Vec<Vec<Cell>>,
    pub(super) marks: Marks,
}

/// Whether a mail address is a single mailbox of the pool, which keeps its name.
fn is_mailbox(pool: &[PoolEntry], email: &str) -> bool {
    pool.iter()
        .any(|entry| matches!(&entry.point, ContactPoint::Mailbox(own) if own.as_str() == email))
}

/// What the people are made from.
pub(super) struct Composer<'a> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) tables: &'a Tables,
    pub(super) splitter: Splitter<'a>,
    /// How many children each canary has, where a table holds them one by one.
    pub(super) children: Option<Vec<usize>>,
    pub(super) filler: &'a mut Filler,
    pub(super) pool: &'a [PoolEntry],
    pub(super) registered: &'a [Canary],
    pub(super) shape: Shape,
    pub(super) times: Vec<OffsetDateTime>,
    /// What the table shows of its customers; `None` where it has too few.
    pub(super) ground: Option<Ground<'a>>,
    pub(super) columns: &'a [String],
    pub(super) rows: &'a [Row],
    /// Which area codes they have.
    pub(super) area: &'a AreaCodes,
    /// What contact points they have.
    pub(super) custom: &'a Custom,
}

impl Composer<'_> {
    /// As many canaries as were asked for.
    pub(super) async fn compose<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Result<Vec<Draft>> {
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
        let needs = Needs::in_table(&self.filler.mapping, &self.tables.one);
        let name = &self.ask.source.name;
        let stock = Stock {
            pool: self.pool,
            registered: self.registered,
            taken,
            area: self.area,
            custom: self.custom,
        };
        let points = allot(&mut households, name, needs, &stock, rng)?;
        let mut used = self.used_mail(&[]);
        used.extend(
            households
                .iter()
                .filter_map(|household| email_key(household.email.as_deref()?)),
        );
        let given: Vec<(Household, Vec<i64>)> = households.into_iter().zip(points).collect();
        if let Some(eye) = self.eye() {
            return self.choose(&eye, given, &mut used, borne, rng);
        }
        let given = given.into_iter().enumerate();
        given
            .map(|(place, (household, points))| {
                self.draft(place, household, points, &mut used, borne, rng)
            })
            .collect()
    }

    /// The row of one household; while it cannot be told from another or does not fit, of another
    /// household with the same contact points.
    pub(super) fn draft<R: Rng + ?Sized>(
        &mut self,
        place: usize,
        mut household: Household,
        points: Vec<i64>,
        used: &mut HashSet<String>,
        borne: &mut Borne,
        rng: &mut R,
    ) -> Result<Draft> {
        let mut long = None;
        for _ in 0..TRIES {
            let (cells, more) = self.cells(place, &mut household, used, rng);
            let database = self.ask.database;
            let cells = self.filler.finish(database, cells, rng);
            let mut further = Vec::with_capacity(more.len());
            for cells in more {
                further.push(self.filler.finish(database, cells, rng));
            }
            let written = cells.iter().chain(further.iter().flatten());
            let written = written.filter_map(|cell| Some((cell.role, cell.value.as_deref()?)));
            let marks = Marks::of(household.locale, written);
            let all = cells.iter().chain(further.iter().flatten());
            long = fill::too_long(&self.tables.one, all).map(str::to_owned);
            if long.is_none() && borne.take(&marks) {
                return Ok(Draft {
                    household,
                    points,
                    cells,
                    further,
                    marks,
                });
            }
            household = self.renewed(&household, used, rng);
        }
        Err(match long {
            Some(column) => Error::Database(database::Error::Value {
                column: Some(column),
                table: self.tables.one.to_string(),
                why: "every value that could stand there is too long".to_owned(),
            }),
            None => Error::Collisions {
                tries: TRIES,
                hint: "the table has too few columns to tell so many canaries apart",
            },
        })
    }

    /// A draft's rows in their tables.
    ///
    /// # Errors
    /// A column must be filled, and nothing tells with what.
    pub(super) fn part<R: Rng + ?Sized>(&self, draft: &Draft, rng: &mut R) -> Result<Parted> {
        let count = draft.household.children.len();
        let children = self.children.as_ref().map(|_| count);
        self.splitter
            .split(&draft.cells, &draft.further, children, rng)
    }

    /// The row of a household; where the table shows enough of its customers, of one like them at the
    /// same contact points.
    fn cells<R: Rng + ?Sized>(
        &mut self,
        place: usize,
        household: &mut Household,
        used: &mut HashSet<String>,
        rng: &mut R,
    ) -> (Vec<Cell>, Vec<Vec<Cell>>) {
        let now = self.times.get(place).copied().unwrap_or(self.ask.now);
        let Some(ground) = &self.ground else {
            self.kin(place, household, rng);
            let child = (!household.children.is_empty()).then_some(0);
            let mut around = Surroundings {
                now,
                columns: self.columns,
                rows: self.rows,
                codes: &mut self.filler.codes,
            };
            let first = cells(&self.filler.mapping, household, child, &mut around, rng);
            let mapping = self.filler.mapping.clone();
            return (first, self.further(&mapping, household, now, rng));
        };
        let (generator, shape, today) = (self.ask.generator, &self.shape, self.ask.now.date());
        let mailbox = household
            .email
            .as_deref()
            .is_some_and(|email| is_mailbox(self.pool, email));
        let own = household.email.as_deref().and_then(email_key);
        let mut draw = || {
            let mut stranger = |rng: &mut R| generator.household(rng, today, shape);
            ground.draw(household, mailbox, today, &mut stranger, rng)
        };
        let mut drawn = draw();
        // Its address follows its name, and nobody else's is the same; one that stays as it was given is
        // its own.
        let key = |drawn: &Drawn| drawn.household.email.as_deref().and_then(email_key);
        for _ in 0..TRIES {
            let key = key(&drawn);
            if mailbox || key == own || key.is_none_or(|key| used.insert(key)) {
                break;
            }
            drawn = draw();
        }
        self.kin(place, &mut drawn.household, rng);
        lend(
            self.tables,
            &self.filler.mapping,
            self.rows,
            &mut drawn,
            rng,
        );
        *household = drawn.household.clone();
        let first = drawn.cells(now, &mut self.filler.codes, rng);
        (first, self.further(&drawn.mapping, household, now, rng))
    }

    /// As many children as this canary is to have.
    fn kin<R: Rng + ?Sized>(&self, place: usize, household: &mut Household, rng: &mut R) {
        let Some(wanted) = self.children.as_ref().and_then(|all| all.get(place)) else {
            return;
        };
        household.children.truncate(*wanted);
        for _ in 0..TRIES {
            if household.children.len() >= *wanted {
                break;
            }
            let others = self.person(rng).children;
            for mut child in others {
                let apart = household.children.iter().all(|other| {
                    (other.birth - child.birth).whole_days().abs() > 330
                        && other.given != child.given
                });
                let age = child.birth.year() - household.guardian.birth.year();
                if apart && (17..=48).contains(&age) && household.children.len() < *wanted {
                    child.family = household.guardian.family.clone();
                    household.children.push(child);
                }
            }
        }
    }

    /// The cells of children beside the first.
    fn further<R: Rng + ?Sized>(
        &mut self,
        mapping: &Mapping,
        household: &Household,
        now: OffsetDateTime,
        rng: &mut R,
    ) -> Vec<Vec<Cell>> {
        if self.children.is_none() {
            return Vec::new();
        }
        let of_children = |column: &&MappedColumn| {
            let leg = self
                .tables
                .place(&column.column)
                .and_then(|place| place.leg);
            leg.is_some_and(|at| self.tables.legs()[at].rows == RelatedRows::Child)
        };
        let own = Mapping {
            locale: mapping.locale,
            columns: mapping
                .columns
                .iter()
                .filter(of_children)
                .cloned()
                .collect(),
            related: Vec::new(),
        };
        let mut made = Vec::new();
        for child in 1..household.children.len() {
            let mut around = Surroundings {
                now,
                columns: self.columns,
                rows: self.rows,
                codes: &mut self.filler.codes,
            };
            made.push(cells(&own, household, Some(child), &mut around, rng));
        }
        made
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
        self.tables
            .scan(self.ask.database, &columns, |row| {
                let cells = roles.iter().zip(row);
                let cells = cells.filter_map(|(role, value)| Some((*role, value.as_deref()?)));
                watch.meet(&Marks::of(locale, cells), &mut found);
            })
            .await?;
        Ok(found)
    }
}
