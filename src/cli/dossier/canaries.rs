//! The canaries behind an incident: found in what strangers write, so that it can be withheld, and
//! revealed where that was asked for.

use std::collections::{HashMap, HashSet};

use time::OffsetDateTime;

use crate::canary::{Canary, ContactPoint};
use crate::evidence::Act;
use crate::notation::fold;
use crate::persona::{Household, Locale, NamePart};
use crate::registry::{Error, PoolEntry, Registry};
use crate::report::dossier::{Case, Revealed};

/// What would name a canary in a text. A sender's address may be made from the recipient's, and a
/// subject likes to greet by name.
pub(super) struct Names {
    /// Mail domains that are ours, and every canary's telephone number by its digits.
    everywhere: Vec<String>,
    /// By canary: names, readings, the mail address's first part.
    own: HashMap<String, Vec<String>>,
}

impl Names {
    pub(super) fn new(canaries: &[Canary], pool: &[PoolEntry]) -> Names {
        let mut everywhere = HashSet::new();
        for entry in pool {
            match &entry.point {
                ContactPoint::MailDomain(domain) => {
                    everywhere.insert(bare(domain.as_str()));
                }
                ContactPoint::Mailbox(address) => {
                    everywhere.insert(bare(address.as_str()));
                }
                ContactPoint::Phone(number) => {
                    everywhere.extend(digits(number.as_str()));
                }
                ContactPoint::Drop(_) => {}
            }
        }
        let mut own = HashMap::new();
        for canary in canaries {
            let household = &canary.details.household;
            let phones = [&household.landline, &household.mobile];
            everywhere.extend(
                phones
                    .into_iter()
                    .flatten()
                    .flat_map(|number| digits(number)),
            );
            own.insert(canary.id.to_string(), marks(household));
        }
        Names {
            everywhere: everywhere.into_iter().collect(),
            own,
        }
    }

    /// Whether a text names a canary: that one, or, where none is said, any.
    pub(super) fn are_in(&self, text: &str, canary: Option<&str>) -> bool {
        let text = bare(&text.chars().take(4000).collect::<String>());
        let number: String = text.chars().filter(char::is_ascii_digit).collect();
        let names = |marks: &Vec<String>| marks.iter().any(|mark| text.contains(mark.as_str()));
        self.everywhere.iter().any(|mark| {
            let digits = mark.bytes().all(|byte| byte.is_ascii_digit());
            text.contains(mark.as_str()) || (digits && number.contains(mark.as_str()))
        }) || match canary {
            Some(id) => self.own.get(id).is_some_and(names),
            None => self.own.values().any(names),
        }
    }

    /// Whether that is a canary of the source.
    pub(super) fn know(&self, canary: &str) -> bool {
        self.own.contains_key(canary)
    }
}

/// One spelling, without anything between the letters.
fn bare(text: &str) -> String {
    let folded = fold(text);
    folded.chars().filter(|c| !c.is_whitespace()).collect()
}

/// A number's digits, as called from abroad and at home; a shorter run would be found by chance.
fn digits(number: &str) -> Vec<String> {
    let all: String = number.chars().filter(char::is_ascii_digit).collect();
    let home = all
        .strip_prefix("81")
        .map(|rest| format!("0{rest}"))
        .or_else(|| all.strip_prefix('1').map(str::to_owned));
    let long = |digits: &String| digits.len() >= 9;
    [Some(all), home]
        .into_iter()
        .flatten()
        .filter(long)
        .collect()
}

fn marks(household: &Household) -> Vec<String> {
    let mut found = HashSet::new();
    for person in std::iter::once(&household.guardian).chain(&household.children) {
        for NamePart { written, kana } in [&person.family, &person.given] {
            found.extend([
                bare(written),
                bare(kana),
                bare(&crate::persona::romaji::hepburn(kana)),
            ]);
        }
    }
    if let Some((local, _)) = household.email.as_deref().and_then(|m| m.rsplit_once('@')) {
        found.insert(bare(local));
    }
    // One character, or two Latin letters, stand in any text.
    found.retain(|mark| mark.chars().count() >= if mark.is_ascii() { 4 } else { 2 });
    found.into_iter().collect()
}

/// Details of the canaries that the case's sightings reached, each a look that enters the log first.
///
/// # Errors
/// The registry fails.
pub(super) async fn reveal(
    registry: &Registry,
    case: &Case,
    subject: &str,
    reason: Option<String>,
    now: OffsetDateTime,
) -> anyhow::Result<Vec<Revealed>> {
    let mut done = HashSet::new();
    let mut revealed = Vec::new();
    for id in case
        .sightings
        .iter()
        .filter_map(|seen| seen.canary.as_deref())
    {
        if !done.insert(id) {
            continue;
        }
        let canary = match registry.canary_of(&id.parse()?).await {
            Ok(canary) => canary,
            // Its details are destroyed; the id stands in the dossier all the same.
            Err(Error::Forgotten(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let why = reason
            .as_ref()
            .map_or(String::new(), |why| format!(": {why}"));
        let act = Act::Revealed {
            canary: id.to_owned(),
            source: canary.source.to_string(),
            reason: Some(format!("dossier of {subject}{why}")),
        };
        registry.record(act, now).await?;
        revealed.push(details(&canary));
    }
    Ok(revealed)
}

fn details(canary: &Canary) -> Revealed {
    let household = &canary.details.household;
    let (family, given) = (&household.guardian.family, &household.guardian.given);
    let address = &household.address;
    let parts = [
        Some(address.postcode.as_str()),
        Some(&address.region),
        Some(&address.city),
        Some(&address.town),
        Some(&address.block),
        address.building.as_deref(),
        address.unit.as_deref(),
    ];
    let parts: Vec<&str> = parts
        .into_iter()
        .flatten()
        .filter(|p| !p.is_empty())
        .collect();
    let contacts = [&household.email, &household.landline, &household.mobile];
    Revealed {
        canary: canary.id.to_string(),
        name: match household.locale {
            Locale::JaJp => format!("{} {}", family.written, given.written),
            Locale::EnUs => format!("{} {}", given.written, family.written),
        },
        address: parts.join(" "),
        contacts: contacts.into_iter().flatten().cloned().collect(),
    }
}
