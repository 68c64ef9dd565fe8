//! Planted, verified, altered, lost, removed.

use otori::canary::State;
use otori::database::Engine;
use otori::plant::{self, Error, Settled};

use super::ground::{ENGINES, Ground, TABLE};

async fn story(engine: Engine) {
    let ground = Ground::with_members(engine, 50).await;
    let database = ground.database().await;
    let table = ground.table(TABLE).await;
    let before = ground.dump(TABLE).await;
    let _held = ground.registry.exclusive().await.unwrap();

    // Two batches go in.
    for count in [7, 5] {
        let (batch, canaries) = ground.batch(count).await;
        let planted = plant::plant(
            &ground.registry,
            &database,
            &table,
            &batch,
            canaries,
            &mut |_| {},
        )
        .await
        .unwrap();
        assert!(
            planted
                .iter()
                .all(|canary| canary.details.rows[0].key.len() == 1)
        );
    }
    assert_eq!(ground.dump(TABLE).await.len(), 62);
    let verify = || plant::verify(&ground.registry, &database, &table, &ground.source);
    let verified = verify().await.unwrap();
    assert_eq!((verified.live, verified.intact), (12, 12), "{verified:?}");

    // Somebody changes one by letter case only, in a column whose collation does not mind, and removes another.
    let canaries = ground.registry.canaries(None).await.unwrap();
    let key = |number: usize| canaries[number].details.rows[0].key[0].1.clone();
    ground
        .run(&format!(
            "update 会員 set 氏名 = lower(氏名) where id = {}",
            key(0)
        ))
        .await;
    ground
        .run(&format!("delete from 会員 where id = {}", key(8)))
        .await;
    let verified = verify().await.unwrap();
    assert_eq!((verified.live, verified.intact), (12, 10));
    assert_eq!(
        verified.altered,
        [(canaries[0].id.clone(), vec!["氏名".to_owned()])]
    );
    assert_eq!(verified.missing, [canaries[8].id.clone()]);

    // Removal stops at the changed one, and removes it when told to.
    let batches = plant::removable(&ground.registry, &ground.source, None)
        .await
        .unwrap();
    let refused = plant::unplant(&ground.registry, &database, &table, &batches, false).await;
    assert!(
        matches!(&refused, Err(Error::Altered(ids)) if *ids == [canaries[0].id.clone()]),
        "{refused:?}"
    );
    assert_eq!(ground.dump(TABLE).await.len(), 61, "nothing was removed");
    let second = plant::removable(&ground.registry, &ground.source, Some(&batches[1].id))
        .await
        .unwrap();
    let done = plant::unplant(&ground.registry, &database, &table, &second, false)
        .await
        .unwrap();
    assert_eq!((done.removed.len(), done.missing.len()), (4, 1));
    let first = plant::removable(&ground.registry, &ground.source, None)
        .await
        .unwrap();
    let done = plant::unplant(&ground.registry, &database, &table, &first, true)
        .await
        .unwrap();
    assert_eq!((done.removed.len(), done.altered.len()), (6, 1));

    assert_eq!(
        ground.dump(TABLE).await,
        before,
        "the other rows are as they were"
    );
    let states: Vec<State> = ground
        .registry
        .batches(None)
        .await
        .unwrap()
        .iter()
        .map(|batch| batch.state)
        .collect();
    assert_eq!(states, [State::Unplanted, State::Unplanted]);
    let nothing = plant::removable(&ground.registry, &ground.source, None).await;
    assert!(matches!(nothing, Err(Error::NothingToRemove(_))));
}

#[tokio::test]
async fn planted_and_removed_on_sqlite() {
    story(Engine::Sqlite).await;
}

#[tokio::test]
async fn planted_and_removed_on_postgres() {
    story(Engine::Postgres).await;
}

#[tokio::test]
async fn planted_and_removed_on_mariadb() {
    story(Engine::MySql).await;
}

/// A table without a primary key: rows are known by what they hold.
#[tokio::test]
async fn a_table_without_a_key() {
    for engine in ENGINES {
        let ground = Ground::bare(engine).await;
        ground.run("create table 会員 (氏名 varchar(40), フリガナ varchar(40), 郵便番号 varchar(8), 住所 varchar(99), 電話 varchar(20), 性別 varchar(2), 生年月日 varchar(10), 支店 varchar(4))").await;
        ground.run("insert into 会員 values ('山田', 'ヤマダ', '100-0013', '東京都', '03-0123-4567', '女', '1980-01-01', '2'), ('山田', 'ヤマダ', '100-0013', '東京都', '03-0123-4567', '女', '1980-01-01', '2')").await;
        let before = ground.dump(TABLE).await;
        let database = ground.database().await;
        let table = ground.table(TABLE).await;
        assert!(table.primary_key.is_empty());
        let (batch, canaries) = ground.batch(4).await;
        let planted = plant::plant(
            &ground.registry,
            &database,
            &table,
            &batch,
            canaries,
            &mut |_| {},
        )
        .await
        .unwrap();
        assert!(
            planted
                .iter()
                .all(|canary| canary.details.rows[0].key.is_empty())
        );
        ground
            .run("update 会員 set 電話 = 'x', 支店 = '9' where 住所 like '%9-9-1-2'")
            .await;
        let verified = plant::verify(&ground.registry, &database, &table, &ground.source)
            .await
            .unwrap();
        assert_eq!(
            (verified.live, verified.intact, verified.altered.len()),
            (4, 3, 1),
            "{engine:?}"
        );
        assert_eq!(verified.altered[0].1, ["電話", "支店"]);
        // A namesake of a canary that is gone is a customer, and stays.
        ground.run("update 会員 set 郵便番号 = '', 住所 = '', 電話 = '', 生年月日 = '' where 住所 like '%9-9-1-3'").await;
        let verified = plant::verify(&ground.registry, &database, &table, &ground.source)
            .await
            .unwrap();
        assert_eq!(
            (verified.intact, verified.missing.len()),
            (2, 1),
            "{engine:?}"
        );
        let batches = plant::removable(&ground.registry, &ground.source, None)
            .await
            .unwrap();
        let done = plant::unplant(&ground.registry, &database, &table, &batches, true)
            .await
            .unwrap();
        assert_eq!(
            (done.removed.len(), done.altered.len(), done.missing.len()),
            (2, 1, 1)
        );
        assert_eq!(ground.dump(TABLE).await.len(), before.len() + 1);
        ground.run("delete from 会員 where 住所 = ''").await;
        assert_eq!(ground.dump(TABLE).await, before, "{engine:?}");
    }
}

/// What was handed out as a file becomes live when it has arrived.
#[tokio::test]
async fn a_batch_that_was_handed_out_is_seen_to_arrive() {
    for engine in ENGINES {
        let ground = Ground::with_members(engine, 3).await;
        let database = ground.database().await;
        let table = ground.table(TABLE).await;
        let (mut batch, mut canaries) = ground.batch(3).await;
        batch.state = State::HandedOut;
        for canary in &mut canaries {
            canary.state = State::HandedOut;
        }
        ground
            .registry
            .register_batch(&batch, &canaries)
            .await
            .unwrap();
        let sql = plant::insert_statements(&database, &table, &canaries)
            .await
            .unwrap();
        let statements: Vec<&str> = sql
            .split(";\n")
            .filter(|part| part.contains("insert into"))
            .collect();
        assert_eq!(statements.len(), 3, "{sql}");
        let verify = || plant::verify(&ground.registry, &database, &table, &ground.source);
        assert_eq!(verify().await.unwrap().handed_out, (3, 0));
        ground.run(statements[0]).await;
        let verified = verify().await.unwrap();
        assert_eq!((verified.live, verified.handed_out), (0, (3, 1)));
        ground.run(statements[1]).await;
        ground.run(statements[2]).await;
        let verified = verify().await.unwrap();
        assert_eq!(
            (verified.live, verified.intact, verified.handed_out),
            (3, 3, (0, 0)),
            "{engine:?}"
        );
        assert_eq!(verified.settled[0].1, Settled::Live);
    }
}
