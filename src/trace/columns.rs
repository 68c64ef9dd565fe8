//! What the columns of a list mean, and whether its first row names them.

mod apart;
mod merged;

pub use apart::Apart;

use super::hashed;
use super::normalise::{Class, Plan};
use super::read::commonest;
use crate::notation::column::{ColumnFacts, SURE, understand, understand_table};
use crate::notation::{
    Format, Region, Role, address_key, birth_key, email_key, epoch_key, phone_key, postcode_key,
};

/// Below this a column's role is no better than none.
const DOUBTFUL: f64 = 0.4;

/// How many rows may stand before the one that names the columns.
const TITLES: usize = 30;

/// How sure it is what a column of digests holds the digests of; both are tried.
const DIGESTS: f64 = 0.5;

/// How sure it is what three columns hold together.
const APART: f64 = 0.8;

/// One column of a list.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name, where the list has a header.
    pub header: Option<String>,
    /// What it means; `None` where nobody knows.
    pub role: Option<Role>,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    pub(super) format: Option<Format>,
}

/// The columns of a list as far as they are understood.
#[derive(Clone, Debug)]
pub struct Columns {
    /// In the list's order; as many as most rows have.
    pub columns: Vec<Column>,
    /// The country whose notation the list uses.
    pub region: Option<Region>,
    /// Rows before the data: titles, and last of them the one that names the columns.
    pub before: usize,
    /// What columns hold that have several values in each cell.
    pub merged: Vec<Class>,
    /// Values that stand in three columns each.
    pub apart: Vec<Apart>,
}

impl Columns {
    /// Understands a part of a list by its first records, and by the names that its format gives.
    pub fn understand(names: Option<&[String]>, sample: &[Vec<String>]) -> Columns {
        let mut widths: Vec<usize> = sample.iter().map(Vec::len).collect();
        let width = commonest(&mut widths).map_or(0, |(width, _)| width);
        let width = names.map_or(width, |names| names.len());
        let (before, header) = match names {
            Some(names) => (0, Some(names)),
            None => find_header(sample, width),
        };
        let rows = &sample[before..];
        let values: Vec<Vec<&str>> = (0..width)
            .map(|column| {
                let sound = rows.iter().filter(|row| row.len() == width);
                sound.map(|row| row[column].trim()).collect()
            })
            .collect();
        let name = |column: usize| {
            header
                .and_then(|header| header.get(column))
                .map(|name| name.trim())
        };
        let facts: Vec<ColumnFacts<'_>> = values
            .iter()
            .enumerate()
            .map(|(column, samples)| ColumnFacts {
                name: name(column).unwrap_or_default(),
                samples,
                ..ColumnFacts::default()
            })
            .collect();
        let region = region(rows);
        let mut merged: Vec<Class> = Vec::new();
        let named: Vec<Option<&str>> = (0..width).map(name).collect();
        let apart = apart::apart(&named, &values, region);
        let mut columns: Vec<Column> = understand_table(&facts)
            .into_iter()
            .enumerate()
            .map(|(column, found)| {
                let digests = hashed::role(name(column).unwrap_or_default(), &values[column]);
                let role = found.role.filter(|_| found.confidence >= DOUBTFUL);
                if let Some(classes) = merged::merged(&values[column], region) {
                    merged.extend(classes);
                    return Column {
                        header: name(column).map(str::to_owned),
                        role: None,
                        confidence: 0.0,
                        format: None,
                    };
                }
                let (role, confidence) = match found.role {
                    _ if digests.is_some() => (digests, DIGESTS),
                    Some(birth) if in_seconds(birth, &values[column]) => (Some(birth), SURE),
                    _ => (role, found.confidence),
                };
                Column {
                    header: name(column).map(str::to_owned),
                    role,
                    confidence,
                    format: found.format,
                }
            })
            .collect();
        for (place, column) in columns.iter_mut().enumerate() {
            if let Some(role) = role_apart(&apart, place) {
                column.role = Some(role);
                column.confidence = APART;
                column.format = None;
            }
        }
        Columns {
            columns,
            region,
            before,
            merged,
            apart,
        }
    }

    /// Which cells make which keys.
    pub fn plan(&self) -> Plan {
        let roles: Vec<Option<Role>> = (self.columns.iter().enumerate())
            .map(|(place, column)| match role_apart(&self.apart, place) {
                Some(_) => Some(Role::Skip),
                None => column.role,
            })
            .collect();
        let mut plan = Plan::new(&roles, self.region);
        plan.trust(&self.merged);
        plan.apart.clone_from(&self.apart);
        for (place, column) in self.columns.iter().enumerate() {
            if role_apart(&self.apart, place).is_some() {
                continue;
            }
            if column.confidence < SURE {
                plan.also_guess(place);
            }
            if let Some(Format::Date(format)) = &column.format {
                plan.date_format(place, format);
            }
        }
        plan
    }
}

/// Whether a column that is called one of births holds times since 1970. A customer table's column of them is nobody's
/// births before somebody has said so: canaries are not planted in a notation that nobody knows.
fn in_seconds(role: Role, values: &[&str]) -> bool {
    let filled = || values.iter().filter(|value| !value.is_empty());
    let read = filled().filter(|value| epoch_key(value).is_some()).count();
    matches!(role, Role::BirthDate | Role::ChildBirthDate)
        && read > 0
        && read * 4 >= filled().count() * 3
}

/// What a column holds a third of.
fn role_apart(apart: &[Apart], place: usize) -> Option<Role> {
    let of = |apart: &&Apart| (apart.first..apart.first + 3).contains(&place);
    apart.iter().find(of).map(|apart| apart.role)
}

/// How many rows there are before the data, and which row names the columns: the last of them, or one in the
/// middle of the data, as where files were put together.
fn find_header(sample: &[Vec<String>], width: usize) -> (usize, Option<&[String]>) {
    let filled = |row: &[String]| row.iter().filter(|cell| !cell.trim().is_empty()).count();
    let wide = |row: &[String]| row.len() == width && filled(row) >= 2 && filled(row) * 2 >= width;
    let is_data = |row: &&Vec<String>| wide(row) && row.iter().any(|cell| is_value(cell));
    let titles = sample.iter().take(TITLES).take_while(|row| !is_data(row));
    for (place, row) in titles.enumerate().filter(|(_, row)| wide(row)) {
        if is_header(row, &sample[place + 1..]) {
            return (place + 1, Some(row));
        }
    }
    // A header that is narrower than its table.
    if let Some((first, rest)) = sample.split_first()
        && is_header(first, rest)
    {
        return (1, Some(first));
    }
    let within = sample.iter().find(|row| {
        wide(row) && names(row) * 2 >= filled(row) && !row.iter().any(|cell| is_value(cell))
    });
    (0, within.map(|row| &row[..]))
}

/// How many cells are words that columns are called by.
fn names(row: &[String]) -> usize {
    let named = |cell: &&String| {
        let name = ColumnFacts {
            name: cell.trim(),
            ..ColumnFacts::default()
        };
        !name.name.is_empty() && understand(&name).role.is_some()
    };
    row.iter().filter(named).count()
}

/// Whether a cell is a value that no column is called by.
fn is_value(cell: &str) -> bool {
    let cell = cell.trim();
    // No column is called by five digits.
    cell.chars().filter(char::is_ascii_digit).count() >= 5
        || email_key(cell).is_some()
        || phone_key(cell, None).is_some()
        || postcode_key(cell, None).is_some()
        || birth_key(cell).is_some()
        || address_key(cell).is_some()
}

/// Whether the first row names the columns: no value stands in it, and either half of it are words
/// that columns are called by, or columns full of values begin with something else there.
fn is_header(first: &[String], rest: &[Vec<String>]) -> bool {
    let filled: Vec<(usize, &str)> = first
        .iter()
        .map(|cell| cell.trim())
        .enumerate()
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    if filled.is_empty() || filled.iter().any(|(_, cell)| is_value(cell)) {
        return false;
    }
    let look = &rest[..rest.len().min(50)];
    let stands_out = filled.iter().any(|(column, _)| {
        let cells = look.iter().filter_map(|row| row.get(*column));
        let (values, all) = cells.fold((0, 0), |(values, all), cell| {
            (values + usize::from(is_value(cell)), all + 1)
        });
        all > 0 && values * 2 > all
    });
    names(first) * 2 >= filled.len() || stands_out
}

fn region(rows: &[Vec<String>]) -> Option<Region> {
    let japanese = rows
        .iter()
        .filter(|row| {
            let mut letters = row.iter().flat_map(|cell| cell.chars());
            letters.any(|c| matches!(c, '\u{3041}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9f}'))
        })
        .count();
    (japanese * 2 > rows.len()).then_some(Region::Jp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(list: &str) -> (usize, Vec<Option<&'static str>>, Option<String>) {
        let split = |line: &str| line.split(',').map(str::to_owned).collect();
        let sample: Vec<Vec<String>> = list.lines().map(split).collect();
        let columns = Columns::understand(None, &sample);
        let roles = columns
            .columns
            .iter()
            .map(|column| column.role.map(Role::name));
        (
            columns.before,
            roles.collect(),
            columns.columns[0].header.clone(),
        )
    }

    const ROWS: &str = "山田 太郎,090-0123-4567,1980-01-02\n鈴木 花子,090-0123-4568,1975-11-12\n\
        佐藤 次郎,090-0123-4569,1990-07-08\n高橋 三郎,090-0123-4570,1969-03-04\n";

    #[test]
    fn a_header_is_found_wherever_it_stands() {
        let roles = [Some("name"), Some("phone"), Some("birth_date")];
        let header = "氏名,電話番号,生年月日\n";
        let told = Some("氏名".to_owned());
        for (list, before) in [
            (format!("{header}{ROWS}"), 1),
            (format!("会員名簿\n2026年11月26日 作成\n{header}{ROWS}"), 3),
            (format!("会員名簿,,\n,,\n{header}{ROWS}"), 3),
            (format!("{ROWS}{header}{ROWS}"), 0),
        ] {
            let (found, seen, name) = understood(&list);
            assert_eq!((found, &name), (before, &told), "{list}");
            assert_eq!(seen[1..], roles[1..], "{list}");
        }
        let (before, seen, name) = understood(ROWS);
        assert_eq!((before, name), (0, None));
        assert_eq!(seen[1..], [Some("phone"), Some("birth_date")]);
    }

    #[test]
    fn a_wrong_header_does_not_win_against_the_values() {
        let row = |n: usize| {
            format!(
                "山田 太郎,090-0123-45{:02},19{}-0{}-1{}\n",
                30 + n,
                60 + n,
                1 + n % 9,
                n % 10
            )
        };
        let rows: String = (0..30).map(row).collect();
        let (_, roles, _) = understood(&format!("氏名,生年月日,電話番号\n{rows}"));
        assert_eq!(roles[1..], [Some("phone"), Some("birth_date")]);
    }
}
