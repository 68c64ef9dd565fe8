//! The passphrase of a backup.

use anyhow::{Context, bail};
use zeroize::Zeroizing;

use super::ask::hidden;

/// The passphrase, in the environment.
const VARIABLE: &str = "OTORI_PASSPHRASE";

/// The passphrase from the environment or the terminal, where a new one is asked for twice.
///
/// # Errors
/// It is nowhere, or was not typed alike.
pub(super) fn passphrase(new: bool) -> anyhow::Result<Zeroizing<String>> {
    if let Ok(words) = std::env::var(VARIABLE) {
        return Ok(Zeroizing::new(words));
    }
    let nowhere = || format!("give the passphrase of the backup in {VARIABLE}");
    let words = hidden("Passphrase of the backup: ").with_context(nowhere)?;
    if new && *hidden("Once more: ")? != *words {
        bail!("the two are not the same: nothing was written");
    }
    Ok(words)
}
