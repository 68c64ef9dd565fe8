//! What kind of households a source has.

use std::ops::RangeInclusive;

/// The shape of a source's households: who the customer is, and which children hang on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Ages in years that a customer without children may have. Within them ages are as common as
    /// in the population. A guardian's age follows from the children instead.
    pub ages: RangeInclusive<u8>,
    /// Whether the source records children, and which.
    pub children: Option<Children>,
}

/// The children that a source records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Children {
    /// How many per household, at least 1; fewer are commoner.
    pub count: RangeInclusive<u8>,
    /// Their ages in years, 0 to 25.
    pub ages: RangeInclusive<u8>,
}

impl Shape {
    /// Single adult customers of these ages.
    pub const fn adults(ages: RangeInclusive<u8>) -> Shape {
        Shape {
            ages,
            children: None,
        }
    }

    /// Guardians with one to three children of these ages, as a school or a tutor has them.
    pub const fn families(child_ages: RangeInclusive<u8>) -> Shape {
        Shape {
            ages: 18..=84,
            children: Some(Children {
                count: 1..=3,
                ages: child_ages,
            }),
        }
    }
}

impl Default for Shape {
    /// Adults from 18 to 84.
    fn default() -> Shape {
        Shape::adults(18..=84)
    }
}
