//! `otori report`.

mod gather;
mod withhold;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::{Global, Outcome, Output, ask, usage};
use crate::evidence::{Act, hex};
use crate::report::control::{Control, Period};
use crate::report::pdf::{FontFiles, pdf};
use crate::report::{Lang, html};

/// Write the proof that the control works, or where it does not, for a period
///
/// Coverage, verifications, drills, downtime, sightings, incidents, accesses, the log's root and
/// signatures, and what all of this says to a standard; no canary's details. The days are by the clock
/// of the report's language: Japan's for ja, UTC for en.
#[derive(clap::Args)]
pub struct Args {
    /// The first day, such as 2026-04-01
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Date,
    /// The last day, included; today at the latest
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Date,
    /// Where the report goes, as its ending says: .html, .pdf or .json
    #[arg(long, value_name = "FILE", value_parser = Target::parse)]
    out: Option<Target>,
    /// The language: en or ja
    #[arg(long, default_value = "en", value_name = "LANG")]
    lang: Lang,
    /// A font with Japanese letters for the PDF, instead of the one that is installed
    #[arg(long, value_name = "FILE")]
    font: Option<PathBuf>,
    /// A source whose last verification is longer ago than this counts as overdue
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    verified_within: u16,
}

fn day(text: &str) -> Result<Date, String> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_err(|_| "give a day such as 2026-04-01".to_owned())
}

/// A file, and what its ending asks for.
#[derive(Clone)]
struct Target {
    path: PathBuf,
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Html,
    Pdf,
    Json,
}

impl Target {
    fn parse(text: &str) -> Result<Target, String> {
        let path = PathBuf::from(text);
        let ending = path.extension().and_then(|ending| ending.to_str());
        let format = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("html" | "htm") => Format::Html,
            Some("pdf") => Format::Pdf,
            Some("json") => Format::Json,
            _ => return Err("its ending has to be .html, .pdf or .json".to_owned()),
        };
        Ok(Target { path, format })
    }
}

/// Runs `otori report`.
///
/// # Errors
/// The registry fails, no font is found for a PDF, or the file cannot be written; then there is no file,
/// or the one that there was.
pub async fn run(args: Args, global: &Global) -> anyhow::Result<Outcome> {
    let now = OffsetDateTime::now_utc();
    let period = Period::new(args.from, args.to, args.lang, now)
        .unwrap_or_else(|error| usage(&error.to_string()));
    if args.out.is_none() && !global.json {
        usage("say where the report goes (--out FILE.html, .pdf or .json), or --json to print it");
    }
    let (workspace, registry) = global.open().await?;
    // What can be wrong with the file or the font is told before anything is gathered.
    let new = args.out.as_ref().map(|out| begin(&out.path, global));
    let new = new.transpose()?;
    let fonts = match &args.out {
        Some(out) if out.format == Format::Pdf => Some(match &args.font {
            Some(path) => FontFiles::named(path)?,
            None => FontFiles::find()?,
        }),
        _ => None,
    };
    let days = time::Duration::days(args.verified_within.into());
    let gathered = gather::gather(&workspace, &registry, period, days, args.lang, now).await?;
    let control = Control::new(&gathered);
    drop(gathered);
    let document = serde_json::to_value(control.document(args.lang))?;
    if let (Some(out), Some(new)) = (&args.out, new) {
        let bytes = match (out.format, &fonts) {
            (Format::Html, _) => html(&control.page(args.lang)).into_bytes(),
            (Format::Pdf, Some(fonts)) => pdf(&control.page(args.lang), fonts, now)?,
            _ => serde_json::to_vec_pretty(&document)?,
        };
        let sha256 = hex(&Sha256::digest(&bytes));
        keep(new, &bytes, &out.path)?;
        let (from, to) = (period.from_text(), period.to_text());
        registry
            .record(Act::Reported { from, to, sha256 }, now)
            .await?;
    }
    Output::new(global).result(&document, |out| told(out, &control, &args))?;
    Ok(Outcome::Done)
}

fn told(out: &mut dyn Write, control: &Control, args: &Args) -> std::io::Result<()> {
    for finding in control.findings() {
        let (found, to_do) = finding.words(args.lang);
        let weight = finding.severity().words(args.lang);
        writeln!(out, "{weight}: {found} {to_do}")?;
    }
    if let Some(target) = &args.out {
        writeln!(out, "{}", target.path.display())?;
    }
    Ok(())
}

/// A file beside the one that is asked for: the report is there whole, or it is not there.
fn begin(path: &Path, global: &Global) -> anyhow::Result<NamedTempFile> {
    if path.is_dir() {
        bail!("{} is a directory: name a file in it", path.display());
    }
    if path.exists() && !ask::confirm(global, &format!("{} exists: replace it?", path.display()))? {
        bail!("{} is left as it was", path.display());
    }
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".otori-report")
        .tempfile_in(dir)
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn keep(mut new: NamedTempFile, bytes: &[u8], path: &Path) -> anyhow::Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    new.write_all(bytes).with_context(failed)?;
    new.as_file().sync_all().with_context(failed)?;
    new.persist(path).with_context(failed)?;
    Ok(())
}
