//! What is looked for: every key of every canary, and who holds it.

mod build;
mod glance;
mod holders;
mod stored;
mod texts;
mod towns;
mod watched;

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::filter::Filter;
use super::hashed::Hashed;
use super::mark::{Mark, Marks};
use super::near::{Date, Near, date};
use super::normalise::Class;
use super::traits::Regions;
use super::watchlist::Blind;
use crate::canary::{Batch, BatchId, Canary, SourceName};
use crate::notation::address_key;

pub use build::WatchBuilder;
pub(super) use glance::Glanced;
use glance::{Glance, is_counted};
pub(super) use holders::Holder;
use holders::{Held, Holders, Lot};
use texts::{Span, Texts};
pub(super) use towns::{Look, ends_of, highest};
use watched::Borne;
pub(super) use watched::{Bearers, Lived, Watched};

/// Stands between the spellings of a value; no cell of a list has it.
const SPELLINGS: char = '\0';

/// One value of one class. Among a million it is met by chance: so it is small.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub(super) struct Value {
    text: Span,
    /// The place of its first holder in [`Holders`]; those of the next value follow its own.
    first: u32,
    pub class: Class,
}

impl Value {
    /// One that nobody holds.
    const fn new(class: Class, text: Span) -> Value {
        Value {
            text,
            first: 0,
            class,
        }
    }
}

/// A batch as a list dates it.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// What they can be known by, one canary's behind the other's.
    borne: Vec<Borne>,
    pub(super) values: Vec<Value>,
    holders: Holders,
    pub(super) regions: Regions,
    /// Sources whose canaries' details are destroyed, and since when.
    pub(super) forgotten: Vec<(SourceName, OffsetDateTime)>,
    texts: Texts,
    /// Of each class, the index of each value under its key; once the watch is built, without those that a look finds.
    tables: [HashTable<u32>; Class::ALL.len()],
    /// The keys of each table: most cells of a list are none of them, and this says so from one word, which stays at
    /// hand where a class has few.
    known: [Filter; Class::ALL.len()],
    /// The value of each day on which people were born: of all values births stand in the most rows.
    births: Vec<u32>,
    hasher: RandomState,
    hashed: Hashed,
    /// Which rows need no more than a look.
    glance: Glance,
    /// A watch list knows no texts: it compares by this, and its tables are empty.
    pub(super) blind: Option<Box<Blind>>,
    /// None in a watch list, which sees exact agreement only.
    pub(super) near: Option<Near>,
    /// Blocks of numbers that ours stand in.
    blocks: Blocks,
}

/// Blocks of a hundred, a thousand and ten thousand numbers, by what their numbers begin with.
#[derive(Default)]
struct Blocks {
    numbers: HashMap<u64, u32, RandomState>,
    /// How many numbers of each are not ours.
    others: Vec<u32>,
}

/// A number of fewer digits, with its country's code, is no whole one.
const SHORTEST: u64 = 100_000_000;

impl Blocks {
    /// The blocks that a whole number stands in, the largest first, and how many numbers they have.
    fn of(class: Class, key: &str) -> impl Iterator<Item = (u64, u32)> {
        let digits = key.strip_prefix('+').filter(|_| class == Class::Phone);
        let number = digits.and_then(|digits| digits.parse().ok());
        Blocks::around(number.unwrap_or_default())
    }

    /// The same of a number in E.164.
    fn around(number: u64) -> impl Iterator<Item = (u64, u32)> {
        let sizes = [10_000, 1_000, 100].into_iter();
        // No two blocks are one number: the sizes are told by what follows.
        let block = move |size: u32| {
            let size = u64::from(size);
            number / size * 10_000 + size - 1
        };
        sizes
            .filter(move |_| number >= SHORTEST)
            .map(move |size| (block(size), size))
    }

    fn known(&self, blocks: impl Iterator<Item = (u64, u32)>) -> impl Iterator<Item = u32> {
        blocks.map_while(|(block, _)| self.numbers.get(&block).copied())
    }

    fn add(&mut self, class: Class, key: &str) {
        for (block, numbers) in Blocks::of(class, key) {
            let next = self.others.len() as u32;
            let place = *self.numbers.entry(block).or_insert(next);
            if place == next {
                self.others.push(numbers);
            }
            let others = &mut self.others[place as usize];
            *others = others.saturating_sub(1);
        }
    }
}

impl Watch {
    /// Indexes canaries, as a [`WatchBuilder`] that has all of them does.
    pub fn new(sources: &[SourceName], batches: &[Batch], canaries: &[Canary]) -> Watch {
        let mut builder = WatchBuilder::new(sources, batches);
        for canary in canaries {
            builder.add(canary);
        }
        builder.done()
    }

    fn empty(sources: Vec<SourceName>, batches: Vec<Standing>) -> Watch {
        Watch {
            sources,
            batches,
            canaries: Vec::new(),
            borne: Vec::new(),
            values: Vec::new(),
            holders: Holders::default(),
            regions: Regions::default(),
            forgotten: Vec::new(),
            texts: Texts::default(),
            tables: Default::default(),
            known: std::array::from_fn(|_| Filter::new(0)),
            births: Vec::new(),
            hasher: RandomState::default(),
            hashed: Hashed::default(),
            glance: Glance::empty(),
            blind: None,
            near: None,
            blocks: Blocks::default(),
        }
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
            // Most values are no addresses.
            _ if city.is_empty() => true,
            None => agree(self.city(holder), city),
            Some(blind) => blind
                .city(holder.canary, value)
                .is_none_or(|planted| agree(planted, city)),
        }
    }

    /// Whether a cell is spelt as it was planted for a value's holder, but for spaces around it.
    pub(super) fn spelt(&self, value: u32, holder: &Holder, written: &str) -> bool {
        match &self.blind {
            None => self
                .written(holder)
                .any(|text| text.trim() == written.trim()),
            Some(blind) => blind.spelt(holder.canary, value, written),
        }
    }

    /// Looks all keys of a row up together, step by step: then they wait for memory together, and not each for itself.
    /// What `sought` has of each is for [`Watch::find`].
    pub(super) fn seek<'k>(
        &self,
        keys: impl Iterator<Item = (Class, &'k str)>,
        sought: &mut Vec<Sought>,
    ) {
        sought.clear();
        sought.extend(keys.map(|(class, key)| {
            if class == Class::Birth
                && let Some(day) = day(key)
            {
                let value = self.births.get(day).copied().unwrap_or(NOBODY);
                return Sought(Step::Known(value));
            }
            let hash = self.hash(class, key);
            Sought(match self.known[class as usize].may_have(hash) {
                true if is_counted(class) => Step::Maybe {
                    class,
                    hash: self.glance.hash(class, key.chars()),
                },
                true => Step::Maybe { class, hash },
                false => Step::Known(NOBODY),
            })
        }));
        for Sought(step) in sought.iter_mut() {
            if let Step::Maybe { class, hash } = *step {
                let mut likely = self.under(class, hash);
                *step = likely
                    .next()
                    .map_or(Step::Known(NOBODY), |value| Step::Likely {
                        hash,
                        value,
                        text: Span::EMPTY,
                    });
            }
        }
        for Sought(step) in sought.iter_mut() {
            if let Step::Likely { value, text, .. } = step {
                *text = self.values[*value as usize].text;
            }
        }
    }

    /// The value of a key; the key itself is compared, not only its hash. A watch list knows none: see
    /// [`Blind::find`].
    pub(super) fn find(&self, class: Class, key: &str, sought: Sought) -> Option<u32> {
        let found = match sought.0 {
            Step::Known(value) => (value != NOBODY).then_some(value),
            Step::Likely { value, text, .. } if self.texts.get(text) == key => Some(value),
            Step::Likely { hash, .. } | Step::Maybe { hash, .. } => {
                self.tabled(class, hash, |text| text == key)
            }
        };
        found.or_else(|| self.hashed.find(self, class, key))
    }

    /// The value of a class that is kept under a hash, and whose text is the one that is meant.
    fn tabled(&self, class: Class, hash: u64, is: impl Fn(&str) -> bool) -> Option<u32> {
        self.under(class, hash).find(|value| is(self.key(*value)))
    }

    /// The values of a class that may be meant by a hash: of those that a look finds, by the hash that it goes by.
    fn under(&self, class: Class, hash: u64) -> impl Iterator<Item = u32> {
        let looked = is_counted(class).then(|| self.glance.under(hash));
        let looked = looked.into_iter().flatten().map(|met| met.value);
        looked.chain(self.tables[class as usize].iter_hash(hash).copied())
    }

    /// The folded text of a value, where the watch knows it.
    pub(super) fn text(&self, value: u32) -> Option<&str> {
        self.blind.is_none().then(|| self.key(value))
    }

    fn key(&self, value: u32) -> &str {
        self.texts.get(self.values[value as usize].text)
    }

    /// What a canary can be known by in any version: each mark with the index of its value.
    pub(super) fn values_of(
        &self,
        canary: &Watched,
    ) -> impl ExactSizeIterator<Item = (Mark, u32)> + Clone {
        let own = &self.borne[canary.borne.start as usize..canary.borne.end as usize];
        own.iter().map(|borne| (borne.mark(), borne.value()))
    }

    /// The marks that a canary can be known by.
    pub(super) fn marks_of(&self, canary: &Watched) -> Marks {
        self.values_of(canary).map(|(mark, _)| mark).collect()
    }

    /// Says what a canary can be known by, once.
    fn bear(&mut self, canary: usize, values: impl Iterator<Item = (Mark, u32)>) {
        let first = self.borne.len() as u32;
        let values = values.map(|(mark, value)| Borne::new(mark, value));
        self.borne.extend(values);
        self.canaries[canary].borne = first..self.borne.len() as u32;
    }

    /// Who holds a value, by canary.
    pub(super) fn holders(&self, value: u32) -> &[Holder] {
        self.holders.of(&self.values, value)
    }

    /// The holders of a value that are one canary.
    pub(super) fn held_by(&self, value: u32, canary: u32) -> impl Iterator<Item = &Holder> {
        self.holders.held_by(&self.values, value, canary)
    }

    /// The versions of its canary that bear a holder's value.
    pub(super) fn versions(&self, holder: &Holder) -> Bearers {
        self.holders.lot(holder).versions
    }

    /// A value's spellings as they were planted.
    pub(super) fn written(&self, holder: &Holder) -> impl Iterator<Item = &str> {
        let written = self.texts.get(holder.written).split(SPELLINGS);
        written.filter(|text| !text.is_empty())
    }

    /// The city of a holder's address, folded.
    pub(super) fn city(&self, holder: &Holder) -> &str {
        self.texts.get(self.holders.lot(holder).city)
    }

    /// The names of the building in an address as it was planted, folded.
    pub(super) fn buildings(&self, holder: &Holder) -> impl Iterator<Item = String> {
        let name = |written: &str| Some(address_key(written)?.building);
        let names = self.written(holder).filter_map(name);
        names.filter(|name| !name.is_empty())
    }

    fn hash(&self, class: Class, key: &str) -> u64 {
        hash(&self.hasher, class, key)
    }

    /// The watch of a watch list, which knows of its values only who holds them.
    pub(super) fn blinded(
        sources: Vec<SourceName>,
        batches: Vec<Standing>,
        canaries: Vec<(Watched, Vec<(Mark, u32)>)>,
        blind: Blind,
    ) -> Watch {
        let mut watch = Watch::empty(sources, batches);
        let mut held = Held::default();
        for (index, (canary, marks)) in canaries.into_iter().enumerate() {
            let values = &mut watch.values;
            for (mark, value) in &marks {
                let class = Class::of(*mark);
                let length = values.len().max(*value as usize + 1);
                values.resize_with(length, || Value::new(class, Span::EMPTY));
                values[*value as usize].class = class;
                held.note(*value, index as u32, *mark, Lot::PLAIN);
            }
            watch.canaries.push(canary);
            watch.bear(index, marks.into_iter());
        }
        watch.holders = held.settled(&mut watch.values);
        watch.blind = Some(Box::new(blind));
        watch
    }

    /// The text of each value, by its index; none in a watch list.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|value| self.texts.get(value.text))
    }

    /// The blocks of ours that a number stands in, the largest first: what stands in none of these, as
    /// most numbers of a list do, stands in none at all.
    pub(super) fn blocks_of(&self, class: Class, key: &str) -> impl Iterator<Item = u32> {
        self.blocks.known(Blocks::of(class, key))
    }

    /// The same of a number in E.164.
    fn blocks_around(&self, number: u64) -> impl Iterator<Item = u32> {
        self.blocks.known(Blocks::around(number))
    }

    /// Of each block of ours, how many of its numbers are not.
    pub(super) fn others_in_blocks(&self) -> &[u32] {
        &self.blocks.others
    }
}

/// How far a key of a row is looked up.
#[derive(Clone, Copy)]
pub(super) struct Sought(Step);

#[derive(Clone, Copy)]
enum Step {
    /// It is this value, or [`NOBODY`].
    Known(u32),
    /// It may be kept under this hash.
    Maybe { class: Class, hash: u64 },
    /// It is this value, if its text is that.
    Likely { hash: u64, value: u32, text: Span },
}

/// Stands where there is no value.
const NOBODY: u32 = u32::MAX;

/// The first year of a birth, and how many follow.
const YEARS: std::ops::Range<i32> = 1860..2101;

/// The place of a birth among all days; `None` where none is meant.
fn day(key: &str) -> Option<usize> {
    date(key).filter(|_| key.len() == 10).and_then(day_of)
}

/// The same of its year, month and day.
fn day_of((year, month, day): Date) -> Option<usize> {
    if !YEARS.contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let months = (year - YEARS.start) as usize * 12 + usize::from(month) - 1;
    Some(months * 31 + usize::from(day) - 1)
}

/// What a key stands under in the tables of a watch and in its filter.
fn hash(hasher: &RandomState, class: Class, key: &str) -> u64 {
    hasher.hash_one((class as u8, key))
}

/// Whether two cities may be one: one side may have left it out, or a part of it.
fn agree(planted: &str, city: &str) -> bool {
    city.is_empty() || planted.is_empty() || planted.contains(city) || city.contains(planted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::testing::World;

    #[test]
    fn each_value_is_found_under_its_key_and_no_other_is() {
        let watch = World::new(3, 40).watch();
        let find = |class, key: &str| {
            let mut sought = Vec::new();
            watch.seek([(class, key)].into_iter(), &mut sought);
            watch.find(class, key, sought[0])
        };
        for (place, (text, value)) in (0..).zip(watch.texts().zip(&watch.values)) {
            assert_eq!(find(value.class, text), Some(place), "{text}");
            assert_eq!(find(value.class, &format!("{text}x")), None);
        }
        for stranger in [
            "1860-01-01",
            "2100-12-31",
            "1859-12-31",
            "2101-01-01",
            "0000-00-00",
        ] {
            assert_eq!(find(Class::Birth, stranger), None, "{stranger}");
        }
        assert_eq!(day("1860-01-01"), Some(0));
        assert_eq!(day("2100-12-31"), Some(YEARS.len() * 12 * 31 - 1));
        assert_eq!(day("1972-4-1"), None);
    }

    /// There are ten of them for each canary.
    #[test]
    fn a_value_is_small_and_so_is_its_holder() {
        assert_eq!((size_of::<Value>(), size_of::<Holder>()), (10, 13));
    }
}
