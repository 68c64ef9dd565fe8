//! Customers' own reports: 'I got mail from a firm that I never dealt with'.
//!
//! They come from the customer desk's form, over the API, and from files. One says little: people forget
//! whom they have dealt with. More of them than ordinarily say that a list is out before any canary is hit
//! (see `surge.rs`). Of who reports nothing is asked: what the firm is, by which way it wrote, and which
//! source's customer it was.

mod form;
mod public;
mod route;
mod surge;
mod table;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, Time, UtcOffset};

use super::hex;
use crate::canary::{Channel, SourceName};
use crate::notation::sheet::{DateOrder, day};
use crate::registry::{NewMessage, Registry, Result};

pub use public::ReportConfig;
pub(super) use public::{Public, routes as public_routes};
pub(super) use route::{api, routes};
pub use surge::{Surge, WATCHED};
pub use table::{BadRow, Table, Unreadable};

/// The longest text in a field, in characters.
const TEXT: usize = 500;
/// Reports of long ago are of no use, and a typing error.
const OLDEST: Duration = Duration::days(3650);

/// By which way the firm wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A letter.
    Post,
    /// A call.
    Phone,
    /// A text message.
    Sms,
    /// A mail.
    Mail,
    /// Not said.
    #[default]
    Unknown,
}

/// A report, as it is stored.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The firm that wrote.
    pub about: String,
    /// By which way.
    pub via: Via,
    /// The source whose customer reports, where that is known.
    pub source: Option<SourceName>,
    /// What else was said.
    pub note: String,
    /// Who filed it.
    pub by: String,
    /// The desk's own number for it.
    pub id: Option<String>,
}

/// What is wrong with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// No firm.
    #[error("'about' is empty: which firm wrote?")]
    Nobody,
    /// The day is none.
    #[error("'at' lies in the future, or more than ten years ago")]
    When,
}

impl Report {
    /// The message to store, of a report that was made at `at`. `told` is what came in, as it came: the same
    /// again is the same report, unless the desk's number says otherwise.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn message(
        mut self,
        at: OffsetDateTime,
        told: &[u8],
        now: OffsetDateTime,
    ) -> std::result::Result<NewMessage, Invalid> {
        for text in [&mut self.about, &mut self.note, &mut self.by] {
            *text = text.trim().chars().take(TEXT).collect();
        }
        if self.about.is_empty() {
            return Err(Invalid::Nobody);
        }
        if at > now + Duration::days(1) || at < now - OLDEST {
            return Err(Invalid::When);
        }
        let same_as = match &self.id {
            // Each source's desk has numbers of its own.
            Some(id) => {
                let desk = self.source.as_ref().map_or("", SourceName::as_str);
                format!("report {desk} {id}")
            }
            None => format!("report of {}", hex(&Sha256::digest(told))),
        };
        Ok(NewMessage {
            at: at.min(now),
            channel: Channel::Report,
            envelope: serde_json::to_string(&self).expect("texts are JSON"),
            recipients: Vec::new(),
            raw: told.to_vec(),
            same_as: Some(same_as),
        })
    }
}

/// A moment, or a day, which is taken as its noon in UTC.
pub fn moment(text: &str) -> Option<OffsetDateTime> {
    moment_in(text, None)
}

/// The same, of a day that is written in this order.
fn moment_in(text: &str, order: Option<DateOrder>) -> Option<OffsetDateTime> {
    let text = text.trim();
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(at);
    }
    let day = day(text.split([' ', 'T']).next()?, order)?;
    Some(day.with_hms(12, 0, 0).ok()?.assume_utc())
}

/// Reports of a source day by day (UTC), the last one that of `at`; and whether they are more than they
/// ordinarily are. `more` are counted to the last day. Without a source: all reports that no source's incident
/// explains, since whoever says nothing of where he is a customer can be compared with everybody alone; those of
/// sources younger than the days compared are left out.
///
/// # Errors
/// The registry fails.
pub async fn days(
    registry: &Registry,
    source: Option<&SourceName>,
    at: OffsetDateTime,
    more: u64,
) -> Result<(Vec<u64>, Option<Surge>)> {
    let most = surge::BASELINE + surge::GUARD;
    let mut counts = registry.reports_by_day(source, at, most).await?;
    if let Some(last) = counts.last_mut() {
        *last += more;
    }
    let surge = surge::surge(&counts, weekday(at));
    Ok((counts, surge))
}

/// The surges that ended within the last week, as the reports stand now, each with the last moment of its last
/// day, newest first. Each report is compared with those before it when it comes; where older ones come in later,
/// what is ordinary is known only then.
///
/// # Errors
/// The registry fails.
pub async fn lately(
    registry: &Registry,
    source: Option<&SourceName>,
    now: OffsetDateTime,
) -> Result<Vec<(Surge, OffsetDateTime)>> {
    let mut found = Vec::new();
    let mut end = now;
    for _ in 0..surge::GUARD {
        let (_, surge) = days(registry, source, end, 0).await?;
        found.extend(surge.map(|surge| (surge, end)));
        let today = end.to_offset(UtcOffset::UTC).replace_time(Time::MIDNIGHT);
        end = today - Duration::MICROSECOND;
    }
    Ok(found)
}

/// 0 for a Monday.
fn weekday(at: OffsetDateTime) -> usize {
    let day = at.to_offset(UtcOffset::UTC).weekday();
    usize::from(day.number_days_from_monday())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn days_are_read_as_they_are_written() {
        let noon = datetime!(2014-06-27 12:00 UTC);
        for text in [
            "2014-06-27",
            "2014/6/27",
            "2014年6月27日",
            "2014.06.27 09:12",
        ] {
            assert_eq!(moment(text), Some(noon), "{text}");
        }
        assert_eq!(
            moment("2014-06-27T09:00:00+09:00"),
            Some(datetime!(2014-06-27 00:00 UTC))
        );
        for text in ["", "27/6", "2014-13-01", "2014-02-30", "June"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn a_report_says_who_wrote_and_when() {
        let now = datetime!(2026-03-01 12:00 UTC);
        let report = |about: &str| Report {
            about: about.to_owned(),
            ..Report::default()
        };
        assert_eq!(
            report(" ").message(now, b"", now).err(),
            Some(Invalid::Nobody)
        );
        let late = now + Duration::days(2);
        assert_eq!(
            report("x").message(late, b"", now).err(),
            Some(Invalid::When)
        );
        let long = report(&"あ".repeat(10_000))
            .message(now, b"told", now)
            .unwrap();
        assert!(long.envelope.chars().count() < 700);
    }
}
