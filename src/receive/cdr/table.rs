//! Reading the file: its encoding, its columns, its lines.

use std::io::{Cursor, Read};

use time::macros::format_description;
use time::{OffsetDateTime, Time, UtcOffset};

use super::Record;
use crate::notation::sheet::{DateOrder, day, delimiter};
use crate::notation::transcode::Transcode;
use crate::notation::{encoding, fold};

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who called.
    From,
    /// Who was called.
    To,
    /// When.
    At,
    /// How long.
    Duration,
    /// The call's own name.
    Id,
    /// Call or text message.
    Kind,
}

impl Role {
    /// The role of that name.
    pub fn named(name: &str) -> Option<Role> {
        NAMES
            .iter()
            .find(|(_, names)| names[0] == name)
            .map(|(role, _)| *role)
    }
}

/// Headers by which columns are known; the first is the role's own name.
const NAMES: [(Role, &[&str]); 6] = [
    (
        Role::From,
        &[
            "from",
            "src",
            "caller",
            "calling",
            "calling number",
            "発信者",
            "発信番号",
            "発信元",
            "発信者番号",
        ],
    ),
    (
        Role::To,
        &[
            "to",
            "dst",
            "called",
            "callee",
            "called number",
            "着信番号",
            "着信先",
            "着信者",
            "着番号",
        ],
    ),
    (
        Role::At,
        &[
            "at",
            "date",
            "time",
            "start",
            "start time",
            "calldate",
            "日時",
            "開始日時",
            "着信日時",
            "通話日時",
        ],
    ),
    (
        Role::Duration,
        &["duration", "seconds", "billsec", "通話時間", "通話秒数"],
    ),
    (
        Role::Id,
        &[
            "id", "uniqueid", "call id", "callid", "sid", "通話id", "番号",
        ],
    ),
    (Role::Kind, &["kind", "type", "種別"]),
];

/// How the columns stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Asterisk's, without a header.
    Asterisk,
    /// A header names them; those named here mean what is said here.
    Header(Vec<(String, Role)>),
}

/// How times are written.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The zone of those that say none.
    pub offset: UtcOffset,
    /// The order of days such as 05/11/2026.
    pub order: Option<DateOrder>,
}

/// A line that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// From 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// Why a file holds no records.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// No header, or not all of it.
    #[error(
        "its first line names no column for '{0}': say which it is by --map COLUMN={0}, or --format asterisk for Asterisk's Master.csv"
    )]
    Header(&'static str),
    /// A column that was named is not there.
    #[error("it has no column '{0}'")]
    Column(String),
}

/// Longest line of a record, in bytes.
const LINE: usize = 64 << 10;

/// Reads records one by one, in whatever encoding the file or each of its lines is; with commas, or in a file with a
/// header tabs, semicolons or bars between its cells.
///
/// # Errors
/// [`Unreadable`]. Lines that are not understood go to `bad`.
pub fn read(
    mut file: impl Read,
    layout: &Layout,
    clock: Clock,
    mut take: impl FnMut(Result<Record, BadLine>),
) -> Result<(), Unreadable> {
    let header = matches!(layout, Layout::Header(_));
    let mut begin = Vec::new();
    file.by_ref().take(LINE as u64).read_to_end(&mut begin)?;
    let (encoding, mark) = encoding::guess(&begin);
    let file = Cursor::new(begin.split_off(mark)).chain(file);
    let mut file = WithoutCr(Transcode::new(file, encoding));
    let mut begin = Vec::new();
    file.by_ref().take(LINE as u64).read_to_end(&mut begin)?;
    let between = match layout {
        Layout::Asterisk => b',',
        Layout::Header(said) => delimiter(&begin, |header| {
            let mut names = said.iter().map(|(name, _)| name.as_str());
            let all = names.all(|name| header.contains(&name));
            let said = said.iter().any(|(_, role)| *role == Role::To);
            all && (said || header.iter().any(|name| role(name) == Some(Role::To)))
        }),
    };
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .delimiter(between)
        .from_reader(Cursor::new(begin).chain(file));
    let mut columns: Option<Vec<Option<Role>>> = (!header).then(asterisk);
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) => return Err(error.into()),
                _ => continue,
            },
        }
        let fields: Vec<String> = record.iter().map(text).collect();
        let line = record.position().map_or(0, csv::Position::line);
        let Some(columns) = &columns else {
            columns = Some(named(&fields, layout)?);
            continue;
        };
        let bad = |why: &str| {
            let why = why.to_owned();
            Err(BadLine { line, why })
        };
        take(if record.as_slice().len() > LINE {
            bad("it is too long")
        } else {
            match understood(&fields, columns, clock, line) {
                Ok(record) => Ok(record),
                Err(why) => bad(why),
            }
        });
    }
    match columns {
        Some(_) => Ok(()),
        None => Err(Unreadable::Header("to")),
    }
}

/// The file without carriage returns: the reader would count a CR and its LF as ends of two different lines.
struct WithoutCr<R>(R);

impl<R: std::io::Read> std::io::Read for WithoutCr<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.0.read(buffer)?;
            let mut kept = 0;
            for place in 0..read {
                if buffer[place] != b'\r' {
                    buffer[kept] = buffer[place];
                    kept += 1;
                }
            }
            // Nothing but carriage returns is not the end.
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).trim().to_owned()
}

/// accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer, end, duration,
/// billsec, disposition, amaflags, uniqueid, userfield.
fn asterisk() -> Vec<Option<Role>> {
    let mut columns = vec![None; 18];
    for (place, role) in [
        (1, Role::From),
        (2, Role::To),
        (9, Role::At),
        (12, Role::Duration),
        (16, Role::Id),
    ] {
        columns[place] = Some(role);
    }
    columns
}

/// What a column of this name means.
fn role(name: &str) -> Option<Role> {
    let folded = fold(name);
    let by_name = NAMES
        .iter()
        .find(|(_, names)| names.contains(&folded.trim()));
    by_name.map(|(role, _)| *role)
}

fn named(header: &[String], layout: &Layout) -> Result<Vec<Option<Role>>, Unreadable> {
    let said: &[(String, Role)] = match layout {
        Layout::Header(said) => said,
        Layout::Asterisk => &[],
    };
    if let Some((name, _)) = said.iter().find(|(name, _)| !header.contains(name)) {
        return Err(Unreadable::Column(name.clone()));
    }
    let mut columns: Vec<Option<Role>> = Vec::new();
    for name in header {
        let role = match said.iter().find(|(column, _)| column == name) {
            Some((_, role)) => Some(*role),
            None => role(name),
        };
        // Of two columns that could be it the first is, unless one was named.
        let taken = |role| {
            columns.contains(&Some(role))
                || said
                    .iter()
                    .any(|(column, own)| *own == role && column != name)
        };
        columns.push(role.filter(|role| !taken(*role)));
    }
    match columns.contains(&Some(Role::To)) {
        true => Ok(columns),
        false => Err(Unreadable::Header("to")),
    }
}

fn understood(
    fields: &[String],
    columns: &[Option<Role>],
    clock: Clock,
    line: u64,
) -> Result<Record, &'static str> {
    let get = |role| {
        let place = columns.iter().position(|column| *column == Some(role));
        place
            .and_then(|place| fields.get(place))
            .map(String::as_str)
            .unwrap_or_default()
    };
    if get(Role::To).is_empty() {
        return Err("it does not say who was called");
    }
    let at = match get(Role::At) {
        "" => None,
        text => {
            let why = match clock.order {
                None => {
                    "its time is not one such as 2026-03-01 09:30:00; of one such as 05/11/2026 9:30 say --date-order"
                }
                Some(_) => {
                    "its time is not one such as 2026-03-01 09:30:00, and not one of that --date-order"
                }
            };
            Some(moment(text, clock).ok_or(why)?)
        }
    };
    let id = get(Role::Id);
    let kind = fold(get(Role::Kind));
    Ok(Record {
        line,
        from: get(Role::From).to_owned(),
        to: get(Role::To).to_owned(),
        at,
        duration: get(Role::Duration).to_owned(),
        id: (!id.is_empty()).then(|| id.to_owned()),
        sms: kind.contains("sms") || kind.contains("text") || kind.contains("メッセージ"),
        raw: fields.join("\u{1f}"),
    })
}

/// RFC 3339, seconds since 1970, or a local time.
fn moment(text: &str, clock: Clock) -> Option<OffsetDateTime> {
    let rfc3339 = time::format_description::well_known::Rfc3339;
    if let Ok(at) = OffsetDateTime::parse(text, &rfc3339) {
        return Some(at);
    }
    if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return OffsetDateTime::from_unix_timestamp(text.parse().ok()?).ok();
    }
    let (date, time) = text.split_once([' ', 'T'])?;
    let local = day(date, clock.order)?.with_time(time_of_day(time.trim())?);
    Some(local.assume_offset(clock.offset))
}

/// 9:30, 09:30:05, 09:30:05.123, 9:30 PM.
fn time_of_day(text: &str) -> Option<Time> {
    let text = text.to_ascii_uppercase();
    let forms = [
        format_description!("[hour padding:none]:[minute]:[second]"),
        format_description!("[hour padding:none]:[minute]:[second].[subsecond]"),
        format_description!("[hour padding:none]:[minute]"),
        format_description!("[hour padding:none repr:12]:[minute]:[second] [period]"),
        format_description!("[hour padding:none repr:12]:[minute] [period]"),
    ];
    forms.iter().find_map(|form| Time::parse(&text, form).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{datetime, offset};

    use super::*;

    fn all(bytes: &[u8], layout: &Layout) -> Vec<Result<Record, BadLine>> {
        let mut found = Vec::new();
        read(bytes, layout, JAPAN, |record| found.push(record)).unwrap();
        found
    }

    const JAPAN: Clock = Clock {
        offset: offset!(+9),
        order: None,
    };

    #[test]
    fn tabs_and_semicolons_and_western_times_are_read() {
        for text in [
            "From;To;Date\n090-0000-0000;03-0123-4567;11/26/2026 9:30 PM\n",
            "From\tTo\tDate\n090-0000-0000\t03-0123-4567\t26/11/2026 21:30:00.5\n",
            "From|To|Date\n090-0000-0000|03-0123-4567|26.11.2026 21:30\n",
        ] {
            let found = all(text.as_bytes(), &Layout::Header(Vec::new()));
            let [Ok(record)] = &found[..] else {
                panic!("{text}")
            };
            assert_eq!(record.to, "03-0123-4567", "{text}");
            let at = record.at.unwrap().replace_nanosecond(0).unwrap();
            assert_eq!(at, datetime!(2026-11-26 12:30 UTC), "{text}");
        }
        let text = b"to,at\n03-0123-4567,05/11/2026 9:30\n";
        for (order, month) in [
            (Some(DateOrder::DayFirst), Some(11)),
            (Some(DateOrder::MonthFirst), Some(5)),
            (None, None),
        ] {
            let mut found = Vec::new();
            let clock = Clock { order, ..JAPAN };
            let none = Layout::Header(Vec::new());
            read(&text[..], &none, clock, |record| found.push(record)).unwrap();
            let at = found[0].as_ref().ok().and_then(|record| record.at);
            assert_eq!(at.map(|at| u8::from(at.month())), month);
        }
    }

    #[test]
    fn asterisks_own_file_is_read() {
        let line = "\"\",\"0300000000\",\"0301234567\",\"from-trunk\",\"\"\"A\"\" <0300000000>\",\"SIP/a\",\"\",\"Hangup\",\"\",\"2026-03-01 09:30:00\",,\"2026-03-01 09:30:05\",5,0,\"NO ANSWER\",\"DOCUMENTATION\",\"1772325000.1\",\"\"\n";
        let found = all(line.as_bytes(), &Layout::Asterisk);
        let record = found[0].as_ref().unwrap();
        assert_eq!(
            (record.from.as_str(), record.to.as_str()),
            ("0300000000", "0301234567")
        );
        assert_eq!(record.at, Some(datetime!(2026-03-01 00:30 UTC)));
        assert_eq!(
            (record.duration.as_str(), record.id.as_deref()),
            ("5", Some("1772325000.1"))
        );
    }

    #[test]
    fn other_files_are_read_by_their_headers_in_any_encoding() {
        let text = "着信日時,発信者番号,着信番号,通話時間,種別\r\n2026/3/1 9:30,090-0000-0000,03-0123-4567,12,通話\r\n\
                    きのう,x,03-0123-4567,1,\r\n2026/3/1 9:31,y,,1,\r\n2026/3/1 9:32,z,03-0123-4567,0,SMS\r\n";
        let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        let (euc, _, _) = encoding_rs::EUC_JP.encode(text);
        let utf16: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [text.as_bytes(), &cp932, &euc, &utf16] {
            let found = all(bytes, &Layout::Header(Vec::new()));
            assert_eq!(found.len(), 4);
            assert_eq!(
                found[0].as_ref().unwrap().at,
                Some(datetime!(2026-03-01 00:30 UTC))
            );
            assert!(!found[0].as_ref().unwrap().sms && found[3].as_ref().unwrap().sms);
            let lines: Vec<u64> = found
                .iter()
                .filter_map(|r| r.as_ref().err())
                .map(|bad| bad.line)
                .collect();
            assert_eq!(lines, [3, 4]);
        }
        let said = Layout::Header(vec![("b".to_owned(), Role::To)]);
        let found = all(b"to,b\nwrong,03-0123-4567\n", &said);
        assert_eq!(found[0].as_ref().unwrap().to, "03-0123-4567");
        let nothing = |_| {};
        let none = Layout::Header(Vec::new());
        assert!(matches!(
            read(&b"a,b\n1,2\n"[..], &none, JAPAN, nothing),
            Err(Unreadable::Header("to"))
        ));
        assert!(matches!(
            read(&b""[..], &none, JAPAN, nothing),
            Err(Unreadable::Header("to"))
        ));
        assert!(matches!(
            read(&b"a\n"[..], &said, JAPAN, nothing),
            Err(Unreadable::Column(_))
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes[..], &Layout::Header(Vec::new()), JAPAN, |_| {});
            let _ = read(&bytes[..], &Layout::Asterisk, JAPAN, |_| {});
        }
        #[test]
        fn any_time_is_read(text in "[0-9:/T. 年月日APM-]{0,25}") {
            let _ = moment(&text, JAPAN);
        }
    }
}
