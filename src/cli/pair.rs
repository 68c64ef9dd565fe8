//! Acts that take two people: the first asks, another approves, the first does it.

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::requests::Entry;
use super::{Global, Output};
use crate::custody::TwoPersonAct;
use crate::registry::{Asked, Registry};
use crate::workspace::Workspace;

#[derive(Serialize)]
struct Document<'a> {
    request: Entry<'a>,
}

/// Whether the act may be done now. If it takes another person who has not approved it yet, it is
/// asked for, the output says so, and the answer is no.
///
/// # Errors
/// The registry fails.
pub(super) async fn may_go_on(
    global: &Global,
    workspace: &Workspace,
    registry: &Registry,
    act: TwoPersonAct,
    subject: &str,
    why: Option<&str>,
) -> anyhow::Result<bool> {
    let custody = &workspace.config().custody;
    if !custody.four_eyes.contains(&act) {
        return Ok(true);
    }
    let valid = Duration::hours(i64::from(custody.request_hours));
    let now = OffsetDateTime::now_utc();
    let asked = registry.ask(act.name(), subject, why, valid, now).await?;
    let Asked::Waiting(request) = asked else {
        return Ok(true);
    };
    let document = Document {
        request: Entry::new(&request, now),
    };
    Output::new(global).result(&document, |out| {
        writeln!(
            out,
            "Request {}: {} {} takes another person.",
            request.id, request.act, request.subject
        )?;
        writeln!(
            out,
            "Nothing was done. When it is approved (otori approve {}), run the same command again.",
            request.id
        )
    })?;
    Ok(false)
}
