//! Addresses of the United States as they are typed.

use super::{Address, AddressError, Gazetteer, fold, postcode_digits};

const EXAMPLE: &str = "'1200 Example Ave, Springfield'";

pub(super) fn zip(typed: &str) -> Option<String> {
    let short = postcode_digits(typed, 5);
    short.or_else(|| postcode_digits(typed, 9).map(|digits| digits[..5].to_owned()))
}

pub(super) fn split(
    gazetteer: &Gazetteer,
    typed_zip: &str,
    typed: &str,
) -> Result<Address, AddressError> {
    let Some(zip) = zip(typed_zip) else {
        return Err(AddressError::Postcode {
            typed: typed_zip.to_owned(),
            wanted: "five digits such as 62701",
        });
    };
    let places = gazetteer.locate_us(&zip);
    let Some(place) = places.first() else {
        return Err(AddressError::Unknown { postcode: zip });
    };
    let text = fold(typed);
    let mut parts: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .collect();
    let street = if parts.is_empty() {
        ""
    } else {
        parts.remove(0)
    };
    if !street.contains(|c: char| c.is_ascii_digit()) {
        return Err(AddressError::NoBlock {
            typed: typed.to_owned(),
            example: EXAMPLE,
        });
    }
    let disagrees = || AddressError::Disagrees {
        postcode: zip.clone(),
        typed: typed.to_owned(),
        places: format!("{}, {}", place.city, place.region),
    };
    // From the end: country, then state and ZIP, then city.
    if parts
        .last()
        .is_some_and(|p| ["USA", "US"].contains(&p.to_ascii_uppercase().as_str()))
    {
        parts.pop();
    }
    if let Some(last) = parts.last().copied() {
        let words: Vec<&str> = last.split_whitespace().collect();
        let (code, name) = match words.split_last() {
            Some((end, name)) if self::zip(end).is_some() => (self::zip(end), name.to_vec()),
            _ => (None, words),
        };
        if code.as_ref().is_some_and(|code| *code != zip) {
            return Err(disagrees());
        }
        match name.as_slice() {
            [] => {
                parts.pop();
            }
            [state] if is_state(state) => {
                if !state.eq_ignore_ascii_case(place.region) {
                    return Err(disagrees());
                }
                parts.pop();
            }
            [city @ .., state] if !city.is_empty() && is_state(state) => {
                let here = city.join(" ").eq_ignore_ascii_case(place.city);
                if !here || !state.eq_ignore_ascii_case(place.region) {
                    return Err(disagrees());
                }
                parts.pop();
            }
            _ => {}
        }
    }
    match parts.pop() {
        Some(city) if city.eq_ignore_ascii_case(place.city) => {}
        Some(building) if parts.is_empty() && is_building(building) => parts.push(building),
        Some(_) => return Err(disagrees()),
        None => {}
    }
    Ok(place.address(zip.clone(), street.to_owned(), &parts.join(", ")))
}

fn is_state(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether this begins as buildings and the parts of them do.
fn is_building(text: &str) -> bool {
    let word = text
        .split([' ', '.'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let known = [
        "apt",
        "apartment",
        "suite",
        "ste",
        "unit",
        "bldg",
        "building",
        "floor",
        "fl",
        "room",
        "rm",
        "pmb",
        "box",
        "c/o",
        "dept",
        "lot",
        "the",
    ];
    word.starts_with('#')
        || known.contains(&word.as_str())
        || text.contains(|c: char| c.is_ascii_digit())
}
