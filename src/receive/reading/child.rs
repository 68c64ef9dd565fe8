//! A program that looks at strangers' pictures, on a short lead: little memory, little time, an empty
//! environment, nothing of a stranger's in its command line.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Sets the limits and becomes the program, whose words come as arguments of their own: kibibytes of
/// memory, seconds of CPU, blocks of files written.
const LIMITED: &str = "ulimit -v 1500000 && ulimit -t 30 && ulimit -f 20000 && exec \"$@\"";
/// Ends a group of processes.
const END: &str = "kill -s KILL -- \"-$1\"";
/// What a program may say.
const MOST: u64 = 4 << 20;

/// Why a program has said nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It did not start.
    #[error("it could not be started")]
    Start,
    /// It was ended.
    #[error("it took longer than {} seconds", .0.as_secs())]
    Slow(Duration),
    /// It ended badly.
    #[error("it ended with {0}")]
    Status(String),
}

/// Where a program is: as given if it has a slash in it, else in the directories of `PATH`.
pub fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).filter(|place| place.is_absolute());
    places.find_map(|place| Some(place.join(program)).filter(|file| file.is_file()))
}

/// All processes of a program's group, ended when dropped, so that a page that was left leaves none behind.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            let mut kill = std::process::Command::new("/bin/sh");
            kill.args(["-c", END, "sh", &group.to_string()]);
            let _ = kill.stderr(Stdio::null()).status();
        }
    }
}

/// What a program says of its input.
///
/// # Errors
/// It does not start, takes too long, or ends badly.
pub async fn run(
    program: &Path,
    args: &[&str],
    input: Vec<u8>,
    limit: Duration,
) -> Result<Vec<u8>, Failed> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", LIMITED, "sh"])
        .arg(program)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("OMP_THREAD_LIMIT", "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|_| Failed::Start)?;
    let mut group = Group(child.id());
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let talk = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // One that has heard enough closes its ear.
                let _ = stdin.write_all(&input).await;
            }
        };
        let read = async {
            let mut said = Vec::new();
            if let Some(stdout) = stdout {
                let _ = stdout.take(MOST).read_to_end(&mut said).await;
            }
            said
        };
        let ((), said) = tokio::join!(write, read);
        (said, child.wait().await)
    };
    let (said, status) = tokio::time::timeout(limit, talk)
        .await
        .map_err(|_| Failed::Slow(limit))?;
    let status = status.map_err(|_| Failed::Start)?;
    group.0 = None;
    if status.success() {
        Ok(said)
    } else {
        Err(Failed::Status(status.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn sh(script: &str, input: &[u8], limit: Duration) -> Result<String, Failed> {
        let said = run(Path::new("/bin/sh"), &["-c", script], input.to_vec(), limit).await?;
        Ok(String::from_utf8(said).unwrap())
    }

    #[tokio::test]
    async fn it_hears_its_input_and_nothing_of_ours() {
        assert_eq!(sh("cat", b"abc", 10 * SECOND).await.unwrap(), "abc");
        let words = sh("env; pwd", b"", 10 * SECOND).await.unwrap();
        assert!(!words.contains("HOME="), "{words}");
        assert!(words.ends_with("\n/\n"), "{words}");
        // One that does not listen does not block us.
        let much = vec![b'x'; 1 << 20];
        assert_eq!(sh("echo done", &much, 10 * SECOND).await.unwrap(), "done\n");
    }

    #[tokio::test]
    async fn its_whole_group_is_ended_when_its_time_is_up() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let script = format!("sleep 60 & echo $! > {}; wait", file.display());
        let start = Instant::now();
        let failed = sh(&script, b"", SECOND).await;
        assert_eq!(failed, Err(Failed::Slow(SECOND)));
        assert!(start.elapsed() < 10 * SECOND);
        let grandchild = std::fs::read_to_string(file).unwrap();
        let stat = format!("/proc/{}/stat", grandchild.trim());
        let mut tries = 0;
        // Gone, or dead and not yet buried.
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            tries += 1;
            assert!(tries < 100, "the grandchild is alive");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn it_gets_neither_memory_nor_the_cpu_for_long() {
        let limits = sh("ulimit -v; ulimit -t; ulimit -f", b"", 10 * SECOND);
        assert_eq!(limits.await.unwrap(), "1500000\n30\n20000\n");
        let failed = sh("kill -SEGV $$", b"", 10 * SECOND).await;
        assert!(matches!(failed, Err(Failed::Status(_))), "{failed:?}");
        let none = run(Path::new("/nowhere/at/all"), &[], Vec::new(), 10 * SECOND).await;
        assert!(matches!(none, Err(Failed::Status(_))), "{none:?}");
    }

    #[test]
    fn programs_are_found_where_they_are() {
        assert!(find(Path::new("sh")).is_some());
        assert_eq!(find(Path::new("/bin/sh")), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find(Path::new("no-such-program-of-ours")), None);
        assert_eq!(find(Path::new("/no/such/program")), None);
    }
}
