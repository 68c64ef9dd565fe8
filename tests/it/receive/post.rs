//! The mail room's page.

use otori::canary::{Channel, SightingKind};
use otori::registry::SightingFilter;

use super::web::{Answer, Call};
use super::{HANAKO, JIRO, KEISUKE};
use crate::harness::{Otori, Receiver};

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

pub fn form(fields: &[(&str, &str)], picture: &[u8]) -> Call {
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

/// Goes where a letter waits, which shows the candidates, and says that it is for none of them.
async fn unlike(otori: &Otori, receiver: &Receiver, answer: &Answer) {
    let token = otori.secret("keys/mailroom.token");
    let place = answer.headers.split("location: ").nth(1).unwrap();
    let place = place.split("\r\n").next().unwrap();
    let asked = Call::get(place).basic("mailroom", &token);
    let asked = asked.send(receiver.http).await;
    assert_eq!(asked.status, 200, "{asked:?}");
    assert!(asked.body.contains("type=\"radio\""), "{}", asked.body);
    let body = "--edge\r\nContent-Disposition: form-data; name=\"canary\"\r\n\r\nnone\r\n\
                --edge\r\nContent-Disposition: form-data; name=\"sender\"\r\n\r\n名簿屋\r\n--edge--\r\n";
    let call = Call::post(place, body).basic("mailroom", &token);
    let call = call.header("Content-Type", "multipart/form-data; boundary=edge");
    let filed = call.send(receiver.http).await;
    assert_eq!(filed.status, 200, "{filed:?}");
}

#[tokio::test]
async fn a_letter_is_matched_however_it_is_spelt() {
    let otori = Otori::new().await;
    let school = otori.plant("school", &[KEISUKE, HANAKO]).await;
    let shop = otori.plant("shop", &[JIRO]).await;
    let receiver = otori.receive(&otori.config()).await;
    let address = "東京都千代田区霞が関9-12-8 囮ハイツ707";
    let mut waited = 0;
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
        // A part of the address is no worse than none.
        ("渡辺 次郎", "囮ハイツ709", Some(&shop[0])),
        ("青木 花子", "東京都千代田区霞が関", Some(&school[1])),
        ("青木 花子", "708", Some(&school[1])),
        ("青木 花子", "8", Some(&school[1])),
        ("", "東京都千代田区", None),
        ("青木 花", "囮ハイツ707", None),
        ("青木 花", "千代田区霞が関9-12-8 囮ハイツ", None),
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
        if answer.status == 303 {
            // It is like some, and like none enough: the person says so.
            assert_eq!(canary, None, "{name} {address}");
            unlike(&otori, &receiver, &answer).await;
            waited += 1;
            continue;
        }
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
    assert_eq!(waited, 1);
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
    assert_eq!(sightings.len(), 14);
    assert!(
        sightings
            .iter()
            .all(|s| s.channel == Channel::Post && s.actor.from == "名簿屋")
    );
    let noise = sightings.iter().filter(|s| s.kind == SightingKind::Noise);
    assert_eq!(noise.map(|s| s.repeats).collect::<Vec<_>>(), [1, 0, 0, 0]);
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

/// A PNG of 10,000 by 10,000 white pixels: 100 million in a file of some hundred kilobytes.
fn bomb(colour: png::ColorType) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 10_000, 10_000);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let row = vec![255; 10_000 * colour.samples()];
    for _ in 0..10_000 {
        std::io::Write::write_all(&mut stream, &row).unwrap();
    }
    stream.finish().unwrap();
    writer.finish().unwrap();
    file
}

/// The same file with another header.
fn with_header(mut file: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    change(&mut file[16..29]);
    let check = crc(&file[12..29]).to_be_bytes();
    file[29..33].copy_from_slice(&check);
    file
}

/// The check of a PNG's chunk (RFC 2083, section 3.4).
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| match crc & 1 {
            1 => (crc >> 1) ^ 0xedb8_8320,
            _ => crc >> 1,
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_million_pixels_take_no_memory_of_the_receiver() {
    let otori = Otori::new().await;
    let server = super::crash::Server::start(&otori);
    let token = otori.secret("keys/mailroom.token");
    // Photographs alone, which are read when the page that they wait on is opened.
    let read = async |picture: &[u8]| {
        let filed = form(&[], picture).basic("mailroom", &token);
        let filed = filed.send(server.http).await;
        assert_eq!(filed.status, 303, "{}", filed.body);
        let headers = filed.headers.to_ascii_lowercase();
        let place = headers.split("location: ").nth(1).unwrap();
        let place = place.split("\r\n").next().unwrap().to_owned();
        let page = Call::get(&place).basic("mailroom", &token);
        let page = page.send(server.http).await;
        assert_eq!(page.status, 200);
        page.body
    };
    // What a picture takes anyway.
    read(PNG).await;
    let before = server.most_kilobytes();
    let grey = bomb(png::ColorType::Grayscale);
    let colours = bomb(png::ColorType::Rgba);
    let interlaced = with_header(colours.clone(), |header| header[12] = 1);
    // Four rows of four, and behind them the rest.
    let small = [0, 0, 0, 4, 0, 0, 0, 4];
    let lying = with_header(grey.clone(), |header| header[..8].copy_from_slice(&small));
    for (picture, words) in [
        (grey, Some("it has 100 million pixels")),
        (colours, Some("it has 100 million pixels")),
        (interlaced, Some("it has 100 million pixels")),
        (lying, None),
    ] {
        assert!(picture.len() < 2_000_000, "{}", picture.len());
        let page = read(&picture).await;
        let said = words.is_none_or(|words| page.contains(words));
        assert!(said, "{words:?}: {page}");
    }
    let grown = server.most_kilobytes().saturating_sub(before);
    assert!(grown < 60_000, "{grown} kB more");
    let none = form(&[], b"GIF89a and no more").basic("mailroom", &token);
    assert_eq!(none.send(server.http).await.status, 415);
    assert!(server.terminate().success());
}
