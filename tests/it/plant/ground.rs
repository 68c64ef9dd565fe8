//! A customer database of the test's own, with customers in it, and a registry beside it.

use otori::canary::{
    Batch, BatchId, Canary, CanaryId, Cell, Details, PlantedRow, SourceName, State,
};
use otori::database::{Database, DatabaseUrl, Engine, Table};
use otori::notation::Role;
use otori::persona::{Address, Household, Locale, NamePart, Person, Sex};
use otori::registry::{MasterKey, Registry, Source};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::servers;

pub const ENGINES: [Engine; 3] = [Engine::Sqlite, Engine::Postgres, Engine::MySql];
pub const TABLE: &str = "会員";

pub struct Ground {
    pub engine: Engine,
    pub url: String,
    pub dir: TempDir,
    pub key: MasterKey,
    pub registry: Registry,
    pub source: SourceName,
}

/// The members' table as each engine's people would write it.
pub fn schema(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Sqlite => &[
            "create table 支店 (番号 integer primary key, 名 text)",
            "create table 会員 (id integer primary key, 氏名 varchar(40) not null collate nocase, フリガナ text,
                郵便番号 char(8) not null, 住所 text not null, 電話 text unique, 性別 text check (性別 in ('男', '女')),
                生年月日 date not null, 支店 int references 支店, 検索 text generated always as (氏名 || 住所) stored)",
        ],
        Engine::Postgres => &[
            "create type 性別 as enum ('男', '女')",
            "create domain 郵便番号 as char(8) check (value ~ '^[0-9]{3}-[0-9]{4}$')",
            "create table 支店 (番号 int primary key, 名 text)",
            "create table 会員 (id bigint generated always as identity primary key, 氏名 varchar(40) not null, フリガナ text,
                郵便番号 郵便番号 not null, 住所 text not null, 電話 text unique, 性別 性別,
                生年月日 date not null, 支店 int references 支店, 検索 text generated always as (氏名 || 住所) stored)",
        ],
        _ => &[
            "create table 支店 (番号 int primary key, 名 text)",
            "create table 会員 (id bigint auto_increment primary key, 氏名 varchar(40) not null, フリガナ text,
                郵便番号 char(8) not null, 住所 varchar(200) not null, 電話 varchar(20) unique, 性別 enum('男', '女'),
                生年月日 date not null comment '西暦', 支店 int, 検索 varchar(250) generated always as (concat(氏名, 住所)) stored,
                foreign key (支店) references 支店(番号))",
        ],
    }
}

impl Ground {
    /// An empty database and an empty registry.
    pub async fn bare(engine: Engine) -> Ground {
        let dir = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => {
                let path = dir.path().join("customers.db");
                // What is no SQLite header yet is an empty file, which SQLite takes as a new database.
                std::fs::write(&path, b"").unwrap();
                format!("sqlite:{}", path.display())
            }
            Engine::Postgres => servers::postgres().await,
            Engine::MySql => servers::mysql().await,
            Engine::Csv => format!("csv:{}", dir.path().join("customers.csv").display()),
        };
        let key = MasterKey::generate();
        let registry = Registry::create("sqlite:registry.db", dir.path(), &key)
            .await
            .unwrap();
        let source: SourceName = "school".parse().unwrap();
        let ground = Ground {
            engine,
            url,
            dir,
            key,
            registry,
            source,
        };
        ground.register(TABLE, "{}").await;
        ground
    }

    async fn register(&self, table: &str, mapping: &str) {
        let source = Source {
            name: self.source.clone(),
            url: self.url.clone(),
            table: table.to_owned(),
            mapping: mapping.to_owned(),
            added_at: OffsetDateTime::now_utc(),
        };
        self.registry.add_source(&source).await.unwrap();
    }

    /// The members' table with this many members.
    pub async fn with_members(engine: Engine, members: usize) -> Ground {
        let ground = Ground::bare(engine).await;
        for statement in schema(engine) {
            ground.run(statement).await;
        }
        ground
            .run("insert into 支店 values (1, '本店'), (2, '駅前')")
            .await;
        for number in 0..members {
            ground.run(&member(number)).await;
        }
        ground
    }

    /// Runs a statement as the table's owner would.
    pub async fn run(&self, statement: &str) {
        self.try_run(statement).await.unwrap();
    }

    pub async fn try_run(&self, statement: &str) -> Result<(), sqlx::Error> {
        let statement = AssertSqlSafe(statement.to_owned());
        match self.engine {
            Engine::Sqlite => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url).await?;
                connection.execute(statement).await.map(|_| ())
            }
            Engine::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&self.url).await?;
                connection.execute(statement).await.map(|_| ())
            }
            _ => {
                let mut connection = sqlx::MySqlConnection::connect(&self.url).await?;
                connection.execute(statement).await.map(|_| ())
            }
        }
    }

    /// Every row of a table with every column, byte for byte, in the order of its bytes.
    pub async fn dump(&self, table: &str) -> Vec<String> {
        let shown = self.table(table).await;
        let table = &table.replace('.', "\".\"");
        let columns = |wrap: &dyn Fn(&str) -> String, between: &str| {
            let all: Vec<String> = shown
                .columns
                .iter()
                .map(|column| wrap(&column.name))
                .collect();
            all.join(between)
        };
        let statement = match self.engine {
            Engine::Sqlite => format!(
                "select {} from \"{table}\"",
                columns(&|name| format!("quote(\"{name}\")"), "||'|'||")
            ),
            Engine::Postgres => format!("select t::text from \"{table}\" t"),
            _ => format!(
                "select concat_ws('|', {}) from `{table}`",
                columns(&|name| format!("coalesce(hex(`{name}`), 'NULL')"), ", ")
            ),
        };
        let statement = AssertSqlSafe(statement);
        let mut rows: Vec<String> = match self.engine {
            Engine::Sqlite => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
                let rows = sqlx::query(statement)
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Engine::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
                let rows = sqlx::query(statement)
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            _ => {
                let mut connection = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
                let rows = sqlx::query(statement)
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        };
        rows.sort();
        rows
    }

    pub async fn database(&self) -> Database {
        let url: DatabaseUrl = self.url.parse().unwrap();
        Database::connect(&url).await.unwrap()
    }

    pub async fn table(&self, name: &str) -> Table {
        self.database().await.table(name).await.unwrap()
    }

    /// The next batch of `count` hand-made canaries for the members' table.
    pub async fn batch(&self, count: usize) -> (Batch, Vec<Canary>) {
        let batch = Batch {
            id: self.registry.next_batch(&self.source).await.unwrap(),
            source: self.source.clone(),
            planted_at: OffsetDateTime::now_utc(),
            unplanted_at: None,
            state: State::Planned,
            canaries: count,
            rows_at: 0,
        };
        let canaries = (0..count)
            .map(|number| canary(&self.source, &batch.id, number))
            .collect();
        (batch, canaries)
    }
}

fn member(number: usize) -> String {
    let (a, b) = (number % 10, number / 10);
    format!(
        "insert into 会員 (氏名, フリガナ, 郵便番号, 住所, 電話, 性別, 生年月日, 支店)
         values ('山田 花子{number}', 'ヤマダ　ハナコ', '100-00{a}{a}', '東京都千代田区霞が関{b}-{a}-1', '03-0123-{number:04}', '女', '1980-0{}-11', {})",
        a % 9 + 1,
        number % 2 + 1,
    )
}

/// The canary of this number; it can be told from every member, and batches from each other.
pub fn canary(source: &SourceName, batch: &BatchId, number: usize) -> Canary {
    let mut rng = StdRng::from_seed(rand::random());
    let id = CanaryId::random(&mut rng);
    let birth =
        time::Date::from_calendar_date(1975, time::Month::May, 1 + (number % 28) as u8).unwrap();
    let part = |written: &str, kana: &str| NamePart {
        written: written.to_owned(),
        kana: kana.to_owned(),
    };
    let household = Household {
        locale: Locale::JaJp,
        guardian: Person {
            family: part("髙﨑", "タカサキ"),
            given: part("囮", "オトリ"),
            sex: Sex::Male,
            birth,
        },
        children: Vec::new(),
        address: Address {
            postcode: "1000013".to_owned(),
            region: "東京都".to_owned(),
            city: "千代田区".to_owned(),
            city_kana: String::new(),
            town: "霞が関".to_owned(),
            town_kana: String::new(),
            block: "9-9".to_owned(),
            building: None,
            unit: Some(number.to_string()),
        },
        landline: None,
        mobile: None,
        email: None,
    };
    let cell = |column: &str, role, value: Option<String>| Cell {
        column: column.to_owned(),
        role,
        value,
    };
    let mark = format!("{}-{number}", batch.as_str().rsplit('-').next().unwrap());
    let cells = vec![
        cell("氏名", Role::Name, Some(format!("髙﨑 O'Tori\\{mark}"))),
        cell(
            "フリガナ",
            Role::NameKana,
            Some("タカサキ　オトリ".to_owned()),
        ),
        cell("郵便番号", Role::Postcode, Some("100-0013".to_owned())),
        cell(
            "住所",
            Role::Address,
            Some(format!("東京都千代田区霞が関9-9-{mark}")),
        ),
        cell("電話", Role::Phone, Some(format!("090-0{mark}"))),
        cell(
            "性別",
            Role::Sex,
            if number.is_multiple_of(2) {
                Some("男".to_owned())
            } else {
                None
            },
        ),
        cell("生年月日", Role::BirthDate, Some(birth.to_string())),
        cell("支店", Role::Other, Some("2".to_owned())),
    ];
    Canary {
        id,
        source: source.clone(),
        batch: batch.clone(),
        state: State::Planned,
        details: Details {
            household,
            rows: vec![PlantedRow {
                table: TABLE.to_owned(),
                cells,
                key: Vec::new(),
                ..PlantedRow::default()
            }],
        },
        points: Vec::new(),
        versions: Vec::new(),
    }
}
