//! What is looked for: every key of every canary, and who holds it.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::RandomState;
use time::OffsetDateTime;

use super::filter::Filter;
use super::hashed::Hashed;
use super::mark::{Mark, Marks};
use super::memory::Memory;
use super::near::Near;
use super::normalise::{Class, Key, Plan};
use super::traits::{Regions, Traits};
use super::watchlist::Blind;
use crate::canary::{Batch, BatchId, Canary, CanaryId, Details, SourceName, State};
use crate::notation::{Region, Role, address_key, name_key, romaji_key_of_kana};
use crate::persona::{Household, Person};

/// A text so long, in letters, tells versions apart wherever it stands: a moment of change, an address.
const TELLING: usize = 10;

/// A canary as far as a list can show it.
pub(super) struct Watched {
    pub id: CanaryId,
    /// Index into [`Watch::sources`].
    pub source: u32,
    /// Index into [`Watch::batches`].
    pub batch: u32,
    /// What it can be known by in any version: each mark with the index of its value.
    pub values: Vec<(Mark, u32)>,
    /// The states that it was in, the oldest first; none where it has never changed, or nobody knows.
    pub versions: Vec<Lived>,
    /// Texts of its rows by which versions are told apart, and which bear each.
    pub telling: Vec<(Box<str>, Bearers)>,
    /// By what it may have been chosen.
    pub traits: Traits,
}

/// A version of a canary as a list dates it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lived {
    pub number: u32,
    pub from: OffsetDateTime,
    pub until: Option<OffsetDateTime>,
}

impl Watched {
    /// The first and the last version of a range of places ([`Bearers::range`]).
    pub fn lived(&self, (first, last): (u8, u8)) -> Option<(Lived, Lived)> {
        let last = match usize::from(last) {
            SHARED => self.versions.last(),
            place => self.versions.get(place),
        };
        Some((*self.versions.get(usize::from(first))?, *last?))
    }
}

/// The last place in [`Bearers`], which all further versions share.
const SHARED: usize = 63;

/// Which versions of a canary bear something: a set of places in [`Watched::versions`]. Of very many
/// versions the latest share a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bearers(u64);

impl Bearers {
    /// Every version.
    pub const ALL: Bearers = Bearers(u64::MAX);

    fn one(place: usize) -> Bearers {
        Bearers(1 << place.min(SHARED))
    }

    /// The versions that are in both.
    #[must_use]
    pub const fn and(self, other: Bearers) -> Bearers {
        Bearers(self.0 & other.0)
    }

    /// The first and the last place, of so many versions; `None` where all or none of them are in it.
    pub fn range(self, versions: usize) -> Option<(u8, u8)> {
        let all = match versions {
            0 | 1 => return None,
            64.. => u64::MAX,
            some => (1 << some) - 1,
        };
        let set = self.0 & all;
        (set != 0 && set != all)
            .then(|| (set.trailing_zeros() as u8, 63 - set.leading_zeros() as u8))
    }
}

/// Who bears a value.
pub(super) struct Holder {
    pub canary: u32,
    pub mark: Mark,
    /// As it was planted, to the letter; several spellings where several columns hold it.
    pub written: Vec<Box<str>>,
    /// The city of an address, folded.
    pub city: Box<str>,
    /// In which of its versions.
    pub versions: Bearers,
}

/// One value of one class, and its holders by canary.
pub(super) struct Value {
    pub class: Class,
    text: Option<Arc<str>>,
    pub holders: Vec<Holder>,
}

/// A batch as a list dates it.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub id: BatchId,
    pub from: OffsetDateTime,
    pub until: Option<OffsetDateTime>,
    /// Whether it is known to have stood in the source; a batch that was handed out may not have.
    pub certain: bool,
    pub rows_at: u64,
}

/// The canaries that lists are searched for: built once, used for any number of lists.
pub struct Watch {
    pub(super) sources: Vec<SourceName>,
    pub(super) batches: Vec<Standing>,
    pub(super) canaries: Vec<Watched>,
    pub(super) values: Vec<Value>,
    pub(super) regions: Regions,
    /// Sources whose canaries' details are destroyed, and since when.
    pub(super) forgotten: Vec<(SourceName, OffsetDateTime)>,
    tables: [HashMap<Arc<str>, u32, RandomState>; Class::ALL.len()],
    /// All keys of the tables: most cells of a list are none of them, and this says so from one word.
    known: Filter,
    hasher: RandomState,
    hashed: Hashed,
    /// A watch list knows no texts: it compares by this, and its tables are empty.
    pub(super) blind: Option<Box<Blind>>,
    /// None in a watch list, which sees exact agreement only.
    near: Option<Near>,
    /// Blocks of numbers that ours stand in.
    blocks: Blocks,
}

/// Blocks of a hundred, a thousand and ten thousand numbers, by what their numbers begin with.
#[derive(Default)]
struct Blocks {
    numbers: HashMap<Box<str>, u32, RandomState>,
    /// How many numbers of each are not ours.
    others: Vec<u32>,
}

impl Blocks {
    /// The blocks that a whole number stands in, the largest first, and how many numbers they have.
    fn of(class: Class, key: &str) -> impl Iterator<Item = (&str, u32)> {
        let whole = class == Class::Phone && key.starts_with('+') && key.len() > 9;
        [(4, 10_000), (3, 1_000), (2, 100)]
            .into_iter()
            .filter(move |_| whole)
            .filter_map(|(end, numbers)| Some((key.get(..key.len() - end)?, numbers)))
    }

    fn add(&mut self, class: Class, key: &str) {
        for (block, numbers) in Blocks::of(class, key) {
            let next = self.others.len() as u32;
            let place = *self.numbers.entry(block.into()).or_insert(next);
            if place == next {
                self.others.push(numbers);
            }
            let others = &mut self.others[place as usize];
            *others = others.saturating_sub(1);
        }
    }
}

impl Watch {
    /// Indexes canaries. `sources` are all that could be accused or cleared, those without canaries
    /// too; void canaries never stood anywhere and are left out.
    pub fn new(sources: &[SourceName], batches: &[Batch], canaries: &[Canary]) -> Watch {
        let mut all: Vec<SourceName> = sources.to_vec();
        all.extend(batches.iter().map(|batch| batch.source.clone()));
        all.sort();
        all.dedup();
        let stood = batches.iter().filter(|batch| batch.state != State::Void);
        let standing: Vec<Standing> = stood
            .map(|batch| Standing {
                id: batch.id.clone(),
                from: batch.planted_at,
                until: batch.unplanted_at,
                certain: matches!(batch.state, State::Live | State::Unplanted),
                rows_at: batch.rows_at,
            })
            .collect();
        let batch_index: HashMap<&BatchId, u32> = (0..)
            .zip(&standing)
            .map(|(index, batch)| (&batch.id, index))
            .collect();
        let mut watch = Watch {
            sources: all,
            batches: Vec::new(),
            canaries: Vec::new(),
            values: Vec::new(),
            regions: Regions::default(),
            forgotten: Vec::new(),
            tables: Default::default(),
            known: Filter::new(0),
            hasher: RandomState::default(),
            hashed: Hashed::default(),
            blind: None,
            near: None,
            blocks: Blocks::default(),
        };
        for canary in canaries {
            let source = watch.sources.binary_search(&canary.source).ok();
            let batch = batch_index.get(&canary.batch);
            if let (Some(source), Some(batch)) = (source, batch)
                && canary.state != State::Void
            {
                watch.add(canary, source as u32, *batch);
            }
        }
        watch.batches = standing;
        watch.known = Filter::new(watch.values.len());
        for value in &watch.values {
            let hash = watch.hash(value.class, value.text().unwrap_or_default());
            watch.known.add(hash);
        }
        watch.near = Near::new(&watch);
        watch
    }

    /// Looks for exact agreement only: what near matching costs can be measured by this.
    #[must_use]
    pub fn exact_only(mut self) -> Watch {
        self.near = None;
        self
    }

    /// What near matching needs; `None` where only exact agreement can be seen.
    pub(super) fn near(&self) -> Option<&Near> {
        self.near.as_ref()
    }

    /// Says which sources cannot be found any more, so that a report does not pass over them.
    #[must_use]
    pub fn forgetting(mut self, forgotten: Vec<(SourceName, OffsetDateTime)>) -> Watch {
        self.forgotten = forgotten;
        self
    }

    /// How many canaries are looked for.
    pub fn len(&self) -> usize {
        self.canaries.len()
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.canaries.is_empty()
    }

    /// Whether canaries can be found by these marks, if all of them agree.
    pub(super) fn shows(&self, marks: Marks) -> bool {
        marks.identify() && self.blind.as_ref().is_none_or(|blind| blind.shows(marks))
    }

    /// Whether nothing speaks against the city of a row being that of a value's holder.
    pub(super) fn city_agrees(&self, value: u32, holder: &Holder, city: &str) -> bool {
        match &self.blind {
            None => agree(&holder.city, city),
            Some(blind) => blind
                .city(holder.canary, value)
                .is_none_or(|planted| agree(planted, city)),
        }
    }

    /// Whether a cell is spelt as it was planted for a value's holder, but for spaces around it.
    pub(super) fn spelt(&self, value: u32, holder: &Holder, written: &str) -> bool {
        match &self.blind {
            None => holder.spelt(written),
            Some(blind) => blind.spelt(holder.canary, value, written),
        }
    }

    /// The value of a key; the key itself is compared, not only its hash. A watch list knows none: see
    /// [`Blind::find`].
    pub(super) fn find(&self, class: Class, key: &str) -> Option<u32> {
        let table = &self.tables[class as usize];
        let mut known = None;
        if self.known.may_have(self.hash(class, key)) {
            known = table.get(key).copied();
        }
        known.or_else(|| self.hashed.find(self, class, key))
    }

    fn hash(&self, class: Class, key: &str) -> u64 {
        self.hasher.hash_one((class as u8, key))
    }

    /// The watch of a watch list, which knows of its values only who holds them.
    pub(super) fn blinded(
        sources: Vec<SourceName>,
        batches: Vec<Standing>,
        canaries: Vec<Watched>,
        blind: Blind,
    ) -> Watch {
        let mut values: Vec<Value> = Vec::new();
        for (index, canary) in (0..).zip(&canaries) {
            for (mark, value) in &canary.values {
                let class = Class::of(*mark);
                let empty = || Value {
                    class,
                    text: None,
                    holders: Vec::new(),
                };
                let length = values.len().max(*value as usize + 1);
                values.resize_with(length, empty);
                let value = &mut values[*value as usize];
                value.class = class;
                value.holders.push(Holder {
                    canary: index,
                    mark: *mark,
                    written: Vec::new(),
                    city: "".into(),
                    versions: Bearers::ALL,
                });
            }
        }
        Watch {
            sources,
            batches,
            canaries,
            values,
            regions: Regions::default(),
            forgotten: Vec::new(),
            tables: Default::default(),
            known: Filter::new(0),
            hasher: RandomState::default(),
            hashed: Hashed::default(),
            blind: Some(Box::new(blind)),
            near: None,
            blocks: Blocks::default(),
        }
    }

    /// The text of each value, by its index; none in a watch list.
    pub(super) fn texts(&self) -> Vec<&str> {
        let text = |value| Value::text(value).unwrap_or_default();
        self.values.iter().map(text).collect()
    }

    /// The blocks of ours that a number stands in, the largest first: what stands in none of these, as
    /// most numbers of a list do, stands in none at all.
    pub(super) fn blocks_of(&self, class: Class, key: &str) -> impl Iterator<Item = u32> {
        let blocks = Blocks::of(class, key);
        blocks.map_while(|(block, _)| self.blocks.numbers.get(block).copied())
    }

    /// Of each block of ours, how many of its numbers are not.
    pub(super) fn others_in_blocks(&self) -> &[u32] {
        &self.blocks.others
    }

    fn add(&mut self, canary: &Canary, source: u32, batch: u32) {
        let index = self.canaries.len() as u32;
        let traits = Traits::of(canary, &mut self.regions);
        self.canaries.push(Watched {
            id: canary.id.clone(),
            source,
            batch,
            values: Vec::new(),
            versions: lived(canary),
            telling: telling(canary),
            traits,
        });
        let household = &canary.details.household;
        let mut roles = Vec::new();
        if canary.versions.is_empty() {
            self.add_rows(index, &canary.details, Bearers::ALL, &mut roles);
        }
        for (place, version) in canary.versions.iter().enumerate() {
            self.add_rows(index, &version.details, Bearers::one(place), &mut roles);
        }
        self.add_known(index, household, &roles);
    }

    /// What the rows of some versions show.
    fn add_rows(
        &mut self,
        index: u32,
        details: &Details,
        versions: Bearers,
        roles: &mut Vec<Role>,
    ) {
        let region = Some(Region::from(details.household.locale));
        for row in &details.rows {
            let cells: Vec<_> = row.cells.iter().chain(&row.shows).collect();
            let columns: Vec<_> = cells.iter().map(|cell| Some(cell.role)).collect();
            let text = |place: usize| cells[place].value.as_deref().unwrap_or_default();
            Plan::new(&columns, region).keys(&mut Memory::brief(), text, &mut |key| {
                // What nobody understands when planting cannot name anybody in a list.
                if !key.guessed
                    && let Some(mark) = mark(&key)
                {
                    self.hold(index, mark, &key, versions);
                }
            });
            let written = row.cells.iter().filter(|cell| cell.value.is_some());
            roles.extend(written.map(|cell| cell.role));
        }
    }

    /// A table that joins or splits children's names, or dates in a notation of its own, says less
    /// than we know of its canaries.
    fn add_known(&mut self, index: u32, household: &Household, roles: &[Role]) {
        let has = |wanted: &[Role]| wanted.iter().any(|role| roles.contains(role));
        let mut known = Vec::new();
        if has(&[Role::BirthDate]) {
            let birth = household.guardian.birth.to_string();
            known.push((Mark::Birth, Class::Birth, Some(birth)));
        }
        if has(&[
            Role::Name,
            Role::GivenName,
            Role::NameKana,
            Role::GivenNameKana,
        ]) {
            // Somebody may have written the name in Latin letters: what it is then goes by its reading.
            let kana = has(&[Role::NameKana, Role::GivenNameKana]);
            let mark = if kana { Mark::Kana } else { Mark::Name };
            known.push((mark, Class::Kana, romaji(&household.guardian)));
        }
        for child in &household.children {
            if has(&[Role::ChildBirthDate]) {
                let birth = child.birth.to_string();
                known.push((Mark::ChildBirth, Class::Birth, Some(birth)));
            }
            if has(&[Role::ChildName, Role::ChildGivenName]) {
                let (family, given) = (&child.family.written, &child.given.written);
                let whole = name_key(&format!("{family} {given}"));
                known.push((Mark::ChildName, Class::Name, whole));
                known.push((Mark::ChildGiven, Class::Given, name_key(given)));
                let kana = has(&[Role::ChildNameKana, Role::ChildGivenNameKana]);
                let mark = if kana {
                    Mark::ChildKana
                } else {
                    Mark::ChildName
                };
                known.push((mark, Class::Kana, romaji(child)));
            }
        }
        for (mark, class, text) in known {
            let Some(text) = text else { continue };
            let key = Key {
                class,
                text: &text,
                written: "",
                city: "",
                child: false,
                guessed: false,
            };
            self.hold(index, mark, &key, Bearers::ALL);
        }
    }

    fn hold(&mut self, canary: u32, mark: Mark, key: &Key<'_>, versions: Bearers) {
        let table = &mut self.tables[key.class as usize];
        let value = match table.get(key.text) {
            Some(value) => *value,
            None => {
                let value = self.values.len() as u32;
                let text: Arc<str> = key.text.into();
                table.insert(Arc::clone(&text), value);
                self.blocks.add(key.class, &text);
                self.values.push(Value {
                    class: key.class,
                    text: Some(text),
                    holders: Vec::new(),
                });
                value
            }
        };
        let holders = &mut self.values[value as usize].holders;
        // Canaries are added one after the other, so a holder that exists is among the last.
        let known = holders
            .iter_mut()
            .rev()
            .take_while(|holder| holder.canary == canary)
            .find(|holder| holder.mark == mark);
        let holder = match known {
            Some(holder) => {
                holder.versions = Bearers(holder.versions.0 | versions.0);
                holder
            }
            None => {
                self.canaries[canary as usize].values.push((mark, value));
                holders.push(Holder {
                    canary,
                    mark,
                    written: Vec::new(),
                    city: key.city.into(),
                    versions,
                });
                let last = holders.len() - 1;
                &mut holders[last]
            }
        };
        if !key.written.is_empty() && !holder.written.iter().any(|text| **text == *key.written) {
            holder.written.push(key.written.into());
        }
    }
}

/// A canary's versions as a list dates them. One that is not known to stand yet ends none.
fn lived(canary: &Canary) -> Vec<Lived> {
    let versions = canary.versions.iter().map(|version| Lived {
        number: version.number,
        from: version.from,
        until: version.until,
    });
    versions.collect()
}

/// Texts that only some versions bear, and that no other column could well hold.
fn telling(canary: &Canary) -> Vec<(Box<str>, Bearers)> {
    let mut texts: Vec<(Box<str>, Bearers)> = Vec::new();
    for (place, version) in canary.versions.iter().enumerate() {
        let cells = version.details.rows.iter().flat_map(|row| &row.cells);
        for text in cells.filter_map(|cell| cell.value.as_deref()) {
            if text.chars().count() < TELLING {
                continue;
            }
            match texts.iter_mut().find(|(known, _)| **known == *text) {
                Some((_, versions)) => versions.0 |= Bearers::one(place).0,
                None => texts.push((text.into(), Bearers::one(place))),
            }
        }
    }
    texts.retain(|(_, versions)| versions.range(canary.versions.len()).is_some());
    texts
}

/// A name as romaji is compared; `None` where it has no reading.
fn romaji(person: &Person) -> Option<String> {
    let parts = [&person.family, &person.given].map(|part| part.kana.as_str());
    romaji_key_of_kana(&parts)
}

/// The mark that a key of a canary's own row is.
fn mark(key: &Key<'_>) -> Option<Mark> {
    Some(match (key.class, key.child) {
        (Class::Email, _) => Mark::Email,
        (Class::Phone, _) => Mark::Phone,
        (Class::Name, false) => Mark::Name,
        (Class::Name, true) => Mark::ChildName,
        (Class::Given, _) => Mark::ChildGiven,
        (Class::Kana, false) => Mark::Kana,
        (Class::Kana, true) => Mark::ChildKana,
        (Class::Birth, false) => Mark::Birth,
        (Class::Birth, true) => Mark::ChildBirth,
        (Class::Address, _) => Mark::Address,
        // A house without units is its own block.
        (Class::Block, _) => {
            let whole = address_key(key.written).map(|address| address.mark());
            return (whole.as_deref() != Some(key.text)).then_some(Mark::Block);
        }
        (Class::Postcode, _) => Mark::Postcode,
    })
}

impl Value {
    /// The folded text, where the watch knows it.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The holders that are a canary.
    pub fn held_by(&self, canary: u32) -> impl Iterator<Item = &Holder> {
        let start = self
            .holders
            .partition_point(|holder| holder.canary < canary);
        let rest = self.holders[start..].iter();
        rest.take_while(move |holder| holder.canary == canary)
    }
}

impl Holder {
    /// The names of the building in an address as it was planted, folded.
    pub fn buildings(&self) -> impl Iterator<Item = String> {
        let name = |written: &str| Some(address_key(written)?.building);
        let names = self.written.iter().filter_map(move |text| name(text));
        names.filter(|name| !name.is_empty())
    }

    /// Whether a cell is spelt as it was planted, but for spaces around it.
    fn spelt(&self, written: &str) -> bool {
        self.written
            .iter()
            .any(|text| text.trim() == written.trim())
    }
}

/// Whether two cities may be one: one side may have left it out, or a part of it.
fn agree(planted: &str, city: &str) -> bool {
    city.is_empty() || planted.is_empty() || planted.contains(city) || city.contains(planted)
}
