//! Which delimiter and which quoting a list uses, from its start.

use super::fields::{Cells, SPLIT, Style, split_escaped, split_quoted};
use super::records::Layout;
use crate::notation::encoding::{self, Encoding};

/// The first of equals counts. `\x01` is Hive's.
const DELIMITERS: [u8; 7] = [b'\t', 0x01, b'^', b',', b';', b'|', b'~'];
const LINES: usize = 500;

/// The layout of a list, judged by its first lines.
pub fn sniff(start: &[u8], encoding: Encoding) -> Layout {
    let text = encoding::decode(start, encoding).0;
    let lines: Vec<&str> = text
        .split(['\n', '\r'])
        .filter(|line| !line.trim().is_empty())
        .take(LINES)
        .collect();
    let scored = DELIMITERS.map(|delimiter| (score(&lines, delimiter), delimiter));
    let best = scored
        .into_iter()
        .filter(|(score, _)| score.0 > 0)
        // The first of equals: max would take the last.
        .rev()
        .max_by_key(|(score, _)| *score);
    // Words with a delimiter here and there are no table: each line is one cell.
    let mut weak = best.is_none_or(|(score, _)| score.0 * 2 < lines.len());
    let best = match colons(&lines) {
        true if weak => {
            weak = false;
            Some(((lines.len(), 2), b':'))
        }
        _ => best,
    };
    let worded = lines
        .iter()
        .filter(|line| line.trim().contains([' ', '\u{3000}']));
    let quoted = lines.iter().filter(|line| line.starts_with('"'));
    if weak && worded.count() * 2 > lines.len() && quoted.count() * 2 < lines.len() {
        return Layout {
            delimiter: SPLIT,
            style: Style::Split,
            encoding,
        };
    }
    let delimiter = best.map_or(b',', |(_, delimiter)| delimiter);
    // Tab-separated files of databases escape, those of spreadsheets quote.
    let tab = char::from(delimiter);
    let (opened, closed) = (format!("{tab}\""), format!("\"{tab}"));
    let quotes = lines.iter().any(|line| {
        let opens = line.starts_with('"') || line.contains(&opened);
        opens && (line.ends_with('"') || line.contains(&closed))
    });
    let style = if matches!(delimiter, b'\t' | 0x01) && !quotes {
        Style::Escaped
    } else {
        Style::Quoted
    };
    Layout {
        delimiter,
        style,
        encoding,
    }
}

/// Whether colons keep cells apart, as in `mail:password`: nearly all lines have as many, and none stands before a
/// space, as it does behind the name of a value, or in a web address.
fn colons(lines: &[&str]) -> bool {
    let (count, cells) = score(lines, b':');
    let words = [": ", "://"];
    let worded = lines
        .iter()
        .filter(|line| words.iter().any(|word| line.contains(word)));
    cells > 1 && count * 10 >= lines.len() * 9 && worded.count() * 10 < lines.len()
}

/// How many lines have the commonest number of cells (at least two), then that number.
fn score(lines: &[&str], delimiter: u8) -> (usize, usize) {
    let mut cells = Cells::default();
    let mut counts: Vec<usize> = Vec::with_capacity(lines.len());
    for line in lines {
        if delimiter == b'\t' {
            split_escaped(line, delimiter, &mut cells);
        } else {
            split_quoted(line, delimiter, &mut cells);
        }
        counts.push(cells.len());
    }
    commonest(&mut counts)
        .filter(|(count, _)| *count >= 2)
        .map_or((0, 0), |(count, lines)| (lines, count))
}

/// The commonest of some numbers, the larger of equals, and how often it stands there.
pub fn commonest(counts: &mut [usize]) -> Option<(usize, usize)> {
    counts.sort_unstable();
    let runs = counts.chunk_by(|one, other| one == other);
    let best = runs.max_by_key(|run| run.len())?;
    Some((best[0], best.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_found_though_others_stand_in_cells() {
        let sniffed = |text: &str| {
            let layout = sniff(text.as_bytes(), Encoding::Utf8);
            (layout.delimiter, layout.style)
        };
        assert_eq!(sniffed("a,b,c\n1,2,3\n\"x;y\",z,\n"), (b',', Style::Quoted));
        assert_eq!(
            sniffed("name\tborn\nKako\tApr 1, 1972\nHana\tMay 2, 1980\n"),
            (b'\t', Style::Escaped)
        );
        assert_eq!(sniffed("a\tb\n\"x\ty\"\tz\n"), (b'\t', Style::Quoted));
        assert_eq!(sniffed("山田;東京都\n鈴木;大阪府\n"), (b';', Style::Quoted));
        assert_eq!(sniffed(" id | name\n 1 | Kako\n"), (b'|', Style::Quoted));
        assert_eq!(
            sniffed("\"山田 太郎\"\n\"鈴木 花\"\n"),
            (b',', Style::Quoted)
        );
        assert_eq!(
            sniffed("山田 太郎 様 東京都, 03\n鈴木 花 090\n佐藤 一\n"),
            (SPLIT, Style::Split)
        );
        assert_eq!(sniffed("0301234567\n0301234568\n"), (b',', Style::Quoted));
        assert_eq!(
            sniffed("1^1 Main St, Erie, PA^x\n2^2 Elm St, Erie, PA^y\n"),
            (b'^', Style::Quoted)
        );
        assert_eq!(sniffed("山田~03\n鈴木~06\n"), (b'~', Style::Quoted));
        assert_eq!(sniffed("山田\x0103\n鈴木\x01\\N\n"), (0x01, Style::Escaped));
        assert_eq!(
            sniffed("a@x.example:pass\nb@x.example:word\n"),
            (b':', Style::Quoted)
        );
        assert_eq!(sniffed("1,12:30:05\n2,12:31:00\n"), (b',', Style::Quoted));
        assert_eq!(
            sniffed("氏名: 山田 太郎\n氏名: 鈴木 花\n"),
            (SPLIT, Style::Split)
        );
    }
}
