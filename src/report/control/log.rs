//! The evidence log, and how a reader checks this report against it.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::words;
use super::{Control, Gathered, clock_sentence};
use crate::evidence::Act;
use crate::registry::Problem;
use crate::report::page::{Block, Column, Text, foreign};
use crate::report::{Lang, say, when};

/// The log.
#[derive(Debug, Serialize)]
pub struct LogFacts {
    /// Its name.
    pub origin: String,
    /// Entries when the report was made.
    pub entries: u64,
    /// The root over them.
    pub root: String,
    /// Entries below the newest checkpoint that holds.
    pub signed: u64,
    /// Rows of the registry that were compared with it.
    pub rows: usize,
    /// Entries of the period.
    pub entries_in_period: usize,
    /// Checkpoints, ever.
    pub checkpoints: usize,
    /// Checkpoints signed in the period.
    pub checkpoints_in_period: usize,
    /// Of these, stamped by a time-stamping authority.
    pub stamped_in_period: usize,
    /// Checkpoints of the period that each witness was given.
    pub witnessed_in_period: BTreeMap<String, usize>,
    /// Checkpoints, ever, under a witness's signature that holds.
    pub cosigned: usize,
    /// When the newest checkpoint was signed.
    #[serde(with = "time::serde::rfc3339::option")]
    pub newest_at: Option<OffsetDateTime>,
    /// The newest checkpoint as it was signed.
    pub newest_note: Option<String>,
    /// The public keys, the present one first.
    pub keys: Vec<String>,
    /// What is not as it was written.
    pub problems: Vec<Problem>,
    /// What an examiner should know though it proves nothing.
    pub notes: Vec<String>,
    /// Why the log could not be signed, if it could not.
    pub unsigned: Option<String>,
}

/// What checking the log has found.
pub fn facts(gathered: &Gathered) -> LogFacts {
    let (check, period) = (&gathered.check, gathered.period);
    let newest = gathered.checkpoints.first();
    let signed = || {
        gathered
            .checkpoints
            .iter()
            .filter(|one| period.holds(one.at))
    };
    let mut witnessed_in_period = BTreeMap::new();
    for entry in gathered.acts.iter().filter(|one| period.holds(one.at)) {
        if let Act::Witnessed { witness, .. } = &entry.act {
            *witnessed_in_period.entry(witness.clone()).or_default() += 1;
        }
    }
    LogFacts {
        witnessed_in_period,
        cosigned: check.cosigned,
        origin: gathered.origin.clone(),
        entries: check.entries,
        root: check.root.into(),
        signed: check.signed,
        rows: check.rows,
        entries_in_period: gathered
            .acts
            .iter()
            .filter(|one| period.holds(one.at))
            .count(),
        checkpoints: check.checkpoints,
        checkpoints_in_period: signed().count(),
        stamped_in_period: signed().filter(|one| one.timestamp_token.is_some()).count(),
        newest_at: newest.map(|one| one.at),
        newest_note: newest.map(|one| one.note.clone()),
        keys: gathered.keys.clone(),
        problems: check.problems.clone(),
        notes: check.notes.clone(),
        unsigned: gathered.unsigned.clone(),
    }
}

/// The section.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let log = &control.log;
    let mut blocks = vec![
        Block::Heading(say!(lang, "Evidence log, and how to check this report", "証跡ログと本報告の検証方法")),
        Block::Para(
            say!(
                lang,
                "Every figure here comes from the registry and its evidence log. Each entry says what was done, when, by whom, and in which state it left the rows \
                 that it wrote; the entries are the leaves of a Merkle tree, whose size and root are signed (Ed25519). {clock}",
                "本報告の数値はすべて台帳とその証跡ログに基づく。証跡ログの各記録は、いつ、誰が、何をし、台帳の行をどのような状態にしたかを示す。\
                 記録全体はハッシュ木(Merkle木)をなし、その件数とルートハッシュに電子署名(Ed25519)を付す。{clock}",
                clock = clock_sentence(lang)
            )
            .into(),
        ),
    ];
    if log.problems.is_empty() {
        blocks.push(Block::Para(
            say!(
                lang,
                "Checked when this report was made: every entry stands in its place, every checkpoint is signed over the entries below it, and every row is as its last entry left it.",
                "本報告の作成時に検証した結果、すべての記録は元の位置にあり、すべての署名は対応する記録と一致し、台帳の各行は最後の記録のとおりである。"
            )
            .into(),
        ));
    } else {
        blocks.push(Block::Para(Text::strong(say!(
            lang,
            "The log or the registry is not as it was written. What stands in this report may be wrong where it rests on the places named here.",
            "証跡ログまたは台帳が記録時の状態と一致しない。以下の箇所に基づく記載は誤っている可能性がある。"
        ))));
        let columns = vec![
            Column::text(say!(lang, "Place", "箇所"), 2.0),
            Column::text(say!(lang, "What is wrong", "不一致の内容"), 5.0),
        ];
        let rows = log.problems.iter();
        let rows = rows.map(|one| vec![foreign(&one.place).into(), foreign(&one.what).into()]);
        blocks.extend(words::table(lang, columns, rows.collect(), String::new()));
    }
    blocks.push(Block::Facts(listed(log, lang)));
    if !log.notes.is_empty() {
        let notes = log.notes.iter().map(|note| foreign(note).into());
        blocks.push(Block::List(notes.collect()));
    }
    let (size, key) = (
        log.signed,
        words::names(lang, &log.keys[..1.min(log.keys.len())]),
    );
    blocks.push(Block::Sub(say!(lang, "How to check", "検証の手順")));
    blocks.push(Block::List(vec![
        say!(
            lang,
            "Run otori evidence verify in the workspace (an auditor's role may). It says ok, and the log has at least {size} entries.",
            "作業領域で otori evidence verify を実行する(監査者の権限で可)。「ok」と表示され、記録が{size}件以上あること。"
        )
        .into(),
        say!(
            lang,
            "Compare the public key {key} with the one that the organisation has published where nobody can change it afterwards.",
            "公開鍵 {key} が、組織が後から変更できない形で公表したものと一致すること。"
        )
        .into(),
        say!(
            lang,
            "Keep the signed checkpoint above. A log that is later rewritten below it no longer has that root at that size, and nobody without the signing key can sign another.",
            "上記の署名済みチェックポイントを保管する。その範囲の記録が後から書き換えられた場合、同じ件数で同じルートハッシュにはならず、署名鍵を持たない者が署名し直すこともできない。"
        )
        .into(),
        say!(
            lang,
            "This report's own SHA-256 is in the log as the act reported: the file in your hands is the one that was made if its hash is that one.",
            "本報告書ファイルのSHA-256は、証跡ログに reported として記録される。手元のファイルのハッシュ値がこれと一致すれば、作成時のものである。"
        )
        .into(),
    ]));
    blocks
}

fn listed(log: &LogFacts, lang: Lang) -> Vec<(String, Text)> {
    let (entries, rows) = (
        when::thousands(log.entries),
        when::thousands(log.rows as u64),
    );
    let signed = when::thousands(log.signed);
    let within = when::thousands(log.entries_in_period as u64);
    let (made, stamped) = (log.checkpoints_in_period, log.stamped_in_period);
    let mut facts = vec![
        (say!(lang, "Log", "証跡ログの名称"), foreign(&log.origin).into()),
        (
            say!(lang, "Entries", "記録件数"),
            say!(
                lang,
                "{entries}, of which {signed} are under a signature that holds; {within} of the period; {rows} rows of the registry compared",
                "{entries}件(うち有効な署名の対象{signed}件、期間内{within}件)。台帳の{rows}行と照合"
            )
            .into(),
        ),
        (say!(lang, "Root", "ルートハッシュ"), log.root.clone().into()),
        (
            say!(lang, "Checkpoints", "チェックポイント"),
            say!(
                lang,
                "{made} signed in the period, {stamped} of them with an RFC 3161 time stamp",
                "期間内の署名{made}回(うちRFC 3161タイムスタンプ付き{stamped}回)"
            )
            .into(),
        ),
    ];
    if !log.witnessed_in_period.is_empty() {
        let each = log.witnessed_in_period.iter();
        let each: Vec<String> = each
            .map(|(name, count)| {
                let name = foreign(name);
                say!(lang, "{name}: {count} checkpoints", "{name}: {count}回")
            })
            .collect();
        let signed = log.cosigned;
        let mut told = each.join("\n");
        if signed > 0 {
            told += &say!(
                lang,
                "\n{signed} checkpoints in all are under a witness's signature that holds",
                "\n全期間で{signed}件に有効な立会人の署名あり"
            );
        }
        facts.push((say!(lang, "Witnesses", "立会人への提出"), told.into()));
    }
    for (place, key) in log.keys.iter().enumerate() {
        let name = match place {
            0 => say!(lang, "Public key", "公開鍵"),
            _ => say!(lang, "Earlier key", "以前の公開鍵"),
        };
        facts.push((name, foreign(key).into()));
    }
    if let (Some(note), Some(at)) = (&log.newest_note, log.newest_at) {
        let at = when::minute(lang, at);
        let lines: Vec<String> = note.lines().map(foreign).collect();
        let name = say!(lang, "Newest checkpoint", "最新のチェックポイント");
        facts.push((name, format!("{at}\n{}", lines.join("\n")).into()));
    }
    facts
}
