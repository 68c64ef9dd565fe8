//! tar: headers of 512 bytes, each before its file. Written here because a list of strangers must not make a
//! reader hold a name of a gigabyte.

use std::io::{self, Read};

const BLOCK: usize = 512;
/// Longer names are cut.
const NAME: u64 = 64 << 10;

/// Whether a file is a tar archive: the first header's checksum says so.
pub fn is_tar(start: &[u8]) -> bool {
    start
        .get(..BLOCK)
        .is_some_and(|header| header[0] != 0 && is_sound(header))
}

fn is_sound(header: &[u8]) -> bool {
    // The checksum's own field counts as spaces.
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(place, byte)| {
            u64::from(if (148..156).contains(&place) {
                b' '
            } else {
                *byte
            })
        })
        .sum();
    number(&header[148..156]) == Some(sum)
}

/// Octal, or binary where the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let mut bytes = field.iter().skip(1);
        return bytes.try_fold(u64::from(field[0] & 0x7f), |sum, byte| {
            sum.checked_mul(256)?.checked_add(u64::from(*byte))
        });
    }
    let text = std::str::from_utf8(field).ok()?;
    let text = text.trim_matches(|c| matches!(c, ' ' | '\0'));
    u64::from_str_radix(text, 8).ok()
}

/// What stands in an archive.
pub struct Entry {
    /// Its name as bytes.
    pub name: Vec<u8>,
    /// Its kind as tar writes it.
    kind: u8,
    /// Its length.
    pub size: u64,
}

impl Entry {
    /// Whether it is a file with rows in it.
    pub fn is_file(&self) -> bool {
        matches!(self.kind, b'0' | 0 | b'7')
    }

    /// Whether it points elsewhere.
    pub fn is_link(&self) -> bool {
        matches!(self.kind, b'1' | b'2')
    }

    /// Whether it is a file with holes, which is not read here.
    pub fn is_sparse(&self) -> bool {
        self.kind == b'S'
    }
}

/// The entries of an archive, one after the other.
pub struct Tar<'a> {
    input: &'a mut dyn Read,
}

impl<'a> Tar<'a> {
    /// Starts at the first header.
    pub fn new(input: &'a mut dyn Read) -> Tar<'a> {
        Tar { input }
    }

    /// The next entry. Its bytes are [`Tar::contents`], to be taken before the next one.
    ///
    /// # Errors
    /// The input's, or the archive is broken.
    pub fn next(&mut self) -> io::Result<Option<Entry>> {
        let (mut long, mut length) = (None, None);
        loop {
            let mut header = [0; BLOCK];
            match self.input.read_exact(&mut header) {
                // Some archives lack the two empty blocks at their end.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                read => read?,
            }
            if header.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            if !is_sound(&header) {
                return Err(io::Error::other(
                    "the tar archive is damaged: a header has a wrong checksum",
                ));
            }
            let size = number(&header[124..136]).unwrap_or(0);
            match header[156] {
                b'L' => long = Some(cut(&self.small(size)?).to_vec()),
                b'x' => {
                    let records = self.small(size)?;
                    let find = |key: &[u8]| pax(&records, key);
                    long = find(b"path=").map(<[u8]>::to_vec).or(long);
                    let number = find(b"size=").and_then(|text| std::str::from_utf8(text).ok());
                    length = number.and_then(|text| text.parse().ok()).or(length);
                }
                b'K' | b'g' => {
                    self.small(size)?;
                }
                kind => {
                    let mut name = cut(&header[..100]).to_vec();
                    let prefix = cut(&header[345..500]);
                    if &header[257..262] == b"ustar" && header[262] == 0 && !prefix.is_empty() {
                        name = [prefix, b"/", &name].concat();
                    }
                    return Ok(Some(Entry {
                        name: long.unwrap_or(name),
                        kind,
                        size: length.unwrap_or(size),
                    }));
                }
            }
        }
    }

    /// The bytes of the entry at hand.
    pub fn contents(&mut self, entry: &Entry) -> io::Take<&mut dyn Read> {
        let input: &mut dyn Read = self.input;
        input.take(entry.size)
    }

    /// Passes over what is left of an entry, of which so many bytes were not taken.
    ///
    /// # Errors
    /// The input's, or it ends too early.
    pub fn finish(&mut self, entry: &Entry, left: u64) -> io::Result<()> {
        let padding = entry.size.next_multiple_of(BLOCK as u64) - entry.size;
        let rest = left.saturating_add(padding);
        let passed = io::copy(&mut self.input.take(rest), &mut io::sink())?;
        if passed < left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// A header's own data, up to what a name may have.
    fn small(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        self.input.take(size.min(NAME)).read_to_end(&mut data)?;
        let rest = size.saturating_add((BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64)
            - size.min(NAME);
        io::copy(&mut self.input.take(rest), &mut io::sink())?;
        Ok(data)
    }
}

fn cut(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A record of an extended header: `27 path=a/long/name\n`.
fn pax<'a>(mut records: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    loop {
        let space = records.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
        let record = records.get(space + 1..length)?;
        if let Some(value) = record.strip_prefix(key) {
            return Some(value.strip_suffix(b"\n").unwrap_or(value));
        }
        records = &records[length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_octal_or_binary() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"\x80\0\0\0\0\0\x01\x02"), Some(258));
        assert_eq!(number(b"x"), None);
        assert_eq!(pax(b"11 path=ab\n9 size=7\n", b"size="), Some(&b"7"[..]));
        assert_eq!(pax(b"99 path=ab\n", b"path="), None);
        assert_eq!(pax(b"0 x\n", b"path="), None);
    }
}
