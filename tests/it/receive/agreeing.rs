//! One stray robocall opens no incident and alerts nobody; agreement across the numbers of one source does.

use otori::canary::{Canary, ContactPoint, PhoneNumber};
use otori::registry::Rule;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::phone::tell;
use super::{JIRO, KEISUKE};
use crate::harness::{Otori, PLANTED};
use crate::servers;

/// Numbers of school, of shop and of nobody, each in a block of its own, but for the last two of school.
const SCHOOL: [&str; 5] = [
    "03-0101-4501",
    "03-0102-4502",
    "03-0103-4503",
    "03-0104-4504",
    "03-0104-4505",
];
const SHOP: [&str; 3] = ["03-0111-4511", "03-0112-4512", "03-0113-4513"];
const FREE: [&str; 6] = [
    "03-0121-4521",
    "03-0122-4522",
    "03-0123-4523",
    "03-0124-4524",
    "03-0125-4525",
    "03-0126-4526",
];

fn e164(number: &str) -> String {
    let number: PhoneNumber = number.parse().unwrap();
    number.as_str().to_owned()
}

/// Two sources whose numbers were listened to for a hundred days.
async fn planted(registry: &str) -> Otori {
    let otori = Otori::on(registry).await;
    let all = SCHOOL.iter().chain(&SHOP).chain(&FREE);
    let points: Vec<_> = all
        .map(|number| (ContactPoint::Phone(number.parse().unwrap()), None))
        .collect();
    let since = PLANTED - Duration::days(100);
    let added = otori.registry.add_contact_points(&points, since).await;
    assert_eq!(added.unwrap().added, points.len());
    let pool = otori.registry.pool().await.unwrap();
    let place = |number: &str| {
        let identity = e164(number);
        let entry = pool.iter().find(|entry| entry.point.identity() == identity);
        entry.unwrap().id
    };
    for (source, numbers) in [("school", &SCHOOL[..]), ("shop", &SHOP[..])] {
        for number in numbers {
            let who = if source == "shop" { JIRO } else { KEISUKE };
            let holds = |canary: &mut Canary| {
                canary.details.household.landline = Some(e164(number));
                canary.points = vec![place(number)];
            };
            otori.plant_with(source, &[who], holds).await;
        }
    }
    otori
}

/// Calls as an exchange has written them: so many days ago, from, to.
fn import(otori: &Otori, calls: &[(f64, &str, &str)]) -> Value {
    let now = OffsetDateTime::now_utc();
    let mut text = "at,from,to\n".to_owned();
    for (days, from, to) in calls {
        let at = (now - Duration::seconds_f64(days * 86_400.0)).format(&Rfc3339);
        text += &format!("{},{from},{to}\n", at.unwrap());
    }
    let file = otori.dir().join("calls.csv");
    std::fs::write(&file, text).unwrap();
    let told = otori.json(&["calls", "import", file.to_str().unwrap()]);
    assert_eq!(told["stored"], calls.len(), "{told}");
    otori.json(&["sightings"])
}

fn incidents(otori: &Otori) -> Vec<Value> {
    let told = otori.json(&["incidents"]);
    told["incidents"].as_array().unwrap().clone()
}

/// What the calls to a source say, as `otori sightings` tells it.
fn said(told: &Value, source: &str) -> Value {
    let calls = told["calls"].as_array().unwrap();
    let one = calls.iter().find(|one| one["source"] == source);
    one.unwrap().clone()
}

/// How many alerts wait to be told.
async fn handed_on(otori: &Otori) -> usize {
    let places = ["mail".to_owned()];
    let now = OffsetDateTime::now_utc();
    otori.registry.hand_on_alerts(&places, now).await.unwrap()
}

async fn agreement(registry: &str) {
    let otori = planted(registry).await;
    // One robocall, and again on the days after.
    let strays = [
        (40.0, "03-0199-0001", SCHOOL[0]),
        (39.0, "03-0199-0001", SCHOOL[0]),
        (38.0, "03-0199-0001", SCHOOL[0]),
    ];
    let told = import(&otori, &strays);
    let sightings = told["sightings"].as_array().unwrap();
    assert_eq!(sightings.len(), 3, "evidence is kept");
    assert!(
        sightings
            .iter()
            .all(|one| one["incident"].is_null() && one["source"] == "school")
    );
    let one = said(&told, "school");
    assert_eq!(
        (&one["points"], &one["reached"], &one["opens_at"]),
        (&json!(5), &json!(1), &json!(2.0))
    );
    assert!(one["log10_lr"].as_f64().unwrap() <= 0.0, "{one}");
    // Whoever dials through a block, and whoever calls everybody.
    let mut more = vec![
        (30.0, "03-0199-0002", SCHOOL[3]),
        (29.99, "03-0199-0002", SCHOOL[4]),
    ];
    more.extend(
        (SCHOOL.iter().chain(&SHOP).chain(&FREE)).map(|number| (25.0, "03-0199-0003", *number)),
    );
    import(&otori, &more);
    assert_eq!(incidents(&otori), Vec::<Value>::new());
    assert_eq!(handed_on(&otori).await, 0, "nobody is alerted");
    // Two firms call the numbers of one source, newest record first.
    let mut firms = Vec::new();
    for (place, number) in SCHOOL[..4].iter().enumerate() {
        let days = 2.0 + place as f64;
        firms.push((days, "03-0199-0011", *number));
        firms.push((days + 0.5, "03-0199-0012", *number));
    }
    let told = import(&otori, &firms);
    assert!(said(&told, "school")["log10_lr"].as_f64().unwrap() > 2.0);
    assert!(said(&told, "shop")["log10_lr"].as_f64().unwrap() < 1.0);
    let open = incidents(&otori);
    assert_eq!((open.len(), &open[0]["source"]), (1, &json!("school")));
    // Those that agree are the incident's, from the first one on.
    let by_firms = told["sightings"].as_array().unwrap().iter();
    let by_firms = by_firms.filter(|one| one["from"].as_str().unwrap().ends_with("0199-0011"));
    assert_eq!(by_firms.clone().count(), 4);
    assert!(
        by_firms.clone().all(|one| one["incident"] == open[0]["id"]),
        "{told}"
    );
    assert_eq!(handed_on(&otori).await, 1);
    let weight = otori.json(&["incidents", "show", "1"])["weight"].clone();
    assert!(weight["log10_lr"].as_f64().unwrap() > 2.0, "{weight}");
    // The next stray call is near in time, and joins.
    let told = import(&otori, &[(1.0, "03-0199-0021", SCHOOL[2])]);
    assert_eq!(told["sightings"][0]["incident"], 1);
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
}

#[tokio::test]
async fn calls_open_an_incident_where_they_agree() {
    agreement("sqlite:registry.db").await;
}

#[tokio::test]
async fn calls_open_an_incident_where_they_agree_on_postgres() {
    agreement(&servers::postgres().await).await;
}

/// Calls of one source that say too little, before and behind a mail that opens its incident.
async fn strays(registry: &str) {
    let otori = planted(registry).await;
    let strays = [
        (95.0, "03-0199-0041", SCHOOL[0]),
        (80.0, "03-0199-0042", SCHOOL[1]),
        (20.0, "03-0199-0043", SHOP[0]),
    ];
    import(&otori, &strays);
    assert_eq!(incidents(&otori), Vec::<Value>::new());
    // While an incident may take them in they are no noise.
    let now = OffsetDateTime::now_utc();
    let due = async |days| {
        let before = now - Duration::days(1);
        let then = now + Duration::days(days);
        let due = otori.registry.erasable(Rule::Noise, before, then).await;
        due.unwrap().len()
    };
    assert_eq!((due(0).await, due(11).await, due(71).await), (1, 2, 3));
    let receiver = otori.receive(&otori.config()).await;
    let name = json!({ "to": SCHOOL[2], "from": "+81301990049", "kind": "sms", "text": "髙橋圭祐様 ご案内", "id": "1" });
    tell(&otori, &receiver, name).await;
    otori.settled().await;
    receiver.stop().await;
    let told = otori.json(&["sightings"]);
    let joined: Vec<bool> = (told["sightings"].as_array().unwrap().iter())
        .map(|one| one["incident"].is_number())
        .collect();
    // Newest first; the oldest is too far, and shop has no incident.
    assert_eq!(joined, [true, false, true, false], "{told}");
    let open = incidents(&otori);
    let since = OffsetDateTime::parse(open[0]["opened_at"].as_str().unwrap(), &Rfc3339);
    assert!(since.unwrap() > now - Duration::days(1), "{open:?}");
    assert_eq!((due(0).await, due(71).await), (1, 2));
    // The same behind it: an older record is no beginning either.
    let told = import(&otori, &[(60.0, "03-0199-0044", SCHOOL[3])]);
    let late = told["sightings"].as_array().unwrap().iter();
    let late = late.filter(|one| one["from"].as_str().unwrap().ends_with("0199-0044"));
    let late: Vec<&Value> = late.map(|one| &one["incident"]).collect();
    assert_eq!(late, [&json!(1)], "{told}");
    assert_eq!(incidents(&otori)[0]["opened_at"], open[0]["opened_at"]);
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
}

#[tokio::test]
async fn stray_calls_before_an_incident_join_it() {
    strays("sqlite:registry.db").await;
}

#[tokio::test]
async fn stray_calls_before_an_incident_join_it_on_postgres() {
    strays(&servers::postgres().await).await;
}

/// A caller who says a canary's name knows more than a number.
#[tokio::test]
async fn a_name_that_is_said_opens_an_incident_at_once() {
    let otori = planted("sqlite:registry.db").await;
    let receiver = otori.receive(&otori.config()).await;
    let sms = |to: &str, text: &str, id: &str| json!({ "to": to, "from": "+81301990031", "kind": "sms", "text": text, "id": id });
    tell(&otori, &receiver, sms(SCHOOL[0], "ご案内", "1")).await;
    tell(&otori, &receiver, sms(SHOP[0], "渡辺次郎様 ご案内", "2")).await;
    otori.settled().await;
    receiver.stop().await;
    let open = incidents(&otori);
    assert_eq!((open.len(), &open[0]["source"]), (1, &json!("shop")));
    let weight = otori.json(&["incidents", "show", "1"])["weight"].clone();
    // A number alone says nothing; the name is stated.
    assert!(
        (2.0..=3.0).contains(&weight["log10_lr"].as_f64().unwrap()),
        "{weight}"
    );
}

/// Where calls are to open more, or less.
#[tokio::test]
async fn from_where_on_calls_open_an_incident_is_configured() {
    let otori = Otori::new().await;
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let with = |value: &str| {
        text.replace(
            "# calls_log10_lr = 2.0",
            &format!("calls_log10_lr = {value}"),
        )
    };
    assert_ne!(with("3.5"), text);
    std::fs::write(&path, with("3.5")).unwrap();
    let workspace = otori::workspace::Workspace::find(Some(otori.dir())).unwrap();
    assert_eq!(workspace.registry().await.unwrap().calls_open_at(), 3.5);
    std::fs::write(&path, with("0.1")).unwrap();
    let wrong = otori.command(&["incidents"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(said.contains("calls_log10_lr is 0.5 to 12"), "{said}");
}
