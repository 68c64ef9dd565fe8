//! The page that whoever is handed a bundle reads first.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "
body { margin: 0 auto; max-width: 48rem; padding: 2.5rem 1.5rem; color: #1c2430; background: #fff;
  font: 16px/1.65 system-ui, 'Noto Sans', 'Noto Sans CJK JP', 'Hiragino Sans', 'Yu Gothic', sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
section + section { border-top: 2px solid #1c2430; margin-top: 3rem; padding-top: 2rem; }
code, pre { font: .88rem/1.5 ui-monospace, 'Noto Sans Mono', monospace; } code { overflow-wrap: anywhere; }
pre { background: #f3f5f8; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(11rem, 34%) 1fr; gap: .35rem 1rem; } dd { margin: 0; }
@media print { body { padding: 0; font-size: 10.5pt; } section + section { break-before: page; } }
";

/// The page, in English and in Japanese. It needs nothing else and runs nothing.
pub fn page(origin: &str, incident: Option<i64>) -> String {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Evidence of " (origin) " / 証拠一式" }
                style { (PreEscaped(STYLE)) }
            }
            body { (english(origin, incident)) (japanese(origin, incident)) }
        }
    };
    whole.into_string()
}

fn english(origin: &str, incident: Option<i64>) -> Markup {
    html! {
        section lang="en" {
            h1 { "Evidence from the log " code { (origin) } }
            p { @match incident {
                Some(id) => { "It is about incident " (id) "." },
                None => "It is about every contact that reached a canary.",
            } }
            p { "A canary is a customer who does not exist, planted in one customer table. Nobody has a reason to \
                 write to it; whoever does has that table's data. These are the messages that came, as they came, and \
                 the log that shows that nothing in them was changed since." }
            h2 { "How to check it" }
            p { "With otori, on any machine, without network, registry or key of the sender:" }
            pre { "otori evidence verify THIS-FILE.zip --key 'KEY'" }
            p { "KEY is the log's public key. Take it from where its owner published it, not from this bundle: a forger would \
                 put in his own. Without otori:" }
            pre { "sha256sum -c SHA256SUMS\n\
                   openssl ts -verify -token_in -in log/checkpoint-N.token -data log/checkpoint-N.note -CAfile ROOTS.pem" }
            p { "The first line shows that the files are those that were packed, the second when a checkpoint was there at \
                 the latest. Checkpoints are signed notes in C2SP's format, and the log is a Merkle tree after RFC 9162, so that any \
                 tool of that world reads them: each line of " code { "log/entries.jsonl" } " is a leaf." }
            h2 { "What is in it" }
            dl { @for (name, what) in files(false) { dt { code { (name) } } dd { (what) } } }
            h2 { "What it shows, and what not" }
            p { "That these messages were accepted when the log says, and that this list of them was handed out by that log: its \
                 newest checkpoint covers both. It does not show who sent them: a sender's name in a mail, or a caller's number, is \
                 what the sender says. It does not show that nothing else came: that is for the log's owner to say. Open a mail as \
                 text; do not follow its links." }
        }
    }
}

fn japanese(origin: &str, incident: Option<i64>) -> Markup {
    html! {
        section lang="ja" {
            h1 { "証拠一式(ログ " code { (origin) } ")" }
            p { @match incident {
                Some(id) => { "インシデント " (id) " に関するものです。" },
                None => "カナリアに届いたすべての連絡に関するものです。",
            } }
            p { "カナリアとは、ひとつの顧客名簿だけに登録した、実在しない顧客です。連絡する理由は誰にもなく、連絡してきた者は\
                 その名簿の情報を持っています。ここには届いたままの連絡と、以後手が加えられていないことを示すログが入っています。" }
            h2 { "確かめ方" }
            p { "otori があれば、どの機械でも、通信も送り手の鍵もなしに確かめられます。" }
            pre { "otori evidence verify このファイル.zip --key '公開鍵'" }
            p { "公開鍵は、ログの持ち主が公表しているものを使ってください。この一式の中の鍵では、偽造者自身の鍵かもしれません。\
                 otori がない場合は次のとおりです。" }
            pre { "sha256sum -c SHA256SUMS\n\
                   openssl ts -verify -token_in -in log/checkpoint-N.token -data log/checkpoint-N.note -CAfile ROOTS.pem" }
            p { "一行目はファイルが収めたときのままであること、二行目はチェックポイントが遅くともいつ存在したかを示します。\
                 チェックポイントは C2SP の署名付きノート形式、ログは RFC 9162 のマークル木で、" code { "log/entries.jsonl" }
                 " の一行がひとつの葉です。同じ形式を読む他の道具でも確かめられます。" }
            h2 { "中身" }
            dl { @for (name, what) in files(true) { dt { code { (name) } } dd { (what) } } }
            h2 { "示すこと、示さないこと" }
            p { "これらの連絡がログの示す日時に受け付けられたこと、この一覧がそのログから渡されたことを示します。最新のチェックポイントが\
                 両方を含んでいます。送り主が誰であるかは示しません。メールの差出人名や発信者番号は、送り主がそう名乗っているだけです。\
                 ほかに連絡がなかったことも示しません。メールはテキストとして開き、リンクは開かないでください。" }
        }
    }
}

fn files(japanese: bool) -> [(&'static str, &'static str); 8] {
    let say = |en, ja| if japanese { ja } else { en };
    [
        (
            "sightings.json",
            say(
                "each contact: when, by which channel, which canary and source",
                "連絡ごとの日時、経路、カナリア、名簿",
            ),
        ),
        (
            "incidents.json",
            say(
                "the incidents that they belong to",
                "連絡が属するインシデント",
            ),
        ),
        (
            "custody.json",
            say(
                "who has seen, asked for or handed out what, from the log",
                "誰が何を閲覧、申請、提供したか(ログから)",
            ),
        ),
        (
            "messages/N/",
            say(
                "a message: raw mail, form or picture, and its envelope",
                "届いたままのメール、通話記録または画像と、その封筒情報",
            ),
        ),
        (
            "contents.json",
            say(
                "the hashes of all that; the log holds this file's own",
                "以上のハッシュ値。この一覧自身のハッシュ値はログにあります",
            ),
        ),
        ("log/entries.jsonl", say("the whole log", "ログの全体")),
        (
            "log/checkpoint-N.*",
            say(
                "signatures (.note), timestamps (.token), witnesses (.cosignatures) over the first N entries",
                "先頭 N 件に対する署名(.note)、タイムスタンプ(.token)、立会人の署名(.cosignatures)",
            ),
        ),
        (
            "log/keys.txt",
            say(
                "the log's public keys, the present one first",
                "ログの公開鍵(先頭が現在のもの)",
            ),
        ),
    ]
}
