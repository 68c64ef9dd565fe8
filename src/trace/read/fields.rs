//! One decoded record into its cells.

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

/// Splits a record in which the delimiter, an ASCII character, stands between cells and nowhere else.
fn split_plain(record: &str, delimiter: u8, cells: &mut Cells) {
    cells.clear();
    cells.text.push_str(record);
    cells.gap = 1;
    cells
        .ends
        .extend(memchr::memchr_iter(delimiter, record.as_bytes()));
    cells.end_cell();
}

/// Splits a record with quotes. Letters behind a closing quote are kept, as the csv crate does.
pub fn split_quoted(record: &str, delimiter: u8, cells: &mut Cells) {
    if memchr::memchr(b'"', record.as_bytes()).is_none() {
        return split_plain(record, delimiter, cells);
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
