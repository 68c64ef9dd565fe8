//! What each command does.
//!
//! A message is answered with 250 when it is durable, and not before; whatever keeps it from that is
//! answered with a 4xx, so that the client comes again.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use smtp_proto::{MAIL_BODY_BINARYMIME, MAIL_SMTPUTF8, MailFrom, RcptTo, Request};
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::command::written;
use super::data::{DataReader, Received};
use super::identity::same_as;
use super::recipients::Standing;
use super::session::{Next, Session, Transaction};
use crate::canary::{Channel, MailAddress};
use crate::registry::NewMessage;

/// Commands that a client may send for one message, beside its recipients; more are idling.
const COMMANDS: u32 = 100;
/// A message may be this many times too large before its client is cut off.
const PATIENCE: u64 = 4;
/// Memory is reserved in pieces of so many KiB.
const PIECE_KIB: usize = 64;

/// What the transport said beside the message; stored with it.
#[derive(Serialize)]
struct Envelope<'a> {
    peer: IpAddr,
    helo: &'a str,
    from: &'a str,
    tls: bool,
    smtputf8: bool,
    queued_as: &'a str,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    /// Does what a command says. `line` is the command as it came.
    pub(super) async fn obey(&mut self, request: Request<String>, line: &str) -> io::Result<Next> {
        if !matches!(request, Request::Rcpt { .. }) {
            self.commands += 1;
        }
        if self.commands > COMMANDS {
            return Ok(self.say_goodbye("421 4.7.0", "Error: too many commands"));
        }
        Ok(match request {
            Request::Ehlo { host } => self.ehlo(host),
            Request::Helo { host } => {
                self.greet(host);
                let answer = format!("250 {}", self.context.hostname);
                self.say(&answer)
            }
            Request::Mail { from } => self.mail(from),
            Request::Rcpt { to } => self.rcpt(&to, line),
            Request::Data => return self.data().await,
            Request::Rset => {
                self.transaction = None;
                self.say("250 2.0.0 Ok")
            }
            Request::Noop { .. } => self.say("250 2.0.0 Ok"),
            Request::Vrfy { .. } => {
                self.say("252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery")
            }
            Request::Help { .. } => self.say("214 2.0.0 See RFC 5321"),
            Request::Quit => {
                self.say("221 2.0.0 Bye");
                Next::Close
            }
            Request::StartTls if self.tls => self.say("503 5.5.1 Error: TLS already active"),
            Request::StartTls if self.context.tls.is_some() => {
                self.say("220 2.0.0 Ready to start TLS");
                Next::StartTls
            }
            Request::Auth { .. } => self.say("503 5.5.1 Error: authentication not enabled"),
            _ => self.say("502 5.5.1 Error: command not implemented"),
        })
    }

    fn greet(&mut self, host: String) {
        self.helo = Some(host);
        self.transaction = None;
    }

    fn ehlo(&mut self, host: String) -> Next {
        self.greet(host);
        let mut answer = format!("250-{}\r\n250-PIPELINING\r\n", self.context.hostname);
        answer += &format!("250-SIZE {}\r\n", self.context.limits.message_bytes);
        if self.context.tls.is_some() && !self.tls {
            answer += "250-STARTTLS\r\n";
        }
        answer += "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SMTPUTF8";
        self.say(&answer)
    }

    fn mail(&mut self, from: MailFrom<String>) -> Next {
        let smtputf8 = from.flags & MAIL_SMTPUTF8 != 0;
        if self.helo.is_none() {
            self.say("503 5.5.1 Error: send HELO/EHLO first")
        } else if self.transaction.is_some() {
            self.say("503 5.5.1 Error: nested MAIL command")
        } else if from.size > self.context.limits.message_bytes {
            self.say("552 5.3.4 Message size exceeds fixed limit")
        } else if from.flags & MAIL_BODY_BINARYMIME != 0 {
            self.say("501 5.5.4 Unsupported option: BODY=BINARYMIME")
        } else if !smtputf8 && !from.address.is_ascii() {
            self.say("553 5.6.7 Must declare SMTPUTF8 to send unicode address")
        } else {
            self.transaction = Some(Transaction {
                from: written(&from.address),
                smtputf8,
                recipients: Vec::new(),
            });
            self.say("250 2.1.0 Ok")
        }
    }

    fn rcpt(&mut self, to: &RcptTo<String>, line: &str) -> Next {
        let Some(transaction) = &self.transaction else {
            return self.say("503 5.5.1 Error: need MAIL command");
        };
        if transaction.recipients.len() >= self.context.limits.recipients {
            return self.say("452 4.5.3 Error: too many recipients");
        }
        let shown = written(&to.address);
        // RFC 5321, section 4.5.1: <postmaster> without a domain reaches somebody. The parser gives
        // an empty address for it, as it does for <>.
        if shown.is_empty() && line.to_ascii_lowercase().contains("<postmaster>") {
            return self.take(format!("postmaster@{}", self.context.hostname));
        }
        if !transaction.smtputf8 && !shown.is_ascii() {
            return self.say("553 5.6.7 Must declare SMTPUTF8 to send unicode address");
        }
        let Ok(address) = shown.parse::<MailAddress>() else {
            return self.say("501 5.1.3 Bad recipient address syntax");
        };
        match self.context.recipients.standing(&address) {
            Standing::Ours => self.take(String::from(address)),
            Standing::NoMailbox => self.say(&format!(
                "550 5.1.1 <{shown}>: Recipient address rejected: User unknown in local recipient table"
            )),
            Standing::Foreign => self.say(&format!("550 5.7.1 <{shown}>: Relay access denied")),
            Standing::Unknown => {
                self.say("451 4.3.0 Error: temporary lookup failure, try again later")
            }
        }
    }

    fn take(&mut self, recipient: String) -> Next {
        if let Some(transaction) = &mut self.transaction
            && !transaction.recipients.contains(&recipient)
        {
            transaction.recipients.push(recipient);
        }
        self.say("250 2.1.5 Ok")
    }

    async fn data(&mut self) -> io::Result<Next> {
        let Some(transaction) = self.transaction.take() else {
            return Ok(self.say("503 5.5.1 Error: need MAIL command"));
        };
        if transaction.recipients.is_empty() {
            self.transaction = Some(transaction);
            return Ok(self.say("554 5.5.1 Error: no valid recipients"));
        }
        self.say("354 End data with <CR><LF>.<CR><LF>");
        self.flush().await?;
        self.commands = 0;

        let mut reader = DataReader::new(self.context.limits.message_bytes);
        let mut memory = Memory::none();
        loop {
            let piece = self.input.piece();
            let length = piece.len();
            let ended = reader.push(piece);
            self.input.used(ended.unwrap_or(length));
            if !memory.covers(reader.held(), self.context) {
                reader.give_up();
            }
            if ended.is_some() {
                break;
            }
            if reader.seen() > PATIENCE * self.context.limits.message_bytes as u64 {
                return Ok(self.say_goodbye("552 5.3.4", "Message size exceeds fixed limit"));
            }
            let patience = Duration::from_secs(self.context.limits.data_seconds);
            let Ok(more) = timeout(patience, self.input.fill(&mut self.stream)).await else {
                return Ok(self.say_goodbye("421 4.4.2", "Error: timeout exceeded"));
            };
            if !more? {
                return Ok(Next::Close);
            }
        }
        Ok(match reader.finish() {
            Received::Whole(raw) => self.store(&transaction, raw).await,
            Received::TooLarge if memory.short => self.say("452 4.3.1 Insufficient system storage"),
            Received::TooLarge => self.say("552 5.3.4 Message size exceeds fixed limit"),
        })
    }

    async fn store(&mut self, transaction: &Transaction, raw: Vec<u8>) -> Next {
        let queued_as = format!("{:010X}", rand::random::<u64>() >> 24);
        let envelope = Envelope {
            peer: self.peer,
            helo: self.helo.as_deref().unwrap_or_default(),
            from: &transaction.from,
            tls: self.tls,
            smtputf8: transaction.smtputf8,
            queued_as: &queued_as,
        };
        let Ok(envelope) = serde_json::to_string(&envelope) else {
            return self.say("451 4.3.0 Error: queue file write error");
        };
        let message = NewMessage {
            at: OffsetDateTime::now_utc(),
            channel: Channel::Mail,
            envelope,
            same_as: same_as(&transaction.from, &transaction.recipients, &raw),
            recipients: transaction.recipients.clone(),
            raw,
        };
        match self.context.intake.accept(message).await {
            Ok(_) => self.say(&format!("250 2.0.0 Ok: queued as {queued_as}")),
            Err(_) => self.say("451 4.3.0 Error: queue file write error"),
        }
    }
}

/// The share of the memory for unfinished messages that one of them has taken.
struct Memory {
    taken: Option<OwnedSemaphorePermit>,
    short: bool,
}

impl Memory {
    fn none() -> Memory {
        Memory {
            taken: None,
            short: false,
        }
    }

    /// Takes what is missing for `bytes`; `false` once there was not enough.
    fn covers(&mut self, bytes: usize, context: &super::Context) -> bool {
        let wanted = bytes.div_ceil(PIECE_KIB << 10) * PIECE_KIB;
        let taken = self
            .taken
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        if self.short || wanted <= taken {
            return !self.short;
        }
        let missing = u32::try_from(wanted - taken).unwrap_or(u32::MAX);
        match Arc::clone(&context.memory).try_acquire_many_owned(missing) {
            Ok(more) => match &mut self.taken {
                Some(taken) => taken.merge(more),
                none => *none = Some(more),
            },
            Err(_) => {
                self.taken = None;
                self.short = true;
            }
        }
        !self.short
    }
}
