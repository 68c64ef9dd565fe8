//! A canary is drawn as one customer's row shows it. Where that customer has nothing in a related table and
//! the canary must (its address, its children), another customer's row shows what stands there together.

use rand::{Rng, RngExt};

use crate::blend::Drawn;
use crate::database::Row;
use crate::notation::{MappedColumn, Mapping, RelatedRows, Role};

use super::tables::Tables;

/// Rows looked at for one that has something there.
const TRIES: usize = 400;

/// Completes what was drawn.
pub(super) fn lend<R: Rng + ?Sized>(
    tables: &Tables,
    mapping: &Mapping,
    rows: &[Row],
    drawn: &mut Drawn,
    rng: &mut R,
) {
    for (at, leg) in tables.legs().iter().enumerate() {
        let own: Vec<&MappedColumn> = mapping
            .columns
            .iter()
            .filter(|column| column.value.is_none())
            .filter(|column| {
                let place = tables.place(&column.column);
                place.is_some_and(|place| place.leg == Some(at) && !place.column.is_empty())
            })
            .collect();
        let personal = |column: &&&MappedColumn| !is_plain(column.role);
        let told: Vec<&&MappedColumn> = own.iter().filter(personal).collect();
        let given = told.iter().any(|column| is_given(column.role));
        let wanted = leg.attribute.is_none() || given;
        let lacking = told
            .iter()
            .all(|column| drawn.empty.contains_key(&column.column));
        if leg.rows == RelatedRows::Existing || !wanted || told.is_empty() || !lacking {
            continue;
        }
        let held = |row: &Row, column: &MappedColumn| {
            let value = tables.at(&column.column).and_then(|at| row[at].clone());
            value.filter(|text| !text.trim().is_empty())
        };
        let donor = (0..TRIES.min(rows.len() * 4))
            .map(|_| &rows[rng.random_range(0..rows.len())])
            .find(|row| told.iter().any(|column| held(row, column).is_some()));
        let Some(donor) = donor else { continue };
        for column in &own {
            match is_plain(column.role) {
                false if held(donor, column).is_some() => {
                    drawn.empty.remove(&column.column);
                }
                false => {}
                true => {
                    if let Some(value) = drawn.plain.get_mut(&column.column)
                        && value.is_none()
                    {
                        *value = tables.at(&column.column).and_then(|at| donor[at].clone());
                    }
                }
            }
        }
    }
}

/// Roles that tell nothing of a person.
fn is_plain(role: Role) -> bool {
    use Role::*;
    matches!(role, Other | Skip | Id | Code | CreatedAt | UpdatedAt)
}

/// Roles of contact points, which a canary has whatever its pattern has.
pub(super) fn is_given(role: Role) -> bool {
    use Role::*;
    matches!(role, Phone | Mobile | Email) || Role::HOUSE_NUMBER.contains(&role)
}
