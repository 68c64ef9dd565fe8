//! Envelopes drawn with a real font, and photographed badly: askew, in a shadow, with noise, on a table.

use std::io::Write;

use ttf_parser::{Face, OutlineBuilder};

/// Shades of grey, row by row.
#[derive(Clone)]
pub struct Sheet {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

type Point = (f32, f32);

impl Sheet {
    pub fn new(width: usize, height: usize, shade: u8) -> Sheet {
        let pixels = vec![shade; width * height];
        Sheet {
            width,
            height,
            pixels,
        }
    }

    /// An envelope with lines of writing: (left, baseline, size, text).
    pub fn written(lines: &[(f32, f32, f32, &str)]) -> Sheet {
        let font = std::fs::read("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").unwrap();
        let face = Face::parse(&font, 0).unwrap();
        let mut sheet = Sheet::new(1500, 760, 238);
        for (left, baseline, size, text) in lines {
            let scale = size / f32::from(face.units_per_em());
            let mut x = *left;
            for c in text.chars() {
                let glyph = face.glyph_index(c).unwrap();
                let mut outline = Outline::new(x, *baseline, scale);
                face.outline_glyph(glyph, &mut outline);
                sheet.fill(&outline.edges);
                x += f32::from(face.glyph_hor_advance(glyph).unwrap()) * scale;
            }
        }
        sheet
    }

    /// An envelope written from top to bottom, the first column on the right: (left, top, size, text); above them the
    /// postcode's digits, each in its box.
    pub fn in_columns(columns: &[(f32, f32, f32, &str)], postcode: &str) -> Sheet {
        let font = std::fs::read("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc").unwrap();
        let face = Face::parse(&font, 0).unwrap();
        let mut sheet = Sheet::new(800, 1500, 238);
        let glyph = |sheet: &mut Sheet, c: char, x: f32, top: f32, size: f32| {
            let scale = size / f32::from(face.units_per_em());
            let glyph = face.glyph_index(c).unwrap();
            let wide = f32::from(face.glyph_hor_advance(glyph).unwrap()) * scale;
            let mut outline = Outline::new(x + (size - wide) / 2.0, top + 0.88 * size, scale);
            face.outline_glyph(glyph, &mut outline);
            sheet.fill(&outline.edges);
        };
        for (left, top, size, text) in columns {
            for (place, c) in text.chars().enumerate() {
                glyph(
                    &mut sheet,
                    c,
                    *left,
                    top + 1.12 * size * place as f32,
                    *size,
                );
            }
        }
        for (place, c) in postcode.chars().filter(char::is_ascii_digit).enumerate() {
            let left = 390 + 52 * place;
            glyph(&mut sheet, c, left as f32 - 2.0, 96.0, 42.0);
            let edge =
                |x: usize, y: usize| x < left + 3 || x >= left + 35 || !(88..146).contains(&y);
            for y in 85..149 {
                for x in (left..left + 38).filter(|x| edge(*x, y)) {
                    sheet.pixels[y * 800 + x] = 110;
                }
            }
        }
        sheet
    }

    /// The same with a bar code of the post on it, as zint writes it (its symbology's number, and what it says): its bars
    /// so far apart, its upper left corner there.
    pub fn barred(mut self, symbology: u8, says: &str, apart: f32, (left, top): Point) -> Sheet {
        let zint = std::process::Command::new("zint")
            .args(["-b", &symbology.to_string(), "-d", says])
            .args(["--filetype=svg", "--direct"])
            .output()
            .unwrap();
        assert!(zint.status.success(), "{zint:?}");
        let drawing = String::from_utf8(zint.stdout).unwrap();
        let rectangle = |line: &str| -> Option<[f32; 4]> {
            let numbers = line.trim().strip_prefix("<rect ")?.split('"');
            let numbers = numbers.skip(1).step_by(2).take(4);
            let numbers: Vec<f32> = numbers.filter_map(|number| number.parse().ok()).collect();
            numbers.try_into().ok()
        };
        // Behind the ground that they stand on: bars, each two wide and four apart.
        let bars: Vec<[f32; 4]> = drawing.lines().filter_map(rectangle).skip(1).collect();
        assert!(bars.len() >= 65, "{drawing}");
        let scale = apart / 4.0;
        for [x, y, width, height] in bars {
            let (x, y) = (left + x * scale, top + y * scale);
            let (right, bottom) = (x + width * scale, y + height * scale);
            let corners = [(x, y), (right, y), (right, bottom), (x, bottom), (x, y)];
            let edges: Vec<_> = corners.windows(2).map(|ends| (ends[0], ends[1])).collect();
            self.fill(&edges);
        }
        self
    }

    /// Blackens what the edges enclose, with four lines a pixel.
    fn fill(&mut self, edges: &[(Point, Point)]) {
        let low = edges
            .iter()
            .map(|(a, b)| a.1.min(b.1))
            .fold(f32::MAX, f32::min);
        let high = edges.iter().map(|(a, b)| a.1.max(b.1)).fold(0.0, f32::max);
        for y in low.max(0.0) as usize..(high.ceil() as usize).min(self.height) {
            let mut ink = vec![0.0_f32; self.width];
            for part in 0..4 {
                let line = y as f32 + part as f32 / 4.0 + 0.125;
                let mut crossings: Vec<(f32, i32)> = edges
                    .iter()
                    .filter(|(a, b)| (a.1 <= line) != (b.1 <= line))
                    .map(|(a, b)| {
                        let x = a.0 + (line - a.1) / (b.1 - a.1) * (b.0 - a.0);
                        (x, if a.1 < b.1 { 1 } else { -1 })
                    })
                    .collect();
                crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut winding = 0;
                for pair in crossings.windows(2) {
                    winding += pair[0].1;
                    if winding == 0 {
                        continue;
                    }
                    let start = pair[0].0.max(0.0) as usize;
                    let end = (pair[1].0.ceil() as usize).min(self.width);
                    for (x, ink) in ink.iter_mut().enumerate().take(end).skip(start) {
                        let (left, right) = (x as f32, x as f32 + 1.0);
                        *ink += (pair[1].0.min(right) - pair[0].0.max(left)).max(0.0) / 4.0;
                    }
                }
            }
            for (x, ink) in ink.into_iter().enumerate().filter(|(_, ink)| *ink > 0.0) {
                let paper = f32::from(self.pixels[y * self.width + x]);
                self.pixels[y * self.width + x] = (paper + (35.0 - paper) * ink.min(1.0)) as u8;
            }
        }
    }

    fn between(&self, x: f32, y: f32, outside: f32) -> f32 {
        if x < 0.0 || y < 0.0 || x as usize + 1 >= self.width || y as usize + 1 >= self.height {
            return outside;
        }
        let (left, top) = (x as usize, y as usize);
        let at = |x: usize, y: usize| f32::from(self.pixels[y * self.width + x]);
        let (right, down) = (x - left as f32, y - top as f32);
        (at(left, top) * (1.0 - right) + at(left + 1, top) * right) * (1.0 - down)
            + (at(left, top + 1) * (1.0 - right) + at(left + 1, top + 1) * right) * down
    }

    /// Photographed on a dark table: turned by degrees, the far side smaller, one corner in a shadow, noise
    /// all over, and not quite in focus.
    pub fn photographed(&self, degrees: f32, away: f32) -> Sheet {
        let (width, height) = (self.width + 300, self.height + 500);
        let (sin, cos) = degrees.to_radians().sin_cos();
        let mut photo = Sheet::new(width, height, 0);
        for y in 0..height {
            for x in 0..width {
                let (u, v) = (
                    x as f32 - width as f32 / 2.0,
                    y as f32 - height as f32 / 2.0,
                );
                let (u, v) = (u * cos + v * sin, v * cos - u * sin);
                let depth = 1.0 - away * v / height as f32;
                let from = (
                    u * depth + self.width as f32 / 2.0,
                    v * depth + self.height as f32 / 2.0,
                );
                let mut shade = 0.0;
                for (right, down) in [(0.0, 0.0), (0.8, 0.0), (0.0, 0.8), (0.8, 0.8)] {
                    shade += self.between(from.0 + right, from.1 + down, 70.0) / 4.0;
                }
                let shadow = (x as f32 / width as f32 + y as f32 / height as f32) / 2.0;
                photo.pixels[y * width + x] = (shade * (1.0 - 0.6 * shadow * shadow)) as u8;
            }
        }
        photo.noise(14);
        photo
    }

    fn noise(&mut self, most: i32) {
        let mut state = 1_u32;
        for pixel in &mut self.pixels {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 16) as i32 % (2 * most + 1) - most;
            *pixel = (i32::from(*pixel) + noise).clamp(0, 255) as u8;
        }
    }

    /// Turned by a quarter, clockwise: as a telephone stores what it saw held upright, the other way round.
    pub fn quarter(&self) -> Sheet {
        let mut turned = Sheet::new(self.height, self.width, 0);
        for y in 0..turned.height {
            for x in 0..turned.width {
                turned.pixels[y * turned.width + x] =
                    self.pixels[(self.height - 1 - x) * self.width + y];
            }
        }
        turned
    }

    pub fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&self.pixels).unwrap();
        writer.finish().unwrap();
        file
    }

    /// A baseline JPEG of middling quality, with an Exif orientation.
    pub fn jpeg(&self, orientation: u8) -> Vec<u8> {
        jpeg(self, orientation)
    }
}

struct Outline {
    at: Point,
    start: Point,
    origin: Point,
    scale: f32,
    edges: Vec<(Point, Point)>,
}

impl Outline {
    fn new(x: f32, y: f32, scale: f32) -> Outline {
        Outline {
            at: (0.0, 0.0),
            start: (0.0, 0.0),
            origin: (x, y),
            scale,
            edges: Vec::new(),
        }
    }

    fn place(&self, x: f32, y: f32) -> Point {
        (
            self.origin.0 + x * self.scale,
            self.origin.1 - y * self.scale,
        )
    }

    fn curve(&mut self, of: impl Fn(f32) -> Point) {
        for step in 1..=6 {
            let to = of(step as f32 / 6.0);
            self.edges.push((self.at, to));
            self.at = to;
        }
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.at = self.place(x, y);
        self.start = self.at;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.edges.push((self.at, to));
        self.at = to;
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (a, b, c) = (self.at, self.place(x1, y1), self.place(x, y));
        self.curve(|t| {
            let s = 1.0 - t;
            let mix = |a: f32, b: f32, c: f32| s * s * a + 2.0 * s * t * b + t * t * c;
            (mix(a.0, b.0, c.0), mix(a.1, b.1, c.1))
        });
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (a, b) = (self.at, self.place(x1, y1));
        let (c, d) = (self.place(x2, y2), self.place(x, y));
        self.curve(|t| {
            let s = 1.0 - t;
            let mix = |a: f32, b: f32, c: f32, d: f32| {
                s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
            };
            (mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1))
        });
    }

    fn close(&mut self) {
        self.edges.push((self.at, self.start));
        self.at = self.start;
    }
}

/// The order in which a block's frequencies are written.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Bits under which symbols are written: a flat code of 8 bits for 255 symbols at most, which is as good as
/// any for a test.
fn jpeg(sheet: &Sheet, orientation: u8) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    let mut segment = |marker: u8, body: &[u8]| {
        file.extend([0xff, marker]);
        file.extend(u16::try_from(body.len() + 2).unwrap().to_be_bytes());
        file.extend(body);
    };
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    segment(0xe1, &exif);
    // Coarser the finer the detail: what a middling quality does.
    let quant: Vec<u8> = (0..64).map(|k| 6 + k as u8).collect();
    segment(0xdb, &[&[0], quant.as_slice()].concat());
    let (width, height) = (sheet.width as u16, sheet.height as u16);
    let [h1, h0] = height.to_be_bytes();
    let [w1, w0] = width.to_be_bytes();
    segment(0xc0, &[8, h1, h0, w1, w0, 1, 1, 0x11, 0]);
    // Twelve sizes of the mean, in codes of four bits; 160 kinds of detail, in codes of eight.
    let mut mean = [0_u8; 17];
    mean[4] = 12;
    segment(0xc4, &[&mean[..], &(0..12).collect::<Vec<u8>>()].concat());
    let kinds: Vec<u8> = (0..=255_u8)
        .filter(|k| (1..=10).contains(&(k & 15)) || *k == 0)
        .collect();
    let mut detail = [0_u8; 17];
    detail[0] = 0x10;
    detail[8] = kinds.len() as u8;
    segment(0xc4, &[&detail[..], &kinds].concat());
    segment(0xda, &[1, 1, 0, 0, 63, 0]);
    let mut bits = Bits::default();
    let mut last = 0;
    for top in (0..sheet.height).step_by(8) {
        for left in (0..sheet.width).step_by(8) {
            let block = frequencies(sheet, left, top, &quant);
            let code = |kind: u8| kinds.iter().position(|k| *k == kind).unwrap() as u32;
            let size = bits_of(block[0] - last);
            bits.put(size, 4);
            bits.value(block[0] - last, size);
            last = block[0];
            let end = block.iter().rposition(|v| *v != 0).unwrap_or(0);
            let mut run = 0;
            for &value in &block[1..=end.max(1)] {
                if end == 0 {
                    break;
                }
                // Sixteen zeros have no code here: a detail of 1 is put in their place.
                let value = if value == 0 && run == 15 { 1 } else { value };
                if value == 0 {
                    run += 1;
                    continue;
                }
                let size = bits_of(value);
                bits.put(code(run << 4 | size as u8), 8);
                bits.value(value, size);
                run = 0;
            }
            if end < 63 {
                bits.put(code(0), 8);
            }
        }
    }
    file.extend(bits.end());
    file.extend([0xff, 0xd9]);
    file
}

fn frequencies(sheet: &Sheet, left: usize, top: usize, quant: &[u8]) -> [i32; 64] {
    let mut shades = [[0.0_f32; 8]; 8];
    for (y, row) in shades.iter_mut().enumerate() {
        for (x, shade) in row.iter_mut().enumerate() {
            let (x, y) = (
                (left + x).min(sheet.width - 1),
                (top + y).min(sheet.height - 1),
            );
            *shade = f32::from(sheet.pixels[y * sheet.width + x]) - 128.0;
        }
    }
    // Along the rows, then along the columns.
    let along = |line: [f32; 8]| {
        std::array::from_fn::<f32, 8, _>(|u| {
            let wave =
                |x: usize| ((2 * x + 1) as f32 * u as f32 * std::f32::consts::PI / 16.0).cos();
            let sum: f32 = (0..8).map(|x| line[x] * wave(x)).sum();
            sum / 2.0
                * if u == 0 {
                    std::f32::consts::FRAC_1_SQRT_2
                } else {
                    1.0
                }
        })
    };
    let rows = shades.map(along);
    let columns = std::array::from_fn::<_, 8, _>(|u| along(std::array::from_fn(|y| rows[y][u])));
    std::array::from_fn(|k| {
        let (v, u) = (ZIGZAG[k] / 8, ZIGZAG[k] % 8);
        (columns[u][v] / f32::from(quant[k]))
            .round()
            .clamp(-1023.0, 1023.0) as i32
    })
}

fn bits_of(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    open: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.open = self.open << count | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.open >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
            self.open &= (1 << self.count) - 1;
        }
    }

    fn value(&mut self, value: i32, size: u32) {
        if size > 0 {
            let bits = if value < 0 {
                value + (1 << size) - 1
            } else {
                value
            };
            self.put(bits as u32, size);
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.put(0x7f, 7);
        self.bytes
    }
}

/// A PNG of one row repeated: few bytes, many pixels.
pub fn vast(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let row = vec![0xff; (width as usize).div_ceil(8)];
    for _ in 0..height {
        stream.write_all(&row).unwrap();
    }
    stream.finish().unwrap();
    writer.finish().unwrap();
    file
}
