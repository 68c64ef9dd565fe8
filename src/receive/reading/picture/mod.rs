//! A photograph of an envelope, made readable: the right way up, cut out of the table it lies on, evenly lit
//! and straight. A picture taken at an angle under a lamp reads as nothing without it.
//!
//! Nothing here knows of processes, clocks or the network; time and memory are bounded by the number of
//! pixels, which is checked before a picture is decoded.

mod columns;
mod decode;
mod exif;
mod light;
mod paper;
mod straight;

pub use decode::{MOST_PIXELS, Unreadable, decode};

/// The longer side that is worked on: characters of 3 mm on an envelope are then about 30 pixels high,
/// which is what Tesseract reads best.
const LONG: usize = 2200;

/// Shades of grey, row by row; 0 is black.
#[derive(Clone, PartialEq, Eq)]
pub struct Grey {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// All of them.
    pub pixels: Vec<u8>,
}

impl std::fmt::Debug for Grey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Grey({}x{})", self.width, self.height)
    }
}

impl Grey {
    /// A picture of one shade.
    pub fn plain(width: usize, height: usize, shade: u8) -> Grey {
        Grey {
            width,
            height,
            pixels: vec![shade; width * height],
        }
    }

    fn at(&self, x: usize, y: usize) -> u8 {
        self.pixels[y * self.width + x]
    }

    /// The shade at a place between pixels; white outside.
    fn between(&self, x: f32, y: f32) -> u8 {
        if !(x >= 0.0 && y >= 0.0) {
            return 255;
        }
        let (left, top) = (x as usize, y as usize);
        if left + 1 >= self.width || top + 1 >= self.height {
            return 255;
        }
        let (right, down) = (x - left as f32, y - top as f32);
        let row = |y| {
            let (a, b) = (self.at(left, y), self.at(left + 1, y));
            f32::from(a) * (1.0 - right) + f32::from(b) * right
        };
        (row(top) * (1.0 - down) + row(top + 1) * down) as u8
    }

    /// Turned by quarters, clockwise.
    pub fn turned(&self, quarters: usize) -> Grey {
        let (w, h) = (self.width, self.height);
        let (width, height) = if quarters.is_multiple_of(2) {
            (w, h)
        } else {
            (h, w)
        };
        let mut pixels = Vec::with_capacity(w * h);
        for y in 0..height {
            for x in 0..width {
                pixels.push(match quarters % 4 {
                    0 => self.at(x, y),
                    1 => self.at(y, h - 1 - x),
                    2 => self.at(w - 1 - x, h - 1 - y),
                    _ => self.at(w - 1 - y, x),
                });
            }
        }
        Grey {
            width,
            height,
            pixels,
        }
    }

    /// Left and right changed.
    fn mirrored(mut self) -> Grey {
        self.pixels.chunks_mut(self.width).for_each(<[u8]>::reverse);
        self
    }

    /// Made smaller, so that its longer side is at most this long: each pixel is the mean of those that it
    /// covers.
    pub fn within(self, long: usize) -> Grey {
        let longest = self.width.max(self.height);
        if longest <= long {
            return self;
        }
        let size = |side: usize| (side * long / longest).max(1);
        let (width, height) = (size(self.width), size(self.height));
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let rows = y * self.height / height..((y + 1) * self.height / height);
            for x in 0..width {
                let columns = x * self.width / width..((x + 1) * self.width / width);
                let mut sum = 0_u32;
                for row in rows.clone() {
                    let start = row * self.width;
                    let run = &self.pixels[start + columns.start..start + columns.end];
                    sum += run.iter().map(|&p| u32::from(p)).sum::<u32>();
                }
                let count = (rows.len() * columns.len()).max(1) as u32;
                pixels.push((sum / count) as u8);
            }
        }
        Grey {
            width,
            height,
            pixels,
        }
    }

    /// As a binary PGM, which every program that reads pictures reads, with little that could go wrong.
    pub fn pgm(&self) -> Vec<u8> {
        let mut file = format!("P5\n{} {}\n255\n", self.width, self.height).into_bytes();
        file.extend_from_slice(&self.pixels);
        file
    }

    /// As a PNG for a browser; `None` if it cannot be written.
    pub fn png(&self) -> Option<Vec<u8>> {
        let (width, height) = (u32::try_from(self.width), u32::try_from(self.height));
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width.ok()?, height.ok()?);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.pixels).ok()?;
        writer.finish().ok()?;
        Some(file)
    }
}

/// A decoded picture made readable. Which of the four ways is up is not known here: a telephone that lay
/// flat says nothing, or something wrong.
pub fn readable(picture: Grey) -> Grey {
    let picture = picture.within(LONG);
    let picture = paper::cut_out(&picture).unwrap_or(picture);
    let even = light::even(&light::calm(&picture));
    straight::straighten(&even)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Grey {
        Grey {
            width: 3,
            height: 2,
            pixels: vec![1, 2, 3, 4, 5, 6],
        }
    }

    #[test]
    fn four_quarters_are_a_whole_turn() {
        let turned = small().turned(1);
        assert_eq!((turned.width, turned.height), (2, 3));
        assert_eq!(turned.pixels, [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned.turned(3), small());
        assert_eq!(small().turned(2).pixels, [6, 5, 4, 3, 2, 1]);
        assert_eq!(small().mirrored().pixels, [3, 2, 1, 6, 5, 4]);
    }

    #[test]
    fn what_is_made_smaller_keeps_its_shade() {
        let wide = Grey::plain(1000, 10, 77).within(50);
        assert_eq!((wide.width, wide.height), (50, 1));
        assert!(wide.pixels.iter().all(|&p| p == 77));
        assert_eq!(small().within(3), small());
    }

    #[test]
    fn a_png_of_ours_is_read_as_it_was() {
        let picture = Grey {
            width: 16,
            height: 16,
            pixels: (0..=255).collect(),
        };
        assert_eq!(decode(&picture.png().unwrap()).unwrap(), picture);
    }

    #[test]
    fn any_size_is_survived() {
        for (width, height) in [(1, 1), (1, 3000), (3000, 1), (2, 2), (17, 33)] {
            for shade in [0, 128, 255] {
                readable(Grey::plain(width, height, shade));
            }
        }
    }
}
