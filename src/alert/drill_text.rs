//! What the alert of a drill says. One that was heard is marked as a drill in its subject, so that nobody
//! gets up for it; one that was not is an alert like any other.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The facts that the registry gives with the alert of a drill.
#[derive(Deserialize)]
pub struct DrillFacts {
    pub drill: i64,
    pub source: String,
    pub channel: String,
    pub canary: String,
    pub state: String,
    pub sent_at: String,
    pub due_at: String,
    pub seen_at: Option<String>,
    pub why: Option<String>,
    pub last_heard: Option<String>,
}

impl DrillFacts {
    /// Whether nobody heard it, or too late.
    pub fn failed(&self) -> bool {
        self.state == "failed"
    }

    /// The subject line.
    pub fn subject(&self) -> String {
        let DrillFacts {
            drill,
            source,
            channel,
            ..
        } = self;
        match (self.failed(), &self.seen_at) {
            (false, _) => {
                format!("[otori] DRILL {drill}, no alarm: {source} is heard by {channel}")
            }
            (true, None) => {
                format!("[otori] {source}: nothing heard by {channel}, drill {drill} failed")
            }
            (true, Some(_)) => {
                format!("[otori] {source}: {channel} is late, drill {drill} failed")
            }
        }
    }

    /// The text, in plain words.
    pub fn text(&self) -> String {
        let DrillFacts {
            drill,
            source,
            channel,
            canary,
            sent_at,
            due_at,
            ..
        } = self;
        let head = match (self.failed(), &self.seen_at) {
            (false, _) => format!(
                "This is a drill. Otori itself has written to a customer of '{source}' who does not exist,\n\
                 and it was heard. There is nothing to do.\n"
            ),
            (true, None) => format!(
                "Otori has tried to reach a customer of '{source}' who does not exist, by {channel}, and heard\n\
                 nothing. Until a drill passes, take '{source}' to be deaf by {channel}: a leak would not show there.\n"
            ),
            (true, Some(_)) => format!(
                "Otori has written to a customer of '{source}' who does not exist, by {channel}. It was heard,\n\
                 but not told of in time.\n"
            ),
        };
        let mut lines = vec![
            ("Drill", drill.to_string()),
            ("Source", source.clone()),
            ("Channel", format!("{channel}, canary {canary}")),
            ("Sent", sent_at.clone()),
        ];
        match &self.seen_at {
            Some(seen) => lines.push(("Heard", format!("{seen}{}", self.after(seen)))),
            None => {
                let last = self.last_heard.as_deref();
                let last = last.map_or("never".to_owned(), |last| format!("last at {last}"));
                lines.push(("Due", due_at.clone()));
                lines.push(("Heard", format!("nothing; before that, {last}")));
            }
        }
        if let Some(why) = &self.why {
            lines.push(("Why", why.clone()));
        }
        let mut text = head;
        for (name, value) in lines {
            text.push_str(&format!("\n{:<11} {value}", format!("{name}:")));
        }
        text.push_str(&format!(
            "\n\nSee:        otori drill list {source}\n{}",
            match self.failed() {
                true => format!("Try again:  otori drill {source}\n"),
                false => String::new(),
            }
        ));
        text
    }

    /// How long it took.
    fn after(&self, seen: &str) -> String {
        let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339);
        match (parse(&self.sent_at), parse(seen)) {
            (Ok(sent), Ok(seen)) => {
                format!(
                    ", after {:.1} seconds",
                    (seen - sent).as_seconds_f64().max(0.0)
                )
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::Told;

    fn told(body: &str) -> Told {
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn a_drill_that_was_heard_says_so_in_its_subject() {
        let told = told(
            r#"{"drill":3,"source":"school","channel":"mail","canary":"C2345678Z","state":"waiting",
            "sent_at":"2026-03-01T12:00:00Z","due_at":"2026-03-01T12:01:00Z","seen_at":"2026-03-01T12:00:00.8Z",
            "why":null,"last_heard":"2026-03-01T12:00:00.5Z"}"#,
        );
        assert_eq!(
            told.subject(),
            "[otori] DRILL 3, no alarm: school is heard by mail"
        );
        insta::assert_snapshot!(told.text(), @"
        This is a drill. Otori itself has written to a customer of 'school' who does not exist,
        and it was heard. There is nothing to do.

        Drill:      3
        Source:     school
        Channel:    mail, canary C2345678Z
        Sent:       2026-03-01T12:00:00Z
        Heard:      2026-03-01T12:00:00.8Z, after 0.8 seconds

        See:        otori drill list school
        ");
    }

    #[test]
    fn silence_names_source_channel_and_time() {
        let told = told(
            r#"{"drill":4,"source":"school","channel":"phone","canary":"C2345678Z","state":"failed",
            "sent_at":"2026-03-01T12:00:00Z","due_at":"2026-03-01T12:01:00Z","seen_at":null,
            "why":"nothing came by its deadline","last_heard":"2026-02-20T09:00:00Z"}"#,
        );
        assert_eq!(
            told.subject(),
            "[otori] school: nothing heard by phone, drill 4 failed"
        );
        insta::assert_snapshot!(told.text(), @"
        Otori has tried to reach a customer of 'school' who does not exist, by phone, and heard
        nothing. Until a drill passes, take 'school' to be deaf by phone: a leak would not show there.

        Drill:      4
        Source:     school
        Channel:    phone, canary C2345678Z
        Sent:       2026-03-01T12:00:00Z
        Due:        2026-03-01T12:01:00Z
        Heard:      nothing; before that, last at 2026-02-20T09:00:00Z
        Why:        nothing came by its deadline

        See:        otori drill list school
        Try again:  otori drill school
        ");
    }
}
