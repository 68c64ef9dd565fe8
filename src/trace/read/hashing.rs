//! SHA-256 and length of a file, taken while it is read for its rows.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use sha2::{Digest, Sha256};

/// Hands bytes on and remembers what they were.
pub struct Hashing<'a> {
    inner: Box<dyn Read + 'a>,
    progress: &'a mut dyn FnMut(u64),
    hash: Sha256,
    length: Rc<Cell<u64>>,
    failed: Option<io::Error>,
    /// A reader of archives moves about in the same file: what comes after the end is not read twice.
    ended: bool,
}

impl<'a> Hashing<'a> {
    /// Nothing read yet. `progress` is told how many bytes have been read, and they are counted in `length`.
    pub fn new(
        inner: impl Read + 'a,
        progress: &'a mut dyn FnMut(u64),
        length: Rc<Cell<u64>>,
    ) -> Hashing<'a> {
        Hashing {
            inner: Box::new(inner),
            progress,
            hash: Sha256::new(),
            length,
            failed: None,
            ended: false,
        }
    }

    /// Bytes read so far.
    pub fn length(&self) -> u64 {
        self.length.get()
    }

    /// Whether all of it could be read: decoders make faults of their own of the system's.
    ///
    /// # Errors
    /// The system's.
    pub fn sound(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// The hash in hexadecimal of all that was read.
    pub fn sha256(&self) -> String {
        let digest = self.hash.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let read = match self.inner.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failed.get_or_insert(error);
                return Err(told);
            }
        };
        self.ended = read == 0 && !buffer.is_empty();
        self.hash.update(&buffer[..read]);
        self.length.set(self.length.get() + read as u64);
        (self.progress)(self.length.get());
        Ok(read)
    }
}
