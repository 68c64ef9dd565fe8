//! Evidence handed out: checked on a machine that has nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{DOMAIN, NUMBER, Otori, PEOPLE};
use crate::publish::{EC, STAMPING, Witness, authority, c2sp, configure, run, tsa};
use crate::receive::{phone, post};

/// A workspace whose canaries got a mail, a call and a letter, stamped and witnessed, and what vouches for it.
struct House {
    otori: Otori,
    dir: Arc<TempDir>,
    witness: Witness,
    key: String,
}

impl House {
    async fn new() -> House {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        authority(dir.path(), "clock", &EC, STAMPING);
        let url = tsa(Arc::clone(&dir), "clock").await;
        let otori = Otori::hit("sqlite:registry.db").await;
        let key = otori.json(&["evidence", "key"])["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let witness = Witness::start(&key);
        let roots = dir.path().join("clock-root.pem");
        let lines = format!(
            "tsa = '{url}'\ntsa_roots = '{}'\n{}",
            roots.display(),
            witness.config()
        );
        configure(&otori, &lines);
        let receiver = otori.receive(&otori.config()).await;
        let call = json!({"to": NUMBER, "from": "+81300000000", "at": "2026-03-01T09:00:00+09:00",
            "kind": "call", "text": "佐藤花子様でしょうか", "id": "one"});
        phone::tell(&otori, &receiver, call).await;
        let fields = [
            ("addressee", "佐藤 花子 様"),
            ("address", ""),
            ("sender", "名簿屋"),
        ];
        post::file(&otori, &receiver, &fields, post::PNG).await;
        otori.settled().await;
        receiver.stop().await;
        House {
            otori,
            dir,
            witness,
            key,
        }
    }

    fn export(&self, more: &[&str]) -> PathBuf {
        let file = self.dir.path().join("evidence.zip");
        let _ = std::fs::remove_file(&file);
        let args = [
            &["evidence", "export", "--out", file.to_str().unwrap()],
            more,
        ]
        .concat();
        self.otori.json(&args);
        file
    }

    /// Everything that an outsider trusts.
    fn trust(&self) -> Vec<String> {
        let roots = self.dir.path().join("clock-root.pem");
        let roots = roots.to_str().unwrap();
        [
            "--key",
            &self.key,
            "--tsa-roots",
            roots,
            "--witness",
            &self.witness.key,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn verify(&self, bundle: &Path) -> Value {
        let trust = self.trust();
        let trust: Vec<&str> = trust.iter().map(String::as_str).collect();
        verify(bundle, &trust)
    }
}

/// The program, on a machine without workspace and environment.
fn verify(bundle: &Path, more: &[&str]) -> Value {
    let elsewhere = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_otori"))
        .args(["evidence", "verify", "--json"])
        .arg(bundle)
        .args(more)
        .current_dir(elsewhere.path())
        .env_clear()
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.stdout.is_empty() {
        assert_eq!(output.status.code(), Some(1), "{told}");
        return json!({"ok": false, "error": told});
    }
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.success(), document["ok"] == true, "{told}");
    document
}

fn unpack(bundle: &Path) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let file = std::fs::File::open(bundle).unwrap();
    zip::ZipArchive::new(file)
        .unwrap()
        .extract(dir.path())
        .unwrap();
    dir
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

#[track_caller]
fn found(document: &Value, place: &str) {
    assert_eq!(document["ok"], false, "{place}");
    let told = document.to_string();
    assert!(told.contains(place), "{place}: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn checked_with_nothing_else_and_by_others_tools() {
    let house = House::new().await;
    let bundle = house.export(&[]);
    let shown = house.verify(&bundle);
    assert_eq!(shown["ok"], true, "{shown:#}");
    assert_eq!(
        (&shown["messages"], &shown["key"]),
        (&3.into(), &house.key.as_str().into())
    );
    assert_eq!(shown["newest_stamp"]["trusted"], true);
    assert_eq!(
        shown["witnesses"],
        json!({"witness.example/w1": shown["entries"]})
    );
    // Without trust in anything it is whole, and says what is not known.
    let alone = verify(&bundle, &[]);
    assert_eq!(
        (&alone["ok"], &alone["newest_stamp"]["trusted"]),
        (&true.into(), &false.into())
    );

    let dir = unpack(&bundle);
    assert_eq!(house.verify(dir.path())["ok"], true);
    run(Command::new("sha256sum")
        .args(["--quiet", "-c", "SHA256SUMS"])
        .current_dir(dir.path()));
    let newest = files(&dir.path().join("log"));
    let note = newest
        .iter()
        .rfind(|path| path.extension().is_some_and(|e| e == "note"))
        .unwrap();
    run(Command::new(c2sp()).args(["note", &house.key]).arg(note));
    let entries = dir.path().join("log/entries.jsonl");
    run(Command::new(c2sp()).arg("tree").arg(&entries).arg(note));
    let token = newest
        .iter()
        .rfind(|path| path.extension().is_some_and(|e| e == "token"))
        .unwrap();
    run(Command::new("openssl")
        .args(["ts", "-verify", "-token_in", "-in"])
        .arg(token)
        .arg("-data")
        .arg(token.with_extension("note"))
        .arg("-CAfile")
        .arg(house.dir.path().join("clock-root.pem")));

    // The messages are as they came.
    let raw = |name: &str| std::fs::read(dir.path().join("messages").join(name)).unwrap();
    let mail = String::from_utf8(raw("000001/message.eml")).unwrap();
    assert!(
        mail.contains(&format!("hanako@{DOMAIN}")) && mail.contains("An offer"),
        "{mail}"
    );
    assert!(
        String::from_utf8(raw("000002/message.txt"))
            .unwrap()
            .contains("佐藤花子様")
    );
    assert_eq!(raw("000003/letter.png"), post::PNG);
    let page = std::fs::read_to_string(dir.path().join("READ-ME.html")).unwrap();
    assert!(page.contains("How to check it") && page.contains("確かめ方"));
    // Nothing of the canaries that nobody has written to.
    for path in files(dir.path()) {
        let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for other in [
            "髙橋",
            "圭祐",
            "渡邉",
            "ワタナベ",
            "keisuke@",
            "makoto@",
            "囮ハイツ",
        ] {
            assert!(!content.contains(other), "{other} in {}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_found_and_placed() {
    let house = House::new().await;
    let bundle = house.export(&[]);
    let dir = unpack(&bundle);
    let at = |name: &str| dir.path().join(name);
    let all = files(dir.path());
    assert!(all.len() > 15, "{all:?}");
    let name = |path: &Path| {
        path.strip_prefix(dir.path())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    for path in &all {
        let sound = std::fs::read(path).unwrap();
        // One bit, at the beginning, in the middle, at the end.
        for place in [0, sound.len() / 2, sound.len() - 1] {
            let mut changed = sound.clone();
            changed[place] ^= 1;
            std::fs::write(path, &changed).unwrap();
            let shown = house.verify(dir.path());
            assert_eq!(shown["ok"], false, "{} byte {place}", path.display());
            let told = shown.to_string();
            // A changed list names the file that it does not know any more.
            let placed = told.contains(&name(path)) || name(path) == "SHA256SUMS";
            assert!(placed, "{}: {told}", path.display());
        }
        std::fs::remove_file(path).unwrap();
        let shown = house.verify(dir.path());
        found(&shown, &name(path));
        std::fs::write(path, &sound).unwrap();
    }
    assert_eq!(house.verify(dir.path())["ok"], true, "everything is back");

    std::fs::write(at("messages/note.txt"), "hello").unwrap();
    found(&house.verify(dir.path()), "messages/note.txt");
    std::fs::remove_file(at("messages/note.txt")).unwrap();

    // Two files swapped.
    let (one, two) = (
        at("messages/000001/message.eml"),
        at("messages/000002/message.txt"),
    );
    let (first, second) = (std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    std::fs::write(&one, &second).unwrap();
    std::fs::write(&two, &first).unwrap();
    let shown = house.verify(dir.path());
    found(&shown, "messages/000001/message.eml");
    found(&shown, "message 2");
    std::fs::write(&one, &first).unwrap();
    std::fs::write(&two, &second).unwrap();

    // The log: a line removed, two swapped, the end cut off.
    let log = at("log/entries.jsonl");
    let sound = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = sound.lines().collect();
    let mut removed = lines.clone();
    removed.remove(2);
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    let cut = &lines[..lines.len() - 2];
    for (changed, place) in [
        (&removed[..], "entries.jsonl, line 3"),
        (&swapped, "entries.jsonl, line 3"),
        (cut, "it is cut off"),
    ] {
        std::fs::write(&log, changed.join("\n") + "\n").unwrap();
        found(&house.verify(dir.path()), place);
    }
    std::fs::write(&log, &sound).unwrap();

    // A forger who makes every hash in the bundle fit lacks the log's word for it.
    let mail = String::from_utf8(first.clone())
        .unwrap()
        .replace("An offer", "A threat");
    std::fs::write(&one, &mail).unwrap();
    let sum = |path: &Path| {
        let told = run(Command::new("sha256sum").arg(path));
        told.split_whitespace().next().unwrap().to_owned()
    };
    let put = |path: PathBuf, old: &str, new: &str| {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old));
        std::fs::write(path, text.replace(old, new)).unwrap();
    };
    std::fs::write(dir.path().join("../old.eml"), &first).unwrap();
    let (before, after) = (sum(&dir.path().join("../old.eml")), sum(&one));
    let list_before = sum(&at("contents.json"));
    put(at("contents.json"), &before, &after);
    put(at("SHA256SUMS"), &before, &after);
    put(at("SHA256SUMS"), &list_before, &sum(&at("contents.json")));
    let shown = house.verify(dir.path());
    found(&shown, "the log does not say that this list was handed out");
    found(&shown, "message 1");
    std::fs::remove_file(dir.path().join("../old.eml")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_s_key_and_another_s_bundle_are_told() {
    let house = House::new().await;
    let bundle = house.export(&[]);
    let stranger = Otori::hit("sqlite:registry.db").await;
    let other = stranger.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    found(&verify(&bundle, &["--key", &other]), "the log's key");
    let witness = Witness::start(&other);
    found(
        &verify(&bundle, &["--witness", &witness.key]),
        "the witness witness.example/w1",
    );
    let roots = house.dir.path().join("stranger-root.pem");
    authority(house.dir.path(), "stranger", &EC, STAMPING);
    let roots = roots.to_str().unwrap();
    found(&verify(&bundle, &["--tsa-roots", roots]), ".token");

    // The key gives way to a new one: the published old one still opens the bundle, and so does the new one.
    house.otori.json(&["key", "rotate", "evidence", "--yes"]);
    let later = house.export(&[]);
    let new = house.otori.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(new, house.key);
    for key in [&house.key, &new] {
        let shown = verify(&later, &["--key", key]);
        assert_eq!(shown["ok"], true, "{shown:#}");
    }
    found(&verify(&later, &["--key", &other]), "the log's key");

    // A cut-off file, and what is none.
    let whole = std::fs::read(&bundle).unwrap_or_else(|_| std::fs::read(&later).unwrap());
    let cut = house.dir.path().join("cut.zip");
    for length in [10, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&cut, &whole[..length]).unwrap();
        assert_eq!(verify(&cut, &[])["ok"], false, "{length}");
    }
    std::fs::write(&cut, [&whole[..], b"x"].concat()).unwrap();
    found(&verify(&cut, &[]), "behind its end");
    assert_eq!(verify(house.dir.path(), &[])["ok"], false);
    assert_eq!(verify(Path::new("/nowhere/evidence.zip"), &[])["ok"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_and_no_more() {
    let otori = Otori::hit("sqlite:registry.db").await;
    let file = otori.dir().join("one.zip");
    let path = file.to_str().unwrap();
    let done = otori.json(&["evidence", "export", "--out", path, "--incident", "1"]);
    assert_eq!(done["messages"], 1);
    assert_eq!(verify(&file, &[])["incident"], 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others may read it");
    }
    let names = |otori: &Otori| {
        let mut names: Vec<_> = std::fs::read_dir(otori.dir())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let before = (names(&otori), std::fs::read(&file).unwrap());
    for (args, told) in [
        (vec!["--out", path], "exists"),
        (vec!["--out", "/nowhere/x.zip"], "/nowhere"),
        (
            vec!["--out", "x.zip", "--incident", "9"],
            "there is no incident 9",
        ),
    ] {
        let args = [vec!["evidence", "export"], args].concat();
        let output = otori
            .command(&args)
            .current_dir(otori.dir())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1));
        assert!(text.contains(told), "{text}");
    }
    assert_eq!((names(&otori), std::fs::read(&file).unwrap()), before);

    // Nobody wrote to a canary of this one.
    let quiet = Otori::new().await;
    quiet.plant("school", &PEOPLE).await;
    let file = quiet.dir().join("none.zip");
    assert_eq!(
        quiet.json(&["evidence", "export", "--out", file.to_str().unwrap()])["messages"],
        0
    );
    assert_eq!(verify(&file, &[])["ok"], true);

    // Where revealing takes two people, so does this.
    let config = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text
        .replace("enforce = false", "enforce = true")
        .replace("# four_eyes = ", "four_eyes = ");
    std::fs::write(&config, text).unwrap();
    let two = otori.dir().join("two.zip");
    let output = otori
        .command(&[
            "evidence",
            "export",
            "--out",
            two.to_str().unwrap(),
            "--json",
        ])
        .args(["--as", "operator"])
        .env("OTORI_TOKEN", otori.secret("keys/operator.token"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let request: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    assert!(
        request["request"]["id"].is_number() && !two.exists(),
        "{request}"
    );
}

/// What the holder of the signing key, or a packer of odd ZIP files, could try.
#[tokio::test(flavor = "multi_thread")]
async fn odd_bundles_are_told() {
    let house = House::new().await;
    let bundle = house.export(&[]);
    let dir = unpack(&bundle);
    let at = |name: &str| dir.path().join(name);
    let sum = || {
        let mut lines = String::new();
        for path in files(dir.path()) {
            let name = path.strip_prefix(dir.path()).unwrap().to_str().unwrap();
            if name != "SHA256SUMS" {
                let told = run(Command::new("sha256sum").arg(&path));
                lines += &format!("{}  {name}\n", told.split_whitespace().next().unwrap());
            }
        }
        std::fs::write(at("SHA256SUMS"), lines).unwrap();
    };
    sum();
    assert_eq!(house.verify(dir.path())["ok"], true);

    // A file among the log's own, and a foreign key among its keys.
    std::fs::write(at("log/READ-THIS.html"), "trust me").unwrap();
    sum();
    found(&house.verify(dir.path()), "log/READ-THIS.html");
    std::fs::remove_file(at("log/READ-THIS.html")).unwrap();
    let stranger = Otori::new().await;
    let other = stranger.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let keys = std::fs::read_to_string(at("log/keys.txt")).unwrap();
    std::fs::write(at("log/keys.txt"), format!("{other}\n{keys}")).unwrap();
    sum();
    found(&house.verify(dir.path()), "log/keys.txt");
    std::fs::write(at("log/keys.txt"), &keys).unwrap();

    // A witnessed checkpoint under the name of another size, so that it is compared with nothing.
    let notes: Vec<PathBuf> = files(&at("log"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "note"))
        .collect();
    let strange = at("log/checkpoint-000000000002.note");
    std::fs::copy(notes.last().unwrap(), &strange).unwrap();
    sum();
    found(&house.verify(dir.path()), "checkpoint-000000000002.note");
    std::fs::remove_file(&strange).unwrap();

    // The log below a stamped and witnessed checkpoint is another: nothing vouches for it.
    let log = std::fs::read_to_string(at("log/entries.jsonl")).unwrap();
    let changed = log.replacen("pool_changed", "pool_chanqed", 1);
    assert_ne!(log, changed);
    std::fs::write(at("log/entries.jsonl"), changed).unwrap();
    sum();
    let shown = house.verify(dir.path());
    found(&shown, "entries.jsonl");
    assert_eq!(
        (&shown["witnesses"], &shown["newest_stamp"]),
        (&json!({}), &Value::Null)
    );
    std::fs::write(at("log/entries.jsonl"), &log).unwrap();

    // A list that names what lies outside; a link; a name that is no text.
    let contents = std::fs::read_to_string(at("contents.json")).unwrap();
    let outside = contents.replace("messages/000001/message.eml", "/dev/zero");
    std::fs::write(at("contents.json"), outside).unwrap();
    sum();
    found(&house.verify(dir.path()), "/dev/zero");
    std::fs::write(at("contents.json"), &contents).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", at("messages/link")).unwrap();
    sum();
    found(&house.verify(dir.path()), "messages/link");
    std::fs::remove_file(at("messages/link")).unwrap();
    sum();
    assert_eq!(house.verify(dir.path())["ok"], true);

    // Two files of one name: `unzip` shows the first, this program would see the last.
    let twice = house.dir.path().join("twice.zip");
    let mut zip = std::fs::read(&bundle).unwrap();
    let name = |text: &str| text.as_bytes().to_vec();
    for (from, to) in [("sightings.json", "incidents.json")] {
        let (from, to) = (name(from), name(to));
        for place in 0..zip.len() - from.len() {
            if zip[place..].starts_with(&from) {
                zip[place..place + to.len()].copy_from_slice(&to);
            }
        }
    }
    std::fs::write(&twice, zip).unwrap();
    found(&verify(&twice, &[]), "two files of one name");
    // A name that hides what follows it on a terminal.
    std::fs::write(at("messages/\u{1b}[8m"), "x").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_otori"))
        .args(["evidence", "verify"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(!output.status.success() && !output.stdout.contains(&0x1b));
}
