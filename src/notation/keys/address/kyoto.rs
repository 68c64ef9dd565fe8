//! Kyoto's streets: 寺町通御池上る上本能寺前町 is the quarter 上本能寺前町, and the way to it is left out as often as not.

/// Up, down, east and west of a crossing.
const TURNS: [&str; 14] = [
    "上る",
    "下る",
    "上ル",
    "下ル",
    "上がる",
    "下がる",
    "東入る",
    "西入る",
    "東入ル",
    "西入ル",
    "東入",
    "西入",
    "東へ入",
    "西へ入",
];

/// The text without the way; the quarter stands behind it, or before it.
pub(super) fn without_way(text: &str) -> Option<String> {
    // Each turn has one of these, and few addresses have.
    if !text.chars().any(|c| matches!(c, 'る' | 'ル' | '入')) {
        return None;
    }
    let (at, turn) = TURNS
        .iter()
        .filter_map(|turn| Some((text.rfind(turn)?, *turn)))
        .max_by_key(|(at, turn)| (at + turn.len(), turn.len()))?;
    // 東入船町 is a quarter: a way has a street before its turn.
    if !text[..at].contains(['通', '筋', '路', '条', '町']) {
        return None;
    }
    let behind = text[at + turn.len()..].trim_start_matches(['る', 'ル', 'り', ' ']);
    if !behind.is_empty() && !behind.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(behind.to_owned());
    }
    // 役人町中立売通堀川西入260
    let quarter = text.find('町')? + '町'.len_utf8();
    (quarter < at).then(|| format!("{}{behind}", &text[..quarter]))
}

#[cfg(test)]
mod tests {
    use super::without_way;

    #[test]
    fn the_quarter_is_what_remains() {
        for (text, quarter) in [
            ("寺町通御池上る上本能寺前町999", Some("上本能寺前町999")),
            ("大和大路通3条下る東入若松町99", Some("若松町99")),
            ("錦小路通大宮東入ル七軒町99", Some("七軒町99")),
            ("役人町中立売通堀川西入999番", Some("役人町999番")),
            ("東入船町9-9", None),
            ("霞が関9-9", None),
        ] {
            assert_eq!(without_way(text).as_deref(), quarter, "{text}");
        }
    }
}
