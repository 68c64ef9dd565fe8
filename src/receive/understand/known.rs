//! What is known of a message's sender by other than its own word, and what follows from it for a source.

use time::OffsetDateTime;

use super::mail::Owners;
use super::origin::registrable;
use crate::canary::{Authentication, Checked, Origin, SourceName};
use crate::receive::Authenticator;

/// What is known of a message's sender, and who asked.
pub(super) struct Known<'a> {
    pub authenticator: &'a Authenticator,
    pub authentication: Option<Authentication>,
    /// When it came.
    pub at: OffsetDateTime,
    /// Whom recipients are, as far as that was asked for already.
    pub owners: &'a Owners,
}

impl Known<'_> {
    /// Whether this is mail that the source's customers get on its behalf. Only what is proven is: a mail that
    /// was not checked, or that fails, is as good as anybody's.
    pub fn expected(&self, source: Option<&SourceName>) -> bool {
        let proven = self.authentication.as_ref();
        let proven = proven.and_then(|known| known.proven.as_deref());
        let both = source.zip(proven);
        both.is_some_and(|(source, proven)| self.authenticator.expects(source, proven, self.at))
    }

    /// Whether a mail says that it is from somebody who writes for the source.
    pub fn claims(&self, source: Option<&SourceName>, origin: &Origin) -> bool {
        let sender = origin.sender.iter().map(|sender| &sender.domain);
        let mut all = sender.chain(&origin.also_from);
        source.is_some_and(|source| all.any(|one| self.authenticator.writes_for(source, one)))
    }

    /// Whom a mail says that it is from, where that is somebody who writes for the source, and it is found not to be.
    /// Where nothing is proven either way, as without results, it may be theirs. Of several authors nothing can be
    /// proven, and nobody who writes to customers is one of several: reading programs show any of them.
    pub fn impersonated<'o>(
        &self,
        source: Option<&SourceName>,
        origin: &'o Origin,
    ) -> Option<&'o str> {
        let (source, known) = source.zip(self.authentication.as_ref())?;
        let several = !origin.also_from.is_empty();
        let unproven = known.proven.is_none() && known.not_checked.is_none();
        let sender = origin.sender.iter().map(|sender| &sender.domain);
        let mut claimed = sender.chain(&origin.also_from).map(String::as_str);
        claimed.find(|claimed| {
            self.authenticator.writes_for(source, claimed)
                && (fails(known, claimed) || several && unproven)
        })
    }
}

/// Whether it is found that this organisation has not sent it: by its policy; or, where it has none, because its own
/// signature is broken and it does not let the client send. One of these alone also befalls mail that is forwarded.
fn fails(known: &Authentication, organisation: &str) -> bool {
    if known.proven.is_some() || known.not_checked.is_some() {
        return false;
    }
    let failed = |checked: &Checked| ["fail", "hardfail"].contains(&checked.result.as_str());
    let of = |checked: &Checked| checked.domain.as_deref().and_then(registrable);
    let own = |checked: &&Checked| of(checked).as_deref() == Some(organisation);
    match &known.dmarc {
        Some(policy) if failed(policy) => policy.domain.is_none() || own(&policy),
        Some(policy) if policy.result != "none" => false,
        _ => {
            let refused = known.spf.as_ref().filter(own).is_some_and(failed);
            let mut signatures = known.dkim.iter().filter(own);
            refused && signatures.any(failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(result: &str, domain: &str) -> Checked {
        Checked {
            result: result.to_owned(),
            domain: (!domain.is_empty()).then(|| domain.to_owned()),
        }
    }

    #[test]
    fn only_what_definitely_failed_is_somebody_elses() {
        let fails = |dmarc: Option<(&str, &str)>, spf: &str, dkim: &[(&str, &str)]| {
            let known = Authentication {
                spf: Some(checked(spf, "mail.shop.example")),
                dkim: dkim.iter().map(|(is, by)| checked(is, by)).collect(),
                dmarc: dmarc.map(|(is, of)| checked(is, of)),
                ..Authentication::default()
            };
            super::fails(&known, "shop.example")
        };
        let ours = ("fail", "shop.example");
        assert!(fails(Some(("fail", "news.shop.example")), "none", &[]));
        assert!(fails(Some(("fail", "")), "none", &[]));
        assert!(!fails(Some(("fail", "else.example")), "fail", &[ours]));
        for unclear in ["temperror", "permerror"] {
            assert!(!fails(Some((unclear, "shop.example")), "fail", &[ours]));
        }
        let none = Some(("none", "shop.example"));
        for policy in [none, None] {
            assert!(fails(policy, "fail", &[("pass", "list.example"), ours]));
            // Forwarded; on a list; and nothing at all.
            assert!(!fails(policy, "fail", &[]));
            assert!(!fails(policy, "fail", &[("fail", "list.example")]));
            assert!(!fails(policy, "pass", &[ours]) && !fails(policy, "softfail", &[ours]));
            assert!(!fails(policy, "none", &[]) && !fails(policy, "temperror", &[ours]));
        }
        assert!(!super::fails(&Authentication::default(), "shop.example"));
        let away = Authentication {
            dmarc: Some(checked("fail", "shop.example")),
            ..Authentication::not_checked("a domain's records could not be had")
        };
        assert!(!super::fails(&away, "shop.example"));
    }
}
