//! The process is killed at every step of planting; the next command finds out what has happened.

use std::process::Command;

use otori::canary::State;
use otori::database::{Database, DatabaseUrl, Engine};
use otori::plant;
use otori::registry::{MasterKey, Registry};

use super::ground::{Ground, TABLE, canary};

const CANARIES: usize = 3;
/// Registered, begun, one for each row, checked, committed, live.
const STEPS: usize = 2 + CANARIES + 3;

/// Not a test of its own: the process that [`crash`] starts, which ends itself at the step told.
#[tokio::test]
async fn child() {
    let Ok(step) = std::env::var("OTORI_CRASH_STEP") else {
        return;
    };
    let told = |name: &str| std::env::var(name).unwrap();
    let mut left: usize = step.parse().unwrap();
    let key = MasterKey::from_hex(&told("OTORI_CRASH_KEY")).unwrap();
    let home = std::path::PathBuf::from(told("OTORI_CRASH_HOME"));
    let registry = Registry::open("sqlite:registry.db", &home, &key)
        .await
        .unwrap();
    let url: DatabaseUrl = told("OTORI_CRASH_URL").parse().unwrap();
    let database = Database::connect(&url).await.unwrap();
    let table = database.table(TABLE).await.unwrap();
    let source = "school".parse().unwrap();
    let batch = otori::canary::Batch {
        id: registry.next_batch(&source).await.unwrap(),
        source: source.clone(),
        planted_at: time::OffsetDateTime::now_utc(),
        unplanted_at: None,
        state: State::Planned,
        canaries: CANARIES,
        rows_at: 10,
    };
    let canaries = (0..CANARIES)
        .map(|number| canary(&source, &batch.id, number))
        .collect();
    let _held = registry.exclusive().await.unwrap();
    let mut watch = |_: plant::Step| {
        if left == 0 {
            std::process::abort();
        }
        left -= 1;
    };
    let _ = plant::plant(&registry, &database, &table, &batch, canaries, &mut watch).await;
    unreachable!("planting has {STEPS} steps");
}

async fn crash(engine: Engine) {
    let ground = Ground::with_members(engine, 10).await;
    let members = ground.dump(TABLE).await;
    let (mut live, mut void) = (0, 0);
    for step in 0..STEPS {
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "plant::crash::child", "--nocapture"])
            .env("OTORI_CRASH_STEP", step.to_string())
            .env("OTORI_CRASH_KEY", ground.key.to_hex().as_str())
            .env("OTORI_CRASH_HOME", ground.dir.path())
            .env("OTORI_CRASH_URL", &ground.url)
            .output()
            .unwrap();
        use std::os::unix::process::ExitStatusExt;
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.signal(), Some(6), "step {step}: {said}");

        // The next command.
        let _held = ground.registry.exclusive().await.unwrap();
        let database = ground.database().await;
        let table = ground.table(TABLE).await;
        let verified = plant::verify(&ground.registry, &database, &table, &ground.source)
            .await
            .unwrap();
        assert_eq!(verified.intact, verified.live, "step {step}");

        // Whatever stands there beside the members is in the registry, whole and live.
        let batches = ground.registry.batches(None).await.unwrap();
        let last = batches.last().unwrap();
        let rows = ground.dump(TABLE).await;
        assert_eq!(rows.len(), members.len() + verified.live, "step {step}");
        assert!(
            members.iter().all(|member| rows.contains(member)),
            "step {step}"
        );
        match last.state {
            State::Live => live += 1,
            State::Void => void += 1,
            other => panic!("step {step}: {other:?}"),
        }
        // Before the commit nothing can be there; behind it all must be.
        assert_eq!(last.state == State::Live, step >= STEPS - 2, "step {step}");
        assert_eq!(verified.live, live * CANARIES);
    }
    assert_eq!((live, void), (2, STEPS - 2));
    let database = ground.database().await;
    let table = ground.table(TABLE).await;
    let batches = plant::removable(&ground.registry, &ground.source, None)
        .await
        .unwrap();
    plant::unplant(&ground.registry, &database, &table, &batches, false)
        .await
        .unwrap();
    assert_eq!(ground.dump(TABLE).await, members);
}

#[tokio::test]
async fn a_crash_at_every_step_on_sqlite() {
    crash(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_crash_at_every_step_on_postgres() {
    crash(Engine::Postgres).await;
}

#[tokio::test]
async fn a_crash_at_every_step_on_mariadb() {
    crash(Engine::MySql).await;
}
