//! Which line of an envelope is what: a guess that the person sees and corrects.

use super::bars::says_where;
use super::words::Line;
use crate::notation::fold;
use crate::receive::understand::{Letter, one_line};

/// What ends an addressee.
const TITLES: [&str; 4] = ["様", "殿", "御中", "宛"];
/// What a sender calls itself.
const FIRMS: [&str; 18] = [
    "株式会社",
    "有限会社",
    "合同会社",
    "(株)",
    "(有)",
    "協会",
    "組合",
    "法人",
    "銀行",
    "事務局",
    " inc",
    " ltd",
    " llc",
    " corp",
    " co.",
    "company",
    "university",
    "association",
];
/// What stands before a sender.
const FROM: [&str; 6] = ["差出人", "発送元", "返送先", "返還先", "from:", "return to"];
/// What stands before a customer's number.
const NUMBERS: [&str; 12] = [
    "お客様番号",
    "お客さま番号",
    "会員番号",
    "顧客番号",
    "整理番号",
    "管理番号",
    "問合せ番号",
    "お客様no",
    "customer",
    "account",
    "member",
    "ref",
];
const PREFECTURES: [&str; 4] = ["都", "道", "府", "県"];
const STREETS: [&str; 12] = [
    " st", " ave", " rd", " blvd", " dr", " ln", " way", " apt", " suite", " unit", "p.o. box",
    " ct",
];

/// The fields as they can be told from the lines of all pages, the front first.
pub fn guess(lines: &[Line], codes: &[String]) -> Letter {
    let folded: Vec<String> = lines.iter().map(|line| fold(&line.text)).collect();
    let kinds: Vec<Kind> = folded.iter().map(|line| kind(line)).collect();
    let name = addressee(lines, &folded, &kinds);
    let from = sender(&folded, &kinds, name);
    let near = |of: usize| move |a: &usize| a.abs_diff(of);
    // An address is nearest to whom it belongs to.
    let postcodes: Vec<usize> = (0..lines.len())
        .filter(|&n| postcode(&folded[n]).is_some())
        .collect();
    let beneath = from.map_or(0..0, |from| run(lines, &folded, &kinds, from));
    let closer = |n: &usize| match from {
        Some(_) if beneath.contains(n) => false,
        Some(from) => name.is_none_or(|name| n.abs_diff(name) <= n.abs_diff(from)),
        None => true,
    };
    let ours = |n: &&usize| closer(n);
    let code = postcodes.iter().copied().filter(|n| closer(n));
    let code = code.min_by_key(near(name.unwrap_or(0)));
    let numbers = 0..lines.len();
    let all: Vec<usize> = numbers.filter(|&n| kinds[n] == Kind::Address).collect();
    let text = |numbers: Vec<usize>| {
        let parts = numbers.iter().map(|&n| bare_address(&lines[n].text));
        let parts = parts.filter(|part| !part.is_empty());
        one_line(&parts.collect::<Vec<_>>().join(" "))
    };
    let own: Vec<usize> = all.iter().filter(ours).copied().collect();
    let theirs: Vec<usize> = all.iter().filter(|n| !closer(n)).copied().collect();
    let mut customer: Vec<String> = folded.iter().filter_map(|line| number(line)).collect();
    let known_by = codes.iter().filter(|code| !says_where(code));
    customer.extend(known_by.map(|code| one_line(code)));
    let barred = || codes.iter().find_map(|code| destination(code));
    customer.dedup();
    Letter {
        addressee: name.map_or_else(String::new, |n| bare_name(&lines[n].text)),
        // What has check digits is believed first.
        postcode: barred()
            .or_else(|| postcode(&folded[code?]))
            .unwrap_or_default(),
        address: text(own),
        sender: from.map_or_else(String::new, |n| one_line(&lines[n].text)),
        return_address: text(theirs),
        customer: one_line(&customer.join(" ")),
        postmark: folded
            .iter()
            .find_map(|line| date(line))
            .unwrap_or_default(),
        ..Letter::default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Address,
    Sender,
    Number,
    Other,
}

fn kind(line: &str) -> Kind {
    let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
    let digit = line.contains(|c: char| c.is_ascii_digit());
    let dashed = line
        .as_bytes()
        .windows(3)
        .any(|w| w[0].is_ascii_digit() && w[1] == b'-' && w[2].is_ascii_digit());
    if has(&NUMBERS) && digit {
        Kind::Number
    } else if has(&FIRMS) || has(&FROM) {
        Kind::Sender
    } else if has(&PREFECTURES) && line.contains(['市', '区', '町', '村', '郡'])
        || (line.contains(['市', '区', '町', '村']) && digit)
        || (dashed && line.chars().any(|c| c > '\u{2fff}'))
        || line.contains("丁目")
        || (has(&STREETS) && digit)
        || zip(line).is_some()
    {
        Kind::Address
    } else {
        Kind::Other
    }
}

/// The line of the name: it has a title; or it is the one over an address, or after a Japanese one.
fn addressee(lines: &[Line], folded: &[String], kinds: &[Kind]) -> Option<usize> {
    let titled = |n: &usize| {
        TITLES
            .iter()
            .any(|title| folded[*n].trim_end().ends_with(title))
    };
    let free = |n: usize| {
        let letters = folded[n].chars().filter(|c| c.is_alphabetic()).count();
        let digits = folded[n].chars().filter(char::is_ascii_digit).count();
        kinds[n] == Kind::Other
            && letters >= 2
            && digits * 2 < letters
            && date(&folded[n]).is_none()
    };
    let numbers = 0..lines.len();
    let largest = numbers
        .clone()
        .filter(titled)
        .max_by_key(|&n| lines[n].height);
    if largest.is_some() {
        return largest;
    }
    let addresses = numbers.clone().filter(|&n| kinds[n] == Kind::Address);
    let japanese = |n: usize| folded[n].chars().any(|c| c > '\u{2fff}');
    let mut near = addresses.filter_map(|n| {
        // A building or a scrap may stand between them.
        let below = (n + 1..(n + 4).min(lines.len())).find(|&n| free(n));
        let above = (n.saturating_sub(3)..n).rev().find(|&n| free(n));
        if japanese(n) {
            below.or(above)
        } else {
            above.or(below)
        }
    });
    // The sender's address is the smaller, and comes first or last: the larger name wins.
    let first = near.next()?;
    Some(near.fold(first, |best, n| {
        if lines[n].height > lines[best].height {
            n
        } else {
            best
        }
    }))
}

fn sender(folded: &[String], kinds: &[Kind], name: Option<usize>) -> Option<usize> {
    (0..folded.len()).find(|&n| kinds[n] == Kind::Sender && Some(n) != name)
}

/// The lines right under a sender, which are its own address: up to another block of writing, or a second
/// postcode.
fn run(lines: &[Line], folded: &[String], kinds: &[Kind], from: usize) -> std::ops::Range<usize> {
    let mut codes = 0;
    let own = |n: &usize| {
        codes += usize::from(postcode(&folded[*n]).is_some());
        kinds[*n] == Kind::Address && lines[*n].block == lines[from].block && codes <= 1
    };
    let count = (from + 1..lines.len()).take_while(own).count();
    from + 1..from + 1 + count
}

/// The postcode or ZIP code in what a bar code says of where the letter goes.
fn destination(code: &str) -> Option<String> {
    let words = code.trim_start_matches('〒').split_whitespace();
    let mut digits = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    says_where(code).then(|| digits.next().map(str::to_owned))?
}

/// A Japanese postcode, or a ZIP code at a line's end.
fn postcode(line: &str) -> Option<String> {
    let bytes = line.as_bytes();
    for start in 0..bytes.len().saturating_sub(6) {
        if start > 0 && (bytes[start - 1].is_ascii_digit() || bytes[start - 1] == b'-') {
            continue;
        }
        let rest = &line.as_bytes()[start..];
        let mut digits = String::new();
        let mut used = 0;
        for (at, byte) in rest.iter().enumerate().take(9) {
            match byte {
                b'0'..=b'9' => digits.push(char::from(*byte)),
                b'-' if digits.len() == 3 => {}
                b' ' if digits.len() == 3 || digits.is_empty() => {}
                _ => break,
            }
            used = at + 1;
        }
        let ends = rest
            .get(used)
            .is_none_or(|b| !b.is_ascii_digit() && *b != b'-');
        let marked = line.contains('〒') || rest.get(3) == Some(&b'-');
        if digits.len() == 7 && ends && marked {
            return Some(format!("{}-{}", &digits[..3], &digits[3..]));
        }
    }
    zip(line)
}

/// `… IL 62704` or `… IL 62704-1234`.
fn zip(line: &str) -> Option<String> {
    let words: Vec<&str> = line
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let [.., state, code] = words[..] else {
        return None;
    };
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let right = match code.split_once('-') {
        Some((zip, more)) => digits(zip, 5) && digits(more, 4),
        None => digits(code, 5),
    };
    (right && state.len() == 2 && state.bytes().all(|b| b.is_ascii_alphabetic()))
        .then(|| code.to_owned())
}

/// The number after its name.
fn number(line: &str) -> Option<String> {
    let (name, at) = NUMBERS
        .iter()
        .find_map(|name| Some((name, line.find(name)?)))?;
    let rest = &line[at + name.len()..];
    let word = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let mut words =
        word.filter(|word| word.len() >= 4 && word.contains(|c: char| c.is_ascii_digit()));
    words.next().map(str::to_uppercase)
}

/// A day as postmarks have it: 2026.11.26, 26.11.26, 8年11月26日.
fn date(line: &str) -> Option<String> {
    let cut = |c: char| matches!(c, '.' | '/' | '-' | '年' | '月' | '日');
    for word in line.split_whitespace() {
        let parts: Vec<&str> = word.split(cut).filter(|part| !part.is_empty()).collect();
        let [year, month, day] = parts[..] else {
            continue;
        };
        let within = |text: &str, most: u32| {
            text.parse().is_ok_and(|n: u32| (1..=most).contains(&n)) && text.len() <= 2
        };
        let years = year.len() <= 2 || (year.len() == 4 && year.starts_with("20"));
        if years && year.bytes().all(|b| b.is_ascii_digit()) && within(month, 31) && within(day, 31)
        {
            return Some(word.to_owned());
        }
    }
    None
}

/// A name without its title, or what Tesseract made of it: 様 is often read as a few Latin letters.
fn bare_name(text: &str) -> String {
    let text = one_line(text);
    let text = TITLES
        .iter()
        .find_map(|title| text.strip_suffix(title))
        .unwrap_or(&text);
    let japanese = text.chars().next().is_some_and(|c| c > '\u{2fff}');
    let scrap = |c: char| japanese && c <= '\u{2fff}';
    text.trim_end_matches(scrap).trim_end().to_owned()
}

/// An address without the postcode in front.
fn bare_address(text: &str) -> String {
    let text = text.trim();
    let rest = text.trim_start_matches(|c: char| !c.is_alphabetic());
    let japanese = rest.chars().next().is_some_and(|c| c > '\u{2fff}');
    if japanese || rest.is_empty() {
        rest.to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(texts: &[(&str, u32)]) -> Vec<Line> {
        let line = |&(text, height): &(&str, u32)| Line {
            text: text.to_owned(),
            sure: 90.0,
            height,
            block: 1,
        };
        texts.iter().map(line).collect()
    }

    #[test]
    fn a_japanese_envelope() {
        let letter = guess(
            &lines(&[
                ("〒100-0013", 40),
                ("東京都千代田区霞が関9-12-8", 40),
                ("囮ハイツ707", 40),
                ("髙橋圭祐様", 60),
                ("お客様番号:A-12345", 24),
                ("26.11.20", 22),
                ("株式会社名簿屋", 30),
                ("〒530-0001大阪市北区梅田1-1-1", 24),
            ]),
            &["Q-777".to_owned(), "〒100-0013 9-12-8-707".to_owned()],
        );
        assert_eq!(letter.addressee, "髙橋圭祐");
        assert_eq!(letter.postcode, "100-0013");
        assert_eq!(letter.address, "東京都千代田区霞が関9-12-8");
        assert_eq!(letter.sender, "株式会社名簿屋");
        assert_eq!(letter.return_address, "大阪市北区梅田1-1-1");
        assert_eq!(letter.customer, "A-12345 Q-777");
        assert_eq!(letter.postmark, "26.11.20");
    }

    #[test]
    fn an_english_envelope() {
        let letter = guess(
            &lines(&[
                ("List Traders Inc.", 24),
                ("1 Broker Ave", 24),
                ("Peoria, IL 61602", 24),
                ("Walter Nowhere", 40),
                ("1200 Example St Apt 4B", 40),
                ("Springfield, IL 62704", 40),
                ("Customer No. 889-7121", 20),
            ]),
            &[],
        );
        assert_eq!(letter.addressee, "Walter Nowhere");
        assert_eq!(letter.postcode, "62704");
        assert_eq!(
            letter.address,
            "1200 Example St Apt 4B Springfield, IL 62704"
        );
        assert_eq!(letter.sender, "List Traders Inc.");
        assert_eq!(letter.return_address, "1 Broker Ave Peoria, IL 61602");
        assert_eq!(letter.customer, "889-7121");
    }

    #[test]
    fn what_the_post_s_own_code_says_is_where_the_letter_goes() {
        let codes = ["USPS 01-234-567094-987654321", "ZIP 01234-5678-91"].map(str::to_owned);
        let letter = guess(&lines(&[("Springfield, IL 62704", 40)]), &codes);
        assert_eq!(letter.postcode, "01234-5678-91");
        assert_eq!(letter.customer, codes[0]);
    }

    #[test]
    fn codes_and_days_are_told_apart() {
        assert_eq!(postcode("〒 100 0013"), Some("100-0013".to_owned()));
        assert_eq!(postcode("100-0013東京都"), Some("100-0013".to_owned()));
        assert_eq!(postcode("03-0123-4567"), None);
        assert_eq!(postcode("1-100-00134"), None);
        assert_eq!(date("2026/11/26"), Some("2026/11/26".to_owned()));
        assert_eq!(date("9-12-8"), Some("9-12-8".to_owned()));
        assert_eq!(date("9-12-88"), None);
    }

    proptest! {
        #[test]
        fn no_page_is_too_strange(texts in prop::collection::vec(any::<String>(), 0..8)) {
            let texts: Vec<(&str, u32)> = texts.iter().map(|text| (text.as_str(), 20)).collect();
            guess(&lines(&texts), &[]);
        }
    }
}
