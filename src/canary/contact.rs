//! Contact points: mail domains, mailboxes, phone numbers and postal drops that the operator owns.

use serde::{Deserialize, Serialize};

use crate::persona::{Address, Locale};

/// A text that is not a contact point of the wanted kind. It repeats what the operator typed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidContact {
    /// Not a host name of at least two labels.
    #[error(
        "'{0}' is not a mail domain: give a host name such as mail.example, without '@' or spaces"
    )]
    Domain(String),
    /// Not `local@domain`.
    #[error("'{0}' is not a mail address: give it as name@domain")]
    Address(String),
    /// Not a number that can be written in E.164.
    #[error(
        "'{0}' is not a telephone number: give it as +81..., +1..., or in Japanese notation with its leading 0 (03-..., 090-...)"
    )]
    Phone(String),
    /// A range of units that is empty, reversed or unreadable.
    #[error("'{0}' is not a range of units: give it as 101-999, or as names parted by '|'")]
    Units(String),
}

macro_rules! secret_text {
    ($(#[doc = $doc:literal])+ $name:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);
        impl $name {
            /// The text itself; it must not reach logs, metrics or errors.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidContact;
            fn try_from(text: String) -> Result<$name, InvalidContact> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }
    };
}

secret_text! {
    /// A mail domain in lower case, ASCII (an internationalised one in its `xn--` form).
    Domain
}
secret_text! {
    /// A mail address; the domain is lower case, the local part as given (RFC 5321 leaves it to us).
    MailAddress
}
secret_text! {
    /// A telephone number in E.164 (`+819001234567`).
    PhoneNumber
}

impl std::str::FromStr for Domain {
    type Err = InvalidContact;
    fn from_str(text: &str) -> Result<Domain, InvalidContact> {
        let invalid = || InvalidContact::Domain(text.to_owned());
        let trimmed = text.trim().trim_end_matches('.');
        let forbidden = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '@' | '/' | ':' | '[' | ']')
        };
        if trimmed.is_empty() || trimmed.contains(forbidden) {
            return Err(invalid());
        }
        // url's host parser does IDNA (UTS 46) and refuses what no host name may hold.
        let host = url::Host::parse(trimmed).map_err(|_| invalid())?;
        let url::Host::Domain(ascii) = host else {
            return Err(invalid());
        };
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let valid = ascii.len() <= 253 && ascii.contains('.') && ascii.split('.').all(label);
        if valid {
            Ok(Domain(ascii))
        } else {
            Err(invalid())
        }
    }
}

impl MailAddress {
    /// What stands before the last `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands behind the last `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl std::str::FromStr for MailAddress {
    type Err = InvalidContact;
    fn from_str(text: &str) -> Result<MailAddress, InvalidContact> {
        let invalid = || InvalidContact::Address(text.to_owned());
        let trimmed = text.trim();
        let (local, domain) = trimmed.rsplit_once('@').ok_or_else(invalid)?;
        let domain: Domain = domain.parse().map_err(|_| invalid())?;
        let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
        let plain = !local.is_empty()
            && !local.contains(|c: char| {
                c.is_whitespace() || c.is_control() || "<>()[]\\,;:@\"".contains(c)
            });
        if local.len() <= 64 && (quoted || plain) && !local.contains(char::is_control) {
            Ok(MailAddress(format!("{local}@{}", domain.as_str())))
        } else {
            Err(invalid())
        }
    }
}

impl PhoneNumber {
    /// The number as people of its country write it without hyphens (`09001234567`, `2025550123`);
    /// digits after the `+` for other countries.
    pub fn national(&self) -> String {
        match (self.0.strip_prefix("+81"), self.0.strip_prefix("+1")) {
            (Some(rest), _) => format!("0{rest}"),
            (_, Some(rest)) => rest.to_owned(),
            _ => self.0.trim_start_matches('+').to_owned(),
        }
    }

    /// Whether this is a Japanese mobile number (060, 070, 080, 090).
    pub fn is_japanese_mobile(&self) -> bool {
        is_japanese_mobile(&self.0)
    }
}

/// Whether a number in international form (`+81…`, as `phone_key` gives it) is a Japanese mobile one
/// (060, 070, 080, 090).
pub fn is_japanese_mobile(number: &str) -> bool {
    ["+8160", "+8170", "+8180", "+8190"]
        .iter()
        .any(|prefix| number.starts_with(prefix))
}

impl std::str::FromStr for PhoneNumber {
    type Err = InvalidContact;
    fn from_str(text: &str) -> Result<PhoneNumber, InvalidContact> {
        use unicode_normalization::UnicodeNormalization;
        let invalid = || InvalidContact::Phone(text.to_owned());
        let folded: String = text.trim().nfkc().collect();
        let mut digits = String::new();
        for c in folded.chars() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if digits.is_empty() => {}
                ' ' | '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー' => {
                }
                _ => return Err(invalid()),
            }
        }
        let e164 = if folded.starts_with('+') {
            // 0 after a country code is a national prefix that does not belong there (+81 (0)3 ...).
            match digits.strip_prefix("810") {
                Some(rest) => format!("81{rest}"),
                None => digits,
            }
        } else if let Some(national) = digits.strip_prefix('0') {
            format!("81{national}")
        } else if digits.len() == 10 {
            format!("1{digits}")
        } else if digits.len() == 11 && digits.starts_with('1') {
            digits
        } else {
            return Err(invalid());
        };
        let valid = match e164.as_bytes() {
            [b'8', b'1', rest @ ..] => matches!(rest.len(), 9 | 10) && rest[0] != b'0',
            // North American plan: area codes begin with 2 to 9.
            [b'1', rest @ ..] => rest.len() == 10 && rest[0] >= b'2',
            other => (8..=15).contains(&other.len()) && other[0] != b'0',
        };
        if valid {
            Ok(PhoneNumber(format!("+{e164}")))
        } else {
            Err(invalid())
        }
    }
}

/// What tells the canaries of one postal drop apart on an envelope.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Room numbers, both ends included.
    Range(u32, u32),
    /// Names: c/o variants, wings, private spellings of the building. A house, which has no units and
    /// carries one canary, has one empty name.
    Named(Vec<String>),
}

/// How the units of a house are typed.
const HOUSE: &str = "none";

impl Units {
    /// How many households the drop carries.
    pub fn capacity(&self) -> usize {
        match self {
            Units::Range(first, last) => (last - first + 1) as usize,
            Units::Named(names) => names.len(),
        }
    }

    /// The `index`th unit.
    pub fn nth(&self, index: usize) -> Option<String> {
        match self {
            Units::Range(first, last) => {
                let unit = first.checked_add(u32::try_from(index).ok()?)?;
                (unit <= *last).then(|| unit.to_string())
            }
            Units::Named(names) => names.get(index).cloned(),
        }
    }

    /// The one of a house.
    pub fn house() -> Units {
        Units::Named(vec![String::new()])
    }
}

impl std::fmt::Display for Units {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Units::Range(first, last) => write!(f, "{first}-{last}"),
            house if *house == Units::house() => f.write_str(HOUSE),
            Units::Named(names) => f.write_str(&names.join("|")),
        }
    }
}

impl std::str::FromStr for Units {
    type Err = InvalidContact;
    fn from_str(text: &str) -> Result<Units, InvalidContact> {
        let invalid = || InvalidContact::Units(text.to_owned());
        let trimmed = text.trim();
        if trimmed == HOUSE {
            return Ok(Units::house());
        }
        if let Some((first, last)) = trimmed.split_once('-')
            && let (Ok(first), Ok(last)) = (first.trim().parse(), last.trim().parse())
        {
            // A building with a million rooms is a slip of the keyboard.
            return if first <= last && last - first < 1_000_000 {
                Ok(Units::Range(first, last))
            } else {
                Err(invalid())
            };
        }
        let mut names: Vec<String> = Vec::new();
        for name in trimmed.split('|').map(str::trim) {
            if name.is_empty() || name.contains(char::is_control) || names.iter().any(|n| n == name)
            {
                return Err(invalid());
            }
            names.push(name.to_owned());
        }
        Ok(Units::Named(names))
    }
}

/// A postal address that we own, with what parts its canaries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalDrop {
    /// Locale, which decides how the address is written.
    pub locale: Locale,
    /// The address in parts; `unit` is always empty here.
    pub address: Address,
    /// The address as the operator typed it.
    pub typed: String,
    /// Units or variants.
    pub units: Units,
}

/// Something that the operator owns and from which canaries are given theirs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum ContactPoint {
    /// A domain of which every local part is ours.
    MailDomain(Domain),
    /// One mailbox, at a provider or elsewhere: one canary.
    Mailbox(MailAddress),
    /// A telephone number, which several canaries of a source may share.
    Phone(PhoneNumber),
    /// A postal address with units.
    Drop(Box<PostalDrop>),
}

/// The kinds of contact points, as the command line and JSON name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// `mail`: a catch-all domain.
    Mail,
    /// `mailbox`: a single mail address.
    Mailbox,
    /// `phone`.
    Phone,
    /// `drop`.
    Drop,
}

impl ContactKind {
    /// The kind's name on the command line, in CSV and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            ContactKind::Mail => "mail",
            ContactKind::Mailbox => "mailbox",
            ContactKind::Phone => "phone",
            ContactKind::Drop => "drop",
        }
    }
}

impl ContactPoint {
    /// Its kind.
    pub const fn kind(&self) -> ContactKind {
        match self {
            ContactPoint::MailDomain(_) => ContactKind::Mail,
            ContactPoint::Mailbox(_) => ContactKind::Mailbox,
            ContactPoint::Phone(_) => ContactKind::Phone,
            ContactPoint::Drop(_) => ContactKind::Drop,
        }
    }

    /// Whether a customer of this country could have it: numbers and addresses are of one country,
    /// mail of any.
    pub fn fits(&self, locale: Locale) -> bool {
        match self {
            ContactPoint::MailDomain(_) | ContactPoint::Mailbox(_) => true,
            ContactPoint::Phone(number) => number.as_str().starts_with(locale.country_code()),
            ContactPoint::Drop(drop) => drop.locale == locale,
        }
    }

    /// How many canaries it can carry at the most; `None`: as many as one likes.
    pub fn capacity(&self) -> Option<usize> {
        match self {
            ContactPoint::MailDomain(_) | ContactPoint::Phone(_) => None,
            ContactPoint::Mailbox(_) => Some(1),
            ContactPoint::Drop(drop) => Some(drop.units.capacity()),
        }
    }

    /// What makes it the same contact point as another one.
    pub fn identity(&self) -> String {
        match self {
            ContactPoint::MailDomain(domain) => domain.as_str().to_owned(),
            ContactPoint::Mailbox(address) => address.as_str().to_ascii_lowercase(),
            ContactPoint::Phone(number) => number.as_str().to_owned(),
            ContactPoint::Drop(drop) => format!(
                "{} {}{}{}{} {}",
                drop.address.postcode,
                drop.address.region,
                drop.address.city,
                drop.address.town,
                drop.address.block,
                drop.address.building.as_deref().unwrap_or_default()
            ),
        }
    }
}

impl std::fmt::Debug for ContactPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContactPoint({}, redacted)", self.kind().name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_are_read_as_people_write_them() {
        for (typed, e164) in [
            ("090-0123-4567", "+819001234567"),
            ("０９０ー０１２３ー４５６７", "+819001234567"),
            ("+81 (0)90 0123 4567", "+819001234567"),
            ("03-0123-4567", "+81301234567"),
            ("(202) 555-0123", "+12025550123"),
            ("+1 202 555 0123", "+12025550123"),
            ("+44 20 7946 0123", "+442079460123"),
        ] {
            assert_eq!(
                typed.parse::<PhoneNumber>().unwrap().as_str(),
                e164,
                "{typed}"
            );
        }
        for wrong in [
            "",
            "090",
            "abc",
            "090-0123-45678",
            "+1 102 555 0123",
            "12345",
            "+",
            "00",
        ] {
            assert!(wrong.parse::<PhoneNumber>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn domains_and_addresses() {
        assert_eq!(
            "Mail.Example.".parse::<Domain>().unwrap().as_str(),
            "mail.example"
        );
        assert_eq!(
            "囮.example".parse::<Domain>().unwrap().as_str(),
            "xn--gcs.example"
        );
        for wrong in [
            "",
            "localhost",
            "a b.example",
            "x@y.example",
            "-a.example",
            "192.0.2.1",
            "a..b",
        ] {
            assert!(wrong.parse::<Domain>().is_err(), "{wrong}");
        }
        let address: MailAddress = "Hana@Shop.Example".parse().unwrap();
        assert_eq!(
            (address.local_part(), address.domain()),
            ("Hana", "shop.example")
        );
        assert!("no-at.example".parse::<MailAddress>().is_err());
        assert!("a b@x.example".parse::<MailAddress>().is_err());
    }

    #[test]
    fn units_are_a_range_or_names() {
        let rooms: Units = "101-103".parse().unwrap();
        assert_eq!(
            (rooms.capacity(), rooms.nth(2), rooms.nth(3)),
            (3, Some("103".into()), None)
        );
        let named: Units = "青木様方|A棟".parse().unwrap();
        assert_eq!(named.nth(1).as_deref(), Some("A棟"));
        for wrong in ["9-1", "a|", "a|a"] {
            assert!(wrong.parse::<Units>().is_err(), "{wrong}");
        }
    }
}
