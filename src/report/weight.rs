//! The verdict on an incident in words: whether a leak or chance explains what came, by all channels together.

use super::{Lang, say};
use crate::weigh::{ChannelWeight, Limit, Verdict, Way, Weight};

/// What the likelihood ratio says.
pub(super) fn verdict(lang: Lang, verdict: Verdict) -> &'static str {
    match (lang, verdict) {
        (Lang::En, Verdict::Leak) => "leak",
        (Lang::En, Verdict::Inconclusive) => "inconclusive",
        (Lang::En, Verdict::Background) => "background",
        (Lang::Ja, Verdict::Leak) => "漏えい",
        (Lang::Ja, Verdict::Inconclusive) => "断定できず",
        (Lang::Ja, Verdict::Background) => "平常時の接触",
    }
}

/// The ENFSI scale's words; others as they are.
pub(super) fn support(lang: Lang, english: &str) -> &str {
    match (lang, english) {
        (Lang::Ja, "no support") => "支持しない",
        (Lang::Ja, "weak support") => "弱い支持",
        (Lang::Ja, "moderate support") => "中程度の支持",
        (Lang::Ja, "moderately strong support") => "やや強い支持",
        (Lang::Ja, "strong support") => "強い支持",
        (Lang::Ja, "very strong support") => "非常に強い支持",
        (Lang::Ja, "extremely strong support") => "極めて強い支持",
        (_, other) => other,
    }
}

/// How strongly, and what for: a leak or background.
pub(super) fn supported(lang: Lang, weight: &Weight) -> String {
    if weight.support == "no support" {
        return say!(lang, "no support for either", "いずれの仮説も支持しない");
    }
    let support = support(lang, weight.support);
    match weight.log10_lr < 0.0 {
        true => say!(
            lang,
            "{support} for background",
            "平常時の接触とする仮説に対する{support}"
        ),
        false => say!(
            lang,
            "{support} for a leak",
            "漏えいとする仮説に対する{support}"
        ),
    }
}

/// Why the ratio is no larger; empty where nothing limits it.
pub(super) fn limited(lang: Lang, weight: &Weight) -> String {
    match weight.limited_by {
        None => String::new(),
        Some(Limit::Canaries) => say!(
            lang,
            "no more is said, since a canary's details may have got out from us",
            "検知用データの内容が当社側から漏れた可能性を考慮し、これを上限とする"
        ),
        Some(Limit::Model) => say!(
            lang,
            "no more is said, since the model may be wrong",
            "モデル自体の誤りの可能性を考慮し、これを上限とする"
        ),
    }
}

/// The whole of it in a line.
pub(super) fn line(lang: Lang, weight: &Weight) -> String {
    let (verdict, supported) = (verdict(lang, weight.verdict), supported(lang, weight));
    let ratio = format!("{:.1}", weight.log10_lr);
    let limited = match limited(lang, weight) {
        none if none.is_empty() => none,
        why => say!(lang, "; {why}", "。{why}"),
    };
    say!(
        lang,
        "{verdict}: {supported} (log10 likelihood ratio {ratio}, all channels together{limited})",
        "{verdict}: {supported}(全経路を合わせた対数尤度比(常用対数){ratio}{limited})"
    )
}

/// What one channel says, in a line.
pub(super) fn channel(lang: Lang, weight: &ChannelWeight) -> String {
    let way = way(lang, weight.channel);
    let (reached, points) = (weight.reached, weight.points);
    let (others, others_points) = (weight.elsewhere_reached, weight.elsewhere_points);
    let ratio = format!("{:+.2}", weight.log10_lr);
    say!(
        lang,
        "{way}: {reached} of {points} contact points reached, at other sources {others} of {others_points} (log10 {ratio})",
        "{way}: 連絡先{points}件中{reached}件に接触、他の監視対象では{others_points}件中{others}件(常用対数{ratio})"
    )
}

fn way(lang: Lang, way: Way) -> &'static str {
    match (lang, way) {
        (Lang::En, Way::Mail) => "mail",
        (Lang::En, Way::Probe) => "address check",
        (Lang::En, Way::Phone) => "telephone",
        (Lang::En, Way::Post) => "post",
        (Lang::En, Way::Login) => "log-in",
        (Lang::En, Way::Report) => "customers' reports",
        (Lang::Ja, Way::Mail) => "メール",
        (Lang::Ja, Way::Probe) => "アドレスの存在確認",
        (Lang::Ja, Way::Phone) => "電話",
        (Lang::Ja, Way::Post) => "郵便",
        (Lang::Ja, Way::Login) => "ログイン",
        (Lang::Ja, Way::Report) => "顧客からの申告",
    }
}
