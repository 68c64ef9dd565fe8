//! What a table cannot hide: where a canary would stand out whatever its row holds. Told before one is made, in
//! columns and counts; past it goes only who says `--force`.

use crate::canary::Cell;
use crate::database::{Database, Row, Table};
use crate::notation::{MappedColumn, Mapping, Role};

use super::allot::Needs;
use super::error::column_words;
use super::tables::Tables;
use super::{Error, Result};

/// Among fewer customers one canary is more than the 1 % of the rows that is seen as density.
const LEAST_CUSTOMERS: u64 = 100;
/// At the most one row in so many may be a canary.
const ONE_IN: u64 = 5;
/// So many filled rows at least, to say that they all hold the same.
const FILLED: usize = 20;

/// Why so many canaries, those that stand there among them, cannot hide among so many customers.
pub(super) fn few(table: &Table, customers: u64, canaries: u64) -> Option<String> {
    if customers == 0 {
        return Some(format!(
            "{table} has no rows: the canaries would be its only customers, and nothing shows how its values are written"
        ));
    }
    if customers < LEAST_CUSTOMERS {
        return Some(format!(
            "{table} has {customers} customers: of fewer than {LEAST_CUSTOMERS} even one canary is more than 1 % of the rows, and so few can be looked through one by one"
        ));
    }
    // Of canaries and customers together.
    let most = customers / (ONE_IN - 1);
    (canaries > most).then(|| {
        format!(
            "{canaries} canaries beside the {customers} customers of {table} would be more than one row in {ONE_IN}: so many show by the postcodes, buildings and numbers that they share; it takes {most} at the most"
        )
    })
}

/// Columns that are to hold something of a person, and hold nothing in any row.
pub(super) fn empty<'m>(
    mapping: &'m Mapping,
    columns: &[String],
    rows: &[Row],
) -> Vec<&'m MappedColumn> {
    let personal = |column: &&MappedColumn| {
        use Role::*;
        let plain = matches!(
            column.role,
            Other | Skip | Id | Code | CreatedAt | UpdatedAt
        );
        !plain && column.value.is_none()
    };
    let bare = |column: &&MappedColumn| {
        let at = columns.iter().position(|name| *name == column.column);
        !rows.is_empty() && at.is_some_and(|at| rows.iter().all(|row| text(row, at).is_none()))
    };
    let personal = mapping.columns.iter().filter(personal);
    personal.filter(bare).collect()
}

/// Why columns that are empty in every row stop a batch before it is made: a canary would have to have something in
/// them. `learnt` tells whether the table shows enough of its customers; of few each canary has whatever it can.
pub(super) fn unfilled(
    table: &Table,
    mapping: &Mapping,
    empty: &[&MappedColumn],
    rows: usize,
    learnt: bool,
) -> Option<String> {
    let bare = |column: &MappedColumn| empty.iter().any(|own| own.column == column.column);
    let marks = || mapping.columns.iter().filter(|one| is_mark(one.role));
    let lived = || {
        let roles = Role::HOUSE_NUMBER.into_iter();
        roles.flat_map(|role| mapping.with_role(role))
    };
    // A canary that is to have an address has one, and one that nothing could be recognised by is none.
    let homeless = Needs::of(mapping).drop && lived().next().is_some() && lived().all(bare);
    let nameless = marks().all(bare);
    let stopping: Vec<&str> = empty
        .iter()
        .filter(|column| is_mark(column.role))
        .map(|column| column.column.as_str())
        .collect();
    ((homeless || nameless || !learnt) && !stopping.is_empty())
        .then(|| only_one(table, &stopping, rows))
}

/// The columns among these that canaries would fill, as sentences: of those by which somebody is known, and of others.
pub(super) fn filled<'c>(
    table: &Table,
    empty: &[&MappedColumn],
    rows: usize,
    canaries: impl Iterator<Item = &'c [Cell]> + Clone,
) -> (Option<String>, Option<String>) {
    let fills = |column: &&&MappedColumn| {
        let holds = |cell: &Cell| {
            let value = cell.value.as_deref().unwrap_or_default();
            cell.column == column.column && !value.trim().is_empty()
        };
        canaries.clone().any(|cells| cells.iter().any(holds))
    };
    let (marks, others): (Vec<&MappedColumn>, Vec<&MappedColumn>) =
        (empty.iter().filter(fills).copied()).partition(|column| is_mark(column.role));
    let told = |columns: &[&MappedColumn]| {
        let names: Vec<&str> = columns.iter().map(|one| one.column.as_str()).collect();
        (!names.is_empty()).then(|| only_one(table, &names, rows))
    };
    (told(&marks), told(&others))
}

fn only_one(table: &Table, columns: &[&str], rows: usize) -> String {
    let (these, them) = these(columns);
    format!(
        "{these} of {table} {} empty in each of the {rows} rows read: nothing shows what a customer has there, and whoever has something in {them} would be the only one; leave {them} out: otori source add … --map COLUMN=skip",
        if columns.len() == 1 { "is" } else { "are" }
    )
}

/// Why columns by which somebody is known cannot hide a canary: all customers have the same there.
pub(super) fn constant(
    table: &Table,
    mapping: &Mapping,
    columns: &[String],
    rows: &[Row],
) -> Option<String> {
    let mut same: Vec<&str> = Vec::new();
    let known = |column: &&MappedColumn| is_mark(column.role) && column.value.is_none();
    for column in mapping.columns.iter().filter(known) {
        let Some(at) = columns.iter().position(|name| *name == column.column) else {
            continue;
        };
        let mut texts = rows.iter().filter_map(|row| text(row, at));
        let Some(first) = texts.next() else { continue };
        let mut others = 0;
        let alike = texts.all(|text| {
            others += 1;
            text == first
        });
        if alike && others + 1 >= FILLED {
            same.push(&column.column);
        }
    }
    let (these, them) = these(&same);
    (!same.is_empty()).then(|| {
        format!(
            "{these} of {table} {} one and the same value in every filled row of the {} read: a canary is told from customers by what it has in {them}, and with anything else there it would be the only one; map the columns that do tell customers apart, and leave {them} out: otori source add … --map COLUMN=skip",
            if same.len() == 1 { "holds" } else { "hold" },
            rows.len()
        )
    })
}

fn these(columns: &[&str]) -> (String, &'static str) {
    let them = if columns.len() == 1 { "it" } else { "them" };
    (column_words(columns), them)
}

fn text(row: &Row, at: usize) -> Option<&str> {
    let text = row.get(at)?.as_deref()?.trim();
    (!text.is_empty()).then_some(text)
}

/// Whether a customer is known by such a column.
fn is_mark(role: Role) -> bool {
    role.is_mark() || Role::HOUSE_NUMBER.contains(&role)
}

/// Whether every row that must refer to another table's finds one there.
///
/// # Errors
/// [`Error::NothingToRefer`]; the tables cannot be read.
pub(super) async fn references(database: &Database, tables: &Tables) -> Result<()> {
    let own: Vec<&Table> = tables.written().collect();
    for table in &own {
        for key in &table.foreign_keys {
            let must = |name: &String| table.column(name).is_ok_and(|column| column.not_null);
            if !key.columns.iter().all(must) {
                continue;
            }
            // What this user may not see is left to the insertion.
            let Ok(other) = database.table(&key.table).await else {
                continue;
            };
            let ours = own.iter().any(|own| own.to_string() == other.to_string());
            if !ours && database.is_empty(&other).await.unwrap_or(false) {
                return Err(Error::NothingToRefer {
                    columns: key.columns.clone(),
                    table: table.to_string(),
                    other: other.to_string(),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::Locale;

    #[test]
    fn one_of_few_and_many_among_any_are_told() {
        let table = Table {
            name: "t".to_owned(),
            ..Table::default()
        };
        assert!(few(&table, 99, 1).unwrap().contains("99 customers"));
        assert_eq!(few(&table, 100, 25), None);
        assert!(few(&table, 100, 26).unwrap().contains("takes 25"));
        assert!(few(&table, 0, 1).unwrap().contains("no rows"));
    }

    #[test]
    fn columns_without_a_value_and_with_one_are_named() {
        let told = |name: &str, role| MappedColumn::told(name, role);
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns: vec![
                told("name", Role::Name),
                told("tel", Role::Phone),
                told("home", Role::Address),
                told("plan", Role::Other),
            ],
            related: Vec::new(),
        };
        let columns = ["name", "tel", "home", "plan"].map(str::to_owned);
        let row = |tel: &str| -> Row {
            vec![
                Some("same".to_owned()),
                Some(tel.to_owned()),
                Some(" ".to_owned()),
                None,
            ]
        };
        let rows: Vec<Row> = (0..20).map(|at| row(&at.to_string())).collect();
        let table = Table {
            name: "t".to_owned(),
            ..Table::default()
        };
        let bare = empty(&mapping, &columns, &rows);
        let names: Vec<&str> = bare.iter().map(|column| column.column.as_str()).collect();
        assert_eq!(names, ["home"]);
        let said = unfilled(&table, &mapping, &bare, 20, true).unwrap();
        assert!(said.contains("column home of t is empty"), "{said}");
        let said = constant(&table, &mapping, &columns, &rows).unwrap();
        assert!(said.contains("column name of t holds one"), "{said}");
        assert_eq!(constant(&table, &mapping, &columns, &rows[1..]), None);
    }
}
