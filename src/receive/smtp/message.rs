//! A message, by DATA or in chunks: reading it, storing it, and answering for it.
//!
//! It is answered with 250 when it is durable, and not before; whatever keeps it from that and is not
//! the message's fault is answered with a 4xx, so that the client comes again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::data::{DataReader, Received};
use super::identity::same_as;
use super::obey::Envelope;
use super::session::{Next, Protocol, Session, Transaction};
use crate::canary::Channel;
use crate::metrics::metrics;
use crate::registry::NewMessage;

/// A message may be this many times too large before its client is cut off.
const PATIENCE: u64 = 4;
/// Memory is reserved in pieces of so many KiB.
const PIECE_KIB: usize = 64;
/// A message that comes with fewer bytes a second is a way to hold a place, and no message.
const SLOWEST: u64 = 100;

pub(super) const NO_MAIL: &str = "503 5.5.1 Error: need MAIL command";
pub(super) const TOO_LARGE: &str = "552 5.3.4 Message size exceeds fixed limit";
pub(super) const NO_STORAGE: &str = "452 4.3.1 Insufficient system storage";
const NOT_STORED: &str = "451 4.3.0 Error: queue file write error";

/// What has come of a message in chunks.
pub(super) struct Chunks {
    raw: Vec<u8>,
    memory: Memory,
    started: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    pub(super) async fn data(&mut self) -> io::Result<Next> {
        let Some(transaction) = self.transaction.take() else {
            return Ok(self.say(NO_MAIL));
        };
        if let Some(refusal) = self.without_recipients(&transaction) {
            self.transaction = Some(transaction);
            return Ok(self.say(refusal));
        }
        if transaction.chunks.is_some() {
            self.transaction = Some(transaction);
            return Ok(self.say("503 5.5.1 Error: DATA after BDAT"));
        }
        self.asked.sending(&transaction.recipients);
        self.say("354 End data with <CR><LF>.<CR><LF>");
        self.flush().await?;
        self.commands = 0;

        let started = Instant::now();
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
                metrics().message(self.protocol.name(), reason(TOO_LARGE));
                return Ok(self.say_goodbye("552 5.3.4", "Message size exceeds fixed limit"));
            }
            if let Some(end) = self.more(started, reader.seen()).await? {
                return Ok(end);
            }
        }
        Ok(match reader.finish() {
            Received::Whole(raw) => self.store(&transaction, raw).await,
            Received::TooLarge if memory.short => self.put_off(&transaction, NO_STORAGE),
            Received::TooLarge => self.refuse(&transaction, TOO_LARGE),
        })
    }

    /// BDAT: `size` octets follow, and are taken whatever is answered.
    pub(super) async fn bdat(&mut self, size: usize, last: bool) -> io::Result<Next> {
        let limit = self.context.limits.message_bytes;
        if size as u64 > PATIENCE * limit as u64 {
            metrics().message(self.protocol.name(), reason(TOO_LARGE));
            return Ok(self.say_goodbye("552 5.3.4", "Message size exceeds fixed limit"));
        }
        let mut transaction = self.transaction.take();
        let refusal = match &transaction {
            None => Some(NO_MAIL),
            Some(transaction) => self.without_recipients(transaction),
        };
        let chunks = transaction.as_mut().and_then(|t| t.chunks.take());
        let mut chunks = chunks.unwrap_or_else(|| Chunks {
            raw: Vec::new(),
            memory: Memory::none(),
            started: Instant::now(),
        });
        let fits = refusal.is_none() && size <= limit - chunks.raw.len();
        if let (true, Some(transaction)) = (fits, &transaction) {
            self.asked.sending(&transaction.recipients);
            if size > 0 {
                self.commands = 0;
            }
        }
        let mut left = size;
        loop {
            let piece = self.input.piece();
            let taken = piece.len().min(left);
            if fits && chunks.memory.covers(chunks.raw.len() + taken, self.context) {
                chunks.raw.extend_from_slice(&piece[..taken]);
            }
            self.input.used(taken);
            left -= taken;
            if left == 0 {
                break;
            }
            self.flush().await?;
            let seen = chunks.raw.len().max(size - left);
            if let Some(end) = self.more(chunks.started, seen as u64).await? {
                return Ok(end);
            }
        }
        let Some(mut transaction) = transaction else {
            return Ok(self.say(NO_MAIL));
        };
        if let Some(refusal) = refusal {
            self.transaction = Some(transaction);
            return Ok(self.say(refusal));
        }
        // What was refused in part is refused for good: the chunks that follow find no transaction.
        Ok(if chunks.memory.short {
            // Our fault: the client comes again, so that nobody has asked in vain.
            self.asked.served(&transaction.recipients);
            self.answer_chunk(&transaction, last, NO_STORAGE)
        } else if !fits {
            self.answer_chunk(&transaction, last, TOO_LARGE)
        } else if last {
            self.store(&transaction, chunks.raw).await
        } else {
            transaction.chunks = Some(chunks);
            self.transaction = Some(transaction);
            self.say(&format!("250 2.0.0 Ok: {size} bytes"))
        })
    }

    /// What a client gets that has no recipient to send to.
    fn without_recipients(&self, transaction: &Transaction) -> Option<&'static str> {
        transaction
            .recipients
            .is_empty()
            .then_some(match self.protocol {
                Protocol::Smtp => "554 5.5.1 Error: no valid recipients",
                Protocol::Lmtp => "503 5.5.1 Error: no valid recipients",
            })
    }

    /// Waits for more of a message that began at `started` and of which `seen` bytes are here. What ends
    /// the session instead, if nothing comes.
    async fn more(&mut self, started: Instant, seen: u64) -> io::Result<Option<Next>> {
        let silence = Duration::from_secs(self.context.limits.data_seconds);
        let all = silence + Duration::from_secs(seen / SLOWEST);
        let left = all.saturating_sub(started.elapsed());
        let filled = timeout(silence.min(left), self.input.fill(&mut self.stream)).await;
        Ok(match filled.ok().transpose()? {
            Some(true) => None,
            Some(false) => Some(Next::Close),
            None => Some(self.say_goodbye("421 4.4.2", "Error: timeout exceeded")),
        })
    }

    /// Answers for a message that is refused, and counts why.
    fn refuse(&mut self, transaction: &Transaction, answer: &str) -> Next {
        metrics().message(self.protocol.name(), reason(answer));
        self.answer(transaction, answer)
    }

    /// Answers for a message: once, or by LMTP once for each recipient that was accepted.
    fn answer(&mut self, transaction: &Transaction, answer: &str) -> Next {
        let times = match self.protocol {
            Protocol::Smtp => 1,
            Protocol::Lmtp => transaction.accepted,
        };
        let mut next = Next::Go;
        for _ in 0..times {
            if next == Next::Go {
                next = self.say(answer);
            }
        }
        next
    }

    fn answer_chunk(&mut self, transaction: &Transaction, last: bool, answer: &str) -> Next {
        if last {
            self.refuse(transaction, answer)
        } else {
            metrics().message(self.protocol.name(), reason(answer));
            self.say(answer)
        }
    }

    /// Answers that it is our fault: the client comes again, so that nobody has asked in vain.
    fn put_off(&mut self, transaction: &Transaction, answer: &str) -> Next {
        self.asked.served(&transaction.recipients);
        self.refuse(transaction, answer)
    }

    async fn store(&mut self, transaction: &Transaction, raw: Vec<u8>) -> Next {
        let whole = Instant::now();
        let queued_as = format!("{:010X}", rand::random::<u64>() >> 24);
        let envelope = Envelope {
            peer: self.peer,
            helo: self.helo.as_deref().unwrap_or_default(),
            from: &transaction.from,
            tls: self.tls,
            smtputf8: transaction.smtputf8,
            lmtp: self.protocol == Protocol::Lmtp,
            queued_as: &queued_as,
            probe: None,
            guessed: self.asked.guessed_before_mail(),
        };
        let Ok(envelope) = serde_json::to_string(&envelope) else {
            return self.put_off(transaction, NOT_STORED);
        };
        let message = NewMessage {
            at: OffsetDateTime::now_utc(),
            channel: Channel::Mail,
            envelope,
            same_as: same_as(&transaction.from, &transaction.recipients, &raw),
            recipients: transaction.recipients.clone(),
            raw,
        };
        // From here on it may be stored, whatever becomes of the session.
        self.asked.served(&transaction.recipients);
        match self.context.intake.accept(message).await {
            Ok(_) => {
                metrics().message(self.protocol.name(), "accepted");
                metrics().durable_after(whole.elapsed());
                self.answer(transaction, &format!("250 2.0.0 Ok: queued as {queued_as}"))
            }
            Err(_) => self.refuse(transaction, NOT_STORED),
        }
    }
}

/// Why a message was refused, in a word.
fn reason(answer: &str) -> &'static str {
    match answer {
        TOO_LARGE => "too_large",
        NO_STORAGE => "no_memory",
        _ => "not_stored",
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
