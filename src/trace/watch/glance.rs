//! The first look at a row. Of nearly all rows it is seen at once that they speak for no canary: they hold nothing that
//! is ours alone, and no two values that are of one canary. Their values are counted, and nobody need be asked who bears
//! them.

use std::hash::BuildHasher;
use std::iter::once;

use smallvec::SmallVec;

use super::towns::{Look, ROOM, Towns, ends_of, highest};
use super::{NOBODY, Watch, Watched, day_of};
use crate::notation::has_japanese;
use crate::trace::filter::Filter;
use crate::trace::mark::Mark;
use crate::trace::near::blocking::{Facts, door, hash, mix, plate};
use crate::trace::near::place;
use crate::trace::normalise::Class;
use crate::trace::plain::Plain;

/// Names, readings and postcodes, under bits of their keys' hashes, and which values belong together, births among them.
pub(super) struct Glance {
    /// A table with open addresses, half of them empty.
    slots: Box<[Slot]>,
    shift: u32,
    /// Which of them there are, and which numbers.
    named: Filter,
    phones: Filter,
    /// Keeps lists from being made for what is found under a hash.
    seed: u64,
    /// Values of different groups that one canary has.
    pairs: Filter,
    /// Whether one value is two such marks of a canary: a child may be called as its parent is.
    doubled: bool,
    towns: Towns,
    /// Towns with the highest numbers of a door of ours there.
    houses: Filter,
}

/// A value and what its hash ends with. What is counted by it is counted of one row in 10^9 by mistake, which no estimate
/// of how common a name is can show; whoever is named is compared in full.
#[derive(Clone, Copy)]
struct Slot {
    print: u32,
    value: u32,
}

/// How far a key is looked up.
enum Step {
    Known(u32),
    /// It is one of ours if nothing of it is missing in the filter.
    Asked {
        hash: u64,
        missing: u64,
    },
}

impl Glance {
    /// Before there are values.
    pub fn empty() -> Glance {
        Glance {
            slots: Box::new([]),
            shift: 0,
            named: Filter::new(0),
            phones: Filter::new(0),
            seed: 0,
            pairs: Filter::new(0),
            doubled: false,
            towns: Towns::new(std::iter::empty()),
            houses: Filter::new(0),
        }
    }

    /// Over the values of a watch, which are numbered for good.
    pub fn new(watch: &Watch) -> Glance {
        let values = || (0..).zip(&watch.values);
        let counted = || values().filter(|(_, value)| is_counted(value.class));
        let bits = (counted().count() * 2).next_power_of_two().max(64).ilog2();
        let vacant = Slot {
            print: 0,
            value: NOBODY,
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
            houses: Filter::with_room(&houses, ROOM),
            slots: vec![vacant; 1 << bits].into_boxed_slice(),
            shift: 64 - bits,
            named: Filter::new(counted().count()),
            phones: Filter::new(numbers().count()),
            seed: watch.hasher.hash_one(0),
            pairs: Filter::new(0),
            doubled: false,
        };
        for (index, value) in counted() {
            let hash = glance.hash(value.class, watch.texts.get(value.text).chars());
            glance.named.add(hash);
            let mut at = (hash >> glance.shift) as usize;
            while glance.slots[at].value != NOBODY {
                at = (at + 1) & (glance.slots.len() - 1);
            }
            glance.slots[at] = Slot {
                print: hash as u32,
                value: index,
            };
        }
        for number in numbers() {
            glance.phones.add(mix(number ^ glance.seed));
        }
        let mut pairs = 0;
        each_pair(&watch.canaries, |_, _| pairs += 1);
        // A row asks for several.
        glance.pairs = Filter::new(pairs * 4);
        each_pair(&watch.canaries, |one, other| {
            glance.pairs.add(pair(one, other));
            glance.doubled |= one == other;
        });
        glance
    }

    fn hash(&self, class: Class, letters: impl Iterator<Item = char>) -> u64 {
        mix(hash(letters) ^ self.seed ^ class as u64)
    }

    /// What is to be looked up of a value.
    fn ask(&self, class: Class, letters: impl Iterator<Item = char>) -> Step {
        let hash = self.hash(class, letters);
        let missing = self.named.missing(hash);
        Step::Asked { hash, missing }
    }

    /// The slot in which a value would stand if no other had taken it.
    fn first(&self, hash: u64) -> Slot {
        self.slots[(hash >> self.shift) as usize]
    }

    /// The value under a hash, whose first slot is this one.
    fn find(&self, hash: u64, first: Slot) -> u32 {
        let mut slot = first;
        let mut at = (hash >> self.shift) as usize;
        while slot.value != NOBODY && slot.print != hash as u32 {
            at = (at + 1) & (self.slots.len() - 1);
            slot = self.slots[at];
        }
        slot.value
    }
}

/// What was looked up of a row's values.
#[derive(Default)]
pub(in crate::trace) struct Glanced {
    steps: Vec<Step>,
    /// Whether something may be in it that is ours alone.
    ours: bool,
    /// The values of canaries that stand in the row, each once.
    pub values: Vec<u32>,
    /// Blocks of ours that its numbers stand in, each once.
    pub blocks: Vec<u32>,
    /// What blocking keys are made of, where there are any.
    pub facts: Facts,
}

impl Watch {
    /// Takes one value of a row; `false` where the row wants a closer look for it.
    pub(in crate::trace) fn glance(&self, seen: Plain<'_>, glanced: &mut Glanced) -> bool {
        let near = self.near.is_some();
        let facts = &mut glanced.facts;
        match seen {
            Plain::Person(class, letters) => {
                let step = self.glance.ask(class, letters.iter().copied());
                glanced.steps.push(step);
                if near {
                    let word = letters.iter().copied();
                    facts.person(class == Class::Kana, false, once(word));
                }
            }
            Plain::Phone { number, dialled } => {
                for block in self.blocks_around(number) {
                    if !glanced.blocks.contains(&block) {
                        glanced.blocks.push(block);
                    }
                }
                if near {
                    facts.phone(dialled);
                }
                let hash = mix(number ^ self.glance.seed);
                glanced.ours |= self.glance.phones.may_have(hash);
            }
            Plain::Birth(date) => {
                let Some(day) = day_of(date) else {
                    return false;
                };
                let step = self.births.get(day).map(|value| Step::Known(*value));
                glanced.steps.extend(step);
                facts.birth(date);
            }
            Plain::Text(class, key) => {
                if near {
                    facts.add(class, key);
                }
                if is_counted(class) {
                    glanced.steps.push(self.glance.ask(class, key.chars()));
                } else {
                    glanced.ours |= self.known[class as usize].may_have(self.hash(class, key));
                }
            }
        }
        true
    }

    /// Whether it is clear at first sight that a row with the keys that were taken speaks for no canary by what it
    /// agrees with exactly.
    pub(in crate::trace) fn is_clear(&self, glanced: &mut Glanced) -> bool {
        let Glanced { steps, values, .. } = glanced;
        let first = |step: &Step| match step {
            Step::Known(value) => Slot {
                print: 0,
                value: *value,
            },
            Step::Asked { hash, .. } => self.glance.first(*hash),
        };
        let slots: SmallVec<[Slot; 12]> = steps.iter().map(first).collect();
        for (step, slot) in steps.iter().zip(slots) {
            let value = match step {
                Step::Known(value) => *value,
                Step::Asked { hash, missing: 0 } => self.glance.find(*hash, slot),
                Step::Asked { .. } => NOBODY,
            };
            if value != NOBODY && !values.contains(&value) {
                values.push(value);
            }
        }
        let mut clear = !glanced.ours;
        for (at, one) in values.iter().enumerate() {
            for other in &values[at + usize::from(!self.glance.doubled)..] {
                clear &= !self.glance.pairs.may_have(pair(*one, *other));
            }
        }
        clear
    }

    /// Looks an address over: whether it may be in a town of a canary, and its numbers.
    pub(in crate::trace) fn look_at_address(&self, text: &str) -> Option<Look> {
        self.glance.towns.look(text)
    }

    /// Whether a row with such an address stands at no door of ours.
    pub(in crate::trace) fn is_elsewhere(&self, look: &Look) -> bool {
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
    /// For the next row.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.ours = false;
        self.values.clear();
        self.blocks.clear();
        self.facts.clear();
    }
}

/// Whether strangers often have values of a class, so that they are counted, as births are: names, readings and
/// postcodes. At the doors of canaries few others live, so that who does is looked at.
const fn is_counted(class: Class) -> bool {
    matches!(class, Class::Name | Class::Kana | Class::Postcode)
}

/// Gives all values of a canary that would speak for it together, those that are told by the first look.
fn each_pair(canaries: &[Watched], mut give: impl FnMut(u32, u32)) {
    let told = |mark: Mark| {
        let class = Class::of(mark);
        is_counted(class) || class == Class::Birth
    };
    for canary in canaries {
        for (at, (mark, value)) in canary.values.iter().enumerate() {
            for (other_mark, other) in &canary.values[..at] {
                if told(*mark) && told(*other_mark) && mark.group() != other_mark.group() {
                    give(*value, *other);
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
