//! The watch that is kept beside the registry: it is used while it holds, and never longer.

use std::path::{Path, PathBuf};
use std::process::Output;

use otori::canary::{BatchId, SourceName, State};
use serde_json::Value;
use time::OffsetDateTime;

use crate::harness::{Otori, TARO, Who};
use crate::servers;

const FAMILIES: [(&str, &str); 5] = [
    ("髙橋", "タカハシ"),
    ("森", "モリ"),
    ("長谷川", "ハセガワ"),
    ("渡邊", "ワタナベ"),
    ("五十嵐", "イガラシ"),
];
const CANARIES: usize = 520;

/// A workspace of many canaries, and a list with some of them.
async fn leaked(registry: &str) -> (Otori, PathBuf) {
    let otori = Otori::on(registry).await;
    let texts: Vec<[String; 4]> = (0..CANARIES)
        .map(|number| {
            let unit = 100 + number;
            let given = format!("{}郎", ["一", "二", "三", "次", "四"][number / 5 % 5]);
            let kana = ["イチロウ", "ジロウ", "サブロウ", "ツグロウ", "シロウ"][number / 5 % 5];
            [given, kana.to_owned(), unit.to_string(), mail(number)]
        })
        .collect();
    let people = (texts.iter().enumerate()).map(|(number, [given, kana, unit, mail])| Who {
        family: FAMILIES[number % 5],
        given: (given, kana),
        unit,
        mail,
    });
    otori
        .plant("school", &people.collect::<Vec<Who<'_>>>())
        .await;
    let mut list = "氏名,メール\n".to_owned();
    for number in 0..400 {
        list += &format!("田中 {number}郎,t{number}@mail.example\n");
        if number % 10 == 3 {
            let family = FAMILIES[number % 5].0;
            list += &format!("{family} {},{}\n", texts[number][0], mail(number));
        }
    }
    list += "山田 太郎,taro@decoys.example\n";
    let path = otori.dir().join("list.csv");
    std::fs::write(&path, list).unwrap();
    (otori, path)
}

fn mail(number: usize) -> String {
    format!("canary{number}@decoys.example")
}

/// What `otori trace` says of the list, but for the time that it took, and what it says beside that.
fn traced(otori: &Otori, list: &Path) -> (Value, String) {
    let command = &["--json", "trace", list.to_str().unwrap()];
    let Output {
        status,
        stdout,
        stderr,
    } = otori.command(command).output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{told}");
    let mut report: Value = serde_json::from_slice(&stdout).unwrap();
    report.as_object_mut().unwrap().remove("elapsed_seconds");
    (report, told)
}

fn found(report: &Value, source: &str) -> u64 {
    let sources = report["sources"].as_array().unwrap().iter();
    let mut own = sources.filter(|own| own["source"] == source);
    own.next().map_or(0, |own| own["found"].as_u64().unwrap())
}

async fn kept_while_it_holds(registry: &str) {
    let (otori, list) = leaked(registry).await;
    let path = otori.dir().join("watch.index");
    let (first, told) = traced(&otori, &list);
    assert_eq!((found(&first, "school"), told.as_str()), (40, ""));
    let made = std::fs::read(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    for secret in ["canary17", "decoys", "髙橋"] {
        let mut windows = made.windows(secret.len());
        assert!(!windows.any(|window| window == secret.as_bytes()));
    }

    // That a list was traced changes no canary: the file is used, and stays.
    assert_eq!(traced(&otori, &list), (first.clone(), String::new()));
    assert_eq!(std::fs::read(&path).unwrap(), made);

    // What was changed, cut, or made by another hand is made anew, and told.
    let whole = made.len();
    let mut bent = made.clone();
    bent[whole / 2] ^= 1;
    for wrong in [&bent[..], &made[..whole - 1], &made[..whole - 45]] {
        std::fs::write(&path, wrong).unwrap();
        let (report, told) = traced(&otori, &list);
        assert_eq!(report, first);
        assert!(told.contains("watch.index cannot be read"), "{told}");
        assert_eq!(traced(&otori, &list), (first.clone(), String::new()));
    }
    for other in [&b"something else"[..], &made[..30], b""] {
        std::fs::write(&path, other).unwrap();
        assert_eq!(traced(&otori, &list), (first.clone(), String::new()));
    }

    // A canary that came since is found at once.
    let old = std::fs::read(&path).unwrap();
    otori.plant("shop", &[TARO]).await;
    let (report, told) = traced(&otori, &list);
    assert_eq!(found(&report, "school"), 40);
    assert!(report.to_string().contains("\"shop\""), "{told}");
    let now = std::fs::read(&path).unwrap();
    assert_ne!(now, old);
    // The old file says no more, even where somebody puts it back.
    std::fs::write(&path, old).unwrap();
    assert_eq!(traced(&otori, &list), (report, String::new()));

    // A batch that is taken out is dated so, and a source that is forgotten is in no file any more.
    let school: SourceName = "school".parse().unwrap();
    let removed = OffsetDateTime::now_utc();
    let batch = BatchId::new(&school, 1);
    let taken_out = otori
        .registry
        .set_batch_state(&batch, State::Unplanted, removed);
    taken_out.await.unwrap();
    let before = std::fs::read(&path).unwrap();
    traced(&otori, &list);
    let last = std::fs::read(&path).unwrap();
    assert_ne!(last, before);
    assert_eq!(
        otori.json(&["forget", "school", "--yes"])["forgotten"],
        CANARIES
    );
    for file in [None, Some(last)] {
        if let Some(file) = file {
            std::fs::write(&path, file).unwrap();
        }
        let (report, told) = traced(&otori, &list);
        assert_eq!((found(&report, "school"), told.as_str()), (0, ""));
    }
}

#[tokio::test]
async fn a_watch_is_kept_while_it_holds_beside_a_file() {
    kept_while_it_holds("sqlite:registry.db").await;
}

#[tokio::test]
async fn a_watch_is_kept_while_it_holds_beside_postgres() {
    kept_while_it_holds(&servers::postgres().await).await;
}

/// Where the file cannot be written a list is traced as before, and it is told.
#[tokio::test]
#[cfg(unix)]
async fn a_workspace_that_takes_no_file_is_traced_in() {
    let (otori, list) = leaked("sqlite:registry.db").await;
    std::fs::create_dir(otori.dir().join("watch.index")).unwrap();
    let (report, told) = traced(&otori, &list);
    assert_eq!(found(&report, "school"), 40);
    assert!(told.contains("watch.index could not be written"), "{told}");
}
