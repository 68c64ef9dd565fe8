//! A Dovecot of a test's own, from Debian's package, on free ports.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::ports::free;

/// What everybody's password is there.
pub const PASSWORD: &str = "s3cret \"quoted\" \\ word";

/// Dovecot in a directory of its own; ended when dropped.
pub struct Dovecot {
    dir: TempDir,
    child: Option<std::process::Child>,
    /// The port on which a conversation begins in plain text, and offers STARTTLS.
    pub plain: u16,
    /// The port on which it begins with TLS.
    pub tls: u16,
}

fn words(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Dovecot {
    pub fn start() -> Dovecot {
        // A path that is too long for a socket does not start.
        let dir = tempfile::Builder::new().prefix("dc").tempdir_in("/tmp");
        let dir = dir.unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        super::starttls::certificate(dir.path());
        let (plain, tls) = (free().port(), free().port());
        let me = words(Command::new("id").arg("-un"));
        // Root lends Dovecot the accounts that its package has made; anybody else runs it all as himself.
        let (owner, internal, login, chroot) = match me.as_str() {
            "root" => ("dovecot", "dovecot", "dovenull", ""),
            me => (me, me, me, "chroot =\n"),
        };
        let group = words(Command::new("id").args(["-gn", owner]));
        std::fs::create_dir(dir.path().join("mail")).unwrap();
        let owned = format!("{owner}:{group}");
        words(
            Command::new("chown")
                .arg(owned)
                .arg(dir.path().join("mail")),
        );
        let at = dir.path().display();
        let config = format!(
            "protocols = imap\nlisten = 127.0.0.1\nbase_dir = {at}/run\nstate_dir = {at}/state\n\
             log_path = {at}/log\nssl = yes\nssl_cert = <{at}/cert.pem\nssl_key = <{at}/key.pem\n\
             disable_plaintext_auth = no\nauth_failure_delay = 0\nfirst_valid_uid = 1\n\
             default_internal_user = {internal}\ndefault_internal_group = {group}\ndefault_login_user = {login}\n\
             mail_location = maildir:{at}/mail/%u\nmail_uid = {owner}\nmail_gid = {group}\n\
             passdb {{\n driver = passwd-file\n args = scheme=PLAIN username_format=%n {at}/users\n}}\n\
             userdb {{\n driver = static\n args = uid={owner} gid={group} home={at}/mail/home/%u\n}}\n\
             namespace inbox {{\n inbox = yes\n mailbox Junk {{\n auto = create\n }}\n mailbox 迷惑メール {{\n auto = create\n }}\n}}\n\
             service imap-login {{\n {chroot}\n inet_listener imap {{\n port = {plain}\n }}\n inet_listener imaps {{\n port = {tls}\n }}\n}}\n\
             service anvil {{\n {chroot}\n}}\nservice stats {{\n {chroot}\n}}\n"
        );
        std::fs::write(dir.path().join("dovecot.conf"), config).unwrap();
        std::fs::write(
            dir.path().join("users"),
            format!("taro:{{PLAIN}}{PASSWORD}\n"),
        )
        .unwrap();
        let mut dovecot = Dovecot {
            dir,
            child: None,
            plain,
            tls,
        };
        dovecot.up();
        dovecot
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn config(&self) -> PathBuf {
        self.dir().join("dovecot.conf")
    }

    /// Starts it, on the same ports.
    pub fn up(&mut self) {
        let mut command = Command::new("/usr/sbin/dovecot");
        let command = command.arg("-F").arg("-c").arg(self.config());
        self.child = Some(command.stderr(Stdio::null()).spawn().unwrap());
        for _ in 0..600 {
            // It listens before it knows anybody.
            let mut asks = Command::new("doveadm");
            asks.arg("-c").arg(self.config()).args(["user", "taro"]);
            let knows = asks.output().is_ok_and(|output| output.status.success());
            if knows && TcpStream::connect(("127.0.0.1", self.plain)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.dir().join("log"));
        panic!("Dovecot does not start: {log:?}");
    }

    /// Stops it.
    pub fn down(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        let _ = child.wait();
    }

    /// Delivers a mail as Dovecot's own delivery agent does.
    pub fn deliver(&self, user: &str, folder: &str, from: &str, mail: &str) {
        self.agent(&["-d", user, "-f", from, "-a", user, "-m", folder], mail);
    }

    fn agent(&self, args: &[&str], mail: &str) {
        let mut command = Command::new("/usr/lib/dovecot/dovecot-lda");
        command.arg("-c").arg(self.config()).args(args);
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // One that fails early does not read it all.
        let _ = input.write_all(mail.as_bytes());
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}: {}", self.log());
    }

    /// A maildir that the delivery agent may write to.
    pub fn maildir(&self) -> PathBuf {
        self.dir().join("mail/Box")
    }

    /// Delivers a mail into that maildir, as a mail server's delivery agent does.
    pub fn deliver_into_maildir(&self, from: &str, mail: &str) {
        let place = format!("mail_location=maildir:{}", self.maildir().display());
        let user = "taro@provider.example";
        self.agent(&["-o", &place, "-d", user, "-f", from], mail);
    }

    /// Runs doveadm; what it says.
    pub fn doveadm(&self, args: &[&str]) -> String {
        words(
            Command::new("doveadm")
                .arg("-c")
                .arg(self.config())
                .args(args),
        )
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir().join("log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.down();
    }
}
