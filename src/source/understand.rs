//! From a table and what the operator says to a mapping, and to the questions that are left.

use super::{Error, Result, Survey};
use crate::database::Column;
use crate::notation::column::{ColumnFacts, SURE, Understanding, address_start, understand_table};
use crate::notation::{Codes, Format, MappedColumn, Mapping, MappingFile, Role};
use crate::persona::Locale;

/// A mapping with what must be settled before it can be used.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The mapping, as far as it is understood.
    pub mapping: Mapping,
    /// What must be asked.
    pub questions: Vec<Question>,
    /// What the operator should know, without having to do anything.
    pub warnings: Vec<String>,
}

/// A column that somebody must decide on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The column.
    pub column: String,
    /// What is open, in words.
    pub text: String,
    /// Roles that it may have, the likelier first.
    pub candidates: Vec<Role>,
    /// What to add to the command.
    pub answer: String,
}

impl Question {
    fn new(column: &str, open: &str, candidates: Vec<Role>) -> Question {
        let names: Vec<&str> = candidates.iter().map(|role| role.name()).collect();
        let may_be = if names.is_empty() {
            String::new()
        } else {
            format!(" may be {}", names.join(" or "))
        };
        let first = names.first().copied().unwrap_or("ROLE");
        let quoted = if column.chars().all(|c| c.is_alphanumeric() || c == '_') {
            format!("{column}={first}")
        } else {
            format!("'{column}={first}'")
        };
        Question {
            column: column.to_owned(),
            text: format!("column '{column}'{may_be}: {open}"),
            answer: format!("--map {quoted}"),
            candidates,
        }
    }
}

/// Understands a surveyed table; what `told` says goes before what is worked out.
///
/// # Errors
/// `told` names a column that the table does not have, or one twice.
pub fn understand(survey: &Survey, told: &MappingFile) -> Result<Proposal> {
    let names = survey.column_names();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    Mapping::check(&told.columns, &survey.table.to_string(), &known)?;
    once(&told.columns)?;

    let samples: Vec<Vec<&str>> = (0..names.len())
        .map(|at| {
            survey
                .sample
                .iter()
                .filter_map(|row| row.get(at)?.as_deref())
                .collect()
        })
        .collect();
    let facts: Vec<ColumnFacts> = survey
        .table
        .columns
        .iter()
        .zip(&samples)
        .map(|(column, samples)| facts(survey, column, samples))
        .collect();
    let found = understand_table(&facts);
    let locale = told.locale.unwrap_or_else(|| locale(&facts));

    let mut questions = Vec::new();
    let mut columns: Vec<MappedColumn> = Vec::with_capacity(names.len());
    for ((column, found), samples) in survey.table.columns.iter().zip(found).zip(&samples) {
        let said = told.columns.iter().find(|said| said.column == column.name);
        columns.push(match said {
            Some(said) => MappedColumn {
                why: "you said so".to_owned(),
                confidence: None,
                ..said.clone()
            },
            None => decide(survey, column, found, samples, &mut questions),
        });
    }
    let roles: Vec<Role> = columns.iter().map(|column| column.role).collect();
    for (column, samples) in columns.iter_mut().zip(&samples) {
        complete(column, samples, locale, &roles);
    }
    for (column, facts) in columns.iter_mut().zip(&survey.table.columns) {
        let at = names.iter().position(|name| *name == column.column);
        let null = at.is_some_and(|at| {
            survey
                .sample
                .iter()
                .any(|row| row.get(at).is_some_and(Option::is_none))
        });
        let empty = at.is_some_and(|at| {
            survey
                .sample
                .iter()
                .any(|row| row.get(at).is_some_and(|cell| cell.as_deref() == Some("")))
        });
        column.blank |= is_text(facts) && !null && (empty || facts.not_null);
    }
    let mapping = Mapping {
        locale,
        columns,
        related: Vec::new(),
    };
    Ok(Proposal {
        warnings: warnings(survey),
        mapping,
        questions,
    })
}

fn once(told: &[MappedColumn]) -> Result<()> {
    for (at, one) in told.iter().enumerate() {
        if let Some(other) = told[..at].iter().find(|other| other.column == one.column) {
            return Err(Error::MappedTwice {
                column: one.column.clone(),
                one: other.role,
                other: one.role,
            });
        }
    }
    Ok(())
}

fn facts<'a>(survey: &Survey, column: &'a Column, samples: &'a [&'a str]) -> ColumnFacts<'a> {
    let table = &survey.table;
    let mut different: Vec<&str> = samples.to_vec();
    different.sort_unstable();
    different.dedup();
    // Of a key of several columns, only those that never repeat are like keys.
    let repeats = different.len() < samples.len();
    let only = |columns: &[String]| {
        columns.contains(&column.name)
            && (columns.len() == 1 || !repeats && !refers(survey, column))
    };
    ColumnFacts {
        name: &column.name,
        comment: Some(column.comment.as_str()).filter(|comment| !comment.is_empty()),
        sql_type: Some(&column.sql_type),
        samples,
        is_key: only(&table.primary_key),
        unique: table
            .unique_keys
            .iter()
            .any(|key| key.columns.len() == 1 && key.columns[0] == column.name),
        filled: column.identity || column.generated,
    }
}

fn refers(survey: &Survey, column: &Column) -> bool {
    survey
        .table
        .foreign_keys
        .iter()
        .any(|key| key.columns.contains(&column.name))
}

fn is_text(column: &Column) -> bool {
    let kind = column.base_type();
    kind.is_empty()
        || ["char", "text", "clob", "string"]
            .iter()
            .any(|word| kind.contains(word))
}

/// What a column is taken for; a question is added where that is not sure.
fn decide(
    survey: &Survey,
    column: &Column,
    found: Understanding,
    samples: &[&str],
    questions: &mut Vec<Question>,
) -> MappedColumn {
    let mut mapped = MappedColumn {
        confidence: Some((found.confidence * 100.0).round() / 100.0),
        why: found.why.clone(),
        format: found.format.clone(),
        ..MappedColumn::told(&column.name, Role::Other)
    };
    if column.generated {
        return MappedColumn {
            role: Role::Skip,
            confidence: Some(1.0),
            why: "the database computes it".to_owned(),
            format: None,
            ..mapped
        };
    }
    match found.role {
        Some(role) if found.confidence >= SURE => mapped.role = role,
        Some(role) => {
            mapped.role = role;
            let mut candidates = vec![role];
            candidates.extend(
                found
                    .rivals
                    .iter()
                    .map(|(rival, _)| *rival)
                    .filter(|rival| *rival != role),
            );
            candidates.truncate(3);
            if !candidates.contains(&Role::Other) {
                candidates.push(Role::Other);
            }
            questions.push(Question::new(&column.name, &found.why, candidates));
        }
        None => other(survey, column, samples, &mut mapped, questions),
    }
    mapped
}

/// A column without a personal meaning: filled like other rows, or left to the database.
fn other(
    survey: &Survey,
    column: &Column,
    samples: &[&str],
    mapped: &mut MappedColumn,
    questions: &mut Vec<Question>,
) {
    if let Some(key) = survey
        .table
        .foreign_keys
        .iter()
        .find(|key| key.columns.contains(&column.name))
    {
        mapped.why = format!("it refers to {}", key.table);
    }
    let optional = column.can_be_left_out();
    if column.is_binary() || samples.is_empty() {
        mapped.role = Role::Skip;
        mapped.why = match (column.is_binary(), survey.rows) {
            (true, _) => "it holds bytes",
            (_, 0) => "no row shows what it holds",
            _ => "it is empty in all rows seen",
        }
        .to_owned();
        if !optional {
            let open = format!(
                "{}, and it must not be left out; give it a value in a mapping file ([columns.{}] role = \"other\", value = \"…\")",
                mapped.why, column.name
            );
            questions.push(Question::new(&column.name, &open, vec![Role::Other]));
        }
    }
}

/// Format and last doubts, once all roles are known.
fn complete(column: &mut MappedColumn, samples: &[&str], locale: Locale, roles: &[Role]) {
    if column.format.is_none() {
        column.format = Format::recognise(column.role, samples).map(|(format, _)| format);
    }
    if column.format.is_none() {
        column.format = Format::default_of(column.role, locale);
        if let Some(Format::Address(format)) = &mut column.format {
            address_start(roles, format);
        }
    }
    if column.role == Role::Code
        && column.value.is_none()
        && Codes::learn(samples.iter().copied()).is_none()
    {
        column.why += "; no pattern to continue";
    }
}

/// Whose people the table holds: Japanese script decides, in the values or, without them, in the names.
fn locale(facts: &[ColumnFacts<'_>]) -> Locale {
    let japanese = |text: &str| {
        text.chars().any(|c| matches!(c, '\u{3041}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF66}'..='\u{FF9F}'))
    };
    let values = facts.iter().flat_map(|facts| facts.samples.iter().copied());
    let names = facts
        .iter()
        .flat_map(|facts| [Some(facts.name), facts.comment].into_iter().flatten());
    let rows = facts
        .iter()
        .map(|facts| facts.samples.len())
        .max()
        .unwrap_or(0);
    let found = values.filter(|text| japanese(text)).count();
    // A Japanese remark here and there makes no Japanese customers.
    let written = found * 2 > rows && rows > 0;
    if written || rows == 0 && names.into_iter().any(japanese) {
        Locale::JaJp
    } else {
        Locale::EnUs
    }
}

fn warnings(survey: &Survey) -> Vec<String> {
    let table = &survey.table;
    let mut warnings = Vec::new();
    if table.primary_key.is_empty() {
        warnings.push(format!("table {table} has no primary key: its canaries are found again by their content, so nobody may change them"));
    }
    if survey.rows == 0 {
        warnings.push(format!(
            "table {table} has no rows: its columns are understood by names and types only"
        ));
    }
    if !table.triggers.is_empty() {
        warnings.push(format!("table {table} has triggers ({}): what they do to a new row is checked when it is planted", table.triggers.join(", ")));
    }
    warnings
}
