//! What a trigger says when it refuses a row. Its author wrote that for people, and only it tells why; but it
//! may repeat what was written, which is a canary. So it is told only where it shares no word with that.

use std::collections::HashSet;

use super::{Engine, Error};

/// The error of a trigger that raised one while these values were written; `None` for any other error.
pub(super) fn raised(
    engine: Engine,
    table: &str,
    values: &[Option<String>],
    error: &sqlx::Error,
) -> Option<Error> {
    let sqlx::Error::Database(told) = error else {
        return None;
    };
    let code = told.code().unwrap_or_default();
    let (is_raised, by) = match engine {
        // SQLITE_CONSTRAINT_TRIGGER.
        Engine::Sqlite => (code == "1811", None),
        // raise_exception; the context names the function.
        Engine::Postgres => {
            let told = told.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
            let context = told.and_then(sqlx::postgres::PgDatabaseError::r#where);
            (code == "P0001", context.and_then(function))
        }
        // ER_SIGNAL_EXCEPTION.
        Engine::MySql => {
            let told = told.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>();
            (told.is_some_and(|told| told.number() == 1644), None)
        }
        Engine::Csv => (false, None),
    };
    is_raised.then(|| Error::Raised {
        table: table.to_owned(),
        by: by.map(str::to_owned),
        says: without(told.message(), values),
    })
}

/// `crm.full()` of "PL/pgSQL function crm.full() line 1 at RAISE".
fn function(context: &str) -> Option<&str> {
    let (_, rest) = context.lines().next()?.split_once("function ")?;
    Some(rest.split_once(" line ").map_or(rest, |(name, _)| name))
}

/// The message, if no word of it is one that was written.
fn without(message: &str, values: &[Option<String>]) -> Option<String> {
    let written: HashSet<String> = values
        .iter()
        .flatten()
        .flat_map(|text| words(text))
        .collect();
    let repeats = words(message).any(|word| written.contains(&word))
        // Scripts without spaces, and values put together.
        || values.iter().flatten().any(|text| {
            let long = text.chars().count() > 3 || (!text.is_ascii() && text.chars().count() > 1);
            long && message.to_lowercase().contains(&text.to_lowercase())
        })
        || written.iter().any(|word| !word.is_ascii() && message.contains(word.as_str()));
    (!repeats).then(|| message.to_owned())
}

/// Words by which a person, a place or a number could be recognised.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let all = text.split(|letter: char| !letter.is_alphanumeric());
    let telling = |word: &&str| {
        let length = word.chars().count();
        length > 2 || (length == 2 && !word.is_ascii())
    };
    all.filter(telling).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_repeats_what_was_written_is_kept_back() {
        let values = [
            "山田 花子",
            "Ann Bee",
            "ann.bee@x.example",
            "090-0123-4505",
            "1",
        ]
        .map(|text| Some(text.to_owned()));
        for told in ["this class is full", "limit of 1 row", "定員を超えました"] {
            assert_eq!(without(told, &values).as_deref(), Some(told));
        }
        for kept in [
            "no room for ANN",
            "花子は登録できません",
            "duplicate 0123",
            "mail ann.bee@x.example is blocked",
        ] {
            assert_eq!(without(kept, &values), None, "{kept}");
        }
    }

    #[test]
    fn the_function_is_named() {
        let context = "PL/pgSQL function crm.full() line 1 at RAISE\nSQL statement";
        assert_eq!(function(context), Some("crm.full()"));
    }
}
