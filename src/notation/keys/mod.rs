//! Keys: one text for every spelling of a value, `None` where a text is no such value.
//!
//! A canary's values and a leaked list's cells go through the same functions, so a key need not be
//! read back; it must only be the same for the same thing, and seldom the same for two.

mod address;
mod date;
mod digest;
mod email;
mod name;
mod phone;
mod postcode;
mod romaji;
mod sex;

pub use address::{
    AddressKey, LOOSE, address_key, address_key_into, former_names, hyphenated, kanji_number,
    region_key,
};
pub(super) use address::{PREFECTURES, split_prefecture};
pub(super) use date::Era;
pub use date::{DateHint, birth_key, birth_key_hinted, epoch_key, is_era, plain_date};
pub use digest::{HashName, digest_key, hashed_email_forms, hashed_phone_forms};
pub use email::{email_key, email_key_into, plain_email_into};
pub(super) use name::is_title;
pub use name::{
    kana_key, kana_key_into, latin_name_key, name_key, name_key_into, plain_kana, plain_name,
    untitled,
};
pub use phone::{phone_key, phone_key_into, plain_phone};
pub use postcode::{postcode_key, postcode_key_into};
pub use romaji::{romaji_key, romaji_key_of_kana};
pub use sex::sex_key;

/// A country whose notation is meant where a text alone does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// Japan.
    Jp,
    /// The United States.
    Us,
}

impl From<crate::persona::Locale> for Region {
    fn from(locale: crate::persona::Locale) -> Region {
        match locale {
            crate::persona::Locale::JaJp => Region::Jp,
            crate::persona::Locale::EnUs => Region::Us,
        }
    }
}

/// The value of a digit of either width.
#[inline]
fn digit(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => '0',
        '０'..='９' => '０',
        _ => return None,
    };
    Some((c as u32 - zero as u32) as u8)
}

/// The text without what spreadsheets wrap around it: `="090..."`, a leading apostrophe, quotes.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix('=').unwrap_or(text);
    text.trim_matches(|c| matches!(c, '"' | '\'')).trim()
}
