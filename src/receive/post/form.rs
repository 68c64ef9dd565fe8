//! The mail room's pages, in Japanese and English.

use maud::{Markup, html};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::canary::{Sighting, SightingKind};
use crate::receive::Accepted;
use crate::receive::reading::Pages;
use crate::receive::understand::{Candidate, Letter, plain};

pub(super) const TITLE: &str = "郵便物の登録 / File a letter";

/// The form, filled with what was typed before, and what was wrong with it; and the letters that wait.
pub(super) fn empty(
    letter: &Letter,
    problem: Option<&str>,
    waiting: &[(i64, OffsetDateTime)],
    reads: bool,
) -> Markup {
    html! {
        (alert(problem))
        @if !waiting.is_empty() {
            div.card {
                p.alarm { "確認待ち / Waiting to be confirmed: " (waiting.len()) }
                @for (id, at) in waiting.iter().take(10) {
                    p { a href=(format!("/drop/{id}")) { "No. " (id) } " " span.soft { (minute(*at)) } }
                }
            }
        }
        form.card method="post" action="/drop" enctype="multipart/form-data" {
            @for (label, many) in [
                ("封筒の表 / Front of the envelope", false),
                ("封筒の裏 / Back", false),
                ("その他のページ / Further pages", true),
            ] {
                label {
                    (label)
                    @if many { span { "PNG, JPEG, WebP, PDF · 1 枚 20 MB、合計 40 MB まで / at most 20 MB each, 40 MB together" } }
                    // Named formats make a telephone convert its own (HEIC) to JPEG.
                    input type="file" name="picture" accept="image/jpeg,image/png,image/webp,application/pdf"
                        capture=[(!many).then_some("environment")] multiple[many];
                }
            }
            @if reads {
                p.soft { "写真だけ送ると、宛名を読み取って候補を表示します / Send the pictures alone, and the addressee is read from them" }
            } @else {
                p.soft { "Tesseract がないため宛名は読み取れません。入力してください / There is no Tesseract here: type the addressee" }
            }
            (fields(letter))
            button type="submit" { "送信する / Send" }
        }
    }
}

fn alert(problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            p.alarm role="alert" { (problem) }
        }
    }
}

fn fields(letter: &Letter) -> Markup {
    html! {
        (line("addressee", "宛名 / Addressee", &letter.addressee))
        (line("postcode", "郵便番号 / Postcode", &letter.postcode))
        (line("address", "住所（部屋番号まで） / Address with unit", &letter.address))
        (line("sender", "差出人 / Sender", &letter.sender))
        (line("return_address", "差出人の住所・返送先 / Return address", &letter.return_address))
        (line("postmark", "消印の日付 / Date of the postmark", &letter.postmark))
        (line("customer", "お客様番号・バーコード / Customer numbers, barcodes", &letter.customer))
        label {
            "備考 / Note"
            textarea name="note" rows="2" maxlength="500" { (letter.note) }
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

/// What was read on the photographs, and whom it may mean: for the person to correct and confirm.
pub(super) fn confirm(
    id: i64,
    letter: &Letter,
    pages: &Pages,
    candidates: &[Candidate],
    problem: Option<&str>,
) -> Markup {
    let plain = plain(candidates).map(|candidate| &candidate.canary);
    html! {
        (alert(problem))
        p { "保存しました。確認するまで数えません / Stored as no. " b { (id) } ". It counts when you have confirmed it." }
        @for problem in &pages.problems {
            p.alarm role="status" { (problem) }
        }
        @for (number, page) in pages.shown.iter().enumerate() {
            div.card {
                @if page.is_some() {
                    img src=(format!("/drop/{id}/page/{number}")) alt=(format!("ページ / page {}", number + 1));
                } @else {
                    a href=(format!("/drop/{id}/page/{number}")) download { "ページ / Page " (number + 1) }
                }
            }
        }
        form.card method="post" action=(format!("/drop/{id}")) enctype="multipart/form-data" {
            (fields(letter))
            fieldset {
                legend { "該当するのは / Whom it is for" }
                @for candidate in candidates {
                    label.choice {
                        input type="radio" name="canary" value=(candidate.canary)
                            checked[plain == Some(&candidate.canary)];
                        span { code { (candidate.canary) } " " (candidate.source) " · " (format!("{:.0}%", candidate.likeness * 100.0)) }
                    }
                }
                label.choice {
                    input type="radio" name="canary" value="" checked[plain.is_none()];
                    span { "入力した宛名と住所で照合する / Compare what is typed above" }
                }
                label.choice {
                    input type="radio" name="canary" value="none";
                    span { "どれでもない / None of these" }
                }
            }
            button type="submit" { "確認して登録する / Confirm and file" }
        }
        @if !pages.reading.text.is_empty() {
            details.card {
                summary { "読み取った文字 / All that was read" }
                pre { (pages.reading.text) }
            }
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
                _ => {
                    p { "該当なし。記録は残ります / No match yet. The letter is kept." }
                    p.soft {
                        "誤りなら、宛名と住所を入力して写真をもう一度登録してください / \
                         If that is wrong, file its photographs again with the addressee and the address typed."
                    }
                }
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
        p { a href=(format!("/drop/{id}/label")) { "原本用ラベル / Label for the original" } }
        p { a href="/drop" { "次の郵便物 / Next letter" } }
    }
}

fn minute(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute]"))
        .unwrap_or_default()
}
