//! What a list is packed in, taken off layer by layer.
//!
//! Whatever is wrong with one file of an archive is told as a part that could not be read; the others are
//! read all the same. Nothing is ever written to disk under a name: what must be read in any order goes
//! through a nameless temporary file, which is gone however the program ends. Links are not followed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::kind::{self, FileKind};
use super::limits::{Guarded, Limits};
use super::part::{Head, Parts};
use super::peeked::Peeked;
use super::records::Kind;
use super::rows::START;
use super::tar::Tar;
use super::zstd::Zstd;
use super::{json, seven, sheet, sql, text, vcard, zipped};
use crate::notation::encoding;
use crate::notation::transcode::Transcode;

/// Kept in memory up to this, on disk beyond.
const IN_MEMORY: usize = 16 << 20;
/// What a decoder may take of memory.
pub const DECODER_KIB: usize = 256 << 10;

/// A file that can be read in any order.
pub trait Seekable: Read + Seek {}
impl<T: Read + Seek> Seekable for T {}

/// Opens what it is given, and whatever is in it.
pub struct Opener<'a> {
    parts: &'a mut dyn Parts,
    pub limits: Limits,
    /// The list itself, where it is a file.
    file: Option<File>,
    packing: Vec<&'static str>,
    begun: usize,
    last: usize,
}

impl Parts for Opener<'_> {
    fn begin(&mut self, mut head: Head) -> usize {
        head.packing.clone_from(&self.packing);
        self.begun += 1;
        self.last = self.parts.begin(head);
        self.last
    }

    fn record(&mut self, part: usize, record: &[u8], kind: Kind) -> io::Result<()> {
        self.parts.record(part, record, kind)
    }

    fn broken(&mut self, part: usize, why: String) {
        self.parts.broken(part, why);
    }
}

impl<'a> Opener<'a> {
    /// `file` is the list itself, where it is a file: then it need not be copied to be read in any order.
    pub fn new(parts: &'a mut dyn Parts, limits: Limits, file: Option<File>) -> Opener<'a> {
        Opener {
            parts,
            limits,
            file,
            packing: Vec::new(),
            begun: 0,
            last: 0,
        }
    }

    /// Reads one file, the list itself or an entry of an archive. What is wrong with it is told as a part's fault.
    pub fn entry(&mut self, name: &str, input: &mut dyn Read) {
        let before = self.begun;
        let outcome = self.open(name, input);
        let told = self.begun > before;
        match outcome {
            Ok(()) if told => {}
            Ok(()) => self.fault(name, "there is no row in it"),
            Err(error) if told => {
                let part = self.last;
                self.broken(part, words(&error));
            }
            Err(error) => self.fault(name, &words(&error)),
        }
    }

    /// Reads one sheet of a workbook: an empty one is not worth a word, a broken one is told.
    pub fn sheet(&mut self, name: &str, read: impl FnOnce(&mut Self) -> io::Result<()>) {
        let before = self.begun;
        if let Err(error) = read(self) {
            if self.begun > before {
                let part = self.last;
                self.broken(part, words(&error));
            } else {
                self.fault(name, &words(&error));
            }
        }
    }

    /// A part of which nothing can be read.
    pub fn fault(&mut self, name: &str, why: &str) {
        let part = self.begin(Head::split(name, "", ""));
        self.broken(part, why.to_owned());
    }

    /// Takes off one layer.
    fn unpacked(
        &mut self,
        name: &str,
        packing: &'static str,
        mut input: impl Read,
    ) -> io::Result<()> {
        self.within(packing, |opener| {
            let mut input = Guarded::new(&mut input, &opener.limits);
            opener.open(name, &mut input)
        })
    }

    /// Does something within one more layer of packing.
    pub fn within(
        &mut self,
        packing: &'static str,
        run: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.limits.depth(self.packing.len() + 1)?;
        self.packing.push(packing);
        let outcome = run(self);
        self.packing.pop();
        outcome
    }

    fn open(&mut self, name: &str, input: &mut dyn Read) -> io::Result<()> {
        let mut input = Peeked::new(input, START);
        match kind::of(&input.start) {
            FileKind::Gzip => self.unpacked(name, "gzip", MultiGzDecoder::new(input)),
            FileKind::Bzip2 => {
                self.unpacked(name, "bzip2", bzip2::read::MultiBzDecoder::new(input))
            }
            FileKind::Xz => self.unpacked(name, "xz", xz(input)),
            FileKind::Zstd => self.unpacked(name, "zstd", Zstd::new(input)),
            FileKind::Tar => self.within("tar", |opener| opener.tar(name, &mut input)),
            FileKind::Zip => {
                let file = self.seekable(&mut input)?;
                zipped::read(name, file, self)
            }
            FileKind::SevenZ => {
                let file = self.seekable(&mut input)?;
                self.within("7z", |opener| seven::read(name, file, opener))
            }
            FileKind::Ole => {
                let file = self.seekable(&mut input)?;
                sheet::xls::read(name, file, self)
            }
            FileKind::Parquet => {
                let file = self.whole_file(&mut input)?;
                super::parquet::read(name, file, self)
            }
            FileKind::Other(what) => Err(io::Error::other(what)),
            FileKind::Litter => {
                // Told neither as a part nor as a fault: it is not what anybody packed.
                if self.packing.is_empty() {
                    return Err(io::Error::other(
                        "what macOS keeps beside files, not a list",
                    ));
                }
                self.begun += 1;
                Ok(())
            }
            // A list that is empty as a whole is told elsewhere.
            FileKind::Unknown if input.is_empty() && !self.packing.is_empty() => Ok(()),
            FileKind::Unknown => self.text(name, input),
        }
    }

    fn text(&mut self, name: &str, mut input: Peeked<'_>) -> io::Result<()> {
        let (guess, mark) = encoding::guess(&input.start);
        if kind::is_binary(&input.start, guess) {
            return Err(io::Error::other(
                "neither text nor a format that is read here",
            ));
        }
        input.skip(mark);
        let look = &input.start[mark..input.start.len().min(mark + (256 << 10))];
        let mut start = Vec::new();
        // Reading from memory cannot fail.
        Transcode::new(look, guess).read_to_end(&mut start)?;
        let start = String::from_utf8_lossy(&start).into_owned();
        let (encoding, plain) = (guess.name(), Transcode::new(&mut input, guess));
        if json::is_json(&start) {
            json::read(name, encoding, &start, plain, self)
        } else if sql::is_sql(&start) {
            sql::read(name, encoding, &start, plain, self)
        } else if vcard::is_vcard(&start) {
            vcard::read(name, encoding, plain, self)
        } else {
            text::read(name, guess, &mut input, self)
        }
    }

    pub(super) fn tar(&mut self, name: &str, input: &mut dyn Read) -> io::Result<()> {
        let mut tar = Tar::new(input);
        while let Some(entry) = tar.next()? {
            self.limits.entry()?;
            let path = join(name, &file_name(&entry.name));
            let mut left = entry.size;
            if entry.is_file() {
                let mut contents = tar.contents(&entry);
                self.entry(&path, &mut contents);
                left = contents.limit();
            } else if entry.is_link() {
                left = 0;
                self.fault(&path, "a link, which is not followed");
            } else if entry.is_sparse() {
                self.fault(
                    &path,
                    "a sparse file, which is not read: pack it anew without --sparse",
                );
            }
            tar.finish(&entry, left)?;
        }
        Ok(())
    }

    /// The file at hand as one of the system's.
    fn whole_file(&mut self, input: &mut dyn Read) -> io::Result<File> {
        let mut file = match self.file.take_if(|_| self.packing.is_empty()) {
            Some(file) => {
                // Its hash is taken while it is read from end to end.
                io::copy(input, &mut io::sink())?;
                file
            }
            None => {
                let mut copy = tempfile::tempfile()?;
                io::copy(input, &mut copy)?;
                copy
            }
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// The file at hand, to be read in any order.
    fn seekable(&mut self, input: &mut dyn Read) -> io::Result<Box<dyn Seekable>> {
        if self.packing.is_empty() && self.file.is_some() {
            return Ok(Box::new(self.whole_file(input)?));
        }
        let mut copy = tempfile::SpooledTempFile::new(IN_MEMORY);
        io::copy(input, &mut copy)?;
        copy.seek(SeekFrom::Start(0))?;
        Ok(Box::new(copy))
    }
}

/// Unpacks xz, within the memory that a decoder may take.
pub fn xz(input: impl Read) -> impl Read {
    lzma_rust2::XzReader::new_mem_limit(io::BufReader::new(input), true, DECODER_KIB as u32)
}

/// The path of an entry within the list.
pub fn join(archive: &str, entry: &str) -> String {
    match archive {
        "" => entry.to_owned(),
        archive => format!("{archive}/{entry}"),
    }
}

/// An entry's name in an encoding that nobody has written down: archives made in Japan have CP932.
pub fn file_name(raw: &[u8]) -> String {
    let (name, _) = encoding::decode(raw, encoding::Encoding::Cp932);
    crate::notation::tame(&name)
}

/// What a decoder says, in words of ours where it says little.
fn words(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "it ends too early: it was cut off, or damaged".to_owned();
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::collected::{read_all, read_from, read_one, zip};
    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn tar(files: &[(&str, u8, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, kind, bytes) in files {
            let mut header = [0; 512];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
            header[148..156].fill(b' ');
            header[156] = *kind;
            header[257..265].copy_from_slice(b"ustar\x0000");
            let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            out.extend(header);
            out.extend(*bytes);
            out.resize(out.len().next_multiple_of(512), 0);
        }
        out.resize(out.len() + 1024, 0);
        out
    }

    const CSV: &[u8] = b"a,b\n1,2\n";

    #[test]
    fn layers_are_taken_off_and_told() {
        let inner = tar(&[("deep/x.csv", b'0', CSV), ("y.json", b'0', b"[{\"k\":1}]")]);
        let all = read_all(&zip(&[("in.tar.gz", &gzip(&inner)), ("z.csv", CSV)]));
        let told: Vec<_> = all
            .iter()
            .map(|part| (part.name.as_str(), part.format, part.packing.clone()))
            .collect();
        assert_eq!(
            told,
            [
                ("in.tar.gz/deep/x.csv", "csv", vec!["zip", "gzip", "tar"]),
                ("in.tar.gz/y.json", "json", vec!["zip", "gzip", "tar"]),
                ("z.csv", "csv", vec!["zip"])
            ]
        );
        let plain = read_one(&[gzip(b"a,b\n1,2\n"), gzip(b"3,4\n")].concat());
        assert_eq!(
            (plain.name.as_str(), plain.lines()[2].as_str()),
            ("", "3|4")
        );
    }

    #[test]
    fn names_that_japanese_windows_wrote() {
        let mut bytes = zip(&[("AAAAAA.csv", CSV)]);
        let name = encoding_rs::SHIFT_JIS.encode("名簿表").0;
        let places: Vec<usize> = memchr::memmem::find_iter(&bytes, b"AAAAAA").collect();
        for place in places {
            bytes[place..place + 6].copy_from_slice(&name);
        }
        assert_eq!(read_one(&bytes).name, "名簿表.csv");
    }

    #[test]
    fn links_are_told_and_not_followed() {
        let all = read_all(&tar(&[
            ("etc", b'2', b""),
            ("hard", b'1', b""),
            ("x.csv", b'0', CSV),
        ]));
        assert!(all[0].why().contains("not followed") && all[1].why().contains("not followed"));
        assert_eq!(all[2].lines().len(), 2);
        let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
        writer
            .add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
            .unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert!(read_one(&bytes).why().contains("not followed"));
    }

    #[test]
    fn one_bad_file_does_not_hide_the_others() {
        let cut = gzip(&CSV.repeat(10_000));
        let picture = b"\x89PNG\r\n\x1a\n....";
        let noise: Vec<u8> = (0..4_000_u32).map(|n| (n * n % 251) as u8).collect();
        let all = read_all(&zip(&[
            ("cut.gz", &cut[..cut.len() / 2]),
            ("p.png", picture),
            ("noise", &noise),
            ("empty.csv", b""),
            ("good.csv", CSV),
        ]));
        let told: Vec<_> = all
            .iter()
            .map(|part| part.broken.as_deref().unwrap_or("good"))
            .collect();
        assert!(told[0].contains("ends too early"), "{told:?}");
        assert!(
            all[0].rows.len() > 1_000,
            "what came before the cut is read"
        );
        assert_eq!(told[1], "a picture");
        assert!(told[2].contains("neither text"), "{told:?}");
        assert!(told[3].contains("no row"), "{told:?}");
        assert_eq!(told[4], "good");
        let whole = zip(&[("a.csv", &CSV.repeat(1_000)), ("b.csv", CSV)]);
        assert!(read_one(&whole[..whole.len() / 2]).why().contains("zip"));
        let whole = tar(&[("a.csv", b'0', &CSV.repeat(1_000))]);
        assert!(
            read_one(&whole[..whole.len() / 2])
                .why()
                .contains("too early")
        );
    }

    #[test]
    fn bombs_are_told() {
        let mut zeros = GzEncoder::new(Vec::new(), Compression::best());
        let line = [&b"a,"[..], &[b'x'; 64 << 10], b"\n"].concat();
        for _ in 0..1_000 {
            zeros.write_all(&line).unwrap();
        }
        let (parts, whole) = read_from(&zeros.finish().unwrap()[..]);
        assert!(
            parts[0].why().contains("more than 250 times"),
            "{:?}",
            parts[0].broken
        );
        assert!(whole.bytes < 1 << 20);
        let mut deep = CSV.to_vec();
        for _ in 0..9 {
            deep = gzip(&deep);
        }
        assert!(read_one(&deep).why().contains("packed more than"));
        let many: Vec<(String, u8)> = (0..600).map(|n| (n.to_string(), b'0')).collect();
        let many: Vec<(&str, u8, &[u8])> = many
            .iter()
            .map(|(name, kind)| (&name[..], *kind, &b"x"[..]))
            .collect();
        let told = read_all(&tar(&many));
        assert!(told.last().unwrap().why().contains("more than 500 files"));
    }

    #[test]
    fn what_is_locked_is_told() {
        let mut bytes = zip(&[("a.csv", CSV)]);
        // The flag of encryption, in the local header and in the directory.
        bytes[6] |= 1;
        let directory = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        bytes[directory + 8] |= 1;
        assert!(read_one(&bytes).why().contains("password"));
        let mut office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        office.resize(4096, 0);
        office.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
        assert!(read_one(&office).why().contains("password"));
        assert!(read_one(b"SQLite format 3\0rest").why().contains(".dump"));
    }
}
