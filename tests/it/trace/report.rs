//! Reports that are shown to strangers, and lists whose makers would like to write in them.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Otori, PEOPLE};

/// A list whose header would run a script, colour a terminal and start a program in a spreadsheet.
const HEADER: &str = "氏名,<script>alert(1)</script>,\u{1b}[31mred,=cmd|'/c calc'!A1\n";
const SECRET: &str = "田中 七郎";

async fn bought() -> (Otori, String) {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let mut list = HEADER.to_owned();
    for number in 0..300 {
        list += &format!("田中 {number}郎,t{number}@mail.example,<b>{number}</b>,=1+1\n");
    }
    list += &format!("{SECRET},seven@mail.example,x,y\n");
    for who in &PEOPLE[..2] {
        list += &format!(
            "{} {},{},\"<i>\",@SUM(A1)\n",
            who.family.0, who.given.0, who.mail
        );
    }
    let path = otori.dir().join("bought <img src=x>.csv");
    std::fs::write(&path, list).unwrap();
    (otori, path.to_str().unwrap().to_owned())
}

/// What the terminal and the page say.
fn shown(otori: &Otori, args: &[&str]) -> (String, String) {
    let page = otori.dir().join("page.html");
    let all = [&["trace", "--html", page.to_str().unwrap()], args].concat();
    let output = otori.command(&all).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    (told, std::fs::read_to_string(page).unwrap())
}

#[tokio::test]
async fn nothing_that_a_list_says_runs_in_its_report() {
    let (otori, list) = bought().await;
    let (told, page) = shown(&otori, &[&list]);
    assert!(told.starts_with("This list comes from school."), "{told}");
    assert!(!told.contains('\u{1b}'), "{told:?}");
    for bad in [
        "<script",
        "<b>",
        "<i>",
        "<img",
        "\u{1b}",
        "@SUM",
        "javascript:",
    ] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("&lt;script&gt;"));
    assert!(page.contains("default-src 'none'"));
    // It loads nothing: no address but the name of the drawing language.
    let addresses = page.matches("http://").count() + page.matches("https://").count();
    assert_eq!(
        addresses,
        page.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(
        page.matches("<svg").count() >= 3,
        "shares, timeline and marks"
    );
    assert!(page.contains("spelt as planted") && page.contains("2 of 2"));
    // A page that was there before is replaced, and nothing else is left.
    let pages = |dir: &Path| {
        let names = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().contains("report-"))
            .count()
    };
    shown(&otori, &[&list]);
    assert_eq!(pages(otori.dir()), 0);
}

#[tokio::test]
async fn a_redacted_report_shows_ids_and_numbers_only() {
    let (otori, list) = bought().await;
    let open = otori.json(&["trace", &list]);
    let redacted = otori.json(&["trace", &list, "--redact"]);
    let (told, page) = shown(&otori, &[&list, "--redact"]);
    let json = redacted.to_string();
    for text in [&told, &page, &json] {
        for hidden in [
            "school", "bought", "氏名", "alert(1)", "cmd|", "[31m", "/c calc",
        ] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        assert!(text.contains("source-1"), "{text}");
        assert!(text.contains(open["file"]["sha256"].as_str().unwrap()));
        assert!(text.contains(open["canaries"][1]["canary"].as_str().unwrap()));
    }
    assert_eq!(redacted["redacted"], true);
    assert_eq!(open.get("redacted"), None);
    for key in ["verdict", "false_accusation_probability"] {
        assert_eq!(redacted[key], open[key]);
    }
    for key in [
        "found",
        "live",
        "log10_lr",
        "share",
        "rows_estimate",
        "window",
    ] {
        assert_eq!(
            redacted["sources"][0][key], open["sources"][0][key],
            "{key}"
        );
    }
    assert_eq!(redacted["canaries"][0]["batch"], "source-1-1");
    assert_eq!(redacted["file"]["rows"], open["file"]["rows"]);
    assert_eq!(redacted["file"]["columns"][0]["header"], Value::Null);
    assert_eq!(
        redacted["file"]["columns"][0]["role"],
        open["file"]["columns"][0]["role"]
    );
    // What is recorded is what was found.
    let acts = otori.registry.acts().await.unwrap();
    let named = acts.iter().filter_map(|entry| match &entry.act {
        otori::evidence::Act::Traced { sources, .. } => Some(sources.clone()),
        _ => None,
    });
    let named: Vec<Vec<String>> = named.collect();
    assert_eq!(named, vec![vec!["school".to_owned()]; 3]);
}
