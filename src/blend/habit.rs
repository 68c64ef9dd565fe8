//! How one row writes its values. A table's notation is seldom one: clerks, years and import jobs each
//! have theirs, and a row's cells follow the same hand.

use crate::notation::{AddressFormat, Format, JapaneseAddress, MappedColumn, Mapping, UnitStyle};

/// The mapping with each column in the notation of one row, and what that row leaves empty.
pub(crate) fn as_in(
    mapping: &Mapping,
    places: &[Option<usize>],
    row: &[Option<String>],
) -> Mapping {
    let columns = mapping.columns.iter().zip(places).map(|(column, place)| {
        let text = place.and_then(|at| row.get(at)?.as_deref());
        let told = text.map(str::trim).filter(|text| !text.is_empty());
        let odd = |text: &&str| {
            let usual = column.format.as_ref();
            usual.is_none_or(|format| !writes(format, text))
        };
        let format = told
            .filter(odd)
            .and_then(|text| Format::recognise_beside(column.role, &[text], column.format.as_ref()))
            .map(|(format, _)| with_building(format, column.format.as_ref()));
        MappedColumn {
            format: format.or(column.format.clone()),
            blank: column.blank && text.is_some(),
            ..column.clone()
        }
    });
    Mapping {
        locale: mapping.locale,
        columns: columns.collect(),
        related: mapping.related.clone(),
    }
}

/// A row that has a room number behind its block, and no building, shows no way to write a building: its
/// name is evidence, and is written as in other rows.
fn with_building(format: Format, usual: Option<&Format>) -> Format {
    let unit = match usual {
        Some(Format::Address(AddressFormat::Japanese(usual))) => usual.unit,
        _ => UnitStyle::Plain,
    };
    match format {
        Format::Address(AddressFormat::Japanese(own)) if own.unit == UnitStyle::Hyphen => {
            Format::Address(AddressFormat::Japanese(JapaneseAddress { unit, ..own }))
        }
        other => other,
    }
}

/// Whether the column's usual format would have written this text.
fn writes(format: &Format, text: &str) -> bool {
    match format {
        Format::Date(format) => format
            .read(text)
            .is_some_and(|date| format.write(date) == text),
        Format::Phone(format) => format
            .read(text)
            .is_some_and(|number| format.write(&number) == text),
        Format::Postcode(format) => format
            .read(text)
            .is_some_and(|digits| format.write(&digits) == text),
        Format::Sex(format) => format.read(text).is_some(),
        // Moments are the table's own clock; texts and codes have no hand of their own.
        Format::Timestamp(_) => true,
        Format::Text(format) => format.write(text) == text,
        // Names, readings and addresses show their notation in what parts them.
        Format::Name(_) | Format::Kana(_) | Format::Address(_) => false,
    }
}

/// Blanks that stand before and behind a row's value; databases keep them, and so do canaries.
pub(crate) fn edges(text: &str) -> (&str, &str) {
    let inner = text.trim();
    let start = text.len() - text.trim_start().len();
    (
        &text[..start],
        &text[(start + inner.len()).min(text.len())..],
    )
}
