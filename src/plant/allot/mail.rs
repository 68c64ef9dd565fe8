//! Mail addresses: local parts built from the name, at domains that we own.

use std::collections::{BTreeMap, HashSet};

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use crate::canary::{ContactKind, ContactPoint, SourceName};
use crate::notation::email_key;
use crate::persona::{Household, Locale, romaji};
use crate::registry::PoolEntry;

use super::super::{Error, Result};
use super::custom::Kinds;
use super::evenly::Evenly;
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
    // By provider; domains of ours are none's.
    let mut groups: BTreeMap<Option<&str>, Evenly> = BTreeMap::new();
    for (at, open) in open.iter().enumerate() {
        if open.left > 0 {
            let group = groups.entry(mailbox(&open.entry.point)).or_default();
            group.add(open.own, at);
        }
    }
    let mut missing = 0;
    let domains = open
        .iter()
        .filter(|open| mailbox(&open.entry.point).is_none());
    let own: u32 = domains.clone().map(|open| open.own).sum();
    let wanted = kinds.iter().filter(|kinds| kinds.mail).count();
    // Single mailboxes are at providers, and nobody else is at domains of ours.
    let at_own = stock
        .custom
        .at_own_domains(domains.count(), own as usize, wanted);
    for ((household, points), kinds) in households.iter_mut().zip(points).zip(kinds) {
        if !kinds.mail {
            continue;
        }
        let kind = at_own.map(|share| !rng.random_bool(share));
        let provider = match kind {
            Some(true) => stock.custom.provider(groups.keys().copied().flatten(), rng),
            _ => None,
        };
        let wanted = |at: &Option<&str>| {
            kind.is_none_or(|single| single == at.is_some())
                && provider.is_none_or(|provider| *at == Some(provider))
        };
        let any = groups.keys().any(wanted);
        let Some(at) = least_used(&mut groups, |at| !any || wanted(at), rng) else {
            missing += 1;
            continue;
        };
        let chosen = &mut open[at];
        let address = match &chosen.entry.point {
            ContactPoint::MailDomain(domain) => address(household, domain.as_str(), &mut used, rng),
            ContactPoint::Mailbox(address) => address.as_str().to_owned(),
            _ => continue,
        };
        household.email = Some(address);
        chosen.own += 1;
        chosen.left = chosen.left.saturating_sub(1);
        points.push(chosen.entry.id);
        if chosen.left > 0 {
            let group = groups.entry(mailbox(&chosen.entry.point)).or_default();
            group.add(chosen.own, at);
        }
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

/// Takes the entry that this source has used least, a random one of several, from some of the groups; those that are
/// empty then go.
fn least_used<'p, R: Rng + ?Sized>(
    groups: &mut BTreeMap<Option<&'p str>, Evenly>,
    wanted: impl Fn(&Option<&'p str>) -> bool,
    rng: &mut R,
) -> Option<usize> {
    let open = |(at, group): (&Option<&'p str>, &Evenly)| {
        let (own, count) = group.least().filter(|_| wanted(at))?;
        Some((own, count, *at))
    };
    let least: Vec<(u32, usize, Option<&str>)> = groups.iter().filter_map(open).collect();
    let own = least.iter().map(|(own, ..)| *own).min()?;
    let equal: Vec<(usize, Option<&str>)> = (least.into_iter())
        .filter(|(other, ..)| *other == own)
        .map(|(_, count, at)| (count, at))
        .collect();
    let (_, at) = equal.choose_weighted(rng, |(count, _)| *count).ok()?;
    let group = groups.get_mut(at)?;
    let taken = group.take(rng);
    if group.least().is_none() {
        groups.remove(at);
    }
    taken
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
