//! One statement for several rows. A statement sent to an engine costs a wait for its answer, which is more than most
//! statements themselves cost: what comes together is written together, and asked for together.

use std::fmt::Write;

use super::Result;
use super::store::{Row, Store, Tx, Value};

/// Rows in one statement, at most.
const ROWS: usize = 32;
/// Beyond so many rows only powers of two are taken together: each number of rows is a statement of its own, which
/// the engine remembers.
const FEW: usize = 8;
/// Bytes of values in one statement, unless one row alone has more.
const BYTES: usize = 1 << 20;

/// A statement that puts rows in.
pub(super) struct Insert {
    /// What stands before the rows: `insert into message (at, channel)`.
    pub into: &'static str,
    /// The values of a row.
    pub columns: usize,
    /// What stands behind the rows.
    pub then: &'static str,
}

impl Insert {
    fn text(&self, rows: usize) -> String {
        let mut text = format!("{} values ", self.into);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            places(&mut text, row * self.columns + 1, self.columns);
            text.push(')');
        }
        text.push(' ');
        text.push_str(self.then);
        text
    }
}

/// A statement about every row whose key is in a list.
pub(super) struct Among {
    /// What stands before the list: `select raw from message where id in`.
    pub before: &'static str,
    /// Values that stand before the list's.
    pub first: usize,
    /// What stands behind the list.
    pub then: &'static str,
}

impl Among {
    /// Its texts and values for so many keys, which are given in parts.
    fn parts<T: Clone + Into<Value>>(
        &self,
        first: impl Fn() -> Vec<Value>,
        keys: &[T],
    ) -> Vec<(String, Vec<Value>)> {
        let part = |keys: &[T]| {
            let count = keys.len().next_power_of_two();
            let mut text = format!("{} (", self.before);
            places(&mut text, self.first + 1, count);
            text.push_str(") ");
            text.push_str(self.then);
            let mut values = first();
            // The last one again and again: it is found once.
            let last = keys.last();
            let filled = keys.iter().chain(last.into_iter().cycle()).take(count);
            values.extend(filled.map(|key| key.clone().into()));
            (text, values)
        };
        keys.chunks(ROWS).map(part).collect()
    }
}

/// `$4, $5, $6`
fn places(text: &mut String, from: usize, count: usize) {
    for place in from..from + count {
        if place > from {
            text.push_str(", ");
        }
        write!(text, "${place}").expect("a text takes whatever is written");
    }
}

/// How many of these rows go into one statement.
fn together(rows: &[Vec<Value>]) -> usize {
    let mut bytes = 0;
    let mut fit = 0_usize;
    for row in rows.iter().take(ROWS) {
        bytes += row.iter().map(Value::size).sum::<usize>();
        if bytes > BYTES && fit > 0 {
            break;
        }
        fit += 1;
    }
    match fit {
        0..=FEW => fit.max(1),
        _ => 1 << fit.ilog2(),
    }
}

impl Tx {
    /// Puts rows in; what the statement returns of them, in any order.
    pub(super) async fn insert_rows(
        &mut self,
        insert: &Insert,
        mut rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>> {
        let mut returned = Vec::with_capacity(rows.len());
        while !rows.is_empty() {
            let rest = rows.split_off(together(&rows));
            let sql = insert.text(rows.len());
            let values = rows.into_iter().flatten().collect();
            returned.extend(self.fetch_text(sql, values).await?);
            rows = rest;
        }
        Ok(returned)
    }

    /// Runs a statement about every row with one of these keys; what it returns.
    pub(super) async fn fetch_among<T: Clone + Into<Value>>(
        &mut self,
        among: &Among,
        first: impl Fn() -> Vec<Value>,
        keys: &[T],
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (sql, values) in among.parts(first, keys) {
            rows.extend(self.fetch_text(sql, values).await?);
        }
        Ok(rows)
    }
}

impl Store {
    /// The same outside of a transaction.
    pub(super) async fn fetch_among<T: Clone + Into<Value>>(
        &self,
        among: &Among,
        first: impl Fn() -> Vec<Value>,
        keys: &[T],
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (sql, values) in among.parts(first, keys) {
            rows.extend(self.fetch_text(sql, values).await?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_names_every_value_once() {
        let insert = Insert {
            into: "insert into t (a, b)",
            columns: 2,
            then: "returning a",
        };
        let text = "insert into t (a, b) values ($1, $2), ($3, $4) returning a";
        assert_eq!(insert.text(2), text);
        let among = Among {
            before: "select a from t where b = $1 and a in",
            first: 1,
            then: "order by a",
        };
        let parts = among.parts(|| vec![7_i64.into()], &[1_i64, 2, 3]);
        let [(text, values)] = &parts[..] else {
            panic!("{}", parts.len());
        };
        let whole = "select a from t where b = $1 and a in ($2, $3, $4, $5) order by a";
        assert_eq!(text, whole);
        let number = |value: &Value| match value {
            Value::Int(number) => *number,
            _ => None,
        };
        let numbers: Vec<i64> = values.iter().filter_map(number).collect();
        assert_eq!(numbers, [7, 1, 2, 3, 3]);
    }

    #[test]
    fn large_rows_go_alone() {
        let rows = |sizes: &[usize]| -> Vec<Vec<Value>> {
            let row = |size: &usize| vec![vec![0_u8; *size].into()];
            sizes.iter().map(row).collect()
        };
        assert_eq!(together(&rows(&[1; 100])), ROWS);
        assert_eq!(together(&rows(&[1; 7])), 7);
        assert_eq!(together(&rows(&[1; 31])), 16);
        assert_eq!(together(&rows(&[BYTES + 1, 1])), 1);
        assert_eq!(together(&rows(&[1, 1, BYTES])), 2);
    }
}
