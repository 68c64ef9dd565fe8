//! How values are written: folding spellings to one key, recognising a column's format, writing a
//! value in a given format. Pure.

mod role;

pub use role::{Role, UnknownRole};
