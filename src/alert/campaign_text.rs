//! What the alert of a planned mailing says that did not come to canaries.

use serde::Deserialize;

/// The facts that the registry gives with the alert of a campaign.
#[derive(Deserialize)]
pub struct CampaignFacts {
    /// The source.
    pub campaign: String,
    pub sender: String,
    pub planned: String,
    pub until: String,
    pub state: String,
    pub canaries: u64,
    pub came: u64,
    pub late: u64,
    pub unproven: u64,
    pub chance: f64,
}

impl CampaignFacts {
    /// Whether somebody should still look.
    pub fn warns(&self) -> bool {
        matches!(self.state.as_str(), "few" | "missing")
    }

    /// The subject line.
    pub fn subject(&self) -> String {
        let CampaignFacts {
            campaign,
            sender,
            canaries,
            came,
            ..
        } = self;
        match self.warns() {
            true => format!(
                "[otori] {campaign}: mail of {sender} came to {came} of {canaries} canaries"
            ),
            false => format!("[otori] {campaign}: mail of {sender} came after all"),
        }
    }

    /// The text, in plain words.
    pub fn text(&self) -> String {
        let source = &self.campaign;
        let head = match self.warns() {
            true => format!(
                "A mailing to the customers of '{source}' was planned, and canaries among them did not get it. A thief's mail\n\
                 might not come to them either: see whether it was sent, whether they stand in the list that it goes by, and\n\
                 whether mail reaches the receiver (`otori drill {source}`).\n"
            ),
            false => {
                format!("A mailing to the customers of '{source}' that was missing has come.\n")
            }
        };
        let got = match self.late {
            0 => format!("{} of {} canaries", self.came, self.canaries),
            late => format!(
                "{} of {} canaries, {late} of them late",
                self.came, self.canaries
            ),
        };
        let mut lines = vec![
            ("Source", source.clone()),
            ("Sender", self.sender.clone()),
            (
                "Planned",
                format!("{}, to be there by {}", self.planned, self.until),
            ),
            ("Came to", got),
        ];
        if self.warns() {
            let chance = match self.chance {
                small if small < 0.0001 => "below 0.01%".to_owned(),
                chance => format!("{:.2}%", chance * 100.0),
            };
            lines.push(("By chance", format!("{chance}, while all is well")));
        }
        if self.unproven > 0 {
            lines.push((
                "Unproven",
                format!(
                    "{} mails say that they are from there, and do not prove it: see [receive.auth]",
                    self.unproven
                ),
            ));
        }
        let mut text = head;
        for (name, value) in lines {
            text.push_str(&format!("\n{:<11} {value}", format!("{name}:")));
        }
        text.push_str("\n\nSee:        otori campaigns\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::Told;

    #[test]
    fn what_did_not_come_is_told_with_its_chance() {
        let body = r#"{"campaign":"school","sender":"school.example","planned":"2026-12-01T00:00:00Z",
            "until":"2026-12-02T00:00:00Z","state":"missing","canaries":12,"came":0,"late":0,"unproven":3,"chance":0.0}"#;
        let told: Told = serde_json::from_str(body).unwrap();
        assert_eq!(
            told.subject(),
            "[otori] school: mail of school.example came to 0 of 12 canaries"
        );
        assert_eq!(told.kind(), "campaign");
        insta::assert_snapshot!(told.text(), @"
        A mailing to the customers of 'school' was planned, and canaries among them did not get it. A thief's mail
        might not come to them either: see whether it was sent, whether they stand in the list that it goes by, and
        whether mail reaches the receiver (`otori drill school`).

        Source:     school
        Sender:     school.example
        Planned:    2026-12-01T00:00:00Z, to be there by 2026-12-02T00:00:00Z
        Came to:    0 of 12 canaries
        By chance:  below 0.01%, while all is well
        Unproven:   3 mails say that they are from there, and do not prove it: see [receive.auth]

        See:        otori campaigns
        ");
        let late = body
            .replace("missing", "late")
            .replace("\"came\":0,\"late\":0", "\"came\":12,\"late\":12");
        let late: Told = serde_json::from_str(&late).unwrap();
        assert_eq!(
            late.subject(),
            "[otori] school: mail of school.example came after all"
        );
        assert!(late.text().contains("12 of 12 canaries, 12 of them late"));
    }
}
