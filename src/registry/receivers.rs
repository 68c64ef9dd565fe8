//! Which receivers run, and when one was last alive.
//!
//! A receiver that is killed cannot say so. Each therefore keeps saying that it is alive, in a row
//! that is overwritten and does not enter the log each time: a keyed tag tells a row that somebody else
//! has changed. Once one has been silent for too long, whoever comes next enters in the log when it was
//! last heard of. What no receiver was up for is downtime.

use std::collections::BTreeSet;

use rand::RngExt;
use time::{Duration, OffsetDateTime};

use super::store::Tx;
use super::{Error, Problem, Registry, Result, from_micros, micros};
use crate::evidence::{Act, hex};

/// How often a receiver says that it is alive: downtime is known to about this.
pub const BEAT: Duration = Duration::seconds(30);
/// After so long a silence a receiver counts as ended.
pub const LOST: Duration = Duration::minutes(2);

impl Registry {
    /// A receiver has begun to listen; the name of this run of it. Others that ended without saying so
    /// enter the log first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn receiver_started(
        &self,
        smtp: &str,
        http: &str,
        at: OffsetDateTime,
    ) -> Result<String> {
        self.lose_silent(at).await?;
        let run = hex(&rand::rng().random::<[u8; 4]>());
        let mut tx = self.store.begin().await?;
        tx.execute(
            "insert into receiver (run, alive_at, tag) values ($1, $2, $3)",
            vec![
                run.as_str().into(),
                micros(at).into(),
                self.pulse_tag(&run, micros(at)).into(),
            ],
        )
        .await?;
        let act = Act::ReceiverStarted {
            run: run.clone(),
            smtp: smtp.to_owned(),
            http: http.to_owned(),
        };
        self.commit(tx, act).await?;
        Ok(run)
    }

    /// A receiver is alive. `false` if it has been silent for so long that the log says it ended: it
    /// then is to go on as another run.
    ///
    /// # Errors
    /// The store fails.
    pub async fn receiver_alive(&self, run: &str, at: OffsetDateTime) -> Result<bool> {
        self.lose_silent(at).await?;
        let mut tx = self.store.begin().await?;
        let known = tx
            .execute(
                "update receiver set alive_at = $1, tag = $2 where run = $3",
                vec![
                    micros(at).into(),
                    self.pulse_tag(run, micros(at)).into(),
                    run.into(),
                ],
            )
            .await?;
        tx.commit().await?;
        Ok(known > 0)
    }

    /// A receiver stops because it was asked to.
    ///
    /// # Errors
    /// The store fails.
    pub async fn receiver_stopped(&self, run: String) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let delete = "delete from receiver where run = $1";
        tx.execute(delete, vec![run.as_str().into()]).await?;
        self.commit(tx, Act::ReceiverStopped { run }).await
    }

    /// The runs that have not ended as far as the log knows, and when each was last alive.
    ///
    /// # Errors
    /// The store fails.
    pub async fn receivers(&self) -> Result<Vec<(String, OffsetDateTime)>> {
        let sql = "select run, alive_at from receiver order by alive_at";
        let rows = self.store.fetch(sql, vec![]).await?;
        let read = |row: &super::store::Row| {
            Ok::<_, Error>((row.text(0)?, from_micros(row.int(1)?, "receiver")?))
        };
        rows.iter().map(read).collect()
    }

    fn pulse_tag(&self, run: &str, alive_at: i64) -> Vec<u8> {
        self.vault
            .lasting_tag("receiver", &format!("{run} {alive_at}"))
    }

    /// What is wrong with the rows, where the log says that these runs have not ended.
    pub(super) async fn check_receivers(
        &self,
        tx: &mut Tx,
        running: &BTreeSet<String>,
    ) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut problem = |run: &str, what: &str| {
            problems.push(Problem {
                place: format!("receiver {run}"),
                what: what.to_owned(),
            });
        };
        let mut found = BTreeSet::new();
        let sql = "select run, alive_at, tag from receiver order by run";
        for row in tx.fetch(sql, vec![]).await? {
            let (run, alive_at) = (row.text(0)?, row.int(1)?);
            if row.bytes(2)? != self.pulse_tag(&run, alive_at) {
                problem(&run, "when it was last alive was changed");
            } else if !running.contains(&run) {
                problem(
                    &run,
                    "it is there, and the log says that it never began or has ended",
                );
            }
            found.insert(run);
        }
        for run in running.difference(&found) {
            problem(
                run,
                "removed: the log says that it has begun, and not that it has ended",
            );
        }
        Ok(problems)
    }

    async fn lose_silent(&self, at: OffsetDateTime) -> Result<()> {
        for (run, alive_at) in self.receivers().await? {
            if at - alive_at <= LOST {
                continue;
            }
            let mut tx = self.store.begin().await?;
            // What somebody else has changed stays, to be found.
            let gone = tx
                .execute(
                    "delete from receiver where run = $1 and alive_at = $2 and tag = $3",
                    vec![
                        run.as_str().into(),
                        micros(alive_at).into(),
                        self.pulse_tag(&run, micros(alive_at)).into(),
                    ],
                )
                .await?;
            // Another receiver may have found it first, or it has come back.
            if gone > 0 {
                self.commit(tx, Act::ReceiverLost { run, alive_at }).await?;
            }
        }
        Ok(())
    }
}
