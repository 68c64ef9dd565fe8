//! The story's thief and broker: each company's rows as lines of a list for sale.

use std::path::Path;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use time::{Duration, OffsetDateTime};

use super::world::{Company, building, stranger};
use crate::cli::broker::{self, Line, Trade};
use crate::notation::{birth_key, kana_key};
use crate::persona::{Generator, Household, Seeds, Shape};

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

    let trade = match company {
        Company::Club => Trade::American,
        _ => Trade::Japanese,
    };
    let list = broker::list(&lines, trade, broker::ALL)?;
    Ok(std::fs::write(file, list)?)
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
            email: None,
            birth: birth_key(&cell(5)),
        },
        Company::Shop => Line {
            name: format!("{}　{}", cell(1), cell(2)),
            kana: format!("{}{}", cell(3), cell(4)),
            postcode: cell(7),
            address: format!("{}{}{}　{}", cell(8), cell(9), cell(10), cell(11)),
            phone: cell(6),
            email: None,
            birth: birth_key(&cell(12)),
        },
        Company::Club => Line {
            name: format!("{}, {}", cell(2), cell(1)),
            kana: String::new(),
            postcode: cell(8),
            address: format!("{}, {}, {}", cell(5), cell(6), cell(7)),
            phone: cell(4),
            email: None,
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
        email: None,
        birth: Some(person.birth),
    }
}
