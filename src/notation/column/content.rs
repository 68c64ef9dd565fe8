//! What a column's values look like, whatever its name.

use super::super::fold::has_japanese;
use super::super::keys::{PREFECTURES, is_title};
use super::super::words::{
    FAMILY_NAMES, FAMILY_READINGS, GIVEN_NAMES, GIVEN_READINGS, US_FAMILY_NAMES, US_GIVEN_NAMES,
    US_STATES, is_building,
};
use super::super::{
    Format, Region, Role, address_key, birth_key, email_key, fold, kana_key, latin_name_key,
    phone_key, postcode_key, sex_key,
};

/// Shares (0 to 1) of the values that look like something, and a few figures.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// Values that are not empty.
    pub count: usize,
    /// Different ones among them.
    pub distinct: usize,
    pub email: f64,
    /// Telephone numbers by their notation: a leading 0 or +, hyphens, brackets.
    pub phone: f64,
    /// Digits that could be a telephone number.
    pub bare_phone: f64,
    pub mobile: f64,
    /// 123-4567, or five digits that begin a ZIP+4.
    pub postcode: f64,
    pub seven_digits: f64,
    pub zip: f64,
    pub date: f64,
    /// Median year of the dates.
    pub year: i32,
    /// Years that the dates span, the earliest and latest tenth aside.
    pub years: i32,
    pub timestamp: f64,
    pub kana: f64,
    pub kanji: f64,
    /// Kanji names by the family names of the list: alone, or with something behind.
    pub family: f64,
    pub family_first: f64,
    pub given: f64,
    pub given_last: f64,
    pub kana_family: f64,
    pub kana_family_first: f64,
    pub kana_given: f64,
    pub kana_given_last: f64,
    /// At most three characters.
    pub short: f64,
    /// Two words, parted by a space of any width.
    pub two_words: f64,
    pub latin: f64,
    pub latin_given_first: f64,
    pub latin_family_last: f64,
    pub latin_given: f64,
    pub latin_family: f64,
    pub prefecture: f64,
    pub state: f64,
    pub city: f64,
    pub address: f64,
    pub american_address: f64,
    /// Of addresses, those that begin with a prefecture or a city.
    pub whole_address: f64,
    pub block: f64,
    pub building: f64,
    /// Words with a number at the end, as a building's name with its unit has.
    pub unit: f64,
    pub sex: f64,
    pub age: f64,
    pub letters: f64,
    pub number: f64,
}

impl Content {
    pub(super) fn of(samples: &[&str]) -> Content {
        let samples: Vec<&str> = samples
            .iter()
            .map(|text| text.trim())
            .filter(|text| !text.is_empty() && *text != "NULL" && *text != "\\N")
            .collect();
        let mut content = Content {
            count: samples.len(),
            ..Content::default()
        };
        if samples.is_empty() {
            return content;
        }
        let mut years = Vec::new();
        for sample in &samples {
            content.add(sample, &mut years);
        }
        years.sort_unstable();
        content.year = years.get(years.len() / 2).copied().unwrap_or(0);
        if let Some(last) = years.len().checked_sub(1) {
            content.years = years[last - last / 10] - years[last / 10];
        }
        content.distinct = samples
            .iter()
            .collect::<std::collections::HashSet<_>>()
            .len();
        let total = samples.len() as f64;
        content.divide(total);
        content
    }

    fn add(&mut self, sample: &str, years: &mut Vec<i32>) {
        let folded = fold(sample);
        let digits = folded.bytes().filter(u8::is_ascii_digit).count();
        let only_digits = digits == folded.len();
        let yes = |hit: bool| f64::from(u8::from(hit));
        let letters = folded.chars().any(char::is_alphabetic);
        self.letters += yes(letters);
        self.number += yes(only_digits || folded.parse::<f64>().is_ok());
        self.age +=
            yes(only_digits && digits <= 3 && folded.parse::<u32>().is_ok_and(|age| age <= 110));
        self.sex += yes(sex_key(sample).is_some()
            || matches!(
                folded.as_str(),
                "0" | "9" | "不明" | "その他" | "u" | "other"
            ));
        if folded.contains('@') {
            self.email += yes(email_key(sample).is_some());
            return;
        }
        let date = (!only_digits || digits == 8)
            .then(|| birth_key(sample))
            .flatten();
        if let Some(date) = date {
            years.push(date.year());
            self.date += 1.0;
            let timed =
                folded.contains(':') && !folded.contains("00:00:00") && !folded.ends_with(" 0:00");
            self.timestamp += yes(timed);
        }
        if let Some(number) = phone_key(sample, None).filter(|_| date.is_none() && digits >= 9) {
            let written = folded.starts_with(['0', '+', '(']) || !only_digits;
            self.phone += yes(written);
            self.bare_phone += yes(!written);
            let mobile = ["+8190", "+8180", "+8170", "+8160"]
                .iter()
                .any(|start| number.starts_with(start));
            self.mobile += yes(mobile);
        }
        let hyphened =
            folded.trim_start_matches(['〒', ' ']).as_bytes().get(3) == Some(&b'-') && digits == 7;
        self.postcode += yes(hyphened && postcode_key(sample, Some(Region::Jp)).is_some()
            || folded.len() == 10
                && postcode_key(sample, Some(Region::Us)).is_some()
                && folded.contains('-'));
        self.seven_digits += yes(only_digits && matches!(digits, 6 | 7));
        self.zip += yes((digits == 5 || digits == 4) && only_digits
            || digits == 9 && postcode_key(sample, Some(Region::Us)).is_some());
        self.prefecture += yes(PREFECTURES.contains(&folded.as_str()));
        self.state += yes(US_STATES.has(&folded));
        self.building += yes(is_building(&folded)
            && address_key(sample).is_none_or(|key| key.town.is_empty() || is_building(&key.town)));
        self.block += yes(digits > 0
            && folded.contains(['-', '番', '丁'])
            && !folded.contains('/')
            && digits < 8
            && folded.chars().next().is_some_and(|c| c.is_ascii_digit())
            && !letters_but_block(&folded));
        self.unit += yes(letters
            && folded
                .trim_end_matches(['号', '室', '階'])
                .ends_with(|c: char| c.is_ascii_digit()));
        let words: Vec<&str> = (folded.split([' ', ',']))
            .filter(|word| !word.is_empty() && !is_title(word))
            .collect();
        self.two_words += yes(words.len() == 2);
        self.short += yes(folded.chars().count() <= 3);
        if has_japanese(sample) {
            self.japanese(sample, &folded, digits);
        } else if letters {
            self.latin(sample, &words, folded.contains(','), digits);
        }
    }

    fn japanese(&mut self, sample: &str, folded: &str, digits: usize) {
        let yes = |hit: bool| f64::from(u8::from(hit));
        if let Some(key) = kana_key(sample) {
            self.kana += 1.0;
            self.kana_family += yes(FAMILY_READINGS.has(&key));
            self.kana_family_first += yes(FAMILY_READINGS.begins(&key));
            self.kana_given += yes(GIVEN_READINGS.has(&key));
            self.kana_given_last += yes(GIVEN_READINGS.ends(&key));
            // Hiragana and katakana given names stand in columns of written names too.
            self.given += yes(GIVEN_NAMES.has(folded));
            return;
        }
        if digits > 0 || folded.contains("丁目") {
            if let Some(key) = address_key(sample) {
                self.address += 1.0;
                self.whole_address += yes(!key.region.is_empty() || !key.city.is_empty());
            }
            return;
        }
        let joined: String = folded.chars().filter(|c| *c != ' ').collect();
        let place = joined.ends_with(['市', '区', '町', '村', '郡']) && joined.chars().count() >= 2;
        self.city += yes(place);
        let name = joined.chars().count() <= 8 && !PREFECTURES.contains(&folded);
        self.kanji += yes(name);
        self.family += yes(FAMILY_NAMES.has(&joined));
        self.family_first += yes(name && FAMILY_NAMES.begins(&joined));
        self.given += yes(GIVEN_NAMES.has(&joined));
        self.given_last += yes(name && GIVEN_NAMES.ends(&joined));
    }

    fn latin(&mut self, sample: &str, words: &[&str], comma: bool, digits: usize) {
        let yes = |hit: bool| f64::from(u8::from(hit));
        if digits > 0 {
            self.american_address += yes(address_key(sample).is_some());
            return;
        }
        if latin_name_key(sample).is_none() {
            return;
        }
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return;
        };
        self.latin += yes(words.len() <= 4);
        if words.len() == 1 {
            self.latin_given += yes(US_GIVEN_NAMES.has(first));
            self.latin_family += yes(US_FAMILY_NAMES.has(first));
        } else {
            self.latin_given_first += yes(US_GIVEN_NAMES.has(first)
                || comma && words[1..].iter().any(|word| US_GIVEN_NAMES.has(word)));
            self.latin_family_last += yes(US_FAMILY_NAMES.has(last) || US_FAMILY_NAMES.has(first));
        }
    }

    fn divide(&mut self, total: f64) {
        for share in [
            &mut self.email,
            &mut self.phone,
            &mut self.bare_phone,
            &mut self.mobile,
            &mut self.postcode,
            &mut self.seven_digits,
            &mut self.zip,
            &mut self.date,
            &mut self.timestamp,
            &mut self.kana,
            &mut self.kanji,
            &mut self.family,
            &mut self.family_first,
            &mut self.given,
            &mut self.given_last,
            &mut self.kana_family,
            &mut self.kana_family_first,
            &mut self.kana_given,
            &mut self.kana_given_last,
            &mut self.short,
            &mut self.two_words,
            &mut self.latin,
            &mut self.latin_given_first,
            &mut self.latin_family_last,
            &mut self.latin_given,
            &mut self.latin_family,
            &mut self.prefecture,
            &mut self.state,
            &mut self.city,
            &mut self.address,
            &mut self.american_address,
            &mut self.whole_address,
            &mut self.block,
            &mut self.building,
            &mut self.unit,
            &mut self.sex,
            &mut self.age,
            &mut self.letters,
            &mut self.number,
        ] {
            *share /= total;
        }
    }

    /// How well the values fit a role, 0 to 1: what a header that names the role is held against.
    pub(super) fn fit(&self, role: Role, samples: &[&str]) -> f64 {
        use Role::*;
        // A list of half of all family names finds half of them; a third is plenty.
        let often = |share: f64| (share / 0.3).min(1.0);
        match role {
            Name | ChildName => (self.kanji
                * often(self.family_first.max(self.given_last).max(self.two_words)))
            .max(self.latin * self.two_words.max(often(self.latin_given_first))),
            FamilyName | ChildFamilyName => (self.kanji * often(self.family))
                .max(self.latin.min(1.0 - self.two_words) * often(self.latin_family * 2.0)),
            GivenName | ChildGivenName => ((self.kanji + self.kana).min(1.0)
                * often(self.given * 4.0)
                * (1.0 - self.family).max(0.0))
            .max(self.latin * often(self.latin_given)),
            NameKana | ChildNameKana | FamilyNameKana | GivenNameKana | ChildFamilyNameKana
            | ChildGivenNameKana => self.kana,
            AddressKana => self
                .kana
                .max(1.0 - self.kanji - self.number)
                .clamp(0.0, 1.0),
            Postcode => self.postcode + self.seven_digits.max(self.zip).min(1.0 - self.postcode),
            Address | Address1 => self.address.max(self.american_address),
            Street => self.address.max(self.american_address).max(self.block),
            Address2 | Building => self.building.max(self.unit).max(self.short * 0.8),
            Region => self.prefecture.max(self.state),
            City => self.city.max(self.latin.min(1.0) * 0.95),
            Town => ((self.letters - self.latin) * (1.0 - self.kana)).clamp(0.0, 1.0),
            Block => self.block.max(self.number).max(self.address),
            Phone | Mobile => (self.phone + self.bare_phone).min(1.0),
            Email => self.email,
            BirthDate | ChildBirthDate => (self.date - self.timestamp)
                .max(0.0)
                .max(Format::recognise(role, samples).map_or(0.0, |(_, share)| share)),
            CreatedAt | UpdatedAt => Format::recognise(role, samples)
                .map_or(0.0, |(_, share)| share)
                .max(self.date),
            Age => self.age,
            Sex | ChildSex => {
                if self.distinct <= 4 {
                    self.sex
                } else {
                    0.0
                }
            }
            Id | Code => {
                if self.distinct * 10 >= self.count * 9 {
                    1.0
                } else {
                    0.2
                }
            }
            Other | Skip => 0.0,
        }
    }

    /// What the values alone say, with how sure they are: the likelier first.
    pub(super) fn guesses(&self) -> Vec<(Role, f64)> {
        use Role::*;
        let often = |share: f64| (share / 0.25).min(1.0);
        let mut guesses = vec![
            (Email, self.email * 0.98),
            (Phone, self.phone * 0.97 + self.bare_phone * 0.6),
            (
                Postcode,
                self.postcode * 0.97 + self.seven_digits * 0.5 + self.zip * 0.45,
            ),
            (Region, self.prefecture.max(self.state * 0.93) * 0.99),
            (City, self.city * 0.85),
            (Address, self.address.max(self.american_address) * 0.96),
            (Address2, self.building * 0.93),
            (
                Sex,
                if self.distinct <= 4 && self.letters > 0.5 {
                    self.sex * 0.95
                } else if self.distinct <= 3 {
                    self.sex * 0.45
                } else {
                    0.0
                },
            ),
            (CreatedAt, self.timestamp * 0.55),
        ];
        // Births spread over decades; a year's worth of dates are orders or log-ins.
        let dates = self.date - self.timestamp;
        if dates > 0.5 {
            let spread = self.years >= 2 && self.distinct as f64 >= self.count as f64 * 0.5;
            guesses.push((BirthDate, dates * if spread { 0.93 } else { 0.5 }));
        }
        // A whole name, a family name and a given name look alike but for the names themselves.
        guesses.push((Name, self.kanji * often(self.family_first) * 0.95));
        guesses.push((
            FamilyName,
            self.kanji * (1.0 - self.family_first) * often(self.family) * 0.93,
        ));
        guesses.push((
            GivenName,
            (self.kanji + self.kana).min(1.0)
                * (1.0 - self.family_first).max(0.0)
                * (1.0 - self.family)
                * often(self.given * 3.0)
                * 0.9,
        ));
        guesses.push((NameKana, self.kana * often(self.kana_family_first) * 0.95));
        guesses.push((
            FamilyNameKana,
            self.kana * (1.0 - self.kana_family_first) * often(self.kana_family) * 0.9,
        ));
        guesses.push((
            GivenNameKana,
            self.kana
                * (1.0 - self.kana_family_first)
                * (1.0 - often(self.kana_family))
                * often(self.kana_given)
                * 0.9,
        ));
        guesses.push((
            Name,
            self.latin
                * self.two_words.max(0.8)
                * often(self.latin_given_first)
                * often(self.latin_family_last.max(0.1))
                * 0.95,
        ));
        guesses.push((
            GivenName,
            self.latin * often(self.latin_given) * (1.0 - often(self.latin_family)).max(0.3) * 0.9,
        ));
        guesses.push((
            FamilyName,
            self.latin * often(self.latin_family) * (1.0 - often(self.latin_given)).max(0.3) * 0.9,
        ));
        // Text that is plainly of a kind, with no name of the lists in it, is at least suspected.
        if self.kana > 0.9 && self.distinct > 3 {
            guesses.push((NameKana, 0.55));
        }
        if self.kanji > 0.9 && self.city < 0.3 && self.distinct > 10 {
            guesses.push((Name, 0.4));
        }
        guesses.retain(|(_, sure)| *sure >= 0.3);
        guesses.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut seen = Vec::new();
        guesses.retain(|(role, _)| {
            let new = !seen.contains(role);
            seen.push(*role);
            new
        });
        guesses
    }
}

fn letters_but_block(folded: &str) -> bool {
    folded
        .chars()
        .any(|c| c.is_alphabetic() && !"丁目番地号の".contains(c))
}
