//! What each command does.

use std::io;
use std::net::IpAddr;

use serde::Serialize;
use smtp_proto::{MAIL_BODY_BINARYMIME, MAIL_SMTPUTF8, MailFrom, RcptTo, Request};
use tokio::io::{AsyncRead, AsyncWrite};

use super::command::written;
use super::message::{NO_MAIL, NO_STORAGE, TOO_LARGE};
use super::recipients::Standing;
use super::session::{Next, Protocol, Session, Transaction};
use crate::canary::MailAddress;
use crate::metrics::metrics;

/// Commands that a client may send for one message, beside its recipients; more are idling.
const COMMANDS: u32 = 100;

const NO_LOOKUP: &str = "451 4.3.0 Error: temporary lookup failure, try again later";
const TOO_MANY: &str = "452 4.5.3 Error: too many recipients";

/// What the transport said beside the message; stored with it.
#[derive(Serialize)]
pub(super) struct Envelope<'a> {
    pub peer: IpAddr,
    pub helo: &'a str,
    pub from: &'a str,
    pub tls: bool,
    pub smtputf8: bool,
    /// Whether the client is a server of ours that hands on: it is not who sent the mail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lmtp: bool,
    pub queued_as: &'a str,
    /// The client's network (empty where it is not known), if it asked for the recipient and sent
    /// nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    /// How many addresses its network had asked for in vain, where it guesses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guessed: Option<usize>,
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
            Request::Ehlo { .. } | Request::Helo { .. } if self.protocol == Protocol::Lmtp => {
                self.say("500 5.5.1 Error: command not recognized")
            }
            Request::Lhlo { host } if self.protocol == Protocol::Lmtp => self.ehlo(host),
            Request::Ehlo { host } => self.ehlo(host),
            Request::Helo { host } => {
                self.greet(host);
                let answer = format!("250 {}", self.context.hostname);
                self.say(&answer)
            }
            Request::Mail { from } => self.mail(from),
            Request::Rcpt { to } => self.rcpt(&to, line).await,
            Request::Data => return self.data().await,
            Request::Bdat {
                chunk_size,
                is_last,
            } => return self.bdat(chunk_size, is_last).await,
            Request::Rset => {
                self.transaction = None;
                self.say("250 2.0.0 Ok")
            }
            Request::Noop { .. } => self.say("250 2.0.0 Ok"),
            Request::Vrfy { value } => self.vrfy(&value).await,
            Request::Help { .. } => self.say("214 2.0.0 See RFC 5321"),
            Request::Quit => {
                self.say("221 2.0.0 Bye");
                Next::Close
            }
            Request::StartTls if self.tls => self.say("503 5.5.1 Error: TLS already active"),
            Request::StartTls if self.context.acceptor().is_some() => {
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
        if !self.tls && self.context.acceptor().is_some() {
            answer += "250-STARTTLS\r\n";
        }
        answer += "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 CHUNKING";
        self.say(&answer)
    }

    fn mail(&mut self, from: MailFrom<String>) -> Next {
        let smtputf8 = from.flags & MAIL_SMTPUTF8 != 0;
        if self.helo.is_none() {
            self.say(match self.protocol {
                Protocol::Smtp => "503 5.5.1 Error: send HELO/EHLO first",
                Protocol::Lmtp => "503 5.5.1 Error: send LHLO first",
            })
        } else if self.transaction.is_some() {
            self.say("503 5.5.1 Error: nested MAIL command")
        } else if from.size > self.context.limits.message_bytes {
            self.say(TOO_LARGE)
        } else if from.flags & MAIL_BODY_BINARYMIME != 0 {
            self.say("501 5.5.4 Unsupported option: BODY=BINARYMIME")
        } else if !smtputf8 && !from.address.is_ascii() {
            self.say("553 5.6.7 Must declare SMTPUTF8 to send unicode address")
        } else {
            self.transaction = Some(Transaction {
                from: written(&from.address),
                smtputf8,
                recipients: Vec::new(),
                accepted: 0,
                chunks: None,
                _underway: self.context.intake.begun(),
            });
            self.say("250 2.1.0 Ok")
        }
    }

    async fn rcpt(&mut self, to: &RcptTo<String>, line: &str) -> Next {
        let Some(transaction) = &self.transaction else {
            return self.say(NO_MAIL);
        };
        if transaction.chunks.is_some() {
            return self.say("503 5.5.1 Error: RCPT after BDAT");
        }
        if transaction.accepted >= self.context.limits.recipients {
            return self.say(TOO_MANY);
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
        match self.context.recipients.standing(&address).await {
            Standing::Ours => self.take(String::from(address)),
            Standing::NoMailbox => {
                self.asked.in_vain(address.as_str());
                self.no_mailbox(&shown)
            }
            Standing::Foreign => self.refuse_recipient(
                "foreign",
                &format!("554 5.7.1 <{shown}>: Relay access denied"),
            ),
            Standing::Unknown => self.refuse_recipient("registry", NO_LOOKUP),
        }
    }

    /// Whoever asks for an address like this has it, as one who asks by RCPT does, and is told the same.
    async fn vrfy(&mut self, value: &str) -> Next {
        let shown = value.trim().trim_start_matches('<').trim_end_matches('>');
        let Ok(address) = shown.parse::<MailAddress>() else {
            return self.say("501 5.1.3 Bad recipient address syntax");
        };
        match self.context.recipients.standing(&address).await {
            Standing::Ours => match self.asked.asked(address.as_str(), "", self.helo.as_deref()) {
                Ok(()) => self.say(&format!("252 2.0.0 {}", address.as_str())),
                Err(_) => self.refuse_recipient("room", NO_STORAGE),
            },
            Standing::NoMailbox => {
                self.asked.in_vain(address.as_str());
                self.no_mailbox(address.as_str())
            }
            Standing::Foreign => self.refuse_recipient(
                "foreign",
                &format!("554 5.7.1 <{}>: Relay access denied", address.as_str()),
            ),
            Standing::Unknown => self.refuse_recipient("registry", NO_LOOKUP),
        }
    }

    fn no_mailbox(&mut self, shown: &str) -> Next {
        self.refuse_recipient("no_mailbox", &format!(
            "550 5.1.1 <{shown}>: Recipient address rejected: User unknown in local recipient table"
        ))
    }

    fn refuse_recipient(&mut self, reason: &'static str, answer: &str) -> Next {
        metrics().recipient_refused(reason);
        self.say(answer)
    }

    fn take(&mut self, recipient: String) -> Next {
        if let Some(transaction) = &mut self.transaction {
            let helo = self.helo.as_deref();
            let asked = self.asked.asked(&recipient, &transaction.from, helo);
            if asked.is_err() {
                // The client sends to those that it has, and comes again for the others.
                let answer = match transaction.recipients.is_empty() {
                    true => NO_STORAGE,
                    false => TOO_MANY,
                };
                return self.refuse_recipient("room", answer);
            }
            transaction.accepted += 1;
            if !transaction.recipients.contains(&recipient) {
                transaction.recipients.push(recipient);
            }
        }
        self.say("250 2.1.5 Ok")
    }
}
