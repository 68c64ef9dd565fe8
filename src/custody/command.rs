//! Which right a command needs.

use super::Right;

/// The right that a command needs, by its words (`source add`). What is not named here changes
/// something, or is new: only an admin may do it. `None`: it is not a person's act.
pub fn right_of(command: &str) -> Option<Right> {
    match command {
        // The receiver is started by the machine, and its pages ask for themselves.
        "init" | "demo" | "serve" | "restore" | "trace layout" => None,
        "sightings" | "campaigns" | "actors" | "alerts" | "incidents" | "incidents show"
        | "source list" | "requests" | "approve" | "report" | "drill list" | "evidence verify"
        | "evidence key" | "watchlist list" => Some(Right::Look),
        "trace" | "trace merge" | "plan" | "stealth" | "verify" | "source show"
        | "source profile" | "pool list" | "dossier" | "incidents confirm" | "incidents close"
        | "incidents assign" | "incidents note" => Some(Right::Examine),
        "letters" | "letters file" | "letters confirm" => Some(Right::File),
        // A bundle holds the mails as they came, and a proof the canary's fields.
        "reveal" | "evidence prove" | "evidence export" => Some(Right::Reveal),
        // When a canary arrived, and when the next will, names its row: `drip` is an admin's, also to look.
        // A watch list finds every canary for whoever holds a table: `watchlist export` is an admin's.
        // A drill writes to the outside world, and a leak drill reads customers: `drill`, `drill post` and
        // `drill leak` are an admin's.
        _ => Some(Right::Manage),
    }
}
