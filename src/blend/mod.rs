//! Canaries that look like this table's customers, not like customers in general.
//!
//! The idea, and what it rests on (what was measured: `benches/stealth`):
//!
//! - A customer who joins a table is not a copy of one who is there. Of each name, code or amount a thief
//!   sees how many other rows share it; the right frequency of "none" is that of the values that one row
//!   alone has (`counted.rs`). So each field is drawn for a row that stands as the pattern
//!   ([`Ground::draw`]): as common as that row's value is without it, and never a value that is
//!   somebody's own.
//! - What hangs together is taken from one row where many share it (plan and store), and drawn given each
//!   other where it does not (given name by sex and birth year, mail address by name).
//! - Notation is a row's, not a column's (`habit.rs`).
//!
//! Owned contact points are given, not drawn: the pattern is a row near them.
//!
//! Doubts: a table of less than [`LEAST_ROWS`] rows shows too little, and is filled from the seed tables alone.
//! A column whose texts follow from its customer's name is filled with another's.

mod counted;
mod dated;
mod derived;
mod filling;
mod habit;
mod holders;
mod local;
mod mailbox;
mod moment;
mod names;
mod partner;
mod place;
mod profile;
mod seen;
mod shown;
mod texts;

use std::collections::{BTreeMap, HashMap};

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use time::{Date, Duration, OffsetDateTime};

use crate::canary::Cell;
use crate::notation::{Codes, Mapping, Role, Surroundings, cells};
use crate::persona::{Household, Lexicon, Locale, NamePart, Person, Sex};

use counted::Counted;
pub(crate) use dated::Dated;
use derived::Derived;
use filling::Filling;
pub(crate) use holders::Holders;
use local::{Locals, Owner};
use mailbox::{Holder, Spelt};
pub(crate) use moment::{day, midnight, moment_like, order};
use names::{NameKey, Names, key, slice};
pub(crate) use partner::Partner;
use place::Place;
pub use profile::{Change, ColumnProfile, FOLDED_BELOW, Mix, Portion, Profile, Together, Trait};
use seen::{CHILD, Cells, GUARDIAN, Roles, Seen};
use shown::Shown;

/// Tables with fewer rows show too little of their customers.
pub const LEAST_ROWS: usize = 200;
/// Rows near a pattern, among which values may be exchanged.
const NEAR: usize = 12;
/// Rows of late, at least.
const LATE_LEAST: usize = 500;
/// Draws of a name until one fits.
const TRIES: usize = 60;
/// Rows that may be expected to have a canary's whole name by chance.
const NAMESAKES: f64 = 0.1;
/// Names of which the one stays that is as common among all as its pattern is.
const CHOICE: usize = 8;

/// A row of text; NULL is `None`.
type Row = Vec<Option<String>>;

/// What a table's rows show of its customers.
pub struct Ground<'a> {
    mapping: &'a Mapping,
    rows: &'a [Row],
    /// Their cells by role.
    cells: Vec<Cells<'a>>,
    /// Which kinds of contact points they have.
    shown: Vec<Shown>,
    /// For each column of the mapping, its place in a row.
    places: Vec<Option<usize>>,
    guardians: Names,
    children: Names,
    locals: Locals,
    /// Names of the table and of the seed tables, by the letters that they have in a mail address.
    spelt: (Spelt, Spelt),
    filling: Filling,
    /// Rows of late by the parts of the country that they lie in.
    areas: HashMap<String, Vec<usize>>,
    /// Where each row lies.
    lie: Vec<Place>,
    /// Rows of late: customers who join now are like these.
    late: Vec<usize>,
    /// Days on which rows were made, where a column says so.
    made: Vec<Option<Date>>,
    /// The same to the second.
    joined: Vec<Option<f64>>,
    /// Columns whose dates hang on that, by their number in the mapping.
    dated: BTreeMap<usize, Dated>,
    /// Columns that follow from the mail address, by their number in the mapping.
    derived: BTreeMap<usize, Derived>,
}

/// Somebody like the customers, and the row to be written.
pub struct Drawn {
    /// The row that is its pattern, by its place among those learnt from.
    pub pattern: usize,
    /// The household, with the contact points that were given.
    pub household: Household,
    /// The mapping in the notation of the pattern.
    pub mapping: Mapping,
    /// Cells of columns without a personal meaning, by column.
    pub plain: BTreeMap<String, Option<String>>,
    /// Of these, dates that hang on the day of joining: how many seconds from it, and how they are written.
    pub dated: BTreeMap<String, (f64, String)>,
    /// Columns that stay empty, as in the pattern, with what stands there.
    pub empty: BTreeMap<String, Option<String>>,
    /// Blanks around a value, by column.
    pub edges: BTreeMap<String, (String, String)>,
}

/// The rows that somebody is like.
#[derive(Clone, Copy)]
struct Pattern {
    row: usize,
    /// That one is it for the family name.
    family: usize,
}

impl Drawn {
    /// The row, without the columns that are left to the database. `codes` are as in [`Surroundings`].
    pub fn cells<R: Rng + ?Sized>(
        &self,
        now: OffsetDateTime,
        codes: &mut BTreeMap<String, Codes>,
        rng: &mut R,
    ) -> Vec<Cell> {
        let child = (!self.household.children.is_empty()).then_some(0);
        let mut around = Surroundings {
            now,
            columns: &[],
            rows: &[],
            codes,
        };
        let mut cells = cells(&self.mapping, &self.household, child, &mut around, rng);
        for (cell, column) in cells
            .iter_mut()
            .zip(self.mapping.columns.iter().filter(|column| {
                column.value.is_some() || !matches!(column.role, Role::Skip | Role::Id)
            }))
        {
            if column.value.is_some() {
                continue;
            }
            if let Some(value) = self.plain.get(&cell.column) {
                cell.value = value.clone();
            } else if let Some(empty) = self
                .empty
                .get(&cell.column)
                .filter(|_| cell.value.is_none() || may_be_empty(cell.role))
            {
                cell.value = empty.clone();
            } else if let (Some((before, behind)), Some(value)) =
                (self.edges.get(&cell.column), &mut cell.value)
            {
                *value = format!("{before}{value}{behind}");
            }
        }
        let joined = cells.iter().find(|cell| cell.role == Role::CreatedAt);
        let joined = joined.and_then(|cell| order(cell.value.as_deref()?));
        for cell in &mut cells {
            if let (Some(joined), Some((apart, like))) = (joined, self.dated.get(&cell.column)) {
                cell.value = moment_like(like, joined + apart, rng).or(cell.value.take());
            }
        }
        cells
    }
}

/// Whether a canary may go without what its pattern has not. Contact points that it was given stand there.
fn may_be_empty(role: Role) -> bool {
    use Role::*;
    !matches!(
        role,
        Address
            | Address1
            | Address2
            | Street
            | Block
            | Building
            | Phone
            | Mobile
            | Email
            | Code
            | CreatedAt
            | UpdatedAt
    )
}

impl<'a> Ground<'a> {
    /// Learns from rows as they are today; `columns` names their cells. `None` where there are too few.
    pub fn learn(
        mapping: &'a Mapping,
        columns: &[String],
        rows: &'a [Row],
        lexicon: &'a Lexicon,
        today: Date,
    ) -> Option<Ground<'a>> {
        if rows.len() < LEAST_ROWS {
            return None;
        }
        let place = |name: &String| columns.iter().position(|column| column == name);
        let places: Vec<Option<usize>> = mapping
            .columns
            .iter()
            .map(|column| place(&column.column))
            .collect();
        let cells: Vec<Cells<'a>> = (rows.iter())
            .map(|row| Cells::of(mapping, &places, row))
            .collect();
        let people = |roles: Roles| {
            cells
                .iter()
                .map(|cells| cells.person(roles, lexicon))
                .collect::<Vec<Seen>>()
        };
        let lie: Vec<Place> = cells.iter().map(Place::of).collect();
        let guardians = people(GUARDIAN);
        let children = match mapping.has_child() {
            true => people(CHILD),
            false => Vec::new(),
        };
        let born = |at: usize| children.get(at)?.birth;
        let births = (guardians.iter().enumerate())
            .map(|(at, guardian)| guardian.birth.or(born(at)))
            .collect();
        let guardians = Names::of(guardians, births, &lie);
        let births = children.iter().map(|child| child.birth).collect();
        let children = Names::of(children, births, &lie);
        let locals = Locals::learn(cells.iter().zip(&guardians.people).map(|(cells, person)| {
            let (local, _) = cells.text(Role::Email)?.split_once('@')?;
            Some((local, owner(mapping.locale, person)))
        }));
        let plain: Vec<usize> = mapping
            .columns
            .iter()
            .zip(&places)
            .filter(|(column, _)| column.role == Role::Other && column.value.is_none())
            .filter_map(|(_, place)| *place)
            .collect();
        let moments: Vec<Option<f64>> = cells
            .iter()
            .map(|cells| order(cells.text(Role::CreatedAt)?))
            .collect();
        let late = of_late(&moments, rows.len());
        let mut areas: HashMap<String, Vec<usize>> = HashMap::new();
        for at in &late {
            for part in lie[*at].parts() {
                areas.entry(part.to_owned()).or_default().push(*at);
            }
        }
        let now = midnight(today) + 86_400.0;
        let hangs = |(number, place): (usize, &Option<usize>)| {
            let place = plain.iter().find(|plain| Some(**plain) == *place)?;
            let dates = rows.iter().zip(&moments).map(|(row, joined)| {
                let date = row.get(*place).and_then(Option::as_deref);
                (*joined, date.and_then(order))
            });
            Some((number, Dated::learn(&dates.collect::<Vec<_>>(), now)?))
        };
        let dated = (places.iter().enumerate()).filter_map(hangs).collect();
        let follows = |(number, place): (usize, &Option<usize>)| {
            let place = plain.iter().find(|plain| Some(**plain) == *place)?;
            let both = cells.iter().zip(rows).filter_map(|(cells, row)| {
                let text = row.get(*place)?.as_deref()?;
                Some((cells.text(Role::Email)?, text)).filter(|_| !text.trim().is_empty())
            });
            Some((number, Derived::learn(both)?))
        };
        let derived = (places.iter().enumerate()).filter_map(follows).collect();
        Some(Ground {
            filling: Filling::learn(&plain, rows, |at| lie[at].region()),
            mapping,
            rows,
            shown: cells
                .iter()
                .map(|cells| Shown::of(mapping, cells))
                .collect(),
            cells,
            places,
            spelt: spelt(mapping, &guardians, lexicon),
            guardians,
            children,
            locals,
            areas,
            lie,
            late,
            dated,
            derived,
            made: (moments.iter().map(|at| moment::day((*at)?))).collect(),
            joined: moments,
        })
    }

    /// For each row whether it is one of late: whoever joins now is like those.
    pub fn late(&self) -> Vec<bool> {
        let mut late = vec![false; self.rows.len()];
        for at in &self.late {
            late[*at] = true;
        }
        late
    }

    /// Of rows `near` its address one that may be the pattern for somebody at `home`'s contact points: with the same kinds
    /// of them.
    fn pattern<R: Rng + ?Sized>(&self, home: &Household, near: &[usize], rng: &mut R) -> usize {
        let any = |rng: &mut R| near[rng.random_range(0..near.len())];
        let mut best = (0, any(rng));
        for _ in 0..TRIES {
            let at = any(rng);
            let likeness = self.likeness(home, at);
            if likeness == 4 {
                return at;
            }
            if likeness > best.0 {
                best = (likeness, at);
            }
        }
        best.1
    }

    /// Rows of late in the smallest part of the country around a place that has enough of them.
    fn near(&self, place: &Place) -> &[usize] {
        let mut parts = place.parts().filter_map(|part| self.areas.get(part));
        parts
            .find(|rows| rows.len() >= NEAR)
            .map_or(&self.late, Vec::as_slice)
    }

    /// The row whose family name shows how common one is at `home`: the pattern's, or where that lives elsewhere, anybody's
    /// of the region, if somebody lives there.
    fn named_there<R: Rng + ?Sized>(&self, home: &Place, at: usize, rng: &mut R) -> usize {
        let regional = &self.guardians.regional;
        let there = home.regions().find(|region| regional.contains_key(*region));
        match there {
            Some(region) if self.lie[at].region() != there => {
                let rows = &regional[region].rows;
                rows[rng.random_range(0..rows.len())]
            }
            _ => at,
        }
    }

    /// On how many kinds of contact points a row agrees with a household.
    fn likeness(&self, home: &Household, at: usize) -> usize {
        self.shown[at].likeness(home, self.mapping)
    }

    /// Somebody at `home`'s contact points. `stranger` makes people from the seed tables: of them are names
    /// that no row has. Names, births and the mail address of `home` count for nothing; where it has a mail
    /// address, its domain is kept unless `mailbox` says that the whole of it is.
    pub fn draw<R: Rng + ?Sized>(
        &self,
        home: &Household,
        mailbox: bool,
        today: Date,
        stranger: &mut dyn FnMut(&mut R) -> Household,
        rng: &mut R,
    ) -> Drawn {
        let holder = match home.email.as_deref().and_then(|text| text.split_once('@')) {
            Some((local, _)) if mailbox => self.holder(local, rng),
            _ => Holder::default(),
        };
        // Who shows no birth is like everybody's holder, and would be taken too often.
        let born = |at: usize| self.guardians.people.get(at).map(|own| own.birth.is_some());
        let place = Place::of_address(&home.address);
        let near = self.near(&place);
        let first = self.pattern(home, near, rng);
        let others = (0..TRIES).map(|_| self.pattern(home, near, rng));
        let at = std::iter::once(first)
            .chain(others)
            .find(|at| born(*at) == born(first) && self.may_hold(*at, &holder))
            .unwrap_or(first);
        let row = &self.rows[at];
        let mut household = stranger(rng);
        household.address = home.address.clone();
        household.landline = home.landline.clone();
        household.mobile = home.mobile.clone();
        household.email = home.email.clone();
        let spare = household.guardian.clone();
        let like = Pattern {
            row: at,
            family: self.named_there(&place, at, rng),
        };
        let told = (&spare, &holder);
        let guardian = self.person(&self.guardians, like, told, today, stranger, rng);
        if let Some(first) = household.children.first().cloned() {
            let told = (&first, &Holder::default());
            let child = self.person(&self.children, like, told, today, stranger, rng);
            household.children.truncate(1);
            household.children[0] = child;
        }
        household.guardian = held(guardian, holder);
        // A table that shows one family name for both shows it once; one with two shows them equal.
        for child in &mut household.children {
            child.family = household.guardian.family.clone();
        }
        if let Some(email) = household.email.as_deref().filter(|_| !mailbox)
            && let Some((_, domain)) = email.rsplit_once('@')
        {
            let spare = stranger(rng);
            household.email = self
                .local(at, &household.guardian, &spare.guardian.given, rng)
                .map(|local| format!("{local}@{domain}"))
                .or(household.email);
        }
        let near = self.near(&self.lie[at]);
        let names = |place: usize| {
            let column = self.places.iter().position(|own| *own == Some(place));
            column.map(|at| self.mapping.columns[at].column.clone())
        };
        let plain = self.filling.draw(self.rows, at, near, rng);
        let plain = plain
            .into_iter()
            .filter_map(|(place, value)| Some((names(place)?, value)));
        let mut plain: BTreeMap<String, Option<String>> = plain.collect();
        if let Some(email) = &household.email {
            for (number, derived) in &self.derived {
                let value = plain.get_mut(&self.mapping.columns[*number].column);
                if let Some((value, text)) = value.zip(derived.of(email)) {
                    *value = Some(text);
                }
            }
        }
        let dated = self.dates(at, &mut plain, rng);
        let mut empty = BTreeMap::new();
        let mut edges = BTreeMap::new();
        for (column, place) in self.mapping.columns.iter().zip(&self.places) {
            let Some(place) = place else { continue };
            let cell = row.get(*place).cloned().flatten();
            match cell.as_deref() {
                None => drop(empty.insert(column.column.clone(), None)),
                Some(text) if text.trim().is_empty() => {
                    drop(empty.insert(column.column.clone(), cell))
                }
                Some(text) => {
                    let (before, behind) = habit::edges(text);
                    if !before.is_empty() || !behind.is_empty() {
                        edges.insert(
                            column.column.clone(),
                            (before.to_owned(), behind.to_owned()),
                        );
                    }
                }
            }
        }
        Drawn {
            pattern: at,
            household,
            mapping: habit::as_in(self.mapping, &self.places, row),
            plain,
            dated,
            empty,
            edges,
        }
    }

    /// Of columns that are drawn, the dates that hang on the day of joining. Those that whoever joins now has not yet
    /// become empty.
    fn dates<R: Rng + ?Sized>(
        &self,
        at: usize,
        plain: &mut BTreeMap<String, Option<String>>,
        rng: &mut R,
    ) -> BTreeMap<String, (f64, String)> {
        let mut dates = BTreeMap::new();
        for (number, dated) in &self.dated {
            let (column, place) = (&self.mapping.columns[*number].column, self.places[*number]);
            let Some(value) = plain.get_mut(column) else {
                continue;
            };
            let Some(like) = value.clone().filter(|text| order(text).is_some()) else {
                continue;
            };
            let own = place.and_then(|place| order(self.rows[at].get(place)?.as_deref()?));
            match dated.draw(self.joined[at].zip(own), rng) {
                Some(apart) => drop(dates.insert(column.clone(), (apart, like))),
                None => *value = self.filling.blank(place).unwrap_or(Some(like)),
            }
        }
        dates
    }

    /// Columns whose dates hang on the day of joining.
    pub fn dated(&self) -> impl Iterator<Item = &str> {
        let numbers = self.dated.keys();
        numbers.map(|number| self.mapping.columns[*number].column.as_str())
    }

    /// Whose a mailbox is, as far as it tells.
    fn holder<R: Rng + ?Sized>(&self, local: &str, rng: &mut R) -> Holder {
        let (families, given) = &self.spelt;
        let called = |word: &str| families.rows(word) + given.rows(word);
        let holder = match self.locals.is_word(local, called) {
            true => Holder::default(),
            false => mailbox::holder(local, families, given, rng),
        };
        let sex = (holder.given.as_ref()).and_then(|given| self.guardians.sex(given));
        let (year, day) = self.locals.born(mailbox::ending(local), rng);
        Holder {
            sex,
            year: holder.year.or(year),
            day,
            ..holder
        }
    }

    /// Whether somebody like the customer of a row might be the holder of a mailbox.
    fn may_hold(&self, at: usize, holder: &Holder) -> bool {
        let Some(person) = self.guardians.people.get(at) else {
            return true;
        };
        let born = match (holder.year, person.birth) {
            (Some(year), Some(birth)) => year.abs_diff(birth.year()) < 3,
            _ => true,
        };
        let named = holder.given.as_ref().is_none_or(|given| {
            let given = key(given);
            let slice = slice(person.sex, self.guardians.births[at]);
            let slice = self.guardians.given.get(&slice);
            self.guardians.all.count(&given) == 0
                || slice.is_some_and(|names| names.count(&given) > 0)
        });
        let sexes = holder.sex.zip(person.sex);
        born && named && sexes.is_none_or(|(name, own)| name == own)
    }

    /// A person like the one of a pattern: born near that one, of the same sex, with names about as common. Where
    /// nothing is to be had, it is the `spare` one; no name begins with another letter than a mailbox says.
    fn person<R: Rng + ?Sized>(
        &self,
        names: &Names,
        like: Pattern,
        (spare, holder): (&Person, &Holder),
        today: Date,
        stranger: &mut dyn FnMut(&mut R) -> Household,
        rng: &mut R,
    ) -> Person {
        let at = like.row;
        let Some(pattern) = names.people.get(at) else {
            return spare.clone();
        };
        let sex = pattern.sex.unwrap_or(spare.sex);
        let birth = pattern.birth.map_or(spare.birth, |birth| {
            // As old on joining as the pattern was.
            let since =
                self.made[at].map_or(Duration::ZERO, |made| (today - made).max(Duration::ZERO));
            let birth = birth + since;
            (0..TRIES)
                .map(|_| birth + Duration::days(rng.random_range(-400..=400)))
                .find(|moved| *moved <= today && *moved != birth)
                .unwrap_or(birth)
        });
        let mut pair = || {
            let family = self.family(names, like.family, holder, stranger, rng);
            let given = self.given(names, at, (sex, birth), holder, stranger, rng);
            (
                family.unwrap_or(spare.family.clone()),
                given.unwrap_or(spare.given.clone()),
            )
        };
        let mut chosen = pair();
        // A name that strangers have as well proves little.
        for _ in 0..TRIES {
            if self.namesakes(names, &chosen) <= NAMESAKES {
                break;
            }
            chosen = pair();
        }
        let (family, given) = chosen;
        Person {
            family,
            given,
            sex,
            birth,
        }
    }

    /// How many rows would have that whole name, were family and given names independent.
    fn namesakes(&self, names: &Names, (family, given): &(NamePart, NamePart)) -> f64 {
        let families = f64::from(names.families.count(&key(family)));
        families * f64::from(names.readings.count(&given.kana)) / self.rows.len() as f64
    }

    fn family<R: Rng + ?Sized>(
        &self,
        names: &Names,
        at: usize,
        holder: &Holder,
        stranger: &mut dyn FnMut(&mut R) -> Household,
        rng: &mut R,
    ) -> Option<NamePart> {
        let own = key(names.people.get(at)?.family.as_ref()?);
        let others = names.families.count(&own).saturating_sub(1);
        // As common as its pattern in that region, too.
        let region = self.lie[at].region();
        let region = region.and_then(|region| names.regional.get(region));
        let region = region.map(|region| &region.counted);
        let there = region.map(|names| names.count(&own).saturating_sub(1));
        let told = |name: &NamePart| holder.of_family(self.mapping.locale, name);
        let mut spare = None;
        for _ in 0..TRIES {
            let (found, fits) = match (region, there) {
                (Some(region), Some(there)) if there > 0 => {
                    let found = region.like(there, rng);
                    let count = found.map_or(0, |name| names.families.count(name));
                    (found, count <= others * 2 && count * 2 >= others)
                }
                _ => {
                    let found = names.families.like(others, rng);
                    let known = found
                        .zip(region)
                        .map_or(0, |(name, region)| region.count(name));
                    (found, known == 0 || there.is_none())
                }
            };
            match found {
                Some((written, kana)) if self.readable(kana) => {
                    let found = part(written, kana);
                    match told(&found) {
                        true if fits => return Some(found),
                        true => spare = Some(found),
                        false => {}
                    }
                }
                Some(_) => {}
                None => {
                    let fresh = stranger(rng).guardian.family;
                    if names.families.count(&key(&fresh)) == 0 && told(&fresh) {
                        return Some(fresh);
                    }
                }
            }
        }
        spare.or_else(|| self.any(&names.families, told, rng))
    }

    /// A name that is as it is told to be; the commoner, the likelier.
    fn any<R: Rng + ?Sized>(
        &self,
        names: &Counted<NameKey>,
        told: impl Fn(&NamePart) -> bool,
        rng: &mut R,
    ) -> Option<NamePart> {
        let all = names.all().filter(|((_, kana), _)| self.readable(kana));
        let all = all.map(|((written, kana), rows)| (part(written, kana), rows));
        let all: Vec<(NamePart, u32)> = all.filter(|(name, _)| told(name)).collect();
        let chosen = all.choose_weighted(rng, |(_, rows)| *rows).ok();
        chosen.map(|(name, _)| name.clone())
    }

    fn given<R: Rng + ?Sized>(
        &self,
        names: &Names,
        at: usize,
        (sex, birth): (Sex, Date),
        holder: &Holder,
        stranger: &mut dyn FnMut(&mut R) -> Household,
        rng: &mut R,
    ) -> Option<NamePart> {
        let pattern = &names.people[at];
        let own = pattern.given.as_ref()?;
        let count = |slice, name: &NameKey| {
            let counted: Option<&Counted<NameKey>> = names.given.get(&slice);
            counted.map_or(0, |counted| counted.count(name))
        };
        let born = names.births[at];
        let home = slice(pattern.sex, born);
        let others = count(home, &key(own)).saturating_sub(1);
        let mine = slice(
            pattern.sex.map(|_| sex),
            pattern.birth.map(|_| birth).or(born),
        );
        let counted = names.given.get(&mine).or_else(|| names.given.get(&home))?;
        // About as common among all, too; the nearest of a few.
        let wanted = (names.all.count(&key(own)), names.readings.count(&own.kana));
        let apart = |count: u32, wanted: u32| {
            ((f64::from(count) + 1.0).ln() - f64::from(wanted.max(1)).ln()).abs()
        };
        let distance = |name: &NamePart| {
            apart(names.all.count(&key(name)), wanted.0)
                + apart(names.readings.count(&name.kana), wanted.1)
        };
        let told = |name: &NamePart| holder.of_given(self.mapping.locale, name);
        let mut found: Vec<NamePart> = Vec::new();
        for _ in 0..TRIES {
            if found.len() == CHOICE {
                break;
            }
            match counted.like(others, rng) {
                Some((written, kana)) if self.readable(kana) => {
                    found.extend(Some(part(written, kana)).filter(told));
                }
                Some(_) => {}
                None => {
                    // Of the same sex and about the same age, from the seed tables.
                    let fresh = stranger(rng);
                    let people = std::iter::once(&fresh.guardian).chain(&fresh.children);
                    let alike = |person: &&Person| {
                        person.sex == sex && person.birth.year().abs_diff(birth.year()) < 8
                    };
                    let names = people.filter(alike).map(|person| &person.given);
                    let fresh = names.filter(|name| counted.count(&key(name)) == 0);
                    found.extend(fresh.filter(|name| told(name)).cloned());
                }
            }
        }
        let best = found.into_iter();
        best.min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .or_else(|| self.any(counted, told, rng))
            .or_else(|| self.any(&names.all, told, rng))
    }

    /// A name that cannot be read aloud cannot be put into a column of readings.
    fn readable(&self, kana: &str) -> bool {
        !kana.is_empty() || self.mapping.locale != Locale::JaJp
    }

    fn local<R: Rng + ?Sized>(
        &self,
        at: usize,
        person: &Person,
        stranger: &NamePart,
        rng: &mut R,
    ) -> Option<String> {
        let owner = Owner {
            locale: self.mapping.locale,
            family: Some(&person.family),
            given: Some(&person.given),
            birth: Some(person.birth),
        };
        let mut habit = self.locals.habit(at);
        for _ in 0..TRIES {
            if !habit.is_empty() {
                let local = self.locals.write(habit, &owner, stranger, rng);
                let local = local.trim_matches('.').to_owned();
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
                if local.len() >= 3
                    && local.len() <= 64
                    && local.chars().all(plain)
                    && !local.contains("..")
                {
                    return Some(local);
                }
            }
            habit = self.locals.habit(rng.random_range(0..self.rows.len()));
        }
        None
    }
}

/// The names that mail addresses may be made of: those of the table, then those of the seed tables.
fn spelt(mapping: &Mapping, names: &Names, lexicon: &Lexicon) -> (Spelt, Spelt) {
    if !mapping.has(Role::Email) {
        return Default::default();
    }
    let known = |counted: &Counted<NameKey>, seeds: Vec<(&str, &str)>| {
        let own: Vec<(NamePart, u32)> = (counted.all())
            .filter(|((_, kana), _)| !kana.is_empty() || mapping.locale == Locale::EnUs)
            .map(|((written, kana), rows)| (part(written, kana), rows))
            .collect();
        let seeds = seeds.into_iter().map(|(written, kana)| part(written, kana));
        let more: Vec<(NamePart, u32)> = seeds
            .filter(|name| counted.count(&key(name)) == 0)
            .map(|name| (name, 0))
            .collect();
        Spelt::of(mapping.locale, own.into_iter().chain(more))
    };
    (
        known(&names.families, lexicon.families().collect()),
        known(&names.all, lexicon.given_names().collect()),
    )
}

/// A person who is the holder of a mailbox.
fn held(person: Person, holder: Holder) -> Person {
    let year = holder.year.unwrap_or(person.birth.year());
    let born = (person.birth.month(), person.birth.day());
    let (month, day) = holder.day.unwrap_or(born);
    let birth = Date::from_calendar_date(year, month, day).ok();
    Person {
        sex: holder.sex.unwrap_or(person.sex),
        family: holder.family.unwrap_or(person.family),
        given: holder.given.unwrap_or(person.given),
        birth: birth.unwrap_or(person.birth),
    }
}

/// The rows that were made last: a fifth, or [`LATE_LEAST`]. Without moments they stand in their order.
pub(crate) fn of_late(moments: &[Option<f64>], rows: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    if moments.iter().flatten().count() * 10 > rows * 9 {
        let moment = |at: &usize| moments[*at].unwrap_or(f64::MIN);
        order.sort_by(|a, b| moment(a).total_cmp(&moment(b)));
    }
    order.split_off(rows.saturating_sub((rows / 5).max(LATE_LEAST)))
}

fn owner(locale: Locale, person: &Seen) -> Owner<'_> {
    Owner {
        locale,
        family: person.family.as_ref(),
        given: person.given.as_ref(),
        birth: person.birth,
    }
}

fn part(written: &str, kana: &str) -> NamePart {
    NamePart {
        written: written.to_owned(),
        kana: kana.to_owned(),
    }
}

#[cfg(test)]
mod tests;
