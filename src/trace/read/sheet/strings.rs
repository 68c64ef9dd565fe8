//! The texts of a workbook, which its cells name by number.

use std::io::{self, Read};

use super::xml::{Node, Xml, damaged};

/// Texts of one workbook together.
const LARGEST: usize = 1 << 30;

/// Texts one after the other in one buffer.
#[derive(Default)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    /// Reads them.
    ///
    /// # Errors
    /// The workbook is damaged, or has more text than memory should be given for.
    pub fn read(input: impl Read) -> io::Result<Strings> {
        let mut xml = Xml::new(input);
        let mut strings = Strings::default();
        let (mut text, mut reading) = (0_usize, 0_usize);
        while let Some(node) = xml.next()? {
            match node {
                Node::Start(tag) => match tag.local_name().as_ref() {
                    "t" => text += 1,
                    // How the text is read aloud, which is not its text.
                    "rPh" => reading += 1,
                    _ => {}
                },
                Node::End(tag) => match tag.local_name().as_ref() {
                    "t" => text = text.saturating_sub(1),
                    "rPh" => reading = reading.saturating_sub(1),
                    "si" => strings.end()?,
                    _ => {}
                },
                Node::Empty(tag) if tag.local_name().as_ref() == "si" => strings.end()?,
                Node::Text(piece) if text > 0 && reading == 0 => strings.text.push_str(&piece),
                _ => {}
            }
        }
        Ok(strings)
    }

    fn end(&mut self) -> io::Result<()> {
        if self.text.len() > LARGEST {
            return Err(io::Error::other(
                "the workbook has more than 1 GiB of text: save its sheets as CSV",
            ));
        }
        self.ends
            .push(u32::try_from(self.text.len()).map_err(|_| damaged("too much text"))?);
        Ok(())
    }

    /// The text of a number.
    pub fn get(&self, place: usize) -> &str {
        let Some(end) = self.ends.get(place) else {
            return "";
        };
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..*end as usize]
    }
}
