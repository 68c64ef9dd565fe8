//! Writing in columns: which way the lines of a page run.

use super::Grey;

/// Darker than this is ink, once the page is evenly lit.
const INK: u8 = 128;
/// How far apart two rows (or columns) are compared, in parts of the page: about half a stroke of small writing.
const STEP: usize = 250;
/// The edges of a page, which may be the table's, are left out: this part of it on each side.
const EDGE: usize = 20;

impl Grey {
    /// Whether the page is rather written from top to bottom: ink then changes more from column to column of the
    /// picture than from row to row.
    pub fn in_columns(&self) -> bool {
        let (left, top) = (self.width / EDGE, self.height / EDGE);
        let (mut columns, mut rows) = (vec![0.0; self.width], vec![0.0; self.height]);
        let (last, lowest) = (self.width - left, self.height - top);
        for (y, row) in rows.iter_mut().enumerate().take(lowest).skip(top) {
            for (x, column) in columns.iter_mut().enumerate().take(last).skip(left) {
                if self.at(x, y) < INK {
                    *column += 1.0 / self.height as f64;
                    *row += 1.0 / self.width as f64;
                }
            }
        }
        let step = (self.width.max(self.height) / STEP).max(1);
        let change = |ink: &[f64]| -> f64 {
            let pairs = ink.iter().zip(ink.iter().skip(step));
            pairs.map(|(a, b)| (a - b).powi(2)).sum()
        };
        change(&columns) > change(&rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bars of ink, five wide, every twenty.
    fn bars() -> Grey {
        let mut page = Grey::plain(400, 300, 255);
        for y in 40..260 {
            for x in (40..360).filter(|x| x % 20 < 5) {
                page.pixels[y * 400 + x] = 0;
            }
        }
        page
    }

    #[test]
    fn columns_are_told_from_lines() {
        assert!(bars().in_columns());
        assert!(!bars().turned(1).in_columns());
        assert!(!Grey::plain(1, 1, 0).in_columns());
    }

    #[test]
    fn any_picture_is_survived() {
        for (width, height) in [(1, 1), (1, 50), (50, 1), (37, 41)] {
            for shade in [0, 255] {
                Grey::plain(width, height, shade).in_columns();
            }
        }
    }
}
