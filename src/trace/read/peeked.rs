//! The start of a stream, looked at before the whole is read.

use std::io::{self, Read};

/// A stream whose start has been taken off and comes again. Where the input broke off within the start, what
/// was read comes first, and then the error.
pub struct Peeked<'a> {
    /// The start, until it has come again.
    pub start: Vec<u8>,
    at: usize,
    failed: Option<io::Error>,
    rest: &'a mut dyn Read,
}

impl<'a> Peeked<'a> {
    /// Takes so much of a stream as its start.
    pub fn new(rest: &'a mut dyn Read, length: usize) -> Peeked<'a> {
        let mut start = Vec::with_capacity(length);
        let read = rest.take(length as u64).read_to_end(&mut start);
        Peeked {
            start,
            at: 0,
            failed: read.err(),
            rest,
        }
    }

    /// Whether there is nothing to read, as long as nothing has been.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty() && self.failed.is_none()
    }

    /// Passes over the first bytes, such as a byte order mark.
    pub fn skip(&mut self, count: usize) {
        self.at = self.start.len().min(self.at + count);
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = &self.start[self.at..];
        if !ready.is_empty() {
            let count = buffer.len().min(ready.len());
            buffer[..count].copy_from_slice(&ready[..count]);
            self.at += count;
            if self.at == self.start.len() {
                // A long list is read on for long.
                (self.start, self.at) = (Vec::new(), 0);
            }
            return Ok(count);
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.rest.read(buffer),
        }
    }
}
