//! Canaries as they would be written, before anything is.

use std::collections::BTreeMap;

use rand::Rng;
use time::OffsetDateTime;

use super::Survey;
use crate::canary::ContactPoint;
use crate::notation::{Codes, Mapping, Role, Surroundings, cells, shape};
use crate::persona::{Generator, Household};
use crate::registry::PoolEntry;

/// Some rows as they would be written.
pub struct Preview {
    /// One per canary, in the order of the table's columns; `None` is NULL, or left to the database.
    pub rows: Vec<Vec<Option<String>>>,
    /// What the pool lacked: these contact points are only examples.
    pub lacking: Vec<&'static str>,
}

/// Makes `count` canaries with owned contact points where the pool has some. Nothing is reserved: planting
/// makes other ones.
pub fn preview<R: Rng + ?Sized>(
    survey: &Survey,
    mapping: &Mapping,
    generator: &Generator,
    pool: &[PoolEntry],
    count: usize,
    now: OffsetDateTime,
    rng: &mut R,
) -> Preview {
    // What planting takes the table's clock for, where it says nothing of its offset.
    let now = now.to_offset(mapping.locale.clock());
    let columns = survey.column_names();
    let mut codes: BTreeMap<String, Codes> = BTreeMap::new();
    for (at, name) in columns.iter().enumerate() {
        if mapping
            .with_role(Role::Code)
            .any(|column| column.column == *name)
        {
            let values = survey
                .sample
                .iter()
                .filter_map(|row| row.get(at)?.as_deref());
            codes.extend(Codes::learn(values).map(|made| (name.clone(), made)));
        }
    }
    let shape = shape(mapping, &columns, &survey.sample, now.date());
    let mut rows = Vec::with_capacity(count);
    let mut lacking = Vec::new();
    for at in 0..count {
        let mut household = generator.household(rng, now.date(), &shape);
        // Some people have no mail address; every canary gets one, where the table has a column for it.
        while mapping.has(Role::Email) && household.email.is_none() {
            household = generator.household(rng, now.date(), &shape);
        }
        lacking = owned(&mut household, mapping, pool, at);
        let child = (!household.children.is_empty()).then_some(0);
        let mut around = Surroundings {
            now,
            columns: &columns,
            rows: &survey.sample,
            codes: &mut codes,
        };
        let written = cells(mapping, &household, child, &mut around, rng);
        let cell = |name: &String| {
            written
                .iter()
                .find(|cell| cell.column == *name)
                .and_then(|cell| cell.value.clone())
        };
        rows.push(columns.iter().map(cell).collect());
    }
    Preview { rows, lacking }
}

/// Puts owned contact points in the place of made-up ones; tells which kinds there are none of.
fn owned(
    household: &mut Household,
    mapping: &Mapping,
    pool: &[PoolEntry],
    at: usize,
) -> Vec<&'static str> {
    let mut lacking = Vec::new();
    let locale = household.locale;
    let pick = |wanted: fn(&ContactPoint) -> bool| {
        let fitting: Vec<&ContactPoint> = pool
            .iter()
            .map(|entry| &entry.point)
            .filter(|point| wanted(point) && point.fits(locale))
            .collect();
        (!fitting.is_empty()).then(|| fitting[at % fitting.len()].clone())
    };
    if mapping.has(Role::Email) {
        match pick(|point| {
            matches!(
                point,
                ContactPoint::MailDomain(_) | ContactPoint::Mailbox(_)
            )
        }) {
            Some(ContactPoint::MailDomain(domain)) => {
                let local = household
                    .email
                    .as_deref()
                    .and_then(|email| email.split('@').next());
                household.email = local.map(|local| format!("{local}@{}", domain.as_str()));
            }
            Some(ContactPoint::Mailbox(address)) => {
                household.email = Some(address.as_str().to_owned())
            }
            _ => lacking.push("mail"),
        }
    }
    if mapping.has(Role::Phone) || mapping.has(Role::Mobile) {
        match pick(|point| matches!(point, ContactPoint::Phone(_))) {
            Some(ContactPoint::Phone(number)) => {
                let text = Some(number.as_str().to_owned());
                if number.is_japanese_mobile() {
                    household.mobile = text;
                    household.landline = None;
                } else {
                    household.landline = text;
                    household.mobile = None;
                }
            }
            _ => lacking.push("phone"),
        }
    }
    use Role::{Address, Address1, Block, Street};
    if [Address, Address1, Street, Block]
        .into_iter()
        .any(|role| mapping.has(role))
    {
        match pick(|point| matches!(point, ContactPoint::Drop(_))) {
            Some(ContactPoint::Drop(drop)) => {
                household.address = drop.address.clone();
                household.address.unit = drop.units.nth(at);
            }
            _ => lacking.push("drop"),
        }
    }
    lacking
}
