//! Which canaries hang together, and folds that keep them together.
//!
//! A thief who has one canary of a mail domain, a number block or a building finds its neighbours by it;
//! a detector that may do so too learns the address and nothing else. So such canaries stay in one fold.

use std::collections::HashMap;

use rand::Rng;

use super::boost::shuffled;
use super::parts::{Part, parts};
use super::{Contact, Exhibit};

/// A contact point binds canaries when it is so many times as common among them as among customers.
const UNUSUAL: f64 = 5.0;

/// For each row a group; rows of one group share a contact point that customers hardly share.
pub(super) fn groups(exhibit: &Exhibit<'_>) -> Vec<usize> {
    let points: Vec<Vec<(usize, String)>> = exhibit
        .rows
        .iter()
        .map(|row| {
            let columns = exhibit.columns.iter().enumerate();
            let own = columns.filter_map(|(at, column)| {
                let text = row[at].as_deref().filter(|text| !text.is_empty())?;
                let wanted: &[Part] = match column.contact? {
                    Contact::Mail => &[Part::Domain],
                    Contact::Phone => &[Part::Block],
                    // A house number binds, whatever the room; a town does not. What cannot be read binds as it stands.
                    Contact::Place => &[Part::House, Part::Whole],
                };
                let parts = parts(text, column.contact);
                let of = |wanted: &Part| parts.iter().find(|(part, _)| part == wanted);
                let (_, value) = wanted.iter().find_map(of)?;
                Some((at, value.clone()))
            });
            own.collect()
        })
        .collect();
    let mut counts: HashMap<&(usize, String), (usize, usize)> = HashMap::new();
    let canaries = exhibit.canary.iter().filter(|canary| **canary).count();
    let customers = exhibit.canary.len() - canaries;
    for (own, canary) in points.iter().zip(exhibit.canary) {
        for point in own {
            let count = counts.entry(point).or_default();
            match canary {
                true => count.0 += 1,
                false => count.1 += 1,
            }
        }
    }
    let mut group: Vec<usize> = (0..exhibit.rows.len()).collect();
    fn root(group: &mut [usize], mut at: usize) -> usize {
        while group[at] != at {
            group[at] = group[group[at]];
            at = group[at];
        }
        at
    }
    let mut first: HashMap<&(usize, String), usize> = HashMap::new();
    for (row, own) in points.iter().enumerate() {
        if !exhibit.canary[row] {
            continue;
        }
        for point in own {
            let (ours, theirs) = counts[point];
            let common = theirs as f64 / customers.max(1) as f64;
            if ours < 2 || (ours as f64 / canaries as f64) <= UNUSUAL * common {
                continue;
            }
            let other = *first.entry(point).or_insert(row);
            let (one, other) = (root(&mut group, row), root(&mut group, other));
            group[one] = other;
        }
    }
    (0..group.len()).map(|row| root(&mut group, row)).collect()
}

/// A fold for each row: canaries of one group in the same, and about as many canaries in each.
pub(super) fn folds<R: Rng + ?Sized>(
    canary: &[bool],
    group: &[usize],
    count: usize,
    rng: &mut R,
) -> Vec<usize> {
    let mut fold = vec![0; canary.len()];
    for (place, row) in shuffled(canary.len(), rng).into_iter().enumerate() {
        fold[row] = place % count;
    }
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    for row in (0..canary.len()).filter(|row| canary[*row]) {
        *sizes.entry(group[row]).or_default() += 1;
    }
    let mut order: Vec<(usize, usize)> = sizes.into_iter().collect();
    order.sort_by_key(|(group, size)| (std::cmp::Reverse(*size), *group));
    let mut load = vec![0; count];
    let mut given: HashMap<usize, usize> = HashMap::new();
    for (group, size) in order {
        let lightest = (0..count).min_by_key(|fold| load[*fold]).unwrap_or(0);
        load[lightest] += size;
        given.insert(group, lightest);
    }
    for row in (0..canary.len()).filter(|row| canary[*row]) {
        fold[row] = given[&group[row]];
    }
    fold
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stealth::{Column, Kind};
    use rand::SeedableRng;

    #[test]
    fn canaries_of_one_domain_or_house_stay_together_unless_customers_share_it_too() {
        let row = |mail: &str, place: &str| vec![Some(mail.to_owned()), Some(place.to_owned())];
        let mut rows: Vec<_> = (0..60)
            .map(|n| row(&format!("c{n}@big.example"), &format!("Elm St {n}")))
            .collect();
        rows.push(row("a@own.example", "Oak St 1"));
        rows.push(row("b@own.example", "Oak St 2"));
        rows.push(row("c@big.example", "Oak St 2"));
        rows.push(row("d@big.example", "Oak St 3"));
        let canary: Vec<bool> = (0..rows.len()).map(|row| row >= 60).collect();
        let column = |name: &str, contact| Column {
            name: name.to_owned(),
            kind: Kind::Plain,
            contact: Some(contact),
            kana: false,
        };
        let exhibit = Exhibit {
            columns: vec![
                column("mail", Contact::Mail),
                column("street", Contact::Place),
            ],
            rows: &rows,
            canary: &canary,
        };
        let mut rooms = rows.clone();
        let group = groups(&exhibit);
        assert!(group[60] == group[61] && group[61] == group[62]);
        assert_ne!(group[63], group[62]);
        // Rooms of one house are one place; what cannot be read binds as it stands.
        for (row, place) in [
            (60, "青葉市緑町3-12-8-405"),
            (61, "箱の9"),
            (62, "青葉市緑町３丁目１２番８号　緑ハイツ101"),
            (63, "箱の9"),
        ] {
            rooms[row] = vec![Some(format!("{row}@big.example")), Some(place.to_owned())];
        }
        let housed = groups(&Exhibit {
            columns: exhibit.columns.clone(),
            rows: &rooms,
            canary: &canary,
        });
        assert!(housed[60] == housed[62] && housed[61] == housed[63] && housed[60] != housed[61]);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let fold = folds(&canary, &group, 2, &mut rng);
        assert!(fold[60] == fold[61] && fold[61] == fold[62] && fold[63] != fold[62]);
        let first = fold[..60].iter().filter(|fold| **fold == 0).count();
        assert!((20..=40).contains(&first));
    }
}
