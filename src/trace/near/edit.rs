//! Two texts that differ by a slip of the pen, and by which.

use super::how::How;

/// The slip that parts what a row has from what was planted, at most `most` of them (one or two);
/// `None` where they are equal, or further apart.
///
/// Two neighbours that changed places are one slip (optimal string alignment).
pub fn slip(row: &[char], planted: &[char], most: usize) -> Option<How> {
    if row.len().abs_diff(planted.len()) > most {
        return None;
    }
    let same = |(one, other): &(&char, &char)| one == other;
    let head = row.iter().zip(planted).take_while(same).count();
    let (row, planted) = (&row[head..], &planted[head..]);
    let back = || row.iter().rev().zip(planted.iter().rev());
    let tail = back().take_while(same).count();
    let (row, planted) = (&row[..row.len() - tail], &planted[..planted.len() - tail]);
    match (row, planted) {
        ([], []) => None,
        ([_], [_]) => Some(How::Differs),
        ([], [_]) => Some(How::Missing),
        ([_], []) => Some(How::Extra),
        ([a, b], [c, d]) if (a, b) == (d, c) => Some(How::Swapped),
        _ => (most > 1 && distance(row, planted) <= most).then_some(How::Two),
    }
}

/// How many slips part two short texts.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, b) in other.iter().enumerate() {
            let mut least = (last[j] + usize::from(a != b))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn between(row: &str, planted: &str, most: usize) -> Option<How> {
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        slip(&letters(row), &letters(planted), most)
    }

    #[test]
    fn each_slip_has_its_name() {
        for (row, planted, how) in [
            ("ヤマダ", "ヤマダ", None),
            ("ヤマラ", "ヤマダ", Some(How::Differs)),
            ("ヤダ", "ヤマダ", Some(How::Missing)),
            ("ヤママダ", "ヤマダ", Some(How::Extra)),
            ("ヤダマ", "ヤマダ", Some(How::Swapped)),
            ("マヤラ", "ヤマダ", None),
            ("", "ヤ", Some(How::Missing)),
        ] {
            assert_eq!(between(row, planted, 1), how, "{row}");
        }
        assert_eq!(between("マヤラ", "ヤマダ", 2), Some(How::Two));
        assert_eq!(between("ヤマダタロ", "ヤマタダロ", 2), Some(How::Swapped));
        assert_eq!(between("アイウエオ", "カイクエケ", 2), None);
        assert_eq!(between("アイウエ", "アイウエオカキ", 2), None);
    }

    proptest! {
        /// Whatever slip is made, it is seen as one, whichever of the texts is the row's.
        #[test]
        fn one_slip_is_one(text in "[ア-オ]{2,9}", at in 0_usize..9, kind in 0..4, letter in "[ア-オ]") {
            let planted: Vec<char> = text.chars().collect();
            let at = at % planted.len();
            let letter = letter.chars().next().unwrap();
            let mut row = planted.clone();
            match kind {
                0 => row[at] = letter,
                1 => row.insert(at, letter),
                2 => { row.remove(at); }
                _ => row.swap(at, (at + 1) % planted.len()),
            }
            prop_assume!(kind != 3 || at + 1 < planted.len());
            let how = slip(&row, &planted, 1);
            prop_assert_eq!(how.is_some(), row != planted);
            prop_assert_eq!(slip(&planted, &row, 1).is_some(), row != planted);
            prop_assert!(distance(&row, &planted) <= 1);
        }
    }
}
