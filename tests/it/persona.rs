//! People who could exist: what a thief could check must agree, and no phone may be a stranger's.

use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::path::Path;

use otori::persona::{
    AddressError, Children, Gazetteer, Generator, Household, Locale, Person, SeedError, Seeds, Sex,
    Shape,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use time::macros::date;
use time::{Date, Duration};

const ON: Date = date!(2024 - 06 - 15);

fn households(locale: Locale, seed: u64, count: usize, on: Date, shape: &Shape) -> Vec<Household> {
    let generator = Generator::new(&Seeds::embedded(), locale);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| generator.household(&mut rng, on, shape))
        .collect()
}

/// Rows of a seed file, without its head.
fn seed_rows(name: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(name);
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_string(&mut text)
            .unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let row = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|record| row(record.unwrap()))
        .collect()
}

fn people(households: &[Household]) -> impl Iterator<Item = &Person> {
    households
        .iter()
        .flat_map(|h| std::iter::once(&h.guardian).chain(&h.children))
}

fn show(household: &Household, on: Date) -> String {
    let person = |p: &Person| {
        let name = [
            &p.family.written,
            &p.given.written,
            &p.family.kana,
            &p.given.kana,
        ];
        let name: Vec<&str> = name.into_iter().map(String::as_str).collect();
        format!(
            "{} {:?} {} ({})",
            name.join(" ").trim(),
            p.sex,
            p.birth,
            p.age(on)
        )
    };
    let a = &household.address;
    let address = [&a.postcode, &a.region, &a.city, &a.town, &a.block];
    let mut lines = vec![person(&household.guardian)];
    lines.extend(
        household
            .children
            .iter()
            .map(|child| format!("  {}", person(child))),
    );
    lines.push(format!(
        "  {} {:?} {:?} {} {}",
        address.map(String::as_str).join(" "),
        a.building,
        a.unit,
        a.city_kana,
        a.town_kana
    ));
    lines.push(format!(
        "  {:?} {:?} {:?}",
        household.landline, household.mobile, household.email
    ));
    lines.join("\n")
}

#[test]
fn the_same_seed_gives_the_same_people() {
    let shapes = [
        (Locale::JaJp, Shape::families(3..=18)),
        (Locale::JaJp, Shape::default()),
        (Locale::EnUs, Shape::default()),
    ];
    let mut shown = String::new();
    for (locale, shape) in shapes {
        let made = households(locale, 1, 1000, ON, &shape);
        assert!(made == households(locale, 1, 1000, ON, &shape));
        assert!(made != households(locale, 2, 1000, ON, &shape));
        for household in &made[..4] {
            shown.push_str(&show(household, ON));
            shown.push('\n');
        }
        let hash = Sha256::digest(serde_json::to_vec(&made).unwrap());
        let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        shown.push_str(&format!("1,000 of them: {hash}\n\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn every_place_is_in_the_table_and_every_number_is_never_issued() {
    let cities: HashMap<String, (String, String)> = seed_rows("ja_JP/cities.csv")
        .into_iter()
        .map(|row| (row[0].clone(), (row[1].clone(), row[2].clone())))
        .collect();
    let prefectures: HashMap<String, String> = seed_rows("ja_JP/prefectures.csv")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let towns: HashSet<(String, String, String, String, String)> = seed_rows("ja_JP/towns.csv.gz")
        .into_iter()
        .filter(|row| row[5] == "home")
        .map(|row| {
            let (prefecture, city) = &cities[&row[1]];
            let region = prefectures[prefecture].clone();
            (
                row[0].clone(),
                region,
                city.clone(),
                row[2].clone(),
                row[3].clone(),
            )
        })
        .collect();
    let mut starts: HashMap<(String, String), String> = HashMap::new();
    for row in seed_rows("ja_JP/landlines.csv") {
        let (prefecture, city) = &cities[&row[0]];
        starts.insert(
            (prefectures[prefecture].clone(), city.clone()),
            row[2].clone(),
        );
    }
    let gazetteer = Gazetteer::new(&Seeds::embedded());
    for household in households(Locale::JaJp, 11, 5000, ON, &Shape::default()) {
        let a = household.address.clone();
        assert!(
            towns.contains(&(
                a.postcode.clone(),
                a.region.clone(),
                a.city.clone(),
                a.town.clone(),
                a.town_kana.clone()
            )),
            "{}",
            show(&household, ON)
        );
        let found = gazetteer.locate_ja(&a.postcode);
        assert!(
            found
                .iter()
                .any(|p| (p.region, p.city, p.town) == (&a.region, &a.city, &a.town))
        );
        if let Some(landline) = &household.landline {
            let national = format!("0{}", landline.strip_prefix("+81").unwrap());
            assert_eq!(national.len(), 10, "{national}");
            let start = &starts[&(a.region.clone(), a.city.clone())];
            assert!(
                national.starts_with(start.as_str()),
                "{national} in {}",
                a.city
            );
        }
        if let Some(mobile) = &household.mobile {
            let rest = mobile.strip_prefix("+81").unwrap();
            assert!(
                rest.starts_with("900") || rest.starts_with("700"),
                "{mobile}"
            );
            assert_eq!(rest.len(), 10);
        }
        assert!(household.mobile.is_some() || household.landline.is_some());
    }

    let codes: HashSet<(String, String)> = seed_rows("en_US/area_codes.csv")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let zips: HashSet<(String, String, String)> = seed_rows("en_US/zips.csv.gz")
        .into_iter()
        .filter(|row| row[3] != "0")
        .map(|row| (row[0].clone(), row[1].clone(), row[2].clone()))
        .collect();
    for household in households(Locale::EnUs, 11, 5000, ON, &Shape::default()) {
        let a = &household.address;
        assert!(zips.contains(&(a.postcode.clone(), a.city.clone(), a.region.clone())));
        for phone in household.landline.iter().chain(&household.mobile) {
            let digits = phone.strip_prefix("+1").unwrap();
            assert!(
                codes.contains(&(digits[..3].to_owned(), a.region.clone())),
                "{phone}"
            );
            assert!(
                digits[3..].starts_with("55501") && digits.len() == 10,
                "{phone}"
            );
        }
    }
}

/// The places where an exchange that begins with 0 would ring in another area.
#[test]
fn landlines_do_not_fall_into_a_longer_area_code() {
    let codes: HashMap<String, (String, String)> = seed_rows("ja_JP/landlines.csv")
        .into_iter()
        .map(|row| (row[0].clone(), (row[1].clone(), row[2].clone())))
        .collect();
    let of = |city: &str| (codes[city].0.as_str(), codes[city].1.as_str());
    // 098-0 is Nago, 047-0 is Tateyama, 042-0 is Tokorozawa, 06-0 are mobiles, 03-0 is nobody.
    assert_eq!(of("47201"), ("098", "09800"));
    assert_eq!(of("12207"), ("047", "04700"));
    assert_eq!(of("13205"), ("042", "0421"));
    assert_eq!(of("27102"), ("06", "061"));
    assert_eq!(of("13101"), ("03", "030"));
    // 099-0 are services, 0991-2 is another area.
    assert_eq!(of("46201"), ("099", "09910"));
    let all: HashSet<&str> = codes.values().map(|(code, _)| code.as_str()).collect();
    for (code, start) in codes.values() {
        for other in &all {
            assert!(
                !other.starts_with(start.as_str()),
                "{start} of {code} begins {other}"
            );
        }
        for service in [
            "0120", "0800", "0570", "0990", "0180", "0170", "070", "080", "090", "060",
        ] {
            assert!(!start.starts_with(service), "{start} is a service");
        }
    }
}

#[test]
fn kana_is_katakana_and_mail_is_ascii_at_example_domains() {
    let made = households(Locale::JaJp, 3, 3000, ON, &Shape::families(0..=18));
    for person in people(&made) {
        for kana in [&person.family.kana, &person.given.kana] {
            let all = kana.chars().all(|c| matches!(c, 'ァ'..='ヴ' | 'ー'));
            assert!(all && !kana.is_empty(), "{kana}");
        }
    }
    let american = households(Locale::EnUs, 3, 3000, ON, &Shape::default());
    for household in made.iter().chain(&american) {
        for kana in [&household.address.city_kana, &household.address.town_kana] {
            assert!(
                kana.chars()
                    .all(|c| matches!(c, 'ァ'..='ヴ' | 'ー' | '０'..='９' | 'Ａ'..='Ｚ' | '－')),
                "{kana}"
            );
        }
        if let Some(email) = &household.email {
            let (local, domain) = email.split_once('@').unwrap();
            assert!(domain.ends_with(".example"), "{email}");
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
            assert!(
                local.len() >= 3 && local.len() <= 64 && local.chars().all(plain),
                "{email}"
            );
            assert!(
                !local.contains("..") && !local.starts_with('.') && !local.ends_with('.'),
                "{email}"
            );
        }
    }
}

#[test]
fn surnames_are_as_common_as_the_table_says() {
    for (locale, file, column) in [
        (Locale::JaJp, "ja_JP/family_names.csv.gz", 2),
        (Locale::EnUs, "en_US/surnames.csv.gz", 1),
    ] {
        let rows = seed_rows(file);
        let weight = |row: &Vec<String>| row[column].parse::<f64>().unwrap();
        let total: f64 = rows.iter().map(weight).sum();
        let made = households(locale, 4, 40_000, ON, &Shape::default());
        for row in &rows[..5] {
            let of = |h: &&Household| {
                let family = &h.guardian.family;
                family.written == row[0] && (locale == Locale::EnUs || family.kana == row[1])
            };
            let share = made.iter().filter(of).count() as f64 / made.len() as f64;
            let wanted = weight(row) / total;
            assert!(
                (share / wanted - 1.0).abs() < 0.2,
                "{}: {share} for {wanted}",
                row[0]
            );
        }
    }
}

#[test]
fn a_child_and_a_parent_do_not_draw_from_the_same_names() {
    let names = |birth_year: i32| -> Vec<Person> {
        let on = Date::from_ordinal_date(birth_year + 40, 1).unwrap();
        let made = households(Locale::JaJp, 5, 6000, on, &Shape::adults(39..=39));
        made.into_iter().map(|h| h.guardian).collect()
    };
    let share = |people: &[Person], sex: Sex, test: &dyn Fn(&str) -> bool| {
        let of: Vec<&Person> = people.iter().filter(|p| p.sex == sex).collect();
        let hits = of.iter().filter(|p| test(&p.given.written)).count();
        hits as f64 / of.len() as f64
    };
    let ko = |name: &str| name.ends_with('子');
    let (parents, children) = (names(1950), names(2006));
    let (before, after) = (
        share(&parents, Sex::Female, &ko),
        share(&children, Sex::Female, &ko),
    );
    assert!(before > 0.6 && after < 0.15, "…子: {before} and {after}");
    let kana = |name: &str| name.chars().all(|c| matches!(c, 'ぁ'..='ん' | 'ァ'..='ー'));
    assert!(share(&children, Sex::Female, &kana) > 0.02);
    let modern = |name: &str| ["大翔", "蓮", "陽斗", "颯太"].contains(&name);
    assert!(share(&children, Sex::Male, &modern) > 0.02);
    assert_eq!(share(&parents, Sex::Male, &modern), 0.0);
    for (kanji, kana) in [("陽子", "ヨウコ"), ("恵子", "ケイコ"), ("弘", "ヒロシ")] {
        let mut of = parents
            .iter()
            .filter(|p| p.given.written == kanji)
            .peekable();
        assert!(of.peek().is_some(), "{kanji}");
        assert!(of.all(|p| p.given.kana == kana), "{kanji}");
    }
}

#[test]
fn given_names_fit_the_sex() {
    let mut sexes: HashMap<String, HashSet<String>> = HashMap::new();
    for row in seed_rows("ja_JP/given_names.csv.gz") {
        sexes
            .entry(format!("{} {}", row[0], row[1]))
            .or_default()
            .insert(row[2].clone());
    }
    for row in seed_rows("ja_JP/given_name_eras.csv") {
        sexes
            .entry(format!("{} {}", row[2], row[3]))
            .or_default()
            .insert(row[1].clone());
    }
    let made = households(Locale::JaJp, 6, 3000, ON, &Shape::families(0..=18));
    for person in people(&made) {
        let sex = if person.sex == Sex::Female { "F" } else { "M" };
        let name = format!("{} {}", person.given.written, person.given.kana);
        assert!(sexes[&name].contains(sex), "{name} {sex}");
    }
    let american = households(Locale::EnUs, 6, 20_000, ON, &Shape::default());
    let jennifers = || {
        american
            .iter()
            .filter(|h| h.guardian.given.written == "Jennifer")
    };
    let women = jennifers().filter(|h| h.guardian.sex == Sex::Female);
    // The Social Security records hold some slips of the pen.
    assert!(women.count() * 100 >= jennifers().count() * 98 && jennifers().count() > 50);
}

#[test]
fn the_gazetteer_splits_what_operators_type() {
    let gazetteer = Gazetteer::new(&Seeds::embedded());
    let ja = |typed: &str| gazetteer.split_address(Locale::JaJp, "100-0013", typed);
    for typed in [
        "東京都千代田区霞が関9-12-8 霞ハイツ",
        "千代田区霞が関９丁目１２番８号　霞ハイツ",
        "霞ヶ関九丁目12番地の8霞ハイツ",
        "〒100-0013 東京都 千代田区 霞が関 9ー12ー8 霞ハイツ",
        "9丁目12番8号 霞ハイツ",
    ] {
        let a = ja(typed).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (
                a.postcode.as_str(),
                a.region.as_str(),
                a.city.as_str(),
                a.town.as_str()
            ),
            ("1000013", "東京都", "千代田区", "霞が関"),
            "{typed}"
        );
        assert_eq!(
            (a.block.as_str(), a.building.as_deref()),
            ("9-12-8", Some("霞ハイツ")),
            "{typed}"
        );
        assert_eq!(a.unit, None);
        assert_eq!(a.town_kana, "カスミガセキ");
        assert_eq!(a.city_kana, "トウキョウトチヨダク");
    }
    assert_eq!(ja("霞が関9-12-8").unwrap().building, None);

    let error = ja("大阪府大阪市北区梅田1-1").unwrap_err();
    assert!(matches!(error, AddressError::Disagrees { .. }), "{error}");
    assert!(
        error.to_string().contains("東京都千代田区霞が関"),
        "{error}"
    );
    assert!(matches!(
        ja("東京都千代田区霞が関"),
        Err(AddressError::NoBlock { .. })
    ));
    let other = |code: &str| {
        gazetteer
            .split_address(Locale::JaJp, code, "1-1")
            .unwrap_err()
    };
    assert!(matches!(other("999-9999"), AddressError::Unknown { .. }));
    assert!(matches!(other("12"), AddressError::Postcode { .. }));

    let us = |zip: &str, typed: &str| gazetteer.split_address(Locale::EnUs, zip, typed);
    for typed in [
        "1200 Example Ave, Springfield",
        "1200 Example Ave",
        "1200 Example Ave, springfield, IL 62701-1234, USA",
        "1200 Example Ave, Springfield IL",
    ] {
        let a = us("62701", typed).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (
                a.region.as_str(),
                a.city.as_str(),
                a.block.as_str(),
                a.building
            ),
            ("IL", "Springfield", "1200 Example Ave", None),
            "{typed}"
        );
    }
    let suite = us("62701-0001", "1200 Example Ave, Suite 5, Springfield, IL").unwrap();
    assert_eq!(suite.building.as_deref(), Some("Suite 5"));
    for wrong in [
        "1200 Example Ave, Chicago",
        "1200 Example Ave, Springfield, MA",
        "1 A St, Springfield, IL 60601",
    ] {
        let error = us("62701", wrong).unwrap_err();
        assert!(
            error.to_string().contains("Springfield, IL"),
            "{wrong}: {error}"
        );
    }
    assert!(matches!(
        us("00000", "1 A St"),
        Err(AddressError::Unknown { .. })
    ));
    assert!(matches!(
        us("62701", "Example Ave"),
        Err(AddressError::NoBlock { .. })
    ));
}

fn overlay(files: &[(&str, &str)]) -> Result<Seeds, SeedError> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Seeds::overlaid(dir.path())
}

#[test]
fn an_overlay_replaces_a_file() {
    let seeds = overlay(&[(
        "ja_JP/family_names.csv",
        "kana,kanji,weight\nオトリ,囮,1\nミハリ,見張,0\n",
    )])
    .unwrap();
    let generator = Generator::new(&seeds, Locale::JaJp);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..100 {
        let household = generator.household(&mut rng, ON, &Shape::default());
        assert_eq!(household.guardian.family.written, "囮");
    }
}

#[test]
fn a_broken_overlay_names_file_line_and_column() {
    let head = "kanji,kana,weight\n";
    for (name, text, wanted) in [
        (
            "ja_JP/family_names.csv",
            format!("{head}佐藤,サトウ,1\n鈴木,スズキ,many\n"),
            "line 3, column 'weight': 'many' is not a whole number",
        ),
        (
            "ja_JP/family_names.csv",
            format!("# a remark\n{head}佐藤,さとう,1\n"),
            "line 3, column 'kana': 'さとう' is not full-width katakana",
        ),
        (
            "ja_JP/family_names.csv",
            format!("{head}佐藤,サトウ\n"),
            "line 2: 2 cells where the header has 3",
        ),
        (
            "ja_JP/family_names.csv",
            "kanji,weight\n佐藤,1\n".into(),
            "has no column 'kana'",
        ),
        (
            "ja_JP/family_names.csv",
            format!("# origin: us\n# licence: ours\n# rows: 2\n{head}佐藤,サトウ,1\n"),
            "states 2 rows and has 1",
        ),
        (
            "ja_JP/family_names.csv",
            format!("# origin: us\n{head}佐藤,サトウ,1\n"),
            "must begin with the lines",
        ),
        (
            "ja_JP/family_names.csv",
            head.to_owned(),
            "nothing to draw from",
        ),
        (
            "ja_JP/family_names.csv",
            format!("{head}佐藤,サトウ,0\n"),
            "nothing to draw from",
        ),
        (
            "ja_JP/family_name.csv",
            head.to_owned(),
            "replaces no seed file",
        ),
        (
            "ja_JP/cities.csv",
            "code,prefecture,name,kana,weight\n01101,48,札幌市,サッポロシ,1\n".into(),
            "column 'prefecture': '48' is not a code of prefectures.csv",
        ),
        (
            "ja_JP/landlines.csv",
            "city,area_code,never_issued\n01101,011,0112\n".into(),
            "column 'never_issued'",
        ),
    ] {
        let error = overlay(&[(name, &text)]).err().unwrap().to_string();
        assert!(error.contains(wanted) && error.contains(name), "{error}");
    }
    let missing = Seeds::overlaid(Path::new("/nonexistent")).err().unwrap();
    assert!(matches!(missing, SeedError::Read { .. }), "{missing}");
}

#[test]
fn adults_are_as_old_as_the_population() {
    let made = households(
        Locale::JaJp,
        8,
        20_000,
        date!(2020 - 10 - 01),
        &Shape::adults(20..=89),
    );
    let share = |ages: std::ops::Range<i32>| {
        let on = date!(2020 - 10 - 01);
        let of = made.iter().filter(|h| ages.contains(&h.guardian.age(on)));
        of.count() as f64 / made.len() as f64
    };
    let rows = seed_rows("ja_JP/ages.csv");
    let persons = |ages: std::ops::Range<i32>| -> f64 {
        let of = rows
            .iter()
            .filter(|r| r[0] == "2020" && ages.contains(&r[2].parse().unwrap()));
        of.map(|r| r[4].parse::<f64>().unwrap()).sum()
    };
    for ages in [20..30, 45..50, 70..75, 85..90] {
        let wanted = persons(ages.clone()) / persons(20..90);
        assert!(
            (share(ages.clone()) / wanted - 1.0).abs() < 0.12,
            "{ages:?}: {} for {wanted}",
            share(ages.clone())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn families_are_plausible(
        seed: u64,
        day in 0i64..20_000,
        first in 0u8..=25, more in 0u8..=18,
        least in 1u8..=4, most in 0u8..=3,
        english: bool,
    ) {
        static GENERATORS: std::sync::LazyLock<[Generator; 2]> = std::sync::LazyLock::new(|| {
            [Locale::JaJp, Locale::EnUs].map(|locale| Generator::new(&Seeds::embedded(), locale))
        });
        let on = date!(1985 - 01 - 01) + Duration::days(day);
        let last = (first + more).min(25);
        let shape = Shape { ages: 18..=84, children: Some(Children { count: least..=least + most, ages: first..=last }) };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let household = GENERATORS[usize::from(english)].household(&mut rng, on, &shape);
        let count = household.children.len();
        prop_assert!((usize::from(least)..=usize::from(least + most)).contains(&count));
        for child in &household.children {
            prop_assert!((i32::from(first)..=i32::from(last)).contains(&child.age(on)), "{}", show(&household, on));
            prop_assert_eq!(&child.family, &household.guardian.family);
            prop_assert!(household.guardian.age(child.birth) >= 16, "{}", show(&household, on));
            prop_assert!(household.guardian.age(child.birth) <= 64, "{}", show(&household, on));
        }
        for pair in household.children.windows(2) {
            let gap = (pair[1].birth - pair[0].birth).whole_days();
            prop_assert!(gap == 0 || gap >= 300, "{}", show(&household, on));
            prop_assert!(pair[0].given.written != pair[1].given.written, "{}", show(&household, on));
        }
    }

    #[test]
    fn adults_have_the_age_that_was_asked_for(seed: u64, day in 0i64..20_000, first in 18u8..100, more in 0u8..30) {
        static GENERATOR: std::sync::LazyLock<Generator> =
            std::sync::LazyLock::new(|| Generator::new(&Seeds::embedded(), Locale::EnUs));
        let on = date!(1985 - 01 - 01) + Duration::days(day);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let made = GENERATOR.household(&mut rng, on, &Shape::adults(first..=first + more));
        let age = made.guardian.age(on);
        prop_assert!((i32::from(first)..=i32::from((first + more).min(104))).contains(&age), "{age} on {on}");
    }

    #[test]
    fn a_generated_address_is_split_into_itself(seed: u64) {
        static TOOLS: std::sync::LazyLock<(Generator, Gazetteer)> = std::sync::LazyLock::new(|| {
            let seeds = Seeds::embedded();
            (Generator::new(&seeds, Locale::JaJp), Gazetteer::new(&seeds))
        });
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut made = TOOLS.0.household(&mut rng, ON, &Shape::default()).address;
        made.unit = None;
        let typed = format!("{}{}{}{} {}", made.region, made.city, made.town, made.block, made.building.as_deref().unwrap_or_default());
        let split = TOOLS.1.split_address(Locale::JaJp, &made.postcode, &typed);
        let split = split.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(split == made, "{typed}: {} {:?}", split.block, split.building);
    }

    #[test]
    fn no_typed_address_breaks_the_gazetteer(postcode in "[0-9]{5,7}|\\PC{0,8}", typed in "\\PC{0,40}|(東京都|千代田区|霞が関|[0-9]|丁目|番|号|-|ー| |,|IL|の|〒){0,12}") {
        static GAZETTEER: std::sync::LazyLock<Gazetteer> = std::sync::LazyLock::new(|| Gazetteer::new(&Seeds::embedded()));
        for code in [postcode.as_str(), "1000013", "62701"] {
            let _ = GAZETTEER.split_address(Locale::JaJp, code, &typed);
            let _ = GAZETTEER.split_address(Locale::EnUs, code, &typed);
        }
    }
}
