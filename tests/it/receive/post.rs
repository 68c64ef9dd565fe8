//! The mail room's page.

use otori::canary::{Channel, SightingKind};
use otori::registry::SightingFilter;

use super::web::{Answer, Call};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::{Otori, Receiver};

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

fn form(fields: &[(&str, &str)], picture: &[u8]) -> Call {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .bytes(),
        );
    }
    body.extend(b"--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n");
    body.extend(picture);
    body.extend(b"\r\n--edge--\r\n");
    Call::post("/drop", body).header("Content-Type", "multipart/form-data; boundary=edge")
}

pub async fn file(
    otori: &Otori,
    receiver: &Receiver,
    fields: &[(&str, &str)],
    picture: &[u8],
) -> Answer {
    let token = otori.secret("keys/mailroom.token");
    form(fields, picture)
        .basic("mailroom", &token)
        .send(receiver.http)
        .await
}

#[tokio::test]
async fn a_letter_is_matched_however_it_is_spelt() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let shop = otori.plant("shop", &[JIRO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let address = "東京都千代田区霞が関9-12-8 囮ハイツ707";
    for (name, address, canary) in [
        ("髙橋 圭祐 様", address, Some(&school[0])),
        // Full-width digits, old address notation, no prefecture, new kanji.
        (
            "高橋圭祐",
            "千代田区霞が関９丁目１２番８号囮ハイツ７０７号室",
            Some(&school[0]),
        ),
        // One kanji wrong in the name; the door is right.
        ("高橋 圭裕", address, Some(&school[0])),
        // The unit is missing; the name is right.
        ("渡辺次郎", "千代田区霞が関9-12-8", Some(&shop[0])),
        ("アオキ ハナコ", "", Some(&school[1])),
        ("", "千代田区霞が関9-12-8-708", Some(&school[1])),
        ("佐藤 健", "大阪市北区梅田1-1-1", None),
    ] {
        let answer = file(
            &otori,
            &receiver,
            &[
                ("addressee", name),
                ("address", address),
                ("sender", "名簿屋"),
            ],
            PNG,
        )
        .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        match canary {
            Some(canary) => {
                let shown = format!("<code>{}</code> ({})", canary.id, canary.source);
                assert!(
                    answer.body.contains("Matched: "),
                    "{name} {address}: {}",
                    answer.body
                );
                assert!(
                    answer.body.contains(&shown),
                    "{name} {address}: {}",
                    answer.body
                );
            }
            None => assert!(
                answer.body.contains("No match yet"),
                "{name}: {}",
                answer.body
            ),
        }
    }
    // The form sent twice.
    let answer = file(
        &otori,
        &receiver,
        &[
            ("addressee", "佐藤 健"),
            ("address", "大阪市北区梅田1-1-1"),
            ("sender", "名簿屋"),
        ],
        PNG,
    )
    .await;
    assert!(
        answer.body.contains("it was filed before"),
        "{}",
        answer.body
    );
    otori.settled().await;
    receiver.stop().await;

    let sightings = otori
        .registry
        .sightings(&SightingFilter::default())
        .await
        .unwrap();
    assert_eq!(sightings.len(), 7);
    assert!(
        sightings
            .iter()
            .all(|s| s.channel == Channel::Post && s.actor.from == "名簿屋")
    );
    let noise = sightings.iter().filter(|s| s.kind == SightingKind::Noise);
    assert_eq!(noise.map(|s| s.repeats).collect::<Vec<_>>(), [1]);
    assert_eq!(otori.registry.message(1).await.unwrap().unwrap().raw, PNG);
}

#[tokio::test]
async fn what_is_no_letter_is_refused_and_said() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    let large = [PNG, &vec![0; 21 << 20]].concat();
    for (fields, picture, status) in [
        (
            [("addressee", "x")].as_slice(),
            b"<svg onload=alert(1)>".as_slice(),
            415,
        ),
        (&[("addressee", "x")], b"", 415),
        (&[("addressee", "x")], &large, 413),
    ] {
        let answer = file(&otori, &receiver, fields, picture).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains("role=\"alert\""), "{}", answer.body);
    }
    let token = otori.secret("keys/mailroom.token");
    let broken = Call::post("/drop", "no form").basic("mailroom", &token);
    assert!((400..500).contains(&broken.send(receiver.http).await.status));
    // What was typed is kept, and cannot become markup.
    let answer = file(&otori, &receiver, &[("addressee", "\"><script>")], b"x").await;
    assert!(
        answer.body.contains("value=\"&quot;&gt;&lt;script&gt;\""),
        "{}",
        answer.body
    );
    assert!(otori.registry.message(1).await.unwrap().is_none());
    receiver.stop().await;
}

#[tokio::test]
async fn another_site_cannot_file_a_letter() {
    let otori = Otori::new().await;
    let receiver = otori.receive(&otori.config()).await;
    let token = otori.secret("keys/mailroom.token");
    let own = format!("http://{}", receiver.http);
    for (name, value, status) in [
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Sec-Fetch-Site", "same-origin", 200),
        ("Origin", own.as_str(), 200),
    ] {
        let call = form(&[("addressee", name)], PNG).header(name, value);
        let answer = call.basic("mailroom", &token).send(receiver.http).await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    receiver.stop().await;
}
