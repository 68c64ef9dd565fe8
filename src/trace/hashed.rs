//! The digests of what was planted, for lists that hold no more than those.
//!
//! They are made when the first digest is met in a list, one hash at a time: most lists have none, and a
//! million canaries would have millions.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::normalise::Class;
use super::watch::Watch;
use crate::notation::{HashName, Role, digest_key, hashed_email_forms, hashed_phone_forms};

/// So much of a digest is kept: that two of them agree in it by chance has not happened to anybody.
const KEPT: usize = 32;

/// Values of a watch by the digests of their usual forms.
#[derive(Default)]
pub(super) struct Hashed {
    by_name: [OnceLock<HashMap<Box<str>, u32>>; HashName::ALL.len()],
}

impl Hashed {
    /// The value of a class that a digest in a list is of.
    pub fn find(&self, watch: &Watch, class: Class, key: &str) -> Option<u32> {
        if !matches!(class, Class::Email | Class::Phone) {
            return None;
        }
        let hash = HashName::of_key(key)?;
        let table = self.by_name[hash as usize].get_or_init(|| table(watch, hash));
        let value = table.get(kept(key)).copied()?;
        (watch.values[value as usize].class == class).then_some(value)
    }
}

fn table(watch: &Watch, hash: HashName) -> HashMap<Box<str>, u32> {
    let mut table = HashMap::new();
    let values = watch.texts().zip(&watch.values);
    for (index, (text, value)) in (0..).zip(values) {
        let forms = match value.class {
            Class::Email => hashed_email_forms as fn(&str) -> Vec<String>,
            Class::Phone => |number: &str| hashed_phone_forms(number, None),
            _ => continue,
        };
        let holders = watch.holders(index).iter();
        let mut spellings: Vec<&str> = holders.flat_map(|holder| watch.written(holder)).collect();
        spellings.push(text);
        spellings.sort_unstable();
        spellings.dedup();
        for form in spellings.into_iter().flat_map(forms) {
            table.insert(kept(&hash.key_of(&form)).into(), index);
        }
    }
    table
}

/// What a column of digests holds the digests of: telephone numbers where its name says so, mail
/// addresses elsewhere. `None` for any other column.
pub(super) fn role(header: &str, samples: &[&str]) -> Option<Role> {
    let filled = || samples.iter().filter(|sample| !sample.is_empty());
    let digests = filled()
        .filter(|sample| digest_key(sample).is_some())
        .count();
    if digests == 0 || digests * 2 < filled().count() {
        return None;
    }
    let header = header.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| header.contains(word));
    let phone = says(&["phone", "tel", "mobile", "msisdn", "電話", "携帯"]) && !says(&["mail"]);
    Some(if phone { Role::Phone } else { Role::Email })
}

fn kept(key: &str) -> &str {
    let digest = key.split_once(':').map_or(key, |(_, digest)| digest);
    digest.get(..KEPT).unwrap_or(digest)
}
