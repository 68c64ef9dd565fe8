//! XML as a stream, of which no piece is held that is larger than a cell may be.

use std::borrow::Cow;
use std::io::{self, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesEnd, BytesStart, Event};

/// No tag and no text between two tags is longer.
const PIECE: usize = 4 << 20;

/// What stands in a document.
pub enum Node<'a> {
    /// A tag that opens.
    Start(BytesStart<'a>),
    /// A tag that opens and closes.
    Empty(BytesStart<'a>),
    /// A tag that closes.
    End(BytesEnd<'a>),
    /// Some text, or a letter of it that was written as its code.
    Text(Cow<'a, str>),
    /// A comment or the like.
    Other,
}

/// Reads a document node by node.
pub struct Xml<R: Read> {
    reader: Reader<BufReader<Short<R>>>,
    buffer: Vec<u8>,
}

impl<R: Read> Xml<R> {
    /// Starts at the document's first byte.
    pub fn new(input: R) -> Xml<R> {
        let input = Short { input, piece: 0 };
        Xml {
            reader: Reader::from_reader(BufReader::new(input)),
            buffer: Vec::new(),
        }
    }

    /// The next node, `None` at the end.
    ///
    /// # Errors
    /// The document is no XML, or its reader's.
    pub fn next(&mut self) -> io::Result<Option<Node<'_>>> {
        self.buffer.clear();
        let event = self.reader.read_event_into(&mut self.buffer);
        let event = event.map_err(|error| match error {
            quick_xml::Error::Io(error) => io::Error::new(error.kind(), error.to_string()),
            other => damaged(&other.to_string()),
        })?;
        Ok(Some(match event {
            Event::Start(tag) => Node::Start(tag),
            Event::Empty(tag) => Node::Empty(tag),
            Event::End(tag) => Node::End(tag),
            Event::Text(text) => Node::Text(text.into_inner()),
            Event::CData(text) => Node::Text(text.into_inner()),
            Event::GeneralRef(code) => {
                let letter = match code.resolve_char_ref() {
                    Ok(Some(letter)) => Some(letter),
                    _ => match code.into_inner().as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    },
                };
                letter.map_or(Node::Other, |letter| Node::Text(letter.to_string().into()))
            }
            Event::Eof => return Ok(None),
            _ => Node::Other,
        }))
    }
}

/// An attribute by its name without a prefix.
pub fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(quick_xml::XmlVersion::Implicit1_0);
    Some(value.map_or_else(|_| found.value.to_string(), Cow::into_owned))
}

/// A document that cannot be read.
pub fn damaged(why: &str) -> io::Error {
    io::Error::other(format!("the workbook is damaged: {why}"))
}

/// Passes bytes on as long as tags come often enough.
struct Short<R> {
    input: R,
    piece: usize,
}

impl<R: Read> Read for Short<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.piece = match memchr::memrchr2(b'<', b'>', &buffer[..read]) {
            Some(last) => read - last,
            None => self.piece + read,
        };
        if self.piece > PIECE {
            return Err(damaged("a piece of it is longer than 4 MiB"));
        }
        Ok(read)
    }
}
