//! Lists that are not as tables should be: whom they name, and whom they may not clear.

use super::near::ground::{People, watch};
use super::testing::{Line, NOW, World, csv};
use super::{Decision, Settings, Verdict, trace};
use crate::notation::birth_key;
use crate::persona::Shape;

/// Two sources of 24 canaries each, and a list with 16 of the school's among strangers.
struct Leak {
    world: World,
    lines: Vec<Line>,
}

impl Leak {
    fn new(strangers: usize) -> Leak {
        let mut world = World::new(31, 8);
        // So small that a list of this length could clear them.
        for batch in &mut world.batches {
            batch.rows_at = 300;
        }
        let lines = world.lines(strangers, &(0..16).collect::<Vec<_>>());
        Leak { world, lines }
    }

    fn text(&self, head: &str, line: impl Fn(&Line) -> String) -> Vec<u8> {
        let rows = self.lines.iter().map(|cells| line(cells) + "\n");
        (head.to_owned() + &rows.collect::<String>()).into_bytes()
    }

    fn decision(&self, list: &[u8]) -> Decision {
        let watch = self.world.watch();
        let settings = Settings::new(NOW);
        let report = trace(&watch, "list", list, &settings, &mut |_| {}).unwrap();
        report.decision
    }

    /// The list must name the school with all that is in it, and nobody else.
    #[track_caller]
    fn named(&self, list: &[u8]) {
        let decision = self.decision(list);
        assert_eq!(decision.verdict, Verdict::Attributed, "{decision:?}");
        let found: Vec<(usize, usize)> = (decision.sources.iter())
            .map(|source| (source.source, source.found))
            .collect();
        assert_eq!(found, [(0, 16)]);
    }
}

#[test]
fn a_name_is_told_from_what_stands_behind_it_in_one_cell() {
    let leak = Leak::new(200);
    let addressed = |line: &Line| format!("{} {}", line[0], line[3]);
    leak.named(&leak.text("", addressed));
    leak.named(&leak.text("番号,住所\n", |line| format!("7,{}", addressed(line))));
    let called = |line: &Line| format!("{} 様 {}", line[0], line[4]);
    leak.named(&leak.text("", called));
    leak.named(&leak.text("番号,顧客\n", |line| format!("7,{}", called(line))));
}

#[test]
fn an_order_log_has_each_customer_many_times() {
    let mut leak = Leak::new(150);
    let many = leak.lines.iter().flat_map(|line| vec![line.clone(); 10]);
    leak.lines = many.collect();
    leak.named(csv(&leak.lines, &[0, 6]).as_bytes());
}

#[test]
fn dates_with_years_of_two_digits() {
    let leak = Leak::new(200);
    let date = |line: &Line, of: fn(&str, &str, &str) -> String| {
        let parts: Vec<&str> = line[6].split('-').collect();
        of(&parts[0][2..], parts[1], parts[2])
    };
    for notation in [
        |y: &str, m: &str, d: &str| format!("{m}/{d}/{y}"),
        |y: &str, m: &str, d: &str| format!("{d}/{m}/{y}"),
        |y: &str, m: &str, d: &str| format!("{d}.{m}.{y}"),
    ] {
        let row = |line: &Line| format!("{},{}", line[0], date(line, notation));
        leak.named(&leak.text("氏名,生年月日\n", row));
    }
}

#[test]
fn births_as_programs_write_them() {
    let leak = Leak::new(200);
    let zones = [0, 9, -8];
    for (zone, thousands) in zones
        .into_iter()
        .flat_map(|zone| [(zone, 1), (zone, 1_000)])
    {
        let row = |line: &Line| {
            let date = birth_key(&line[6]).unwrap();
            let at = date.midnight().assume_utc().unix_timestamp() - zone * 3_600;
            format!("{},{}", line[0], at * thousands)
        };
        leak.named(&leak.text("氏名,生年月日\n", row));
    }
}

#[test]
fn dates_and_numbers_that_stand_in_three_columns() {
    let leak = Leak::new(200);
    for head in ["", "氏名,年,月,日\n", "氏名,生年,生月,生日\n"] {
        let row = |line: &Line| format!("{},{}", line[0], line[6].replace('-', ","));
        leak.named(&leak.text(head, row));
    }
    for head in ["", "氏名,電話1,電話2,電話3\n"] {
        let row = |line: &Line| format!("{},{}", line[0], line[4].replace('-', ","));
        leak.named(&leak.text(head, row));
    }
}

#[test]
fn cells_that_rare_signs_keep_apart() {
    let leak = Leak::new(200);
    let list = csv(&leak.lines, &[0, 4, 5]);
    for sign in ["^", "~", ":", "\u{1}"] {
        leak.named(list.replace(',', sign).as_bytes());
    }
}

/// A list clears nobody of what it would not have shown: where its columns are mostly empty, where it is shorter
/// than the leak, and where what looks like numbers is none.
#[test]
fn what_would_not_have_shown_clears_nobody() {
    let mut leak = Leak::new(0);
    leak.lines = leak.world.lines(270, &[]);
    let below = |list: &[u8]| -> Vec<f64> {
        let decision = leak.decision(list);
        assert!(decision.sources.is_empty());
        let cleared = decision.cleared.iter();
        cleared.map(|cleared| cleared.share_below).collect()
    };
    let every = |one: usize| {
        let rows = leak.lines.iter().enumerate().map(|(row, line)| {
            let phone = if row % one == 0 { &line[4] } else { "" };
            format!("{},{phone}\n", line[0])
        });
        ("氏名,電話番号\n".to_owned() + &rows.collect::<String>()).into_bytes()
    };
    // 1 - 0.05^(1/24) of a list that shows all.
    let all = below(&every(1));
    assert!(all.len() == 2 && (all[0] - 0.1173).abs() < 1e-3, "{all:?}");
    let half = below(&every(2));
    assert!(
        half.len() == 2 && (half[0] - 0.2346).abs() < 2e-3,
        "{half:?}"
    );
    assert!(below(&every(9)).is_empty());
    // 11.7% of 300 rows are 35.
    assert!(below(csv(&leak.lines[..30], &[0, 4]).as_bytes()).is_empty());
    assert_eq!(below(csv(&leak.lines[..40], &[0, 4]).as_bytes()).len(), 2);
    let seconds = leak.text("氏名,生年月日\n", |line| {
        let year: i64 = line[6][..4].parse().unwrap();
        format!(
            "{},{}",
            line[0],
            (year - 1970) * 31_557_600 + 86_400 * 30 + 7
        )
    });
    assert!(below(&seconds).is_empty());
}

/// Canaries that live in flats, in a list of addresses from which somebody has cut off the flats.
#[test]
fn addresses_without_units_clear_nobody_who_has_one() {
    let mut people = People::new(3, Shape::adults(20..=80));
    let (mut batches, canaries) = people.canaries(48, 2);
    for batch in &mut batches {
        batch.rows_at = 300;
    }
    let watch = watch(&batches, &canaries);
    let rows: Vec<String> = (0..270).map(|_| people.stranger()[3].clone()).collect();
    let cleared = |address: &dyn Fn(&str) -> String| {
        let lines = rows.iter().map(|row| address(row) + "\n");
        let list = "住所\n".to_owned() + &lines.collect::<String>();
        let settings = Settings::new(NOW);
        let report = trace(&watch, "list", list.as_bytes(), &settings, &mut |_| {}).unwrap();
        report.decision.cleared.len()
    };
    assert_eq!(cleared(&|address| address.to_owned()), 2);
    let block = |address: &str| {
        let begins = address.find(|c: char| c.is_ascii_digit()).unwrap();
        let of_block = |c: char| c.is_ascii_digit() || c == '-';
        let behind = address[begins..].find(|c: char| !of_block(c));
        address[..behind.map_or(address.len(), |behind| begins + behind)].to_owned()
    };
    assert_eq!(cleared(&block), 0);
}

#[test]
fn a_list_of_nothing_has_no_rows() {
    let leak = Leak::new(1);
    let watch = leak.world.watch();
    let settings = Settings::new(NOW);
    for empty in ["[]", " [ ]\n", "{}"] {
        let report = trace(&watch, "list", empty.as_bytes(), &settings, &mut |_| {}).unwrap();
        assert!(
            report.list.rows <= 1 && report.list.main().format != "csv",
            "{empty}"
        );
        assert!(report.decision.cleared.is_empty());
    }
}
