//! A list in pieces: each is examined by itself, on any machine, and the results are put together.
//!
//! What a pass over a list counts adds up, so the results of pieces add up to the result of the
//! whole, and the decision is made once, over all of it. A piece is either files of their own, each with
//! its own columns, or a stretch of one long text: then it has no header and too few rows to be
//! understood by, and is read by the layout that the list's beginning has told ([`Laid`]).
//!
//! A result holds numbers: which canaries, which marks, how many rows, where. Of the list's own
//! content it holds the columns' names and, of a sample of rows, 32-bit hashes of their values, from which
//! it is seen what hangs together. They are hidden under a key that only holders of the canaries or of
//! the watch list have, who could try values out against them.
//!
//! Verdict, canaries, rows and counts are those of one pass. The sample is drawn in each piece, so in a list
//! of more rows than are all looked at it is another one than that of a single pass, and figures that rest on
//! it (how much likelier marks are together than apart, how many rows have a kind of value) may differ
//! as two samples do.

mod laid;
mod merge;
mod piece;
mod watched;

pub use laid::{InvalidLayout, Laid};
pub use merge::{CannotMerge, merge, once};
pub use piece::{File, InvalidPiece, Piece, PieceDocument};

#[cfg(test)]
mod tests;
