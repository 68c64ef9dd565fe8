//! Requests: acts that wait for a second person.

use time::{Duration, OffsetDateTime};

use super::store::{Row, Tx};
use super::witness::Table;
use super::{Error, Registry, Result, from_micros, micros};
use crate::evidence::Act;

/// An act that somebody wants to do and another person must approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its registry number.
    pub id: i64,
    /// Which act (`reveal`).
    pub act: String,
    /// On what: exactly this is approved.
    pub subject: String,
    /// Why, in the words of who asked.
    pub why: Option<String>,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: OffsetDateTime,
    /// Until when it can be approved and done.
    pub expires_at: OffsetDateTime,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When it was done.
    pub used_at: Option<OffsetDateTime>,
}

impl Request {
    /// Where it stands, in a word.
    pub fn state(&self, now: OffsetDateTime) -> &'static str {
        match (self.used_at, &self.approved_by) {
            (Some(_), _) => "done",
            _ if self.expires_at <= now => "expired",
            (None, Some(_)) => "approved",
            (None, None) => "waiting",
        }
    }
}

/// What asking came to.
#[derive(Clone, Debug)]
pub enum Asked {
    /// It was approved; the approval is used up now, and the act may be done once.
    Approved(Request),
    /// Nobody has approved it yet.
    Waiting(Request),
}

const REQUESTS: &str =
    "select id, act, subject, why, asked_by, asked_at, expires_at, approved_by, used_at
                        from request order by id desc";
const REQUEST: &str =
    "select id, act, subject, why, asked_by, asked_at, expires_at, approved_by, used_at
                       from request where id = $1";

impl Registry {
    /// Asks for an act in the name of who writes: uses up an approval, or finds the request that
    /// waits, or makes one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn ask(
        &self,
        act: &str,
        subject: &str,
        why: Option<&str>,
        valid: Duration,
        now: OffsetDateTime,
    ) -> Result<Asked> {
        let mut tx = self.locked_requests().await?;
        let rows = tx.fetch(REQUESTS, vec![]).await?;
        let requests: Result<Vec<Request>> = rows.iter().map(request).collect();
        let mine = requests?.into_iter().filter(|request| {
            request.act == act && request.subject == subject && request.asked_by == self.by()
        });
        let open = |state| move |request: &Request| request.state(now) == state;
        let mine: Vec<Request> = mine.collect();
        if let Some(mut request) = mine.iter().find(|r| open("approved")(r)).cloned() {
            request.used_at = Some(now);
            tx.execute(
                "update request set used_at = $1 where id = $2",
                vec![micros(now).into(), request.id.into()],
            )
            .await?;
            tx.touch(Table::Request, request.id);
            let act = Act::RequestUsed {
                request: request.id,
            };
            self.commit(tx, act).await?;
            return Ok(Asked::Approved(request));
        }
        if let Some(request) = mine.iter().find(|r| open("waiting")(r)) {
            return Ok(Asked::Waiting(request.clone()));
        }
        let expires = now + valid;
        let rows = tx
            .fetch(
                "insert into request (act, subject, why, asked_by, asked_at, expires_at)
                 values ($1, $2, $3, $4, $5, $6) returning id",
                vec![
                    act.into(),
                    subject.into(),
                    why.into(),
                    self.by().into(),
                    micros(now).into(),
                    micros(expires).into(),
                ],
            )
            .await?;
        let id = rows.first().map_or(Ok(0), |row| row.int(0))?;
        let made = one(&mut tx, id).await?;
        tx.touch(Table::Request, id);
        let act = Act::Requested {
            request: id,
            what: act.to_owned(),
            subject: subject.to_owned(),
            why: why.map(str::to_owned),
        };
        self.commit(tx, act).await?;
        Ok(Asked::Waiting(made))
    }

    /// Approves a request in the name of who writes.
    ///
    /// # Errors
    /// [`Error::UnknownRequest`], [`Error::OwnRequest`], [`Error::RequestClosed`], or the store fails.
    pub async fn approve(&self, id: i64, now: OffsetDateTime) -> Result<Request> {
        let mut tx = self.locked_requests().await?;
        let mut request = one(&mut tx, id).await?;
        match request.state(now) {
            "waiting" => {}
            state => return Err(Error::RequestClosed { id, state }),
        }
        if request.asked_by == self.by() {
            return Err(Error::OwnRequest(id));
        }
        tx.execute(
            "update request set approved_by = $1, approved_at = $2 where id = $3",
            vec![self.by().into(), micros(now).into(), id.into()],
        )
        .await?;
        tx.touch(Table::Request, id);
        self.commit(tx, Act::RequestApproved { request: id })
            .await?;
        request.approved_by = Some(self.by().to_owned());
        Ok(request)
    }

    /// All requests, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn requests(&self) -> Result<Vec<Request>> {
        let rows = self.store.fetch(REQUESTS, vec![]).await?;
        rows.iter().map(request).collect()
    }

    /// One request.
    ///
    /// # Errors
    /// [`Error::UnknownRequest`], or the store fails.
    pub async fn request(&self, id: i64) -> Result<Request> {
        let rows = self.store.fetch(REQUEST, vec![id.into()]).await?;
        request(rows.first().ok_or(Error::UnknownRequest(id))?)
    }

    /// A transaction that no other one on requests runs beside: an approval is used once.
    async fn locked_requests(&self) -> Result<Tx> {
        let mut tx = self.store.begin().await?;
        if tx.locks_rows() {
            tx.execute("lock table request in exclusive mode", vec![])
                .await?;
        }
        Ok(tx)
    }
}

async fn one(tx: &mut Tx, id: i64) -> Result<Request> {
    let rows = tx.fetch(REQUEST, vec![id.into()]).await?;
    request(rows.first().ok_or(Error::UnknownRequest(id))?)
}

fn request(row: &Row) -> Result<Request> {
    let id = row.int(0)?;
    let place = format!("request {id}");
    Ok(Request {
        id,
        act: row.text(1)?,
        subject: row.text(2)?,
        why: row.text_or_null(3)?,
        asked_by: row.text(4)?,
        asked_at: from_micros(row.int(5)?, &place)?,
        expires_at: from_micros(row.int(6)?, &place)?,
        approved_by: row.text_or_null(7)?,
        used_at: match row.int_or_null(8)? {
            Some(at) => Some(from_micros(at, &place)?),
            None => None,
        },
    })
}
