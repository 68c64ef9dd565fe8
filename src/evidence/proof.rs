//! One canary, opened: that it was committed to on that day, with these fields. The file is checked
//! without the registry and without its key, and says nothing about any other canary.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::act::{Act, Entry};
use super::checkpoint::{Checkpoint, InvalidCheckpoint};
use super::commitment::Opening;
use super::merkle::{Hash, verify_inclusion};
use super::note::Verifier;
use super::timestamp::{InvalidStamp, Stamp};

/// Said first in every proof.
const FORMAT: &str = "otori canary proof 1";

/// A proof as it is handed out, in JSON.
#[derive(Clone, Serialize, Deserialize)]
pub struct Proof {
    format: String,
    /// The canary.
    pub canary: String,
    /// What opens its commitment.
    opening: Opening,
    /// The log's entry that registered its batch, to the letter.
    entry: String,
    /// The hashes beside the entry's way up to the checkpoint's root.
    path: Vec<Hash>,
    /// The log's signed size and root.
    checkpoint: String,
    /// The public key that checks it.
    pub key: String,
    /// An RFC 3161 token over the checkpoint, in base64, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// Why a proof does not hold.
#[derive(Debug, thiserror::Error)]
pub enum InvalidProof {
    /// It is not in the format.
    #[error("it is no proof of otori: {0}")]
    Malformed(String),
    /// It was made by another log than the one that is asked for.
    #[error("it is signed by {found}, and not by {wanted}")]
    Key {
        /// The key in the proof.
        found: String,
        /// The key that was asked for.
        wanted: String,
    },
    /// The checkpoint does not hold.
    #[error("its checkpoint does not hold: {0}")]
    Checkpoint(#[from] InvalidCheckpoint),
    /// The entry is not under the checkpoint.
    #[error("its log entry is not in the log that the checkpoint signs")]
    Entry,
    /// Its timestamp does not hold.
    #[error("its timestamp does not hold: {0}")]
    Timestamp(#[from] InvalidStamp),
    /// The canary is not under the batch's root.
    #[error("the canary with these fields is not in the batch that the log entry registers")]
    Canary,
}

/// What a proof shows.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The canary.
    pub canary: String,
    /// Its source.
    pub source: String,
    /// Its batch.
    pub batch: String,
    /// When it was registered, as the log says.
    #[serde(with = "time::serde::rfc3339")]
    pub registered_at: OffsetDateTime,
    /// The committed fields.
    pub fields: serde_json::Value,
    /// The key that signed.
    pub key: String,
    /// Entries of the log below the checkpoint.
    pub log_size: u64,
    /// When the checkpoint was there at the latest, on an authority's word.
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub stamped_at: Option<OffsetDateTime>,
    /// The authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

impl Proof {
    /// Puts a proof together; beside the checkpoint's note its timestamp token, if it has one.
    pub fn new(
        canary: &str,
        opening: Opening,
        entry: String,
        path: Vec<Hash>,
        checkpoint: (String, Option<Vec<u8>>),
        key: &Verifier,
    ) -> Proof {
        Proof {
            format: FORMAT.to_owned(),
            canary: canary.to_owned(),
            opening,
            entry,
            path,
            checkpoint: checkpoint.0,
            key: key.to_string(),
            timestamp: checkpoint.1.map(|token| STANDARD.encode(token)),
        }
    }

    /// The checkpoint's note.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// Checks it from end to end. `wanted` is the log's key as it was published; without it, the proof's
    /// own key is taken, and whoever reads has to compare it. `roots` vouch for time-stamping authorities; with
    /// none, the certificate in a timestamp is taken as it is.
    ///
    /// # Errors
    /// See [`InvalidProof`].
    pub fn check(
        &self,
        wanted: Option<&Verifier>,
        roots: &[CertificateDer<'_>],
    ) -> Result<Checked, InvalidProof> {
        if self.format != FORMAT {
            return Err(InvalidProof::Malformed(format!(
                "its format is '{}'",
                self.format
            )));
        }
        let malformed = |what: &str| InvalidProof::Malformed(what.to_owned());
        let key: Verifier = self
            .key
            .parse()
            .map_err(|_| malformed("its key does not read"))?;
        if let Some(wanted) = wanted.filter(|wanted| **wanted != key) {
            return Err(InvalidProof::Key {
                found: key.to_string(),
                wanted: wanted.to_string(),
            });
        }
        let checkpoint = Checkpoint::open(&self.checkpoint, &key)?;
        let entry: Entry = serde_json::from_str(&self.entry)
            .map_err(|_| malformed("its log entry does not read"))?;
        if !verify_inclusion(
            Entry::hash(&self.entry),
            entry.seq,
            checkpoint.size,
            &self.path,
            checkpoint.root,
        ) {
            return Err(InvalidProof::Entry);
        }
        let Act::BatchRegistered {
            batch,
            source,
            canaries,
            commitment,
        } = entry.act
        else {
            return Err(malformed("its log entry registers no batch"));
        };
        let Opening {
            index,
            of,
            path,
            document,
            ..
        } = &self.opening;
        let fields: serde_json::Value =
            serde_json::from_str(document).map_err(|_| malformed("its fields do not read"))?;
        let holds = *of == canaries as u64
            && verify_inclusion(self.opening.leaf(), *index, *of, path, commitment);
        if !holds || fields["canary"] != self.canary.as_str() {
            return Err(InvalidProof::Canary);
        }
        let stamp = match &self.timestamp {
            None => None,
            Some(text) => {
                let token = STANDARD
                    .decode(text)
                    .map_err(|_| malformed("its timestamp is no base64"))?;
                Some(Stamp::open(&token, self.checkpoint.as_bytes(), roots)?)
            }
        };
        Ok(Checked {
            canary: self.canary.clone(),
            source,
            batch,
            registered_at: entry.at,
            fields,
            key: key.to_string(),
            log_size: checkpoint.size,
            stamped_at: stamp.as_ref().map(|stamp| stamp.at),
            authority: stamp.map(|stamp| stamp.authority),
        })
    }
}
