//! Near matching against generated truth: slips are found, strangers are not.

use std::io::Read;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::decide::{Settings, Verdict};
use super::super::mark::Mark;
use super::super::memory::Memory;
use super::super::normalise::Plan;
use super::super::report::{Report, trace};
use super::super::watch::Watch;
use super::ground::{NOW, People, ROLES, Row, list, planted, watch};
use super::{How, Search};
use crate::notation::{Region, Role};
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
            named * 100 >= wanted * 90,
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
    let exact = watch(&batches, &canaries).exact_only();
    let watch = watch(&batches, &canaries);
    let strangers: Vec<Row> = (0..400).map(|_| people.stranger()).collect();
    for slip in SLIPS {
        for (other, _) in ROLES.iter().enumerate() {
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
            // Exact keys alone find it only where the other column is enough by itself.
            let enough = matches!(ROLES[other], Role::Address | Role::Phone | Role::Email);
            let exactly = report(&exact, &list(&rows)).decision.canaries.len();
            assert_eq!(
                exactly > 50,
                enough,
                "{exactly}: {:?} beside {other}",
                slip.how
            );
        }
    }
}

/// Rows put together from the parts of other people's: as many as one likes, none of them a canary's.
struct Unrelated {
    parts: Vec<Row>,
    rng: StdRng,
    left: usize,
    line: Vec<u8>,
    at: usize,
}

impl Read for Unrelated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.line.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            let mut part = || &self.parts[self.rng.random_range(0..self.parts.len())];
            let (name, place, birth) = (part(), part(), part());
            let (name, kana) = (&name[0], &name[1]);
            let (postcode, address, birth) = (&place[2], &place[3], &birth[6]);
            let phone = self.rng.random_range(70_000_000_u32..90_999_999);
            let mail = self.rng.random::<u32>();
            self.line = format!(
                "{name},{kana},{postcode},{address},0{phone:08}{},m{mail:x}@mail.example,{birth}\r\n",
                mail % 90 + 10
            )
            .into_bytes();
            self.at = 0;
        }
        let rest = &self.line[self.at..];
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

/// The rows that a blocking key brings up are few, so that near matching costs little: against 4,000
/// canaries at most five in a thousand, and in proportion against more.
#[test]
fn few_rows_are_worth_a_near_comparison() {
    for shape in [Shape::adults(20..=80), Shape::families(6..=15)] {
        let mut people = People::new(9, shape);
        let (batches, canaries) = people.canaries(4_000, 2);
        let watch = watch(&batches, &canaries);
        let near = watch.near().unwrap();
        let plan = Plan::new(&ROLES.map(Some), Some(Region::Jp));
        let mut search = Search::default();
        let mut memory = Memory::new();
        let mut worth = 0;
        for _ in 0..10_000 {
            let row = people.stranger();
            search.clear();
            plan.keys(&mut memory, |place| row[place].as_str(), &mut |key| {
                search.keep(&key)
            });
            worth += usize::from(!search.candidates(near).is_empty());
        }
        assert!(worth <= 50, "{worth}");
        // And each canary's own row is.
        for canary in canaries.iter().take(100) {
            let row = planted(canary);
            search.clear();
            plan.keys(&mut memory, |place| row[place].as_str(), &mut |key| {
                search.keep(&key)
            });
            assert!(!search.candidates(near).is_empty());
        }
    }
}

/// No false canary at the default setting, whatever agrees by chance. `OTORI_UNRELATED_ROWS` makes it as
/// many rows as one has patience for.
#[test]
fn unrelated_rows_hold_no_canary() {
    let rows = std::env::var("OTORI_UNRELATED_ROWS");
    let rows = rows.map_or(150_000, |rows| rows.parse().unwrap());
    for shape in [Shape::adults(20..=80), Shape::families(6..=15)] {
        let mut people = People::new(5, shape);
        let (batches, canaries) = people.canaries(5_000, 3);
        let watch = watch(&batches, &canaries);
        let unrelated = Unrelated {
            parts: (0..20_000).map(|_| people.stranger()).collect(),
            rng: StdRng::seed_from_u64(6),
            left: rows,
            line: list([]).into_bytes(),
            at: 0,
        };
        let settings = Settings::new(NOW);
        let report = trace(&watch, "list.csv", unrelated, &settings, &mut |_| {}).unwrap();
        assert_eq!(report.list.rows, rows as u64);
        let decision = &report.decision;
        assert_eq!(decision.canaries.len(), 0, "{:?}", decision.canaries);
        assert_eq!(
            decision.verdict,
            Verdict::NoCanary,
            "{:?}",
            decision.sources
        );
        assert_eq!(decision.cleared.len(), 3);
    }
}

/// A list that keeps the notation in which canaries were planted, among strangers in another one, says
/// more than one that was rewritten; where all write alike, notation says nothing.
#[test]
fn the_very_spelling_that_was_planted_weighs() {
    let mut people = People::new(7, Shape::adults(20..=80));
    let (batches, canaries) = people.canaries(40, 2);
    let watch = watch(&batches, &canaries);
    let strangers: Vec<Row> = (0..2_000).map(|_| people.stranger()).collect();
    let rewritten = |row: &Row| -> Row {
        let mut row = row.clone();
        row[0] = row[0].replace('　', " ");
        row[3] = row[3].replace('-', "－");
        row[4] = format!("{}-{}-{}", &row[4][..3], &row[4][3..7], &row[4][7..]);
        row
    };
    let own: Vec<Row> = canaries.iter().step_by(2).map(planted).collect();
    let all = |rewrite: [bool; 2]| {
        let parts = [&strangers, &own].into_iter().zip(rewrite);
        let rows = parts.flat_map(|(rows, rewrite)| {
            rows.iter()
                .map(move |row| if rewrite { rewritten(row) } else { row.clone() })
        });
        let rows: Vec<Row> = rows.collect();
        let report = report(&watch, &list(&rows));
        assert_eq!(report.decision.verdict, Verdict::Attributed);
        assert_eq!(report.decision.canaries.len(), own.len());
        report.decision.sources[0].log10_lr
    };
    let (kept, gone, alike) = (all([true, false]), all([true, true]), all([false, false]));
    assert!(kept > gone + 20.0, "kept {kept}, gone {gone}");
    assert!((alike - gone).abs() < 5.0, "alike {alike}, gone {gone}");
}

/// Several canaries of one door, each with a spelling of the building of its own.
#[test]
fn a_private_name_of_the_building_tells_canaries_of_one_door_apart() {
    let mut people = People::new(8, Shape::adults(20..=80));
    let (batches, mut canaries) = people.canaries(12, 1);
    let door = planted(&canaries[0])[3].clone();
    let (block, _) = door.split_once("囮ハイツ").unwrap();
    let names = "アイウエオカキクケコサシ";
    for (canary, name) in canaries.iter_mut().zip(names.chars()) {
        let cells = &mut canary.details.rows[0].cells;
        cells[2].value = Some("100-0013".to_owned());
        cells[3].value = Some(format!("{block}囮{name}荘101"));
    }
    let watch = watch(&batches, &canaries);
    let strangers: Vec<Row> = (0..200).map(|_| people.stranger()).collect();
    // Rewritten by the broker, signs and spaces and all; of the rest only the postcode is left.
    let own = planted(&canaries[7]);
    let mut rows: Vec<Row> = strangers;
    rows.push(own.clone());
    for row in &mut rows {
        row[3] = row[3].replace('-', "－").replace("荘", "荘　");
        for place in [0, 1, 4, 5, 6] {
            row[place].clear();
        }
    }
    let report = report(&watch, &list(&rows));
    let found = &report.decision.canaries;
    assert_eq!(found.len(), 1, "{:?}", report.decision.sources);
    let ids: Vec<_> = found[0]
        .canaries
        .iter()
        .map(|found| report.canary(*found))
        .collect();
    assert_eq!(ids, [&canaries[7].id]);
}
