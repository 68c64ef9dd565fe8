//! Understanding the tables beside a customer table.

use std::collections::{HashMap, HashSet};

use super::{Error, Question, Result, SAMPLE, Survey, understand};
use crate::database::{Column, Database, Joined, Leg, Row, Table};
use crate::notation::{MappedColumn, MappingFile, Related, RelatedRows, Role};
use crate::persona::Locale;

/// Attributes that this share of the customers has are what a customer has: one in so many.
const COMMON: usize = 20;
/// An attribute is filled like others' where each of its values is on average had by so many.
const SHARED: usize = 4;

/// Related tables with what must be settled.
#[derive(Clone, Debug, Default)]
pub struct RelatedProposal {
    /// The tables, with what all their columns mean.
    pub related: Vec<Related>,
    /// What must be asked.
    pub questions: Vec<Question>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// Understands the related tables that a mapping file names.
///
/// # Errors
/// There is no such table or column, they do not hang together as it says, or one cannot be read.
pub async fn understand_related(
    database: &Database,
    main: &Survey,
    told: &[Related],
    locale: Locale,
) -> Result<RelatedProposal> {
    let joined = Joined::of(database, main.table.clone(), told).await?;
    let mut proposal = RelatedProposal::default();
    for (at, (leg, related)) in joined.legs.iter().zip(told).enumerate() {
        let columns = match (&leg.attribute, leg.rows) {
            (Some(_), _) => attributes(database, main, leg, related, locale, &mut proposal).await?,
            (None, RelatedRows::Existing) => existing(leg, related)?,
            (None, _) => columns(database, &joined, at, related, locale, &mut proposal).await?,
        };
        proposal.related.push(Related {
            table: leg.table.to_string(),
            columns,
            ..related.clone()
        });
    }
    Ok(proposal)
}

/// A table that a canary only refers to: what nobody said of it does not matter.
fn existing(leg: &Leg, related: &Related) -> Result<Vec<MappedColumn>> {
    let told = related.columns.iter().map(|column| MappedColumn {
        why: format!("you said so; looked up in {}", leg.table),
        ..column.clone()
    });
    Ok(told.collect())
}

/// The columns of a table of which a canary has rows.
async fn columns(
    database: &Database,
    joined: &Joined,
    at: usize,
    related: &Related,
    locale: Locale,
    proposal: &mut RelatedProposal,
) -> Result<Vec<MappedColumn>> {
    let leg = &joined.legs[at];
    let survey = Survey::of(database, &related.table).await?;
    let others = joined
        .legs
        .iter()
        .filter(|other| other.to == Some(at) && !other.refers);
    let theirs = others.flat_map(|other| other.on.iter().map(|(_, column)| column.as_str()));
    // What ties the rows together means nothing else.
    let ties: HashSet<&str> = leg.linked().into_iter().chain(theirs).collect();
    let mut columns = related.columns.clone();
    for tie in &ties {
        if !columns.iter().any(|column| column.column == *tie) {
            columns.push(MappedColumn::told(tie, Role::Other));
        }
    }
    for (column, value) in &leg.fixed {
        columns.retain(|told| told.column != *column);
        columns.push(MappedColumn {
            value: Some(value.clone()),
            ..MappedColumn::told(column, Role::Other)
        });
    }
    let told = MappingFile {
        locale: Some(locale),
        columns,
        related: Vec::new(),
    };
    let understood = understand(&survey, &told)?;
    let name = related.name();
    proposal.questions.extend(understood.questions.into_iter().map(|question| Question {
        text: format!("related table {name}: {}", question.text),
        answer: format!(
            "in the mapping file, below [[related]] table = \"{}\": [related.columns.\"{}\"] role = \"{}\"",
            related.table,
            question.column,
            question.candidates.first().map_or("other", |role| role.name())
        ),
        column: format!("{name}.{}", question.column),
        candidates: question.candidates,
    }));
    proposal.warnings.extend(understood.warnings);
    let mut columns = understood.mapping.columns;
    for column in &mut columns {
        let is_told = related
            .columns
            .iter()
            .any(|told| told.column == column.column);
        if leg.rows == RelatedRows::Child && !is_told {
            column.role = of_child(column.role);
        }
        if ties.contains(column.column.as_str()) {
            column.why = "it joins the tables".to_owned();
        }
    }
    Ok(columns)
}

/// What a column of a table of children means: the person in it is the child.
fn of_child(role: Role) -> Role {
    match role {
        Role::Name => Role::ChildName,
        Role::FamilyName => Role::ChildFamilyName,
        Role::GivenName => Role::ChildGivenName,
        Role::NameKana => Role::ChildNameKana,
        Role::FamilyNameKana => Role::ChildFamilyNameKana,
        Role::GivenNameKana => Role::ChildGivenNameKana,
        Role::BirthDate => Role::ChildBirthDate,
        Role::Sex => Role::ChildSex,
        // Its age follows from nothing that is kept of a child.
        Role::Age => Role::Other,
        other => other,
    }
}

/// Attributes as the columns that they stand for.
async fn attributes(
    database: &Database,
    main: &Survey,
    leg: &Leg,
    related: &Related,
    locale: Locale,
    proposal: &mut RelatedProposal,
) -> Result<Vec<MappedColumn>> {
    let Some((attribute, value)) = &leg.attribute else {
        return Ok(Vec::new());
    };
    let mut seen: HashMap<String, Seen> = HashMap::new();
    let fixed = leg.fixed.iter().map(|(column, _)| column.as_str());
    let wanted: Vec<&str> = [attribute.as_str(), value.as_str()]
        .into_iter()
        .chain(fixed)
        .collect();
    database
        .scan(&leg.table, &wanted, |row| {
            let mut rest = row[2..].iter().zip(&leg.fixed);
            let (Some(name), true) = (
                &row[0],
                rest.all(|(own, (_, value))| own.as_ref() == Some(value)),
            ) else {
                return;
            };
            seen.entry(name.clone())
                .or_default()
                .take(row[1].as_deref());
        })
        .await?;
    let about = leg.table.column(value)?;
    let told: Vec<&MappedColumn> = related
        .columns
        .iter()
        .filter(|told| told.role != Role::Skip)
        .collect();
    let table = Table {
        name: related.name().to_owned(),
        columns: told
            .iter()
            .map(|told| Column {
                name: told.column.clone(),
                sql_type: about.sql_type.clone(),
                ..Column::default()
            })
            .collect(),
        ..Table::default()
    };
    let missing: Vec<&str> = told
        .iter()
        .map(|told| told.column.as_str())
        .filter(|name| !seen.contains_key(*name))
        .collect();
    if !missing.is_empty() {
        return Err(Error::NoAttribute {
            table: leg.table.to_string(),
            attributes: missing.join(", "),
            known: common(&seen, main.rows).join(", "),
        });
    }
    let samples = |at: usize| -> Row {
        let cell = |told: &&MappedColumn| seen.get(&told.column)?.sample.get(at).cloned();
        told.iter().map(cell).collect()
    };
    let survey = Survey {
        table,
        rows: main.rows,
        sample: (0..SAMPLE)
            .map(samples)
            .filter(|row| row.iter().any(Option::is_some))
            .collect(),
    };
    let file = MappingFile {
        locale: Some(locale),
        columns: told.into_iter().cloned().collect(),
        related: Vec::new(),
    };
    let mut columns = understand(&survey, &file)?.mapping.columns;
    let mut left = Vec::new();
    for name in common(&seen, main.rows) {
        if related.columns.iter().any(|told| told.column == name) {
            continue;
        }
        let own = &seen[&name];
        match own.different.len() * SHARED <= own.count {
            true => columns.push(MappedColumn {
                why: "as other customers have it".to_owned(),
                ..MappedColumn::told(&name, Role::Other)
            }),
            false => left.push(name),
        }
    }
    if !left.is_empty() {
        proposal.warnings.push(format!(
            "canaries get no {} in {}: nearly every customer has one of their own, and it is not said what it means (a role, or skip)",
            left.join(", "),
            leg.table
        ));
    }
    Ok(columns)
}

/// What was seen of an attribute.
#[derive(Default)]
struct Seen {
    count: usize,
    different: HashSet<String>,
    sample: Vec<String>,
}

impl Seen {
    fn take(&mut self, value: Option<&str>) {
        self.count += 1;
        let Some(value) = value else { return };
        // Enough to see whether values repeat.
        if self.different.len() < 50_000 {
            self.different.insert(value.to_owned());
        }
        if self.sample.len() < SAMPLE {
            self.sample.push(value.to_owned());
        }
    }
}

/// Attributes that many customers have.
fn common(seen: &HashMap<String, Seen>, customers: u64) -> Vec<String> {
    let many = |own: &Seen| (own.count * COMMON) as u64 >= customers;
    let mut names: Vec<String> = seen
        .iter()
        .filter(|(_, own)| many(own))
        .map(|(name, _)| name.clone())
        .collect();
    names.sort_unstable();
    names
}
