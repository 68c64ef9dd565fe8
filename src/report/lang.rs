//! The two languages. Every sentence stands in both beside each other, so that neither can be
//! forgotten: there is no catalogue of messages that could have a hole.

use serde::Serialize;

/// The language of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Lang {
    /// Both of them.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Ja];

    /// The tag in HTML and PDF, and the word after `--lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ja => "ja",
        }
    }
}

impl std::str::FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Lang, String> {
        let found = Lang::ALL.into_iter().find(|lang| lang.tag() == text);
        found.ok_or_else(|| format!("'{text}' is not a language of the report: say en or ja"))
    }
}

/// A sentence in the language asked for: `say!(lang, "one", "一つ")`, with `format!`'s arguments.
macro_rules! say {
    ($lang:expr, $en:literal, $ja:literal $(, $name:ident = $value:expr)* $(,)?) => {
        match $lang {
            $crate::report::Lang::En => format!($en $(, $name = $value)*),
            $crate::report::Lang::Ja => format!($ja $(, $name = $value)*),
        }
    };
}
pub(crate) use say;
