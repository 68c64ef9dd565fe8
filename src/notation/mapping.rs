//! What each column of a source's table means and how it is written.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Format, Related, Role};
use crate::persona::Locale;

/// One column of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct MappedColumn {
    /// The column's name, as the database has it.
    pub column: String,
    /// What it means.
    pub role: Role,
    /// How it is written; `None` for roles without a format.
    pub format: Option<Format>,
    /// A text that every canary gets there, whatever the role.
    pub value: Option<String>,
    /// Whether a missing value (a household without a building name) is an empty text rather than NULL.
    pub blank: bool,
    /// How sure the role was when it was worked out, 0 to 1; `None` where a person said it.
    pub confidence: Option<f64>,
    /// What it was worked out from.
    pub why: String,
}

impl MappedColumn {
    /// A column whose role a person has said.
    pub fn told(column: &str, role: Role) -> MappedColumn {
        MappedColumn {
            column: column.to_owned(),
            role,
            format: None,
            value: None,
            blank: false,
            confidence: None,
            why: String::new(),
        }
    }
}

/// A source's mapping: every column of its table, in the table's order.
///
/// Its JSON form is what the registry keeps; its TOML form is what an operator writes:
///
/// ```toml
/// locale = "ja_JP"
/// [columns."生年月日"]
/// role = "birth_date"
/// format = "昭和47年4月1日"
/// [columns.tenant]
/// role = "other"
/// value = "7"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Whose people the table holds.
    pub locale: Locale,
    /// The columns.
    #[serde(with = "by_name")]
    pub columns: Vec<MappedColumn>,
    /// Tables beside it that hold more of a customer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// A mapping file: as much of a mapping as an operator wants to say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MappingFile {
    /// Whose people the table holds.
    pub locale: Option<Locale>,
    /// The columns.
    #[serde(with = "by_name")]
    pub columns: Vec<MappedColumn>,
    /// Tables beside it that hold more of a customer.
    pub related: Vec<Related>,
}

/// A mapping that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MappingError {
    /// Not TOML, or not what a mapping file holds.
    #[error("line {line}: {message}")]
    Toml {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// A stored mapping that this version does not read.
    #[error("the stored mapping cannot be read: {0}")]
    Json(String),
    /// A column that the table does not have.
    #[error(
        "the mapping names a column '{column}' that table {table} does not have; its columns are: {columns}"
    )]
    NoColumn {
        /// The column.
        column: String,
        /// The table.
        table: String,
        /// The columns there are.
        columns: String,
    },
}

impl MappingFile {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError::Toml`] with the line.
    pub fn read(text: &str) -> Result<MappingFile, MappingError> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().map_or(0, |span| span.start.min(text.len()));
            MappingError::Toml {
                line: text
                    .get(..before)
                    .map_or(1, |before| before.matches('\n').count() + 1),
                message: error.message().to_owned(),
            }
        })
    }
}

impl Mapping {
    /// Reads what [`Mapping::to_json`] wrote.
    ///
    /// # Errors
    /// [`MappingError::Json`].
    pub fn from_json(text: &str) -> Result<Mapping, MappingError> {
        serde_json::from_str(text).map_err(|error| MappingError::Json(error.to_string()))
    }

    /// The mapping as the registry keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a mapping has text keys and no values that JSON lacks")
    }

    /// The columns of that role.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &MappedColumn> {
        self.columns
            .iter()
            .filter(move |column| column.role == role)
    }

    /// Whether any column has that role.
    pub fn has(&self, role: Role) -> bool {
        self.with_role(role).next().is_some()
    }

    /// Whether the table records a child beside its guardian.
    pub fn has_child(&self) -> bool {
        self.columns.iter().any(|column| column.role.is_child())
    }

    /// Checks that the table has every column named.
    ///
    /// # Errors
    /// [`MappingError::NoColumn`].
    pub fn check(
        mapped: &[MappedColumn],
        table: &str,
        columns: &[&str],
    ) -> Result<(), MappingError> {
        match mapped
            .iter()
            .find(|mapped| !columns.contains(&mapped.column.as_str()))
        {
            None => Ok(()),
            Some(stray) => Err(MappingError::NoColumn {
                column: stray.column.clone(),
                table: table.to_owned(),
                columns: columns.join(", "),
            }),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    blank: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
}

/// Columns as a table keyed by their names, in order.
pub(super) mod by_name {
    use super::*;

    pub fn serialize<S: Serializer>(
        columns: &[MappedColumn],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(columns.len()))?;
        for column in columns {
            let entry = Entry {
                role: column.role,
                format: column
                    .format
                    .as_ref()
                    .map(|format| format.example(column.role)),
                value: column.value.clone(),
                blank: column.blank,
                confidence: column.confidence,
                why: column.why.clone(),
            };
            map.serialize_entry(&column.column, &entry)?;
        }
        map.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<MappedColumn>, D::Error> {
        deserializer.deserialize_map(Columns)
    }

    struct Columns;

    impl<'de> Visitor<'de> for Columns {
        type Value = Vec<MappedColumn>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table of columns, each with a role")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut columns: Vec<MappedColumn> = Vec::new();
            while let Some(name) = map.next_key::<String>()? {
                let entry: Entry = map.next_value()?;
                let named = |text: String| {
                    Format::named(entry.role, &text).map_err(|error| {
                        de::Error::custom(format_args!("columns.{name}.format: {error}"))
                    })
                };
                let format = entry.format.map(named).transpose()?;
                columns.push(MappedColumn {
                    column: name,
                    role: entry.role,
                    format,
                    value: entry.value,
                    blank: entry.blank,
                    confidence: entry.confidence,
                    why: entry.why,
                });
            }
            Ok(columns)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_as_much_as_it_wants() {
        let file = MappingFile::read(
            "locale = \"ja_JP\"\n[columns.\"生年月日\"]\nrole = \"birth_date\"\nformat = \"昭和47年4月1日\"\n[columns.sex]\nrole=\"sex\"\nformat=\"0/1\"\n[columns.tenant]\nrole = \"other\"\nvalue = \"7\"\n",
        )
        .unwrap();
        assert_eq!(file.locale, Some(Locale::JaJp));
        assert_eq!(file.columns.len(), 3);
        let birth = file
            .columns
            .iter()
            .find(|column| column.column == "生年月日")
            .unwrap();
        assert_eq!(
            birth.format.as_ref().unwrap().example(Role::BirthDate),
            "昭和47年4月1日"
        );
        assert_eq!(MappingFile::read("").unwrap(), MappingFile::default());
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, line, words) in [
            ("[columns.a]\nrole = \"nmae\"", 2, "nmae"),
            ("[columns.a]\nrole = \"name\"\nformt = \"x\"", 3, "formt"),
            ("lang = \"ja\"", 1, "lang"),
            (
                "[columns.a]\nrole = \"birth_date\"\nformat = \"yesterday\"",
                1,
                "columns.a.format",
            ),
            ("[columns.a\n", 1, ""),
            ("\n\n[columns.a]\nformat = \"x\"\n", 3, "role"),
        ] {
            let error = MappingFile::read(text).unwrap_err();
            let MappingError::Toml {
                line: found,
                message,
            } = &error
            else {
                panic!("{error}")
            };
            assert_eq!(*found, line, "{error}");
            assert!(message.contains(words), "{error}");
        }
    }

    #[test]
    fn the_registry_s_form_keeps_order_and_everything() {
        let mut columns: Vec<MappedColumn> = Vec::new();
        for (at, role) in Role::ALL.iter().rev().enumerate() {
            columns.push(MappedColumn {
                format: Format::default_of(*role, Locale::JaJp),
                blank: at % 2 == 0,
                value: (at % 3 == 0).then(|| "x".to_owned()),
                confidence: Some(0.5),
                why: "header".to_owned(),
                ..MappedColumn::told(&format!("c{at}"), *role)
            });
        }
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns,
            related: Vec::new(),
        };
        let json = mapping.to_json();
        let again = Mapping::from_json(&json).unwrap();
        assert_eq!(again.to_json(), json);
        assert_eq!(Mapping::from_json(&again.to_json()).unwrap(), again);
    }

    #[test]
    fn a_column_that_is_not_there_is_told_with_those_that_are() {
        let error = Mapping::check(
            &[MappedColumn::told("tel", Role::Phone)],
            "customers",
            &["id", "phone"],
        )
        .unwrap_err();
        assert!(error.to_string().contains("id, phone"), "{error}");
    }
}
