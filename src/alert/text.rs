//! What an alert says.

use serde::Deserialize;

use super::campaign_text::CampaignFacts;
use super::drill_text::DrillFacts;
use super::drip_text::DripFacts;
use crate::registry::Alert;

/// What an alert tells of.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Told {
    /// An incident.
    Incident(Facts),
    /// A drill.
    Drill(DrillFacts),
    /// A drip that fails.
    Drip(DripFacts),
    /// A planned mailing that did not come.
    Campaign(CampaignFacts),
}

impl Told {
    /// The subject line.
    pub fn subject(&self) -> String {
        match self {
            Told::Incident(facts) => facts.subject(),
            Told::Drill(facts) => facts.subject(),
            Told::Drip(facts) => facts.subject(),
            Told::Campaign(facts) => facts.subject(),
        }
    }

    /// The text, in plain words.
    pub fn text(&self) -> String {
        match self {
            Told::Incident(facts) => facts.text(),
            Told::Drill(facts) => facts.text(),
            Told::Drip(facts) => facts.text(),
            Told::Campaign(facts) => facts.text(),
        }
    }

    /// What a receiver tells two tries from two alerts by: the same for every try, another one when there is
    /// more to tell, and for the same numbers in another registry.
    pub fn name(&self, alert: &Alert) -> String {
        let (moment, state) = match self {
            Told::Incident(facts) => (facts.opened_at.as_str(), ""),
            Told::Drill(facts) => (facts.sent_at.as_str(), facts.state.as_str()),
            Told::Drip(facts) => (facts.failing_since.as_deref().unwrap_or_default(), "drip"),
            Told::Campaign(facts) => (facts.planned.as_str(), "campaign"),
        };
        let digits = moment.chars().filter(char::is_ascii_digit);
        let digits: String = digits.chain(state.chars()).collect();
        format!("alert-{}-{}.{digits}", alert.id, alert.sighting)
    }

    /// What it tells of, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Told::Incident(_) => "incident",
            Told::Drill(_) => "drill",
            Told::Drip(_) => "drip",
            Told::Campaign(_) => "campaign",
        }
    }
}

/// The facts that the registry gives with an alert.
#[derive(Deserialize)]
pub struct Facts {
    pub incident: i64,
    pub source: String,
    pub opened_at: String,
    pub sightings: i64,
    pub canaries: i64,
    /// Domains of ours that mails of the incident claim, and are not from.
    #[serde(default)]
    pub impersonates: Vec<String>,
    pub latest: Latest,
}

/// The latest sighting.
#[derive(Deserialize)]
pub struct Latest {
    pub at: String,
    pub channel: String,
    #[serde(default)]
    pub kind: String,
    pub canary: Option<String>,
    pub batch: Option<String>,
}

impl Facts {
    /// The subject line.
    pub fn subject(&self) -> String {
        format!(
            "[otori] {}: incident {}, {}",
            self.source,
            self.incident,
            counted(self.sightings, "sighting")
        )
    }

    /// The text, in plain words.
    pub fn text(&self) -> String {
        let Facts {
            incident,
            source,
            opened_at,
            latest,
            ..
        } = self;
        let canary = match (&latest.canary, &latest.batch) {
            (Some(canary), Some(batch)) => format!("canary {canary}, batch {batch}"),
            (Some(canary), None) => format!("canary {canary}"),
            (None, _) => "a contact point that several canaries share".to_owned(),
        };
        let check = match latest.kind.as_str() {
            "probe" => " (asked whether the address is there, and sent nothing)",
            _ => "",
        };
        let pretends = self.impersonates.iter().map(|domain| {
            format!("Pretends:   a mail says that it is from {domain}, who writes for you, and does not prove it\n")
        });
        let pretends: String = pretends.collect();
        format!(
            "Somebody has contacted customers who do not exist. They were planted in '{source}'\n\
             and nowhere else, so data of '{source}' is in other hands.\n\
             \n\
             Source:     {source}\n\
             Incident:   {incident}, opened {opened_at}\n\
             Sightings:  {}, of {}\n\
             Latest:     {}, {}{check}, {canary}\n\
             {pretends}\
             \n\
             See:        otori sightings --source {source}\n\
             With a list in hand: otori trace FILE\n",
            self.sightings,
            counted(self.canaries, "canary"),
            latest.at,
            latest.channel,
        )
    }
}

fn counted(count: i64, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_check_is_named_as_what_it_was() {
        let body = r#"{"incident":3,"source":"school","opened_at":"2026-03-01T12:00:00Z","sightings":2,"canaries":2,
            "latest":{"at":"2026-03-02T12:00:00Z","channel":"mail","kind":"probe","canary":"C2345678Z","batch":"school-1"}}"#;
        let facts: Facts = serde_json::from_str(body).unwrap();
        let latest =
            "mail (asked whether the address is there, and sent nothing), canary C2345678Z";
        assert!(facts.text().contains(latest), "{}", facts.text());
    }

    #[test]
    fn an_alert_is_read_and_worded() {
        let body = r#"{"incident":3,"source":"school","opened_at":"2026-03-01T12:00:00Z","sightings":2,"canaries":1,
            "latest":{"at":"2026-03-02T12:00:00Z","channel":"mail","canary":"C2345678Z","batch":"school-1"}}"#;
        let facts: Facts = serde_json::from_str(body).unwrap();
        assert_eq!(facts.subject(), "[otori] school: incident 3, 2 sightings");
        insta::assert_snapshot!(facts.text(), @"
        Somebody has contacted customers who do not exist. They were planted in 'school'
        and nowhere else, so data of 'school' is in other hands.

        Source:     school
        Incident:   3, opened 2026-03-01T12:00:00Z
        Sightings:  2, of 1 canary
        Latest:     2026-03-02T12:00:00Z, mail, canary C2345678Z, batch school-1

        See:        otori sightings --source school
        With a list in hand: otori trace FILE
        ");
    }
}
