//! The sieve against the truth: it may keep back only what the exact path would find nothing in, and
//! must count what the exact path would count.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use time::macros::{date, datetime};

use super::cell::{Alphabet, Cell};
use super::keys::{self, Hasher, Key, Keys};
use super::letters::{Letters, canonical};
use super::places::Places;
use crate::canary::{
    Batch, BatchId, Canary, CanaryId, Cell as Planted, Details, PlantedRow, SourceName, State,
};
use crate::notation::{
    AddressFormat, AddressStart, BlockStyle, Gap, JapaneseAddress, Region, Role, UnitStyle,
    address_key, fold, kana_key, name_key, phone_key, postcode_key,
};
use crate::persona::{Generator, Household, Locale, Seeds, Shape};
use crate::trace::Watch;
use crate::trace::read::List;
use crate::trace::scan::{Scanned, scan_by};

/// Letters that meet in lists, and what hangs on its surroundings.
const ALPHABET: &str = "[ァ-ヺぁ-ゖー々一-龠０-９0-9ｦ-ﾟ‐-―\u{FE0F}\u{3099}\u{309A} 　様殿んさくちゃ先生御中氏髙﨑邊齋𠮷〆㈱①a-zA-Z.@+()~〒ヶケのノ丁目番地号室字]{0,14}";

fn read(text: &str, letters: &Letters) -> Cell {
    let mut cell = Cell::new();
    let alphabet = Alphabet {
        letters,
        wide: false,
    };
    cell.read(text.as_bytes(), alphabet).unwrap();
    cell
}

fn folded(cell: &Cell) -> String {
    let letters = cell.letters().iter().map(|letter| canonical(*letter));
    let text: String = letters.filter_map(char::from_u32).collect();
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn hasher() -> Hasher {
    Hasher::new(0x0123_4567_89ab_cdef, 0xfeed_beef_dead_1235)
}

#[track_caller]
fn agrees(found: Key, exact: Option<String>, text: &str) {
    let exact = exact.map_or(Key::None, |key| {
        Key::Hash(hasher().hash(key.chars().map(u32::from)))
    });
    assert!(
        found == Key::Unsure || found == exact,
        "{text:?}: {found:?}, exactly {exact:?}"
    );
}

fn all_keys(text: &str, letters: &Letters) {
    let cell = read(text, letters);
    if !cell.is_odd() {
        assert_eq!(folded(&cell), fold(text), "{text:?}");
    }
    agrees(Keys::new().name(&cell, &hasher()), name_key(text), text);
    agrees(keys::kana(&cell, letters, &hasher()), kana_key(text), text);
    for region in [None, Some(Region::Jp), Some(Region::Us)] {
        let postcode = keys::postcode(&cell, region, &hasher());
        agrees(postcode, postcode_key(text, region), text);
        let exact = phone_key(text, region);
        match keys::phone(&cell) {
            Err(()) => {}
            Ok(None) => assert_eq!(exact, None, "{text:?}"),
            Ok(Some(digits)) => {
                let ends = exact.is_some_and(|exact| exact.ends_with(&format!("{digits:08}")));
                assert!(ends, "{text:?}: {digits:08}");
            }
        }
    }
}

#[test]
fn every_character_folds_as_notation_folds_it() {
    let letters = Letters::utf8();
    let mut known = 0;
    for c in (1..0x1_0000).filter_map(char::from_u32) {
        if matches!(c, '\n' | '\r') {
            continue;
        }
        for text in [
            format!("{c}"),
            format!("ハ{c}山1"),
            format!("1{c}カ"),
            format!("山 {c}様"),
        ] {
            let cell = read(&text, &letters);
            if !cell.is_odd() {
                known += 1;
                assert_eq!(folded(&cell), fold(&text), "{text:?}");
            }
        }
    }
    assert!(known > 4 * 25_000, "the table knows {known} only");
}

#[test]
fn cp932_says_what_utf_8_says() {
    let utf8 = Letters::utf8();
    let cp932 = Letters::cp932(&utf8);
    for c in (1..0x1_0000).filter_map(char::from_u32) {
        let text = format!("ハ{c}ー");
        let (bytes, _, lost) = encoding_rs::SHIFT_JIS.encode(&text);
        if lost || matches!(c, '\n' | '\r') {
            continue;
        }
        // What is written is not always what is read again: ¥ and ‾.
        let text = encoding_rs::SHIFT_JIS.decode(&bytes).0;
        let mut wide = Cell::new();
        let alphabet = Alphabet {
            letters: &cp932,
            wide: true,
        };
        wide.read(&bytes, alphabet).unwrap();
        assert_eq!(wide.letters(), read(&text, &utf8).letters(), "{text:?}");
    }
    let alphabet = Alphabet {
        letters: &cp932,
        wide: true,
    };
    for broken in [&b"\x81"[..], b"\x81\x20", b"\xff", b"a\0", b"a\n"] {
        assert!(Cell::new().read(broken, alphabet).is_err(), "{broken:?}");
    }
    let alphabet = Alphabet {
        letters: &utf8,
        wide: false,
    };
    for broken in [
        &b"\xe3\x81"[..],
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xf0\x9f",
        b"a\0",
        b"\xf0\x9f\x98\x80\0",
    ] {
        assert!(Cell::new().read(broken, alphabet).is_err(), "{broken:?}");
    }
}

#[test]
fn usual_cells_are_sure() {
    let letters = Letters::utf8();
    let sure = |key: Key| matches!(key, Key::Hash(_));
    for name in ["山田　太郎", "髙橋 一郎", "佐々木実", "渡邉 さくら"] {
        assert!(
            sure(Keys::new().name(&read(name, &letters), &hasher())),
            "{name}"
        );
    }
    for kana in ["ヤマダ　タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ", "おおつか きょうこ", "オーノ"]
    {
        assert!(
            sure(keys::kana(&read(kana, &letters), &letters, &hasher())),
            "{kana}"
        );
    }
    for postcode in ["100-0013", "1000013", "１００－００１３", "〒100-0013"] {
        let key = keys::postcode(&read(postcode, &letters), Some(Region::Jp), &hasher());
        assert!(sure(key), "{postcode}");
    }
    for phone in [
        "090-0123-4567",
        "０９０－０１２３－４５６７",
        "+819001234567",
        "03-0123-4567",
    ] {
        assert!(
            matches!(keys::phone(&read(phone, &letters)), Ok(Some(_))),
            "{phone}"
        );
    }
}

proptest! {
    #[test]
    fn keys_never_disagree(text in ALPHABET) {
        all_keys(&text, &Letters::utf8());
    }

    #[test]
    fn keys_of_numbers_never_disagree(text in "[0-9０-９+()./〒=\"'ー‐ -]{0,18}(様|内線| ext|\\.0)?[0-9]{0,3}") {
        all_keys(&text, &Letters::utf8());
    }

    #[test]
    fn readings_that_lengthen_never_disagree(text in "[アオウコユトョーサマおうこゆ　 ]{1,8}( サマ| さん|　クン)?") {
        all_keys(&text, &Letters::utf8());
    }

    #[test]
    fn keys_of_any_text_never_disagree(text in "[^\\n\\r\\x00]{0,10}") {
        all_keys(&text, &Letters::utf8());
    }
}

fn style(rng: &mut StdRng) -> JapaneseAddress {
    use BlockStyle::{Banchi, Chome, Hyphens, KanjiChome, KanjiChomeHyphen, Words};
    let gaps = [Gap::None, Gap::Space, Gap::Wide];
    let one = |rng: &mut StdRng| *gaps.choose(rng).unwrap();
    let starts = [AddressStart::Region, AddressStart::City, AddressStart::Town];
    let blocks = [Banchi, Chome, Hyphens, KanjiChome, KanjiChomeHyphen, Words];
    let units = [
        UnitStyle::Plain,
        UnitStyle::Room,
        UnitStyle::Number,
        UnitStyle::Hyphen,
    ];
    JapaneseAddress {
        start: *starts.choose(rng).unwrap(),
        block: *blocks.choose(rng).unwrap(),
        wide: rng.random_bool(0.3),
        gap: one(rng),
        unit_gap: one(rng),
        unit: *units.choose(rng).unwrap(),
    }
}

/// Kanji numerals for digits, as old registers write.
fn in_kanji(text: &str) -> String {
    text.chars()
        .map(|c| match c.to_digit(10) {
            Some(digit) => "〇一二三四五六七八九".chars().nth(digit as usize).unwrap(),
            None => c,
        })
        .collect()
}

#[test]
fn our_doors_pass_in_every_notation() {
    let letters = Letters::utf8();
    let mut rng = StdRng::seed_from_u64(3);
    let generator = Generator::new(&Seeds::embedded(), Locale::JaJp);
    let mut strangers = 0;
    for _ in 0..1_500 {
        let mut home = generator
            .household(&mut rng, date!(2026 - 01 - 01), &Shape::default())
            .address;
        home.building = Some("囮ハイツ2".to_owned());
        home.unit = Some("203".to_owned());
        let write = |rng: &mut StdRng| {
            let written = AddressFormat::Japanese(style(rng)).write(Role::Address, &home);
            let written = written.unwrap();
            if rng.random_bool(0.2) {
                in_kanji(&written)
            } else {
                written
            }
        };
        let Some(key) = address_key(&write(&mut rng)) else {
            continue;
        };
        let (mark, block) = (key.mark(), key.block());
        let places = Places::new([&*mark].into_iter(), [&*block].into_iter());
        for _ in 0..12 {
            let written = write(&mut rng);
            let same = address_key(&written)
                .is_some_and(|found| found.mark() == mark || found.block() == block);
            let passes = places.may_be_ours(&read(&written, &letters));
            assert!(passes || !same, "{written} has the mark {mark}");
        }
        let other = generator.household(&mut rng, date!(2026 - 01 - 01), &Shape::default());
        let format = AddressFormat::Japanese(style(&mut rng));
        let written = format.write(Role::Address, &other.address).unwrap();
        strangers += u32::from(places.may_be_ours(&read(&written, &letters)));
    }
    assert!(strangers < 15, "{strangers} strangers pass");
}

/// Canaries of two sources, some with children, and households that are none but share their names.
struct Ground {
    watch: Watch,
    planted: Vec<Household>,
    others: Vec<Household>,
}

fn cells(household: &Household, roles: &[Role], rng: &mut StdRng) -> Vec<String> {
    let person = &household.guardian;
    let child = household.children.first().unwrap_or(person);
    let gap = *["　", " ", "", "  "].choose(rng).unwrap();
    let title = if rng.random_bool(0.1) { "様" } else { "" };
    let mail = || household.email.clone().unwrap_or_default();
    let phone = household.mobile.as_ref().or(household.landline.as_ref());
    let phone = phone.map_or(String::new(), |phone| phone.replace("+81", "0"));
    let format = match household.locale {
        Locale::JaJp => AddressFormat::Japanese(style(rng)),
        Locale::EnUs => AddressFormat::American(crate::notation::AmericanAddress::default()),
    };
    let mut text = |role: &Role| match role {
        Role::Name => format!(
            "{}{gap}{}{title}",
            person.family.written, person.given.written
        ),
        Role::FamilyName => person.family.written.clone(),
        Role::GivenName => person.given.written.clone(),
        Role::NameKana => format!("{}{gap}{}", person.family.kana, person.given.kana),
        Role::ChildName => format!("{}{gap}{}", child.family.written, child.given.written),
        Role::ChildGivenName => child.given.written.clone(),
        Role::ChildNameKana => format!("{}{gap}{}", child.family.kana, child.given.kana),
        Role::BirthDate => person
            .birth
            .to_string()
            .replace('-', ["-", "/", ""].choose(rng).unwrap()),
        Role::ChildBirthDate => child.birth.to_string(),
        Role::Postcode => household.address.postcode.clone(),
        Role::Phone => phone.clone(),
        Role::Email => mail(),
        Role::Sex => "女".to_owned(),
        _ => format
            .write(Role::Address, &household.address)
            .unwrap_or_default(),
    };
    roles.iter().map(&mut text).collect()
}

const ROLES: [Role; 8] = [
    Role::Name,
    Role::NameKana,
    Role::ChildName,
    Role::ChildBirthDate,
    Role::Postcode,
    Role::Address,
    Role::Phone,
    Role::Email,
];

fn ground(locale: Locale) -> Ground {
    let mut rng = StdRng::seed_from_u64(8);
    let generator = Generator::new(&Seeds::embedded(), locale);
    let household = |rng: &mut StdRng| {
        generator.household(rng, date!(2026 - 01 - 01), &Shape::families(3..=18))
    };
    let drop = household(&mut rng).address;
    let mut batches = Vec::new();
    let mut canaries = Vec::new();
    let mut planted = Vec::new();
    for source in ["one", "two"] {
        let source: SourceName = source.parse().unwrap();
        let batch = BatchId::new(&source, 1);
        batches.push(Batch {
            id: batch.clone(),
            source: source.clone(),
            planted_at: datetime!(2025-04-01 0:00 UTC),
            unplanted_at: None,
            state: State::Live,
            canaries: 150,
            rows_at: 10_000,
        });
        for number in 0..150 {
            let mut home = household(&mut rng);
            if number % 3 > 0 {
                home.address = drop.clone();
                home.address.building = Some("囮ハイツ".to_owned());
                home.address.unit = Some((101 + number).to_string());
            }
            let row = PlantedRow {
                table: "t".to_owned(),
                cells: ROLES
                    .iter()
                    .zip(cells(&home, &ROLES, &mut rng))
                    .map(|(role, value)| Planted {
                        column: role.name().to_owned(),
                        role: *role,
                        value: Some(value),
                    })
                    .collect(),
                key: Vec::new(),
            };
            planted.push(home.clone());
            canaries.push(Canary {
                id: CanaryId::random(&mut rng),
                source: source.clone(),
                batch: batch.clone(),
                state: State::Live,
                details: Details {
                    household: home,
                    rows: vec![row],
                },
                points: Vec::new(),
            });
        }
    }
    let mut others: Vec<Household> = (0..400).map(|_| household(&mut rng)).collect();
    for other in &mut others {
        // Strangers of the same name, birthday or town.
        let twin = planted.choose(&mut rng).unwrap();
        match rng.random_range(0..6) {
            0 => other.guardian = twin.guardian.clone(),
            1 => other.children.clone_from(&twin.children),
            2 => other.address = twin.address.clone(),
            3 => other.address.postcode.clone_from(&twin.address.postcode),
            _ => {}
        }
    }
    Ground {
        watch: Watch::new(&[], &batches, &canaries),
        planted,
        others,
    }
}

/// A list of rows in all notations, some of them spoilt.
fn list(
    ground: &Ground,
    roles: &[Role],
    header: bool,
    delimiter: char,
    rng: &mut StdRng,
) -> Vec<u8> {
    let mut list = String::new();
    if header {
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        list += &names.join(&delimiter.to_string());
        list += "\n";
    }
    let cp932 = rng.random_bool(0.5);
    let mut bytes = Vec::new();
    for _ in 0..rng.random_range(2_200..2_800) {
        let households = if rng.random_bool(0.1) {
            &ground.planted
        } else {
            &ground.others
        };
        let mut row = cells(households.choose(rng).unwrap(), roles, rng);
        if rng.random_bool(0.1) {
            row.iter_mut()
                .for_each(|cell| *cell = format!("\"{cell}\""));
        }
        let place = rng.random_range(0..row.len());
        match rng.random_range(0..40) {
            0 => row[place] += "\"",
            1 => row[place] = String::new(),
            2 => row[place] = "NULL".to_owned(),
            3 => row[place].insert(0, '\0'),
            4 => drop(row.remove(place)),
            5 => row.push("x".to_owned()),
            6 => row[place] = format!("\"{}{delimiter}\"", row[place]),
            7 => row[place] = format!("\"{}\n\"", row[place]),
            8 => row.swap(0, place),
            9 => row[place] = format!(" {} ", row[place]),
            10 => row[place] = row[place].replace('山', "\\").replace('田', "𠮷"),
            _ => {}
        }
        list += &(row.join(&delimiter.to_string()) + "\n");
        if rng.random_bool(0.02) && list.pop().is_some() {
            // Half a letter, or one of another encoding.
            bytes.extend(encode(&std::mem::take(&mut list), cp932));
            bytes.extend(
                ["\u{e3}", "\u{83}"]
                    .choose(rng)
                    .unwrap()
                    .chars()
                    .map(|c| c as u8),
            );
            bytes.push(b'\n');
        }
    }
    bytes.extend(encode(&list, cp932));
    bytes
}

fn encode(text: &str, cp932: bool) -> Vec<u8> {
    if cp932 {
        encoding_rs::SHIFT_JIS.encode(text).0.into_owned()
    } else {
        text.as_bytes().to_vec()
    }
}

fn trace(ground: &Ground, bytes: &[u8], sieved: bool) -> Scanned {
    let mut progress = |_| {};
    let list = List::open(bytes, &mut progress);
    scan_by(&ground.watch, list, 2, sieved).unwrap()
}

fn same_with_and_without(locale: Locale, orders: &[&[Role]]) {
    let ground = ground(locale);
    let mut rng = StdRng::seed_from_u64(77);
    for (number, roles) in orders.iter().enumerate() {
        for delimiter in [',', '\t', ';', '|'] {
            let header = rng.random_bool(0.7);
            let bytes = list(&ground, roles, header, delimiter, &mut rng);
            let (sieved, exact) = (trace(&ground, &bytes, true), trace(&ground, &bytes, false));
            let place = format!("order {number}, {delimiter:?}, header {header}");
            let (sieved, exact) = (sieved.tally, exact.tally);
            assert_eq!(sieved.rows, exact.rows, "{place}");
            assert_eq!(sieved.parts, exact.parts, "{place}");
            assert_eq!(sieved.claims, exact.claims, "{place}");
            assert_eq!(sieved.filled, exact.filled, "{place}");
            assert_eq!(sieved.shapes, exact.shapes, "{place}");
            assert_eq!(sieved.sample, exact.sample, "{place}");
            let differ = |one: &[u64], other: &[u64]| {
                let pairs = one.iter().zip(other).enumerate();
                let differ = pairs.filter(|(_, (one, other))| one != other);
                differ
                    .map(|(value, (one, other))| (ground.watch.values[value].class, *one, *other))
                    .collect::<Vec<_>>()
            };
            assert_eq!(differ(&sieved.counts, &exact.counts), [], "{place}");
            assert_eq!(differ(&sieved.alone, &exact.alone), [], "{place}");
            assert!(!exact.claims.is_empty(), "{place}");
        }
    }
}

#[test]
fn japanese_lists_come_to_the_same_with_and_without_the_sieve() {
    same_with_and_without(
        Locale::JaJp,
        &[
            &ROLES,
            &[Role::Email, Role::ChildBirthDate, Role::Name, Role::Phone],
            &[
                Role::FamilyName,
                Role::GivenName,
                Role::ChildGivenName,
                Role::ChildBirthDate,
                Role::Postcode,
            ],
            &[
                Role::Name,
                Role::ChildGivenName,
                Role::ChildNameKana,
                Role::Sex,
                Role::Address,
            ],
            &[Role::NameKana, Role::BirthDate, Role::Postcode, Role::Sex],
        ],
    );
}

#[test]
fn american_lists_come_to_the_same_with_and_without_the_sieve() {
    same_with_and_without(
        Locale::EnUs,
        &[
            &[
                Role::Name,
                Role::ChildName,
                Role::ChildBirthDate,
                Role::Postcode,
                Role::Address,
                Role::Phone,
                Role::Email,
            ],
            &[
                Role::GivenName,
                Role::FamilyName,
                Role::BirthDate,
                Role::Address,
                Role::Postcode,
            ],
        ],
    );
}
