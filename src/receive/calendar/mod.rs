//! The campaign calendar: a CSV of mailings that a source's own side has planned.
//!
//! Whoever plans mailings keeps them in a sheet, so that is what is read: one line for each mailing, with its
//! source, the domain of its author, when it is sent, how exactly, and to what share of the customers.

mod watch;

use std::collections::HashMap;
use std::path::Path;

use csv::StringRecord;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::canary::{Campaign, Domain, SourceName};

pub(super) use watch::run;

/// A calendar of more bytes is none.
const LARGEST: u64 = 4 << 20;
/// Where nothing is said.
const TOLERANCE: Duration = Duration::hours(24);
/// A tolerance of more hides what it should show.
const LONGEST: Duration = Duration::days(60);
const COLUMNS: [&str; 5] = ["source", "sender", "planned", "tolerance", "share"];

/// Reads `file`, a path from `dir`.
///
/// # Errors
/// It cannot be read, or a line is not right; in words, with the line.
pub fn read(dir: &Path, file: &Path) -> Result<Vec<Campaign>, String> {
    let path = dir.join(file);
    let shown = path.display();
    let found = std::fs::metadata(&path).and_then(|found| match found.len() > LARGEST {
        true => Err(std::io::Error::other("it has more than 4 MB")),
        false => std::fs::read(&path),
    });
    let bytes = found.map_err(|error| format!("campaigns: {shown}: {error}"))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| format!("campaigns: {shown}: it is not UTF-8; save it as such"))?;
    parse(&text).map_err(|wrong| format!("campaigns: {shown}, {wrong}"))
}

/// The mailings in a calendar's text, by time.
fn parse(text: &str) -> Result<Vec<Campaign>, String> {
    // The reader would count a CR and its LF as the ends of two lines.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| error.to_string())?.clone();
    let place = |name: &str| head.iter().position(|is| is.eq_ignore_ascii_case(name));
    for name in &COLUMNS[..3] {
        if place(name).is_none() {
            return Err(format!(
                "line 1: there is no column '{name}'; the columns are {}, of which the last two may be left out",
                COLUMNS.join(", ")
            ));
        }
    }
    let places = COLUMNS.map(place);
    let mut campaigns: Vec<(usize, Campaign)> = Vec::new();
    // Up to where, and in which line that is.
    let mut counted = (0, 1);
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        // The reader takes empty lines for the beginning of what follows them.
        let at = record.position().map_or(0, csv::Position::byte);
        let at = usize::try_from(at).unwrap_or_default();
        let rest = text.get(at..).unwrap_or_default();
        let at = text.len() - rest.trim_start_matches('\n').len();
        let passed = text.get(counted.0..at).unwrap_or_default();
        counted = (at, counted.1 + passed.matches('\n').count());
        let line = counted.1;
        let campaign = campaign(&record, &places).map_err(|why| format!("line {line}: {why}"))?;
        campaigns.push((line, campaign));
    }
    campaigns.sort_by_key(|(_, campaign)| campaign.planned);
    // By source and sender, the last one so far.
    let mut before: HashMap<(SourceName, Domain), usize> = HashMap::new();
    for at in 0..campaigns.len() {
        let (line, campaign) = &campaigns[at];
        let (line, begins) = (*line, campaign.begins());
        let key = (campaign.source.clone(), campaign.sender.clone());
        if let Some(last) = before.insert(key, at) {
            let (above, last) = &mut campaigns[last];
            if begins < last.until() {
                let (first, second) = (line.min(*above), line.max(*above));
                return Err(format!(
                    "line {second}: its time overlaps with that of line {first}, by the same sender: one mail would count for both; \
                     give smaller tolerances, or write them as one mailing"
                ));
            }
            last.next = Some(begins);
        }
    }
    Ok(campaigns
        .into_iter()
        .map(|(_, campaign)| campaign)
        .collect())
}

fn campaign(record: &StringRecord, places: &[Option<usize>; 5]) -> Result<Campaign, String> {
    let [source, sender, planned, tolerance, share] = places.map(|place| {
        place
            .and_then(|place| record.get(place))
            .unwrap_or_default()
    });
    let wrong = |what: &str, text: &str, how: &str| format!("{what} '{text}': {how}");
    Ok(Campaign {
        source: source
            .parse::<SourceName>()
            .map_err(|error| wrong("source", source, &error.to_string()))?,
        sender: sender.parse::<Domain>().map_err(|_| {
            wrong(
                "sender",
                sender,
                "it is no domain; write it like news.shop.example",
            )
        })?,
        planned: moment(planned).ok_or_else(|| {
            wrong(
                "planned",
                planned,
                "write the time with its zone, like 2026-12-01T09:00+09:00",
            )
        })?,
        tolerance: match tolerance {
            "" => TOLERANCE,
            text => span(text).filter(|span| *span <= LONGEST).ok_or_else(|| {
                wrong(
                    "tolerance",
                    text,
                    "write it like 90m, 6h or 2d, of 60 days at most",
                )
            })?,
        },
        share: match share {
            "" => 1.0,
            text => portion(text).ok_or_else(|| {
                wrong(
                    "share",
                    text,
                    "write it like 0.3 or 30%, above 0 and at most 1",
                )
            })?,
        },
        next: None,
    })
}

/// A time with its zone; a space for the `T` and no seconds, as sheets write it, will do.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let text = text.replacen(' ', "T", 1);
    let parsed = OffsetDateTime::parse(&text, &Rfc3339);
    // `2026-12-01T09:00` is followed by the zone.
    let seconds = || {
        let (minute, zone) = text.split_at_checked(16)?;
        OffsetDateTime::parse(&format!("{minute}:00{zone}"), &Rfc3339).ok()
    };
    parsed.ok().or_else(seconds)
}

fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number = i64::from(number.parse::<u32>().ok()?);
    match unit {
        "m" => Some(Duration::minutes(number)),
        "h" => Some(Duration::hours(number)),
        "d" => Some(Duration::days(number)),
        _ => None,
    }
}

fn portion(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse::<f64>().ok()?,
    };
    (share > 0.0 && share <= 1.0).then_some(share)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_sheet_is_read_however_it_was_saved() {
        let text = "\u{feff}Planned,Source,Sender,Share,Tolerance,Remark\r\n\
                    2026-12-24 10:00+09:00, school ,news.school.example,30%,2d,\"gifts,\r\nlast call\"\r\n\
                    ,,,,,\r\n\
                    2026-12-01T00:00:00Z,school,school.example\r\n";
        let read = parse(text).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].planned, datetime!(2026-12-01 00:00 UTC));
        assert_eq!((read[0].tolerance, read[0].share), (TOLERANCE, 1.0));
        assert_eq!(read[1].planned, datetime!(2026-12-24 01:00 UTC));
        assert_eq!((read[1].tolerance, read[1].share), (Duration::days(2), 0.3));
        assert_eq!(read[1].sender.as_str(), "news.school.example");
        let weekly = "source,sender,planned\nschool,x.example,2026-12-08T00:00Z\nschool,x.example,2026-12-01T00:00Z\n";
        let weekly = parse(weekly).unwrap();
        assert_eq!(weekly[0].next, Some(weekly[1].begins()));
        assert_eq!(weekly[1].next, None);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let with = |line: &str| {
            let text = format!("source,sender,planned,tolerance,share\r\n\r\n{line}\r\n");
            parse(&text).unwrap_err()
        };
        for (line, told) in [
            ("a b,x.example,2026-12-01T00:00Z", "line 3: source 'a b': "),
            (
                "school,nowhere,2026-12-01T00:00Z",
                "line 3: sender 'nowhere': ",
            ),
            (
                "school,x.example,2026-12-01 09:00",
                "line 3: planned '2026-12-01 09:00': write the time with its zone",
            ),
            ("school,x.example,tomorrow", "line 3: planned 'tomorrow': "),
            (
                "school,x.example,2026-12-01T00:00Z,soon",
                "line 3: tolerance 'soon': ",
            ),
            (
                "school,x.example,2026-12-01T00:00Z,61d",
                "line 3: tolerance '61d': ",
            ),
            (
                "school,x.example,2026-12-01T00:00Z,1d,0",
                "line 3: share '0': ",
            ),
            (
                "school,x.example,2026-12-01T00:00Z,1d,130%",
                "line 3: share '130%': ",
            ),
            (
                "school,x.example,2026-12-01T00:00Z,1d,NaN",
                "line 3: share 'NaN': ",
            ),
            (
                "school,x.example,2026-12-01T00:00Z\nschool,X.example,2026-12-01T09:00+09:00",
                "line 4: its time overlaps with that of line 3",
            ),
        ] {
            let found = with(line);
            assert!(found.starts_with(told), "{line}: {found}");
        }
        let head = parse("source,planned\n").unwrap_err();
        assert!(
            head.starts_with("line 1: there is no column 'sender'"),
            "{head}"
        );
        assert_eq!(parse("source,sender,planned\n").unwrap(), []);
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "\\PC{0,60}") {
            let _ = parse(&format!("source,sender,planned,tolerance,share\n{line}\n"));
            let _ = (moment(&line), span(&line), portion(&line));
        }
    }
}
