//! Postal drops in towns that the source has no row for. Such rows are never added, and in another town the address
//! would be a stranger's: so what stands in those towns is not given to this source.

use std::collections::{BTreeMap, HashSet};

use rand::Rng;
use time::OffsetDateTime;

use crate::canary::{ContactKind, ContactPoint};
use crate::notation::{Mapping, RelatedRows, Role, Surroundings, cells};
use crate::persona::Household;
use crate::registry::PoolEntry;

use super::Error;
use super::tables::Tables;

/// Drops that a source cannot have.
#[derive(Default)]
pub(super) struct Elsewhere {
    /// Their numbers in the registry.
    pub(super) drops: HashSet<i64>,
    /// Of so many of the country.
    pub(super) of: usize,
    /// The table that has no row for their towns.
    pub(super) table: String,
}

/// Parts of an address that a table of towns or regions may be looked up by.
fn is_place(role: Role) -> bool {
    matches!(
        role,
        Role::Postcode | Role::Region | Role::City | Role::Town
    )
}

/// The drops for whose addresses a table of rows that exist already has none. `someone` lends what an address is
/// written with.
pub(super) fn elsewhere<R: Rng + ?Sized>(
    tables: &Tables,
    mapping: &Mapping,
    pool: &[PoolEntry],
    mut someone: Household,
    now: OffsetDateTime,
    rng: &mut R,
) -> Elsewhere {
    let mut found = Elsewhere::default();
    let own = Mapping {
        locale: mapping.locale,
        columns: mapping
            .columns
            .iter()
            .filter(|column| tables.is_existing(&column.column))
            .cloned()
            .collect(),
        related: Vec::new(),
    };
    // What is found by anything else than a place says nothing of a drop.
    let legs = tables.lookups.iter().filter(|(at, lookup)| {
        let direct = tables.legs()[**at].to;
        let first = direct.is_none_or(|to| tables.legs()[to].rows != RelatedRows::Existing);
        first && lookup.is_told() && lookup.roles().all(is_place)
    });
    let legs: Vec<_> = legs.collect();
    if legs.is_empty() {
        return found;
    }
    for entry in pool {
        let ContactPoint::Drop(drop) = &entry.point else {
            continue;
        };
        if !entry.point.fits(mapping.locale) {
            continue;
        }
        found.of += 1;
        someone.address = drop.address.clone();
        let mut around = Surroundings {
            now,
            columns: &[],
            rows: &[],
            codes: &mut BTreeMap::new(),
        };
        let written = cells(&own, &someone, None, &mut around, rng);
        let lacking = legs
            .iter()
            .find(|(_, lookup)| lookup.find(&written).is_none());
        if let Some((at, _)) = lacking {
            found.table = tables.legs()[**at].table.to_string();
            found.drops.insert(entry.id);
        }
    }
    found
}

impl Elsewhere {
    /// An error of planting, with what is missing because of them.
    pub(super) fn told(&self, error: Error) -> Error {
        match error {
            Error::PoolExhausted {
                kind: ContactKind::Drop,
                missing,
                ..
            } if !self.drops.is_empty() => Error::NoTown {
                table: self.table.clone(),
                left_out: self.drops.len(),
                of: self.of,
                missing,
            },
            error => error,
        }
    }

    /// The pool without them.
    pub(super) fn left(&self, pool: Vec<PoolEntry>) -> Vec<PoolEntry> {
        let stays = |entry: &PoolEntry| !self.drops.contains(&entry.id);
        pool.into_iter().filter(stays).collect()
    }

    /// That they are left out, and why.
    pub(super) fn note(&self) -> Option<String> {
        (!self.drops.is_empty()).then(|| {
            format!(
                "{} of the {} postal drops of the pool are left out: {} has no row for their towns, otori adds none there, and in another town the address would be a stranger's",
                self.drops.len(),
                self.of,
                self.table
            )
        })
    }
}
