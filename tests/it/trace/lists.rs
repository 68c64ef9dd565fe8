//! Lists of every make, as databases, spreadsheets and packers write them, and files that are no lists.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use otori::database::Engine;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Broker, HEADER, Line, enlarge, innocent, run, text};
use crate::plant::ground::Ground;
use crate::plant::shop::{failed, prepared};

const ALL: [usize; 6] = [0, 1, 2, 3, 4, 5];

/// The verdict about a list that must name the shop with all of its canaries, and in which format it was.
#[track_caller]
fn whole(broker: &Broker, name: &str, bytes: &[u8], format: &str) -> Value {
    let traced = broker.named(name, bytes);
    let told = &traced["file"];
    assert_eq!(text(&told["format"]), format, "{name}");
    assert_eq!(traced["sources"][0]["found"], 30, "{name}: {told}");
    traced
}

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn workbook(lines: &[Line]) -> Vec<u8> {
    let header = HEADER.map(str::to_owned);
    let mut sheet = "<worksheet><sheetData>".to_owned();
    for line in std::iter::once(&header).chain(lines) {
        sheet += "<row>";
        for (place, cell) in line.iter().enumerate() {
            // Spreadsheets keep a telephone number as a number, and lose its zero.
            let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
            match digits.strip_prefix('0') {
                Some(number) if place == 4 => sheet += &format!("<c><v>{number}</v></c>"),
                _ => sheet += &format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"),
            }
        }
        sheet += "</row>";
    }
    sheet += "</sheetData></worksheet>";
    zipped(&[
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"会員\" r:id=\"a\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id=\"a\" Target=\"sheet.xml\"/></Relationships>",
        ),
        ("xl/sheet.xml", &sheet),
    ])
}

/// What a letter takes of a fixed width.
fn padded(cell: &str, width: usize) -> String {
    let shown: usize = cell.chars().map(|c| 1 + usize::from(c > '\u{2e7f}')).sum();
    format!("{cell}{}", " ".repeat(width.saturating_sub(shown)))
}

#[tokio::test]
async fn formats_that_are_no_csv() {
    let broker = Broker::new().await;
    let object = |line: &Line| {
        json!({
            "氏名": line[0], "フリガナ": line[1], "電話番号": line[4], "生年月日": line[5],
            "宛先": {"郵便番号": line[2], "住所": line[3]},
        })
    };
    let objects: Vec<Value> = broker.lines.iter().map(object).collect();
    let traced = whole(
        &broker,
        "array.json",
        json!(objects).to_string().as_bytes(),
        "json",
    );
    assert_eq!(traced["file"]["rows"], 3_030);
    let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
    whole(&broker, "lines.json", lines.as_bytes(), "json");
    let document = json!({"total": 3_030, "会員": objects});
    let traced = whole(
        &broker,
        "document.json",
        document.to_string().as_bytes(),
        "json",
    );
    assert_eq!(text(&traced["file"]["parts"][0]["name"]), "会員");

    let traced = whole(&broker, "book.xlsx", &workbook(&broker.lines), "xlsx");
    assert_eq!(text(&traced["file"]["columns"][4]["role"]), "phone");

    let cards: String = broker
        .lines
        .iter()
        .map(|line| {
            let [name, kana, postcode, address, phone, birth] = line;
            format!(
                "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nSOUND;X-IRMC-N:{kana}\r\nTEL;TYPE=CELL:{phone}\r\n\
                 ADR:;;{address};;;{postcode};\r\nBDAY:{birth}\r\nEND:VCARD\r\n"
            )
        })
        .collect();
    whole(&broker, "book.vcf", cards.as_bytes(), "vcard");

    let fixed: String = broker
        .lines
        .iter()
        .map(|line| {
            let widths = [24, 30, 12, 100, 18, 0];
            let cells = line
                .iter()
                .zip(widths)
                .map(|(cell, width)| padded(cell, width));
            cells.collect::<String>() + "\r\n"
        })
        .collect();
    let traced = whole(&broker, "fixed.txt", fixed.as_bytes(), "fixed width");
    assert_eq!(traced["file"]["columns"].as_array().unwrap().len(), 6);
    let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode(&fixed);
    whole(&broker, "fixed-cp932.txt", &cp932, "fixed width");
}

/// One record per line of prose, and all cells of a row merged into one.
#[tokio::test]
async fn text_without_columns() {
    let broker = Broker::new().await;
    let prose: String = broker
        .lines
        .iter()
        .map(|[name, kana, postcode, address, phone, birth]| {
            format!("{name} 様 {kana} 〒{postcode} {address} {phone} {birth}\n")
        })
        .collect();
    let traced = broker.named("prose.txt", prose.as_bytes());
    assert_eq!(text(&traced["file"]["format"]), "text");
    assert!(
        traced["sources"][0]["found"].as_u64().unwrap() >= 29,
        "{traced}"
    );
    let merged: String = broker
        .lines
        .iter()
        .enumerate()
        .map(|(number, [name, _, _, address, phone, birth])| {
            format!("{number},\"{name} 様 {phone} {address}\",{birth}\n")
        })
        .collect();
    let traced = broker.named("merged.csv", merged.as_bytes());
    assert!(
        traced["sources"][0]["found"].as_u64().unwrap() >= 29,
        "{traced}"
    );
}

#[tokio::test]
async fn encodings_of_every_kind() {
    let broker = Broker::new().await;
    // JIS X 0208 has no 髙.
    let csv = broker
        .list(&ALL, ",", true)
        .replace('髙', "高")
        .replace('﨑', "崎");
    let told = |name: &str, bytes: &[u8], encoding: &str| {
        let traced = whole(&broker, name, bytes, "csv");
        assert_eq!(text(&traced["file"]["encoding"]), encoding, "{name}");
        traced
    };
    told("euc.csv", &encoding_rs::EUC_JP.encode(&csv).0, "euc-jp");
    told(
        "mail.csv",
        &encoding_rs::ISO_2022_JP.encode(&csv).0,
        "iso-2022-jp",
    );
    let wide: Vec<u8> = csv.encode_utf16().flat_map(u16::to_le_bytes).collect();
    told("wide.csv", &wide, "utf-16");
    told("bom.csv", format!("\u{feff}{csv}").as_bytes(), "utf-8");
    let mixed: Vec<u8> = csv
        .split_inclusive('\n')
        .enumerate()
        .flat_map(|(row, line)| match row % 4 {
            1 => encoding_rs::SHIFT_JIS.encode(line).0.into_owned(),
            2 => encoding_rs::EUC_JP.encode(line).0.into_owned(),
            _ => line.as_bytes().to_vec(),
        })
        .collect();
    let traced = told("mixed.csv", &mixed, "utf-8");
    let otherwise = traced["file"]["rows_otherwise_encoded"].as_u64().unwrap();
    assert!((1_400..1_600).contains(&otherwise), "{otherwise}");
}

#[tokio::test]
async fn headers_that_are_late_or_wrong() {
    let broker = Broker::new().await;
    let rows = broker.list(&ALL, ",", false);
    let head = HEADER.join(",");
    let late = format!("会員名簿\n2026年11月26日 抽出\n{head}\n{rows}");
    let traced = whole(&broker, "late.csv", late.as_bytes(), "csv");
    assert_eq!(traced["file"]["rows"], 3_030);
    assert_eq!(text(&traced["file"]["columns"][0]["header"]), "氏名");
    let again = format!("{head}\n{rows}{head}\n");
    let traced = whole(&broker, "again.csv", again.as_bytes(), "csv");
    assert_eq!(traced["file"]["rows"], 3_030);
    let wrong = format!("氏名,フリガナ,電話番号,生年月日,住所,郵便番号\n{rows}");
    whole(&broker, "wrong.csv", wrong.as_bytes(), "csv");
}

#[track_caller]
fn pack(dir: &Path, program: &str, args: &[&str]) {
    run(Command::new(program).args(args).current_dir(dir));
}

/// What real packers write; what cannot be read is told, and says what to do.
#[tokio::test]
async fn lists_that_are_packed() {
    let broker = Broker::new().await;
    let csv = broker.list(&ALL, ",", true);
    let plain = broker.write("list.csv", csv.as_bytes());
    let dir = plain.parent().unwrap();
    pack(dir, "tar", &["-cf", "a.tar", "list.csv"]);
    pack(dir, "tar", &["-cJf", "a.tar.xz", "list.csv"]);
    for (program, end) in [
        ("gzip", "gz"),
        ("bzip2", "bz2"),
        ("xz", "xz"),
        ("zstd", "zst"),
    ] {
        let out = std::fs::File::create(dir.join(format!("a.csv.{end}"))).unwrap();
        let packed = Command::new(program)
            .args(["-c", "list.csv"])
            .current_dir(dir)
            .stdout(out)
            .status();
        assert!(packed.unwrap().success());
    }
    pack(dir, "7z", &["a", "-bd", "a.7z", "list.csv"]);
    pack(dir, "7z", &["a", "-bd", "-tzip", "a.zip", "list.csv"]);
    for method in ["Deflate64", "BZip2", "LZMA"] {
        let name = format!("{method}.zip");
        let method = format!("-mm={method}");
        pack(
            dir,
            "7z",
            &["a", "-bd", "-tzip", &method, &name, "list.csv"],
        );
    }
    pack(dir, "7z", &["a", "-bd", "-m0=ppmd", "ppmd.7z", "list.csv"]);
    pack(dir, "7z", &["a", "-bd", "nested.7z", "a.zip", "a.tar.xz"]);
    for (name, packing) in [
        ("a.tar", vec!["tar"]),
        ("a.tar.xz", vec!["xz", "tar"]),
        ("a.csv.gz", vec!["gzip"]),
        ("a.csv.bz2", vec!["bzip2"]),
        ("a.csv.xz", vec!["xz"]),
        ("a.csv.zst", vec!["zstd"]),
        ("a.7z", vec!["7z"]),
        ("ppmd.7z", vec!["7z"]),
        ("a.zip", vec!["zip"]),
        ("Deflate64.zip", vec!["zip"]),
        ("BZip2.zip", vec!["zip"]),
        ("LZMA.zip", vec!["zip"]),
    ] {
        let traced = broker
            .otori
            .json(&["trace", dir.join(name).to_str().unwrap()]);
        assert_eq!(
            traced["sources"][0]["found"], 30,
            "{name}: {}",
            traced["file"]
        );
        assert_eq!(
            traced["file"]["parts"][0]["packing"],
            json!(packing),
            "{name}"
        );
        assert_eq!(traced["file"]["rows"], 3_030, "{name}");
        let bytes = std::fs::read(dir.join(name)).unwrap();
        assert_eq!(traced["file"]["bytes"], bytes.len(), "{name}");
        let sum = run(Command::new("sha256sum").arg(dir.join(name)));
        let sum = String::from_utf8(sum).unwrap();
        assert_eq!(
            sum.split(' ').next(),
            traced["file"]["sha256"].as_str(),
            "{name}"
        );
        // Cut off in the middle: what came before is read, or the fault is told.
        let cut = broker.write("cut", &bytes[..bytes.len() / 2]);
        let output = broker
            .otori
            .command(&["trace", cut.to_str().unwrap(), "--json"])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(!told.contains("panicked"), "{name}: {told}");
        let broken = output.status.code() == Some(1) || told.contains("\"broken\"");
        assert!(broken, "{name}: {told}");
    }
    let nested = broker
        .otori
        .json(&["trace", dir.join("nested.7z").to_str().unwrap()]);
    assert_eq!(nested["file"]["rows"], 6_060);
    let parts = nested["file"]["parts"].as_array().unwrap();
    let names: Vec<&str> = parts.iter().map(|part| text(&part["name"])).collect();
    assert!(
        names.contains(&"a.zip/list.csv") && names.contains(&"a.tar.xz/list.csv"),
        "{names:?}"
    );
    let part = text(&nested["canaries"][0]["part"]);
    assert!(names.contains(&part), "{part}");
}

#[tokio::test]
async fn what_is_locked_or_no_list_is_told() {
    let broker = Broker::new().await;
    let csv = broker.list(&ALL, ",", true);
    let plain = broker.write("list.csv", csv.as_bytes());
    let dir: PathBuf = plain.parent().unwrap().to_owned();
    pack(
        &dir,
        "7z",
        &["a", "-bd", "-psecret", "locked.7z", "list.csv"],
    );
    pack(
        &dir,
        "7z",
        &["a", "-bd", "-psecret", "-mhe=on", "names.7z", "list.csv"],
    );
    pack(
        &dir,
        "7z",
        &["a", "-bd", "-tzip", "-psecret", "locked.zip", "list.csv"],
    );
    pack(
        &dir,
        "7z",
        &[
            "a",
            "-bd",
            "-tzip",
            "-psecret",
            "-mem=AES256",
            "aes.zip",
            "list.csv",
        ],
    );
    // An archive that says it looks back on a gigabyte.
    pack(
        &dir,
        "7z",
        &["a", "-bd", "-tzip", "-mm=LZMA", "wide.zip", "list.csv"],
    );
    let mut wide = std::fs::read(dir.join("wide.zip")).unwrap();
    let word = |at: usize| usize::from(u16::from_le_bytes([wide[at], wide[at + 1]]));
    let window = 30 + word(26) + word(28) + 5;
    wide[window..window + 4].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    broker.write("wide.zip", &wide);
    let noise: Vec<u8> = (0..40_000_u32)
        .map(|n| (n.wrapping_mul(n) >> 3) as u8)
        .collect();
    broker.write("noise.bin", &noise);
    broker.write("small.png", b"\x89PNG\r\n\x1a\nrest");
    for (name, words) in [
        ("locked.7z", "password"),
        ("names.7z", "password"),
        ("locked.zip", "password"),
        ("aes.zip", "password"),
        ("wide.zip", "takes too much memory"),
        ("noise.bin", "neither text nor a format"),
        ("small.png", "a picture"),
    ] {
        let path = dir.join(name);
        let told = failed(&broker.otori, &["trace", path.to_str().unwrap()]);
        assert!(
            told.contains(words) && told.contains(name),
            "{name}: {told}"
        );
    }
    // Whatever is in it, a list of which a part cannot be read clears nobody.
    let strangers: String = broker
        .strangers
        .iter()
        .map(|l| l.join(",") + "\r\n")
        .collect();
    let strangers = broker.write(
        "strangers.csv",
        (HEADER.join(",") + "\r\n" + &strangers).as_bytes(),
    );
    let locked = dir.join("locked.zip");
    let both = [&strangers, &locked].map(|path| path.to_str().unwrap());
    let traced = broker.otori.json(&["trace", both[0]]);
    assert_eq!(traced["verdict"], "no_canary", "{traced}");
    let traced = broker
        .otori
        .json(&["trace", "--together", both[0], both[1]]);
    assert_eq!(traced["verdict"], "inconclusive", "{traced}");
    assert_eq!(traced["cleared"], serde_json::json!([]), "{traced}");
    let words = broker
        .otori
        .command(&["trace", "--together", both[0], both[1]])
        .output();
    let words = String::from_utf8(words.unwrap().stdout).unwrap();
    assert!(
        words.contains("a part of it could not be read: nobody is cleared"),
        "{words}"
    );
    // So does a directory that holds one, and an archive with one among its members.
    let held = dir.join("held");
    std::fs::create_dir(&held).unwrap();
    for path in [&strangers, &locked] {
        std::fs::copy(path, held.join(path.file_name().unwrap())).unwrap();
    }
    pack(
        &held,
        "7z",
        &["a", "-bd", "-tzip", "../half.zip", "strangers.csv"],
    );
    pack(
        &held,
        "7z",
        &["a", "-bd", "-tzip", "-psecret", "../half.zip", "locked.zip"],
    );
    for path in [held, dir.join("half.zip")] {
        let traced = broker.otori.json(&["trace", path.to_str().unwrap()]);
        assert_eq!(traced["verdict"], "inconclusive", "{path:?}: {traced}");
        assert_eq!(
            traced["cleared"],
            serde_json::json!([]),
            "{path:?}: {traced}"
        );
    }
    // Beside a list, what cannot be read is a part with its fault.
    pack(
        &dir,
        "7z",
        &[
            "a",
            "-bd",
            "-tzip",
            "both.zip",
            "list.csv",
            "locked.7z",
            "noise.bin",
        ],
    );
    let traced = broker
        .otori
        .json(&["trace", dir.join("both.zip").to_str().unwrap()]);
    assert_eq!(traced["sources"][0]["found"], 30);
    let parts = traced["file"]["parts"].as_array().unwrap();
    let broken: Vec<&str> = parts
        .iter()
        .filter_map(|part| part["broken"].as_str())
        .collect();
    assert_eq!(broken.len(), 2, "{parts:?}");
    let words = broker
        .otori
        .command(&["trace", dir.join("both.zip").to_str().unwrap()])
        .output();
    let words = String::from_utf8(words.unwrap().stdout).unwrap();
    assert!(words.contains("encrypted with a password"), "{words}");
}

/// The shop's dump as the database's own tool writes it.
fn dumped(ground: &Ground, options: &[&str]) -> Vec<u8> {
    let url: url::Url = ground.url.parse().unwrap();
    match ground.engine {
        Engine::Postgres => run(Command::new("pg_dump").args(options).arg(&ground.url)),
        Engine::MySql => run(Command::new("mariadb-dump")
            .args([
                "--no-defaults",
                "--default-character-set=utf8mb4",
                "-h",
                url.host_str().unwrap(),
            ])
            .args(["-P", &url.port().unwrap().to_string(), "-u", url.username()])
            .args(options)
            .arg(url.path().trim_start_matches('/'))
            .env("MYSQL_PWD", url.password().unwrap())),
        _ => run(Command::new("sqlite3")
            .arg(ground.url.trim_start_matches("sqlite:"))
            .arg(".dump")),
    }
}

async fn dumps(engine: Engine, options: &[&[&str]]) {
    let (otori, ground) = prepared(engine, 300).await;
    enlarge(&otori);
    let _other = innocent(&otori).await;
    otori.json(&["plant", "shop", "--count", "30"]);
    for options in options {
        let path = otori.dir().join("dump.sql");
        std::fs::write(&path, dumped(&ground, options)).unwrap();
        let traced = otori.json(&["trace", path.to_str().unwrap()]);
        assert_eq!(text(&traced["file"]["format"]), "sql", "{options:?}");
        let sources = traced["sources"].as_array().unwrap();
        assert_eq!(sources.len(), 1, "{options:?}: {traced}");
        assert_eq!(
            (text(&sources[0]["source"]), &sources[0]["found"]),
            ("shop", &Value::from(30)),
            "{options:?}"
        );
        let parts = traced["file"]["parts"].as_array().unwrap();
        let customers = parts
            .iter()
            .find(|part| text(&part["name"]) == "顧客")
            .unwrap();
        assert_eq!(customers["rows"], 330, "{options:?}");
        assert_eq!(
            customers["bad_rows"]["count"], 0,
            "{options:?}: {customers}"
        );
    }
}

#[tokio::test]
async fn dumps_of_postgresql() {
    dumps(
        Engine::Postgres,
        &[&[], &["--inserts"], &["--column-inserts"]],
    )
    .await;
}

#[tokio::test]
async fn dumps_of_mariadb() {
    dumps(
        Engine::MySql,
        &[
            &[],
            &["--skip-extended-insert", "--complete-insert"],
            &["--hex-blob", "--compact"],
        ],
    )
    .await;
}

#[tokio::test]
async fn dumps_of_sqlite() {
    dumps(Engine::Sqlite, &[&[]]).await;
}
