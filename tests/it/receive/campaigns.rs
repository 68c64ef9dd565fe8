//! The campaign calendar, through the program: mail that was planned is no alarm, and is missed where it does not
//! come.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::authenticity::{sighting, swaks};
use super::crash::{SERVE, Server};
use super::places::hook;
use super::web::Call;
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::Otori;
use crate::servers;

/// What `otori campaigns` tells, and whether it found all well.
fn campaigns(otori: &Otori) -> (bool, Vec<Value>) {
    let output = otori.command(&["--json", "campaigns"]).output().unwrap();
    let told: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let all = told["campaigns"].as_array().unwrap().clone();
    (output.status.success(), all)
}

fn check(otori: &Otori) -> String {
    let output = otori.command(&["serve", "--check"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planned_is_expected_and_what_does_not_come_is_told() {
    story(Otori::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planned_is_expected_and_what_does_not_come_is_told_on_postgres() {
    story(Otori::on(&servers::postgres().await).await).await;
}

async fn story(otori: Otori) {
    let people = [KEISUKE, HANAKO, JIRO];
    otori.plant("school", &people).await;
    let now = OffsetDateTime::now_utc();
    let days = |days: i64| (now + time::Duration::days(days)).format(&Rfc3339).unwrap();
    let calendar = format!(
        "source,sender,planned,tolerance,share\r\n\
         school,news.school.example,{},6h,1\r\n\
         school,school.example,{},6h,100%\r\n\
         school,old.example,{},6h,\r\n\
         school,few.example,{},1d,5%\r\n\
         nowhere,x.example,{},1h,\r\n",
        days(0),
        days(-2),
        days(-30),
        days(-3),
        days(9),
    );
    std::fs::write(otori.dir().join("calendar.csv"), &calendar).unwrap();
    let (place, told) = hook(&["200 OK"]).await;
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replacen(
        "[receive]\n",
        "[receive]\ncampaigns = \"calendar.csv\"\n",
        1,
    );
    let without = format!("{text}\n[[alert.webhook]]\nname = \"place\"\nurl = \"{place}\"\n");
    std::fs::write(&path, &without).unwrap();
    let unproven = check(&otori);
    assert!(
        unproven
            .contains("auth: [[receive.expected]] or campaigns names who writes, and nothing can"),
        "{unproven}"
    );
    let lmtp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = lmtp.local_addr().unwrap().to_string();
    drop(lmtp);
    let text = format!("{without}[receive.auth]\ntrusted = [\"mx.our.example\"]\n");
    std::fs::write(&path, text).unwrap();

    let mut command = otori.command(&SERVE);
    command.args(["--lmtp", &at]).stderr(Stdio::null());
    let server = Server::by(command);
    // Nobody got what was planned for the day before yesterday.
    for _ in 0..600 {
        if !told.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let alert: Value = serde_json::from_slice(&told.lock().unwrap()[0].1).unwrap();
    let facts = &alert["facts"];
    assert_eq!(
        (&facts["campaign"], &facts["sender"]),
        (&"school".into(), &"school.example".into())
    );
    assert_eq!((&facts["canaries"], &facts["came"]), (&3.into(), &0.into()));
    assert_eq!(facts["state"], "missing");
    let metrics = Call::get("/metrics").send(server.http).await.body;
    assert!(metrics.contains("otori_campaigns_missing 1\n"), "{metrics}");
    let checked = check(&otori);
    for line in [
        "campaigns: 1 planned mailings did not come to canaries",
        "campaigns: there is no source 'nowhere'",
        "campaigns: 5 mailings are in the calendar",
    ] {
        assert!(checked.contains(line), "{line}: {checked}");
    }

    let mail = |from: &str, subject: &str, proven: bool| {
        let domain = from.rsplit_once('@').unwrap().1;
        let found =
            format!("Authentication-Results: mx.our.example; dmarc=pass header.from={domain}\n");
        for who in &people {
            swaks(
                &at,
                "LMTP",
                from,
                who.mail,
                subject,
                if proven { &found } else { "" },
            );
        }
    };
    mail("a@news.school.example", "in time", true);
    assert_eq!(sighting(&otori, "in time").await["kind"], "expected");
    mail("a@old.example", "long over", true);
    assert_eq!(sighting(&otori, "long over").await["kind"], "alarm");
    // Its time is not over: nobody has to prove anything yet, and two say they are it.
    mail("b@news.school.example", "forged", false);
    assert_eq!(sighting(&otori, "forged").await["kind"], "alarm");
    otori.settled().await;
    let (well, found) = campaigns(&otori);
    assert!(!well);
    let states = |found: &[Value]| -> Vec<(String, String, u64)> {
        let row = |one: &Value| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            (text("sender"), text("state"), one["came"].as_u64().unwrap())
        };
        found.iter().map(row).collect()
    };
    let row = |sender: &str, state: &str, came| (sender.to_owned(), state.to_owned(), came);
    assert_eq!(
        states(&found),
        [
            row("old.example", "missing", 0),
            // Of three canaries none is among a twentieth of the customers: that says nothing.
            row("few.example", "unclear", 0),
            row("school.example", "missing", 0),
            row("news.school.example", "planned", 3),
            row("x.example", "planned", 0),
        ]
    );
    assert_eq!(found[2]["silent"].as_array().unwrap().len(), 3);
    assert_eq!(found[3]["unproven"], 3);

    // It comes two days late.
    mail("a@school.example", "late", true);
    assert_eq!(sighting(&otori, "late").await["kind"], "expected");
    otori.settled().await;
    let found = campaigns(&otori).1;
    assert_eq!(states(&found)[2], row("school.example", "late", 3));
    assert_eq!(found[2]["silent"], Value::Array(Vec::new()));
    assert!(server.terminate().success());

    // The next look takes it back.
    let server = Server::start(&otori);
    for _ in 0..600 {
        if Call::get("/metrics")
            .send(server.http)
            .await
            .body
            .contains("otori_campaigns_missing 0\n")
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let metrics = Call::get("/metrics").send(server.http).await.body;
    assert!(metrics.contains("otori_campaigns_missing 0\n"), "{metrics}");
    assert!(server.terminate().success());
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);

    // A mistake in the calendar is told with its line, and starts nothing.
    std::fs::write(
        otori.dir().join("calendar.csv"),
        calendar + "school,x.example,soon\r\n",
    )
    .unwrap();
    let checked = check(&otori);
    assert!(
        checked.contains("calendar.csv, line 7: planned 'soon': "),
        "{checked}"
    );
    let output = otori.command(&SERVE).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && told.contains("line 7: planned 'soon'"),
        "{told}"
    );
}
