//! A record into its cells, as places in its bytes.

use super::super::super::read::{Layout, Style};

/// Where the cells of a record stand.
#[derive(Default)]
pub struct Split {
    ends: Vec<(u32, u32)>,
}

impl Split {
    /// Finds the cells. `false`: quotes or escapes that have to be read with care, or another number of
    /// cells than `width`.
    pub fn read(&mut self, record: &[u8], layout: Layout, width: usize) -> bool {
        self.ends.clear();
        if record.len() > u32::MAX as usize {
            return false;
        }
        let mut start = 0;
        for end in memchr::memchr_iter(layout.delimiter, record).chain([record.len()]) {
            if self.ends.len() == width {
                return false;
            }
            let Some((from, to)) = bare(&record[start..end], layout.style) else {
                return false;
            };
            self.ends.push(((start + from) as u32, (start + to) as u32));
            start = end + 1;
        }
        self.ends.len() == width
    }

    /// The bytes of a cell.
    pub fn cell<'a>(&self, record: &'a [u8], place: usize) -> &'a [u8] {
        let ends = self.ends.get(place);
        ends.map_or(&[], |(from, to)| &record[*from as usize..*to as usize])
    }

    /// All cells.
    pub fn cells<'a>(&self, record: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        (0..self.ends.len()).map(move |place| self.cell(record, place))
    }
}

/// Where a cell's text stands in it; `None` where that takes more than a look.
#[inline]
fn bare(cell: &[u8], style: Style) -> Option<(usize, usize)> {
    match style {
        Style::Split => Some((0, cell.len())),
        Style::Quoted => {
            let [b'"', inner @ ..] = cell else {
                return (!cell.contains(&b'"')).then_some((0, cell.len()));
            };
            let [inner @ .., b'"'] = inner else {
                return None;
            };
            let plain = memchr::memchr3(b'"', b'\n', b'\r', inner).is_none();
            plain.then_some((1, cell.len() - 1))
        }
        Style::Escaped => match cell {
            b"\\N" | b"NULL" => Some((0, 0)),
            _ if memchr::memchr2(b'"', b'\\', cell).is_some() => None,
            // NULL among spaces is none either.
            _ if cell.len() < 16 && cell.trim_ascii() == b"NULL" => None,
            _ => Some((0, cell.len())),
        },
    }
}
