//! Kana to Hepburn romaji.

/// The Hepburn spelling of a kana text in lower-case ASCII (`サトウ ヨウコ` to `satou youko`, as mail
/// addresses and passports without macrons have it). Characters that are no kana are left out.
#[expect(unused_variables, reason = "signatures first, bodies follow")]
pub fn hepburn(kana: &str) -> String {
    todo!()
}
