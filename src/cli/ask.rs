//! Questions to the person before the terminal.

use std::io::{IsTerminal, Write};

use anyhow::bail;
use zeroize::Zeroizing;

use super::Global;

/// Asks a yes-or-no question on standard error. Without a terminal it never waits.
///
/// # Errors
/// There is no terminal and no `--yes`.
pub(super) fn confirm(global: &Global, question: &str) -> anyhow::Result<bool> {
    if global.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        bail!("{question} There is no terminal to ask on: say --yes to do it");
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "y" | "yes" | "はい"
    ))
}

/// Asks for a secret on the terminal, which does not show it.
///
/// # Errors
/// There is no terminal, or `stty`, which turns its echo off, does not run.
pub(super) fn hidden(question: &str) -> anyhow::Result<Zeroizing<String>> {
    if !std::io::stdin().is_terminal() {
        bail!("there is no terminal to ask on");
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{question}")?;
    err.flush()?;
    // Turning the echo off takes a system call that has no safe binding in the standard library.
    let echo = |how: &str| -> anyhow::Result<()> {
        let done = std::process::Command::new("stty").arg(how).status()?;
        anyhow::ensure!(done.success(), "stty {how} failed");
        Ok(())
    };
    echo("-echo")?;
    let mut answer = Zeroizing::new(String::new());
    let read = std::io::stdin().read_line(&mut answer);
    echo("echo")?;
    writeln!(err)?;
    read?;
    Ok(Zeroizing::new(
        answer.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
