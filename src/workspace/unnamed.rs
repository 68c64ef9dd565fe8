//! A file that gets its name when it is whole: until then a crash leaves nothing that looks like one.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file without its name, which only its owner may read.
pub(crate) struct Unnamed {
    file: NamedTempFile,
    path: PathBuf,
}

/// The directory that a path lies in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

impl Unnamed {
    /// Begins it in the directory where it is to be; `prefix` is what it is called meanwhile.
    pub(crate) fn begin(path: &Path, prefix: &str) -> std::io::Result<Unnamed> {
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(prefix).tempfile_in(folder(path))?;
        let path = path.to_owned();
        Ok(Unnamed { file, path })
    }

    /// A handle to write through.
    pub(crate) fn handle(&self) -> std::io::Result<File> {
        self.file.reopen()
    }

    /// SHA-256 of what is in it, in hexadecimal.
    pub(crate) fn sha256(&self) -> std::io::Result<String> {
        crate::backup::sha256(self.file.path())
    }

    /// Gives it its name, and puts it in the place of a file that has it.
    #[cfg(feature = "trace")]
    pub(crate) fn replace(self) -> std::io::Result<()> {
        self.file.as_file().sync_all()?;
        let named = self.file.persist(&self.path);
        named.map(drop).map_err(|error| error.error)
    }

    /// Gives it its name, durably; [`std::io::ErrorKind::AlreadyExists`] if another file has it.
    pub(crate) fn name(self) -> std::io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file
            .persist_noclobber(&self.path)
            .map_err(|error| error.error)?;
        File::open(folder(&self.path))?.sync_all()
    }
}
