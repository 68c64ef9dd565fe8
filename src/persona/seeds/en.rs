//! The tables of the United States.

use std::collections::HashMap;

use super::table::File;
use super::{SeedError, some_weight};
use crate::persona::Sex;

/// Everything that households in the United States are made from.
pub(in crate::persona) struct En {
    pub(in crate::persona) given: Vec<Given>,
    pub(in crate::persona) births: Vec<Births>,
    pub(in crate::persona) surnames: Vec<(Box<str>, u32)>,
    /// By ZIP code.
    pub(in crate::persona) zips: Vec<Zip>,
    /// Area codes by state.
    pub(in crate::persona) area_codes: HashMap<Box<str>, Vec<Box<str>>>,
    pub(in crate::persona) streets: Vec<(StreetPart, Box<str>, u32)>,
}

/// A name given to so many in the five years from `year` on.
pub(in crate::persona) struct Given {
    pub(in crate::persona) year: i32,
    pub(in crate::persona) sex: Sex,
    pub(in crate::persona) name: Box<str>,
    pub(in crate::persona) births: u32,
}

pub(in crate::persona) struct Births {
    pub(in crate::persona) year: i32,
    pub(in crate::persona) sex: Sex,
    pub(in crate::persona) births: u32,
}

pub(in crate::persona) struct Zip {
    pub(in crate::persona) zip: u32,
    pub(in crate::persona) city: Box<str>,
    pub(in crate::persona) state: Box<str>,
    pub(in crate::persona) population: u32,
}

#[derive(Clone, Copy, PartialEq)]
pub(in crate::persona) enum StreetPart {
    /// Maple.
    Word,
    /// 12th.
    Ordinal,
    /// Ave.
    Kind,
}

const SEXES: &[(&str, Sex)] = &[("F", Sex::Female), ("M", Sex::Male)];

impl En {
    pub(super) fn read(
        file: &impl Fn(&'static str) -> Result<File, SeedError>,
    ) -> Result<En, SeedError> {
        let source = file("en_US/given_names.csv.gz")?;
        let given = source.rows(&["year", "sex", "name", "births"], |row| {
            Ok(Given {
                year: row.number(0)?,
                sex: row.one_of(1, SEXES)?,
                name: row.name(2)?.into(),
                births: row.number(3)?,
            })
        })?;
        for sex in [Sex::Female, Sex::Male] {
            some_weight(&source, &given, |g| if g.sex == sex { g.births } else { 0 })?;
        }

        let source = file("en_US/births.csv")?;
        let births = source.rows(&["year", "sex", "births"], |row| {
            Ok(Births {
                year: row.number(0)?,
                sex: row.one_of(1, SEXES)?,
                births: row.number(2)?,
            })
        })?;
        some_weight(&source, &births, |b| b.births)?;

        let source = file("en_US/surnames.csv.gz")?;
        let surnames = source.rows(&["surname", "count"], |row| {
            Ok((row.name(0)?.into(), row.number(1)?))
        })?;
        some_weight(&source, &surnames, |(_, count)| *count)?;

        let mut area_codes: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
        file("en_US/area_codes.csv")?.rows(&["area_code", "state"], |row| {
            let code = row.digits(0, 3)?.into();
            area_codes
                .entry(row.name(1)?.into())
                .or_default()
                .push(code);
            Ok(())
        })?;

        let source = file("en_US/zips.csv.gz")?;
        let mut zips = source.rows(&["zip", "city", "state", "population"], |row| {
            row.digits(0, 5)?;
            let population = row.number(3)?;
            if population > 0 && !area_codes.contains_key(row.text(2)) {
                return Err(row.wrong(2, "a state of area_codes.csv"));
            }
            Ok(Zip {
                zip: row.number(0)?,
                city: row.name(1)?.into(),
                state: row.name(2)?.into(),
                population,
            })
        })?;
        zips.sort_by_key(|zip| zip.zip);
        some_weight(&source, &zips, |z| z.population)?;

        let source = file("en_US/street_words.csv")?;
        let parts = &[
            ("word", StreetPart::Word),
            ("ordinal", StreetPart::Ordinal),
            ("kind", StreetPart::Kind),
        ];
        let streets = source.rows(&["part", "word", "weight"], |row| {
            Ok((row.one_of(0, parts)?, row.name(1)?.into(), row.number(2)?))
        })?;
        for (_, part) in parts {
            some_weight(
                &source,
                &streets,
                |s: &(StreetPart, Box<str>, u32)| {
                    if s.0 == *part { s.2 } else { 0 }
                },
            )?;
        }

        Ok(En {
            given,
            births,
            surnames,
            zips,
            area_codes,
            streets,
        })
    }
}
