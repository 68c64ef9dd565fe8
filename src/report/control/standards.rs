//! What this report says to a control of a standard, and what it does not. The titles are the
//! standards'; the sentences are ours, and no quotation.

use crate::report::page::{Block, Column, Text};
use crate::report::{Lang, say};

struct Line {
    id: &'static str,
    title: [&'static str; 2],
    bears: [&'static str; 2],
    not: [&'static str; 2],
}

const LINES: [Line; 10] = [
    Line {
        id: "NIST SP 800-53 Rev. 5 SI-20",
        title: ["Tainting", "汚染データの埋め込み(Tainting)"],
        bears: [
            "Coverage shows in which tables false customers stand, how many, and how small a removal of data they would betray; sightings show when they did.",
            "「監視範囲」は、架空の顧客をどの表に何件登録し、どの規模の持ち出しまで検知できるかを示す。「検知」は実際に検知した事例を示す。",
        ],
        not: [
            "Which systems have to be tainted is the organisation's decision; tables that are not registered here are not in it.",
            "どのシステムに埋め込むかは組織が定める。登録されていない表は対象外である。",
        ],
    },
    Line {
        id: "NIST SP 800-53 Rev. 5 AU-10",
        title: ["Non-repudiation", "否認防止"],
        bears: [
            "The signed log ties each act to a name and a time, and a later change of it shows.",
            "署名付きの証跡ログは各操作を実施者と日時に結び付け、事後の改変を検出できる。",
        ],
        not: [
            "A name is as good as the token behind it. Where roles are not enforced it is the operating system's user.",
            "実施者の確かさはトークンの管理に依存する。役割の強制を無効にしている場合、実施者はOSの利用者名である。",
        ],
    },
    Line {
        id: "NIST SP 800-53 Rev. 5 IR-4",
        title: ["Incident Handling", "インシデント対応"],
        bears: [
            "Detection and a part of the analysis: incidents with their sightings, and lists traced to their source with the chance of a false accusation.",
            "検知と分析の一部に関わる。インシデントとその検知、および誤認の確率を付した漏えい元の特定結果を示す。",
        ],
        not: [
            "Containment, eradication and recovery are not done here, and not shown.",
            "封じ込め、根絶、復旧は本統制の範囲外であり、本報告では示さない。",
        ],
    },
    Line {
        id: "NIST SP 800-53 Rev. 5 IR-5",
        title: ["Incident Monitoring", "インシデントの監視"],
        bears: [
            "Every sighting and incident of the period is recorded and counted, and its state is told.",
            "期間内の検知とインシデントをすべて記録し、件数と状態を示す。",
        ],
        not: [
            "Incidents that never touch a canary are not seen by this control.",
            "おとり顧客に関わらないインシデントは把握できない。",
        ],
    },
    Line {
        id: "ISO/IEC 27001:2022 A.5.28",
        title: ["Collection of evidence", "証拠の収集"],
        bears: [
            "What came in is stored before its sender is answered and hashed into the log; each access to canaries' details is in the custody section.",
            "受信した内容は送信元への応答前に保存し、ハッシュ値を証跡ログに記録する。おとり顧客の内容へのアクセスはすべて記録している。",
        ],
        not: [
            "Whether a court admits it is for the law of the place, and counsel.",
            "裁判での証拠能力は各地の法令により、専門家の判断を要する。",
        ],
    },
    Line {
        id: "ISO/IEC 27001:2022 A.8.12",
        title: ["Data leakage prevention", "データ漏えい防止"],
        bears: [
            "The detective half of it: the smallest leak of each table that would show.",
            "検知の側面に関わる。表ごとに、検知できる最小の漏えいを示す。",
        ],
        not: [
            "Canaries stop nothing from leaving. Prevention has to be shown by other means.",
            "おとり顧客は持ち出しを阻止しない。防止策は別途示す必要がある。",
        ],
    },
    Line {
        id: "ISO/IEC 27001:2022 A.8.16",
        title: ["Monitoring activities", "監視活動"],
        bears: [
            "When somebody listened on each channel and when not, and drills that show that it works.",
            "各経路の稼働と停止の状況、および機能を確かめた訓練の結果を示す。",
        ],
        not: [
            "Networks, systems and applications are not monitored by this: only what reaches a canary is.",
            "ネットワークやシステムの監視ではなく、おとり顧客に届いた連絡だけが対象である。",
        ],
    },
    Line {
        id: "JIS Q 15001:2023",
        title: [
            "Personal information protection management systems – Requirements",
            "個人情報保護マネジメントシステム-要求事項",
        ],
        bears: [
            "A record for performance evaluation (clause 9) of a measure against leakage of personal data: verifications, drills, and findings with what to do.",
            "漏えい対策に関するパフォーマンス評価(箇条9)の記録となる。点検、訓練、指摘事項とその対応を示す。",
        ],
        not: [
            "It is one measure of a management system. Reports to the authority and notices to persons under the Act on the Protection of Personal Information are duties of their own.",
            "マネジメントシステムの一施策にすぎない。個人情報保護法に基づく個人情報保護委員会への報告および本人への通知は別途必要である。",
        ],
    },
    Line {
        id: "MITRE D3FEND D3-DP",
        title: ["Decoy Persona", "おとり人物(Decoy Persona)"],
        bears: [
            "Each canary is a made-up person with contact points of ours; the figures say how many stand where.",
            "おとり顧客はいずれも自社の連絡先を持つ架空の人物であり、その配置と件数を示す。",
        ],
        not: [
            "They are passive records: they neither act nor answer anybody.",
            "受動的な記録であり、自ら行動することも応答することもない。",
        ],
    },
    Line {
        id: "MITRE Engage EAC0012",
        title: ["Personas", "人物像(Personas)"],
        bears: [
            "Planted data establish people who do not exist, whose use exposes who holds a leaked list.",
            "登録したデータにより架空の人物を成立させ、その利用から漏えい名簿の保有者を明らかにする。",
        ],
        not: [
            "Nobody is engaged, drawn in or answered: the sender learns nothing.",
            "相手への働きかけや応答は行わず、送信者には何も知られない。",
        ],
    },
];

/// The mapping, and the honest limits of all of it.
pub fn blocks(lang: Lang) -> Vec<Block> {
    let place = match lang {
        Lang::En => 0,
        Lang::Ja => 1,
    };
    let columns = vec![
        Column::text(say!(lang, "Control", "規格・管理策"), 2.2),
        Column::text(
            say!(lang, "What this report says to it", "本報告が示すこと"),
            3.4,
        ),
        Column::text(
            say!(lang, "What it does not show", "本報告が示さないこと"),
            3.0,
        ),
    ];
    let rows = LINES.iter().map(|line| {
        let mut control = Text::strong(line.id);
        let title = Text::from(format!("\n{}", line.title[place]));
        control.0.extend(title.0);
        vec![control, line.bears[place].into(), line.not[place].into()]
    });
    let mut blocks = vec![Block::Heading(say!(lang, "Standards", "規格との対応"))];
    blocks.extend(super::words::table(
        lang,
        columns,
        rows.collect(),
        String::new(),
    ));
    blocks.push(Block::Note(
        say!(
            lang,
            "The sentences are otori's own reading, not the standards' text, and no certification: whether a control is met is judged by whoever assesses it.",
            "説明は otori によるものであり、規格本文の引用でも認証でもない。管理策への適合は審査者が判断する。"
        )
        .into(),
    ));
    blocks.push(Block::Heading(say!(
        lang,
        "What this report does not prove",
        "本報告が証明しないこと"
    )));
    blocks.push(Block::List(limits(lang)));
    blocks
}

fn limits(lang: Lang) -> Vec<Text> {
    [
        say!(
            lang,
            "That nothing has leaked. A list that nobody uses and nobody shows us stays silent, and so does one that was cut down to rows without a canary.",
            "漏えいがなかったこと。使われず、入手もできない名簿や、おとり顧客を含まない行だけの名簿は検知できない。"
        ),
        say!(
            lang,
            "That the smallest leak told is noticed in any given time: it holds a canary, but when its buyer uses it is up to the buyer.",
            "示した規模の漏えいを一定期間内に検知できること。名簿におとり顧客が含まれていても、いつ使われるかは入手者次第である。"
        ),
        say!(
            lang,
            "That tables which are not registered, copies, backups and exports made before the first planting are watched.",
            "登録されていない表や、最初の登録より前に作られた複製、バックアップ、出力が監視下にあること。"
        ),
        say!(
            lang,
            "Who leaked. A trace names the table and the time; people have to be found by other evidence.",
            "漏えいを行った者。照合で判明するのは元の表と時期であり、人物は別の証拠によって特定する。"
        ),
        say!(
            lang,
            "Anything from before the log begins, or done past otori by somebody who holds registry and keys as files. \
             A registry put back to an older state is found only by a newer checkpoint, which therefore has to be kept elsewhere too.",
            "証跡ログの開始前の事柄、および台帳と鍵をファイルとして直接扱える者が otori を介さずに行った操作。\
             台帳が古い状態に戻されたことは、より新しいチェックポイントがなければ判明しないため、チェックポイントは別の場所にも保管する必要がある。"
        ),
        say!(
            lang,
            "That the clock was right: times are those of the machine, unless a checkpoint carries a time stamp.",
            "時刻の正しさ。タイムスタンプのないチェックポイントの時刻は、機器の時計による。"
        ),
    ]
    .map(Text::from)
    .into()
}
