//! Canaries by what they bear: a mail address, a telephone number, a name.

use std::collections::{HashMap, HashSet};

use super::marks::folded;
use super::several::Among;
use super::store::Row;
use super::versions::Kept;
use super::{Mark, Registry, Result};
use crate::canary::Canary;

/// As [`Registry::canary`] reads them, and the tag.
const BEARERS: Among = Among {
    before: "select canary.id, batch.source, batch.id, batch.state, canary.sealed,
                    source_key.sealed, canary_mark.tag
             from canary_mark
             join canary on canary.id = canary_mark.canary
             join batch on batch.id = canary.batch
             join source_key on source_key.source = batch.source
             where source_key.sealed is not null and batch.state <> 'void'
               and canary_mark.mark = $1 and canary_mark.tag in",
    first: 1,
    then: "order by canary.seq",
};

impl Registry {
    /// Canaries that bear this mark, whatever their state but `Void`. The value may be spelt in any
    /// way: it is folded here as it was when the canary was registered.
    ///
    /// # Errors
    /// The store fails, or a canary does not open.
    pub async fn find(&self, mark: Mark, value: &str) -> Result<Vec<Canary>> {
        let found = self.find_each(mark, [value]).await?.remove(value);
        Ok(found.unwrap_or_default())
    }

    /// The same for several values at once; each of them has its entry, if only an empty one.
    ///
    /// # Errors
    /// See [`Registry::find`].
    pub async fn find_each<'a>(
        &self,
        mark: Mark,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashMap<&'a str, Vec<Canary>>> {
        let tags = self.tags(mark, values);
        let rows = self.bearers(mark, &tags).await?;
        let mut of_tag: HashMap<Vec<u8>, Vec<Row>> = HashMap::new();
        for row in rows {
            of_tag.entry(row.bytes(6)?).or_default().push(row);
        }
        // Neither their versions nor their source's key is asked for once for each.
        let borne: Vec<Vec<u8>> = of_tag.keys().cloned().collect();
        let kept = Kept::of_marks(&self.store, mark.name(), &borne).await?;
        let mut found = HashMap::with_capacity(tags.len());
        for (value, tag) in tags {
            let rows = tag.and_then(|tag| of_tag.get(&tag));
            let canaries = rows.map(|rows| self.open_page(rows, &kept)).transpose()?;
            found.insert(value, canaries.unwrap_or_default());
        }
        Ok(found)
    }

    /// Whether there is a canary that [`Registry::find`] would find.
    ///
    /// # Errors
    /// The store fails.
    pub async fn bears(&self, mark: Mark, value: &str) -> Result<bool> {
        Ok(!self.borne(mark, [value]).await?.is_empty())
    }

    /// Those of the values for which there is one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn borne<'a>(
        &self,
        mark: Mark,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashSet<&'a str>> {
        let tags = self.tags(mark, values);
        let mut borne = HashSet::new();
        for row in &self.bearers(mark, &tags).await? {
            borne.insert(row.bytes(6)?);
        }
        let known = |tag: &Option<Vec<u8>>| tag.as_ref().is_some_and(|tag| borne.contains(tag));
        let tags = tags.into_iter().filter(|(_, tag)| known(tag));
        Ok(tags.map(|(value, _)| value).collect())
    }

    /// Under which tags values stand; none for what cannot bear the mark.
    fn tags<'a>(
        &self,
        mark: Mark,
        values: impl IntoIterator<Item = &'a str>,
    ) -> HashMap<&'a str, Option<Vec<u8>>> {
        let tag = |value: &str| {
            let folded = folded(mark, value)?;
            Some(self.vault.tag(mark.name(), &folded))
        };
        let values = values.into_iter().map(|value| (value, tag(value)));
        values.collect()
    }

    /// The canaries that bear a mark under one of these tags.
    async fn bearers(&self, mark: Mark, tags: &HashMap<&str, Option<Vec<u8>>>) -> Result<Vec<Row>> {
        // Two spellings of one value have one tag.
        let tags: HashSet<&Vec<u8>> = tags.values().flatten().collect();
        let tags: Vec<Vec<u8>> = tags.into_iter().cloned().collect();
        let first = || vec![mark.name().into()];
        self.store.fetch_among(&BEARERS, first, &tags).await
    }
}
