//! A workspace with a registry, canaries and, where a test wants it, a running receiver.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use otori::canary::{
    Batch, BatchId, Canary, CanaryId, Cell, ContactPoint, Details, PlantedRow, SourceName, State,
};
use otori::notation::Role;
use otori::persona::{Address, Household, Locale, NamePart, Person, Sex};
use otori::receive::{Listeners, ReceiveConfig, Running};
use otori::registry::{Registry, Source};
use otori::workspace::{self, Workspace};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tempfile::TempDir;
use time::macros::{date, datetime};
use tokio_util::sync::CancellationToken;

/// When everything here was planted.
pub const PLANTED: time::OffsetDateTime = datetime!(2026-01-10 03:00 UTC);
/// The mail domain that every workspace owns.
pub const DOMAIN: &str = "decoys.example";
/// The number that every workspace owns.
pub const NUMBER: &str = "03-0123-4567";

/// A workspace in a temporary directory.
pub struct Otori {
    dir: TempDir,
    pub workspace: Workspace,
    pub registry: Registry,
}

/// A receiver inside the test's own process.
pub struct Receiver {
    pub smtp: SocketAddr,
    pub http: SocketAddr,
    running: Running,
    stop: CancellationToken,
}

impl Receiver {
    /// Stops it, and waits until it has stopped.
    pub async fn stop(self) {
        self.stop.cancel();
        self.running.stopped().await;
    }
}

/// Who a canary is to be; the rest is the same for all.
pub struct Who<'a> {
    pub family: (&'a str, &'a str),
    pub given: (&'a str, &'a str),
    pub unit: &'a str,
    pub mail: &'a str,
}

/// Three canaries of one source.
pub const PEOPLE: [Who<'static>; 3] = [
    Who {
        family: ("髙橋", "タカハシ"),
        given: ("圭祐", "ケイスケ"),
        unit: "101",
        mail: "keisuke@decoys.example",
    },
    Who {
        family: ("佐藤", "サトウ"),
        given: ("花子", "ハナコ"),
        unit: "102",
        mail: "hanako@decoys.example",
    },
    Who {
        family: ("渡邉", "ワタナベ"),
        given: ("誠", "マコト"),
        unit: "103",
        mail: "makoto@decoys.example",
    },
];

/// Somebody else, in another source.
pub const TARO: Who<'static> = Who {
    family: ("山田", "ヤマダ"),
    given: ("太郎", "タロウ"),
    unit: "104",
    mail: "taro@decoys.example",
};

impl Otori {
    /// A workspace in which [`PEOPLE`] are planted in `school`, and one of them has got a real mail.
    pub async fn hit(registry: &str) -> Otori {
        let otori = Otori::on(registry).await;
        otori.plant("school", &PEOPLE).await;
        let receiver = otori.receive(&otori.config()).await;
        let smtp = receiver.smtp.to_string();
        let mail = tokio::task::spawn_blocking(move || {
            Command::new("swaks")
                .args(["--server", &smtp, "--from", "sales@broker.example"])
                .args(["--to", "hanako@decoys.example", "--body", "An offer"])
                .output()
                .unwrap()
        });
        assert!(mail.await.unwrap().status.success());
        otori.settled().await;
        receiver.stop().await;
        otori
    }

    /// A new workspace that owns [`DOMAIN`] and [`NUMBER`], its registry in SQLite.
    pub async fn new() -> Otori {
        Otori::on("sqlite:registry.db").await
    }

    /// The same with its registry elsewhere.
    pub async fn on(registry: &str) -> Otori {
        Otori::at(tempfile::tempdir().unwrap(), registry).await
    }

    /// The same in this directory.
    pub async fn at(dir: TempDir, registry: &str) -> Otori {
        // Most tests write to whomever they like.
        let catch_all = format!("[receive]\ncatch_all = [\"{DOMAIN}\"]");
        let text = workspace::template(registry).replacen("[receive]", &catch_all, 1);
        let workspace = Workspace::create(dir.path(), &text).await.unwrap();
        let registry = workspace.registry().await.unwrap();
        let points = [
            (ContactPoint::MailDomain(DOMAIN.parse().unwrap()), None),
            (ContactPoint::Phone(NUMBER.parse().unwrap()), None),
        ];
        registry.add_contact_points(&points, PLANTED).await.unwrap();
        Otori {
            dir,
            workspace,
            registry,
        }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The content of a file of the workspace.
    #[track_caller]
    pub fn secret(&self, file: &str) -> String {
        let text = std::fs::read_to_string(self.dir().join(file)).unwrap();
        text.trim().to_owned()
    }

    /// Puts a secret into a file of the workspace that only its owner may read.
    #[track_caller]
    pub fn write_secret(&self, file: &str, content: &str) {
        workspace::write_private(&self.dir().join(file), content.as_bytes()).unwrap();
    }

    /// Registers a source with one live batch of these canaries.
    pub async fn plant(&self, source: &str, people: &[Who<'_>]) -> Vec<Canary> {
        self.plant_with(source, people, |_| {}).await
    }

    /// The same, with canaries that are somewhat other.
    pub async fn plant_with(
        &self,
        source: &str,
        people: &[Who<'_>],
        other: impl Fn(&mut Canary),
    ) -> Vec<Canary> {
        let source: SourceName = source.parse().unwrap();
        let known = self.registry.sources().await.unwrap();
        if !known.iter().any(|known| known.name == source) {
            let row = Source {
                name: source.clone(),
                url: "sqlite:none.db".to_owned(),
                table: "会員".to_owned(),
                mapping: "{}".to_owned(),
                added_at: PLANTED,
            };
            self.registry.add_source(&row).await.unwrap();
        }
        let id = self.registry.next_batch(&source).await.unwrap();
        let canaries = people.iter().map(|who| canary(&source, &id, who));
        let mut canaries: Vec<Canary> = canaries.collect();
        canaries.iter_mut().for_each(other);
        let batch = Batch {
            id: id.clone(),
            source,
            planted_at: PLANTED,
            unplanted_at: None,
            state: State::Planned,
            canaries: canaries.len(),
            rows_at: 20_000,
        };
        self.registry
            .register_batch(&batch, &canaries)
            .await
            .unwrap();
        self.registry.batch_is_live(&id, &canaries).await.unwrap();
        canaries
    }

    /// Starts a receiver on free ports, in this process.
    pub async fn receive(&self, config: &ReceiveConfig) -> Receiver {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let stop = CancellationToken::new();
        let mut tries = 0..100;
        let running = loop {
            let listeners = Listeners::bind(free, free).await.unwrap();
            let started = otori::receive::start(
                self.registry.clone(),
                config,
                self.dir(),
                listeners,
                stop.clone().cancelled_owned(),
            );
            match started.await {
                // A program that another test starts has all sockets of this process for a moment, those too that the
                // last receiver has closed.
                Err(otori::receive::Error::Bind { source, .. })
                    if source.kind() == ErrorKind::AddrInUse && tries.next().is_some() =>
                {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
                started => break started.unwrap(),
            }
        };
        Receiver {
            smtp: running.smtp_addr,
            http: running.http_addr,
            running,
            stop,
        }
    }

    /// The configuration of a new workspace's receiver.
    pub fn config(&self) -> ReceiveConfig {
        self.workspace.config().receive.clone()
    }

    /// The program, about to run in this workspace.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_otori"));
        command.arg("--workspace").arg(self.dir()).args(args);
        command
    }

    /// Runs the program, which must succeed; its JSON document.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(args).arg("--json").output().unwrap();
        assert!(
            status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&stderr)
        );
        serde_json::from_slice(&stdout).unwrap()
    }

    /// Waits until every stored message is understood.
    pub async fn settled(&self) {
        for _ in 0..600 {
            if self.registry.unsettled_count().await.unwrap() == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("messages stay unsettled");
    }
}

fn part((written, kana): (&str, &str)) -> NamePart {
    NamePart {
        written: written.to_owned(),
        kana: kana.to_owned(),
    }
}

fn canary(source: &SourceName, batch: &BatchId, who: &Who<'_>) -> Canary {
    let seed = format!("{source}{batch}{}{}", who.mail, who.unit);
    let seed = seed.bytes().fold(7_u64, |hash, byte| {
        hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    let household = Household {
        locale: Locale::JaJp,
        guardian: Person {
            family: part(who.family),
            given: part(who.given),
            sex: Sex::Male,
            birth: date!(1972 - 04 - 01),
        },
        children: vec![],
        address: Address {
            postcode: "1000013".to_owned(),
            region: "東京都".to_owned(),
            city: "千代田区".to_owned(),
            city_kana: "トウキョウトチヨダク".to_owned(),
            town: "霞が関".to_owned(),
            town_kana: "カスミガセキ".to_owned(),
            block: "9-12-8".to_owned(),
            building: Some("囮ハイツ".to_owned()),
            unit: Some(who.unit.to_owned()),
        },
        landline: Some("+81301234567".to_owned()),
        mobile: None,
        email: Some(who.mail.to_owned()),
    };
    let name = format!("{} {}", who.family.0, who.given.0);
    let row = PlantedRow {
        table: "会員".to_owned(),
        cells: vec![
            Cell {
                column: "氏名".to_owned(),
                role: Role::Name,
                value: Some(name),
            },
            Cell {
                column: "メール".to_owned(),
                role: Role::Email,
                value: Some(who.mail.to_owned()),
            },
        ],
        key: vec![],
        ..PlantedRow::default()
    };
    Canary {
        id: CanaryId::random(&mut StdRng::seed_from_u64(seed)),
        source: source.clone(),
        batch: batch.clone(),
        state: State::Planned,
        details: Details {
            household,
            rows: vec![row],
        },
        points: vec![1, 2],
        versions: Vec::new(),
    }
}
