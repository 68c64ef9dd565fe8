//! Which rows there are to be watched, and what a row hashes to: each act in the log carries the state
//! in which it left every row that it wrote.

use sha2::{Digest, Sha256};

use super::store::{Row, Tx, Value};
use super::{Error, Result};
use crate::evidence::{RowDigest, hex};

/// How a table's key is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Int,
    Text,
}

macro_rules! tables {
    ($($variant:ident = $name:literal by $key:literal $kind:ident: $columns:literal as $types:literal;)+) => {
        /// A table whose rows the log knows. Rows that share a key (a canary's marks) are one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) enum Table { $($variant),+ }

        impl Table {
            /// Every table.
            pub(super) const ALL: &'static [Table] = &[$(Table::$variant),+];

            /// Its name.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Table::$variant => $name),+ }
            }

            const fn kind(self) -> KeyKind {
                match self { $(Table::$variant => KeyKind::$kind),+ }
            }

            /// The columns' types: `i`nteger, `t`ext, `b`ytes.
            const fn types(self) -> &'static str {
                match self { $(Table::$variant => $types),+ }
            }

            const fn select_one(self) -> &'static str {
                match self { $(Table::$variant => concat!("select ", $columns, " from ", $name, " where ", $key, " = $1")),+ }
            }

            const fn select_keys(self) -> &'static str {
                match self { $(Table::$variant => concat!("select distinct ", $key, " from ", $name)),+ }
            }
        }
    };
}

tables! {
    Meta = "meta" by "name" Text: "value" as "b";
    ContactPoint = "contact_point" by "id" Int: "kind, identity, sealed, cap_per_source, added_at" as "tbbii";
    Source = "source" by "name" Text: "sealed, added_at" as "bi";
    Batch = "batch" by "id" Text: "source, number, state, planted_at, unplanted_at, rows_at" as "titiii";
    Canary = "canary" by "id" Text: "seq, batch, sealed" as "itb";
    CanaryVersion = "canary_version" by "canary" Text: "version, state, at, sealed" as "itib";
    Tended = "tended" by "source" Text: "at" as "i";
    CanaryPoint = "canary_point" by "canary" Text: "point" as "i";
    CanaryMark = "canary_mark" by "canary" Text: "mark, tag" as "tb";
    Message = "message" by "id" Int: "at, channel, same_as, repeats, envelope, raw, settled" as "itbibbi";
    Called = "called" by "message" Int: "point, caller, at, named" as "ibii";
    Incident = "incident" by "id" Int: "source, state, opened_at, last_at" as "ttii";
    Sighting = "sighting" by "id" Int: "message, at, channel, kind, source, batch, canary, actor, incident" as "iitttttbi";
    Alert = "alert" by "id" Int: "incident, sighting, due_at, attempts, sent_at, failure" as "iiiiit";
    // Who is sending one just now is no evidence.
    Delivery = "delivery" by "id" Int: "alert, place, incident, sighting, due_at, attempts, failing_since, sent_at, dead_at, failure" as "itiiiiiiit";
    Probe = "probe" by "sighting" Int: "network, canary, at" as "bti";
    IncidentActor = "incident_actor" by "id" Int: "incident, tag, sender" as "ibb";
    IncidentNote = "incident_note" by "id" Int: "incident, at, author, kind, sealed" as "iittb";
    Erasure = "erasure" by "message" Int: "at, rule, bytes, envelope_hash, raw_hash" as "ititt";
    SourceKey = "source_key" by "source" Text: "sealed, forgotten_at" as "bi";
    Request = "request" by "id" Int: "act, subject, why, asked_by, asked_at, expires_at, approved_by, approved_at, used_at" as "ttttiitii";
    Drill = "drill" by "id" Int: "channel, source, canary, scheduled, state, sent_at, due_at, accepted_at, seen_at, sighting, alert, alerted_at, why" as "tttitiiiiiiit";
    // When the next canary comes, and what keeps it from coming, is no evidence.
    Drip = "drip" by "source" Text: "per_mille, set_at, until_at, stopped_at" as "iiii";
    DripAlert = "drip_alert" by "alert" Int: "source" as "t";
    Campaign = "campaign" by "id" Int: "source, sender, planned_at, until_at, ends_at, state, judged_at, canaries, in_time, late, unproven, chance, alert" as "ttiiitiiiiiii";
    SourceProfile = "source_profile" by "source" Text: "taken_at, sealed" as "ib";
    Checkpoint = "checkpoint" by "size" Int: "at, note, timestamp_token" as "itb";
    Folder = "folder" by "place" Text: "uid_validity, uid" as "ii";
    Witnessed = "witnessed" by "size" Int: "witness, at, cosignature" as "tit";
}

impl Table {
    /// The table of that name.
    pub(super) fn named(name: &str) -> Option<Table> {
        Table::ALL
            .iter()
            .copied()
            .find(|table| table.name() == name)
    }

    fn key(self, text: &str) -> Result<Value> {
        match self.kind() {
            KeyKind::Text => Ok(text.into()),
            KeyKind::Int => {
                let damaged = |_| Error::Damaged(format!("{} {text}", self.name()));
                text.parse::<i64>().map(Value::from).map_err(damaged)
            }
        }
    }

    /// The digest of the rows of that key as they are now; empty where there are none.
    pub(super) async fn digest(self, tx: &mut Tx, key: &str) -> Result<RowDigest> {
        let rows = tx.fetch(self.select_one(), vec![self.key(key)?]).await?;
        Ok(RowDigest {
            table: self.name().to_owned(),
            key: key.to_owned(),
            sha256: self.hash(&rows)?,
        })
    }

    /// Every key that stands in it.
    pub(super) async fn keys(self, tx: &mut Tx) -> Result<Vec<String>> {
        let rows = tx.fetch(self.select_keys(), vec![]).await?;
        let key = |row: &Row| match self.kind() {
            KeyKind::Text => row.text(0),
            KeyKind::Int => Ok(row.int(0)?.to_string()),
        };
        rows.iter().map(key).collect()
    }

    /// Every value behind its type and length, so that no two rows read alike.
    pub(super) fn hash(self, rows: &[Row]) -> Result<String> {
        if rows.is_empty() {
            return Ok(String::new());
        }
        // Engines sort text by their own rules: the log's order is that of bytes.
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            let mut line = Vec::new();
            for (column, kind) in self.types().bytes().enumerate() {
                let value = match kind {
                    b'i' => row
                        .int_or_null(column)?
                        .map(|number| number.to_be_bytes().to_vec()),
                    b't' => row.text_or_null(column)?.map(String::into_bytes),
                    _ => row.bytes_or_null(column)?,
                };
                line.push((kind, value));
            }
            lines.push(line);
        }
        lines.sort();
        let values = lines.iter().flatten();
        Ok(self.hash_values(values.map(|(kind, value)| (*kind, value.as_deref()))))
    }

    /// What [`Table::digest`] would say of the one row of a key that has just been written with these values, in the
    /// order of the watched columns.
    pub(super) fn hash_written<'a>(self, values: impl IntoIterator<Item = &'a Value>) -> String {
        let values: Vec<&Value> = values.into_iter().collect();
        let numbers: Vec<Option<[u8; 8]>> = values
            .iter()
            .map(|value| match value {
                Value::Int(Some(number)) => Some(number.to_be_bytes()),
                _ => None,
            })
            .collect();
        let kinds = values
            .iter()
            .zip(&numbers)
            .map(|(value, number)| match value {
                Value::Int(_) => (b'i', number.as_ref().map(<[u8; 8]>::as_slice)),
                Value::Text(text) => (b't', text.as_ref().map(String::as_bytes)),
                Value::Bytes(bytes) => (b'b', bytes.as_deref()),
            });
        debug_assert!(kinds.clone().map(|(kind, _)| kind).eq(self.types().bytes()));
        self.hash_values(kinds)
    }

    fn hash_values<'a>(self, values: impl Iterator<Item = (u8, Option<&'a [u8]>)>) -> String {
        let mut hash = Sha256::new();
        let mut put = |kind: u8, bytes: Option<&[u8]>| {
            hash.update([if bytes.is_some() { kind } else { b'0' }]);
            let bytes = bytes.unwrap_or_default();
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        put(b'n', Some(self.name().as_bytes()));
        for (kind, value) in values {
            put(kind, value);
        }
        hex(&hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever writes n rows reads n rows for the log: a table that is searched from end to end for
    /// each of them would make that n².
    #[tokio::test]
    async fn every_row_is_found_by_an_index() {
        let home = tempfile::tempdir().unwrap();
        let (store, _) =
            super::super::open::connect_store("sqlite:registry.db", home.path(), true, None)
                .await
                .unwrap();
        let mut tx = store.begin().await.unwrap();
        for table in Table::ALL {
            let sql = format!("explain query plan {}", table.select_one());
            let mut plan = Vec::new();
            let take = |row: Row| {
                plan.push(row.text(3)?);
                Ok(())
            };
            tx.each(sql.replace("$1", "'1'"), take).await.unwrap();
            let found = |step: &String| step.starts_with("SEARCH");
            assert!(!plan.is_empty() && plan.iter().all(found), "{plan:?}");
        }
    }

    /// A table that a migration adds is watched, or the log itself, or no evidence.
    #[test]
    fn every_table_is_watched() {
        // A receiver's pulse has a tag of its own; the last is the name of a moment.
        let others = ["evidence", "evidence_head", "receiver", "alert_next"];
        let mut tables = 0;
        for sql in super::super::open::schema() {
            for line in sql.lines() {
                let Some(rest) = line.strip_prefix("create table ") else {
                    continue;
                };
                let name = rest.split(' ').next().unwrap_or_default();
                assert!(
                    others.contains(&name) || Table::named(name).is_some(),
                    "{name}"
                );
                tables += 1;
            }
        }
        assert!(tables > 30, "{tables} on both engines");
    }
}
