//! The watch of all canaries in a file beside the registry: to make it of a hundred thousand canaries takes longer than to
//! look a small list through.
//!
//! The file holds what the registry holds, and is sealed like it, under a key that is gone when a source is forgotten
//! ([`Registry::index_seal`]). It is used while the log tells of no change to any canary and the program is the one that
//! made it; otherwise the watch is made anew, and the file with it. Whoever deletes it loses some seconds. Whether somebody
//! has changed the registry behind the log's back is not looked for here: `otori evidence verify` does.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::evidence::hex;
use crate::registry::{IndexSeal, LogPlace, Registry};
use crate::trace::Watch;
use crate::workspace::Unnamed;

/// What the file is called in the workspace.
const FILE: &str = "watch.index";
const MAGIC: &[u8; 20] = b"otori watch index 1\n";
/// A watch of fewer canaries is made sooner than it is told of.
const LEAST: usize = 500;
/// No piece is longer, sealed.
const LONGEST: u32 = 64 << 20;

/// From what a watch was made, and by whom.
#[derive(Serialize, Deserialize)]
struct Origin {
    from: LogPlace,
    program: Program,
}

/// This program: another may fold texts in another way. Told by its file's length and time.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Program {
    version: String,
    length: u64,
    nanoseconds: u128,
}

impl Program {
    fn this() -> Option<Program> {
        let file = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
        let at = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Program {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            length: file.len(),
            nanoseconds: at.as_nanos(),
        })
    }
}

/// Where a watch can be kept, and what it is made from.
pub struct Keeping {
    path: PathBuf,
    seal: IndexSeal,
    origin: Origin,
}

impl Keeping {
    /// In a workspace's directory. To be asked before anything of the canaries is read; `None` where nobody can tell which
    /// program this is.
    ///
    /// # Errors
    /// The registry fails.
    pub async fn begin(dir: &Path, registry: &Registry) -> anyhow::Result<Option<Keeping>> {
        let Some(program) = Program::this() else {
            return Ok(None);
        };
        let origin = Origin {
            from: registry.log_place().await?,
            program,
        };
        Ok(Some(Keeping {
            path: dir.join(FILE),
            seal: registry.index_seal().await?,
            origin,
        }))
    }

    /// The watch that is kept, if it still holds. A file that has been changed is told and passed over.
    ///
    /// # Errors
    /// The registry fails.
    pub async fn kept(&self, registry: &Registry) -> anyhow::Result<Option<Watch>> {
        let Some(mut file) = self.open() else {
            return Ok(None);
        };
        let origin = file.next().ok().flatten();
        let origin = origin.and_then(|piece| serde_json::from_slice::<Origin>(&piece).ok());
        // Under another key it tells nothing, and is no longer the registry's.
        let Some(origin) = origin.filter(|origin| origin.program == self.origin.program) else {
            return Ok(None);
        };
        if !registry.unchanged_since(&origin.from).await? {
            return Ok(None);
        }
        match tokio::task::block_in_place(|| Watch::restore(|| file.next())) {
            Ok(watch) => Ok(Some(watch)),
            Err(error) => {
                let path = self.path.display();
                eprintln!("note: {path} cannot be read and is made anew: {error}");
                Ok(None)
            }
        }
    }

    fn open(&self) -> Option<Pieces<'_>> {
        let mut input = BufReader::with_capacity(1 << 20, File::open(&self.path).ok()?);
        let mut head = [0; MAGIC.len() + 16];
        input.read_exact(&mut head).ok()?;
        let name = head.strip_prefix(MAGIC)?;
        Some(Pieces {
            input,
            seal: &self.seal,
            name: hex(name),
            number: 0,
        })
    }

    /// Keeps a watch. That this fails takes nothing away, and is told.
    pub fn keep(&self, watch: &Watch) {
        if watch.len() < LEAST {
            return;
        }
        if let Err(error) = tokio::task::block_in_place(|| self.write(watch)) {
            let path = self.path.display();
            eprintln!(
                "note: {path} could not be written, and the next trace is no faster: {error}"
            );
        }
    }

    fn write(&self, watch: &Watch) -> io::Result<()> {
        let file = Unnamed::begin(&self.path, ".otori-index-")?;
        let mut out = BufWriter::with_capacity(1 << 20, file.handle()?);
        let name: [u8; 16] = rand::rng().random();
        out.write_all(MAGIC)?;
        out.write_all(&name)?;
        let (name, mut number) = (hex(&name), 0);
        let mut put = |piece: &[u8], last: bool| {
            let sealed = self.seal.seal(&place(&name, number, last), piece);
            let sealed = sealed.map_err(io::Error::other)?;
            let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
            out.write_all(&length.to_le_bytes())?;
            out.write_all(&sealed)?;
            number += 1;
            Ok::<(), io::Error>(())
        };
        put(&serde_json::to_vec(&self.origin)?, false)?;
        watch.store(&mut |piece| put(piece, false))?;
        put(&[], true)?;
        out.flush()?;
        file.replace()
    }
}

/// Where a piece belongs: to which file, as which, and whether it is the last.
fn place(name: &str, number: u64, last: bool) -> String {
    let last = if last { " last" } else { "" };
    format!("watch index {name} {number}{last}")
}

/// The pieces of a file.
struct Pieces<'a> {
    input: BufReader<File>,
    seal: &'a IndexSeal,
    name: String,
    number: u64,
}

impl Pieces<'_> {
    /// The next one; `None` instead of the last, behind which there is nothing to ask for.
    fn next(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut length = [0; 4];
        self.input.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > LONGEST {
            return Err(io::Error::other("it has been changed"));
        }
        let mut sealed = vec![0; length as usize];
        self.input.read_exact(&mut sealed)?;
        let place = |last| place(&self.name, self.number, last);
        let piece = match self.seal.open(&place(false), &sealed) {
            Ok(piece) => Some(piece),
            // The last is empty: what is left of it is what seals it.
            Err(_) if sealed.len() < 64 && self.seal.open(&place(true), &sealed).is_ok() => None,
            Err(_) => return Err(io::Error::other("it has been changed")),
        };
        self.number += 1;
        Ok(piece)
    }
}
