//! A stream byte by byte, with a look ahead.

use std::io::{self, Read};

const BUFFER: usize = 64 << 10;

/// Bytes of a stream, in a buffer of fixed size.
pub struct Bytes<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    ended: bool,
}

impl<R: Read> Bytes<R> {
    /// Starts at the stream's first byte.
    pub fn new(input: R) -> Bytes<R> {
        Bytes {
            input,
            buffer: vec![0; BUFFER],
            at: 0,
            end: 0,
            ended: false,
        }
    }

    /// The next byte, which stays; `None` at the end.
    ///
    /// # Errors
    /// The input's, when all that was read before has been taken.
    pub fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.end && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.at]))
    }

    /// Takes the next byte.
    ///
    /// # Errors
    /// As [`Bytes::peek`].
    pub fn next(&mut self) -> io::Result<Option<u8>> {
        let next = self.peek()?;
        self.at += usize::from(next.is_some());
        Ok(next)
    }

    /// Takes bytes as long as they are wanted, and gives them to `out` up to its limit.
    ///
    /// # Errors
    /// As [`Bytes::peek`].
    pub fn take_while(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        wanted: impl Fn(u8) -> bool,
    ) -> io::Result<()> {
        while self.peek()?.is_some() {
            let ready = &self.buffer[self.at..self.end];
            let count = ready.iter().position(|byte| !wanted(*byte));
            let taken = &ready[..count.unwrap_or(ready.len())];
            let room = limit.saturating_sub(out.len()).min(taken.len());
            out.extend_from_slice(&taken[..room]);
            self.at += taken.len();
            if count.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Whether these bytes come next, letters in either case; they stay.
    ///
    /// # Errors
    /// As [`Bytes::peek`].
    pub fn comes(&mut self, bytes: &[u8]) -> io::Result<bool> {
        while self.end - self.at < bytes.len() {
            if !self.fill()? {
                return Ok(false);
            }
        }
        let ready = &self.buffer[self.at..self.at + bytes.len()];
        Ok(ready.eq_ignore_ascii_case(bytes))
    }

    /// Passes over some bytes that [`Bytes::comes`] has seen.
    pub fn skip(&mut self, count: usize) {
        self.at = self.end.min(self.at + count);
    }

    /// Takes a line without its end, up to a limit, and says whether there was one.
    ///
    /// # Errors
    /// As [`Bytes::peek`].
    pub fn line(&mut self, out: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
        out.clear();
        if self.peek()?.is_none() {
            return Ok(false);
        }
        self.take_while(out, limit, |byte| byte != b'\n')?;
        self.next()?;
        if out.last() == Some(&b'\r') {
            out.pop();
        }
        Ok(true)
    }

    /// Reads more; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        let read = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += read;
        self.ended = read == 0;
        Ok(read > 0)
    }
}
