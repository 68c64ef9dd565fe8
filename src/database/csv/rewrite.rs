//! Changing a CSV file: a new file beside it takes its place, whole or not at all.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rand::RngExt;

use super::super::{Error, Result, Row};
use super::records::Records;
use super::{CsvFile, failed};

/// What a change of the file will be; dropped, it changes nothing.
pub(in super::super) struct Rewrite {
    file: CsvFile,
    /// Held open for its lock, which keeps other changes of ours away.
    _lock: File,
    before: Metadata,
    added: Vec<Row>,
    /// Record number (from 0, ragged ones not counted) to the content that it must have.
    removed: BTreeMap<u64, Vec<(usize, Option<String>)>>,
}

impl Rewrite {
    pub(in super::super) fn begin(file: &CsvFile) -> Result<Rewrite> {
        let path = &file.path;
        let lock = File::open(path).map_err(|error| failed(path, &error))?;
        if lock.try_lock().is_err() {
            return Err(Error::Locked(path.display().to_string()));
        }
        // A crash may have left a copy of customers' data behind.
        match std::fs::remove_file(beside(path)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(&beside(path), &error));
            }
            _ => {}
        }
        let before = lock.metadata().map_err(|error| failed(path, &error))?;
        Ok(Rewrite {
            file: file.clone(),
            _lock: lock,
            before,
            added: Vec::new(),
            removed: BTreeMap::new(),
        })
    }

    pub(in super::super) fn insert(&mut self, cells: &[(&str, Option<&str>)]) -> Result<()> {
        let columns: Vec<&str> = cells.iter().map(|(name, _)| *name).collect();
        let mut row: Row = vec![None; self.file.header.len()];
        for (place, (_, value)) in self.file.places(&columns)?.into_iter().zip(cells) {
            row[place] = value.filter(|text| !text.is_empty()).map(str::to_owned);
        }
        self.encode(&row)?;
        self.added.push(row);
        Ok(())
    }

    fn encode(&self, row: &Row) -> Result<Vec<u8>> {
        let value = |place: usize| Error::Value {
            column: self.file.header.get(place).cloned(),
            table: self.file.name(),
            why: "the file is CP932, which has no such character".to_owned(),
        };
        self.file.dialect.encode(row).map_err(value)
    }

    /// Every row as it would be after this change: its number and the cells of `columns`.
    pub(in super::super) fn scan(
        &self,
        columns: &[&str],
        mut each: impl FnMut(u64, &[Option<String>]),
    ) -> Result<()> {
        let mut number = 0;
        self.file.scan(columns, |row| {
            if !self.removed.contains_key(&number) {
                each(number, row);
            }
            number += 1;
        })?;
        let places = self.file.places(columns)?;
        for (row, number) in self.added.iter().zip(number..) {
            let cells: Row = places.iter().map(|place| row[*place].clone()).collect();
            each(number, &cells);
        }
        Ok(())
    }

    pub(in super::super) fn delete(
        &mut self,
        number: u64,
        content: &[(&str, Option<&str>)],
    ) -> Result<()> {
        let columns: Vec<&str> = content.iter().map(|(name, _)| *name).collect();
        let values = content
            .iter()
            .map(|(_, value)| value.filter(|text| !text.is_empty()).map(str::to_owned));
        let content = self
            .file
            .places(&columns)?
            .into_iter()
            .zip(values)
            .collect();
        self.removed.insert(number, content);
        Ok(())
    }

    /// Writes the new file, makes it durable and puts it in the place of the old one.
    pub(in super::super) fn commit(self) -> Result<()> {
        let path = self.file.path.clone();
        let new_path = beside(&path);
        let written = self.write(&new_path).and_then(|()| {
            // Whoever wrote into the old file meanwhile would lose what they wrote.
            let now = std::fs::metadata(&path).map_err(|error| failed(&path, &error))?;
            let same = |about: &Metadata| (about.ino(), about.len(), about.mtime(), about.mtime_nsec());
            if same(&now) != same(&self.before) {
                return Err(Error::Csv {
                    path: path.clone(),
                    line: None,
                    why: "it was changed by another process meanwhile; nothing was written; try again".to_owned(),
                });
            }
            std::fs::rename(&new_path, &path).map_err(|error| failed(&path, &error))
        });
        if let Err(error) = written {
            // The error that came first is the one to tell.
            let _ = std::fs::remove_file(&new_path);
            return Err(error);
        }
        let directory = path.parent().unwrap_or(Path::new("/"));
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| failed(directory, &error))
    }

    fn write(&self, new_path: &Path) -> Result<()> {
        let io = |error: std::io::Error| failed(new_path, &error);
        let new = File::options()
            .write(true)
            .create_new(true)
            .open(new_path)
            .map_err(io)?;
        // The owner first: a change of owner can clear permission bits.
        if self.before.uid() != new.metadata().map_err(io)?.uid() {
            std::os::unix::fs::fchown(&new, Some(self.before.uid()), Some(self.before.gid()))
                .map_err(io)?;
        }
        new.set_permissions(self.before.permissions()).map_err(io)?;
        let mut out = BufWriter::with_capacity(1 << 16, &new);
        self.copy(&mut out)?;
        out.flush().map_err(io)?;
        drop(out);
        new.sync_all().map_err(io)
    }

    fn copy(&self, out: &mut impl Write) -> Result<()> {
        let dialect = &self.file.dialect;
        let io = |error: std::io::Error| failed(&beside(&self.file.path), &error);
        let mut bom = Vec::new();
        let file = File::open(&self.file.path).map_err(|error| failed(&self.file.path, &error))?;
        file.take(dialect.bom_length())
            .read_to_end(&mut bom)
            .map_err(io)?;
        out.write_all(&bom).map_err(io)?;

        let mut news = self.spread()?;
        let mut records = Records::open(&self.file.path, dialect)?;
        // The line ending of what was written last; a file without a final one gets none.
        let mut held: Vec<u8> = Vec::new();
        let mut put = |body: &[u8], ending: &[u8]| {
            out.write_all(&held)?;
            out.write_all(body)?;
            held.clear();
            held.extend_from_slice(if ending.is_empty() {
                dialect.line_ending
            } else {
                ending
            });
            Ok(())
        };
        let mut final_ending = true;
        let (mut number, mut removed) = (0, 0);
        if let Some(header) = records.next()? {
            let (body, ending) = header.body();
            final_ending = !ending.is_empty();
            put(body, ending).map_err(io)?;
        }
        while let Some(record) = records.next()? {
            let (body, ending) = record.body();
            final_ending = !ending.is_empty();
            let row = record.fields(dialect, &self.file.path)?;
            let data = !record.is_blank() && row.len() == self.file.header.len();
            if data {
                for new in news.remove(&number).unwrap_or_default() {
                    put(&new, b"").map_err(io)?;
                }
            }
            if data && let Some(content) = self.removed.get(&number) {
                if content.iter().any(|(place, value)| row[*place] != *value) {
                    return Err(Error::Swallowed {
                        table: self.file.name(),
                        why: "a line to remove is no longer what it was",
                    });
                }
                removed += 1;
            } else {
                put(body, ending).map_err(io)?;
            }
            number += u64::from(data);
        }
        for new in news.into_values().flatten() {
            put(&new, b"").map_err(io)?;
        }
        if removed != self.removed.len() {
            return Err(Error::Swallowed {
                table: self.file.name(),
                why: "a line to remove is no longer there",
            });
        }
        if final_ending {
            out.write_all(&held).map_err(io)?;
        }
        Ok(())
    }

    /// New records by the number of the record that they come before.
    fn spread(&self) -> Result<BTreeMap<u64, Vec<Vec<u8>>>> {
        let mut spread: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
        if self.added.is_empty() {
            return Ok(spread);
        }
        let (rows, _) = self.file.count()?;
        let mut rng = rand::rng();
        for row in &self.added {
            let before = rng.random_range(0..=rows);
            spread.entry(before).or_default().push(self.encode(row)?);
        }
        Ok(spread)
    }
}

/// Where the new file is written: in the same directory, so that a rename can put it in place.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.otori-new"))
}
