//! Signed notes: a text, and under it a line for each signature. The format is C2SP's signed-note
//! (c2sp.org/signed-note), with Ed25519 keys, so that the verifiers and witnesses of that world read
//! what we sign.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The signature type of Ed25519 in key ids and keys.
const ED25519_TYPE: u8 = 1;

/// A text that is no key.
#[derive(Debug, thiserror::Error)]
#[error("not a key of C2SP's signed-note format with Ed25519: NAME+KEYID+KEY")]
pub struct InvalidKey;

/// Why a note does not hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNote {
    /// It is not in the format.
    #[error("it is no signed note")]
    Malformed,
    /// None of its signatures is by the key.
    #[error("it is not signed by {0}")]
    Unsigned(String),
    /// A signature claims to be by the key, and is not.
    #[error("the signature of {0} is wrong: the text was changed, or another key made it")]
    Wrong(String),
}

/// A note's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed, with its last line end.
    pub text: String,
    /// Name, key id and signature of each line.
    signatures: Vec<(String, [u8; 4], Vec<u8>)>,
}

/// A private key with its name.
pub struct Signer {
    name: String,
    seed: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}, redacted)", self.name)
    }
}

/// A public key with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    public: [u8; 32],
}

/// The first four bytes of a hash over name, type and key.
pub(super) fn key_id(name: &str, kind: u8, public: &[u8]) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind])
        .chain_update(public)
        .finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

impl Signer {
    /// The key that a seed makes. The name must hold no white space and no `+`.
    ///
    /// # Errors
    /// The name is none.
    pub fn new(name: &str, seed: [u8; 32]) -> Result<Signer, InvalidKey> {
        let fits = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
        let seed = Zeroizing::new(seed);
        match fits && Ed25519KeyPair::from_seed_unchecked(&*seed).is_ok() {
            true => Ok(Signer {
                name: name.to_owned(),
                seed,
            }),
            false => Err(InvalidKey),
        }
    }

    fn pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&*self.seed)
            .expect("`new` has made a pair of this seed")
    }

    /// The key that checks what this one signs.
    pub fn verifier(&self) -> Verifier {
        let mut public = [0; 32];
        public.copy_from_slice(self.pair().public_key().as_ref());
        Verifier {
            name: self.name.clone(),
            public,
        }
    }

    /// The text as a signed note. It must end in a line end and hold no empty line before a dash, which
    /// no text of ours does.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.pair().sign(text.as_bytes());
        let mut signed = key_id(&self.name, ED25519_TYPE, &self.verifier().public).to_vec();
        signed.extend_from_slice(signature.as_ref());
        format!("{text}\n— {} {}\n", self.name, STANDARD.encode(signed))
    }
}

impl Verifier {
    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks a note: one of its signatures must be by this key, and right.
    ///
    /// # Errors
    /// See [`InvalidNote`].
    pub fn open(&self, note: &str) -> Result<Note, InvalidNote> {
        let note: Note = note.parse()?;
        let id = key_id(&self.name, ED25519_TYPE, &self.public);
        let mut ours = note
            .signatures
            .iter()
            .filter(|(name, key, _)| *name == self.name && *key == id)
            .peekable();
        if ours.peek().is_none() {
            return Err(InvalidNote::Unsigned(self.name.clone()));
        }
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        match ours.all(|(_, _, signature)| key.verify(note.text.as_bytes(), signature).is_ok()) {
            true => Ok(note),
            false => Err(InvalidNote::Wrong(self.name.clone())),
        }
    }
}

/// `NAME+KEYID+KEY`, as C2SP writes public keys.
impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&written_key(&self.name, ED25519_TYPE, &self.public))
    }
}

impl std::str::FromStr for Verifier {
    type Err = InvalidKey;
    fn from_str(text: &str) -> Result<Verifier, InvalidKey> {
        let (name, public) = read_key(text, ED25519_TYPE)?;
        Ok(Verifier { name, public })
    }
}

pub(super) fn written_key(name: &str, kind: u8, public: &[u8; 32]) -> String {
    let id = super::hex(&key_id(name, kind, public));
    let mut key = vec![kind];
    key.extend_from_slice(public);
    format!("{name}+{id}+{}", STANDARD.encode(key))
}

/// Name and public key of a key of that type.
pub(super) fn read_key(text: &str, kind: u8) -> Result<(String, [u8; 32]), InvalidKey> {
    let mut parts = text.trim().splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(InvalidKey);
    };
    let key = STANDARD.decode(key).map_err(|_| InvalidKey)?;
    let public: [u8; 32] = match key.split_first() {
        Some((found, public)) if *found == kind => public.try_into().map_err(|_| InvalidKey)?,
        _ => return Err(InvalidKey),
    };
    match !name.is_empty() && id == super::hex(&key_id(name, kind, &public)) {
        true => Ok((name.to_owned(), public)),
        false => Err(InvalidKey),
    }
}

impl std::str::FromStr for Note {
    type Err = InvalidNote;
    fn from_str(note: &str) -> Result<Note, InvalidNote> {
        // The last empty line parts text and signatures.
        let split = note.rfind("\n\n").ok_or(InvalidNote::Malformed)?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let lines = signatures
            .strip_suffix('\n')
            .ok_or(InvalidNote::Malformed)?;
        let signatures = lines.split('\n').map(signature_line);
        let signatures: Option<Vec<_>> = signatures.collect();
        Ok(Note {
            text: text.to_owned(),
            signatures: signatures.ok_or(InvalidNote::Malformed)?,
        })
    }
}

/// Name, key id and signature of a signature's line.
pub(super) fn signature_line(line: &str) -> Option<(String, [u8; 4], Vec<u8>)> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = STANDARD.decode(signature).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    Some((name.to_owned(), *id, signature.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_opened_by_its_key_alone_and_only_unchanged() {
        let signer = Signer::new("log.otori.example", [7; 32]).unwrap();
        let note = signer.sign("log.otori.example\n3\nabc\n");
        let verifier: Verifier = signer.verifier().to_string().parse().unwrap();
        assert_eq!(
            verifier.open(&note).unwrap().text,
            "log.otori.example\n3\nabc\n"
        );
        let other = Signer::new("log.otori.example", [8; 32])
            .unwrap()
            .verifier();
        assert_eq!(
            other.open(&note),
            Err(InvalidNote::Unsigned("log.otori.example".to_owned()))
        );
        let changed = note.replacen('3', "4", 1);
        assert_eq!(
            verifier.open(&changed),
            Err(InvalidNote::Wrong("log.otori.example".to_owned()))
        );
        // Any other witness's line below ours does no harm.
        let witnessed = format!(
            "{note}{}",
            Signer::new("witness", [9; 32])
                .unwrap()
                .sign("x\n")
                .split_once("\n\n")
                .unwrap()
                .1
        );
        assert!(verifier.open(&witnessed).is_ok());
        for length in 0..note.len() {
            if note.is_char_boundary(length) {
                assert!(verifier.open(&note[..length]).is_err(), "{length}");
            }
        }
    }

    /// The public key of RFC 8032, 7.1, test 1, as C2SP writes it: name, the first four bytes of
    /// SHA-256(name ‖ LF ‖ 1 ‖ key), and base64 of 1 ‖ key.
    #[test]
    fn keys_are_written_as_c2sp_says() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let bytes: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&seed[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        let signer = Signer::new("example.com/log", bytes.try_into().unwrap()).unwrap();
        let text = signer.verifier().to_string();
        let public = super::super::hex(&signer.verifier().public);
        assert_eq!(
            public,
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let mut parts = text.split('+');
        assert_eq!(parts.next(), Some("example.com/log"));
        assert_eq!(parts.next().map(str::len), Some(8));
        assert!("no+key".parse::<Verifier>().is_err());
        assert!(
            text.replace("example", "exemple")
                .parse::<Verifier>()
                .is_err()
        );
    }
}
