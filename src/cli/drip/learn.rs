//! What a source's table shows of when its customers come, and which of its columns the database's clock
//! fills.

use time::{OffsetDateTime, UtcOffset};

use crate::cli::opened::Opened;
use crate::database::Table;
use crate::drip::{Intensity, Learner, clock_offset};
use crate::notation::Role;

/// Words of a default that writes the time at which a row is made.
const CLOCKS: [&str; 11] = [
    "now(",
    "'now'",
    "current_timestamp",
    "current_date",
    "localtimestamp",
    "statement_timestamp",
    "clock_timestamp",
    "transaction_timestamp",
    "utc_timestamp",
    "unixepoch(",
    "sysdate",
];

/// What a table shows.
pub(super) struct Shown {
    pub(super) intensity: Intensity,
    /// Rows that it gains in a week.
    pub(super) rows_a_week: Option<f64>,
    /// How far its clock is from UTC, as far as anybody can tell.
    pub(super) clock: UtcOffset,
}

/// Reads the times of a source's rows.
pub(super) async fn learn(
    opened: &Opened,
    table: &Table,
    now: OffsetDateTime,
) -> anyhow::Result<Shown> {
    let clock = clock(opened, table, now).await?;
    let made = opened.mapping.with_role(Role::CreatedAt);
    let made: Vec<&str> = made
        .map(|column| column.column.as_str())
        .filter(|column| table.column(column).is_ok())
        .collect();
    let mut learners: Vec<Learner> = made.iter().map(|_| Learner::default()).collect();
    if !made.is_empty() {
        let each = |row: &[Option<String>]| {
            for (learner, shown) in learners.iter_mut().zip(row) {
                if let Some(shown) = shown {
                    learner.see(shown);
                }
            }
        };
        opened.database.scan(table, &made, each).await?;
    }
    // Many tables have a day of joining before the time of the row.
    let best = learners.iter().position(Learner::shows_hours);
    let learner = learners.into_iter().nth(best.unwrap_or(0));
    let learner = learner.unwrap_or_default();
    let today = now.to_offset(clock).date();
    let intensity = learner.learn(today, clock);
    Ok(Shown {
        intensity: intensity.unwrap_or_else(|| Intensity::waking(clock)),
        rows_a_week: learner.rows_a_week(today),
        clock,
    })
}

/// How far the clock of the table's times is from UTC: that of the database where it fills them, else that
/// of the customers' country, as planting has it.
async fn clock(opened: &Opened, table: &Table, now: OffsetDateTime) -> anyhow::Result<UtcOffset> {
    let default = by_clock(opened, table).next().and_then(|name| {
        let column = table.column(&name).ok()?;
        Some(column.default.as_deref()?.to_lowercase())
    });
    if let Some(default) = default {
        if default.contains("utc") {
            return Ok(UtcOffset::UTC);
        }
        let local = default.contains("localtime'");
        let shown = opened.database.clock(local).await?;
        let offset = shown.and_then(|shown| clock_offset(&shown, now));
        return Ok(offset.unwrap_or(UtcOffset::UTC));
    }
    Ok(opened.mapping.locale.clock())
}

/// Columns that tell when a row was made or changed, and that the database itself fills with the time.
pub(super) fn by_clock<'a>(
    opened: &'a Opened,
    table: &'a Table,
) -> impl Iterator<Item = String> + 'a {
    let columns = opened.mapping.columns.iter().filter(|column| {
        column.value.is_none() && matches!(column.role, Role::CreatedAt | Role::UpdatedAt)
    });
    columns.filter_map(|column| {
        let default = table.column(&column.column).ok()?.default.as_deref()?;
        let default = default.to_lowercase();
        CLOCKS
            .iter()
            .any(|word| default.contains(word))
            .then(|| column.column.clone())
    })
}
