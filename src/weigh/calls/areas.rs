//! Sweeps: one stranger calls the whole pool, or those of its numbers that lie in one area.

use std::collections::BTreeMap;

use super::Line;
use super::events::Several;
use super::likelihood::Chance;
use crate::weigh::grid::{Sum, chances};

/// Numbers of one area begin with so many characters alike (+8130, +1202).
const AREA: usize = 5;

/// In which area each line lies, and how many lie in each.
pub(super) struct Areas {
    of: Vec<usize>,
    sizes: Vec<f64>,
}

impl Areas {
    pub(super) fn of(lines: &[Line]) -> Areas {
        let area = |line: &Line| line.number.chars().take(AREA).collect::<String>();
        let mut names: Vec<String> = lines.iter().map(area).collect();
        names.sort_unstable();
        names.dedup();
        let of = lines.iter().map(area);
        let of: Vec<usize> = of
            .map(|name| names.partition_point(|one| *one < name))
            .collect();
        let mut sizes = vec![0.0; names.len()];
        of.iter().for_each(|area| sizes[*area] += 1.0);
        Areas { of, sizes }
    }

    /// The logarithm of the chance that a sweep reaches just these.
    pub(super) fn ln_sweep(&self, one: &Several) -> f64 {
        let reached = f64::from(one.reached);
        // Of a large pool each part is far too small for a float.
        let of = |all: f64, to: &mut Sum| {
            for (chance, part) in chances() {
                let ln = reached * chance.ln() + (all - reached) * (-chance).ln_1p();
                to.add((part / 2.0).ln() + ln);
            }
        };
        let mut sum = Sum::default();
        of(self.sizes.iter().sum(), &mut sum);
        let area = self.of[one.all[0]];
        if one.all.iter().all(|line| self.of[*line] == area) {
            of(self.sizes[area], &mut sum);
        }
        sum.ln()
    }

    /// The same where the caller shows another number each time: the logarithm of how much better a sweep explains
    /// what came, its mean over every sweep that there may be.
    pub(super) fn ln_swept(&self, came: &[Chance]) -> f64 {
        // Of each area that was reached: how many of its numbers were not, and what a list makes of the others.
        let mut reached: BTreeMap<usize, (f64, Vec<f64>)> = BTreeMap::new();
        for (area, chance) in self.of.iter().zip(came) {
            if chance.listed > 0.0 {
                let one = reached.entry(*area);
                let (silent, listed) = one.or_insert_with(|| (self.sizes[*area], Vec::new()));
                *silent -= 1.0;
                listed.push(chance.listed);
            }
        }
        // Those that were not reached are alike where they are as large.
        let mut untouched: BTreeMap<u64, f64> = BTreeMap::new();
        for (area, size) in self.sizes.iter().enumerate() {
            if !reached.contains_key(&area) {
                *untouched.entry(*size as u64).or_default() += 1.0;
            }
        }
        let each = 0.5 / self.sizes.len() as f64;
        let mut sum = Sum::default();
        for (chance, part) in chances() {
            let missed = (-chance).ln_1p();
            let mut whole = 0.0;
            for (silent, listed) in reached.values() {
                let hits = listed
                    .iter()
                    .map(|more| (1.0 - chance + chance * more).ln());
                let ln = silent * missed + hits.sum::<f64>();
                sum.add((part * each).ln() + ln);
                whole += ln;
            }
            for (size, areas) in &untouched {
                let ln = *size as f64 * missed;
                sum.add((part * each * areas).ln() + ln);
                whole += ln * areas;
            }
            sum.add((part * 0.5).ln() + whole);
        }
        sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_through_a_large_pool_stays_possible() {
        let areas = Areas {
            of: vec![0; 10_000],
            sizes: vec![10_000.0],
        };
        let one = Several {
            all: (0..5_000).collect(),
            reached: 5_000,
            ..Several::default()
        };
        let ln = areas.ln_sweep(&one);
        // Half of so many: about the entropy of so many throws of a coin.
        assert!((-7_100.0..-6_900.0).contains(&ln), "{ln}");
    }

    /// Every sweep looked at by itself.
    fn one_by_one(areas: &Areas, came: &[Chance]) -> f64 {
        let mut sum = Sum::default();
        let reached = |within: &dyn Fn(usize) -> bool, chance: f64| {
            let lines = areas.of.iter().zip(came).filter(|(area, _)| within(**area));
            let each = lines.map(|(_, came)| match came.listed > 0.0 {
                true => (1.0 - chance + chance * came.listed).ln(),
                false => (1.0 - chance).ln(),
            });
            each.sum::<f64>()
        };
        for (chance, part) in chances() {
            for area in 0..areas.sizes.len() {
                let ln = reached(&|one| one == area, chance);
                sum.add((part / 2.0 / areas.sizes.len() as f64).ln() + ln);
            }
            sum.add((part / 2.0).ln() + reached(&|_| true, chance));
        }
        sum.ln()
    }

    #[test]
    fn areas_that_are_alike_count_as_each_would() {
        let of = vec![0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4];
        let mut sizes = vec![0.0; 5];
        of.iter().for_each(|area: &usize| sizes[*area] += 1.0);
        let areas = Areas { of, sizes };
        for hits in [&[][..], &[0], &[0, 1, 5], &[0, 3, 7, 9, 10]] {
            let came: Vec<Chance> = (0..11)
                .map(|line| Chance {
                    ln: 0.0,
                    listed: if hits.contains(&line) {
                        40.0 + line as f64
                    } else {
                        0.0
                    },
                })
                .collect();
            let (now, then) = (areas.ln_swept(&came), one_by_one(&areas, &came));
            assert!((now - then).abs() < 1e-9, "{hits:?}: {now} {then}");
        }
    }
}
