//! Which files of a workspace a backup holds.

use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

use super::{Error, at};
use crate::workspace::{CONFIG_FILE, MASTER_KEY_FILE, Workspace};

/// Where keys and secrets are.
const KEYS: &str = "keys";

/// A file of the workspace.
pub(super) struct Kept {
    /// Relative to the workspace, with `/`.
    pub path: String,
    pub content: Zeroizing<Vec<u8>>,
}

/// Every file that the backup holds, and those that the configuration names elsewhere.
pub(super) fn gather(
    workspace: &Workspace,
    with_keys: bool,
) -> Result<(Vec<Kept>, Vec<PathBuf>), Error> {
    let dir = workspace.dir();
    let mut paths = vec![PathBuf::from(CONFIG_FILE)];
    let mut outside = Vec::new();
    for (path, secret) in workspace.named_files() {
        if !inside(&path) {
            outside.push(path);
        } else if with_keys || !secret && !path.starts_with(KEYS) {
            walk(dir, &path, &mut paths)?;
        }
    }
    if with_keys {
        walk(dir, Path::new(KEYS), &mut paths)?;
    }
    paths.sort();
    paths.dedup();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let whole = dir.join(&path);
        let content = Zeroizing::new(std::fs::read(&whole).map_err(at(&whole))?);
        let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
        let parts = parts.ok_or_else(|| Error::Content(format!("the name of {path:?}")))?;
        files.push(Kept {
            path: parts.join("/"),
            content,
        });
    }
    // A key that is given in the environment is none of its files, and the registry needs it.
    if with_keys {
        let key = workspace.master_key()?.to_hex();
        files.retain(|file| file.path != MASTER_KEY_FILE);
        files.push(Kept {
            path: MASTER_KEY_FILE.to_owned(),
            content: Zeroizing::new(key.as_bytes().to_vec()),
        });
    }
    Ok((files, outside))
}

/// Whether a path stays below where it starts.
pub(super) fn inside(path: &Path) -> bool {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    path.components().all(plain)
}

/// A file, or all files below a directory; what is not there is nothing.
fn walk(dir: &Path, path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let whole = dir.join(path);
    let passing = |path: &Path| {
        let name = path.extension().unwrap_or_default();
        // Half-written, or about to be the registry's key: it has another one then.
        name == "writing" || name == "next"
    };
    if whole.is_dir() {
        for entry in std::fs::read_dir(&whole).map_err(at(&whole))? {
            let entry = entry.map_err(at(&whole))?;
            walk(dir, &path.join(entry.file_name()), found)?;
        }
    } else if whole.is_file() && !passing(path) {
        let plain = path.components().filter(|part| *part != Component::CurDir);
        found.push(plain.collect());
    }
    Ok(())
}
