//! A witness's directory: a file for each checkpoint, never written twice.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Error, Given};
use crate::registry::{Registry, SignedCheckpoint};
use crate::workspace::{Unnamed, folder};

fn at(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        path: path.clone(),
        source,
    }
}

/// A name that sorts by size.
fn file(dir: &Path, size: u64, ending: &str) -> PathBuf {
    dir.join(format!("checkpoint-{size:012}.{ending}"))
}

/// Puts a checkpoint, and its timestamp, into the directory, durably. The directory must be there: one that
/// is not is a medium that is not mounted. The log must continue the newest checkpoint that is kept there.
pub async fn put(
    dir: &Path,
    registry: &Registry,
    checkpoint: &SignedCheckpoint,
) -> Result<Given, Error> {
    let origin = checkpoint.note.lines().next();
    if let Some((path, note)) = kept(dir)?.pop() {
        if note.lines().next() != origin {
            return Err(Error::Foreign(path));
        }
        let mut lines = note.lines().skip(1);
        let seen = lines.next().and_then(|size| size.parse::<u64>().ok());
        let seen = seen.ok_or_else(|| Error::Forked(path.clone()))?;
        if seen > checkpoint.size {
            return super::overtaken(registry, seen, checkpoint.size).await;
        }
        let root = lines.next().unwrap_or_default();
        if !registry.has_signed(seen, root).await? {
            return Err(Error::Forked(path));
        }
    }
    if let Some(token) = &checkpoint.timestamp_token {
        write(&file(dir, checkpoint.size, "token"), token, false)?;
    }
    write(
        &file(dir, checkpoint.size, "note"),
        checkpoint.note.as_bytes(),
        true,
    )?;
    Ok(Given::Taken(None))
}

/// Writes a new file, whole or not at all. What is there already stays; if it has to be the same and is
/// not, that is told.
fn write(path: &Path, content: &[u8], same: bool) -> Result<(), Error> {
    let new = Unnamed::begin(path, ".otori-").map_err(at(folder(path)))?;
    let mut handle = new.handle().map_err(at(path))?;
    handle.write_all(content).map_err(at(path))?;
    match new.name() {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let kept = std::fs::read(path).map_err(at(path))?;
            match !same || kept == content {
                true => Ok(()),
                false => Err(Error::Forked(path.to_owned())),
            }
        }
        Err(error) => Err(at(path)(error)),
    }
}

/// Every checkpoint in the directory: its file, and the note; by size.
///
/// # Errors
/// The directory or a file cannot be read.
pub fn kept(dir: &Path) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(at(dir))? {
        let path = entry.map_err(at(dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|n| n.starts_with("checkpoint-") && n.ends_with(".note")) {
            let note = std::fs::read_to_string(&path).map_err(at(&path))?;
            found.push((path, note));
        }
    }
    found.sort();
    Ok(found)
}
