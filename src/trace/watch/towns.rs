//! Whether an address may be in a town of ours, told from a few of its letters: to read an address takes longer than all
//! else in a row, and most lie in towns where no canary lives.
//!
//! A town's *firm* letters are those that every notation has ([`LOOSE`] are the others), look-alikes folded. They stand
//! in an address in the same order, with no other firm letter between them, nor between the last and the first number
//! of the block. So the last two firm letters before each number tell whether it may be a number of a town of ours. A
//! town that has but one (本町) or none (大町) is told before the first number by all letters that are no particles,
//! and behind it, where a counter may have stood between them, by the last.

use std::collections::HashSet;
use std::io;
use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::notation::{LOOSE, fold, fold_kanji, former_names, kanji_number};
use crate::trace::filter::Sieve;
use crate::trace::near::blocking::{mix, plate};
use crate::trace::near::slips::bare;
use crate::trace::normalise::is_digit;
use crate::trace::store::{Items, Packer};

/// Towns, by the last letters of their names.
pub(super) struct Towns {
    ends: Sieve,
    /// A town has not one letter that tells it: then any address may be in it.
    any: bool,
}

/// What some towns are kept under.
pub(in crate::trace) type Ends = SmallVec<[u64; 16]>;

/// What is seen of an address.
#[derive(Default)]
pub(in crate::trace) struct Look {
    /// What the towns that it may be in are kept under, as [`ends_of`] gives it.
    pub ends: Vec<u64>,
    /// Whether there is a digit in it, without which it may be no address.
    pub has_digit: bool,
    numbers: Vec<u32>,
    /// Whatever may be the [`plate`] of its door, once that is asked for ([`Look::tell_plates`]); `None` where its
    /// numbers want to be read first.
    pub plates: Option<SmallVec<[u64; 16]>>,
}

impl Look {
    /// As at a row without an address.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.numbers.clear();
        self.plates.get_or_insert_default().clear();
    }

    /// Tells what may be the plate of its door: of most addresses nobody asks.
    pub fn tell_plates(&mut self) {
        if let Some(plates) = &mut self.plates {
            each_pair(&self.numbers, &mut |pair| plates.push(plate(pair)));
        }
    }
}

/// The last two letters that were seen, of those that count: the last in the low half, 0 where there is none.
#[derive(Clone, Copy, Default)]
struct Last(u64);

/// Under what a town is kept.
#[derive(Clone, Copy)]
enum End {
    /// Its last two firm letters.
    Firm = 1,
    /// The only firm letter.
    Only,
    /// Its last two letters that are no particles; before the first number nothing is left out of them.
    First,
    /// The last of them, of a town without firm letters.
    Last,
}

impl End {
    fn of(self, letters: Last) -> u64 {
        mix((self as u64) << 48 | letters.before() << 24 | letters.last())
    }
}

impl Last {
    fn push(&mut self, letter: u32) {
        self.0 = self.0 << 32 | u64::from(letter);
    }

    const fn before(self) -> u64 {
        self.0 >> 32
    }

    const fn last(self) -> u64 {
        self.0 & u32::MAX as u64
    }

    const fn alone(self) -> Last {
        Last(self.last())
    }
}

impl Towns {
    /// Of these names, as keys have them.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Towns {
        let (mut ends, mut any) = (Vec::new(), false);
        for name in names {
            match ends_of(name) {
                Some(of) => ends.extend(of),
                None => any = true,
            }
        }
        ends.sort_unstable();
        ends.dedup();
        Towns {
            ends: Sieve::of(&ends),
            any,
        }
    }

    /// Stores them, for [`Towns::restore`].
    ///
    /// # Errors
    /// Those of whoever takes the pieces.
    pub fn store(&self, out: &mut Packer<'_>) -> io::Result<()> {
        out.item(&self.any)?;
        self.ends.store(out)
    }

    /// As they were stored.
    ///
    /// # Errors
    /// Those of whoever gives the pieces; `InvalidData` where they are not such.
    pub fn restore(input: &mut Items<'_>) -> io::Result<Towns> {
        Ok(Towns {
            any: input.item()?,
            ends: Sieve::restore(input)?,
        })
    }

    /// Looks an address over, whatever towns there are; `false` where it has letters that want to be folded first, or no
    /// ideograph, or where a town of ours may be anywhere.
    pub fn look(&self, text: &str, look: &mut Look) -> bool {
        look.clear();
        if self.any {
            return false;
        }
        let ends = &mut look.ends;
        let codes = &*CODES;
        let (mut unread, mut japanese) = (false, 0);
        // A number in digits that has begun, and one in kanji, and whether a gap has stood behind that.
        let mut number = None;
        let (mut kanji, mut parted) = (String::new(), false);
        let [mut firm, mut loose] = [Last::default(); 2];
        // The letter before, and whether any letter has stood there since the last number.
        let (mut before, mut lettered) = (0, false);
        // Whether a number has stood there; a numeral may be a letter of a name.
        let (mut numbered, mut numeral) = (false, false);
        // Whether a digit or a numeral has stood there since the last letter.
        let mut counted = false;
        // The letters without 大字.
        let (mut without, mut written) = (loose, ' ');
        // Whether the last letter may stand before the end of a way.
        let mut on_way = false;
        // Whether what its firm letters say has been given, before any number and behind one.
        let (mut told, mut told_again) = (false, false);
        let mut left = text.chars();
        loop {
            // Most letters are part of a name and nothing else: what they are all together.
            let mut run = 0;
            let behind = loop {
                let Some(c) = left.next() else { break None };
                let code = codes.get(c as usize).copied().unwrap_or(ODD);
                if code & PART == 0 {
                    break Some((c, code));
                }
                if counted {
                    end_number(&mut number, &mut look.numbers);
                    end_kanji(&mut kanji, &mut look.numbers);
                    numbered |= numeral && code & FIRM == 0;
                    (numeral, parted, counted) = (false, false, false);
                }
                run |= code;
                (before, written, without) = (code, c, loose);
                loose.push(code & LETTER);
                if code & FIRM != 0 {
                    firm.push(code & LETTER);
                }
            };
            if run != 0 {
                (on_way, lettered) = (false, true);
                japanese |= run;
                let silent = run & FIRM == 0;
                (told, told_again) = (told && silent, told_again && silent);
            }
            let Some((c, mut code)) = behind else { break };
            if code == AGAIN {
                // 佐々木 is 佐佐木.
                code = if before & IDEOGRAPH == 0 { ODD } else { before };
            }
            if c == '字' {
                // Behind a number it may belong to what stands before that (大5条字), and 大々字 is 大大字.
                if numbered || written == '々' {
                    return false;
                }
                if matches!(written, '大' | '小') {
                    loose = without;
                }
            }
            let gap = code & GAP != 0;
            if !gap {
                written = c;
            }
            before = code;
            let letter = code & LETTER;
            if code & (DIGIT | NUMERAL) != 0 {
                if lettered {
                    if !told {
                        ends.push(End::Firm.of(firm));
                        told = true;
                    }
                    if numbered {
                        if !told_again {
                            ends.push(End::Only.of(firm.alone()));
                            told_again = true;
                        }
                        ends.push(End::Last.of(loose.alone()));
                    } else {
                        // A town of one letter has none before it, though the city has.
                        ends.push(End::First.of(loose));
                        ends.push(End::First.of(loose.alone()));
                    }
                }
                (lettered, numeral, counted) = (false, code & NUMERAL != 0, true);
                japanese |= code & ANY_DIGIT;
                numbered |= !numeral;
                if code & DIGIT == 0 {
                    end_number(&mut number, &mut look.numbers);
                    // 二 二 may be 22.
                    unread |= parted;
                    kanji.extend(char::from_u32(letter));
                    japanese |= IDEOGRAPH;
                    continue;
                }
                // 一2 may be 12.
                unread |= !kanji.is_empty();
                kanji.clear();
                let begun = number.unwrap_or_default();
                number = Some(begun.wrapping_mul(10).wrapping_add(letter));
                continue;
            }
            end_number(&mut number, &mut look.numbers);
            parted = gap && !kanji.is_empty();
            if !gap {
                end_kanji(&mut kanji, &mut look.numbers);
            }
            // 千代田 is a name, 四条 and 一西2 have numbers.
            numbered |= numeral && (code & FIRM == 0 || code & DIRECTION != 0);
            numeral = false;
            japanese |= code;
            if code & (FIRM | LOOSELY) != 0 {
                lettered = true;
                without = loose;
                loose.push(letter);
                if code & FIRM != 0 {
                    firm.push(letter);
                    (told, told_again) = (false, false);
                }
            }
            // The way to a quarter of Kyoto may stand behind it, in whose name there may be a number: 八幡町堀川西入.
            if code & ODD != 0 || code & TURN != 0 && on_way {
                return false;
            }
            // Signs and particles may stand between; 不入斗 and うるま have no way before them.
            if code & (FIRM | LOOSELY | WAY) != 0 {
                on_way = code & WAY != 0;
            }
        }
        end_number(&mut number, &mut look.numbers);
        end_kanji(&mut kanji, &mut look.numbers);
        if unread {
            look.plates = None;
        }
        look.has_digit = japanese & ANY_DIGIT != 0;
        japanese & IDEOGRAPH != 0
    }

    /// Has what says that of an end brought from memory.
    pub fn fetch(&self, end: u64) {
        self.ends.fetch(end);
    }

    /// Whether a town of ours may be kept under an end.
    pub fn may_have(&self, end: u64) -> bool {
        self.ends.may_have(end)
    }
}

/// Takes the number that has begun, if there is one.
#[inline]
fn end_number(number: &mut Option<u32>, numbers: &mut Vec<u32>) {
    if let Some(number) = number.take() {
        numbers.push(number);
    }
}

/// The same of one in kanji.
#[inline]
fn end_kanji(kanji: &mut String, numbers: &mut Vec<u32>) {
    if !kanji.is_empty() {
        take_kanji(kanji, numbers);
    }
}

#[cold]
fn take_kanji(kanji: &mut String, numbers: &mut Vec<u32>) {
    numbers.extend(kanji_number(kanji));
    kanji.clear();
}

/// What a town is kept under, also by the names that it once had; `None` where not one letter tells it.
pub(in crate::trace) fn ends_of(name: &str) -> Option<Ends> {
    let mut ends = Ends::new();
    for name in former_names(name).iter().map(String::as_str).chain([name]) {
        let [mut firm, mut loose] = [Last::default(); 2];
        for c in name.chars() {
            let code = CODES.get(c as usize).copied().unwrap_or(ODD);
            if code & (FIRM | LOOSELY) != 0 {
                loose.push(code & LETTER);
            }
            if code & FIRM != 0 {
                firm.push(code & LETTER);
            }
        }
        if firm.before() > 0 {
            ends.push(End::Firm.of(firm));
        } else if firm.last() > 0 {
            ends.extend([End::First.of(loose), End::Only.of(firm.alone())]);
        } else if loose.last() > 0 {
            ends.extend([End::First.of(loose), End::Last.of(loose.alone())]);
        } else {
            return None;
        }
        // 三番丁 and 三番町 are one.
        if name == "番町" {
            let mut of = Last::default();
            ['番', '丁']
                .into_iter()
                .for_each(|c| of.push(bare(c) as u32));
            ends.extend([End::First.of(of), End::Last.of(of.alone())]);
        }
    }
    Some(ends)
}

/// Gives whichever two of an address's numbers may be the highest of its door's, the higher before the other or 0.
fn each_pair(numbers: &[u32], give: &mut impl FnMut((u32, u32))) {
    for (at, one) in numbers.iter().enumerate() {
        give((*one, 0));
        for other in &numbers[..at] {
            give((*one.max(other), *one.min(other)));
        }
    }
}

/// The numbers of a door that tell most of it: the two highest, as they stand in an address with or without zeros before
/// them; 0 for one that it has not.
pub(in crate::trace) fn highest(door: &str) -> (u32, u32) {
    let mut highest = (0, 0);
    for run in door.split(|c: char| !c.is_ascii_digit()) {
        let number = run.bytes().fold(0_u32, |sum, digit| {
            sum.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
        });
        if number >= highest.0 {
            highest = (number, highest.0);
        } else if number > highest.1 {
            highest.1 = number;
        }
    }
    highest
}

/// The letter that stands for a letter's look-alikes, or the value of a digit, in the code of a letter. What it is for a
/// town stands above it.
const LETTER: u32 = 0xFFFF;
/// It stands wherever the name is written.
const FIRM: u32 = 1 << 16;
/// It may be left out, but is no mere particle.
const LOOSELY: u32 = 1 << 17;
const DIGIT: u32 = 1 << 18;
const NUMERAL: u32 = 1 << 19;
/// It wants folding.
const ODD: u32 = 1 << 20;
/// The sign that repeats the ideograph before it; as the first letter behind any other it is a sign.
const AGAIN: u32 = 1 << 21;
/// It ends a way to a quarter of Kyoto, behind a letter of a way.
const TURN: u32 = 1 << 22;
const IDEOGRAPH: u32 = 1 << 23;
/// A direction, before which a number may stand without a counter.
const DIRECTION: u32 = 1 << 24;
/// It may stand before the end of a way: 上る, 上がる, 東入, 西へ入.
const WAY: u32 = 1 << 25;
/// It parts what stands before it from what follows.
const GAP: u32 = 1 << 26;

/// It is a part of a name and nothing else.
const PART: u32 = 1 << 27;
/// A digit in any script ([`is_digit`]).
const ANY_DIGIT: u32 = 1 << 28;

/// What makes more of a letter than a part of a name.
const MORE: u32 = NUMERAL | ODD | TURN | DIRECTION | WAY;

/// The code of each letter of the basic plane; 0 for signs, particles and Latin letters.
static CODES: LazyLock<Box<[u32]>> = LazyLock::new(|| {
    let loose: HashSet<char> = LOOSE.chars().map(bare).collect();
    let ideograph = |c: char| ('\u{4E00}'..='\u{9FA5}').contains(&c);
    let numeral = |c: char| "〇零一壱二弐三参四五六七八九十拾百千".contains(c);
    let particle = |c: char| matches!(c, '字' | '第' | '之' | '丿') || !ideograph(c);
    let letter = |c: char| {
        let plain = bare(fold_kanji(c));
        let kind = match loose.contains(&plain) {
            false => FIRM,
            true if particle(c) || !ideograph(plain) => 0,
            true => LOOSELY,
        };
        let turn = if matches!(c, 'る' | 'ル' | '入') {
            TURN
        } else {
            0
        };
        let direction = if matches!(c, '東' | '西' | '南' | '北') {
            DIRECTION
        } else {
            0
        };
        let way = if "上下東西".contains(fold_kanji(c)) || "がガかカへヘ".contains(c) {
            WAY
        } else {
            0
        };
        let ideograph = if ideograph(c) { IDEOGRAPH } else { 0 };
        let plain = if kind == 0 { 0 } else { plain as u32 };
        plain | kind | turn | direction | way | ideograph
    };
    let code = |code: u32| {
        let Some(c) = char::from_u32(code) else {
            return ODD;
        };
        match c {
            ' ' | '\t' | ',' | '\u{3000}' | '，' | '、' => GAP,
            // Other spaces hardly anybody writes.
            c if c.is_whitespace() => ODD,
            '0'..='9' => DIGIT | (c as u32 - '0' as u32),
            '０'..='９' => DIGIT | (c as u32 - '０' as u32),
            '(' | '（' => ODD,
            '々' => AGAIN,
            '\0'..='\u{7E}' | '\u{FF01}'..='\u{FF5E}' => 0,
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{3000}'..='\u{3002}' | '〒' | '・' => 0,
            c if numeral(fold_kanji(c)) => NUMERAL | fold_kanji(c) as u32,
            'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | '\u{4E00}'..='\u{9FA5}' => letter(c),
            // The sound marks of half-width kana fall with those of the others.
            '\u{FF66}'..='\u{FF9D}' => {
                let wide = fold(c.encode_utf8(&mut [0; 4]));
                wide.chars().next().map_or(ODD, letter)
            }
            '\u{FF9E}' | '\u{FF9F}' => 0,
            _ => ODD,
        }
    };
    let whole = |letter: u32| {
        let code = code(letter);
        let part = match code & (FIRM | LOOSELY) != 0 && code & MORE == 0 {
            true => PART,
            false => 0,
        };
        let digit = match char::from_u32(letter).is_some_and(is_digit) {
            true => ANY_DIGIT,
            false => 0,
        };
        code | part | digit
    };
    (0..=0xFFFF).map(whole).collect()
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notation::address_key;

    /// Whether an address is looked at closely for its own town.
    fn is_seen(text: &str) -> bool {
        let Some(key) = address_key(text) else {
            return true;
        };
        let towns = Towns::new([key.town.as_str()].into_iter());
        let mut look = Look::default();
        if !towns.look(text, &mut look) {
            return true;
        }
        look.tell_plates();
        let plate = plate(highest(&key.numbers));
        let door = look.plates.is_none_or(|plates| plates.contains(&plate));
        look.ends.iter().any(|end| towns.may_have(*end)) && door
    }

    #[test]
    fn an_address_is_seen_in_its_own_town() {
        for text in [
            "東京都千代田区霞が関９丁目１２番８号 霞ハイツ２０３号室",
            "霞が関九丁目12-8-203",
            "東京都千代田区霞ガ関9丁目 12番 8号　霞ハイツ　２０３号",
            "北海道札幌市中央区北一条西2丁目3-4",
            "札幌市中央区北1西2-3-4",
            "旭川市4条通9丁目1700",
            "帯広市南1条通2丁目3",
            "千葉県四街道市大字鹿渡字台1234番地5",
            "千代田区一番町九九番地五",
            "仙台市青葉区三番丁9-9",
            "大町市大町1-2",
            "大町字3",
            "関小字１町区一",
            "関大　字9",
            "目大0線字0栄関二",
            "番市二 二",
            "西大々字-二",
            "大洲市大字5",
            "京都府京都市中京区寺町通御池上る上本能寺前町999",
            "京都市上京区役人町中立売通堀川西入260",
            "京都市上京区役人町中立売通堀川西 へ 入る260",
            "京都市上京区八幡町堀川通西入99",
            "百町ﾊ上る0",
            "京都市中京区上本能寺前町寺町通御池上がる9",
            "京都市中京区上本能寺前町寺町通御池上ｶﾞﾙ9",
            "横須賀市不入斗町9-9",
            "うるま市高江洲9",
            "埼玉県浦和市高砂9-9-9",
            "静岡県庵原郡由比町屋原99",
            "熊本県下益城郡城南町宮地999",
            "和歌山県東牟婁郡串本町串本千九百三十四",
            "串本町串本 1934",
            "佐々木町9",
            "新潟市中央区礎町通九ノ町1999-1",
            "岩手県下閉伊郡普代村第9地割字上村99-25",
            "平和通1丁目南6番16号",
            "横浜市西区みなとみらい9-9-9 ｽｶｲﾀﾜｰ1203",
            "港区6本木9-9-9",
            "中央区銀座9-9 1番館",
            "鹿児島県大島郡与論町茶花99",
            "川上村99",
            "北条市9",
            "庵原郡由比町9",
        ] {
            assert!(is_seen(text), "{text}");
        }
    }

    #[test]
    fn an_address_elsewhere_is_passed_over() {
        let towns = Towns::new(["霞関", "本町", "大町", "栄"].into_iter());
        let look = |text: &str| {
            let mut look = Look::default();
            towns.look(text, &mut look).then_some(look)
        };
        for (text, ours) in [
            ("千代田区霞が関9-12-8", true),
            ("千代田区永田町9-12-8", false),
            ("中央区日本橋本町3-4", true),
            ("熊本市中央区日本9", false),
            ("大町9", true),
            ("山町9", false),
            ("名古屋市中区栄9-9", true),
            ("共栄町9-9", false),
        ] {
            let look = look(text).unwrap();
            let there = look.ends.iter().any(|end| towns.may_have(*end));
            assert_eq!(there, ours, "{text}");
        }
        let plates = |text| {
            let mut look = look(text)?;
            look.tell_plates();
            look.plates
        };
        let of = |numbers: &[u32]| {
            let mut plates = SmallVec::new();
            each_pair(numbers, &mut |pair| plates.push(plate(pair)));
            Some(plates)
        };
        assert_eq!(plates("霞が関9丁目012番８号203"), of(&[9, 12, 8, 203]));
        assert_eq!(plates("霞が関九丁目十二番二〇三"), of(&[9, 12, 203]));
        assert_eq!(plates("霞が関九12"), None);
        assert!(look("9 Elm Ave").is_none() && look("(前期)霞が関9").is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn whatever_its_notation(text in "[東京都市区霞が関ヶノ之本町栄大小字番丁目条北西入上がるへ通り第線号地割ーロ口ﾊﾟ邊辺々0-9１一二十百 　、-]{1,16}[0-9一二-]{1,5}") {
            prop_assert!(is_seen(&text), "{}", text);
        }
    }
}
