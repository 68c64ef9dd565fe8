//! Sweeps: one stranger calls the whole pool, or those of its numbers that lie in one area.

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

    /// The same where the caller shows another number each time: every sweep that there may be, with its chance and
    /// the logarithm of how much better it explains what came.
    pub(super) fn swept(&self, came: &[Chance]) -> Vec<(f64, f64)> {
        let hits: Vec<(usize, f64)> = (self.of.iter().zip(came))
            .filter(|(_, chance)| chance.listed > 0.0)
            .map(|(area, chance)| (*area, chance.listed))
            .collect();
        let areas = self.sizes.len() as f64;
        let mut sweeps = Vec::new();
        for (chance, part) in chances() {
            let mut whole = 0.0;
            for (area, size) in self.sizes.iter().enumerate() {
                let hits = hits.iter().filter(|(of, _)| *of == area);
                let silent = size - hits.clone().count() as f64;
                let hits = hits.map(|(_, listed)| (1.0 - chance + chance * listed).ln());
                let ln = silent * (-chance).ln_1p() + hits.sum::<f64>();
                sweeps.push((part / 2.0 / areas, ln));
                whole += ln;
            }
            sweeps.push((part / 2.0, whole));
        }
        sweeps
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
}
