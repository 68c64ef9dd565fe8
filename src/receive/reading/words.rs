//! What Tesseract prints, to lines of writing.

/// Words of which it is less sure are left out: they are stamps, edges and dirt.
const SURE: f32 = 20.0;

/// One line, with how sure Tesseract is of it and how large it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The words, joined as they are written: with spaces between Latin ones.
    pub text: String,
    /// 0 to 100, the mean over its characters.
    pub sure: f32,
    /// Height in pixels, or the width of a column.
    pub height: u32,
    /// The block of writing to which it belongs.
    pub block: u32,
}

/// The lines of a page in Tesseract's TSV; of one written in columns, a line is a column, and as large as it is wide.
pub fn lines(tsv: &str, in_columns: bool) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut last = None;
    for row in tsv.lines().skip(1) {
        let cells: Vec<&str> = row.splitn(12, '\t').collect();
        let [
            level,
            _,
            block,
            par,
            line,
            _,
            _,
            _,
            width,
            height,
            sure,
            text,
        ] = cells[..]
        else {
            continue;
        };
        let (Ok(sure), text) = (sure.parse::<f32>(), text.trim()) else {
            continue;
        };
        if level != "5" || sure < SURE || text.is_empty() {
            continue;
        }
        let height = if in_columns { width } else { height };
        let height = height.parse().unwrap_or(0);
        let count = text.chars().count() as f32;
        let place = (block, par, line);
        match lines.last_mut().filter(|_| last == Some(place)) {
            Some(line) => {
                let before = line.text.chars().filter(|c| !c.is_whitespace()).count() as f32;
                line.sure = (line.sure * before + sure * count) / (before + count);
                line.height = line.height.max(height);
                let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii() && c != '-');
                if latin(line.text.chars().last()) && latin(text.chars().next()) {
                    line.text.push(' ');
                }
                line.text.push_str(text);
            }
            None => lines.push(Line {
                text: text.to_owned(),
                sure,
                height,
                block: block.parse().unwrap_or(0),
            }),
        }
        last = Some(place);
    }
    lines
}

/// How much of a page is read for sure: characters of which Tesseract is fairly sure. The wrong way up gives
/// a few by chance.
pub fn worth(lines: &[Line]) -> f32 {
    let sure = lines.iter().filter(|line| line.sure >= 55.0);
    let meant = |c: &char| c.is_alphanumeric();
    let value = |line: &Line| line.text.chars().filter(meant).count() as f32 * line.sure / 100.0;
    sure.map(value).sum()
}

/// Whether so much is read that no other way up can be better.
pub fn plenty(lines: &[Line]) -> bool {
    let count: usize = lines.iter().map(|line| line.text.chars().count()).sum();
    let worth = worth(lines);
    worth >= 14.0 && worth >= 0.45 * count as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n";

    #[test]
    fn words_become_lines() {
        let tsv = format!(
            "{HEAD}4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t\n\
             5\t1\t1\t1\t1\t1\t0\t0\t9\t30\t90\t東京\n5\t1\t1\t1\t1\t2\t0\t0\t9\t31\t80\t都\n\
             5\t1\t1\t1\t2\t1\t0\t0\t9\t20\t70\tMr\n5\t1\t1\t1\t2\t2\t0\t0\t9\t20\t70\tMint\n\
             5\t1\t2\t1\t1\t1\t0\t0\t9\t20\t5\t~~\n"
        );
        let lines = lines(&tsv, false);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["東京都", "Mr Mint"]);
        assert_eq!(lines[0].height, 31);
        assert!((lines[0].sure - 86.67).abs() < 0.1);
        assert!((worth(&lines) - 3.0 * 0.8667 - 6.0 * 0.7).abs() < 0.01);
        assert!(!plenty(&lines));
    }

    proptest! {
        #[test]
        fn no_output_is_too_strange(tsv in "[0-9\t\n\\-.a囮]{0,300}") {
            plenty(&lines(&tsv, true));
        }
    }
}
