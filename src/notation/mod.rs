//! How values are written: folding spellings to one key, recognising a column's format, writing a
//! value in a given format. Pure.

mod codes;
pub mod column;
pub mod encoding;
mod fold;
mod format;
mod kanji;
mod keys;
mod mapping;
mod profile;
mod related;
mod role;
pub mod sheet;
pub mod transcode;
mod words;
mod write;

pub use codes::Codes;
pub use fold::{fold, fold_into, fold_kanji, has_japanese, tame, turns};
pub use format::{
    AddressFormat, AddressStart, AmericanAddress, BlockStyle, DateFormat, Format, Gap,
    JapaneseAddress, KanaFormat, NameFormat, PhoneFormat, PostcodeFormat, Script, Separator,
    SexFormat, StreetType, TextFormat, TimestampFormat, UnitStyle, UnitWord, UnknownFormat,
};
pub use keys::{
    AddressKey, DateHint, HashName, LOOSE, Region, address_key, address_key_into, birth_key,
    birth_key_hinted, digest_key, email_key, email_key_into, epoch_key, former_names,
    hashed_email_forms, hashed_phone_forms, hyphenated, is_era, kana_key, kana_key_into,
    kanji_number, latin_name_key, name_key, name_key_into, phone_key, phone_key_into, plain_date,
    plain_email_into, plain_kana, plain_name, plain_phone, postcode_key, postcode_key_into,
    region_key, romaji_key, romaji_key_of_kana, sex_key, untitled,
};

pub use mapping::{MappedColumn, Mapping, MappingError, MappingFile};
pub use profile::shape;
pub use related::{Related, RelatedRows};
pub use role::{Role, UnknownRole};
pub use write::{Surroundings, cells, value};
