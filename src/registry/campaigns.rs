//! Planned mailings: what came of them to canaries, and what was told.
//!
//! The calendar itself is the operator's file. What is kept is each judgement on a mailing whose time is over: an
//! auditor sees by it that the way to the canaries was open, and on which days nobody knows.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::witness::Table;
use super::{Error, Registry, Result, micros};
use crate::canary::{Actor, Came, Campaign, CanaryId, Judgement, SightingKind};
use crate::evidence::Act;

/// Mails looked at that only say where they are from: strangers can send any number of them.
const UNPROVEN: i64 = 1000;

impl Registry {
    /// What has come of a campaign to the canaries of its source.
    ///
    /// # Errors
    /// The store fails, or a sighting does not open.
    pub async fn campaign_mail(&self, campaign: &Campaign) -> Result<Came> {
        let source = campaign.source.as_str();
        let (begins, until) = (micros(campaign.begins()), micros(campaign.until()));
        // Who came while it was on its way, or went, may have been on its list or not.
        let sql = "select canary.id from canary join batch on batch.id = canary.batch
                   join source_key on source_key.source = batch.source
                   where batch.source = $1 and batch.state in ('live', 'unplanted')
                     and batch.planted_at <= $2
                     and (batch.unplanted_at is null or batch.unplanted_at > $3)
                     and source_key.sealed is not null
                     and exists (select 1 from canary_mark
                                 where canary_mark.canary = canary.id and canary_mark.mark = 'email')
                   order by canary.id";
        let values = vec![source.into(), begins.into(), until.into()];
        let mut addressed = BTreeSet::new();
        for row in self.store.fetch(sql, values).await? {
            addressed.insert(row.text(0)?);
        }
        let sql = "select canary, at, actor from sighting
                   where source = $1 and kind = 'expected' and channel = 'mail' and canary is not null
                     and at >= $2 and at <= $3 order by at";
        let ends = micros(campaign.ends());
        let values = vec![source.into(), begins.into(), ends.into()];
        let (mut in_time, mut late) = (BTreeSet::new(), BTreeSet::new());
        for row in self.store.fetch(sql, values).await? {
            let canary = row.text(0)?;
            let proven = self.proven(&row.bytes(2)?)?;
            // Whose it was is not known any more once retention has erased it; that it was expected is.
            let other = proven.is_some_and(|by| by != campaign.sender.as_str());
            if other || !addressed.contains(&canary) {
                continue;
            }
            match row.int(1)? <= until {
                true => in_time.insert(canary),
                false => !in_time.contains(&canary) && late.insert(canary),
            };
        }
        let sql = "select actor from sighting
                   where source = $1 and kind = $4 and channel = 'mail' and at >= $2 and at <= $3
                   order by id limit $5";
        let alarm = SightingKind::Alarm.name();
        let values = vec![
            source.into(),
            begins.into(),
            until.into(),
            alarm.into(),
            UNPROVEN.into(),
        ];
        let mut unproven = 0;
        for row in self.store.fetch(sql, values).await? {
            let said = self.claimed(&row.bytes(0)?)?;
            unproven += usize::from(said.is_some_and(|said| of_organisation(campaign, &said)));
        }
        let got = |id: &String| in_time.contains(id) || late.contains(id);
        let silent = addressed.iter().filter(|id| !got(id)).map(|id| {
            let damaged = |_| Error::Damaged(format!("canary {id}"));
            id.parse::<CanaryId>().map_err(damaged)
        });
        Ok(Came {
            silent: silent.collect::<Result<_>>()?,
            canaries: addressed.len(),
            in_time: in_time.len(),
            late: late.len(),
            unproven,
        })
    }

    fn proven(&self, actor: &[u8]) -> Result<Option<String>> {
        let origin = self.campaign_actor(actor)?.origin;
        Ok(origin
            .and_then(|origin| origin.authentication)
            .and_then(|found| found.proven))
    }

    fn claimed(&self, actor: &[u8]) -> Result<Option<String>> {
        let origin = self.campaign_actor(actor)?.origin;
        Ok(origin
            .and_then(|origin| origin.sender)
            .map(|sender| sender.domain))
    }

    fn campaign_actor(&self, sealed: &[u8]) -> Result<Actor> {
        let damaged = |_| Error::Damaged("a sighting's actor".to_owned());
        serde_json::from_slice(&self.vault.open("actor", sealed)?).map_err(damaged)
    }

    /// Keeps how a campaign is judged whose time is over, and queues an alert if it is the first time that somebody
    /// should look. Whether it is judged otherwise than before.
    ///
    /// # Errors
    /// The store fails.
    pub async fn campaign_judged(
        &self,
        campaign: &Campaign,
        came: &Came,
        judged: Judgement,
        now: OffsetDateTime,
    ) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        // Of several receivers that judge at once, one finds it changed.
        let sql = "insert into campaign (source, sender, planned_at, until_at, ends_at, state, judged_at,
                                         canaries, in_time, late, unproven, chance)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                   on conflict (source, sender, planned_at) do update
                   set until_at = excluded.until_at, ends_at = excluded.ends_at, state = excluded.state,
                       judged_at = excluded.judged_at, canaries = excluded.canaries,
                       in_time = excluded.in_time, late = excluded.late,
                       unproven = excluded.unproven, chance = excluded.chance
                   where campaign.state <> excluded.state or campaign.canaries <> excluded.canaries
                      or campaign.in_time <> excluded.in_time or campaign.late <> excluded.late
                      or campaign.unproven <> excluded.unproven
                   returning id, alert";
        let values = vec![
            campaign.source.as_str().into(),
            campaign.sender.as_str().into(),
            micros(campaign.planned).into(),
            micros(campaign.until()).into(),
            micros(campaign.ends()).into(),
            judged.state.name().into(),
            micros(now).into(),
            count(came.canaries).into(),
            count(came.in_time).into(),
            count(came.late).into(),
            count(came.unproven).into(),
            // Millionths: what is smaller is nothing.
            ((judged.chance * 1e6).round() as i64).into(),
        ];
        let changed = tx.fetch(sql, values).await?;
        let Some(row) = changed.first() else {
            tx.commit().await?;
            return Ok(false);
        };
        let id = row.int(0)?;
        if judged.state.warns() && row.int_or_null(1)?.is_none() {
            let sql = "insert into alert (due_at) values ($1) returning id";
            let rows = tx.fetch(sql, vec![micros(now).into()]).await?;
            let alert = rows.first().map_or(Ok(0), |row| row.int(0))?;
            let sql = "update campaign set alert = $1 where id = $2";
            tx.execute(sql, vec![alert.into(), id.into()]).await?;
            tx.touch(Table::Alert, alert);
        }
        tx.touch(Table::Campaign, id);
        let act = Act::CampaignJudged {
            source: campaign.source.to_string(),
            sender: campaign.sender.as_str().to_owned(),
            planned: campaign.planned,
            state: judged.state.name().to_owned(),
            canaries: came.canaries as u64,
            in_time: came.in_time as u64,
            late: came.late as u64,
        };
        self.commit(tx, act).await?;
        Ok(true)
    }

    /// How many campaigns did not come, or to too few canaries, and may still.
    ///
    /// # Errors
    /// The store fails.
    pub async fn campaigns_missing(&self, now: OffsetDateTime) -> Result<u64> {
        let sql =
            "select count(*) from campaign where state in ('few', 'missing') and ends_at >= $1";
        let rows = self.store.fetch(sql, vec![micros(now).into()]).await?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        u64::try_from(count).map_err(|_| Error::Damaged("campaign".to_owned()))
    }
}

/// Whether a mail that says it is from this organisation says that it is the campaign's.
fn of_organisation(campaign: &Campaign, organisation: &str) -> bool {
    let sender = campaign.sender.as_str();
    let above = sender.strip_suffix(organisation);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}
