//! Addresses, whole or in the parts that hold numbers.

use super::super::fold::{fold, has_japanese};
use super::super::keys::split_prefecture;
use super::super::{Role, address_key};
use super::text::TextFormat;
use super::widen;
use crate::persona::{Address, Locale};

/// How an address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressFormat {
    /// 東京都千代田区霞が関9-12-8 霞ハイツ203号室
    Japanese(JapaneseAddress),
    /// 123 N Main St Apt 4B
    American(AmericanAddress),
}

/// How a Japanese address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JapaneseAddress {
    /// Where a whole address, or its first line, begins.
    pub start: AddressStart,
    /// How the block is written.
    pub block: BlockStyle,
    /// Whether digits and hyphens are full width.
    pub wide: bool,
    /// What stands between block and building.
    pub gap: Gap,
    /// What stands between building and unit.
    pub unit_gap: Gap,
    /// How the unit is written.
    pub unit: UnitStyle,
}

/// Where an address column begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressStart {
    /// With the prefecture.
    Region,
    /// With the city.
    City,
    /// With the town.
    Town,
}

/// How 丁目, 番 and 号 are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockStyle {
    /// 9-12-8
    Hyphens,
    /// 9丁目12番8号
    Words,
    /// 9丁目12-8
    Chome,
    /// 九丁目12番8号
    KanjiChome,
    /// 九丁目12-8
    KanjiChomeHyphen,
    /// 9丁目12番地8
    Banchi,
}

/// What stands between two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    /// Nothing.
    None,
    /// A space.
    Space,
    /// An ideographic space.
    Wide,
}

/// How a unit is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnitStyle {
    /// 203号室
    Room,
    /// 203号
    Number,
    /// 203
    Plain,
    /// 9-12-8-203, without the building's name
    Hyphen,
}

/// How an American address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AmericanAddress {
    /// How the street's type is written.
    pub street: StreetType,
    /// The word before the unit.
    pub unit: UnitWord,
    /// Whether a comma stands before the unit.
    pub comma: bool,
    /// The letters' case.
    pub case: TextFormat,
    /// Whether a whole address goes on with city and state.
    pub city: bool,
}

/// How the last word of a street is written, where it says what kind of street it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreetType {
    /// As the street is called in the address that was given.
    AsGiven,
    /// Main St
    Short,
    /// Main St.
    ShortDot,
    /// Main Street
    Long,
}

/// Kinds of streets, and the post office's short forms (USPS Publication 28, appendix C1).
const STREET_TYPES: [(&str, &str); 14] = [
    ("Street", "St"),
    ("Avenue", "Ave"),
    ("Road", "Rd"),
    ("Drive", "Dr"),
    ("Lane", "Ln"),
    ("Court", "Ct"),
    ("Circle", "Cir"),
    ("Boulevard", "Blvd"),
    ("Place", "Pl"),
    ("Terrace", "Ter"),
    ("Parkway", "Pkwy"),
    ("Highway", "Hwy"),
    ("Trail", "Trl"),
    ("Square", "Sq"),
];

/// The word before a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnitWord {
    /// Apt 4B
    Apt,
    /// Apt. 4B
    AptDot,
    /// #4B
    Hash,
    /// Unit 4B
    Unit,
}

impl Default for JapaneseAddress {
    fn default() -> JapaneseAddress {
        JapaneseAddress {
            start: AddressStart::Region,
            block: BlockStyle::Hyphens,
            wide: false,
            gap: Gap::Space,
            unit_gap: Gap::None,
            unit: UnitStyle::Plain,
        }
    }
}

impl Default for AmericanAddress {
    fn default() -> AmericanAddress {
        AmericanAddress {
            street: StreetType::AsGiven,
            unit: UnitWord::Apt,
            comma: false,
            case: TextFormat::AsWritten,
            city: false,
        }
    }
}

impl Gap {
    const ALL: [Gap; 3] = [Gap::None, Gap::Space, Gap::Wide];

    const fn text(self) -> &'static str {
        match self {
            Gap::None => "",
            Gap::Space => " ",
            Gap::Wide => "\u{3000}",
        }
    }
}

impl StreetType {
    /// Those that a column may have; [`StreetType::Short`] is a row's own.
    const ALL: [StreetType; 3] = [StreetType::AsGiven, StreetType::ShortDot, StreetType::Long];

    /// A street with its type written so; one that has none stays as it is.
    fn write(self, street: &str) -> String {
        let mut words: Vec<&str> = street.split(' ').collect();
        let Some((at, (long, short), _)) = type_of_street(&words) else {
            return street.to_owned();
        };
        let written = match self {
            StreetType::AsGiven => return street.to_owned(),
            StreetType::Short => short.to_owned(),
            StreetType::ShortDot => format!("{short}."),
            StreetType::Long => long.to_owned(),
        };
        words[at] = &written;
        words.join(" ")
    }

    /// How a text with a street in it writes its type, if it has one.
    fn shown(text: &str) -> Option<StreetType> {
        let line = text.split(',').next().unwrap_or_default();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        type_of_street(&words).map(|(_, _, way)| way)
    }
}

/// Where the type of a street stands, which it is, and how it is written: behind the street's name, and before nothing
/// but a direction or a unit. St Clair has none.
fn type_of_street(words: &[&str]) -> Option<(usize, (&'static str, &'static str), StreetType)> {
    let ends = |word: &&str| {
        let bare = word.trim_end_matches('.').to_ascii_lowercase();
        let direction = ["n", "e", "s", "w", "ne", "nw", "se", "sw"].contains(&bare.as_str());
        let unit = ["apt", "unit"].contains(&bare.as_str());
        direction || unit || word.contains(|c: char| c == '#' || c.is_ascii_digit())
    };
    (2..words.len()).rev().find_map(|at| {
        let (kind, way) = kind_of_street(words[at])?;
        words
            .get(at + 1)
            .is_none_or(ends)
            .then_some((at, kind, way))
    })
}

/// Which kind of street a word is, in its long and its short form, and how it is written.
fn kind_of_street(word: &str) -> Option<((&'static str, &'static str), StreetType)> {
    let (bare, dot) = match word.strip_suffix('.') {
        Some(bare) => (bare, true),
        None => (word, false),
    };
    STREET_TYPES.into_iter().find_map(|kind| {
        let way = match (kind, dot) {
            ((long, _), false) if long.eq_ignore_ascii_case(bare) => StreetType::Long,
            ((_, short), false) if short.eq_ignore_ascii_case(bare) => StreetType::Short,
            ((_, short), true) if short.eq_ignore_ascii_case(bare) => StreetType::ShortDot,
            _ => return None,
        };
        Some((kind, way))
    })
}

impl AddressFormat {
    pub(super) fn all() -> impl Iterator<Item = AddressFormat> {
        use {AddressStart::*, BlockStyle::*, UnitStyle::*};
        let japanese = [Region, City, Town].into_iter().flat_map(|start| {
            [Hyphens, Words, Chome, KanjiChome, KanjiChomeHyphen, Banchi]
                .into_iter()
                .flat_map(move |block| {
                    [false, true].into_iter().flat_map(move |wide| {
                        Gap::ALL.into_iter().flat_map(move |gap| {
                            Gap::ALL.into_iter().flat_map(move |unit_gap| {
                                [Plain, Room, Number, Hyphen].map(|unit| {
                                    AddressFormat::Japanese(JapaneseAddress {
                                        start,
                                        block,
                                        wide,
                                        gap,
                                        unit_gap,
                                        unit,
                                    })
                                })
                            })
                        })
                    })
                })
        });
        let american = [
            UnitWord::Apt,
            UnitWord::AptDot,
            UnitWord::Hash,
            UnitWord::Unit,
        ]
        .into_iter()
        .flat_map(|unit| {
            [false, true].into_iter().flat_map(move |comma| {
                [false, true].into_iter().flat_map(move |city| {
                    StreetType::ALL.into_iter().flat_map(move |street| {
                        TextFormat::ALL.map(|case| {
                            AddressFormat::American(AmericanAddress {
                                street,
                                unit,
                                comma,
                                case,
                                city,
                            })
                        })
                    })
                })
            })
        });
        japanese.chain(american)
    }

    pub(super) fn example(&self, role: Role) -> String {
        let text = str::to_owned;
        let address = match self {
            AddressFormat::Japanese(_) => Address {
                postcode: text("1000013"),
                region: text("東京都"),
                city: text("千代田区"),
                city_kana: String::new(),
                town: text("霞が関"),
                town_kana: String::new(),
                block: text("9-12-8"),
                building: Some(text("霞ハイツ")),
                unit: Some(text("203")),
            },
            AddressFormat::American(_) => Address {
                postcode: text("62701"),
                region: text("IL"),
                city: text("Springfield"),
                city_kana: String::new(),
                town: String::new(),
                town_kana: String::new(),
                block: text("123 N Main St"),
                building: None,
                unit: Some(text("4B")),
            },
        };
        // With the building, because what parts it from the block must show.
        self.write_whole(role, &address).unwrap_or_default()
    }

    /// The locale whose addresses are written so.
    pub fn locale(&self) -> Locale {
        match self {
            AddressFormat::Japanese(_) => Locale::JaJp,
            AddressFormat::American(_) => Locale::EnUs,
        }
    }

    /// Writes the part of an address that a column of this role holds; `None` where the address has no
    /// such part.
    pub fn write(&self, role: Role, address: &Address) -> Option<String> {
        let text = match self {
            AddressFormat::Japanese(format) => format.write(role, address),
            AddressFormat::American(format) => format.write(role, address),
        };
        Some(text).filter(|text| !text.is_empty())
    }
}

impl AddressFormat {
    /// Writes an address in a table that has no column of its own for building and unit: the line with
    /// the block takes them.
    pub fn write_whole(&self, role: Role, address: &Address) -> Option<String> {
        if !matches!(role, Role::Address1 | Role::Street | Role::Block) {
            return self.write(role, address);
        }
        let mut address = address.clone();
        let mut format = *self;
        match &mut format {
            AddressFormat::Japanese(format) => {
                if role != Role::Address1 {
                    format.start = AddressStart::Town;
                }
                if role == Role::Block {
                    address.town.clear();
                }
            }
            AddressFormat::American(format) => format.city = false,
        }
        format.write(Role::Address, &address)
    }
}

impl JapaneseAddress {
    fn write(&self, role: Role, address: &Address) -> String {
        let place = |start: AddressStart| {
            let from = match start {
                AddressStart::Region => 0,
                AddressStart::City => 1,
                AddressStart::Town => 2,
            };
            [&address.region, &address.city, &address.town][from..]
                .iter()
                .map(|part| part.as_str())
                .collect::<String>()
        };
        let block = self.width(&self.block.write(&address.block));
        match role {
            Role::Address1 => place(self.start) + &block,
            Role::Address2 | Role::Building => self.building(address),
            Role::Street => place(AddressStart::Town) + &block,
            Role::Block => block,
            _ => {
                let building = self.building(address);
                let gap = if building.is_empty() || building.starts_with(['-', '－']) {
                    ""
                } else {
                    self.gap.text()
                };
                // Digits on both sides of nothing would run together.
                let gap = if gap.is_empty() && touches(&block, &building) {
                    "-"
                } else {
                    gap
                };
                place(self.start) + &block + &self.width(gap) + &building
            }
        }
    }

    fn building(&self, address: &Address) -> String {
        let building = address.building.as_deref().unwrap_or_default();
        let unit = address.unit.as_deref().unwrap_or_default();
        if unit.is_empty() {
            return building.to_owned();
        }
        let unit_text = self.width(&match self.unit {
            UnitStyle::Room => format!("{unit}号室"),
            UnitStyle::Number => format!("{unit}号"),
            UnitStyle::Plain => unit.to_owned(),
            UnitStyle::Hyphen => return self.width(&format!("-{unit}")),
        });
        if building.is_empty() {
            return unit_text;
        }
        let gap = self.unit_gap.text();
        let gap = if gap.is_empty() && touches(building, &unit_text) {
            "-"
        } else {
            gap
        };
        format!("{building}{gap}{unit_text}")
    }

    fn width(&self, text: &str) -> String {
        if self.wide && !text.trim().is_empty() {
            widen(text)
        } else {
            text.to_owned()
        }
    }
}

fn touches(left: &str, right: &str) -> bool {
    left.ends_with(char::is_numeric) && right.starts_with(char::is_numeric)
}

impl BlockStyle {
    /// Writes a block given as `9-12-8`, `12-8` or `12`.
    fn write(self, block: &str) -> String {
        let numbers: Vec<&str> = block.split('-').collect();
        let chome = |number: &str| match self {
            BlockStyle::KanjiChome | BlockStyle::KanjiChomeHyphen => {
                format!("{}丁目", kanji_number(number))
            }
            _ => format!("{number}丁目"),
        };
        match (self, &numbers[..]) {
            (BlockStyle::Hyphens, _) => block.to_owned(),
            (BlockStyle::Words | BlockStyle::KanjiChome, [first, second, third]) => {
                format!("{}{second}番{third}号", chome(first))
            }
            (BlockStyle::Words | BlockStyle::KanjiChome, [second, third]) => {
                format!("{second}番{third}号")
            }
            (BlockStyle::Chome | BlockStyle::KanjiChomeHyphen, [first, second, third]) => {
                format!("{}{second}-{third}", chome(first))
            }
            (BlockStyle::Banchi, [first, second, third]) => {
                format!("{}{second}番地{third}", chome(first))
            }
            (BlockStyle::Banchi, [second, third]) => format!("{second}番地{third}"),
            (BlockStyle::Words | BlockStyle::KanjiChome | BlockStyle::Banchi, [only]) => {
                format!("{only}番地")
            }
            _ => block.to_owned(),
        }
    }
}

fn kanji_number(number: &str) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    match number.parse::<usize>() {
        Ok(value @ 1..100) => {
            let tens = match value / 10 {
                0 => String::new(),
                1 => "十".to_owned(),
                tens => format!("{}十", DIGITS[tens]),
            };
            tens + DIGITS[value % 10]
        }
        _ => number.to_owned(),
    }
}

/// A unit without the word that a pool has it with: the table's own word stands before it.
fn without_word(unit: &str) -> &str {
    let words = ["apartment", "apt.", "apt", "unit", "#"].into_iter();
    let mut bare = words.filter_map(|word| {
        let (head, rest) = unit.split_at_checked(word.len())?;
        let ends = word == "#" || rest.starts_with([' ', '#']);
        (ends && head.eq_ignore_ascii_case(word)).then(|| rest.trim_start_matches([' ', '#']))
    });
    bare.find(|rest| !rest.is_empty()).unwrap_or(unit)
}

impl AmericanAddress {
    fn write(&self, role: Role, address: &Address) -> String {
        let unit =
            address
                .unit
                .as_deref()
                .map(without_word)
                .map_or(String::new(), |unit| match self.unit {
                    UnitWord::Apt => format!("Apt {unit}"),
                    UnitWord::AptDot => format!("Apt. {unit}"),
                    UnitWord::Hash => format!("#{unit}"),
                    UnitWord::Unit => format!("Unit {unit}"),
                });
        let street = [address.block.as_str(), address.town.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let street = self.street.write(&street);
        let text = match role {
            Role::Address1 | Role::Street | Role::Block => street,
            Role::Address2 | Role::Building => unit,
            _ => {
                let mut whole = street;
                if !unit.is_empty() {
                    whole += if self.comma { ", " } else { " " };
                    whole += &unit;
                }
                if self.city && role == Role::Address {
                    whole += &format!(", {}, {}", address.city, address.region);
                }
                whole
            }
        };
        self.case.write(&text)
    }
}

/// What the samples do not show is as in `usual`.
pub(super) fn recognise(
    role: Role,
    samples: &[&str],
    usual: Option<AddressFormat>,
) -> Option<(AddressFormat, f64)> {
    let (mut japan, mut america) = Default::default();
    let of_a_row = usual.is_some();
    match usual {
        Some(AddressFormat::Japanese(usual)) => japan = usual,
        Some(AddressFormat::American(usual)) => america = usual,
        None => {}
    }
    let japanese: Vec<&str> = samples
        .iter()
        .copied()
        .filter(|text| has_japanese(text))
        .collect();
    let share = |count: usize| count as f64 / samples.len() as f64;
    if japanese.len() * 2 >= samples.len() {
        return Some((
            AddressFormat::Japanese(recognise_japanese(role, &japanese, japan)),
            share(japanese.len()),
        ));
    }
    if role == Role::Block
        && !samples
            .iter()
            .any(|text| text.contains(|c: char| c.is_ascii_alphabetic()))
    {
        return Some((
            AddressFormat::Japanese(recognise_japanese(role, samples, japan)),
            1.0,
        ));
    }
    let mut format = recognise_american(samples, america);
    if !of_a_row && format.street == StreetType::Short {
        // The post office's own form, in which addresses are given.
        format.street = StreetType::AsGiven;
    }
    Some((AddressFormat::American(format), 1.0))
}

/// The choice that most samples show; samples that show none count for nothing.
fn majority<T: Copy + PartialEq>(samples: &[&str], shown: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut counts: Vec<(T, usize)> = Vec::new();
    for choice in samples.iter().filter_map(|text| shown(text)) {
        match counts.iter_mut().find(|(known, _)| *known == choice) {
            Some((_, count)) => *count += 1,
            None => counts.push((choice, 1)),
        }
    }
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map(|(choice, _)| choice)
}

fn recognise_japanese(role: Role, samples: &[&str], usual: JapaneseAddress) -> JapaneseAddress {
    let start = majority(samples, |text| {
        let folded = fold(text);
        let place = folded
            .split(|c: char| c.is_ascii_digit())
            .next()
            .unwrap_or_default();
        if !split_prefecture(&folded).0.is_empty() {
            Some(AddressStart::Region)
        } else if place
            .chars()
            .skip(1)
            .any(|c| matches!(c, '市' | '区' | '郡'))
        {
            Some(AddressStart::City)
        } else {
            Some(AddressStart::Town)
        }
    });
    let wide = majority(samples, |text| {
        text.chars().find_map(|c| match c {
            '0'..='9' => Some(false),
            '０'..='９' => Some(true),
            _ => None,
        })
    });
    let block = majority(samples, |text| block_style(&fold(text)));
    let gap = majority(samples, |text| {
        // What follows the last digit of the block, before a building's first letter.
        address_key(text).filter(|key| !key.building.is_empty() || !key.unit.is_empty())?;
        let number =
            |c: char| c.is_numeric() || matches!(c, '-' | '－' | '番' | '号' | '地' | '−' | '‐');
        let start = text.find(char::is_numeric)?;
        let rest =
            text[start..].trim_start_matches(|c: char| number(c) || matches!(c, '丁' | '目'));
        let gap = match rest.chars().next()? {
            ' ' => Gap::Space,
            '\u{3000}' => Gap::Wide,
            '室' => return None,
            _ => Gap::None,
        };
        rest.contains(char::is_alphabetic).then_some(gap)
    });
    let building = matches!(role, Role::Address2 | Role::Building);
    let tail = |text: &str| -> Option<(String, Gap)> {
        // Building and unit: behind the block, or all there is.
        let rest = if building { text } else { behind_block(text)? };
        let digits = rest.rfind(char::is_numeric)?;
        let unit = rest[..digits]
            .rfind(|c: char| !c.is_numeric())
            .map_or(0, |at| {
                at + rest[at..].chars().next().map_or(1, char::len_utf8)
            });
        let before = rest[..unit].chars().last()?;
        let gap = match before {
            ' ' => Gap::Space,
            '\u{3000}' => Gap::Wide,
            _ => Gap::None,
        };
        rest[..unit]
            .contains(char::is_alphabetic)
            .then(|| (rest[unit..].to_owned(), gap))
    };
    let unit_gap = majority(samples, |text| tail(text).map(|(_, gap)| gap));
    let unit = majority(samples, |text| match tail(text) {
        Some((unit, _)) if unit.ends_with("号室") => Some(UnitStyle::Room),
        Some((unit, _)) if unit.ends_with('号') => Some(UnitStyle::Number),
        Some((unit, _)) if unit.ends_with(char::is_numeric) => Some(UnitStyle::Plain),
        Some(_) => None,
        None if building => None,
        None => {
            // 9-12-8-203: a fourth number.
            let numbers = fold(text)
                .split(|c: char| !c.is_ascii_digit())
                .filter(|part| !part.is_empty())
                .count();
            (numbers >= 4).then_some(UnitStyle::Hyphen)
        }
    });
    JapaneseAddress {
        start: start.unwrap_or(usual.start),
        block: block.unwrap_or(usual.block),
        wide: wide.unwrap_or(usual.wide),
        gap: gap.unwrap_or(usual.gap),
        unit_gap: unit_gap.unwrap_or(usual.unit_gap),
        unit: unit.unwrap_or(usual.unit),
    }
}

fn behind_block(text: &str) -> Option<&str> {
    let start = text.find(char::is_numeric)?;
    let rest =
        text[start..].trim_start_matches(|c: char| c.is_numeric() || "-－−‐丁目番地号".contains(c));
    Some(rest.trim_start()).filter(|rest| !rest.is_empty())
}

fn block_style(folded: &str) -> Option<BlockStyle> {
    let kanji = [
        "一丁目",
        "二丁目",
        "三丁目",
        "四丁目",
        "五丁目",
        "六丁目",
        "七丁目",
        "八丁目",
        "九丁目",
        "十丁目",
    ]
    .iter()
    .any(|chome| folded.contains(chome));
    let hyphen = folded
        .split("丁目")
        .last()
        .is_some_and(|rest| rest.contains('-'));
    if kanji {
        return Some(if hyphen {
            BlockStyle::KanjiChomeHyphen
        } else {
            BlockStyle::KanjiChome
        });
    }
    if folded.contains("番地") {
        return Some(BlockStyle::Banchi);
    }
    if folded.contains('番') && folded.contains('号') {
        return Some(BlockStyle::Words);
    }
    if folded.contains("丁目") {
        return Some(BlockStyle::Chome);
    }
    folded.contains('-').then_some(BlockStyle::Hyphens)
}

fn recognise_american(samples: &[&str], usual: AmericanAddress) -> AmericanAddress {
    let lower = |text: &str| text.to_ascii_lowercase();
    let unit = majority(samples, |text| match lower(text) {
        text if text.contains("apt. ") => Some(UnitWord::AptDot),
        text if text.contains("apt ") => Some(UnitWord::Apt),
        text if text.contains('#') => Some(UnitWord::Hash),
        text if text.contains("unit ") => Some(UnitWord::Unit),
        _ => None,
    });
    let comma = majority(samples, |text| {
        let text = lower(text);
        let at = ["apt", "#", "unit "]
            .iter()
            .find_map(|word| text.find(word))?;
        Some(text[..at].trim_end().ends_with(','))
    });
    // A comma that no unit follows parts the city off.
    let city = majority(samples, |text| {
        Some(
            text.rsplit(',')
                .next()
                .is_some_and(|last| text.contains(',') && last.trim().len() == 2),
        )
    });
    AmericanAddress {
        street: majority(samples, StreetType::shown).unwrap_or(usual.street),
        unit: unit.unwrap_or(usual.unit),
        comma: comma.unwrap_or(usual.comma),
        case: match samples
            .iter()
            .any(|text| text.contains(char::is_alphabetic))
        {
            true => super::text::recognise(samples).0,
            false => usual.case,
        },
        city: city.unwrap_or(usual.city),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(block: String, building: Option<String>, unit: Option<String>) -> Address {
        Address {
            postcode: "1000013".to_owned(),
            region: "東京都".to_owned(),
            city: "千代田区".to_owned(),
            city_kana: String::new(),
            town: "霞が関".to_owned(),
            town_kana: String::new(),
            block,
            building,
            unit,
        }
    }

    #[test]
    fn samples_show_how_an_address_is_written() {
        for (role, samples, example) in [
            (
                Role::Address,
                &[
                    "東京都港区芝9丁目8番7号　芝ハイム１０１号室",
                    "東京都千代田区霞が関９丁目１２番８号　霞ハイツ２０３号室",
                    "東京都港区芝９丁目９番９号",
                ][..],
                "東京都千代田区霞が関９丁目１２番８号　霞ハイツ２０３号室",
            ),
            (
                Role::Address,
                &["千代田区霞が関9-12-8霞ハイツ203"],
                "千代田区霞が関9-12-8霞ハイツ203",
            ),
            (
                Role::Address,
                &["東京都千代田区霞が関9-12-8-203", "東京都港区芝9-9-9"],
                "東京都千代田区霞が関9-12-8-203",
            ),
            (
                Role::Address,
                &["東京都千代田区霞が関九丁目12番8号 霞ハイツ 203号"],
                "東京都千代田区霞が関九丁目12番8号 霞ハイツ 203号",
            ),
            (
                Role::Address1,
                &["東京都千代田区霞が関9丁目12-8"],
                "東京都千代田区霞が関9丁目12-8 霞ハイツ203",
            ),
            (
                Role::Address2,
                &["霞ハイツ　203号室", "芝ハイム　101号室"],
                "霞ハイツ　203号室",
            ),
            (
                Role::Street,
                &["霞が関9丁目12番地8"],
                "霞が関9丁目12番地8 霞ハイツ203",
            ),
            (Role::Block, &["9-12-8", "1-2"], "9-12-8 霞ハイツ203"),
            (
                Role::Address,
                &["123 N Main St Apt 4B", "9 Elm Ave"],
                "123 N Main St Apt 4B",
            ),
            (Role::Address, &["123 N MAIN ST, #4B"], "123 N MAIN ST, #4B"),
            (
                Role::Address,
                &[
                    "123 N Main St Unit 4B, Springfield, IL",
                    "9 Elm Ave, Springfield, IL",
                ],
                "123 N Main St Unit 4B, Springfield, IL",
            ),
            (
                Role::Street,
                &["9 Elm Avenue", "7 Broadway"],
                "123 N Main Street Apt 4B",
            ),
            (Role::Street, &["9 elm ave."], "123 n main st. apt 4b"),
        ] {
            let (format, _) = recognise(role, samples, None).unwrap();
            assert_eq!(format.example(role), example);
        }
    }

    #[test]
    fn what_a_row_does_not_show_is_as_usual() {
        let (usual, _) = recognise(Role::Address, &["9 Elm Street #7"], None).unwrap();
        let (format, _) = recognise(Role::Address, &["7 BROADWAY"], Some(usual)).unwrap();
        assert_eq!(format.example(Role::Address), "123 N MAIN STREET #4B");
        let (usual, _) = recognise(Role::Address, &["港区芝9-8-7　芝ハイム101号室"], None).unwrap();
        let (format, _) = recognise(Role::Address, &["港区芝9丁目8-7"], Some(usual)).unwrap();
        let wanted = "千代田区霞が関9丁目12-8　霞ハイツ203号室";
        assert_eq!(format.example(Role::Address), wanted);
    }

    #[test]
    fn a_street_is_the_same_however_its_type_is_written() {
        use StreetType::{AsGiven, Long, Short, ShortDot};
        for (given, all) in [
            (
                "12 Oak St",
                ["12 Oak St", "12 Oak St", "12 Oak St.", "12 Oak Street"],
            ),
            (
                "12 N Ave Court SW",
                [
                    "12 N Ave Court SW",
                    "12 N Ave Ct SW",
                    "12 N Ave Ct. SW",
                    "12 N Ave Court SW",
                ],
            ),
            ("12 Broadway", ["12 Broadway"; 4]),
            ("12 St Marks", ["12 St Marks"; 4]),
            ("200 W St Clair", ["200 W St Clair"; 4]),
            ("12 Old Trail Loop", ["12 Old Trail Loop"; 4]),
        ] {
            for (way, written) in [AsGiven, Short, ShortDot, Long].into_iter().zip(all) {
                assert_eq!(way.write(given), written);
                assert_eq!(
                    address_key(written).map(|key| key.mark()),
                    address_key(given).map(|key| key.mark())
                );
            }
        }
    }

    proptest! {
        #[test]
        fn however_a_door_is_written_it_stays_the_same_door(
            (chome, block, house) in (1u32..30, 1u32..99, 1u32..99), building in proptest::option::of("[ァ-ヴ]{2,5}(ハイツ|コーポ[1-9]|第2ビル)"),
            unit in 101u32..1999,
        ) {
            let key = |text: String| address_key(&text).map(|key| key.mark());
            let address = address(format!("{chome}-{block}-{house}"), building.clone(), building.map(|_| unit.to_string()));
            let usual = AddressFormat::Japanese(JapaneseAddress { unit: UnitStyle::Room, ..JapaneseAddress::default() });
            let wanted = key(usual.write(Role::Address, &address).unwrap());
            prop_assert!(wanted.is_some());
            for format in AddressFormat::all().filter(|format| format.locale() == Locale::JaJp) {
                let written = format.write(Role::Address, &address).unwrap();
                prop_assert_eq!(key(written.clone()), wanted.clone(), "{}", written);
            }
        }
    }

    #[test]
    fn a_unit_that_the_pool_has_with_its_word_is_written_with_the_tables_alone() {
        for (unit, bare) in [
            ("Apt 12", "12"),
            ("#22", "22"),
            ("APT #5", "5"),
            ("apt. 7", "7"),
            ("4B", "4B"),
            ("Unity", "Unity"),
            ("#", "#"),
        ] {
            assert_eq!(without_word(unit), bare);
        }
    }
}
