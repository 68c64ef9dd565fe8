//! What otori cannot know and the operator can say, in a file. A line that is missing stays a blank.
//!
//! ```toml
//! organisation = { ja = "株式会社見本", en = "Mihon Inc." }
//! contact = "privacy@mihon.example, 0A0-0000-0000"
//! people = "18,204"
//! ```

use serde::{Deserialize, Serialize};

use crate::report::Lang;
use crate::report::page::{blank, foreign};

/// A fact, in one spelling for both languages or in one for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Words {
    /// The same in both.
    Same(String),
    /// One for each.
    Each {
        /// English.
        en: Option<String>,
        /// Japanese.
        ja: Option<String>,
    },
}

macro_rules! facts {
    ($($(#[doc = $doc:literal])+ $field:ident: $en:literal, $ja:literal;)+) => {
        /// The facts of a file.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Facts {
            $($(#[doc = $doc])+ #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<Words>,)+
        }

        impl Facts {
            $($(#[doc = $doc])+ /// Without it, a blank.
            pub fn $field(&self, lang: Lang) -> String {
                let what = match lang { Lang::En => $en, Lang::Ja => $ja };
                said(self.$field.as_ref(), lang).unwrap_or_else(|| blank(what))
            })+
        }
    };
}

facts! {
    /// Our organisation.
    organisation: "name of our organisation", "当社の名称";
    /// Who represents it.
    representative: "representative", "代表者の役職・氏名";
    /// Its address.
    address: "our address", "当社の住所";
    /// Who answers questions, and how they are reached.
    contact: "contact: name, telephone, mail", "連絡先(担当者・電話・メール)";
    /// The data protection officer.
    dpo: "data protection officer: name and contact", "データ保護責任者(DPO)の氏名・連絡先";
    /// Counsel.
    counsel: "counsel", "担当弁護士";
    /// To whom the report under the APPI goes.
    authority: "the Commission, or the authority to which its powers are delegated", "個人情報保護委員会、または権限の委任を受けた省庁";
    /// To whom the notification under the GDPR goes.
    eu_authority: "competent supervisory authority", "管轄の監督機関";
    /// Which police station.
    police: "police station", "提出先の警察署";
    /// What the database is called and used for.
    database: "the database: its name and what it is used for", "データベースの名称・用途";
    /// How many people.
    people: "number of people concerned", "本人の数";
    /// How many of them are in the European Union.
    eu_people: "number of people in the Union", "EU域内の本人の数";
    /// Special care-required data, payment data.
    sensitive: "whether special care-required or payment data is in the table", "要配慮個人情報・決済情報の有無";
    /// How it came about.
    cause: "cause, as far as investigated", "原因(調査で判明したもの)";
    /// What damage followed, or may.
    harm: "damage that has followed or may follow", "二次被害またはそのおそれの有無・内容";
    /// What was done for the people concerned.
    response: "what has been done for the people concerned", "本人への対応の実施状況";
    /// What was made public.
    publication: "what has been made public, and when", "公表の実施状況";
    /// What keeps it from happening again.
    prevention: "measures against a recurrence", "再発防止のための措置";
    /// What else matters.
    other: "other matters of reference", "その他参考となる事項";
    /// The firm that uses the list.
    firm: "the firm's name and address", "貴社名・所在地";
    /// The broker that sells it.
    broker: "the broker's name and address", "名簿事業者名・所在地";
    /// Until when an answer is asked for.
    answer_by: "date", "期日";
    /// Where people find more.
    web: "page with the latest state", "最新の状況を掲載するページ";
}

/// Facts that do not read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {message}")]
pub struct InvalidFacts {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl Facts {
    /// Reads a file of facts.
    ///
    /// # Errors
    /// [`InvalidFacts`] with the line.
    pub fn read(text: &str) -> Result<Facts, InvalidFacts> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().map_or(0, |span| span.start.min(text.len()));
            InvalidFacts {
                line: text
                    .get(..before)
                    .map_or(1, |before| before.matches('\n').count() + 1),
                message: error.message().to_owned(),
            }
        })
    }
}

fn said(words: Option<&Words>, lang: Lang) -> Option<String> {
    let text = match (words?, lang) {
        (Words::Same(text), _) => text,
        (Words::Each { en, .. }, Lang::En) => en.as_ref()?,
        (Words::Each { ja, .. }, Lang::Ja) => ja.as_ref()?,
    };
    let text = foreign(text.trim());
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_stands_in_one_spelling_or_two_and_else_stays_blank() {
        let facts = Facts::read("organisation = { ja = \"見本社\" }\npeople = \"12\"\n").unwrap();
        assert_eq!(facts.organisation(Lang::Ja), "見本社");
        assert_eq!(
            facts.organisation(Lang::En),
            blank("name of our organisation")
        );
        assert_eq!(facts.people(Lang::En), "12");
        assert_eq!(facts.cause(Lang::Ja), blank("原因(調査で判明したもの)"));
    }

    #[test]
    fn a_wrong_line_is_told() {
        let wrong = Facts::read("people = \"12\"\npeeple = \"13\"\n").unwrap_err();
        assert_eq!(wrong.line, 2);
        assert!(wrong.message.contains("peeple"), "{wrong}");
        assert_eq!(Facts::read("people = \n").unwrap_err().line, 1);
    }
}
