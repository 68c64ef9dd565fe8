//! The customer desk's page, in Japanese and English.

use maud::{Markup, html};

use super::{Report, Via};

pub(super) const TITLE: &str = "お客様からの通報 / A customer's report";

/// The form, filled with what was typed before, and what was wrong with it.
pub(super) fn empty(report: &Report, sources: &[String], problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            p.alarm role="alert" { (problem) }
        }
        form.card method="post" action="/report" {
            label {
                "どこから来たか（会社名） / Which firm wrote"
                input type="text" name="about" value=(report.about) maxlength="500" autocomplete="off" required;
            }
            label {
                "手段 / By which way"
                (vias(report.via))
            }
            label {
                "どのサービスのお客様か / Whose customer"
                select name="source" {
                    option value="" { "不明 / not known" }
                    @for source in sources {
                        option value=(source) selected[report.source.as_ref().is_some_and(|own| own.as_str() == source)] { (source) }
                    }
                }
            }
            label {
                "内容 / What was said"
                span { "お客様のお名前やご住所は書かないでください / Leave out the customer's name and address" }
                textarea name="note" rows="3" maxlength="500" { (report.note) }
            }
            button type="submit" { "登録する / File it" }
        }
    }
}

/// The ways to choose from.
pub(super) fn vias(chosen: Via) -> Markup {
    html! {
        select name="via" {
            @for (via, name) in [(Via::Post, "post"), (Via::Phone, "phone"), (Via::Sms, "sms"), (Via::Mail, "mail"), (Via::Unknown, "unknown")] {
                option value=(name) selected[chosen == via] { (word(via)) }
            }
        }
    }
}

fn word(via: Via) -> &'static str {
    match via {
        Via::Post => "郵便・DM / letter",
        Via::Phone => "電話 / call",
        Via::Sms => "ショートメッセージ / text message",
        Via::Mail => "メール / mail",
        Via::Unknown => "不明 / not said",
    }
}

/// What became of a report.
pub(super) fn filed(id: i64) -> Markup {
    html! {
        div.card {
            p { "受付番号 / Filed as " b { (id) } }
        }
        p { a href="/report" { "次の通報 / Next report" } }
    }
}
