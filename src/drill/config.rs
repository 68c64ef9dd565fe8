//! The `[drill]` section of `otori.toml`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use time::Duration;

/// By which way drills go out, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DrillConfig {
    /// The outside path of mail: a mail server that delivers as a stranger's would, so that our own MX
    /// records, filters and receiver are all in it. As in `[alert]`.
    pub relay: Option<String>,
    /// User name at the relay.
    pub user: Option<String>,
    /// File (0600, relative to the workspace) with the password at the relay.
    pub password_file: Option<PathBuf>,
    /// Root certificates (PEM) of a house of one's own, taken beside the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roots: Option<PathBuf>,
    /// The sender; it must be ours, and should not say what it is for.
    pub from: Option<String>,
    /// The number that calls; without it one that is given to nobody (555-01xx).
    pub caller: Option<String>,
    /// Who writes the letter of `otori drill post`: name and address, as it stands on letters of yours.
    pub sender: Option<String>,
    /// How often the receiver drills each channel of each source by itself (`7d`); without it, never.
    pub every: Option<Span>,
    /// How long a drill for which nobody waits may take.
    pub deadline: Span,
}

impl Default for DrillConfig {
    fn default() -> DrillConfig {
        DrillConfig {
            relay: None,
            user: None,
            password_file: None,
            roots: None,
            from: None,
            caller: None,
            sender: None,
            every: None,
            // Greylisting keeps a mail back for some minutes.
            deadline: Span(Duration::minutes(30)),
        }
    }
}

/// A length of time, as `10s`, `30m`, `12h` or `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

/// A text that is no length of time.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no length of time: write it as 10s, 30m, 12h or 7d")]
pub struct InvalidSpan(String);

const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

impl std::str::FromStr for Span {
    type Err = InvalidSpan;
    fn from_str(text: &str) -> Result<Span, InvalidSpan> {
        let read = || {
            let unit = text.chars().last()?;
            let (_, seconds) = UNITS.iter().find(|(letter, _)| *letter == unit)?;
            let count: u32 = text[..text.len() - 1].parse().ok()?;
            // A century is more than anybody means.
            let all = i64::from(count) * seconds;
            (1..=36_525 * 86_400).contains(&all).then_some(all)
        };
        match read() {
            Some(seconds) => Ok(Span(Duration::seconds(seconds))),
            None => Err(InvalidSpan(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Span {
    type Error = InvalidSpan;
    fn try_from(text: String) -> Result<Span, InvalidSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.0.whole_seconds();
        let fits = |(_, seconds): &&(char, i64)| all % seconds == 0;
        let (letter, seconds) = UNITS.iter().find(fits).unwrap_or(&('s', 1));
        write!(f, "{}{letter}", all / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_written() {
        for (text, seconds) in [
            ("7d", 604_800),
            ("36h", 129_600),
            ("30m", 1800),
            ("10s", 10),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.0.whole_seconds(), seconds);
            assert_eq!(span.to_string(), text);
        }
        for wrong in ["", "d", "0s", "-1d", "7", "7w", "1.5h", "99999999d", "7日"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_empty_section_drills_by_hand_only() {
        let config: DrillConfig = toml::from_str("").unwrap();
        assert_eq!((config.every, config.relay), (None, None));
        let config: DrillConfig = toml::from_str("every = '7d'\ndeadline = '1h'").unwrap();
        assert_eq!(config.every.map(|span| span.0), Some(Duration::days(7)));
        assert!(toml::from_str::<DrillConfig>("every = 'weekly'").is_err());
    }
}
