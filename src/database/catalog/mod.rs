//! What a table looks like: columns, keys and constraints, read with our own catalog queries, because
//! no introspection crate tells domains, identity columns and MariaDB's types apart.

mod mysql;
mod postgres;
mod sqlite;

use super::link::Link;
use super::{Engine, Error, Result};

/// Parts names in lists that a server joins for us; no name holds it.
const SEPARATOR: char = '\u{1f}';

/// A column of a customer table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as the database writes it (`character varying(20)`, `enum('M','F')`, `TEXT`).
    pub sql_type: String,
    /// For a domain, the type below it; else empty.
    pub domain_of: String,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Default expression, as the database writes it.
    pub default: Option<String>,
    /// Computed by the database, or an identity that may not be written.
    pub generated: bool,
    /// Numbered by the database where no value is given (identity, serial, AUTO_INCREMENT, rowid).
    pub identity: bool,
    /// Comment; empty where there is none.
    pub comment: String,
    /// The values of an enumeration.
    pub enum_values: Vec<String>,
    /// Character set (MySQL and MariaDB), for columns that hold characters.
    pub charset: Option<String>,
}

impl Column {
    /// The type's first word in lower case, of the type below a domain (`varchar`, `date`, `bit`).
    pub fn base_type(&self) -> String {
        let full = if self.domain_of.is_empty() {
            &self.sql_type
        } else {
            &self.domain_of
        };
        let end = full.find(['(', ' ', '[']).unwrap_or(full.len());
        full[..end].to_ascii_lowercase()
    }

    /// Whether it holds bytes rather than characters; its text form is then hexadecimal.
    pub fn is_binary(&self) -> bool {
        matches!(
            self.base_type().as_str(),
            "blob" | "tinyblob" | "mediumblob" | "longblob" | "binary" | "varbinary" | "bytea"
        )
    }

    /// The longest text that fits, in characters, where the type says.
    pub fn max_chars(&self) -> Option<usize> {
        let full = if self.domain_of.is_empty() {
            &self.sql_type
        } else {
            &self.domain_of
        };
        let lower = full.to_ascii_lowercase();
        if !lower.contains("char") {
            return None;
        }
        let (_, rest) = lower.split_once('(')?;
        rest.split_once(')')?.0.trim().parse().ok()
    }

    /// Whether a row can be inserted without naming the column.
    pub fn can_be_left_out(&self) -> bool {
        !self.not_null || self.default.is_some() || self.generated || self.identity
    }
}

/// A set of columns in which no two rows agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueKey {
    /// Name of the constraint or index.
    pub name: String,
    /// Columns.
    pub columns: Vec<String>,
}

/// A reference to another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// Name; empty where the database gives none.
    pub name: String,
    /// Columns of this table.
    pub columns: Vec<String>,
    /// The other table.
    pub table: String,
    /// Columns of the other table.
    pub foreign_columns: Vec<String>,
}

/// A condition on every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Name; empty where the database gives none.
    pub name: String,
    /// The condition in SQL.
    pub expression: String,
}

/// A table or view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Schema, where the engine has them.
    pub schema: Option<String>,
    /// Name.
    pub name: String,
    /// Columns in their order.
    pub columns: Vec<Column>,
    /// Columns of the primary key; empty without one.
    pub primary_key: Vec<String>,
    /// Unique keys beside the primary key.
    pub unique_keys: Vec<UniqueKey>,
    /// References to other tables.
    pub foreign_keys: Vec<ForeignKey>,
    /// Conditions, those of domains included.
    pub checks: Vec<Check>,
    /// Names of triggers.
    pub triggers: Vec<String>,
    /// A view: it has no rows of its own to plant among.
    pub is_view: bool,
    /// The storage engine, if it has no transactions.
    pub not_transactional: Option<String>,
    /// Comment; empty where there is none.
    pub comment: String,
}

impl Table {
    /// The column of that name.
    ///
    /// # Errors
    /// [`Error::NoColumn`].
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| Error::NoColumn {
                table: self.to_string(),
                column: name.to_owned(),
            })
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A table, a view or the like, as the catalog lists it.
struct Relation {
    schema: Option<String>,
    name: String,
    /// Found without naming its schema.
    visible: bool,
    is_view: bool,
}

impl Relation {
    fn full_name(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The table that the operator means by `typed`, with all that the catalog says of it.
pub(super) async fn table(link: &mut Link<'_>, engine: Engine, typed: &str) -> Result<Table> {
    let relations = match engine {
        Engine::Postgres => postgres::relations(link).await?,
        Engine::MySql => mysql::relations(link).await?,
        Engine::Sqlite | Engine::Csv => sqlite::relations(link).await?,
    };
    let relation = choose(&relations, typed)?;
    match engine {
        Engine::Postgres => postgres::describe(link, relation).await,
        Engine::MySql => mysql::describe(link, relation).await,
        Engine::Sqlite | Engine::Csv => sqlite::describe(link, relation).await,
    }
}

fn choose<'r>(relations: &'r [Relation], typed: &str) -> Result<&'r Relation> {
    let exact = |relation: &&Relation| {
        (relation.visible && relation.name == typed) || relation.full_name() == typed
    };
    let folded = |relation: &&Relation| {
        let typed = typed.to_lowercase();
        (relation.visible && relation.name.to_lowercase() == typed)
            || relation.full_name().to_lowercase() == typed
    };
    let mut found: Vec<&Relation> = relations.iter().filter(exact).collect();
    if found.is_empty() {
        found = relations.iter().filter(folded).collect();
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::NoTable {
            table: typed.to_owned(),
            near: near(relations, typed),
        }),
        several => Err(Error::AmbiguousTable {
            table: typed.to_owned(),
            found: several
                .iter()
                .map(|relation| relation.full_name())
                .collect(),
        }),
    }
}

/// The names most like `typed`, at most eight.
fn near(relations: &[Relation], typed: &str) -> Vec<String> {
    let wanted = pairs(typed.rsplit('.').next().unwrap_or(typed));
    // Other schemas are of interest only to who names one, or where nothing else is there.
    let elsewhere = typed.contains('.') || !relations.iter().any(|relation| relation.visible);
    let mut scored: Vec<(usize, String)> = relations
        .iter()
        .filter(|relation| relation.visible || elsewhere)
        .map(|relation| {
            let own = pairs(&relation.name);
            let common = own.iter().filter(|pair| wanted.contains(pair)).count();
            let shown = if relation.visible {
                relation.name.clone()
            } else {
                relation.full_name()
            };
            (common * 100 / (own.len() + wanted.len()).max(1), shown)
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.into_iter().take(8).map(|(_, name)| name).collect()
}

/// Neighbouring letters, with the ends as letters of their own.
fn pairs(name: &str) -> Vec<(char, char)> {
    let letters: Vec<char> = std::iter::once('^')
        .chain(name.to_lowercase().chars())
        .chain(std::iter::once('$'))
        .collect();
    letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// A cell that the statement promises not to be NULL.
fn cell(row: &[Option<String>], place: usize) -> String {
    row.get(place).cloned().flatten().unwrap_or_default()
}

fn is_true(row: &[Option<String>], place: usize) -> bool {
    matches!(cell(row, place).as_str(), "true" | "1" | "YES" | "yes")
}

fn names(joined: &str) -> Vec<String> {
    joined
        .split(SEPARATOR)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(schema: &str, name: &str, visible: bool) -> Relation {
        Relation {
            schema: Some(schema.to_owned()),
            name: name.to_owned(),
            visible,
            is_view: false,
        }
    }

    #[test]
    fn the_table_meant_is_found_and_a_slip_is_helped() {
        let all = [
            relation("public", "customers", true),
            relation("crm", "customers", false),
            relation("public", "orders", true),
            relation("public", "a.b", true),
        ];
        assert_eq!(
            choose(&all, "customers").unwrap().full_name(),
            "public.customers"
        );
        assert_eq!(
            choose(&all, "crm.customers").unwrap().full_name(),
            "crm.customers"
        );
        assert_eq!(
            choose(&all, "Customers").unwrap().full_name(),
            "public.customers"
        );
        assert_eq!(choose(&all, "a.b").unwrap().name, "a.b");
        let error = choose(&all, "crm.custmers").err().unwrap().to_string();
        assert!(
            error.contains("there is: crm.customers, customers"),
            "{error}"
        );
    }

    #[test]
    fn types_are_read() {
        let column = |sql_type: &str, domain_of: &str| Column {
            sql_type: sql_type.to_owned(),
            domain_of: domain_of.to_owned(),
            ..Column::default()
        };
        assert_eq!(column("character varying(20)", "").max_chars(), Some(20));
        assert_eq!(column("郵便番号", "character(7)").max_chars(), Some(7));
        assert_eq!(column("numeric(10,2)", "").max_chars(), None);
        assert_eq!(column("BIT(1)", "").base_type(), "bit");
        assert!(column("varbinary(16)", "").is_binary());
    }
}
