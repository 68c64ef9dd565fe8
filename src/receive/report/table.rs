//! Reports in a CSV file, as a customer desk's program writes them.

use super::{Report, Via, moment_in};
use crate::notation::fold;
use crate::notation::sheet::{DateOrder, decoded, delimiter};

/// What a column means, by its header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    At,
    About,
    Via,
    Source,
    Id,
    Note,
}

const HEADERS: [(Column, &[&str]); 6] = [
    (
        Column::At,
        &[
            "at",
            "date",
            "received",
            "日付",
            "受付日",
            "受付日時",
            "日時",
        ],
    ),
    (
        Column::About,
        &[
            "about",
            "firm",
            "company",
            "sender",
            "業者",
            "会社",
            "会社名",
            "差出人",
            "事業者",
        ],
    ),
    (
        Column::Via,
        &["via", "channel", "媒体", "方法", "手段", "経路"],
    ),
    (Column::Source, &["source", "database", "データベース"]),
    (Column::Id, &["id", "number", "番号", "受付番号"]),
    (Column::Note, &["note", "text", "内容", "備考", "メモ"]),
];

/// A row that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Line in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// Why a file holds no reports.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not text in an encoding that is known.
    #[error("it is neither UTF-8 nor CP932: save it as CSV in UTF-8")]
    Encoding,
    /// No header, or not all of it.
    #[error(
        "its first line names no column for {0}: write a header with at (日付), about (会社), and where you have them via (媒体), source, id (番号), note (内容)"
    )]
    Header(&'static str),
}

/// The reports of a file.
pub struct Table {
    /// Line, report, its moment, and the row as it came.
    pub reports: Vec<(u64, Report, time::OffsetDateTime, String)>,
    /// Rows that were not understood.
    pub bad: Vec<BadRow>,
}

impl Table {
    /// Reads a file, whose days are written in that order where it could be either.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(bytes: &[u8], order: Option<DateOrder>) -> Result<Table, Unreadable> {
        // The reader counts a CR and its LF as ends of two different lines.
        let text = decoded(bytes)
            .ok_or(Unreadable::Encoding)?
            .replace("\r\n", "\n");
        let knows = |header: &[&str]| {
            let has = |wanted| header.iter().any(|name| column(name) == Some(wanted));
            has(Column::At) && has(Column::About)
        };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(delimiter(text.as_bytes(), knows))
            .from_reader(text.as_bytes());
        let header = reader.headers().cloned().unwrap_or_default();
        let columns: Vec<Option<Column>> = header.iter().map(column).collect();
        let place = |wanted| columns.iter().position(|column| *column == Some(wanted));
        let at = place(Column::At).ok_or(Unreadable::Header("the day"))?;
        let about = place(Column::About).ok_or(Unreadable::Header("the firm"))?;
        let mut table = Table {
            reports: Vec::new(),
            bad: Vec::new(),
        };
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    table.bad(line, &error.to_string());
                    continue;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            let get = |place: Option<usize>| {
                place
                    .and_then(|place| record.get(place))
                    .map(str::trim)
                    .unwrap_or_default()
            };
            let Some(moment) = moment_in(get(Some(at)), order) else {
                let why = match order {
                    None => {
                        "its day is not one such as 2026-03-01; of one such as 05/11/2026 say --date-order"
                    }
                    Some(_) => {
                        "its day is not one such as 2026-03-01, and not one of that --date-order"
                    }
                };
                table.bad(line, why);
                continue;
            };
            let source = match get(place(Column::Source)) {
                "" => None,
                name => match name.parse() {
                    Ok(name) => Some(name),
                    Err(_) => {
                        table.bad(line, "its source is no source's name");
                        continue;
                    }
                },
            };
            let id = get(place(Column::Id));
            let report = Report {
                about: get(Some(about)).to_owned(),
                via: via(get(place(Column::Via))),
                source,
                note: get(place(Column::Note)).to_owned(),
                by: String::new(),
                id: (!id.is_empty()).then(|| id.to_owned()),
            };
            let row: Vec<&str> = record.iter().collect();
            table
                .reports
                .push((line, report, moment, row.join("\u{1f}")));
        }
        Ok(table)
    }

    fn bad(&mut self, line: u64, why: &str) {
        let why = why.to_owned();
        self.bad.push(BadRow { line, why });
    }
}

fn column(header: &str) -> Option<Column> {
    let header = fold(header);
    let named = HEADERS
        .iter()
        .find(|(_, names)| names.contains(&header.trim()));
    named.map(|(column, _)| *column)
}

fn via(text: &str) -> Via {
    let text = fold(text);
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["sms", "ショートメッセージ"]) {
        Via::Sms
    } else if says(&["phone", "call", "電話"]) {
        Via::Phone
    } else if says(&["post", "letter", "dm", "郵便", "はがき", "封書"]) {
        Via::Post
    } else if says(&["mail", "メール"]) {
        Via::Mail
    } else {
        Via::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desks_file_is_read_in_either_encoding() {
        let text = "受付日,会社名,媒体,受付番号,内容\r\n2014/6/27,株式会社ことば,郵便DM,1,子どもの名前で\r\n\
                    いつか,株式会社ことば,電話,2,\r\n2014-06-28,,電話,3,\r\n";
        let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        for bytes in [text.as_bytes(), &cp932] {
            let table = Table::read(bytes, None).unwrap();
            assert_eq!(table.bad.len(), 1);
            assert_eq!(table.bad[0].line, 3);
            let (line, report, at, _) = &table.reports[0];
            assert_eq!(
                (*line, report.via, report.about.as_str()),
                (2, Via::Post, "株式会社ことば")
            );
            assert_eq!((at.year(), report.id.as_deref()), (2014, Some("1")));
            assert_eq!(table.reports.len(), 2);
        }
        assert!(matches!(
            Table::read(b"a,b\n1,2\n", None),
            Err(Unreadable::Header("the day"))
        ));
        let read = |bytes: &[u8]| Table::read(bytes, None);
        assert!(matches!(read(b"a\xff\n"), Err(Unreadable::Encoding)));
        assert!(matches!(read(b""), Err(Unreadable::Header(_))));
    }

    #[test]
    fn tabs_and_semicolons_and_days_of_either_order_are_read() {
        for text in [
            "received;firm;note\n05/11/2026 9:30;A; b, c\n26.11.2026;B;\n",
            "received\tfirm\tnote\n05/11/2026 9:30\tA\tb, c\n26.11.2026\tB\t\n",
        ] {
            let days = |order| {
                let table = Table::read(text.as_bytes(), order).unwrap();
                let reports = table.reports.iter();
                let days = reports.map(|(_, report, at, _)| {
                    let (month, day) = (u8::from(at.month()), at.day());
                    (report.about.clone(), month, day)
                });
                (days.collect::<Vec<_>>(), table.bad.len())
            };
            let told = |about: &str, month, day| (about.to_owned(), month, day);
            let b = told("B", 11, 26);
            let first = |order| days(Some(order));
            let dmy = first(DateOrder::DayFirst);
            assert_eq!(dmy, (vec![told("A", 11, 5), b.clone()], 0));
            let mdy = first(DateOrder::MonthFirst);
            assert_eq!(mdy, (vec![told("A", 5, 11), b.clone()], 0));
            assert_eq!(days(None), (vec![b], 1));
        }
    }
}
