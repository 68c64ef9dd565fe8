//! Near matching against generated truth: slips are found, strangers are not.

use super::super::decide::Settings;
use super::super::mark::Mark;
use super::super::report::{Report, trace};
use super::super::watch::Watch;
use super::How;
use super::ground::{NOW, People, ROLES, Row, list, planted, watch};
use crate::persona::Shape;

/// A slip that a row can suffer, in one of its cells.
struct Slip {
    cell: usize,
    make: fn(&str) -> String,
    mark: Mark,
    how: &'static [How],
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn text(letters: &[char]) -> String {
    letters.iter().collect()
}

fn without(cell: &str, place: usize) -> String {
    let mut all = letters(cell);
    all.remove(place.min(all.len() - 1));
    text(&all)
}

fn with(cell: &str, place: usize, letter: char) -> String {
    let mut all = letters(cell);
    let place = place.min(all.len() - 1);
    all[place] = letter;
    text(&all)
}

const SLIPS: &[Slip] = &[
    Slip {
        cell: 0,
        make: |cell| with(cell, 0, '囮'),
        mark: Mark::Name,
        how: &[How::Differs],
    },
    Slip {
        cell: 0,
        make: |cell| without(cell, 99),
        mark: Mark::Name,
        how: &[How::CutAfter(2), How::CutAfter(3), How::CutAfter(4)],
    },
    Slip {
        cell: 1,
        make: |cell| with(cell, 1, 'ヌ'),
        mark: Mark::Kana,
        how: &[How::Differs],
    },
    Slip {
        cell: 4,
        make: |cell| without(cell, 4),
        mark: Mark::Phone,
        how: &[How::Missing],
    },
    Slip {
        cell: 4,
        make: |cell| cell[3..].to_owned(),
        mark: Mark::Phone,
        how: &[How::CutBefore(8)],
    },
    Slip {
        cell: 4,
        make: |cell| cell[..8].to_owned(),
        mark: Mark::Phone,
        how: &[How::CutAfter(8)],
    },
    Slip {
        cell: 5,
        make: |cell| with(cell, 2, 'y'),
        mark: Mark::Email,
        how: &[How::Differs],
    },
    Slip {
        cell: 5,
        make: |cell| cell.replace("otori", "ortoi"),
        mark: Mark::Email,
        how: &[How::Domain],
    },
    Slip {
        cell: 6,
        make: |cell| {
            format!(
                "{}-{}",
                &cell[..7],
                if cell.ends_with('5') { "16" } else { "15" }
            )
        },
        mark: Mark::Birth,
        how: &[How::Day],
    },
    Slip {
        cell: 6,
        make: |cell| with(cell, 3, if cell.as_bytes()[3] == b'0' { '1' } else { '0' }),
        mark: Mark::Birth,
        how: &[How::Year],
    },
];

/// Each slip alone, in a list in which the other columns are as they were: each canary is found, and
/// the report says what became of it.
#[test]
fn each_slip_is_seen_and_named() {
    let mut people = People::new(1, Shape::adults(20..=80));
    let (batches, canaries) = people.canaries(200, 2);
    let watch = watch(&batches, &canaries);
    let strangers: Vec<Row> = (0..400).map(|_| people.stranger()).collect();
    for slip in SLIPS {
        let mut rows = strangers.clone();
        for canary in &canaries {
            let mut row = planted(canary);
            row[slip.cell] = (slip.make)(&row[slip.cell]);
            rows.push(row);
        }
        let report = report(&watch, &list(&rows));
        let found = &report.decision.canaries;
        let wanted = canaries.len();
        assert_eq!(found.len(), wanted, "{:?} {:?}", slip.mark, slip.how);
        let named = found
            .iter()
            .filter(|found| {
                found
                    .near
                    .get(slip.mark)
                    .is_some_and(|how| slip.how.contains(&how))
            })
            .count();
        // A short name bears no slip, and a few slips make another value of it.
        assert!(
            named * 100 >= wanted * 93,
            "{named} of {wanted}: {:?} {:?}: {:?}",
            slip.mark,
            slip.how,
            found
                .iter()
                .map(|found| found.near.get(slip.mark))
                .collect::<Vec<_>>()
        );
    }
}

fn report<'a>(watch: &'a Watch, list: &str) -> Report<'a> {
    let settings = Settings::new(NOW);
    trace(watch, "list.csv", list.as_bytes(), &settings, &mut |_| {}).unwrap()
}

/// Only two columns, and a slip in either: what is left still finds the canary where a short list has
/// few strangers.
#[test]
fn a_slip_in_one_of_two_columns() {
    let mut people = People::new(2, Shape::adults(20..=80));
    let (batches, canaries) = people.canaries(100, 1);
    let watch = watch(&batches, &canaries);
    let strangers: Vec<Row> = (0..400).map(|_| people.stranger()).collect();
    for slip in SLIPS {
        for other in 0..ROLES.len() {
            // A reading hangs together with its name; a postcode and a place of thousands.
            let together = matches!((slip.cell, other), (0 | 1, 0 | 1)) || other == 2;
            if slip.cell == other || together {
                continue;
            }
            let mut rows = strangers.clone();
            for canary in &canaries {
                let mut row = planted(canary);
                row[slip.cell] = (slip.make)(&row[slip.cell]);
                rows.push(row);
            }
            for row in &mut rows {
                for (place, cell) in row.iter_mut().enumerate() {
                    if place != slip.cell && place != other {
                        cell.clear();
                    }
                }
            }
            let found = report(&watch, &list(&rows)).decision.canaries.len();
            assert!(found >= 93, "{found}: {:?} beside {other}", slip.how);
        }
    }
}
