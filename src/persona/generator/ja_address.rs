//! Japanese addresses: a town where people live, a block of its shape, a building for some.

use rand::Rng;

use crate::persona::Address;
use crate::persona::dice::{Alias, below, between, chance, pick};
use crate::persona::seeds::{Ja, Town, TownKind, WordKind, WordPosition};

/// The lists of building words that must not be empty.
pub(in crate::persona) const WORD_LISTS: [(WordKind, WordPosition); 5] = [
    (WordKind::Apartment, WordPosition::Before),
    (WordKind::Apartment, WordPosition::After),
    (WordKind::Condominium, WordPosition::Before),
    (WordKind::Condominium, WordPosition::After),
    (WordKind::Name, WordPosition::Alone),
];

/// 丁目 1 to 6 in percent.
const CHOME: [u32; 6] = [32, 27, 19, 11, 7, 4];

pub(super) struct Addresses {
    /// Indices of towns of homes.
    homes: Vec<u32>,
    towns: Alias,
    /// Numbers behind 丁目, without and with it.
    shapes: [(Vec<u8>, Alias); 2],
    /// In the order of `WORD_LISTS`.
    words: Vec<(Vec<Box<str>>, Alias)>,
}

impl Addresses {
    pub(super) fn new(ja: &Ja) -> Addresses {
        // A prefecture by its people, a city by its weight, a town by whether it is built up.
        let built_up = |town: &Town| if town.has_chome { 3.0 } else { 1.0 };
        let mut in_city = vec![0.0; ja.cities.len()];
        let mut in_prefecture = vec![0.0; ja.prefectures.len()];
        let homes: Vec<u32> = (0u32..)
            .zip(&ja.towns)
            .filter(|(_, town)| town.kind == TownKind::Home)
            .map(|(i, _)| i)
            .collect();
        for &home in &homes {
            let town = &ja.towns[home as usize];
            in_city[town.city] += built_up(town);
        }
        for (city, towns) in ja.cities.iter().zip(&in_city) {
            if *towns > 0.0 {
                in_prefecture[city.prefecture] += f64::from(city.weight);
            }
        }
        let towns = Alias::new(homes.iter().map(|&home| {
            let town = &ja.towns[home as usize];
            let city = &ja.cities[town.city];
            f64::from(ja.prefectures[city.prefecture].population) * f64::from(city.weight)
                / in_prefecture[city.prefecture].max(1.0)
                * built_up(town)
                / in_city[town.city]
        }));
        let shapes = [false, true].map(|chome| {
            let of = || ja.shapes.iter().filter(move |s| s.has_chome == chome);
            (
                of().map(|s| s.numbers).collect(),
                Alias::new(of().map(|s| f64::from(s.weight))),
            )
        });
        let list = |(kind, position)| {
            let of = || {
                let words = ja.words.iter();
                words.filter(move |w| w.kind == kind && w.position == position)
            };
            (
                of().map(|w| w.word.clone()).collect(),
                Alias::new(of().map(|w| f64::from(w.weight))),
            )
        };
        Addresses {
            homes,
            towns,
            shapes,
            words: WORD_LISTS.into_iter().map(list).collect(),
        }
    }

    /// An address, and the index of its city. Families live in flats less often.
    pub(super) fn draw<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        ja: &Ja,
        family: bool,
    ) -> (Address, usize) {
        let town = &ja.towns[self.homes[self.towns.draw(rng)] as usize];
        let city = &ja.cities[town.city];
        let prefecture = &ja.prefectures[city.prefecture];
        let flats = prefecture.flats_percent * if family { 6 } else { 10 } / 10;
        let (building, unit) = if chance(rng, flats) {
            self.flat(rng, town, &city.name, prefecture.flats_percent)
        } else {
            (None, None)
        };
        let address = Address {
            postcode: format!("{:07}", town.postcode),
            region: prefecture.name.to_string(),
            city: city.name.to_string(),
            city_kana: city.kana.to_string(),
            town: town.name.to_string(),
            town_kana: town.kana.to_string(),
            block: self.block(rng, town.has_chome),
            building,
            unit,
        };
        (address, town.city)
    }

    fn block<R: Rng + ?Sized>(&self, rng: &mut R, has_chome: bool) -> String {
        let (numbers, table) = &self.shapes[usize::from(has_chome)];
        let numbers = numbers[table.draw(rng)];
        // Low numbers are commoner: the lesser of two dice.
        let mut low = |most: u32| 1 + below(rng, most).min(below(rng, most));
        match (has_chome, numbers) {
            (true, 1) => format!("{}-{}", chome(rng), 1 + below(rng, 40)),
            (true, _) => {
                let (ban, go) = (low(40), low(32));
                format!("{}-{ban}-{go}", chome(rng))
            }
            (false, 1) => banchi(rng).to_string(),
            (false, 2) => {
                let edaban = low(36);
                format!("{}-{edaban}", banchi(rng))
            }
            (false, _) => {
                let (ban, go) = (low(40), low(32));
                format!("{}-{ban}-{go}", chome(rng))
            }
        }
    }

    fn flat<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        town: &Town,
        city: &str,
        flats_percent: u32,
    ) -> (Option<String>, Option<String>) {
        // Where few live in flats, flats are small wooden houses.
        let small = chance(rng, 100 - flats_percent);
        let (floors, rooms) = if small { (2, 6) } else { (12, 8) };
        let floor = 1 + below(rng, floors).min(below(rng, floors));
        let mut room = 1 + below(rng, rooms);
        if room == 4 && chance(rng, 50) {
            // Many houses have no room 4.
            room = 5;
        }
        let unit = Some(format!("{floor}{room:02}"));
        if chance(rng, 5) {
            return (None, unit);
        }
        let before = if small { 0 } else { 2 };
        let mut name = match below(rng, 100) {
            0..38 => format!("{}{}", self.word(rng, before), stem(town, city)),
            38..64 => format!("{}{}", stem(town, city), self.word(rng, before + 1)),
            64..80 => format!("{}{}", self.word(rng, 4), self.word(rng, before + 1)),
            _ => format!("{}{}", self.word(rng, before), self.word(rng, 4)),
        };
        match below(rng, 100) {
            0..4 => name.push_str(pick(rng, &["II", "III", "A", "B"])),
            4..7 => name.push_str(&format!("{}番館", pick(rng, &["壱", "弐", "参"]))),
            7..10 => name.insert_str(0, pick(rng, &["第1", "第2", "第3"])),
            _ => {}
        }
        (Some(name), unit)
    }

    fn word<R: Rng + ?Sized>(&self, rng: &mut R, list: usize) -> &str {
        let (words, table) = &self.words[list];
        &words[table.draw(rng)]
    }
}

fn chome<R: Rng + ?Sized>(rng: &mut R) -> u32 {
    let mut left = below(rng, CHOME.iter().sum());
    for (number, share) in (1..).zip(CHOME) {
        if left < share {
            return number;
        }
        left -= share;
    }
    1
}

/// 番地 run from 1 to some thousand, evenly by magnitude.
fn banchi<R: Rng + ?Sized>(rng: &mut R) -> u32 {
    let most = 1 << between(rng, 4, 12);
    1 + below(rng, most)
}

/// What a house is called after: its town if that makes a short word, else its city.
fn stem<'a>(town: &'a Town, city: &'a str) -> &'a str {
    let town = town.name.trim_end_matches('町');
    let short = (2..=4).contains(&town.chars().count());
    let plain =
        !town.contains(|c: char| "一二三四五六七八九十条線地割区号番".contains(c) || c.is_ascii());
    if short && plain {
        return town;
    }
    let city = city.rsplit_once('郡').map_or(city, |(_, city)| city);
    let city = city.split_once('市').map_or(city, |(city, _)| city);
    match city.strip_suffix(['区', '町', '村']) {
        Some(stem) if stem.chars().count() > 1 => stem,
        _ => city,
    }
}
