//! A session of SMTP against a registry of its own: in two pieces, wherever it is cut, it is answered as it is
//! whole.
#![no_main]

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use otori::canary::ContactPoint;
use otori::receive::smtp::{Context, Recipients, serve};
use otori::receive::{Intake, ReceiveConfig};
use otori::registry::{MasterKey, Registry};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

/// What all sessions share.
struct Server {
    runtime: Runtime,
    context: Context,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
    // In memory where there is such a place: the registry waits for its disk.
    let home = std::path::Path::new("/dev/shm").join(format!("otori-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let context = runtime.block_on(async {
        let key = MasterKey::generate();
        let registry = Registry::create("sqlite:registry.db", &home, &key).await.unwrap();
        let domain = ContactPoint::MailDomain("decoys.example".parse().unwrap());
        let now = OffsetDateTime::UNIX_EPOCH;
        registry.add_contact_points(&[(domain, None)], now).await.unwrap();
        let mut config = ReceiveConfig {
            hostname: Some("mx.decoys.example".to_owned()),
            catch_all: vec!["decoys.example".parse().unwrap()],
            ..ReceiveConfig::default()
        };
        config.limits.message_bytes = 4096;
        config.limits.line_bytes = 1024;
        let (intake, _writer) = Intake::start(registry.clone(), Arc::new(Notify::new()));
        let recipients = Recipients::new(registry, &config.catch_all);
        recipients.refresh().await;
        Context::new(&config, None, recipients, intake)
    });
    Server { runtime, context }
});

/// What is answered to these pieces, without the names under which messages are queued.
fn answers(pieces: &[&[u8]]) -> String {
    let server = &*SERVER;
    server.runtime.block_on(async {
        let (client, ours) = tokio::io::duplex(1 << 20);
        let (mut answers, mut say) = tokio::io::split(client);
        let talk = serve(ours, IpAddr::from([192, 0, 2, 1]), &server.context);
        let client = async {
            for piece in pieces {
                if say.write_all(piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let _ = say.shutdown().await;
            let mut heard = Vec::new();
            let _ = answers.read_to_end(&mut heard).await;
            heard
        };
        let (_, heard) = tokio::join!(talk, client);
        let text = String::from_utf8(heard).expect("answers are text");
        text.lines()
            .map(|line| line.split("queued as").next().unwrap_or_default().to_owned() + "\n")
            .collect()
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&cut, talk)) = bytes.split_first() else { return };
    let whole = answers(&[talk]);
    assert!(whole.starts_with("220 mx.decoys.example "), "{whole}");
    assert!(!whole.to_ascii_lowercase().contains("otori"), "{whole}");
    let (one, two) = talk.split_at(usize::from(cut) * talk.len() / 256);
    assert_eq!(answers(&[one, two]), whole);
});
