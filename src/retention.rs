//! What is not needed any more goes, by rules that the operator has written down.
//!
//! Only contents go: the message itself, its envelope, and of noise what it said and from whom. That it came,
//! when and by which channel stays, and so do hashes: the log still verifies, and a copy that somebody else
//! kept can be shown to be the one. What belongs to an incident stays until the incident is closed, and a
//! time after that.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::registry::{Erasable, Registry, Result, Rule};

/// Messages erased by one transaction, and their bytes: it holds up whoever wants to store something. A
/// letter of photographs may have 40 MB.
const BATCH: usize = 200;
const BATCH_BYTES: u64 = 32 << 20;

/// `[retention]`: after how many days contents are erased. What is not set is kept for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Messages that reached no canary, counted from when they came. A call that agrees with no other stays for the
    /// `quiet_days` of `[incident]` at least: an incident that opens until then takes it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_days: Option<u32>,
    /// Mail that was expected, and drills, counted from when they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_days: Option<u32>,
    /// Messages of incidents that are closed, counted from the closing of the last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_days: Option<u32>,
}

/// What the rules come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Messages that reached no canary.
    pub noise: usize,
    /// Expected mail and drills.
    pub expected: usize,
    /// Messages of closed incidents.
    pub closed: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Messages that a rule lets go, and that do not open: they stay as they are.
    pub damaged: usize,
}

impl RetentionConfig {
    /// Whether everything is kept for ever.
    pub fn is_empty(&self) -> bool {
        *self == RetentionConfig::default()
    }

    fn days(&self) -> [(Rule, Option<u32>); 3] {
        [
            (Rule::Noise, self.noise_days),
            (Rule::Expected, self.expected_days),
            (Rule::Closed, self.closed_days),
        ]
    }
}

impl Outcome {
    /// Messages altogether.
    pub fn messages(&self) -> usize {
        self.noise + self.expected + self.closed
    }

    fn add(&mut self, rule: Rule, messages: &[Erasable]) {
        let count = match rule {
            Rule::Noise => &mut self.noise,
            Rule::Expected => &mut self.expected,
            Rule::Closed => &mut self.closed,
        };
        *count += messages.len();
        self.bytes += messages.iter().map(|message| message.bytes).sum::<u64>();
    }
}

/// What the rules would erase now.
///
/// # Errors
/// The store fails.
pub async fn due(
    registry: &Registry,
    config: &RetentionConfig,
    now: OffsetDateTime,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for (rule, before) in limits(config, now) {
        outcome.add(rule, &registry.erasable(rule, before, now).await?);
    }
    Ok(outcome)
}

/// Erases what the rules say; what was erased.
///
/// # Errors
/// The store fails; what was erased until then is.
pub async fn apply(
    registry: &Registry,
    config: &RetentionConfig,
    now: OffsetDateTime,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for (rule, before) in limits(config, now) {
        let due = registry.erasable(rule, before, now).await?;
        for batch in batches(&due) {
            let erased = registry.erase(rule, batch, now).await?;
            outcome.add(rule, &erased.messages);
            outcome.damaged += erased.damaged.len();
            for message in erased.damaged {
                tracing::error!(
                    message,
                    "a message does not open, and is not erased: `otori evidence verify` says whether it was altered"
                );
            }
        }
    }
    if outcome.messages() > 0 {
        registry.overwrite_erased().await?;
    }
    Ok(outcome)
}

/// As many as one transaction takes at a time; one that is too large has one of its own.
fn batches(due: &[Erasable]) -> impl Iterator<Item = &[Erasable]> {
    let mut rest = due;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |one: &&Erasable| {
            bytes += one.bytes;
            bytes <= BATCH_BYTES
        };
        let count = rest.iter().take(BATCH).take_while(fits).count().max(1);
        let (batch, others) = rest.split_at_checked(count)?;
        rest = others;
        Some(batch)
    })
}

/// Each rule that is set, and before when it takes messages.
fn limits(
    config: &RetentionConfig,
    now: OffsetDateTime,
) -> impl Iterator<Item = (Rule, OffsetDateTime)> {
    let set = config.days().into_iter();
    set.filter_map(move |(rule, days)| {
        // So many days ago that there is no such day: nothing is that old.
        Some((rule, now.checked_sub(Duration::days(days?.into()))?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_takes_few_messages_and_few_bytes() {
        let due: Vec<Erasable> = [vec![1; 450], vec![20 << 20, 20 << 20, 90 << 20, 5], vec![7]]
            .concat()
            .into_iter()
            .zip(1..)
            .map(|(bytes, message)| Erasable { message, bytes })
            .collect();
        let sizes: Vec<usize> = batches(&due).map(<[_]>::len).collect();
        assert_eq!(sizes, [200, 200, 51, 1, 1, 2]);
        let all: Vec<Erasable> = batches(&due).flatten().copied().collect();
        assert_eq!(all, due);
        assert_eq!(batches(&[]).count(), 0);
    }
}
