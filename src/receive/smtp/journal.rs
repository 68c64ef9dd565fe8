//! Recipient checks outlive the receiver: who has been answered 250 has asked, and if the receiver is killed
//! before the session ends, its next start stores what was asked for and got no message. A message that was on
//! its way then is not awaited: its sender comes again, and has not asked in vain.
//!
//! A file, written before the answer and never waited for: what a process has written survives its being killed,
//! though not a power cut. Each line is a recipient asked for (`+1 …`, sealed as the registry seals it) or one that
//! is done with (`-1`). A receiver has a file of its own, locked as long as it runs; a file that nobody has
//! locked is taken over.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::probe::Check;
use crate::registry::Registry;

/// The directory in the workspace.
const DIR: &str = "probes";
const ENDING: &str = "journal";
/// A file of more bytes is written anew with what is still open.
const LARGE: u64 = 4 << 20;
/// A file of more bytes is no journal of ours.
const LARGEST: u64 = 256 << 20;

/// What was asked for and is not done with. Clones share it.
#[derive(Clone)]
pub struct Journal {
    registry: Registry,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    path: PathBuf,
    file: File,
    bytes: u64,
    next: u64,
    /// The lines that are not done with.
    open: BTreeMap<u64, String>,
    /// Writing has failed, and was told.
    failing: bool,
}

impl Journal {
    /// Begins a file of its own in the workspace `dir`; what is left in those of receivers that were killed is
    /// in it, and returned.
    ///
    /// # Errors
    /// The directory or the file cannot be written.
    pub(super) fn open(dir: &Path, registry: Registry) -> io::Result<(Journal, Vec<(u64, Check)>)> {
        let dir = dir.join(DIR);
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let name = format!(
            "{}-{:08x}.{ENDING}",
            std::process::id(),
            rand::random::<u32>()
        );
        let path = dir.join(name);
        let mut inner = Inner {
            file: begin(&path)?,
            path,
            bytes: 0,
            next: 1,
            open: BTreeMap::new(),
            failing: false,
        };
        let (mut left, mut old, mut unread) = (Vec::new(), Vec::new(), 0);
        for entry in std::fs::read_dir(&dir)? {
            let path = entry?.path();
            let ours = path == inner.path || path.extension().is_none_or(|is| is != ENDING);
            // The lock ends with the file, behind its removal.
            let Some((file, lines)) = (if ours { None } else { orphaned(&path) }) else {
                continue;
            };
            for sealed in lines {
                let check = opened(&registry, &sealed);
                let Some(check) = check else {
                    unread += 1;
                    continue;
                };
                let number = inner.add(&sealed);
                left.push((number, check));
            }
            old.push((path, file));
        }
        if unread > 0 {
            tracing::error!(
                unread,
                "recipient checks that were kept cannot be read: the registry has another key now"
            );
        }
        inner.write_anew()?;
        inner.file.sync_all()?;
        for (path, file) in old {
            std::fs::remove_file(&path)?;
            drop(file);
        }
        let inner = Arc::new(Mutex::new(inner));
        Ok((Journal { registry, inner }, left))
    }

    /// A recipient is asked for; the number under which it is done with.
    pub(super) fn asked(&self, check: &Check) -> u64 {
        let text = serde_json::to_vec(check).unwrap_or_default();
        let sealed = self.registry.seal_probe(&text).unwrap_or_default();
        let sealed = STANDARD_NO_PAD.encode(sealed);
        let mut inner = self.lock();
        let number = inner.add(&sealed);
        let line = format!("+{number} {sealed}\n");
        inner.write(&line);
        number
    }

    /// What was asked for under these numbers is stored, or need not be.
    pub(super) fn done(&self, numbers: impl IntoIterator<Item = u64>) {
        let mut inner = self.lock();
        let mut lines = String::new();
        for number in numbers {
            if inner.open.remove(&number).is_some() {
                lines += &format!("-{number}\n");
            }
        }
        if !lines.is_empty() {
            inner.write(&lines);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing can panic while the lock is held, so it is never poisoned.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, sealed: &str) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, sealed.to_owned());
        number
    }

    fn write(&mut self, lines: &str) {
        // A write that failed may have left a part of a line, to which the next would be glued.
        let written = match self.failing {
            true => self.write_anew(),
            false => self.file.write_all(lines.as_bytes()).and_then(|()| {
                self.bytes += lines.len() as u64;
                match self.bytes > LARGE {
                    true => self.write_anew(),
                    false => Ok(()),
                }
            }),
        };
        match written {
            Ok(()) => self.failing = false,
            Err(error) => {
                if !self.failing {
                    tracing::error!(%error, "recipient checks would be lost if the receiver were killed now: its journal cannot be written");
                }
                self.failing = true;
            }
        }
    }

    /// Puts a file in the place of this one that has what is open and nothing else.
    fn write_anew(&mut self) -> io::Result<()> {
        let next = self.path.with_extension("writing");
        match std::fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = begin(&next)?;
        let lines = self.open.iter();
        let lines: String = lines
            .map(|(number, line)| format!("+{number} {line}\n"))
            .collect();
        file.write_all(lines.as_bytes())?;
        std::fs::rename(&next, &self.path)?;
        self.bytes = 0;
        self.file = file;
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.open.is_empty() {
            // What stays is taken over by the next receiver, and is empty.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A new file, locked.
fn begin(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).append(true).mode(0o600);
    let file = options.open(path)?;
    file.try_lock()?;
    Ok(file)
}

/// The lines that are open in a file that nobody has locked, with the file, which is locked now.
fn orphaned(path: &Path) -> Option<(File, Vec<String>)> {
    let mut file = File::open(path).ok()?;
    if file.try_lock().is_err() || file.metadata().ok()?.len() > LARGEST {
        return None;
    }
    // Somebody may have put another in its place, or taken it over, in between.
    use std::os::unix::fs::MetadataExt;
    let same = std::fs::metadata(path).ok()?.ino() == file.metadata().ok()?.ino();
    if !same {
        return None;
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    Some((file, open_lines(&String::from_utf8_lossy(&text))))
}

/// What was asked for and is not done with; a last line that was cut off is none.
fn open_lines(text: &str) -> Vec<String> {
    let mut open = BTreeMap::new();
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else {
            continue;
        };
        if let Some((number, sealed)) = line.strip_prefix('+').and_then(|l| l.split_once(' ')) {
            if let Ok(number) = number.parse::<u64>() {
                open.insert(number, sealed.to_owned());
            }
        } else if let Some(Ok(number)) = line.strip_prefix('-').map(str::parse::<u64>) {
            open.remove(&number);
        }
    }
    open.into_values().collect()
}

fn opened(registry: &Registry, sealed: &str) -> Option<Check> {
    let sealed = STANDARD_NO_PAD.decode(sealed).ok()?;
    let text = registry.open_probe(&sealed).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_done_with_is_open_no_more() {
        assert_eq!(open_lines("+1 a\n+2 b\n-1\n+3 c\n-9\n+4 cut"), ["b", "c"]);
        assert_eq!(open_lines(""), Vec::<String>::new());
        assert_eq!(open_lines("+x a\n-\n+ \n\0\n"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_file_is_read(text in "[-+0-9a \n]{0,60}") {
            open_lines(&text);
        }
    }
}
