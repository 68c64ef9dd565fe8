//! The dossier of one incident: what is known, for a lawyer, the police and the authorities, and
//! drafts of the letters that have to be written while the clock runs.
//!
//! Three rules hold in every document. What is not known is a marked blank, never a guess. Each is a
//! draft for counsel and says so on every page: otori knows what reached its canaries and what was in
//! a list, not what the law makes of it. And what leaves the house for a firm or a broker holds no
//! canary, no id, no time of a contact and nothing of how the leak was noticed: whoever reads it must
//! not learn which of their addresses are watched.
//!
//! | file | what it is |
//! | --- | --- |
//! | `case` | what is known, gathered by the command line |
//! | `facts` | what only the operator knows: a file |
//! | `deadline` | until when, counted from the moment of knowledge |
//! | `record`, `police` | the dossier, and two pages of it |
//! | `appi`, `gdpr`, `letters`, `notice` | the drafts |
//! | `words` | what they all say in the same words |

mod appi;
mod case;
mod deadline;
mod facts;
mod gdpr;
mod letters;
mod notice;
mod police;
mod record;
mod words;

pub use case::{
    Access, AccessKind, Actor, Case, Change, Fields, LogState, Planted, Revealed, Seen, Trace,
    Verification,
};
pub use deadline::{Deadline, deadlines};
pub use facts::{Facts, InvalidFacts};
pub use police::Fullness;

use super::{Lang, Page};

/// A document of the dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything that is known.
    Dossier,
    /// Two pages of it for the police.
    Police,
    /// The prompt report to the Personal Information Protection Commission.
    AppiPrompt,
    /// The final report to it.
    AppiFinal,
    /// The notification under GDPR Article 33.
    Gdpr,
    /// The letter to a firm that uses the list.
    Firm,
    /// The letter to a broker that sells it.
    Broker,
    /// The notice to customers.
    Customers,
}

impl Kind {
    /// All of them, in the order in which they are read.
    pub const ALL: [Kind; 8] = [
        Kind::Dossier,
        Kind::Police,
        Kind::AppiPrompt,
        Kind::AppiFinal,
        Kind::Gdpr,
        Kind::Firm,
        Kind::Broker,
        Kind::Customers,
    ];

    /// Its file's name without the ending.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Dossier => "dossier",
            Kind::Police => "police-summary",
            Kind::AppiPrompt => "appi-prompt-report",
            Kind::AppiFinal => "appi-final-report",
            Kind::Gdpr => "gdpr-article-33",
            Kind::Firm => "letter-to-firm",
            Kind::Broker => "letter-to-broker",
            Kind::Customers => "notice-to-customers",
        }
    }
}

/// Composes one document in one language.
pub fn compose(kind: Kind, case: &Case, facts: &Facts, lang: Lang) -> Page {
    match kind {
        Kind::Dossier => record::page(case, facts, lang),
        Kind::Police => police(case, facts, lang, Fullness::ALL[0]),
        Kind::AppiPrompt => appi::prompt(case, facts, lang),
        Kind::AppiFinal => appi::last(case, facts, lang),
        Kind::Gdpr => gdpr::page(case, facts, lang),
        Kind::Firm => letters::firm(case, facts, lang),
        Kind::Broker => letters::broker(case, facts, lang),
        Kind::Customers => notice::page(case, facts, lang),
    }
}

/// Composes the summary for the police with so much in it.
pub fn police(case: &Case, facts: &Facts, lang: Lang, full: Fullness) -> Page {
    police::page(case, facts, lang, full)
}

/// The case in a few lines for a terminal.
pub fn lines(case: &Case, lang: Lang) -> Vec<String> {
    let mut lines = vec![
        words::reference(case, lang),
        format!("  {}", words::state(lang, case.state)),
        format!("  {}", words::noticed(case, lang)),
    ];
    for (at, what) in record::sorted_events(case, lang) {
        lines.push(format!("  {}  {what}", super::when::minute(lang, at)));
    }
    for unknown in words::unknown(case, lang) {
        lines.push(format!("  ? {}", unknown.plain()));
    }
    lines
}
