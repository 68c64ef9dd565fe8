//! The thief who knows no canary: rows that are easily set apart from all others.
//!
//! An isolation forest (Liu, Ting and Zhou, "Isolation forest", ICDM 2008): the fewer random cuts part a row
//! from the rest, the stranger it is.

use rand::seq::index;
use rand::{Rng, RngExt};

use super::boost::sorted;

const TREES: usize = 200;
const SAMPLE: usize = 512;

enum Node {
    Cut {
        feature: usize,
        at: f32,
        left: usize,
        right: usize,
    },
    /// Rows of the sample that were never parted.
    End(usize),
}

/// How strange each row is, from 0 to 1. Features are column by column; NaN counts as the median.
pub(super) fn strangeness<R: Rng + ?Sized>(features: &[&[f32]], rng: &mut R) -> Vec<f64> {
    let rows = features.first().map_or(0, |values| values.len());
    if rows == 0 {
        return Vec::new();
    }
    let filled: Vec<Vec<f32>> = features.iter().map(|values| filled(values)).collect();
    let size = SAMPLE.min(rows);
    let limit = (size as f64).log2().ceil() as usize;
    let mut depth = vec![0.0; rows];
    for _ in 0..TREES {
        let sample = index::sample(rng, rows, size).into_vec();
        let mut nodes = Vec::new();
        grow(&filled, sample, limit, &mut nodes, rng);
        for (row, depth) in depth.iter_mut().enumerate() {
            *depth += path(&filled, &nodes, row);
        }
    }
    let norm = mean_path(size).max(1e-9) * TREES as f64;
    depth
        .into_iter()
        .map(|sum| 2f64.powf(-sum / norm))
        .collect()
}

fn filled(values: &[f32]) -> Vec<f32> {
    let sorted = sorted(values);
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    values
        .iter()
        .map(|value| if value.is_nan() { middle } else { *value })
        .collect()
}

/// Returns the place of the node that was made.
fn grow<R: Rng + ?Sized>(
    features: &[Vec<f32>],
    rows: Vec<usize>,
    deeper: usize,
    nodes: &mut Vec<Node>,
    rng: &mut R,
) -> usize {
    let own = nodes.len();
    nodes.push(Node::End(rows.len()));
    if rows.len() < 2 || deeper == 0 {
        return own;
    }
    // A feature that these rows share cannot part them: another is tried.
    for _ in 0..10 {
        let feature = rng.random_range(0..features.len());
        let values = rows.iter().map(|row| features[feature][*row]);
        let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low >= high {
            continue;
        }
        let at = rng.random_range(low..high);
        let (under, over): (Vec<usize>, Vec<usize>) =
            rows.iter().partition(|row| features[feature][**row] <= at);
        let left = grow(features, under, deeper - 1, nodes, rng);
        let right = grow(features, over, deeper - 1, nodes, rng);
        nodes[own] = Node::Cut {
            feature,
            at,
            left,
            right,
        };
        break;
    }
    own
}

fn path(features: &[Vec<f32>], nodes: &[Node], row: usize) -> f64 {
    let (mut at, mut depth) = (0, 0.0);
    loop {
        match &nodes[at] {
            Node::End(rows) => return depth + mean_path(*rows),
            Node::Cut {
                feature,
                at: cut,
                left,
                right,
            } => {
                depth += 1.0;
                at = if features[*feature][row] <= *cut {
                    *left
                } else {
                    *right
                };
            }
        }
    }
}

/// Mean depth of an unsuccessful search in a random binary tree of `n` rows.
fn mean_path(n: usize) -> f64 {
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        n => {
            let n = n as f64;
            2.0 * ((n - 1.0).ln() + 0.577_215_664_9) - 2.0 * (n - 1.0) / n
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_row_far_from_all_others_is_the_strangest() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut features: Vec<Vec<f32>> = (0..4)
            .map(|_| (0..800).map(|_| rng.random_range(0.0..1.0)).collect())
            .collect();
        features[2][77] = 6.0;
        features[3][77] = f32::NAN;
        let features: Vec<&[f32]> = features.iter().map(Vec::as_slice).collect();
        let scores = strangeness(&features, &mut rng);
        let top = (0..800).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        assert_eq!(top, Some(77));
    }
}
