//! Checkpoints outside: stamped by OpenSSL's time-stamping authority, signed by a witness that is built on
//! Go's own implementation of the formats, kept in directories and mailboxes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use base64::Engine;
use otori::evidence::{InvalidStamp, Stamp};
use otori::roots;
use serde_json::Value;
use tempfile::TempDir;

use crate::evidence::sql;
use crate::harness::{DOMAIN, Otori, PEOPLE};
use crate::servers;

#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// A root and an authority's certificate, as OpenSSL makes them.
pub fn authority(dir: &Path, name: &str, key: &[&str], usage: &str) {
    let openssl = |args: &[&str]| {
        run(Command::new("openssl").args(args).current_dir(dir));
    };
    let (root, root_key) = (format!("{name}-root.pem"), format!("{name}-root.key"));
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/O=Test/CN=Root",
        "-keyout",
        &root_key,
        "-out",
        &root,
        "-addext",
        "keyUsage=critical,keyCertSign",
    ]);
    let own = [
        "req",
        "-new",
        "-nodes",
        "-subj",
        "/O=Test/CN=Clock",
        "-keyout",
        "own.key",
        "-out",
        "own.csr",
    ];
    openssl(&[&own[..], key].concat());
    std::fs::write(dir.join("own.ext"), usage).unwrap();
    openssl(&[
        "x509", "-req", "-in", "own.csr", "-CA", &root, "-CAkey", &root_key, "-days", "30",
        "-extfile", "own.ext", "-out", "own.pem",
    ]);
    std::fs::rename(dir.join("own.pem"), dir.join(format!("{name}.pem"))).unwrap();
    std::fs::rename(dir.join("own.key"), dir.join(format!("{name}.key"))).unwrap();
    let config = "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\ndefault_policy = 1.2.3.4.1\n\
                  digests = sha256\nsigner_digest = sha256\naccuracy = secs:1\nclock_precision_digits = 3\ness_cert_id_alg = sha256\n";
    std::fs::write(dir.join("tsa.cnf"), config).unwrap();
}

const RSA: [&str; 2] = ["-newkey", "rsa:2048"];
pub const EC: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
pub const STAMPING: &str =
    "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n";

/// One answer of OpenSSL to a request, in DER.
fn reply(dir: &Path, name: &str, request: &[u8]) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let (query, answer) = (place.path().join("query"), place.path().join("answer"));
    std::fs::write(&query, request).unwrap();
    let (signer, key) = (format!("{name}.pem"), format!("{name}.key"));
    let mut command = Command::new("openssl");
    command.args([
        "ts", "-reply", "-config", "tsa.cnf", "-signer", &signer, "-inkey", &key,
    ]);
    command
        .arg("-queryfile")
        .arg(&query)
        .arg("-out")
        .arg(&answer);
    run(command.current_dir(dir));
    std::fs::read(&answer).unwrap()
}

/// OpenSSL's authority behind HTTP; its URL.
pub async fn tsa(dir: Arc<TempDir>, name: &'static str) -> String {
    let answer = async move |request: Bytes| {
        let answer = tokio::task::spawn_blocking(move || reply(dir.path(), name, &request));
        let kind = [(header::CONTENT_TYPE, "application/timestamp-reply")];
        (StatusCode::OK, kind, answer.await.unwrap()).into_response()
    };
    serve(Router::new().route("/", post(answer))).await
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

/// Puts lines below `[evidence]` of the workspace's configuration.
pub fn configure(otori: &Otori, lines: &str) {
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = text.find("[evidence]").unwrap();
    let end = text.find("[alert]").unwrap();
    let text = format!("{}[evidence]\n{lines}\n{}", &text[..begin], &text[end..]);
    std::fs::write(&path, text).unwrap();
}

fn verify(otori: &Otori, more: &[&str]) -> Value {
    let args = [&["evidence", "verify", "--json"], more].concat();
    let output = otori.command(&args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"))
}

#[track_caller]
fn holds(otori: &Otori, more: &[&str]) {
    let verified = verify(otori, more);
    assert_eq!(verified["ok"], true, "{verified:#}");
}

fn publish(otori: &Otori) -> Value {
    let output = otori
        .command(&["evidence", "publish", "--json"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    let status = i32::from(document["published"] == false);
    assert_eq!(output.status.code(), Some(status), "{told}");
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn every_checkpoint_is_stamped_and_openssl_agrees() {
    for (name, key) in [("rsa", &RSA[..]), ("ec", &EC)] {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        authority(dir.path(), name, key, STAMPING);
        authority(dir.path(), "stranger", &EC, STAMPING);
        let url = tsa(Arc::clone(&dir), name).await;
        let otori = Otori::new().await;
        let root = dir.path().join(format!("{name}-root.pem"));
        configure(
            &otori,
            &format!("tsa = '{url}'\ntsa_roots = '{}'", root.display()),
        );
        // Any command that brings something into the log.
        otori.json(&["pool", "list"]);
        otori.plant("school", &PEOPLE).await;
        otori.json(&["pool", "list"]);
        let verified = verify(&otori, &[]);
        assert_eq!(verified["ok"], true, "{verified}");
        assert_eq!(verified["stamped"], 2);
        assert_eq!(verified["newest_stamp"]["trusted"], true);
        assert_eq!(verified["newest_stamp"]["authority"], "CN=Clock,O=Test");
        // Stamps alone bring no new checkpoint: the log comes to rest.
        otori.json(&["pool", "list"]);
        assert_eq!(verify(&otori, &[])["entries"], verified["entries"]);

        let newest = otori.registry.checkpoints(1).await.unwrap().remove(0);
        let token = newest.timestamp_token.unwrap();
        let (note_file, token_file) = (dir.path().join("note"), dir.path().join("token"));
        std::fs::write(&note_file, &newest.note).unwrap();
        std::fs::write(&token_file, &token).unwrap();
        let openssl = Command::new("openssl")
            .args(["ts", "-verify", "-token_in", "-data"])
            .arg(&note_file)
            .arg("-in")
            .arg(&token_file)
            .arg("-CAfile")
            .arg(&root)
            .arg("-untrusted")
            .arg(dir.path().join(format!("{name}.pem")))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&openssl.stdout).into_owned()
            + &String::from_utf8_lossy(&openssl.stderr);
        assert!(openssl.status.success() && told.contains("OK"), "{told}");

        let roots = roots::read(&root).unwrap();
        let note = newest.note.as_bytes();
        assert!(Stamp::open(&token, note, &roots).unwrap().trusted);
        let other = Stamp::open(&token, b"another text", &roots);
        assert!(matches!(other, Err(InvalidStamp::Imprint)), "{other:?}");
        let strangers = roots::read(&dir.path().join("stranger-root.pem")).unwrap();
        let untrusted = Stamp::open(&token, note, &strangers);
        assert!(
            matches!(untrusted, Err(InvalidStamp::Untrusted { .. })),
            "{untrusted:?}"
        );
        // A token without any trust is still over these bytes, and says that nobody vouches for it.
        assert!(!Stamp::open(&token, note, &[]).unwrap().trusted);
        // A canary's proof carries the stamp; a stamp of another checkpoint is none.
        let hanako = otori.registry.canaries(None).await.unwrap().remove(1).id;
        let proof = dir.path().join("proof.json");
        let path = proof.to_str().unwrap();
        otori.json(&["evidence", "prove", hanako.as_str(), "--out", path]);
        let roots_file = root.to_str().unwrap();
        let check = [path, "--tsa-roots", roots_file];
        let shown = verify(&otori, &check);
        assert_eq!(shown["authority"], "CN=Clock,O=Test", "{shown}");
        let text = std::fs::read_to_string(&proof).unwrap();
        let mut changed: Value = serde_json::from_str(&text).unwrap();
        let old = base64::engine::general_purpose::STANDARD.encode(&token);
        assert_ne!(changed["timestamp"], old.as_str());
        changed["timestamp"] = old.into();
        std::fs::write(&proof, changed.to_string()).unwrap();
        let shown = verify(&otori, &check);
        assert!(
            shown["why"].as_str().unwrap().contains("timestamp"),
            "{shown}"
        );

        // No byte can be another: what is not signed itself is compared with what is.
        let at = Stamp::open(&token, note, &roots).unwrap().at;
        for place in 0..token.len() {
            let mut changed = token.clone();
            changed[place] ^= 1;
            if let Ok(stamp) = Stamp::open(&changed, note, &roots) {
                assert_eq!(stamp.at, at, "byte {place}");
            }
        }
    }
}

/// A clock that jumps is told: by the log's own order, and by the authority's word against it.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_jump_are_told() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    authority(dir.path(), "clock", &EC, STAMPING);
    let url = tsa(Arc::clone(&dir), "clock").await;
    let otori = Otori::new().await;
    configure(&otori, &format!("tsa = '{url}'"));
    run(Command::new("faketime")
        .args(["-f", "+2h", env!("CARGO_BIN_EXE_otori"), "--workspace"])
        .arg(otori.dir())
        .args(["pool", "add", "mail", "later.example"])
        .env("DONT_FAKE_MONOTONIC", "1"));
    let verified = verify(&otori, &[]);
    let notes = verified["notes"].to_string();
    assert!(
        notes.contains("this machine's clock was ahead"),
        "{verified}"
    );
    assert!(!notes.contains("went back"), "{verified}");
    otori.json(&["pool", "add", "mail", "now.example"]);
    let verified = verify(&otori, &[]);
    let notes = verified["notes"].to_string();
    assert!(
        notes.contains("the clock went back before entry"),
        "{verified}"
    );
    // It is no forgery: what was written is as it was written.
    assert_eq!(verified["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_does_not_do_stops_nothing_and_is_told() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    authority(dir.path(), "clock", &EC, STAMPING);
    authority(
        dir.path(),
        "mailer",
        &EC,
        "extendedKeyUsage=critical,emailProtection\n",
    );
    let otori = Otori::new().await;
    let root = dir.path().join("clock-root.pem");
    let roots = format!("tsa_roots = '{}'", root.display());
    let missed = |url: &str| {
        configure(&otori, &format!("tsa = '{url}'\n{roots}"));
        let document = publish(&otori);
        assert_eq!(document["published"], false);
        let why = document["missed"][0]["why"].as_str().unwrap().to_owned();
        assert!(verify(&otori, &[])["stamped"] == 0);
        why
    };
    // Puts another digest into the authority's configuration.
    let takes = |from: &str, to: &str| {
        let config = dir.path().join("tsa.cnf");
        let text = std::fs::read_to_string(&config).unwrap();
        let text = text.replace(&format!("= {from}"), &format!("= {to}"));
        std::fs::write(&config, text).unwrap();
    };
    // Nobody listens there; the URL's secret is not told.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/?token=hidden", free.local_addr().unwrap());
    drop(free);
    let why = missed(&nobody);
    assert!(why.contains("refused") && !why.contains("hidden"), "{why}");
    // A command goes on, and says so.
    otori.plant("school", &PEOPLE[..1]).await;
    let output = otori.command(&["pool", "list"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && told.contains("time-stamping authority"),
        "{told}"
    );
    assert!(!told.contains("hidden"), "{told}");

    let garbage = serve(Router::new().route("/", post(async || "no token"))).await;
    let why = missed(&garbage);
    assert!(why.contains("does not read"), "{why}");
    let broken = serve(Router::new()).await;
    let why = missed(&broken);
    assert!(why.contains("HTTP 404"), "{why}");
    // It answers with what it answered to somebody else.
    let old = reply(
        dir.path(),
        "clock",
        otori::evidence::StampRequest::new(b"another", [9; 16]).der(),
    );
    let replay = serve(Router::new().route("/", post(async move || old.clone()))).await;
    let why = missed(&replay);
    assert!(why.contains("nonce"), "{why}");
    // It refuses: the digest is one that it does not take.
    takes("sha256", "sha512");
    let refusing = tsa(Arc::clone(&dir), "clock").await;
    let why = missed(&refusing);
    assert!(why.contains("rejection"), "{why}");

    // All of it catches up when the authority does.
    takes("sha512", "sha256");
    let sound = tsa(Arc::clone(&dir), "clock").await;
    configure(&otori, &format!("tsa = '{sound}'\n{roots}"));
    assert_eq!(publish(&otori)["published"], true);
    assert_eq!(verify(&otori, &[])["stamped"], 1);
    // A token that another root would have to vouch for is told at every check from then on.
    let stranger = dir.path().join("mailer-root.pem");
    configure(
        &otori,
        &format!("tsa = '{sound}'\ntsa_roots = '{}'", stranger.display()),
    );
    let verified = verify(&otori, &[]);
    assert_eq!(verified["ok"], false);
    let problem = verified["problems"][0].to_string();
    assert!(
        problem.contains("CN=Clock,O=Test") && problem.contains("roots"),
        "{problem}"
    );
    for wrong in [
        "tsa = 'ftp://127.0.0.1/'",
        "tsa = 'http://127.0.0.1/'\ntsa_roots = 'none.pem'",
    ] {
        configure(&otori, wrong);
        let output = otori.command(&["evidence", "publish"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{wrong}");
    }
}

/// The reader of C2SP's formats that stands on Go's own implementation.
pub fn c2sp() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = target.join("c2sp");
        run(Command::new("go")
            .env("GO111MODULE", "off")
            .env("GOPATH", "/usr/share/gocode")
            .env("GOCACHE", target.join("go"))
            .args(["build", "-o"])
            .arg(&program)
            .arg("./tests/c2sp")
            .current_dir(env!("CARGO_MANIFEST_DIR")));
        program
    })
}

/// A witness, while it lives.
pub struct Witness {
    child: Child,
    url: String,
    pub key: String,
}

impl Witness {
    pub fn start(log_key: &str) -> Witness {
        let mut child = Command::new(c2sp())
            .args(["witness", log_key, "witness.example/w1"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        Witness {
            url: line(),
            key: line(),
            child,
        }
    }

    pub fn config(&self) -> String {
        let (url, key) = (&self.url, &self.key);
        format!("[[evidence.witness]]\nname = 'w1'\nurl = '{url}'\nkey = '{key}'")
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_independent_reader_accepts_checkpoints_and_the_tree() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let key = otori.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let newest = otori.registry.checkpoints(1).await.unwrap().remove(0);
    let file = |name: &str| otori.dir().join(name);
    std::fs::write(file("note"), &newest.note).unwrap();
    let text = run(Command::new(c2sp()).args(["note", &key]).arg(file("note")));
    assert_eq!(
        text,
        newest.note.split_once("\n\n").unwrap().0.to_owned() + "\n"
    );
    let entries = otori.registry.entry_texts().await.unwrap();
    std::fs::write(file("entries"), entries.join("\n")).unwrap();
    run(Command::new(c2sp())
        .arg("tree")
        .arg(file("entries"))
        .arg(file("note")));
    // The reader can say no.
    let changed = newest.note.replacen(&newest.size.to_string(), "1", 1);
    std::fs::write(file("note"), changed).unwrap();
    let refused = Command::new(c2sp())
        .args(["note", &key])
        .arg(file("note"))
        .output()
        .unwrap();
    assert!(!refused.status.success());
    std::fs::write(file("note"), &newest.note).unwrap();
    std::fs::write(
        file("entries"),
        entries.join("\n").replacen("school", "schoul", 1),
    )
    .unwrap();
    let refused = Command::new(c2sp())
        .arg("tree")
        .arg(file("entries"))
        .arg(file("note"))
        .output();
    assert!(!refused.unwrap().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_signs_what_continues_and_finds_out_what_was_set_back() {
    for url in ["sqlite:registry.db".to_owned(), servers::postgres().await] {
        let otori = Otori::on(&url).await;
        let key = otori.json(&["evidence", "key"])["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let witness = Witness::start(&key);
        configure(&otori, &witness.config());
        for person in &PEOPLE {
            otori.plant("school", std::slice::from_ref(person)).await;
            assert_eq!(
                publish(&otori),
                serde_json::json!({"published": true, "missed": []})
            );
        }
        let verified = verify(&otori, &[]);
        assert_eq!(verified["ok"], true, "{verified}");
        // The configuration's change, and three batches.
        assert_eq!(verified["cosigned"], 3);
        // A witness whose key is another than the one that signed.
        let other = Witness::start(&key);
        configure(&otori, &other.config());
        let verified = verify(&otori, &[]);
        assert_eq!(
            (&verified["ok"], &verified["cosigned"]),
            (&true.into(), &0.into())
        );
        assert!(
            verified["notes"].to_string().contains("another key now"),
            "{verified}"
        );
        // It begins anew with the size that it knows, which is none: it is told, and catches up.
        otori.plant("shop", &PEOPLE[..1]).await;
        assert_eq!(publish(&otori)["published"], true);
    }

    // An old registry is put back, with the workspace's own copy of the checkpoint.
    let otori = Otori::new().await;
    let key = otori.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let witness = Witness::start(&key);
    configure(&otori, &witness.config());
    publish(&otori);
    let old = keep(&otori).await;
    otori.plant("school", &PEOPLE).await;
    publish(&otori);
    put_back(&otori, &old).await;
    assert_eq!(
        verify(&otori, &[])["ok"],
        true,
        "from within nothing is to be seen"
    );
    // Nothing has entered the log that would have to be published; a plan of the thief's has.
    let document = publish(&otori);
    assert_eq!(document["published"], true);
    otori.json(&["pool", "add", "mail", "later.example"]);
    let document = publish(&otori);
    let why = document["missed"][0]["why"].as_str().unwrap();
    assert!(why.contains("set back"), "{why}");
}

/// The registry's file and the workspace's checkpoint, as they are.
async fn keep(otori: &Otori) -> Vec<(PathBuf, Vec<u8>)> {
    sql(&otori.dir().join("registry.db"), "select 1").await;
    let names = ["registry.db", "checkpoint.note"];
    let kept = names.map(|name| otori.dir().join(name));
    kept.map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .to_vec()
}

async fn put_back(otori: &Otori, kept: &[(PathBuf, Vec<u8>)]) {
    sql(&otori.dir().join("registry.db"), "select 1").await;
    let _ = std::fs::remove_file(otori.dir().join("registry.db-wal"));
    for (path, content) in kept {
        std::fs::write(path, content).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_and_a_mailbox_keep_what_the_registry_forgets() {
    // The auditor's own mail server: another otori.
    let auditor = Otori::new().await;
    auditor.plant("school", &PEOPLE).await;
    let receiver = auditor.receive(&auditor.config()).await;

    let otori = Otori::new().await;
    let shelf = otori.dir().join("shelf");
    let config = format!(
        "[[evidence.witness]]\nname = 'shelf'\ndirectory = 'shelf'\n\
         [[evidence.witness]]\nname = 'auditor'\nmail = ['hanako@{DOMAIN}']\n"
    );
    configure(&otori, &config);
    let path = otori.dir().join("otori.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let smtp = receiver.smtp;
    let alert = format!(
        "[alert]\nrelay = 'smtp://{smtp}'\nfrom = 'otori@shop.example'\nto = ['keisuke@{DOMAIN}']\n"
    );
    let begin = text.find("[alert]").unwrap();
    std::fs::write(&path, format!("{}{alert}", &text[..begin])).unwrap();

    // The directory is not there: a medium that is not mounted. The mail goes out all the same.
    let document = publish(&otori);
    assert_eq!(
        document["missed"].as_array().unwrap().len(),
        1,
        "{document}"
    );
    let place = document["missed"][0]["place"].as_str().unwrap();
    assert_eq!(place, "the witness 'shelf'");
    let verified = verify(&otori, &[]);
    assert_eq!(verified["ok"], true);
    let notes = verified["notes"].to_string();
    assert!(
        notes.contains("not compared with what the witness 'shelf' keeps"),
        "{notes}"
    );
    std::fs::create_dir(&shelf).unwrap();
    let old = keep(&otori).await;
    otori.plant("school", &PEOPLE).await;
    assert_eq!(publish(&otori)["published"], true);
    let names: Vec<String> = std::fs::read_dir(&shelf)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    holds(&otori, &[]);

    // One mail a day: the second checkpoint waits. Its text is the note itself.
    auditor.settled().await;
    receiver.stop().await;
    let sightings = auditor.json(&["sightings"]);
    assert_eq!(sightings["sightings"].as_array().unwrap().len(), 1);
    let raw = auditor.registry.message(1).await.unwrap().unwrap().raw;
    let mail = mail_parser::MessageParser::default().parse(&raw).unwrap();
    let note = otori.dir().join("kept.note");
    std::fs::write(&note, mail.body_text(0).unwrap().as_bytes()).unwrap();
    let kept = ["--checkpoint", note.to_str().unwrap()];
    holds(&otori, &kept);

    // An old registry is put back, and written on.
    put_back(&otori, &old).await;
    let verified = verify(&otori, &[]);
    assert_eq!(verified["ok"], false);
    assert!(
        verified.to_string().contains("set back to an older state"),
        "{verified}"
    );
    for number in 0..9 {
        otori.json(&["pool", "add", "mail", &format!("later{number}.example")]);
    }
    let why = publish(&otori)["missed"][0]["why"].to_string();
    assert!(why.contains("does not continue"), "{why}");
    let verified = verify(&otori, &[]);
    assert!(
        verified.to_string().contains("set back and written on"),
        "{verified}"
    );
    // The same with nothing but the mail: without the directory the log fits itself.
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        before.replace("directory = 'shelf'", "directory = '.'"),
    )
    .unwrap();
    holds(&otori, &[]);
    // The mail's checkpoint was made before the copy, so that the log still continues it.
    holds(&otori, &kept);
    let forged = std::fs::read_to_string(&note)
        .unwrap()
        .replacen('\n', "\n1", 1);
    std::fs::write(&note, forged).unwrap();
    let verified = verify(&otori, &kept);
    assert_eq!(verified["ok"], false);
    assert!(
        verified["problems"][0]["place"]
            .as_str()
            .unwrap()
            .ends_with("kept.note")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_contradicts_itself_is_told() {
    let otori = Otori::new().await;
    let witness = "[[evidence.witness]]\nname = 'w'\n";
    for (lines, told) in [
        ("", "names no place outside"),
        (witness, "exactly one of directory, mail and url"),
        ("[[evidence.witness]]\ndirectory = 'x'", "has no name"),
        (&format!("{witness}url = 'http://127.0.0.1/'"), "has no key"),
        (
            &format!("{witness}url = 'http://127.0.0.1/'\nkey = 'x'"),
            "is none",
        ),
        (
            &format!("{witness}mail = ['a@firm.example']"),
            "[alert] names no relay",
        ),
        (
            &format!("{witness}directory = 'x'\n{witness}directory = 'y'"),
            "two witnesses",
        ),
        (
            &format!("{witness}directory = 'x'\nurl = 'http://127.0.0.1/'"),
            "exactly one",
        ),
    ] {
        configure(&otori, lines);
        let output = otori.command(&["evidence", "publish"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{lines}");
        assert!(text.contains(told), "{lines}: {text}");
    }
}

/// Several processes bring entries into one log and publish them: none cries wolf, and the log holds.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_publish_at_once() {
    for url in ["sqlite:registry.db".to_owned(), servers::postgres().await] {
        let otori = Otori::on(&url).await;
        let key = otori.json(&["evidence", "key"])["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let witness = Witness::start(&key);
        let shelves = ["one", "two"].map(|name| {
            std::fs::create_dir(otori.dir().join(name)).unwrap();
            format!("[[evidence.witness]]\nname = '{name}'\ndirectory = '{name}'\n")
        });
        configure(&otori, &format!("{}{}", shelves.concat(), witness.config()));
        for round in 0..4 {
            let running: Vec<Child> = (0..6)
                .map(|number| {
                    let domain = format!("d{round}-{number}.example");
                    let mut command = otori.command(&["pool", "add", "mail", &domain]);
                    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
                    command.spawn().unwrap()
                })
                .collect();
            for child in running {
                let output = child.wait_with_output().unwrap();
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{told}");
                for wolf in ["set back", "continue", "forked"] {
                    assert!(!told.contains(wolf), "{told}");
                }
            }
        }
        assert_eq!(publish(&otori)["published"], true);
        holds(&otori, &[]);
        // Another workspace's log does not belong into the same directory.
        let other = Otori::new().await;
        let shelf = otori.dir().join("one");
        let lines = format!(
            "[[evidence.witness]]\nname = 'w'\ndirectory = '{}'",
            shelf.display()
        );
        configure(&other, &lines);
        let why = publish(&other)["missed"][0]["why"].to_string();
        assert!(why.contains("another log"), "{why}");
        let verified = verify(&other, &[]);
        assert_eq!(verified["ok"], true, "{verified}");
        assert!(
            verified["notes"].to_string().contains("another log's"),
            "{verified}"
        );
    }
}
