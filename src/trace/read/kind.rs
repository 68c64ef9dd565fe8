//! What a file is, by its first bytes: names and extensions say what somebody hoped.

use crate::notation::encoding::Encoding;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// zip: an archive, a workbook or another document.
    Zip,
    /// 7z.
    SevenZ,
    /// tar.
    Tar,
    /// The containers of old Office documents.
    Ole,
    /// Parquet.
    Parquet,
    /// Something that is no list, and what to do about it.
    Other(&'static str),
    /// What systems leave beside files; nobody misses it.
    Litter,
    /// Text, or bytes that nobody knows.
    Unknown,
}

const OTHERS: &[(&[u8], &str)] = &[
    (
        b"SQLite format 3\0",
        "a SQLite database: trace its dump (sqlite3 FILE .dump)",
    ),
    (
        b"PGDMP",
        "a dump in PostgreSQL's own format: trace it as SQL (pg_restore -f dump.sql FILE)",
    ),
    (
        b"Rar!\x1a\x07",
        "a RAR archive: unpack it, and trace what comes out",
    ),
    (b"%PDF-", "a PDF document: save its table as text or CSV"),
    (
        b"PARE",
        "an encrypted Parquet file: have it decrypted by who holds the key",
    ),
    (b"ARROW1", "an Arrow file: save it as Parquet or CSV"),
    (b"ORC", "an ORC file: save it as Parquet or CSV"),
    (b"Obj\x01", "an Avro file: save it as JSON or CSV"),
    (
        b"LZIP",
        "packed by lzip: unpack it, and trace what comes out",
    ),
    (
        b"\x04\x22\x4d\x18",
        "packed by lz4: unpack it, and trace what comes out",
    ),
    (
        b"\x1f\x9d",
        "packed by compress: unpack it, and trace what comes out",
    ),
    (b"age-encryption.org", "encrypted by age: decrypt it first"),
    (
        b"-----BEGIN PGP MESSAGE",
        "encrypted by PGP: decrypt it first",
    ),
    (b"Salted__", "encrypted by OpenSSL: decrypt it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "a formatted text: save it as plain text or CSV"),
];

/// Judges by the first bytes.
pub fn of(start: &[u8]) -> FileKind {
    match start {
        [0x1f, 0x8b, ..] => return FileKind::Gzip,
        [
            b'B',
            b'Z',
            b'h',
            b'1'..=b'9',
            0x31,
            0x41,
            0x59,
            0x26,
            0x53,
            0x59,
            ..,
        ]
        | [
            b'B',
            b'Z',
            b'h',
            b'1'..=b'9',
            0x17,
            0x72,
            0x45,
            0x38,
            0x50,
            0x90,
            ..,
        ] => {
            return FileKind::Bzip2;
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return FileKind::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            return FileKind::Zstd;
        }
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => {
            return FileKind::Zip;
        }
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => return FileKind::SevenZ,
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => return FileKind::Ole,
        [b'P', b'A', b'R', b'1', ..] => return FileKind::Parquet,
        [0, 5, 0x16, 7, ..] | [0, 0, 0, 1, b'B', b'u', b'd', b'1', ..] => return FileKind::Litter,
        _ => {}
    }
    if super::tar::is_tar(start) {
        return FileKind::Tar;
    }
    let other = OTHERS.iter().find(|(magic, _)| start.starts_with(magic));
    other.map_or(FileKind::Unknown, |(_, what)| FileKind::Other(what))
}

/// Whether bytes are no text: too many of them are controls.
pub fn is_binary(start: &[u8], encoding: Encoding) -> bool {
    if matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
        return false;
    }
    let look = &start[..start.len().min(256 << 10)];
    let controls = look
        .iter()
        .filter(|byte| matches!(byte, 0..=8 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f));
    controls.count() * 20 > look.len()
}
