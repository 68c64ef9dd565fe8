//! What a column means.

use serde::{Deserialize, Serialize};

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What a column of a customer table, or of a leaked list, means.
        ///
        /// The text form (`family_name_kana`) is used by `--map COLUMN=ROLE`, by mapping files and in JSON.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Role {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }
        impl Role {
            /// Every role, in the order in which they are documented.
            pub const ALL: &'static [Role] = &[$(Role::$variant),+];
            /// The role's name in mappings and in JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Role::$variant => $name),+ }
            }
        }
    };
}

roles! {
    /// Whole name of the customer (氏名, name).
    Name = "name",
    /// Family name of the customer (姓, last name).
    FamilyName = "family_name",
    /// Given name of the customer (名, first name).
    GivenName = "given_name",
    /// Reading of the whole name (フリガナ).
    NameKana = "name_kana",
    /// Reading of the family name (セイ).
    FamilyNameKana = "family_name_kana",
    /// Reading of the given name (メイ).
    GivenNameKana = "given_name_kana",
    /// Whole name of the child (お子様氏名).
    ChildName = "child_name",
    /// Family name of the child.
    ChildFamilyName = "child_family_name",
    /// Given name of the child.
    ChildGivenName = "child_given_name",
    /// Reading of the child's whole name.
    ChildNameKana = "child_name_kana",
    /// Reading of the child's family name.
    ChildFamilyNameKana = "child_family_name_kana",
    /// Reading of the child's given name.
    ChildGivenNameKana = "child_given_name_kana",
    /// Postcode (郵便番号) or ZIP code.
    Postcode = "postcode",
    /// The whole address in one column, without the postcode.
    Address = "address",
    /// First line: region to block (都道府県 to 番地), or house number and street.
    Address1 = "address1",
    /// Second line: building and unit.
    Address2 = "address2",
    /// Prefecture or state.
    Region = "region",
    /// 市区町村, or city.
    City = "city",
    /// 町域 alone.
    Town = "town",
    /// What follows the city: town, 丁目 and 番地, or house number and street.
    Street = "street",
    /// 丁目, 番地 and 号 alone.
    Block = "block",
    /// Building with its unit, alone.
    Building = "building",
    /// Reading of the address.
    AddressKana = "address_kana",
    /// Telephone number of any kind.
    Phone = "phone",
    /// Mobile number, beside a landline in a column of its own.
    Mobile = "mobile",
    /// Mail address.
    Email = "email",
    /// The customer's date of birth.
    BirthDate = "birth_date",
    /// The child's date of birth.
    ChildBirthDate = "child_birth_date",
    /// The customer's age in years.
    Age = "age",
    /// The customer's sex.
    Sex = "sex",
    /// The child's sex.
    ChildSex = "child_sex",
    /// Primary key.
    Id = "id",
    /// A unique running code that is not the primary key (customer number).
    Code = "code",
    /// When the row was made.
    CreatedAt = "created_at",
    /// When the row was last changed.
    UpdatedAt = "updated_at",
    /// No personal meaning: filled like other rows of the table.
    Other = "other",
    /// Left to the database: default, NULL or generated.
    Skip = "skip",
}

impl Role {
    /// Whether the column is about the child rather than the guardian.
    pub const fn is_child(self) -> bool {
        matches!(
            self,
            Role::ChildName
                | Role::ChildFamilyName
                | Role::ChildGivenName
                | Role::ChildNameKana
                | Role::ChildFamilyNameKana
                | Role::ChildGivenNameKana
                | Role::ChildBirthDate
                | Role::ChildSex
        )
    }
}

impl Role {
    /// Columns in which a house number stands: with one of them filled, a letter can be sent.
    pub const HOUSE_NUMBER: [Role; 4] = [Role::Address, Role::Address1, Role::Street, Role::Block];

    /// Whether a canary can be recognised by what such a column holds.
    pub const fn is_mark(self) -> bool {
        use Role::*;
        matches!(
            self,
            Name | GivenName
                | NameKana
                | GivenNameKana
                | ChildName
                | ChildGivenName
                | ChildNameKana
                | ChildGivenNameKana
                | Address
                | Address1
                | Street
                | Phone
                | Mobile
                | Email
        )
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no role.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a role; the roles are: {list}", list = Role::ALL.iter().map(|r| r.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownRole(String);

impl std::str::FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Role::ALL
            .iter()
            .copied()
            .find(|role| role.name() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}
