//! Reasons are typed freely, and somebody may type a canary's name into one. A report goes to people
//! who may not see it.

use std::collections::BTreeSet;

use crate::canary::Canary;
use crate::notation::fold;
use crate::report::{Lang, say};

/// A shorter value says nothing about who it is of, and would be found in any sentence.
const SHORTEST: usize = 3;

/// What a reason must not name.
pub(super) struct Withhold {
    details: BTreeSet<String>,
    /// What stands in the place of a reason that does.
    withheld: String,
}

impl Withhold {
    /// Everything by which somebody could recognise one of the canaries.
    pub(super) fn new(canaries: &[Canary], lang: Lang) -> Withhold {
        let mut details = BTreeSet::new();
        for canary in canaries {
            let marks = canary.written().filter(|(role, _)| role.is_mark());
            let marks = marks.map(|(_, value)| value.to_owned());
            let household = &canary.details.household;
            let people = std::iter::once(&household.guardian).chain(&household.children);
            let names = people.flat_map(|person| {
                let written = format!("{}{}", person.family.written, person.given.written);
                [
                    written,
                    format!("{}{}", person.family.kana, person.given.kana),
                ]
            });
            let ways = [&household.email, &household.landline, &household.mobile];
            let ways = ways.into_iter().flatten().cloned();
            details.extend(marks.chain(names).chain(ways).map(|value| bare(&value)));
        }
        details.retain(|detail| detail.chars().count() >= SHORTEST);
        Withhold {
            details,
            withheld: say!(
                lang,
                "(withheld, since it names a canary's detail: see the log)",
                "(おとり顧客の内容を含むため非表示。証跡ログを参照)"
            ),
        }
    }

    /// Replaces a text that names any of it.
    pub(super) fn from(&self, text: &mut String) {
        let folded = bare(text);
        if self
            .details
            .iter()
            .any(|detail| folded.contains(detail.as_str()))
        {
            self.withheld.clone_into(text);
        }
    }
}

/// Folded, and without what people put between the parts of a name or a number.
fn bare(text: &str) -> String {
    let mut bare = fold(text);
    bare.retain(|c| !c.is_whitespace() && !matches!(c, '-' | '(' | ')' | '.' | ','));
    bare
}
