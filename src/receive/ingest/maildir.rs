//! A maildir that another server fills: each mail in `new` is stored, and then moved to `cur`.
//!
//! Stored first: a stop in between leaves the mail in `new`, and the next look recognises it. What cannot
//! be read, or is for nobody of ours, stays where it is and is told once.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::files::{entries, is_maildir};
use super::{Origin, Refused, message};
use crate::receive::smtp::Recipients;
use crate::receive::{Error, Intake};

/// How often `new` is looked at.
const POLL: Duration = Duration::from_secs(1);
/// After so many looks, files that stayed are tried again.
const AGAIN: u32 = 60;
/// Files taken together, so that they share a transaction, and their bytes.
const TOGETHER: usize = 64;
const TOGETHER_BYTES: u64 = 32 << 20;

/// A maildir being watched.
pub struct Maildir {
    dir: PathBuf,
    largest: usize,
    recipients: Recipients,
    intake: Intake,
    /// Files that stayed, and need not be read again at once.
    stayed: HashSet<PathBuf>,
    told: HashSet<PathBuf>,
    away: bool,
}

impl Maildir {
    /// This one; of mails of more than `largest` bytes the beginning is taken.
    ///
    /// # Errors
    /// There is no maildir.
    pub fn new(
        dir: PathBuf,
        largest: usize,
        recipients: Recipients,
        intake: Intake,
    ) -> Result<Maildir, Error> {
        if !is_maildir(&dir) {
            let why = "maildir: there is no directory with new/ and cur/ in it at";
            let what = format!("{why} {}; make them, or take the line out", dir.display());
            return Err(Error::Config(what));
        }
        Ok(Maildir {
            dir,
            largest,
            recipients,
            intake,
            stayed: HashSet::new(),
            told: HashSet::new(),
            away: false,
        })
    }

    /// Takes what comes, until told to stop.
    pub async fn watch(mut self, stop: CancellationToken) {
        let mut looks = 0;
        loop {
            self.look(&stop).await;
            looks += 1;
            if looks % AGAIN == 0 {
                self.stayed.clear();
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    async fn look(&mut self, stop: &CancellationToken) {
        let found = match entries(&self.dir.join("new")) {
            Ok(found) => found,
            Err(error) => {
                if !self.away {
                    tracing::error!(%error, "the maildir could not be looked at");
                }
                self.away = true;
                return;
            }
        };
        self.away = false;
        let files: HashSet<PathBuf> = found
            .into_iter()
            .filter_map(|(path, is_dir)| (!is_dir).then_some(path))
            .collect();
        self.stayed.retain(|path| files.contains(path));
        self.told.retain(|path| files.contains(path));
        let mut waiting: Vec<PathBuf> = files.difference(&self.stayed).cloned().collect();
        waiting.sort();
        let mut waiting = waiting.into_iter().peekable();
        while waiting.peek().is_some() && !stop.is_cancelled() {
            let mut together = Vec::new();
            let mut bytes = 0;
            while together.len() < TOGETHER
                && bytes < TOGETHER_BYTES
                && let Some(path) = waiting.next()
            {
                bytes += std::fs::metadata(&path).map_or(0, |meta| meta.len());
                together.push(path);
            }
            let taken = together.iter().map(|path| self.take(path));
            let taken = futures_util::future::join_all(taken).await;
            let mut put_off = false;
            for (path, taken) in together.into_iter().zip(taken) {
                match taken {
                    Ok(()) => {}
                    // The registry is away: everything would fail.
                    Err(None) => put_off = true,
                    Err(Some(why)) => self.tell(path, &why),
                }
            }
            if put_off {
                return;
            }
        }
    }

    /// Stores one file and moves it. `None`: try again.
    async fn take(&self, path: &Path) -> Result<(), Option<String>> {
        let (raw, cut) = read(path, self.largest).map_err(Some)?;
        let origin = Origin {
            cut,
            ..Origin::FILE
        };
        let message = message(
            &self.recipients,
            &[],
            raw,
            OffsetDateTime::now_utc(),
            origin,
        )
        .await;
        let message = message.map_err(|why| (why != Refused::Unknown).then(|| why.to_string()))?;
        self.intake.accept(message).await.map_err(|_| None)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split(":2,").next().unwrap_or_default();
        let to = self.dir.join("cur").join(format!("{name}:2,S"));
        std::fs::rename(path, to).map_err(|error| Some(format!("stored, but not moved: {error}")))
    }

    /// File names come from the server that delivers, and hold nobody's address.
    fn tell(&mut self, path: PathBuf, why: &str) {
        if self.told.insert(path.clone()) {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            tracing::warn!(%file, why, "a file stays in the maildir's new");
        }
        self.stayed.insert(path);
    }
}

/// A file, and how long it is where that is more than what is read of it.
fn read(path: &Path, largest: usize) -> Result<(Vec<u8>, Option<usize>), String> {
    let told = |error: std::io::Error| error.to_string();
    let file = std::fs::File::open(path).map_err(told)?;
    let bytes = usize::try_from(file.metadata().map_err(told)?.len()).unwrap_or(usize::MAX);
    let mut raw = Vec::new();
    let most = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut raw).map_err(told)?;
    // It may have grown since.
    let bytes = bytes.max(raw.len());
    raw.truncate(largest);
    Ok((raw, (bytes > largest).then_some(bytes)))
}
