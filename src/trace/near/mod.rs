//! Rows that agree nearly with a canary: a slip of the pen, a scanner's error, a field that was cut.
//!
//! Exact keys come first. Near comparison is for the few canaries that a row has a blocking key in
//! common with, and for those that an exact key has identified.
//!
//! | question | where |
//! | --- | --- |
//! | which rows are worth comparing with which canaries | [`blocking`], kept in [`index`] |
//! | which letters look alike | [`slips`] |
//! | whether two texts are one slip apart, and which | [`edit`] |
//! | whether a value of each class is nearly another | [`compare`] |
//! | what the report says of it | [`how`] |
//!
//! How often a stranger agrees nearly is not asked here but in `decide::rarity`.

pub mod blocking;
mod compare;
mod edit;
mod how;
mod index;
pub mod slips;

use std::io;
use std::ops::Range;

use smallvec::SmallVec;

use super::filter::{Filter, Sieve, beside};
use super::normalise::{Class, Key};
use super::store::{Items, Packer};
use super::watch::{Look, Watch, ends_of, highest};
use blocking::{Facts, Part, Rules, door, home, plate};
use compare::is_compared;
pub use compare::{Date, date, dialled, near, place};
pub use how::{How, Hows};
use index::{Buckets, Index};

use super::mark::{Mark, Marks};

/// A value has about so many blocking keys.
const KEYS: usize = 6;

/// The blocking keys of all canaries of a watch.
pub struct Near {
    rules: Rules,
    index: Index,
    /// Of each kind, the facts that the keys are made of: a row has few of them, and asks for no key then.
    known: [Filter; Part::ALL.len()],
    /// The people and postcodes of canaries with the numbers of their doors, and the people with their towns.
    doors: Sieve,
}

impl Near {
    /// Reads the texts of a watch's values; `None` where it keeps none.
    pub fn new(watch: &Watch) -> Option<Near> {
        if watch.blind.is_some() {
            return None;
        }
        let rules = Rules::beside(watch.canaries.len());
        // Told twice, they need not be in memory all at once: they take more of it than what is made of them.
        let (mut buckets, mut doors) = (Buckets::new(watch.values.len() * KEYS), 0);
        each_planted(watch, rules, &mut |planted| match planted {
            Planted::Key(key, canary) => buckets.count(key, canary),
            Planted::Door(_) => doors += 1,
        });
        let (mut index, mut doors) = (buckets.index(), Sieve::new(doors));
        each_planted(watch, rules, &mut |planted| match planted {
            Planted::Key(key, canary) => index.put(key, canary),
            Planted::Door(door) => doors.add(door),
        });
        let known = Part::ALL.map(|kind| {
            let (mut parts, mut facts) = (Vec::new(), Facts::default());
            for (index, value) in (0..).zip(&watch.values) {
                if kind.is_of(value.class) {
                    facts.clear();
                    add(&mut facts, watch, index);
                    facts.parts(&mut |part, fact| parts.extend((part == kind).then_some(fact)));
                }
            }
            // A domain is that of thousands.
            parts.sort_unstable();
            parts.dedup();
            Filter::of(&parts)
        });
        Some(Near {
            rules,
            index,
            known,
            doors,
        })
    }

    /// Stores them, for [`Near::restore`].
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn store(&self, out: &mut Packer<'_>) -> io::Result<()> {
        self.index.store(out)?;
        self.known.iter().try_for_each(|known| known.store(out))?;
        self.doors.store(out)
    }

    /// As they were stored, of so many canaries.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where they are not such.
    pub fn restore(canaries: usize, input: &mut Items<'_>) -> io::Result<Near> {
        let index = Index::restore(input)?;
        let mut known = std::array::from_fn(|_| Filter::new(0));
        for known in &mut known {
            *known = Filter::restore(input)?;
        }
        Ok(Near {
            rules: Rules::beside(canaries),
            index,
            known,
            doors: Sieve::restore(input)?,
        })
    }

    /// The rules that hold.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Whether a fact may be one of a canary's.
    #[inline]
    pub fn may_know(&self, part: Part, fact: u64) -> bool {
        self.known[part as usize].may_have(fact)
    }

    /// Has what says whether a row's facts are canaries' brought from memory.
    pub fn fetch(&self, facts: &Facts) {
        facts.parts(&mut |part, fact| self.known[part as usize].fetch(fact));
    }

    /// The same of what a person or a postcode is asked for with the numbers and the town of its row, which lies together.
    pub fn fetch_with(&self, fact: u64) {
        self.doors.fetch(beside(fact, 0));
    }

    /// Keeps the keys under which a row of these facts may find a canary, and has what says so brought from memory;
    /// `known` says of people and postcodes which canaries have, too.
    pub fn fetch_keys(
        &self,
        facts: &Facts,
        known: impl Fn(Part, u64) -> bool,
        keys: &mut Vec<u64>,
    ) {
        let known = |part, fact| match part {
            Part::Person | Part::Postcode => known(part, fact),
            _ => self.may_know(part, fact),
        };
        facts.row(known, &mut |key| {
            self.index.fetch(key);
            keys.push(key);
        });
    }

    /// Whether a row with these keys ([`Near::fetch_keys`]) has none in common with a canary. Its address is not in them,
    /// but what was seen of it; `people` and `postcodes` are those that canaries have, too.
    pub fn is_clear(
        &self,
        keys: &[u64],
        look: &Look,
        people: impl Iterator<Item = u64> + Clone,
        postcodes: impl Iterator<Item = u64> + Clone,
    ) -> bool {
        let mut clear = true;
        let mut ask = |key| clear &= !self.doors.may_have(key);
        for person in people.clone() {
            look.ends.iter().for_each(|end| ask(home(person, *end)));
        }
        let mut there = people.chain(postcodes);
        match &look.plates {
            Some(plates) => {
                for fact in there {
                    plates.iter().for_each(|plate| ask(door(fact, *plate)));
                }
            }
            None => clear &= there.next().is_none(),
        }
        for key in keys {
            if clear && self.index.may_have(*key) {
                self.index.find(*key, &mut |_| clear = false);
            }
        }
        clear
    }

    /// Gives the canaries that are found under a row's keys.
    fn find(&self, facts: &Facts, give: &mut impl FnMut(u32)) {
        let mut keys: SmallVec<[u64; 32]> = SmallVec::new();
        let known = |part, fact| self.may_know(part, fact);
        facts.row(known, &mut |key| {
            keys.extend(self.index.may_have(key).then_some(key));
        });
        for key in keys {
            self.index.find(key, give);
        }
    }
}

/// What a row may have in common with a canary.
enum Planted {
    /// A blocking key, and whose it is.
    Key(u64, u32),
    /// One of its doors.
    Door(u64),
}

/// Gives what each canary is found under.
fn each_planted(watch: &Watch, rules: Rules, give: &mut impl FnMut(Planted)) {
    let mut facts = Facts::under(rules);
    for (canary, watched) in (0..).zip(&watch.canaries) {
        facts.clear();
        let values = watch.values_of(watched).map(|(_, value)| value);
        values
            .clone()
            .for_each(|value| add(&mut facts, watch, value));
        facts.planted(&mut |key| give(Planted::Key(key, canary)));
        let lived = |value: &u32| watch.values[*value as usize].class == Class::Address;
        for address in values.filter(lived) {
            let text = watch.text(address).unwrap_or_default();
            let Some((town, numbers)) = place(text) else {
                continue;
            };
            let plate = plate(highest(numbers));
            let there = facts.people().chain(facts.postcodes());
            there.for_each(|fact| give(Planted::Door(door(fact, plate))));
            let ends = ends_of(town).unwrap_or_default();
            for person in facts.people() {
                ends.iter()
                    .for_each(|end| give(Planted::Door(home(person, *end))));
            }
        }
    }
}

fn add(facts: &mut Facts, watch: &Watch, value: u32) {
    let class = watch.values[value as usize].class;
    facts.add(class, watch.text(value).unwrap_or_default());
}

/// A key of the row at hand.
struct Kept {
    class: Class,
    text: Range<usize>,
    written: Range<usize>,
    city: Range<usize>,
}

/// The keys of the row at hand, and the canaries that they may nearly fit; its buffers are used again
/// and again.
#[derive(Default)]
pub struct Search {
    texts: String,
    kept: Vec<Kept>,
    facts: Facts,
    candidates: Vec<u32>,
}

impl Search {
    /// For a watch with these rules of near agreement.
    pub fn under(rules: Rules) -> Search {
        Search {
            facts: Facts::under(rules),
            ..Search::default()
        }
    }

    /// Forgets the last row.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.kept.clear();
        self.facts.clear();
        self.candidates.clear();
    }

    /// Keeps a key of the row, to be compared nearly too.
    pub fn keep(&mut self, key: &Key<'_>) {
        self.put(key);
        self.facts.add(key.class, key.text);
    }

    /// Keeps a key of the row, and says at which place.
    pub fn put(&mut self, key: &Key<'_>) -> usize {
        let mut put = |text: &str| {
            let start = self.texts.len();
            self.texts.push_str(text);
            start..self.texts.len()
        };
        let (text, written, city) = (put(key.text), put(key.written), put(key.city));
        self.kept.push(Kept {
            class: key.class,
            text,
            written,
            city,
        });
        self.kept.len() - 1
    }

    /// The keys that are kept, in order.
    pub fn keys(&self) -> impl Iterator<Item = (Class, &str)> {
        let kept = self.kept.iter();
        kept.map(|kept| (kept.class, &self.texts[kept.text.clone()]))
    }

    /// What stood in the row where a kept key was found.
    pub fn written(&self, place: usize) -> &str {
        &self.texts[self.kept[place].written.clone()]
    }

    /// The city beside a kept key.
    pub fn city(&self, place: usize) -> &str {
        &self.texts[self.kept[place].city.clone()]
    }

    /// The canaries that share a blocking key with the row, in order.
    pub fn candidates(&mut self, near: &Near) -> &[u32] {
        let candidates = &mut self.candidates;
        near.find(&self.facts, &mut |canary| candidates.push(canary));
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    /// The canaries that were found last.
    pub fn found(&self) -> &[u32] {
        &self.candidates
    }

    /// Whether a canary is one of them.
    pub fn is_candidate(&self, canary: u32) -> bool {
        self.candidates.binary_search(&canary).is_ok()
    }

    /// Which marks of a canary agree nearly, beside those that agree exactly. A value of the row that
    /// is exactly one of the canary's speaks for that alone.
    pub fn compare(&self, watch: &Watch, canary: u32, exact: Marks) -> Hows {
        let values = watch.values_of(&watch.canaries[canary as usize]);
        let own = |class: Class, text: &str| {
            values.clone().any(|(_, value)| {
                let of = watch.values[value as usize].class;
                of == class && watch.text(value) == Some(text)
            })
        };
        let mut hows = Hows::default();
        let compared = |(mark, _): &(Mark, u32)| is_compared(Class::of(*mark)) && !exact.has(*mark);
        let compared = values.clone().filter(compared);
        let planted = compared.filter_map(|(mark, index)| {
            let class = watch.values[index as usize].class;
            Some((mark, index, class, watch.text(index)?))
        });
        // They lie far apart in memory, and come together.
        let planted: SmallVec<[_; 32]> = planted.collect();
        for (mark, index, class, planted) in planted {
            let how = self.kept.iter().find_map(|kept| {
                let (row, city) = (
                    &self.texts[kept.text.clone()],
                    &self.texts[kept.city.clone()],
                );
                let near_by = || {
                    watch
                        .held_by(index, canary)
                        .any(|holder| watch.city_agrees(index, holder, city))
                };
                let fits = || mark != Mark::Address || near_by();
                (kept.class == class)
                    .then(|| near(class, row, planted))?
                    .filter(|_| fits() && !own(class, row))
            });
            if let Some(how) = how {
                hows.note(mark, how);
            }
        }
        hows
    }
}

#[cfg(test)]
mod calibration;
#[cfg(test)]
pub mod ground;

#[cfg(test)]
mod tests {
    use super::blocking::Rules;
    use super::ground::{People, ROLES, planted, watch};
    use super::*;
    use crate::notation::Region;
    use crate::persona::Shape;
    use crate::trace::memory::Memory;
    use crate::trace::normalise::Plan;

    /// Rows of half a canary and half a stranger, found with and without leaving out what no canary has.
    #[test]
    fn what_is_left_out_finds_nobody() {
        let mut people = People::new(4, Shape::families(6..=15));
        let (batches, canaries) = people.canaries(400, 2);
        let mut watch = watch(&batches, &canaries);
        for rules in [Rules::All, Rules::Strong] {
            let near = watch.near.as_mut().unwrap();
            near.rules = rules;
            let near = watch.near().unwrap();
            let plan = Plan::new(&ROLES.map(Some), Some(Region::Jp));
            let (mut search, mut memory, mut found) = (Search::under(rules), Memory::new(), 0);
            for (turn, canary) in canaries.iter().enumerate() {
                let (own, other) = (planted(canary), people.stranger());
                search.clear();
                let cell = |place: usize| match (turn >> place) & 1 {
                    0 => own[place].as_str(),
                    _ => &other[place],
                };
                plan.keys(&mut memory, cell, &mut |key| search.keep(&key));
                let mut all = Vec::new();
                let mut give = |key| near.index.find(key, &mut |canary| all.push(canary));
                search.facts.row(|_, _| true, &mut give);
                all.sort_unstable();
                all.dedup();
                assert_eq!(search.candidates(near), all);
                found += usize::from(!all.is_empty());
            }
            assert!(found > 200, "{found}");
        }
    }
}
