//! The first look at a row. Of nearly all rows it is seen at once that they speak for no canary: they hold nothing that
//! is ours alone, and no two values that are of one canary. Their values are counted, and nobody need be asked who bears
//! them.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::io;

use prefetch_index::prefetch_index;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::towns::{Look, Towns, ends_of, highest};
use super::{Holder, NOBODY, Watch, day_of};
use crate::notation::has_japanese;
use crate::trace::filter::{self, Filter, Sieve};
use crate::trace::mark::Mark;
use crate::trace::near::blocking::{Facts, Part, Rules, door, hash, mix, plate};
use crate::trace::near::{Near, date, place};
use crate::trace::normalise::Class;
use crate::trace::plain::{Plain, phone};
use crate::trace::store::{Items, Packer, broken};

/// Names, given names, readings and postcodes, under bits of their keys' hashes, and which values belong together, births among them.
pub(super) struct Glance {
    /// A table with open addresses, a fifth of them empty.
    slots: Box<[Slot]>,
    /// Which numbers there are.
    phones: Filter,
    /// Keeps lists from being made for what is found under a hash.
    seed: u64,
    /// Who was born on each day, by its place.
    births: Vec<Circle>,
    /// Values of different groups that one canary has.
    pairs: Filter,
    towns: Towns,
    /// Towns with the highest numbers of a door of ours there.
    houses: Sieve,
}

/// A value and what its hash ends with. What is counted by it is counted of one row in 10^9 by mistake, which no estimate
/// of how common a name is can show; whoever is named is compared in full.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Slot {
    print: u32,
    value: u32,
    circle: Circle,
}

/// Who holds a value, in a bit for each canary that it shares with many. Of two values few have one in common that no
/// canary has in common: this says so without a further look into memory.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
struct Circle(u64);

impl Circle {
    /// Where a value is two marks of a canary: a child may be called as its parent is.
    const TWICE: u64 = 1 << 63;

    fn of(holders: &[Holder], twice: bool) -> Circle {
        let bit = |holder: &Holder| 1 << (mix(u64::from(holder.canary)) % 63);
        let twice = if twice { Circle::TWICE } else { 0 };
        let bits = holders.iter().map(bit);
        Circle(bits.fold(twice, |all, bit| all | bit))
    }

    /// Whether one canary may hold both.
    const fn meets(self, other: Circle) -> bool {
        self.0 & other.0 & !Circle::TWICE != 0
    }

    const fn is_twice(self) -> bool {
        self.0 & Circle::TWICE != 0
    }
}

/// A value that stands in a row.
#[derive(Clone, Copy)]
pub(in crate::trace) struct Met {
    pub value: u32,
    circle: Circle,
}

/// A name, a reading or a postcode of a row.
struct Asked {
    part: Part,
    /// What blocking keys are made of it.
    fact: u64,
    hash: u64,
}

impl Glance {
    /// Before there are values.
    pub fn empty() -> Glance {
        Glance {
            slots: Box::new([]),
            phones: Filter::new(0),
            seed: 0,
            births: Vec::new(),
            pairs: Filter::new(0),
            towns: Towns::new(std::iter::empty()),
            houses: Sieve::of(&[]),
        }
    }

    /// Over the values of a watch, which are numbered for good; `births` has that of each day.
    pub fn new(watch: &Watch, births: &[u32]) -> Glance {
        let values = || (0..).zip(&watch.values);
        let counted = || values().filter(|(_, value)| is_counted(value.class));
        let vacant = Slot {
            print: 0,
            value: NOBODY,
            circle: Circle::default(),
        };
        let numbers = || {
            let phones = values().filter(|(_, value)| value.class == Class::Phone);
            phones.filter_map(|(_, value)| {
                let digits = watch.texts.get(value.text).strip_prefix('+')?;
                digits.parse::<u64>().ok()
            })
        };
        let homes = || {
            let homes = values().map(|(_, value)| value);
            let homes = homes.filter(|home| matches!(home.class, Class::Address | Class::Block));
            let places = homes.filter_map(|home| place(watch.texts.get(home.text)));
            places.filter(|(town, _)| has_japanese(town))
        };
        let mut houses: Vec<u64> = homes()
            .flat_map(|(town, numbers)| {
                let ends = ends_of(town).unwrap_or_default();
                let plate = plate(highest(numbers));
                ends.into_iter().map(move |end| door(end, plate))
            })
            .collect();
        // A door and its flats, or those of one drop.
        houses.sort_unstable();
        houses.dedup();
        let mut glance = Glance {
            towns: Towns::new(homes().map(|(town, _)| town)),
            houses: Sieve::of(&houses),
            slots: vec![vacant; counted().count() * 5 / 4 + 2].into_boxed_slice(),
            phones: Filter::new(numbers().count()),
            seed: watch.hasher.hash_one(0),
            births: Vec::new(),
            pairs: Filter::new(0),
        };
        let (mut pairs, mut doubled) = (0, HashSet::new());
        each_pair(watch, |one, other| {
            pairs += 1;
            if one == other {
                doubled.insert(one);
            }
        });
        glance.pairs = Filter::narrow(pairs);
        each_pair(watch, |one, other| glance.pairs.add(pair(one, other)));
        let circle = |value: u32| Circle::of(watch.holders(value), doubled.contains(&value));
        let born = |value: &u32| match *value {
            NOBODY => Circle::default(),
            value => circle(value),
        };
        glance.births = births.iter().map(born).collect();
        for (index, value) in counted() {
            let hash = glance.hash(value.class, watch.texts.get(value.text).chars());
            let mut at = glance.start(hash);
            while glance.slots[at].value != NOBODY {
                at = glance.next(at);
            }
            glance.slots[at] = Slot {
                print: hash as u32,
                value: index,
                circle: circle(index),
            };
        }
        for number in numbers() {
            let hash = glance.number(number);
            glance.phones.add(hash);
        }
        glance
    }

    /// Stores it, for [`Glance::restore`].
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn store(&self, out: &mut Packer<'_>) -> io::Result<()> {
        out.item(&self.seed)?;
        out.all(&self.slots)?;
        out.all(&self.births)?;
        self.phones.store(out)?;
        self.pairs.store(out)?;
        self.towns.store(out)?;
        self.houses.store(out)
    }

    /// As it was stored.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where it is not such.
    pub fn restore(input: &mut Items<'_>) -> io::Result<Glance> {
        let glance = Glance {
            seed: input.item()?,
            slots: input.all()?.into_boxed_slice(),
            births: input.all()?,
            phones: Filter::restore(input)?,
            pairs: Filter::restore(input)?,
            towns: Towns::restore(input)?,
            houses: Sieve::restore(input)?,
        };
        // A search ends at one that is vacant.
        let vacant = glance.slots.iter().any(|slot| slot.value == NOBODY);
        vacant.then_some(glance).ok_or_else(broken)
    }

    /// What a name, a reading or a postcode goes by, from the letters of its key.
    pub fn hash(&self, class: Class, letters: impl Iterator<Item = char>) -> u64 {
        self.of(class, hash(letters))
    }

    /// The same from what [`hash`] gives of the letters.
    fn of(&self, class: Class, letters: u64) -> u64 {
        mix(letters ^ self.seed ^ class as u64)
    }

    fn number(&self, number: u64) -> u64 {
        mix(number ^ self.seed)
    }

    /// Has what stands where a value does, if no other has taken its place, brought from memory.
    fn fetch(&self, hash: u64) {
        prefetch_index(&self.slots, self.start(hash));
    }

    /// The values under a hash: hardly ever more than one.
    pub fn under(&self, hash: u64) -> impl Iterator<Item = Met> {
        // Before there are values, there is no slot either.
        let first = (!self.slots.is_empty()).then(|| self.start(hash));
        let places = std::iter::successors(first, |at| Some(self.next(*at)));
        let slots = places.map(|at| self.slots[at]);
        let slots = slots.take_while(|slot| slot.value != NOBODY);
        let own = slots.filter(move |slot| slot.print == hash as u32);
        own.map(|Slot { value, circle, .. }| Met { value, circle })
    }

    /// Where a value stands if no other has taken its place.
    fn start(&self, hash: u64) -> usize {
        filter::place(hash, self.slots.len())
    }

    /// Where it is looked for next.
    fn next(&self, at: usize) -> usize {
        match at + 1 {
            end if end == self.slots.len() => 0,
            next => next,
        }
    }
}

/// What is seen of a row, until it is clear whether it speaks for a canary.
#[derive(Default)]
pub(in crate::trace) struct Glanced {
    asked: Vec<Asked>,
    /// Numbers in E.164, and the hashes of mail addresses.
    phones: Vec<u64>,
    emails: Vec<u64>,
    /// The values of canaries that stand in the row, each once.
    pub values: Vec<Met>,
    /// What blocking keys are made of.
    facts: Facts,
    /// Blocking keys.
    keys: Vec<u64>,
    /// Of its address.
    pub look: Look,
    /// Whether it speaks for no canary.
    pub clear: bool,
}

impl Watch {
    /// Takes one value of a row; `false` where the row wants a closer look for it.
    pub(in crate::trace) fn glance(&self, seen: Plain<'_>, glanced: &mut Glanced) -> bool {
        match seen {
            Plain::Person(class, letters) => {
                let (fact, own) = glanced.facts.japanese(class == Class::Kana, letters);
                glanced.ask(Part::Person, fact, self.glance.of(class, own));
            }
            Plain::Phone { number, dialled } => {
                glanced.facts.phone(dialled);
                glanced.phones.push(number);
            }
            Plain::Birth(date) => {
                let Some(day) = day_of(date) else {
                    return false;
                };
                if let Some(value) = self.births.get(day).filter(|value| **value != NOBODY) {
                    glanced.meet(Met {
                        value: *value,
                        circle: self.glance.births[day],
                    });
                }
                glanced.facts.birth(date);
            }
            Plain::Postcode(key) => {
                let fact = glanced.facts.postcode(key);
                // A postcode has no look-alikes: its fact is the hash of its letters.
                let hash = self.glance.of(Class::Postcode, fact);
                glanced.ask(Part::Postcode, fact, hash);
            }
            Plain::Email(key) => {
                glanced.facts.add(Class::Email, key);
                glanced.emails.push(self.hash(Class::Email, key));
            }
            Plain::Guessed(class, key) => return self.glance_guessed(class, key, glanced),
        }
        true
    }

    /// Takes what a cell may be that was tried as everything.
    fn glance_guessed(&self, class: Class, key: &str, glanced: &mut Glanced) -> bool {
        let hash = || self.glance.hash(class, key.chars());
        let may_be_ours = || self.known[class as usize].may_have(self.hash(class, key));
        match class {
            Class::Name | Class::Kana => {
                let words = key.split(' ').map(str::chars);
                let kana = class == Class::Kana;
                let fact = glanced.facts.person(kana, key.is_ascii(), words);
                glanced.ask(Part::Person, fact, hash());
                true
            }
            Class::Birth => date(key).is_some_and(|day| self.glance(Plain::Birth(day), glanced)),
            Class::Postcode => self.glance(Plain::Postcode(key), glanced),
            Class::Phone => phone(key, &mut |number| self.glance(number, glanced)),
            // A digest has no @.
            Class::Email => key.contains('@') && self.glance(Plain::Email(key), glanced),
            // A title or a family name beside it makes a word of its own of it.
            Class::Given => {
                let found = may_be_ours().then(|| self.glance.under(hash()).next());
                if let Some(met) = found.flatten() {
                    glanced.meet(met);
                }
                true
            }
            Class::Address | Class::Block => {
                glanced.facts.add(class, key);
                !may_be_ours()
            }
        }
    }

    /// Has what a row of which all has been taken is asked for brought from memory.
    pub(in crate::trace) fn fetch(&self, near: &Near, row: &Glanced) {
        near.fetch(&row.facts);
        let Glance { phones, towns, .. } = &self.glance;
        for number in &row.phones {
            phones.fetch(self.glance.number(*number));
        }
        for hash in &row.emails {
            self.known[Class::Email as usize].fetch(*hash);
        }
        row.look.ends.iter().for_each(|end| towns.fetch(*end));
    }

    /// Says of rows of which all has been taken whether they are clear. What one asks for hangs on the answer before, and
    /// most of it is far in memory: so it is fetched for all rows before the first goes on.
    pub(in crate::trace) fn look_over(&self, near: &Near, rows: &mut [Glanced]) {
        let Glance {
            towns,
            pairs,
            houses,
            ..
        } = &self.glance;
        for row in &mut *rows {
            row.look.ends.retain(|end| towns.may_have(*end));
            let ends = row.look.ends.iter();
            ends.for_each(|end| houses.fetch(door(*end, 0)));
            row.asked
                .retain(|asked| near.may_know(asked.part, asked.fact));
            for asked in &row.asked {
                self.glance.fetch(asked.hash);
                near.fetch_with(asked.fact);
            }
            let Glanced {
                asked, facts, keys, ..
            } = row;
            let ours = |part, fact| asked.iter().any(|own| own.part == part && own.fact == fact);
            near.fetch_keys(facts, ours, keys);
        }
        for row in &mut *rows {
            for at in 0..row.asked.len() {
                if let Some(met) = self.glance.under(row.asked[at].hash).next() {
                    row.meet(met);
                }
            }
            likely_pairs(&row.values).for_each(|(one, other)| pairs.fetch(pair(one, other)));
        }
        for row in rows {
            if !row.look.ends.is_empty() || !row.asked.is_empty() {
                row.look.tell_plates();
            }
            row.clear = self.is_elsewhere(&row.look)
                && !row.phones.iter().any(|number| self.holds_phone(*number))
                && !row.emails.iter().any(|hash| self.holds_email(*hash))
                && !self.belong_together(&row.values)
                && near.is_clear(
                    &row.keys,
                    &row.look,
                    row.ours(Part::Person),
                    row.ours(Part::Postcode),
                );
        }
    }

    /// The blocks of ours that a row's numbers stand in.
    pub(in crate::trace) fn blocks_in(&self, glanced: &Glanced) -> impl Iterator<Item = u32> {
        let numbers = glanced.phones.iter();
        numbers.flat_map(|number| self.blocks_around(*number))
    }

    /// Whether two of these values are one canary's, or one is that twice over. What few that are not pass is asked once
    /// more: to read a row in full takes longer than to ask who holds them.
    fn belong_together(&self, values: &[Met]) -> bool {
        likely_pairs(values).any(|(one, other)| {
            self.glance.pairs.may_have(pair(one, other)) && self.are_of_one(one, other)
        })
    }

    fn are_of_one(&self, one: u32, other: u32) -> bool {
        let (few, many) = match self.holders(one).len() <= self.holders(other).len() {
            true => (one, other),
            false => (other, one),
        };
        self.holders(few).iter().any(|holder| {
            let mut values = self.values_of(&self.canaries[holder.canary as usize]);
            values.any(|(mark, value)| {
                value == many && (few != many || mark.group() != holder.mark().group())
            })
        })
    }

    /// Whether a number is one of ours.
    fn holds_phone(&self, number: u64) -> bool {
        self.glance.phones.may_have(self.glance.number(number)) && {
            let key = format!("+{number}");
            let hash = self.hash(Class::Phone, &key);
            let found = self.tabled(Class::Phone, hash, |text| text == key);
            found.is_some()
        }
    }

    /// Whether there is a mail address of ours with this hash.
    fn holds_email(&self, hash: u64) -> bool {
        self.known[Class::Email as usize].may_have(hash) && {
            let is = |text: &str| self.hash(Class::Email, text) == hash;
            self.tabled(Class::Email, hash, is).is_some()
        }
    }

    /// Looks an address over: whether it may be in a town of a canary, and its numbers; `false` where it wants a closer
    /// look.
    pub(in crate::trace) fn look_at_address(&self, text: &str, glanced: &mut Glanced) -> bool {
        self.glance.towns.look(text, &mut glanced.look)
    }

    /// Whether a row with such an address stands at no door of ours.
    fn is_elsewhere(&self, look: &Look) -> bool {
        let Some(plates) = &look.plates else {
            return look.ends.is_empty();
        };
        let mut elsewhere = true;
        for end in &look.ends {
            for plate in plates {
                elsewhere &= !self.glance.houses.may_have(door(*end, *plate));
            }
        }
        elsewhere
    }
}

impl Glanced {
    /// For a watch with these rules of near agreement.
    pub fn under(rules: Rules) -> Glanced {
        Glanced {
            facts: Facts::under(rules),
            ..Glanced::default()
        }
    }

    /// For the next row.
    pub fn clear(&mut self) {
        self.asked.clear();
        self.phones.clear();
        self.emails.clear();
        self.values.clear();
        self.facts.clear();
        self.keys.clear();
        self.look.clear();
    }

    /// Notes what is to be asked of it.
    fn ask(&mut self, part: Part, fact: u64, hash: u64) {
        self.asked.push(Asked { part, fact, hash });
    }

    /// Notes a value that stands in it, once.
    fn meet(&mut self, met: Met) {
        if self.values.iter().all(|known| known.value != met.value) {
            self.values.push(met);
        }
    }

    /// The facts of a kind that canaries have, too, once the others are gone.
    fn ours(&self, part: Part) -> impl Iterator<Item = u64> + Clone {
        let ours = self.asked.iter().filter(move |asked| asked.part == part);
        ours.map(|asked| asked.fact)
    }
}

/// The pairs of a row's values that one canary may hold, or of a value with itself.
fn likely_pairs(values: &[Met]) -> impl Iterator<Item = (u32, u32)> {
    values.iter().enumerate().flat_map(|(at, one)| {
        let itself = one.circle.is_twice().then_some(one);
        let others = values[at + 1..].iter();
        let others = others.filter(|other| one.circle.meets(other.circle));
        itself
            .into_iter()
            .chain(others)
            .map(|other| (one.value, other.value))
    })
}

/// Whether strangers often have values of a class, so that they are counted, as births are: names, readings and
/// postcodes, given names among them. At the doors of canaries few others live, so that who does is looked at.
pub(super) const fn is_counted(class: Class) -> bool {
    matches!(
        class,
        Class::Name | Class::Given | Class::Kana | Class::Postcode
    )
}

/// Gives all values of a canary that would speak for it together, those that are told by the first look.
fn each_pair(watch: &Watch, mut give: impl FnMut(u32, u32)) {
    let told = |mark: Mark| {
        let class = Class::of(mark);
        is_counted(class) || class == Class::Birth
    };
    for canary in &watch.canaries {
        let values = watch.values_of(canary);
        for (at, (mark, value)) in values.clone().enumerate() {
            for (other_mark, other) in values.clone().take(at) {
                if told(mark) && told(other_mark) && mark.group() != other_mark.group() {
                    give(value, other);
                }
            }
        }
    }
}

/// Two values, in either order, in 64 bits of which each hangs on both.
fn pair(one: u32, other: u32) -> u64 {
    let both = u64::from(one.min(other)) << 32 | u64::from(one.max(other));
    mix(both)
}
