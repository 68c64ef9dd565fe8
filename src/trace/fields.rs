//! Which personal fields a list holds: what has to be told to those whose data leaked, and to the
//! authority.

use super::normalise::Class;
use super::report::Report;
use super::scan::stood_for;
use crate::notation::Role;

/// A kind of value counts as held where so many of the rows have one.
const HELD: f64 = 0.001;

/// A personal field of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// What it means.
    pub role: Role,
    /// Share of the rows that have such a value; `None` where only the column's role is known.
    pub share: Option<f64>,
}

impl Report<'_> {
    /// The personal fields that the list holds: those of its columns, and what was recognised in
    /// columns that nobody understood.
    pub fn fields(&self) -> Vec<Field> {
        let parts = self.list.parts.iter();
        let rows = parts.map(|part| stood_for(part.rows)).sum::<u64>().max(1) as f64;
        let share = |class: Class| (self.decision.filled[class as usize] as f64 / rows).min(1.0);
        let roles = self
            .list
            .parts
            .iter()
            .flat_map(|part| &part.columns)
            .filter_map(|column| column.role);
        let mut fields: Vec<Field> = roles
            .filter(|role| is_personal(*role))
            .map(|role| Field {
                role,
                share: class(role).map(share),
            })
            .collect();
        for class in Class::ALL {
            let shown = fields.iter().any(|field| kin(field.role, class));
            if let Some(role) = plain(class).filter(|_| !shown && share(class) >= HELD) {
                fields.push(Field {
                    role,
                    share: Some(share(class)),
                });
            }
        }
        fields.sort_by_key(|field| field.role);
        fields.dedup_by_key(|field| field.role);
        fields
    }
}

const fn is_personal(role: Role) -> bool {
    !matches!(
        role,
        Role::Id | Role::Code | Role::CreatedAt | Role::UpdatedAt | Role::Other | Role::Skip
    )
}

/// The class whose keys a role's cells make by themselves.
const fn class(role: Role) -> Option<Class> {
    Some(match role {
        Role::Email => Class::Email,
        Role::Phone | Role::Mobile => Class::Phone,
        Role::Name | Role::FamilyName | Role::GivenName | Role::ChildName => Class::Name,
        Role::NameKana | Role::FamilyNameKana | Role::GivenNameKana | Role::ChildNameKana => {
            Class::Kana
        }
        Role::BirthDate | Role::ChildBirthDate => Class::Birth,
        Role::Postcode => Class::Postcode,
        Role::Address | Role::Address1 | Role::Street => Class::Block,
        Role::ChildGivenName => Class::Given,
        _ => return None,
    })
}

/// Whether a column of such a role says that the list has values of the class.
fn kin(role: Role, wanted: Class) -> bool {
    match wanted {
        Class::Address | Class::Block => matches!(
            role,
            Role::Address | Role::Address1 | Role::Address2 | Role::Street | Role::Block
        ),
        Class::Given => matches!(
            role,
            Role::GivenName | Role::ChildGivenName | Role::Name | Role::ChildName
        ),
        _ => class(role) == Some(wanted),
    }
}

/// The role of a value that stands in a column of its own, nobody knows whose.
const fn plain(class: Class) -> Option<Role> {
    Some(match class {
        Class::Email => Role::Email,
        Class::Phone => Role::Phone,
        Class::Name => Role::Name,
        Class::Given => Role::GivenName,
        Class::Kana => Role::NameKana,
        Class::Birth => Role::BirthDate,
        Class::Block => Role::Address,
        Class::Postcode => Role::Postcode,
        Class::Address => return None,
    })
}
