//! Workbooks: each sheet is a part, read cell by cell. Formulas are never evaluated: where a workbook keeps no
//! result, their text stands in the cell.

pub mod ods;
mod strings;
mod style;
pub mod xls;
pub mod xlsx;
mod xml;

/// What workbooks are written in, whatever the sheet says.
const ENCODING: &str = "utf-8";
/// A sheet has no more columns.
const COLUMNS: usize = 16_384;

/// A number as a person would type it: spreadsheets keep telephone numbers as 9.0123456789E10.
fn number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => (number as i64).to_string(),
        _ => text.to_owned(),
    }
}

/// Whether a row has anything in it.
fn is_filled(row: &[String]) -> bool {
    row.iter().any(|cell| !cell.trim().is_empty())
}
