//! The row nearest to a row: who copies a customer and changes a little leaves two rows that have more in common than
//! chance gives.
//!
//! What two rows share is weighed as record linkage does (Fellegi and Sunter, "A theory for record linkage", 1969): a
//! value that one row of n has counts for ln n, for each column the rarest part that both have. Columns are not independent
//! (a postcode says what the city is), so the sum is a score, and no probability. Only rows that share something rare
//! are held against each other, so the look stays as long as the table is, and not its square.

use super::features::Piece;
use super::parts::Part;

/// A part is rare where no more other rows have it.
const RARE: u32 = 20;
/// Rows that each is held against at most, those first with which it shares the rarest part.
const AGAINST: usize = 48;

/// Whether agreement in such a part says anything.
fn is_weighed(part: Part) -> bool {
    !matches!(part, Part::Shape | Part::LocalShape | Part::Tail)
}

/// For each row the weight of what it has in common with the row of the table that it has most in common with; 0 where
/// it shares nothing rare.
pub(super) fn nearest(pieces: &[Piece], counted: &[bool]) -> Vec<f32> {
    let table = counted.iter().filter(|counted| **counted).count().max(1) as f32;
    let pieces: Vec<&Piece> = pieces
        .iter()
        .filter(|piece| is_weighed(piece.part))
        .collect();
    let sharers: Vec<Sharers> = pieces
        .iter()
        .map(|piece| Sharers::of(piece, counted))
        .collect();
    let mut shared: Vec<(u32, usize)> = Vec::new();
    let mut against: Vec<u32> = Vec::with_capacity(AGAINST);
    let mut out = Vec::with_capacity(counted.len());
    for row in 0..counted.len() {
        shared.clear();
        shared.extend(pieces.iter().enumerate().filter_map(|(at, piece)| {
            let others = piece.others(row, counted);
            (piece.ids[row] != 0 && (1..=RARE).contains(&others)).then_some((others, at))
        }));
        shared.sort_unstable();
        against.clear();
        for (_, at) in &shared {
            let rows = sharers[*at].rows(pieces[*at].ids[row]);
            for other in rows {
                if *other as usize != row && !against.contains(other) && against.len() < AGAINST {
                    against.push(*other);
                }
            }
            if against.len() >= AGAINST {
                break;
            }
        }
        let common = |other: &u32| {
            let other = *other as usize;
            let (mut sum, mut column, mut most) = (0.0f32, usize::MAX, 0.0f32);
            for piece in &pieces {
                if piece.column != column {
                    sum += most;
                    (column, most) = (piece.column, 0.0);
                }
                let id = piece.ids[row];
                if id != 0 && id == piece.ids[other] {
                    most = most.max((table / piece.counts[id as usize].max(1) as f32).ln());
                }
            }
            sum + most
        };
        out.push(against.iter().map(common).fold(0.0, f32::max));
    }
    out
}

/// The rows of the table that have each rare part, one after the other.
struct Sharers {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Sharers {
    fn of(piece: &Piece, counted: &[bool]) -> Sharers {
        // One more than RARE: a row of the table is among those that have what it has.
        let is_rare = |id: usize| id != 0 && (1..=RARE + 1).contains(&piece.counts[id]);
        let mut starts = Vec::with_capacity(piece.counts.len() + 1);
        let mut all = 0;
        for (id, count) in piece.counts.iter().enumerate() {
            starts.push(all);
            all += if is_rare(id) { *count } else { 0 };
        }
        starts.push(all);
        let mut next = starts.clone();
        let mut rows = vec![0; all as usize];
        for (row, id) in piece.ids.iter().enumerate() {
            let id = *id as usize;
            if counted[row] && is_rare(id) {
                rows[next[id] as usize] = row as u32;
                next[id] += 1;
            }
        }
        Sharers { starts, rows }
    }

    fn rows(&self, id: u32) -> &[u32] {
        let (from, to) = (self.starts[id as usize], self.starts[id as usize + 1]);
        &self.rows[from as usize..to as usize]
    }
}
