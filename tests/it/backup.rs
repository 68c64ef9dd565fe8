//! A workspace in one file, and back on an empty machine; a file that is not as it was made writes nothing.

use std::path::Path;
use std::process::{Command, Output};

use otori::registry::Mark;
use serde_json::Value;

use crate::harness::{Otori, PEOPLE};
use crate::publish::{EC, STAMPING, authority, configure};
use crate::servers;

const WORDS: &str = "correct horse battery staple";
/// The program on an empty machine: no environment but what is given.
fn elsewhere(args: &[&str], words: &str, dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_otori"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("OTORI_PASSPHRASE", words)
        .output()
        .unwrap()
}

fn backup(otori: &Otori, name: &str, more: &[&str]) -> String {
    let path = otori.dir().join(name).display().to_string();
    let output = otori
        .command(&["backup", &path])
        .args(more)
        .env("OTORI_PASSPHRASE", WORDS)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    path
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn restored_on_an_empty_machine_from_either_engine() {
    for url in ["sqlite:registry.db".to_owned(), servers::postgres().await] {
        let otori = Otori::on(&url).await;
        let canaries = otori.plant("school", &PEOPLE[1..2]).await;
        // What the configuration names comes along; a medium that is elsewhere does not.
        let tsa = otori.dir().join("tsa");
        std::fs::create_dir(&tsa).unwrap();
        authority(&tsa, "clock", &EC, STAMPING);
        std::fs::create_dir(otori.dir().join("vault")).unwrap();
        let witness = "[[evidence.witness]]\nname = 'vault'\ndirectory = 'vault'";
        configure(
            &otori,
            &format!("tsa_roots = 'tsa/clock-root.pem'\n{witness}"),
        );
        otori.json(&["pool", "list"]);
        let file = backup(&otori, "workspace.backup", &[]);
        let text = std::fs::read(&file).unwrap();
        for detail in ["花子", "hanako", "会員", "registry.key"] {
            let found = text
                .windows(detail.len())
                .any(|window| window == detail.as_bytes());
            assert!(!found, "{detail}");
        }
        let machine = tempfile::tempdir().unwrap();
        let back = [
            "restore",
            &file,
            "back",
            "--registry",
            "sqlite:registry.db",
            "--json",
        ];
        json(&elsewhere(&back, WORDS, machine.path()));
        let home = machine.path().join("back");
        let list = machine.path().join("list.csv");
        std::fs::write(&list, "name,mail\n佐藤花子,hanako@decoys.example\n").unwrap();
        let run = |args: &[&str]| json(&elsewhere(&[args, &["--json"]].concat(), "", &home));
        assert_eq!(run(&["evidence", "verify"])["ok"], true);
        let traced = run(&["trace", list.to_str().unwrap()]);
        assert_eq!(traced["canaries"][0]["canary"], canaries[0].id.as_str());
        assert_eq!(
            run(&["sightings"])["sightings"].as_array().unwrap().len(),
            0
        );
        // It goes on from there.
        run(&["pool", "add", "mail", "more.example"]);
        assert_eq!(run(&["evidence", "verify"])["ok"], true);
        // The same key in both, so the canary is found by its mark.
        let found = otori
            .registry
            .find(Mark::Email, "hanako@decoys.example")
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
    }
}

#[tokio::test]
async fn without_keys_it_opens_only_with_the_key_kept_elsewhere() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE[1..2]).await;
    let file = backup(&otori, "bare.backup", &["--without-keys"]);
    let machine = tempfile::tempdir().unwrap();
    json(&elsewhere(
        &["restore", &file, "back", "--json"],
        WORDS,
        machine.path(),
    ));
    let home = machine.path().join("back");
    let told = elsewhere(&["sightings"], "", &home);
    assert_eq!(told.status.code(), Some(1));
    assert!(!home.join("keys/registry.key").exists());
    std::fs::create_dir_all(home.join("keys")).unwrap();
    std::fs::copy(
        otori.dir().join("keys/registry.key"),
        home.join("keys/registry.key"),
    )
    .unwrap();
    json(&elsewhere(&["sightings", "--json"], "", &home));
}

#[tokio::test]
async fn a_backup_that_is_not_as_it_was_made_writes_nothing() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE[1..2]).await;
    let file = backup(&otori, "workspace.backup", &[]);
    let sound = std::fs::read(&file).unwrap();
    let machine = tempfile::tempdir().unwrap();
    let broken = machine.path().join("broken.backup");
    let refused = |bytes: &[u8], words: &str, told: &str| {
        std::fs::write(&broken, bytes).unwrap();
        let output = elsewhere(&["restore", "broken.backup", "back"], words, machine.path());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(told), "'{told}' is not in: {text}");
        assert!(!machine.path().join("back").exists(), "{told}");
    };
    refused(&sound, "wrong horse battery staple", "not the passphrase");
    refused(b"something else", WORDS, "no backup of otori");
    refused(&sound[..sound.len() - 1], WORDS, "cut off");
    refused(&sound[..sound.len() / 2], WORDS, "cut off");
    refused(&[&sound[..], b"x"].concat(), WORDS, "too many");
    for place in [sound.len() / 3, sound.len() / 2, sound.len() - 3] {
        let mut bent = sound.clone();
        bent[place] ^= 1;
        refused(&bent, WORDS, "was changed");
    }
    // What exists is left as it is.
    let again = otori
        .command(&["backup", &file])
        .env("OTORI_PASSPHRASE", WORDS)
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(std::fs::read(&file).unwrap(), sound);
    let weak = otori
        .command(&["backup", &format!("{file}.2")])
        .env("OTORI_PASSPHRASE", "short")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&weak.stderr).contains("too short"));
    std::fs::write(&broken, &sound).unwrap();
    let taken = elsewhere(
        &["restore", "broken.backup", otori.dir().to_str().unwrap()],
        WORDS,
        machine.path(),
    );
    assert!(String::from_utf8_lossy(&taken.stderr).contains("is a workspace already"));
}
