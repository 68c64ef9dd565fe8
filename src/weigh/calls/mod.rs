//! Whether calls to a source's telephone numbers agree on a leak, or are what comes to any number.
//!
//! # Background
//!
//! A number is called by nobody's doing at a rate of its own, which is known from its burn-in: the time in
//! which we listened to it while no canary held it. The rates of numbers of one kind (country, mobile or
//! not) are spread by a gamma distribution, whose shape and mean are estimated from the burn-in of all of
//! them; where there is little, they stay near a stated one ([`rates`]). A number's own burn-in makes this a
//! gamma posterior, and the calls of a later window are negative binomial by it. All numbers' rates may be off
//! together, since the mean is not known well, and since background rises and falls with the seasons: both are
//! summed over ([`likelihood`]).
//!
//! # What is one event
//!
//! One caller at one number counts once in 90 days, however often they call; callers who hide are one caller.
//! Numbers that follow one another in the pool, in one block of ten thousand, and were called by one caller
//! are one event: whoever dials through a block meets them all ([`events`]). A number may besides get into
//! somebody's list by itself: that has a chance of its own, so that no single number says much, whatever
//! comes to it. And somebody may sweep the whole pool, or an area of it, under one number or under a new one
//! each time ([`areas`]): numbers of other sources, and free ones, tell a sweep from a leak, where they lie in the
//! same area and stay silent.
//!
//! # A leak
//!
//! In one of three windows (7, 30 and 90 days up to the call that is judged) the source's numbers are each
//! reached by those who have the list with one unknown chance, spread as in [`weigh`](crate::weigh); half of
//! all who have a list do not call. Whoever calls several numbers of the source and no others', by no run and no
//! sweep, may be a firm that calls by the list. The ratio is P(calls | leak) / P(calls | background), its mean over the
//! windows. Fewer than [`AGREE`] numbers agree on nothing, and say nothing for a leak.
//!
//! # A name
//!
//! A caller who says a canary's name knows more than a number. That is not counted but stated: see
//! [`named`].

mod areas;
mod events;
mod likelihood;
mod rates;
#[cfg(test)]
mod worlds;

pub use rates::Background;

use events::Events;
use likelihood::log10_ratio;

use crate::canary::Named;

/// The windows, in days. One caller at one number counts once in the longest.
pub const WINDOWS: [f64; 3] = [7.0, 30.0, 90.0];
/// So many different numbers of a source must have been called before their calls say anything for a leak.
pub const AGREE: usize = 2;
/// From this many powers of ten on, calls alone open an incident, unless the configuration says otherwise.
pub const OPENS: f64 = 2.0;

/// A telephone number of the pool.
#[derive(Clone)]
pub struct Line {
    /// E.164.
    pub number: String,
    /// For how many years it was listened to while no canary held it.
    pub burn_in_years: f64,
    /// Events in these years.
    pub burn_in_events: u32,
    /// For how many years up to the moment that is judged it has been listened to.
    pub years: f64,
    /// Whether canaries of the source that is judged hold it, and of no other.
    pub ours: bool,
}

/// Somebody called a number for the first time in 90 days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// The number's place among the lines.
    pub line: usize,
    /// Whoever called; nothing of those who hide.
    pub caller: Option<u32>,
    /// So many days before the moment that is judged.
    pub days_ago: f64,
}

/// What calls say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CallsWeight {
    /// log10 of the likelihood ratio: a leak against background.
    pub log10_lr: f64,
    /// Numbers of the source alone.
    pub points: u32,
    /// Those that were called, in the longest window.
    pub reached: u32,
}

/// Weighs calls up to one moment.
pub fn weigh_calls(background: &Background, lines: &[Line], calls: &[Event]) -> CallsWeight {
    let mut called: Vec<usize> = calls
        .iter()
        .filter(|call| lines[call.line].ours && call.days_ago <= WINDOWS[2])
        .map(|call| call.line)
        .collect();
    called.sort_unstable();
    called.dedup();
    let ratios = WINDOWS.map(|days| {
        let events = Events::within(days, lines, calls);
        log10_ratio(background, lines, &events, days / 365.25)
    });
    let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = ratios
        .map(|ratio| 10_f64.powf(ratio - most))
        .iter()
        .sum::<f64>()
        / 3.0;
    let log10_lr = most + mean.log10();
    CallsWeight {
        log10_lr: match called.len() < AGREE {
            true => log10_lr.min(0.0),
            false => log10_lr,
        },
        points: u32::try_from(lines.iter().filter(|line| line.ours).count()).unwrap_or(u32::MAX),
        reached: u32::try_from(called.len()).unwrap_or(u32::MAX),
    }
}

/// How many powers of ten a caller who said a canary's name carries. These are judgements: a family name is
/// shared by many, and whoever had the number before may have had it, so that one caller in ten who says a
/// name says it by chance; a whole name is said by chance by one in a thousand.
pub const fn named(how: Named) -> f64 {
    match how {
        Named::Family => 1.0,
        Named::Whole => 3.0,
    }
}
