//! One SMTP session, over any stream: reading commands, answering, and how it ends.
//!
//! Answers are worded as an ordinary mail server words them.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::Context;
use super::command;
use super::input::{Input, Line};
use super::message::Chunks;
use super::probe::Asked;
use crate::receive::intake::OnItsWay;

/// Answers held back while more commands are waiting, in bytes.
const ANSWERS: usize = 32 * 1024;

/// How a session ended.
pub enum Ended<S> {
    /// By QUIT, by us, or by the client's going.
    Closed,
    /// The client may now begin its TLS handshake; what it sent before that is gone.
    StartTls(S),
}

/// What follows an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    Close,
    StartTls,
}

/// Who speaks with us: anybody, or a mail server that has accepted a message and hands it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP.
    Smtp,
    /// LMTP (RFC 2033): the same, but for its greeting, and an answer for each recipient.
    Lmtp,
}

impl Protocol {
    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Smtp => "smtp",
            Protocol::Lmtp => "lmtp",
        }
    }
}

/// A message on its way: MAIL was accepted.
pub(super) struct Transaction {
    pub from: String,
    pub smtputf8: bool,
    /// Each once.
    pub recipients: Vec<String>,
    /// How often RCPT was accepted.
    pub accepted: usize,
    /// Its chunks so far.
    pub chunks: Option<Chunks>,
    /// Others wait a moment for it.
    pub _underway: OnItsWay,
}

/// A session with one client.
pub struct Session<'c, S> {
    pub(super) stream: S,
    pub(super) context: &'c Context,
    pub(super) peer: IpAddr,
    pub(super) tls: bool,
    pub(super) input: Input,
    pub(super) helo: Option<String>,
    pub(super) transaction: Option<Transaction>,
    pub(super) asked: Asked,
    pub(super) protocol: Protocol,
    /// Commands since the last message.
    pub(super) commands: u32,
    answers: Vec<u8>,
    errors: u32,
}

impl<'c, S: AsyncRead + AsyncWrite + Unpin> Session<'c, S> {
    /// A session at its start: nothing said by either side, or TLS just begun.
    pub fn new(
        stream: S,
        peer: IpAddr,
        tls: bool,
        protocol: Protocol,
        context: &'c Context,
    ) -> Session<'c, S> {
        Session {
            asked: Asked::new(
                context.probes.clone(),
                context.guesses.clone(),
                peer,
                protocol,
                tls,
            ),
            protocol,
            stream,
            context,
            peer,
            tls,
            input: Input::default(),
            helo: None,
            transaction: None,
            commands: 0,
            answers: Vec::new(),
            errors: 0,
        }
    }

    /// Talks until the end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn run(mut self) -> io::Result<Ended<S>> {
        if !self.tls {
            let banner = format!("220 {} {}", self.context.hostname, self.context.banner);
            self.say(banner.trim_end());
        }
        while let Some(line) = self.next_line().await? {
            let next = match line {
                Line::Text(line) => match command::parse(&line) {
                    Ok(request) => self.obey(request, &line).await?,
                    // A browser, or what somebody has made one send: its body holds no commands.
                    Err(_) if command::is_web(&line) => {
                        self.say_goodbye("421 4.7.0", "Error: this is a mail server")
                    }
                    // How many octets follow is not known: they would be read as commands.
                    Err(_) if command::is_chunk(&line) => {
                        self.say("521 5.5.4 Syntax: BDAT count [LAST]");
                        Next::Close
                    }
                    Err(answer) => self.say(&answer),
                },
                Line::TooLong => self.say("500 5.5.2 Error: line too long"),
                Line::Unreadable => self.say("500 5.5.2 Error: bad syntax"),
            };
            match next {
                Next::Go => {}
                Next::Close => break,
                Next::StartTls => {
                    self.flush().await?;
                    return Ok(Ended::StartTls(self.stream));
                }
            }
        }
        self.flush().await?;
        // The client may be gone already.
        let _ = self.stream.shutdown().await;
        Ok(Ended::Closed)
    }

    /// Queues an answer. A client that has been wrong too often is told to go.
    pub(super) fn say(&mut self, answer: &str) -> Next {
        self.answers.extend_from_slice(answer.as_bytes());
        self.answers.extend_from_slice(b"\r\n");
        if answer.starts_with('5') {
            self.errors += 1;
            if self.errors >= self.context.limits.errors {
                return self.say_goodbye("421 4.7.0", "Error: too many errors");
            }
        }
        Next::Go
    }

    /// Queues the last answer.
    pub(super) fn say_goodbye(&mut self, code: &str, why: &str) -> Next {
        let answer = format!("{code} {} {why}\r\n", self.context.hostname);
        self.answers.extend_from_slice(answer.as_bytes());
        Next::Close
    }

    /// Sends what was said.
    ///
    /// # Errors
    /// The connection broke, or the client does not read.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.answers.is_empty() {
            return Ok(());
        }
        if !self.context.answer_delay.is_zero() {
            tokio::time::sleep(self.context.answer_delay).await;
        }
        let patience = Duration::from_secs(self.context.limits.command_seconds);
        let sending = async {
            self.stream.write_all(&self.answers).await?;
            self.stream.flush().await
        };
        timeout(patience, sending).await??;
        self.answers.clear();
        Ok(())
    }

    /// The next command; `None` when there is none to come.
    async fn next_line(&mut self) -> io::Result<Option<Line>> {
        // Answers to pipelined commands go out together.
        if !self.input.has_line() || self.answers.len() > ANSWERS {
            self.flush().await?;
        }
        let limits = &self.context.limits;
        let patience = Duration::from_secs(limits.command_seconds);
        let line = self.input.line(&mut self.stream, limits.line_bytes);
        let line = tokio::select! {
            biased;
            () = self.context.stop.cancelled() => {
                self.say_goodbye("421 4.3.2", "Service shutting down");
                return Ok(None);
            }
            line = timeout(patience, line) => line,
        };
        match line {
            Ok(line) => line,
            Err(_) => {
                self.say_goodbye("421 4.4.2", "Error: timeout exceeded");
                Ok(None)
            }
        }
    }
}
