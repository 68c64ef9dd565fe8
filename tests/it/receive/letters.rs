//! Letters by their photographs alone: read by the real Tesseract through the real page.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use otori::canary::{Canary, SightingKind};
use otori::receive::ReceiveConfig;
use otori::registry::SightingFilter;

use super::envelope::{Sheet, vast};
use super::web::{Answer, Call};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::{Otori, Receiver};

/// To Keisuke, from a list broker.
fn japanese() -> Sheet {
    Sheet::written(&[
        (120.0, 110.0, 40.0, "〒100-0013"),
        (120.0, 180.0, 44.0, "東京都千代田区霞が関9-12-8"),
        (120.0, 250.0, 44.0, "囮ハイツ707"),
        (220.0, 360.0, 64.0, "髙橋 圭祐 様"),
        (120.0, 470.0, 30.0, "お客様番号: A-12345"),
        (900.0, 600.0, 34.0, "株式会社名簿屋"),
        (900.0, 660.0, 30.0, "〒530-0001"),
        (900.0, 710.0, 30.0, "大阪市北区梅田1-1-1"),
    ])
}

fn form(fields: &[(&str, &str)], pictures: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.bytes());
    }
    for picture in pictures {
        body.extend(b"--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"IMG_0001\"\r\nContent-Type: application/octet-stream\r\n\r\n");
        body.extend(picture);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    body
}

/// A mail room at its page.
struct Room<'a> {
    otori: &'a Otori,
    receiver: &'a Receiver,
}

impl Room<'_> {
    async fn send(&self, call: Call) -> Answer {
        let token = self.otori.secret("keys/mailroom.token");
        call.basic("mailroom", &token)
            .send(self.receiver.http)
            .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Call::get(path)).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)], pictures: &[Vec<u8>]) -> Answer {
        let call = Call::post(path, form(fields, pictures));
        self.send(call.header("Content-Type", "multipart/form-data; boundary=edge"))
            .await
    }

    /// Sends photographs alone; where they wait, and what is asked there.
    async fn photographs(&self, pictures: &[Vec<u8>]) -> (String, Answer) {
        // The inputs of the form that are left empty come too.
        let all = [pictures, &[Vec::new()]].concat();
        let answer = self.post("/drop", &[("addressee", "")], &all).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let headers = answer.headers.to_ascii_lowercase();
        let place = headers.split("location: ").nth(1).unwrap();
        let place = place.split("\r\n").next().unwrap().to_owned();
        let asked = self.get(&place).await;
        assert_eq!(asked.status, 200);
        (place, asked)
    }
}

/// The canary whose radio button is set.
fn proposed(page: &str) -> Option<&str> {
    let radio = page.split("<input").find(|input| {
        input.contains("type=\"radio\"") && input.split('>').next().unwrap().contains(" checked")
    })?;
    radio.split("value=\"").nth(1)?.split('"').next()
}

/// How like what was read the first candidate is, in hundredths.
fn likeness(page: &str) -> u32 {
    let percent = page
        .split(" · ")
        .nth(1)
        .and_then(|rest| rest.split('%').next());
    percent.and_then(|percent| percent.parse().ok()).unwrap()
}

fn value<'a>(page: &'a str, name: &str) -> &'a str {
    let input = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    input.unwrap_or_default().split('"').next().unwrap()
}

async fn sightings(otori: &Otori) -> Vec<otori::canary::Sighting> {
    otori.settled().await;
    let all = SightingFilter::default();
    otori.registry.sightings(&all).await.unwrap()
}

async fn planted(otori: &Otori) -> (Vec<Canary>, Canary) {
    let school = otori.plant("school", &[HANAKO, KEISUKE]).await;
    otori.plant("shop", &[JIRO]).await;
    let keisuke = school[1].clone();
    (school, keisuke)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_photograph_is_read_and_counts_when_it_is_confirmed() {
    let otori = Otori::new().await;
    let (_, keisuke) = planted(&otori).await;
    let receiver = otori.receive(&otori.config()).await;
    let room = Room {
        otori: &otori,
        receiver: &receiver,
    };
    let photo = japanese().photographed(7.0, 0.15).jpeg(1);
    let code = Command::new("qrencode")
        .args(["-s", "8", "-o", "-", "https://broker.example/u?c=889-7121"])
        .output()
        .unwrap();
    let (place, asked) = room
        .photographs(&[photo.clone(), code.stdout.clone()])
        .await;
    let page = &asked.body;
    assert_eq!(proposed(page), Some(keisuke.id.as_str()), "{page}");
    assert_eq!(value(page, "addressee"), "高橋圭祐");
    assert_eq!(value(page, "postcode"), "100-0013");
    assert!(value(page, "address").contains("霞が関9-12-8"), "{page}");
    assert_eq!(value(page, "sender"), "株式会社名簿屋");
    assert!(
        value(page, "return_address").contains("梅田1-1-1"),
        "{page}"
    );
    let customer = value(page, "customer");
    assert!(customer.contains("A-12345"), "{customer}");
    // Noted, and never followed.
    assert!(
        customer.contains("https://broker.example/u?c=889-7121"),
        "{customer}"
    );
    for number in [0, 1] {
        let shown = room.get(&format!("{place}/page/{number}")).await;
        assert_eq!(shown.status, 200);
        assert!(shown.headers.contains("image/png"), "{}", shown.headers);
    }
    assert_eq!(room.get(&format!("{place}/page/2")).await.status, 404);

    // Nothing counts yet, and nothing is lost.
    assert!(sightings(&otori).await.is_empty());
    let waiting = format!("<a href=\"{place}\">");
    assert!(room.get("/drop").await.body.contains(&waiting));
    // Sent again, it is the same letter.
    let again = room
        .photographs(&[photo.clone(), code.stdout.clone()])
        .await;
    assert_eq!(again.0, place);

    let fields = [
        ("addressee", value(page, "addressee")),
        ("sender", value(page, "sender")),
        ("customer", customer),
        ("canary", keisuke.id.as_str()),
    ];
    let filed = room.post(&place, &fields, &[]).await;
    assert_eq!(filed.status, 200);
    assert!(filed.body.contains("Matched: "), "{}", filed.body);
    let filed = room.post(&place, &[("canary", "none")], &[]).await;
    assert!(filed.body.contains("it was filed before"), "{}", filed.body);
    let shown = room.get(&place).await;
    assert!(shown.body.contains("it was filed before"), "{}", shown.body);
    assert!(!room.get("/drop").await.body.contains(&waiting));

    let seen = sightings(&otori).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].kind, SightingKind::Alarm);
    assert_eq!(seen[0].canary.as_ref(), Some(&keisuke.id));
    assert_eq!(seen[0].actor.from, "株式会社名簿屋");
    assert!(seen[0].actor.summary.contains("A-12345"));
    let label = room.get(&format!("/drop/{}/label", seen[0].message)).await;
    assert!(label.body.contains(keisuke.id.as_str()), "{}", label.body);
    assert!(!label.body.contains("高橋") && !label.body.contains("霞が関"));
    let message = otori
        .registry
        .message(seen[0].message)
        .await
        .unwrap()
        .unwrap();
    assert!(message.envelope.contains("圭祐"));
    let pages = otori::receive::post::unpacked(message.raw);
    assert_eq!(pages, [photo, code.stdout]);
    receiver.stop().await;
    let bundle = otori.dir().join("bundle.zip");
    otori.json(&["evidence", "export", "--out", bundle.to_str().unwrap()]);
    let mut bundle = zip::ZipArchive::new(std::fs::File::open(bundle).unwrap()).unwrap();
    let letter = format!("messages/{:06}/letter.zip", seen[0].message);
    assert!(bundle.by_name(&letter).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_way_it_was_held_the_canary_is_proposed() {
    let otori = Otori::new().await;
    let (_, keisuke) = planted(&otori).await;
    let receiver = otori.receive(&otori.config()).await;
    let room = Room {
        otori: &otori,
        receiver: &receiver,
    };
    let askew = japanese().photographed(-11.0, 0.25);
    let side = askew.quarter().quarter().quarter();
    for (what, picture) in [
        ("on its side, as its Exif says", side.jpeg(6)),
        ("on its side, and nothing says so", side.png()),
        ("level and clean", japanese().png()),
    ] {
        let (_, asked) = room.photographs(&[picture]).await;
        assert_eq!(
            proposed(&asked.body),
            Some(keisuke.id.as_str()),
            "{what}: {}",
            asked.body
        );
    }
    receiver.stop().await;
}

/// The address is behind a film that Tesseract sees nothing through; the bars under it say where the letter goes.
#[tokio::test(flavor = "multi_thread")]
async fn the_post_s_own_bar_codes_are_read_on_a_bad_photograph() {
    let otori = Otori::new().await;
    let (_, keisuke) = planted(&otori).await;
    let receiver = otori.receive(&otori.config()).await;
    let room = Room {
        otori: &otori,
        receiver: &receiver,
    };
    let named = || {
        Sheet::written(&[
            (420.0, 330.0, 60.0, "髙橋圭祐 様"),
            (90.0, 680.0, 30.0, "株式会社名簿屋"),
        ])
    };
    // A millimetre is 6.4 pixels here; bars are 1.2 apart at 10 points, and 0.96 at 8.
    for apart in [7.7, 6.2] {
        let sheet = named().barred(76, "10000139-12-8-707", apart, (420.0, 420.0));
        for (what, photo) in [
            ("flat", sheet.png()),
            ("askew", sheet.photographed(7.0, 0.15).jpeg(1)),
            ("on its side", sheet.photographed(-4.0, 0.1).quarter().png()),
        ] {
            let (_, asked) = room.photographs(&[photo]).await;
            let page = &asked.body;
            assert_eq!(
                proposed(page),
                Some(keisuke.id.as_str()),
                "{apart} {what}: {page}"
            );
            // The name alone is half of what can be.
            assert!(likeness(page) > 90, "{apart} {what}: {page}");
            assert_eq!(value(page, "postcode"), "100-0013", "{apart} {what}");
            // Where it goes is nothing that its sender knows the addressee by.
            assert_eq!(value(page, "customer"), "", "{apart} {what}");
        }
    }
    let sheet = named().barred(85, "01234567094987654321-01234567891", 8.0, (420.0, 420.0));
    let (_, asked) = room
        .photographs(&[sheet.photographed(5.0, 0.1).jpeg(1)])
        .await;
    let page = &asked.body;
    assert_eq!(
        value(page, "customer"),
        "USPS 01-234-567094-987654321",
        "{page}"
    );
    assert_eq!(value(page, "postcode"), "01234-5678-91");
    let (_, asked) = room.photographs(&[named().png()]).await;
    assert!(likeness(&asked.body) <= 50, "{}", asked.body);
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_say_that_it_is_somebody_else_or_nobody() {
    let otori = Otori::new().await;
    let (school, _) = planted(&otori).await;
    let receiver = otori.receive(&otori.config()).await;
    let room = Room {
        otori: &otori,
        receiver: &receiver,
    };
    let (first, _) = room.photographs(&[japanese().png()]).await;
    for (choice, words) in [("", "Type the addressee"), ("c-wrong", "no such canary")] {
        let answer = room.post(&first, &[("canary", choice)], &[]).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(words), "{}", answer.body);
    }
    let answer = room
        .post(
            &first,
            &[("canary", "none"), ("addressee", "髙橋圭祐")],
            &[],
        )
        .await;
    assert!(answer.body.contains("No match yet"), "{}", answer.body);
    let (second, _) = room
        .photographs(&[japanese().photographed(3.0, 0.0).png()])
        .await;
    let answer = room
        .post(&second, &[("canary", school[0].id.as_str())], &[])
        .await;
    assert!(answer.body.contains("Matched: "), "{}", answer.body);
    for wrong in ["/drop/99999", "/drop/99999/label", "/drop/x"] {
        assert!(
            (400..500).contains(&room.get(wrong).await.status),
            "{wrong}"
        );
    }
    let kinds: Vec<_> = sightings(&otori)
        .await
        .iter()
        .map(|s| (s.kind, s.canary.clone()))
        .collect();
    assert_eq!(
        kinds,
        [
            (SightingKind::Alarm, Some(school[0].id.clone())),
            (SightingKind::Noise, None)
        ]
    );
    receiver.stop().await;
}

/// A receiver whose Tesseract is this script.
fn with_script(otori: &Otori, script: &str) -> ReceiveConfig {
    let path = otori.dir().join("tesseract");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = otori.config();
    config.post.tesseract = path;
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said_and_typed() {
    let otori = Otori::new().await;
    let (_, keisuke) = planted(&otori).await;
    let mut missing = otori.config();
    missing.post.tesseract = PathBuf::from("/nowhere/tesseract");
    let mut off = otori.config();
    off.post.tesseract = PathBuf::from("off");
    let killed = with_script(&otori, "kill -KILL $$");
    let none = "There is no Tesseract here";
    for (config, words, shade) in [
        (missing, none, 200),
        (off, none, 201),
        (killed, "Tesseract could not read it", 202),
    ] {
        let receiver = otori.receive(&config).await;
        let room = Room {
            otori: &otori,
            receiver: &receiver,
        };
        let (place, asked) = room.photographs(&[Sheet::new(300, 200, shade).png()]).await;
        assert!(asked.body.contains(words), "{}", asked.body);
        let typed = [
            ("addressee", "髙橋 圭祐"),
            ("address", "東京都千代田区霞が関9-12-8 囮ハイツ707"),
        ];
        let answer = room.post(&place, &typed, &[]).await;
        assert!(answer.body.contains(keisuke.id.as_str()), "{}", answer.body);
        receiver.stop().await;
    }
    assert_eq!(sightings(&otori).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_a_bomb_or_none_is_kept_and_said() {
    let otori = Otori::new().await;
    planted(&otori).await;
    let receiver = otori.receive(&otori.config()).await;
    let room = Room {
        otori: &otori,
        receiver: &receiver,
    };
    let mut lying = Sheet::new(64, 64, 200).jpeg(1);
    let frame = lying
        .windows(2)
        .position(|two| two == [0xff, 0xc0])
        .unwrap();
    lying[frame + 5..frame + 9].copy_from_slice(&[0xff, 0x00, 0xff, 0x00]);
    let cut = japanese().png();
    for (picture, words) in [
        (vast(10_000, 10_000), "it has 100 million pixels"),
        (lying, "it has 4261 million pixels"),
        (cut[..cut.len() / 2].to_vec(), "damaged, or no picture"),
        (super::post::PNG.to_vec(), "damaged, or no picture"),
        (b"%PDF-1.7 nothing".to_vec(), "WebP and PDF are kept"),
    ] {
        let start = Instant::now();
        let (place, asked) = room.photographs(std::slice::from_ref(&picture)).await;
        assert!(asked.body.contains(words), "{words}: {}", asked.body);
        assert!(start.elapsed() < Duration::from_secs(20), "{words}");
        let kept = room.get(&format!("{place}/page/0")).await;
        assert!(kept.headers.contains("attachment"), "{}", kept.headers);
        let id: i64 = place.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(
            otori.registry.message(id).await.unwrap().unwrap().raw,
            picture
        );
    }
    let nine = vec![japanese().png(); 9];
    let answer = room.post("/drop", &[], &nine).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("At most 8 pictures"),
        "{}",
        answer.body
    );
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_filed_from_the_command_line() {
    let otori = Otori::new().await;
    let (_, keisuke) = planted(&otori).await;
    let photo = otori.dir().join("front.jpg");
    std::fs::write(&photo, japanese().photographed(5.0, 0.1).jpeg(1)).unwrap();
    let photo = photo.to_str().unwrap();
    assert_eq!(
        otori.json(&["letters"])["waiting"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let stored = otori.json(&["letters", "file", photo]);
    assert_eq!(stored["waits"], true);
    assert_eq!(stored["candidates"][0]["canary"], keisuke.id.as_str());
    let number = stored["number"].to_string();
    assert_eq!(
        otori.json(&["letters"])["waiting"][0]["number"],
        stored["number"]
    );
    let unsaid = otori
        .command(&["letters", "confirm", &number])
        .output()
        .unwrap();
    assert_eq!(unsaid.status.code(), Some(1));
    let filed = otori.json(&[
        "letters",
        "confirm",
        &number,
        "--canary",
        keisuke.id.as_str(),
    ]);
    assert_eq!(filed["sightings"][0]["kind"], "alarm");
    assert_eq!(filed["sightings"][0]["from"], "株式会社名簿屋");
    let twice = otori
        .command(&["letters", "confirm", &number, "--none"])
        .output()
        .unwrap();
    assert_eq!(twice.status.code(), Some(1));
    assert_eq!(
        otori.json(&["letters"])["waiting"]
            .as_array()
            .unwrap()
            .len(),
        0
    );

    let typed = [
        "letters",
        "file",
        photo,
        "--addressee",
        "アオキ ハナコ",
        "--sender",
        "名簿屋",
    ];
    let filed = otori.json(&typed);
    assert_eq!(
        (&filed["waits"], &filed["repeat"]),
        (&false.into(), &false.into())
    );
    assert_eq!(filed["sightings"][0]["kind"], "alarm");
    assert_eq!(otori.json(&typed)["repeat"], true);
    assert_eq!(sightings(&otori).await.len(), 2);
    otori.json(&["evidence", "verify"]);
}

/// Japanese envelopes are written from top to bottom. What is read right, of eight photographs, is measured.
#[tokio::test(flavor = "multi_thread")]
async fn envelopes_written_in_columns_are_read() {
    let otori = Otori::new().await;
    let (school, _) = planted(&otori).await;
    let receiver = otori.receive(&otori.config()).await;
    let room = Room {
        otori: &otori,
        receiver: &receiver,
    };
    let (mut addresses, mut names, mut right, mut all) = (0, 0, 0, 0);
    for (name, unit, canary) in [
        ("髙橋圭祐", "囮ハイツ七〇七号", &school[1]),
        ("青木花子", "囮ハイツ七〇八号", &school[0]),
    ] {
        let letter = Sheet::in_columns(
            &[
                (660.0, 230.0, 42.0, "東京都千代田区霞が関九丁目十二番八号"),
                (585.0, 300.0, 40.0, unit),
                (370.0, 330.0, 70.0, &format!("{name}様")),
            ],
            "100-0013",
        );
        for photo in [
            letter.png(),
            letter.photographed(3.0, 0.08).jpeg(1),
            letter.photographed(-2.0, 0.05).quarter().jpeg(1),
            letter.photographed(4.0, 0.1).jpeg(1),
        ] {
            let (_, asked) = room.photographs(&[photo]).await;
            let page = &asked.body;
            let read = value(page, "addressee").replace('髙', "高");
            all += 1;
            let address = value(page, "address");
            addresses += usize::from(address.contains("東京都千代田区霞が関九丁目十二番八号"));
            names += usize::from(read == name.replace('髙', "高"));
            match proposed(page) {
                Some(id) if id == canary.id.as_str() => right += 1,
                Some("") => {}
                other => panic!("{other:?} for {}", canary.id),
            }
        }
    }
    receiver.stop().await;
    eprintln!("of {all}: {addresses} addresses, {names} names, {right} proposed");
    assert_eq!(addresses, all, "addresses");
    assert_eq!(right, all, "proposed");
    // A title that is not read leaves the name in doubt: the person corrects it.
    assert!(names * 2 >= all, "{names} of {all} names");
}
