//! Three companies that do not exist, with the databases that their applications would have.

use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

use super::stage;
use crate::notation::{Format, Role};
use crate::persona::{Generator, Household, Locale, Seeds, Sex, Shape};

pub(super) const ISO: StaticFormatDescription = format_description!("[year]-[month]-[day]");
const SLASHED: StaticFormatDescription = format_description!("[year]/[month]/[day]");
const AMERICAN: StaticFormatDescription = format_description!("[month]/[day]/[year]");
const STAMP: StaticFormatDescription =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// One of the three companies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Company {
    /// A correspondence school: households, and no mail address anywhere
    School,
    /// A web shop, with mail addresses
    Shop,
    /// A membership club in the United States
    Club,
}

impl Company {
    pub(super) const ALL: [Company; 3] = [Company::School, Company::Shop, Company::Club];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Company::School => "school",
            Company::Shop => "shop",
            Company::Club => "club",
        }
    }

    pub(super) const fn table(self) -> &'static str {
        match self {
            Company::School => "会員",
            Company::Shop => "customers",
            Company::Club => "members",
        }
    }

    pub(super) const fn locale(self) -> Locale {
        match self {
            Company::School | Company::Shop => Locale::JaJp,
            Company::Club => Locale::EnUs,
        }
    }

    pub(super) fn file(self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.db", self.name()))
    }

    fn shape(self) -> Shape {
        match self {
            Company::School => Shape::families(0..=17),
            Company::Shop => Shape::adults(18..=75),
            Company::Club => Shape::adults(21..=80),
        }
    }

    const fn schema(self) -> &'static str {
        match self {
            Company::School => {
                "create table 会員 (
                     会員番号 integer primary key autoincrement,
                     保護者氏名 text not null,
                     保護者フリガナ text not null,
                     お子様氏名 text not null,
                     お子様フリガナ text not null,
                     お子様生年月日 text not null,
                     お子様性別 text not null check (お子様性別 in ('男', '女')),
                     郵便番号 text not null,
                     住所 text not null,
                     電話番号 text not null,
                     登録日 text not null
                 )"
            }
            Company::Shop => {
                "create table customers (
                     id integer primary key autoincrement,
                     last_name text not null,
                     first_name text not null,
                     last_name_kana text not null,
                     first_name_kana text not null,
                     email text not null unique,
                     tel text not null,
                     zip text not null,
                     pref text not null,
                     city text not null,
                     address1 text not null,
                     address2 text,
                     birthday text not null,
                     gender text not null check (gender in ('M', 'F')),
                     newsletter integer not null default 1,
                     created_at text not null
                 )"
            }
            Company::Club => {
                "create table members (
                     member_id integer primary key autoincrement,
                     first_name text not null,
                     last_name text not null,
                     email text,
                     phone text not null,
                     street text not null,
                     city text not null,
                     state text not null,
                     zip text not null,
                     date_of_birth text not null,
                     sex text not null,
                     plan text not null,
                     joined_at text not null
                 )"
            }
        }
    }

    const fn insert(self) -> &'static str {
        match self {
            Company::School => {
                "insert into 会員 (保護者氏名, 保護者フリガナ, お子様氏名, お子様フリガナ,
                                   お子様生年月日, お子様性別, 郵便番号, 住所, 電話番号, 登録日)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            }
            Company::Shop => {
                "insert or ignore into customers
                     (last_name, first_name, last_name_kana, first_name_kana, email, tel, zip,
                      pref, city, address1, address2, birthday, gender, newsletter, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
            }
            Company::Club => {
                "insert into members (first_name, last_name, email, phone, street, city, state,
                                      zip, date_of_birth, sex, plan, joined_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            }
        }
    }

    /// A number with the hyphens of its country.
    fn phone(self, e164: &str) -> String {
        match Format::default_of(Role::Phone, self.locale()) {
            Some(Format::Phone(format)) => format.write(e164),
            _ => e164.to_owned(),
        }
    }

    /// A customer's row, in the notation of the company's own application.
    fn row(
        self,
        household: &Household,
        at: OffsetDateTime,
        rng: &mut StdRng,
    ) -> Vec<Option<String>> {
        let Household {
            guardian, address, ..
        } = household;
        let phone = household.mobile.as_ref().or(household.landline.as_ref());
        let phone = phone.cloned().unwrap_or_default();
        match self {
            Company::School => {
                let child = household.children.first().unwrap_or(guardian);
                let name = |sep: &str, a: &str, b: &str| Some(format!("{a}{sep}{b}"));
                let phone = household.landline.as_ref().unwrap_or(&phone);
                vec![
                    name("　", &guardian.family.written, &guardian.given.written),
                    name("　", &guardian.family.kana, &guardian.given.kana),
                    name("　", &child.family.written, &child.given.written),
                    name("　", &child.family.kana, &child.given.kana),
                    Some(text(child.birth, SLASHED)),
                    Some(sex(child.sex, "女", "男")),
                    Some(format!(
                        "{}-{}",
                        &address.postcode[..3],
                        &address.postcode[3..]
                    )),
                    Some(format!(
                        "{}{}{}{}{}",
                        address.region,
                        address.city,
                        address.town,
                        address.block,
                        building(household)
                    )),
                    Some(self.phone(phone)),
                    Some(text(at.date(), SLASHED)),
                ]
            }
            Company::Shop => vec![
                Some(guardian.family.written.clone()),
                Some(guardian.given.written.clone()),
                Some(guardian.family.kana.clone()),
                Some(guardian.given.kana.clone()),
                household.email.clone(),
                Some(phone.replace("+81", "0")),
                Some(address.postcode.clone()),
                Some(address.region.clone()),
                Some(address.city.clone()),
                Some(format!("{}{}", address.town, address.block)),
                Some(building(household).trim().to_owned()).filter(|b| !b.is_empty()),
                Some(text(guardian.birth, ISO)),
                Some(sex(guardian.sex, "F", "M")),
                Some(if rng.random_bool(0.7) { "1" } else { "0" }.to_owned()),
                Some(at.format(STAMP).unwrap_or_default()),
            ],
            Company::Club => {
                let unit = address.unit.as_ref().map(|unit| format!(" Apt {unit}"));
                let plan = ["basic", "plus", "family"][rng.random_range(0..3)];
                vec![
                    Some(guardian.given.written.clone()),
                    Some(guardian.family.written.clone()),
                    household.email.clone(),
                    Some(self.phone(&phone)),
                    Some(format!("{}{}", address.block, unit.unwrap_or_default())),
                    Some(address.city.clone()),
                    Some(address.region.clone()),
                    Some(address.postcode.clone()),
                    Some(text(guardian.birth, AMERICAN)),
                    Some(sex(guardian.sex, "Female", "Male")),
                    Some(plan.to_owned()),
                    Some(at.format(STAMP).unwrap_or_default()),
                ]
            }
        }
    }
}

pub(super) fn text(date: Date, format: StaticFormatDescription) -> String {
    date.format(format).unwrap_or_default()
}

fn sex(sex: Sex, female: &str, male: &str) -> String {
    match sex {
        Sex::Female => female.to_owned(),
        Sex::Male => male.to_owned(),
    }
}

/// `　霞ハイツ203`, or nothing for a house.
pub(super) fn building(household: &Household) -> String {
    let address = &household.address;
    match (&address.building, &address.unit) {
        (None, None) => String::new(),
        (None, Some(unit)) => format!("-{unit}"),
        (Some(building), unit) => {
            format!("　{building}{}", unit.as_deref().unwrap_or_default())
        }
    }
}

/// Somebody who has none of the operator's numbers: whoever rents a number has it alone, but of the few
/// that nobody can hold (100 in each American area code) chance would give one to many.
pub(super) fn stranger(
    generator: &Generator,
    rng: &mut StdRng,
    day: Date,
    shape: &Shape,
) -> Household {
    loop {
        let household = generator.household(rng, day, shape);
        let mut phones = household.mobile.iter().chain(&household.landline);
        if !phones.any(|phone| stage::owns(phone)) {
            return household;
        }
    }
}

/// Makes a company's database of so many customers, who joined during the five years before `now`.
///
/// # Errors
/// The file cannot be written.
pub(super) async fn build(
    company: Company,
    dir: &Path,
    seeds: &Seeds,
    customers: u32,
    now: OffsetDateTime,
    seed: u64,
) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(company.file(dir))
        .create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query(company.schema())
        .execute(&mut connection)
        .await?;
    let mut rng = StdRng::seed_from_u64(seed ^ company as u64);
    let generator = Generator::new(seeds, company.locale());
    let mut tx = connection.begin().await?;
    let first = now - Duration::days(5 * 365);
    let span = Duration::days(5 * 365).whole_seconds();
    let mut joined: Vec<i64> = (0..customers).map(|_| rng.random_range(0..span)).collect();
    joined.sort_unstable();
    let mut insert = async |at: OffsetDateTime, rng: &mut StdRng| {
        let household = stranger(&generator, rng, at.date(), &company.shape());
        let mut query = sqlx::query(company.insert());
        for value in company.row(&household, at, rng) {
            query = query.bind(value);
        }
        query
            .execute(&mut *tx)
            .await
            .map(|done| done.rows_affected())
    };
    for seconds in joined {
        let at = first + Duration::seconds(seconds);
        // A mail address that is taken makes the shop's application ask for another one.
        while insert(at, &mut rng).await? == 0 {}
    }
    tx.commit().await?;
    connection.close().await?;
    Ok(())
}

/// All rows of a company's table as text, with the names of the columns.
///
/// # Errors
/// The database cannot be read.
pub(super) async fn export(
    company: Company,
    dir: &Path,
) -> anyhow::Result<(Vec<String>, Vec<Vec<Option<String>>>)> {
    use sqlx::Row;
    let options = SqliteConnectOptions::new()
        .filename(company.file(dir))
        .read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let names = sqlx::query("select name from pragma_table_info($1) order by cid")
        .bind(company.table())
        .fetch_all(&mut connection)
        .await?;
    let names: Vec<String> = names.iter().map(|row| row.get(0)).collect();
    let columns: Vec<String> = names
        .iter()
        .map(|name| format!("cast(\"{name}\" as text)"))
        .collect();
    let sql = format!("select {} from \"{}\"", columns.join(", "), company.table());
    let rows = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(&mut connection)
        .await?;
    connection.close().await?;
    let cells =
        |row: &sqlx::sqlite::SqliteRow| (0..row.columns().len()).map(|at| row.get(at)).collect();
    Ok((names, rows.iter().map(cells).collect()))
}
