//! A workspace in one encrypted file, and back.
//!
//! The file holds the configuration, the keys unless they are left out, and every table of the
//! registry as one moment held them, in a form that belongs to neither engine: a registry that was on
//! PostgreSQL can come back as a file. Bringing it back reads the whole file first, to its end, and
//! writes nothing unless all of it is as it was made.

mod archive;
mod files;
mod restore;
mod sealed;

pub use archive::Contents;
pub use restore::{Restored, restore};

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::registry::Registry;
use crate::workspace::{self, Unnamed, Workspace, folder};
use archive::Frame;
use sealed::Sealer;

/// A shorter passphrase would be guessed by whoever has the file.
const SHORTEST: usize = 12;

/// Why a backup is not made, or not brought back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A passphrase that would be guessed.
    #[error(
        "the passphrase is too short: take at least {SHORTEST} characters, such as six random words"
    )]
    WeakPassphrase,
    /// The file is there already.
    #[error("{0} exists: a backup never overwrites a file")]
    Exists(PathBuf),
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("this is no backup of otori: it does not begin as one")]
    NotABackup,
    /// The first bytes were changed.
    #[error("the backup's header (its first {0} bytes) was changed: nothing of it can be trusted")]
    HeaderChanged(usize),
    /// It is shorter than it was.
    #[error("the backup is cut off: {found} of {whole} bytes are there")]
    CutOff {
        /// Bytes there.
        found: u64,
        /// Bytes that it had.
        whole: u64,
    },
    /// It is longer than it was.
    #[error("the backup has {0} bytes too many behind its end")]
    TooLong(u64),
    /// The passphrase is another one.
    #[error("this is not the passphrase of the backup")]
    WrongPassphrase,
    /// Bytes were changed, or moved.
    #[error("the backup was changed between bytes {from} and {to}")]
    Changed {
        /// Where the chunk that does not open begins.
        from: u64,
        /// Where it ends.
        to: u64,
    },
    /// It opens, and says what no backup says.
    #[error("the backup cannot be read: {0}")]
    Content(String),
    /// The directory is taken.
    #[error("{0} is a workspace already: restore into an empty directory")]
    Workspace(PathBuf),
    /// The directory holds something else.
    #[error("{0} is not empty: restore into an empty directory")]
    NotEmpty(PathBuf),
    /// The workspace fails.
    #[error(transparent)]
    Files(#[from] workspace::Error),
    /// The registry fails.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
}

/// A backup that was made.
#[derive(Debug)]
pub struct Made {
    /// Files in it.
    pub files: usize,
    /// Rows of the registry in it.
    pub rows: u64,
    /// Bytes that it takes.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Files that the configuration names outside of the workspace: they are not in it.
    pub outside: Vec<PathBuf>,
}

/// Writes a backup of a workspace, while others may go on using it.
///
/// # Errors
/// See [`Error`]; then there is no file.
pub async fn make(
    workspace: &Workspace,
    registry: &Registry,
    with_keys: bool,
    passphrase: &str,
    path: &Path,
    now: OffsetDateTime,
) -> Result<Made, Error> {
    if passphrase.chars().count() < SHORTEST {
        return Err(Error::WeakPassphrase);
    }
    if path.exists() {
        return Err(Error::Exists(path.to_owned()));
    }
    let file = Unnamed::begin(path, ".otori-backup-").map_err(at(folder(path)))?;
    let handle = file.handle().map_err(at(path))?;
    let (files, outside) = files::gather(workspace, with_keys)?;
    let mut out = Sealer::begin(BufWriter::new(handle), passphrase).map_err(at(path))?;
    let contents = Contents {
        made_by: format!("otori {}", env!("CARGO_PKG_VERSION")),
        made_at: now,
        with_keys,
        files: files.len(),
        migrations: registry.migrations().await?,
    };
    archive::put(&mut out, &Frame::Contents(contents)).map_err(at(path))?;
    for file in &files {
        let frame = Frame::File {
            path: file.path.clone(),
            bytes: file.content.len() as u64,
        };
        archive::put(&mut out, &frame).map_err(at(path))?;
        out.write_all(&file.content).map_err(at(path))?;
    }
    archive::put(&mut out, &Frame::Registry).map_err(at(path))?;
    let rows = registry.dump(&mut out).await?;
    archive::put(&mut out, &Frame::End { rows }).map_err(at(path))?;
    let bytes = out.finish().map_err(at(path))?;
    let sha256 = file.sha256().map_err(at(path))?;
    file.name().map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::Exists(path.to_owned()),
        _ => at(path)(error),
    })?;
    Ok(Made {
        files: files.len(),
        rows,
        bytes,
        sha256,
        outside,
    })
}

/// SHA-256 of a file, in hexadecimal.
pub(crate) fn sha256(path: &Path) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(crate::evidence::hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}
