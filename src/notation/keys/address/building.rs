//! Building and unit: what stands behind the block.

use super::numerals::to_digits;

/// What closes a unit's number.
const UNIT_ENDS: [&str; 5] = ["号室", "号", "室", "階", "f"];

/// Building and unit: `霞ハイツ203号室`, `A棟203`, `203`, `#203`, `301C`, `霞ビル10F`.
pub(super) fn read(tail: &str) -> (String, String) {
    // Most addresses end with the block.
    if tail.is_empty() {
        return (String::new(), String::new());
    }
    let tail = to_digits(tail);
    // A space between digits parts a building's number from the unit: コーポ2 203.
    let mut joined = String::with_capacity(tail.len());
    for part in tail.split([' ', '、', ',', '#', '・']) {
        let digit = |c: char| c.is_ascii_digit();
        if joined.ends_with(digit) && part.starts_with(digit) {
            joined.push('-');
        }
        joined.push_str(part);
    }
    let body = match UNIT_ENDS.iter().find_map(|mark| joined.strip_suffix(mark)) {
        Some(body) if body.ends_with(|c: char| c.is_ascii_alphanumeric()) => body,
        _ => joined.as_str(),
    };
    let floor = joined[body.len()..].starts_with(['階', 'f']);
    // 301C is a unit of its own; a word of Latin letters is a name.
    let lettered = body.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let behind = &body[lettered.len()..];
    let numbered = if behind.len() <= 1 { lettered } else { body };
    let name = numbered.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = numbered[name.len()..].trim_start_matches('0');
    if number.is_empty() {
        return (plain(body), String::new());
    }
    let letter = if numbered.len() < body.len() {
        behind
    } else {
        ""
    };
    let (building, wing) = split_wing(name);
    let floor = if floor { "f" } else { "" };
    (plain(building), format!("{wing}{number}{letter}{floor}"))
}

/// A wing belongs to the unit: A棟203, A-203, 2号棟203. But コーポ2-203 is a house of its own name.
fn split_wing(name: &str) -> (&str, &str) {
    let bare = name.trim_end_matches(['-', 'ー']);
    let wingless = bare.trim_end_matches("号棟").trim_end_matches('棟');
    let numbered = wingless.trim_end_matches(|c: char| c.is_ascii_digit());
    let lettered = wingless.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let wing = if wingless.len() < bare.len() {
        &wingless[numbered.len().min(lettered.len())..]
    } else if wingless.len() - lettered.len() == 1 {
        &wingless[lettered.len()..]
    } else {
        ""
    };
    (&wingless[..wingless.len() - wing.len()], wing)
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, ' ' | 'ー' | '-' | '・' | '(' | ')'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_unit_is_told_from_its_building() {
        for (tail, building, unit) in [
            ("霞ハイツ203号室", "霞ハイツ", "203"),
            ("霞ハイツ 203", "霞ハイツ", "203"),
            ("霞ハイツ二〇三号室", "霞ハイツ", "203"),
            ("#203", "", "203"),
            ("203", "", "203"),
            ("301c", "", "301c"),
            ("霞ハイツ301c号室", "霞ハイツ", "301c"),
            ("霞ハイツa棟203", "霞ハイツ", "a203"),
            ("霞ハイツa-203", "霞ハイツ", "a203"),
            ("霞ハイツ2号棟203", "霞ハイツ", "2203"),
            ("霞ビル10f", "霞ビル", "10f"),
            ("霞ビル10階", "霞ビル", "10f"),
            ("コーポ2 203", "コポ2", "203"),
            ("1番館", "1番館", ""),
            ("digitalビル", "digitalビル", ""),
            ("", "", ""),
        ] {
            assert_eq!(read(tail), (building.to_owned(), unit.to_owned()), "{tail}");
        }
    }
}
