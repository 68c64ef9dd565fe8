//! Hours of the day, as a person gives them.

use serde::{Deserialize, Serialize};

/// From one full hour to another, on the table's clock; over midnight if the second is the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The first hour, 0 to 23.
    pub from: u8,
    /// The hour at which it is over, 1 to 24.
    pub to: u8,
}

/// When people are awake.
pub(super) const WAKING: Hours = Hours { from: 8, to: 22 };

impl Hours {
    /// Whether the hour that begins then is one of them.
    pub fn holds(self, hour: u8) -> bool {
        match self.from < self.to {
            true => (self.from..self.to).contains(&hour),
            false => hour >= self.from || hour < self.to,
        }
    }
}

impl std::str::FromStr for Hours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Hours, InvalidHours> {
        let parsed = text.split_once('-').and_then(|(from, to)| {
            let hours = Hours {
                from: from.trim().parse().ok()?,
                to: to.trim().parse().ok()?,
            };
            let sound = hours.from < 24 && (1..=24).contains(&hours.to) && hours.from != hours.to;
            sound.then_some(hours)
        });
        parsed.ok_or_else(|| InvalidHours(text.to_owned()))
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

/// A text that names no hours.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' names no hours: write them as 8-22 (over midnight: 18-3)")]
pub struct InvalidHours(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_and_hold() {
        let day: Hours = "8-22".parse().unwrap();
        assert!(day.holds(8) && day.holds(21) && !day.holds(22) && !day.holds(7));
        let night: Hours = "18-3".parse().unwrap();
        assert!(night.holds(18) && night.holds(0) && night.holds(2) && !night.holds(3));
        assert!("0-24".parse::<Hours>().unwrap().holds(23));
        for wrong in ["", "8", "8-8", "24-3", "3-25", "-1-4", "a-b", "3-0"] {
            assert!(wrong.parse::<Hours>().is_err(), "{wrong}");
        }
    }
}
