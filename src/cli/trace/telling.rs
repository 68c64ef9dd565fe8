//! What is told of lists that were examined, and where.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use time::OffsetDateTime;

use crate::cli::{Global, Output};
use crate::trace::{Document, Documents, Report, Settings, html, words};
use crate::workspace::Unnamed;

/// Options of everything that ends with a verdict.
#[derive(clap::Args)]
pub struct Telling {
    /// Look for the canaries of a watch list (otori watchlist export), without a workspace: sources are
    /// named by pseudonyms, and nothing is recorded
    #[arg(long, value_name = "FILE")]
    pub watchlist: Option<PathBuf>,
    /// Also write the report as one self-contained page, for print
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Show canary ids only, for a third party: sources and batches are numbered (in the order of otori
    /// source list), and nothing that the list holds, nor the names of its files and columns, is shown,
    /// on the terminal, in JSON and on the page
    #[arg(long)]
    pub redact: bool,
    /// Accepted probability that any innocent source is named
    #[arg(long, value_name = "P", default_value = "1e-6", value_parser = probability)]
    pub false_accusation: f64,
}

fn probability(text: &str) -> Result<f64, String> {
    let value: f64 = text
        .parse()
        .map_err(|_| "give a number such as 1e-6".to_owned())?;
    if value > 0.0 && value <= 0.5 {
        Ok(value)
    } else {
        Err("it must be above 0 and at most 0.5".to_owned())
    }
}

impl Telling {
    /// What can be wrong with the page's place is told before a list is read, which may take minutes.
    ///
    /// # Errors
    /// There is no directory to write it into, or it is one itself.
    pub fn check(&self) -> anyhow::Result<()> {
        let Some(path) = &self.html else {
            return Ok(());
        };
        anyhow::ensure!(
            !path.is_dir(),
            "{} is a directory: name a file in it",
            path.display()
        );
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        anyhow::ensure!(
            parent.is_none_or(Path::is_dir),
            "{}: there is no such directory; make it, or write the page elsewhere",
            path.display()
        );
        Ok(())
    }

    /// How sure a verdict has to be.
    pub fn settings(&self) -> Settings {
        Settings {
            false_accusation: self.false_accusation,
            ..Settings::new(OffsetDateTime::now_utc())
        }
    }

    /// Takes out what nobody outside may see, if that is asked for.
    pub fn redacted<'a>(&self, mut reports: Vec<Report<'a>>) -> Vec<Report<'a>> {
        if self.redact {
            reports.iter_mut().for_each(Report::redact);
        }
        reports
    }

    /// Writes the page and prints the reports. `one`: one list was asked for.
    ///
    /// # Errors
    /// The page cannot be written, or standard output is closed.
    pub fn tell(&self, reports: &[Report<'_>], one: bool, global: &Global) -> anyhow::Result<()> {
        if let (Some(path), [report]) = (&self.html, reports) {
            page(path, &html(report)).with_context(|| path.display().to_string())?;
        }
        let output = Output::new(global);
        let print = |out: &mut dyn Write| {
            for (place, report) in reports.iter().enumerate() {
                if place > 0 {
                    writeln!(out)?;
                }
                words(report, out)?;
            }
            Ok(())
        };
        match reports {
            [report] if one => output.result(&Document::from(report), print),
            _ => {
                let lists = reports.iter().map(Document::from).collect();
                output.result(&Documents { lists }, print)
            }
        }
    }
}

/// Writes a page, whole or not at all.
fn page(path: &Path, text: &str) -> std::io::Result<()> {
    let file = Unnamed::begin(path, ".otori-report-")?;
    file.handle()?.write_all(text.as_bytes())?;
    file.replace()
}
