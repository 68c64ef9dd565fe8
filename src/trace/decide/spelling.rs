//! Raw notation as evidence of its own: a row that repeats the very spelling that was planted.
//!
//! Two questions of one found canary and one mark that agrees exactly. How likely would a stranger's
//! row of this list, equal after folding, be spelt just so (r)? At most as often as the list writes
//! values in that shape; and where the canary's building has a name of its own, at most as often as one of
//! the names that the building goes by. How likely is it in a list that comes from the source? Nobody
//! knows whether somebody rewrote it on the way, so it is predicted from the canaries found before (rule
//! of succession): a list that keeps notation shows that soon, and so does one that does not.
//!
//! The ratios of one mark multiply over canaries. Marks of one row are written by one hand, so they are
//! not multiplied but averaged; and half of the prior is on 'notation says nothing here'. Products and
//! averages of likelihood ratios are likelihood ratios, so what is bounded in [`weigh`](super::weigh) stays
//! bounded, and a list whose notation was rewritten throughout costs its source a factor of two at the
//! most.

use std::collections::{HashMap, HashSet};

use super::super::mark::{Mark, Marks};
use super::super::scan::Claim;
use super::super::watch::Watched;
use super::rarity::Rarity;

/// No spelling is rarer than this: rows are copied from one another, and a clerk's habits are not known.
const RAREST: f64 = 0.01;

/// How one mark of a found canary is spelt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spelt {
    pub mark: Mark,
    pub as_planted: bool,
    /// How often a stranger's equal value would be.
    pub by_chance: f64,
}

/// What is asked of the canaries of one list; keeps the names of each building.
pub struct Spelling<'a> {
    rarity: &'a Rarity<'a>,
    buildings: HashMap<u32, HashMap<String, HashSet<u32>>>,
}

impl<'a> Spelling<'a> {
    pub fn new(rarity: &'a Rarity<'a>) -> Spelling<'a> {
        Spelling {
            rarity,
            buildings: HashMap::new(),
        }
    }

    /// How each mark of a claim that can be spelt in several ways is spelt.
    pub fn of(&mut self, canary: u32, claim: &Claim, as_planted: Marks) -> Vec<Spelt> {
        let watch = self.rarity.watch;
        let watched = &watch.canaries[canary as usize];
        let mut spelt = Vec::new();
        for mark in claim.marks.iter().filter(|mark| *mark != Mark::Block) {
            let values = watch.values_of(watched).filter(|(found, _)| *found == mark);
            let mut by_chance: f64 = 0.0;
            for (_, index) in values {
                let value = &watch.values[index as usize];
                let Some(text) = watch.text(index) else {
                    continue;
                };
                let holders = watch.held_by(index, canary);
                let holders = holders.filter(|holder| holder.mark() == mark);
                for written in holders.flat_map(|holder| watch.written(holder)) {
                    let shapes = &self.rarity.tally.shapes;
                    by_chance = by_chance.max(shapes.share(value.class, text, written));
                }
            }
            if mark == Mark::Address {
                by_chance = by_chance.min(self.building(canary, watched));
            }
            // What was never written down, nobody can repeat.
            if by_chance > 0.0 {
                spelt.push(Spelt {
                    mark,
                    as_planted: as_planted.has(mark),
                    by_chance: by_chance.max(RAREST),
                });
            }
        }
        spelt
    }

    /// One of the names that a canary's building goes by, where its own is nobody else's; else 1.
    fn building(&mut self, canary: u32, watched: &Watched) -> f64 {
        let watch = self.rarity.watch;
        let place = [Mark::Block, Mark::Address].into_iter().find_map(|mark| {
            let value = watch.values_of(watched).find(|(found, _)| *found == mark);
            value.map(|(_, value)| value)
        });
        let Some(place) = place else { return 1.0 };
        let names = self.buildings.entry(place).or_insert_with(|| {
            let mut names: HashMap<String, HashSet<u32>> = HashMap::new();
            for holder in watch.holders(place) {
                for name in watch.buildings(holder) {
                    names.entry(name).or_default().insert(holder.canary);
                }
            }
            names
        });
        let own = |bearers: &HashSet<u32>| bearers.len() == 1 && bearers.contains(&canary);
        if names.len() > 1 && names.values().any(own) {
            1.0 / names.len() as f64
        } else {
            1.0
        }
    }
}

/// The evidence of the spelling of one source's canaries.
#[derive(Clone, Debug, Default)]
pub struct Spellings {
    /// For each mark: canaries spelt as planted, canaries, log10 of the ratio.
    marks: HashMap<Mark, (f64, f64, f64)>,
}

impl Spellings {
    /// One canary more.
    pub fn see(&mut self, spelt: &[Spelt]) {
        for Spelt {
            mark,
            as_planted,
            by_chance,
        } in spelt
        {
            let (kept, all, log10) = self.marks.entry(*mark).or_default();
            let keeps = (*kept + 0.5) / (*all + 1.0);
            *log10 += if *as_planted {
                (keeps / by_chance).log10()
            } else {
                // A stranger's is not spelt so with certainty at the most.
                (1.0 - keeps).log10()
            };
            *kept += f64::from(u8::from(*as_planted));
            *all += 1.0;
        }
    }

    /// log10 of the ratio of all; never below that of 'notation says nothing'.
    pub fn log10(&self) -> f64 {
        let ratios = self.marks.values().map(|(_, _, log10)| *log10);
        let best = ratios.clone().fold(0.0, f64::max);
        let relative = |log10: f64| 10_f64.powf(log10 - best);
        let mean = match self.marks.len() {
            0 => relative(0.0),
            marks => ratios.map(relative).sum::<f64>() / marks as f64,
        };
        best + (0.5 * relative(0.0) + 0.5 * mean).log10()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn spelt(mark: Mark, as_planted: bool, by_chance: f64) -> Spelt {
        Spelt {
            mark,
            as_planted,
            by_chance,
        }
    }

    fn after(canaries: impl Iterator<Item = Vec<Spelt>>) -> f64 {
        let mut spellings = Spellings::default();
        canaries.for_each(|spelt| spellings.see(&spelt));
        spellings.log10()
    }

    #[test]
    fn a_rewritten_list_costs_at_most_a_factor_of_two() {
        let rewritten = (0..500).map(|_| vec![spelt(Mark::Name, false, 0.01)]);
        assert!((-0.302..0.0).contains(&after(rewritten)));
        assert_eq!(after(std::iter::empty()), 0.0);
    }

    #[test]
    fn what_everybody_writes_so_says_nothing() {
        let common = (0..50).map(|_| vec![spelt(Mark::Phone, true, 1.0)]);
        assert!(after(common) <= 0.0);
    }

    #[test]
    fn rare_spellings_that_were_kept_weigh() {
        // The addresses were rewritten, the names were not.
        let kept = |n: usize| {
            let canary = |_| {
                vec![
                    spelt(Mark::Name, true, 0.02),
                    spelt(Mark::Address, false, 0.01),
                ]
            };
            after((0..n).map(canary))
        };
        assert!(kept(1) > 0.5, "{}", kept(1));
        assert!(kept(10) > 12.0, "{}", kept(10));
    }

    /// A stranger's rows reach a ratio of t in one list of t at the most, though all the marks of a row
    /// are spelt by the same hand.
    #[test]
    fn strangers_are_seldom_spelt_as_planted() {
        const LISTS: usize = 20_000;
        let mut rng = StdRng::seed_from_u64(4);
        let (mut sum, mut reached) = (0.0, [(10.0, 0_usize), (100.0, 0)]);
        for _ in 0..LISTS {
            let canaries = rng.random_range(1..6);
            let log10 = after((0..canaries).map(|_| {
                let by_chance = rng.random_range(0.02..0.5);
                let as_planted = rng.random_bool(by_chance);
                [Mark::Name, Mark::Phone, Mark::Address]
                    .map(|mark| spelt(mark, as_planted, by_chance))
                    .to_vec()
            }));
            let ratio = 10_f64.powf(log10);
            sum += ratio;
            for (threshold, times) in &mut reached {
                *times += usize::from(ratio >= *threshold);
            }
        }
        assert!(sum / LISTS as f64 <= 1.1, "{}", sum / LISTS as f64);
        for (threshold, times) in reached {
            let stated = LISTS as f64 / threshold;
            assert!(
                times as f64 <= stated + 3.0 * stated.sqrt(),
                "{times} reach {threshold}"
            );
        }
    }
}
