//! The thief and the broker: what happens to rows between a database and a list for sale.

use std::io::Write;
use std::path::Path;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use time::{Date, Duration, OffsetDateTime};

use super::world::{Company, ISO, building, stranger, text};
use crate::notation::{birth_key, kana_key};
use crate::persona::{Generator, Household, Seeds, Shape};

/// A line of the broker's list: no mail address, no key, nothing of the company's own.
struct Line {
    name: String,
    kana: String,
    postcode: String,
    address: String,
    phone: String,
    birth: Option<Date>,
}

/// Makes the list that is sold: the stolen rows with columns dropped and addresses rewritten, among
/// so many of other origin, in random order. Japanese lists are CP932, as the trade has them.
///
/// # Errors
/// The file cannot be written, or a character has no place in CP932.
pub(super) fn sell(
    company: Company,
    stolen: &[Vec<Option<String>>],
    seeds: &Seeds,
    unrelated: u32,
    now: OffsetDateTime,
    seed: u64,
    file: &Path,
) -> anyhow::Result<()> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut lines: Vec<Line> = stolen.iter().map(|row| stolen_line(company, row)).collect();
    let generator = Generator::new(seeds, company.locale());
    for _ in 0..unrelated {
        let day = now.date() - Duration::days(rng.random_range(0..3650));
        let household = stranger(&generator, &mut rng, day, &Shape::adults(18..=80));
        lines.push(other_line(company, &household));
    }
    lines.shuffle(&mut rng);

    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(match company {
        Company::Club => ["NAME", "ADDRESS", "ZIP", "PHONE", "DOB"].as_slice(),
        _ => [
            "氏名",
            "フリガナ",
            "郵便番号",
            "住所",
            "電話番号",
            "生年月日",
        ]
        .as_slice(),
    })?;
    for line in &lines {
        let birth = line.birth.map(|birth| text(birth, ISO)).unwrap_or_default();
        match company {
            Company::Club => writer.write_record([
                line.name.to_uppercase(),
                line.address.to_uppercase(),
                line.postcode.clone(),
                line.phone.replace(['-', ' ', '(', ')'], ""),
                birth,
            ])?,
            _ => writer.write_record([
                line.name.replace('　', " "),
                line.kana.clone(),
                line.postcode.replace('-', ""),
                rewritten(&line.address),
                line.phone.replace('-', ""),
                birth,
            ])?,
        }
    }
    let list = String::from_utf8(writer.into_inner()?)?;
    let mut out = std::fs::File::create(file)?;
    match company {
        Company::Club => out.write_all(list.as_bytes())?,
        _ => {
            // What CP932 has not, the broker's spreadsheet replaces.
            let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(&list);
            out.write_all(&bytes)?;
        }
    }
    Ok(())
}

fn stolen_line(company: Company, row: &[Option<String>]) -> Line {
    let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    match company {
        Company::School => Line {
            name: cell(1),
            kana: kana_key(&cell(2)).unwrap_or_default(),
            postcode: cell(7),
            address: cell(8),
            phone: cell(9),
            birth: birth_key(&cell(5)),
        },
        Company::Shop => Line {
            name: format!("{}　{}", cell(1), cell(2)),
            kana: format!("{}{}", cell(3), cell(4)),
            postcode: cell(7),
            address: format!("{}{}{}　{}", cell(8), cell(9), cell(10), cell(11)),
            phone: cell(6),
            birth: birth_key(&cell(12)),
        },
        Company::Club => Line {
            name: format!("{}, {}", cell(2), cell(1)),
            kana: String::new(),
            postcode: cell(8),
            address: format!("{}, {}, {}", cell(5), cell(6), cell(7)),
            phone: cell(4),
            birth: birth_key(&cell(9)),
        },
    }
}

fn other_line(company: Company, household: &Household) -> Line {
    let (person, address) = (&household.guardian, &household.address);
    let phone = household.mobile.as_ref().or(household.landline.as_ref());
    let phone = phone.cloned().unwrap_or_default();
    let (family, given) = (&person.family, &person.given);
    let american = company == Company::Club;
    Line {
        name: match american {
            true => format!("{}, {}", family.written, given.written),
            false => format!("{}　{}", family.written, given.written),
        },
        kana: format!("{}{}", family.kana, given.kana),
        postcode: address.postcode.clone(),
        address: match american {
            true => {
                let unit = address.unit.as_ref().map(|unit| format!(" Apt {unit}"));
                let unit = unit.unwrap_or_default();
                format!(
                    "{}{unit}, {}, {}",
                    address.block, address.city, address.region
                )
            }
            false => format!(
                "{}{}{}{}{}",
                address.region,
                address.city,
                address.town,
                address.block,
                building(household)
            ),
        },
        phone: phone.replace("+81", "0").replace("+1", ""),
        birth: Some(person.birth),
    }
}

/// The broker's own way of writing addresses: full-width digits, 丁目, 番 and 号 where there are three
/// numbers, no space before the building.
fn rewritten(address: &str) -> String {
    let (block, building) = address.split_once('　').unwrap_or((address, ""));
    let start = block
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(block.len());
    let (town, numbers) = block.split_at(start);
    let numbers = match numbers.split('-').collect::<Vec<_>>()[..] {
        [chome, ban, go] => format!("{chome}丁目{ban}番{go}号"),
        _ => numbers.to_owned(),
    };
    let wide = |c: char| match c {
        '0'..='9' => char::from_u32(c as u32 - '0' as u32 + '０' as u32).unwrap_or(c),
        '-' => '－',
        other => other,
    };
    format!(
        "{town}{}{building}",
        numbers.chars().map(wide).collect::<String>()
    )
}
