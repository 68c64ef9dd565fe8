//! Customers for the test databases, and rows as SQL.

use otori::persona::{Generator, Household, Locale, Seeds, Shape};
use rand::SeedableRng;
use rand::rngs::StdRng;
use time::macros::date;

/// As many households.
pub fn households(locale: Locale, count: usize, shape: &Shape) -> Vec<Household> {
    let generator = Generator::new(&Seeds::embedded(), locale);
    let mut rng = StdRng::seed_from_u64(11);
    (0..count)
        .map(|_| generator.household(&mut rng, date!(2026 - 01 - 01), shape))
        .collect()
}

/// A value as SQL.
pub fn q(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `insert into TABLE (COLUMNS) values …`.
pub fn insert(table: &str, columns: &str, rows: &[Vec<String>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| format!("({})", row.join(", ")))
        .collect();
    format!("insert into {table} ({columns}) values {}", rows.join(", "))
}

/// When the customer of this number came.
pub fn joined(number: usize) -> String {
    let at = time::macros::datetime!(2024-01-04 10:00 UTC)
        + time::Duration::minutes(number as i64 * 2111 + number as i64 % 7 * 13);
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.format(&format).unwrap()
}
