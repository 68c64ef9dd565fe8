//! zip: archives of lists, and the workbooks that are zips inside.

use std::io::{self, Read, Seek, SeekFrom};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::limits::Guarded;
use super::sheet;
use super::unpack::{DECODER_KIB, Opener, Seekable, file_name, join};

/// A directory of an archive lists no more entries than this: each of them takes memory.
const LISTED: u64 = 100_000;
const ENCRYPTED: &str = "encrypted with a password: decrypt it first";

type Archive = ZipArchive<Box<dyn Seekable>>;

/// Reads a zip file.
///
/// # Errors
/// It is damaged, or nothing in it is a list.
pub fn read(name: &str, mut file: Box<dyn Seekable>, opener: &mut Opener<'_>) -> io::Result<()> {
    if listed(&mut file)? > LISTED {
        return Err(io::Error::other(format!(
            "more than {LISTED} files are packed in it: unpack it, and trace its files in several runs"
        )));
    }
    let mut archive = ZipArchive::new(file).map_err(words)?;
    let has = |archive: &Archive, name: &str| archive.index_for_name(name).is_some();
    if has(&archive, "xl/workbook.xml") {
        sheet::xlsx::read(name, &mut archive, opener)
    } else if has(&archive, "xl/workbook.bin") {
        Err(io::Error::other(
            "a binary workbook (xlsb): save it as xlsx or CSV",
        ))
    } else if has(&archive, "content.xml") && has(&archive, "mimetype") {
        sheet::ods::read(name, &mut archive, opener)
    } else if has(&archive, "word/document.xml") {
        Err(io::Error::other(
            "a Word document: save its table as text or CSV",
        ))
    } else {
        opener.within("zip", |opener| entries(name, &mut archive, opener))
    }
}

fn entries(name: &str, archive: &mut Archive, opener: &mut Opener<'_>) -> io::Result<()> {
    for index in 0..archive.len() {
        opener.limits.entry()?;
        let (path, is_dir, is_link, encrypted) = {
            let entry = archive.by_index_data(index).map_err(words)?;
            let path = join(name, &file_name(entry.name_raw()));
            (path, entry.is_dir(), entry.is_symlink(), entry.encrypted())
        };
        if is_dir {
            continue;
        }
        if is_link {
            opener.fault(&path, "a link, which is not followed");
        } else if encrypted {
            opener.fault(&path, ENCRYPTED);
        } else if let Err(error) = window(archive, index) {
            opener.fault(&path, &error.to_string());
        } else {
            match archive.by_index(index) {
                Ok(file) => {
                    let mut file = Guarded::new(file, &opener.limits);
                    opener.entry(&path, &mut file);
                }
                Err(error) => opener.fault(&path, &words(error).to_string()),
            }
        }
    }
    Ok(())
}

/// Whether there is memory for what an entry's decoder looks back on: LZMA's says itself how much that is.
fn window(archive: &mut Archive, index: usize) -> io::Result<()> {
    let mut entry = archive.by_index_raw(index).map_err(words)?;
    if entry.compression() != CompressionMethod::LZMA {
        return Ok(());
    }
    // Version and length, two bytes each, and one of properties (APPNOTE.TXT, 5.8.8).
    let mut header = [0; 9];
    entry.read_exact(&mut header)?;
    let [.., a, b, c, d] = header;
    match u32::from_le_bytes([a, b, c, d]) as usize > DECODER_KIB << 10 {
        true => Err(io::Error::other(
            "packed so that unpacking takes too much memory: unpack it first",
        )),
        false => Ok(()),
    }
}

/// One file of a document.
///
/// # Errors
/// It is missing, or encrypted.
pub fn open<'a>(
    archive: &'a mut Archive,
    name: &str,
    opener: &Opener<'_>,
) -> io::Result<Guarded<impl Read + use<'a>>> {
    let index = archive.index_for_name(name);
    let index = index.ok_or_else(|| words(ZipError::FileNotFound))?;
    window(archive, index)?;
    let file = archive.by_index(index).map_err(words)?;
    Ok(Guarded::new(file, &opener.limits))
}

/// How many entries the archive says it has.
fn listed(file: &mut Box<dyn Seekable>) -> io::Result<u64> {
    const RECORD: usize = 22;
    let length = file.seek(SeekFrom::End(0))?;
    let look = length.min(RECORD as u64 + (64 << 10));
    file.seek(SeekFrom::Start(length - look))?;
    let mut tail = Vec::new();
    file.take(look).read_to_end(&mut tail)?;
    file.seek(SeekFrom::Start(0))?;
    let word = |record: &[u8], at: usize, size: usize| {
        let bytes = record.get(at..at + size).unwrap_or_default();
        bytes
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let count = |magic: &[u8], at: usize, size: usize| {
        let places = memchr::memmem::find_iter(&tail, magic);
        places.map(|place| word(&tail[place..], at, size)).max()
    };
    let small = count(b"PK\x05\x06", 10, 2).unwrap_or(0);
    // More than 65,534 entries are counted in the record of large archives.
    Ok(if small == 0xffff {
        count(b"PK\x06\x06", 32, 8).unwrap_or(u64::MAX)
    } else {
        small
    })
}

fn words(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => io::Error::other(ENCRYPTED),
        other => io::Error::other(format!("the zip archive cannot be read: {other}")),
    }
}
