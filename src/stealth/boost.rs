//! Gradient boosted trees on binned features: the thief who knows some canaries.
//!
//! Logistic loss, second-order gains, histograms of quantile bins, trees grown level by level (Friedman,
//! "Greedy function approximation: a gradient boosting machine", 2001; the gains are those of Chen and
//! Guestrin, "XGBoost", 2016). Small, since it sees some ten thousand rows, and seeded, since a finding
//! must come again.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};

/// Quantile bins of a feature; bin 0 is "none".
const BINS: usize = 32;

/// Features cut into bins, column by column.
pub(super) struct Binned {
    columns: Vec<Vec<u8>>,
    rows: usize,
}

impl Binned {
    /// Cuts features at their quantiles; NaN is "none".
    pub(super) fn of(features: &[Vec<f32>]) -> Binned {
        Binned {
            rows: features.first().map_or(0, Vec::len),
            columns: features.iter().map(|values| bins(values)).collect(),
        }
    }
}

/// The numbers among them, in order.
pub(super) fn sorted(values: &[f32]) -> Vec<f32> {
    let numbers = values.iter().copied().filter(|value| !value.is_nan());
    let mut sorted: Vec<f32> = numbers.collect();
    sorted.sort_unstable_by(f32::total_cmp);
    sorted
}

fn bins(values: &[f32]) -> Vec<u8> {
    let sorted = sorted(values);
    let mut cuts: Vec<f32> = (1..BINS - 1)
        .filter_map(|part| sorted.get(part * sorted.len() / (BINS - 1)).copied())
        .collect();
    cuts.dedup();
    // A value that few rows have must not vanish in the bin of a common one.
    if let (Some(first), Some(last)) = (sorted.first(), sorted.last()) {
        if cuts.first() == Some(first) {
            cuts.remove(0);
        }
        if cuts.last().is_none_or(|cut| cut < last) && cuts.len() < BINS - 2 && sorted.len() > 1 {
            let below = sorted.partition_point(|value| value < last);
            if below > 0 && cuts.last().is_none_or(|cut| *cut <= sorted[below - 1]) {
                cuts.push(*last);
            }
        }
    }
    values
        .iter()
        .map(|value| match value.is_nan() {
            true => 0,
            false => 1 + cuts.partition_point(|cut| cut <= value) as u8,
        })
        .collect()
}

/// How the trees are grown.
pub(super) struct Settings {
    pub(super) trees: usize,
    pub(super) depth: usize,
    pub(super) rate: f64,
    /// Share of the rows and of the features that a tree sees.
    pub(super) rows: f64,
    pub(super) features: f64,
}

const RIDGE: f64 = 5.0;
/// Rows weighed by p(1-p), at least, on either side of a split.
const LEAST: f64 = 0.5;
const LEAST_ROWS: u32 = 10;

/// Trees that tell canaries from customers.
pub(super) struct Boost {
    start: f64,
    trees: Vec<Tree>,
    /// What each feature added.
    pub(super) gain: Vec<f64>,
}

/// Nodes of a full binary tree; a node's children stand at 2i+1 and 2i+2.
struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
enum Node {
    Split { feature: u32, bin: u8 },
    Leaf(f64),
}

#[derive(Clone, Copy, Default)]
struct Sum {
    g: f64,
    h: f64,
    rows: u32,
}

impl Sum {
    fn score(self) -> f64 {
        self.g * self.g / (self.h + RIDGE)
    }
    fn and(self, other: Sum) -> Sum {
        Sum {
            g: self.g + other.g,
            h: self.h + other.h,
            rows: self.rows + other.rows,
        }
    }
    fn less(self, other: Sum) -> Sum {
        Sum {
            g: self.g - other.g,
            h: self.h - other.h,
            rows: self.rows - other.rows,
        }
    }
}

impl Boost {
    /// Learns which of the rows `learn` are canaries.
    pub(super) fn learn<R: Rng + ?Sized>(
        table: &Binned,
        learn: &[u32],
        canary: &[bool],
        settings: &Settings,
        rng: &mut R,
    ) -> Boost {
        let found = learn.iter().filter(|row| canary[**row as usize]).count();
        let share = (found as f64 / learn.len().max(1) as f64).clamp(1e-6, 1.0 - 1e-6);
        let mut boost = Boost {
            start: (share / (1.0 - share)).ln(),
            trees: Vec::new(),
            gain: vec![0.0; table.columns.len()],
        };
        if found == 0 || found == learn.len() {
            return boost;
        }
        let mut margin = vec![boost.start; table.rows];
        let mut slopes = vec![(0.0f32, 0.0f32); table.rows];
        let all: Vec<u32> = (0..table.columns.len() as u32).collect();
        let many = ((all.len() as f64 * settings.features).ceil() as usize).max(1);
        for _ in 0..settings.trees {
            for row in learn {
                let at = *row as usize;
                let p = 1.0 / (1.0 + (-margin[at]).exp());
                let truth = f64::from(u8::from(canary[at]));
                slopes[at] = ((p - truth) as f32, (p * (1.0 - p)) as f32);
            }
            let rows: Vec<u32> = learn
                .iter()
                .copied()
                .filter(|_| rng.random_bool(settings.rows))
                .collect();
            let features: Vec<u32> = all.sample(rng, many).copied().collect();
            let tree = boost.grow(table, rows, &features, &slopes, settings);
            for row in learn {
                margin[*row as usize] += tree.value(table, *row as usize);
            }
            boost.trees.push(tree);
        }
        boost
    }

    fn grow(
        &mut self,
        table: &Binned,
        rows: Vec<u32>,
        features: &[u32],
        slopes: &[(f32, f32)],
        settings: &Settings,
    ) -> Tree {
        let size = (1 << (settings.depth + 1)) - 1;
        let mut nodes = vec![Node::Leaf(0.0); size];
        let mut standing: Vec<(usize, Vec<u32>)> = vec![(0, rows)];
        while let Some((at, rows)) = standing.pop() {
            let whole = rows.iter().fold(Sum::default(), |sum, row| {
                let (g, h) = slopes[*row as usize];
                sum.and(Sum {
                    g: f64::from(g),
                    h: f64::from(h),
                    rows: 1,
                })
            });
            let deeper = 2 * at + 2 < size;
            let best = deeper
                .then(|| best_split(table, &rows, features, slopes, whole))
                .flatten();
            match best {
                None => nodes[at] = Node::Leaf(-settings.rate * whole.g / (whole.h + RIDGE)),
                Some((gain, feature, bin)) => {
                    self.gain[feature as usize] += gain;
                    nodes[at] = Node::Split { feature, bin };
                    let column = &table.columns[feature as usize];
                    let (left, right): (Vec<u32>, Vec<u32>) =
                        rows.iter().partition(|row| column[**row as usize] <= bin);
                    standing.push((2 * at + 1, left));
                    standing.push((2 * at + 2, right));
                }
            }
        }
        Tree { nodes }
    }

    /// How much a row looks like a canary, as log odds.
    pub(super) fn score(&self, table: &Binned, row: usize) -> f64 {
        let trees = self.trees.iter().map(|tree| tree.value(table, row));
        self.start + trees.sum::<f64>()
    }
}

fn best_split(
    table: &Binned,
    rows: &[u32],
    features: &[u32],
    slopes: &[(f32, f32)],
    whole: Sum,
) -> Option<(f64, u32, u8)> {
    if rows.len() < 2 * LEAST_ROWS as usize {
        return None;
    }
    let mut best: Option<(f64, u32, u8)> = None;
    for feature in features {
        let column = &table.columns[*feature as usize];
        let mut sums = [(0.0f32, 0.0f32, 0u32); BINS];
        for row in rows {
            let at = *row as usize;
            let sum = &mut sums[column[at] as usize];
            sum.0 += slopes[at].0;
            sum.1 += slopes[at].1;
            sum.2 += 1;
        }
        let mut left = Sum::default();
        for (bin, (g, h, rows)) in sums.iter().enumerate().take(BINS - 1) {
            if *rows == 0 {
                continue;
            }
            left = left.and(Sum {
                g: f64::from(*g),
                h: f64::from(*h),
                rows: *rows,
            });
            if left.rows >= whole.rows {
                break;
            }
            let right = whole.less(left);
            let few = left.rows.min(right.rows) < LEAST_ROWS || left.h.min(right.h) < LEAST;
            if few {
                continue;
            }
            let gain = left.score() + right.score() - whole.score();
            if gain > best.map_or(1e-9, |(gain, ..)| gain) {
                best = Some((gain, *feature, bin as u8));
            }
        }
    }
    best
}

impl Tree {
    fn value(&self, table: &Binned, row: usize) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf(value) => return value,
                Node::Split { feature, bin } => {
                    let left = table.columns[feature as usize][row] <= bin;
                    at = 2 * at + if left { 1 } else { 2 };
                }
            }
        }
    }
}

/// Numbers below `n` in a random order.
pub(super) fn shuffled<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(rng);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// A canary where two features agree: neither tells by itself.
    fn crossed(n: usize) -> (Vec<Vec<f32>>, Vec<bool>) {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let features: Vec<Vec<f32>> = (0..6)
            .map(|_| (0..n).map(|_| rng.random_range(-1.0..1.0)).collect())
            .collect();
        let canary = (0..n)
            .map(|at| (features[1][at] > 0.0) == (features[4][at] > 0.0))
            .collect();
        (features, canary)
    }

    #[test]
    fn a_mark_that_only_two_features_together_show_is_learnt_and_named() {
        let (features, canary) = crossed(4000);
        let table = Binned::of(&features);
        let settings = Settings {
            trees: 60,
            depth: 3,
            rate: 0.2,
            rows: 0.8,
            features: 0.7,
        };
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let learn: Vec<u32> = (0..2000).collect();
        let boost = Boost::learn(&table, &learn, &canary, &settings, &mut rng);
        let right = (2000..4000)
            .filter(|row| (boost.score(&table, *row) > 0.0) == canary[*row])
            .count();
        assert!(right > 1850, "{right} of 2000");
        let mut order: Vec<usize> = (0..6).collect();
        order.sort_by(|a, b| boost.gain[*b].total_cmp(&boost.gain[*a]));
        order.truncate(2);
        order.sort_unstable();
        assert_eq!(order, [1, 4]);
    }

    #[test]
    fn bins_keep_none_apart_and_follow_the_order_of_values() {
        let values = [f32::NAN, 3.0, 1.0, 1.0, 2.0, 1000.0];
        let bins = bins(&values);
        assert_eq!(bins[0], 0);
        assert!(bins[2] == bins[3] && bins[2] < bins[4] && bins[4] < bins[1] && bins[1] < bins[5]);
        // A rare one beside a value that nearly all rows have.
        let mut many = vec![0.0f32; 1000];
        many[17] = 1.0;
        assert_eq!(super::bins(&many)[17], super::bins(&many)[0] + 1);
    }
}
