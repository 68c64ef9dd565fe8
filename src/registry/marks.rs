//! What the registry finds a canary by.

use super::store::Tx;
use super::vault::Vault;
use super::{Mark, Result};
use crate::canary::CanaryId;
use crate::notation::{address_key, email_key, kana_key, name_key, phone_key};
use crate::persona::{Household, Locale};

impl Mark {
    /// The mark's name in the registry.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Mark::Email => "email",
            Mark::Phone => "phone",
            Mark::Name => "name",
            Mark::Kana => "kana",
            Mark::Address => "address",
        }
    }
}

/// One spelling for all spellings of a value; `None` for what cannot bear the mark.
pub(super) fn folded(mark: Mark, value: &str) -> Option<String> {
    match mark {
        Mark::Email => email_key(value),
        Mark::Phone => phone_key(value, None),
        Mark::Name => name_key(value),
        Mark::Kana => kana_key(value),
        Mark::Address => address_key(value).map(|key| key.mark()),
    }
}

/// Makes a canary findable by every mark that a household bears, beside those that it has already.
pub(super) async fn note_marks(
    tx: &mut Tx,
    vault: &Vault,
    canary: &CanaryId,
    household: &Household,
) -> Result<()> {
    for (mark, value) in marks(household) {
        let sql = "insert into canary_mark (mark, tag, canary) values ($1, $2, $3)
                   on conflict do nothing";
        let tag = vault.tag(mark.name(), &value);
        let values = vec![mark.name().into(), tag.into(), canary.as_str().into()];
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// Every mark that a household bears, folded.
fn marks(household: &Household) -> Vec<(Mark, String)> {
    let mut bare = vec![(Mark::Address, household.address.plain(household.locale))];
    for person in std::iter::once(&household.guardian).chain(&household.children) {
        let (family, given) = (&person.family, &person.given);
        let name = match household.locale {
            Locale::JaJp => format!("{}{}", family.written, given.written),
            Locale::EnUs => format!("{} {}", given.written, family.written),
        };
        bare.push((Mark::Name, name));
        bare.push((Mark::Kana, format!("{}{}", family.kana, given.kana)));
    }
    bare.extend(household.email.clone().map(|email| (Mark::Email, email)));
    let phones = [&household.landline, &household.mobile];
    bare.extend(
        phones
            .into_iter()
            .flatten()
            .map(|p| (Mark::Phone, p.clone())),
    );
    let folded = |(mark, value): (Mark, String)| Some((mark, folded(mark, &value)?));
    bare.into_iter().filter_map(folded).collect()
}
