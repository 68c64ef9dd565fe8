//! Mailings that a source's own side has planned, and what their mail to canaries says of our health.
//!
//! A canary is on the same lists as a customer. When a mailing comes that was planned, its mailbox is alive and
//! the way to it is open; when none of twelve canaries gets a mailing that goes to everybody, somebody should look,
//! for a thief's mail would not come either. How few is too few is a number: each canary is addressed with the
//! chance that a customer is, and a few mails are lost on their way whatever one does.

use time::{Duration, OffsetDateTime};

use super::{CanaryId, Domain, SourceName};

/// Mail of a campaign that comes so long after its time is late, and no alarm.
pub const LATE: Duration = Duration::days(7);
/// Of mails that are sent so many arrive: mail servers give up, filters drop.
const ARRIVES: f64 = 0.98;
/// A count that is no less likely than this, while all is well, says nothing.
const UNLIKELY: f64 = 0.05;

/// A planned mailing.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    /// The source whose customers get it.
    pub source: SourceName,
    /// The domain of its author.
    pub sender: Domain,
    /// When it is sent.
    pub planned: OffsetDateTime,
    /// It may be sent so much earlier or later.
    pub tolerance: Duration,
    /// The share of customers who are addressed, above 0 and at most 1.
    pub share: f64,
    /// When the next one by this sender begins: what comes from then on is of that.
    pub next: Option<OffsetDateTime>,
}

impl Campaign {
    /// Before then none of its mail comes.
    pub fn begins(&self) -> OffsetDateTime {
        self.planned.saturating_sub(self.tolerance)
    }

    /// Its mail should be there by then.
    pub fn until(&self) -> OffsetDateTime {
        self.planned.saturating_add(self.tolerance)
    }

    /// Mail that comes after that is none of it.
    pub fn ends(&self) -> OffsetDateTime {
        let late = self.until().saturating_add(LATE);
        self.next.map_or(late, |next| late.min(next))
    }

    /// Whether mail of this source at that time, proven to be by this domain, is mail of it.
    pub fn expects(&self, source: &SourceName, proven: &str, at: OffsetDateTime) -> bool {
        self.source == *source
            && self.sender.as_str() == proven
            && self.begins() <= at
            && at <= self.ends()
    }
}

/// What has come of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// Canaries with a mailbox that stood in the source all the time.
    pub canaries: usize,
    /// Those that got it in time.
    pub in_time: usize,
    /// Those that got it later.
    pub late: usize,
    /// Mails within its time that say they are from there, and did not prove it.
    pub unproven: usize,
    /// Those that did not get it.
    pub silent: Vec<CanaryId>,
}

/// How a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignState {
    /// Its time has not come, or is not over.
    Planned,
    /// As many got it as can be expected.
    Came,
    /// So few canaries are addressed that nothing follows from nobody having got it.
    Unclear,
    /// No canary stood in the source.
    Nobody,
    /// It came, after its time.
    Late,
    /// Some got it, and too few.
    Few,
    /// Nobody got it.
    Missing,
}

impl CampaignState {
    /// Its name in JSON and in the registry.
    pub const fn name(self) -> &'static str {
        match self {
            CampaignState::Planned => "planned",
            CampaignState::Came => "came",
            CampaignState::Unclear => "unclear",
            CampaignState::Nobody => "nobody",
            CampaignState::Late => "late",
            CampaignState::Few => "few",
            CampaignState::Missing => "missing",
        }
    }

    /// Whether somebody should look.
    pub const fn warns(self) -> bool {
        matches!(self, CampaignState::Few | CampaignState::Missing)
    }
}

/// How a campaign stands, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// How it stands.
    pub state: CampaignState,
    /// The chance that so few or fewer of the canaries get it while all is well.
    pub chance: f64,
}

/// Judges by what has come until `now`.
pub fn judge(campaign: &Campaign, came: &Came, now: OffsetDateTime) -> Judgement {
    let rate = campaign.share.clamp(0.0, 1.0) * ARRIVES;
    let all = came.in_time + came.late;
    let chance = at_most(all, came.canaries, rate);
    let in_time = at_most(came.in_time, came.canaries, rate);
    let state = if now <= campaign.until() {
        CampaignState::Planned
    } else if came.canaries == 0 {
        CampaignState::Nobody
    } else if chance < UNLIKELY {
        match all {
            0 => CampaignState::Missing,
            _ => CampaignState::Few,
        }
    } else if all == 0 {
        CampaignState::Unclear
    } else if in_time < UNLIKELY {
        CampaignState::Late
    } else {
        CampaignState::Came
    };
    Judgement { state, chance }
}

/// The chance of at most `k` of `n`, each with the chance `rate`, which is below 1.
fn at_most(k: usize, n: usize, rate: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let odds = (rate / (1.0 - rate)).ln();
    let mut term = n as f64 * (1.0 - rate).ln();
    let mut sum = term.exp();
    for i in 1..=k {
        term += odds + ((n - i + 1) as f64).ln() - (i as f64).ln();
        sum += term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn campaign(share: f64) -> Campaign {
        Campaign {
            source: "school".parse().unwrap(),
            sender: "school.example".parse().unwrap(),
            planned: datetime!(2026-12-01 00:00 UTC),
            tolerance: Duration::hours(6),
            share,
            next: None,
        }
    }

    fn stands(share: f64, canaries: usize, in_time: usize, late: usize) -> CampaignState {
        let came = Came {
            canaries,
            in_time,
            late,
            ..Came::default()
        };
        let now = datetime!(2026-12-02 00:00 UTC);
        judge(&campaign(share), &came, now).state
    }

    #[test]
    fn how_few_is_too_few_follows_from_how_many_are_addressed() {
        use CampaignState::*;
        for (share, canaries, in_time, late, state) in [
            (1.0, 12, 12, 0, Came),
            (1.0, 12, 11, 0, Came),
            (1.0, 12, 0, 0, Missing),
            (1.0, 12, 5, 0, Few),
            (1.0, 12, 0, 12, Late),
            (1.0, 12, 2, 4, Few),
            (1.0, 1, 0, 0, Missing),
            (1.0, 0, 0, 0, Nobody),
            // A tenth of the customers: that none of twelve is among them is likely.
            (0.1, 12, 0, 0, Unclear),
            (0.1, 12, 1, 0, Came),
            (0.1, 60, 0, 0, Missing),
            (0.5, 100, 50, 0, Came),
            (0.5, 100, 30, 0, Few),
            // More than were to be addressed is no harm.
            (0.01, 100, 100, 0, Came),
        ] {
            let found = stands(share, canaries, in_time, late);
            assert_eq!(found, state, "{share} {canaries} {in_time} {late}");
        }
    }

    #[test]
    fn before_its_time_is_over_nothing_is_missing() {
        let came = Came {
            canaries: 12,
            ..Came::default()
        };
        let before = judge(&campaign(1.0), &came, datetime!(2026-12-01 06:00 UTC));
        assert_eq!(before.state, CampaignState::Planned);
        let after = judge(&campaign(1.0), &came, datetime!(2026-12-01 06:01 UTC));
        assert_eq!(after.state, CampaignState::Missing);
        assert!(after.chance < 1e-20);
    }

    #[test]
    fn the_chance_is_the_binomial_one() {
        // By hand: 3 of a coin thrown 5 times, and a die.
        assert!((at_most(3, 5, 0.5) - 26.0 / 32.0).abs() < 1e-12);
        assert!((at_most(0, 4, 1.0 / 6.0) - (5.0_f64 / 6.0).powi(4)).abs() < 1e-12);
        assert_eq!(at_most(5, 5, 0.5), 1.0);
        assert!((at_most(99_999, 1_000_000, 0.1) - 0.5).abs() < 0.01);
    }

    #[test]
    fn its_mail_is_its_own_while_it_lasts() {
        let campaign = campaign(1.0);
        let school = "school".parse().unwrap();
        let expects = |proven, at| campaign.expects(&school, proven, at);
        assert!(expects("school.example", datetime!(2026-11-30 18:00 UTC)));
        assert!(expects("school.example", datetime!(2026-12-08 06:00 UTC)));
        assert!(!expects(
            "news.school.example",
            datetime!(2026-12-01 00:00 UTC)
        ));
        assert!(!expects("school.example", datetime!(2026-11-30 17:59 UTC)));
        assert!(!expects("school.example", datetime!(2026-12-08 06:01 UTC)));
        let next = Campaign {
            next: Some(datetime!(2026-12-03 00:00 UTC)),
            ..campaign.clone()
        };
        assert_eq!(next.ends(), datetime!(2026-12-03 00:00 UTC));
        let shop = "shop".parse().unwrap();
        assert!(!campaign.expects(&shop, "school.example", campaign.planned));
    }
}
