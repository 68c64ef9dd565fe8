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
pub use fold::{fold, has_japanese, tame, turns};
pub use format::{
    AddressFormat, AddressStart, AmericanAddress, BlockStyle, DateFormat, Format, Gap,
    JapaneseAddress, KanaFormat, NameFormat, PhoneFormat, PostcodeFormat, Script, Separator,
    SexFormat, StreetType, TextFormat, TimestampFormat, UnitStyle, UnitWord, UnknownFormat,
};
pub use keys::{
    AddressKey, DateHint, HashName, Region, address_key, birth_key, birth_key_hinted, digest_key,
    email_key, epoch_key, hashed_email_forms, hashed_phone_forms, hyphenated, is_era, kana_key,
    latin_name_key, name_key, phone_key, postcode_key, region_key, romaji_key, romaji_key_of_kana,
    sex_key,
};

pub use mapping::{MappedColumn, Mapping, MappingError, MappingFile};
pub use profile::shape;
pub use related::{Related, RelatedRows};
pub use role::{Role, UnknownRole};
pub use write::{Surroundings, cells, value};
