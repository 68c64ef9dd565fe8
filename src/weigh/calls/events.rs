//! What counts as one event, and who reached several numbers.

use std::collections::{BTreeMap, HashMap};

use super::{Event, Line};

/// Digits of a number by which its place in its block is told.
const BLOCK: usize = 4;

/// The events of one window.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    /// Events at each line.
    pub(super) at: Vec<u32>,
    /// Callers who reached several lines of the pool.
    pub(super) several: Vec<Several>,
}

/// A caller who reached several lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Several {
    /// Lines reached.
    pub(super) reached: u32,
    /// Which.
    pub(super) all: Vec<usize>,
    /// Whether all of them are the source's.
    pub(super) ours: bool,
    /// Whether the caller hides, and may be many.
    pub(super) hides: bool,
    /// Where this caller's events count.
    pub(super) lines: Vec<usize>,
}

impl Events {
    /// Those of the last days.
    pub(super) fn within(days: f64, lines: &[Line], calls: &[Event]) -> Events {
        let mut of_caller: HashMap<Option<u32>, BTreeMap<usize, f64>> = HashMap::new();
        for call in calls.iter().filter(|call| call.days_ago <= days) {
            let first = of_caller.entry(call.caller).or_default();
            let first = first.entry(call.line).or_insert(call.days_ago);
            *first = first.max(call.days_ago);
        }
        let places = places(lines);
        let mut events = Events {
            at: vec![0; lines.len()],
            several: Vec::new(),
        };
        for (caller, called) in &of_caller {
            let firsts = firsts(&places, called);
            for line in &firsts {
                events.at[*line] += 1;
            }
            if called.len() > 1 {
                events.several.push(Several {
                    reached: u32::try_from(called.len()).unwrap_or(u32::MAX),
                    all: called.keys().copied().collect(),
                    ours: called.keys().all(|line| lines[*line].ours),
                    hides: caller.is_none(),
                    lines: firsts,
                });
            }
        }
        // Those who reached most are explained first; the order is the same on every machine.
        let order = |one: &Several| (std::cmp::Reverse(one.reached), one.lines.clone());
        events.several.sort_by_key(order);
        events
    }
}

/// Each line's block and its place among the pool's numbers in it.
fn places(lines: &[Line]) -> Vec<(&str, usize)> {
    let block = |line: &usize| {
        let number = lines[*line].number.as_str();
        &number[..number.len().saturating_sub(BLOCK)]
    };
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|a, b| lines[*a].number.cmp(&lines[*b].number));
    let mut places = vec![("", 0); lines.len()];
    for (place, line) in order.iter().enumerate() {
        places[*line] = (block(line), place);
    }
    places
}

/// The lines that one caller reached, of each run through a block only the first that was called.
fn firsts(places: &[(&str, usize)], called: &BTreeMap<usize, f64>) -> Vec<usize> {
    let mut sorted: Vec<(&str, usize, usize, f64)> = called
        .iter()
        .map(|(line, days_ago)| (places[*line].0, places[*line].1, *line, *days_ago))
        .collect();
    sorted.sort_by_key(|(_, place, _, _)| *place);
    let mut firsts: Vec<(usize, f64)> = Vec::new();
    let mut before: Option<(&str, usize)> = None;
    for (block, place, line, days_ago) in sorted {
        let follows = before == Some((block, place.wrapping_sub(1)));
        before = Some((block, place));
        match firsts.last_mut() {
            Some(first) if follows => {
                if days_ago > first.1 {
                    *first = (line, days_ago);
                }
            }
            _ => firsts.push((line, days_ago)),
        }
    }
    firsts.into_iter().map(|(line, _)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: &[&str]) -> Vec<Line> {
        let line = |number: &&str| Line {
            number: (*number).to_owned(),
            burn_in_years: 0.0,
            burn_in_events: 0,
            years: 1.0,
            ours: true,
        };
        numbers.iter().map(line).collect()
    }

    fn call(line: usize, caller: u32, days_ago: f64) -> Event {
        Event {
            line,
            caller: Some(caller),
            days_ago,
        }
    }

    #[test]
    fn whoever_dials_through_a_block_is_one_event() {
        let pool = lines(&[
            "+81301234501",
            "+81301234509",
            "+81301234588",
            "+81301240001",
        ]);
        let calls = [call(2, 7, 1.0), call(0, 7, 1.2), call(1, 7, 1.1)];
        let events = Events::within(7.0, &pool, &calls);
        assert_eq!(events.at, [1, 0, 0, 0]);
        assert_eq!(
            (events.several[0].reached, &events.several[0].lines[..]),
            (3, &[0][..])
        );
        // Another block is another event.
        let calls = [&calls[..], &[call(3, 7, 1.0)]].concat();
        assert_eq!(Events::within(7.0, &pool, &calls).at, [1, 0, 0, 1]);
        // Whoever leaves out what lies between does not dial through.
        let calls = [call(0, 7, 1.2), call(2, 7, 1.0)];
        assert_eq!(Events::within(7.0, &pool, &calls).at, [1, 0, 1, 0]);
        // And several callers are several.
        let calls = [call(0, 7, 1.2), call(1, 8, 1.0), call(2, 9, 1.0)];
        let events = Events::within(7.0, &pool, &calls);
        assert_eq!(
            (&events.at[..], events.several.len()),
            (&[1, 1, 1, 0][..], 0)
        );
    }

    #[test]
    fn one_caller_at_one_number_counts_once() {
        let pool = lines(&["+81301234501"]);
        let calls = [call(0, 7, 3.0), call(0, 7, 2.0), call(0, 8, 9.0)];
        assert_eq!(Events::within(7.0, &pool, &calls).at, [1]);
        assert_eq!(Events::within(30.0, &pool, &calls).at, [2]);
    }
}
