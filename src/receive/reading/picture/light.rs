//! Lighting evened out: each pixel against the paper around it.

use super::Grey;

/// Side of the squares whose paper is looked for, in pixels: wider than a stroke, narrower than a shadow.
const SQUARE: usize = 24;
/// Paper darker than this is taken for this: what lies around the envelope is not made into noise.
const DARKEST: u8 = 48;
/// The share of a square's pixels that may be lighter than its paper.
const GLARE: u32 = 10;

/// The middle one of each pixel and its eight neighbours: the noise of a sensor goes, and edges stay.
pub fn calm(picture: &Grey) -> Grey {
    let (width, height) = (picture.width, picture.height);
    if width < 3 || height < 3 {
        return picture.clone();
    }
    let mut calm = picture.clone();
    for y in 1..height - 1 {
        let rows = [y - 1, y, y + 1].map(|y| &picture.pixels[y * width..(y + 1) * width]);
        for x in 1..width - 1 {
            let mut nine = [0; 9];
            for (row, part) in rows.iter().zip(nine.chunks_exact_mut(3)) {
                part.copy_from_slice(&row[x - 1..x + 2]);
            }
            calm.pixels[y * width + x] = middle(nine);
        }
    }
    calm
}

/// The median of nine, by sorting triples: far cheaper than sorting all.
fn middle(n: [u8; 9]) -> u8 {
    let three = |a: u8, b: u8, c: u8| {
        (
            a.min(b).min(c),
            a.max(b).min(a.min(b).max(c)),
            a.max(b).max(c),
        )
    };
    let (l0, m0, h0) = three(n[0], n[1], n[2]);
    let (l1, m1, h1) = three(n[3], n[4], n[5]);
    let (l2, m2, h2) = three(n[6], n[7], n[8]);
    let low = l0.max(l1).max(l2);
    let (_, mid, _) = three(m0, m1, m2);
    let high = h0.min(h1).min(h2);
    three(low, mid, high).1
}

/// Paper white everywhere, ink as dark as it was against its own paper.
pub fn even(picture: &Grey) -> Grey {
    let paper = paper(picture);
    let mut even = picture.clone();
    for y in 0..picture.height {
        let row = &mut even.pixels[y * picture.width..(y + 1) * picture.width];
        for (x, pixel) in row.iter_mut().enumerate() {
            // Squares have their paper's shade in their middle.
            let place = |at: usize| (at as f32 / SQUARE as f32 - 0.5).max(0.0);
            let (column, line) = (place(x), place(y));
            let (left, top) = (column as usize, line as usize);
            let right = (left + 1).min(paper.width - 1);
            let below = (top + 1).min(paper.height - 1);
            let (across, down) = (column - left as f32, line - top as f32);
            let shade = |x, y| f32::from(paper.at(x, y));
            let above = shade(left, top) * (1.0 - across) + shade(right, top) * across;
            let under = shade(left, below) * (1.0 - across) + shade(right, below) * across;
            let shade = above * (1.0 - down) + under * down;
            *pixel = (f32::from(*pixel) * 250.0 / shade).min(255.0) as u8;
        }
    }
    even
}

/// The shade of the paper in each square, smoothed so that a black stamp is not taken for paper.
fn paper(picture: &Grey) -> Grey {
    let width = picture.width.div_ceil(SQUARE);
    let height = picture.height.div_ceil(SQUARE);
    let mut found = Grey::plain(width, height, 0);
    for y in 0..height {
        for x in 0..width {
            let mut counts = [0_u32; 256];
            let mut all = 0;
            for row in y * SQUARE..((y + 1) * SQUARE).min(picture.height) {
                let start = row * picture.width;
                let end = start + ((x + 1) * SQUARE).min(picture.width);
                for &pixel in &picture.pixels[start + x * SQUARE..end] {
                    counts[usize::from(pixel)] += 1;
                    all += 1;
                }
            }
            let mut lighter = all / GLARE;
            let mut shade = 255;
            while shade > 0 && counts[shade] <= lighter {
                lighter -= counts[shade];
                shade -= 1;
            }
            found.pixels[y * width + x] = shade as u8;
        }
    }
    let lightest = around(&found, |near| near.iter().copied().max().unwrap_or(255));
    around(&lightest, |near| {
        let sum: u32 = near.iter().map(|&shade| u32::from(shade)).sum();
        ((sum / near.len().max(1) as u32) as u8).max(DARKEST)
    })
}

/// Each pixel from itself and its neighbours.
fn around(picture: &Grey, of: impl Fn(&[u8]) -> u8) -> Grey {
    let mut made = picture.clone();
    let mut near = Vec::with_capacity(9);
    for y in 0..picture.height {
        for x in 0..picture.width {
            near.clear();
            for row in y.saturating_sub(1)..(y + 2).min(picture.height) {
                for column in x.saturating_sub(1)..(x + 2).min(picture.width) {
                    near.push(picture.at(column, row));
                }
            }
            made.pixels[y * picture.width + x] = of(&near);
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shadow_goes_and_ink_stays() {
        let mut picture = Grey::plain(480, 240, 0);
        for y in 0..240 {
            for x in 0..480 {
                let paper = 230 - x * 150 / 480;
                let ink = (x / 6) % 8 == 0 && y % 40 < 20;
                picture.pixels[y * 480 + x] = (if ink { paper / 4 } else { paper }) as u8;
            }
        }
        let even = even(&picture);
        for y in 0..240 {
            for x in 0..480 {
                let ink = (x / 6) % 8 == 0 && y % 40 < 20;
                let shade = even.at(x, y);
                assert!(
                    if ink { shade < 90 } else { shade > 200 },
                    "{x} {y}: {shade}"
                );
            }
        }
    }

    #[test]
    fn grains_of_noise_go() {
        let mut picture = Grey::plain(9, 9, 200);
        picture.pixels[40] = 0;
        assert_eq!(calm(&picture), Grey::plain(9, 9, 200));
    }

    proptest! {
        #[test]
        fn the_middle_is_the_middle(nine in any::<[u8; 9]>()) {
            let mut sorted = nine;
            sorted.sort_unstable();
            prop_assert_eq!(middle(nine), sorted[4]);
        }
    }
}
