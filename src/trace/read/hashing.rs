//! SHA-256 and length of a file, taken while it is read for its rows.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// Hands bytes on and remembers what they were.
pub struct Hashing<'a> {
    inner: Box<dyn Read + 'a>,
    progress: &'a mut dyn FnMut(u64),
    hash: Sha256,
    bytes: u64,
}

impl<'a> Hashing<'a> {
    /// Nothing read yet. `progress` is told how many bytes have been read.
    pub fn new(inner: impl Read + 'a, progress: &'a mut dyn FnMut(u64)) -> Hashing<'a> {
        Hashing {
            inner: Box::new(inner),
            progress,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    /// Bytes read so far.
    pub fn length(&self) -> u64 {
        self.bytes
    }

    /// The hash in hexadecimal of all that was read.
    pub fn sha256(&self) -> String {
        let digest = self.hash.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        (self.progress)(self.bytes);
        Ok(read)
    }
}
