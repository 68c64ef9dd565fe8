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

/// An opened bundle.
pub struct Bundle {
    path: PathBuf,
    names: BTreeSet<String>,
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
        let place = if path.is_dir() {
            walk(path, "", &mut names)?;
            Place::Directory
        } else {
            let mut file = File::open(path).map_err(at(path))?;
            if !ends_well(&mut file).map_err(at(path))? {
                return Err(Error::Cut(path.to_owned()));
            }
            let archive = ZipArchive::new(BufReader::new(file)).map_err(zipped(path))?;
            for name in archive.file_names() {
                let name = name.map_err(zipped(path))?;
                if !name.ends_with('/') {
                    names.insert(name.into_owned());
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
            place,
        })
    }

    /// The names of its files.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Hands a file's bytes to `take`, piece by piece.
    ///
    /// # Errors
    /// There is no such file, or it does not read: its checksum is wrong, or it is cut off.
    pub fn each(&mut self, name: &str, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let path = self.path.clone();
        let mut buffer = vec![0; 1 << 16];
        let mut pump = |file: &mut dyn Read| loop {
            match file.read(&mut buffer)? {
                0 => return Ok(()),
                read => take(&buffer[..read]),
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
        let mut over = false;
        self.each(name, |piece| {
            over |= (bytes.len() + piece.len()) as u64 > LARGEST;
            if !over {
                bytes.extend_from_slice(piece);
            }
        })?;
        match over {
            false => Ok(bytes),
            true => Err(at(&self.path.join(name))(std::io::Error::other(
                "it is larger than any file of a bundle",
            ))),
        }
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
        self.each(name, |piece| hash.update(piece))?;
        Ok(crate::evidence::hex(&hash.finalize()))
    }
}

/// Whether a ZIP file ends with its directory's end and nothing behind: ours have no comment.
fn ends_well(file: &mut File) -> std::io::Result<bool> {
    const END: usize = 22;
    let length = file.metadata()?.len();
    if length < END as u64 {
        return Ok(false);
    }
    let mut end = [0; END];
    file.seek(SeekFrom::End(-(END as i64)))?;
    file.read_exact(&mut end)?;
    file.rewind()?;
    Ok(end.starts_with(b"PK\x05\x06"))
}

fn walk(root: &Path, below: &str, names: &mut BTreeSet<String>) -> Result<(), Error> {
    let dir = root.join(below);
    for entry in std::fs::read_dir(&dir).map_err(at(&dir))? {
        let entry = entry.map_err(at(&dir))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let name = match below {
            "" => name,
            _ => format!("{below}/{name}"),
        };
        // A link leads out of the bundle: it is no file of it, and so missing.
        let kind = entry.file_type().map_err(at(&dir))?;
        if kind.is_dir() {
            walk(root, &name, names)?;
        } else if kind.is_file() {
            names.insert(name);
        }
    }
    Ok(())
}
