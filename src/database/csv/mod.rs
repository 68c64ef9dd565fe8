//! CSV files as databases: an export that is handed to one recipient is a source like any other.
//!
//! Records that are there already are copied byte for byte; what is added follows the file's own
//! encoding, delimiter, quoting and line ending.

mod dialect;
mod records;
mod rewrite;

use std::path::{Path, PathBuf};

use super::{Column, Error, Result, Row, Table};
use dialect::Dialect;
use records::{Record, Records};

pub(super) use rewrite::Rewrite;

/// An open CSV file.
#[derive(Clone)]
pub(super) struct CsvFile {
    path: PathBuf,
    dialect: Dialect,
    header: Vec<String>,
}

/// A record of the file, as [`CsvFile::each`] gives it.
enum Line<'r> {
    /// As many fields as the header has.
    Data(&'r [Option<String>]),
    /// Fewer or more fields, or none at all: nobody can say which column is which.
    Ragged,
}

impl CsvFile {
    /// Finds out the file's dialect and reads its header.
    pub(super) fn open(path: &Path) -> Result<CsvFile> {
        // Renaming over a link would replace the link and not the file.
        let path = path.canonicalize().map_err(|error| failed(path, &error))?;
        let mut dialect = Dialect::sniff(&path)?;
        let mut records = Records::open(&path, &dialect)?;
        let first = records
            .next()?
            .ok_or_else(|| Error::EmptyFile(path.clone()))?;
        let header: Vec<String> = first
            .fields(&dialect, &path)?
            .into_iter()
            .enumerate()
            .map(|(place, name)| name.unwrap_or_else(|| format!("#{}", place + 1)))
            .collect();
        for (place, name) in header.iter().enumerate() {
            if header[..place].contains(name) {
                return Err(Error::Csv {
                    path,
                    line: Some(1),
                    why: format!("two columns are named '{name}': give each its own name"),
                });
            }
        }
        let mut quoted = vec![None; header.len()];
        for _ in 0..200 {
            let Some(record) = records.next()? else { break };
            record.note_quotes(&dialect, &mut quoted);
        }
        dialect.quoted = quoted
            .into_iter()
            .map(|quoted| quoted == Some(true))
            .collect();
        Ok(CsvFile {
            path,
            dialect,
            header,
        })
    }

    /// The file as a table, whatever it is called.
    pub(super) fn table(&self) -> Table {
        let column = |name: &String| Column {
            name: name.clone(),
            sql_type: "text".to_owned(),
            ..Column::default()
        };
        Table {
            name: self.name(),
            columns: self.header.iter().map(column).collect(),
            ..Table::default()
        }
    }

    /// The file's name without its directories.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// How many records have the header's number of fields, and how many have not.
    pub(super) fn count(&self) -> Result<(u64, u64)> {
        let (mut good, mut ragged) = (0, 0);
        self.each(|line| match line {
            Line::Data(_) => good += 1,
            Line::Ragged => ragged += 1,
        })?;
        Ok((good, ragged))
    }

    /// Calls `each` with the cells of `columns` of every good record.
    pub(super) fn scan(
        &self,
        columns: &[&str],
        mut each: impl FnMut(&[Option<String>]),
    ) -> Result<()> {
        let places = self.places(columns)?;
        let mut cells = Row::new();
        self.each(|line| {
            if let Line::Data(row) = line {
                cells.clear();
                cells.extend(places.iter().map(|place| row[*place].clone()));
                each(&cells);
            }
        })
    }

    /// About `n` of the `count` good records, spread over the file.
    pub(super) fn sample(&self, count: u64, n: usize) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut number = 0;
        self.each(|line| {
            if let Line::Data(row) = line {
                if super::is_sampled(number, count, n) {
                    rows.push(row.to_vec());
                }
                number += 1;
            }
        })?;
        Ok(rows)
    }

    fn places(&self, columns: &[&str]) -> Result<Vec<usize>> {
        let place = |column: &&str| {
            let found = self.header.iter().position(|name| name == column);
            found.ok_or_else(|| Error::NoColumn {
                table: self.name(),
                column: (*column).to_owned(),
            })
        };
        columns.iter().map(place).collect()
    }

    fn each(&self, mut each: impl FnMut(Line<'_>)) -> Result<()> {
        let mut records = Records::open(&self.path, &self.dialect)?;
        records.next()?;
        while let Some(record) = records.next()? {
            if record.is_blank() {
                continue;
            }
            let row = record.fields(&self.dialect, &self.path)?;
            if row.len() == self.header.len() {
                each(Line::Data(&row));
            } else {
                each(Line::Ragged);
            }
        }
        Ok(())
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        why: error.to_string(),
    }
}

fn at(path: &Path, line: u64, why: impl Into<String>) -> Error {
    Error::Csv {
        path: path.to_owned(),
        line: Some(line),
        why: why.into(),
    }
}

impl Record {
    fn note_quotes(&self, dialect: &Dialect, quoted: &mut [Option<bool>]) {
        for (column, field) in quoted.iter_mut().zip(self.split(dialect.delimiter)) {
            // An empty field says nothing: many writers leave it bare even where they quote.
            if !field.is_empty() {
                *column = Some(column.unwrap_or(true) && field.starts_with(b"\""));
            }
        }
    }
}

#[cfg(test)]
mod tests;
