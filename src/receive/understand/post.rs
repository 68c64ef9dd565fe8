//! A letter: name and address on the envelope, typed by the person who opened the post.
//!
//! The registry is asked for exactly these first. Where nothing fits, or only half does, every
//! canary is compared, since senders misspell names and drop units, and so do those who type.

use serde::{Deserialize, Serialize};

use super::{Reached, one_line};
use crate::canary::{Actor, Canary, CanaryId, SourceName};
use crate::notation::{address_key, fold};
use crate::persona::{Address, Household, Locale};
use crate::registry::{Mark, Message, Registry, Result};

/// From this likeness on a canary is taken for the addressee, if it leads by so much.
const SURE: f64 = 0.8;
const LEAD: f64 = 0.1;
/// From this likeness on a canary is shown to the person who posted the letter.
const SHOWN: f64 = 0.5;
/// So many are shown.
const MOST: usize = 5;

/// What the envelope of a letter says, stored beside the picture.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Letter {
    /// To whom.
    pub addressee: String,
    /// Postcode.
    pub postcode: String,
    /// Address with building and unit.
    pub address: String,
    /// From whom.
    pub sender: String,
    /// What the mail room has to say.
    pub note: String,
}

/// A canary that a letter may have meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The canary.
    pub canary: CanaryId,
    /// Its source.
    pub source: SourceName,
    /// How alike, 0 to 1; 1 is name and address in full.
    pub likeness: f64,
}

fn letter(message: &Message) -> Letter {
    serde_json::from_str(&message.envelope).unwrap_or_default()
}

/// Whom a letter has reached.
pub(super) async fn reached(registry: &Registry, message: &Message) -> Result<Reached> {
    let ranked = ranked(registry, &letter(message)).await?;
    Ok(Reached::of(meant(&ranked)))
}

/// Who wrote.
pub(super) fn actor(message: &Message) -> Actor {
    let letter = letter(message);
    Actor {
        from: one_line(&letter.sender),
        summary: one_line(&letter.note),
        ..Actor::default()
    }
}

/// The canaries that a letter may have meant, most alike first.
///
/// # Errors
/// The registry failed.
pub async fn matches(registry: &Registry, letter: &Letter) -> Result<Vec<Candidate>> {
    let ranked = ranked(registry, letter).await?;
    let candidates = ranked
        .iter()
        .take(MOST)
        .map(|(likeness, canary)| Candidate {
            canary: canary.id.clone(),
            source: canary.source.clone(),
            likeness: *likeness,
        });
    Ok(candidates.collect())
}

type Ranked = Vec<(f64, Canary)>;

/// Those who are meant: the best alone if it is sure and leads, else all that are as good.
fn meant(ranked: &Ranked) -> impl Iterator<Item = &Canary> {
    let best = ranked.first().map_or(0.0, |(likeness, _)| *likeness);
    let near = move |(likeness, _): &&(f64, Canary)| best >= SURE && *likeness > best - LEAD;
    ranked.iter().filter(near).map(|(_, canary)| canary)
}

async fn ranked(registry: &Registry, letter: &Letter) -> Result<Ranked> {
    let mut named = registry.find(Mark::Name, &letter.addressee).await?;
    named.extend(registry.find(Mark::Kana, &letter.addressee).await?);
    let housed = registry.find(Mark::Address, &letter.address).await?;
    let exactly: Vec<Canary> = match (letter.addressee.is_empty(), letter.address.is_empty()) {
        (true, _) => housed,
        (_, true) => named,
        (false, false) => {
            let housed = |canary: &Canary| housed.iter().any(|other| other.id == canary.id);
            named.into_iter().filter(housed).collect()
        }
    };
    let exact = !exactly.is_empty();
    let canaries = if exact {
        exactly
    } else {
        registry.canaries(None).await?
    };
    let typed = Typed::new(letter);
    let mut ranked: Ranked = canaries
        .into_iter()
        .filter(|canary| canary.state != crate::canary::State::Void)
        .map(|canary| {
            let likeness = if exact {
                1.0
            } else {
                typed.likeness(&canary.details.household)
            };
            (likeness, canary)
        })
        .filter(|(likeness, _)| *likeness >= SHOWN)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.dedup_by(|a, b| a.1.id == b.1.id);
    Ok(ranked)
}

/// A letter's envelope, folded once for all comparisons.
struct Typed {
    addressee: String,
    address: String,
    postcode: String,
}

impl Typed {
    fn new(letter: &Letter) -> Typed {
        Typed {
            addressee: bare(&letter.addressee),
            address: door(&letter.address),
            postcode: digits(&letter.postcode),
        }
    }

    /// How alike; what was not typed counts neither way, but a name or an address alone is never
    /// as good as both.
    fn likeness(&self, household: &Household) -> f64 {
        let names = std::iter::once(&household.guardian).chain(&household.children);
        let name = names
            .flat_map(|person| {
                let (family, given) = (&person.family, &person.given);
                [
                    bare(&format!("{}{}", family.written, given.written)),
                    bare(&format!("{}{}", given.written, family.written)),
                    bare(&format!("{}{}", family.kana, given.kana)),
                ]
            })
            .map(|spelling| alike(&self.addressee, &spelling))
            .fold(0.0, f64::max);
        let address = alike(
            &self.address,
            &door(&written(household.locale, &household.address)),
        );
        let other = !self.postcode.is_empty() && self.postcode != household.address.postcode;
        let postcode = if other { 0.9 } else { 1.0 };
        match (self.addressee.is_empty(), self.address.is_empty()) {
            (true, true) => 0.0,
            (false, true) => 0.85 * name,
            (true, false) => 0.85 * address * postcode,
            (false, false) => (name + address * postcode) / 2.0,
        }
    }
}

/// A name without spaces and titles.
fn bare(name: &str) -> String {
    let folded: String = fold(name).split_whitespace().collect();
    match folded.strip_suffix(['様', '殿']) {
        Some(name) => name.to_owned(),
        None => folded,
    }
}

/// An address down to the door, without the region and city that senders leave out.
fn door(address: &str) -> String {
    match address_key(address) {
        Some(key) => key.mark(),
        None => fold(address),
    }
}

fn written(locale: Locale, address: &Address) -> String {
    let building = address.building.as_deref().unwrap_or_default();
    let unit = address.unit.as_deref().unwrap_or_default();
    let Address {
        region,
        city,
        town,
        block,
        ..
    } = address;
    match locale {
        Locale::JaJp => format!("{region}{city}{town}{block} {building} {unit}"),
        Locale::EnUs if unit.is_empty() => format!("{block}, {city}, {region}"),
        Locale::EnUs => format!("{block} Apt {unit}, {city}, {region}"),
    }
}

fn digits(text: &str) -> String {
    fold(text).chars().filter(char::is_ascii_digit).collect()
}

/// 1 less the share of characters that have to be changed, added or taken away.
fn alike(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longest = a.len().max(b.len());
    if longest == 0 {
        return 0.0;
    }
    // One row of the edit distance's table at a time.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    1.0 - row[b.len()] as f64 / longest as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn likeness_is_the_share_that_stays() {
        assert_eq!(alike("高橋圭祐", "高橋圭祐"), 1.0);
        assert_eq!(alike("高橋圭裕", "高橋圭祐"), 0.75);
        assert_eq!(alike("高橋圭", "高橋圭祐"), 0.75);
        assert_eq!(alike("", ""), 0.0);
        assert_eq!(alike("ab", "cd"), 0.0);
    }

    proptest! {
        #[test]
        fn likeness_has_no_direction(a in "[a-e]{0,8}", b in "[a-e]{0,8}") {
            prop_assert_eq!(alike(&a, &b), alike(&b, &a));
            prop_assert!((0.0..=1.0).contains(&alike(&a, &b)));
            prop_assert_eq!(alike(&a, &b) == 1.0, a == b && !a.is_empty());
        }
    }
}
