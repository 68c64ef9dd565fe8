//! The fingerprints of a watch list.
//!
//! | step | what it is | what it is for |
//! | --- | --- | --- |
//! | value | SHA-256 under the list's key, 128 bits | one for each key of a row |
//! | combination | SHA-256 under the list's key over the values | its first bits say whether to look further |
//! | slow | Argon2id (RFC 9106) over the combination | opens the canary's record |
//! | record | ChaCha20-Poly1305 under the canary's own key | what else is known of that canary |
//!
//! The first bits let through at most one combination in 256 whatever is tried, so that a list of
//! millions of rows takes minutes, and who tries a country's numbers with all its birthdays pays the
//! time and the memory of Argon2id for each 256th. It is the same work for both, and the list's own
//! maker pays it in full for each entry: more of it would make large watch lists impossible. Values
//! are joined by a hash and not by a sum: a sum could be tried one part at a time.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::normalise::Class;
use super::combination::Combination;

/// A combination of values under the list's key.
pub type Tag = [u8; 32];
/// A canary's own key, which each of its combinations opens.
pub type CanaryKey = [u8; 16];

/// What Argon2id has to do for each combination that passes the first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    fn default() -> Cost {
        Cost {
            memory: 2 << 10,
            passes: 1,
        }
    }
}

impl Cost {
    /// Above this a list would be a way to stop the machine of whoever opens it.
    const MOST: Cost = Cost {
        memory: 256 << 10,
        passes: 8,
    };

    /// Whether Argon2 knows it and a machine bears it.
    pub fn is_sound(self) -> bool {
        self.memory <= Cost::MOST.memory && self.passes <= Cost::MOST.passes && {
            Params::new(self.memory, self.passes, 1, Some(32)).is_ok()
        }
    }
}

/// Makes the fingerprints of one list.
#[derive(Clone)]
pub struct Digester {
    /// SHA-256 that has taken in one block with the key.
    keyed: Sha256,
    salt: [u8; 16],
    cost: Cost,
}

impl Digester {
    /// The digester of a list's key.
    pub fn new(key: &[u8; 32], cost: Cost) -> Digester {
        let mut block = [0_u8; 64];
        block[..32].copy_from_slice(key);
        block[32..].copy_from_slice(b"otori watch list, fingerprints 1");
        let mut salt = [0_u8; 16];
        salt.copy_from_slice(&Sha256::digest(block)[..16]);
        Digester {
            keyed: Sha256::new().chain_update(block),
            salt,
            cost,
        }
    }

    /// One key of a row.
    pub fn value(&self, class: Class, key: &str) -> [u8; 16] {
        let hash = self.keyed.clone();
        let hash = hash.chain_update([class as u8]).chain_update(key);
        first(&hash.finalize())
    }

    /// Values that stand together, in the order of the combination's classes.
    pub fn tag(&self, combination: Combination, values: &[[u8; 16]]) -> Tag {
        // A value begins with its class, which is below 16.
        let mut hash = self.keyed.clone().chain_update([0xff]);
        hash.update(combination.bits().to_be_bytes());
        for value in values {
            hash.update(value);
        }
        hash.finalize().into()
    }

    /// What hides a canary's key in the entry of a combination: made slowly, once for a combination.
    /// `None` where the machine has not the memory for it.
    pub fn slow(&self, tag: &Tag) -> Option<Tag> {
        let params = Params::new(self.cost.memory, self.cost.passes, 1, Some(32)).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut out = [0; 32];
        argon2
            .hash_password_into(tag, &self.salt, &mut out)
            .ok()
            .map(|()| out)
    }
}

/// Hides a canary's key in an entry, or takes it out: each entry has bits of its own.
pub fn wrap(slow: &Tag, canary: u32, key: &CanaryKey) -> CanaryKey {
    let hidden = Sha256::new()
        .chain_update(slow)
        .chain_update(canary.to_be_bytes())
        .finalize();
    std::array::from_fn(|place| key[place] ^ hidden[place])
}

/// A text of a canary under its own key: nobody can try it who has not found the canary.
pub fn bound(key: &CanaryKey, what: u8, text: &str) -> [u8; 16] {
    let hash = Sha256::new().chain_update(key).chain_update([what]);
    first(&hash.chain_update(text).finalize())
}

/// Seals a canary's record. The key seals nothing else, so that the nonce may be constant.
pub fn seal(key: &CanaryKey, record: &[u8]) -> Option<Vec<u8>> {
    let nonce = Nonce::default();
    cipher(key).encrypt(&nonce, record).ok()
}

/// Opens a canary's record; `None` under another key.
pub fn open(key: &CanaryKey, sealed: &[u8]) -> Option<Vec<u8>> {
    let nonce = Nonce::default();
    cipher(key).decrypt(&nonce, sealed).ok()
}

fn cipher(key: &CanaryKey) -> ChaCha20Poly1305 {
    let hash = Sha256::new().chain_update(key).chain_update([0xfe]);
    ChaCha20Poly1305::new(&hash.finalize())
}

fn first(hash: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&hash[..16]);
    out
}
