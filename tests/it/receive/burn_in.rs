//! What comes to a number before a canary gets it, and after.

use otori::canary::ContactPoint;
use otori::retention::{self, RetentionConfig};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::phone::tell;
use super::{HANAKO, KEISUKE};
use crate::harness::{NUMBER, Otori, PLANTED};

fn heard(otori: &Otori, number: &str) -> Value {
    let told = otori.json(&["pool", "list"]);
    let pool = told["pool"].as_array().unwrap();
    let entry = pool.iter().find(|entry| entry["value"] == number);
    entry.unwrap()["heard"].clone()
}

#[tokio::test]
async fn calls_to_a_number_are_counted_before_a_canary_has_it_and_after() {
    let otori = Otori::new().await;
    let registry = &otori.registry;
    let now = OffsetDateTime::now_utc();
    let free = ContactPoint::Phone("03-0123-4599".parse().unwrap());
    let since = now - Duration::days(20);
    registry
        .add_contact_points(&[(free, None)], since)
        .await
        .unwrap();
    otori.plant("school", &[KEISUKE, HANAKO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let call =
        |to: &str, id: &str| json!({ "to": to, "from": "+81300000000", "kind": "call", "id": id });
    for (to, id) in [
        ("03-0123-4599", "1"),
        ("+81 3 0123 4599", "2"),
        // Told again by the exchange: one call.
        ("03-0123-4599", "1"),
        (NUMBER, "3"),
        // No number of ours.
        ("03-0123-4598", "4"),
    ] {
        assert_eq!(tell(&otori, &receiver, call(to, id)).await.status, 200);
    }
    otori.settled().await;
    receiver.stop().await;
    let number = |text: &str| {
        let number: otori::canary::PhoneNumber = text.parse().unwrap();
        number.as_str().to_owned()
    };
    let free = heard(&otori, &number("03-0123-4599"));
    assert_eq!(
        (
            &free["calls"],
            &free["burn_in_calls"],
            &free["burn_in_days"]
        ),
        (&json!(2), &json!(2), &json!(20)),
        "{free}"
    );
    // It was given away on the day on which it came into the pool.
    let given = heard(&otori, &number(NUMBER));
    assert_eq!(
        (
            &given["calls"],
            &given["burn_in_calls"],
            &given["burn_in_days"]
        ),
        (&json!(1), &json!(0), &json!(0)),
        "{given}"
    );
    assert!(PLANTED < since);

    // What retention takes of a stray call is who called, not that there was one.
    let rules = RetentionConfig {
        noise_days: Some(1),
        ..RetentionConfig::default()
    };
    let done = retention::apply(registry, &rules, now + Duration::days(2))
        .await
        .unwrap();
    assert_eq!(done.noise, 3);
    // The call to the canary's number agreed with no other, and is too old for an incident that opens by then.
    let done = retention::apply(registry, &rules, now + Duration::days(92));
    assert_eq!(done.await.unwrap().noise, 1);
    assert_eq!(heard(&otori, &number(NUMBER))["calls"], 1);
    assert_eq!(heard(&otori, &number("03-0123-4599"))["burn_in_calls"], 2);
}
