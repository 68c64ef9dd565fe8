//! Which receivers run, and when one was last alive.
//!
//! A receiver that is killed cannot say so. Each therefore keeps saying that it is alive, in a row
//! that is overwritten and is no evidence; once one has been silent for too long, whoever comes next
//! enters in the log when it was last heard of. What no receiver was up for is downtime.

use rand::RngExt;
use time::{Duration, OffsetDateTime};

use super::{Error, Registry, Result, from_micros, micros};
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
            "insert into receiver (run, alive_at) values ($1, $2)",
            vec![run.as_str().into(), micros(at).into()],
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
                "update receiver set alive_at = $1 where run = $2",
                vec![micros(at).into(), run.into()],
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

    async fn lose_silent(&self, at: OffsetDateTime) -> Result<()> {
        for (run, alive_at) in self.receivers().await? {
            if at - alive_at <= LOST {
                continue;
            }
            let mut tx = self.store.begin().await?;
            let gone = tx
                .execute(
                    "delete from receiver where run = $1 and alive_at = $2",
                    vec![run.as_str().into(), micros(alive_at).into()],
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
