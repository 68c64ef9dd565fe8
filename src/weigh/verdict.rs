//! All channels together, capped, and in words.

use serde::Serialize;

use super::{KEPT, MOST, SHOWN, Seen, Way};

/// From this many powers of ten on the evidence supports a leak; as far below zero, background.
const SAYS: f64 = 2.0;

/// How much the canaries reached may carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Canaries (and shared numbers) whose details nobody was shown.
    pub kept: u32,
    /// Those whose details somebody was shown.
    pub shown: u32,
}

impl Standing {
    fn cap(self) -> f64 {
        f64::from(self.kept) * KEPT + f64::from(self.shown) * SHOWN
    }
}

/// What the ratio says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A list of the source is in strangers' hands.
    Leak,
    /// Neither.
    Inconclusive,
    /// What came, comes without a leak.
    Background,
}

impl Verdict {
    /// The name in words and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Leak => "leak",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Background => "background",
        }
    }
}

/// Why a ratio is no larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The canaries reached carry no more: their details may have got out from us.
    Canaries,
    /// The model carries no more.
    Model,
}

/// What came by one way, and what it says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelWeight {
    /// The way.
    pub channel: Way,
    /// Contact points of the source.
    pub points: u32,
    /// Those at which anything came.
    pub reached: u32,
    /// Contact points of other sources.
    pub elsewhere_points: u32,
    /// Those at which anything came.
    pub elsewhere_reached: u32,
    /// log10 of this channel's likelihood ratio.
    pub log10_lr: f64,
}

/// The verdict on an incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weight {
    /// What it says.
    pub verdict: Verdict,
    /// log10 of the likelihood ratio: a leak of the source against background.
    pub log10_lr: f64,
    /// In words, on the ENFSI scale; of a ratio below 1, the support for background.
    pub support: &'static str,
    /// Why it is no larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited_by: Option<Limit>,
    /// What each channel says; without those on which the source has no contact points.
    pub channels: Vec<ChannelWeight>,
}

/// Weighs what has come. What calls say, they say by themselves: log10 of their likelihood ratio.
pub fn verdict(seen: &[Seen], calls: f64, standing: Standing) -> Weight {
    let channels: Vec<ChannelWeight> = seen
        .iter()
        .filter(|seen| seen.here.points > 0)
        .map(|seen| ChannelWeight {
            channel: seen.way,
            points: seen.here.points,
            reached: seen.here.reached,
            elsewhere_points: seen.elsewhere.iter().map(|other| other.points).sum(),
            elsewhere_reached: seen.elsewhere.iter().map(|other| other.reached).sum(),
            log10_lr: match seen.way {
                Way::Phone => calls,
                _ => seen.log10_lr(),
            },
        })
        .collect();
    let sum: f64 = channels.iter().map(|channel| channel.log10_lr).sum();
    let limit = match standing.cap() {
        cap if cap <= MOST => (cap, Limit::Canaries),
        _ => (MOST, Limit::Model),
    };
    let log10_lr = sum.min(limit.0);
    Weight {
        verdict: match log10_lr {
            lr if lr >= SAYS => Verdict::Leak,
            lr if lr <= -SAYS => Verdict::Background,
            _ => Verdict::Inconclusive,
        },
        log10_lr,
        support: support(log10_lr.abs()),
        limited_by: (sum > limit.0).then_some(limit.1),
        channels,
    }
}

impl Weight {
    /// The verdict in a line.
    pub fn words(&self) -> String {
        let of = match self.log10_lr < 0.0 {
            true => "background",
            false => "a leak",
        };
        let limited = match self.limited_by {
            None => "",
            Some(Limit::Canaries) => {
                "; no more is said, since a canary's details may have got out from us"
            }
            Some(Limit::Model) => "; no more is said, since the model may be wrong",
        };
        format!(
            "{}: {} for {of} (log10 of the likelihood ratio {:.1}{limited})",
            self.verdict.name(),
            self.support,
            self.log10_lr
        )
    }
}

impl ChannelWeight {
    /// The channel in a line.
    pub fn words(&self) -> String {
        format!(
            "{}: {} of {} contact points reached, at other sources {} of {} (log10 {:+.2})",
            self.channel.name(),
            self.reached,
            self.points,
            self.elsewhere_reached,
            self.elsewhere_points,
            self.log10_lr
        )
    }
}

/// The ENFSI verbal scale.
pub fn support(log10_lr: f64) -> &'static str {
    match log10_lr {
        lr if lr <= 0.0 => "no support",
        lr if lr <= 1.0 => "weak support",
        lr if lr <= 2.0 => "moderate support",
        lr if lr <= 3.0 => "moderately strong support",
        lr if lr <= 4.0 => "strong support",
        lr if lr <= 6.0 => "very strong support",
        _ => "extremely strong support",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reach;
    use super::*;

    fn seen(way: Way, reached: u32) -> Seen {
        let reach = |points, reached| Reach {
            points,
            reached,
            years: 0.5,
        };
        Seen {
            way,
            here: reach(50, reached),
            elsewhere: vec![reach(200, 0)],
        }
    }

    fn standing(kept: u32, shown: u32) -> Standing {
        Standing { kept, shown }
    }

    #[test]
    fn one_canary_carries_what_one_canary_can() {
        let all = [seen(Way::Mail, 1), seen(Way::Probe, 0), seen(Way::Post, 1)];
        let open = verdict(&all, 0.0, standing(2, 0));
        assert!(open.log10_lr > SHOWN && open.limited_by.is_none());
        let shown = verdict(&all, 0.0, standing(0, 1));
        assert_eq!(
            (shown.log10_lr, shown.limited_by),
            (SHOWN, Some(Limit::Canaries))
        );
        assert_eq!(shown.verdict, Verdict::Inconclusive);
        assert!(shown.words().contains("got out from us"));
        // Nobody reached says nothing for a leak.
        assert!(verdict(&[seen(Way::Mail, 0)], 0.0, standing(0, 0)).log10_lr <= 0.0);
    }

    #[test]
    fn nothing_is_surer_than_the_model() {
        let all = [
            seen(Way::Mail, 50),
            seen(Way::Post, 50),
            seen(Way::Phone, 50),
        ];
        let most = verdict(&all, 0.0, standing(50, 0));
        assert_eq!((most.log10_lr, most.limited_by), (MOST, Some(Limit::Model)));
        assert_eq!(most.support, "extremely strong support");
        assert_eq!(most.verdict, Verdict::Leak);
    }

    #[test]
    fn a_source_without_contact_points_on_a_channel_says_nothing_there() {
        let mut none = seen(Way::Post, 0);
        none.here.points = 0;
        let weight = verdict(&[none, seen(Way::Mail, 1)], 0.0, standing(1, 0));
        assert_eq!(weight.channels.len(), 1);
    }
}
