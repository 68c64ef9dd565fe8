//! The thief: rows of the source by select, as lines of a list.

use std::collections::{HashMap, HashSet};

use rand::RngExt;
use rand::rngs::StdRng;

use crate::canary::{Canary, CanaryId};
use crate::cli::broker::Line;
use crate::cli::drill::aim::stands;
use crate::cli::opened::Opened;
use crate::database::Row;
use crate::notation::{Mapping, Role, birth_key};
use crate::persona::Locale;

/// How much is taken.
#[derive(Clone, Copy)]
pub(super) enum Amount {
    Rows(usize),
    Share(f64),
}

/// What the thief has.
pub(super) struct Taken {
    pub(super) lines: Vec<Line>,
    /// Rows that the table has.
    pub(super) table_rows: u64,
    /// Different canaries among the lines.
    pub(super) canaries: usize,
}

/// Reads the table once; each row has the same chance.
pub(super) async fn take(
    opened: &Opened,
    canaries: &[Canary],
    amount: Amount,
    rng: &mut StdRng,
) -> anyhow::Result<Taken> {
    let table = opened.table().await?;
    let names: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let mut kept: Vec<Row> = Vec::new();
    let mut seen = 0_u64;
    let each = |row: &[Option<String>]| {
        seen += 1;
        match amount {
            Amount::Share(share) => {
                if rng.random_bool(share) {
                    kept.push(row.to_vec());
                }
            }
            // A reservoir: the n-th row takes a place with probability rows/n.
            Amount::Rows(rows) if kept.len() < rows => kept.push(row.to_vec()),
            Amount::Rows(rows) => {
                let place = rng.random_range(0..seen);
                if let Some(place) = usize::try_from(place).ok().filter(|place| *place < rows) {
                    kept[place] = row.to_vec();
                }
            }
        }
    };
    opened.database.scan(&table, &names, each).await?;
    let known = Known::new(canaries, &opened.source.table, &names);
    let found: HashSet<&CanaryId> = kept.iter().flat_map(|row| known.of(row)).collect();
    let canaries = found.len();
    let columns = Columns::new(&opened.mapping, &names);
    let lines = kept.iter().map(|row| columns.line(row)).collect();
    Ok(Taken {
        lines,
        table_rows: seen,
        canaries,
    })
}

/// The canaries' rows, to be found again by every cell that was written.
struct Known<'a> {
    /// Places of the columns, then what stands there.
    groups: HashMap<Vec<usize>, HashMap<Vec<Option<&'a str>>, &'a CanaryId>>,
}

impl<'a> Known<'a> {
    fn new(canaries: &'a [Canary], table: &str, names: &[&str]) -> Known<'a> {
        let mut groups: HashMap<Vec<usize>, HashMap<_, _>> = HashMap::new();
        for canary in canaries.iter().filter(|canary| stands(canary)) {
            let rows = canary.details.rows.iter().filter(|row| row.table == table);
            for row in rows {
                let place = |name: &str| names.iter().position(|column| *column == name);
                let cells = row.cells.iter();
                let (places, values): (Vec<usize>, Vec<Option<&str>>) = cells
                    .filter_map(|cell| Some((place(&cell.column)?, cell.value.as_deref())))
                    .unzip();
                groups.entry(places).or_default().insert(values, &canary.id);
            }
        }
        Known { groups }
    }

    fn of(&self, row: &Row) -> Option<&'a CanaryId> {
        self.groups.iter().find_map(|(places, rows)| {
            let values: Vec<Option<&str>> = places
                .iter()
                .map(|place| row.get(*place)?.as_deref())
                .collect();
            rows.get(&values).copied()
        })
    }
}

/// Where each role stands in a row.
struct Columns {
    locale: Locale,
    roles: Vec<Option<Role>>,
}

impl Columns {
    fn new(mapping: &Mapping, names: &[&str]) -> Columns {
        let role = |name: &&str| {
            let column = mapping.columns.iter().find(|column| column.column == *name);
            column.map(|column| column.role)
        };
        Columns {
            locale: mapping.locale,
            roles: names.iter().map(role).collect(),
        }
    }

    /// The first cell of that role that says something.
    fn cell(&self, row: &Row, role: Role) -> Option<String> {
        let cells = self.roles.iter().zip(row);
        let mut own = cells.filter(|(of, _)| **of == Some(role));
        own.find_map(|(_, cell)| cell.clone().filter(|text| !text.trim().is_empty()))
    }

    /// Those of these roles that there are, joined.
    fn joined(&self, row: &Row, between: &str, roles: &[Role]) -> String {
        let cells: Vec<String> = roles
            .iter()
            .filter_map(|role| self.cell(row, *role))
            .collect();
        cells.join(between)
    }

    fn line(&self, row: &Row) -> Line {
        use Role::*;
        let american = self.locale == Locale::EnUs;
        let gap = if american { ", " } else { "　" };
        let whole = |one: Role, parts: &[Role], gap: &str| {
            let whole = self.cell(row, one);
            whole.unwrap_or_else(|| self.joined(row, gap, parts))
        };
        let name = whole(Name, &[FamilyName, GivenName], gap);
        let kana = whole(NameKana, &[FamilyNameKana, GivenNameKana], "");
        let address = match american {
            true => {
                let street = self.joined(
                    row,
                    " ",
                    &[Address, Address1, Street, Block, Address2, Building],
                );
                let rest = self.joined(row, ", ", &[City, Region]);
                match rest.is_empty() {
                    true => street,
                    false => format!("{street}, {rest}"),
                }
            }
            false => {
                let street = [Region, City, Town, Street, Block, Address, Address1];
                let (street, house) = (
                    self.joined(row, "", &street),
                    self.joined(row, "", &[Building, Address2]),
                );
                match house.is_empty() {
                    true => street,
                    false => format!("{street}　{house}"),
                }
            }
        };
        let birth = self
            .cell(row, BirthDate)
            .or_else(|| self.cell(row, ChildBirthDate));
        let phone = self.cell(row, Mobile).or_else(|| self.cell(row, Phone));
        // A list of children without their guardians' names sells too.
        let name = match name.is_empty() {
            true => whole(ChildName, &[ChildFamilyName, ChildGivenName], gap),
            false => name,
        };
        let kana = match kana.is_empty() {
            true => whole(
                ChildNameKana,
                &[ChildFamilyNameKana, ChildGivenNameKana],
                "",
            ),
            false => kana,
        };
        Line {
            name,
            kana,
            postcode: self.cell(row, Postcode).unwrap_or_default(),
            address,
            phone: phone.unwrap_or_default(),
            email: self.cell(row, Email),
            birth: birth.and_then(|text| birth_key(&text)),
        }
    }
}
