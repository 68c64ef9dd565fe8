//! What commands print: words for people, or one JSON document.

use std::io::Write;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::Global;

/// Where a command's result goes. Everything else it says goes to standard error.
pub struct Output {
    json: bool,
}

impl Output {
    /// The output that the options ask for.
    pub fn new(global: &Global) -> Output {
        Output { json: global.json }
    }

    /// Prints the result: `document` with `--json`, else what `words` writes.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub fn result<T: Serialize>(
        &self,
        document: &T,
        words: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let written = if self.json {
            serde_json::to_writer(&mut out, document)
                .map_err(std::io::Error::from)
                .and_then(|()| writeln!(out))
        } else {
            words(&mut out)
        };
        match written.and_then(|()| out.flush()) {
            // Whoever reads has seen enough (`| head`).
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }
}

/// A moment as lists in the terminal show it: to the minute, in UTC.
pub fn minute(at: OffsetDateTime) -> String {
    let minute = format_description!("[year]-[month]-[day] [hour]:[minute]Z");
    at.format(minute).unwrap_or_default()
}
