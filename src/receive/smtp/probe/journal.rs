//! Recipient checks outlive the receiver: who has been answered 250 has asked, and if the receiver is killed
//! before the session ends, its next start stores what was asked for and got no message. A message that was on
//! its way then is not awaited: its sender comes again, and has not asked in vain.
//!
//! A file, written before the answer and never waited for: what a process has written survives its being killed,
//! though not a power cut. Each line is a recipient asked for (`+1 …`, sealed as the registry seals it) or one that
//! is done with (`-1`). A receiver has a file of its own, locked as long as it runs; a file that nobody has
//! locked is taken over ([`super::left`]).

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Check;
use super::left::{self, Left};
use crate::registry::Registry;

/// The directory in the workspace.
const DIR: &str = "probes";
pub(super) const ENDING: &str = "journal";
/// What is to take a journal's place.
pub(super) const WRITING: &str = "writing";
/// A file of fewer bytes is not worth being written anew.
const SMALL: u64 = 4 << 20;

/// What was asked for and is not done with. Clones share it.
#[derive(Clone)]
pub(in crate::receive::smtp) struct Journal {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    registry: Registry,
    path: PathBuf,
    file: File,
    next: u64,
    /// What is not done with, and how long its line is: the session has the check itself.
    open: BTreeMap<u64, (Arc<Check>, u64)>,
    /// Bytes in the file, and those of them that are lines of what is open.
    bytes: u64,
    needed: u64,
    /// Files of fewer bytes are left as they are.
    small: u64,
    /// Writing has failed, and was told.
    failing: bool,
}

impl Journal {
    /// Begins a file of its own in the workspace `dir`; those of receivers that were killed are returned.
    ///
    /// # Errors
    /// The directory or the file cannot be written.
    pub fn open(dir: &Path, registry: Registry) -> io::Result<(Journal, Vec<Left>)> {
        let dir = dir.join(DIR);
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let (path, file) = first(&dir)?;
        let mut left = Vec::new();
        for entry in std::fs::read_dir(&dir)? {
            let other = entry?.path();
            if other != path && other.extension().is_some_and(|is| is == ENDING) {
                match left::take_over(&other, &registry) {
                    Ok(taken) => left.extend(taken),
                    Err(error) => {
                        tracing::error!(%error, file = %other.display(), "recipient checks that a receiver had kept cannot be read; they are tried again at the next start");
                    }
                }
            }
        }
        let inner = Inner {
            registry,
            path,
            file,
            next: 1,
            open: BTreeMap::new(),
            bytes: 0,
            needed: 0,
            small: SMALL,
            failing: false,
        };
        let inner = Arc::new(Mutex::new(inner));
        Ok((Journal { inner }, left))
    }

    /// A recipient is asked for; the number under which it is done with.
    pub(super) fn asked(&self, check: &Arc<Check>) -> u64 {
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        let line = inner.line(number, check);
        let length = line.len() as u64;
        inner.open.insert(number, (Arc::clone(check), length));
        inner.needed += length;
        inner.write(&line);
        number
    }

    /// What was asked for under these numbers is stored, or need not be.
    pub(super) fn done(&self, numbers: impl IntoIterator<Item = u64>) {
        let mut inner = self.lock();
        let mut lines = String::new();
        for number in numbers {
            if let Some((_, length)) = inner.open.remove(&number) {
                inner.needed -= length;
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
    fn line(&self, number: u64, check: &Check) -> String {
        let text = serde_json::to_vec(check).unwrap_or_default();
        let sealed = self.registry.seal_probe(&text).unwrap_or_default();
        format!("+{number} {}\n", STANDARD_NO_PAD.encode(sealed))
    }

    fn write(&mut self, lines: &str) {
        // A write that failed may have left a part of a line, to which the next would be glued.
        let written = match self.failing {
            true => self.write_anew(),
            false => self.file.write_all(lines.as_bytes()).and_then(|()| {
                self.bytes += lines.len() as u64;
                // As much is thrown away as is written, so that a line costs the same however many are open.
                match self.bytes > self.small && self.bytes >= 2 * self.needed {
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
        let next = self.path.with_extension(WRITING);
        match std::fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut lines = BufWriter::new(begin(&next)?);
        let mut bytes = 0;
        for (number, (check, _)) in &self.open {
            let line = self.line(*number, check);
            bytes += line.len() as u64;
            lines.write_all(line.as_bytes())?;
        }
        let file = lines.into_inner().map_err(io::IntoInnerError::into_error)?;
        std::fs::rename(&next, &self.path)?;
        self.bytes = bytes;
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

/// A receiver's own file, under a name that nobody has.
fn first(dir: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let name = format!(
            "{}-{:08x}.{ENDING}",
            std::process::id(),
            rand::random::<u32>()
        );
        let path = dir.join(name);
        match begin(&path) {
            // Another receiver that begins now may have found it before it was locked, and taken it over.
            Ok(file) if is_at(&file, &path) => return Ok((path, file)),
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::AlreadyExists
                ) => {}
            Err(error) => return Err(error),
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

/// Whether this file has that name still.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let (open, named) = (file.metadata(), std::fs::metadata(path));
    matches!((open, named), (Ok(open), Ok(named)) if open.ino() == named.ino() && open.dev() == named.dev())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, registry};
    use super::*;

    #[tokio::test]
    async fn what_is_open_is_written_anew_only_for_as_much_that_is_done_with() {
        let home = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(home.path(), registry(home.path()).await).unwrap();
        journal.lock().small = 0;
        let size = || {
            let inner = journal.lock();
            let file = std::fs::metadata(&inner.path).unwrap();
            assert_eq!(inner.bytes, file.len());
            (file.len(), file.ino())
        };
        let numbers: Vec<u64> = (0..100).map(|_| journal.asked(&check("a"))).collect();
        let full = size();
        // A few that come and go leave the many alone.
        for _ in 0..40 {
            let number = journal.asked(&check("b"));
            journal.done([number]);
        }
        assert_eq!(size().1, full.1);
        journal.done(numbers[..50].iter().copied());
        let (bytes, file) = size();
        assert!(file != full.1 && bytes < full.0 * 2 / 3, "{bytes}");
        journal.done(numbers);
        assert_eq!(size().0, 0);
    }

    #[tokio::test]
    async fn two_that_begin_at_once_take_nothing_from_each_other() {
        let home = tempfile::tempdir().unwrap();
        let registry = registry(home.path()).await;
        std::thread::scope(|scope| {
            let begin = || {
                for _ in 0..100 {
                    let (journal, left) = Journal::open(home.path(), registry.clone()).unwrap();
                    journal.asked(&check("a"));
                    let inner = journal.lock();
                    assert!(is_at(&inner.file, &inner.path));
                    drop(left);
                }
            };
            let both = [scope.spawn(begin), scope.spawn(begin)];
            for thread in both {
                thread.join().unwrap();
            }
        });
    }
}
