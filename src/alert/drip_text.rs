//! What the alert of a drip says in which no canary has arrived for a day.

use serde::Deserialize;

/// The facts that the registry gives with the alert of a drip.
#[derive(Deserialize)]
pub struct DripFacts {
    /// The source.
    pub drip: String,
    pub failing_since: Option<String>,
    pub tries: u32,
    pub why: Option<String>,
    pub last_at: Option<String>,
    pub owed: u32,
}

impl DripFacts {
    /// The subject line.
    pub fn subject(&self) -> String {
        let source = &self.drip;
        match &self.failing_since {
            Some(_) => format!(
                "[otori] {source}: no canary arrives, {} tries failed",
                self.tries
            ),
            None => format!("[otori] {source}: canaries arrive again"),
        }
    }

    /// The text, in plain words.
    pub fn text(&self) -> String {
        let source = &self.drip;
        let head = match &self.failing_since {
            Some(_) => format!(
                "Canaries are to arrive in '{source}' one by one, and none can. Those that are there are watched as\n\
                 before; a leak from now on is dated less finely. It is tried again, ever more slowly.\n"
            ),
            None => format!(
                "For a day no canary could arrive in '{source}'. They do again, and what was missed comes by and by.\n"
            ),
        };
        let mut lines = vec![("Source", source.clone())];
        if let Some(since) = &self.failing_since {
            lines.push(("Failing", format!("since {since}, {} tries", self.tries)));
        }
        lines.push((
            "Last",
            self.last_at.clone().unwrap_or_else(|| "never".to_owned()),
        ));
        lines.push(("Missed", self.owed.to_string()));
        if let Some(why) = &self.why {
            lines.push(("Why", why.clone()));
        }
        let mut text = head;
        for (name, value) in lines {
            text.push_str(&format!("\n{:<11} {value}", format!("{name}:")));
        }
        text.push_str(&format!("\n\nSee:        otori drip {source}\n"));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::Told;

    #[test]
    fn a_drip_that_fails_says_since_when_and_why() {
        let told: Told = serde_json::from_str(
            r#"{"drip":"school","failing_since":"2026-03-01T12:00:00Z","tries":9,"why":"the database is away",
            "last_at":"2026-02-20T09:00:00Z","owed":4}"#,
        )
        .unwrap();
        assert_eq!(
            told.subject(),
            "[otori] school: no canary arrives, 9 tries failed"
        );
        assert_eq!(told.kind(), "drip");
        insta::assert_snapshot!(told.text(), @"
        Canaries are to arrive in 'school' one by one, and none can. Those that are there are watched as
        before; a leak from now on is dated less finely. It is tried again, ever more slowly.

        Source:     school
        Failing:    since 2026-03-01T12:00:00Z, 9 tries
        Last:       2026-02-20T09:00:00Z
        Missed:     4
        Why:        the database is away

        See:        otori drip school
        ");
    }

    #[test]
    fn one_that_has_ended_to_fail_says_so() {
        let told: Told = serde_json::from_str(
            r#"{"drip":"school","failing_since":null,"tries":0,"why":null,"last_at":"2026-03-02T09:00:00Z","owed":2}"#,
        )
        .unwrap();
        assert_eq!(told.subject(), "[otori] school: canaries arrive again");
        assert!(told.text().contains("They do again"), "{}", told.text());
    }
}
