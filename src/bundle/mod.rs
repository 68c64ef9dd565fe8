//! Evidence that is handed out: one ZIP file with the messages as they came, the log that vouches for them,
//! and all that it takes to check both without otori's registry, its key, or a network.
//!
//! | file | what it is |
//! | --- | --- |
//! | `READ-ME.html` | what this is and how it is checked, in both languages |
//! | `contents.json` | the files that are handed out, each with its hash; the log holds this file's own hash |
//! | `sightings.json`, `incidents.json`, `custody.json` | what the messages turned out to be, and who has handled what |
//! | `messages/N/…` | a message's raw bytes and its envelope |
//! | `log/entries.jsonl` | the whole log, an entry on each line, to the letter as it was hashed |
//! | `log/checkpoint-N.note`, `.token`, `.cosignatures` | what signs it, stamps it, and has witnessed it |
//! | `log/keys.txt` | the log's public keys, the present one first |
//! | `SHA256SUMS` | every other file, for `sha256sum -c` |
//!
//! The log's last checkpoint is over the entry that says what was handed out, so the order is: gather,
//! write that entry, sign, and write the log behind what it vouches for.

mod check;
mod contents;
mod page;
mod read;
mod write;

use std::path::PathBuf;

pub use check::{BundleCheck, check};
pub use contents::{Contents, Item};
pub use read::Bundle;
pub use write::{Made, Wanted, make};

const README: &str = "READ-ME.html";
const CONTENTS: &str = "contents.json";
const SUMS: &str = "SHA256SUMS";
const ENTRIES: &str = "log/entries.jsonl";
const KEYS: &str = "log/keys.txt";

/// Why a bundle cannot be made or read. What does not hold in one is no error but in the result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is there already.
    #[error("{0} exists: it is left as it is; name another file")]
    Exists(PathBuf),
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The ZIP file does not read, or cannot be written.
    #[error("{path}: {source}")]
    Zip {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: zip::result::ZipError,
    },
    /// The ZIP file does not end where it should.
    #[error(
        "{0} does not end as a bundle does: it was cut off, or something was put behind its end"
    )]
    Cut(PathBuf),
    /// Two files of one name.
    #[error(
        "{0} holds two files of one name: another reader would see other content than this one"
    )]
    Twice(PathBuf),
    /// It is something else.
    #[error("{0} is no bundle of evidence: it has no {CONTENTS}")]
    None(PathBuf),
    /// There is nothing to hand out.
    #[error("there is no incident {0}: see `otori incidents`")]
    NoIncident(i64),
    /// A message that a sighting comes from is gone.
    #[error("message {0} is not in the registry any more: run `otori evidence verify`")]
    NoMessage(i64),
    /// The log is not signed.
    #[error("the log is not signed: run `otori evidence verify`")]
    Unsigned,
    /// The registry fails.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
    /// The workspace fails.
    #[error(transparent)]
    Workspace(#[from] crate::workspace::Error),
}

fn at(path: &std::path::Path) -> impl Fn(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File {
        path: path.clone(),
        source,
    }
}

fn zipped(path: &std::path::Path) -> impl Fn(zip::result::ZipError) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Zip {
        path: path.clone(),
        source,
    }
}
