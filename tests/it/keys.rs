//! Keys that give way to others, whatever is killed when; canaries forgotten for ever.

use std::process::Command;

use otori::registry::{Mark, MasterKey, Registry};
use otori::workspace::Workspace;
use serde_json::Value;

use crate::harness::{Otori, PEOPLE, TARO};
use crate::servers;

/// Written, six in the registry's transaction, resealed, renamed.
const STEPS: usize = 9;

/// Everything that was there is there: canaries are found by their marks, the sighting and its mail open,
/// the log holds.
async fn whole(otori: &Otori) -> Registry {
    let registry = otori.workspace.registry().await.unwrap();
    let found = registry
        .find(Mark::Email, "hanako@decoys.example")
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].details.household.guardian.given.written, "花子");
    assert_eq!(registry.canaries(None).await.unwrap().len(), 3);
    assert!(registry.opening(&found[0].id).await.unwrap().is_some());
    let sightings = otori.json(&["sightings"]);
    assert_eq!(sightings["sightings"][0]["canary"], found[0].id.as_str());
    let message = registry.message(1).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&message.raw).contains("An offer"));
    assert_eq!(registry.sources().await.unwrap()[0].table, "会員");
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
    registry
}

async fn rotated(url: &str) {
    let otori = Otori::hit(url).await;
    let old = otori.secret("keys/registry.key");
    let told = otori
        .command(&["key", "rotate", "registry"])
        .output()
        .unwrap();
    assert_eq!(
        told.status.code(),
        Some(1),
        "without --yes and a terminal it asks nobody"
    );
    assert_eq!(otori.secret("keys/registry.key"), old);
    otori.json(&["key", "rotate", "registry", "--yes"]);
    let new = otori.secret("keys/registry.key");
    assert_ne!(new, old);
    whole(&otori).await;
    // The old key opens nothing, and a handle that has it says so and writes nothing.
    let url = &otori.workspace.config().registry.url;
    let opened = Registry::open(url, otori.dir(), &MasterKey::from_hex(&old).unwrap()).await;
    assert!(opened.is_err());
    assert!(
        otori
            .registry
            .find(Mark::Email, "hanako@decoys.example")
            .await
            .unwrap()
            .is_empty()
    );
    let source = otori::registry::Source {
        name: "late".parse().unwrap(),
        url: "sqlite:none.db".to_owned(),
        table: "t".to_owned(),
        mapping: "{}".to_owned(),
        added_at: time::OffsetDateTime::now_utc(),
    };
    assert!(
        otori.registry.add_source(&source).await.is_err(),
        "nothing is sealed under the old key any more"
    );
    whole(&otori).await;
}

#[tokio::test]
async fn another_key_on_sqlite() {
    rotated("sqlite:registry.db").await;
}

#[tokio::test]
async fn another_key_on_postgres() {
    rotated(&servers::postgres().await).await;
}

/// Not a test of its own: the process that [`killed`] starts, which ends itself at the step told.
#[tokio::test]
async fn child() {
    let (Ok(step), Ok(dir)) = (
        std::env::var("OTORI_ROTATE_STEP"),
        std::env::var("OTORI_ROTATE_DIR"),
    ) else {
        return;
    };
    let mut left: usize = step.parse().unwrap();
    let workspace = Workspace::find(Some(dir.as_ref())).unwrap();
    let registry = workspace.registry().await.unwrap();
    let mut watch = |_| {
        if left == 0 {
            std::process::abort();
        }
        left -= 1;
    };
    workspace
        .rotate_registry_key(&registry, &mut watch)
        .await
        .unwrap();
    unreachable!("rotation has {STEPS} steps");
}

async fn killed(url: impl AsyncFn() -> String) {
    let mut changed = 0;
    for step in 0..STEPS {
        let otori = Otori::hit(&url().await).await;
        let old = otori.secret("keys/registry.key");
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["keys::child", "--exact"])
            .env("OTORI_ROTATE_STEP", step.to_string())
            .env("OTORI_ROTATE_DIR", otori.dir())
            .output()
            .unwrap();
        assert!(
            !child.status.success() && child.status.code().is_none(),
            "step {step}: {child:?}"
        );
        whole(&otori).await;
        assert!(
            !otori.dir().join("keys/registry.key.next").exists(),
            "step {step}"
        );
        changed += usize::from(otori.secret("keys/registry.key") != old);
        // It can be done again.
        otori.json(&["key", "rotate", "registry", "--yes"]);
        whole(&otori).await;
    }
    assert_eq!(changed, 2, "from the commit on it is the new one");
}

#[tokio::test]
async fn killed_at_every_step_on_sqlite() {
    killed(async || "sqlite:registry.db".to_owned()).await;
}

#[tokio::test]
async fn killed_at_every_step_on_postgres() {
    killed(async || servers::postgres().await).await;
}

#[tokio::test]
async fn the_signing_key_gives_way_under_its_own_signature() {
    let otori = Otori::hit("sqlite:registry.db").await;
    let hanako = otori
        .registry
        .find(Mark::Email, "hanako@decoys.example")
        .await
        .unwrap()
        .remove(0);
    let before = otori.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let proof = |name: &str| {
        let path = otori.dir().join(name).display().to_string();
        otori.json(&["evidence", "prove", hanako.id.as_str(), "--out", &path]);
        path
    };
    let old = proof("old.json");
    otori.json(&["key", "rotate", "evidence"]);
    let after = otori.json(&["evidence", "key"])["key"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(before, after);
    assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
    let new = proof("new.json");
    otori.json(&["evidence", "verify", &old, "--key", &before]);
    otori.json(&["evidence", "verify", &new, "--key", &after]);
    let crossed = otori
        .command(&["evidence", "verify", &new, "--key", &before])
        .output()
        .unwrap();
    assert_eq!(crossed.status.code(), Some(1));
}

#[tokio::test]
async fn forgotten_for_ever_and_the_log_holds() {
    for url in ["sqlite:registry.db".to_owned(), servers::postgres().await] {
        let otori = Otori::hit(&url).await;
        otori.plant("shop", &[TARO]).await;
        let school: otori::canary::SourceName = "school".parse().unwrap();
        let canaries = otori.registry.canaries(Some(&school)).await.unwrap();
        let told = otori
            .command(&["forget", "school", "--yes"])
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(
            told.status.code() == Some(1) && words.contains("school-1"),
            "{words}"
        );
        let batch = canaries[0].batch.clone();
        let now = time::OffsetDateTime::now_utc();
        otori
            .registry
            .set_batch_state(&batch, otori::canary::State::Unplanted, now)
            .await
            .unwrap();
        let done = otori.json(&["forget", "school", "--yes"]);
        assert_eq!(done["forgotten"], 3);
        assert_eq!(otori.json(&["evidence", "verify"])["ok"], true);
        for canary in &canaries {
            let told = otori
                .command(&["reveal", canary.id.as_str()])
                .output()
                .unwrap();
            assert_eq!(told.status.code(), Some(1));
            assert!(String::from_utf8_lossy(&told.stderr).contains("forgotten"));
        }
        assert!(
            otori
                .registry
                .find(Mark::Email, "hanako@decoys.example")
                .await
                .unwrap()
                .is_empty()
        );
        // The other source is as it was, and so are the sightings.
        assert_eq!(
            otori
                .registry
                .find(Mark::Email, "taro@decoys.example")
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            otori.json(&["sightings"])["sightings"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        let list = otori.dir().join("list.csv");
        std::fs::write(
            &list,
            "name,mail\n佐藤花子,hanako@decoys.example\n山田太郎,taro@decoys.example\n",
        )
        .unwrap();
        let traced = otori.json(&["trace", list.to_str().unwrap()]);
        let found: Vec<&Value> = traced["canaries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|canary| &canary["source"])
            .collect();
        assert_eq!(found, ["shop"], "{traced}");
        let again = otori
            .command(&["forget", "school", "--yes"])
            .output()
            .unwrap();
        assert_eq!(again.status.code(), Some(1));
    }
}

/// The secret of a webhook gives way without a gap, and the old one ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_shared_secret_is_taken_beside_the_new_one_for_a_time() {
    let otori = Otori::new().await;
    otori.plant("school", &PEOPLE).await;
    let workspace = Workspace::find(Some(otori.dir())).unwrap();
    let mut config = workspace.config().receive.clone();
    config.people.clone_from(&workspace.config().people);
    let receiver = otori.receive(&config).await;
    let status = |token: &str| {
        let url = format!("http://{}/", receiver.http);
        let user = format!("operator:{token}");
        let output = Command::new("curl")
            .args([
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                "-u",
                &user,
                &url,
            ])
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let first = |text: String| text.lines().next().unwrap().to_owned();
    let old = first(otori.secret("keys/operator.token"));
    assert_eq!(status(&old), "200");
    otori.json(&["key", "rotate", "operator", "--overlap", "1h"]);
    let new = first(otori.secret("keys/operator.token"));
    assert_ne!(new, old);
    assert_eq!(
        (status(&old), status(&new)),
        ("200".to_owned(), "200".to_owned())
    );
    otori.json(&["key", "rotate", "operator", "--overlap", "0"]);
    let newest = first(otori.secret("keys/operator.token"));
    assert_eq!(status(&newest), "200");
    assert_eq!(status(&new), "401");
    receiver.stop().await;
}
