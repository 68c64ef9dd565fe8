//! The examples of `examples/deploy`, as the programs read them that they are for.

use std::path::Path;
use std::process::Command;

use super::web::Call;
use crate::harness::Otori;
use crate::ports::free;

/// nginx, ended when dropped.
struct Nginx(std::process::Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_takes_the_example_and_hands_on_what_is_for_whom() {
    let otori = Otori::new().await;
    let mut config = otori.config();
    config.report.public = true;
    let receiver = otori.receive(&config).await;
    let dir = tempfile::tempdir().unwrap();
    super::starttls::certificate(dir.path());
    let (world, staff) = (free().port(), free().port());
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/deploy/nginx.conf");
    let example = std::fs::read_to_string(example).unwrap();
    let at = dir.path().display();
    let mut server = example;
    for (theirs, ours) in [
        ("listen 443 ssl;", format!("listen 127.0.0.1:{world} ssl;")),
        ("    listen [::]:443 ssl;\n", String::new()),
        ("listen 8443 ssl;", format!("listen 127.0.0.1:{staff} ssl;")),
        ("    listen [::]:8443 ssl;\n", String::new()),
        ("/etc/otori/tls/fullchain.pem", format!("{at}/cert.pem")),
        ("/etc/otori/tls/privkey.pem", format!("{at}/key.pem")),
        ("127.0.0.1:8025", receiver.http.to_string()),
    ] {
        assert!(server.contains(theirs), "{theirs}");
        server = server.replace(theirs, &ours);
    }
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {at}/{what};\n"))
        .concat();
    let config = format!(
        "daemon off;\nmaster_process off;\npid {at}/pid;\nerror_log {at}/error.log;\n\
         events {{}}\nhttp {{\n{paths}{server}\n}}\n"
    );
    let file = dir.path().join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    let nginx = |test: &[&str]| {
        let mut command = Command::new("/usr/sbin/nginx");
        command
            .args(test)
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(dir.path());
        command
    };
    let tested = nginx(&["-t"]).output().unwrap();
    let told = String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{told}");
    let _running = Nginx(nginx(&[]).spawn().unwrap());
    let fetch = |port: u16, path: &str| {
        let mut command = Command::new("curl");
        command.args([
            "-sk",
            "--retry",
            "20",
            "--retry-connrefused",
            "--retry-delay",
            "1",
        ]);
        command.args([
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %header{x-frame-options}",
        ]);
        // The receiver's own answers have that header, nginx's have not.
        let url = format!("https://127.0.0.1:{port}{path}");
        let output = command.arg(url).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(fetch(staff, "/livez"), "200 DENY");
    assert_eq!(fetch(staff, "/"), "401 DENY");
    assert_eq!(fetch(staff, "/metrics"), "404 ");
    for path in [
        "/",
        "/livez",
        "/metrics",
        "/drop",
        "/report",
        "/api/sightings",
    ] {
        assert_eq!(fetch(world, path), "404 ", "{path}");
    }
    assert_eq!(fetch(world, "/contact-report"), "200 DENY");
    // A webhook is posted to, as the receiver itself says.
    assert_eq!(fetch(world, "/hooks/phone"), "405 DENY");
    // Whoever writes a configuration of their own, and forgets that line, shows nobody anything either.
    let straight = Call::get("/metrics").header("X-Forwarded-For", "127.0.0.1");
    assert_eq!(straight.send(receiver.http).await.status, 403);
    receiver.stop().await;
}

#[test]
fn systemd_takes_the_unit() {
    let dir = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/deploy/otori.service");
    let unit = std::fs::read_to_string(example).unwrap();
    let installed = "/usr/local/bin/otori";
    assert!(unit.contains(installed));
    let verify = |unit: &str| {
        let file = dir.path().join("otori.service");
        std::fs::write(&file, unit.replace(installed, env!("CARGO_BIN_EXE_otori"))).unwrap();
        let mut command = Command::new("systemd-analyze");
        let output = command.arg("verify").arg(&file).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    // What it says of other units of this machine is not ours.
    let ours = |told: &str| -> Vec<String> {
        let lines = told.lines().filter(|line| line.contains("otori"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(ours(&verify(&unit)), Vec::<String>::new());
    // It would have told.
    let broken = unit.replace("ProtectHome=yes", "ProtectHomes=yes");
    assert_ne!(ours(&verify(&broken)), Vec::<String>::new());
}
