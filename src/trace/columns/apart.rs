//! Values that three columns hold together: year, month and day, or the three groups of a telephone number.

use super::super::read::commonest;
use crate::notation::{Region, Role, birth_key, fold, phone_key};

/// How many rows are looked at, and how few say nothing.
const LOOK: usize = 200;
const FEWEST: usize = 10;
/// So many of the filled rows have to fit.
const FIT: f64 = 0.9;
/// Years that are no births: customers sign up in them, and few of these are children.
const SIGNED_UP: i32 = 2012;

/// Three columns beside each other that hold one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apart {
    /// The first of the three.
    pub first: usize,
    /// [`Role::BirthDate`] or [`Role::Phone`].
    pub role: Role,
}

impl Apart {
    /// The value as one text.
    pub fn join<'a>(&self, cell: impl Fn(usize) -> &'a str) -> String {
        let parts = [0, 1, 2].map(|next| cell(self.first + next).trim());
        match parts.iter().any(|part| part.is_empty()) {
            true => String::new(),
            false => parts.join("-"),
        }
    }
}

/// The values that stand in three columns each; `names` are the columns', where they have any.
pub fn apart(names: &[Option<&str>], values: &[Vec<&str>], region: Option<Region>) -> Vec<Apart> {
    let mut found: Vec<Apart> = Vec::new();
    let mut first = 0;
    while first + 3 <= values.len() {
        let role = [Role::BirthDate, Role::Phone].into_iter().find(|role| {
            let apart = Apart { first, role: *role };
            holds(&apart, names, values, region)
        });
        if let Some(role) = role {
            found.push(Apart { first, role });
            first += 2;
        }
        first += 1;
    }
    found
}

fn holds(
    apart: &Apart,
    names: &[Option<&str>],
    values: &[Vec<&str>],
    region: Option<Region>,
) -> bool {
    let rows = values[apart.first].len().min(LOOK);
    let row = |row: usize| [0, 1, 2].map(|next| fold(values[apart.first + next][row]));
    let filled: Vec<[String; 3]> = (0..rows)
        .map(row)
        .filter(|cells| cells.iter().all(|cell| !cell.is_empty()))
        .collect();
    if filled.len() < FEWEST {
        return false;
    }
    let digits = |cell: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&cell.len()) && cell.bytes().all(|byte| byte.is_ascii_digit())
    };
    let fits = |cells: &&[String; 3]| match apart.role {
        Role::Phone => {
            let trunk =
                cells[0].starts_with('0') || region == Some(Region::Us) || cells[0].len() == 3;
            let grouped = trunk
                && digits(&cells[0], 2..=5)
                && digits(&cells[1], 1..=4)
                && digits(&cells[2], 4..=4);
            grouped && phone_key(&cells.join("-"), region).is_some()
        }
        _ => {
            let dated =
                digits(&cells[0], 4..=4) && digits(&cells[1], 1..=2) && digits(&cells[2], 1..=2);
            dated && birth_key(&cells.join("-")).is_some()
        }
    };
    if (filled.iter().filter(fits).count() as f64) < FIT * filled.len() as f64 {
        return false;
    }
    if apart.role == Role::Phone {
        return true;
    }
    // The day on which somebody signed up is no birth.
    let name = names
        .get(apart.first)
        .copied()
        .flatten()
        .map(fold)
        .unwrap_or_default();
    if ["生", "birth", "dob"]
        .iter()
        .any(|word| name.contains(word))
    {
        return true;
    }
    let mut years: Vec<i32> = filled
        .iter()
        .filter_map(|cells| cells[0].parse().ok())
        .collect();
    years.sort_unstable();
    let mut months: Vec<usize> = filled
        .iter()
        .filter_map(|cells| cells[1].parse().ok())
        .collect();
    let often = commonest(&mut months).map_or(0, |(_, often)| often);
    years[years.len() / 2] < SIGNED_UP && often * 2 < filled.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: &[[String; 4]], names: [Option<&str>; 4]) -> Vec<Apart> {
        let values: Vec<Vec<&str>> = (0..4)
            .map(|column| rows.iter().map(|row| row[column].as_str()).collect())
            .collect();
        apart(&names, &values, Some(Region::Jp))
    }

    fn rows(of: impl Fn(usize) -> [String; 3]) -> Vec<[String; 4]> {
        let row = |n| {
            let [one, two, three] = of(n);
            ["x".to_owned(), one, two, three]
        };
        (0..30).map(row).collect()
    }

    #[test]
    fn dates_and_numbers_of_three_columns() {
        let none = [None; 4];
        let dates =
            |from: usize| rows(move |n| [from + n, 1 + n % 12, 1 + n % 28].map(|n| n.to_string()));
        let birth = Apart {
            first: 1,
            role: Role::BirthDate,
        };
        assert_eq!(found(&dates(1950), none), [birth]);
        assert_eq!(birth.join(|at| ["x", "1950", "7", ""][at]), "");
        assert_eq!(found(&dates(2005), none), []);
        assert_eq!(
            found(&dates(2005), [None, Some("生年"), None, None]),
            [birth]
        );
        let numbers = rows(|n| {
            [
                "090".to_owned(),
                format!("{:04}", n),
                format!("{:04}", 7 * n),
            ]
        });
        let phone = Apart {
            first: 1,
            role: Role::Phone,
        };
        assert_eq!(found(&numbers, none), [phone]);
        let counts = rows(|n| [n, n + 1, n + 2].map(|n| n.to_string()));
        assert_eq!(found(&counts, none), []);
    }
}
