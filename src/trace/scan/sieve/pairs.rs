//! Which two personal values one canary bears.
//!
//! A name alone, or a birthday alone, names nobody, and most rows have some canary's birthday. Only a row
//! with two values of one canary that do not hang together can claim anything.

use super::super::super::mark::Mark;
use super::super::super::watch::Watch;
use super::keys::Hasher;
use super::known::Filter;

/// The pairs of all canaries.
pub struct Pairs {
    filter: Filter,
}

impl Pairs {
    pub fn new(watch: &Watch, hasher: &Hasher) -> Pairs {
        let mut count = 0;
        each(watch, |_, _| count += 1);
        let mut filter = Filter::new(count);
        each(watch, |one, other| filter.add(pair(one, other, hasher)));
        Pairs { filter }
    }

    /// Whether some canary bears two of these values in marks that do not hang together.
    pub fn any(&self, values: &[u32], watch: &Watch, hasher: &Hasher) -> bool {
        values.iter().enumerate().any(|(place, one)| {
            values[..place].iter().any(|other| {
                self.filter.may_have(pair(*one, *other, hasher)) && together(*one, *other, watch)
            })
        })
    }
}

fn pair(one: u32, other: u32, hasher: &Hasher) -> u64 {
    hasher.join(u64::from(one.min(other)), u64::from(one.max(other)))
}

/// Gives each pair once for each canary that bears it.
fn each(watch: &Watch, mut give: impl FnMut(u32, u32)) {
    for canary in &watch.canaries {
        for (place, (mark, value)) in canary.values.iter().enumerate() {
            for (other_mark, other) in &canary.values[..place] {
                if apart(*mark, *other_mark) && value != other {
                    give(*value, *other);
                }
            }
        }
    }
}

fn apart(one: Mark, other: Mark) -> bool {
    one.group() != other.group() && !one.is_owned() && !other.is_owned()
}

/// Whether a canary bears both: of the two values the one with fewer holders is looked through.
fn together(one: u32, other: u32, watch: &Watch) -> bool {
    let holders = |value: u32| &watch.values[value as usize].holders;
    let (few, many) = if holders(one).len() <= holders(other).len() {
        (one, other)
    } else {
        (other, one)
    };
    holders(few).iter().any(|holder| {
        let values = &watch.canaries[holder.canary as usize].values;
        values
            .iter()
            .any(|(mark, value)| *value == many && apart(*mark, holder.mark))
    })
}
