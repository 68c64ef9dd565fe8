//! One decoded record into its cells.

use wide::u8x16;

/// The cells of one record, in one buffer that is used again for the next.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    text: String,
    ends: Vec<usize>,
    /// How many bytes part two cells.
    gap: usize,
}

impl Cells {
    /// Forgets the last record.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.gap = 0;
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at a place, empty where the record is too short.
    pub fn get(&self, place: usize) -> &str {
        let Some(end) = self.ends.get(place) else {
            return "";
        };
        let behind = |before: usize| self.ends[before] + self.gap;
        let start = place.checked_sub(1).map_or(0, behind);
        &self.text[start..*end]
    }

    /// All cells in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|place| self.get(place))
    }

    fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }
}

/// How a list keeps its cells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Quotes around cells that need them, doubled within (RFC 4180, and what spreadsheets write).
    Quoted,
    /// No quotes; `\t`, `\n`, `\\` and `\N` within (what `mariadb --batch` and PostgreSQL's COPY write).
    Escaped,
    /// Rows that their reader has split already (JSON, a sheet, a dump): [`SPLIT`] between cells.
    Split,
}

/// Stands between the cells of a row that was split by its reader; nobody types it.
pub const SPLIT: u8 = 0x1f;

/// Puts cells in a row, as [`split_rows`] takes them apart.
pub fn join_row<'a>(cells: impl IntoIterator<Item = &'a str>, row: &mut Vec<u8>) {
    row.clear();
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            row.push(SPLIT);
        }
        if cell.as_bytes().contains(&SPLIT) {
            row.extend(cell.bytes().filter(|byte| *byte != SPLIT));
        } else {
            row.extend_from_slice(cell.as_bytes());
        }
    }
}

/// Takes a row of [`join_row`] apart.
pub fn split_rows(row: &str, cells: &mut Cells) {
    split_plain(row, SPLIT, cells);
}

/// Splits a record in which the delimiter, an ASCII character, stands between cells and nowhere else, and says whether
/// there is a quote in it.
fn split_plain(record: &str, delimiter: u8, cells: &mut Cells) -> bool {
    cells.clear();
    cells.text.push_str(record);
    cells.gap = 1;
    let bytes = record.as_bytes();
    let mut places = [0; FEW];
    let (found, quoted) = first_places(bytes, delimiter, &mut places);
    match places.get(..found) {
        Some(places) => (cells.ends).extend(places.iter().map(|place| *place as usize)),
        None => cells.ends.extend(memchr::memchr_iter(delimiter, bytes)),
    }
    cells.end_cell();
    quoted
}

/// Most records have fewer delimiters.
const FEW: usize = 64;

/// Puts down the places of a byte, if they are few; says how many there are, and whether there is a quote. Cells are short:
/// to look 16 bytes over takes less than to begin, for each cell, a search that is made for long texts. No record is as
/// long as 32 bits can count.
fn first_places(bytes: &[u8], byte: u8, places: &mut [u32; FEW]) -> (usize, bool) {
    let (wanted, quote) = (u8x16::splat(byte), u8x16::splat(b'"'));
    let mut len = 0;
    let mut put = |start: usize, mut found: u32| {
        while found != 0 {
            places[len % FEW] = start as u32 + found.trailing_zeros();
            len += 1;
            found &= found - 1;
        }
    };
    let (blocks, rest) = bytes.as_chunks();
    let mut quotes = u8x16::splat(0);
    for (start, block) in (0..).step_by(16).zip(blocks) {
        let block = u8x16::new(*block);
        quotes |= block.simd_eq(quote);
        put(start, block.simd_eq(wanted).to_bitmask());
    }
    if !rest.is_empty() {
        // The last 16 bytes, of which those before the rest have been looked at.
        let mut last = [0; 16];
        match bytes.last_chunk() {
            Some(chunk) => last = *chunk,
            None => last[16 - rest.len()..].copy_from_slice(rest),
        }
        let block = u8x16::new(last);
        quotes |= block.simd_eq(quote);
        let seen = 16 - rest.len();
        let found = block.simd_eq(wanted).to_bitmask() >> seen;
        put(bytes.len() - rest.len(), found);
    }
    (len, quotes.to_bitmask() != 0)
}

/// Splits a record with quotes. Letters behind a closing quote are kept, as the csv crate does.
pub fn split_quoted(record: &str, delimiter: u8, cells: &mut Cells) {
    if !split_plain(record, delimiter, cells) {
        return;
    }
    cells.clear();
    let bytes = record.as_bytes();
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            at += 1;
            loop {
                let Some(quote) = memchr::memchr(b'"', &bytes[at..]) else {
                    cells.text.push_str(&record[at..]);
                    at = bytes.len();
                    break;
                };
                cells.text.push_str(&record[at..at + quote]);
                at += quote + 1;
                if bytes.get(at) != Some(&b'"') {
                    break;
                }
                cells.text.push('"');
                at += 1;
            }
        }
        let rest = memchr::memchr(delimiter, &bytes[at..]);
        cells
            .text
            .push_str(&record[at..rest.map_or(bytes.len(), |rest| at + rest)]);
        cells.end_cell();
        match rest {
            Some(rest) => at += rest + 1,
            None => return,
        }
    }
}

/// Splits a line whose quotes cannot be trusted: they are letters, but for those around a cell.
pub fn split_literal(line: &str, delimiter: u8, cells: &mut Cells) {
    cells.clear();
    for cell in line.split(char::from(delimiter)) {
        cells.text.push_str(cell.trim_matches('"'));
        cells.end_cell();
    }
}

/// Splits a line with backslash escapes; `\N` and `NULL` become empty.
pub fn split_escaped(line: &str, delimiter: u8, cells: &mut Cells) {
    cells.clear();
    for cell in line.split(char::from(delimiter)) {
        let bare = cell.trim();
        let quoted = bare.len() >= 2 && bare.starts_with('"') && bare.ends_with('"');
        if matches!(bare, "\\N" | "NULL") {
        } else if quoted {
            cells
                .text
                .push_str(&bare[1..bare.len() - 1].replace("\"\"", "\""));
        } else if cell.contains('\\') {
            unescape(cell, &mut cells.text);
        } else {
            cells.text.push_str(cell);
        }
        cells.end_cell();
    }
}

fn unescape(cell: &str, out: &mut String) {
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            // A NUL means nothing in a person's row.
            Some('0') => {}
            Some('\\') => out.push('\\'),
            // Not an escape of ours: a path, or half a CP932 letter of a careless export.
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(split: fn(&str, u8, &mut Cells), record: &str, delimiter: u8) -> Vec<String> {
        let mut cells = Cells::default();
        split(record, delimiter, &mut cells);
        cells.iter().map(str::to_owned).collect()
    }

    #[test]
    fn rows_that_were_split_come_back_as_they_were() {
        let mut row = Vec::new();
        join_row(["a", "", "b\u{1f}c", "d\n\"e\""], &mut row);
        let mut cells = Cells::default();
        split_rows(std::str::from_utf8(&row).unwrap(), &mut cells);
        let cells: Vec<&str> = cells.iter().collect();
        assert_eq!(cells, ["a", "", "bc", "d\n\"e\""]);
    }

    proptest! {
        /// Around the ends of blocks, and of more cells than are found at once.
        #[test]
        fn a_record_is_split_at_each_delimiter(record in "[,\"a山\u{0}]{0,40}|[,a]{50,200}") {
            let mut split = Cells::default();
            let quoted = split_plain(&record, b',', &mut split);
            prop_assert!(split.iter().eq(record.split(',')));
            prop_assert_eq!(quoted, record.contains('"'));
        }
    }

    #[test]
    fn quotes_escapes_and_bare_cells() {
        assert_eq!(
            cells(split_quoted, "a,\"b,\"\"c\"\"\n d\",,\"e\"f", b','),
            ["a", "b,\"c\"\n d", "", "ef"]
        );
        assert_eq!(cells(split_quoted, "", b','), [""]);
        assert_eq!(cells(split_literal, "a,\"b,c", b','), ["a", "b", "c"]);
        assert_eq!(
            cells(
                split_escaped,
                "a\\tb\t\\N\tNULL\tc\\\\d\\n\t\"q \"\"r\"\"\"",
                b'\t'
            ),
            ["a\tb", "", "", "c\\d\n", "q \"r\""]
        );
    }
}
