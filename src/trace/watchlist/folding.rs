//! What this program makes of some fixed texts.
//!
//! Keys are compared by their fingerprints, so the maker of a watch list and its reader have to fold
//! alike; where they do not, canaries would be missed and nobody would know. A list therefore says
//! what its maker made of the texts below.

use sha2::{Digest, Sha256};

use super::super::memory::Memory;
use super::super::normalise::Plan;
use crate::notation::{Region, Role};

/// Rows in which what has been folded in more than one way over the years comes together.
const PROBES: [(Region, [&str; 6]); 5] = [
    (
        Region::Jp,
        [
            "髙橋　花子様",
            "タカハシ　ハナコ",
            "〒100-0001",
            "東京都千代田区千代田１丁目２番３号　メゾン千代田４０５号室",
            "０９０‐0000-0000",
            "昭和60年4月1日",
        ],
    ),
    (
        Region::Jp,
        [
            "渡邊 齋",
            "ﾜﾀﾅﾍﾞ ｲﾂｷ",
            "6048001",
            "京都市中京区大字某字下ケ谷二十三の四",
            "+81 90 0000 0000",
            "R1.5.1",
        ],
    ),
    (
        Region::Jp,
        [
            "大野 ヴァネッサ",
            "オオノ・ばねっさ",
            "060ー0001",
            "札幌市中央区北一条西2-1-1-305",
            "9000000000",
            "1985/4/1",
        ],
    ),
    (
        Region::Us,
        [
            "O’Neil-Smith, Mary Jr.",
            "",
            "10001-0000",
            "12 North Main Street Apt #4B, Springfield",
            "(202) 555-0100 ext. 5",
            "04/01/85",
        ],
    ),
    (
        Region::Us,
        [
            "José Muñoz",
            "",
            "10001",
            "12 N. Main St. # 4-B",
            "1-202-555-0100",
            "April 1, 1985",
        ],
    ),
];
/// What the texts of a row are.
const ROLES: [Role; 6] = [
    Role::Name,
    Role::NameKana,
    Role::Postcode,
    Role::Address,
    Role::Phone,
    Role::BirthDate,
];
/// Addresses of mail have no country.
const MAIL: [&str; 3] = [
    "Hanako+news@Example.COM",
    "ｈａｎａｋｏ@mail.example",
    "\"a b\"@a.test",
];

/// A digest of the keys of the fixed texts.
pub fn folding() -> String {
    let mut hash = Sha256::new();
    let mut take = |plan: Plan, cells: &[&str]| {
        plan.keys(
            &mut Memory::brief(),
            |place| cells.get(place).copied().unwrap_or_default(),
            &mut |key| {
                hash.update([key.class as u8, key.text.len() as u8]);
                hash.update(key.text);
                hash.update(key.city);
                hash.update([0]);
            },
        );
        hash.update([0xff]);
    };
    for (region, cells) in PROBES {
        take(Plan::new(&ROLES.map(Some), Some(region)), &cells);
    }
    for mail in MAIL {
        take(Plan::new(&[Some(Role::Email)], None), &[mail]);
    }
    crate::evidence::hex(&hash.finalize()[..8])
}
