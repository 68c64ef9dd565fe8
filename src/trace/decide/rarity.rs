//! Random match probabilities: how often would a row that never saw our data agree all the same?
//!
//! # Marks that agree nearly
//!
//! The chance that a stranger's value is a slip away from a canary's is the number of values that are,
//! times how common each of them is. Neither is known well, so each is taken at its worst:
//!
//! * **Names and readings.** A stranger's whole name is one letter away mostly where the family name is
//!   the same and the given names share a letter, so a near name is nearly a family-name match: 1 in 500
//!   for the commonest, readings 1 in 250, and never less than twenty times the name itself.
//! * **Births.** Another day (30), another month (11), a mistyped year (some 20), day and month
//!   swapped (1): some 65 dates, each as common as the date itself.
//! * **Numbers and addresses.** Neighbours have them: a stranger of the same exchange is one digit away
//!   from our number, a stranger of the same block from our door. So they are as common as the list's
//!   rows of our postcode (one in a hundred where the list has no postcodes), and a number at the least as
//!   common as strangers' numbers of its block in the list. A canary that nearly its number shows counts
//!   where chance would show none of all canaries so.
//! * **Mail addresses.** A mailbox at our domain is ours; but ours may be one of a large provider's.
//!
//! The calibration beside this file counts the chance agreements of unrelated tables, exact and near, per
//! combination of marks, and holds them against what is said here.

#[cfg(test)]
mod calibration;

use std::collections::HashSet;

use super::super::mark::{Agreed, Group, Mark};
use super::super::normalise::Class;
use super::super::scan::{Tally, Together, stood_for};
use super::super::watch::{Watch, Watched};

/// A mail address at a domain of ours, met by chance: its domain had another owner, or it is a guess.
const EMAIL: f64 = 1e-9;
/// A number of ours, met by chance: somebody had it before, one of the some 10^8 people of a country.
const PHONE: f64 = 1e-8;
/// A unit of ours, met by chance: somebody lived there before, one of some 10^7 households, or the
/// list leaves out the city and another town has the same street.
const ADDRESS: f64 = 1e-7;
/// A child's given name, once its family name is known: the commonest names of a year are borne by
/// one child in a hundred.
const GIVEN: f64 = 1e-2;
/// A given name that shares a letter with a child's, once its family name is known.
const NEAR_GIVEN: f64 = 0.1;
/// How many values are a slip away from a name and as common, at the least.
const NEAR_NAMES: f64 = 20.0;
/// How many dates are a slip away from a date.
const NEAR_BIRTHS: f64 = 65.0;
/// Our neighbours' share of a list that does not show where people live.
const NEIGHBOURS: f64 = 1e-2;
/// Numbers a digit away from ours, among those of people who live where we do.
const NEAR_PHONES: f64 = 5e-3;
/// How much likelier two personal marks are together than apart, at the most: given names come in
/// fashions that follow birth years, family names and postcodes in regions.
const HANG_TOGETHER: f64 = 10.0;
/// The same, at the least, where the list's own rows bound it: they say what holds on the average of
/// people, and a canary may be of a fashion.
const HANG_AT_LEAST: f64 = 2.0;

/// How common a value is where the list itself is too short to say: the commonest names, readings,
/// birthdays (of a list of ten school years) and postcodes of a country.
fn common(mark: Mark) -> f64 {
    match mark {
        Mark::Name | Mark::ChildName => 1e-4,
        Mark::Kana | Mark::ChildKana => 2e-4,
        Mark::Birth | Mark::ChildBirth => 1.0 / 3_650.0,
        Mark::ChildGiven => GIVEN,
        Mark::Block => 1e-5,
        Mark::Postcode => 1e-3,
        Mark::Email => EMAIL,
        Mark::Phone => PHONE,
        Mark::Address => ADDRESS,
    }
}

/// Frequencies in one list.
pub struct Rarity<'a> {
    pub watch: &'a Watch,
    pub tally: &'a Tally,
    /// For how many rows those stand whose filled cells were counted.
    pub looked: f64,
    together: Together,
}

impl<'a> Rarity<'a> {
    pub fn new(watch: &'a Watch, tally: &'a Tally) -> Rarity<'a> {
        let looked = tally.parts.iter().map(|part| stood_for(part.rows));
        Rarity {
            watch,
            tally,
            looked: looked.sum::<u64>().max(1) as f64,
            together: tally.sample.together(),
        }
    }
}

impl Rarity<'_> {
    /// How much likelier a group's marks are beside those before them than alone: what the list's own
    /// sample bounds, else the reference. Near marks are a neighbour's, which no sample shows.
    fn hang_together(&self, before: &[Mark], group: &[Mark]) -> f64 {
        let pairs = before.iter().flat_map(|one| {
            group
                .iter()
                .map(move |other| (Class::of(*one), Class::of(*other)))
        });
        let factors = pairs.map(|(one, other)| {
            let seen = self.together.of(one, other);
            seen.map_or(HANG_TOGETHER, |factor| factor.max(HANG_AT_LEAST))
        });
        factors.reduce(f64::max).unwrap_or(HANG_TOGETHER)
    }

    fn rows(&self) -> f64 {
        self.tally.rows.max(1) as f64
    }

    /// The chance that one row bears a value.
    fn value(&self, mark: Mark, value: u32) -> f64 {
        let rows = self.rows();
        if mark.is_owned() {
            // A value that stands in many rows without its holders' other marks is a common text,
            // whatever we own. Leaked rows stand there too, so some per holder are expected.
            let holders = self.watch.holders(value).len() as f64;
            let alone = self.tally.alone.of(value) as f64;
            let common = common(mark).max((alone - 10.0 * holders) / rows);
            return common.max(self.dialled(value));
        }
        // One row more than were seen, and as many rows before them as make it common.
        let share = |count: u64| (count as f64 + 1.0) / (rows + 1.0 / common(mark));
        match self.watch.blind {
            None => share(self.tally.counts.of(value)),
            // A watch list counts values with others, and knows of a rare one only that it is not common.
            Some(_) => share(self.tally.crowds.rows(value)).max(common(mark)),
        }
    }

    /// The chance of a number in a list that holds its neighbours, as one does that a dialling machine
    /// has made: so many strangers have the block's other numbers, and as often somebody has ours. The
    /// fullest of the blocks around it counts.
    fn dialled(&self, value: u32) -> f64 {
        let others = self.watch.others_in_blocks();
        let full = self.blocks(value).map(|block| {
            let rows = self.tally.neighbours[block] as f64;
            rows / f64::from(others[block].max(1))
        });
        full.fold(0.0, f64::max) / self.rows()
    }

    /// The blocks that a number of ours stands in, the largest first; what is no number has none.
    fn blocks(&self, value: u32) -> impl Iterator<Item = usize> {
        let class = self.watch.values[value as usize].class;
        let text = self.watch.text(value).into_iter();
        text.flat_map(move |text| self.watch.blocks_of(class, text))
            .map(|block| block as usize)
    }

    /// The chance of one mark of a canary; the commonest of several children's. A row that agrees with any
    /// version of a canary agrees with it, so the chances of its versions' values add up.
    fn mark(&self, canary: &Watched, mark: Mark) -> f64 {
        let values = self
            .watch
            .values_of(canary)
            .filter(|(found, _)| *found == mark);
        let chances = values.map(|(_, value)| self.value(mark, value));
        let most = match canary.versions().len() {
            0 | 1 => chances.fold(0.0, f64::max),
            _ => chances.sum::<f64>().min(1.0),
        };
        if mark == Mark::ChildGiven {
            most.max(GIVEN)
        } else {
            most
        }
    }

    /// The chance that one row bears a value a slip away from a canary's.
    fn near(&self, canary: &Watched, mark: Mark) -> f64 {
        let chance = match mark {
            Mark::Name | Mark::ChildName => (NEAR_NAMES * self.mark(canary, mark)).max(2e-3),
            Mark::Kana | Mark::ChildKana => (NEAR_NAMES * self.mark(canary, mark)).max(4e-3),
            Mark::Birth | Mark::ChildBirth => NEAR_BIRTHS * self.mark(canary, mark),
            Mark::Phone => (NEAR_PHONES * self.neighbours(canary))
                .max(self.in_block(canary))
                .max(1e-5),
            Mark::Email => 1e-5,
            Mark::Address => self.neighbours(canary).max(1e-4),
            Mark::ChildGiven | Mark::Block | Mark::Postcode => 1.0,
        };
        chance.min(1.0)
    }

    /// The share of the list's rows that have a stranger's number of a block that one of ours stands in.
    fn in_block(&self, canary: &Watched) -> f64 {
        let values = self.watch.values_of(canary);
        let smallest = values.filter_map(|(_, value)| self.blocks(value).last());
        let rows = smallest.map(|block| self.tally.neighbours[block]);
        rows.max().unwrap_or_default() as f64 / self.rows()
    }

    /// The share of the list's rows that are where a canary's contact points are.
    fn neighbours(&self, canary: &Watched) -> f64 {
        let shown = self.tally.filled[Class::Postcode as usize] as f64 > self.rows() / 2.0;
        if shown && self.watch.marks_of(canary).has(Mark::Postcode) {
            self.mark(canary, Mark::Postcode)
        } else {
            NEIGHBOURS
        }
    }

    /// log10 of the chance that one row agrees with a canary on all of some marks. Owned values in
    /// `spent` have been counted with another canary that shares them, and are certain.
    pub fn log10_rmp(
        &self,
        canary: &Watched,
        agreed: impl Into<Agreed>,
        spent: &HashSet<u32>,
    ) -> f64 {
        let agreed: Agreed = agreed.into();
        let mut product = 1.0_f64;
        let mut personal = 0;
        let mut before: Vec<Mark> = Vec::new();
        let mut seen: Vec<Group> = Vec::new();
        for group in agreed.all().iter().map(Mark::group) {
            if seen.contains(&group) {
                continue;
            }
            seen.push(group);
            // Of marks that hang together the rarest stands for all.
            let of = |mark: &Mark| mark.group() == group;
            let exact = agreed.exact.iter().filter(of);
            let near = agreed.near.iter().filter(of);
            let mut rarest = exact
                .map(|mark| self.mark(canary, mark))
                .chain(near.map(|mark| self.near(canary, mark)))
                .fold(1.0, f64::min);
            let exactly = agreed.exact.iter().any(|mark| of(&mark));
            if group == Group::Child && seen.contains(&Group::Customer) {
                // The family name has been counted with the customer's.
                rarest = rarest.max(if exactly { GIVEN } else { NEAR_GIVEN });
            }
            let owned = agreed.all().iter().any(|mark| of(&mark) && mark.is_owned());
            if owned && self.is_spent(canary, group, spent) {
                continue;
            }
            // What is nearly ours is a neighbour's, and hangs together with all else that is local.
            if !(owned && exactly) {
                personal += 1;
                let marks: Vec<Mark> = agreed.exact.iter().filter(of).collect();
                if personal > 1 {
                    rarest = (rarest * self.hang_together(&before, &marks)).min(1.0);
                }
                before.extend(marks);
            }
            product *= rarest;
        }
        product.log10()
    }

    fn is_spent(&self, canary: &Watched, group: Group, spent: &HashSet<u32>) -> bool {
        self.watch
            .values_of(canary)
            .any(|(mark, value)| mark.is_owned() && mark.group() == group && spent.contains(&value))
    }

    /// log10 of the chance that any row of the list agrees by chance: at most rows times as much.
    pub fn log10_in_list(&self, log10_rmp: f64) -> f64 {
        (log10_rmp + self.rows().log10()).min(0.0)
    }
}
