//! Marks: what a row and a canary can agree on, and which of them hang together.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! marks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal in $group:ident,)+) => {
        /// One thing that a row of a list and a canary can agree on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Mark {
            $($(#[doc = $doc])+ $variant,)+
        }
        impl Mark {
            /// Every mark, those that name a household best first.
            pub const ALL: &'static [Mark] = &[$(Mark::$variant),+];
            /// The mark's name in reports and in JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Mark::$variant => $name),+ }
            }
            /// What it hangs together with.
            pub const fn group(self) -> Group {
                match self { $(Mark::$variant => Group::$group),+ }
            }
        }
    };
}

marks! {
    /// A mail address that we own.
    Email = "email" in Email,
    /// A telephone number that we own.
    Phone = "phone" in Phone,
    /// Town, block and unit, and nothing against the city.
    Address = "address" in Place,
    /// The customer's name.
    Name = "name" in Customer,
    /// The reading of the customer's name.
    Kana = "kana" in Customer,
    /// A child's whole name.
    ChildName = "child_name" in Child,
    /// The reading of a child's whole name.
    ChildKana = "child_kana" in Child,
    /// The customer's date of birth.
    Birth = "birth" in Birth,
    /// A child's date of birth.
    ChildBirth = "child_birth" in ChildBirth,
    /// A child's given name alone.
    ChildGiven = "child_given" in Child,
    /// Town and block without the unit.
    Block = "block" in Place,
    /// The postcode.
    Postcode = "postcode" in Place,
}

/// Marks of one group follow from each other, so that only one of them counts; marks of two groups
/// are independent evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// The mail address.
    Email,
    /// The telephone number.
    Phone,
    /// Where the household lives.
    Place,
    /// What the customer is called.
    Customer,
    /// What a child is called.
    Child,
    /// When the customer was born.
    Birth,
    /// When a child was born.
    ChildBirth,
}

impl Group {
    /// Every group.
    pub const ALL: [Group; 7] = [
        Group::Email,
        Group::Phone,
        Group::Place,
        Group::Customer,
        Group::Child,
        Group::Birth,
        Group::ChildBirth,
    ];
}

impl Mark {
    /// Whether it is given by us to canaries alone: it then points at them by itself.
    pub const fn is_owned(self) -> bool {
        matches!(self, Mark::Email | Mark::Phone | Mark::Address)
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Marks(u16);

impl Marks {
    /// The set with one more.
    #[must_use]
    pub const fn with(self, mark: Mark) -> Marks {
        Marks(self.0 | 1 << mark as u16)
    }

    /// Whether a mark is in it.
    pub const fn has(self, mark: Mark) -> bool {
        self.0 & (1 << mark as u16) != 0
    }

    /// How many there are.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Its marks, best first.
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        Mark::ALL
            .iter()
            .copied()
            .filter(move |mark| self.has(*mark))
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Marks) -> Marks {
        Marks(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    /// What is in this one alone.
    #[must_use]
    pub const fn without(self, other: Marks) -> Marks {
        Marks(self.0 & !other.0)
    }

    /// How many independent groups its marks are of.
    pub const fn groups(self) -> usize {
        let (mut groups, mut place) = (0_u8, 0);
        while place < Mark::ALL.len() {
            let mark = Mark::ALL[place];
            if self.has(mark) {
                groups |= 1 << mark.group() as u8;
            }
            place += 1;
        }
        groups.count_ones() as usize
    }

    /// Whether a row that agrees on these marks can speak for a canary at all: one owned mark, or
    /// two independent ones.
    pub fn identify(self) -> bool {
        self.iter().any(Mark::is_owned) || self.groups() > 1
    }
}

/// On which marks a row and a canary agree, and how well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Agreed {
    /// Marks of which the folded values are equal.
    pub exact: Marks,
    /// Further marks of which they are a slip apart.
    pub near: Marks,
}

impl From<Marks> for Agreed {
    fn from(exact: Marks) -> Agreed {
        let near = Marks::default();
        Agreed { exact, near }
    }
}

impl Agreed {
    /// Exact or near.
    pub const fn all(self) -> Marks {
        self.exact.or(self.near)
    }

    /// Whether a row that agrees so can speak for a canary at all. What agrees nearly is somebody
    /// else's as soon as there are enough rows, even of a mark that we own: it needs an exact mark of
    /// another group, or two near ones.
    pub fn identify(self) -> bool {
        let groups = if self.exact == Marks::default() { 3 } else { 2 };
        self.exact.identify() || self.all().groups() >= groups
    }

    /// How well it names one household, to choose among several that a row agrees with: the best
    /// mark of each group, roughly in powers of ten.
    pub fn weight(self) -> u32 {
        let mut best = [0_u32; Group::ALL.len()];
        for mark in self.all().iter() {
            let exact = match mark {
                Mark::Email => 9,
                Mark::Phone => 8,
                Mark::Address => 7,
                Mark::Name | Mark::Kana | Mark::Block => 5,
                Mark::ChildName | Mark::ChildKana => 5,
                Mark::Birth | Mark::ChildBirth => 4,
                Mark::ChildGiven => 2,
                Mark::Postcode => 3,
            };
            let near = match mark {
                Mark::Email | Mark::Phone => 5,
                Mark::Birth | Mark::ChildBirth => 2,
                _ => 3,
            };
            let known = &mut best[mark.group() as usize];
            *known = (*known).max(if self.exact.has(mark) { exact } else { near });
        }
        best.iter().sum()
    }
}

impl FromIterator<Mark> for Marks {
    fn from_iter<I: IntoIterator<Item = Mark>>(marks: I) -> Marks {
        marks.into_iter().fold(Marks::default(), Marks::with)
    }
}

impl Serialize for Marks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Mark::name))
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Marks, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let mark = |name: &String| Mark::ALL.iter().copied().find(|mark| mark.name() == name);
        let marks: Option<Marks> = names.iter().map(mark).collect();
        marks.ok_or_else(|| serde::de::Error::custom("an unknown mark"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_hang_together_are_one() {
        let set = |marks: &[Mark]| marks.iter().copied().collect::<Marks>();
        assert_eq!(set(&[Mark::Name, Mark::Kana]).groups(), 1);
        assert!(!set(&[Mark::Name, Mark::Kana]).identify());
        assert!(!set(&[Mark::Block, Mark::Postcode]).identify());
        assert!(set(&[Mark::Name, Mark::Birth]).identify());
        assert!(set(&[Mark::Email]).identify());
        let weight = |marks: &[Mark]| Agreed::from(set(marks)).weight();
        assert_eq!(weight(&[Mark::Kana, Mark::Name]), weight(&[Mark::Name]));
        let names: Vec<&str> = set(&[Mark::Birth, Mark::Email])
            .iter()
            .map(Mark::name)
            .collect();
        assert_eq!(names, ["email", "birth"]);
    }

    #[test]
    fn what_agrees_nearly_needs_company() {
        let agreed = |exact: &[Mark], near: &[Mark]| Agreed {
            exact: exact.iter().copied().collect(),
            near: near.iter().copied().collect(),
        };
        assert!(!agreed(&[], &[Mark::Email]).identify());
        assert!(!agreed(&[], &[Mark::Email, Mark::Name]).identify());
        assert!(agreed(&[], &[Mark::Phone, Mark::Name, Mark::Birth]).identify());
        assert!(!agreed(&[Mark::Kana], &[Mark::Name]).identify());
        assert!(agreed(&[Mark::Kana], &[Mark::Birth]).identify());
        assert!(agreed(&[Mark::Email], &[]).identify());
        let weight = |exact: &[Mark], near: &[Mark]| agreed(exact, near).weight();
        assert!(weight(&[Mark::Name, Mark::Birth], &[]) > weight(&[Mark::Name], &[Mark::Birth]));
        assert!(weight(&[Mark::Name], &[Mark::Birth]) > weight(&[Mark::Name], &[Mark::Kana]));
    }
}
