//! What can be proved later, and how: the pure part of the evidence log.
//!
//! | file | what it is |
//! | --- | --- |
//! | `act` | what is done and enters the log: ids, counts and hashes, never a canary's detail |
//! | `traced` | the numbers that a trace's verdict stands on |
//! | `merkle` | the tree over the log's entries (RFC 9162) |
//! | `note` | signed notes, as C2SP's signed-note format has them |
//! | `checkpoint` | the log's size and root, signed: C2SP's tlog-checkpoint format |
//! | `commitment` | canaries committed to when they are planted, opened one by one |
//! | `cosignature` | a witness's word that it has seen a checkpoint (C2SP's tlog-cosignature) |
//! | `timestamp` | an authority's word on when a checkpoint was there (RFC 3161) |
//! | `proof` | one opened canary, with all that a stranger needs to check it |
//!
//! Nothing here reads a file, a clock or the registry; `registry::log` keeps the entries, and
//! `cli::evidence` is the way in.

mod act;
mod checkpoint;
mod commitment;
mod cosignature;
mod merkle;
mod note;
mod proof;
mod timestamp;
mod traced;

pub use act::{Act, Entry, ErasedMessage, Pseudonym, RowDigest, content_hash, message_hash};
pub use checkpoint::{Checkpoint, InvalidCheckpoint};
pub use commitment::{Opening, commitments};
pub use cosignature::Cosigner;
pub use merkle::{Frontier, Hash, consistency, inclusion, leaf_hash, root, verify_inclusion};
pub use note::{InvalidKey, InvalidNote, Note, Signer, Verifier};
pub use proof::{Checked, InvalidProof, Proof};
pub use timestamp::{InvalidStamp, Stamp, StampRequest};
pub use traced::{TracedClear, TracedSource};

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
