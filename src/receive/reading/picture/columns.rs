//! Writing in columns: which way the lines of a page run, and the boxes that a Japanese envelope has for its
//! postcode.

use super::Grey;

/// Darker than this is ink, once the page is evenly lit.
const INK: u8 = 128;
/// How far apart two rows (or columns) are compared, in parts of the page: about half a stroke of small writing.
const STEP: usize = 250;
/// The edges of a page, which may be the table's, are left out: this part of it on each side.
const EDGE: usize = 20;
/// Where the boxes stand: in the topmost part of the page.
const TOP: f32 = 0.22;
/// Smaller specks are dirt.
const SPECK: usize = 12;

impl Grey {
    /// Whether the page is rather written from top to bottom: ink then changes more from column to column of the
    /// picture than from row to row.
    pub fn in_columns(&self) -> bool {
        let (left, top) = (self.width / EDGE, self.height / EDGE);
        let (mut columns, mut rows) = (vec![0.0; self.width], vec![0.0; self.height]);
        for y in top..self.height - top {
            for x in left..self.width - left {
                if self.at(x, y) < INK {
                    columns[x] += 1.0 / self.height as f64;
                    rows[y] += 1.0 / self.width as f64;
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

    /// The part of the page where a postcode's boxes are, without the boxes.
    pub fn postcode_boxes(&self) -> Grey {
        let height = ((self.height as f32 * TOP) as usize).max(1);
        let mut part = Grey {
            width: self.width,
            height,
            pixels: self.pixels[..self.width * height].to_vec(),
        };
        let marks = part.marks();
        for (place, frame) in marks.iter().enumerate() {
            let others = marks.iter().enumerate();
            let holds = others
                .filter(|(other, mark)| *other != place && mark.pixels.len() >= SPECK)
                .any(|(_, mark)| frame.surrounds(mark));
            // A filled stamp is no frame.
            if holds && frame.pixels.len() * 3 < frame.area() {
                for pixel in &frame.pixels {
                    part.blot(*pixel);
                }
            }
        }
        part
    }

    /// Whitens a pixel and what is next to it, where a line's edge is grey.
    fn blot(&mut self, pixel: usize) {
        let (x, y) = (pixel % self.width, pixel / self.width);
        for y in y.saturating_sub(1)..(y + 2).min(self.height) {
            for x in x.saturating_sub(1)..(x + 2).min(self.width) {
                self.pixels[y * self.width + x] = 255;
            }
        }
    }

    /// Everything inked that hangs together.
    fn marks(&self) -> Vec<Mark> {
        let mut seen = vec![false; self.pixels.len()];
        let mut marks = Vec::new();
        for start in 0..self.pixels.len() {
            if seen[start] || self.pixels[start] >= INK {
                continue;
            }
            seen[start] = true;
            let mut mark = Mark::new(start, self.width);
            let mut open = vec![start];
            while let Some(pixel) = open.pop() {
                mark.add(pixel, self.width);
                let (x, y) = (pixel % self.width, pixel / self.width);
                for y in y.saturating_sub(1)..(y + 2).min(self.height) {
                    for x in x.saturating_sub(1)..(x + 2).min(self.width) {
                        let next = y * self.width + x;
                        if !seen[next] && self.pixels[next] < INK {
                            seen[next] = true;
                            open.push(next);
                        }
                    }
                }
            }
            marks.push(mark);
        }
        // Thousands of specks are noise, and would take long to compare.
        marks.sort_by_key(|mark| std::cmp::Reverse(mark.pixels.len()));
        marks.truncate(400);
        marks
    }
}

/// Ink that hangs together, and where it lies.
struct Mark {
    pixels: Vec<usize>,
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Mark {
    fn new(pixel: usize, width: usize) -> Mark {
        let (x, y) = (pixel % width, pixel / width);
        Mark {
            pixels: Vec::new(),
            left: x,
            right: x,
            top: y,
            bottom: y,
        }
    }

    fn add(&mut self, pixel: usize, width: usize) {
        let (x, y) = (pixel % width, pixel / width);
        self.left = self.left.min(x);
        self.right = self.right.max(x);
        self.top = self.top.min(y);
        self.bottom = self.bottom.max(y);
        self.pixels.push(pixel);
    }

    fn area(&self) -> usize {
        (self.right - self.left + 1) * (self.bottom - self.top + 1)
    }

    fn surrounds(&self, other: &Mark) -> bool {
        self.left < other.left
            && self.right > other.right
            && self.top < other.top
            && self.bottom > other.bottom
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
    fn a_box_goes_and_what_is_in_it_stays() {
        let mut page = Grey::plain(100, 200, 255);
        let mut dark = |x: usize, y: usize| page.pixels[y * 100 + x] = 0;
        for n in 10..=34 {
            for (x, y) in [(n, 10), (n, 34), (10, n), (34, n)] {
                dark(x, y);
            }
        }
        for n in 16..28 {
            dark(20, n);
            dark(21, n);
        }
        let part = page.postcode_boxes();
        assert_eq!((part.width, part.height), (100, 44));
        assert_eq!(
            (part.at(10, 20), part.at(34, 34), part.at(20, 20)),
            (255, 255, 0)
        );
    }

    #[test]
    fn any_picture_is_survived() {
        for (width, height) in [(1, 1), (1, 50), (50, 1), (37, 41)] {
            for shade in [0, 255] {
                Grey::plain(width, height, shade).postcode_boxes();
                Grey::plain(width, height, shade).in_columns();
            }
        }
    }
}
