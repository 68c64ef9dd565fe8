//! Bar codes of the post, in which bars have four heights: Japan Post's and the United States'. Direct mail bears them,
//! and zbarimg reads neither.
//!
//! All bars of a code stand at the same distance and cross one band, so that a line through it meets them like a
//! comb. Such lines are looked for, level and slightly aslant; how far each bar reaches beyond the band tells its kind.
//! Both codes have check digits: what was misread is dropped, never guessed.

mod japan;
mod usps;

use super::picture::Grey;

/// What counts as ink after the lighting is even.
const INK: u8 = 150;
/// Slopes of lines that are tried: what is left of a picture's angle when it has been straightened.
const SLOPES: [f32; 9] = [
    0.0, 0.004, -0.004, 0.008, -0.008, 0.014, -0.014, 0.02, -0.02,
];
/// Rows between two lines: bands are at least a millimetre high, which is more.
const STEP: usize = 2;
/// How much nearer or farther than the others a bar of the same code may stand.
const NEARER: f32 = 0.6;
const FARTHER: f32 = 1.5;
/// Distances between bars in pixels: closer ones run into one another, wider ones are no code on an envelope.
const CLOSE: f32 = 3.0;
const WIDE: f32 = 60.0;
/// A bar is at most so much of the distance to the next.
const BROAD: f32 = 0.8;
/// How far bars reach beyond the band at most, in distances.
const REACH: f32 = 3.5;
/// Codes read on one picture.
const MOST: usize = 4;

/// The kinds of bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bar {
    /// Above the band and below it.
    Full,
    /// Above it only.
    Ascender,
    /// Below it only.
    Descender,
    /// In the band alone.
    Tracker,
}

impl Bar {
    /// What it is upside down.
    const fn turned(self) -> Bar {
        match self {
            Bar::Ascender => Bar::Descender,
            Bar::Descender => Bar::Ascender,
            other => other,
        }
    }
}

/// Begins what a code says of where the letter goes: Japan's, and the United States'.
const GOES: [&str; 2] = ["〒", "ZIP "];

/// Whether what a code says is where the letter goes, and nothing that its sender knows the addressee by.
pub fn says_where(said: &str) -> bool {
    GOES.iter().any(|goes| said.starts_with(goes))
}

/// What the four-state codes on a picture say, whose lighting is even and whose writing is level or upright: as
/// `〒100-0013 9-12-8-707`, or as `USPS 01-234-567094-987654321` and `ZIP 01234-5678-91`.
pub fn read(picture: &Grey) -> Vec<String> {
    let mut found = Vec::new();
    for quarters in [0, 1] {
        let picture = picture.turned(quarters);
        for slope in SLOPES {
            combs(&picture, slope, &mut |comb| {
                for said in decoded(&picture, slope, comb).unwrap_or_default() {
                    if !found.contains(&said) {
                        found.push(said);
                    }
                }
            });
            // A code is seen at several slopes, and another of the picture at the same ones.
            if !found.is_empty() {
                found.truncate(MOST);
                return found;
            }
        }
    }
    found
}

/// A stretch of ink on a line: its middle, and how wide it is.
#[derive(Clone, Copy)]
struct Stroke {
    middle: f32,
    width: f32,
}

/// As many strokes at equal distances as a code has, and the row in which their line begins.
struct Comb<'a> {
    strokes: &'a [Stroke],
    row: usize,
}

/// The row of a line that begins in `row`, above or below `x`; `None` outside of the picture.
fn row_at(picture: &Grey, row: usize, slope: f32, x: f32) -> Option<usize> {
    let y = row as f32 + slope * x;
    (y >= 0.0 && y < picture.height as f32).then_some(y as usize)
}

/// All combs on lines of a slope.
fn combs(picture: &Grey, slope: f32, each: &mut impl FnMut(Comb<'_>)) {
    let mut strokes = Vec::new();
    for row in (0..picture.height).step_by(STEP) {
        strokes.clear();
        let mut start = None;
        for x in 0..=picture.width {
            let ink = x < picture.width
                && row_at(picture, row, slope, x as f32)
                    .is_some_and(|y| picture.pixels[y * picture.width + x] < INK);
            match (ink, start) {
                (true, None) => start = Some(x),
                (false, Some(from)) => {
                    strokes.push(Stroke {
                        middle: (from + x - 1) as f32 / 2.0,
                        width: (x - from) as f32,
                    });
                    start = None;
                }
                _ => {}
            }
        }
        for strokes in strokes.chunk_by(belong) {
            for strokes in even(strokes) {
                each(Comb { strokes, row });
            }
        }
    }
}

/// Whether two neighbours on a line may be bars of one code.
fn belong(one: &Stroke, next: &Stroke) -> bool {
    let apart = next.middle - one.middle;
    (CLOSE..=WIDE).contains(&apart) && one.width.max(next.width) <= BROAD * apart
}

/// The runs among strokes that are as many as a code has bars, at equal distances.
fn even(strokes: &[Stroke]) -> impl Iterator<Item = &[Stroke]> {
    [japan::BARS, usps::BARS]
        .into_iter()
        .flat_map(|bars| strokes.windows(bars))
        .filter(|strokes| {
            let apart = |pair: &[Stroke]| pair[1].middle - pair[0].middle;
            let ends = strokes[strokes.len() - 1].middle - strokes[0].middle;
            let mean = ends / (strokes.len() - 1) as f32;
            let usual = NEARER * mean..=FARTHER * mean;
            strokes.windows(2).all(|pair| usual.contains(&apart(pair)))
        })
}

/// What a comb says, whichever way up it is.
fn decoded(picture: &Grey, slope: f32, comb: Comb<'_>) -> Option<Vec<String>> {
    let bars = bars(picture, slope, &comb)?;
    let read = |bars: &[Bar]| match japan::read(bars) {
        Some(said) => Some(vec![said]),
        None => usps::read(bars),
    };
    let turned = || bars.iter().rev().map(|bar| bar.turned());
    read(&bars).or_else(|| read(&turned().collect::<Vec<_>>()))
}

/// The kinds of a comb's bars; `None` where they do not differ.
fn bars(picture: &Grey, slope: f32, comb: &Comb<'_>) -> Option<Vec<Bar>> {
    let strokes = comb.strokes;
    let ends = strokes[strokes.len() - 1].middle - strokes[0].middle;
    let apart = ends / (strokes.len() - 1) as f32;
    let most = (REACH * apart) as isize;
    let reach = |stroke: &Stroke, step: isize| {
        let (x, from) = (
            stroke.middle,
            row_at(picture, comb.row, slope, stroke.middle)?,
        );
        let ink = |far: &isize| {
            let y = from.checked_add_signed(step * far);
            y.is_some_and(|y| y < picture.height && shade(picture, x, y) < INK)
        };
        Some((1..most).take_while(ink).count())
    };
    let up: Vec<usize> = strokes
        .iter()
        .map(|s| reach(s, -1))
        .collect::<Option<_>>()?;
    let down: Vec<usize> = strokes.iter().map(|s| reach(s, 1)).collect::<Option<_>>()?;
    let (above, below) = (between(&up, apart)?, between(&down, apart)?);
    let kinds =
        up.iter().zip(&down).map(
            |(up, down)| match (*up as f32 > above, *down as f32 > below) {
                (true, true) => Bar::Full,
                (true, false) => Bar::Ascender,
                (false, true) => Bar::Descender,
                (false, false) => Bar::Tracker,
            },
        );
    Some(kinds.collect())
}

/// The shade at a bar's middle, which may lie between two pixels.
fn shade(picture: &Grey, x: f32, y: usize) -> u8 {
    let left = picture.pixels[y * picture.width + x as usize];
    let right = (x.ceil() as usize).min(picture.width - 1);
    left.midpoint(picture.pixels[y * picture.width + right])
}

/// What lies between bars that reach far and those that do not: a tenth of them at least are of either kind.
fn between(reaches: &[usize], apart: f32) -> Option<f32> {
    let mut sorted = reaches.to_vec();
    sorted.sort_unstable();
    let tenth = sorted.len() / 10;
    let (short, long) = (sorted[tenth], sorted[sorted.len() - 1 - tenth]);
    ((long - short) as f32 > apart / 3.0).then_some((short + long) as f32 / 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bars as they are written in letters.
    pub fn bars(letters: &str) -> Vec<Bar> {
        let bar = |letter| match letter {
            'F' => Bar::Full,
            'A' => Bar::Ascender,
            'D' => Bar::Descender,
            'T' => Bar::Tracker,
            other => panic!("no bar is called {other}"),
        };
        letters.chars().map(bar).collect()
    }

    const JAPAN: &str = "FDFFTFTTFTTFTTFTTFFTDFATFFTFTFFTFDATFTADFTFTAFDFTTAFDTDATDATDADFADF";
    const USPS: &str = "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA";

    /// Bars drawn at a distance in pixels, on paper with a line of writing's ink above them.
    fn drawn(letters: &str, apart: f32, slope: f32) -> Grey {
        let mut picture = Grey::plain(1400, 300, 250);
        for (number, bar) in bars(letters).into_iter().enumerate() {
            let left = 80.0 + number as f32 * apart;
            let (above, below) = (
                matches!(bar, Bar::Full | Bar::Ascender),
                matches!(bar, Bar::Full | Bar::Descender),
            );
            let middle = 150.0 + slope * left;
            let top = middle - apart * if above { 1.5 } else { 0.5 };
            let bottom = middle + apart * if below { 1.5 } else { 0.5 };
            for y in top as usize..bottom as usize {
                for x in left as usize..(left + apart / 2.0) as usize {
                    picture.pixels[y * 1400 + x] = 20;
                }
            }
        }
        for x in (80..1200).filter(|x| x / 7 % 3 != 0) {
            for y in 20..50 {
                picture.pixels[y * 1400 + x] = 30;
            }
        }
        picture
    }

    #[test]
    fn bars_are_found_level_and_aslant_and_whichever_way_up() {
        let says: [(_, &[&str]); 2] = [
            (JAPAN, &["〒100-0013 9-12-8-707"]),
            (USPS, &["USPS 01-234-567094-987654321", "ZIP 01234-5678-91"]),
        ];
        for (letters, said) in says {
            for apart in [7.4, 9.0, 14.3] {
                for slope in [0.0, 0.011, -0.016] {
                    let picture = drawn(letters, apart, slope);
                    for quarters in 0..4 {
                        let found = read(&picture.turned(quarters));
                        assert_eq!(found, said, "{apart} {slope} {quarters}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_code_says_nothing() {
        assert!(read(&Grey::plain(1, 1, 0)).is_empty());
        assert!(read(&Grey::plain(900, 40, 20)).is_empty());
        // A ruler's lines stand like bars, and are all alike.
        assert!(read(&drawn(&"T".repeat(67), 9.0, 0.0)).is_empty());
        // One bar short.
        assert!(read(&drawn(&JAPAN[..66], 9.0, 0.0)).is_empty());
        let mut smudged = drawn(JAPAN, 9.0, 0.0);
        for row in smudged.pixels.chunks_mut(1400).skip(120).take(60) {
            row[300..330].fill(20);
        }
        assert!(read(&smudged).is_empty());
    }

    proptest! {
        #[test]
        fn no_picture_is_too_strange(
            width in 1_usize..200,
            pixels in prop::collection::vec(any::<u8>(), 1..4000),
        ) {
            let height = pixels.len() / width;
            prop_assume!(height > 0);
            let pixels = pixels[..width * height].to_vec();
            read(&Grey { width, height, pixels });
        }
    }
}
