//! When the next drill of a channel is. Pure: a function of the last one, which the registry keeps, so that a
//! restart changes nothing.

use time::{Duration, OffsetDateTime};

use crate::canary::Drill;

/// The next drill comes so much earlier or later, as a share of the interval: whoever watches the outside
/// path finds no clock in it.
const JITTER: f64 = 0.1;
/// Drills that are due together, such as all of them after a long stop, are at most so far apart.
const APART: Duration = Duration::minutes(15);

/// Hosts' clocks are so far apart at most. A last drill that lies further ahead was written by a clock that was
/// wrong, and must not keep the schedule still until then.
pub const CLOCKS: Duration = Duration::minutes(5);

/// When the channel of the last drill is to be drilled again.
pub fn next(every: Duration, last: &Drill, now: OffsetDateTime) -> OffsetDateTime {
    if last.sent_at > now + CLOCKS {
        return now;
    }
    let shift = 2.0 * spread(last.id) - 1.0;
    last.sent_at + every * (1.0 + JITTER * shift)
}

/// How long the schedule waits between two drills, of so many channels in all.
pub fn gap(every: Duration, channels: usize) -> Duration {
    let share = every / (4.0 * channels.max(1) as f64);
    share.min(APART)
}

/// A number from 0 to 1 that follows from the drill's alone, the same on every host (splitmix64).
fn spread(id: i64) -> f64 {
    let mut x = (id as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use time::macros::datetime;

    use super::*;
    use crate::canary::{CanaryId, Channel, DrillState};

    const NOW: OffsetDateTime = datetime!(2026-03-02 12:00 UTC);

    fn drill(id: i64) -> Drill {
        Drill {
            id,
            channel: Channel::Mail,
            source: "school".parse().unwrap(),
            canary: CanaryId::random(&mut StdRng::seed_from_u64(1)),
            scheduled: true,
            state: DrillState::Passed,
            sent_at: datetime!(2026-03-01 12:00 UTC),
            due_at: datetime!(2026-03-01 12:30 UTC),
            accepted_at: None,
            seen_at: None,
            alerted_at: None,
            why: None,
        }
    }

    #[test]
    fn the_next_drill_is_about_an_interval_away_and_never_quite() {
        let week = Duration::days(7);
        let after: Vec<f64> = (1..200)
            .map(|id| (next(week, &drill(id), NOW) - drill(id).sent_at) / week)
            .collect();
        assert!(after.iter().all(|share| (0.9..=1.1).contains(share)));
        assert!(after.iter().any(|share| *share < 0.93));
        assert!(after.iter().any(|share| *share > 1.07));
        assert_eq!(next(week, &drill(7), NOW), next(week, &drill(7), NOW));
        // The clock was set back by a year.
        let then = NOW - Duration::days(365);
        assert_eq!(next(week, &drill(7), then), then);
    }

    #[test]
    fn what_is_due_together_is_spread() {
        assert_eq!(gap(Duration::days(7), 20), Duration::minutes(15));
        assert_eq!(gap(Duration::minutes(40), 10), Duration::minutes(1));
        // All of them fit into a fraction of the interval, so that none falls behind for good.
        assert!(gap(Duration::hours(1), 500) * 500 < Duration::minutes(30));
        assert!(gap(Duration::hours(1), 0) > Duration::ZERO);
    }
}
