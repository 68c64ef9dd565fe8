//! How much a list may unpack to.
//!
//! Everything is read as a stream, so that a bomb costs time and no memory; these limits keep the time
//! bounded too. Real lists unpack to five or twenty times their size.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Packed in one another so many times at most.
const DEPTH: usize = 6;
/// Entries of all archives of a list.
const ENTRIES: u32 = if cfg!(test) { 500 } else { 20_000 };
/// So much may be unpacked of anything.
const FREE: u64 = if cfg!(test) { 32 << 20 } else { 1 << 30 };
/// Beyond that, so many times what was packed.
const RATIO: u64 = 250;
/// And never more than this.
const TOTAL: u64 = 16 << 40;

/// What a list has unpacked to so far.
#[derive(Clone, Default)]
pub struct Limits {
    packed: Rc<Cell<u64>>,
    unpacked: Rc<Cell<u64>>,
    entries: Rc<Cell<u32>>,
}

impl Limits {
    /// Where the length of the list itself is counted while it is read.
    pub fn packed(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.packed)
    }

    /// One more entry of an archive.
    ///
    /// # Errors
    /// There are too many.
    pub fn entry(&self) -> io::Result<()> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > ENTRIES {
            return Err(io::Error::other(format!(
                "more than {ENTRIES} files are packed in it: unpack it, and trace its files in several runs"
            )));
        }
        Ok(())
    }

    /// Whether something may be packed so deep.
    ///
    /// # Errors
    /// It may not.
    pub fn depth(&self, depth: usize) -> io::Result<()> {
        if depth > DEPTH {
            return Err(io::Error::other(format!(
                "packed more than {DEPTH} times over: unpack it first"
            )));
        }
        Ok(())
    }

    fn unpack(&self, bytes: u64) -> io::Result<()> {
        let unpacked = self.unpacked.get() + bytes;
        self.unpacked.set(unpacked);
        let allowed = FREE.max(self.packed.get().saturating_mul(RATIO)).min(TOTAL);
        if unpacked > allowed {
            return Err(io::Error::other(format!(
                "it unpacks to more than {RATIO} times its size, as an archive made to do harm does: \
                 unpack it with care, and trace what comes out"
            )));
        }
        Ok(())
    }
}

/// What comes out of a decoder, counted.
pub struct Guarded<R> {
    inner: R,
    limits: Limits,
}

impl<R> Guarded<R> {
    /// Counts what a decoder gives.
    pub fn new(inner: R, limits: &Limits) -> Guarded<R> {
        Guarded {
            inner,
            limits: limits.clone(),
        }
    }
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.limits.unpack(read as u64)?;
        Ok(read)
    }
}
