use rand::SeedableRng;
use rand::rngs::StdRng;
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::trace::testing::{Line, NOW, World, csv};
use crate::trace::{Report, Settings, Verdict, Watch, trace};

fn options() -> Options {
    Options {
        recipient: "Example Forensics".to_owned(),
        now: NOW,
        guesses: 5e12,
        domains_known: false,
        dates: Dates::Day,
    }
}

fn exported(world: &World, options: &Options) -> (WatchList, Vec<u8>) {
    let mut rng = StdRng::seed_from_u64(1);
    let list = WatchList::make(&world.watch(), options, &mut rng, &|_, _| {});
    let mut bytes = Vec::new();
    list.write(&mut bytes).unwrap();
    (list, bytes)
}

fn traced<'a>(watch: &'a Watch, list: &str) -> Report<'a> {
    let settings = Settings::new(NOW);
    trace(watch, "list.csv", list.as_bytes(), &settings, &mut |_| {}).unwrap()
}

/// What was found, by ids.
fn found(report: &Report<'_>) -> Vec<(String, u64, crate::trace::Marks, crate::trace::Marks)> {
    let canaries = report.decision.canaries.iter();
    let mut found: Vec<_> = canaries
        .map(|found| {
            let id = report.canary(found.canaries[0]).to_string();
            (id, found.row, found.marks, found.as_planted)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_watch_list_finds_what_the_registry_finds() {
    let mut world = World::new(3, 8);
    let (list, bytes) = exported(&world, &options());
    assert_eq!(list.unseen, 0);
    let open = world.watch();
    let blind = Watch::from_watchlist(&bytes[..]).unwrap();
    assert_eq!(blind.len(), open.len());
    let leaked: Vec<usize> = (0..20).collect();
    let lines = world.lines(400, &leaked);
    for columns in [
        &[0, 1, 2, 3, 4, 5, 6][..],
        &[5],
        &[4, 0],
        &[3, 1],
        &[6, 2, 0],
        &[6, 4],
    ] {
        let text = csv(&lines, columns);
        let (known, unknown) = (traced(&open, &text), traced(&blind, &text));
        assert_eq!(known.decision.verdict, Verdict::Attributed, "{columns:?}");
        assert_eq!(unknown.decision.verdict, Verdict::Attributed, "{columns:?}");
        assert_eq!(found(&unknown), found(&known), "{columns:?}");
        assert_eq!(unknown.decision.sources.len(), 1);
        let (one, other) = (&unknown.decision.sources[0], &known.decision.sources[0]);
        assert_eq!((one.found, one.live), (other.found, other.live));
        let shown = unknown.source(one.source);
        let real = list.pseudonyms.iter().find(|(_, other)| other == shown);
        assert_eq!(real.map(|(real, _)| real), Some(known.source(other.source)));
        assert_ne!(shown, known.source(other.source));
    }
}

#[test]
fn columns_that_are_soon_tried_show_nothing_and_clear_nobody() {
    let mut world = World::new(4, 8);
    let (_, bytes) = exported(&world, &options());
    let blind = Watch::from_watchlist(&bytes[..]).unwrap();
    let lines = world.lines(300, &[0, 1, 2, 3, 4, 5]);
    for columns in [&[4][..], &[3], &[0, 6], &[0, 1]] {
        let report = traced(&blind, &csv(&lines, columns));
        assert_eq!(
            report.decision.verdict,
            Verdict::Inconclusive,
            "{columns:?}"
        );
        assert!(report.decision.cleared.is_empty(), "{columns:?}");
        assert_eq!(report.decision.mute.len(), 2, "{columns:?}");
    }
}

#[test]
fn no_value_of_a_canary_and_no_source_stands_in_the_file() {
    let world = World::new(5, 4);
    let (_, bytes) = exported(&world, &options());
    let text = String::from_utf8(bytes).unwrap();
    for canary in 0..world.canaries.len() {
        for value in world.planted(canary) {
            assert!(!text.contains(&value));
        }
    }
    for source in ["school", "shop"] {
        assert!(!text.contains(source));
    }
    assert!(text.contains(world.canaries[0].id.as_str()));
}

#[test]
fn what_is_no_watch_list_is_told() {
    let world = World::new(6, 1);
    let (_, bytes) = exported(&world, &options());
    let text = String::from_utf8(bytes).unwrap();
    let told = |text: &str| match Watch::from_watchlist(text.as_bytes()) {
        Ok(_) => panic!("taken"),
        Err(error) => error.to_string(),
    };
    assert!(told("").contains("no watch list"));
    assert!(told("a,b\nc,d\n").contains("no watch list"));
    assert!(told(&text.replacen(":1,", ":9,", 1)).contains("format is 9"));
    let cut = &text[..text.len() - 200];
    assert!(told(cut).contains("it is no canary"), "{}", told(cut));
    let lines: Vec<&str> = text.lines().collect();
    let short = lines[..lines.len() - 1].join("\n");
    assert!(told(&short).contains("ends too early"), "{}", told(&short));
    let folded = text.replacen("\"folding\":\"", "\"folding\":\"0", 1);
    assert!(told(&folded).contains("folds names"));
    let heavy = text.replacen("\"memory\":2048", "\"memory\":4000000000", 1);
    assert!(told(&heavy).contains("out of bounds"));
}

#[test]
fn a_coarse_list_dates_coarsely_and_keeps_the_order() {
    let mut world = World::new(7, 10);
    for batch in &mut world.batches {
        batch.rows_at = 1_234;
    }
    // All three plantings of the year 2026; the list holds what stood before the last one.
    for (place, batch) in world.batches.iter_mut().enumerate() {
        batch.planted_at = datetime!(2026-03-20 10:00 UTC) + Duration::days(place as i64 % 3 * 4);
    }
    let coarse = Options {
        dates: Dates::Year,
        ..options()
    };
    let (_, bytes) = exported(&world, &coarse);
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(!text.contains("2026-03-2"));
    let watch = Watch::from_watchlist(&bytes[..]).unwrap();
    assert!(watch.batches.iter().all(|batch| batch.rows_at == 1_200));
    let leaked: Vec<usize> = (0..20).collect();
    let list = csv(&world.lines(200, &leaked), &[0, 2, 4, 6]);
    let report = traced(&watch, &list);
    let found = &report.decision.sources[0];
    assert_eq!((found.found, found.live), (20, 20));
    assert!(found.one_taking);
    assert_eq!(found.not_before, datetime!(2026-01-01 00:00 UTC));
    assert_eq!(found.not_after, Some(datetime!(2027-01-01 00:00 UTC)));
    assert_eq!(
        report.decision.cleared[0].since,
        datetime!(2027-01-01 00:00 UTC)
    );
}

#[test]
fn a_value_that_half_of_a_list_bears_is_common_to_a_watch_list_too() {
    let mut world = World::new(8, 6);
    let (_, bytes) = exported(&world, &options());
    let blind = Watch::from_watchlist(&bytes[..]).unwrap();
    let open = world.watch();
    let canary = world.planted(2);
    let mut lines = world.lines(400, &[2]);
    let rmp = |watch: &Watch, lines: &[Line]| {
        let report = traced(watch, &csv(lines, &[0, 2, 4, 6]));
        report.decision.canaries[0].log10_rmp
    };
    let usual = rmp(&blind, &lines);
    // A list of one town: everybody has the canary's postcode, and some its birthday.
    for (place, line) in lines.iter_mut().enumerate() {
        line[2].clone_from(&canary[2]);
        if place % 40 == 0 {
            line[6].clone_from(&canary[6]);
        }
    }
    let (known, unknown) = (rmp(&open, &lines), rmp(&blind, &lines));
    assert!(unknown > usual + 1.0, "{unknown} {usual}");
    // What the registry counts a watch list does not take for rarer.
    assert!(unknown >= known - 1e-9, "{unknown} {known}");
}
