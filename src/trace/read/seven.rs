//! 7z.

use std::io;

use sevenz_rust2::{ArchiveReader, Error, Password};

use super::limits::Guarded;
use super::unpack::{DECODER_KIB, Opener, Seekable, join};

/// Unix keeps its mode in the upper half of the attributes.
const LINK: u32 = 0o120_000;
const KIND: u32 = 0o170_000;

/// Reads a 7z archive.
///
/// # Errors
/// It is damaged or encrypted.
pub fn read(name: &str, file: Box<dyn Seekable>, opener: &mut Opener<'_>) -> io::Result<()> {
    let archive = ArchiveReader::new_with_memory_limit(file, Password::empty(), DECODER_KIB);
    let mut archive = archive.map_err(words)?;
    archive.set_thread_count(1);
    let mut given = 0;
    let read = archive.for_each_entries(|entry, reader| {
        opener.limits.entry().map_err(Error::from)?;
        let path = join(name, &crate::notation::tame(entry.name()));
        given += 1;
        if entry.is_directory() || entry.is_anti_item() {
            return Ok(true);
        }
        if entry.has_windows_attributes && entry.windows_attributes() >> 16 & KIND == LINK {
            opener.fault(&path, "a link, which is not followed");
            return Ok(true);
        }
        let mut file = Guarded::new(reader, &opener.limits);
        opener.entry(&path, &mut file);
        // Of a solid archive the rest of this file comes before the next.
        io::copy(&mut file, &mut io::sink())?;
        Ok(true)
    });
    read.map_err(words)
}

fn words(error: Error) -> io::Error {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => {
            io::Error::other("encrypted with a password: decrypt it first")
        }
        Error::UnsupportedCompressionMethod(method) if method.contains("AES") => {
            io::Error::other("encrypted with a password: decrypt it first")
        }
        Error::Io(error, _) => error,
        other => io::Error::other(format!("the 7z archive cannot be read: {other}")),
    }
}
