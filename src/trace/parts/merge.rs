//! Results of pieces into the result of the whole.

use super::piece::Piece;

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
