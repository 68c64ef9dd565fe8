//! The README is run: every `$ ` line of its console blocks and every line of its sh blocks below
//! "Planting", in order, in one shell session's directory, as a new user would type it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use otori::workspace::Workspace;

use crate::ports::free;
use crate::servers;

/// The database of the README's example, and the ports of the receiver's default configuration.
const URL: &str = "postgres://app:secret@db.internal/shop";
const SMTP: &str = "2525";
const HTTP: &str = "8025";
/// The number that its call goes to.
const NUMBER: &str = "090-0123-4505";

struct Served(Option<Child>);

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It may have ended by itself; then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Commands of the pages, each with the heading under which it stands.
fn commands(readme: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut heading, mut fence, mut script) = (String::new(), "", String::new());
    for line in readme.lines() {
        if let Some(language) = line.strip_prefix("```") {
            if fence == "sh" {
                found.push((heading.clone(), std::mem::take(&mut script)));
            }
            fence = if fence.is_empty() { language } else { "" };
        } else if fence == "console" {
            if let Some(command) = line.strip_prefix("$ ") {
                found.push((heading.clone(), command.to_owned()));
            }
        } else if fence == "sh" {
            script += line;
            script.push('\n');
        } else if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut heading);
        }
    }
    found
}

fn shell(command: &str, dir: &Path, path: &str) -> Command {
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", command])
        .current_dir(dir)
        .env("PATH", path)
        .stdin(Stdio::null());
    shell
}

/// A number that one of the workspace's canaries has, and the canary's name.
async fn given_number(dir: &Path) -> (String, String) {
    let workspace = Workspace::find(Some(dir)).unwrap();
    let registry = workspace.registry().await.unwrap();
    let canaries = registry.canaries(None).await.unwrap();
    let mut numbers = canaries.iter().filter_map(|canary| {
        let household = &canary.details.household;
        let (family, given) = (&household.guardian.family, &household.guardian.given);
        let number = household.mobile.clone().or(household.landline.clone());
        Some((number?, format!("{}{}", family.written, given.written)))
    });
    numbers.next().unwrap()
}

#[tokio::test]
async fn every_command_of_the_readme_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let url = servers::postgres().await;
    let shop = Command::new("psql")
        .args(["-qX", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(root.join("examples/shop.sql"))
        .arg(&url)
        .status()
        .unwrap();
    assert!(shop.success());

    let home = tempfile::tempdir().unwrap();
    let examples = home.path().join("examples");
    std::fs::create_dir(&examples).unwrap();
    for entry in std::fs::read_dir(root.join("examples")).unwrap() {
        let entry = entry.unwrap();
        // What runs elsewhere, on a cluster, has a folder and a test of its own.
        if entry.path().is_file() {
            std::fs::copy(entry.path(), examples.join(entry.file_name())).unwrap();
        }
    }
    let bin = Path::new(env!("CARGO_BIN_EXE_otori")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let (smtp, http) = (free().port().to_string(), free().port().to_string());
    let mut dir = home.path().to_owned();
    let mut served = Served(None);
    let mut run = 0;
    for (heading, command) in commands(&readme) {
        // The two commands of the start are the demo and the tests themselves.
        if heading == "Start" {
            continue;
        }
        let command = command
            .replace(URL, &url)
            .replace(&format!(":{SMTP}"), &format!(":{smtp}"))
            .replace(&format!(":{HTTP}"), &format!(":{http}"));
        // Which numbers the canaries were given is chance, and no README can tell. A call alone opens no incident,
        // and the pages below look at one: this caller says a name.
        let command = match command.contains(NUMBER) && command.contains("/hooks/phone") {
            true => {
                let (number, name) = given_number(&dir).await;
                let call = r#""kind": "call""#;
                assert!(command.contains(call), "{command}");
                let named = format!(r#"{call}, "text": "{name}様ですか""#);
                command.replace(NUMBER, &number).replace(call, &named)
            }
            false => command,
        };
        if let Some(to) = command.strip_prefix("cd ") {
            dir.push(to);
        } else if command == "otori serve" {
            let config = std::fs::read_to_string(dir.join("otori.toml")).unwrap();
            let config = config.replace(SMTP, &smtp).replace(HTTP, &http);
            std::fs::write(dir.join("otori.toml"), config).unwrap();
            let child = shell("exec otori serve", &dir, &path)
                .stderr(Stdio::null())
                .spawn();
            served = Served(Some(child.unwrap()));
            let ready = format!(
                "curl -sf --retry 50 --retry-delay 0 --retry-max-time 20 --retry-connrefused http://127.0.0.1:{http}/readyz"
            );
            assert!(
                shell(&ready, &dir, &path)
                    .output()
                    .unwrap()
                    .status
                    .success()
            );
        } else {
            let output = shell(&command, &dir, &path).output().unwrap();
            assert!(
                output.status.success(),
                "README, {heading}: {command}\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        run += 1;
    }
    assert!(run >= 12, "only {run} commands were found");
    drop(served);
}
