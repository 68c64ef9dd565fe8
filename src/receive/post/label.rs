//! The label for the original: the number under which it is filed, for people and as a barcode.

use maud::{Markup, html};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::canary::Sighting;

/// Code 39: nine bars and gaps for each character, of which three are wide (1).
const BARS: [(char, u16); 11] = [
    ('0', 0b000_110_100),
    ('1', 0b100_100_001),
    ('2', 0b001_100_001),
    ('3', 0b101_100_000),
    ('4', 0b000_110_001),
    ('5', 0b100_110_000),
    ('6', 0b001_110_000),
    ('7', 0b000_100_101),
    ('8', 0b100_100_100),
    ('9', 0b001_100_100),
    ('*', 0b010_010_100),
];
/// A wide bar in widths of a narrow one; the gap between two characters is narrow.
const WIDE: u32 = 3;
/// White on both sides.
const QUIET: u32 = 10;

/// The bars of a number with six digits or more: where each begins and how wide it is; and the width of all.
fn bars(number: i64) -> (Vec<(u32, u32)>, u32) {
    let mut bars = Vec::new();
    let mut at = QUIET;
    for c in format!("*{number:06}*").chars() {
        let code = BARS.iter().find(|(of, _)| *of == c);
        let code = code.map_or(0, |(_, code)| *code);
        for element in 0..9 {
            let width = if code >> (8 - element) & 1 == 1 {
                WIDE
            } else {
                1
            };
            if element % 2 == 0 {
                bars.push((at, width));
            }
            at += width;
        }
        at += 1;
    }
    (bars, at - 1 + QUIET)
}

/// The label of a filed letter; the canary's id and nothing else of it.
pub(super) fn label(id: i64, at: OffsetDateTime, sightings: &[Sighting]) -> Markup {
    let (bars, width) = bars(id);
    let day = at.format(format_description!("[year]-[month]-[day]"));
    html! {
        div.card.label {
            p.number { "OTORI " (format!("{id:06}")) }
            svg viewBox=(format!("0 0 {width} 40")) width="100%" height="72" preserveAspectRatio="none" role="img" aria-label=(id) {
                rect width=(width) height="40" fill="#fff" {}
                @for (at, width) in bars {
                    rect x=(at) y="0" width=(width) height="40" fill="#000" {}
                }
            }
            p { "受領日 / Received " (day.unwrap_or_default()) }
            @for sighting in sightings {
                p {
                    @if let Some(canary) = &sighting.canary { code { (canary) } " " }
                    @if let Some(source) = &sighting.source { (source) }
                    @if let Some(incident) = sighting.incident { " · incident " (incident) }
                }
            }
            p.soft { "原本に貼って保管してください / Stick this on the original and keep it" }
        }
        p.screen { a href="/drop" { "次の郵便物 / Next letter" } }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// Painted four pixels to a narrow bar.
    fn painted(number: i64) -> Vec<u8> {
        let (bars, width) = bars(number);
        let width = width as usize * 4;
        let mut row = vec![255_u8; width];
        for (at, bar) in bars {
            row[at as usize * 4..(at + bar) as usize * 4].fill(0);
        }
        let mut file = format!("P5\n{width} 120\n255\n").into_bytes();
        (0..120).for_each(|_| file.extend(&row));
        file
    }

    #[test]
    fn a_scanner_reads_the_number() {
        for number in [1, 234_567, 890_000_123] {
            let mut child = Command::new("zbarimg")
                .args(["--raw", "-q", "--nodbus", "PGM:-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(&painted(number))
                .unwrap();
            let said = child.wait_with_output().unwrap().stdout;
            assert_eq!(
                String::from_utf8_lossy(&said).trim(),
                format!("{number:06}")
            );
        }
    }
}
