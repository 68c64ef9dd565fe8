//! Cosignatures: a witness signs a checkpoint of ours together with the time at which it saw it, and signs
//! no other history of this log afterwards. The format is C2SP's tlog-cosignature (c2sp.org/tlog-cosignature)
//! with Ed25519; that of its keys is the signed note's, with a type of its own.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use time::OffsetDateTime;

use super::note::{self, InvalidKey, InvalidNote, Note};

/// The type of Ed25519 cosignatures in key ids and keys.
const COSIGNATURE_TYPE: u8 = 4;

/// A witness's public key with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigner {
    name: String,
    public: [u8; 32],
}

impl Cosigner {
    /// The witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Finds this witness's line among others, and checks it over the checkpoint: when the witness has seen
    /// it. `checkpoint` is a signed note; `lines` are signature lines, each with its line end.
    ///
    /// # Errors
    /// There is no line by this witness, or its signature is wrong.
    pub fn open(&self, checkpoint: &str, lines: &str) -> Result<OffsetDateTime, InvalidNote> {
        let text = checkpoint.parse::<Note>()?.text;
        let id = note::key_id(&self.name, COSIGNATURE_TYPE, &self.public);
        let ours = lines
            .lines()
            .filter_map(note::signature_line)
            .find(|(name, key, _)| *name == self.name && *key == id);
        let Some((_, _, signature)) = ours else {
            return Err(InvalidNote::Unsigned(self.name.clone()));
        };
        let wrong = || InvalidNote::Wrong(self.name.clone());
        let (time, signature) = signature.split_first_chunk::<8>().ok_or_else(wrong)?;
        let time = u64::from_be_bytes(*time);
        let signed = format!("cosignature/v1\ntime {time}\n{text}");
        UnparsedPublicKey::new(&ED25519, &self.public)
            .verify(signed.as_bytes(), signature)
            .map_err(|_| wrong())?;
        let seconds = i64::try_from(time).map_err(|_| wrong())?;
        OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| wrong())
    }
}

impl std::fmt::Display for Cosigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&note::written_key(
            &self.name,
            COSIGNATURE_TYPE,
            &self.public,
        ))
    }
}

impl std::str::FromStr for Cosigner {
    type Err = InvalidKey;
    fn from_str(text: &str) -> Result<Cosigner, InvalidKey> {
        let (name, public) = note::read_key(text, COSIGNATURE_TYPE)?;
        Ok(Cosigner { name, public })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::evidence::Signer;

    #[test]
    fn a_witness_s_line_holds_over_its_checkpoint_alone() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        let witness = Cosigner {
            name: "witness.example/w1".to_owned(),
            public,
        };
        assert_eq!(witness.to_string().parse::<Cosigner>().unwrap(), witness);
        let log = Signer::new("log.example", [7; 32]).unwrap();
        let text = "log.example\n3\nabc\n";
        let signature = pair.sign(format!("cosignature/v1\ntime 1700000000\n{text}").as_bytes());
        let mut line = note::key_id(&witness.name, COSIGNATURE_TYPE, &public).to_vec();
        line.extend(1_700_000_000_u64.to_be_bytes());
        line.extend(signature.as_ref());
        let line = format!("— {} {}\n", witness.name, STANDARD.encode(line));
        let seen = witness.open(&log.sign(text), &line).unwrap();
        assert_eq!(seen.unix_timestamp(), 1_700_000_000);
        let other = log.sign("log.example\n4\nabc\n");
        assert_eq!(
            witness.open(&other, &line),
            Err(InvalidNote::Wrong(witness.name.clone()))
        );
        assert_eq!(
            witness.open(&log.sign(text), ""),
            Err(InvalidNote::Unsigned(witness.name.clone()))
        );
        // A log's own key is no witness's.
        assert!(log.verifier().to_string().parse::<Cosigner>().is_err());
    }
}
