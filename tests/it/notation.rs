//! Tables of generated people, written in many notations, are understood as they were written.

use std::collections::BTreeMap;

use otori::notation::column::{ColumnFacts, Understanding, understand_table};
use otori::notation::{Format, MappedColumn, Mapping, Role, Surroundings, cells};
use otori::persona::{Generator, Locale, Seeds, Shape};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use time::macros::{date, datetime};

/// Header, role, and the example that names the format (empty: the role has none).
pub type Spec = (&'static str, Role, &'static str);

/// Rows of generated people, written as the columns want them.
pub fn rows(locale: Locale, specs: &[Spec], count: usize) -> Vec<Vec<String>> {
    let mapping = Mapping {
        locale,
        columns: specs
            .iter()
            .map(|(header, role, example)| MappedColumn {
                format: (!example.is_empty()).then(|| Format::named(*role, example).unwrap()),
                ..MappedColumn::told(header, *role)
            })
            .collect(),
        related: Vec::new(),
    };
    let shape = if mapping.has_child() {
        Shape::families(3..=17)
    } else {
        Shape::default()
    };
    let generator = Generator::new(&Seeds::embedded(), locale);
    let mut rng = ChaCha12Rng::seed_from_u64(7);
    let mut codes = BTreeMap::new();
    let mut around = Surroundings {
        now: datetime!(2026-11-23 12:00 +9),
        columns: &[],
        rows: &[],
        codes: &mut codes,
    };
    (0..count)
        .map(|_| {
            let household = generator.household(&mut rng, date!(2026 - 11 - 23), &shape);
            cells(&mapping, &household, Some(0), &mut around, &mut rng)
                .into_iter()
                .map(|cell| cell.value.unwrap_or_default())
                .collect()
        })
        .collect()
}

fn understand(specs: &[Spec], rows: &[Vec<String>], headers: bool) -> Vec<Understanding> {
    let columns: Vec<Vec<&str>> = (0..specs.len())
        .map(|at| rows.iter().map(|row| row[at].as_str()).collect())
        .collect();
    let facts: Vec<ColumnFacts> = specs
        .iter()
        .zip(&columns)
        .map(|((header, ..), samples)| ColumnFacts {
            name: if headers { header } else { "" },
            samples,
            ..ColumnFacts::default()
        })
        .collect();
    understand_table(&facts)
}

pub const SCHOOL: &[Spec] = &[
    ("郵便番号", Role::Postcode, "060-0001"),
    (
        "住所",
        Role::Address,
        "東京都千代田区霞が関９丁目１２番８号　霞ハイツ２０３号室",
    ),
    ("電話番号", Role::Phone, "03-0123-4567"),
    ("保護者氏名", Role::Name, "山田　太郎"),
    ("保護者氏名カナ", Role::NameKana, "ヤマダ　タロウ"),
    ("お子様氏名", Role::ChildName, "山田　太郎"),
    ("お子様氏名カナ", Role::ChildNameKana, "ヤマダ　タロウ"),
    ("生年月日", Role::ChildBirthDate, "1972/04/01"),
    ("性別", Role::ChildSex, "男/女"),
];
const SHOP: &[Spec] = &[
    ("sei", Role::FamilyName, "as written"),
    ("mei", Role::GivenName, "as written"),
    ("sei_kana", Role::FamilyNameKana, "ﾔﾏﾀﾞ"),
    ("mei_kana", Role::GivenNameKana, "ﾔﾏﾀﾞ"),
    ("email", Role::Email, "lower case"),
    ("zip_code", Role::Postcode, "0600001"),
    ("pref", Role::Region, "as written"),
    ("city", Role::City, "as written"),
    ("address1", Role::Street, "霞が関9-12-8 霞ハイツ203"),
    ("address2", Role::Address2, "霞ハイツ203"),
    ("tel", Role::Phone, "0301234567"),
    ("birthday", Role::BirthDate, "1972-04-01"),
    ("sex", Role::Sex, "1/2"),
];
const MAINFRAME: &[Spec] = &[
    ("SHIMEI", Role::Name, "山田太郎"),
    ("SHIMEI_KANA", Role::NameKana, "ﾔﾏﾀﾞ ﾀﾛｳ"),
    ("YUBIN", Role::Postcode, "０６０－０００１"),
    (
        "JUSHO",
        Role::Address,
        "東京都千代田区霞が関九丁目12番8号 霞ハイツ203号",
    ),
    ("TEL", Role::Phone, "(03)0123-4567"),
    ("KEITAI", Role::Mobile, "03-0123-4567"),
    ("SEINENGAPPI", Role::BirthDate, "昭和47年4月1日"),
    ("SEIBETSU", Role::Sex, "M/F"),
];
const CLINIC: &[Spec] = &[
    ("氏名", Role::Name, "山田 太郎"),
    ("ふりがな", Role::NameKana, "やまだ たろう"),
    ("生年月日", Role::BirthDate, "S47.4.1"),
    ("性別", Role::Sex, "男性/女性"),
    ("連絡先", Role::Phone, "+81301234567"),
    ("メールアドレス", Role::Email, "lower case"),
];
pub const CLUB: &[Spec] = &[
    ("first_name", Role::GivenName, "as written"),
    ("last_name", Role::FamilyName, "as written"),
    ("email", Role::Email, "lower case"),
    ("phone", Role::Phone, "(202) 555-0123"),
    ("address_line1", Role::Address1, "123 N Main St Apt 4B"),
    ("city", Role::City, "as written"),
    ("state", Role::Region, "UPPER CASE"),
    ("zip", Role::Postcode, "02134"),
    ("dob", Role::BirthDate, "4/1/1972"),
    ("gender", Role::Sex, "Male/Female"),
];
const DONORS: &[Spec] = &[
    ("Full Name", Role::Name, "DOE, JANE"),
    ("E-mail", Role::Email, "UPPER CASE"),
    ("Phone", Role::Phone, "2025550123"),
    (
        "Address",
        Role::Address,
        "123 N MAIN ST #4B, SPRINGFIELD, IL",
    ),
    ("DOB", Role::BirthDate, "19720401"),
];
const TABLES: [(Locale, &[Spec]); 6] = [
    (Locale::JaJp, SCHOOL),
    (Locale::JaJp, SHOP),
    (Locale::JaJp, MAINFRAME),
    (Locale::JaJp, CLINIC),
    (Locale::EnUs, CLUB),
    (Locale::EnUs, DONORS),
];

#[test]
fn tables_with_headers_are_understood_surely() {
    let mut wrong = Vec::new();
    for (locale, specs) in TABLES {
        let rows = rows(locale, specs, 200);
        let found = understand(specs, &rows, true);
        for (at, (found, (header, role, example))) in found.iter().zip(specs).enumerate() {
            let seen: Vec<&str> = rows.iter().take(4).map(|row| row[at].as_str()).collect();
            let format = found.format.as_ref().map(|format| format.example(*role));
            if found.role != Some(*role) || !found.is_sure() || format.as_deref() != Some(*example)
            {
                wrong.push(format!(
                    "{header} {seen:?}: {:?} {} {format:?}: {}",
                    found.role, found.confidence, found.why
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A column of names with titles is a column of names, and not of free text.
#[test]
fn names_with_titles_are_names() {
    for (locale, specs, titles) in [
        (Locale::EnUs, DONORS, ["Mrs. {}", "{} Jr.", "Dr. {}, Esq."]),
        (Locale::JaJp, CLINIC, ["{} 様", "{}　殿", "{}さん"]),
    ] {
        let plain = rows(locale, specs, 200);
        let at = specs.iter().position(|(_, role, _)| *role == Role::Name);
        let at = at.unwrap();
        for title in titles {
            let mut titled = plain.clone();
            for row in &mut titled {
                let turned = row[at].split_once(", ");
                let name = turned.map_or(row[at].clone(), |(family, given)| {
                    format!("{given} {family}")
                });
                row[at] = title.replace("{}", &name);
            }
            let found = &understand(specs, &titled, false)[at];
            assert_eq!(found.role, Some(Role::Name), "{title}: {}", found.why);
            assert!(found.is_sure(), "{title}: {}", found.confidence);
        }
    }
}

#[test]
fn lists_without_a_header_are_understood_or_left_unsure() {
    let (mut right, mut total) = (0, 0);
    for (locale, specs) in TABLES {
        let rows = rows(locale, specs, 200);
        for (found, (header, role, _)) in understand(specs, &rows, false).iter().zip(specs) {
            total += 1;
            // Nobody could tell Address from Address1, or a lone phone from a mobile.
            let plain = |role| match role {
                Role::Address1 | Role::Street => Role::Address,
                Role::Building => Role::Address2,
                Role::Mobile => Role::Phone,
                role => role,
            };
            let agrees = found.role.map(plain) == Some(plain(*role));
            right += usize::from(agrees);
            assert!(
                agrees || !found.is_sure() || found.role.is_none(),
                "{header}: sure of {:?} ({}), but it is {role}: {}",
                found.role,
                found.confidence,
                found.why
            );
        }
    }
    assert!(
        right * 10 >= total * 8,
        "only {right} of {total} columns were understood"
    );
}

#[test]
fn columns_that_are_not_about_the_person_stay_so() {
    let plans = ["ゴールド", "シルバー", "シルバー", "ブロンズ"].repeat(20);
    let points: Vec<String> = (0..80).map(|at| (at * 37 % 900).to_string()).collect();
    let points: Vec<&str> = points.iter().map(String::as_str).collect();
    let flags = ["0", "1", "1", "0"].repeat(20);
    let logins: Vec<String> = (0..80)
        .map(|at| format!("2026-10-{:02} 10:{:02}:31", at % 28 + 1, at % 60))
        .collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let companies = ["(株)見本商事", "見本工業株式会社", "有限会社囮", ""].repeat(20);
    for (name, samples) in [
        ("plan", &plans),
        ("points", &points),
        ("dm_flag", &flags),
        ("last_login", &logins),
        ("会社名", &companies),
    ] {
        let found = &understand_table(&[ColumnFacts {
            name,
            samples,
            ..ColumnFacts::default()
        }])[0];
        assert_eq!(found.role, None, "{name}: {}", found.why);
        assert!(found.is_sure(), "{name}");
    }
}

#[test]
fn dates_of_two_years_are_no_sure_births() {
    let dates: Vec<String> = (0..80)
        .map(|at| format!("202{}-{:02}-{:02}", 5 + at / 60, at % 12 + 1, at % 28 + 1))
        .collect();
    let dates: Vec<&str> = dates.iter().map(String::as_str).collect();
    let understood = |name| {
        let facts = ColumnFacts {
            name,
            samples: &dates,
            ..ColumnFacts::default()
        };
        let [found] = &understand_table(&[facts])[..] else {
            unreachable!("one column")
        };
        (found.role, found.is_sure())
    };
    assert!(!understood("hiduke").1);
    assert_eq!(understood("since"), (Some(Role::CreatedAt), true));
    assert_eq!(understood("birthday"), (Some(Role::BirthDate), true));
}

#[test]
fn doubt_is_told() {
    // A name that two roles could have, with values that are in no list.
    let odd = [
        "囮山",
        "見本田",
        "架空川",
        "例原",
        "試作谷",
        "偽林",
        "仮森",
        "模擬沢",
        "雛形池",
        "書式橋",
        "無名瀬",
        "匿名崎",
    ];
    let found = &understand_table(&[ColumnFacts {
        name: "nm2",
        samples: &odd,
        ..ColumnFacts::default()
    }])[0];
    assert!(!found.is_sure() && found.role.is_some(), "{found:?}");
    // 0 and 1 say nothing of which is which.
    let found = &understand_table(&[ColumnFacts {
        name: "sex",
        samples: &["0", "1", "1"],
        ..ColumnFacts::default()
    }])[0];
    assert_eq!(found.role, Some(Role::Sex));
    assert!(
        !found.is_sure() && found.why.contains("mapping file"),
        "{}",
        found.why
    );
    // A header that its values gainsay.
    let codes = ["13", "27", "01", "13"].repeat(10);
    let found = &understand_table(&[ColumnFacts {
        name: "都道府県",
        samples: &codes,
        ..ColumnFacts::default()
    }])[0];
    assert!(found.role == Some(Role::Region) && !found.is_sure());
    // A header alone.
    let found = &understand_table(&[ColumnFacts {
        name: "email",
        ..ColumnFacts::default()
    }])[0];
    assert!(found.role == Some(Role::Email) && !found.is_sure());
}
