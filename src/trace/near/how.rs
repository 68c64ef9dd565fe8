//! How a value of a row is nearly a canary's: what a reader of the report is told.

use serde::{Deserialize, Serialize};

use super::super::mark::Mark;
use crate::notation::HashName;

/// What became of a value that agrees nearly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Letters that a scanner takes for each other, or lost voicing marks.
    LookAlike,
    /// One letter or digit is another.
    Differs,
    /// One is missing.
    Missing,
    /// One stands there too much.
    Extra,
    /// Two neighbours have changed places.
    Swapped,
    /// Two such slips in a long text.
    Two,
    /// Its end is gone: so many letters are left.
    CutAfter(u8),
    /// Its beginning is gone: so many letters are left.
    CutBefore(u8),
    /// One of several words is gone.
    WordMissing,
    /// Day and month have changed places.
    DayMonth,
    /// Another year, the day is the same.
    Year,
    /// Another month.
    Month,
    /// Another day of the same month.
    Day,
    /// The same mailbox at another domain.
    Domain,
    /// Not nearly, but as a digest: the list holds no more than this of it.
    Hashed(HashName),
}

impl std::fmt::Display for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            How::LookAlike => "letters that look alike",
            How::Differs => "one letter differs",
            How::Missing => "one letter is missing",
            How::Extra => "one letter too many",
            How::Swapped => "two letters swapped",
            How::Two => "two letters differ",
            How::CutAfter(kept) => return write!(f, "cut after {kept} letters"),
            How::CutBefore(kept) => return write!(f, "only the last {kept} letters"),
            How::WordMissing => "one word is missing",
            How::DayMonth => "day and month swapped",
            How::Year => "another year",
            How::Month => "another month",
            How::Day => "another day",
            How::Domain => "another domain",
            How::Hashed(hash) => return write!(f, "its {hash}"),
        })
    }
}

/// How each mark of a row agrees nearly, for those that do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hows([Option<How>; Mark::ALL.len()]);

impl Hows {
    /// Notes one mark; what is known of it already stays.
    pub fn note(&mut self, mark: Mark, how: How) {
        self.0[mark as usize].get_or_insert(how);
    }

    /// How a mark agrees nearly, where it does.
    pub fn get(&self, mark: Mark) -> Option<How> {
        self.0[mark as usize]
    }

    /// The marks that agree nearly, best first.
    pub fn iter(&self) -> impl Iterator<Item = (Mark, How)> + '_ {
        let nearly = |(_, how): &(Mark, How)| !matches!(how, How::Hashed(_));
        self.all().filter(nearly)
    }

    /// The marks that agree as digests, best first.
    pub fn hashed(&self) -> impl Iterator<Item = (Mark, HashName)> + '_ {
        self.all().filter_map(|(mark, how)| match how {
            How::Hashed(hash) => Some((mark, hash)),
            _ => None,
        })
    }

    fn all(&self) -> impl Iterator<Item = (Mark, How)> + '_ {
        let known = |mark: &Mark| Some((*mark, self.get(*mark)?));
        Mark::ALL.iter().filter_map(known)
    }
}
