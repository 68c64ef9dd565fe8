//! The one place where SQL is put together.
//!
//! A statement is made of `'static` text written in this crate, of names, which are quoted here, of
//! type names and conditions, which the server's own catalog has quoted, and of values, which are bound (or, for a
//! file that a person will run, written as literals here). There is no other way to a [`Sql`], and
//! only a [`Sql`] reaches a database.

use super::{Check, Column, Engine, Table};

/// How values get into a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Bound,
    Literal,
}

/// A statement with its values.
#[derive(Clone)]
pub(super) struct Sql {
    engine: Engine,
    mode: Values,
    text: String,
    values: Vec<Option<String>>,
}

impl Sql {
    /// A statement that begins with `text`; values are bound.
    pub(super) fn new(engine: Engine, text: &'static str) -> Sql {
        Sql {
            engine,
            mode: Values::Bound,
            text: text.to_owned(),
            values: Vec::new(),
        }
    }

    /// A statement for a file: values are written as literals.
    pub(super) fn literal(engine: Engine, text: &'static str) -> Sql {
        Sql {
            mode: Values::Literal,
            ..Sql::new(engine, text)
        }
    }

    /// The text and the values to bind.
    pub(super) fn into_parts(self) -> (String, Vec<Option<String>>) {
        (self.text, self.values)
    }

    /// The values to bind.
    pub(super) fn values(&self) -> &[Option<String>] {
        &self.values
    }

    /// More text.
    pub(super) fn text(mut self, text: &'static str) -> Sql {
        self.text.push_str(text);
        self
    }

    /// A quoted name.
    pub(super) fn name(mut self, name: &str) -> Sql {
        let quote = if self.engine == Engine::MySql {
            '`'
        } else {
            '"'
        };
        self.text.push(quote);
        for c in name.chars() {
            if c == quote {
                self.text.push(quote);
            }
            self.text.push(c);
        }
        self.text.push(quote);
        self
    }

    /// A table with its schema.
    pub(super) fn table(self, table: &Table) -> Sql {
        match &table.schema {
            Some(schema) => self.name(schema).text(".").name(&table.name),
            None => self.name(&table.name),
        }
    }

    /// Parts joined by `between`.
    pub(super) fn list<T>(
        mut self,
        between: &'static str,
        parts: impl IntoIterator<Item = T>,
        mut write: impl FnMut(Sql, T) -> Sql,
    ) -> Sql {
        for (place, part) in parts.into_iter().enumerate() {
            if place > 0 {
                self = self.text(between);
            }
            self = write(self, part);
        }
        self
    }

    /// A value as text.
    pub(super) fn value(mut self, value: Option<&str>) -> Sql {
        match (self.mode, value) {
            (Values::Literal, None) => self.text.push_str("NULL"),
            (Values::Literal, Some(value)) => push_literal(&mut self.text, self.engine, value),
            (Values::Bound, _) => {
                self.values.push(value.map(str::to_owned));
                if self.engine == Engine::Postgres {
                    self.text.push_str(&format!("${}", self.values.len()));
                } else {
                    self.text.push('?');
                }
            }
        }
        self
    }

    /// A whole number.
    pub(super) fn number(mut self, number: u64) -> Sql {
        self.text.push_str(&number.to_string());
        self
    }

    /// Bytes as hexadecimal digits, within quotes that are text.
    pub(super) fn hex(mut self, bytes: &[u8]) -> Sql {
        for byte in bytes {
            self.text.push_str(&format!("{byte:02x}"));
        }
        self
    }

    /// A value that is stored into `column`.
    pub(super) fn stored(self, column: &Column, value: Option<&str>) -> Sql {
        match (self.engine, column.is_binary()) {
            (Engine::Postgres, _) => {
                let mut sql = self.text("cast(").value(value).text(" as ");
                // format_type's output, which PostgreSQL has quoted where needed.
                sql.text.push_str(&column.sql_type);
                sql.text(")")
            }
            (Engine::Sqlite | Engine::MySql, true) => self.text("unhex(").value(value).text(")"),
            _ => self.value(value),
        }
    }

    /// A condition in the words of the server's own catalog.
    pub(super) fn condition(mut self, check: &Check) -> Sql {
        let words = check.expression.as_str();
        // PostgreSQL's definition of a constraint.
        let words = words.strip_prefix("CHECK ").unwrap_or(words);
        let words = words.strip_suffix(" NOT VALID").unwrap_or(words);
        let words = words.strip_suffix(" NO INHERIT").unwrap_or(words);
        self.text.push_str(words);
        self
    }

    /// A value as it would stand in `column`, in a query that reads no table.
    pub(super) fn typed(self, column: &Column, value: Option<&str>) -> Sql {
        let kind = column.base_type();
        let is = |words: &[&str]| words.iter().any(|word| kind.contains(word));
        match self.engine {
            // The rules by which SQLite takes a declared type: <https://www.sqlite.org/datatype3.html>.
            Engine::Sqlite if is(&["int"]) => self.number_or_text(value),
            Engine::Sqlite if is(&["char", "clob", "text"]) => {
                self.text("cast(").value(value).text(" as text)")
            }
            Engine::Sqlite if kind.is_empty() || column.is_binary() => self.stored(column, value),
            Engine::Sqlite => self.number_or_text(value),
            Engine::MySql if is(&["int", "decimal", "numeric", "float", "double"]) => {
                self.text("(").value(value).text(" + 0)")
            }
            Engine::MySql if kind == "date" => self.text("cast(").value(value).text(" as date)"),
            Engine::MySql if is(&["datetime", "timestamp"]) => {
                self.text("cast(").value(value).text(" as datetime(6))")
            }
            _ => self.stored(column, value),
        }
    }

    /// SQLite keeps a text in a column for numbers if it is none.
    fn number_or_text(self, value: Option<&str>) -> Sql {
        match value.is_some_and(|text| text.trim().parse::<f64>().is_err()) {
            true => self.value(value),
            false => self.text("cast(").value(value).text(" as numeric)"),
        }
    }

    /// The value of `column` as text: what a client sees, hexadecimal digits for binary columns.
    pub(super) fn shown(self, column: &Column) -> Sql {
        let name = column.name.as_str();
        match self.engine {
            Engine::Postgres => self.name(name).text("::text"),
            Engine::Sqlite => self
                .text("case typeof(")
                .name(name)
                .text(") when 'blob' then hex(")
                .name(name)
                .text(") else cast(")
                .name(name)
                .text(" as text) end"),
            Engine::MySql if column.is_binary() => self.text("hex(").name(name).text(")"),
            Engine::MySql if column.base_type() == "bit" => {
                self.text("cast(").name(name).text("+0 as char)")
            }
            Engine::MySql if column.charset.is_some() => {
                self.text("convert(").name(name).text(" using utf8mb4)")
            }
            Engine::MySql | Engine::Csv => self.text("cast(").name(name).text(" as char)"),
        }
    }

    /// Whether `column` holds exactly this text, letter for letter, or exactly NULL. Collations that
    /// ignore case, accents or trailing blanks have no say.
    pub(super) fn equals_exactly(self, column: &Column, value: Option<&str>) -> Sql {
        match self.engine {
            Engine::Sqlite | Engine::Csv => self
                .text("(")
                .shown(column)
                .text(") collate binary is ")
                .value(value),
            Engine::Postgres => self
                .text("(")
                .shown(column)
                .text(") collate \"C\" is not distinct from ")
                .value(value),
            Engine::MySql => self
                .text("cast(")
                .shown(column)
                .text(" as binary) <=> cast(")
                .value(value)
                .text(" as binary)"),
        }
    }

    /// Whether the key column `column` equals `value` in the sense of its own type, so that an index
    /// can answer.
    pub(super) fn equals_key(self, column: &Column, value: &str) -> Sql {
        self.name(&column.name)
            .text(" = ")
            .stored(column, Some(value))
    }
}

fn push_literal(text: &mut String, engine: Engine, value: &str) {
    // Whether a backslash escapes depends on the server's settings, so it is never written as itself.
    let delicate = value.chars().any(|c| c == '\\' || c.is_control());
    let doubled = value.replace('\'', "''");
    match engine {
        Engine::MySql if delicate => {
            text.push_str("convert(x'");
            for byte in value.bytes() {
                text.push_str(&format!("{byte:02x}"));
            }
            text.push_str("' using utf8mb4)");
        }
        Engine::Postgres if delicate => {
            text.push_str(" E'");
            text.push_str(&doubled.replace('\\', "\\\\"));
            text.push('\'');
        }
        _ => {
            text.push('\'');
            text.push_str(&doubled);
            text.push('\'');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_or_value_stays_a_name_or_a_value() {
        let name = "a\"; drop table x; --`";
        let sql = Sql::new(Engine::Postgres, "select ").name(name);
        assert_eq!(sql.into_parts().0, "select \"a\"\"; drop table x; --`\"");
        let sql = Sql::new(Engine::MySql, "select ").name(name);
        assert_eq!(sql.into_parts().0, "select `a\"; drop table x; --```");
        let sql = Sql::literal(Engine::Sqlite, "").value(Some("O'Neil"));
        assert_eq!(sql.into_parts().0, "'O''Neil'");
        let sql = Sql::literal(Engine::Postgres, "").value(Some("\\' or 1"));
        assert_eq!(sql.into_parts().0, " E'\\\\'' or 1'");
        let sql = Sql::literal(Engine::MySql, "").value(Some("\\'"));
        assert_eq!(sql.into_parts().0, "convert(x'5c27' using utf8mb4)");
        let (text, values) = Sql::new(Engine::Postgres, "")
            .value(Some("x"))
            .value(None)
            .into_parts();
        assert_eq!((text.as_str(), values.len()), ("$1$2", 2));
    }
}
