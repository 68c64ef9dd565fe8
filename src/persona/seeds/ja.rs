//! The Japanese tables.

use std::collections::HashMap;

use super::table::{File, Row};
use super::{SeedError, some_weight};
use crate::persona::{NamePart, Sex};

/// Everything that Japanese households are made from.
pub(in crate::persona) struct Ja {
    pub(in crate::persona) prefectures: Vec<Prefecture>,
    pub(in crate::persona) cities: Vec<City>,
    /// By postcode.
    pub(in crate::persona) towns: Vec<Town>,
    pub(in crate::persona) families: Vec<(NamePart, u32)>,
    pub(in crate::persona) given: Vec<Given>,
    pub(in crate::persona) eras: Vec<EraName>,
    pub(in crate::persona) ages: Vec<AgeGroup>,
    pub(in crate::persona) shapes: Vec<BlockShape>,
    pub(in crate::persona) words: Vec<Word>,
}

pub(in crate::persona) struct Prefecture {
    pub(in crate::persona) name: Box<str>,
    pub(in crate::persona) population: u32,
    /// Households that live in flats.
    pub(in crate::persona) flats_percent: u32,
}

pub(in crate::persona) struct City {
    pub(in crate::persona) name: Box<str>,
    /// Of prefecture and city.
    pub(in crate::persona) kana: Box<str>,
    /// Index into `prefectures`.
    pub(in crate::persona) prefecture: usize,
    pub(in crate::persona) weight: u32,
    /// The first digits of landlines of this city that no subscriber has, 0-led.
    pub(in crate::persona) never_issued: Box<str>,
}

#[derive(Clone, Copy, PartialEq)]
pub(in crate::persona) enum TownKind {
    /// People live there.
    Home,
    /// A real town whose blocks do not follow the common shapes.
    Place,
    /// A postcode for all of a city that has none of its own.
    WholeCity,
    /// A floor of a tower with a postcode of its own.
    Building,
}

pub(in crate::persona) struct Town {
    pub(in crate::persona) postcode: u32,
    /// Index into `cities`.
    pub(in crate::persona) city: usize,
    pub(in crate::persona) name: Box<str>,
    pub(in crate::persona) kana: Box<str>,
    pub(in crate::persona) has_chome: bool,
    pub(in crate::persona) kind: TownKind,
}

/// When a name could be given.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::persona) enum Style {
    Old,
    Any,
    New,
}

/// A name of the long tail.
pub(in crate::persona) struct Given {
    pub(in crate::persona) name: NamePart,
    pub(in crate::persona) sex: Sex,
    pub(in crate::persona) style: Style,
    /// 1 if it was found in one recent list only.
    pub(in crate::persona) weight: u32,
}

/// A name among the common ones of the ten years around `year`.
pub(in crate::persona) struct EraName {
    pub(in crate::persona) year: i32,
    pub(in crate::persona) sex: Sex,
    pub(in crate::persona) name: NamePart,
    pub(in crate::persona) weight: u32,
}

pub(in crate::persona) struct AgeGroup {
    pub(in crate::persona) year: i32,
    pub(in crate::persona) sex: Sex,
    pub(in crate::persona) first: u8,
    pub(in crate::persona) last: u8,
    pub(in crate::persona) persons: u32,
}

/// 丁目 or not, and how many numbers follow.
pub(in crate::persona) struct BlockShape {
    pub(in crate::persona) has_chome: bool,
    pub(in crate::persona) numbers: u8,
    pub(in crate::persona) weight: u32,
}

#[derive(Clone, Copy, PartialEq)]
pub(in crate::persona) enum WordKind {
    Apartment,
    Condominium,
    Name,
}

#[derive(Clone, Copy, PartialEq)]
pub(in crate::persona) enum WordPosition {
    Before,
    After,
    Alone,
}

/// A word of building names.
pub(in crate::persona) struct Word {
    pub(in crate::persona) kind: WordKind,
    pub(in crate::persona) position: WordPosition,
    pub(in crate::persona) word: Box<str>,
    pub(in crate::persona) weight: u32,
}

const SEXES: &[(&str, Sex)] = &[("F", Sex::Female), ("M", Sex::Male)];

fn name_part(row: &Row, written: usize, kana: usize) -> Result<NamePart, SeedError> {
    row.name(kana)?;
    Ok(NamePart {
        written: row.name(written)?.to_owned(),
        kana: row.kana(kana)?.to_owned(),
    })
}

impl Ja {
    pub(super) fn read(
        file: &impl Fn(&'static str) -> Result<File, SeedError>,
    ) -> Result<Ja, SeedError> {
        let mut prefecture_of = HashMap::new();
        let source = file("ja_JP/prefectures.csv")?;
        let columns = &["code", "name", "kana", "population", "flats_percent"];
        let mut prefecture_kana = Vec::new();
        let prefectures = source.rows(columns, |row| {
            prefecture_of.insert(row.digits(0, 2)?.to_owned(), prefecture_kana.len());
            prefecture_kana.push(row.kana(2)?.to_owned());
            Ok(Prefecture {
                name: row.name(1)?.into(),
                population: row.number(3)?,
                flats_percent: row.number(4)?,
            })
        })?;
        some_weight(&source, &prefectures, |p| p.population)?;

        let mut landline_of = HashMap::new();
        let columns = &["city", "area_code", "never_issued"];
        file("ja_JP/landlines.csv")?.rows(columns, |row| {
            let start = row.text(2);
            let exchange = start.strip_prefix(row.text(1)).unwrap_or_default();
            // No exchange begins with 0 or 1: that is what keeps a stranger's phone silent.
            let never_issued = exchange.starts_with(['0', '1']);
            let digits = start.bytes().all(|b| b.is_ascii_digit());
            let area = start.starts_with('0') && !start.starts_with("00");
            if !never_issued || !digits || !area || !(3..=7).contains(&start.len()) {
                return Err(row.wrong(2, "the area code followed by 0 or 1"));
            }
            landline_of.insert(row.digits(0, 5)?.to_owned(), Box::<str>::from(start));
            Ok(())
        })?;

        let mut city_of = HashMap::new();
        let source = file("ja_JP/cities.csv")?;
        let columns = &["code", "prefecture", "name", "kana", "weight"];
        let cities = source.rows(columns, |row| {
            let Some(&prefecture) = prefecture_of.get(row.text(1)) else {
                return Err(row.wrong(1, "a code of prefectures.csv"));
            };
            let Some(never_issued) = landline_of.get(row.digits(0, 5)?) else {
                return Err(row.wrong(0, "a city of landlines.csv"));
            };
            city_of.insert(row.text(0).to_owned(), city_of.len());
            Ok(City {
                name: row.name(2)?.into(),
                kana: format!("{}{}", prefecture_kana[prefecture], row.kana(3)?).into(),
                prefecture,
                weight: row.number(4)?,
                never_issued: never_issued.clone(),
            })
        })?;
        some_weight(&source, &cities, |c| c.weight)?;

        let source = file("ja_JP/towns.csv.gz")?;
        let columns = &["postcode", "city", "town", "kana", "has_chome", "kind"];
        let kinds = &[
            ("home", TownKind::Home),
            ("place", TownKind::Place),
            ("whole_city", TownKind::WholeCity),
            ("building", TownKind::Building),
        ];
        let mut towns = source.rows(columns, |row| {
            row.digits(0, 7)?;
            let Some(&city) = city_of.get(row.text(1)) else {
                return Err(row.wrong(1, "a code of cities.csv"));
            };
            Ok(Town {
                postcode: row.number(0)?,
                city,
                name: row.text(2).into(),
                kana: row.kana(3)?.into(),
                has_chome: row.one_of(4, &[("0", false), ("1", true)])?,
                kind: row.one_of(5, kinds)?,
            })
        })?;
        towns.sort_by_key(|town| town.postcode);
        some_weight(&source, &towns, |t| u32::from(t.kind == TownKind::Home))?;

        let source = file("ja_JP/family_names.csv.gz")?;
        let families = source.rows(&["kanji", "kana", "weight"], |row| {
            Ok((name_part(row, 0, 1)?, row.number(2)?))
        })?;
        some_weight(&source, &families, |(_, weight)| *weight)?;

        let styles = &[
            ("old", Style::Old),
            ("any", Style::Any),
            ("new", Style::New),
        ];
        let columns = &["kanji", "kana", "sex", "style", "weight"];
        let given = file("ja_JP/given_names.csv.gz")?.rows(columns, |row| {
            Ok(Given {
                name: name_part(row, 0, 1)?,
                sex: row.one_of(2, SEXES)?,
                style: row.one_of(3, styles)?,
                weight: row.number(4)?,
            })
        })?;

        let columns = &["year", "sex", "kanji", "kana", "weight"];
        let source = file("ja_JP/given_name_eras.csv")?;
        let eras = source.rows(columns, |row| {
            Ok(EraName {
                year: row.number(0)?,
                sex: row.one_of(1, SEXES)?,
                name: name_part(row, 2, 3)?,
                weight: row.number(4)?,
            })
        })?;
        for sex in [Sex::Female, Sex::Male] {
            some_weight(&source, &eras, |e| if e.sex == sex { e.weight } else { 0 })?;
        }

        let columns = &["year", "sex", "first_age", "last_age", "persons"];
        let source = file("ja_JP/ages.csv")?;
        let ages = source.rows(columns, |row| {
            Ok(AgeGroup {
                year: row.number(0)?,
                sex: row.one_of(1, SEXES)?,
                first: row.number(2)?,
                last: row.number(3)?,
                persons: row.number(4)?,
            })
        })?;
        some_weight(&source, &ages, |a| a.persons)?;

        let source = file("ja_JP/block_shapes.csv")?;
        let shapes = source.rows(&["has_chome", "numbers", "weight"], |row| {
            Ok(BlockShape {
                has_chome: row.one_of(0, &[("0", false), ("1", true)])?,
                numbers: row.one_of(1, &[("1", 1), ("2", 2), ("3", 3)])?,
                weight: row.number(2)?,
            })
        })?;
        for chome in [false, true] {
            some_weight(&source, &shapes, |s| {
                if s.has_chome == chome { s.weight } else { 0 }
            })?;
        }

        let source = file("ja_JP/building_words.csv")?;
        let kinds = &[
            ("apartment", WordKind::Apartment),
            ("condominium", WordKind::Condominium),
            ("name", WordKind::Name),
        ];
        let positions = &[
            ("before", WordPosition::Before),
            ("after", WordPosition::After),
            ("alone", WordPosition::Alone),
        ];
        let words = source.rows(&["kind", "position", "word", "weight"], |row| {
            Ok(Word {
                kind: row.one_of(0, kinds)?,
                position: row.one_of(1, positions)?,
                word: row.name(2)?.into(),
                weight: row.number(3)?,
            })
        })?;
        for (kind, position) in super::super::generator::WORD_LISTS {
            let of = |w: &Word| w.kind == kind && w.position == position;
            some_weight(&source, &words, |w| if of(w) { w.weight } else { 0 })?;
        }

        Ok(Ja {
            prefectures,
            cities,
            towns,
            families,
            given,
            eras,
            ages,
            shapes,
            words,
        })
    }
}
