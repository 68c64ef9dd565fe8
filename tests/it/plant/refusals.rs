//! What must be refused, with the reason, and nothing left behind.

use otori::canary::State;
use otori::database::{self, Database, DatabaseUrl, Engine};
use otori::plant::{self, Error};
use sqlx::{Connection, Executor};

use super::ground::{ENGINES, Ground, TABLE};

/// Plants three hand-made canaries after `change`; nothing may be left. Returns the error's text.
async fn refused(ground: &Ground, change: impl Fn(&mut otori::canary::Canary)) -> String {
    let before = ground.dump(TABLE).await;
    let database = ground.database().await;
    let table = ground.table(TABLE).await;
    let (batch, mut canaries) = ground.batch(3).await;
    change(&mut canaries[1]);
    let secret = canaries[1].details.rows[0].cells[0]
        .value
        .clone()
        .unwrap_or_default();
    let result = plant::plant(
        &ground.registry,
        &database,
        &table,
        &batch,
        canaries,
        &mut |_| {},
    )
    .await;
    let error = result.unwrap_err();
    assert_eq!(ground.dump(TABLE).await, before, "{error}");
    let batches = ground.registry.batches(None).await.unwrap();
    assert_eq!(batches.last().unwrap().state, State::Void, "{error}");
    let text = format!("{error} {error:?}");
    assert!(secret.is_empty() || !text.contains(&secret), "{text}");
    assert!(!text.contains("髙﨑"), "{text}");
    error.to_string()
}

fn set(column: &'static str, value: Option<&'static str>) -> impl Fn(&mut otori::canary::Canary) {
    move |canary| {
        let cells = &mut canary.details.rows[0].cells;
        let cell = cells.iter_mut().find(|cell| cell.column == column).unwrap();
        cell.value = value.map(str::to_owned);
    }
}

#[tokio::test]
async fn a_broken_constraint_is_named() {
    for engine in ENGINES {
        let ground = Ground::with_members(engine, 5).await;
        let error = refused(&ground, set("電話", Some("03-0123-0001"))).await;
        assert!(
            error.contains("UNIQUE") && error.contains("電話"),
            "{engine:?}: {error}"
        );
        let error = refused(&ground, set("住所", None)).await;
        assert!(
            error.contains("NOT NULL") && error.contains("住所"),
            "{engine:?}: {error}"
        );
        let error = refused(&ground, set("支店", Some("77"))).await;
        assert!(error.contains("FOREIGN KEY"), "{engine:?}: {error}");
        let error = refused(&ground, set("性別", Some("犬"))).await;
        assert!(error.contains("性別"), "{engine:?}: {error}");
        if engine != Engine::Sqlite {
            let error = refused(&ground, set("生年月日", Some("髙﨑"))).await;
            assert!(error.contains("生年月日"), "{engine:?}: {error}");
            // PostgreSQL cuts a text that is cast; MariaDB refuses it.
            let error = refused(&ground, set("氏名", Some("一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十"))).await;
            assert!(error.contains("氏名"), "{engine:?}: {error}");
        }
    }
    let ground = Ground::with_members(Engine::MySql, 1).await;
    ground
        .run("alter table 会員 add constraint 長さ check (char_length(フリガナ) < 20)")
        .await;
    let error = refused(
        &ground,
        set(
            "フリガナ",
            Some("アアアアアアアアアアアアアアアアアアアアアアアアア"),
        ),
    )
    .await;
    assert!(error.contains("CHECK constraint 長さ"), "{error}");
    let ground = Ground::with_members(Engine::Postgres, 1).await;
    let error = refused(&ground, set("郵便番号", Some("1000013"))).await;
    assert!(error.contains("CHECK constraint 郵便番号_check"), "{error}");
}

#[tokio::test]
async fn a_trigger_that_changes_a_row_is_noticed() {
    for engine in ENGINES {
        let ground = Ground::with_members(engine, 2).await;
        match engine {
            Engine::Sqlite => ground.run("create trigger t after insert on 会員 begin update 会員 set フリガナ = 'x' where id = new.id; end").await,
            Engine::Postgres => {
                ground.run("create function f() returns trigger language plpgsql as $$ begin new.フリガナ = 'x'; return new; end $$").await;
                ground.run("create trigger t before insert on 会員 for each row execute function f()").await;
            }
            _ => ground.run("create trigger t before insert on 会員 for each row set new.フリガナ = 'x'").await,
        }
        assert_eq!(ground.table(TABLE).await.triggers, ["t"], "{engine:?}");
        let error = refused(&ground, |_| {}).await;
        assert!(error.contains("column フリガナ of"), "{engine:?}: {error}");
    }
    let ground = Ground::with_members(Engine::Postgres, 2).await;
    ground
        .run("create function f() returns trigger language plpgsql as $$ begin return null; end $$")
        .await;
    ground
        .run("create trigger t before insert on 会員 for each row execute function f()")
        .await;
    let error = refused(&ground, |_| {}).await;
    assert!(error.contains("kept a row from being inserted"), "{error}");
}

#[tokio::test]
async fn a_character_that_the_column_lacks_is_an_error() {
    let ground = Ground::with_members(Engine::MySql, 1).await;
    ground
        .run("alter table 会員 modify フリガナ varchar(40) character set cp932")
        .await;
    for lacking in ["𠮷野", "한글"] {
        let error = refused(&ground, set("フリガナ", Some(lacking))).await;
        assert!(error.contains("column フリガナ"), "{error}");
    }
}

#[tokio::test]
async fn a_table_without_transactions_is_refused() {
    let ground = Ground::with_members(Engine::MySql, 1).await;
    ground.run("set foreign_key_checks = 0").await;
    ground
        .run("alter table 会員 drop foreign key 会員_ibfk_1")
        .await;
    for engine in ["Aria transactional = 0", "MyISAM"] {
        ground
            .run(&format!("alter table 会員 engine = {engine}"))
            .await;
        let error = refused(&ground, |_| {}).await;
        assert!(error.contains("has no transactions"), "{error}");
    }
}

#[tokio::test]
async fn a_user_without_the_right_is_told() {
    let ground = Ground::with_members(Engine::Postgres, 2).await;
    let user = crate::servers::unique("reader");
    ground
        .run(&format!("create role {user} login password 'geheim'"))
        .await;
    ground
        .run(&format!(
            "grant select on all tables in schema public to {user}"
        ))
        .await;
    let mut url = url::Url::parse(&ground.url).unwrap();
    url.set_username(&user).unwrap();
    url.set_password(Some("geheim")).unwrap();
    told_of_right(&ground, url.as_str()).await;

    let ground = Ground::with_members(Engine::MySql, 2).await;
    let mut url = url::Url::parse(&ground.url).unwrap();
    let schema = url.path().trim_matches('/').to_owned();
    ground
        .run(&format!(
            "create user {user}@'127.0.0.1' identified by 'geheim'"
        ))
        .await;
    ground
        .run(&format!("grant select on {schema}.* to {user}@'127.0.0.1'"))
        .await;
    url.set_username(&user).unwrap();
    url.set_password(Some("geheim")).unwrap();
    told_of_right(&ground, url.as_str()).await;
}

async fn told_of_right(ground: &Ground, url: &str) {
    let database = Database::connect(&url.parse().unwrap()).await.unwrap();
    let table = database.table(TABLE).await.unwrap();
    assert_eq!(database.count(&table).await.unwrap(), 2);
    let (batch, canaries) = ground.batch(1).await;
    let error = plant::plant(
        &ground.registry,
        &database,
        &table,
        &batch,
        canaries,
        &mut |_| {},
    )
    .await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, Error::Database(database::Error::Denied { .. })),
        "{error}"
    );
    let error = error.to_string();
    assert!(
        error.contains("may not insert into") && !error.contains("geheim"),
        "{error}"
    );
}

#[tokio::test]
async fn a_locked_sqlite_database_is_told() {
    let ground = Ground::with_members(Engine::Sqlite, 2).await;
    let mut other = sqlx::SqliteConnection::connect(&ground.url).await.unwrap();
    other.execute("begin exclusive").await.unwrap();
    let url: DatabaseUrl = ground.url.parse().unwrap();
    let opened = Database::connect(&url).await;
    let error = opened.err().unwrap().to_string();
    assert!(error.contains("locked by another process"), "{error}");
}

#[tokio::test]
async fn what_is_no_database_is_told_without_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(at("empty.db"), b"").unwrap();
    std::fs::write(at("text.db"), b"id,name\n1,x\n".repeat(100)).unwrap();
    let cases = [
        (format!("sqlite:{}", at("none.db")), "there is no file"),
        (format!("sqlite:{}", at("")), "a directory"),
        (format!("sqlite:{}", at("empty.db")), "is empty"),
        (format!("sqlite:{}", at("text.db")), "not a database"),
        (format!("csv:{}", at("none.csv")), "there is no file"),
        (
            "postgres://u:geheim@127.0.0.1:1/x".to_owned(),
            "no connection to postgres://u:***@127.0.0.1:1/x: error communicating with database: Connection refused",
        ),
        (
            "mysql://u:geheim@127.0.0.1:1/x".to_owned(),
            "no connection to mysql://u:***@127.0.0.1:1/x: error communicating with database: Connection refused",
        ),
    ];
    for (url, told) in cases {
        let error = Database::connect(&url.parse().unwrap())
            .await
            .err()
            .unwrap();
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(told) && !text.contains("geheim"),
            "{url}: {text}"
        );
        assert!(!std::path::Path::new(&at("none.db")).exists());
    }
}
