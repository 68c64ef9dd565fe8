//! Questions to the person before the terminal.

use std::io::{IsTerminal, Write};

use anyhow::bail;

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
