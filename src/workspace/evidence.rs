//! The workspace's part in the evidence log: the key that signs it, and a copy of the newest checkpoint
//! outside of the registry, by which a registry that was set back is found out.

use std::io::Write;
use std::path::PathBuf;

use rand::RngExt;
use time::OffsetDateTime;

use super::{Error, Workspace, at, read_private, replace_private, write_private};
use crate::evidence::{Act, Checkpoint, Signer, Verifier};
use crate::publish;
use crate::registry::{Registry, SignedCheckpoint, Trust};

/// The signing key: its name and its seed, 64 hexadecimal digits.
const KEY_FILE: &str = "keys/evidence.key";
/// Public keys that signed before the present one, one on each line.
const OLD_KEYS_FILE: &str = "keys/evidence.old";
/// The newest checkpoint.
const ANCHOR_FILE: &str = "checkpoint.note";

fn key_line(name: &str, seed: &[u8]) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(format!("{name} {}\n", crate::evidence::hex(seed)))
}

impl Workspace {
    /// The key that signs the log. A workspace that has none yet gets one.
    ///
    /// # Errors
    /// The file is exposed, does not read, or cannot be written.
    pub fn signer(&self) -> Result<Signer, Error> {
        let path = self.dir().join(KEY_FILE);
        if !path.exists() {
            let seed: [u8; 32] = rand::rng().random();
            let name = match &self.config().evidence.origin {
                Some(origin) => origin.clone(),
                // Any name that no other log has will do.
                None => format!(
                    "otori/{}",
                    crate::evidence::hex(&rand::rng().random::<[u8; 8]>())
                ),
            };
            Signer::new(&name, seed).map_err(|_| self.bad_key(KEY_FILE))?;
            write_private(&path, key_line(&name, &seed).as_bytes())?;
        }
        let text = zeroize::Zeroizing::new(read_private(&path)?);
        let read = || {
            let (name, seed) = text.trim().split_once(' ')?;
            let seed = crate::registry::MasterKey::from_hex(seed).ok()?;
            Signer::new(name, seed.to_bytes()).ok()
        };
        read().ok_or_else(|| self.bad_key(KEY_FILE))
    }

    /// The log's public keys: the present one, and those before it.
    ///
    /// # Errors
    /// A key does not read.
    pub fn verifiers(&self) -> Result<Vec<Verifier>, Error> {
        let mut keys = vec![self.signer()?.verifier()];
        let path = self.dir().join(OLD_KEYS_FILE);
        if path.exists() {
            let text = std::fs::read_to_string(&path).map_err(at(&path))?;
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                keys.push(line.parse().map_err(|_| self.bad_key(OLD_KEYS_FILE))?);
            }
        }
        Ok(keys)
    }

    /// Gives the log another signing key of the same name. That it does is in the log under the old key's
    /// signature first, and the old public key is kept, so that old checkpoints still verify.
    ///
    /// # Errors
    /// A file or the registry fails; then the old key is still in use.
    pub async fn rotate_signing_key(&self, registry: &Registry) -> Result<PathBuf, Error> {
        let old = self.signer()?.verifier();
        let seed: [u8; 32] = rand::rng().random();
        let new = Signer::new(old.name(), seed).map_err(|_| self.bad_key(KEY_FILE))?;
        let act = Act::SigningKeyChanged {
            from: old.to_string(),
            to: new.verifier().to_string(),
        };
        registry.record(act, OffsetDateTime::now_utc()).await?;
        self.sign_log(registry).await?;
        let keys = self.verifiers()?;
        let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
        replace_private(&self.dir().join(OLD_KEYS_FILE), lines.as_bytes())?;
        let line = key_line(old.name(), &seed);
        let path = self.dir().join(KEY_FILE);
        replace_private(&path, line.as_bytes())?;
        Ok(path)
    }

    /// What the log is checked against: its keys, the checkpoints kept outside of the registry that can be
    /// reached, and whoever stamps and witnesses them.
    ///
    /// # Errors
    /// A key or a root does not read, or a copy that is there does not.
    pub fn trust(&self) -> Result<Trust, Error> {
        let config = &self.config().evidence;
        let own = "the workspace's own copy of the newest checkpoint".to_owned();
        let mut kept: Vec<(String, String)> = self
            .anchor()?
            .into_iter()
            .map(|note| (own.clone(), note))
            .collect();
        let mut unread = Vec::new();
        let origin = self.signer()?.verifier().name().to_owned();
        for witness in &config.witness {
            let Some(directory) = &witness.directory else {
                continue;
            };
            match publish::kept(&self.dir().join(directory)) {
                Ok(found) => {
                    for (path, note) in found {
                        match note.lines().next() == Some(origin.as_str()) {
                            true => kept.push((path.display().to_string(), note)),
                            false => unread.push(format!("{} is another log's", path.display())),
                        }
                    }
                }
                // A medium that is not mounted must not keep the rest from being checked.
                Err(error) => unread.push(format!(
                    "not compared with what the witness '{}' keeps: {error}",
                    witness.name
                )),
            }
        }
        Ok(Trust {
            keys: self.verifiers()?,
            kept,
            unread,
            roots: publish::roots(config, self.dir())?,
            cosigners: publish::Publisher::cosigners(config),
        })
    }

    /// Where the log's checkpoints go; `None` if the configuration names no place. To be called, and
    /// dropped, inside a tokio runtime.
    ///
    /// # Errors
    /// See [`publish::Error`].
    pub fn publisher(&self) -> Result<Option<publish::Publisher>, Error> {
        let config = self.config();
        let publisher = publish::Publisher::new(&config.evidence, &config.alert, self.dir())?;
        Ok(publisher)
    }

    /// The newest checkpoint that this workspace has seen, as a note; `None` before the first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn anchor(&self) -> Result<Option<String>, Error> {
        let path = self.anchor_path();
        match std::fs::read_to_string(&path) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// Signs what has entered the log since the last checkpoint, and keeps the checkpoint beside the
    /// registry. `None` if nothing has.
    ///
    /// # Errors
    /// The registry does not continue the newest checkpoint, or a file or the registry fails.
    pub async fn sign_log(&self, registry: &Registry) -> Result<Option<SignedCheckpoint>, Error> {
        let keys = self.verifiers()?;
        let anchor = self.anchor()?;
        let opened = anchor
            .as_deref()
            .and_then(|note| keys.iter().find_map(|key| Checkpoint::open(note, key).ok()));
        if anchor.is_some() && opened.is_none() {
            return Err(Error::Anchor(self.anchor_path()));
        }
        let signed = registry
            .checkpoint(&self.signer()?, opened.as_ref())
            .await?;
        if let Some(signed) = &signed {
            self.keep_anchor(signed)?;
        }
        Ok(signed)
    }

    /// Puts a checkpoint beside the registry, whole or not at all: a crash leaves the old copy, which the log
    /// still continues. A newer one, of another process, stays.
    fn keep_anchor(&self, signed: &SignedCheckpoint) -> Result<(), Error> {
        let path = self.anchor_path();
        let kept = self.anchor()?;
        let size = kept
            .as_deref()
            .and_then(|note| note.lines().nth(1)?.parse::<u64>().ok());
        if size.is_some_and(|size| size > signed.size) {
            return Ok(());
        }
        let mut new = tempfile::Builder::new()
            .prefix(".checkpoint-")
            .tempfile_in(self.dir())
            .map_err(at(self.dir()))?;
        new.write_all(signed.note.as_bytes()).map_err(at(&path))?;
        new.as_file().sync_all().map_err(at(&path))?;
        new.persist(&path).map_err(|error| at(&path)(error.error))?;
        Ok(())
    }

    fn anchor_path(&self) -> PathBuf {
        self.dir().join(ANCHOR_FILE)
    }

    fn bad_key(&self, file: &str) -> Error {
        Error::EvidenceKey(self.dir().join(file))
    }
}
