//! What a list is packed in, taken off layer by layer.
//!
//! Whatever is wrong with one file of an archive is told as a part that could not be read; the others are
//! read all the same. Nothing is ever written to disk under a name: what must be read in any order goes
//! through a nameless temporary file, which is gone however the program ends. Links are not followed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::encoding;
use super::kind::{self, FileKind};
use super::limits::{Guarded, Limits};
use super::part::{Head, Parts};
use super::peeked::Peeked;
use super::records::Kind;
use super::rows::START;
use super::tar::Tar;
use super::transcode::Transcode;
use super::zstd::Zstd;
use super::{json, seven, sheet, sql, text, vcard, zipped};

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
            FileKind::Xz => {
                let limit = DECODER_KIB as u32;
                let reader =
                    lzma_rust2::XzReader::new_mem_limit(io::BufReader::new(input), true, limit);
                self.unpacked(name, "xz", reader)
            }
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
                let file = self.seekable(&mut input)?;
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

    fn tar(&mut self, name: &str, input: &mut dyn Read) -> io::Result<()> {
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

    /// The file at hand, to be read in any order.
    fn seekable(&mut self, input: &mut dyn Read) -> io::Result<Box<dyn Seekable>> {
        if self.packing.is_empty()
            && let Some(file) = self.file.take()
        {
            // Its hash is taken while it is read from end to end.
            io::copy(input, &mut io::sink())?;
            let mut file = file;
            file.seek(SeekFrom::Start(0))?;
            return Ok(Box::new(file));
        }
        let mut copy = tempfile::SpooledTempFile::new(IN_MEMORY);
        io::copy(input, &mut copy)?;
        copy.seek(SeekFrom::Start(0))?;
        Ok(Box::new(copy))
    }
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
