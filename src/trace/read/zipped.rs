//! zip: archives of lists, and the workbooks that are zips inside.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::limits::Guarded;
use super::sheet;
use super::unpack::{DECODER_KIB, Opener, Seekable, file_name, join, xz};
use super::zstd::Zstd;

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
        } else {
            match unpacked(archive, index) {
                Ok(file) => {
                    let mut file = Guarded::new(file, &opener.limits);
                    opener.entry(&path, &mut file);
                }
                Err(error) => opener.fault(&path, &error.to_string()),
            }
        }
    }
    Ok(())
}

/// The contents of an entry. For Zstandard and xz the archive's reader would bring libraries in C: ours read these.
fn unpacked(archive: &mut Archive, index: usize) -> io::Result<Box<dyn Read + '_>> {
    let (method, crc32) = {
        let entry = archive.by_index_data(index).map_err(words)?;
        (entry.compression(), entry.crc32())
    };
    Ok(match method {
        CompressionMethod::ZSTD => {
            let entry = archive.by_index_raw(index).map_err(words)?;
            Box::new(Checked::new(Zstd::new(entry), crc32))
        }
        CompressionMethod::XZ => {
            let entry = archive.by_index_raw(index).map_err(words)?;
            Box::new(Checked::new(xz(entry), crc32))
        }
        _ => {
            if method == CompressionMethod::LZMA {
                window(&mut archive.by_index_raw(index).map_err(words)?)?;
            }
            Box::new(archive.by_index(index).map_err(words)?)
        }
    })
}

/// Whether there is memory for what the decoder of LZMA looks back on: the entry says itself how much that is.
fn window(entry: &mut impl Read) -> io::Result<()> {
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

/// Contents that end well only if they are what the archive's directory says.
struct Checked<R> {
    inner: R,
    crc32: u32,
    seen: Crc,
}

impl<R> Checked<R> {
    fn new(inner: R, crc32: u32) -> Checked<R> {
        let seen = Crc::new();
        Checked { inner, crc32, seen }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.seen.update(&buffer[..read]);
        match read == 0 && !buffer.is_empty() && self.seen.sum() != self.crc32 {
            true => Err(io::Error::other("Invalid checksum")),
            false => Ok(read),
        }
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
    Ok(Guarded::new(unpacked(archive, index)?, &opener.limits))
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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::collected::read_one;
    use super::*;

    const CSV: &[u8] = b"a,b\n1,2\n";

    /// A zip whose one entry says that it was packed in such a way.
    fn packed(method: u16, contents: &[u8], crc32: u32) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        writer.start_file("x.csv", stored).unwrap();
        writer.write_all(contents).unwrap();
        let mut bytes = writer.finish().unwrap().into_inner();
        let directory = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        for (begin, places) in [(0, [8, 14, 22]), (directory, [10, 16, 24])] {
            let [of_method, of_crc, of_size] = places.map(|place| begin + place);
            bytes[of_method..of_method + 2].copy_from_slice(&method.to_le_bytes());
            bytes[of_crc..of_crc + 4].copy_from_slice(&crc32.to_le_bytes());
            let size = (CSV.len() as u32).to_le_bytes();
            bytes[of_size..of_size + 4].copy_from_slice(&size);
        }
        bytes
    }

    #[test]
    fn what_new_packers_write_is_read() {
        let mut crc = Crc::new();
        crc.update(CSV);
        let zstd = compress_to_vec(CSV, CompressionLevel::Fastest);
        // By Python's lzma.
        let xz = b"\xfd7zXZ\0\0\x01i\x22\xde6\x02\0!\x01\x16\0\0\0t/\xe5\xa3\x01\0\x07a,b\n1,2\n\0{\x07\x97\n\
            \0\x01\x1c\x08D`*\xc8\x90B\x99\r\x01\0\0\0\0\x01YZ";
        for (method, contents) in [(93, &zstd[..]), (95, &xz[..])] {
            let good = read_one(&packed(method, contents, crc.sum()));
            assert_eq!(good.lines(), ["a|b", "1|2"], "{method}");
            assert_eq!((good.packing, good.broken), (vec!["zip"], None));
            let other = read_one(&packed(method, contents, crc.sum() ^ 1));
            assert!(other.why().contains("checksum"), "{:?}", other.broken);
            let cut = read_one(&packed(method, &contents[..contents.len() - 9], crc.sum()));
            assert!(cut.broken.is_some(), "{method}");
        }
        assert!(read_one(&packed(97, CSV, crc.sum())).broken.is_some());
    }
}
