//! The mail room's page, in Japanese and English.

use maud::{Markup, html};

use crate::canary::{Sighting, SightingKind};
use crate::receive::Accepted;
use crate::receive::understand::{Candidate, Letter};

pub(super) const TITLE: &str = "郵便物の登録 / File a letter";

/// The form, filled with what was typed before, and what was wrong with it.
pub(super) fn empty(letter: &Letter, problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            p.alarm role="alert" { (problem) }
        }
        form.card method="post" action="/drop" enctype="multipart/form-data" {
            label {
                "封筒の写真 / Picture of the envelope"
                span { "PNG, JPEG, WebP, PDF · 20 MB まで / at most 20 MB" }
                // Named formats make a telephone convert its own (HEIC) to JPEG.
                input type="file" name="picture" accept="image/jpeg,image/png,image/webp,application/pdf" required;
            }
            (line("addressee", "宛名 / Addressee", &letter.addressee))
            (line("postcode", "郵便番号 / Postcode", &letter.postcode))
            (line("address", "住所（部屋番号まで） / Address with unit", &letter.address))
            (line("sender", "差出人 / Sender", &letter.sender))
            label {
                "備考・お客様番号など / Note, such as a customer number"
                textarea name="note" rows="2" maxlength="500" { (letter.note) }
            }
            button type="submit" { "登録する / File it" }
        }
    }
}

fn line(name: &str, label: &str, value: &str) -> Markup {
    html! {
        label {
            (label)
            input type="text" name=(name) value=(value) maxlength="500" autocomplete="off";
        }
    }
}

/// What became of a letter.
pub(super) fn filed(
    id: i64,
    accepted: Accepted,
    sighting: Option<&Sighting>,
    candidates: &[Candidate],
) -> Markup {
    let canary = sighting.and_then(|sighting| sighting.canary.as_ref());
    let source = sighting.and_then(|sighting| sighting.source.as_ref());
    html! {
        div.card {
            p {
                "登録番号 / Filed as " b { (id) }
                @if matches!(accepted, Accepted::Repeat(_)) {
                    span.soft { " (登録済み / it was filed before)" }
                }
            }
            @match (canary, source) {
                (Some(canary), Some(source)) => p.good { "該当 / Matched: " code { (canary) } " (" (source) ")" },
                (None, Some(source)) => p.good { "該当元 / Matched source: " (source) },
                _ => p { "該当なし。記録は残ります / No match yet. The letter is kept." },
            }
            @if sighting.is_some_and(|sighting| sighting.kind == SightingKind::Drill) {
                p { "これは訓練の手紙です / This letter was a drill. Thank you." }
            }
        }
        @if canary.is_none() && !candidates.is_empty() {
            h2 { "候補 / Candidates" }
            div.card {
                table {
                    tr { th { "canary" } th { "source" } th.n { "likeness" } }
                    @for candidate in candidates {
                        tr {
                            td { code { (candidate.canary) } }
                            td { (candidate.source) }
                            td.n { (format!("{:.0}%", candidate.likeness * 100.0)) }
                        }
                    }
                }
            }
        }
        p { a href="/drop" { "次の郵便物 / Next letter" } }
    }
}
