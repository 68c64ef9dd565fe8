//! Text that is only a matter of case.

/// The case of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextFormat {
    /// As the value has it.
    AsWritten,
    /// In capitals.
    Upper,
    /// In small letters.
    Lower,
}

impl TextFormat {
    /// All of them, the likelier first.
    pub const ALL: [TextFormat; 3] = [TextFormat::AsWritten, TextFormat::Upper, TextFormat::Lower];

    pub(super) const fn example(self) -> &'static str {
        match self {
            TextFormat::AsWritten => "as written",
            TextFormat::Upper => "UPPER CASE",
            TextFormat::Lower => "lower case",
        }
    }

    /// Writes a text.
    pub fn write(self, text: &str) -> String {
        match self {
            TextFormat::AsWritten => text.to_owned(),
            TextFormat::Upper => text.to_uppercase(),
            TextFormat::Lower => text.to_lowercase(),
        }
    }
}

pub(super) fn recognise(samples: &[&str]) -> (TextFormat, f64) {
    let share = |format: TextFormat| {
        let fits = samples
            .iter()
            .filter(|text| format.write(text) == **text)
            .count();
        fits as f64 / samples.len() as f64
    };
    let cased = samples
        .iter()
        .any(|text| text.to_uppercase() != text.to_lowercase());
    // Mail addresses and names are seldom all in one case by chance.
    match (cased, share(TextFormat::Upper), share(TextFormat::Lower)) {
        (true, upper, _) if upper > 0.9 => (TextFormat::Upper, upper),
        (true, _, lower) if lower > 0.9 => (TextFormat::Lower, lower),
        _ => (TextFormat::AsWritten, 1.0),
    }
}
