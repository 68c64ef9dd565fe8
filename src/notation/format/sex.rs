//! Sex: the two values that a column has for it.

use crate::persona::Sex;

/// What a column writes for men and for women.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SexFormat {
    /// For men.
    pub male: String,
    /// For women.
    pub female: String,
}

/// Common pairs (male, female), and how sure the pair is once both its values are seen. 1 and 2 are ISO
/// 5218's; 0 and 1 are used both ways round.
const PAIRS: [(&str, &str, f64); 21] = [
    ("M", "F", 1.0),
    ("m", "f", 1.0),
    ("男", "女", 1.0),
    ("男性", "女性", 1.0),
    ("1", "2", 0.92),
    ("male", "female", 1.0),
    ("Male", "Female", 1.0),
    ("MALE", "FEMALE", 1.0),
    ("男子", "女子", 1.0),
    ("男児", "女児", 1.0),
    ("01", "02", 0.92),
    ("Ｍ", "Ｆ", 1.0),
    ("１", "２", 0.92),
    ("オトコ", "オンナ", 1.0),
    ("おとこ", "おんな", 1.0),
    ("ﾀﾞﾝｾｲ", "ｼﾞｮｾｲ", 1.0),
    ("Man", "Woman", 1.0),
    ("man", "woman", 1.0),
    ("boy", "girl", 1.0),
    ("M", "W", 0.9),
    ("0", "1", 0.5),
];

impl SexFormat {
    /// `M` and `F`.
    pub fn letters() -> SexFormat {
        SexFormat {
            male: "M".to_owned(),
            female: "F".to_owned(),
        }
    }

    pub(super) fn all() -> impl Iterator<Item = SexFormat> {
        PAIRS.iter().map(|(male, female, _)| SexFormat {
            male: (*male).to_owned(),
            female: (*female).to_owned(),
        })
    }

    pub(super) fn example(&self) -> String {
        format!("{}/{}", self.male, self.female)
    }

    /// `male/female`, with any two different values.
    pub(super) fn named(text: &str) -> Option<SexFormat> {
        let (male, female) = text.split_once('/')?;
        let (male, female) = (male.trim().to_owned(), female.trim().to_owned());
        (!male.is_empty() && !female.is_empty() && male != female)
            .then_some(SexFormat { male, female })
    }

    /// Writes a sex.
    pub fn write(&self, sex: Sex) -> String {
        match sex {
            Sex::Male => self.male.clone(),
            Sex::Female => self.female.clone(),
        }
    }

    /// Reads a value of this column.
    pub fn read(&self, text: &str) -> Option<Sex> {
        match text.trim() {
            text if text == self.male => Some(Sex::Male),
            text if text == self.female => Some(Sex::Female),
            _ => None,
        }
    }
}

pub(super) fn recognise(samples: &[&str]) -> Option<(SexFormat, f64)> {
    let (format, share) = super::best(SexFormat::all(), samples, |format, sample| {
        format.read(sample).is_some()
    })?;
    let prior = PAIRS
        .iter()
        .find(|(male, female, _)| *male == format.male && *female == format.female);
    Some((format, share * prior.map_or(1.0, |(.., sure)| *sure)))
}
