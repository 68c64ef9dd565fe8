//! A list in parts, several files and directories as one list, standard input, and Ctrl-C.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use otori::evidence::Act;
use serde_json::Value;

use crate::custody::refused;
use crate::harness::{Otori, PEOPLE};

/// A workspace with three canaries, and a list with two of them.
async fn leaked() -> (Otori, PathBuf) {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let mut list = "氏名,メール\n".to_owned();
    for number in 0..400 {
        list += &format!("田中 {number}郎,t{number}@mail.example\n");
        if let Some(who) = PEOPLE[..2].get(number / 150).filter(|_| number % 150 == 7) {
            list += &format!("{} {},{}\n", who.family.0, who.given.0, who.mail);
        }
    }
    let path = otori.dir().join("list.csv");
    std::fs::write(&path, list).unwrap();
    (otori, path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The program's answer to what comes on its standard input.
fn piped(otori: &Otori, args: &[&str], input: &[u8]) -> Output {
    let mut command = otori.command(args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// A report without what differs between runs.
fn without(mut report: Value, keys: &[&str]) -> Value {
    report.as_object_mut().unwrap().remove("elapsed_seconds");
    for key in keys {
        report["file"].as_object_mut().unwrap().remove(*key);
    }
    report
}

#[tokio::test]
async fn stretches_merge_to_the_report_of_the_whole() {
    let (otori, list) = leaked().await;
    let whole = otori.json(&["trace", text(&list)]);
    assert_eq!(whole["sources"][0]["found"], 2, "{whole}");
    let layout = otori.dir().join("layout.json");
    let understood = ["trace", "layout", text(&list), "--out", text(&layout)];
    assert!(otori.command(&understood).status().unwrap().success());
    let content = std::fs::read_to_string(&list).unwrap();
    let lines: Vec<&str> = content.split_inclusive('\n').collect();
    let mut parts = Vec::new();
    for (number, lines) in lines.chunks(100).enumerate() {
        let args = ["trace", "--partial", "--layout", text(&layout), "-"];
        let output = piped(&otori, &args, lines.concat().as_bytes());
        assert!(output.status.success(), "{output:?}");
        let part = otori.dir().join(format!("part-{number}.json"));
        std::fs::write(&part, output.stdout).unwrap();
        parts.push(part);
    }
    assert_eq!(parts.len(), 5);
    let parts: Vec<&str> = parts.iter().map(|part| text(part)).collect();
    let merge = [&["trace", "merge", "--whole", text(&list)], &parts[..]].concat();
    // Nothing is recorded of a part alone.
    let acts = otori.registry.acts().await.unwrap();
    let traces = acts
        .iter()
        .filter(|entry| matches!(entry.act, Act::Traced { .. }));
    assert_eq!(traces.count(), 1);
    let merged = otori.json(&merge);
    assert_eq!(without(merged, &[]), without(whole.clone(), &[]));
    let unnamed = otori.json(&[&["trace", "merge"], &parts[..]].concat());
    let apart = ["name", "sha256", "files"];
    assert_eq!(without(unnamed.clone(), &apart), without(whole, &apart));
    assert_eq!(unnamed["file"]["files"].as_array().unwrap().len(), 5);

    // Another set of canaries is another trace.
    otori.plant("shop", &PEOPLE[..1]).await;
    let output = otori
        .command(&[&["trace", "merge"], &parts[..]].concat())
        .output()
        .unwrap();
    refused(&output, "other canaries");
    refused(&output, "part-0.json");
}

#[tokio::test]
async fn several_files_and_a_directory_are_one_list() {
    let (otori, list) = leaked().await;
    let dir = otori.dir().join("bought");
    std::fs::create_dir_all(dir.join("inner")).unwrap();
    let content = std::fs::read_to_string(&list).unwrap();
    let lines: Vec<&str> = content.split_inclusive('\n').collect();
    let head = lines[0];
    let (first, second) = (dir.join("a.csv"), dir.join("inner/b.csv"));
    std::fs::write(&first, lines[..150].concat()).unwrap();
    std::fs::write(&second, format!("{head}{}", lines[150..].concat())).unwrap();
    std::fs::write(dir.join("empty.csv"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.join("link")).unwrap();

    let traced = otori.json(&["trace", text(&dir)]);
    assert_eq!(traced["sources"][0]["found"], 2, "{traced}");
    assert_eq!(traced["file"]["rows"], 402);
    assert_eq!(traced["file"]["name"], "bought");
    let part = |name: &str| {
        let parts = traced["file"]["parts"].as_array().unwrap();
        parts
            .iter()
            .find(|part| part["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(part("inner/b.csv")["rows"], 253);
    assert_eq!(part("empty.csv")["broken"], "it is empty");
    assert_eq!(part("link")["broken"], "a link, which is not followed");
    let places: Vec<(&str, u64)> = traced["canaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|canary| {
            let row = canary["row"].as_u64().unwrap();
            (canary["part"].as_str().unwrap(), row)
        })
        .collect();
    assert_eq!(places, [("a.csv", 9), ("inner/b.csv", 11)]);

    // Files that are named are one list only where that is asked for.
    let (first, second) = (text(&first), text(&second));
    let together = otori.json(&["trace", "--together", first, second]);
    assert_eq!(together["sources"], traced["sources"]);
    assert_eq!(together["file"]["name"], "a.csv and 1 more");
    let apart = otori.json(&["trace", first, second]);
    assert_eq!(apart["lists"].as_array().unwrap().len(), 2);
    let missing = otori.dir().join("missing.csv");
    let output = otori
        .command(&["trace", "--together", first, text(&missing)])
        .output()
        .unwrap();
    refused(&output, "no such file");
    for wrong in [&["--html", "x.html"][..], &["--partial"]] {
        let output = otori
            .command(&[&["trace", first, second], wrong].concat())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("--together"), "{told}");
    }
}

#[tokio::test]
async fn standard_input_is_a_list() {
    let (otori, list) = leaked().await;
    let content = std::fs::read(&list).unwrap();
    let output = piped(&otori, &["trace", "-", "--json"], &content);
    let piped_in: Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = otori.json(&["trace", text(&list)]);
    assert_eq!(without(piped_in, &["name"]), without(named, &["name"]));
    refused(&piped(&otori, &["trace", "-"], b""), "is empty");
    // A stretch may be empty: a cluster has more workers than lists have rows.
    let layout = otori.dir().join("layout.json");
    let understood = ["trace", "layout", text(&list), "--out", text(&layout)];
    assert!(otori.command(&understood).status().unwrap().success());
    let partial = ["trace", "--partial", "--layout", text(&layout), "-"];
    assert!(piped(&otori, &partial, b"").status.success());
    refused(&piped(&otori, &["trace", "layout", "-"], b""), "no row");
    refused(
        &piped(&otori, &["trace", "merge", text(&list)], b""),
        "no part's result",
    );
    let wrong = ["trace", "--layout", text(&list), text(&list)];
    refused(&otori.command(&wrong).output().unwrap(), "no layout");
}

/// Somebody who presses Ctrl-C finds nothing that looks like a report, and nothing in the log.
#[tokio::test]
async fn an_interrupted_trace_leaves_nothing_behind() {
    let (otori, _) = leaked().await;
    let page = otori.dir().join("page.html");
    let files = || {
        let mut names: Vec<_> = std::fs::read_dir(otori.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| !name.to_string_lossy().starts_with("registry.db"))
            .collect();
        names.sort();
        names
    };
    let before = files();
    for endless in [true, false] {
        let mut command = otori.command(&["trace", "-", "--html", text(&page)]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feeder = std::thread::spawn(move || {
            let mut written = 0_u64;
            // Nobody reads any more once it has ended.
            while stdin.write_all(b"name,mail\nA,a@mail.example\n").is_ok() {
                written += 1;
                if !endless && written > 1_000 {
                    std::thread::sleep(std::time::Duration::from_secs(20));
                    break;
                }
            }
        });
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        let kill = std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let started = std::time::Instant::now();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(130), "{endless}");
        assert!(started.elapsed().as_secs() < 15);
        if endless {
            feeder.join().unwrap();
        }
    }
    assert_eq!(files(), before);
    let acts = otori.registry.acts().await.unwrap();
    let traced = |act: &Act| matches!(act, Act::Traced { .. });
    assert!(!acts.iter().any(|entry| traced(&entry.act)));
}

/// The same list through a Spark cluster: each partition is examined by itself, and the report is that
/// of one machine.
#[tokio::test]
async fn spark_gives_the_report_of_one_machine() {
    let python = std::env::var("OTORI_TEST_SPARK")
        .expect("OTORI_TEST_SPARK is not set: run the tests by tests/run");
    let (otori, list) = leaked().await;
    let watchlist = otori.dir().join("list.watch");
    otori.json(&[
        "watchlist",
        "export",
        "--for",
        "the cluster",
        "--out",
        text(&watchlist),
    ]);
    let alone = otori.json(&["trace", "--watchlist", text(&watchlist), text(&list)]);
    assert_eq!(alone["sources"][0]["found"], 2, "{alone}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(&python)
        .arg(root.join("examples/spark/trace.py"))
        .args([
            text(&list),
            "--watchlist",
            text(&watchlist),
            "--partitions",
            "5",
        ])
        .args(["--otori", env!("CARGO_BIN_EXE_otori")])
        .current_dir(otori.dir())
        .env("PYSPARK_PYTHON", &python)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .env("SPARK_LOCAL_HOSTNAME", "localhost")
        .env("SPARK_LOCAL_DIRS", otori.dir())
        .env(
            "PYSPARK_SUBMIT_ARGS",
            "--master local[2] --conf spark.ui.enabled=false pyspark-shell",
        )
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let spread: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(without(spread, &[]), without(alone, &[]));
}
