//! From a share to rows, and from rows to what a list is made of.
//!
//! The canaries are a marked sample, as in capture-recapture: of n marked ones k came along, and the
//! source had R rows at the time, of which each came along with the same share s. So the number of
//! rows is binomial in R and s, with s as uncertain as the canaries leave it. R is known at each
//! planting; between two plantings it is taken to grow evenly.
//!
//! A list holds some people several times. How often, its canaries tell as well: rows that show a
//! canary, over canaries found. What is left beside the rows of the named sources comes from elsewhere.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::function::beta::beta_reg;
use statrs::function::erf::erf;
use time::OffsetDateTime;

use super::share::Interval;
use super::weigh::{Taking, Weighed};
use super::window::Gap;

/// Pieces that a density over rows is put together to.
const PIECES: usize = 512;
/// Below this variance a binomial number is no bell.
const BELL: f64 = 25.0;
/// Lists drawn for what a list is made of.
const DRAWS: usize = 4_000;

/// How many rows a source had.
#[derive(Clone, Debug, Default)]
pub struct Growth(Vec<(OffsetDateTime, f64)>);

impl Growth {
    /// From what was counted, and when; a count of 0 is none.
    pub fn new(counted: impl IntoIterator<Item = (OffsetDateTime, u64)>) -> Growth {
        let counted = counted.into_iter().filter(|(_, rows)| *rows > 0);
        let mut counted: Vec<_> = counted.map(|(at, rows)| (at, rows as f64)).collect();
        counted.sort_by_key(|(at, _)| *at);
        counted.dedup_by_key(|(at, _)| *at);
        Growth(counted)
    }

    /// Rows at a time: between two counts on the line between them, else the nearest count.
    fn at(&self, time: OffsetDateTime) -> f64 {
        let next = self.0.partition_point(|(at, _)| *at <= time);
        let (before, after) = (self.0[..next].last(), self.0.get(next));
        match (before, after) {
            (Some((from, less)), Some((until, more))) => {
                let part = (time - *from) / (*until - *from);
                less + part * (more - less)
            }
            (Some((_, rows)), None) | (None, Some((_, rows))) => *rows,
            (None, None) => 0.0,
        }
    }
}

/// A possible truth: rows of the source and share, with its probability.
#[derive(Clone, Copy, Debug)]
struct Piece {
    rows: f64,
    share: f64,
    weight: f64,
}

/// What is known of a source's rows in a list.
#[derive(Clone, Debug)]
pub struct RowsKnown {
    pieces: Vec<Piece>,
    /// The estimate with its interval.
    pub rows: Interval,
}

/// The rows of a source that the list holds, each counted once.
pub fn rows(
    weighed: &Weighed,
    gaps: &[Gap],
    growth: &Growth,
    now: OffsetDateTime,
    list_rows: u64,
) -> RowsKnown {
    let mut pieces = Vec::new();
    for taking in &weighed.mixture {
        let gap = gaps[taking.gap];
        let length = gap.until.unwrap_or(now) - gap.from;
        for sixths in [1.0, 3.0, 5.0] {
            let rows = growth.at(gap.from + length * (sixths / 6.0));
            pieces.extend(taking.points.iter().map(|point| Piece {
                rows,
                share: point.share,
                weight: point.weight * taking.part / 3.0,
            }));
        }
    }
    let pieces = together(pieces);
    let (share, most) = (weighed.share, list_rows as f64);
    let (mut below, mut above) = (0.0, 0.0);
    for Taking { part, points, .. } in &weighed.mixture {
        for point in points {
            below += part * f64::from(u8::from(point.share < share.low)) * point.weight;
            above += part * f64::from(u8::from(point.share > share.high)) * point.weight;
        }
    }
    let mean = |of: &dyn Fn(&Piece) -> f64| -> f64 {
        let sum: f64 = pieces.iter().map(|piece| piece.weight).sum();
        pieces
            .iter()
            .map(|piece| of(piece) * piece.weight)
            .sum::<f64>()
            / sum.max(f64::MIN_POSITIVE)
    };
    let estimate = (share.estimate * mean(&|piece| piece.rows)).min(most);
    let known = |part: f64| quantile(&pieces, part).min(most);
    let high = if above < 1e-9 {
        // The share may be all of it.
        pieces.iter().map(|piece| piece.rows).fold(0.0, f64::max)
    } else {
        known(1.0 - above)
    };
    RowsKnown {
        rows: Interval::around(estimate, known(below), high.min(most)),
        pieces,
    }
}

/// Neighbours put together, until few enough are left.
fn together(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.retain(|piece| piece.weight > 0.0);
    pieces.sort_by(|one, other| (one.rows * one.share).total_cmp(&(other.rows * other.share)));
    let enough = pieces.iter().map(|piece| piece.weight).sum::<f64>() / PIECES as f64;
    let mut kept: Vec<Piece> = Vec::new();
    for piece in pieces {
        match kept.last_mut() {
            Some(last) if last.weight + piece.weight <= enough => {
                let sum = last.weight + piece.weight;
                let mix = |one: f64, other: f64| (one * last.weight + other * piece.weight) / sum;
                (last.rows, last.share) =
                    (mix(last.rows, piece.rows), mix(last.share, piece.share));
                last.weight = sum;
            }
            _ => kept.push(piece),
        }
    }
    kept
}

/// The chance that no more than `count` of a piece's rows came along.
fn at_most(piece: &Piece, count: f64) -> f64 {
    let (mean, variance) = (
        piece.rows * piece.share,
        piece.rows * piece.share * (1.0 - piece.share),
    );
    let whole = piece.rows.round();
    if count >= whole {
        return 1.0;
    }
    if variance > BELL {
        let z = (count + 0.5 - mean) / variance.sqrt();
        return 0.5 * (1.0 + erf(z / std::f64::consts::SQRT_2));
    }
    let rest = (1.0 - piece.share).clamp(0.0, 1.0);
    beta_reg(whole - count, count + 1.0, rest)
}

/// The smallest number of rows that is not exceeded with a probability.
fn quantile(pieces: &[Piece], part: f64) -> f64 {
    let all: f64 = pieces.iter().map(|piece| piece.weight).sum();
    let held = |count: f64| -> f64 {
        let held = pieces
            .iter()
            .map(|piece| piece.weight * at_most(piece, count));
        held.sum::<f64>() / all
    };
    let (mut low, mut high) = (
        -1.0_f64,
        pieces.iter().map(|p| p.rows).fold(0.0, f64::max).ceil(),
    );
    while high - low > 1.0 {
        let middle = ((low + high) / 2.0).floor();
        // Beyond 2^53 rows there is no number between two.
        if middle <= low || middle >= high {
            break;
        }
        if held(middle) >= part {
            high = middle;
        } else {
            low = middle;
        }
    }
    high.max(0.0)
}

/// What one named source has put into a list.
pub struct Contribution<'a> {
    pub source: usize,
    pub known: &'a RowsKnown,
    /// For each canary found the rows that show it.
    pub copies: Vec<u64>,
}

/// The part of a list that comes from one source.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Index into the watch's sources.
    pub source: usize,
    /// Rows of the list, copies and canaries counted.
    pub rows: Interval,
    /// The same as a share of the list.
    pub share: Interval,
}

/// What a list is made of.
#[derive(Clone, Debug)]
pub struct Composition {
    pub parts: Vec<Origin>,
    /// The share of the list that comes from none of them.
    pub elsewhere: Interval,
}

/// What a list is made of, as far as its named sources tell.
pub fn composition(list_rows: u64, named: &[Contribution<'_>], level: f64) -> Composition {
    let most = list_rows.max(1) as f64;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut rest = vec![1.0_f64; DRAWS];
    let mut rest_estimate = 1.0;
    let mut parts = Vec::with_capacity(named.len());
    for one in named {
        let (copies, error) = copies(&one.copies);
        let canaries: f64 = one.copies.iter().map(|rows| *rows as f64).sum();
        let mut draws: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let copies = (copies + error * bell(&mut rng)).max(1.0);
                (one.known.draw(&mut rng) * copies + canaries).min(most)
            })
            .collect();
        for (rest, rows) in rest.iter_mut().zip(&draws) {
            *rest = (*rest - rows / most).max(0.0);
        }
        let estimate = (one.known.rows.estimate * copies + canaries).min(most);
        rest_estimate = (rest_estimate - estimate / most).max(0.0);
        let rows = middle(estimate, &mut draws, level);
        parts.push(Origin {
            source: one.source,
            rows,
            share: Interval {
                estimate: rows.estimate / most,
                low: rows.low / most,
                high: rows.high / most,
            },
        });
    }
    Composition {
        parts,
        elsewhere: middle(rest_estimate, &mut rest, level),
    }
}

fn middle(estimate: f64, draws: &mut [f64], level: f64) -> Interval {
    draws.sort_by(f64::total_cmp);
    let at = |part: f64| draws[((draws.len() - 1) as f64 * part).round() as usize];
    Interval::around(estimate, at((1.0 - level) / 2.0), at((1.0 + level) / 2.0))
}

impl RowsKnown {
    fn draw(&self, rng: &mut ChaCha8Rng) -> f64 {
        let all: f64 = self.pieces.iter().map(|piece| piece.weight).sum();
        let mut left = rng.random::<f64>() * all;
        let chosen = self.pieces.iter().find(|piece| {
            left -= piece.weight;
            left <= 0.0
        });
        let Some(piece) = chosen.or(self.pieces.last()) else {
            return 0.0;
        };
        let mean = piece.rows * piece.share;
        let spread = (mean * (1.0 - piece.share)).max(0.0).sqrt();
        (mean + spread * bell(rng)).clamp(0.0, piece.rows)
    }
}

/// How often the list holds one person, with its standard error. Where all canaries are there once,
/// half a copy more or less is as far as they can be wrong.
fn copies(rows: &[u64]) -> (f64, f64) {
    let count = rows.len().max(1) as f64;
    let mean = rows.iter().map(|rows| *rows as f64).sum::<f64>() / count;
    let variance = (rows.iter())
        .map(|rows| (*rows as f64 - mean).powi(2))
        .sum::<f64>()
        / (count - 1.0).max(1.0);
    (mean.max(1.0), ((variance + 0.25 / count) / count).sqrt())
}

/// A number from the standard normal distribution (Box and Muller).
fn bell(rng: &mut ChaCha8Rng) -> f64 {
    let (radius, turn): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn rows_grow_evenly_between_counts() {
        let (early, late) = (
            datetime!(2024-01-01 00:00 UTC),
            datetime!(2024-01-11 00:00 UTC),
        );
        let growth = Growth::new([(late, 2_000), (early, 1_000), (late, 0)]);
        assert_eq!(growth.at(early - time::Duration::days(9)), 1_000.0);
        assert_eq!(growth.at(datetime!(2024-01-06 00:00 UTC)), 1_500.0);
        assert_eq!(growth.at(late + time::Duration::days(9)), 2_000.0);
        assert_eq!(Growth::default().at(early), 0.0);
    }

    #[test]
    fn the_binomial_number_is_right_at_both_ends() {
        let piece = |rows, share| Piece {
            rows,
            share,
            weight: 1.0,
        };
        // Three tosses of a coin.
        let coin = piece(3.0, 0.5);
        assert!((at_most(&coin, 0.0) - 0.125).abs() < 1e-9);
        assert!((at_most(&coin, 2.0) - 0.875).abs() < 1e-9);
        assert_eq!(at_most(&coin, 3.0), 1.0);
        assert_eq!(quantile(&[coin], 0.5), 1.0);
        let many = quantile(&[piece(10_000.0, 0.5)], 0.975);
        assert!((many - 5_098.0).abs() <= 1.0, "{many}");
        assert_eq!(quantile(&[piece(0.0, 0.5)], 0.975), 0.0);
        // A watch list may say of any number of rows that a source has them.
        let most = quantile(&[piece(u64::MAX as f64, 0.5)], 0.975);
        assert!((most / u64::MAX as f64 - 0.5).abs() < 1e-6, "{most}");
    }
}
