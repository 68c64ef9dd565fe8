//! Columns of fixed width: no delimiter, but the same blank columns in every line; or, in records of one length, what
//! stands beside each other without a blank and is of another kind.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};

use super::fields::Style;
use super::part::{Head, Parts};
use super::records::{Kind, Layout, Records};
use super::rows::Rows;
use crate::notation::encoding::{Encoding, decode};
use crate::notation::is_era;

/// How many lines are looked at, and how many there must be.
const LOOK: usize = 500;
const FEWEST: usize = 5;
/// So many lines of one length are records.
const RECORDS: usize = 20;
/// What blanks part into so many columns is parted as whoever made the list meant it.
const PARTED: usize = 4;
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
        .filter_map(|measure| {
            let places = Places::of(&lines, measure)?;
            let by_blanks = places.by_blanks();
            let starts = match by_blanks.len() < PARTED && places.of_one_length() {
                true => places.cut(&by_blanks).unwrap_or(by_blanks),
                false => by_blanks,
            };
            Some(Cuts { measure, starts })
        })
        .filter(|cuts| cuts.starts.len() >= 3)
        .max_by_key(|cuts| (cuts.starts.len(), cuts.measure == Measure::Shown))
}

/// What letters are, of which some columns hold one sort only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Digits, and what stands in a number or a day.
    Number,
    /// Other letters of ASCII.
    Latin,
    /// Katakana of either width.
    Kana,
    /// Kanji, hiragana, and all else.
    Other,
}

const SORTS: [Sort; 4] = [Sort::Number, Sort::Latin, Sort::Kana, Sort::Other];

impl Sort {
    fn of(letter: char) -> Sort {
        match letter {
            '0'..='9' | '-' | '/' | '.' | ':' | '(' | ')' | '+' | '年' | '月' | '日' => {
                Sort::Number
            }
            '\0'..='\x7f' => Sort::Latin,
            '\u{30a1}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => Sort::Kana,
            _ => Sort::Other,
        }
    }
}

/// Lines, place by place.
struct Places {
    /// The letter at each place of each line; a blank is a space, whatever it was.
    lines: Vec<Vec<char>>,
    /// How many letters of each sort stand at a place, as far as the longest line goes.
    sorts: Vec<[usize; SORTS.len()]>,
}

impl Places {
    /// `None` if a line is too wide for a table's.
    fn of(lines: &[String], measure: Measure) -> Option<Places> {
        let mut sorts = Vec::new();
        let mut read = Vec::with_capacity(lines.len());
        for line in lines {
            let mut places = Vec::new();
            for letter in line.chars() {
                let shown = if letter.is_whitespace() { ' ' } else { letter };
                places.extend(std::iter::repeat_n(shown, measure.of(letter)));
                if places.len() > WIDEST {
                    return None;
                }
            }
            if sorts.len() < places.len() {
                sorts.resize(places.len(), [0; SORTS.len()]);
            }
            for (letter, sorts) in places.iter().zip(&mut sorts) {
                if *letter != ' ' {
                    sorts[Sort::of(*letter) as usize] += 1;
                }
            }
            read.push(places);
        }
        Some(Places { lines: read, sorts })
    }

    /// A column begins where something stands in most lines, behind two blanks that hardly any line lacks.
    fn by_blanks(&self) -> Vec<usize> {
        let blank = |at: usize| self.hardly_any(self.filled(at));
        let behind = |at: &usize| blank(at - 1) && blank(at - 2) && !blank(*at);
        let behind = (2..self.sorts.len()).filter(behind);
        std::iter::once(0).chain(behind).collect()
    }

    /// Whether hardly any line has another length than the others: text that was not written as records has all.
    fn of_one_length(&self) -> bool {
        let mut lengths: Vec<usize> = self.lines.iter().map(Vec::len).collect();
        lengths.sort_unstable();
        let length = lengths[lengths.len() / 2];
        let other = lengths.iter().filter(|one| **one != length).count();
        self.lines.len() >= RECORDS && self.hardly_any(other)
    }

    /// How many lines have something at a place.
    fn filled(&self, place: usize) -> usize {
        self.sorts[place].iter().sum()
    }

    fn nearly_all(&self, count: usize) -> bool {
        (self.lines.len() - count) * 50 <= self.lines.len()
    }

    fn hardly_any(&self, count: usize) -> bool {
        count * 50 <= self.lines.len()
    }

    /// The sort of what stands at a place in so many of hundred lines that have something there.
    fn sort(&self, place: usize, of_hundred: usize) -> Option<Sort> {
        let filled = self.filled(place);
        let of = |sort: &Sort| self.sorts[place][*sort as usize] * 100 >= filled * of_hundred;
        SORTS.into_iter().find(|sort| filled > 0 && of(sort))
    }

    /// The sort of a place that no line leaves blank.
    fn steady(&self, place: usize) -> Option<Sort> {
        let sort = self.sort(place, 98)?;
        self.nearly_all(self.filled(place)).then_some(sort)
    }

    /// Columns by where they begin and end.
    fn columns(&self, starts: &[usize]) -> impl Iterator<Item = (usize, usize)> {
        let ends = starts.iter().skip(1).copied().chain([self.sorts.len()]);
        starts.iter().copied().zip(ends)
    }

    /// Where columns of records begin, those that blanks part among them; `None` where that cuts what is no record.
    fn cut(&self, by_blanks: &[usize]) -> Option<Vec<usize>> {
        let mut starts = ordered(by_blanks.iter().copied().chain(self.joints()));
        let inner: Vec<[usize; 2]> = starts
            .windows(2)
            .map(|pair| [pair[0], pair[1]])
            .filter(|ends| ends.iter().all(|at| !by_blanks.contains(at)))
            .filter(|[start, end]| self.same(*start, *end))
            .collect();
        // The number of a street on which all live is no column.
        starts.retain(|at| !inner.as_flattened().contains(at));
        let numbers: Vec<usize> = self.number_cuts(&starts);
        let starts = ordered(starts.into_iter().chain(numbers));
        let whole = self.columns(&starts).all(|(start, end)| {
            // Words that one blank parts at the same place in all lines are columns of another list.
            let mut places = (start..end).skip_while(|at| !self.hardly_any(self.filled(*at)));
            places.all(|at| !self.nearly_all(self.filled(at)))
        });
        whole.then_some(starts)
    }

    /// Whether nearly all lines have the same there.
    fn same(&self, start: usize, end: usize) -> bool {
        let mut counts: HashMap<&[char], usize> = HashMap::new();
        for line in &self.lines {
            *counts
                .entry(line.get(start..end).unwrap_or_default())
                .or_default() += 1;
        }
        counts.into_values().any(|count| self.nearly_all(count))
    }

    /// Whether a Japanese era stands before a place in all lines: the first part of a day.
    fn era_before(&self, place: usize) -> bool {
        let written = |line: &&Vec<char>| {
            let before = |count: usize| {
                place
                    .checked_sub(count)
                    .and_then(|from| line.get(from..place))
            };
            // One letter in one place, or two that take two each.
            let era =
                |era: &[char], each: usize| is_era(&era.iter().step_by(each).collect::<String>());
            before(1).is_some_and(|letter| era(letter, 1))
                || before(4).is_some_and(|name| era(name, 2))
        };
        self.nearly_all(self.lines.iter().filter(written).count())
    }

    /// Where something begins in all lines that is of another sort than what stands before.
    fn joints(&self) -> impl Iterator<Item = usize> {
        (1..self.sorts.len()).filter(|place| {
            if self.era_before(*place) {
                return false;
            }
            // One blank may stand within a number, too.
            let before = match self.hardly_any(self.filled(place - 1)) {
                true => place.checked_sub(2),
                false => Some(place - 1),
            };
            let other = |sort| {
                before.is_some_and(|before| match self.sort(before, 90) {
                    Some(other) => other != sort,
                    // The end of long texts; what is mixed in most lines goes on.
                    None => self.filled(before) * 2 < self.lines.len(),
                })
            };
            self.steady(*place).is_some_and(other)
        })
    }

    /// Where to cut digits that stand beside each other: where a day is, or a telephone number at their end.
    fn number_cuts(&self, starts: &[usize]) -> Vec<usize> {
        let mut cuts = Vec::new();
        for (start, end) in self.columns(starts) {
            let number = |place: &usize| self.steady(*place) == Some(Sort::Number);
            let steady = start + (start..end).take_while(number).count();
            let mut begin = start;
            if let Some(day) = (start..steady.saturating_sub(7)).find(|at| self.days_at(*at)) {
                cuts.extend([day, day + 8]);
                begin = day + 8;
                // What stands before the day may end in a number as well.
                cuts.extend(self.phone_in(start, day));
            }
            let blank = |place: &usize| self.hardly_any(self.filled(*place));
            let digits = |place: usize| blank(&place) || self.sort(place, 98) == Some(Sort::Number);
            // Numbers of ten digits leave the last place blank.
            if steady > begin && (steady..end).all(digits) {
                let end = end - (begin..end).rev().take_while(blank).count();
                cuts.extend(self.phone_in(begin, end));
            }
        }
        cuts.retain(|cut| *cut < self.sorts.len());
        cuts
    }

    /// Where a telephone number begins that digits end in, if it does not begin where they do.
    fn phone_in(&self, begin: usize, end: usize) -> Option<usize> {
        let lengths = [11, 10].into_iter();
        let mut places = lengths.filter_map(|length| end.checked_sub(length));
        let all = |of: &dyn Fn(&Vec<char>) -> bool| {
            self.nearly_all(self.lines.iter().filter(|line| of(line)).count())
        };
        let zero = |place: usize| all(&move |line| line.get(place) == Some(&'0'));
        // A number that begins with zeros may be one of any kind.
        let begins_with_zero = zero(begin);
        places.find(|place| {
            let digits = |line: &Vec<char>| {
                // The last place of ten digits may be blank where there are eleven.
                let run = line.get(*place - 1..*place + 10).unwrap_or_default();
                run.len() == 11 && run.iter().all(char::is_ascii_digit)
            };
            *place > begin && !begins_with_zero && zero(*place) && all(&digits)
        })
    }

    /// Whether the eight digits from here are a day in all lines.
    fn days_at(&self, place: usize) -> bool {
        let day = |line: &&Vec<char>| {
            let digits = line.get(place..place + 8).unwrap_or_default();
            let number = |digits: &[char]| {
                let value = |sum: u32, digit: &char| Some(sum * 10 + digit.to_digit(10)?);
                digits.iter().try_fold(0, value)
            };
            let parts = (digits.len() == 8).then(|| {
                let [year, month, day] = [0..4, 4..6, 6..8].map(|part| number(&digits[part]));
                Some((year?, month?, day?))
            });
            parts.flatten().is_some_and(|(year, month, day)| {
                (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
            })
        };
        self.nearly_all(self.lines.iter().filter(day).count())
    }
}

/// Places in their order, each once.
fn ordered(places: impl Iterator<Item = usize>) -> Vec<usize> {
    let places: BTreeSet<usize> = places.collect();
    places.into_iter().collect()
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

    /// As a mainframe writes them: kanji padded with wide spaces, numbers beside each other.
    #[test]
    fn records_without_a_blank_are_cut_where_sorts_change() {
        let wide = |text: &str, letters: usize| {
            let blanks = "　".repeat(letters - text.chars().count());
            format!("{text}{blanks}")
        };
        let narrow = |text: &str, letters: usize| format!("{text:letters$}");
        let surnames = [
            ("山田", "ﾔﾏﾀﾞ"),
            ("佐々木", "ｻｻｷ"),
            ("林", "ﾊﾔｼ"),
            ("長谷川", "ﾊｾｶﾞﾜ"),
        ];
        let given = [
            ("太郎", "ﾀﾛｳ"),
            ("花", "ﾊﾅ"),
            ("さくら", "ｻｸﾗ"),
            ("健一", "ｹﾝｲﾁ"),
        ];
        let towns = [
            "東京都千代田区千代田1-1",
            "札幌市中央区北1条西2-3ハイツ囮101",
            "沖縄県那覇市泉崎1-2-2",
        ];
        let phones = ["09001234567", "0301234567", "07001234567"];
        let people: Vec<[String; 7]> = (0..60_usize)
            .map(|row| {
                let (family, family_kana) = surnames[row % 4];
                let (name, kana) = given[row / 4 % 4];
                [
                    format!("{:06}", row * 7919 % 100_000),
                    format!("{family}　{name}"),
                    format!("{family_kana} {kana}"),
                    ["男", "女"][row % 2].to_owned(),
                    format!("19{:02}{:02}{:02}", 20 + row, 1 + row % 12, 1 + row % 28),
                    format!("{:07}", 1_000_001 + row * 9973),
                    format!("{}|{}", phones[row % 3], towns[row / 2 % 3]),
                ]
            })
            .collect();
        let mut list = String::new();
        for [number, name, kana, sex, born, postcode, rest] in &people {
            let (phone, town) = rest.split_once('|').unwrap();
            list += &[
                number,
                &wide(name, 8),
                &narrow(kana, 12),
                sex,
                born,
                postcode,
            ]
            .map(String::as_str)
            .concat();
            list += &[
                narrow(phone, 11),
                wide(town, 24 + town.chars().filter(char::is_ascii).count() / 2),
            ]
            .concat();
            list += if town.chars().filter(char::is_ascii).count() % 2 == 0 {
                "\r\n"
            } else {
                " \r\n"
            };
        }
        let (cp932, _, unknown) = encoding_rs::SHIFT_JIS.encode(&list);
        assert!(!unknown);
        for (bytes, encoding) in [
            (list.as_bytes(), Encoding::Utf8),
            (&cp932[..], Encoding::Cp932),
        ] {
            let layout = Layout {
                encoding,
                ..Head::split("", "", "").layout
            };
            let cuts = cuts(bytes, layout).unwrap();
            assert_eq!(cuts.starts, [0, 6, 22, 34, 36, 44, 51, 62], "{encoding:?}");
            for (line, person) in list.lines().zip(&people) {
                let cells = cuts.cells(line);
                let (phone, town) = person[6].split_once('|').unwrap();
                assert_eq!(cells[..6], person[..6]);
                assert_eq!(cells[6..], [phone, town]);
            }
        }
    }

    /// What blanks part well is not cut further, and one blank is no end of a record's column.
    #[test]
    fn columns_that_blanks_part_stay_whole() {
        let layout = Head::split("", "", "").layout;
        let phones = ["090-0123-4567", "(090)0123-456", "0900123456789"];
        for born in [
            "昭和55年01月05日",
            "1980年01月05日",
            "S55.01.05",
            "01JAN1980",
        ] {
            for phone in phones {
                let lines = (0..30)
                    .map(|row| format!("山田太郎    {born}  A{row:04}  12:30:05  {phone}\n"));
                let list: String = lines.collect();
                let cuts = cuts(list.as_bytes(), layout).unwrap();
                let line = list.lines().next().unwrap();
                assert_eq!(
                    cuts.cells(line),
                    ["山田太郎", born, "A0000", "12:30:05", phone]
                );
            }
        }
        let lines = (0..30).map(|row| {
            let sex = ["M", "F"][row % 2];
            let (month, day) = (row % 12 + 1, row % 28 + 1);
            format!("{sex} 1980{month:02}{day:02} 0900012{row:04} 1000{row:03}\n")
        });
        let list: String = lines.collect();
        assert_eq!(cuts(list.as_bytes(), layout), None);
        // All live in one street: an address stays one.
        let lines = (0..40).map(|row| {
            format!(
                "{:05}札幌市中央区北1条西{}-3\u{3000}\n",
                row * 37,
                row % 9 + 1
            )
        });
        let list: String = lines.collect();
        assert_eq!(cuts(list.as_bytes(), layout), None);
        // A day of an era stays one.
        let lines = (0..30).map(|row| {
            let (sex, given) = (["男", "女"][row % 2], ["田", "本", "口"][row % 3]);
            let (month, day) = (row % 12 + 1, row % 28 + 1);
            format!("{sex}S55{month:02}{day:02}山{given}\n")
        });
        let list: String = lines.collect();
        let starts = cuts(list.as_bytes(), layout).unwrap().starts;
        assert_eq!(starts, [0, 2, 9]);
    }

    /// Lines that are equally long by chance, or by an editor's will, are no records.
    #[test]
    fn text_of_one_length_is_not_cut_into_pieces() {
        let words = [
            "tel 090-0123-4567 said ",
            "he called at 11:30 and ",
            "wants 3 of them by May ",
        ];
        let list: String = (0..60_usize)
            .map(|row| {
                format!(
                    "{}{}{}\n",
                    words[row % 3],
                    words[row / 3 % 3],
                    words[row / 9 % 3]
                )
            })
            .collect();
        let layout = Head::split("", "", "").layout;
        assert_eq!(cuts(list.as_bytes(), layout), None);
    }
}
