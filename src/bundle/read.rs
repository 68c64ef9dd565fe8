//! A bundle as it lies there: the ZIP file, or the directory that it was unpacked into.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::{CONTENTS, Error, at, zipped};

/// The largest file that is read into memory; raw messages are below, for the receiver takes none so large.
const LARGEST: u64 = 256 << 20;

/// The longest line of a log; an entry of ours is some thousand bytes.
const LONGEST: usize = 64 << 20;

/// An opened bundle.
pub struct Bundle {
    path: PathBuf,
    names: BTreeSet<String>,
    strange: Vec<String>,
    place: Place,
}

enum Place {
    Directory,
    Archive(Box<ZipArchive<BufReader<File>>>),
}

impl Bundle {
    /// Whether a path looks like a bundle, and not like a single proof.
    pub fn is_one(path: &Path) -> bool {
        let mut magic = [0; 4];
        path.is_dir()
            || File::open(path).is_ok_and(|mut file| {
                file.read_exact(&mut magic).is_ok() && magic == *b"PK\x03\x04"
            })
    }

    /// Opens a ZIP file or a directory.
    ///
    /// # Errors
    /// It does not read, or is something else.
    pub fn open(path: &Path) -> Result<Bundle, Error> {
        let mut names = BTreeSet::new();
        let mut strange = Vec::new();
        let place = if path.is_dir() {
            walk(path, "", &mut names, &mut strange)?;
            Place::Directory
        } else {
            let mut file = File::open(path).map_err(at(path))?;
            let Some(files) = files_at_end(&mut file).map_err(at(path))? else {
                return Err(Error::Cut(path.to_owned()));
            };
            let mut archive = ZipArchive::new(BufReader::new(file)).map_err(zipped(path))?;
            // Of two files with one name this reader sees the last, and another may see the first.
            if files.is_some_and(|files| usize::from(files) != archive.len()) {
                return Err(Error::Twice(path.to_owned()));
            }
            for index in 0..archive.len() {
                let file = archive.by_index_raw(index).map_err(zipped(path))?;
                match file.name() {
                    Ok(name) if name.ends_with('/') && file.size() == 0 => {}
                    Ok(name) => {
                        names.insert(name.into_owned());
                    }
                    Err(error) => return Err(zipped(path)(error)),
                }
            }
            Place::Archive(Box::new(archive))
        };
        if !names.contains(CONTENTS) {
            return Err(Error::None(path.to_owned()));
        }
        Ok(Bundle {
            path: path.to_owned(),
            names,
            strange,
            place,
        })
    }

    /// The names of its files.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// What lies in the directory and is no file of a bundle: links, names that are no text.
    pub fn strange(&self) -> Vec<String> {
        self.strange.clone()
    }

    /// Hands a file's bytes to `take`, piece by piece, until it says that it has enough.
    ///
    /// # Errors
    /// There is no such file, or it does not read: its checksum is wrong, or it is cut off.
    pub fn each(&mut self, name: &str, mut take: impl FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let path = self.path.clone();
        // A list may name what lies outside.
        if !self.names.contains(name) {
            let missing = std::io::ErrorKind::NotFound.into();
            return Err(at(&path.join(name))(missing));
        }
        let mut buffer = vec![0; 1 << 16];
        let mut pump = |file: &mut dyn Read| loop {
            match file.read(&mut buffer)? {
                0 => return Ok(()),
                read if take(&buffer[..read]) => {}
                _ => return Err(std::io::Error::other("it is larger than any of a bundle")),
            }
        };
        match &mut self.place {
            Place::Directory => {
                let path = path.join(name);
                let mut file = File::open(&path).map_err(at(&path))?;
                pump(&mut file).map_err(at(&path))
            }
            Place::Archive(archive) => {
                let mut file = archive.by_name(name).map_err(zipped(&path))?;
                pump(&mut file).map_err(at(&path.join(name)))
            }
        }
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// As [`Bundle::each`]; it is larger than any file of a bundle is.
    pub fn bytes(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.each(name, |piece| {
            bytes.extend_from_slice(piece);
            bytes.len() as u64 <= LARGEST
        })?;
        Ok(bytes)
    }

    /// A file's text.
    ///
    /// # Errors
    /// As [`Bundle::bytes`]; it is no text.
    pub fn text(&mut self, name: &str) -> Result<String, Error> {
        let path = self.path.join(name);
        String::from_utf8(self.bytes(name)?)
            .map_err(|_| at(&path)(std::io::Error::other("it is no text in UTF-8")))
    }

    /// Hands a text's lines to `take`, one after the other, however long the file is.
    ///
    /// # Errors
    /// As [`Bundle::each`].
    pub fn lines(&mut self, name: &str, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut begun: Vec<u8> = Vec::new();
        self.each(name, |piece| {
            let mut parts = piece.split(|byte| *byte == b'\n').peekable();
            while let Some(part) = parts.next() {
                begun.extend_from_slice(part);
                if parts.peek().is_some() {
                    take(&begun);
                    begun.clear();
                }
            }
            begun.len() <= LONGEST
        })?;
        if !begun.is_empty() {
            take(&begun);
        }
        Ok(())
    }

    /// SHA-256 of a file, in hexadecimal.
    ///
    /// # Errors
    /// As [`Bundle::each`].
    pub fn sha256(&mut self, name: &str) -> Result<String, Error> {
        let mut hash = Sha256::new();
        self.each(name, |piece| {
            hash.update(piece);
            true
        })?;
        Ok(crate::evidence::hex(&hash.finalize()))
    }
}

/// How many files a ZIP file's end tells of (`None`: more than it can count), if that end is where it has
/// to be, with nothing behind: ours have no comment.
fn files_at_end(file: &mut File) -> std::io::Result<Option<Option<u16>>> {
    const END: usize = 22;
    let length = file.metadata()?.len();
    if length < END as u64 {
        return Ok(None);
    }
    let mut end = [0; END];
    file.seek(SeekFrom::End(-(END as i64)))?;
    file.read_exact(&mut end)?;
    file.rewind()?;
    let files = u16::from_le_bytes([end[10], end[11]]);
    Ok(end
        .starts_with(b"PK\x05\x06")
        .then_some((files != u16::MAX).then_some(files)))
}

fn walk(
    root: &Path,
    below: &str,
    names: &mut BTreeSet<String>,
    strange: &mut Vec<String>,
) -> Result<(), Error> {
    let dir = root.join(below);
    for entry in std::fs::read_dir(&dir).map_err(at(&dir))? {
        let entry = entry.map_err(at(&dir))?;
        let text = entry.file_name().into_string();
        let name = match (below, text.as_deref().unwrap_or("?")) {
            ("", name) => name.to_owned(),
            (below, name) => format!("{below}/{name}"),
        };
        let kind = entry.file_type().map_err(at(&dir))?;
        if text.is_err() || !(kind.is_dir() || kind.is_file()) {
            strange.push(name);
        } else if kind.is_dir() {
            walk(root, &name, names, strange)?;
        } else {
            names.insert(name);
        }
    }
    Ok(())
}
