//! Secrets of the receiver: read from files, compared in constant time, never shown.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Error;
use crate::workspace::read_private;

/// A shorter secret would be guessed.
const SHORTEST: usize = 16;

/// A shared secret.
pub struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl Secret {
    /// Reads the secret that a file of mode 0600 holds; white space around it does not count.
    ///
    /// # Errors
    /// The file cannot be read, others can read it, or it holds too little.
    pub fn read(dir: &Path, file: &Path) -> Result<Secret, Error> {
        let path = dir.join(file);
        let text = Zeroizing::new(read_private(&path)?);
        let text = text.trim();
        if text.len() < SHORTEST {
            return Err(Error::WeakSecret(path));
        }
        Ok(Secret(Zeroizing::new(text.to_owned())))
    }

    /// Whether `given` is the secret. Neither its length nor its content shows in the time taken.
    pub fn is(&self, given: &str) -> bool {
        let (own, given) = (Sha256::digest(self.0.as_bytes()), Sha256::digest(given));
        own.ct_eq(&given).into()
    }

    /// HMAC-SHA-1, as Twilio signs.
    pub fn hmac_sha1(&self, parts: &[&[u8]]) -> Vec<u8> {
        sign(Hmac::<Sha1>::new_from_slice(self.0.as_bytes()), parts)
    }

    /// HMAC-SHA-256.
    pub fn hmac_sha256(&self, parts: &[&[u8]]) -> Vec<u8> {
        sign(Hmac::<Sha256>::new_from_slice(self.0.as_bytes()), parts)
    }
}

fn sign<M: Mac>(mac: Result<M, hmac::digest::InvalidLength>, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = mac.expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Whether two signatures are equal, in constant time.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
