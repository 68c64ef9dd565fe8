//! Canaries committed to at planting: each by a hash of its details behind a salt of its own, all of
//! a batch under one Merkle root, which is in the log. Without the salt nobody can try details out
//! against the hash, so opening one canary says nothing about another.

use serde::{Deserialize, Serialize};

use super::merkle::{Hash, inclusions, leaf_hash};

/// What opens a canary's commitment. It is sealed with the canary.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// 32 random bytes in hexadecimal.
    pub salt: String,
    /// The committed details, to the letter.
    pub document: String,
    /// The canary's place in its batch.
    pub index: u64,
    /// Canaries in the batch.
    pub of: u64,
    /// The hashes beside its way up to the batch's root.
    pub path: Vec<Hash>,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opening(redacted)")
    }
}

impl Opening {
    /// Whether the committed canary is one of that batch.
    pub fn is_of(&self, batch: &str) -> bool {
        serde_json::from_str::<serde_json::Value>(&self.document)
            .is_ok_and(|fields| fields["batch"] == batch)
    }

    /// The hash that stands in the batch's tree.
    pub fn leaf(&self) -> Hash {
        leaf_hash(format!("{}\n{}", self.salt, self.document).as_bytes())
    }
}

/// Commits to documents: the batch's root, and what opens each.
pub fn commitments(
    documents: Vec<String>,
    mut salt: impl FnMut() -> [u8; 32],
) -> (Hash, Vec<Opening>) {
    let of = documents.len() as u64;
    let mut openings: Vec<Opening> = (0..)
        .zip(documents)
        .map(|(index, document)| Opening {
            salt: super::hex(&salt()),
            document,
            index,
            of,
            path: Vec::new(),
        })
        .collect();
    let leaves: Vec<Hash> = openings.iter().map(Opening::leaf).collect();
    let (root, paths) = inclusions(&leaves);
    for (opening, path) in openings.iter_mut().zip(paths) {
        opening.path = path;
    }
    (root, openings)
}
