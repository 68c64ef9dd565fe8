//! The receiver behind Postfix, by the files of `examples/deploy/postfix`: Debian's Postfix, an instance of the
//! test's own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use super::crash::Server;
use super::web::Call;
use super::{HANAKO, KEISUKE};
use crate::harness::{DOMAIN, Otori};
use crate::ports::free;

/// The services of Debian's master.cf that are needed, without chroot.
const SERVICES: &str = "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
    rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
    trace unix - - n - 0 bounce\nverify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\n\
    proxymap unix - - n - - proxymap\nsmtp unix - - n - - smtp\nrelay unix - - n - - smtp\n\
    showq unix n - n - - showq\nerror unix - - n - - error\nretry unix - - n - - error\n\
    discard unix - - n - - discard\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
    postlog unix-dgram n - n - 1 postlogd\n";

struct Postfix {
    dir: TempDir,
    smtp: u16,
}

/// A command as root, whom Postfix wants for its start.
fn as_root(program: &str) -> Command {
    let me = Command::new("id").arg("-u").output().unwrap().stdout;
    if me == b"0\n" {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

#[track_caller]
fn done(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let told = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {told}");
    String::from_utf8(stdout).unwrap()
}

impl Postfix {
    fn start(lmtp: u16, socketmap: u16) -> Postfix {
        let dir = tempfile::Builder::new().prefix("pf").tempdir_in("/tmp");
        let dir = dir.unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        for part in ["conf", "spool", "data"] {
            std::fs::create_dir(dir.path().join(part)).unwrap();
        }
        let example = |name: &str| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(root.join("examples/deploy/postfix").join(name)).unwrap()
        };
        let mut main = example("main.cf");
        for (theirs, ours) in [
            ("mail.garden-letters.example", DOMAIN.to_owned()),
            ("127.0.0.1:2424", format!("127.0.0.1:{lmtp}")),
            ("127.0.0.1:2423", format!("127.0.0.1:{socketmap}")),
            // A test's client is on this host, and is a stranger all the same.
            (
                "mynetworks = 127.0.0.1/32",
                "mynetworks = 192.0.2.1/32".to_owned(),
            ),
        ] {
            assert!(main.contains(theirs), "{theirs}");
            main = main.replace(theirs, &ours);
        }
        let at = dir.path().display();
        main += &format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/spool\ndata_directory = {at}/data\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n\
             setgid_group = postdrop\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             myhostname = mx.our.example\nmaillog_file = {at}/log\nmaillog_file_prefixes = /tmp\n"
        );
        let smtp = free().port();
        let listens = format!("127.0.0.1:{smtp} inet n - n - - smtpd\n");
        let master = format!("{listens}{SERVICES}{}", example("master.cf"));
        std::fs::write(dir.path().join("conf/main.cf"), main).unwrap();
        std::fs::write(dir.path().join("conf/master.cf"), master).unwrap();
        for (owner, part) in [("root", "conf"), ("root", "spool"), ("postfix", "data")] {
            done(
                as_root("chown")
                    .args(["-R", owner])
                    .arg(dir.path().join(part)),
            );
        }
        let postfix = Postfix { dir, smtp };
        done(postfix.command("/usr/sbin/postfix").arg("start"));
        postfix
    }

    fn command(&self, program: &str) -> Command {
        let mut command = as_root(program);
        command.arg("-c").arg(self.dir.path().join("conf"));
        command
    }

    /// Sends one mail; the exit status of swaks, and what was said.
    fn send(&self, to: &str, subject: &str, size: usize) -> (i32, String) {
        let lines = "0123456789 and so on to the end\n".repeat(size / 32);
        let sent = Command::new("swaks")
            .args(["--server", &format!("127.0.0.1:{}", self.smtp)])
            .args(["--from", "list@broker.example", "--to", to])
            .args(["--h-Subject", subject, "--body", &format!("buy\n{lines}")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&sent.stdout).into_owned();
        (sent.status.code().unwrap(), said)
    }

    /// Mails in its queue.
    fn queued(&self) -> usize {
        let queue = done(self.command("/usr/sbin/postqueue").arg("-j"));
        queue.lines().filter(|line| line.starts_with('{')).count()
    }

    fn flush(&self) {
        done(self.command("/usr/sbin/postqueue").arg("-f"));
    }

    fn log(&self) -> String {
        let log = self.dir.path().join("log");
        done(as_root("cat").arg(log))
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = self.command("/usr/sbin/postfix").arg("abort").output();
        // What is root's is root's to remove.
        let spool = self.dir.path().join("spool");
        let _ = as_root("rm").arg("-rf").arg(spool).output();
    }
}

/// Puts these lines first into `[receive]`.
fn configure(otori: &Otori, plain: &str, lines: &str) {
    let catch_all = format!("catch_all = [\"{DOMAIN}\"]");
    assert!(plain.contains(&catch_all));
    let text = plain.replacen(&catch_all, lines, 1);
    std::fs::write(otori.dir().join("otori.toml"), text).unwrap();
}

async fn until(postfix: &Postfix, what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..600 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it did not come to this: {what}; {}", postfix.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_postfix_mail_arrives_once_strangers_get_550_and_nobody_gets_a_bounce() {
    let otori = Otori::new().await;
    otori.plant("school", &[KEISUKE]).await;
    let (lmtp, socketmap) = (free().port(), free().port());
    let plain = std::fs::read_to_string(otori.dir().join("otori.toml")).unwrap();
    let asked = format!("socketmap = \"127.0.0.1:{socketmap}\"");
    let both = format!("lmtp = \"127.0.0.1:{lmtp}\"\n{asked}\nlimits.message_bytes = 40000");
    configure(&otori, &plain, &both);
    let server = Server::start(&otori);
    let postfix = Postfix::start(lmtp, socketmap);
    let subjects = || {
        let shown = otori.json(&["sightings"]);
        let all = shown["sightings"].as_array().unwrap().iter();
        let mut all: Vec<String> = all
            .map(|one| {
                assert_eq!(
                    (&one["kind"], &one["repeats"]),
                    (&"alarm".into(), &0.into())
                );
                assert_eq!(one["from"], "list@broker.example");
                one["summary"].as_str().unwrap().to_owned()
            })
            .collect();
        all.sort();
        all
    };

    let (status, said) = postfix.send(KEISUKE.mail, "first", 100);
    assert_eq!(status, 0, "{said}");
    until(&postfix, "the first is there", || subjects() == ["first"]).await;
    let (_, said) = postfix.send("nobody@decoys.example", "none", 100);
    assert!(
        said.contains("<** 550 5.1.1 <nobody@decoys.example>"),
        "{said}"
    );
    let (_, said) = postfix.send("a@else.example", "relayed", 100);
    assert!(
        said.contains("<** 554 5.7.1 <a@else.example>: Relay access denied"),
        "{said}"
    );
    // Planted a moment ago, and written to at once.
    let (_, said) = postfix.send(HANAKO.mail, "too early", 100);
    assert!(said.contains("<** 550 5.1.1"), "{said}");
    otori.plant("shop", &[HANAKO]).await;
    let (status, said) = postfix.send(HANAKO.mail, "second", 100);
    assert_eq!(status, 0, "{said}");
    until(&postfix, "the second is there", || {
        subjects() == ["first", "second"]
    })
    .await;
    let metrics = Call::get("/metrics").send(server.http).await.body;
    assert!(metrics.contains("otori_probes_total 0\n"), "{metrics}");

    // Larger than otori takes, though not than Postfix does: it waits, and is not sent back.
    let (status, said) = postfix.send(KEISUKE.mail, "large", 60_000);
    assert_eq!(status, 0, "{said}");
    until(&postfix, "it waits", || {
        postfix.log().contains("status=SOFTBOUNCE (")
    })
    .await;
    // A mail on its way from one queue to the other is listed twice.
    until(&postfix, "one waits", || postfix.queued() == 1).await;
    server.kill();

    // While otori is away nobody can say who is known.
    let (_, said) = postfix.send(KEISUKE.mail, "away", 100);
    assert!(said.contains("<** 451 4.3.0"), "{said}");
    // It says who is known, and takes nothing.
    configure(&otori, &plain, &asked);
    let server = Server::start(&otori);
    let (status, said) = postfix.send(KEISUKE.mail, "third", 100);
    assert_eq!(status, 0, "{said}");
    until(&postfix, "it waits", || {
        postfix.log().contains("status=deferred (connect to ")
    })
    .await;
    until(&postfix, "two wait", || postfix.queued() == 2).await;
    server.kill();
    // Back, and with room for the large one.
    let roomy = format!("lmtp = \"127.0.0.1:{lmtp}\"\n{asked}");
    configure(&otori, &plain, &roomy);
    let server = Server::start(&otori);
    postfix.flush();
    let all = ["first", "large", "second", "third"];
    until(&postfix, "all are there", || subjects() == all).await;
    until(&postfix, "nothing waits", || postfix.queued() == 0).await;
    assert_eq!(subjects(), all);
    let log = postfix.log();
    for bounced in [
        "status=bounced",
        "non-delivery notification",
        "to=<list@broker.example>",
    ] {
        assert!(!log.contains(bounced), "{bounced}: {log}");
    }
    assert!(server.terminate().success());
}
