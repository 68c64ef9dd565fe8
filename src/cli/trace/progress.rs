//! How far the reading is: a bar on a terminal, nothing elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Less is read before anybody would look.
const WORTH_A_BAR: u64 = 16 << 20;

/// Bytes read of a list, over all of its files.
pub struct Progress {
    bar: ProgressBar,
    /// Bytes of the files before.
    before: u64,
    now: u64,
    /// The length is not known: the bar appears once there is something to show.
    open: bool,
}

impl Progress {
    /// For a list of so many bytes; `None` where nobody knows, as of a pipe.
    pub fn new(length: Option<u64>) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let bar = match length {
            Some(length) if terminal && length >= WORTH_A_BAR => ProgressBar::new(length)
                .with_style(style(
                    "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
                )),
            _ => ProgressBar::hidden()
                .with_style(style("{spinner} {bytes}, {bytes_per_sec}, {elapsed}")),
        };
        Progress {
            bar,
            before: 0,
            now: 0,
            open: length.is_none() && terminal,
        }
    }

    /// So many bytes of the file at hand have been read.
    pub fn read(&mut self, bytes: u64) {
        self.now = bytes;
        if self.open && bytes >= WORTH_A_BAR {
            self.open = false;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(self.before + bytes);
    }

    /// The next file begins.
    pub fn next_file(&mut self) {
        self.before += self.now;
        self.now = 0;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
