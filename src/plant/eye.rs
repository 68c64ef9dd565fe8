//! Canaries held against the table before they are planted: of several that could stand at a contact
//! point the least suspicious, and a thief's view of the whole batch.

use std::collections::HashSet;

use rand::{Rng, RngExt};

use crate::blend::{Ground, order};
use crate::database::Row;
use crate::notation::{Mapping, Role};
use crate::persona::Household;
use crate::stealth::{self, Candidates, Column, Contact, Exhibit, Findings, Kind, Unjudged};

use super::Result;
use super::allot::{Needs, Stock, allot};
use super::compose::{Composer, Draft, Slot};
use super::marks::Borne;
use super::tables::Tables;

/// Tables with fewer rows say too little for a thief to learn from.
pub(super) const LEAST_ROWS: usize = 1000;
/// Persons made for each contact point, at most, and for all together.
const EACH: usize = 30;
const TOGETHER: usize = 9000;
/// Contact points at which persons are made, so that trees see enough of what persons of ours are like. Where fewer are
/// planted, others of the pool stand in: nobody is planted there.
const CONTACT_POINTS: usize = 60;
/// With fewer there is no choice.
const FEWEST: usize = 20;
/// Persons made for each of those that stand in.
const STANDING_IN: usize = 15;
/// Contact points of which each still gets a choice of two.
const MOST: usize = 12_000;
/// Rows of the table that a batch is held against.
const ROWS: usize = 12_000;

/// Canaries of a batch that a thief looks at before it is planted, about: of a large batch an even part. The rows are a
/// part of the table too, and among them more canaries would show each other.
const LOOKED_AT: usize = 2_000;

/// How the columns look to a thief before anything stands there: keys, codes and times are made by planting, and what
/// they show is not known yet. So are dates that hang on these, and what refers to rows that are planted too (`open`).
fn columns_before(
    tables: &Tables,
    mapping: &Mapping,
    ground: &Ground<'_>,
    mut open: HashSet<String>,
) -> Vec<Column> {
    open.extend(ground.dated().map(str::to_owned));
    columns(tables, mapping, |name, role| match role {
        _ if open.contains(name) => Kind::Hidden,
        Role::Id | Role::Code | Role::CreatedAt | Role::UpdatedAt | Role::Skip => Kind::Hidden,
        _ => Kind::Plain,
    })
}

/// How the columns look to a thief who has the rows.
pub(super) fn columns_after(tables: &Tables) -> Vec<Column> {
    let is_key = |name: &str| {
        tables.place(name).is_some_and(|place| {
            tables.joined.table(place.leg).primary_key.as_slice() == [place.column.as_str()]
        })
    };
    // What a table is joined by stands in the other table as well.
    let twice = |name: &str| {
        let place = tables.place(name);
        place.is_some_and(|place| {
            let leg = place.leg.map(|at| &tables.legs()[at]);
            leg.is_some_and(|leg| leg.on.iter().any(|(own, _)| *own == place.column))
        })
    };
    columns(tables, &tables.mapping, |name, role| match role {
        _ if twice(name) => Kind::Hidden,
        Role::CreatedAt => Kind::Made,
        _ if is_key(name) => Kind::Key,
        _ => Kind::Plain,
    })
}

/// The columns of the joined tables, in the order in which their rows are read.
fn columns(tables: &Tables, mapping: &Mapping, kind: impl Fn(&str, Role) -> Kind) -> Vec<Column> {
    use Role::*;
    let role = |name: &str| {
        let mapped = mapping.columns.iter().find(|column| column.column == name);
        mapped.map_or(Skip, |column| column.role)
    };
    let column = |name: &String| {
        let role = role(name);
        Column {
            name: match name.strip_suffix('.') {
                Some(table) => format!("{table} (whether there is a row)"),
                None => name.clone(),
            },
            kind: kind(name, role),
            contact: match role {
                Email => Some(Contact::Mail),
                Phone | Mobile => Some(Contact::Phone),
                role if Role::HOUSE_NUMBER.contains(&role) => Some(Contact::Place),
                _ => None,
            },
            kana: matches!(
                role,
                NameKana | FamilyNameKana | GivenNameKana | Name | FamilyName | GivenName
            ),
        }
    };
    tables.columns.iter().map(column).collect()
}

/// What candidates are held against.
pub(super) struct Eye {
    columns: Vec<Column>,
    late: Vec<bool>,
    each: usize,
}

impl Composer<'_> {
    /// `None` where the table shows too little, the batch is too large for a choice, or nobody asked for one: it costs
    /// as many persons more.
    pub(super) fn eye(&self) -> Option<Eye> {
        if !self.ask.choose {
            return None;
        }
        let ground = self.ground.as_ref()?;
        let count = self.ask.count;
        if self.rows.len() < LEAST_ROWS || count > MOST {
            return None;
        }
        let (mapping, open) = (&self.filler.mapping, self.splitter.later());
        let each = (TOGETHER / count.max(1)).clamp(2, EACH);
        Some(Eye {
            columns: columns_before(self.tables, mapping, ground, open),
            late: ground.late(),
            each,
        })
    }

    /// Contact points beside the `given` ones, as if the whole pool were free; `None` where it has too few for a choice.
    pub(super) fn beside<R: Rng + ?Sized>(
        &self,
        given: usize,
        taken: &HashSet<String>,
        rng: &mut R,
    ) -> Option<Vec<Household>> {
        let wanted = CONTACT_POINTS.saturating_sub(given);
        if wanted == 0 {
            return Some(Vec::new());
        }
        let mut pool = self.pool.to_vec();
        pool.iter_mut().for_each(|entry| entry.given.clear());
        let stock = Stock {
            pool: &pool,
            registered: &[],
            taken,
            area: self.area,
            custom: self.custom,
        };
        let needs = Needs::in_table(&self.filler.mapping, &self.tables.one);
        let fewest = FEWEST.saturating_sub(given);
        [wanted, wanted / 2, fewest].into_iter().find_map(|count| {
            let mut households: Vec<Household> = (0..count).map(|_| self.person(rng)).collect();
            let name = &self.ask.source.name;
            let fits = allot(&mut households, name, needs, &stock, rng).is_ok();
            (count >= fewest && fits).then_some(households)
        })
    }

    /// Several persons at each of the contact points, the least suspicious first. At those `beside` persons are made
    /// for the trees to learn from, and nobody is planted.
    pub(super) fn candidates<R: Rng + ?Sized>(
        &mut self,
        eye: &Eye,
        given: Vec<(Household, Vec<i64>)>,
        beside: Vec<Household>,
        used: &mut HashSet<String>,
        borne: &mut Borne,
        rng: &mut R,
    ) -> Result<Vec<Slot>> {
        let own = given.len();
        let most = own * eye.each + beside.len() * STANDING_IN;
        let mut drafts: Vec<Option<Draft>> = Vec::with_capacity(most);
        let mut rows: Vec<Row> = Vec::with_capacity(most);
        let mut slot = Vec::with_capacity(most);
        let beside = beside.into_iter().map(|household| (household, Vec::new()));
        for (place, (household, points)) in given.into_iter().chain(beside).enumerate() {
            let each = if place < own { eye.each } else { STANDING_IN };
            for _ in 0..each {
                let draft = self.draft(place, household.clone(), points.clone(), used, borne, rng);
                let draft = match draft {
                    // Nobody fits there, and nobody has to.
                    Err(_) if place >= own => break,
                    draft => draft?,
                };
                borne.free(&draft.marks);
                let children = self
                    .children
                    .as_ref()
                    .map(|_| draft.household.children.len());
                rows.push(self.splitter.shown(&draft.cells, children));
                drafts.push(Some(draft));
                slot.push(place);
            }
        }
        let (customers, late) = few(self.rows, &eye.late);
        let candidates = Candidates {
            rows: &rows,
            slot: &slot,
        };
        let order = stealth::choose(&eye.columns, &customers, &late, &candidates, rng.random());
        let slots = order.into_iter().take(own).enumerate();
        let slots = slots.map(|(place, order)| Slot {
            place,
            candidates: (order.into_iter())
                .filter_map(|at| drafts[at].take())
                .collect(),
            held: false,
        });
        Ok(slots.collect())
    }
}

/// As many rows as a look can take, those of `late` first, an even part of each kind.
fn few(rows: &[Row], late: &[bool]) -> (Vec<Row>, Vec<bool>) {
    let of_late = late.iter().filter(|late| **late).count();
    let others = rows.len() - of_late;
    let step = |count: usize, room: usize| count.div_ceil(room.max(1)).max(1);
    let steps = [
        step(others, ROWS.saturating_sub(of_late)),
        step(of_late, ROWS),
    ];
    let mut seen = [0; 2];
    let kept = rows.iter().zip(late).filter(|(_, late)| {
        let kind = usize::from(**late);
        seen[kind] += 1;
        (seen[kind] - 1) % steps[kind] == 0
    });
    kept.map(|(row, late)| (row.clone(), *late)).unzip()
}

/// What a thief would look at before a batch is planted.
pub(super) struct View<'a> {
    pub(super) tables: &'a Tables,
    pub(super) mapping: &'a Mapping,
    pub(super) ground: &'a Ground<'a>,
    /// Customers.
    pub(super) rows: &'a [Row],
    /// The batch as the joined tables would show it.
    pub(super) drawn: &'a [Row],
    /// Canaries that stand there already.
    pub(super) standing: &'a [Row],
    /// Columns in which the batch does not hold yet what it will.
    pub(super) open: HashSet<String>,
}

impl View<'_> {
    /// What he would find. The batch is looked for together with the canaries that stand there, or any number of them
    /// could come in by small batches.
    ///
    /// # Errors
    /// The table or the canaries are too few, or the canaries lead to each other.
    pub(super) fn look(self, seed: u64) -> std::result::Result<Findings, Unjudged> {
        if self.rows.len() < LEAST_ROWS {
            return Err(Unjudged::TooFew);
        }
        let (mut all, mut among) = few(self.rows, &self.among());
        let customers = all.len();
        let canaries = self.standing.len() + self.drawn.len();
        let step = canaries.div_ceil(LOOKED_AT).max(1);
        let each = self.standing.iter().chain(self.drawn).step_by(step);
        all.extend(each.cloned());
        among.resize(all.len(), false);
        let canary: Vec<bool> = (0..all.len()).map(|row| row >= customers).collect();
        let exhibit = Exhibit {
            columns: columns_before(self.tables, self.mapping, self.ground, self.open),
            rows: &all,
            canary: &canary,
        };
        stealth::judge(&exhibit, &among, true, seed)
    }

    /// Customers that canaries are looked for among: those who joined of late, and where canaries stand already, all
    /// who joined since the first of these did.
    fn among(&self) -> Vec<bool> {
        let mut among = self.ground.late();
        let mut made = self.mapping.with_role(Role::CreatedAt);
        let Some(made) = made.find_map(|column| self.tables.at(&column.column)) else {
            return among;
        };
        let moment = |row: &Row| order(row[made].as_deref()?);
        let first = self
            .standing
            .iter()
            .filter_map(moment)
            .min_by(f64::total_cmp);
        if let Some(first) = first {
            for (row, among) in self.rows.iter().zip(&mut among) {
                *among |= moment(row).is_some_and(|moment| moment >= first);
            }
        }
        among
    }
}
