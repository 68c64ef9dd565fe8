//! `otori demo`: the whole story ends with a verdict that agrees with the truth, whoever leaks.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otori"));
    command.arg("demo").args(args).stdin(Stdio::null());
    command
}

fn leaks(company: &str) {
    let output = demo(&["--json", "--leak", company]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["agrees"], true);
    assert_eq!(document["leaked"], company);
    let trace = &document["trace"];
    assert_eq!(trace["sources"].as_array().unwrap().len(), 1);
    assert_eq!(trace["sources"][0]["source"], company);
    assert_eq!(trace["cleared"].as_array().unwrap().len(), 2);
    assert!(told.contains("alert to the security team"), "{told}");
    // The thief came after the second batch; the list holds none of the third.
    let canaries = trace["canaries"].as_array().unwrap();
    let third = format!("{company}-3");
    assert!(
        canaries.len() > 20
            && canaries
                .iter()
                .all(|canary| canary["batch"] != third.as_str())
    );
    // Nothing is left behind without --keep.
    assert!(document.get("workspace").is_none());
}

#[test]
fn a_school_without_mail_addresses_leaks() {
    leaks("school");
}

#[test]
fn a_web_shop_leaks() {
    leaks("shop");
}

#[test]
fn an_american_club_leaks() {
    leaks("club");
}

#[test]
fn kept_running_its_pages_are_where_it_says() {
    let mut child = demo(&["--keep"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut after = |word: &str| {
        let found = lines.find_map(|line| Some(line.trim().strip_prefix(word)?.trim().to_owned()));
        found.unwrap_or_else(|| panic!("no line begins with '{word}'"))
    };
    let workspace = after("workspace");
    let dashboard = after("dashboard");
    let url = dashboard.split_whitespace().next().unwrap();
    let token = std::fs::read_to_string(Path::new(&workspace).join("keys/operator.token")).unwrap();
    let user = format!("operator:{}", token.trim());
    let page = Command::new("curl")
        .args(["-sf", "-u", &user, url])
        .output()
        .unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(
        page.contains("Incidents") && page.contains("shop"),
        "{page}"
    );

    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // What was kept is whole: the command line reads it.
    let sightings = Command::new(env!("CARGO_BIN_EXE_otori"))
        .args(["--workspace", &workspace, "sightings", "--json"])
        .output()
        .unwrap();
    let sightings: Value = serde_json::from_slice(&sightings.stdout).unwrap();
    assert_eq!(sightings["sightings"].as_array().unwrap().len(), 5);
    std::fs::remove_dir_all(workspace).unwrap();
}
