//! Generated worlds, in which it is known whether a list was leaked.

use std::collections::{BTreeSet, HashMap};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::weigh::drawn::gamma;

/// A caller who hides.
const HIDDEN: u32 = 0;
const YEAR: f64 = 365.25;

/// How a world is.
#[derive(Clone, Copy, Debug)]
struct World {
    /// Numbers of the source that is judged, and of others.
    ours: usize,
    others: usize,
    /// Mean and shape of the rates of strays, in calls a year.
    mean: f64,
    shape: f64,
    /// Days of burn-in.
    burn_in: f64,
    /// Whether each of our numbers lies in a block of its own.
    scattered: bool,
}

/// Who has the list, and how they use it.
#[derive(Clone, Copy, Debug)]
struct Leak {
    /// Firms that have bought the list.
    firms: u32,
    /// How many of our numbers each firm calls.
    called: f64,
    /// Within so many days.
    days: f64,
}

struct Call {
    line: usize,
    caller: u32,
    at: f64,
}

/// Moments of a Poisson process between two others.
fn moments(rng: &mut StdRng, rate_a_year: f64, from: f64, to: f64) -> Vec<f64> {
    let mut found = Vec::new();
    let mut at = from;
    loop {
        at -= rng.random::<f64>().max(1e-300).ln() / rate_a_year * YEAR;
        // A rate of nothing.
        if at.is_nan() || at >= to {
            return found;
        }
        found.push(at);
    }
}

impl World {
    fn numbers(&self) -> Vec<String> {
        let place = |n: usize| match self.scattered {
            true => format!("+8130{:03}{:04}", 100 + n, 4000 + n),
            false => format!("+81301{:02}{:04}", n / self.ours.max(1), 4000 + n),
        };
        (0..self.ours + self.others).map(place).collect()
    }

    /// What nobody's doing brings, from the beginning of the burn-in to the end of a year after it.
    fn background(&self, rng: &mut StdRng, numbers: &[String]) -> Vec<Call> {
        let (from, to) = (-self.burn_in, YEAR);
        let mut calls = Vec::new();
        let mut strangers = 1_000..;
        let mut stranger = || strangers.next().unwrap();
        // Background may have risen since the burn-in, in the whole land.
        let rise = match rng.random::<f64>() {
            luck if luck < 0.7 => 1.0,
            luck if luck < 0.9 => 2.0,
            _ => 4.0,
        };
        for line in 0..numbers.len() {
            let rate = gamma(rng, self.shape, self.mean);
            let before = moments(rng, rate, from, 0.0);
            let after = moments(rng, rate * rise, 0.0, to);
            for at in before.into_iter().chain(after) {
                let hides = rng.random::<f64>() < 0.1;
                let caller = if hides { HIDDEN } else { stranger() };
                // Many call again on the days after.
                let again = rng.random_range(0..4);
                calls.extend((0..again + 1).map(|day| Call {
                    line,
                    caller,
                    at: at + f64::from(day),
                }));
            }
            // Somebody's list, by itself.
            for at in moments(rng, 0.1, from, to) {
                let mut more = true;
                while more {
                    let at = at + rng.random::<f64>() * 60.0;
                    calls.push(Call {
                        line,
                        caller: stranger(),
                        at,
                    });
                    more = rng.random();
                }
            }
        }
        // Sweeps of everything, each at a chance of its own.
        for at in moments(rng, 1.0, from, to) {
            let chance = 10_f64.powf(-4.0 * rng.random::<f64>());
            let mut caller = stranger();
            // Half of them show another number each time, and half call in one area only.
            let (spoofs, whole): (bool, bool) = (rng.random(), rng.random());
            let area = numbers[rng.random_range(0..numbers.len())][..5].to_owned();
            for (line, number) in numbers.iter().enumerate() {
                if rng.random::<f64>() < chance && (whole || number.starts_with(&area)) {
                    if spoofs {
                        caller = stranger();
                    }
                    let at = at + rng.random::<f64>();
                    calls.push(Call { line, caller, at });
                }
            }
        }
        // Diallers, each through a whole block.
        for at in moments(rng, 2.0, from, to) {
            let caller = stranger();
            let block = &numbers[rng.random_range(0..numbers.len())];
            let block = &block[..block.len() - 4];
            for (line, number) in numbers.iter().enumerate() {
                if number.starts_with(block) {
                    calls.push(Call {
                        line,
                        caller,
                        at: at + line as f64 / 1e4,
                    });
                }
            }
        }
        calls
    }

    /// What those who have the list bring.
    fn leaked(&self, rng: &mut StdRng, leak: Leak, at: f64) -> Vec<Call> {
        let mut calls = Vec::new();
        for firm in 0..leak.firms {
            for line in 0..self.ours {
                if rng.random::<f64>() < leak.called {
                    let at = at + rng.random::<f64>() * leak.days;
                    calls.push(Call {
                        line,
                        caller: 1 + firm,
                        at,
                    });
                }
            }
        }
        calls
    }

    /// The most that the calls say between two moments.
    fn most(&self, numbers: &[String], calls: Vec<Call>, from: f64, to: f64) -> f64 {
        let course = self.course(numbers, calls).into_iter();
        let said = course.filter(|(at, _)| (from..to).contains(at));
        said.map(|(_, log10)| log10)
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// What each of our calls says when it comes.
    fn course(&self, numbers: &[String], mut calls: Vec<Call>) -> Vec<(f64, f64)> {
        let mut course = Vec::new();
        calls.sort_by(|a, b| a.at.total_cmp(&b.at));
        // One caller at one number counts once in 90 days.
        let mut last: HashMap<(usize, u32), f64> = HashMap::new();
        calls.retain(|call| {
            let before = last.insert((call.line, call.caller), call.at);
            before.is_none_or(|before| call.at - before > WINDOWS[2])
        });
        let mut lines: Vec<Line> = (numbers.iter().enumerate())
            .map(|(line, number)| Line {
                number: number.clone(),
                burn_in_years: self.burn_in / YEAR,
                burn_in_events: calls
                    .iter()
                    .filter(|c| c.line == line && c.at < 0.0)
                    .count() as u32,
                years: 0.0,
                ours: line < self.ours,
            })
            .collect();
        let background = Background::of(&lines);
        for (place, call) in calls.iter().enumerate() {
            if call.at < 0.0 || !lines[call.line].ours {
                continue;
            }
            let now = call.at;
            let recent = calls[..=place].iter().rev();
            let recent = recent.take_while(|call| now - call.at <= WINDOWS[2]);
            let events: Vec<Event> = recent
                .map(|call| Event {
                    line: call.line,
                    caller: (call.caller != HIDDEN).then_some(call.caller),
                    days_ago: now - call.at,
                })
                .collect();
            let called = |event: &&Event| lines[event.line].ours;
            let called: BTreeSet<usize> = events.iter().filter(called).map(|e| e.line).collect();
            if called.len() < AGREE {
                continue;
            }
            for line in &mut lines {
                line.years = (self.burn_in + now) / YEAR;
            }
            course.push((now, weigh_calls(&background, &lines, &events).log10_lr));
        }
        course
    }
}

/// Our numbers, those of others, and whether they are scattered.
const SHAPES: [(usize, usize, bool); 4] =
    [(2, 0, true), (6, 14, true), (6, 14, false), (15, 5, false)];
const ROUNDS: usize = 6;

const QUIET: World = World {
    ours: 6,
    others: 14,
    mean: 2.0,
    shape: 0.5,
    burn_in: 60.0,
    scattered: true,
};

/// Years of background, of all kinds: calls alone open an incident at no more than one source in a hundred in a
/// year.
#[test]
fn background_opens_at_most_one_incident_a_source_in_a_hundred_years() {
    let mut rng = StdRng::seed_from_u64(2026);
    let (mut years, mut opened) = (0, 0);
    for burn_in in [0.0, 14.0, 60.0, 365.0] {
        for (mean, shape) in [(0.3, 0.5), (2.0, 0.3), (2.0, 2.0), (8.0, 0.7)] {
            for (ours, others, scattered) in SHAPES {
                let world = World {
                    ours,
                    others,
                    mean,
                    shape,
                    burn_in,
                    scattered,
                };
                let numbers = world.numbers();
                for _ in 0..ROUNDS {
                    let calls = world.background(&mut rng, &numbers);
                    years += 1;
                    opened += usize::from(world.most(&numbers, calls, 0.0, YEAR) >= OPENS);
                }
            }
        }
    }
    eprintln!("{opened} of {years} years");
    assert!(opened * 100 <= years, "{opened} of {years} years");
}

/// Most leaks whose list two firms or more call by are told while they do, burnt in or not; of those that one firm
/// calls by in a fortnight, some.
#[test]
fn most_leaks_are_told_by_their_calls() {
    let mut rng = StdRng::seed_from_u64(760);
    let rounds = 10;
    for (ours, burn_in, mean) in [
        (4, 60.0, 2.0),
        (6, 0.0, 2.0),
        (6, 60.0, 0.5),
        (6, 365.0, 8.0),
    ] {
        for (firms, called, days, least) in
            [(1, 0.8, 14.0, 1), (2, 0.8, 30.0, 8), (3, 0.5, 30.0, 7)]
        {
            let world = World {
                ours,
                burn_in,
                mean,
                ..QUIET
            };
            let leak = Leak {
                firms,
                called,
                days,
            };
            let numbers = world.numbers();
            let told = (0..rounds).filter(|_| {
                let mut calls = world.background(&mut rng, &numbers);
                calls.extend(world.leaked(&mut rng, leak, 180.0));
                world.most(&numbers, calls, 180.0, 180.0 + days) >= OPENS
            });
            let told = told.count();
            eprintln!("{told} of {rounds}: {world:?}, {leak:?}");
            assert!(told >= least, "{told} of {rounds}: {world:?}, {leak:?}");
        }
    }
}

/// One stray caller, however often, and one number, whatever comes to it, say nothing.
#[test]
fn one_number_says_nothing() {
    let numbers = QUIET.numbers();
    let strays = (0..200).map(|n| Call {
        line: 0,
        caller: 1 + n,
        at: 100.0 + f64::from(n) / 10.0,
    });
    assert!(QUIET.most(&numbers, strays.collect(), 0.0, YEAR) < 0.1);
    // And neither does whoever dials through a block.
    let block = World {
        scattered: false,
        ..QUIET
    };
    let numbers = block.numbers();
    let through = (0..block.ours).map(|line| Call {
        line,
        caller: 1,
        at: 100.0 + line as f64 / 1e4,
    });
    assert!(block.most(&numbers, through.collect(), 0.0, YEAR) < 0.5);
}
