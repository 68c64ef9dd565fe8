//! The ratio of one window, summed over what is unknown.

use super::areas::Areas;
use super::events::{Events, Several};
use super::rates::{Background, Level};
use super::{Line, WINDOWS};
use crate::weigh::Way;
use crate::weigh::grid::{Sum, UNUSED, chances};

/// How often in a year a number gets into somebody's list by itself: by a typing error, from a former owner, or
/// since it was posted somewhere. From then on anybody may call it.
const LISTED: f64 = 0.1;
/// How probable it is that a stray at one number is by a caller who has strayed to another, not in one sweep.
const TWICE: f64 = 0.02;
/// Firms that have bought the list and call from one number each, to be expected in a window.
const FIRMS: f64 = 1.0;
/// Callers who reached several numbers and are looked at one by one; of more, nothing is made.
const LOOKED_AT: usize = 4;
/// More events at one number in a window say no more.
const MOST: u32 = 24;

/// Why a caller has reached several numbers.
#[derive(Clone, Copy, PartialEq)]
enum Cause {
    Chance,
    Sweep,
    List,
}

/// How probable what came to a line is.
#[derive(Clone, Copy)]
pub(super) struct Chance {
    /// By background, as a logarithm.
    pub(super) ln: f64,
    /// How many times as probable it is if somebody has a list that the line is in.
    pub(super) listed: f64,
}

/// See the module above it: log10 of the ratio for a leak whose list is used in a window of so many years.
pub(super) fn log10_ratio(
    background: &Background,
    lines: &[Line],
    events: &Events,
    years: f64,
) -> f64 {
    let areas = Areas::of(lines);
    let several = &events.several[..events.several.len().min(LOOKED_AT)];
    let sweeps = Way::Phone.background().sweeps * years;
    let by_sweep: Vec<f64> = (several.iter())
        .map(|one| sweeps.ln() + areas.ln_sweep(one))
        .collect();
    // No window is longer than a season.
    let calm = (1.0 - sweeps.min(0.5)).ln();
    let mut leak = Sum::default();
    let mut chance = Sum::default();
    for level in background.levels() {
        let each = Each {
            background,
            level,
            years,
        };
        let all: Vec<Chance> = (lines.iter().zip(&events.at))
            .map(|(line, events)| each.chance(line, *events))
            .collect();
        for causes in causes(several) {
            let mut ln = level.ln_weight;
            let mut at = events.at.clone();
            for ((cause, one), sweep) in causes.iter().zip(several).zip(&by_sweep) {
                ln += match cause {
                    Cause::Chance => one.ln_chance(),
                    Cause::Sweep => *sweep,
                    Cause::List => 0.0,
                };
                if *cause != Cause::Chance {
                    one.lines.iter().for_each(|line| at[*line] -= 1);
                }
            }
            let mut came = all.clone();
            for (place, (now, before)) in at.iter().zip(&events.at).enumerate() {
                if now != before {
                    came[place] = each.chance(&lines[place], *now);
                }
            }
            ln += came.iter().map(|chance| chance.ln).sum::<f64>();
            if !causes.contains(&Cause::List) {
                for background in [calm, sweeps.ln() + areas.ln_swept(&came)] {
                    chance.add(ln + background);
                    leak.add(UNUSED.ln() + ln + background);
                }
            }
            let listed = Listed::new(lines, &came, &causes, several);
            for (used, part) in chances() {
                leak.add(((1.0 - UNUSED) * part).ln() + calm + ln + listed.ln(used));
            }
        }
    }
    (leak.ln() - chance.ln()) / std::f64::consts::LN_10
}

/// Every way in which these callers may have come about.
fn causes(several: &[Several]) -> Vec<Vec<Cause>> {
    let mut all = vec![Vec::new()];
    for one in several {
        let list = one.may_have_list().then_some(Cause::List);
        let mut next = Vec::new();
        for before in &all {
            for cause in [Cause::Chance, Cause::Sweep].into_iter().chain(list) {
                next.push([&before[..], &[cause]].concat());
            }
        }
        all = next;
    }
    all
}

impl Several {
    /// Whoever hides may be many, and whoever called others' numbers has not called by this list.
    fn may_have_list(&self) -> bool {
        self.ours && !self.hides && self.lines.len() > 1
    }

    /// That strays at several numbers are by one caller.
    fn ln_chance(&self) -> f64 {
        match self.hides {
            true => 0.0,
            false => (self.lines.len() as f64 - 1.0) * TWICE.ln(),
        }
    }
}

/// What a list that is used explains.
struct Listed {
    /// How many numbers of ours there are, and to how many of them nothing came.
    ours: f64,
    silent: f64,
    /// What a list makes of the others.
    more: Vec<f64>,
    /// Of each caller by the list: events, and numbers reached.
    firms: Vec<(f64, f64)>,
}

impl Listed {
    fn new(lines: &[Line], came: &[Chance], causes: &[Cause], several: &[Several]) -> Listed {
        let ours = (lines.iter().zip(came)).filter(|(line, _)| line.ours);
        let listed: Vec<f64> = ours.map(|(_, chance)| chance.listed).collect();
        let more: Vec<f64> = listed.iter().copied().filter(|more| *more > 0.0).collect();
        let firms = causes.iter().zip(several);
        let firms = firms.filter(|(cause, _)| **cause == Cause::List);
        Listed {
            ours: listed.len() as f64,
            silent: (listed.len() - more.len()) as f64,
            more,
            firms: firms
                .map(|(_, one)| (one.lines.len() as f64, f64::from(one.reached)))
                .collect(),
        }
    }

    /// The logarithm of how much better it explains what came, if it reaches each number with this chance.
    fn ln(&self, used: f64) -> f64 {
        let missed = 1.0 - used;
        let hits = self.more.iter().map(|more| (missed + used * more).ln());
        let mut ln = hits.sum::<f64>() + self.silent * missed.ln();
        // Firms that reach several numbers are a Poisson process, each thinned by the chance.
        let one_or_none = missed.powf(self.ours) + self.ours * used * missed.powf(self.ours - 1.0);
        ln -= FIRMS * (1.0 - one_or_none).max(0.0);
        for (events, reached) in &self.firms {
            ln += FIRMS.ln() + events * used.ln() + (self.ours - reached) * missed.ln();
        }
        ln
    }
}

/// Lines in one window at one level of the background.
struct Each<'a> {
    background: &'a Background,
    level: &'a Level,
    years: f64,
}

impl Each<'_> {
    fn chance(&self, line: &Line, events: u32) -> Chance {
        let years = self.years.min(line.years).max(f64::MIN_POSITIVE);
        let rate = self.background.rate(line, self.level);
        let listed = LISTED * self.years.min(WINDOWS[2] / 365.25);
        let events = events.min(MOST);
        let strays = rate.ln_chance(events, years);
        // Those who have its list are one, two, three or more, each half as probable as one fewer.
        let mut from_list = Sum::default();
        for callers in 1..=events {
            let others = rate.ln_chance(events - callers, years);
            from_list.add(0.5_f64.ln() * f64::from(callers) + others);
        }
        let mut background = Sum::default();
        background.add((-listed).ln_1p() + strays);
        if events > 0 {
            background.add(listed.ln() + from_list.ln());
        }
        let ln = background.ln();
        Chance {
            ln,
            listed: if events > 0 {
                (from_list.ln() - ln).exp()
            } else {
                0.0
            },
        }
    }
}
