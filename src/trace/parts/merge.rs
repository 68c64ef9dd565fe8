//! Results of pieces into the result of the whole.

use std::collections::HashMap;

use super::piece::{File, Piece};

/// Why results do not belong together.
#[derive(Debug, thiserror::Error)]
pub enum CannotMerge {
    /// There is none.
    #[error("there is no part to merge")]
    Nothing,
    /// One is a stretch of a text, the other a file of its own, or they are stretches of different texts.
    #[error(
        "{one} and {other} were read by different layouts, so they are no parts of one list: examine them with the same --layout"
    )]
    Layouts {
        /// A part.
        one: String,
        /// The one that does not fit it.
        other: String,
    },
    /// A part was given twice, and its rows would count twice.
    #[error(
        "{one} and {other} are the same part ({bytes} bytes with one SHA-256): give each part once"
    )]
    Twice {
        /// A part.
        one: String,
        /// The same.
        other: String,
        /// How long it is.
        bytes: u64,
    },
}

/// Whether each piece is there once: a result that was copied, or came twice from an engine that tries again,
/// would count its rows twice.
///
/// # Errors
/// One is there twice.
pub fn once(pieces: &[Piece]) -> Result<(), CannotMerge> {
    let mut known: HashMap<&str, &File> = HashMap::new();
    // Stretches that hold nothing are all alike.
    let files = pieces.iter().flat_map(|piece| &piece.files);
    for file in files.filter(|file| file.bytes > 0) {
        if let Some(one) = known.insert(&file.sha256, file) {
            return Err(CannotMerge::Twice {
                one: one.name.clone(),
                other: file.name.clone(),
                bytes: file.bytes,
            });
        }
    }
    Ok(())
}

/// Adds pieces up, in the order in which they stand in the list. Stretches of one text become one table
/// whose rows are numbered through; files of their own stay tables of their own.
///
/// # Errors
/// They do not belong together.
pub fn merge(pieces: Vec<Piece>) -> Result<Piece, CannotMerge> {
    let several = pieces.len() > 1;
    let mut pieces = pieces.into_iter();
    let mut whole = pieces.next().ok_or(CannotMerge::Nothing)?;
    if several && whole.laid.is_none() {
        name_tables(&mut whole);
    }
    for mut piece in pieces {
        if piece.laid != whole.laid {
            return Err(CannotMerge::Layouts {
                one: name(&whole),
                other: name(&piece),
            });
        }
        whole.files.append(&mut piece.files.clone());
        whole.has_children |= piece.has_children;
        whole.elapsed += piece.elapsed;
        if whole.laid.is_some() {
            let rows = whole.tally.rows;
            whole.tally.add(piece.tally.moved(0, rows));
        } else {
            name_tables(&mut piece);
            let tables = whole.tables.len();
            whole.tally.add(piece.tally.moved(tables, 0));
            whole.tables.append(&mut piece.tables);
            whole.tally.part(whole.tables.len().max(1) - 1);
        }
    }
    Ok(whole)
}

/// Tables of several files are told apart by their files' names.
fn name_tables(piece: &mut Piece) {
    let Some(file) = piece.files.first() else {
        return;
    };
    for table in &mut piece.tables {
        table.name = match table.name.as_str() {
            "" => file.name.clone(),
            inner => format!("{}: {inner}", file.name),
        };
    }
}

fn name(piece: &Piece) -> String {
    piece
        .files
        .first()
        .map_or_else(String::new, |file| file.name.clone())
}
