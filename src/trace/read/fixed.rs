//! Columns of fixed width: no delimiter, but the same blank columns in every line.

use std::io::{self, Read};

use super::fields::Style;
use super::part::{Head, Parts};
use super::records::{Kind, Layout, Records};
use super::rows::Rows;
use crate::notation::encoding::{Encoding, decode};

/// How many lines are looked at, and how many there must be.
const LOOK: usize = 500;
const FEWEST: usize = 5;
/// Wider lines are no table.
const WIDEST: usize = 2_000;

/// Where columns begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cuts {
    measure: Measure,
    starts: Vec<usize>,
}

/// How wide letters are: as they are shown, kanji twice as wide as digits, or each as wide as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Shown,
    Letters,
}

impl Measure {
    fn of(self, letter: char) -> usize {
        let wide = matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..);
        1 + usize::from(wide && self == Measure::Shown)
    }
}

/// The columns of a text whose lines have no better layout.
pub fn cuts(start: &[u8], layout: Layout) -> Option<Cuts> {
    if layout.style != Style::Split {
        return None;
    }
    let lines: Vec<String> = start
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.trim_ascii().is_empty())
        .take(LOOK)
        .map(|line| decode(line, layout.encoding).0.into_owned())
        .collect();
    if lines.len() < FEWEST {
        return None;
    }
    [Measure::Shown, Measure::Letters]
        .into_iter()
        .map(|measure| Cuts {
            measure,
            starts: starts(&lines, measure),
        })
        .filter(|cuts| cuts.starts.len() >= 3)
        .max_by_key(|cuts| (cuts.starts.len(), cuts.measure == Measure::Shown))
}

/// A column begins where something stands in most lines, behind two blanks that hardly any line lacks.
fn starts(lines: &[String], measure: Measure) -> Vec<usize> {
    let mut filled: Vec<usize> = Vec::new();
    for line in lines {
        let mut at = 0;
        for letter in line.chars() {
            let width = measure.of(letter);
            if at + width > WIDEST {
                return Vec::new();
            }
            if filled.len() < at + width {
                filled.resize(at + width, 0);
            }
            if !letter.is_whitespace() {
                filled[at..at + width]
                    .iter_mut()
                    .for_each(|count| *count += 1);
            }
            at += width;
        }
    }
    let blank = |at: usize| filled[at] * 50 <= lines.len();
    let mut starts = vec![0];
    for at in 2..filled.len() {
        if blank(at - 1) && blank(at - 2) && !blank(at) {
            starts.push(at);
        }
    }
    starts
}

impl Cuts {
    fn cells<'a>(&self, line: &'a str) -> Vec<&'a str> {
        let mut cells = Vec::with_capacity(self.starts.len());
        let (mut at, mut begun) = (0, 0);
        let mut next = 1;
        for (place, letter) in line.char_indices() {
            while self.starts.get(next).is_some_and(|start| at >= *start) {
                cells.push(line[begun..place].trim());
                begun = place;
                next += 1;
            }
            at += self.measure.of(letter);
        }
        cells.push(line[begun..].trim());
        cells.resize(self.starts.len().max(cells.len()), "");
        cells
    }
}

/// Reads such a text to its end.
///
/// # Errors
/// The input's.
pub fn read(
    name: &str,
    was: Encoding,
    cuts: &Cuts,
    encoding: Encoding,
    input: impl Read,
    parts: &mut dyn Parts,
) -> io::Result<()> {
    let mut rows = Rows::new(Head::split(name, "fixed width", was.name()));
    let layout = Layout {
        encoding,
        ..Head::split("", "", "").layout
    };
    let mut records = Records::new(input, layout);
    let read = loop {
        match records.next() {
            Err(error) => break Err(error),
            Ok(None) => break Ok(()),
            Ok(Some((place, kind))) => {
                let (line, sound) = decode(records.bytes(&place), encoding);
                let kind = match kind {
                    Kind::Sound if sound.is_none() => Kind::Broken,
                    kind => kind,
                };
                rows.push(cuts.cells(&line), kind, parts)?;
            }
        }
    };
    rows.flush(parts)?;
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_blanks() {
        let people = [
            (
                "山田太郎",
                "ヤマダ タロウ",
                "東京都千代田区千代田1-1",
                "03-0123-4567",
            ),
            (
                "佐々木 花",
                "ササキ ハナ",
                "北海道札幌市中央区北1条西2丁目",
                "011-012-3456",
            ),
            (
                "林　一",
                "ハヤシ ハジメ",
                "沖縄県那覇市泉崎1-2-2",
                "098-012-3456",
            ),
        ];
        let shown = |text: &str| text.chars().map(|c| Measure::Shown.of(c)).sum::<usize>();
        let pad = |text: &str, width: usize| format!("{text}{}", " ".repeat(width - shown(text)));
        let list: String = (0..20)
            .map(|row| people[row % 3])
            .map(|(name, kana, address, phone)| {
                format!(
                    "{}{}{}{phone}\n",
                    pad(name, 20),
                    pad(kana, 30),
                    pad(address, 60)
                )
            })
            .collect();
        let layout = Head::split("", "", "").layout;
        let cuts = cuts(list.as_bytes(), layout).unwrap();
        assert_eq!(cuts.starts, [0, 20, 50, 110]);
        let line = list.lines().nth(1).unwrap();
        let (name, kana, address, phone) = people[1];
        assert_eq!(cuts.cells(line), [name, kana, address, phone]);
        assert_eq!(cuts.cells("林"), ["林", "", "", ""]);
        let prose = "A line of text here.\nAnother one, longer than it.\n".repeat(9);
        assert_eq!(super::cuts(prose.as_bytes(), layout), None);
    }
}
