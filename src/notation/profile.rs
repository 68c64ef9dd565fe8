//! What kind of households a table has, seen in its rows.

use time::Date;

use super::{Format, Mapping, Role};
use crate::persona::{Children, Shape};

/// The shape of a table's households: ages as in the middle nine tenths of its rows. Without births in
/// the rows, the usual shape of a table with or without children.
pub fn shape(
    mapping: &Mapping,
    columns: &[String],
    rows: &[Vec<Option<String>>],
    today: Date,
) -> Shape {
    let ages = |role: Role| {
        let column = mapping.with_role(role).next()?;
        let Some(Format::Date(format)) = &column.format else {
            return None;
        };
        let at = columns.iter().position(|name| *name == column.column)?;
        let births = rows
            .iter()
            .filter_map(|row| format.read(row.get(at)?.as_deref()?));
        let mut ages: Vec<i32> = births
            .map(|birth| (today.to_julian_day() - birth.to_julian_day()) * 100 / 36_525)
            .collect();
        ages.sort_unstable();
        if ages.len() < 20 {
            return None;
        }
        // Typing errors and placeholder births (1900-01-01) stand at the ends.
        let (low, high) = (
            ages[ages.len() / 20],
            ages[ages.len() - 1 - ages.len() / 20],
        );
        Some((
            u8::try_from(low.max(0)).ok()?,
            u8::try_from(high.clamp(0, 100)).ok()?,
        ))
    };
    if mapping.has_child() {
        let usual = Shape::families(3..=17);
        return match ages(Role::ChildBirthDate) {
            Some((low, high)) if low <= 25 => Shape {
                children: Some(Children {
                    count: 1..=3,
                    ages: low..=high.min(25),
                }),
                ..usual
            },
            _ => usual,
        };
    }
    match ages(Role::BirthDate) {
        Some((low, high)) => Shape::adults(low..=high),
        None => Shape::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::MappedColumn;
    use crate::persona::Locale;

    #[test]
    fn the_rows_show_how_old_people_are() {
        let format = Format::named(Role::ChildBirthDate, "1972-04-01").unwrap();
        let column = MappedColumn {
            format: Some(format),
            ..MappedColumn::told("birth", Role::ChildBirthDate)
        };
        let mapping = Mapping {
            locale: Locale::JaJp,
            columns: vec![column],
            related: Vec::new(),
        };
        let rows: Vec<_> = (0..100)
            .map(|at| vec![Some(format!("{}-05-05", 2014 + at % 6))])
            .chain([vec![Some("1900-01-01".to_owned())], vec![None]])
            .collect();
        let shape = shape(
            &mapping,
            &["birth".to_owned()],
            &rows,
            time::macros::date!(2026 - 11 - 23),
        );
        assert_eq!(shape.children.unwrap().ages, 7..=12);
    }
}
