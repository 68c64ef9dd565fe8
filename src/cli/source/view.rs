//! A source as a person and as a program see it.

use std::io::Write;

use rand_chacha::ChaCha12Rng;
use serde::Serialize;
use time::OffsetDateTime;

use crate::canary::SourceName;
use crate::database::DatabaseUrl;
use crate::notation::{MappedColumn, Related};
use crate::persona::Generator;
use crate::registry::Registry;
use crate::source::{Preview, Proposal, Survey, preview};
use crate::workspace::Workspace;

/// Canaries shown.
const SHOWN: usize = 3;

/// `source add` and `source show` in JSON.
#[derive(Serialize)]
pub struct Document {
    pub source: String,
    /// Without its password.
    pub url: String,
    pub engine: &'static str,
    pub table: String,
    /// Unknown where the database cannot be reached.
    pub rows: Option<u64>,
    pub registered: bool,
    pub columns: Vec<ColumnDocument>,
    /// Tables beside it that hold more of a customer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RelatedDocument>,
    pub unresolved: Vec<Unresolved>,
    /// One row per canary, cells as in `columns`; null is NULL, or left to the database.
    pub preview: Vec<Vec<Option<String>>>,
    /// Contact points that the pool lacks: those of the preview are examples.
    pub pool_lacks: Vec<&'static str>,
    /// Its canaries, each in all versions that are kept; `source show` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<usize>,
}

#[derive(Clone, Serialize)]
pub struct ColumnDocument {
    column: String,
    #[serde(rename = "type")]
    sql_type: Option<String>,
    role: &'static str,
    format: Option<String>,
    confidence: f64,
    why: String,
}

#[derive(Clone, Serialize)]
pub struct RelatedDocument {
    table: String,
    name: String,
    /// `COLUMN = TABLE.COLUMN`.
    join: Vec<String>,
    /// Which rows a canary has there: `household`, `child`, `existing` or `attributes`.
    rows: &'static str,
    columns: Vec<ColumnDocument>,
}

impl RelatedDocument {
    fn of(related: &Related) -> RelatedDocument {
        let join = related.join.iter();
        RelatedDocument {
            table: related.table.clone(),
            name: related.name().to_owned(),
            join: join
                .map(|(own, other)| format!("{own} = {other}"))
                .collect(),
            rows: match related.attribute {
                Some(_) => "attributes",
                None => related.rows.name(),
            },
            columns: related
                .columns
                .iter()
                .map(|column| ColumnDocument::of(column, None))
                .collect(),
        }
    }

    fn rows_in_words(&self) -> &'static str {
        match self.rows {
            "child" => "one row for each child",
            "existing" => "rows that are there already; none is added",
            "attributes" => "one row for each attribute",
            _ => "one row",
        }
    }
}

impl ColumnDocument {
    fn of(column: &MappedColumn, sql_type: Option<String>) -> ColumnDocument {
        let format = column.format.as_ref();
        ColumnDocument {
            column: column.column.clone(),
            sql_type,
            role: column.role.name(),
            format: format.map(|format| format.example(column.role)),
            confidence: column.confidence.unwrap_or(1.0),
            why: column.why.clone(),
        }
    }

    fn line(&self, is_open: bool) -> [String; 6] {
        let role = match is_open {
            true => format!("{}?", self.role),
            false => self.role.to_owned(),
        };
        [
            self.column.clone(),
            self.sql_type.clone().unwrap_or_default(),
            role,
            self.format.clone().unwrap_or_default(),
            format!("{:.0}%", self.confidence * 100.0),
            self.why.clone(),
        ]
    }
}

#[derive(Clone, Serialize)]
pub struct Unresolved {
    column: String,
    question: String,
    candidates: Vec<&'static str>,
    answer: String,
}

/// A source with a preview.
pub struct View {
    source: String,
    url: DatabaseUrl,
    table: String,
    rows: Option<u64>,
    columns: Vec<ColumnDocument>,
    related: Vec<RelatedDocument>,
    unresolved: Vec<Unresolved>,
    preview: Preview,
}

impl View {
    /// Gathers what is shown; without a survey there are no types and no preview.
    ///
    /// # Errors
    /// The registry or the seeds cannot be read.
    pub async fn new(
        name: &SourceName,
        url: &DatabaseUrl,
        survey: Option<&Survey>,
        proposal: &Proposal,
        workspace: &Workspace,
        registry: &Registry,
    ) -> anyhow::Result<View> {
        let mapping = &proposal.mapping;
        let preview = match survey {
            Some(survey) => {
                let generator = Generator::new(&workspace.seeds()?, mapping.locale);
                let mut rng: ChaCha12Rng = rand::make_rng();
                preview(
                    survey,
                    mapping,
                    &generator,
                    &registry.pool().await?,
                    SHOWN,
                    OffsetDateTime::now_utc(),
                    &mut rng,
                )
            }
            None => Preview {
                rows: Vec::new(),
                lacking: Vec::new(),
            },
        };
        let sql_type = |column: &MappedColumn| {
            survey
                .and_then(|survey| survey.table.column(&column.column).ok())
                .map(|found| found.sql_type.clone())
        };
        Ok(View {
            source: name.to_string(),
            url: url.clone(),
            table: survey
                .map(|survey| survey.table.to_string())
                .unwrap_or_default(),
            rows: survey.map(|survey| survey.rows),
            columns: mapping
                .columns
                .iter()
                .map(|column| ColumnDocument::of(column, sql_type(column)))
                .collect(),
            related: mapping.related.iter().map(RelatedDocument::of).collect(),
            unresolved: proposal
                .questions
                .iter()
                .map(|question| Unresolved {
                    column: question.column.clone(),
                    question: question.text.clone(),
                    candidates: question.candidates.iter().map(|role| role.name()).collect(),
                    answer: question.answer.clone(),
                })
                .collect(),
            preview,
        })
    }

    /// The JSON document.
    pub fn document(&self) -> Document {
        Document {
            source: self.source.clone(),
            url: self.url.to_string(),
            engine: self.url.engine().name(),
            table: self.table.clone(),
            rows: self.rows,
            registered: true,
            columns: self.columns.clone(),
            related: self.related.clone(),
            unresolved: self.unresolved.clone(),
            preview: self.preview.rows.clone(),
            pool_lacks: self.preview.lacking.clone(),
            versions: None,
        }
    }

    /// What a person reads.
    ///
    /// # Errors
    /// The output is closed.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rows = self
            .rows
            .map_or("unknown".to_owned(), |rows| rows.to_string());
        writeln!(
            out,
            "{}: table {} of {} ({} rows)\n",
            self.source, self.table, self.url, rows
        )?;
        let open = |column: &str| {
            self.unresolved
                .iter()
                .any(|question| question.column == column)
        };
        let head = || ["column", "type", "role", "format", "sure", "why"].map(str::to_owned);
        let columns = self.columns.iter();
        let lines: Vec<_> = std::iter::once(head())
            .chain(columns.map(|column| column.line(open(&column.column))))
            .collect();
        write_table(out, &lines)?;
        for related in &self.related {
            writeln!(
                out,
                "\nrelated table {} ({}): {}\n",
                related.table,
                related.join.join(", "),
                related.rows_in_words()
            )?;
            let is_open = |column: &str| open(&format!("{}.{column}", related.name));
            let columns = related.columns.iter();
            let lines: Vec<_> = std::iter::once(head())
                .chain(columns.map(|column| column.line(is_open(&column.column))))
                .collect();
            write_table(out, &lines)?;
        }
        if self.preview.rows.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{SHOWN} canaries as they would be written:")?;
        for lacking in &self.preview.lacking {
            writeln!(
                out,
                "(pool empty: would be a {} of yours; add some with: otori pool add {lacking})",
                contact_point(lacking)
            )?;
        }
        for (at, row) in self.preview.rows.iter().enumerate() {
            writeln!(out)?;
            for (column, cell) in self.columns.iter().zip(row) {
                let value =
                    cell.as_deref()
                        .unwrap_or(if column.role == "id" || column.role == "skip" {
                            "(left to the database)"
                        } else {
                            "NULL"
                        });
                writeln!(
                    out,
                    "  {}  {}  {value}",
                    at + 1,
                    pad(&column.column, self.widest())
                )?;
            }
        }
        Ok(())
    }

    fn widest(&self) -> usize {
        self.columns
            .iter()
            .map(|column| width(&column.column))
            .max()
            .unwrap_or(0)
    }
}

fn contact_point(kind: &str) -> &'static str {
    match kind {
        "mail" => "mail address",
        "phone" => "telephone number",
        _ => "postal address",
    }
}

fn write_table<const N: usize>(out: &mut dyn Write, lines: &[[String; N]]) -> std::io::Result<()> {
    let widths: [usize; N] =
        std::array::from_fn(|at| lines.iter().map(|line| width(&line[at])).max().unwrap_or(0));
    for line in lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            text += &pad(cell, width);
            text += "  ";
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Columns that a text takes on a terminal: ideographs, kana and full-width letters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}' | '\u{20000}'..='\u{3FFFD}') { 2 } else { 1 }).sum()
}

fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}
