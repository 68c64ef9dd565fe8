//! The client's bytes: whole command lines, or pieces of a message.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

const PIECE: usize = 16 * 1024;

/// What the client has sent and nobody has used yet.
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    used: usize,
}

/// One command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Its text, without the line ending.
    Text(String),
    /// Longer than allowed; it was passed over.
    TooLong,
    /// Not UTF-8, or with a control character inside.
    Unreadable,
}

impl Input {
    fn waiting(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    /// Whether a whole command line is here already.
    pub fn has_line(&self) -> bool {
        self.waiting().contains(&b'\n')
    }

    /// Drops everything that is here.
    pub fn clear(&mut self) {
        *self = Input::default();
    }

    /// Reads more; `false` at the end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
        if self.used > 0 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        self.bytes.reserve(PIECE);
        // `reserve` may give far more than was asked for; a piece is enough.
        let mut piece = (&mut *stream).take(PIECE as u64);
        Ok(piece.read_buf(&mut self.bytes).await? > 0)
    }

    /// The next line, of at most `limit` bytes; `None` at the end of the stream.
    ///
    /// Lines end with LF, with or without CR: a command carries nothing that could be smuggled.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn line(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        limit: usize,
    ) -> io::Result<Option<Line>> {
        let mut too_long = false;
        loop {
            if let Some(end) = self.waiting().iter().position(|&b| b == b'\n') {
                let line = &self.waiting()[..end];
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let line = if too_long || line.len() > limit {
                    Line::TooLong
                } else {
                    match std::str::from_utf8(line) {
                        Ok(text) if !text.contains(|c: char| c.is_control() && c != '\t') => {
                            Line::Text(text.to_owned())
                        }
                        _ => Line::Unreadable,
                    }
                };
                self.used += end + 1;
                return Ok(Some(line));
            }
            if self.waiting().len() > limit {
                too_long = true;
                self.clear();
            }
            if !self.fill(stream).await? {
                return Ok(None);
            }
        }
    }

    /// What is here of a message; `used` says afterwards how much of it was.
    pub fn piece(&self) -> &[u8] {
        self.waiting()
    }

    /// The first `count` bytes of the piece were used.
    pub fn used(&mut self, count: usize) {
        self.used += count;
        if self.used >= self.bytes.len() {
            self.bytes.clear();
            self.used = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn lines(mut bytes: &[u8], limit: usize) -> Vec<Line> {
        let mut input = Input::default();
        let mut lines = Vec::new();
        while let Some(line) = input.line(&mut bytes, limit).await.unwrap() {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn lines_end_with_lf_and_may_be_refused() {
        let long = "x".repeat(50_000);
        let text = |s: &str| Line::Text(s.to_owned());
        let bytes = format!("NOOP\r\nNOOP\n{long}\r\nNO\rOP\r\n\0\r\nQUIT\r\nrest");
        assert_eq!(
            lines(bytes.as_bytes(), 100).await,
            [
                text("NOOP"),
                text("NOOP"),
                Line::TooLong,
                Line::Unreadable,
                Line::Unreadable,
                text("QUIT")
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_lines_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..300), limit in 1usize..50) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let lines = runtime.block_on(lines(&bytes, limit));
            prop_assert_eq!(lines.len(), bytes.iter().filter(|&&b| b == b'\n').count());
            for line in lines {
                if let Line::Text(text) = line {
                    prop_assert!(text.len() <= limit);
                }
            }
        }
    }
}
