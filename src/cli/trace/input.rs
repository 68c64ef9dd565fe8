//! The lists that a command names: files, directories, and standard input.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::progress::Progress;
use crate::trace::parts::{Laid, Piece, merge};
use crate::trace::{Error, Watch};

/// One file of a list, and what it is called.
struct Source {
    path: PathBuf,
    name: String,
    /// Why it is not read.
    refused: Option<&'static str>,
}

/// What a list is read with.
pub struct Reading<'a> {
    pub watch: &'a Watch,
    pub laid: Option<&'a Laid>,
}

/// What a path is called in a report.
pub fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl Reading<'_> {
    /// Reads one list: a file, what comes on standard input, or the files of a directory.
    ///
    /// # Errors
    /// It cannot be read, or there is nothing in it.
    pub fn list(&self, path: &Path) -> Result<Piece, Error> {
        if is_stdin(path) {
            let mut progress = Progress::new(None);
            let input = io::stdin().lock();
            let piece = Piece::read(self.watch, "-", input, self.laid, &mut |b| progress.read(b));
            return piece.map_err(|error| Error::at(path, error))?.filled(path);
        }
        let metadata = std::fs::metadata(path).map_err(|error| Error::at(path, error))?;
        if metadata.is_dir() {
            return self.together(std::slice::from_ref(&path.to_owned()));
        }
        let source = Source {
            path: path.to_owned(),
            name: name(path),
            refused: None,
        };
        // A pipe has a name and no length.
        let mut progress = Progress::new(metadata.is_file().then_some(metadata.len()));
        let piece = self.file(&source, &mut progress)?;
        piece.filled(path)
    }

    /// Reads several files, and all files of directories, as one list. A file that cannot be read is told
    /// in the report, and the others are read.
    ///
    /// # Errors
    /// What was named is not there, or nothing could be read.
    pub fn together(&self, paths: &[PathBuf]) -> Result<Piece, Error> {
        let mut sources = Vec::new();
        let mut length = 0;
        for path in paths {
            let metadata = std::fs::metadata(path).map_err(|error| Error::at(path, error))?;
            if metadata.is_dir() {
                within(path, path, &mut sources).map_err(|error| Error::at(path, error))?;
            } else {
                sources.push(Source {
                    path: path.clone(),
                    name: name(path),
                    refused: None,
                });
            }
        }
        for source in &sources {
            length += std::fs::symlink_metadata(&source.path).map_or(0, |file| file.len());
        }
        let mut progress = Progress::new(Some(length));
        let mut pieces = Vec::with_capacity(sources.len());
        for source in &sources {
            let piece = self.file(source, &mut progress);
            pieces.push(
                piece
                    .and_then(|piece| piece.filled(&source.path))
                    .unwrap_or_else(|error| Piece::unread(self.watch, &source.name, error.why())),
            );
            progress.next_file();
        }
        let first = paths.first().map_or(Path::new("."), PathBuf::as_path);
        let empty = || Error::Empty(first.to_owned());
        let whole = merge(pieces).map_err(|_| empty())?;
        whole.filled(first)
    }

    fn file(&self, source: &Source, progress: &mut Progress) -> Result<Piece, Error> {
        let failed = |error| Error::at(&source.path, error);
        if let Some(why) = source.refused {
            return Err(failed(io::Error::other(why)));
        }
        let file = File::open(&source.path).map_err(failed)?;
        let read = Piece::read_file(self.watch, &source.name, file, self.laid, &mut |bytes| {
            progress.read(bytes);
        });
        read.map_err(failed)
    }
}

/// The files of a directory and of those in it, by their paths.
fn within(root: &Path, dir: &Path, found: &mut Vec<Source>) -> io::Result<()> {
    let mut entries = std::fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            within(root, &path, found)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path);
        found.push(Source {
            name: name.to_string_lossy().into_owned(),
            refused: match kind {
                kind if kind.is_symlink() => Some("a link, which is not followed"),
                kind if !kind.is_file() => Some("no file"),
                _ => None,
            },
            path,
        });
    }
    Ok(())
}
