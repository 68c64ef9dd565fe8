//! The envelope cut out of the picture: a light sheet on something darker, seen from an angle, is a shape
//! with four corners, and is made a rectangle again.

use super::Grey;

/// The longer side of the picture in which the sheet is looked for.
const LONG: usize = 400;
/// The smallest share of the picture that a sheet takes.
const LEAST: f32 = 0.15;
/// How much of the shape between the corners has to be light, writing and stamps being dark.
const FULL: f32 = 0.78;
/// Corners so close to those of the picture (as a share of its width) say that there is nothing to cut.
const NEAR: f32 = 0.03;

/// So far from a side of the sheet, as a share of the picture's longer side, what lies inside is compared with what lies
/// outside; and so much darker that is at most, where something ends. Light that fades across a sheet changes by less.
/// A side that is bowed is seen from farther away.
const BESIDE: [(f32, f32); 2] = [(0.025, 0.92), (0.06, 0.84)];
/// Places at which a side is looked at.
const LOOKS: usize = 17;

type Point = (f32, f32);

/// The sheet alone; `None` where none stands out.
pub fn cut_out(picture: &Grey) -> Option<Grey> {
    let corners = corners(picture)?;
    let [a, b, c, d] = corners;
    let far = |p: Point, q: Point| (p.0 - q.0).hypot(p.1 - q.1);
    let width = far(a, b).max(far(d, c)) as usize;
    let height = far(a, d).max(far(b, c)) as usize;
    let longest = picture.width + picture.height;
    if width < 64 || height < 64 || width > longest || height > longest {
        return None;
    }
    let map = projection(corners)?;
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f64 / width as f64, y as f64 / height as f64);
            let below = map[6] * u + map[7] * v + 1.0;
            let from = (
                (map[0] * u + map[1] * v + map[2]) / below,
                (map[3] * u + map[4] * v + map[5]) / below,
            );
            pixels.push(picture.between(from.0 as f32, from.1 as f32));
        }
    }
    Some(Grey {
        width,
        height,
        pixels,
    })
}

/// The corners of the largest light shape, clockwise from the upper left one, if it is a sheet.
fn corners(picture: &Grey) -> Option<[Point; 4]> {
    let small = picture.clone().within(LONG);
    let (width, height) = (small.width, small.height);
    let shape = largest(&small, threshold(&small));
    let place = |at: &usize| ((at % width) as f32, (at / width) as f32);
    let points: Vec<Point> = shape.iter().map(place).collect();
    let most = |of: fn(&Point) -> f32| {
        let best = points.iter().max_by(|a, b| of(a).total_cmp(&of(b)));
        best.copied()
    };
    let corners = [
        most(|(x, y)| -x - y)?,
        most(|(x, y)| x - y)?,
        most(|(x, y)| x + y)?,
        most(|(x, y)| y - x)?,
    ];
    let area = area(&corners);
    let all = (width * height) as f32;
    if area < LEAST * all || (points.len() as f32) < FULL * area || area < 0.9 * points.len() as f32
    {
        return None;
    }
    let (right, bottom) = (width as f32 - 1.0, height as f32 - 1.0);
    let own = [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)];
    let near = |(p, q): (&Point, &Point)| (p.0 - q.0).hypot(p.1 - q.1) < NEAR * width as f32;
    if corners.iter().zip(&own).all(near) {
        return None;
    }
    let sides: Vec<Side> = sides(&corners)
        .map(|(p, q)| Side::of(&small, *p, *q))
        .collect();
    let count = |wanted| sides.iter().filter(|side| **side == wanted).count();
    // One side may lie on something as light as itself.
    if count(Side::Fades) > usize::from(count(Side::Ends) == 3) {
        return None;
    }
    let scale = (
        picture.width as f32 / width as f32,
        picture.height as f32 / height as f32,
    );
    Some(corners.map(|(x, y)| ((x + 0.5) * scale.0, (y + 0.5) * scale.1)))
}

/// What a side of the light shape is. Half in shadow, a sheet that fills the picture has a light shape with four corners,
/// too, of which one is where the light fades.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Something darker lies behind it.
    Ends,
    /// The picture's border.
    Border,
    /// No step in the light.
    Fades,
}

impl Side {
    /// The side from one corner to the next, with the sheet on the right hand.
    fn of(picture: &Grey, p: Point, q: Point) -> Side {
        let (along, down) = (q.0 - p.0, q.1 - p.1);
        let length = along.hypot(down);
        if length < 1.0 {
            return Side::Border;
        }
        let (width, height) = (picture.width as f32, picture.height as f32);
        // The shades around a place that lies in the picture, lightest last.
        let around = |x: f32, y: f32| {
            let near = [-2.0, -1.0, 0.0, 1.0, 2.0];
            let places = near.iter().flat_map(|dx| near.map(|dy| (x + dx, y + dy)));
            let within = |(x, y): &Point| (0.0..width).contains(x) && (0.0..height).contains(y);
            let within = within(&(x, y)).then(|| places.filter(within));
            let shades = within.into_iter().flatten();
            let mut shades: Vec<u8> = shades
                .map(|(x, y)| picture.at(x as usize, y as usize))
                .collect();
            shades.sort_unstable();
            shades
        };
        let mut border = true;
        for (far, step) in BESIDE {
            let far = far * width.max(height) / length;
            let inward = (-down * far, along * far);
            let look = |look: usize| {
                let part = look as f32 / (LOOKS + 1) as f32;
                let (x, y) = (p.0 + along * part, p.1 + down * part);
                // A table has a grain, and paper is what is between the letters.
                let outside = around(x - inward.0, y - inward.1);
                let outside = *outside.get(outside.len() / 2)?;
                let inside = *around(x + inward.0, y + inward.1).last()?;
                Some(f32::from(outside) / f32::from(inside).max(1.0))
            };
            let mut steps: Vec<f32> = (1..=LOOKS).filter_map(look).collect();
            if steps.len() * 2 < LOOKS {
                continue;
            }
            border = false;
            steps.sort_by(f32::total_cmp);
            if steps[steps.len() / 2] <= step {
                return Side::Ends;
            }
        }
        if border { Side::Border } else { Side::Fades }
    }
}

fn area(corners: &[Point; 4]) -> f32 {
    let parts = sides(corners).map(|(p, q)| p.0 * q.1 - q.0 * p.1);
    parts.sum::<f32>() / 2.0
}

/// From each corner to the next.
fn sides(corners: &[Point; 4]) -> impl Iterator<Item = (&Point, &Point)> {
    corners.iter().zip(corners.iter().cycle().skip(1))
}

/// The shade that parts light from dark best (Otsu's).
fn threshold(picture: &Grey) -> u8 {
    let mut counts = [0_f64; 256];
    picture
        .pixels
        .iter()
        .for_each(|&p| counts[usize::from(p)] += 1.0);
    let all: f64 = counts.iter().sum();
    let total: f64 = counts.iter().enumerate().map(|(p, n)| p as f64 * n).sum();
    let (mut below, mut sum, mut best) = (0.0, 0.0, (127, 0.0));
    for (shade, count) in counts.iter().enumerate() {
        below += count;
        sum += shade as f64 * count;
        let above = all - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let apart = sum / below - (total - sum) / above;
        let spread = below * above * apart * apart;
        if spread > best.1 {
            best = (shade, spread);
        }
    }
    best.0 as u8
}

/// The pixels of the largest connected shape lighter than a shade.
fn largest(picture: &Grey, shade: u8) -> Vec<usize> {
    let (width, height) = (picture.width, picture.height);
    let mut open: Vec<bool> = picture.pixels.iter().map(|&p| p > shade).collect();
    let mut largest = Vec::new();
    for start in 0..open.len() {
        if !std::mem::take(&mut open[start]) {
            continue;
        }
        let mut shape = vec![start];
        let mut next = 0;
        while let Some(&at) = shape.get(next) {
            next += 1;
            let (x, y) = (at % width, at / width);
            let near = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then_some(at + 1),
                (y > 0).then(|| at - width),
                (y + 1 < height).then_some(at + width),
            ];
            for near in near.into_iter().flatten() {
                if std::mem::take(&mut open[near]) {
                    shape.push(near);
                }
            }
        }
        if shape.len() > largest.len() {
            largest = shape;
        }
    }
    largest
}

/// The eight numbers of the projection from the unit square to four corners.
fn projection([a, b, c, d]: [Point; 4]) -> Option<[f64; 8]> {
    let wide = |p: Point| (f64::from(p.0), f64::from(p.1));
    let (a, b, c, d) = (wide(a), wide(b), wide(c), wide(d));
    let sum = (a.0 - b.0 + c.0 - d.0, a.1 - b.1 + c.1 - d.1);
    let (one, two) = ((b.0 - c.0, b.1 - c.1), (d.0 - c.0, d.1 - c.1));
    let under = one.0 * two.1 - two.0 * one.1;
    if under.abs() < 1e-6 {
        return None;
    }
    let g = (sum.0 * two.1 - two.0 * sum.1) / under;
    let h = (one.0 * sum.1 - sum.0 * one.1) / under;
    Some([
        b.0 - a.0 + g * b.0,
        d.0 - a.0 + h * d.0,
        a.0,
        b.1 - a.1 + g * b.1,
        d.1 - a.1 + h * d.1,
        a.1,
        g,
        h,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sheet with these corners on a dark table.
    fn table(corners: [Point; 4]) -> Grey {
        let mut picture = Grey::plain(800, 600, 60);
        for y in 0..600 {
            for x in 0..800 {
                let inside = sides(&corners).all(|(p, q)| {
                    (q.0 - p.0) * (y as f32 - p.1) - (q.1 - p.1) * (x as f32 - p.0) >= 0.0
                });
                if inside {
                    picture.pixels[y * 800 + x] = 220;
                }
            }
        }
        picture
    }

    #[test]
    fn the_corners_of_a_sheet_on_a_table_are_found() {
        let sheet = [(120.0, 90.0), (690.0, 140.0), (650.0, 500.0), (80.0, 430.0)];
        let picture = table(sheet);
        let found = corners(&picture).unwrap();
        for (found, sheet) in found.iter().zip(&sheet) {
            let far = (found.0 - sheet.0).hypot(found.1 - sheet.1);
            assert!(far < 6.0, "{found:?} {sheet:?}");
        }
        let cut = cut_out(&picture).unwrap();
        let light = cut.pixels.iter().filter(|&&p| p > 200).count();
        assert!(light as f32 > 0.97 * cut.pixels.len() as f32);
    }

    #[test]
    fn nothing_is_cut_where_no_sheet_stands_out() {
        let whole = [(0.0, 0.0), (800.0, 0.0), (800.0, 600.0), (0.0, 600.0)];
        assert!(cut_out(&table(whole)).is_none());
        assert!(cut_out(&Grey::plain(500, 400, 90)).is_none());
        let triangle = [
            (100.0, 100.0),
            (700.0, 100.0),
            (400.0, 500.0),
            (400.0, 500.0),
        ];
        assert!(cut_out(&table(triangle)).is_none_or(|cut| cut.width > 64));
    }

    #[test]
    fn a_sheet_on_a_light_table_or_with_a_bowed_side_is_cut_out() {
        for table in [60, 150, 205] {
            let mut picture = Grey::plain(800, 600, table);
            for (at, pixel) in picture.pixels.iter_mut().enumerate() {
                let (x, y) = ((at % 800) as f32, (at / 800) as f32);
                let bow = 20.0 * (1.0 - ((x - 400.0) / 300.0).powi(2));
                if (100.0..700.0).contains(&x) && (120.0 - bow..480.0).contains(&y) {
                    *pixel = 235;
                }
            }
            let cut = cut_out(&picture).expect("it stands out");
            assert!((560..640).contains(&cut.width), "{}", cut.width);
        }
    }

    #[test]
    fn a_shadow_is_no_end_of_a_sheet() {
        for darkest in [0.35, 0.59, 0.71] {
            let mut picture = Grey::plain(800, 500, 0);
            for (at, pixel) in picture.pixels.iter_mut().enumerate() {
                let (x, y) = (at % 800, at / 800);
                let light = darkest + (1.0 - darkest) * x as f32 / 800.0;
                let ink = (100..700).contains(&x) && y % 60 < 20 && x % 14 < 5;
                *pixel = (light * if ink { 40.0 } else { 245.0 }) as u8;
            }
            assert!(cut_out(&picture).is_none(), "{darkest}");
        }
    }

    #[test]
    fn the_projection_hits_all_corners() {
        let corners = [(10.0, 20.0), (90.0, 30.0), (80.0, 95.0), (5.0, 70.0)];
        let map = projection(corners).unwrap();
        for ((u, v), corner) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
            .iter()
            .zip(corners)
        {
            let below = map[6] * u + map[7] * v + 1.0;
            let x = (map[0] * u + map[1] * v + map[2]) / below;
            let y = (map[3] * u + map[4] * v + map[5]) / below;
            assert!(
                (x - f64::from(corner.0)).abs() < 1e-3 && (y - f64::from(corner.1)).abs() < 1e-3
            );
        }
    }
}
