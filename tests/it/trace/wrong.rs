//! What is told of a trace that cannot be: what was wrong, where, and what to do.

use std::path::Path;
use std::process::Command;

use crate::harness::{Otori, PEOPLE};

/// The exit status and what is told of `otori trace` with these arguments, in the workspace.
fn told(otori: &Otori, args: &[&str]) -> (i32, String) {
    let mut command = otori.command(&["trace"]);
    let output = command.args(args).current_dir(otori.dir()).output();
    let output = output.unwrap();
    let both = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(both).unwrap(),
    )
}

#[tokio::test]
async fn what_is_no_list_is_told() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let write = |name: &str, text: &str| std::fs::write(otori.dir().join(name), text).unwrap();
    write("empty.csv", "");
    write("blank.csv", "\n\n\n");
    write("mark.csv", "\u{feff}");
    write("header.csv", "氏名,電話番号\n");
    std::fs::create_dir(otori.dir().join("nothing")).unwrap();
    for (args, status, words) in [
        (
            &["missing.csv"][..],
            1,
            "missing.csv: there is no such file",
        ),
        (&["empty.csv"], 1, "empty.csv is empty"),
        (&["nothing"], 1, "nothing is empty"),
        // A table without rows is a list; of its canaries nothing can be said, and nobody is cleared.
        (&["header.csv"], 0, "this list has no rows"),
        (&["blank.csv"], 0, "this list has no rows"),
        (&["mark.csv"], 0, "this list has no rows"),
        (&["header.csv"], 0, "school: this list would not show"),
        // One bad list does not hide the others.
        (&["missing.csv", "header.csv"], 1, "header.csv: 0 rows"),
        (&[], 2, "<FILE>"),
        (&["--no-such-flag", "header.csv"], 2, "--no-such-flag"),
        (&["--false-accusation", "2", "header.csv"], 2, "at most 0.5"),
        (
            &["--html", "x.html", "header.csv", "mark.csv"],
            2,
            "say --together",
        ),
        (
            &["--partial", "header.csv", "mark.csv"],
            2,
            "say --together",
        ),
        (
            &["--html", "none/x.html", "header.csv"],
            1,
            "none/x.html: there is no such directory",
        ),
        (
            &["--html", "nothing", "header.csv"],
            1,
            "nothing is a directory",
        ),
        (
            &["--watchlist", "none.owl", "header.csv"],
            1,
            "none.owl: No such file",
        ),
    ] {
        let (code, text) = told(&otori, args);
        assert_eq!(code, status, "{args:?}: {text}");
        assert!(text.contains(words), "{args:?}: {text}");
        let error = text.lines().find(|line| line.starts_with("error: "));
        let twice = error.is_some_and(|line| line.matches("os error").count() > 1);
        assert!(!twice, "the same is told twice: {text}");
    }
}

#[test]
fn a_workspace_that_is_not_there_is_told() {
    let here = tempfile::tempdir().unwrap();
    let none = here.path().join("none");
    for args in [
        &["trace", "x.csv"][..],
        &["--workspace", none.to_str().unwrap(), "trace", "x.csv"],
    ] {
        let output = Command::new(Path::new(env!("CARGO_BIN_EXE_otori")))
            .args(args)
            .current_dir(here.path())
            .env_remove("OTORI_WORKSPACE")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(text.contains("run `otori init`"), "{text}");
    }
}
