//! Whether a row is a canary that somebody has changed, or somebody else.
//!
//! A changed canary still bears two of its marks, which no customer and no other canary does; one
//! mark alone (a common name, a number that several canaries share) says nothing.

use crate::canary::{Cell, PlantedRow};
use crate::notation::Role;

/// The mark that a role belongs to, and which of its spellings: a mark agrees if all columns of one
/// spelling do (family and given name; every part of the address down to the unit).
fn spelling(role: Role) -> Option<(Mark, u8)> {
    use Role::*;
    Some(match role {
        Name | FamilyName | GivenName => (Mark::Name, 0),
        NameKana | FamilyNameKana | GivenNameKana => (Mark::Name, 1),
        ChildName | ChildFamilyName | ChildGivenName => (Mark::Name, 2),
        ChildNameKana | ChildFamilyNameKana | ChildGivenNameKana => (Mark::Name, 3),
        BirthDate => (Mark::Birth, 4),
        ChildBirthDate => (Mark::Birth, 5),
        Address | Address1 | Address2 | Street | Block | Building => (Mark::Address, 6),
        Phone => (Mark::Phone, 7),
        Mobile => (Mark::Phone, 8),
        Email => (Mark::Own, 9),
        Id | Code => (Mark::Own, 10),
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Name,
    Birth,
    Address,
    Phone,
    /// What only one row has: a mail address, a code.
    Own,
}

/// Whether a role tells people apart, alone or with others.
pub(super) fn is_personal(role: Role) -> bool {
    spelling(role).is_some()
}

/// On how many marks a row agrees with what was planted; a mark that only one row can have counts for two.
pub(super) fn agreeing_marks(row: &PlantedRow, agrees: impl Fn(&Cell) -> bool) -> usize {
    let mut spellings: Vec<(Mark, u8, bool)> = Vec::new();
    for cell in row.cells.iter().filter(|cell| cell.value.is_some()) {
        // A row that refers to a canary's is the canary's, whatever else it holds.
        let linked = row.links.iter().any(|link| link.column == cell.column);
        let linked = linked.then_some((Mark::Own, 11));
        let Some((mark, number)) = linked.or(spelling(cell.role)) else {
            continue;
        };
        let agrees = agrees(cell);
        match spellings.iter_mut().find(|(_, known, _)| *known == number) {
            Some((_, _, all)) => *all &= agrees,
            None => spellings.push((mark, number, agrees)),
        }
    }
    let has = |mark: Mark| spellings.iter().any(|(own, _, all)| *own == mark && *all);
    let marks = [Mark::Name, Mark::Birth, Mark::Address, Mark::Phone];
    marks.into_iter().filter(|mark| has(*mark)).count() + if has(Mark::Own) { 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(Role, &str)]) -> PlantedRow {
        let cell = |(role, value): &(Role, &str)| Cell {
            column: role.name().to_owned(),
            role: *role,
            value: Some((*value).to_owned()),
        };
        PlantedRow {
            table: "t".to_owned(),
            cells: cells.iter().map(cell).collect(),
            key: Vec::new(),
            ..PlantedRow::default()
        }
    }

    #[test]
    fn a_namesake_is_not_the_canary() {
        use Role::*;
        let canary = row(&[
            (FamilyName, "佐藤"),
            (GivenName, "花子"),
            (NameKana, "サトウハナコ"),
            (Phone, "090"),
            (Street, "1-2"),
            (Building, "101"),
            (Email, "a@x.example"),
        ]);
        let agreeing = |same: &[Role]| agreeing_marks(&canary, |cell| same.contains(&cell.role));
        assert_eq!(agreeing(&[FamilyName, GivenName, NameKana]), 1);
        assert_eq!(
            agreeing(&[FamilyName, Phone, Street]),
            1,
            "half a name and a building are no marks"
        );
        assert_eq!(agreeing(&[NameKana, Phone]), 2);
        assert_eq!(agreeing(&[Street, Building, Phone]), 2);
        assert_eq!(agreeing(&[Email]), 2);
    }
}
