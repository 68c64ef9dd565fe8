use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use time::macros::date;

use super::*;
use crate::notation::{Format, MappedColumn};
use crate::persona::{Generator, Seeds, Shape};

fn mapping(columns: &[String], roles: &[Role]) -> Mapping {
    let columns = columns.iter().zip(roles);
    let columns = columns.map(|(column, role)| MappedColumn {
        format: Format::default_of(*role, Locale::EnUs),
        ..MappedColumn::told(column, *role)
    });
    Mapping {
        locale: Locale::EnUs,
        columns: columns.collect(),
        related: Vec::new(),
    }
}

/// Whoever gets a mailbox that shows one name and a letter of the other is called so, in every table where a customer
/// is; digits are birthdays and years of birth as often as customers' are.
#[test]
fn nobody_has_a_mailbox_with_somebody_elses_initial() {
    let seeds = Seeds::embedded();
    let generator = Generator::new(&seeds, Locale::EnUs);
    let lexicon = Lexicon::new(&seeds, Locale::EnUs);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (today, shape) = (date!(2026 - 11 - 29), Shape::adults(20..=79));
    let columns = ["first", "last", "email", "born"].map(str::to_owned);
    let roles = [
        Role::GivenName,
        Role::FamilyName,
        Role::Email,
        Role::BirthDate,
    ];
    let mapping = mapping(&columns, &roles);
    let rows: Vec<Row> = (0..1500)
        .map(|at| {
            let person = generator.household(&mut rng, today, &shape).guardian;
            let [first, last] = [&person.given.written, &person.family.written];
            let year = person.birth.year() % 100;
            let local = match at % 3 {
                0 => format!("{}{last}{year:02}", &first[..1]),
                1 => format!("{first}{}{at}", &last[..1]),
                _ => format!("jazzfan{}", rng.random_range(100..999)),
            };
            let mail = format!("{}@mail.example", local.to_lowercase());
            let born = person.birth.to_string();
            [first.clone(), last.clone(), mail, born].map(Some).to_vec()
        })
        .collect();
    let ground = Ground::learn(&mapping, &columns, &rows, &lexicon, today).unwrap();
    let mut draw = |local: &str| {
        let mut home = generator.household(&mut rng, today, &shape);
        home.email = Some(format!("{local}@mail.example"));
        let mut stranger = |rng: &mut ChaCha8Rng| generator.household(rng, today, &shape);
        let drawn = ground.draw(&home, true, today, &mut stranger, &mut rng);
        assert_eq!(drawn.household.email, home.email);
        drawn.household.guardian
    };
    let (mut born, mut millers) = (0, 0);
    for _ in 0..30 {
        let person = draw("kmiller68");
        // A few are called Miller by their given names.
        let (known, other) = match person.family.written == "Miller" {
            true => (&person.family, &person.given),
            false => (&person.given, &person.family),
        };
        assert_eq!(known.written, "Miller");
        assert!(other.written.starts_with('K'), "{}", other.written);
        millers += u32::from(known == &person.family);
        born += u32::from(person.birth.year() == 1968);
        // Seldom is the first letter of a family name.
        let person = draw("patriciaz7");
        assert_eq!(person.given.written, "Patricia");
        let family = &person.family.written;
        assert!(family.starts_with('Z'), "{family}");
    }
    // Of the customers whose address ends in two digits nearly all tell their year.
    assert!(born >= 24 && millers >= 24, "{born} {millers}");
    // Who has a word for an address has any name.
    let named = (0..30).filter(|_| draw("jazzfan512").family.written == "Jazzfan");
    assert_eq!(named.count(), 0);
}

/// Family names are at home in regions: somebody at an address has one of those there, even where nobody has joined there of
/// late.
#[test]
fn a_family_name_is_of_the_region_where_its_bearer_lives() {
    let seeds = Seeds::embedded();
    let generator = Generator::new(&seeds, Locale::EnUs);
    let lexicon = Lexicon::new(&seeds, Locale::EnUs);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (today, shape) = (date!(2026 - 11 - 29), Shape::adults(20..=79));
    let columns = ["first", "last", "state", "zip", "joined"].map(str::to_owned);
    let roles = [
        Role::GivenName,
        Role::FamilyName,
        Role::Region,
        Role::Postcode,
        Role::CreatedAt,
    ];
    let mapping = mapping(&columns, &roles);
    let rows: Vec<Row> = (0..1500)
        .map(|at| {
            let given = generator.household(&mut rng, today, &shape).guardian.given;
            let (names, state, zip, year) = match at < 400 {
                true => (["Pelletier", "Thibodeau", "Ouellette"], "ME", "040", 2012),
                false => (["Garcia", "Nguyen", "Hernandez"], "CA", "940", 2024),
            };
            let zip = format!("{zip}{:02}", at % 50);
            let joined = format!("{year}-03-{:02} 10:{:02}:00", 1 + at % 28, at % 60);
            [
                given.written,
                names[at % 3].to_owned(),
                state.to_owned(),
                zip,
                joined,
            ]
            .map(Some)
            .to_vec()
        })
        .collect();
    let ground = Ground::learn(&mapping, &columns, &rows, &lexicon, today).unwrap();
    for _ in 0..30 {
        let mut home = generator.household(&mut rng, today, &shape);
        home.address.region = "ME".to_owned();
        home.address.postcode = "04032".to_owned();
        let mut stranger = |rng: &mut ChaCha8Rng| generator.household(rng, today, &shape);
        let drawn = ground.draw(&home, false, today, &mut stranger, &mut rng);
        let family = drawn.household.guardian.family.written;
        assert!(
            ["Pelletier", "Thibodeau", "Ouellette"].contains(&&*family),
            "{family}"
        );
    }
}
