//! The layer rule of `lib.rs`, held by reading the source.

use std::path::{Path, PathBuf};

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Every place in a module's folder that names one of the words.
fn places(module: &str, words: &[String]) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in files(&src.join(module)) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            if words.iter().any(|word| code.contains(word.as_str())) {
                let path = path.strip_prefix(&src).unwrap().display();
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn features_never_import_each_other() {
    let features = [
        "source", "plant", "receive", "alert", "drill", "trace", "report",
    ];
    for feature in features {
        let others = features.iter().filter(|other| **other != feature);
        let others: Vec<String> = others.map(|other| format!("crate::{other}")).collect();
        assert_eq!(places(feature, &others), Vec::<String>::new());
    }
}

#[test]
fn only_the_command_line_knows_the_command_line() {
    for module in [
        "persona", "notation", "canary", "weigh", "blend", "registry", "database", "source",
        "plant", "receive", "alert", "drill", "drip", "stealth", "trace", "report",
    ] {
        let found = places(module, &words(&["crate::cli", "anyhow"]));
        assert_eq!(found, Vec::<String>::new());
    }
}

#[test]
fn the_ground_floor_is_pure() {
    let impure = words(&[
        "tokio",
        "sqlx",
        "now_utc",
        "SystemTime",
        "Instant",
        "rand::rng()",
        "thread_rng",
        "std::net",
        "crate::registry",
        "crate::database",
        "crate::workspace",
    ]);
    for module in [
        "persona", "notation", "canary", "weigh", "evidence", "blend", "drip", "stealth",
    ] {
        assert_eq!(places(module, &impure), Vec::<String>::new());
    }
    // One door to the outside: an operator's own seed tables.
    let found = places("notation", &words(&["std::fs"]));
    assert_eq!(found, Vec::<String>::new());
}
