//! Contact points of generated people: plausible, and never a stranger's.

use rand::Rng;
use time::Date;

use crate::persona::dice::{Alias, below, chance, pick};

/// Domains of the reserved top-level domain `.example` (RFC 2606), with how common they are.
const DOMAINS: &[(&str, f64)] = &[
    ("mail.example", 34.0),
    ("post.example", 18.0),
    ("inbox.example", 12.0),
    ("webmail.example", 9.0),
    ("home.example", 8.0),
    ("mobile.example", 7.0),
    ("net.example", 6.0),
    ("letters.example", 3.0),
    ("family.example", 2.0),
    ("city-net.example", 1.0),
];

pub(super) struct Mail {
    domains: Alias,
}

impl Mail {
    pub(super) fn new() -> Mail {
        Mail {
            domains: Alias::new(DOMAINS.iter().map(|(_, weight)| *weight)),
        }
    }

    /// A mail address made from a name in ASCII, by one of the habits that people have.
    pub(super) fn address<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        family: &str,
        given: &str,
        birth: Date,
    ) -> String {
        let (year, day) = (birth.year(), birth.day());
        let initial = |name: &str| name.chars().next().unwrap_or('x');
        let mut local = match below(rng, 100) {
            0..24 => format!("{given}.{family}"),
            24..38 => format!("{family}.{given}"),
            38..50 => format!("{given}{family}"),
            50..60 => format!("{}{family}", initial(given)),
            60..68 => format!("{family}{}", initial(given)),
            68..76 => format!("{given}_{family}"),
            76..84 => format!("{given}{:02}{day:02}", u8::from(birth.month())),
            84..92 => format!("{given}-{}", initial(family)),
            _ => format!("{family}{year}"),
        };
        local.retain(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
        // Common names were taken when they signed up.
        match below(rng, 10) {
            0..3 => local.push_str(&format!("{:02}", year % 100)),
            3..5 => local.push_str(&(1 + below(rng, 999)).to_string()),
            _ => {}
        }
        format!("{local}@{}", DOMAINS[self.domains.draw(rng)].0)
    }
}

/// A Japanese mobile number in E.164 whose digit behind the prefix is 0, which is never issued.
/// 080-0 is left out: 0800 numbers are freephones of companies.
pub(super) fn japanese_mobile<R: Rng + ?Sized>(rng: &mut R) -> String {
    let prefix = pick(rng, &["90", "70"]);
    format!("+81{prefix}0{:07}", below(rng, 10_000_000))
}

/// A Japanese landline in E.164 that begins with these digits (0-led: an area code and the start of
/// an exchange that is never issued).
pub(super) fn japanese_landline<R: Rng + ?Sized>(rng: &mut R, never_issued: &str) -> String {
    let start = never_issued.trim_start_matches('0');
    let width = 10 - never_issued.len();
    let rest = below(rng, 10u32.pow(width as u32));
    format!("+81{start}{rest:0width$}")
}

/// A number of the exchange 555-0100 to 555-0199, which is kept for fiction, in E.164.
pub(super) fn american_phone<R: Rng + ?Sized>(rng: &mut R, area_code: &str) -> String {
    format!("+1{area_code}55501{:02}", below(rng, 100))
}

/// What of its contact points a household has. Younger people have no landline, older ones less
/// often a mail address.
pub(super) struct Presence {
    pub(super) landline: bool,
    pub(super) mobile: bool,
    pub(super) email: bool,
}

pub(super) fn presence<R: Rng + ?Sized>(rng: &mut R, age: i32, on: Date) -> Presence {
    // Landlines fade by about two points a year.
    let earlier = (2024 - on.year()).clamp(-10, 15) * 2;
    let landline = match age {
        ..30 => 6,
        30..40 => 14,
        40..50 => 34,
        50..60 => 55,
        60..70 => 72,
        _ => 84,
    };
    let presence = Presence {
        landline: chance(rng, (landline + earlier).clamp(2, 95) as u32),
        mobile: chance(rng, if age < 70 { 95 } else { 72 }),
        email: chance(rng, if age < 70 { 88 } else { 48 }),
    };
    Presence {
        // A customer can be called.
        mobile: presence.mobile || !presence.landline,
        ..presence
    }
}
