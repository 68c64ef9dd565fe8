//! Building a watch: what canaries can be known by, in every version.

use std::collections::HashMap;

use hashbrown::HashTable;

use super::glance::{Glance, is_counted};
use super::texts::Span;
use super::{Bearers, Borne, Held, Lived, Lot, SPELLINGS, Standing, Value, Watch, Watched};
use crate::canary::{Batch, BatchId, Canary, Details, SourceName, State};
use crate::notation::{Region, Role, address_key, name_key, romaji_key_of_kana};
use crate::persona::{Household, Person};
use crate::trace::filter::Filter;
use crate::trace::mark::Mark;
use crate::trace::memory::Memory;
use crate::trace::near::Near;
use crate::trace::normalise::{Class, Key, Plan};
use crate::trace::traits::Traits;

/// A text so long, in letters, tells versions apart wherever it stands: a moment of change, an address.
const TELLING: usize = 10;

/// Takes canaries in one by one, so that the watch is all that has to be kept of them.
pub struct WatchBuilder {
    watch: Watch,
    held: Held,
    /// The place of each batch that stood somewhere.
    batches: HashMap<BatchId, u32>,
    /// The cities of addresses, each of which many have.
    cities: HashMap<Box<str>, Span>,
    /// What was written last for a holder, and for one of each value.
    written: Span,
    spelt: Vec<Span>,
}

impl WatchBuilder {
    /// `sources` are all that could be accused or cleared, those without canaries too.
    pub fn new(sources: &[SourceName], batches: &[Batch]) -> WatchBuilder {
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
        let batches = (0..).zip(&standing);
        WatchBuilder {
            batches: batches.map(|(at, batch)| (batch.id.clone(), at)).collect(),
            watch: Watch::empty(all, standing),
            held: Held::default(),
            cities: HashMap::new(),
            written: Span::EMPTY,
            spelt: Vec::new(),
        }
    }

    /// Takes one in. A void canary never stood anywhere and is left out.
    pub fn add(&mut self, canary: &Canary) {
        let source = self.watch.sources.binary_search(&canary.source).ok();
        let batch = self.batches.get(&canary.batch);
        if let (Some(source), Some(batch)) = (source, batch)
            && canary.state != State::Void
        {
            self.take_in(canary, source as u32, *batch);
        }
    }

    /// The watch, ready for lists.
    pub fn done(self) -> Watch {
        let WatchBuilder {
            mut watch,
            mut held,
            ..
        } = self;
        watch.put_common_first(&mut held);
        watch.holders = held.settled(&mut watch.values);
        // No more is taken in: room for more would only be cleared for nothing.
        watch.canaries.shrink_to_fit();
        watch.borne.shrink_to_fit();
        watch.values.shrink_to_fit();
        watch.texts.shrink_to_fit();
        // What a look finds is found by that alone from now on.
        for class in Class::ALL.into_iter().filter(|class| is_counted(*class)) {
            watch.tables[class as usize] = HashTable::new();
        }
        watch.ready()
    }

    fn take_in(&mut self, canary: &Canary, source: u32, batch: u32) {
        let index = self.watch.canaries.len() as u32;
        let traits = Traits::of(canary, &mut self.watch.regions);
        let watched = Watched::new(canary.id.clone(), source, batch, traits);
        let watched = watched.changed(lived(canary), telling(canary));
        self.watch.canaries.push(watched);
        let household = &canary.details.household;
        let mut roles = Vec::new();
        if canary.versions.is_empty() {
            self.add_rows(index, &canary.details, Bearers::ALL, &mut roles);
        }
        for (place, version) in canary.versions.iter().enumerate() {
            self.add_rows(index, &version.details, Bearers::one(place), &mut roles);
        }
        self.add_known(index, household, &roles);
        self.watch.bear(index as usize, self.held.of_last(index));
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
        let lot = Lot {
            city: self.city(key.city),
            versions,
        };
        let value = self.watch.value(key);
        self.spelt.resize(self.watch.values.len(), Span::EMPTY);
        let spelt = &mut self.spelt[value as usize];
        let Watch { values, texts, .. } = &mut self.watch;
        let holder = self.held.note(value, canary, mark, lot);
        let planted = texts.get(holder.written);
        if key.written.is_empty() || planted.split(SPELLINGS).any(|text| text == key.written) {
            return;
        }
        self.written = match planted {
            // Numbers and mail addresses are folded to what most are written as.
            "" if key.written == key.text => values[value as usize].text,
            // A block is written as its address is.
            "" if key.written == texts.get(self.written) => self.written,
            // Many spell a day, a postcode or a name in the same way.
            "" if key.written == texts.get(*spelt) => *spelt,
            "" => texts.put(key.written),
            _ => {
                let all = format!("{planted}{SPELLINGS}{}", key.written);
                texts.put(&all)
            }
        };
        (holder.written, *spelt) = (self.written, self.written);
    }

    fn city(&mut self, city: &str) -> Span {
        if city.is_empty() {
            return Span::EMPTY;
        }
        match self.cities.get(city) {
            Some(known) => *known,
            None => {
                let span = self.watch.texts.put(city);
                self.cities.insert(city.into(), span);
                span
            }
        }
    }
}

impl Watch {
    /// With what is worked out from its values, which are numbered for good.
    pub(super) fn ready(mut self) -> Watch {
        // Whoever traces waits for it, and near keys take as long as all else.
        let (near, exact) = std::thread::scope(|scope| {
            let near = scope.spawn(|| Near::new(&self));
            let (known, births) = self.at_hand();
            let glance = Glance::new(&self, &births);
            (near.join(), (known, births, glance))
        });
        self.near = near.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (self.known, self.births, self.glance) = exact;
        self
    }

    /// The filter of each class, and the value of each day.
    pub(super) fn at_hand(&self) -> ([Filter; Class::ALL.len()], Vec<u32>) {
        let mut known = self.count_classes().map(Filter::narrow);
        let mut births = vec![super::NOBODY; super::YEARS.len() * 12 * 31];
        for (index, value) in (0..).zip(&self.values) {
            let text = self.texts.get(value.text);
            known[value.class as usize].add(self.hash(value.class, text));
            if let (Class::Birth, Some(day)) = (value.class, super::day(text)) {
                births[day] = index;
            }
        }
        (known, births)
    }

    /// How many values each class has.
    pub(super) fn count_classes(&self) -> [usize; Class::ALL.len()] {
        let mut counts = [0; Class::ALL.len()];
        for value in &self.values {
            counts[value.class as usize] += 1;
        }
        counts
    }

    /// Numbers the values anew, those with the most holders first: they stand in the most rows of a list, and what is
    /// counted of them lies together then.
    fn put_common_first(&mut self, held: &mut Held) {
        let holders = held.counts(self.values.len());
        let mut order: Vec<u32> = (0..self.values.len() as u32).collect();
        order.sort_by_key(|old| std::cmp::Reverse(holders[*old as usize]));
        let mut new = vec![0_u32; order.len()];
        for (place, old) in (0..).zip(order) {
            new[old as usize] = place;
        }
        for borne in &mut self.borne {
            *borne = Borne::new(borne.mark(), new[borne.value() as usize]);
        }
        for value in self.tables.iter_mut().flat_map(HashTable::iter_mut) {
            *value = new[*value as usize];
        }
        held.renumber(&new);
        // Each to its place, without room for all of them a second time.
        for at in 0..new.len() {
            while new[at] as usize != at {
                let to = new[at] as usize;
                self.values.swap(at, to);
                new.swap(at, to);
            }
        }
    }

    /// The index of a key's value, which is a new one where nobody has held it yet.
    fn value(&mut self, key: &Key<'_>) -> u32 {
        let hash = self.hash(key.class, key.text);
        if let Some(known) = self.tabled(key.class, hash, |text| text == key.text) {
            return known;
        }
        let index = self.values.len() as u32;
        let text = self.texts.put(key.text);
        self.values.push(Value::new(key.class, text));
        self.enter(index, hash);
        index
    }

    /// Puts a value, which has that hash, into the table of its class.
    pub(super) fn enter(&mut self, index: u32, hash: u64) {
        let Watch {
            tables,
            values,
            texts,
            hasher,
            blocks,
            ..
        } = self;
        let Value { class, text, .. } = values[index as usize];
        blocks.add(class, texts.get(text));
        let again = |value: &u32| {
            let value = &values[*value as usize];
            super::hash(hasher, value.class, texts.get(value.text))
        };
        tables[class as usize].insert_unique(hash, index, again);
    }
}

/// A canary's versions as a list dates them. One that is not known to stand yet ends none.
fn lived(canary: &Canary) -> Box<[Lived]> {
    let versions = canary.versions.iter().map(|version| Lived {
        number: version.number,
        from: version.from,
        until: version.until,
    });
    versions.collect()
}

/// Texts that only some versions bear, and that no other column could well hold.
fn telling(canary: &Canary) -> Box<[(Box<str>, Bearers)]> {
    let mut texts: Vec<(Box<str>, Bearers)> = Vec::new();
    for (place, version) in canary.versions.iter().enumerate() {
        let cells = version.details.rows.iter().flat_map(|row| &row.cells);
        for text in cells.filter_map(|cell| cell.value.as_deref()) {
            if text.chars().count() < TELLING {
                continue;
            }
            match texts.iter_mut().find(|(known, _)| **known == *text) {
                Some((_, versions)) => *versions = versions.or(Bearers::one(place)),
                None => texts.push((text.into(), Bearers::one(place))),
            }
        }
    }
    texts.retain(|(_, versions)| versions.range(canary.versions.len()).is_some());
    texts.into()
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
