//! Straightening: lines of writing, seen along their own direction, are dark stripes with light between
//! them. The angle at which the stripes are sharpest is the angle of the writing.

use super::Grey;

/// Angles tried, in degrees to either side.
const MOST: f32 = 20.0;
/// What counts as ink after the lighting is even.
const INK: u8 = 140;
/// Pixels of ink looked at; of more, each so-and-so-many-th.
const POINTS: usize = 30_000;
/// Height of a stripe in pixels.
const STRIPE: f32 = 4.0;
/// Less than this is left alone, since turning blurs.
const SLIGHT: f32 = 0.15;

/// The picture with its writing level, or upright where it is vertical.
pub fn straighten(picture: &Grey) -> Grey {
    let angle = skew(picture);
    if angle.abs() < SLIGHT {
        return picture.clone();
    }
    turned(picture, angle)
}

/// By how many degrees the writing falls to the right.
pub fn skew(picture: &Grey) -> f32 {
    let points = ink(picture);
    if points.len() < 200 {
        return 0.0;
    }
    let best = |angles: &mut dyn Iterator<Item = f32>| {
        let mut best = (0.0, 0.0);
        for angle in angles {
            let sharp = sharpness(&points, angle);
            if sharp > best.1 {
                best = (angle, sharp);
            }
        }
        best.0
    };
    let steps = (MOST * 2.0) as i32;
    let rough = best(&mut (-steps..=steps).map(|step| step as f32 / 2.0));
    best(&mut (-6..=6).map(|step| rough + step as f32 / 10.0))
}

fn ink(picture: &Grey) -> Vec<(f32, f32)> {
    let dark = |pixel: &&u8| **pixel < INK;
    let count = picture.pixels.iter().filter(dark).count();
    let step = count / POINTS + 1;
    let places = picture.pixels.iter().enumerate().filter(|(_, p)| **p < INK);
    let point = |(at, _): (usize, &u8)| ((at % picture.width) as f32, (at / picture.width) as f32);
    places.step_by(step).map(point).collect()
}

/// How sharp the stripes are, along lines or along columns, whichever there are.
fn sharpness(points: &[(f32, f32)], angle: f32) -> f64 {
    let (sin, cos) = angle.to_radians().sin_cos();
    let rows = points.iter().map(|(x, y)| y * cos - x * sin);
    let columns = points.iter().map(|(x, y)| x * cos + y * sin);
    contrast(rows).max(contrast(columns))
}

/// The squares of the differences between neighbouring stripes.
fn contrast(places: impl Iterator<Item = f32>) -> f64 {
    // Half of a picture is at most 2,200 wide and as high; turned, no place is beyond twice that.
    const STRIPES: usize = 3000;
    let mut stripes = vec![0_i32; STRIPES];
    for place in places {
        let stripe = (place / STRIPE) as i32 + (STRIPES / 2) as i32;
        if let Some(count) = usize::try_from(stripe)
            .ok()
            .and_then(|s| stripes.get_mut(s))
        {
            *count += 1;
        }
    }
    let squares = stripes.windows(2).map(|pair| {
        let step = f64::from(pair[1] - pair[0]);
        step * step
    });
    squares.sum()
}

/// Turned back by an angle, on white, with room for all of it.
fn turned(picture: &Grey, angle: f32) -> Grey {
    let (sin, cos) = angle.to_radians().sin_cos();
    let (w, h) = (picture.width as f32, picture.height as f32);
    let width = (w * cos + h * sin.abs()).ceil() as usize;
    let height = (h * cos + w * sin.abs()).ceil() as usize;
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        let down = y as f32 - height as f32 / 2.0;
        for x in 0..width {
            let across = x as f32 - width as f32 / 2.0;
            let from = (
                w / 2.0 + across * cos - down * sin,
                h / 2.0 + across * sin + down * cos,
            );
            pixels.push(picture.between(from.0, from.1));
        }
    }
    Grey {
        width,
        height,
        pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of words, of different lengths.
    fn writing(width: usize, height: usize) -> Grey {
        let mut page = Grey::plain(width, height, 255);
        for line in 0..6 {
            let top = height / 4 + line * 40;
            for word in 0..8 {
                for y in top..top + 18 {
                    let start = width / 5 + word * 60;
                    let end = start + 35 + (line * 7 + word * 5) % 20;
                    for x in start..end.min(width) {
                        if (x + y / 3) % 5 < 3 {
                            page.pixels[y * width + x] = 20;
                        }
                    }
                }
            }
        }
        page
    }

    #[test]
    fn the_angle_is_found_either_way() {
        let level = writing(900, 700);
        assert!(skew(&level).abs() <= 0.3, "{}", skew(&level));
        for angle in [-19.0, -7.0, -1.5, 0.8, 4.0, 12.0, 19.5] {
            // Turned back by the opposite is turned by it.
            let tilted = turned(&level, -angle);
            let found = skew(&tilted);
            assert!((found - angle).abs() <= 0.4, "{angle}: {found}");
            let left = skew(&straighten(&tilted));
            assert!(left.abs() <= 0.4, "{angle}: {left} is left");
            // The same as columns.
            let found = skew(&tilted.turned(1));
            assert!((found - angle).abs() <= 0.4, "{angle}, columns: {found}");
        }
    }

    #[test]
    fn an_empty_page_is_left_alone() {
        let page = Grey::plain(300, 200, 255);
        assert_eq!(straighten(&page), page);
    }
}
