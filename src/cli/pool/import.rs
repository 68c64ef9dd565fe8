//! `otori pool import`.

use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::postal_drop;
use crate::canary::ContactPoint;
use crate::notation::sheet::{decoded, delimiter};
use crate::persona::Gazetteer;

#[derive(Deserialize)]
struct Line {
    kind: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    postcode: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    units: String,
    #[serde(default)]
    cap: Option<u32>,
}

/// Reads the whole file before anything is added: one wrong line adds nothing.
pub(super) fn read(
    path: &Path,
    gazetteer: &Gazetteer,
) -> anyhow::Result<Vec<(ContactPoint, Option<u32>)>> {
    let name = path.display();
    if path.is_dir() {
        bail!("{name} is a directory: give the CSV file itself");
    }
    let bytes = std::fs::read(path).with_context(|| format!("{name}"))?;
    let text = decoded(&bytes).with_context(|| format!("{name} is neither UTF-8 nor CP932"))?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(delimiter(text.as_bytes(), |header| {
            header.contains(&"kind")
        }))
        .from_reader(text.as_bytes());
    let headers = reader.headers().with_context(|| format!("{name}"))?.clone();
    if !headers.iter().any(|header| header == "kind") {
        bail!("{name}: line 1 must name the columns: kind,value,postcode,address,units");
    }
    let mut points = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("{name}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let entry: Line = record
            .deserialize(Some(&headers))
            .map_err(|error| anyhow::anyhow!("{name}, line {line}: {error}"))?;
        let point = point(&entry, gazetteer).with_context(|| format!("{name}, line {line}"))?;
        points.push((point, entry.cap));
    }
    if points.is_empty() {
        bail!("{name} holds no contact point");
    }
    Ok(points)
}

fn point(line: &Line, gazetteer: &Gazetteer) -> anyhow::Result<ContactPoint> {
    Ok(match line.kind.as_str() {
        "mail" => ContactPoint::MailDomain(line.value.parse()?),
        "mailbox" => ContactPoint::Mailbox(line.value.parse()?),
        "phone" => ContactPoint::Phone(line.value.parse()?),
        "drop" => {
            let units = match line.units.as_str() {
                "" => "101-999",
                units => units,
            };
            postal_drop(gazetteer, &line.postcode, &line.address, units)?
        }
        other => bail!("'{other}' is no kind of contact point: use mail, mailbox, phone or drop"),
    })
}
