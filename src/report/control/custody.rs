//! Who saw which canary's details and why, and what was changed in the control itself.

use serde::Serialize;
use time::OffsetDateTime;

use super::words;
use super::{Control, Gathered};
use crate::canary::State;
use crate::evidence::Act;
use crate::report::page::{Block, Column, Text, foreign};
use crate::report::{Lang, say};

/// An access to a canary's details, tried or done.
#[derive(Debug, Serialize)]
pub struct AccessLine {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// By whom.
    pub by: String,
    /// `revealed`, `proved`, `exported`, `refused`, `requested`, `approved` or `used`.
    pub what: &'static str,
    /// On what: a canary's id, a request's number, a command.
    pub subject: String,
    /// Why, in the words of who asked, or why not.
    pub reason: Option<String>,
    /// The entry of the log that says so.
    pub entry: u64,
}

/// A change of the control.
#[derive(Debug, Serialize)]
pub struct ChangeLine {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// By whom.
    pub by: String,
    /// The act's name in the log.
    pub what: &'static str,
    /// What it was done to, or with: a source, a key's name, a hash's beginning.
    pub subject: String,
    /// The entry of the log that says so.
    pub entry: u64,
}

/// What happened to batches in the period.
#[derive(Debug, Default, Serialize)]
pub struct BatchCounts {
    /// Registered, before anything was written.
    pub registered: usize,
    /// Canaries in these.
    pub canaries: usize,
    /// Found to stand in their source.
    pub live: usize,
    /// Removed again.
    pub unplanted: usize,
    /// Come to nothing.
    pub void: usize,
}

/// Accesses in the period.
pub fn accesses(gathered: &Gathered) -> Vec<AccessLine> {
    let entries = gathered.acts.iter();
    let entries = entries.filter(|entry| gathered.period.holds(entry.at));
    let accesses = entries.filter_map(|entry| {
        let (what, subject, reason) = access(&entry.act)?;
        Some(AccessLine {
            at: entry.at,
            by: entry.by.clone(),
            what,
            subject,
            reason,
            entry: entry.seq,
        })
    });
    accesses.collect()
}

fn access(act: &Act) -> Option<(&'static str, String, Option<String>)> {
    Some(match act {
        Act::Revealed { canary, reason, .. } => ("revealed", canary.clone(), reason.clone()),
        Act::Proved { canary } => ("proved", canary.clone(), None),
        Act::Exported { messages, .. } => ("exported", messages.to_string(), None),
        Act::DossierMade { incident, .. } => ("dossier", incident.to_string(), None),
        Act::WatchlistExported { recipient, .. } => ("watchlist", recipient.clone(), None),
        Act::Suppressed { source, .. } => ("suppressed", source.clone(), None),
        Act::Refused { what, why } => ("refused", what.clone(), Some(why.clone())),
        Act::Requested {
            request,
            what,
            subject,
            why,
        } => (
            "requested",
            format!("{request}: {what} {subject}"),
            why.clone(),
        ),
        Act::RequestApproved { request } => ("approved", request.to_string(), None),
        Act::RequestUsed { request } => ("used", request.to_string(), None),
        _ => return None,
    })
}

/// Changes in the period, without those of batches, which are counted.
pub fn changes(gathered: &Gathered) -> Vec<ChangeLine> {
    let entries = gathered.acts.iter();
    let entries = entries.filter(|entry| gathered.period.holds(entry.at));
    let changes = entries.filter_map(|entry| {
        let (what, subject) = change(&entry.act)?;
        Some(ChangeLine {
            at: entry.at,
            by: entry.by.clone(),
            what,
            subject,
            entry: entry.seq,
        })
    });
    changes.collect()
}

fn change(act: &Act) -> Option<(&'static str, String)> {
    let short = |hash: &str| hash.chars().take(16).collect::<String>();
    Some(match act {
        Act::LogOpened => ("log_opened", String::new()),
        Act::PoolChanged { added } => ("pool_changed", format!("+{added}")),
        Act::SourceAdded { source } => ("source_added", source.clone()),
        Act::Configured { sha256 } => ("configured", short(sha256)),
        Act::KeyRotated { key } => ("key_rotated", key.clone()),
        Act::SigningKeyChanged { to, .. } => ("signing_key_changed", to.clone()),
        Act::SourceKeysMade { sources, .. } => ("source_keys_made", sources.to_string()),
        Act::Forgotten { source, .. } => ("forgotten", source.clone()),
        Act::BackedUp { sha256, .. } => ("backed_up", short(sha256)),
        Act::Restored { sha256 } => ("restored", short(sha256)),
        Act::IncidentChanged {
            incident, state, ..
        } => ("incident_changed", format!("{incident}: {state}")),
        _ => return None,
    })
}

/// Counts what happened to batches.
pub fn batches(gathered: &Gathered) -> BatchCounts {
    let mut counts = BatchCounts::default();
    let entries = gathered.acts.iter();
    for entry in entries.filter(|entry| gathered.period.holds(entry.at)) {
        match &entry.act {
            Act::BatchRegistered { canaries, .. } => {
                counts.registered += 1;
                counts.canaries += canaries;
            }
            Act::BatchChanged { state, .. } => match State::from_name(state) {
                Some(State::Live) => counts.live += 1,
                Some(State::Unplanted) => counts.unplanted += 1,
                Some(State::Void) => counts.void += 1,
                _ => {}
            },
            _ => {}
        }
    }
    counts
}

/// The section.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(say!(lang, "Custody and changes", "アクセスと変更の記録")),
        Block::Para(
            say!(
                lang,
                "Canaries are named by their ids alone; showing one's details is an act of its own, and is recorded before it is done.",
                "おとり顧客は識別番号のみで示す。内容の閲覧は独立した操作であり、表示に先立って記録される。"
            )
            .into(),
        ),
        Block::Sub(say!(lang, "Accesses to canaries' details", "おとり顧客の内容へのアクセス")),
    ];
    let columns = vec![
        Column::text(say!(lang, "At", "日時"), 2.0),
        Column::text(say!(lang, "By", "実施者"), 1.4),
        Column::text(say!(lang, "Act", "操作"), 1.6),
        Column::text(say!(lang, "On what", "対象"), 1.9),
        Column::text(say!(lang, "Reason given", "理由"), 2.4),
    ];
    let rows = control.accesses.iter().map(|line| {
        let reason = line
            .reason
            .as_deref()
            .map_or_else(|| "–".to_owned(), foreign);
        vec![
            words::moment(lang, line.at).into(),
            foreign(&line.by).into(),
            access_words(lang, line.what).into(),
            subject(lang, line),
            reason.into(),
        ]
    });
    let empty = say!(
        lang,
        "Nobody saw or was refused a canary's details in this period.",
        "この期間に、おとり顧客の内容を閲覧した者も、閲覧を拒否された者もいない。"
    );
    blocks.extend(words::table(lang, columns, rows.collect(), empty));

    blocks.push(Block::Sub(say!(
        lang,
        "Changes of the control",
        "統制への変更"
    )));
    blocks.push(Block::Para(batch_words(&control.batches, lang).into()));
    let columns = vec![
        Column::text(say!(lang, "At", "日時"), 2.0),
        Column::text(say!(lang, "By", "実施者"), 1.4),
        Column::text(say!(lang, "Change", "変更"), 2.6),
        Column::text(say!(lang, "What", "内容"), 3.2),
    ];
    let rows = control.changes.iter().map(|line| {
        vec![
            words::moment(lang, line.at).into(),
            foreign(&line.by).into(),
            change_words(lang, line.what).into(),
            foreign(&line.subject).into(),
        ]
    });
    let empty = say!(
        lang,
        "Neither sources, pool, keys nor configuration were changed in this period, and no backup was made.",
        "この期間に監視対象、連絡先、鍵、設定の変更はなく、バックアップも取得されていない。"
    );
    blocks.extend(words::table(lang, columns, rows.collect(), empty));
    blocks
}

fn subject(lang: Lang, line: &AccessLine) -> Text {
    let subject = foreign(&line.subject);
    match line.what {
        "exported" => say!(lang, "{subject} messages", "受信記録{subject}件").into(),
        "dossier" => say!(lang, "incident {subject}", "インシデント{subject}").into(),
        "requested" | "approved" | "used" => {
            say!(lang, "request {subject}", "申請{subject}").into()
        }
        _ => subject.into(),
    }
}

fn access_words(lang: Lang, what: &str) -> String {
    match what {
        "revealed" => say!(lang, "saw the details", "内容を閲覧"),
        "proved" => say!(lang, "opened in a proof", "証明書として開示"),
        "exported" => say!(lang, "evidence handed out", "証拠一式を出力"),
        "dossier" => say!(lang, "dossier made", "事案記録を作成"),
        "refused" => say!(lang, "refused", "拒否"),
        "requested" => say!(lang, "asked for", "申請"),
        "approved" => say!(lang, "approved", "承認"),
        _ => say!(lang, "approval used up", "承認を行使"),
    }
}

fn change_words(lang: Lang, what: &str) -> String {
    match what {
        "log_opened" => say!(lang, "the log begins", "証跡ログの開始"),
        "pool_changed" => say!(lang, "contact points added", "連絡先の追加"),
        "source_added" => say!(lang, "source registered", "監視対象の登録"),
        "configured" => say!(
            lang,
            "configuration is another (SHA-256)",
            "設定の変更(SHA-256)"
        ),
        "key_rotated" => say!(lang, "key or secret rotated", "鍵または秘密情報の更新"),
        "signing_key_changed" => say!(lang, "log signed by another key", "署名鍵の更新"),
        "source_keys_made" => say!(
            lang,
            "sources given keys of their own",
            "監視対象ごとの鍵を作成"
        ),
        "forgotten" => say!(
            lang,
            "canaries' details destroyed",
            "おとり顧客の内容を破棄"
        ),
        "incident_changed" => say!(lang, "incident judged", "インシデントの判定"),
        "backed_up" => say!(lang, "backup made (SHA-256)", "バックアップの取得(SHA-256)"),
        _ => say!(lang, "registry restored (SHA-256)", "台帳の復元(SHA-256)"),
    }
}

fn batch_words(counts: &BatchCounts, lang: Lang) -> String {
    let BatchCounts {
        registered,
        canaries,
        live,
        unplanted,
        void,
    } = counts;
    if registered + live + unplanted + void == 0 {
        return say!(
            lang,
            "No batch of canaries was registered, arrived or was removed in this period.",
            "この期間に、おとり顧客の登録、有効化、撤去はなかった。"
        );
    }
    let registered = words::count(lang, *registered as u64, "batch", "batches", "回");
    let canaries = words::count(lang, *canaries as u64, "canary", "canaries", "件");
    say!(
        lang,
        "{registered} with {canaries} registered; {live} found to stand in their source, {unplanted} removed, {void} come to nothing.",
        "おとり顧客の登録は{registered}(計{canaries})。有効となったもの{live}回、撤去{unplanted}回、不成立{void}回。"
    )
}
