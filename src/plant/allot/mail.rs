//! Mail addresses: local parts built from the name, at domains that we own.

use std::collections::HashSet;

use rand::{Rng, RngExt};

use crate::canary::{ContactKind, ContactPoint, SourceName};
use crate::notation::email_key;
use crate::persona::{Household, Locale, romaji};
use crate::registry::PoolEntry;

use super::super::{Error, Result};
use super::custom::Kinds;
use super::{Stock, given, given_to};

/// What may still be given of an entry.
struct Open<'p> {
    entry: &'p PoolEntry,
    own: u32,
    left: u32,
}

pub(super) fn give<R: Rng + ?Sized>(
    households: &mut [Household],
    points: &mut [Vec<i64>],
    kinds: &[Kinds],
    source: &SourceName,
    stock: &Stock<'_>,
    rng: &mut R,
) -> Result<()> {
    // Addresses of canaries that came to nothing are not given again either: they cost nothing.
    let known = stock
        .registered
        .iter()
        .filter_map(|canary| canary.details.household.email.as_deref());
    let mut used: HashSet<String> = known.filter_map(email_key).collect();
    let mut open = Vec::new();
    for entry in stock.pool {
        let own = given_to(entry, source);
        let left = match &entry.point {
            ContactPoint::MailDomain(_) => u32::MAX,
            ContactPoint::Mailbox(_) => 1u32.saturating_sub(given(entry)),
            _ => continue,
        };
        let left = entry
            .cap()
            .map_or(left, |cap| left.min(cap.saturating_sub(own)));
        open.push(Open { entry, own, left });
    }
    let mut missing = 0;
    for ((household, points), kinds) in households.iter_mut().zip(points).zip(kinds) {
        if !kinds.mail {
            continue;
        }
        // Single mailboxes are at large providers, domains of ours are small ones.
        let kind = stock.custom.at_provider(rng);
        let boxes = open.iter().filter(|open| open.left > 0);
        let at = boxes.filter_map(|open| mailbox(&open.entry.point));
        let provider = match kind {
            Some(true) => stock.custom.provider(at, rng),
            _ => None,
        };
        let wanted = |open: &Open<'_>| {
            let at = mailbox(&open.entry.point);
            kind.is_none_or(|single| single == at.is_some())
                && provider.is_none_or(|provider| at == Some(provider))
        };
        let any = open.iter().any(|open| open.left > 0 && wanted(open));
        // The one that this source has used least; a random one of several.
        let able = |open: &Open<'_>| open.left > 0 && (!any || wanted(open));
        let least = open
            .iter()
            .filter(|open| able(open))
            .map(|open| open.own)
            .min();
        let places: Vec<usize> = (0..open.len())
            .filter(|at| able(&open[*at]) && Some(open[*at].own) == least)
            .collect();
        if places.is_empty() {
            missing += 1;
            continue;
        }
        let chosen = &mut open[places[rng.random_range(0..places.len())]];
        let address = match &chosen.entry.point {
            ContactPoint::MailDomain(domain) => address(household, domain.as_str(), &mut used, rng),
            ContactPoint::Mailbox(address) => address.as_str().to_owned(),
            _ => continue,
        };
        household.email = Some(address);
        chosen.own += 1;
        chosen.left = chosen.left.saturating_sub(1);
        points.push(chosen.entry.id);
    }
    if missing > 0 {
        return Err(Error::PoolExhausted {
            kind: ContactKind::Mail,
            missing,
            hint: "add a domain of which every address is yours with: otori pool add mail DOMAIN"
                .to_owned(),
        });
    }
    Ok(())
}

/// The domain of a single mailbox.
fn mailbox(point: &ContactPoint) -> Option<&str> {
    match point {
        ContactPoint::Mailbox(address) => Some(address.domain()),
        _ => None,
    }
}

/// A new address for a household that has become another one, at the domain of the old: the local part
/// follows the name. A single mailbox stays as it is.
pub(in super::super) fn rename<R: Rng + ?Sized>(
    household: &mut Household,
    pool: &[PoolEntry],
    used: &mut HashSet<String>,
    rng: &mut R,
) {
    let Some((_, domain)) = household
        .email
        .as_deref()
        .and_then(|text| text.rsplit_once('@'))
    else {
        return;
    };
    let ours = |entry: &&PoolEntry| matches!(&entry.point, ContactPoint::MailDomain(own) if own.as_str() == domain);
    if let Some(entry) = pool.iter().find(ours)
        && let ContactPoint::MailDomain(domain) = &entry.point
    {
        household.email = Some(address(household, domain.as_str(), used, rng));
    }
}

/// The name in letters that a mail address can have.
fn letters(household: &Household) -> (String, String) {
    let person = &household.guardian;
    let part = |part: &crate::persona::NamePart| {
        let text = match household.locale {
            Locale::JaJp => romaji::hepburn(&part.kana),
            Locale::EnUs => part.written.to_lowercase(),
        };
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
    };
    (part(&person.given), part(&person.family))
}

fn address<R: Rng + ?Sized>(
    household: &Household,
    domain: &str,
    used: &mut HashSet<String>,
    rng: &mut R,
) -> String {
    let (given, family) = letters(household);
    let birth = household.guardian.birth;
    let first = given.chars().next().map(String::from).unwrap_or_default();
    let stem = match rng.random_range(0..8) {
        0 | 1 => format!("{given}.{family}"),
        2 => format!("{family}.{given}"),
        3 => format!("{given}{family}"),
        4 => format!("{given}_{family}"),
        5 => format!("{first}.{family}"),
        6 => format!("{family}{first}"),
        _ => format!("{given}-{family}"),
    };
    let stem = stem.trim_matches(['.', '_', '-']);
    // A name without a letter that fits has still to be somebody's address.
    let stem = if stem.is_empty() { "info" } else { stem };
    let mut number = match rng.random_range(0..10) {
        0 | 1 => Some(birth.year().rem_euclid(100) as u32),
        2 => Some(u32::from(u8::from(birth.month())) * 100 + u32::from(birth.day())),
        3 => Some(rng.random_range(1..100)),
        _ => None,
    };
    loop {
        let suffix = number
            .map(|number| format!("{number:02}"))
            .unwrap_or_default();
        let address = format!("{stem}{suffix}@{domain}");
        if used.insert(email_key(&address).unwrap_or_else(|| address.clone())) {
            return address;
        }
        number = Some(rng.random_range(1..10_000));
    }
}
