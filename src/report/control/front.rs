//! The first page: whether the control works, for somebody who reads nothing else.

use super::Control;
use super::finding::Verdict;
use super::words::{self, share};
use crate::canary::DrillState;
use crate::report::page::{Block, Column, Text, foreign};
use crate::report::{Lang, say, when};

/// The page.
pub fn blocks(control: &Control, lang: Lang) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(say!(
            lang,
            "Is the control working?",
            "統制は機能しているか"
        )),
        Block::Para(Text::strong(verdict(control.verdict, lang))),
        Block::Facts(figures(control, lang)),
        Block::Sub(say!(lang, "Findings, and what to do", "指摘事項と対応")),
    ];
    let columns = vec![
        Column::text(say!(lang, "Weight", "区分"), 1.0),
        Column::text(say!(lang, "Finding", "指摘"), 4.4),
        Column::text(say!(lang, "What to do", "対応"), 3.6),
    ];
    let rows = control.findings.iter().map(|finding| {
        let (found, to_do) = finding.words(lang);
        let weight = finding.severity().words(lang);
        vec![
            match Verdict::of(std::slice::from_ref(finding)) {
                Verdict::Action => Text::strong(weight),
                Verdict::Gaps | Verdict::Working => weight.into(),
            },
            found.into(),
            to_do.into(),
        ]
    });
    let empty = say!(lang, "None.", "なし。");
    blocks.extend(words::table(lang, columns, rows.collect(), empty));
    blocks.push(Block::Note(what_this_is(control, lang).into()));
    blocks
}

fn verdict(verdict: Verdict, lang: Lang) -> String {
    match verdict {
        Verdict::Working => say!(
            lang,
            "Yes, as far as this report can show: every source holds canaries that were verified, every channel was tested, and nothing is open.",
            "機能している(本報告で確認できる範囲)。すべての監視対象でおとり顧客の存置を確認し、すべての経路を訓練で確認しており、未処理の事項はない。"
        ),
        Verdict::Gaps => say!(
            lang,
            "Partly: it has gaps, in which a leak could go unnoticed or unproved. They are listed below.",
            "一部に不備がある。漏えいを見逃し、または立証できないおそれがある点を以下に示す。"
        ),
        Verdict::Action => say!(
            lang,
            "Somebody has to act now: a leak is suspected, or a part of the control does not work.",
            "直ちに対応が必要である。漏えいの疑いがあるか、統制の一部が機能していない。"
        ),
    }
}

fn figures(control: &Control, lang: Lang) -> Vec<(String, Text)> {
    let all = control.sources.len();
    let covered = control.sources.iter().filter(|one| one.live > 0).count();
    let live: u64 = control.sources.iter().map(|one| one.live).sum();
    let live = words::count(lang, live, "canary", "canaries", "件");
    let leaks = control
        .sources
        .iter()
        .filter_map(|one| Some((one, one.smallest_leak?)));
    let worst = leaks.max_by(|one, other| one.1.share.total_cmp(&other.1.share));
    let worst = match worst {
        None => say!(lang, "no leak of any size", "検知できる漏えいはない"),
        Some((one, leak)) => {
            let (source, rows, share) = (
                foreign(&one.source),
                when::thousands(leak.rows),
                share(leak.share),
            );
            say!(
                lang,
                "{rows} rows, {share} of the table ({source}, the weakest that is covered)",
                "{rows}件、表の{share}({source}。保護下で最も検知力の低い監視対象)"
            )
        }
    };
    let runs = control.verification.runs.len();
    let bad = control.verification.runs.iter();
    let bad = bad.filter(|run| run.altered + run.missing > 0).count();
    let seen = control
        .drills
        .iter()
        .filter(|one| one.state == DrillState::Passed);
    let (drills, seen) = (control.drills.len(), seen.count());
    let listened = control.receiver.availability().map_or_else(
        || say!(lang, "not known", "記録なし"),
        |share| {
            let percent = (share * 100_000.0).floor() / 1000.0;
            say!(
                lang,
                "{percent}% of the known time",
                "記録のある時間の{percent}%"
            )
        },
    );
    let none = || say!(lang, "none in this period", "期間内の実施なし");
    let verified = match runs {
        0 => none(),
        _ => say!(
            lang,
            "{runs}, of which {bad} found canaries altered or missing",
            "{runs}回(うち改変・所在不明を認めたもの{bad}回)"
        ),
    };
    let drilled = match drills {
        0 => none(),
        _ => say!(
            lang,
            "{drills}, of which {seen} were seen and told of",
            "{drills}回(うち成功{seen}回)"
        ),
    };
    let contacts = words::count(
        lang,
        control.sightings.total as u64,
        "sighting",
        "sightings",
        "件",
    );
    let incidents = words::count(
        lang,
        control.incidents.len() as u64,
        "incident",
        "incidents",
        "件",
    );
    let traces = words::count(lang, control.traces.len() as u64, "list", "lists", "件");
    let ok = match control.log.problems.len() {
        0 => say!(
            lang,
            "holds: checked when this report was made",
            "正常(本報告の作成時に検証)"
        ),
        many => say!(lang, "does not hold in {many} places", "不一致{many}か所"),
    };
    vec![
        (
            say!(lang, "Sources covered", "保護下の監視対象"),
            say!(
                lang,
                "{covered} of {all}, with {live}",
                "{all}件中{covered}件(おとり顧客{live})"
            )
            .into(),
        ),
        (
            say!(lang, "Smallest leak shown (95%)", "検知できる最小の漏えい"),
            worst.into(),
        ),
        (say!(lang, "Verifications", "存置点検"), verified.into()),
        (say!(lang, "Drills", "訓練"), drilled.into()),
        (
            say!(lang, "Receiver listened", "受信サーバーの稼働"),
            listened.into(),
        ),
        (
            say!(
                lang,
                "Sightings, incidents, lists",
                "検知・インシデント・名簿"
            ),
            say!(
                lang,
                "{contacts}; {incidents} open or moved; {traces} examined",
                "検知{contacts}、継続中または発生したインシデント{incidents}、照合した名簿{traces}"
            )
            .into(),
        ),
        (say!(lang, "Evidence log", "証跡ログ"), ok.into()),
    ]
}

fn what_this_is(control: &Control, lang: Lang) -> String {
    let (from, to) = control.period.days(lang);
    let (made_at, as_at) = (
        when::minute(lang, control.made_at),
        when::minute(lang, control.as_at),
    );
    let (by, version) = (foreign(&control.made_by), control.otori);
    let origin = foreign(&control.log.origin);
    let (size, root) = (control.log.entries, &control.log.root);
    let clock = super::clock_sentence(lang);
    say!(
        lang,
        "Canaries are customers who do not exist, planted in customer tables; whoever writes to or calls one uses leaked data. This report says what that control did \
         from {from} to {to} (both days included), in the state at {as_at}. It was made at {made_at} by {by} with otori {version}, for the log {origin} \
         ({size} entries, root {root}). {clock} It holds no canary's details.",
        "おとり顧客とは、顧客テーブルに登録した架空の顧客である。おとり顧客に連絡する者は、漏えいした情報を使っていることになる。本報告は、この統制の\
         {from}から{to}まで(両日を含む)の運用を、{as_at}時点の状態で示す。{made_at}に {by} が otori {version} を用いて、証跡ログ {origin} \
         (記録{size}件、ルートハッシュ {root})から作成した。{clock}本報告におとり顧客の内容は含まれない。"
    )
}
