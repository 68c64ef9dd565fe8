//! Reading an envelope from its photographs: made readable here, then read by Tesseract and zbarimg, which
//! are programs of this machine, each on a short lead.
//!
//! The post's own bar codes, which zbarimg does not read, are read here ([`bars`]).
//!
//! What is read is a help for the person who files the letter, and never settles anything by itself. Where
//! Tesseract is missing, slow or at a loss, the person types. A link in a barcode is noted, and not
//! followed.

pub mod bars;
mod child;
mod fields;
pub mod picture;
mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::config::PostConfig;
use super::understand::{Letter, one_line};
use picture::Grey;
use words::Line;

/// Letters read at a time: a picture takes memory, and Tesseract a core.
const AT_A_TIME: usize = 2;
/// One run of Tesseract, one of zbarimg, and all that one letter may take.
const OCR: Duration = Duration::from_secs(20);
const BARCODES: Duration = Duration::from_secs(10);
const LETTER: Duration = Duration::from_secs(60);
/// The side of the picture that a person is shown.
const SHOWN: usize = 1100;
/// Characters kept of all that was read, and barcodes.
const TEXT: usize = 4000;
const CODES: usize = 12;

/// What could be read on a letter.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// All lines.
    pub text: String,
    /// What barcodes say.
    pub codes: Vec<String>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Reading({} characters, {} codes)",
            self.text.chars().count(),
            self.codes.len()
        )
    }
}

/// A letter's pages, read.
pub struct Pages {
    /// What could be read.
    pub reading: Reading,
    /// Which of it is what.
    pub fields: Letter,
    /// Each page as it was read, for a browser; `None` where it could not be decoded.
    pub shown: Vec<Option<Vec<u8>>>,
    /// What went wrong, in words for the person.
    pub problems: Vec<String>,
}

/// The programs that read.
#[derive(Clone)]
pub struct Reader {
    tesseract: Option<PathBuf>,
    barcodes: Option<PathBuf>,
    seats: Arc<Semaphore>,
}

impl Reader {
    /// Looks for the programs that the configuration names.
    pub fn new(config: &PostConfig) -> Reader {
        let find = |program: &PathBuf| {
            let off = program.as_os_str() == "off";
            if off { None } else { child::find(program) }
        };
        Reader {
            tesseract: find(&config.tesseract),
            barcodes: find(&config.barcodes),
            seats: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Whether there is a Tesseract.
    pub fn reads(&self) -> bool {
        self.tesseract.is_some()
    }

    /// Reads the pages of one letter. This never fails: what could not be read is said.
    pub async fn read(&self, pages: Vec<Vec<u8>>) -> Pages {
        let _seat = self.seats.acquire().await;
        let end = Instant::now() + LETTER;
        let mut read = Pages {
            reading: Reading::default(),
            fields: Letter::default(),
            shown: Vec::new(),
            problems: Vec::new(),
        };
        if self.tesseract.is_none() {
            let missing = "Tesseract がないため自動では読み取れません。入力してください / \
                           There is no Tesseract here: type what is on the envelope";
            read.problems.push(missing.to_owned());
        }
        let mut lines = Vec::new();
        for (number, page) in pages.into_iter().enumerate() {
            let page = self.page(page, end, &mut read).await;
            match page {
                Ok(page) => lines.extend(page),
                Err(problem) => {
                    read.problems.push(format!("{}. {problem}", number + 1));
                }
            }
            read.shown.resize(number + 1, None);
        }
        let texts = lines.iter().map(|line| one_line(&line.text));
        let text: String = texts.collect::<Vec<_>>().join("\n");
        let codes = &read.reading.codes;
        let told = codes.iter().filter(|code| bars::says_where(code));
        let told: Vec<&str> = told.map(String::as_str).chain([text.as_str()]).collect();
        let told = told.join("\n");
        read.reading.text = told.chars().take(TEXT).collect();
        read.fields = fields::guess(&lines, &read.reading.codes);
        read
    }

    async fn page(
        &self,
        bytes: Vec<u8>,
        end: Instant,
        read: &mut Pages,
    ) -> Result<Vec<Line>, String> {
        let decoded = tokio::task::spawn_blocking(move || {
            let raw = picture::decode(&bytes)?.within(LARGEST_RAW);
            let page = picture::readable(raw.clone());
            let barred = bars::read(&page);
            Ok::<_, picture::Unreadable>((page, barred, raw))
        });
        let (page, barred, raw) = match decoded.await {
            Ok(Ok(pictures)) => pictures,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err("it could not be decoded".to_owned()),
        };
        let mut codes = self.codes(&raw, end).await;
        codes.extend(barred);
        let found = self.lines(&page, end).await;
        let (turn, lines) = found.unwrap_or((0, Err(String::new())));
        let shown = tokio::task::spawn_blocking(move || page.turned(turn).within(SHOWN).png());
        read.shown.push(shown.await.ok().flatten());
        for code in codes {
            if read.reading.codes.len() < CODES && !read.reading.codes.contains(&code) {
                read.reading.codes.push(code);
            }
        }
        match lines {
            Err(nothing) if nothing.is_empty() => Ok(Vec::new()),
            lines => lines,
        }
    }

    /// The page's lines, and by how many quarters it had to be turned; `None` without Tesseract.
    async fn lines(&self, page: &Grey, end: Instant) -> Option<(usize, Result<Vec<Line>, String>)> {
        let tesseract = self.tesseract.as_ref()?;
        let mut best = (0, Vec::new());
        for (turn, way) in ways(page.in_columns()) {
            let left = end.saturating_duration_since(Instant::now()).min(OCR);
            let input = page.turned(turn).pgm();
            let said = match child::run(tesseract, way.asked(), input, left).await {
                Ok(said) => said,
                // Its data for columns is a package of its own.
                Err(child::Failed::Status(_)) if way == Way::Columns => continue,
                Err(failed) => {
                    tracing::warn!(%failed, "Tesseract could not read a letter");
                    let problem = format!(
                        "Tesseract で読み取れませんでした / Tesseract could not read it: {failed}"
                    );
                    return Some((turn, Err(problem)));
                }
            };
            let lines = words::lines(&String::from_utf8_lossy(&said), way == Way::Columns);
            if words::worth(&lines) > words::worth(&best.1) {
                best = (turn, lines);
            }
            if words::plenty(&best.1) {
                break;
            }
        }
        Some((best.0, Ok(best.1)))
    }

    /// What barcodes say; none is no failure (zbarimg ends with 4).
    async fn codes(&self, picture: &Grey, end: Instant) -> Vec<String> {
        let Some(zbarimg) = &self.barcodes else {
            return Vec::new();
        };
        let left = end.saturating_duration_since(Instant::now()).min(BARCODES);
        let args = ["--raw", "-q", "--nodbus", "PGM:-"];
        let said = match child::run(zbarimg, &args, picture.pgm(), left).await {
            Ok(said) => said,
            Err(child::Failed::Status(_)) => Vec::new(),
            Err(failed) => {
                tracing::warn!(%failed, "zbarimg could not look at a letter");
                return Vec::new();
            }
        };
        let said = String::from_utf8_lossy(&said);
        let codes = said.lines().map(one_line).filter(|code| !code.is_empty());
        codes.collect()
    }
}

/// How a page is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From left to right.
    Rows,
    /// From top to bottom, as Japanese envelopes often are.
    Columns,
}

impl Way {
    const fn asked(self) -> &'static [&'static str] {
        match self {
            Way::Rows => &["-", "-", "-l", "jpn+eng", "--psm", "4", "tsv"],
            // Columns are found by itself; told that all is one block, it takes boxes for columns.
            Way::Columns => &["-", "-", "-l", "jpn_vert", "--psm", "3", "tsv"],
        }
    }
}

/// By how many quarters a page is turned and how it may be written, the likeliest first. What seems to run in columns
/// may be rows that lie on their side, and the other way round; upright is likely.
const fn ways(in_columns: bool) -> [(usize, Way); 6] {
    match in_columns {
        false => [
            (0, Way::Rows),
            (2, Way::Rows),
            (1, Way::Columns),
            (3, Way::Columns),
            (1, Way::Rows),
            (3, Way::Rows),
        ],
        true => [
            (0, Way::Columns),
            (1, Way::Rows),
            (3, Way::Rows),
            (2, Way::Columns),
            (0, Way::Rows),
            (2, Way::Rows),
        ],
    }
}

/// Barcodes are looked for in a picture of this size: finer than what is read, since bars are.
const LARGEST_RAW: usize = 2800;
