//! What a list without canaries says of one region, against generated truth; and what is found, though no share explains it.

use std::collections::HashMap;

use rand::RngExt;

use super::super::testing::{Line, NOW, World, csv};
use super::super::trace;
use super::super::traits::Attribute;
use super::{Decision, Settings};
use crate::notation::region_key;

/// Lists of names, prefectures and numbers; of one prefecture only a part of the rows has a number.
struct Lists {
    world: World,
    /// The prefecture in which the most canaries live.
    region: String,
    /// Its part of the numbers that are left.
    left: f64,
}

impl Lists {
    fn new(seed: u64, left: f64) -> Lists {
        let mut world = World::new(seed, 120);
        // So small that a list of this length could clear them.
        for batch in &mut world.batches {
            batch.rows_at = 100;
        }
        let mut living: HashMap<String, usize> = HashMap::new();
        for canary in 0..world.canaries.len() {
            *living.entry(region(&world.planted(canary))).or_default() += 1;
        }
        let most = living.into_iter().max_by_key(|(_, canaries)| *canaries);
        Lists {
            world,
            region: most.unwrap().0,
            left,
        }
    }

    fn decision(&mut self, lines: &[Line]) -> Decision {
        let mut text = "氏名,都道府県,電話番号\n".to_owned();
        for line in lines {
            let region = region(line);
            let kept = region != self.region || self.world.rng.random_bool(self.left);
            let phone = if kept { &line[4] } else { "" };
            text += &format!("{},{region},{phone}\n", line[0]);
        }
        let watch = self.world.watch().exact_only();
        let settings = Settings::new(NOW);
        let list = text.as_bytes();
        let report = trace(&watch, "list", list, &settings, &mut |_| {}).unwrap();
        report.decision
    }
}

fn region(line: &Line) -> String {
    region_key(&line[3]).unwrap()
}

/// The share below which a leak of each region might not have shown, that of the lists' own first.
fn below(lists: &mut Lists, lines: &[Line]) -> (f64, Vec<f64>) {
    let decision = lists.decision(lines);
    assert!(decision.sources.is_empty(), "{decision:?}");
    let slices = &decision.cleared[0].slices;
    let known = |slice: &&super::ClearedSlice| slice.attribute == Attribute::Region;
    let number = lists.world.watch().regions.known(&lists.region);
    let (own, mut others) = (f64::NAN, Vec::new());
    let own = slices.iter().filter(known).fold(own, |own, slice| {
        if slice.value == number {
            return slice.share_below;
        }
        // Of few canaries a list can say nothing anyway.
        if slice.live >= 12 {
            others.push(slice.share_below);
        }
        own
    });
    (own, others)
}

#[test]
fn a_region_without_numbers_is_not_cleared_by_the_numbers_of_the_others() {
    let mut lists = Lists::new(71, 0.0);
    let lines = lists.world.lines(900, &[]);
    let (own, others) = below(&mut lists, &lines);
    assert_eq!(own, 1.0);
    assert!(
        !others.is_empty() && others.iter().all(|share| *share < 0.6),
        "{others:?}"
    );
    let mut lists = Lists::new(71, 1.0);
    let (own, _) = below(&mut lists, &lines);
    assert!(own < 0.15, "{own}");
}

#[test]
fn a_leak_of_a_region_that_would_have_shown_shows() {
    const LISTS: usize = 60;
    let mut lists = Lists::new(72, 0.4);
    let mut silent = 0;
    for _ in 0..LISTS {
        let lines = lists.world.lines(700, &[]);
        let (share, _) = below(&mut lists, &lines);
        assert!(share < 1.0, "{share}");
        let of_source = 0..lists.world.canaries.len() / 2;
        let mut leaked: Vec<Line> = of_source
            .map(|canary| lists.world.planted(canary))
            .collect();
        leaked.retain(|line| region(line) == lists.region && lists.world.rng.random_bool(share));
        leaked.extend(lines);
        silent += usize::from(lists.decision(&leaked).canaries.is_empty());
    }
    // One in twenty is said; three standard deviations more are chance.
    let said = LISTS as f64 / 20.0;
    assert!((silent as f64) <= said + 3.0 * said.sqrt(), "{silent}");
}

/// Of six hundred canaries one agrees on three of eight marks: no share of the source explains that any better than
/// chance does; but chance does not do so either, and such a list clears nobody of it.
#[test]
fn what_chance_does_not_explain_is_shown_whatever_the_share() {
    let mut world = World::new(73, 200);
    let watch = world.watch().exact_only();
    let mut doubted = 0;
    for (canary, strangers) in [(5, 200), (250, 300), (599, 400), (40, 550), (333, 700)] {
        let mut lines = world.lines(strangers, &[]);
        let planted = world.planted(canary);
        for column in [0, 2, 6] {
            lines[7][column].clone_from(&planted[column]);
        }
        let text = csv(&lines, &[0, 1, 2, 3, 4, 5, 6]);
        let settings = Settings::new(NOW);
        let report = trace(&watch, "list", text.as_bytes(), &settings, &mut |_| {}).unwrap();
        let decision = report.decision;
        for source in &decision.sources {
            assert!(
                !source.named && source.found == decision.canaries.len(),
                "{source:?}"
            );
            doubted += usize::from(source.found == 1 && source.found_by_chance > 0.5);
        }
        let shown = decision.sources.iter().any(|source| source.source == 0);
        let cleared = decision.cleared.iter().any(|cleared| cleared.source == 0);
        assert!(!(shown && cleared));
    }
    assert!(doubted > 0);
}
