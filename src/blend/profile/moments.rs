//! When rows were made, and how their keys follow.

use super::super::{Cells, Ground};
use super::{Mix, Trait, moment};
use crate::notation::Role;

impl Ground<'_> {
    /// When customers joined: years, weekdays, hours; and whether keys follow the order of joining.
    pub(super) fn moments(&self) -> Vec<Trait> {
        let made = self.moments_made();
        let known = || made.iter().flatten();
        // A table of dates alone shows no hours.
        let clocked = known().any(|(seconds, _)| seconds % 86_400.0 != 0.0);
        let mut out = vec![
            Trait {
                name: "year of joining".to_owned(),
                mix: Mix::of(known().map(|(_, date)| date.year().to_string()), 60),
            },
            Trait {
                name: "weekday of joining".to_owned(),
                mix: Mix::of(known().map(|(_, date)| date.weekday().to_string()), 7),
            },
        ];
        if clocked {
            let hour = |seconds: &f64| (*seconds as i64).rem_euclid(86_400) / 3600;
            out.push(Trait {
                name: "hour of joining".to_owned(),
                mix: Mix::of(
                    known().map(|(seconds, _)| format!("{:02}", hour(seconds))),
                    24,
                ),
            });
        }
        out.extend(self.keys(&made));
        out
    }

    /// When each row was made.
    pub(super) fn moments_made(&self) -> Vec<Option<(f64, time::Date)>> {
        let made = |cells: &Cells<'_>| moment(cells.text(Role::CreatedAt)?);
        self.cells.iter().map(made).collect()
    }

    /// Whether the next key is the next number, and whether it is a later customer's.
    fn keys(&self, made: &[Option<(f64, time::Date)>]) -> Vec<Trait> {
        let mut keys: Vec<(i64, Option<f64>)> = (self.cells.iter())
            .zip(made)
            .filter_map(|(cells, made)| {
                let key = cells.text(Role::Id)?.parse().ok()?;
                Some((key, made.map(|(seconds, _)| seconds)))
            })
            .collect();
        keys.sort_unstable_by_key(|(key, _)| *key);
        let pairs = || {
            keys.windows(2)
                .filter_map(|pair| Some((pair.first()?, pair.get(1)?)))
        };
        let steps = pairs().map(|(one, next)| match next.0.saturating_sub(one.0) {
            1 => "1".to_owned(),
            2..=9 => "2 to 9".to_owned(),
            10..=99 => "10 to 99".to_owned(),
            _ => "100 and more".to_owned(),
        });
        let order = pairs().filter_map(|(one, next)| {
            let later = next.1? >= one.1?;
            Some(if later { "later" } else { "earlier" }.to_owned())
        });
        vec![
            Trait {
                name: "step from key to key".to_owned(),
                mix: Mix::of(steps, 4),
            },
            Trait {
                name: "the next key's moment".to_owned(),
                mix: Mix::of(order, 2),
            },
        ]
    }
}
