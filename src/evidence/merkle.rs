//! The Merkle tree of RFC 9162, section 2.1: a leaf is hashed behind a zero byte, two nodes behind a
//! one, so that no inner node can be passed off as an entry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A SHA-256 value; in JSON and in notes it is base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from(*self))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        STANDARD.encode(hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Hash, &'static str> {
        let bytes = STANDARD.decode(text).map_err(|_| "not base64")?;
        Hash::from_slice(&bytes).ok_or("not 32 bytes")
    }
}

impl Hash {
    /// Takes 32 bytes; `None` for another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Hash> {
        bytes.try_into().ok().map(Hash)
    }
}

/// The hash of an entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0])
            .chain_update(entry)
            .finalize()
            .into(),
    )
}

fn node(left: Hash, right: Hash) -> Hash {
    let hash = Sha256::new()
        .chain_update([1])
        .chain_update(left.0)
        .chain_update(right.0);
    Hash(hash.finalize().into())
}

/// The tree's right edge: the roots of its perfect subtrees, largest first. It is all that is needed
/// to append, and to tell the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// How many entries there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut right = leaf;
        // Each trailing one bit of the size is a perfect subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                right = node(left, right);
            }
        }
        self.roots.push(right);
        self.size += 1;
    }

    /// The tree's root; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev().copied();
        match roots.next() {
            None => Hash(Sha256::digest([]).into()),
            Some(last) => roots.fold(last, |right, left| node(left, right)),
        }
    }

    /// The bytes that [`Frontier::from_bytes`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.roots.iter().flat_map(|hash| hash.0).collect()
    }

    /// Reads it back; `None` unless there are as many hashes as the size has one bits.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Frontier> {
        let roots: Option<Vec<Hash>> = bytes.chunks(32).map(Hash::from_slice).collect();
        let roots = roots?;
        (roots.len() == size.count_ones() as usize).then_some(Frontier { size, roots })
    }
}

/// The root over these leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.root()
}

/// The inclusion proof of the leaf at `index`: the hashes beside the way up. Empty for an index outside.
pub fn inclusion(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 || index >= leaves.len() {
        return Vec::new();
    }
    let half = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(half);
    let (mut path, beside) = match index < half {
        true => (inclusion(left, index), root(right)),
        false => (inclusion(right, index - half), root(left)),
    };
    path.push(beside);
    path
}

/// The root over leaves, and the inclusion proof of each: [`inclusion`] for all of them at once.
pub fn inclusions(leaves: &[Hash]) -> (Hash, Vec<Vec<Hash>>) {
    fn climb(leaves: &[Hash], paths: &mut [Vec<Hash>]) -> Hash {
        if let [one] = leaves {
            return *one;
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left_paths, right_paths) = paths.split_at_mut(half);
        let left = climb(&leaves[..half], left_paths);
        let right = climb(&leaves[half..], right_paths);
        left_paths.iter_mut().for_each(|path| path.push(right));
        right_paths.iter_mut().for_each(|path| path.push(left));
        node(left, right)
    }
    let mut paths = vec![Vec::new(); leaves.len()];
    match leaves.is_empty() {
        true => (root(leaves), paths),
        false => (climb(leaves, &mut paths), paths),
    }
}

/// The consistency proof between the tree of the first `old` leaves and the whole one (RFC 9162, 2.1.4.1):
/// that nothing below `old` was changed. Empty for an `old` of nothing, of everything, or outside.
pub fn consistency(leaves: &[Hash], old: usize) -> Vec<Hash> {
    fn climb(leaves: &[Hash], old: usize, whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            // The old tree's own root is known to whoever asks.
            return if whole {
                Vec::new()
            } else {
                vec![root(leaves)]
            };
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        let (mut proof, beside) = match old <= half {
            true => (climb(left, old, whole), root(right)),
            false => (climb(right, old - half, false), root(left)),
        };
        proof.push(beside);
        proof
    }
    match old == 0 || old >= leaves.len() {
        true => Vec::new(),
        false => climb(leaves, old, true),
    }
}

/// Whether `leaf` is the entry at `index` of the tree of that size and root (RFC 9162, 2.1.3.2).
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash], wanted: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(*beside, hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(hash, *beside);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition of RFC 9162, 2.1.1, as it stands there.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash(Sha256::digest([]).into()),
            [one] => *one,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                node(defined(&leaves[..half]), defined(&leaves[half..]))
            }
        }
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    /// RFC 9162, 2.1.4.2.
    fn continues(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> bool {
        let mut path = proof.to_vec();
        if old.0.is_power_of_two() {
            path.insert(0, old.1);
        }
        let (mut at, mut last) = (old.0 - 1, new.0 - 1);
        while at & 1 == 1 {
            at >>= 1;
            last >>= 1;
        }
        let Some((first, rest)) = path.split_first() else {
            return false;
        };
        let (mut before, mut after) = (*first, *first);
        for beside in rest {
            if last == 0 {
                return false;
            }
            if at & 1 == 1 || at == last {
                before = node(*beside, before);
                after = node(*beside, after);
                while at & 1 == 0 && at != 0 {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                after = node(after, *beside);
            }
            at >>= 1;
            last >>= 1;
        }
        before == old.1 && after == new.1 && last == 0
    }

    #[test]
    fn known_values() {
        // SHA-256 of nothing, and of one zero byte.
        let hex = |hash: Hash| super::super::hex(&hash.0);
        assert_eq!(
            hex(root(&[])),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(leaf_hash(&[])),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }

    proptest! {
        #[test]
        fn every_entry_is_proved_and_no_other(count in 1..70_usize, pick in 0..70_usize, other in 0..70_usize) {
            let all = leaves(count);
            prop_assert_eq!(root(&all), defined(&all));
            let index = pick % count;
            let path = inclusion(&all, index);
            let (same, paths) = inclusions(&all);
            prop_assert_eq!((same, &paths[index]), (root(&all), &path));
            let (size, root) = (count as u64, root(&all));
            prop_assert!(verify_inclusion(all[index], index as u64, size, &path, root));
            let wrong = other % count;
            prop_assert_eq!(verify_inclusion(all[wrong], index as u64, size, &path, root), wrong == index);
            if wrong != index {
                prop_assert!(!verify_inclusion(all[index], wrong as u64, size, &path, root));
            }
        }

        #[test]
        fn a_log_is_shown_to_continue_an_older_one(count in 2..80_usize, pick in 1..80_usize) {
            let all = leaves(count);
            let old = 1 + pick % (count - 1);
            let proof = consistency(&all, old);
            let (before, after) = ((old as u64, root(&all[..old])), (count as u64, root(&all)));
            prop_assert!(continues(before, after, &proof));
            let mut changed = all.clone();
            changed[old - 1] = leaf_hash(b"another");
            let rewritten = (count as u64, root(&changed));
            prop_assert!(!continues(before, rewritten, &consistency(&changed, old)));
        }

        #[test]
        fn a_frontier_is_read_back(count in 0..200_u64) {
            let mut frontier = Frontier::default();
            (0..count).for_each(|n| frontier.push(leaf_hash(&n.to_be_bytes())));
            let bytes = frontier.to_bytes();
            prop_assert_eq!(Frontier::from_bytes(count, &bytes), Some(frontier));
            prop_assert_eq!(Frontier::from_bytes(count + 1, &bytes).is_some(), count.count_ones() == (count + 1).count_ones());
        }
    }
}
