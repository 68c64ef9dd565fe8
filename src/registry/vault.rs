//! Sealing fields and finding them again without opening them.
//!
//! A field is sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under a random 192-bit
//! nonce, bound to its place by the associated data, so that a sealed field moved to another row
//! does not open. A look-up goes by HMAC-SHA-256 of the folded value: equal values have equal tags,
//! and nobody without the key can try values out. Both keys are drawn from one master key.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand::RngExt;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Error;

const NONCE: usize = 24;
/// Said first in every sealed field, so that a later format is told from this one.
const VERSION: u8 = 1;

/// The registry's master key: 32 random bytes, kept outside the registry.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(redacted)")
    }
}

/// A text that is not a master key.
#[derive(Debug, thiserror::Error)]
#[error("not a key: expected 64 hexadecimal digits")]
pub struct InvalidKey;

impl MasterKey {
    /// A fresh key from the operating system's generator.
    pub fn generate() -> MasterKey {
        MasterKey(Zeroizing::new(rand::rng().random()))
    }

    /// The key as it is kept in its file: 64 hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in self.0.iter() {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    /// Reads what [`MasterKey::to_hex`] wrote; white space around it is ignored.
    ///
    /// # Errors
    /// Anything but 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<MasterKey, InvalidKey> {
        let text = text.trim();
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidKey);
        }
        let mut key = Zeroizing::new([0; 32]);
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| InvalidKey)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidKey)?;
        }
        Ok(MasterKey(key))
    }

    /// The key's bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0
    }

    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac(&*self.0, &[purpose.as_bytes()]))
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .expect("HMAC takes a key of any length (RFC 2104)");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Where the key of lasting tags is sealed.
pub(super) const LASTING_PLACE: &str = "meta lasting_key";

/// Seals, opens and tags.
#[derive(Clone)]
pub(super) struct Vault {
    cipher: XChaCha20Poly1305,
    index: Zeroizing<[u8; 32]>,
    /// The first index key that the registry had: tags that cannot be made again are made with it,
    /// whatever master key there is.
    lasting: Zeroizing<[u8; 32]>,
}

impl Vault {
    pub(super) fn new(master: &MasterKey) -> Vault {
        let seal = master.derive("otori seal 1");
        let index = master.derive("otori index 1");
        Vault {
            cipher: XChaCha20Poly1305::new((&*seal).into()),
            lasting: index.clone(),
            index,
        }
    }

    /// The vault of a new master key, with another's lasting tags.
    pub(super) fn lasting_as(master: &MasterKey, other: &Vault) -> Vault {
        Vault {
            lasting: other.lasting.clone(),
            ..Vault::new(master)
        }
    }

    /// Takes the key of lasting tags that was sealed when the master key was changed.
    pub(super) fn take_lasting(&mut self, sealed: &[u8]) -> Result<(), Error> {
        let plain = self.open(LASTING_PLACE, sealed)?;
        let key = plain.as_slice().try_into();
        self.lasting = Zeroizing::new(key.map_err(|_| Error::Damaged(LASTING_PLACE.to_owned()))?);
        Ok(())
    }

    /// The key of lasting tags.
    pub(super) fn lasting_key(&self) -> &[u8] {
        &*self.lasting
    }

    /// Seals a field; `place` says where it belongs (`canary.sealed C2345678Z`).
    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE] = rand::rng().random();
        let payload = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::TooLarge(place.to_owned()))?;
        let mut field = Vec::with_capacity(1 + NONCE + sealed.len());
        field.push(VERSION);
        field.extend_from_slice(&nonce);
        field.extend_from_slice(&sealed);
        Ok(field)
    }

    /// Opens a field that was sealed for the same place.
    pub(super) fn open(&self, place: &str, field: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let damaged = || Error::Damaged(place.to_owned());
        let (version, rest) = field.split_first().ok_or_else(damaged)?;
        if *version != VERSION {
            return Err(damaged());
        }
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or_else(damaged)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| damaged())?;
        let payload = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        let plain = self
            .cipher
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| damaged())?;
        Ok(Zeroizing::new(plain))
    }

    /// The blind index of a value among values of one kind.
    pub(super) fn tag(&self, kind: &str, value: &str) -> Vec<u8> {
        hmac(&*self.index, &[kind.as_bytes(), &[0], value.as_bytes()]).to_vec()
    }

    /// A tag that stays the same when the master key is changed; for values that are kept nowhere.
    pub(super) fn lasting_tag(&self, kind: &str, value: &str) -> Vec<u8> {
        hmac(&*self.lasting, &[kind.as_bytes(), &[0], value.as_bytes()]).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_opens_only_whole_in_its_place_and_with_its_key() {
        let key = MasterKey::generate();
        let vault = Vault::new(&MasterKey::from_hex(&key.to_hex()).unwrap());
        let sealed = vault.seal("canary A", "髙橋".as_bytes()).unwrap();
        assert_eq!(
            &**Vault::new(&key).open("canary A", &sealed).unwrap(),
            "髙橋".as_bytes()
        );
        assert!(vault.open("canary B", &sealed).is_err());
        assert!(
            Vault::new(&MasterKey::generate())
                .open("canary A", &sealed)
                .is_err()
        );
        for place in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[place] ^= 1;
            assert!(vault.open("canary A", &bent).is_err(), "byte {place}");
            assert!(vault.open("canary A", &sealed[..place]).is_err());
        }
    }

    #[test]
    fn tags_depend_on_key_kind_and_value() {
        let vault = Vault::new(&MasterKey::generate());
        let tag = vault.tag("email", "a@b.example");
        assert_eq!(tag, vault.tag("email", "a@b.example"));
        assert_ne!(tag, vault.tag("phone", "a@b.example"));
        assert_ne!(tag, vault.tag("email", "b@b.example"));
        assert_ne!(
            tag,
            Vault::new(&MasterKey::generate()).tag("email", "a@b.example")
        );
    }
}
