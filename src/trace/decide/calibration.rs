//! The numbers of the verdict against generated truth, thousands of times.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::super::few::Few;
use super::super::mark::{Mark, Marks};
use super::rows::{Contribution, Growth, composition, rows};
use super::share::Interval;
use super::weigh::{Found, Stood, Unit, weigh};
use super::window::{Gap, Span, Window, gaps, gaps_of};

const FIRST: OffsetDateTime = datetime!(2024-01-10 00:00 UTC);
const NOW: OffsetDateTime = datetime!(2026-11-01 00:00 UTC);
/// Kinds of marks in the lists of these tests.
const COLUMNS: [Mark; 4] = [Mark::Phone, Mark::Name, Mark::Birth, Mark::Postcode];

fn span(batch: u32, from: OffsetDateTime, until: Option<OffsetDateTime>) -> Span {
    Span {
        batch,
        from,
        until,
        certain: true,
    }
}

fn found(failed: Marks, by_chance: f64) -> Option<Box<Found>> {
    Some(Box::new(Found {
        failed,
        near: Marks::default(),
        spelt: Vec::new(),
        stood: Vec::new(),
        log10_by_chance: by_chance.log10(),
        log10_when_spent: by_chance.log10(),
        shared: Vec::new(),
        groups: COLUMNS.len() - failed.count() as usize,
    }))
}

/// A set of failed marks, by its number.
fn failed(number: usize) -> Marks {
    let fails = |(place, mark): (usize, &Mark)| (number >> place & 1 == 1).then_some(*mark);
    COLUMNS.iter().enumerate().filter_map(fails).collect()
}

/// Three batches at random times, the first of them sometimes removed.
fn batches(rng: &mut StdRng) -> Vec<Span> {
    let days = (NOW - FIRST).whole_days();
    let mut at = || FIRST + Duration::days(rng.random_range(1..days));
    let (second, third, removed) = (at(), at(), at());
    let until = (removed > second.min(third)).then_some(removed);
    vec![
        span(0, FIRST, until),
        span(1, second, None),
        span(2, third, None),
    ]
}

/// A leak of a share at a time: what of the canaries is found.
fn leak(rng: &mut StdRng, gap: &Gap, spans: &[Span], sizes: &[usize], share: f64) -> Vec<Unit> {
    let mut units = Vec::new();
    for (span, size) in spans.iter().zip(sizes) {
        for _ in 0..*size {
            let there = span.stood(gap.from) && rng.random_bool(share);
            let marks = if rng.random_bool(0.7) {
                0
            } else {
                rng.random_range(1..14)
            };
            units.push(Unit {
                batches: Few::one(span.batch),
                found: there.then(|| found(failed(marks), 1e-7)).flatten(),
            });
        }
    }
    units
}

#[test]
fn intervals_of_share_and_window_hold_as_often_as_they_say() {
    const LISTS: usize = 2_000;
    let mut rng = StdRng::seed_from_u64(2);
    let (mut named, mut share_held, mut window_held, mut window_promised) = (0, 0, 0, 0.0);
    for _ in 0..LISTS {
        let spans = batches(&mut rng);
        let gaps = gaps(&spans, NOW);
        let taken = FIRST + (NOW - FIRST) * rng.random::<f64>();
        let at = gaps.iter().rposition(|gap| gap.from <= taken).unwrap();
        let share: f64 = rng.random();
        let sizes = [(); 3].map(|()| rng.random_range(1..60));
        let units = leak(&mut rng, &gaps[at], &spans, &sizes, share);
        let weighed = weigh(&units, &gaps, &spans, 4, 0.95);
        // Only what is named is shown to anybody; the few others know next to nothing.
        if weighed.log10_lr < 6.0 {
            continue;
        }
        named += 1;
        share_held += usize::from((weighed.share.low..=weighed.share.high).contains(&share));
        window_held += usize::from(weighed.window.gaps.contains(&at));
        window_promised += weighed.window.probability;
    }
    let part = |held: usize| held as f64 / named as f64;
    let (share, window) = (part(share_held), part(window_held));
    let promised = window_promised / named as f64;
    assert!(named > LISTS * 9 / 10, "{named}");
    assert!((0.93..=0.97).contains(&share), "share {share}");
    // A window is made of whole gaps, so that it promises more than 95%; it keeps what it promises.
    assert!(window >= 0.93, "window {window}");
    assert!(
        (window - promised).abs() < 0.015,
        "window {window}, promised {promised}"
    );
}

/// What lists of one source come to whose canaries strangers' rows also agree with.
#[derive(Debug, Default)]
struct Crowd {
    /// Canaries that were taken, and those shown of them.
    taken: f64,
    taken_shown: f64,
    /// Canaries that only strangers' rows agree with, and those shown of them.
    met: f64,
    met_shown: f64,
    /// How many of those shown were said to be there by chance.
    said: f64,
    /// The estimated shares.
    share: f64,
    share_held: f64,
}

/// Lists of `each` canaries, of which a share was taken. Where rows of strangers agree with a canary, `met` marks
/// fail: as often as is admitted, and with some canaries much more often than with others.
fn crowd(seed: u64, lists: usize, each: usize, share: f64, met: Marks) -> Crowd {
    let mut rng = StdRng::seed_from_u64(seed);
    let spans = [span(0, FIRST, None)];
    let gaps = gaps(&spans, NOW);
    let mut crowd = Crowd::default();
    for _ in 0..lists {
        let mut taken = Vec::with_capacity(each);
        let mut units = Vec::with_capacity(each);
        for _ in 0..each {
            let chance = 10_f64.powf(rng.random_range(-5.0..-1.0));
            let there = rng.random_bool(share);
            let by_strangers = rng.random_bool(chance);
            taken.push(there);
            let hit = match (there, by_strangers) {
                // Where no mark fails of what was taken, it is as rare as all its marks.
                (true, _) if met.count() > 0 => found(Marks::default(), chance * 1e-6),
                (true, _) | (_, true) => found(met, chance),
                _ => None,
            };
            units.push(Unit {
                batches: Few::one(0),
                found: hit,
            });
        }
        let weighed = weigh(&units, &gaps, &spans, 4, 0.95);
        for ((unit, there), chance) in units.iter().zip(&taken).zip(&weighed.chance) {
            if unit.found.is_none() {
                continue;
            }
            let shown = f64::from(u8::from(*chance <= weighed.bar));
            let (all, shown_of) = match there {
                true => (&mut crowd.taken, &mut crowd.taken_shown),
                false => (&mut crowd.met, &mut crowd.met_shown),
            };
            *all += 1.0;
            *shown_of += shown;
            crowd.said += shown * chance;
        }
        crowd.share += weighed.share.estimate / lists as f64;
        let held = (weighed.share.low..=weighed.share.high).contains(&share);
        crowd.share_held += f64::from(u8::from(held)) / lists as f64;
    }
    crowd
}

/// Of 20,000 canaries 100 were taken, and strangers' rows agree with some 200 others.
#[test]
fn of_very_many_canaries_chance_shows_hardly_any_and_adds_nothing_to_the_share() {
    let met = [Mark::Phone, Mark::Postcode].into_iter().collect();
    let crowd = crowd(11, 12, 20_000, 0.005, met);
    println!("{crowd:?}");
    assert!(crowd.met > 12.0 * 150.0, "{crowd:?}");
    assert!(crowd.taken_shown > 0.99 * crowd.taken, "{crowd:?}");
    // In all 12 lists.
    assert!(crowd.met_shown <= 1.0, "{crowd:?}");
    let taken = crowd.taken / (12.0 * 20_000.0);
    assert!((crowd.share - taken).abs() < 5e-5, "{crowd:?}");
}

/// A batch that was handed out and never arrived: that a stranger agrees with one of its canaries does not say that
/// all the others are missing.
#[test]
fn a_canary_that_chance_has_met_does_not_say_that_its_batch_arrived() {
    let mut spans = [span(0, FIRST, None), span(1, FIRST, None)];
    spans[1].certain = false;
    let gaps = gaps(&spans, NOW);
    let unit = |place: u32| Unit {
        batches: Few::one(u32::from(place >= 20)),
        found: match place {
            0..10 => found(Marks::default(), 1e-9),
            // Of 200 canaries one is met so in two lists of three.
            20 => found(failed(3), 5e-3),
            _ => None,
        },
    };
    let units: Vec<Unit> = (0..220).map(unit).collect();
    let weighed = weigh(&units, &gaps, &spans, 4, 0.95);
    assert!(
        (weighed.share.estimate - 0.5).abs() < 0.02,
        "{:?}",
        weighed.share
    );
    assert!(weighed.chance[20] > weighed.bar, "{}", weighed.chance[20]);
}

/// The same where nothing but rarity tells the canaries that were taken from those that were met.
#[test]
fn where_chance_looks_like_a_leak_what_is_shown_is_as_sure_as_is_said() {
    for (share, shown) in [(0.02, 0.4), (0.3, 0.7)] {
        let crowd = crowd(12, 40, 1_000, share, Marks::default());
        println!("{share}: {crowd:?}");
        let slack = 3.0 * crowd.said.sqrt() + 1.0;
        assert!(crowd.met_shown <= crowd.said + slack, "{crowd:?}");
        assert!(crowd.met_shown < 0.05 * crowd.taken_shown, "{crowd:?}");
        assert!(crowd.taken_shown > shown * crowd.taken, "{crowd:?}");
        // Four standard errors of the mean of 40 lists.
        let error = (share * (1.0 - share) / 1_000.0 / 40.0).sqrt();
        assert!((crowd.share - share).abs() < 4.0 * error, "{crowd:?}");
        assert!(crowd.share_held > 0.88, "{crowd:?}");
    }
}

/// Innocent sources whose canaries are met by chance exactly as often as is admitted.
fn innocent(rng: &mut StdRng, chances: Range<f64>) -> Vec<Unit> {
    let canaries = rng.random_range(1..300);
    let mut units = Vec::with_capacity(canaries);
    for _ in 0..canaries {
        let log10 = rng.random_range(chances.start..chances.end);
        let mut draw: f64 = rng.random();
        let mut hit = None;
        // Each combination of marks has its chance; the fewer marks agree, the greater.
        for number in 0..15 {
            let rarer = 4 - failed(number).count() as i32;
            let chance = 10_f64.powf(log10) / 8_f64.powi(rarer);
            if draw < chance {
                hit = found(failed(number), chance);
                break;
            }
            draw -= chance;
        }
        units.push(Unit {
            batches: Few::one(rng.random_range(0..3)),
            found: hit,
        });
    }
    units
}

#[test]
fn an_innocent_source_is_accused_at_most_as_often_as_stated() {
    const LISTS: usize = 8_000;
    let mut rng = StdRng::seed_from_u64(3);
    for chances in [-1.0..0.0, -3.0..-1.0] {
        let mut reached = [(20.0, 0_usize), (100.0, 0), (1_000.0, 0)];
        let mut sum = 0.0;
        for _ in 0..LISTS {
            let spans = batches(&mut rng);
            let gaps = gaps(&spans, NOW);
            let units = innocent(&mut rng, chances.clone());
            if units.iter().all(|unit| unit.found.is_none()) {
                continue;
            }
            let weighed = weigh(&units, &gaps, &spans, 4, 0.95);
            let ratio = 10_f64.powf(weighed.log10_lr);
            sum += ratio;
            for (threshold, times) in &mut reached {
                *times += usize::from(ratio >= *threshold);
            }
        }
        for (threshold, times) in reached {
            let stated = LISTS as f64 / threshold;
            let slack = 3.0 * stated.sqrt();
            assert!(
                (times as f64) <= stated + slack,
                "{times} of {LISTS} reach {threshold}"
            );
        }
        // The mean is at most 1 in theory; a rare large ratio may lift it.
        assert!(
            sum / LISTS as f64 <= 1.5,
            "mean ratio {}",
            sum / LISTS as f64
        );
    }
}

#[test]
fn one_shared_number_is_one_piece_of_evidence() {
    let spans = [span(0, FIRST, None)];
    let gaps = gaps(&spans, NOW);
    let unit = |shared: Vec<u32>| Unit {
        batches: Few::one(0),
        found: Some(Box::new(Found {
            failed: Marks::default(),
            near: Marks::default(),
            spelt: Vec::new(),
            stood: Vec::new(),
            log10_by_chance: -9.0,
            log10_when_spent: -2.0,
            shared,
            groups: 2,
        })),
    };
    let lr = |units: &[Unit]| weigh(units, &gaps, &spans, 2, 0.95).log10_lr;
    let same = lr(&[unit(vec![7]), unit(vec![7]), unit(vec![7])]);
    let others = lr(&[unit(vec![7]), unit(vec![8]), unit(vec![9])]);
    assert!((others - same - 14.0).abs() < 0.02, "{others} {same}");
}

#[test]
fn a_batch_that_was_handed_out_counts_once_it_is_seen() {
    let handed = |certain| {
        let mut spans = vec![
            span(0, FIRST, None),
            span(1, datetime!(2025-06-01 00:00 UTC), None),
        ];
        spans[1].certain = certain;
        spans
    };
    let units: Vec<Unit> = (0..20)
        .map(|place| Unit {
            batches: Few::one(place / 10),
            found: (place < 10)
                .then(|| found(Marks::default(), 1e-7))
                .flatten(),
        })
        .collect();
    let weighed = |certain| {
        let spans = handed(certain);
        weigh(&units, &gaps(&spans, NOW), &spans, 4, 0.95)
    };
    // Ten of ten from the first batch: the second, if it stood, says 'before'; if nobody ever
    // inserted it, it says nothing.
    assert_eq!(weighed(true).window.gaps, 0..1);
    assert_eq!(weighed(false).window.gaps, 0..2);
}

/// A year of drip planting: one canary a day, some of them removed after a while.
fn drip(days: u32, removed: bool) -> Vec<Span> {
    let from = |day: u32| FIRST + Duration::days(i64::from(day));
    (0..days)
        .map(|day| Span {
            batch: day,
            from: from(day),
            until: removed.then(|| from(day + days / 2)),
            certain: true,
        })
        .collect()
}

#[test]
fn windows_of_drip_plantings_are_narrow_and_hold_as_often_as_they_say() {
    let mut rng = StdRng::seed_from_u64(5);
    for removed in [false, true] {
        let spans = drip(160, removed);
        let gaps = gaps(&spans, FIRST + Duration::days(320));
        let sizes = vec![1; spans.len()];
        let (mut lists, mut held, mut shares, mut days) = (0, 0, 0, 0.0);
        for _ in 0..400 {
            // Where the last canary has been removed, no list shows anything.
            let at = rng.random_range(20..if removed { 220 } else { gaps.len() });
            let share = rng.random_range(0.3..1.0);
            let units = leak(&mut rng, &gaps[at], &spans, &sizes, share);
            let weighed = weigh(&units, &gaps, &spans, 4, 0.95);
            if weighed.log10_lr < 6.0 {
                continue;
            }
            lists += 1;
            held += usize::from(weighed.window.gaps.contains(&at));
            shares += usize::from((weighed.share.low..=weighed.share.high).contains(&share));
            days += gaps[weighed.window.gaps]
                .iter()
                .map(|gap| gap.prior * 320.0)
                .sum::<f64>();
        }
        let part = |held: usize| held as f64 / f64::from(lists);
        assert!(lists > 350, "{lists}");
        assert!(part(held) >= 0.93, "window {}", part(held));
        assert!(
            (0.93..=0.98).contains(&part(shares)),
            "share {}",
            part(shares)
        );
        assert!(
            days / f64::from(lists) < 40.0,
            "{} days",
            days / f64::from(lists)
        );
    }
}

/// 200 canaries that arrived one by one within 200 days, and a list that was taken at a known time. Of 1,000
/// lists each, the window held 96.1% at a share of 0.05, 95.3% at 0.1, 97.6% at 0.2, 96.9% at 0.35, 97.8% at
/// 0.5, 98.5% at 0.7 and 99.1% at 0.9, where a single missing canary says so much that windows are of whole
/// gaps; it was 60, 36, 18, 10, 7, 4 and 3 days long.
#[test]
fn a_drip_dates_a_leak_as_often_as_it_says() {
    const LISTS: usize = 200;
    let mut rng = StdRng::seed_from_u64(10);
    let (mut named, mut held) = (0, 0);
    for (share, longest) in [(0.1, 45.0), (0.2, 24.0), (0.5, 9.0), (0.9, 5.0)] {
        let (mut of_share, mut days) = (0, 0.0);
        for _ in 0..LISTS {
            let mut at: Vec<f64> = (0..200).map(|_| rng.random_range(0.0..200.0)).collect();
            at.sort_by(f64::total_cmp);
            let from = |day: f64| FIRST + Duration::seconds_f64(day * 86_400.0);
            let spans: Vec<Span> = (0..)
                .zip(&at)
                .map(|(batch, day)| span(batch, from(*day), None))
                .collect();
            let gaps = gaps(&spans, from(200.0));
            let taken = from(rng.random_range(20.0..200.0));
            let truth = gaps.iter().rposition(|gap| gap.from <= taken).unwrap();
            let units = leak(&mut rng, &gaps[truth], &spans, &[1; 200], share);
            let weighed = weigh(&units, &gaps, &spans, 4, 0.95);
            if weighed.log10_lr < 6.0 {
                continue;
            }
            of_share += 1;
            held += usize::from(weighed.window.gaps.contains(&truth));
            let gaps = &gaps[weighed.window.gaps];
            days += gaps.iter().map(|gap| gap.prior * 200.0).sum::<f64>();
        }
        let days = days / f64::from(of_share);
        assert!(days < longest, "{share}: {days} days");
        named += of_share;
    }
    let part = held as f64 / f64::from(named);
    assert!(named > 760, "{named}");
    assert!((0.95..=0.99).contains(&part), "{part}");
}

#[test]
fn a_thousand_batches_of_one_canary_are_weighed_at_once() {
    let spans = drip(1_000, false);
    let gaps = gaps(&spans, FIRST + Duration::days(1_000));
    let mut rng = StdRng::seed_from_u64(6);
    let units = leak(&mut rng, &gaps[700], &spans, &vec![1; 1_000], 0.5);
    let started = std::time::Instant::now();
    let weighed = weigh(&units, &gaps, &spans, 4, 0.95);
    assert!(weighed.window.gaps.contains(&700), "{:?}", weighed.window);
    assert!(weighed.window.gaps.len() < 30, "{:?}", weighed.window);
    // 0.1 s without optimisation; it was minutes when each gap looked through all batches for each.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn a_small_batch_that_is_missing_dates_nothing() {
    let week = [span(0, FIRST, None), span(1, NOW - Duration::days(7), None)];
    let gaps = gaps(&week, NOW);
    let units = |first: u32, second: u32| -> Vec<Unit> {
        let unit = |place: u32| Unit {
            batches: Few::one(u32::from(place >= 40)),
            found: (place < first || (40..40 + second).contains(&place))
                .then(|| found(Marks::default(), 1e-7))
                .flatten(),
        };
        (0..43).map(unit).collect()
    };
    let window = |units: &[Unit]| weigh(units, &gaps, &week, 4, 0.95).window;
    // Three canaries are missing from half of the source with probability 0.14: the week is short,
    // but that is no evidence.
    let half = window(&units(20, 0));
    assert_eq!((half.gaps.clone(), half.p_after), (0..2, None));
    // From nearly the whole source they are missing with C(38,3) / C(43,3).
    let most = window(&units(39, 0));
    assert_eq!(most.gaps, 0..1);
    let p = 4.0 * 3.0 * 2.0 / (43.0 * 42.0 * 41.0);
    assert!((most.p_after.unwrap() - p).abs() < 1e-9, "{most:?}");
    let late = window(&units(20, 1));
    assert_eq!(late.gaps, 1..2);
    assert!(late.p_before.unwrap() < 1e-3);
}

#[test]
fn canaries_that_were_removed_date_a_leak_before_their_removal_and_after_it() {
    let removal = datetime!(2025-01-01 00:00 UTC);
    let spans = [span(0, FIRST, Some(removal)), span(1, FIRST, None)];
    let gaps = gaps(&spans, NOW);
    let window = |first: u32, second: u32| {
        let unit = |place: u32| Unit {
            batches: Few::one(place / 30),
            found: (place < first || (30..30 + second).contains(&place))
                .then(|| found(Marks::default(), 1e-7))
                .flatten(),
        };
        let units: Vec<Unit> = (0..60).map(unit).collect();
        weigh(&units, &gaps, &spans, 4, 0.95).window
    };
    assert_eq!(window(10, 12).gaps, 0..1);
    assert_eq!(window(0, 12).gaps, 1..2);
    assert_eq!(window(0, 3).gaps, 0..2);
}

#[test]
fn canaries_that_never_stood_together_were_taken_at_several_times() {
    let removal = datetime!(2025-01-01 00:00 UTC);
    let spans = [
        span(0, FIRST, Some(removal)),
        span(1, removal + Duration::days(30), None),
    ];
    let gaps = gaps(&spans, NOW);
    let unit = |place: u32| Unit {
        batches: Few::one(place / 30),
        found: place
            .is_multiple_of(2)
            .then(|| found(Marks::default(), 1e-7))
            .flatten(),
    };
    let units: Vec<Unit> = (0..60).map(unit).collect();
    let window = weigh(&units, &gaps, &spans, 4, 0.95).window;
    assert!(!window.one_taking);
    assert_eq!(window.gaps, 0..3);
}

/// Of sixty canaries every second was found, the first `old` of them as they were before a change and the
/// others as they are since; those of `both` in both states.
fn aged(old: u32, both: u32) -> Window {
    let change = datetime!(2025-06-01 00:00 UTC);
    let spans = [span(0, FIRST, None)];
    let before = Stood {
        from: FIRST,
        until: Some(change),
    };
    let since = Stood {
        from: change,
        until: None,
    };
    let unit = |place: u32| {
        let mut found = place
            .is_multiple_of(2)
            .then(|| found(Marks::default(), 1e-7))
            .flatten();
        if let Some(found) = &mut found {
            found.stood = match place / 2 {
                place if place < both => vec![before, since],
                place if place < both + old => vec![before],
                _ => vec![since],
            };
        }
        Unit {
            batches: Few::one(0),
            found,
        }
    };
    let units: Vec<Unit> = (0..60).map(unit).collect();
    let gaps = gaps_of(&spans, &units, NOW);
    assert_eq!(gaps.len(), 2);
    assert_eq!(gaps[1].from, change);
    weigh(&units, &gaps, &spans, 4, 0.95).window
}

#[test]
fn versions_date_a_leak_before_a_change_and_after_it() {
    let (old, new) = (aged(30, 0), aged(0, 0));
    assert!(old.one_taking && new.one_taking);
    assert_eq!((old.gaps, new.gaps), (0..1, 1..2));
    // A list that was put together of two is told as such, and nothing is left out: whether a row is in
    // both states, or some are in the one and some in the other.
    for merged in [aged(15, 0), aged(0, 1), aged(1, 0), aged(0, 30)] {
        assert!(!merged.one_taking, "{merged:?}");
        assert_eq!(merged.gaps, 0..2);
    }
}

/// A number of rows that come along, each with the same share.
fn binomial(rng: &mut StdRng, rows: usize, share: f64) -> usize {
    (0..rows).filter(|_| rng.random_bool(share)).count()
}

/// Each person is in a list once, or more often.
fn copies(rng: &mut StdRng, persons: usize, twice: f64) -> Vec<u64> {
    let mut one = || {
        let mut copies = 1;
        while copies < 5 && rng.random_bool(twice) {
            copies += 1;
        }
        copies
    };
    (0..persons).map(|_| one()).collect()
}

#[test]
fn rows_and_what_a_list_is_made_of_hold_as_often_as_they_say() {
    const LISTS: usize = 1_200;
    let mut rng = StdRng::seed_from_u64(8);
    let (mut named, mut rows_held, mut part_held, mut rest_held) = (0, 0, 0, 0);
    for _ in 0..LISTS {
        // Two sources that grew evenly, and a list of both and of strangers.
        let elsewhere = rng.random_range(0..3_000_u64);
        let twice = if rng.random_bool(0.5) { 0.2 } else { 0.0 };
        let mut list_rows = elsewhere;
        let mut leaks = Vec::new();
        for _ in 0..2 {
            let spans = batches(&mut rng);
            let gaps = gaps(&spans, NOW);
            let first = rng.random_range(100.0..1_500.0);
            let slope = rng.random_range(0.0..1_500.0) / (NOW - FIRST).as_seconds_f64();
            let rows_at = |at: OffsetDateTime| first + slope * (at - FIRST).as_seconds_f64();
            let last = spans.iter().map(|span| span.from).max().unwrap();
            let taken = FIRST + (NOW - FIRST) * rng.random::<f64>();
            let at = gaps.iter().rposition(|gap| gap.from <= taken).unwrap();
            let share: f64 = rng.random();
            let sizes = [(); 3].map(|()| rng.random_range(5..60));
            let units = leak(&mut rng, &gaps[at], &spans, &sizes, share);
            let found = units.iter().filter(|unit| unit.found.is_some()).count();
            // After the last planting nobody has counted, so that the truth stops growing there too.
            let rows = rows_at(taken.min(last)).round();
            let taken = binomial(&mut rng, rows as usize, share);
            let known = spans
                .iter()
                .map(|span| (span.from, rows_at(span.from).round() as u64));
            let growth = Growth::new(known);
            let persons = copies(&mut rng, taken, twice).iter().sum::<u64>();
            let canaries = copies(&mut rng, found, twice);
            let ours = persons + canaries.iter().sum::<u64>();
            list_rows += ours;
            leaks.push((spans, gaps, units, growth, taken, canaries, ours));
        }
        let weighed: Vec<_> = (leaks.iter())
            .map(|(spans, gaps, units, growth, ..)| {
                let weighed = weigh(units, gaps, spans, 4, 0.95);
                let known = rows(&weighed, gaps, growth, NOW, list_rows);
                (weighed.log10_lr, known)
            })
            .collect();
        if weighed.iter().any(|(log10_lr, _)| *log10_lr < 6.0) {
            continue;
        }
        let named_here: Vec<Contribution<'_>> = (leaks.iter().zip(&weighed).enumerate())
            .map(|(source, ((.., copies, _), (_, known)))| Contribution {
                source,
                known,
                copies: copies.clone(),
            })
            .collect();
        let whole = composition(list_rows, &named_here, 0.95);
        let holds = |interval: Interval, truth: f64| {
            usize::from((interval.low - 1e-9..=interval.high + 1e-9).contains(&truth))
        };
        named += 1;
        let strangers = elsewhere as f64 / list_rows as f64;
        rest_held += holds(whole.elsewhere, strangers);
        for (place, (_, known)) in weighed.iter().enumerate() {
            let (.., taken, _, ours) = &leaks[place];
            rows_held += holds(known.rows, *taken as f64);
            part_held += holds(whole.parts[place].rows, *ours as f64);
        }
    }
    let part = |held: usize, of: usize| held as f64 / of as f64;
    assert!(named > LISTS * 8 / 10, "{named}");
    let (rows, part, rest) = (
        part(rows_held, 2 * named),
        part(part_held, 2 * named),
        part(rest_held, named),
    );
    assert!((0.93..=0.97).contains(&rows), "rows {rows}");
    assert!((0.93..=0.98).contains(&part), "part {part}");
    assert!((0.93..=0.98).contains(&rest), "elsewhere {rest}");
}

#[test]
fn the_estimate_of_a_share_is_right_on_the_average() {
    let mut rng = StdRng::seed_from_u64(9);
    for share in [0.1, 0.35, 0.8, 1.0] {
        let (mut sum, mut lists) = (0.0, 0.0);
        for _ in 0..400 {
            let spans = batches(&mut rng);
            let gaps = gaps(&spans, NOW);
            let at = rng.random_range(0..gaps.len());
            let units = leak(&mut rng, &gaps[at], &spans, &[60, 60, 60], share);
            // Not one that happens to have none standing: nothing could be found of it.
            if units.iter().all(|unit| unit.found.is_none()) {
                continue;
            }
            sum += weigh(&units, &gaps, &spans, 4, 0.95).share.estimate;
            lists += 1.0;
        }
        let mean: f64 = sum / lists;
        assert!((mean - share).abs() < 0.01, "{share}: {mean}");
    }
}
