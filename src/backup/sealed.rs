//! Encrypted under a passphrase, chunk by chunk.
//!
//! The key is argon2id (RFC 9106) over the passphrase. Chunks of 64 KiB are sealed with
//! XChaCha20-Poly1305 in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár): the nonce
//! holds a random prefix, the chunk's number and whether it is the last, so that no chunk can be left
//! out, moved, doubled or added. The header says how long the file is, so that a cut is told as a cut.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand::RngExt;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Error, at};

const MAGIC: &[u8; 16] = b"otori backup 1\n\0";
const CHUNK: usize = 64 << 10;
const TAG: usize = 16;
const SALT: usize = 16;
const PREFIX: usize = 19;
/// What chunks are bound to: magic, cost, salt, prefix.
const BOUND: usize = 16 + 12 + SALT + PREFIX;
/// Beside it: the length, a checksum over all before it, and a MAC over the same.
const HEADER: usize = BOUND + 8 + 32 + 32;

/// Memory in KiB, passes, lanes: about a third of a second.
const COST: [u32; 3] = [64 << 10, 3, 1];
/// A header from a stranger may not ask for more.
const DEAREST: [u32; 3] = [1 << 20, 16, 16];

struct Keys {
    cipher: XChaCha20Poly1305,
    header: Zeroizing<[u8; 32]>,
}

impl Keys {
    /// `None` for a cost that argon2 does not know.
    fn of(passphrase: &str, bound: &[u8]) -> Option<Keys> {
        let cost = cost(bound);
        let params = Params::new(cost[0], cost[1], cost[2], Some(32)).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut master = Zeroizing::new([0; 32]);
        let salt = &bound[28..28 + SALT];
        argon2
            .hash_password_into(passphrase.as_bytes(), salt, &mut *master)
            .ok()?;
        let chunks = Zeroizing::new(mac(&*master, b"otori backup chunks"));
        Some(Keys {
            cipher: XChaCha20Poly1305::new((&*chunks).into()),
            header: Zeroizing::new(mac(&*master, b"otori backup header")),
        })
    }
}

fn cost(bound: &[u8]) -> [u32; 3] {
    [0, 1, 2].map(|place| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&bound[16 + 4 * place..20 + 4 * place]);
        u32::from_be_bytes(bytes)
    })
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn nonce(bound: &[u8], number: u32, last: bool) -> XNonce {
    let mut nonce = [0; 24];
    nonce[..PREFIX].copy_from_slice(&bound[28 + SALT..]);
    nonce[PREFIX..23].copy_from_slice(&number.to_be_bytes());
    nonce[23] = u8::from(last);
    XNonce::from(nonce)
}

fn full() -> std::io::Error {
    std::io::Error::other("a backup holds at most 256 TiB")
}

/// Writes a backup's content; it is none before [`Sealer::finish`].
pub(super) struct Sealer {
    out: BufWriter<File>,
    bound: [u8; BOUND],
    keys: Keys,
    number: u32,
    chunk: Zeroizing<Vec<u8>>,
    written: u64,
}

impl Sealer {
    /// Begins one at the file's start.
    pub fn begin(mut out: BufWriter<File>, passphrase: &str) -> std::io::Result<Sealer> {
        let mut bound = [0; BOUND];
        bound[..16].copy_from_slice(MAGIC);
        for (place, cost) in COST.iter().enumerate() {
            bound[16 + 4 * place..20 + 4 * place].copy_from_slice(&cost.to_be_bytes());
        }
        rand::rng().fill(&mut bound[28..]);
        let keys = Keys::of(passphrase, &bound)
            .ok_or_else(|| std::io::Error::other("argon2 refused its parameters"))?;
        out.write_all(&[0; HEADER])?;
        Ok(Sealer {
            out,
            bound,
            keys,
            number: 0,
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK)),
            written: HEADER as u64,
        })
    }

    /// Seals what is left, and writes the header; how long the file is.
    pub fn finish(mut self) -> std::io::Result<u64> {
        self.seal(true)?;
        let mut header = self.bound.to_vec();
        header.extend(self.written.to_be_bytes());
        let (sum, mac) = (Sha256::digest(&header), mac(&*self.keys.header, &header));
        header.extend(sum);
        header.extend(mac);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.flush()?;
        Ok(self.written)
    }

    fn seal(&mut self, last: bool) -> std::io::Result<()> {
        let payload = Payload {
            msg: &self.chunk,
            aad: &self.bound,
        };
        let nonce = nonce(&self.bound, self.number, last);
        let sealed = self.keys.cipher.encrypt(&nonce, payload);
        let sealed = sealed.map_err(|_| full())?;
        self.out.write_all(&sealed)?;
        self.written += sealed.len() as u64;
        self.number = self.number.checked_add(1).ok_or_else(full)?;
        self.chunk.clear();
        Ok(())
    }
}

impl Write for Sealer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // A full chunk is sealed only when more follows: the last one is sealed as the last.
        if self.chunk.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads a backup's content. What it gives has been authenticated; where a chunk does not open, the
/// reader fails, and [`Opener::wrong`] says how.
pub(super) struct Opener {
    input: BufReader<File>,
    bound: [u8; BOUND],
    keys: Keys,
    number: u32,
    place: u64,
    length: u64,
    chunk: Zeroizing<Vec<u8>>,
    read: usize,
    wrong: Option<(u64, u64)>,
}

impl Opener {
    /// Checks the header and the passphrase.
    ///
    /// # Errors
    /// It is no backup, cut, too long, changed, or another passphrase's.
    pub fn open(path: &Path, passphrase: &str) -> Result<Opener, Error> {
        let file = File::open(path).map_err(at(path))?;
        let found = file.metadata().map_err(at(path))?.len();
        let mut input = BufReader::new(file);
        let mut header = Vec::new();
        let mut head = (&mut input).take(HEADER as u64);
        head.read_to_end(&mut header).map_err(at(path))?;
        if !header.starts_with(MAGIC) {
            return Err(Error::NotABackup);
        }
        if header.len() < HEADER {
            let whole = HEADER as u64;
            return Err(Error::CutOff { found, whole });
        }
        let (said, sums) = header.split_at(BOUND + 8);
        let (sum, given_mac) = sums.split_at(32);
        if Sha256::digest(said).as_slice() != sum {
            return Err(Error::HeaderChanged(HEADER));
        }
        let changed = |_| Error::HeaderChanged(HEADER);
        let bound: [u8; BOUND] = said[..BOUND].try_into().map_err(changed)?;
        let length = u64::from_be_bytes(said[BOUND..].try_into().map_err(changed)?);
        if found < length {
            let whole = length;
            return Err(Error::CutOff { found, whole });
        }
        if found > length {
            return Err(Error::TooLong(found - length));
        }
        if cost(&bound).iter().zip(DEAREST).any(|(c, most)| *c > most) {
            return Err(Error::HeaderChanged(HEADER));
        }
        let keys = Keys::of(passphrase, &bound).ok_or(Error::HeaderChanged(HEADER))?;
        if !bool::from(mac(&*keys.header, said).ct_eq(given_mac)) {
            return Err(Error::WrongPassphrase);
        }
        Ok(Opener {
            input,
            bound,
            keys,
            number: 0,
            place: HEADER as u64,
            length,
            chunk: Zeroizing::new(Vec::new()),
            read: 0,
            wrong: None,
        })
    }

    /// What a failure to read was: a changed chunk, or the given error.
    pub fn wrong(&self, error: Error) -> Error {
        match self.wrong {
            Some((from, to)) => Error::Changed { from, to },
            None => error,
        }
    }

    fn next(&mut self) -> std::io::Result<()> {
        let left = self.length - self.place;
        let size = left.min((CHUNK + TAG) as u64);
        let mut sealed = vec![0; size as usize];
        self.input.read_exact(&mut sealed)?;
        let payload = Payload {
            msg: &sealed,
            aad: &self.bound,
        };
        let nonce = nonce(&self.bound, self.number, size == left);
        let to = self.place + size;
        let Ok(plain) = self.keys.cipher.decrypt(&nonce, payload) else {
            self.wrong = Some((self.place, to));
            return Err(std::io::Error::other("a chunk does not open"));
        };
        self.chunk = Zeroizing::new(plain);
        self.read = 0;
        self.place = to;
        self.number = self.number.checked_add(1).ok_or_else(full)?;
        Ok(())
    }
}

impl Read for Opener {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.read == self.chunk.len() {
            if self.place == self.length {
                return Ok(0);
            }
            self.next()?;
        }
        let given = into.len().min(self.chunk.len() - self.read);
        into[..given].copy_from_slice(&self.chunk[self.read..self.read + given]);
        self.read += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "correct horse battery";

    fn make(path: &Path, content: &[u8]) {
        let file = File::create(path).unwrap();
        let mut out = Sealer::begin(BufWriter::new(file), WORDS).unwrap();
        out.write_all(content).unwrap();
        let length = out.finish().unwrap();
        assert_eq!(std::fs::metadata(path).unwrap().len(), length);
    }

    fn read(path: &Path, passphrase: &str) -> Result<Vec<u8>, Error> {
        let mut input = Opener::open(path, passphrase)?;
        let mut content = Vec::new();
        match input.read_to_end(&mut content) {
            Ok(_) => Ok(content),
            Err(error) => Err(input.wrong(at(path)(error))),
        }
    }

    #[test]
    fn what_was_sealed_comes_back_whatever_its_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b");
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let content: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            make(&path, &content);
            assert_eq!(read(&path, WORDS).unwrap(), content, "{length}");
        }
        assert!(matches!(
            read(&path, "correct horse batterz"),
            Err(Error::WrongPassphrase)
        ));
    }

    #[test]
    fn chunks_changed_swapped_doubled_or_left_out_are_found_where_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b");
        let content: Vec<u8> = (0..3 * CHUNK + 7).map(|n| (n % 251) as u8).collect();
        make(&path, &content);
        let whole = std::fs::read(&path).unwrap();
        let sealed = CHUNK + TAG;
        let chunk = |n: usize| HEADER + n * sealed..HEADER + (n + 1) * sealed;
        let mut cases: Vec<(Vec<u8>, u64)> = Vec::new();
        let mut swapped = whole.clone();
        swapped[chunk(0)].copy_from_slice(&whole[chunk(1)]);
        swapped[chunk(1)].copy_from_slice(&whole[chunk(0)]);
        cases.push((swapped, chunk(0).start as u64));
        let mut doubled = whole.clone();
        doubled[chunk(1)].copy_from_slice(&whole[chunk(0)]);
        cases.push((doubled, chunk(1).start as u64));
        let mut bent = whole.clone();
        bent[chunk(2).start + 5] ^= 1;
        cases.push((bent, chunk(2).start as u64));
        let mut end = whole.clone();
        *end.last_mut().unwrap() ^= 1;
        cases.push((end, chunk(3).start as u64));
        for (bytes, place) in cases {
            std::fs::write(&path, bytes).unwrap();
            match read(&path, WORDS) {
                Err(Error::Changed { from, .. }) => assert_eq!(from, place),
                other => panic!("{place}: {:?}", other.map(|content| content.len())),
            }
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(matches!(read(&path, WORDS), Err(Error::CutOff { .. })));
        let longer = [&whole[..], b"x"].concat();
        std::fs::write(&path, longer).unwrap();
        assert!(matches!(read(&path, WORDS), Err(Error::TooLong(1))));
        for place in 0..HEADER {
            let mut bent = whole.clone();
            bent[place] ^= 1;
            std::fs::write(&path, bent).unwrap();
            assert!(read(&path, WORDS).is_err(), "header byte {place}");
        }
    }
}
