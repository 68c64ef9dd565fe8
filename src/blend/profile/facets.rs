//! What of a row a detector would hold against the rest of it.

use super::super::Ground;
use super::MOST;
use super::persons::has_unit;
use super::shape::shape;
use super::together::Facet;
use crate::notation::{AddressKey, Role};

impl Ground<'_> {
    /// What is read out of the columns with a personal meaning.
    pub(super) fn facets(&self, homes: &[Option<AddressKey>]) -> Vec<Facet> {
        let column = |role: Role| Some(self.mapping.with_role(role).next()?.column.as_str());
        let regions = self.part_of_home(homes, Role::Region, |home| &home.region);
        let home = |read: fn(&AddressKey) -> String| -> Vec<Option<String>> {
            homes.iter().map(|home| home.as_ref().map(read)).collect()
        };
        let first: Vec<Option<String>> = (self.numbers().into_iter())
            .map(|numbers| numbers.into_iter().next())
            .collect();
        let number = |read: &dyn Fn(&str) -> Option<String>| -> Vec<Option<String>> {
            first
                .iter()
                .map(|number| read(number.as_deref()?))
                .collect()
        };
        let decade =
            |birth: Option<time::Date>| Some((birth?.year().div_euclid(10) * 10).to_string());
        let born = self.guardians.people.iter().map(|one| decade(one.birth));
        let joined = |read: fn(f64, time::Date) -> String| -> Vec<Option<String>> {
            self.moments_made()
                .iter()
                .map(|made| made.map(|(seconds, date)| read(seconds, date)))
                .collect()
        };
        let all = [
            // A column of regions is one of codes already.
            ("region", column(Role::Region).unwrap_or("address"), regions),
            (
                "shape of the house number",
                "address",
                home(|home| shape(&home.numbers)),
            ),
            (
                "room or flat",
                "address",
                home(|home| has_unit(home).to_owned()),
            ),
            ("decade of birth", "birth", born.collect()),
            ("age on joining", "birth", self.ages(&self.guardians)),
            ("mail domain", "mail", self.domains()),
            ("how a mail address is made", "mail", self.habits()),
            (
                "kind of number",
                "number",
                number(&|number| self.kind(number)),
            ),
            (
                "first digits of the number",
                "number",
                number(&|number| self.code(number)),
            ),
            (
                "year of joining",
                "joining",
                joined(|_, date| date.year().to_string()),
            ),
            (
                "weekday of joining",
                "joining",
                joined(|_, date| date.weekday().to_string()),
            ),
            (
                "hour of joining",
                "joining",
                joined(|seconds, _| format!("{:02}", (seconds as i64).rem_euclid(86_400) / 3600)),
            ),
        ];
        all.into_iter()
            .map(|(name, of, texts)| Facet::of_texts(name, of, &texts, MOST))
            .collect()
    }
}
