//! Shared secrets: read from files, compared in constant time, replaced without a gap, never shown.
//!
//! A secret's file holds the secret in its first line. While it is being replaced, the lines below
//! hold the ones that are still taken, each as `SECRET until TIME`. The file is looked at anew
//! whenever a secret is compared, so a running receiver takes a new one at once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::registry::MasterKey;
use crate::workspace::{self, read_private};

/// A shorter secret would be guessed.
const SHORTEST: usize = 16;
/// Between an old secret and the time until which it is taken.
const UNTIL: &str = " until ";

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read, or others can read it.
    #[error(transparent)]
    File(#[from] workspace::Error),
    /// It would be guessed.
    #[error(
        "{0} is too short for a secret: write at least 16 random characters into it (`openssl rand -hex 24`)"
    )]
    Weak(PathBuf),
}

/// A secret as its file holds it at one time.
struct Held {
    text: Zeroizing<String>,
    /// `None`: the one to use; else it is taken until then.
    until: Option<OffsetDateTime>,
}

/// What tells one state of a file from another.
type Stamp = Option<(SystemTime, u64, u64)>;

/// A shared secret, and those that it has just replaced.
pub struct Secret {
    path: PathBuf,
    held: Mutex<(Stamp, std::sync::Arc<Vec<Held>>)>,
}

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
        let stamp = stamp(&path);
        let held = std::sync::Arc::new(load(&path)?);
        Ok(Secret {
            path,
            held: Mutex::new((stamp, held)),
        })
    }

    /// Whether `given` is the secret, or one that it replaced and that is still taken. Neither its
    /// length nor its content shows in the time taken.
    pub fn is(&self, given: &str) -> bool {
        let given = Sha256::digest(given);
        self.any(|text| Sha256::digest(text).ct_eq(&given))
    }

    /// Whether `signature` is the HMAC-SHA-1 of the parts, as Twilio signs.
    pub fn signed_sha1(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        self.any(|text| sign(Hmac::<Sha1>::new_from_slice(text), parts).ct_eq(signature))
    }

    /// Whether `signature` is the HMAC-SHA-256 of the parts.
    pub fn signed_sha256(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        self.any(|text| sign(Hmac::<Sha256>::new_from_slice(text), parts).ct_eq(signature))
    }

    /// Whether `signature` is that of the text as Vonage's SMS API signs, by its length: HMAC-MD5 or MD5 with
    /// the secret behind the text, HMAC-SHA-1, -256 or -512.
    pub fn signed_by_length(&self, text: &[u8], signature: &[u8]) -> bool {
        let parts = &[text];
        self.any(|key| match signature.len() {
            16 => {
                let behind = Md5::new().chain_update(text).chain_update(key).finalize();
                sign(Hmac::<Md5>::new_from_slice(key), parts).ct_eq(signature)
                    | behind.ct_eq(signature)
            }
            20 => sign(Hmac::<Sha1>::new_from_slice(key), parts).ct_eq(signature),
            32 => sign(Hmac::<Sha256>::new_from_slice(key), parts).ct_eq(signature),
            64 => sign(Hmac::<Sha512>::new_from_slice(key), parts).ct_eq(signature),
            _ => Choice::from(0),
        })
    }

    /// HMAC-SHA-1 under the secret to use, as Twilio signs.
    pub fn hmac_sha1(&self, parts: &[&[u8]]) -> Vec<u8> {
        sign(
            Hmac::<Sha1>::new_from_slice(self.newest().as_bytes()),
            parts,
        )
    }

    /// HMAC-SHA-256 under the secret to use.
    pub fn hmac_sha256(&self, parts: &[&[u8]]) -> Vec<u8> {
        let key = self.newest();
        sign(Hmac::<Sha256>::new_from_slice(key.as_bytes()), parts)
    }

    fn newest(&self) -> Zeroizing<String> {
        let held = self.held();
        let first = held.iter().find(|held| held.until.is_none());
        first.map(|held| held.text.clone()).unwrap_or_default()
    }

    /// Asks of every secret that is taken now, whatever the answer for the first ones.
    fn any(&self, question: impl Fn(&[u8]) -> Choice) -> bool {
        let now = OffsetDateTime::now_utc();
        let mut found = Choice::from(0);
        for held in self.held().iter() {
            if held.until.is_none_or(|until| now < until) {
                found |= question(held.text.as_bytes());
            }
        }
        found.into()
    }

    /// What the file holds now. One that cannot be read any more leaves everything as it was.
    fn held(&self) -> std::sync::Arc<Vec<Held>> {
        let mut known = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.path);
        if now.is_some() && now != known.0 {
            match load(&self.path) {
                Ok(held) => *known = (now, std::sync::Arc::new(held)),
                Err(error) => tracing::error!(%error, "a changed secret cannot be used"),
            }
        }
        std::sync::Arc::clone(&known.1)
    }
}

/// Puts a new random secret into the file, in one step; the one that was there is taken for
/// `overlap` longer. Returns when the old one ends.
///
/// # Errors
/// The file cannot be read or written; then it is as it was.
pub fn rotate(
    path: &Path,
    overlap: time::Duration,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, Error> {
    let old = load(path)?;
    let end = now + overlap;
    let mut text = MasterKey::generate().to_hex();
    text.push('\n');
    for held in old {
        let until = held.until.unwrap_or(end);
        if until > now
            && let Ok(until) = until.format(&Rfc3339)
        {
            text.push_str(&held.text);
            text.push_str(UNTIL);
            text.push_str(&until);
            text.push('\n');
        }
    }
    workspace::replace_private(path, text.as_bytes())?;
    Ok(end)
}

fn load(path: &Path) -> Result<Vec<Held>, Error> {
    let text = Zeroizing::new(read_private(path)?);
    let text = text.trim();
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim();
    let old: Option<Vec<Held>> = lines.map(old).collect();
    let mut held = vec![Held {
        // A file of several lines that is not one of ours is one secret, as it always was.
        text: Zeroizing::new(if old.is_some() { first } else { text }.to_owned()),
        until: None,
    }];
    if held.iter().any(|held| held.text.len() < SHORTEST) {
        return Err(Error::Weak(path.to_owned()));
    }
    held.extend(old.unwrap_or_default());
    Ok(held)
}

fn old(line: &str) -> Option<Held> {
    let (text, until) = line.trim().rsplit_once(UNTIL)?;
    Some(Held {
        text: Zeroizing::new(text.to_owned()),
        until: Some(OffsetDateTime::parse(until, &Rfc3339).ok()?),
    })
}

fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&file);
    #[cfg(not(unix))]
    let number = 0;
    Some((file.modified().ok()?, file.len(), number))
}

fn sign<M: Mac>(mac: Result<M, hmac::digest::InvalidLength>, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = mac.expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_secret_is_taken_until_its_time_and_no_longer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.token");
        let first = "the first secret of all";
        workspace::write_private(&path, first.as_bytes()).unwrap();
        let running = Secret::read(dir.path(), Path::new("a.token")).unwrap();
        let signature = running.hmac_sha256(&[b"body"]);
        assert!(running.is(first));

        let now = OffsetDateTime::now_utc();
        rotate(&path, time::Duration::hours(24), now).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let second = text.lines().next().unwrap().to_owned();
        // The one that runs takes both at once, and signs with the new one.
        assert!(running.is(first) && running.is(&second) && !running.is("another secret"));
        assert!(running.signed_sha256(&[b"body"], &signature));
        assert_ne!(running.hmac_sha256(&[b"body"]), signature);

        rotate(&path, time::Duration::ZERO, now).unwrap();
        assert!(running.is(first), "its own day is not over");
        assert!(!running.is(&second));
        let over = now + time::Duration::hours(25);
        rotate(&path, time::Duration::ZERO, over).unwrap();
        assert!(!running.is(first));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_short_secret_is_none_and_a_broken_file_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.token");
        workspace::write_private(&path, b"0123456789abcdef").unwrap();
        let running = Secret::read(dir.path(), Path::new("a.token")).unwrap();
        workspace::replace_private(&path, b"short").unwrap();
        assert!(running.is("0123456789abcdef"));
        assert!(matches!(
            Secret::read(dir.path(), Path::new("a.token")),
            Err(Error::Weak(_))
        ));
    }
}
