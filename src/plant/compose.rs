//! The people of a batch and their rows: made, given contact points, and made anew until each can be
//! told from every customer and every other canary.

use std::collections::{BTreeMap, HashSet};

use rand::Rng;
use time::OffsetDateTime;

use crate::blend::{Drawn, Ground, Holders};
use crate::canary::{Canary, Cell, ContactPoint, State};
use crate::database::{self, Row};
use crate::notation::{
    MappedColumn, Mapping, RelatedRows, Role, Surroundings, cells, email_key, phone_key,
};
use crate::persona::{Household, Shape};
use crate::registry::PoolEntry;

use super::allot::{AreaCodes, Custom, Needs, Stock, allot, rename};
use super::fill::{self, Filler, Makers};
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
    /// The customer like whom it is, by the place of his row.
    pattern: Option<usize>,
    pub(super) household: Household,
    pub(super) points: Vec<i64>,
    /// The row as the joined tables would show it, and those of further children.
    pub(super) cells: Vec<Cell>,
    pub(super) further: Vec<Vec<Cell>>,
    pub(super) marks: Marks,
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
    /// Single mailboxes of the pool: such a one keeps its name.
    pub(super) mailboxes: HashSet<&'a str>,
    pub(super) registered: &'a [Canary],
    pub(super) shape: Shape,
    pub(super) times: Vec<OffsetDateTime>,
    /// What the table shows of its customers; `None` where it has too few.
    pub(super) ground: Option<Ground<'a>>,
    /// Whose a mailbox might be where it does not show that.
    pub(super) holders: Option<Holders>,
    pub(super) columns: &'a [String],
    pub(super) rows: &'a [Row],
    /// Which area codes they have.
    pub(super) area: &'a AreaCodes,
    /// What contact points they have.
    pub(super) custom: &'a Custom,
}

/// Who could stand at some contact points: the first that fits becomes a canary.
pub(super) struct Slot {
    /// Its place among the canaries.
    pub(super) place: usize,
    /// In the order in which they are to be taken.
    pub(super) candidates: Vec<Draft>,
    /// Whether the marks of its one candidate are taken already.
    pub(super) held: bool,
}

impl Composer<'_> {
    /// As many canaries as were asked for.
    ///
    /// A pass over a large table costs more than all else: one tells which numbers of the pool customers have, another
    /// holds all candidates against all customers at once, and as a rule there is no third.
    pub(super) async fn compose<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Result<Vec<Draft>> {
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
        let mut taken = self.numbers_of_customers(&own).await?;
        let makers = self.filler.makers();
        let mut borne = Borne::default();
        let mut used = HashSet::new();
        let mut open: Vec<Slot> = Vec::new();
        let mut chosen: BTreeMap<usize, Draft> = BTreeMap::new();
        // Few customers live around some drops: what one of them has that is rare, several canaries would have.
        let mut patterns: HashSet<usize> = HashSet::new();
        for _ in 0..PASSES {
            if open.is_empty() {
                borne = self.borne();
                used = self.used_mail();
                chosen.clear();
                patterns.clear();
                open = self.slots(&taken, &mut used, &mut borne, rng)?;
            }
            let (at, marks): (Vec<(usize, usize)>, Vec<Marks>) = open
                .iter()
                .enumerate()
                .flat_map(|(at, slot)| {
                    let own = slot.candidates.iter().enumerate();
                    own.map(move |(number, draft)| ((at, number), draft.marks.clone()))
                })
                .unzip();
            let collisions = self.collisions(marks).await?;
            let mut numbers: HashSet<String> = HashSet::new();
            let mut people: HashSet<(usize, usize)> = HashSet::new();
            for collision in collisions {
                match collision {
                    Collision::Person(candidate) => drop(people.insert(at[candidate])),
                    Collision::Phone(candidate) => {
                        let (slot, number) = at[candidate];
                        let phones = &open[slot].candidates[number].marks.phones;
                        // Earlier canaries of this source have its numbers already, and are no strangers.
                        if phones.iter().any(|phone| !own.contains(phone)) {
                            numbers.extend(phones.iter().cloned());
                        }
                    }
                }
            }
            if !numbers.is_empty() {
                // A number that a customer has is not ours alone, whatever the pool says.
                taken.extend(numbers);
                open.clear();
                continue;
            }
            let mut left = Vec::new();
            for (at, slot) in open.into_iter().enumerate() {
                let met = |number: &usize| people.contains(&(at, *number));
                let mut order: Vec<usize> = (0..slot.candidates.len()).collect();
                order.sort_by_key(|number| {
                    let pattern = &slot.candidates[*number].pattern;
                    pattern.is_some_and(|row| patterns.contains(&row))
                });
                let free = order.into_iter().find(|number| {
                    !met(number) && (slot.held || borne.take(&slot.candidates[*number].marks))
                });
                let mut candidates = slot.candidates;
                if let Some(number) = free {
                    let draft = candidates.swap_remove(number);
                    patterns.extend(draft.pattern);
                    chosen.insert(slot.place, draft);
                    continue;
                }
                let Some(last) = candidates.pop() else {
                    continue;
                };
                if slot.held {
                    borne.free(&last.marks);
                }
                let household = self.renewed(&last.household, &mut used, rng);
                let draft = self.draft(
                    slot.place,
                    household,
                    last.points,
                    &mut used,
                    &mut borne,
                    rng,
                )?;
                left.push(Slot {
                    place: slot.place,
                    candidates: vec![draft],
                    held: true,
                });
            }
            open = left;
            if open.is_empty() {
                return self.coded(makers, chosen.into_values().collect(), rng);
            }
        }
        Err(Error::Collisions {
            tries: PASSES,
            hint: "the table changes while it is read, or nearly every person that could be made is in it; plant fewer at a time",
        })
    }

    /// The canaries with the next codes and keys, one after the other: those of whoever was not chosen would
    /// leave gaps.
    fn coded<R: Rng + ?Sized>(
        &mut self,
        makers: Makers,
        mut chosen: Vec<Draft>,
        rng: &mut R,
    ) -> Result<Vec<Draft>> {
        self.filler.go_back(makers);
        for draft in &mut chosen {
            self.filler.recode(&mut draft.cells, rng);
            for cells in &mut draft.further {
                self.filler.recode(cells, rng);
            }
            let all = draft.cells.iter().chain(draft.further.iter().flatten());
            if let Some(column) = fill::too_long(&self.tables.one, all) {
                return Err(self.too_long(column));
            }
        }
        Ok(chosen)
    }

    fn too_long(&self, column: &str) -> Error {
        Error::Database(database::Error::Value {
            column: Some(column.to_owned()),
            table: self.tables.one.to_string(),
            why: "every value that could stand there is too long".to_owned(),
        })
    }

    /// The numbers of the pool that customers have: a pass over the columns of numbers alone. Those of this source's
    /// earlier canaries are no customers'.
    async fn numbers_of_customers(&self, own: &HashSet<String>) -> Result<HashSet<String>> {
        let pool: HashSet<String> = (self.pool.iter())
            .filter(|entry| matches!(entry.point, ContactPoint::Phone(_)))
            .filter_map(|entry| phone_key(&entry.point.identity(), None))
            .filter(|number| !own.contains(number))
            .collect();
        let mapping = &self.filler.mapping;
        let columns: Vec<&str> = [Role::Phone, Role::Mobile]
            .into_iter()
            .flat_map(|role| mapping.with_role(role))
            .map(|column| column.column.as_str())
            .collect();
        let mut taken = HashSet::new();
        if columns.is_empty() || pool.is_empty() {
            return Ok(taken);
        }
        self.tables
            .scan(self.ask.database, &columns, |row| {
                let texts = row.iter().flatten();
                let numbers = texts.filter_map(|text| phone_key(text, Some(mapping.locale.into())));
                taken.extend(numbers.filter(|number| pool.contains(number)));
            })
            .await?;
        Ok(taken)
    }

    /// What the registry's canaries bear, dead ones too: their rows may be in somebody's list.
    pub(super) fn borne(&self) -> Borne {
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

    pub(super) fn used_mail(&self) -> HashSet<String> {
        let known = self.registered.iter();
        known
            .filter_map(|canary| email_key(canary.details.household.email.as_deref()?))
            .collect()
    }

    pub(super) fn person<R: Rng + ?Sized>(&self, rng: &mut R) -> Household {
        self.ask
            .generator
            .household(rng, self.ask.now.date(), &self.shape)
    }

    /// Contact points for all canaries, each with who could stand there.
    fn slots<R: Rng + ?Sized>(
        &mut self,
        taken: &HashSet<String>,
        used: &mut HashSet<String>,
        borne: &mut Borne,
        rng: &mut R,
    ) -> Result<Vec<Slot>> {
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
        used.extend(
            households
                .iter()
                .filter_map(|household| email_key(household.email.as_deref()?)),
        );
        let given: Vec<(Household, Vec<i64>)> = households.into_iter().zip(points).collect();
        if let Some(eye) = self.eye()
            && let Some(beside) = self.beside(given.len(), taken, rng)
        {
            return self.candidates(&eye, given, beside, used, borne, rng);
        }
        let given = given.into_iter().enumerate();
        given
            .map(|(place, (household, points))| {
                let draft = self.draft(place, household, points, used, borne, rng)?;
                Ok(Slot {
                    place,
                    candidates: vec![draft],
                    held: true,
                })
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
            let (pattern, cells, more) = self.cells(place, &mut household, used, rng);
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
                    pattern,
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
            Some(column) => self.too_long(&column),
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
    /// same contact points, whose row is told.
    fn cells<R: Rng + ?Sized>(
        &mut self,
        place: usize,
        household: &mut Household,
        used: &mut HashSet<String>,
        rng: &mut R,
    ) -> (Option<usize>, Vec<Cell>, Vec<Vec<Cell>>) {
        let now = self.times.get(place).copied().unwrap_or(self.ask.now);
        let Some(ground) = &self.ground else {
            let (generator, shape) = (self.ask.generator, &self.shape);
            let today = self.ask.now.date();
            let mailbox = |email: &String| self.mailboxes.contains(email.as_str());
            if let Some(holders) = &self.holders
                && household.email.as_ref().is_some_and(mailbox)
            {
                let mut stranger = |rng: &mut R| generator.household(rng, today, shape).guardian;
                holders.fit(household, &mut stranger, rng);
            }
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
            return (None, first, self.further(&mapping, household, now, rng));
        };
        let (generator, shape, today) = (self.ask.generator, &self.shape, self.ask.now.date());
        let mailbox = household
            .email
            .as_deref()
            .is_some_and(|email| self.mailboxes.contains(email));
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
        // What stands there already has dates of its own.
        drawn
            .dated
            .retain(|column, _| !self.tables.is_existing(column));
        *household = drawn.household.clone();
        let first = drawn.cells(now, &mut self.filler.codes, rng);
        let further = self.further(&drawn.mapping, household, now, rng);
        (Some(drawn.pattern), first, further)
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
    pub(super) fn renewed<R: Rng + ?Sized>(
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
    pub(super) async fn collisions(&self, marks: Vec<Marks>) -> Result<Vec<Collision>> {
        let watch = Watch::new(marks);
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
                watch.meet_row(locale, &roles, row, &mut found);
            })
            .await?;
        Ok(found)
    }
}
