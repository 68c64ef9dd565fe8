//! How far our address keys agree with the public test suites of Japanese address normalisers.
//!
//! `cargo bench --bench addresses -- FILE.csv` takes a suite as a CSV file with the columns 住所 (as somebody wrote it)
//! and 都道府県, 市区町村, 町字 or 町丁目, 番地号, その他 (as the normaliser should read it), as those of
//! geolonia/normalize-japanese-addresses are; README.md tells where to get them. No suite is kept here. The address as it was written must have the same
//! key as the parts that the suite says it has, and lie in the same prefecture and city; what differs is counted by
//! its kind and shown. Rows without any number are no doors: they have no key and are left out.

use std::collections::BTreeMap;

use otori::notation::{AddressKey, address_key};

/// Disagreements that are shown of each kind.
const SHOWN: usize = 5;

fn main() {
    // Cargo itself adds --bench.
    let Some(path) = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"))
    else {
        println!("addresses: name a suite: cargo bench --bench addresses -- FILE.csv");
        return;
    };
    let mut suite = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(&path)
        .unwrap_or_else(|error| panic!("{path} cannot be read: {error}"));
    let header = suite.headers().expect("a header").clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|column| column.trim_start_matches('\u{feff}') == name)
    };
    let written = column("住所").expect("a column 住所");
    let town = column("町字").or_else(|| column("町丁目"));
    let parts = [
        column("都道府県"),
        column("市区町村"),
        town,
        column("番地号"),
        column("その他"),
    ];
    let (mut doors, mut left_out) = (0_u32, 0_u32);
    let mut kinds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in suite.records() {
        let row = row.unwrap_or_else(|error| panic!("{path}: {error}"));
        let cell =
            |place: Option<usize>| place.and_then(|place| row.get(place)).unwrap_or_default();
        let parts = parts.map(cell);
        let (as_written, as_read) = (cell(Some(written)), parts.concat());
        let keys = (address_key(as_written), address_key(&as_read));
        if keys.1.is_none() && !parts[3..].concat().chars().any(|c| c.is_ascii_digit()) {
            left_out += 1;
            continue;
        }
        doors += 1;
        if let Some(kind) = kind(&keys.0, &keys.1) {
            kinds
                .entry(kind)
                .or_default()
                .push(format!("{as_written} | {}", parts.join(" ")));
        }
    }
    let wrong = kinds.values().map(Vec::len).sum::<usize>();
    println!(
        "{:.2}% of {doors} doors agree; {left_out} rows without a number are left out",
        100.0 * (1.0 - wrong as f64 / f64::from(doors.max(1)))
    );
    for (kind, cases) in kinds {
        println!("{kind}: {}", cases.len());
        cases
            .iter()
            .take(SHOWN)
            .for_each(|case| println!("  {case}"));
    }
}

/// In what two readings of one address differ.
fn kind(written: &Option<AddressKey>, read: &Option<AddressKey>) -> Option<&'static str> {
    let (Some(written), Some(read)) = (written, read) else {
        return Some(match written {
            None => "the written address has no key",
            Some(_) => "the suite's reading has no key",
        });
    };
    let differ = |one: &str, other: &str| !one.is_empty() && !other.is_empty() && one != other;
    if written.town != read.town {
        Some("another town")
    } else if written.numbers != read.numbers {
        Some("other numbers")
    } else if differ(&written.region, &read.region) || differ(&written.city, &read.city) {
        Some("another city")
    } else {
        None
    }
}
