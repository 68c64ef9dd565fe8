//! Which files hold mail: what is named, and what lies in a directory that is named.

use std::io;
use std::path::{Path, PathBuf};

/// Directories inside each other; deeper ones are told as unreadable.
const DEPTH: usize = 32;

/// The files at a path, and what could not be looked at. In a maildir every mail is one; in any other
/// directory, and those in it, files named `.eml` or `.mbox`. Links are not followed.
pub fn files(path: &Path) -> (Vec<PathBuf>, Vec<(PathBuf, io::Error)>) {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    if path.is_dir() {
        walk(path, DEPTH, &mut found, &mut failed);
    } else {
        found.push(path.to_owned());
    }
    (found, failed)
}

fn walk(
    dir: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
    failed: &mut Vec<(PathBuf, io::Error)>,
) {
    if depth == 0 {
        return failed.push((dir.to_owned(), io::Error::other("directories too deep")));
    }
    let maildir = is_maildir(dir);
    let mut entries = match entries(dir) {
        Ok(entries) => entries,
        Err(error) => return failed.push((dir.to_owned(), error)),
    };
    entries.sort();
    for (path, is_dir) in entries {
        let name = path.file_name().unwrap_or_default();
        if is_dir && maildir && (name == "new" || name == "cur") {
            match self::entries(&path) {
                Ok(mails) => {
                    let mut mails: Vec<PathBuf> = mails
                        .into_iter()
                        .filter_map(|(mail, is_dir)| (!is_dir).then_some(mail))
                        .collect();
                    mails.sort();
                    found.append(&mut mails);
                }
                Err(error) => failed.push((path, error)),
            }
        } else if is_dir && !(maildir && name == "tmp") {
            walk(&path, depth - 1, found, failed);
        } else if !is_dir {
            let kind = path.extension().map(|kind| kind.to_ascii_lowercase());
            if kind.is_some_and(|kind| kind == "eml" || kind == "mbox") {
                found.push(path);
            }
        }
    }
}

/// Whether a directory is a maildir.
pub fn is_maildir(dir: &Path) -> bool {
    dir.join("new").is_dir() && dir.join("cur").is_dir()
}

/// Files and directories in one, and which of them are directories; nothing else that may be there.
pub(super) fn entries(dir: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_file() || kind.is_dir() {
            all.push((entry.path(), kind.is_dir()));
        }
    }
    Ok(all)
}
