//! A watch that answers without knowing what it looks for.
//!
//! Of a canary that a list does not hold it knows no value, not even under a fingerprint of its own:
//! only which marks the canary bears. A row whose values open an entry opens the canary's record, and
//! from then on that canary is compared mark by mark as with an open watch.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use serde::{Deserialize, Serialize};

use super::super::decide::Decision;
use super::super::mark::Marks;
use super::super::normalise::{Class, Key};
use super::combination::Combination;
use super::dates::Dates;
use super::digest::{self, CanaryKey, Digester, Tag};

/// So many keys of one class of a row are tried: a row has not more, unless nobody knows what its
/// columns are.
const TRIED: usize = 8;
/// So many bits tell one crowd of values from another.
const CROWD_BITS: u32 = 14;
/// So many slow answers are remembered: some combinations stand in very many rows.
const REMEMBERED: usize = 1 << 16;

/// What is sealed of a canary.
#[derive(Serialize, Deserialize)]
pub struct Record {
    pub values: Vec<RecordValue>,
}

/// One value of a canary, and how it was written.
#[derive(Serialize, Deserialize)]
pub struct RecordValue {
    pub value: u32,
    /// The key under the canary's own.
    pub key: [u8; 16],
    /// Spellings under the canary's own key.
    pub written: Vec<[u8; 16]>,
    /// The city of an address, folded.
    pub city: String,
}

/// One combination of one canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The first bits of the combination's tag.
    pub short: u64,
    pub canary: u32,
    /// The canary's key, hidden.
    pub wrapped: CanaryKey,
}

struct Opened {
    key: CanaryKey,
    record: Record,
}

/// The fingerprints of all canaries of a list.
pub struct Blind {
    digester: Digester,
    combinations: Vec<Combination>,
    /// How many bits of a tag an entry has.
    bits: u32,
    /// By their bits.
    entries: Vec<Entry>,
    /// One bit for each place of a hash of the short tags, so that most rows are done at once.
    present: Vec<u64>,
    sealed: Vec<Vec<u8>>,
    /// How closely batches are dated: no report tells a time more closely.
    dates: Dates,
    opened: Vec<OnceLock<Opened>>,
    slow: Mutex<HashMap<Tag, Box<[u32]>>>,
}

/// A key of a row, kept until all of its keys are known.
pub struct KeptKey {
    class: Class,
    digest: [u8; 16],
    text: String,
    pub written: String,
    pub city: String,
}

/// The keys of a row.
#[derive(Default)]
pub struct Kept(Vec<KeptKey>);

impl Kept {
    /// Forgets the row before.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The crowds of its personal values.
    pub fn crowds(&self) -> impl Iterator<Item = u32> {
        let personal =
            |key: &&KeptKey| !matches!(key.class, Class::Email | Class::Phone | Class::Address);
        self.0.iter().filter(personal).map(KeptKey::crowd)
    }
}

impl KeptKey {
    /// It as it was found.
    pub fn as_key(&self) -> Key<'_> {
        Key {
            class: self.class,
            text: &self.text,
            written: &self.written,
            city: &self.city,
            child: false,
            guessed: false,
        }
    }

    /// The values that it is counted with.
    pub fn crowd(&self) -> u32 {
        let first = u32::from_be_bytes(std::array::from_fn(|place| self.digest[place]));
        (self.class as u32) << CROWD_BITS | first >> (32 - CROWD_BITS)
    }
}

impl Blind {
    /// What only those who have the watch list know.
    pub fn secret(&self) -> [u8; 16] {
        self.digester
            .value(Class::Name, "a secret for samples of rows")
    }

    /// Puts a list together. `sealed` has one record for each canary of the watch.
    pub fn new(
        digester: Digester,
        combinations: Vec<Combination>,
        bits: u32,
        mut entries: Vec<Entry>,
        sealed: Vec<Vec<u8>>,
        dates: Dates,
    ) -> Blind {
        entries.sort_unstable();
        let places = (entries.len().max(4) * 16).next_power_of_two();
        let mut present = vec![0_u64; places / 64];
        for entry in &entries {
            let place = place(entry.short, places);
            present[place / 64] |= 1 << (place % 64);
        }
        Blind {
            digester,
            combinations,
            bits,
            entries,
            present,
            opened: sealed.iter().map(|_| OnceLock::new()).collect(),
            sealed,
            dates,
            slow: Mutex::default(),
        }
    }

    /// Widens what was decided to what the list's dates can say.
    pub fn widen(&self, decision: &mut Decision) {
        for found in &mut decision.sources {
            found.not_before = self.dates.floor(found.not_before);
            found.not_after = found.not_after.map(|until| self.dates.ceiling(until));
        }
        for cleared in &mut decision.cleared {
            cleared.since = self.dates.ceiling(cleared.since);
        }
    }

    /// Whether canaries that bear these marks can be found by them at all.
    pub fn shows(&self, marks: Marks) -> bool {
        let classes = Combination::of(marks.iter().map(Class::of));
        self.combinations.iter().any(|set| set.is_in(classes))
    }

    /// Keeps a key of the row at hand.
    pub fn keep(&self, key: &Key<'_>, kept: &mut Kept) {
        let digest = self.digester.value(key.class, key.text);
        let same = kept.0.iter().filter(|other| other.class == key.class);
        if same.clone().count() < TRIED && !same.into_iter().any(|other| other.digest == digest) {
            kept.0.push(KeptKey {
                class: key.class,
                digest,
                text: key.text.to_owned(),
                written: key.written.to_owned(),
                city: key.city.to_owned(),
            });
        }
    }

    /// Gives every value of the watch that stands in a row, as far as the row opens its canary.
    pub fn find(&self, kept: &Kept, found: &mut dyn FnMut(u32, &KeptKey)) {
        let mut tags = Vec::new();
        for combination in &self.combinations {
            let classes: Vec<Class> = combination.classes().collect();
            self.tags(*combination, &classes, kept, &mut Vec::new(), &mut tags);
        }
        for tag in tags {
            for canary in self.answer(&tag) {
                let Some(opened) = self.opened[canary as usize].get() else {
                    continue;
                };
                for key in &kept.0 {
                    let mine = digest::bound(&opened.key, key.class as u8, &key.text);
                    let values = opened.record.values.iter();
                    for value in values.filter(|value| value.key == mine) {
                        found(value.value, key);
                    }
                }
            }
        }
    }

    /// Whether a cell is spelt as it was planted for a canary.
    pub fn spelt(&self, canary: u32, value: u32, written: &str) -> bool {
        self.known(canary, value).is_some_and(|(key, known)| {
            let spelling = digest::bound(key, SPELLING, written.trim());
            known.written.contains(&spelling)
        })
    }

    /// The city of a canary's address, where the list has shown the canary.
    pub fn city(&self, canary: u32, value: u32) -> Option<&str> {
        self.known(canary, value).map(|(_, known)| &*known.city)
    }

    fn known(&self, canary: u32, value: u32) -> Option<(&CanaryKey, &RecordValue)> {
        let opened = self.opened[canary as usize].get()?;
        let mut values = opened.record.values.iter();
        Some((&opened.key, values.find(|known| known.value == value)?))
    }

    /// The tags of a row for one combination that pass the first bits.
    fn tags(
        &self,
        combination: Combination,
        rest: &[Class],
        kept: &Kept,
        chosen: &mut Vec<[u8; 16]>,
        out: &mut Vec<Tag>,
    ) {
        let Some((class, rest)) = rest.split_first() else {
            let tag = self.digester.tag(combination, chosen);
            if self.is_present(short(&tag, self.bits)) {
                out.push(tag);
            }
            return;
        };
        for key in kept.0.iter().filter(|key| key.class == *class) {
            chosen.push(key.digest);
            self.tags(combination, rest, kept, chosen, out);
            chosen.pop();
        }
    }

    fn is_present(&self, short: u64) -> bool {
        let place = place(short, self.present.len() * 64);
        self.present[place / 64] >> (place % 64) & 1 == 1 && {
            let at = self.entries.partition_point(|entry| entry.short < short);
            self.entries.get(at).is_some_and(|e| e.short == short)
        }
    }

    /// The canaries that a tag opens: the slow part.
    fn answer(&self, tag: &Tag) -> Box<[u32]> {
        // A panic elsewhere ends the trace anyhow.
        if let Ok(known) = self.slow.lock()
            && let Some(answer) = known.get(tag)
        {
            return answer.clone();
        }
        let mut canaries = Vec::new();
        if let Some(slow) = self.digester.slow(tag) {
            let short = short(tag, self.bits);
            let start = self.entries.partition_point(|entry| entry.short < short);
            let entries = self.entries[start..].iter();
            for entry in entries.take_while(|entry| entry.short == short) {
                if self.unlock(entry, &slow) {
                    canaries.push(entry.canary);
                }
            }
        }
        canaries.dedup();
        let answer: Box<[u32]> = canaries.into();
        if let Ok(mut known) = self.slow.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(*tag, answer.clone());
        }
        answer
    }

    fn unlock(&self, entry: &Entry, slow: &Tag) -> bool {
        let key = digest::wrap(slow, entry.canary, &entry.wrapped);
        let place = entry.canary as usize;
        if let Some(opened) = self.opened[place].get() {
            return opened.key == key;
        }
        let Some(bytes) = digest::open(&key, &self.sealed[place]) else {
            return false;
        };
        let Ok(record) = serde_json::from_slice(&bytes) else {
            return false;
        };
        // Another thread may have been first, with the same.
        let _ = self.opened[place].set(Opened { key, record });
        true
    }
}

/// What a spelling is bound as; a class is below it.
pub const SPELLING: u8 = 0xf0;

/// The first bits of a tag.
pub fn short(tag: &Tag, bits: u32) -> u64 {
    let first: [u8; 8] = std::array::from_fn(|place| tag[place]);
    u64::from_be_bytes(first) >> (64 - bits)
}

fn place(short: u64, places: usize) -> usize {
    // Short tags are random already; the multiplication spreads them over a larger table.
    (short.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize & (places - 1)
}
