//! A watch list as it is handed out, and as the firm that gets it uses it.

use std::path::Path;
use std::process::{Command, Output};

use otori::evidence::Act;
use serde_json::Value;

use crate::custody::{done, house, refused, run};
use crate::harness::{Otori, PEOPLE};

/// The program as it runs where there is no workspace.
fn elsewhere(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_otori"))
        .env_remove("OTORI_WORKSPACE")
        .current_dir(dir)
        .args(args)
        .output()
        .unwrap()
}

/// A list of names and mail addresses with the canaries of [`PEOPLE`] among strangers.
fn list(canaries: usize) -> String {
    let mut list = "氏名,メール\n".to_owned();
    for number in 0..200 {
        list += &format!("田中 {number}郎,t{number}@mail.example\n");
    }
    for who in &PEOPLE[..canaries] {
        list += &format!("{} {},{}\n", who.family.0, who.given.0, who.mail);
    }
    list
}

#[tokio::test]
async fn a_firm_without_a_workspace_names_a_pseudonym() {
    let otori = Otori::new().await;
    let canaries = otori.plant("school", &PEOPLE).await;
    let file = otori.dir().join("list.watch");
    let export = |args: &[&str]| {
        let out = file.to_str().unwrap();
        let all = [
            &[
                "watchlist",
                "export",
                "--for",
                "Example Forensics",
                "--out",
                out,
            ],
            args,
        ];
        otori.command(&all.concat()).arg("--json").output().unwrap()
    };
    let exported: Value = serde_json::from_slice(&export(&[]).stdout).unwrap();
    assert_eq!(exported["canaries"], 3, "{exported}");
    assert_eq!(exported["unseen"], 0);
    assert_eq!(exported["sources"][0]["source"], "school");
    let pseudonym = exported["sources"][0]["pseudonym"].as_str().unwrap();
    assert!(exported["cheapest"]["guesses"].as_f64().unwrap() >= 5e12);
    assert!(exported["cheapest"]["core_seconds"].as_f64().unwrap() > 1e6);

    let text = std::fs::read_to_string(&file).unwrap();
    for who in &PEOPLE {
        assert!(!text.contains(who.mail) && !text.contains(who.given.0));
    }
    assert!(!text.contains("school") && text.contains(pseudonym));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // What was handed out is in the log, and what stands there already is left as it is.
    let acts = otori.registry.acts().await.unwrap();
    let told = acts.iter().find_map(|entry| match &entry.act {
        Act::WatchlistExported {
            recipient,
            sha256,
            canaries,
            ..
        } => Some((recipient.as_str(), sha256.as_str(), *canaries)),
        _ => None,
    });
    let sha256 = exported["sha256"].as_str().unwrap();
    assert_eq!(told, Some(("Example Forensics", sha256, 3)));
    refused(&export(&[]), "is there already");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let listed = otori.json(&["watchlist", "list"]);
    assert_eq!(listed["watchlists"].as_array().unwrap().len(), 1);
    assert_eq!(listed["watchlists"][0]["sources"], exported["sources"]);

    let firm = tempfile::tempdir().unwrap();
    std::fs::write(firm.path().join("list.csv"), list(2)).unwrap();
    let watchlist = file.to_str().unwrap();
    let args = ["trace", "--watchlist", watchlist, "list.csv", "--json"];
    let output = elsewhere(firm.path(), &args);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let traced: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(traced["verdict"], "attributed", "{traced}");
    assert_eq!(traced["sources"][0]["source"], pseudonym);
    let ids: Vec<&str> = traced["canaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|canary| canary["canary"].as_str().unwrap())
        .collect();
    let planted: Vec<&str> = canaries[..2]
        .iter()
        .map(|canary| canary.id.as_str())
        .collect();
    assert_eq!(ids, planted);
    assert_eq!(traced["canaries"][0]["row"], 201);
    assert!(!traced.to_string().contains("school"));
    // The firm's trace is not the workspace's, and leaves nothing behind.
    assert_eq!(std::fs::read_dir(firm.path()).unwrap().count(), 1);
    let traces = otori.registry.acts().await.unwrap();
    assert!(
        !traces
            .iter()
            .any(|entry| matches!(entry.act, Act::Traced { .. }))
    );

    // The registry says of the same list what the firm says.
    let mine = firm.path().join("list.csv");
    let known = otori.json(&["trace", mine.to_str().unwrap()]);
    assert_eq!(known["canaries"][1]["row"], traced["canaries"][1]["row"]);
    assert_eq!(known["sources"][0]["found"], traced["sources"][0]["found"]);
}

#[tokio::test]
async fn what_cannot_be_exported_or_used_is_told() {
    let otori = Otori::new().await;
    let out = otori.dir().join("w.jsonl");
    let out = out.to_str().unwrap();
    let export = ["watchlist", "export", "--for", "X", "--out", out];
    refused(
        &otori.command(&export).output().unwrap(),
        "no canary is planted",
    );
    otori.plant("school", &PEOPLE).await;
    let stray = [&export[..], &["--source", "shop"]].concat();
    refused(&otori.command(&stray).output().unwrap(), "no source 'shop'");
    for wrong in [
        &["--guesses", "12"][..],
        &["--dates", "hour"],
        &["--for", "a\nb"],
    ] {
        let args = [&export[..], wrong].concat();
        assert_eq!(
            otori.command(&args).output().unwrap().status.code(),
            Some(2)
        );
    }
    assert!(!Path::new(out).exists());

    let list_file = otori.dir().join("list.csv");
    std::fs::write(&list_file, list(1)).unwrap();
    let list_file = list_file.to_str().unwrap();
    for (watchlist, words) in [
        (list_file, "no watch list"),
        ("/nowhere/w.jsonl", "No such file"),
    ] {
        let output = elsewhere(otori.dir(), &["trace", "--watchlist", watchlist, list_file]);
        refused(&output, words);
        refused(&output, watchlist);
    }
}

#[tokio::test]
async fn an_export_takes_an_admin_and_where_it_is_said_two_people() {
    let (otori, _) = house("enforce = true\nfour_eyes = [\"reveal\"]").await;
    let out = otori.dir().join("w.jsonl");
    let export = [
        "watchlist",
        "export",
        "--for",
        "X",
        "--out",
        out.to_str().unwrap(),
    ];
    for name in ["anna", "audit"] {
        refused(&run(&otori, name, &export), "may not change the workspace");
    }
    let asked = run(&otori, "alice", &export);
    assert_eq!(asked.status.code(), Some(1));
    assert!(!out.exists());
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
    done(
        &otori,
        "bob",
        &["approve", &asked["request"]["id"].to_string()],
    );
    done(&otori, "alice", &export);
    assert!(out.exists());
    let listed = done(&otori, "audit", &["watchlist", "list"]);
    assert_eq!(listed["watchlists"][0]["by"], "alice");
}
