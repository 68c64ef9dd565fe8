//! Which canaries a channel can reach.

use std::collections::HashMap;

use rand::RngExt;

use crate::canary::{Canary, CanaryId, Channel, ContactKind, SourceName, State};
use crate::persona::Locale;
use crate::registry::{Registry, Result};

/// One canary, and where it is reached.
#[derive(Clone)]
pub(super) struct Aim {
    pub(super) canary: CanaryId,
    pub(super) locale: Locale,
    pub(super) to: String,
}

/// A channel of a source, with the canaries that it can reach; there is at least one.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) source: SourceName,
    pub(super) channel: Channel,
    aims: Vec<Aim>,
}

impl Target {
    /// One of them, by chance.
    pub(super) fn any(&self) -> Aim {
        self.aims[rand::rng().random_range(0..self.aims.len())].clone()
    }
}

/// The channels of these sources that can be drilled without a person: mail and phone.
pub(super) async fn targets(registry: &Registry, sources: &[SourceName]) -> Result<Vec<Target>> {
    let kinds = kinds(registry).await?;
    let mut targets = Vec::new();
    for source in sources {
        let mut canaries = registry.canaries(Some(source)).await?;
        canaries.retain(stands);
        for channel in [Channel::Mail, Channel::Phone] {
            let aims: Vec<Aim> = canaries
                .iter()
                .filter_map(|canary| {
                    Some(Aim {
                        canary: canary.id.clone(),
                        locale: canary.details.household.locale,
                        to: reached_at(canary, channel, &kinds)?,
                    })
                })
                .collect();
            if !aims.is_empty() {
                targets.push(Target {
                    source: source.clone(),
                    channel,
                    aims,
                });
            }
        }
    }
    Ok(targets)
}

/// Whether somebody may reach the canary: it stands in its table, or in a copy that was handed out.
pub(super) fn stands(canary: &Canary) -> bool {
    matches!(canary.state, State::Live | State::HandedOut)
}

/// Kind of each contact point, and the number that a telephone has.
pub(super) type Kinds = HashMap<i64, (ContactKind, String)>;

/// The pool by number.
pub(super) async fn kinds(registry: &Registry) -> Result<Kinds> {
    let pool = registry.pool().await?;
    let entry = |point: crate::registry::PoolEntry| {
        (point.id, (point.point.kind(), point.point.identity()))
    };
    Ok(pool.into_iter().map(entry).collect())
}

/// Where the canary is reached by this channel: only at a contact point of ours.
pub(super) fn reached_at(canary: &Canary, channel: Channel, kinds: &Kinds) -> Option<String> {
    let given = canary.points.iter().filter_map(|point| kinds.get(point));
    let mut given = given.filter(|(kind, _)| {
        matches!(
            (channel, kind),
            (Channel::Mail, ContactKind::Mail)
                | (Channel::Phone, ContactKind::Phone)
                | (Channel::Post, ContactKind::Drop)
        )
    });
    let household = &canary.details.household;
    match channel {
        Channel::Mail => given.next().and(household.email.clone()),
        Channel::Phone => {
            let own = [&household.mobile, &household.landline];
            let own: Vec<&String> = own.into_iter().flatten().collect();
            given
                .find(|(_, number)| own.contains(&number))
                .map(|(_, number)| number.clone())
        }
        _ => given.next().map(|_| household.address.postcode.clone()),
    }
}
