//! Names of things: canaries, batches, sources.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// Letters that survive a bad photo: neither 0 and O, nor 1 and I, nor Q. 31 is prime, so that the
/// check character catches every single wrong character and every swap of neighbours.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKLMNPRSTUVWXYZ";

/// A canary's name (`C7K3R9XAB`): a `C`, seven random characters, one check character.
///
/// It says nothing about the canary, so logs, alerts and reports may carry it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CanaryId([u8; LENGTH]);

/// All of them are so long: a million of them lie in their records, and none on its own.
const LENGTH: usize = 9;

/// A text that is not a canary's name.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is not a canary id: it is a C, seven characters and a check character, such as C2345678Z"
)]
pub struct InvalidCanaryId(String);

fn check_character(body: &[u8]) -> Option<u8> {
    let mut sum = 0;
    for (place, byte) in body.iter().enumerate() {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        sum += (place + 2) * value;
    }
    Some(ALPHABET[sum % ALPHABET.len()])
}

impl CanaryId {
    /// Draws a new id; about 27 thousand million are possible, and the registry refuses a repeat.
    pub fn random(rng: &mut impl Rng) -> CanaryId {
        let mut text = [b'C'; LENGTH];
        text[1..LENGTH - 1].fill_with(|| ALPHABET[rng.random_range(0..ALPHABET.len())]);
        text[LENGTH - 1] = check_character(&text[1..LENGTH - 1]).expect("they are of the alphabet");
        CanaryId(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("it is of letters and digits")
    }
}

impl std::str::FromStr for CanaryId {
    type Err = InvalidCanaryId;
    fn from_str(text: &str) -> Result<CanaryId, InvalidCanaryId> {
        let upper = text.trim().to_ascii_uppercase();
        let id = <[u8; LENGTH]>::try_from(upper.as_bytes()).ok();
        let valid = |[first, body @ .., check]: &[u8; LENGTH]| {
            *first == b'C' && check_character(body) == Some(*check)
        };
        id.filter(valid)
            .map(CanaryId)
            .ok_or_else(|| InvalidCanaryId(text.to_owned()))
    }
}

impl TryFrom<String> for CanaryId {
    type Error = InvalidCanaryId;
    fn try_from(text: String) -> Result<CanaryId, InvalidCanaryId> {
        text.parse()
    }
}

impl From<CanaryId> for String {
    fn from(id: CanaryId) -> String {
        id.as_str().to_owned()
    }
}

impl std::fmt::Display for CanaryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for CanaryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CanaryId").field(&self.as_str()).finish()
    }
}

/// A source's name, chosen by the operator: letters, digits, `-`, `_` and `.`, at most 40.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(String);

/// A text that cannot name a source.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' cannot name a source: use 1 to 40 letters, digits, '-', '_' or '.', starting with a letter or digit"
)]
pub struct InvalidSourceName(String);

impl SourceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SourceName {
    type Err = InvalidSourceName;
    fn from_str(text: &str) -> Result<SourceName, InvalidSourceName> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let valid = text.chars().next().is_some_and(char::is_alphanumeric)
            && text.chars().all(plain)
            && text.chars().count() <= 40;
        if valid {
            Ok(SourceName(text.to_owned()))
        } else {
            Err(InvalidSourceName(text.to_owned()))
        }
    }
}

impl TryFrom<String> for SourceName {
    type Error = InvalidSourceName;
    fn try_from(text: String) -> Result<SourceName, InvalidSourceName> {
        text.parse()
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> String {
        name.0
    }
}

impl std::fmt::Display for SourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A batch's name: its source's name and a running number (`school-2`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(String);

impl BatchId {
    /// The `number`th batch of a source, counted from 1.
    pub fn new(source: &SourceName, number: u32) -> BatchId {
        BatchId(format!("{source}-{number}"))
    }

    /// A batch id as it was stored or typed; the registry says whether it exists.
    pub fn from_text(text: impl Into<String>) -> BatchId {
        BatchId(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for BatchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    proptest! {
        #[test]
        fn a_wrong_character_or_a_swap_is_caught(seed: u64, place in 1usize..9, letter in 0usize..31) {
            let id = CanaryId::random(&mut rand::rngs::StdRng::seed_from_u64(seed));
            prop_assert_eq!(&id.as_str().parse::<CanaryId>().unwrap(), &id);
            let mut wrong = id.as_str().as_bytes().to_vec();
            wrong[place] = ALPHABET[letter];
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(wrong.parse::<CanaryId>().is_ok(), wrong == id.as_str());
            if (1..7).contains(&place) {
                let mut swapped = id.as_str().as_bytes().to_vec();
                swapped.swap(place, place + 1);
                let swapped = String::from_utf8(swapped).unwrap();
                prop_assert_eq!(swapped.parse::<CanaryId>().is_ok(), swapped == id.as_str());
            }
        }
    }
}
