//! Shares of values, the rare ones folded.

use serde::{Deserialize, Serialize};

use super::super::counted::Counted;

/// A value that fewer customers have is not named: it could be somebody's own.
pub const FOLDED_BELOW: u32 = 10;

/// How often values occur. What fewer than [`FOLDED_BELOW`] rows have is one share, without its values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// Rows that have a value.
    pub rows: usize,
    /// Values, the most common first.
    pub common: Vec<Portion>,
    /// Share of the rows whose value is not named.
    pub folded: f64,
    /// Share of the rows whose value no other row has.
    pub alone: f64,
}

/// A value with its share of the rows that have any, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Portion {
    /// The value, as a table writes it, or what is said of it in words.
    pub value: String,
    /// Its share.
    pub share: f64,
}

impl Mix {
    /// Counts values and names at most `most` of them.
    pub(super) fn of(values: impl IntoIterator<Item = String>, most: usize) -> Mix {
        Mix::counted(&Counted::of(values), most)
    }

    /// The same of values that are counted already.
    pub(super) fn counted(counted: &Counted<String>, most: usize) -> Mix {
        let rows: u64 = counted.all().map(|(_, count)| u64::from(count)).sum();
        let part = |count: u64| count as f64 / rows.max(1) as f64;
        let named = commonest(counted, most);
        let shown: u64 = named.iter().map(|(_, count)| u64::from(*count)).sum();
        let alone = counted.all().filter(|(_, count)| *count == 1).count() as u64;
        Mix {
            rows: usize::try_from(rows).unwrap_or(usize::MAX),
            common: named
                .into_iter()
                .map(|(value, count)| Portion {
                    value: value.clone(),
                    share: part(u64::from(count)),
                })
                .collect(),
            folded: part(rows - shown),
            alone: part(alone),
        }
    }

    /// The share of a value that is named, 0 for another.
    fn share(&self, value: &str) -> f64 {
        let found = self.common.iter().find(|portion| portion.value == value);
        found.map_or(0.0, |portion| portion.share)
    }

    /// How far two mixes lie apart: half of the sum of the differences (total variation), 0 to 1, what is not
    /// named taken for one value. `None` where chance could be all of it.
    pub(super) fn apart(&self, other: &Mix) -> Option<f64> {
        if self.rows == 0 || other.rows == 0 {
            return None;
        }
        // Only what both name can be compared; the end of a list moves by chance.
        let both = |value: &&str| self.share(value) > 0.0 && other.share(value) > 0.0;
        let named: Vec<&str> = (self.common.iter())
            .map(|portion| portion.value.as_str())
            .filter(both)
            .collect();
        let (mut own, mut theirs, mut sum) = (1.0, 1.0, 0.0);
        for value in &named {
            let (one, two) = (self.share(value), other.share(value));
            own -= one;
            theirs -= two;
            sum += f64::abs(one - two);
        }
        let apart = (sum + f64::abs(own - theirs)) / 2.0;
        // The mean distance of two samples of one table is at most half of this, and it varies little.
        let (one, two) = (self.rows as f64, other.rows as f64);
        let chance = ((named.len() + 1) as f64 * (1.0 / one + 1.0 / two)).sqrt();
        (apart > chance.max(0.02)).then_some(apart)
    }
}

/// The values that may be named, the most common first, at most so many.
pub(super) fn commonest(counted: &Counted<String>, most: usize) -> Vec<(&String, u32)> {
    let mut named: Vec<(&String, u32)> = counted
        .all()
        .filter(|(_, count)| *count >= FOLDED_BELOW)
        .collect();
    named.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    named.truncate(most);
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(counts: &[(&str, usize)]) -> Mix {
        let repeated = |(value, count): &(&str, usize)| vec![(*value).to_owned(); *count];
        Mix::of(counts.iter().flat_map(repeated), 20)
    }

    #[test]
    fn what_few_have_is_not_named() {
        let mix = mix(&[("A", 60), ("B", 10), ("C", 9), ("D", 1)]);
        let named: Vec<&str> = mix.common.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(named, ["A", "B"]);
        assert_eq!(mix.folded, 10.0 / 80.0);
        assert_eq!(mix.alone, 1.0 / 80.0);
    }

    #[test]
    fn chance_alone_is_no_change_and_a_shift_is() {
        let before = mix(&[("A", 500), ("B", 300), ("C", 200)]);
        assert_eq!(
            before.apart(&mix(&[("A", 510), ("B", 295), ("C", 195)])),
            None
        );
        let after = before.apart(&mix(&[("A", 300), ("B", 300), ("C", 400)]));
        assert!((after.unwrap() - 0.2).abs() < 1e-9);
    }
}
