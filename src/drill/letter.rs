//! A letter to print: one A4 page as a firm sends it, addressed for a window envelope. The code in its
//! reference line is all that makes it a drill; the mail room types it with the address, as it would any
//! customer number.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use time::Date;
use time::macros::format_description;

use crate::persona::{Address, Household, Locale};

const STYLE: &str = "
@page { size: A4; margin: 0 }
* { box-sizing: border-box }
body { margin: 0; background: #e8e8e8; color: #111; font: 11pt/1.9 'Noto Serif CJK JP', 'Noto Serif JP', 'IPAexMincho', 'Hiragino Mincho ProN', 'Yu Mincho', Georgia, serif }
main { position: relative; width: 210mm; height: 297mm; margin: 0 auto; padding: 0 25mm; background: #fff; overflow: hidden }
.to { position: absolute; top: 20mm; left: 25mm; width: 90mm; font-size: 11.5pt; line-height: 1.55 }
.to .name { margin-top: 3mm; font-size: 14pt }
.to .number { margin-top: 2mm; font-size: 9pt; letter-spacing: .05em }
.date { position: absolute; top: 42mm; right: 25mm; text-align: right; line-height: 1.55 }
.fold { position: absolute; left: 0; width: 5mm; border-top: .2mm solid #999 }
article { padding-top: 85mm }
h1 { margin: 0 0 10mm; font-size: 14pt; font-weight: normal; text-align: center }
p { margin: 0 0 5mm; text-indent: 1em }
.en p { text-indent: 0 }
.end { text-align: right }
.hint { max-width: 210mm; margin: 6mm auto; padding: 4mm 6mm; border: .3mm solid #b58900; background: #fff8e0; font: 10pt/1.6 sans-serif }
@media print { body { background: #fff } .hint { display: none } }
";

/// The page. `code` is what the registry knows it by, `today` its date, `sender` who writes, in lines.
pub fn letter(household: &Household, code: &str, today: Date, sender: &str) -> String {
    let (left, right) = code.split_at(code.len() / 2);
    let number = format!("{left}-{right}");
    let page = match household.locale {
        Locale::JaJp => japanese(household, &number, today, sender),
        Locale::EnUs => american(household, &number, today, sender),
    };
    page.into_string()
}

fn page(language: &str, title: &str, hint: &str, inner: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                // Said on the screen, never on paper.
                div.hint { (hint) }
                main class=(language) {
                    // Folded in three for a long envelope.
                    div.fold style="top:99mm" {}
                    div.fold style="top:198mm" {}
                    (inner)
                }
            }
        }
    }
}

fn japanese(household: &Household, number: &str, today: Date, sender: &str) -> Markup {
    let Address {
        postcode,
        region,
        city,
        town,
        block,
        building,
        unit,
        ..
    } = &household.address;
    let (family, given) = (&household.guardian.family, &household.guardian.given);
    let building = building.as_deref().unwrap_or_default();
    let unit = unit.as_deref().map(|unit| format!("{unit}号室"));
    let house = format!("{building}　{}", unit.unwrap_or_default());
    let inner = html! {
        div.to {
            div { "〒" (hyphened(postcode, 3)) }
            div { (region) (city) (town) (block) }
            @if !house.trim().is_empty() { div { (house.trim()) } }
            div.name { (family.written) "　" (given.written) "　様" }
            div.number { "お客様番号　" (number) }
        }
        div.date { (today.year()) "年" (u8::from(today.month())) "月" (today.day()) "日" (lines(sender)) }
        article {
            h1 { "ご登録内容の確認のお願い" }
            p { "拝啓　時下ますますご清祥のこととお慶び申し上げます。平素は格別のお引き立てを賜り、厚く御礼申し上げます。" }
            p { "さて、このたび弊社では、お客様により確かなご案内をお届けするため、ご登録内容の確認をお願いしております。ご住所・お名前に変更がない場合、お手続きは必要ございません。" }
            p { "変更がございましたら、次の番号をお手元にご用意のうえ、窓口までお知らせください。" }
            p { "お客様番号　" (number) }
            p { "今後とも変わらぬご愛顧を賜りますよう、お願い申し上げます。" }
            p.end { "敬具" }
        }
    };
    page(
        "ja",
        "ご登録内容の確認のお願い",
        "印刷して窓付き封筒（長形3号）で投函してください。この枠は印刷されません。\
         これは訓練の手紙です。郵便担当者には知らせず、届いたら「お客様番号」を備考に入力してもらいます。",
        inner,
    )
}

fn american(household: &Household, number: &str, today: Date, sender: &str) -> Markup {
    let address = &household.address;
    let (family, given) = (&household.guardian.family, &household.guardian.given);
    let unit = address.unit.as_deref().map(|unit| format!(" Apt {unit}"));
    let day = format_description!("[month repr:long] [day padding:none], [year]");
    let inner = html! {
        div.to {
            div.name { (given.written) " " (family.written) }
            div { (address.block) (unit.unwrap_or_default()) }
            div { (address.city) ", " (address.region) " " (address.postcode) }
            div.number { "Customer no. " (number) }
        }
        div.date { (today.format(day).unwrap_or_default()) (lines(sender)) }
        article {
            h1 { "Please check your details" }
            p { "Dear customer," }
            p { "So that what we send you goes on reaching you, we ask you to check the name and address above. If they are right, there is nothing to do." }
            p { "If anything has changed, please have this number at hand and let us know." }
            p { "Customer no. " (number) }
            p { "Thank you for your loyalty." }
        }
    };
    page(
        "en",
        "Please check your details",
        "Print this and post it in a window envelope. This box is not printed. The letter is a drill: tell \
         nobody in the mail room; when it comes, the customer number is typed into the note.",
        inner,
    )
}

fn lines(text: &str) -> Markup {
    html! { @for line in text.lines() { div { (line) } } }
}

fn hyphened(postcode: &str, at: usize) -> String {
    match postcode.split_at_checked(at) {
        Some((left, right)) if !postcode.contains('-') => format!("{left}-{right}"),
        _ => postcode.to_owned(),
    }
}
