//! Rows that their reader has split itself, on their way into a part.

use std::collections::HashMap;
use std::io;

use super::fields::{SPLIT, join_row};
use super::part::{Head, Parts};
use super::records::{Kind, LONGEST};

/// How many rows of a list are looked at before they are read.
pub const SAMPLE: usize = 3_000;
/// And how much of it.
pub const START: usize = 2 << 20;

/// The rows of one part. The first ones wait until there are enough to understand the columns by.
pub struct Rows {
    head: Option<Head>,
    waiting: Vec<(Vec<u8>, Kind)>,
    size: usize,
    part: usize,
    row: Vec<u8>,
}

impl Rows {
    /// A part that begins with its first rows.
    pub fn new(head: Head) -> Rows {
        Rows {
            head: Some(head),
            waiting: Vec::new(),
            size: 0,
            part: 0,
            row: Vec::new(),
        }
    }

    /// One row.
    ///
    /// # Errors
    /// Nobody takes records any more.
    pub fn push<'a>(
        &mut self,
        cells: impl IntoIterator<Item = &'a str>,
        mut kind: Kind,
        parts: &mut dyn Parts,
    ) -> io::Result<()> {
        join_row(cells, &mut self.row);
        if self.row.len() > LONGEST {
            let whole = (0..=LONGEST).rev().find(|end| self.row[*end] < 0x80);
            self.row.truncate(whole.unwrap_or(0));
            kind = Kind::TooLong;
        }
        if self.head.is_none() {
            return parts.record(self.part, &self.row, kind);
        }
        self.size += self.row.len();
        self.waiting.push((self.row.clone(), kind));
        if self.waiting.len() >= SAMPLE || self.size >= START {
            self.begin(parts)?;
        }
        Ok(())
    }

    /// No more rows for now: those that wait are given. A part without a row does not begin.
    ///
    /// # Errors
    /// Nobody takes records any more.
    pub fn flush(&mut self, parts: &mut dyn Parts) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.begin(parts)
    }

    fn begin(&mut self, parts: &mut dyn Parts) -> io::Result<()> {
        let Some(mut head) = self.head.take() else {
            return Ok(());
        };
        let sound = |(_, kind): &&(Vec<u8>, Kind)| *kind == Kind::Sound;
        head.sample = self.waiting.iter().filter(sound).map(split).collect();
        self.part = parts.begin(head);
        for (row, kind) in std::mem::take(&mut self.waiting) {
            parts.record(self.part, &row, kind)?;
        }
        Ok(())
    }
}

fn split((row, _): &(Vec<u8>, Kind)) -> Vec<String> {
    row.split(|byte| *byte == SPLIT)
        .map(|cell| String::from_utf8_lossy(cell).into_owned())
        .collect()
}

/// Rows whose cells have names of their own, and not always the same ones: the first rows say which columns
/// there are; what comes under another name later stands behind them.
pub struct Keyed {
    head: Option<Head>,
    rows: Option<Rows>,
    waiting: Vec<(Vec<(String, String)>, Kind)>,
    size: usize,
    columns: Vec<String>,
    places: HashMap<String, usize>,
}

impl Keyed {
    /// A part that begins with its first rows.
    pub fn new(head: Head) -> Keyed {
        Keyed {
            head: Some(head),
            rows: None,
            waiting: Vec::new(),
            size: 0,
            columns: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// One row as names and values.
    ///
    /// # Errors
    /// Nobody takes records any more.
    pub fn push(
        &mut self,
        pairs: &mut Vec<(String, String)>,
        kind: Kind,
        parts: &mut dyn Parts,
    ) -> io::Result<()> {
        if self.rows.is_some() {
            return self.arrange(pairs, kind, parts);
        }
        self.size += pairs
            .iter()
            .map(|(key, text)| key.len() + text.len())
            .sum::<usize>();
        self.waiting.push((std::mem::take(pairs), kind));
        if self.waiting.len() >= SAMPLE || self.size >= START {
            self.begin(parts)?;
        }
        Ok(())
    }

    /// No more rows for now: those that wait are given.
    ///
    /// # Errors
    /// Nobody takes records any more.
    pub fn flush(&mut self, parts: &mut dyn Parts) -> io::Result<()> {
        self.begin(parts)?;
        self.rows.as_mut().map_or(Ok(()), |rows| rows.flush(parts))
    }

    fn begin(&mut self, parts: &mut dyn Parts) -> io::Result<()> {
        let Some(mut head) = self.head.take_if(|_| !self.waiting.is_empty()) else {
            return Ok(());
        };
        for (key, _) in self.waiting.iter().flat_map(|(pairs, _)| pairs) {
            if !self.places.contains_key(key) {
                self.places.insert(key.clone(), self.columns.len());
                self.columns.push(key.clone());
            }
        }
        // Places in an array are no names.
        let named = |key: &String| key.parse::<u32>().is_err();
        if self.columns.iter().any(named) {
            head.header = Some(self.columns.clone());
        }
        self.rows = Some(Rows::new(head));
        for (pairs, kind) in std::mem::take(&mut self.waiting) {
            self.arrange(&pairs, kind, parts)?;
        }
        Ok(())
    }

    fn arrange(
        &mut self,
        pairs: &[(String, String)],
        kind: Kind,
        parts: &mut dyn Parts,
    ) -> io::Result<()> {
        let mut cells = vec![""; self.columns.len()];
        for (turn, (key, text)) in pairs.iter().enumerate() {
            let usual = self.columns.get(turn).is_some_and(|column| column == key);
            let place = if usual {
                Some(turn)
            } else {
                self.places.get(key).copied()
            };
            match place {
                Some(place) if cells[place].is_empty() => cells[place] = text,
                _ if text.is_empty() => {}
                _ => cells.push(text),
            }
        }
        match &mut self.rows {
            Some(rows) => rows.push(cells, kind, parts),
            None => Ok(()),
        }
    }
}
