//! What goes wrong with single rows.

use otori::notation::Role;
use rand::RngExt;
use rand::rngs::StdRng;

use super::ground::{Row, pick};

type Columns = [(&'static str, Role)];
type Slip = fn(&mut Row, &Columns, &mut StdRng);

/// Every slip: one field of a row is another, is elsewhere, or is gone.
pub const ALL: &[(&str, Slip)] = &[
    ("a typing error", |row, columns, rng| {
        spoil(row, columns, rng, typed)
    }),
    ("a reading error", |row, columns, rng| {
        spoil(row, columns, rng, misread)
    }),
    ("two fields changed places", |row, columns, rng| {
        let (one, other) = (field(columns, rng), field(columns, rng));
        row.cells.swap(one, other);
    }),
    ("a field dropped", |row, columns, rng| {
        let at = field(columns, rng);
        row.cells[at].clear();
    }),
    ("a field truncated", |row, columns, rng| {
        spoil(row, columns, rng, |text, _| {
            let keep = text.chars().count() * 6 / 10;
            text.chars().take(keep).collect()
        });
    }),
    ("a field twice", |row, columns, rng| {
        let at = field(columns, rng);
        let text = row.cells[at].clone();
        row.cells[at] = format!("{text} {text}");
    }),
    ("a note behind a field", |row, columns, rng| {
        let at = field(columns, rng);
        row.cells[at].push_str("(確認済)");
    }),
];

/// A field that names somebody.
fn field(columns: &Columns, rng: &mut StdRng) -> usize {
    let marks = columns.iter().enumerate();
    let marks =
        marks.filter(|(_, (_, role))| !matches!(role, Role::Id | Role::City | Role::Region));
    let places: Vec<usize> = marks.map(|(at, _)| at).collect();
    pick(rng, &places)
}

fn spoil(
    row: &mut Row,
    columns: &Columns,
    rng: &mut StdRng,
    edit: fn(&str, &mut StdRng) -> String,
) {
    let at = field(columns, rng);
    row.cells[at] = edit(&row.cells[at], rng);
}

/// One character replaced, doubled, lost, or changed with the next.
fn typed(text: &str, rng: &mut StdRng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.len() < 2 {
        return text.to_owned();
    }
    let at = rng.random_range(0..chars.len() - 1);
    match rng.random_range(0..4) {
        0 => chars[at] = other(chars[at], rng),
        1 => chars.insert(at, chars[at]),
        2 => {
            chars.remove(at);
        }
        _ => chars.swap(at, at + 1),
    }
    chars.into_iter().collect()
}

fn other(c: char, rng: &mut StdRng) -> char {
    match c {
        '0'..='9' => pick(rng, &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']),
        'a'..='z' | 'A'..='Z' => pick(rng, &['a', 'e', 'i', 'n', 'o', 'r', 's', 't']),
        'ァ'..='ヶ' => pick(rng, &['ア', 'カ', 'シ', 'タ', 'ナ', 'マ', 'リ', 'ン']),
        _ => pick(rng, &['田', '山', '本', '子', '美', '中', '野', '川']),
    }
}

/// What optical readers take for each other.
const ALIKE: &[(char, char)] = &[
    ('0', 'O'),
    ('1', 'l'),
    ('5', 'S'),
    ('8', 'B'),
    ('6', 'b'),
    ('2', 'Z'),
    ('o', '0'),
    ('l', '1'),
    ('i', 'l'),
    ('s', '5'),
    ('シ', 'ツ'),
    ('ツ', 'シ'),
    ('ソ', 'ン'),
    ('ン', 'ソ'),
    ('ク', 'ワ'),
    ('タ', 'ク'),
    ('コ', 'ユ'),
    ('日', '目'),
    ('千', '干'),
    ('大', '犬'),
    ('木', '本'),
    ('本', '木'),
    ('田', '由'),
    ('土', '士'),
    ('未', '末'),
    ('間', '問'),
    ('村', '材'),
    ('子', '了'),
    ('美', '羊'),
    ('ー', '一'),
    ('e', 'c'),
    ('n', 'r'),
    ('m', 'n'),
];

fn misread(text: &str, rng: &mut StdRng) -> String {
    let chars: Vec<char> = text.chars().collect();
    let alike = |c: char| ALIKE.iter().find(|(from, _)| *from == c).map(|(_, to)| *to);
    let places: Vec<usize> = (0..chars.len())
        .filter(|at| alike(chars[*at]).is_some())
        .collect();
    if places.is_empty() {
        return typed(text, rng);
    }
    let at = pick(rng, &places);
    let one = |(place, c): (usize, &char)| {
        if place == at {
            alike(*c).unwrap_or(*c)
        } else {
            *c
        }
    };
    chars.iter().enumerate().map(one).collect()
}
