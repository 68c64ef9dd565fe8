//! The registry's key file, and how it gives way to another.
//!
//! The new key is on disk under another name before the registry is sealed with it, and takes the old
//! one's name afterwards. A crash in between leaves both files; the registry opens with exactly one of
//! them, and the next command finds out which and clears up. It does so only under the planting lock,
//! so it never takes a key from under a rotation that is still at work.

use std::io::Write;
use std::path::Path;

use super::{Error, Workspace, at, move_durably, read_private, replace_private};
use crate::registry::{self, MasterKey, Registry, ResealStep};

/// The registry's key, below the workspace.
pub const MASTER_KEY_FILE: &str = "keys/registry.key";
/// The key that is about to take its place.
const NEXT_KEY_FILE: &str = "keys/registry.key.next";

/// How far a rotation has come; a test ends the process at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// The new key is on disk.
    Written,
    /// In the registry's transaction.
    Resealing(ResealStep),
    /// The registry opens with the new key only.
    Resealed,
    /// The new key has the old one's name.
    Renamed,
}

impl Workspace {
    /// Opens its registry, and ends a rotation of its key that was broken off.
    ///
    /// # Errors
    /// The key is missing, exposed or wrong, or the registry cannot be reached.
    pub async fn registry(&self) -> Result<Registry, Error> {
        let registry = self.open_registry().await?;
        Ok(registry.joining(&self.config.incident))
    }

    async fn open_registry(&self) -> Result<Registry, Error> {
        let url = &self.config.registry.url;
        let next = self.dir.join(NEXT_KEY_FILE);
        let opened = Registry::open(url, &self.dir, &self.master_key()?).await;
        if self.key_is_given() || !next.exists() {
            return Ok(opened?);
        }
        match opened {
            Err(registry::Error::WrongKey) => {
                let registry = Registry::open(url, &self.dir, &read_key(&next)?).await?;
                if let Ok(_held) = registry.exclusive().await
                    && registry.key_is_current().await?
                    && next.exists()
                {
                    self.take_over(&next)?;
                }
                Ok(registry)
            }
            Ok(registry) => {
                if let Ok(_held) = registry.exclusive().await
                    && registry.key_is_current().await?
                    && next.exists()
                {
                    wipe(&next)?;
                }
                Ok(registry)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the registry a new key. The old one opens nothing any more, and its file is overwritten.
    ///
    /// # Errors
    /// The key comes from the environment, another process plants or rotates, or something fails;
    /// then the registry opens with the key that it had, or the next command ends what was begun.
    pub async fn rotate_registry_key(
        &self,
        registry: &Registry,
        watch: &mut (dyn FnMut(KeyStep) + Send),
    ) -> Result<(), Error> {
        if self.key_is_given() {
            return Err(Error::KeyInEnvironment);
        }
        let _held = registry.exclusive().await?;
        let new = MasterKey::generate();
        let next = self.dir.join(NEXT_KEY_FILE);
        replace_private(&next, new.to_hex().as_bytes())?;
        watch(KeyStep::Written);
        let mut steps = |step| watch(KeyStep::Resealing(step));
        registry.reseal(&new, &mut steps).await?;
        watch(KeyStep::Resealed);
        self.take_over(&next)?;
        watch(KeyStep::Renamed);
        Ok(())
    }

    /// The new key takes the old one's name.
    fn take_over(&self, next: &Path) -> Result<(), Error> {
        let current = self.dir.join(MASTER_KEY_FILE);
        let old = std::fs::File::options().write(true).open(&current);
        move_durably(next, &current)?;
        if let Ok(old) = old {
            overwrite(old).map_err(at(&current))?;
        }
        Ok(())
    }

    /// Whether the key is given in the environment, which goes before the file.
    fn key_is_given(&self) -> bool {
        std::env::var_os(super::KEY_VARIABLE).is_some()
    }
}

fn read_key(path: &Path) -> Result<MasterKey, Error> {
    let text = zeroize::Zeroizing::new(read_private(path)?);
    MasterKey::from_hex(&text).map_err(|source| Error::Key {
        place: path.display().to_string(),
        source,
    })
}

/// Removes a key that opens nothing.
fn wipe(path: &Path) -> Result<(), Error> {
    let file = std::fs::File::options().write(true).open(path);
    overwrite(file.map_err(at(path))?).map_err(at(path))?;
    std::fs::remove_file(path).map_err(at(path))
}

/// As far as a file system lets it be done: one that copies on write keeps the old blocks for a time.
fn overwrite(mut file: std::fs::File) -> std::io::Result<()> {
    let length = file.metadata()?.len();
    file.write_all(&vec![0; usize::try_from(length).unwrap_or(0)])?;
    file.sync_all()
}
