//! Calls out of an exchange's own records.

use otori::canary::{Channel, ContactPoint};
use otori::registry::SightingFilter;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::KEISUKE;
use crate::harness::Otori;

#[tokio::test]
async fn records_of_an_exchange_are_calls_each_counted_once() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let dir = otori.dir();
    // As Asterisk writes them: one to a canary's number, one to somebody else's.
    let line = |to: &str, id: u32| {
        format!(
            "\"\",\"0300000000\",\"{to}\",\"in\",\"\",\"SIP/a\",\"\",\"Hangup\",\"\",\"2026-03-01 09:30:00\",,\"2026-03-01 09:30:05\",5,0,\"NO ANSWER\",\"DOCUMENTATION\",\"1772325000.{id}\",\"\"\n"
        )
    };
    let master = dir.join("Master.csv");
    std::fs::write(&master, line("0301234567", 1) + &line("0301239999", 2)).unwrap();
    let words = [
        "calls",
        "import",
        "--format",
        "asterisk",
        master.to_str().unwrap(),
    ];
    for (stored, repeats) in [(1, 0), (0, 1)] {
        let told = otori.json(&words);
        assert_eq!(told["read"], 2, "{told}");
        assert_eq!(
            (&told["stored"], &told["repeats"], &told["elsewhere"]),
            (&stored.into(), &repeats.into(), &1.into())
        );
    }
    // As a provider exports them, in CP932, with a column that has to be named, a time that cannot be, and a
    // line that says nothing.
    let text = "受付,発信者番号,先,通話時間\n2026/3/2 10:00,090-0000-0000,03-0123-4567,12\n\
                2999/1/1 10:00,090-0000-0001,+81 3 0123 4567,3\n2026/3/2 10:00,x,,\n";
    let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode(text);
    let export = dir.join("export.csv");
    std::fs::write(&export, &cp932).unwrap();
    let map = ["--map", "先=to", "--map", "受付=at"];
    let words = [
        &["calls", "import", export.to_str().unwrap()][..],
        &map,
        &["--json"],
    ]
    .concat();
    let done = otori.command(&words).output().unwrap();
    assert_eq!(done.status.code(), Some(1), "a line was not understood");
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&told["stored"], &told["misdated"]), (&2.into(), &1.into()));
    let place = told["unreadable"][0]["place"].as_str().unwrap();
    assert!(place.ends_with("export.csv, line 4"), "{place}");

    let mut found = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    found.sort_by_key(|sighting| sighting.id);
    let times: Vec<_> = found.iter().map(|sighting| sighting.at).collect();
    assert_eq!(
        times[..2],
        [
            datetime!(2026-03-01 00:30 UTC),
            datetime!(2026-03-02 01:00 UTC)
        ]
    );
    assert!(times[2] > datetime!(2026-03-03 00:00 UTC) && times[2].year() < 2999);
    assert!(
        found
            .iter()
            .all(|s| s.channel == Channel::Phone && s.canary.is_some() && s.repeats <= 1)
    );
    assert_eq!(found[0].repeats, 1);
    assert_eq!(found[0].actor.from, "0300000000");
}

/// What comes to a number before a canary has it is what it is burnt in by.
#[tokio::test]
async fn calls_to_numbers_that_no_canary_has_are_their_background() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let free = ContactPoint::Phone("03-0123-4599".parse().unwrap());
    let now = OffsetDateTime::now_utc();
    let since = now - Duration::days(20);
    let free = [(free, None)];
    let added = otori.registry.add_contact_points(&free, since);
    added.await.unwrap();
    let rfc3339 = time::format_description::well_known::Rfc3339;
    let line = |to: &str, days, id: u32| {
        let at = (now - Duration::days(days)).format(&rfc3339).unwrap();
        format!("{at},0300000000,{to},c{id}\n")
    };
    let text = [
        "at,from,to,id\n".to_owned(),
        line("03-0123-4599", 2, 1),
        line("+81301234599", 1, 2),
        line("0301234567", 1, 3),
        line("0301239999", 1, 4),
    ];
    let export = otori.dir().join("export.csv");
    std::fs::write(&export, text.concat()).unwrap();
    for (stored, repeats) in [(3, 0), (0, 3)] {
        let told = otori.json(&["calls", "import", export.to_str().unwrap()]);
        let counts = ["read", "stored", "repeats", "burn_in", "elsewhere"].map(|key| &told[key]);
        let wanted: [&serde_json::Value; 5] = [
            &4.into(),
            &stored.into(),
            &repeats.into(),
            &2.into(),
            &1.into(),
        ];
        assert_eq!(counts, wanted, "{told}");
    }
    let pool = otori.json(&["pool", "list"]);
    let heard = |number: &str| {
        let pool = pool["pool"].as_array().unwrap();
        let entry = pool.iter().find(|entry| entry["value"] == number).unwrap();
        let heard = &entry["heard"];
        (heard["calls"].as_u64(), heard["burn_in_calls"].as_u64())
    };
    assert_eq!(heard("+81301234599"), (Some(2), Some(2)));
    assert_eq!(heard("+81301234567"), (Some(1), Some(0)));
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
}

/// An exchange's records go back to before the number was a canary's: nobody had leaked it then.
#[tokio::test]
async fn a_call_from_before_the_planting_is_no_canarys() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let export = otori.dir().join("export.csv");
    let text = "at,from,to,id\n2025-06-01T10:00:00Z,0300000000,0301234567,c1\n\
                2026-06-01T10:00:00Z,0300000000,0301234567,c2\n";
    std::fs::write(&export, text).unwrap();
    let told = otori.json(&["calls", "import", export.to_str().unwrap()]);
    assert_eq!(told["stored"], 2, "{told}");
    assert_eq!(told["burn_in"], 1, "{told}");
    let found = otori.registry.sightings(&SightingFilter::default()).await;
    let ours: Vec<_> = (found.unwrap().into_iter())
        .filter(|sighting| sighting.source.is_some())
        .collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert_eq!(ours[0].at, datetime!(2026-06-01 10:00 UTC));
}

#[tokio::test]
async fn what_is_no_record_is_told() {
    let otori = Otori::new().await;
    let missing = otori
        .command(&["calls", "import", "nothing.csv"])
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("nothing.csv"));
    let path = otori.dir().join("a.csv");
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    let unnamed = otori
        .command(&["calls", "import", path.to_str().unwrap()])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&unnamed.stderr).into_owned();
    assert!(
        unnamed.status.code() == Some(1) && told.contains("--map COLUMN=to"),
        "{told}"
    );
    for wrong in [
        ["--map", "a=whom"],
        ["--utc-offset", "9"],
        ["--format", "xml"],
    ] {
        let path = path.to_str().unwrap();
        let done = otori
            .command(&["calls", "import", path, wrong[0], wrong[1]])
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2), "{wrong:?}");
    }
}
