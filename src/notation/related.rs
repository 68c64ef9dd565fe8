//! Tables beside the customer table that hold more of a customer: an address, children, attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MappedColumn;
use super::mapping::by_name;

/// Which rows of a related table a canary has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelatedRows {
    /// One of its own, or none where other customers have none.
    #[default]
    Household,
    /// One of its own for each child; how many children there are follows the table.
    Child,
    /// None of its own: it refers to one that is there (a city). None is ever added.
    Existing,
}

impl RelatedRows {
    /// The name in mapping files and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            RelatedRows::Household => "household",
            RelatedRows::Child => "child",
            RelatedRows::Existing => "existing",
        }
    }
}

/// A table beside the customer table, as a mapping file says it:
///
/// ```toml
/// [[related]]
/// table = "children"
/// join = { guardian_id = "customers.id" }   # its columns = columns of a table named before
/// rows = "child"
/// [related.columns.birthday]
/// role = "child_birth_date"
///
/// [[related]]                               # entity, attribute, value
/// table = "wp_usermeta"
/// join = { user_id = "wp_users.ID" }
/// attribute = "meta_key"
/// value = "meta_value"
/// [related.columns.billing_phone]           # an attribute
/// role = "phone"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Related {
    /// The table, with its schema where it needs one.
    pub table: String,
    /// What it is called in this mapping; its own name, unless two entries mean the same table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its columns with the columns (`TABLE.COLUMN`) that they equal, of one table named before. Which
    /// of the two refers to the other follows from their keys.
    pub join: BTreeMap<String, String>,
    /// Which rows a canary has there.
    #[serde(default)]
    pub rows: RelatedRows,
    /// In a table of one row per attribute, the column that names the attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The column that holds the attribute's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Columns that have one value in the rows meant (`kind = "billing"`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, String>,
    /// Columns of the joined table that refer back to this row (`default_billing = "id"`), beside the join.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub referred: BTreeMap<String, String>,
    /// Its columns, or its attributes.
    #[serde(default, with = "by_name")]
    pub columns: Vec<MappedColumn>,
}

impl Related {
    /// What the mapping calls it.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.table)
    }
}
