//! A customer table with its related tables, read as one: one statement joins them, so a row of it is
//! all that the database holds of a customer.

use std::collections::{HashMap, HashSet};

use super::error::Doing;
use super::sql::Sql;
use super::{Column, Database, Engine, Error, ForeignKey, Result, Row, Table, UniqueKey};
use crate::notation::{Related, RelatedRows};

/// One related table, and how it hangs together with one named before it.
#[derive(Clone, Debug)]
pub struct Leg {
    /// What the mapping calls it.
    pub name: String,
    /// The table.
    pub table: Table,
    /// Which of its rows are meant.
    pub rows: RelatedRows,
    /// In a table of attributes, the column of the attribute and that of its value.
    pub attribute: Option<(String, String)>,
    /// Columns with one value in all rows meant.
    pub fixed: Vec<(String, String)>,
    /// The other table: a place among the legs, or the customer table.
    pub to: Option<usize>,
    /// Its columns, and those of the other table that they equal.
    pub on: Vec<(String, String)>,
    /// Whether this table refers to the other, so that its rows come after; else the other refers to it.
    pub refers: bool,
    /// Columns of the other table that refer to its rows beside the join, and what they hold.
    pub referred: Vec<(String, String)>,
    /// Its columns, or its attributes.
    pub columns: Vec<String>,
}

/// The customer table and its legs.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The customer table.
    pub main: Table,
    /// Related tables; each hangs together with one before it.
    pub legs: Vec<Leg>,
}

/// A column of the joined tables. The column of no name tells whether there is a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The leg, or the customer table.
    pub leg: Option<usize>,
    /// The column, or the attribute.
    pub column: String,
}

impl Joined {
    /// A table alone.
    pub fn alone(main: Table) -> Joined {
        Joined {
            main,
            legs: Vec::new(),
        }
    }

    /// Looks up the related tables of a mapping.
    ///
    /// # Errors
    /// There is no such table or column; what joins them is nobody's key; the engine is CSV.
    pub async fn of(database: &Database, main: Table, related: &[Related]) -> Result<Joined> {
        let mut joined = Joined::alone(main);
        for one in related {
            if database.engine() == Engine::Csv {
                return Err(wrong(one.name(), "a CSV file has no related tables"));
            }
            let table = database.table(&one.table).await?;
            let leg = joined.leg(one, table)?;
            joined.legs.push(leg);
        }
        Ok(joined)
    }

    fn leg(&self, one: &Related, table: Table) -> Result<Leg> {
        let name = one.name().to_owned();
        let failed = |why: &str| Err(wrong(&name, why));
        if table.is_view {
            return failed("it is a view: name the table that it shows");
        }
        if self.legs.iter().any(|leg| leg.name == name) || self.is_main(&name) {
            return failed(
                "it is named already: give it a name of its own (name = \"…\") to mean other rows of the same table",
            );
        }
        if one.join.is_empty() {
            return failed(
                "join is empty: say which of its columns equals which (join = { customer_id = \"customers.id\" })",
            );
        }
        let mut to = None;
        let mut on = Vec::new();
        for (own, other) in &one.join {
            table.column(own)?;
            let Some((target, column)) = other.rsplit_once('.') else {
                return failed(&format!("join: '{other}' is not TABLE.COLUMN"));
            };
            let place = match self.legs.iter().position(|leg| leg.goes_by(target)) {
                None if self.is_main(target) => None,
                Some(at) if self.legs[at].attribute.is_some() => {
                    return failed(&format!(
                        "nothing can be joined to the attributes of {target}"
                    ));
                }
                Some(at) => Some(at),
                None => {
                    return failed(&format!(
                        "join: there is no table '{target}' before it in the mapping; there is: {}",
                        self.names().join(", ")
                    ));
                }
            };
            self.table(place).column(column)?;
            if *to.get_or_insert(place) != place {
                return failed("join names two tables: join it to one of them");
            }
            on.push((own.clone(), column.to_owned()));
        }
        let to = to.flatten();
        let refers = self.refers(one, &table, to, &on)?;
        let attribute = match (&one.attribute, &one.value) {
            (Some(attribute), Some(value)) => {
                table.column(attribute)?;
                table.column(value)?;
                if !refers || one.rows != RelatedRows::Household || one.columns.is_empty() {
                    return failed(
                        "a table of attributes refers to the customer's row, has rows = \"household\", and names attributes ([related.columns.ATTRIBUTE])",
                    );
                }
                Some((attribute.clone(), value.clone()))
            }
            (None, None) => None,
            _ => return failed("attribute and value go together: name the columns of both"),
        };
        for column in one.fixed.keys().chain(one.referred.values()) {
            table.column(column)?;
        }
        for column in one.referred.keys() {
            self.table(to).column(column)?;
        }
        let columns = match attribute {
            Some(_) => one.columns.iter().map(|one| one.column.clone()).collect(),
            None => {
                for column in &one.columns {
                    table.column(&column.column)?;
                }
                table.columns.iter().map(|one| one.name.clone()).collect()
            }
        };
        let pairs = |map: &std::collections::BTreeMap<String, String>| {
            map.clone().into_iter().collect::<Vec<_>>()
        };
        Ok(Leg {
            rows: one.rows,
            attribute,
            fixed: pairs(&one.fixed),
            referred: pairs(&one.referred),
            to,
            on,
            refers,
            columns,
            name,
            table,
        })
    }

    /// Whether the related table's rows refer to the other's, rather than the other way about.
    fn refers(
        &self,
        one: &Related,
        table: &Table,
        to: Option<usize>,
        on: &[(String, String)],
    ) -> Result<bool> {
        let other = self.table(to);
        let (own, others): (Vec<&String>, Vec<&String>) = on.iter().map(|(a, b)| (a, b)).unzip();
        let same = |columns: &[String], wanted: &[&String]| {
            columns.len() == wanted.len() && wanted.iter().all(|name| columns.contains(name))
        };
        let declared = |from: &Table, columns: &[&String], to: &Table, of: &[&String]| {
            from.foreign_keys.iter().any(|key| {
                same(&key.columns, columns)
                    && same(&key.foreign_columns, of)
                    && key.table.rsplit('.').next() == Some(to.name.as_str())
            })
        };
        let is_key = |table: &Table, columns: &[&String]| {
            same(&table.primary_key, columns)
                || table
                    .unique_keys
                    .iter()
                    .any(|key| same(&key.columns, columns))
        };
        let existing = one.rows == RelatedRows::Existing;
        let refers = if declared(table, &own, other, &others) {
            true
        } else if declared(other, &others, table, &own) {
            false
        } else if is_key(other, &others) && !existing {
            true
        } else if is_key(table, &own) {
            false
        } else {
            return Err(wrong(
                one.name(),
                "join: neither side is a key, so many rows would belong to many",
            ));
        };
        match (one.rows, refers) {
            (RelatedRows::Existing, true) => Err(wrong(
                one.name(),
                "its rows refer to the other table's, so they cannot be there before: leave out rows = \"existing\"",
            )),
            (RelatedRows::Child, false) => Err(wrong(
                one.name(),
                "the other table refers to its rows, so there is one at most: rows = \"child\" needs a table that refers to the guardian's",
            )),
            _ => Ok(refers),
        }
    }

    fn names(&self) -> Vec<String> {
        let legs = self.legs.iter().map(|leg| leg.name.clone());
        std::iter::once(self.main.name.clone())
            .chain(legs)
            .collect()
    }

    fn is_main(&self, name: &str) -> bool {
        name == self.main.name || name == self.main.to_string()
    }

    /// The table at a place.
    pub fn table(&self, place: Option<usize>) -> &Table {
        place.map_or(&self.main, |at| &self.legs[at].table)
    }

    /// Every column of the joined tables.
    pub fn places(&self) -> Vec<Place> {
        let own = |column: &Column| Place {
            leg: None,
            column: column.name.clone(),
        };
        let mut places: Vec<Place> = self.main.columns.iter().map(own).collect();
        for (at, leg) in self.legs.iter().enumerate() {
            let of = |column: &str| Place {
                leg: Some(at),
                column: column.to_owned(),
            };
            if leg.attribute.is_none() {
                places.push(of(""));
            }
            places.extend(leg.columns.iter().map(|column| of(column)));
        }
        places
    }

    /// A place as one name: `address.city`, or the column's own name in the customer table.
    pub fn name(&self, place: &Place) -> String {
        match place.leg {
            None => place.column.clone(),
            Some(at) => format!("{}.{}", self.legs[at].name, place.column),
        }
    }

    /// The joined tables as if they were one, with the names of [`Joined::name`]: what may not repeat,
    /// and how long a value may be, holds there as well.
    pub fn as_one(&self) -> Table {
        let mut one = self.main.clone();
        for (at, leg) in self.legs.iter().enumerate() {
            let named = |column: &String| {
                self.name(&Place {
                    leg: Some(at),
                    column: column.clone(),
                })
            };
            let about = |column: &String| match &leg.attribute {
                Some((_, value)) => leg.table.column(value).ok(),
                None => leg.table.column(column).ok(),
            };
            let columns = leg.columns.iter().filter_map(|column| {
                Some(Column {
                    name: named(column),
                    not_null: false,
                    ..about(column)?.clone()
                })
            });
            one.columns.extend(columns);
            if leg.attribute.is_some() {
                continue;
            }
            let all = |columns: &[String]| columns.iter().map(named).collect();
            one.unique_keys
                .extend(leg.table.unique_keys.iter().map(|key| UniqueKey {
                    name: key.name.clone(),
                    columns: all(&key.columns),
                }));
            one.foreign_keys
                .extend(leg.table.foreign_keys.iter().map(|key| ForeignKey {
                    columns: all(&key.columns),
                    ..key.clone()
                }));
        }
        one
    }

    /// `select WANTED from …`, of a part of the customers (so many per million) where it is told.
    fn select(&self, engine: Engine, wanted: &[Place], per_million: Option<u64>) -> Result<Sql> {
        let alias = |leg: Option<usize>| leg.map_or("t0".to_owned(), |at| format!("t{}", at + 1));
        let mut sql = Sql::new(engine, "select ").list(
            ", ",
            wanted.iter().enumerate(),
            |sql, (at, place)| {
                sql.name(&alias(place.leg))
                    .text(".")
                    .name(&format!("c{at}"))
            },
        );
        for leg in std::iter::once(None).chain((0..self.legs.len()).map(Some)) {
            sql = match leg {
                None => sql.text(" from ("),
                Some(_) => sql.text(" left join ("),
            };
            sql = self.derived(sql, leg, wanted)?;
            if let (None, Some(share)) = (leg, per_million) {
                sql = sql.text(match engine {
                    Engine::Postgres => " where random() * 1000000 < ",
                    Engine::MySql => " where rand(20140627) * 1000000 < ",
                    _ => " where abs(random() % 1000000) < ",
                });
                sql = sql.number(share);
            }
            sql = sql.text(") ").name(&alias(leg));
            if let Some(at) = leg {
                let on = 0..self.legs[at].on.len();
                sql = sql.text(" on ").list(" and ", on, |sql, number| {
                    let column = format!("j{at}_{number}");
                    let own = sql.name(&alias(leg)).text(".").name(&column).text(" = ");
                    own.name(&alias(self.legs[at].to)).text(".").name(&column)
                });
            }
        }
        Ok(sql)
    }

    /// What one table gives: wanted columns as text, and those that it is joined by as they are.
    fn derived(&self, sql: Sql, leg: Option<usize>, wanted: &[Place]) -> Result<Sql> {
        let table = self.table(leg);
        let own = leg.map(|at| &self.legs[at]);
        let mut sql = sql.text("select null as ").name("n");
        for (at, other) in self.legs.iter().enumerate() {
            for (number, (mine, theirs)) in other.on.iter().enumerate() {
                let raw = match (leg == Some(at), leg == other.to) {
                    (true, _) => mine,
                    (_, true) => theirs,
                    _ => continue,
                };
                sql = sql
                    .text(", ")
                    .name(raw)
                    .text(" as ")
                    .name(&format!("j{at}_{number}"));
            }
        }
        for (at, place) in wanted
            .iter()
            .enumerate()
            .filter(|(_, place)| place.leg == leg)
        {
            sql = sql.text(", ");
            sql = match own {
                Some(Leg {
                    attribute: Some((attribute, value)),
                    ..
                }) => sql
                    .text("max(case when ")
                    .equals_key(table.column(attribute)?, &place.column)
                    .text(" then ")
                    .shown(table.column(value)?)
                    .text(" end)"),
                Some(leg) if place.column.is_empty() => sql.shown(table.column(&leg.on[0].0)?),
                _ => sql.shown(table.column(&place.column)?),
            };
            sql = sql.text(" as ").name(&format!("c{at}"));
        }
        sql = sql.text(" from ").table(table);
        let Some(own) = own else { return Ok(sql) };
        let mut fixed = own.fixed.iter();
        if let Some((column, value)) = fixed.next() {
            sql = sql.text(" where ").equals_key(table.column(column)?, value);
            for (column, value) in fixed {
                sql = sql.text(" and ").equals_key(table.column(column)?, value);
            }
        }
        if let Some((attribute, _)) = &own.attribute {
            let attribute = table.column(attribute)?;
            sql = sql.text(if own.fixed.is_empty() {
                " where ("
            } else {
                " and ("
            });
            sql = sql.list(" or ", &own.columns, |sql, name| {
                sql.equals_key(attribute, name)
            });
            sql = sql.text(") group by ");
            sql = sql.list(", ", &own.on, |sql, (column, _)| sql.name(column));
        }
        Ok(sql)
    }
}

impl Leg {
    fn goes_by(&self, name: &str) -> bool {
        self.name == name || self.table.name == name || self.table.to_string() == name
    }

    /// The columns of its table that hold what another of the canary's rows is known by.
    pub fn linked(&self) -> Vec<&str> {
        let on = self.on.iter().map(|(own, _)| own.as_str());
        if self.refers {
            on.collect()
        } else {
            Vec::new()
        }
    }
}

impl Database {
    /// Calls `each` with every row of the joined tables; the cells are those of `wanted`. A customer with
    /// two children comes twice.
    ///
    /// # Errors
    /// The user may not read one of them.
    pub async fn scan_joined(
        &self,
        joined: &Joined,
        wanted: &[Place],
        each: impl FnMut(&[Option<String>]),
    ) -> Result<()> {
        let sql = joined.select(self.engine(), wanted, None)?;
        self.run_joined(joined, sql, each).await
    }

    /// About `n` customers, spread over the whole table, with all that the related tables hold of each: of
    /// several children the first.
    ///
    /// # Errors
    /// The user may not read one of them.
    pub async fn sample_joined(&self, joined: &Joined, n: usize) -> Result<Vec<Row>> {
        let count = self.count(&joined.main).await?;
        let share = (count > 10_000.max(4 * n as u64))
            .then(|| (n as u64).saturating_mul(1_200_000).div_ceil(count) + 20);
        let places = joined.places();
        let own: Vec<usize> = (0..joined.main.columns.len())
            .filter(|at| {
                let key = &joined.main.primary_key;
                key.is_empty() || key.contains(&joined.main.columns[*at].name)
            })
            .collect();
        let (mut rows, mut met) = (Vec::new(), HashSet::new());
        let sql = joined.select(self.engine(), &places, share)?;
        self.run_joined(joined, sql, |row| {
            let key: Row = own.iter().map(|at| row[*at].clone()).collect();
            if met.insert(key) {
                rows.push(row.to_vec());
            }
        })
        .await?;
        let total = rows.len() as u64;
        let numbered = rows.into_iter().zip(0..);
        Ok(numbered
            .filter_map(|(row, number)| super::is_sampled(number, total, n).then_some(row))
            .collect())
    }

    /// How many rows of a leg refer to each row of the other table, by the text of what they refer to.
    ///
    /// # Errors
    /// The user may not read it.
    pub async fn counts(&self, leg: &Leg) -> Result<HashMap<Row, usize>> {
        let mut counts: HashMap<Row, usize> = HashMap::new();
        let columns: Vec<&str> = leg.on.iter().map(|(own, _)| own.as_str()).collect();
        let width = columns.len();
        let fixed = leg.fixed.iter().map(|(column, _)| column.as_str());
        let all: Vec<&str> = columns.into_iter().chain(fixed).collect();
        self.scan(&leg.table, &all, |row| {
            let mut values = row[width..].iter().zip(&leg.fixed);
            if values.all(|(own, (_, wanted))| own.as_ref() == Some(wanted)) {
                *counts.entry(row[..width].to_vec()).or_default() += 1;
            }
        })
        .await?;
        Ok(counts)
    }

    async fn run_joined(
        &self,
        joined: &Joined,
        sql: Sql,
        each: impl FnMut(&[Option<String>]),
    ) -> Result<()> {
        let name = joined.names().join(" with ");
        self.run_each(&name, Doing::Reading("read"), sql, each)
            .await
    }
}

fn wrong(name: &str, why: &str) -> Error {
    Error::Related {
        name: name.to_owned(),
        why: why.to_owned(),
    }
}
