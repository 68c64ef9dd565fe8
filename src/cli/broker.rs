//! What a broker makes of stolen rows: the columns that sell, in a notation of the trade's own, as the
//! spreadsheets of the trade write them. For the demo's story, and for leak drills.

use rand::{Rng, RngExt};
use time::Date;

/// A line of a list for sale: no key, nothing of the company's own.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) postcode: String,
    pub(super) address: String,
    pub(super) phone: String,
    /// Sold only where the list's columns are left as they were.
    pub(super) email: Option<String>,
    pub(super) birth: Option<Date>,
}

/// Whose trade it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trade {
    Japanese,
    American,
}

/// What is done to the rows.
#[derive(Clone, Copy)]
pub(super) struct Edits {
    /// The column of mail addresses is dropped.
    pub(super) columns: bool,
    /// Names, addresses, postcodes and numbers are written another way.
    pub(super) notation: bool,
    /// CP932, in Japan.
    pub(super) encoding: bool,
}

/// All of it, as the demo's broker does.
pub(super) const ALL: Edits = Edits {
    columns: true,
    notation: true,
    encoding: true,
};

/// The list's bytes. What CP932 has not, the broker's spreadsheet replaces.
///
/// # Errors
/// None that a list in memory has.
pub(super) fn list(lines: &[Line], trade: Trade, edits: Edits) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut head = match trade {
        Trade::American => vec!["NAME", "ADDRESS", "ZIP", "PHONE", "DOB"],
        Trade::Japanese => vec![
            "氏名",
            "フリガナ",
            "郵便番号",
            "住所",
            "電話番号",
            "生年月日",
        ],
    };
    if !edits.columns {
        head.push(match trade {
            Trade::American => "EMAIL",
            Trade::Japanese => "メールアドレス",
        });
    }
    writer.write_record(head)?;
    for line in lines {
        let mut cells = match trade {
            Trade::American => american(line, edits.notation),
            Trade::Japanese => japanese(line, edits.notation),
        };
        if !edits.columns {
            cells.push(line.email.clone().unwrap_or_default());
        }
        writer.write_record(cells)?;
    }
    let list = writer.into_inner()?;
    if trade == Trade::American || !edits.encoding {
        return Ok(list);
    }
    let list = String::from_utf8(list)?;
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(&list);
    Ok(bytes.into_owned())
}

fn birth(line: &Line) -> String {
    line.birth
        .map(|birth| birth.to_string())
        .unwrap_or_default()
}

fn american(line: &Line, rewrite: bool) -> Vec<String> {
    let (name, address) = (&line.name, &line.address);
    let (name, address, phone) = match rewrite {
        true => (
            name.to_uppercase(),
            address.to_uppercase(),
            line.phone.replace(['-', ' ', '(', ')'], ""),
        ),
        false => (name.clone(), address.clone(), line.phone.clone()),
    };
    vec![name, address, line.postcode.clone(), phone, birth(line)]
}

fn japanese(line: &Line, rewrite: bool) -> Vec<String> {
    let (name, address, phone, postcode) = match rewrite {
        true => (
            line.name.replace('　', " "),
            rewritten(&line.address),
            line.phone.replace('-', ""),
            line.postcode.replace('-', ""),
        ),
        false => (
            line.name.clone(),
            line.address.clone(),
            line.phone.clone(),
            line.postcode.clone(),
        ),
    };
    vec![
        name,
        line.kana.clone(),
        postcode,
        address,
        phone,
        birth(line),
    ]
}

/// The broker's own way of writing addresses: full-width digits, 丁目, 番 and 号 where there are three
/// numbers, no space before the building.
fn rewritten(address: &str) -> String {
    let (block, building) = address.split_once('　').unwrap_or((address, ""));
    let start = block
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(block.len());
    let (town, numbers) = block.split_at(start);
    let numbers = match numbers.split('-').collect::<Vec<_>>()[..] {
        [chome, ban, go] => format!("{chome}丁目{ban}番{go}号"),
        _ => numbers.to_owned(),
    };
    let wide = |c: char| match c {
        '0'..='9' => char::from_u32(c as u32 - '0' as u32 + '０' as u32).unwrap_or(c),
        '-' => '－',
        other => other,
    };
    format!(
        "{town}{}{building}",
        numbers.chars().map(wide).collect::<String>()
    )
}

/// Whoever types a list in makes mistakes: two neighbours swapped in one of its cells.
pub(super) fn mistype(line: &mut Line, rng: &mut impl Rng) {
    let cell = match rng.random_range(0..4) {
        0 => &mut line.name,
        1 => &mut line.address,
        2 => &mut line.phone,
        _ => &mut line.kana,
    };
    let mut letters: Vec<char> = cell.chars().collect();
    if letters.len() > 1 {
        let at = rng.random_range(0..letters.len() - 1);
        letters.swap(at, at + 1);
        *cell = letters.into_iter().collect();
    }
}
