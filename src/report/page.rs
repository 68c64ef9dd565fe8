//! What a report consists of, before it has a format: headings, sentences, tables, plots. One
//! composition in one language is rendered as HTML and as PDF, so the two cannot say different
//! things.

use super::Lang;
use super::figure::Figure;
use crate::notation::tame;

/// Where a blank begins and ends inside of a sentence.
const BLANK: (char, char) = ('⟦', '⟧');

/// One document.
pub struct Page {
    /// Its language.
    pub lang: Lang,
    /// Title.
    pub title: String,
    /// One line below the title.
    pub subtitle: String,
    /// A warning that stands above everything: what this document is not.
    pub banner: Option<String>,
    /// The content, in order.
    pub blocks: Vec<Block>,
    /// Repeated at the foot of every printed page.
    pub footer: String,
}

/// One piece of content.
pub enum Block {
    /// A section's heading.
    Heading(String),
    /// A heading inside of a section.
    Sub(String),
    /// A paragraph.
    Para(Text),
    /// A remark in smaller print.
    Note(Text),
    /// A bulleted list.
    List(Vec<Text>),
    /// Names and what they are.
    Facts(Vec<(String, Text)>),
    /// A table.
    Table(Table),
    /// A plot.
    Figure(Figure),
    /// What follows begins on a new printed page.
    PageBreak,
}

/// A table; without rows, `empty` stands in its place.
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Text>>,
    /// What is said if there is no row.
    pub empty: String,
}

/// A table's column.
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Its part of the width, against the sum over all columns.
    pub weight: f32,
    /// Numbers stand at the right.
    pub number: bool,
}

impl Column {
    /// A column of text.
    pub fn text(title: impl Into<String>, weight: f32) -> Column {
        Column {
            title: title.into(),
            weight,
            number: false,
        }
    }

    /// A column of numbers.
    pub fn number(title: impl Into<String>, weight: f32) -> Column {
        Column {
            number: true,
            ..Column::text(title, weight)
        }
    }
}

/// A text with parts that stand out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Piece>);

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Plain(String),
    /// Set in bold.
    Strong(String),
    /// Something that is not known and that a person has to fill in; the words say what.
    Blank(String),
}

/// What is not known, to be put into a sentence: it becomes a marked blank, never a guess.
pub fn blank(what: impl std::fmt::Display) -> String {
    format!("{}{what}{}", BLANK.0, BLANK.1)
}

/// A text that came from outside: it can neither look like a blank nor move the cursor.
pub fn foreign(text: &str) -> String {
    tame(text).replace(BLANK.0, "[").replace(BLANK.1, "]")
}

impl Text {
    /// A text in bold.
    pub fn strong(text: impl Into<String>) -> Text {
        Text(vec![Piece::Strong(text.into())])
    }

    /// Nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words alone, blanks as they are printed.
    pub fn plain(&self) -> String {
        let mut words = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(text) | Piece::Strong(text) => words.push_str(text),
                Piece::Blank(what) => words.push_str(&printed_blank(what)),
            }
        }
        words
    }
}

/// How a blank is printed.
pub fn printed_blank(what: &str) -> String {
    format!("[____ {what} ____]")
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(BLANK.0) {
            let Some((what, behind)) = after.split_once(BLANK.1) else {
                break;
            };
            if !before.is_empty() {
                pieces.push(Piece::Plain(before.to_owned()));
            }
            pieces.push(Piece::Blank(what.to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.to_owned()));
        }
        Text(pieces)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        text.to_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_in_a_sentence_is_found() {
        let text = Text::from(format!("signed by {} today", blank("name")));
        assert_eq!(
            text.0,
            [
                Piece::Plain("signed by ".to_owned()),
                Piece::Blank("name".to_owned()),
                Piece::Plain(" today".to_owned()),
            ]
        );
        assert_eq!(text.plain(), "signed by [____ name ____] today");
        assert_eq!(Text::from("a ⟦ alone").plain(), "a ⟦ alone");
        assert!(Text::from("").is_empty());
    }

    #[test]
    fn a_strangers_text_is_no_blank() {
        let hostile = foreign("⟦amount⟧\u{202e}\r\nx");
        assert_eq!(hostile, "[amount]x");
        assert!(matches!(Text::from(hostile).0[..], [Piece::Plain(_)]));
    }
}
