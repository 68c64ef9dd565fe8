//! Japanese given names by sex and birth year.
//!
//! No complete table by birth year exists. A decade's mix is made of its common names (55% of
//! births before 1990, 45% after), other spellings of their readings (20%, 30%), and names of the
//! long tail whose style fits the time (25%). Two neighbouring decades are blended by birth year.

use rand::Rng;

use crate::persona::dice::{Alias, between};
use crate::persona::seeds::{Ja, Style};
use crate::persona::{NamePart, Sex};

/// The mixes of one sex, by the middle year of their decades.
pub(super) struct GivenNames {
    female: Vec<Mix>,
    male: Vec<Mix>,
}

struct Mix {
    year: i32,
    /// Indices: below the number of tail names one of those, else one of the era names.
    names: Vec<u32>,
    table: Alias,
}

impl GivenNames {
    pub(super) fn new(ja: &Ja) -> GivenNames {
        let of = |sex: Sex| {
            let eras = ja.eras.iter().filter(|e| e.sex == sex);
            let mut years: Vec<i32> = eras.map(|e| e.year).collect();
            years.sort_unstable();
            years.dedup();
            years
                .into_iter()
                .map(|year| Mix::new(ja, sex, year))
                .collect()
        };
        GivenNames {
            female: of(Sex::Female),
            male: of(Sex::Male),
        }
    }

    /// A name for somebody of this sex born in this year.
    pub(super) fn draw<'a, R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        ja: &'a Ja,
        sex: Sex,
        year: i32,
    ) -> &'a NamePart {
        let mixes = match sex {
            Sex::Female => &self.female,
            Sex::Male => &self.male,
        };
        let later = mixes.partition_point(|mix| mix.year <= year);
        let mix = match (later.checked_sub(1).map(|i| &mixes[i]), mixes.get(later)) {
            // The nearer decade's middle, the likelier its mix.
            (Some(before), Some(after)) => {
                if between(rng, before.year, after.year - 1) < year {
                    after
                } else {
                    before
                }
            }
            (Some(only), None) | (None, Some(only)) => only,
            // A table without a name of this sex is refused when it is read.
            (None, None) => return &ja.families[0].0,
        };
        let index = mix.names[mix.table.draw(rng)] as usize;
        match index.checked_sub(ja.given.len()) {
            None => &ja.given[index].name,
            Some(era) => &ja.eras[era].name,
        }
    }
}

impl Mix {
    fn new(ja: &Ja, sex: Sex, year: i32) -> Mix {
        let (head_share, echo_share) = if year < 1990 {
            (0.55, 0.20)
        } else {
            (0.45, 0.30)
        };
        let mut names = Vec::new();
        let mut weights = Vec::new();
        let mut readings = std::collections::HashMap::new();
        let mut written = std::collections::HashSet::new();
        for (i, era) in ja.eras.iter().enumerate() {
            if era.sex == sex && era.year == year {
                names.push((ja.given.len() + i) as u32);
                weights.push(f64::from(era.weight));
                *readings.entry(era.name.kana.as_str()).or_insert(0.0) += f64::from(era.weight);
                written.insert(era.name.written.as_str());
            }
        }
        let head = names.len();
        scale(&mut weights, head_share);

        let tail: Vec<(u32, &crate::persona::seeds::Given)> = (0u32..)
            .zip(&ja.given)
            .filter(|(_, g)| g.sex == sex && !written.contains(g.name.written.as_str()))
            .collect();
        let known = |weight: u32| year >= 1980 || weight > 1;

        let mut spellings = std::collections::HashMap::new();
        for (_, given) in &tail {
            *spellings.entry(given.name.kana.as_str()).or_insert(0.0) += f64::from(given.weight);
        }
        let mut echo = Vec::new();
        for (index, given) in &tail {
            let fits = if year < 1990 {
                given.style != Style::New
            } else {
                given.style != Style::Old
            };
            if let Some(weight) = readings.get(given.name.kana.as_str())
                && fits
                && known(given.weight)
            {
                names.push(*index);
                echo.push(weight * f64::from(given.weight) / spellings[given.name.kana.as_str()]);
            }
        }
        scale(&mut echo, echo_share);
        weights.append(&mut echo);

        let mut rest = Vec::new();
        for (index, given) in &tail {
            let share = match (given.style, year) {
                (Style::Old, ..1970) => 4.0,
                (Style::Old, 1970..1980) => 2.0,
                (Style::Old, 1980..1990) => 0.4,
                (Style::Any, ..1980) => 1.0,
                (Style::Any, 1980..2000) => 2.0,
                (Style::Any, _) => 0.5,
                (Style::New, 1980..2000) => 0.6,
                (Style::New, 2000..) => 3.0,
                _ => 0.0,
            };
            if share > 0.0 && known(given.weight) {
                names.push(*index);
                rest.push(share * f64::from(given.weight));
            }
        }
        scale(&mut rest, 1.0 - head_share - echo_share);
        weights.append(&mut rest);
        debug_assert!(head > 0 && names.len() == weights.len());
        Mix {
            year,
            names,
            table: Alias::new(weights),
        }
    }
}

/// Makes the weights sum up to `share`.
fn scale(weights: &mut [f64], share: f64) {
    let total: f64 = weights.iter().sum();
    if total > 0.0 {
        weights
            .iter_mut()
            .for_each(|weight| *weight *= share / total);
    }
}
