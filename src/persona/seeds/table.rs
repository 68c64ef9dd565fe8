//! One seed file: its statement of origin, its header, its rows.

use std::path::{Path, PathBuf};

use super::SeedError;

/// The text of a seed file and where it came from.
pub(super) struct File {
    /// As errors name it.
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Files in the binary must state origin, licence and row count; an operator's file may.
    pub(super) embedded: bool,
}

/// What the comment lines at the head of a file state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Where the data comes from.
    pub origin: String,
    /// Under which terms.
    pub licence: String,
    /// How many rows follow the header.
    pub rows: usize,
}

/// One row, with what an error about it has to say.
pub(super) struct Row<'a> {
    path: &'a Path,
    columns: &'a [&'static str],
    places: &'a [usize],
    record: &'a csv::StringRecord,
}

impl File {
    /// Reads every row; `row` gets its cells in the order of `columns`, whatever the file's order.
    pub(super) fn rows<T>(
        &self,
        columns: &[&'static str],
        mut row: impl FnMut(&Row) -> Result<T, SeedError>,
    ) -> Result<Vec<T>, SeedError> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .from_reader(self.text.trim_start_matches('\u{feff}').as_bytes());
        let header = reader
            .headers()
            .map_err(|error| self.ragged(error))?
            .clone();
        let mut places = Vec::new();
        for column in columns {
            let place = header.iter().position(|name| name.trim() == *column);
            places.push(place.ok_or_else(|| SeedError::Column {
                path: self.path.clone(),
                column,
                columns: columns.join(","),
            })?);
        }
        let mut rows = Vec::new();
        let mut record = csv::StringRecord::new();
        while reader
            .read_record(&mut record)
            .map_err(|error| self.ragged(error))?
        {
            rows.push(row(&Row {
                path: &self.path,
                columns,
                places: &places,
                record: &record,
            })?);
        }
        self.check_statement(rows.len())?;
        Ok(rows)
    }

    fn ragged(&self, error: csv::Error) -> SeedError {
        SeedError::Csv {
            path: self.path.clone(),
            line: error.position().map_or(1, csv::Position::line),
            why: match error.kind() {
                csv::ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => {
                    format!("{len} cells where the header has {expected_len}")
                }
                _ => error.to_string(),
            },
        }
    }

    /// What the head of the file states, where it does.
    pub(super) fn statement(&self) -> (Option<Statement>, bool) {
        let mut found = (None, None, None);
        for line in self.text.lines().take_while(|line| line.starts_with('#')) {
            let Some((key, value)) = line[1..].split_once(':') else {
                continue;
            };
            match key.trim() {
                "origin" => found.0 = Some(value.trim().to_owned()),
                "licence" => found.1 = Some(value.trim().to_owned()),
                "rows" => found.2 = value.trim().parse().ok(),
                _ => {}
            }
        }
        let any = found.0.is_some() || found.1.is_some() || found.2.is_some();
        match found {
            (Some(origin), Some(licence), Some(rows))
                if !origin.is_empty() && !licence.is_empty() =>
            {
                (
                    Some(Statement {
                        origin,
                        licence,
                        rows,
                    }),
                    any,
                )
            }
            _ => (None, any),
        }
    }

    fn check_statement(&self, counted: usize) -> Result<(), SeedError> {
        let path = || self.path.clone();
        match self.statement() {
            (Some(statement), _) if statement.rows != counted => Err(SeedError::RowCount {
                path: path(),
                stated: statement.rows,
                counted,
            }),
            (None, any) if any || self.embedded => Err(SeedError::Statement { path: path() }),
            _ if counted == 0 => Err(SeedError::Empty { path: path() }),
            _ => Ok(()),
        }
    }
}

impl Row<'_> {
    /// The cell as it stands; may be empty.
    pub(super) fn text(&self, column: usize) -> &str {
        self.record.get(self.places[column]).unwrap_or_default()
    }

    /// A cell that must not be empty.
    pub(super) fn name(&self, column: usize) -> Result<&str, SeedError> {
        let text = self.text(column);
        if text.trim().is_empty() || text.contains(char::is_control) {
            return Err(self.wrong(column, "a text"));
        }
        Ok(text)
    }

    /// A cell of full-width katakana (and full-width digits and letters, as in キタ１０ジョウ).
    pub(super) fn kana(&self, column: usize) -> Result<&str, SeedError> {
        let text = self.text(column);
        let kana = |c: char| matches!(c, 'ァ'..='ヺ' | 'ー' | '・' | '！'..='～' | '、');
        if text.chars().all(kana) {
            Ok(text)
        } else {
            Err(self.wrong(column, "full-width katakana"))
        }
    }

    /// A cell of exactly `length` ASCII digits.
    pub(super) fn digits(&self, column: usize, length: usize) -> Result<&str, SeedError> {
        let text = self.text(column);
        if text.len() == length && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(text)
        } else {
            Err(self.wrong(column, &format!("{length} digits")))
        }
    }

    /// A whole number of 0 or more.
    pub(super) fn number<N: std::str::FromStr>(&self, column: usize) -> Result<N, SeedError> {
        let text = self.text(column).trim();
        text.parse()
            .map_err(|_| self.wrong(column, "a whole number"))
    }

    /// What one of the words that may stand in the cell stands for.
    pub(super) fn one_of<T: Copy>(
        &self,
        column: usize,
        words: &[(&str, T)],
    ) -> Result<T, SeedError> {
        let text = self.text(column);
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(*value),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(self.wrong(column, &format!("one of {}", words.join(", "))))
            }
        }
    }

    /// The error that this cell is not what it should be.
    pub(super) fn wrong(&self, column: usize, wanted: &str) -> SeedError {
        SeedError::Cell {
            path: self.path.to_owned(),
            line: self.record.position().map_or(0, csv::Position::line),
            column: self.columns[column],
            found: self.text(column).to_owned(),
            wanted: wanted.to_owned(),
        }
    }
}
