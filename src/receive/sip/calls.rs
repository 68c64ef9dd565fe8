//! What is answered: calls and their transactions (RFC 3261, section 17.2), and requests of other kinds.
//!
//! A call is stored before it gets its final answer, and in the store it is one call however often it
//! is sent: by its Call-ID, its caller's tag and the numbers called. A stranger over UDP may have forged his address, so
//! that he gets no more bytes than he sent, and nothing by a timer of ours.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::message::{Request, Wrong, address, read, user};
use super::numbers::Numbers;
use super::{Line, SipConfig};
use crate::canary::Channel;
use crate::metrics::metrics;
use crate::receive::smtp::around;
use crate::receive::{Intake, hex};
use crate::registry::NewMessage;

/// Timers of RFC 3261, section 17: T1, T2, and how long a transaction is remembered.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const REMEMBERED: Duration = Duration::from_secs(32);
/// To whoever insists on an extension (RFC 3261, section 8.2.2.3).
const BAD_EXTENSION: &str = "420 Bad Extension";
const ALLOW: &str = "Allow: INVITE, ACK, CANCEL, OPTIONS\r\n";
/// Messages of one network in a second, and networks that are counted.
const A_SECOND: u32 = 100;
const NETWORKS: usize = 4096;

/// A call under way, or one of the last half a minute.
struct Call {
    network: Option<IpAddr>,
    state: Mutex<State>,
    cancelled: Notify,
    acknowledged: CancellationToken,
}

struct State {
    last: Option<Arc<str>>,
    /// Bytes that may still be answered to somebody who may be somebody else; `None` where he is known.
    allowed: Option<usize>,
}

/// All of them.
pub struct Calls {
    config: SipConfig,
    numbers: Numbers,
    intake: Intake,
    salt: [u8; 16],
    open: Mutex<HashMap<String, Arc<Call>>>,
    heard: Mutex<(Option<Instant>, HashMap<IpAddr, u32>)>,
    stop: CancellationToken,
}

#[derive(Serialize)]
struct Envelope<'a> {
    peer: IpAddr,
    provider: &'static str,
    from: &'a str,
    to: &'a str,
    text: &'static str,
    at: Option<String>,
    id: &'a str,
    transport: &'static str,
    /// As the caller says.
    caller: &'a str,
    /// As a peer says that is believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    asserted: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diversion: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
}

impl Calls {
    pub fn new(
        config: &SipConfig,
        numbers: Numbers,
        intake: Intake,
        stop: CancellationToken,
    ) -> Calls {
        Calls {
            config: config.clone(),
            numbers,
            intake,
            salt: rand::random(),
            open: Mutex::default(),
            heard: Mutex::default(),
            stop,
        }
    }

    /// Whether this client is heard at all.
    pub fn hears(&self, peer: IpAddr) -> bool {
        self.config.peers.is_empty() || self.believes(peer)
    }

    fn believes(&self, peer: IpAddr) -> bool {
        self.config
            .peers
            .iter()
            .any(|network| network.contains(peer))
    }

    /// Whether a network has not said too much in this second.
    fn in_measure(&self, peer: IpAddr) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, counts) = &mut *heard;
        if since.is_none_or(|since| since.elapsed() >= Duration::from_secs(1)) {
            *since = Some(Instant::now());
            counts.clear();
        }
        let network = around(peer);
        if counts.len() >= NETWORKS && !counts.contains_key(&network) {
            return false;
        }
        let count = counts.entry(network).or_default();
        *count += 1;
        *count <= A_SECOND
    }

    /// Takes one message.
    pub async fn take(self: &Arc<Self>, bytes: &[u8], line: Line) {
        let peer = line.peer.ip();
        if !self.hears(peer) || (!self.believes(peer) && !self.in_measure(peer)) {
            return metrics().turned_away("sip");
        }
        let Ok((request, wrong)) = read(bytes) else {
            return metrics().message("sip", "rejected");
        };
        let forgeable = line.datagrams() && !self.believes(peer);
        let once = async |status: &str, more: &str| {
            let answer = self.answer(&request, &line, status, more);
            if !forgeable || answer.len() <= bytes.len() {
                line.send(&request, &answer).await;
            }
        };
        if request.method == "ACK" {
            if let Some(call) = self.find(&request, &line) {
                call.acknowledged.cancel();
            }
            return;
        }
        if wrong == Some(Wrong::Request) {
            metrics().message("sip", "rejected");
            return once("400 Bad Request", "").await;
        }
        match request.method.as_str() {
            "INVITE" if request.tag("to").is_empty() => {
                self.invite(request, bytes, line, forgeable).await;
            }
            "CANCEL" => match self.find(&request, &line) {
                Some(call) => {
                    once("200 OK", "").await;
                    call.cancelled.notify_one();
                }
                None => once("481 Call/Transaction Does Not Exist", "").await,
            },
            "OPTIONS" => match request.required() {
                Some(required) => once(BAD_EXTENSION, &unsupported(&required)).await,
                None => once("200 OK", ALLOW).await,
            },
            "INVITE" | "BYE" => once("481 Call/Transaction Does Not Exist", "").await,
            _ => once("405 Method Not Allowed", ALLOW).await,
        }
    }

    async fn invite(self: &Arc<Self>, request: Request, bytes: &[u8], line: Line, forgeable: bool) {
        let key = key(&request, &line);
        let found = self.find(&request, &line);
        if let Some(call) = found {
            let last = {
                let mut state = call.state.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(allowed) = &mut state.allowed {
                    *allowed += bytes.len();
                }
                state.last.clone()
            };
            if let Some(last) = last {
                call.spend(&request, &line, &last).await;
            }
            return;
        }
        let network = (!self.believes(line.peer.ip())).then(|| around(line.peer.ip()));
        let call = Arc::new(Call {
            network,
            state: Mutex::new(State {
                last: None,
                allowed: forgeable.then_some(bytes.len()),
            }),
            cancelled: Notify::new(),
            acknowledged: CancellationToken::new(),
        });
        let room = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let same = |other: &&Arc<Call>| network.is_some() && other.network == network;
            let room = open.len() < self.config.calls
                && open.values().filter(same).count() < self.config.calls_per_network;
            if room {
                open.insert(key.clone(), Arc::clone(&call));
            }
            room
        };
        if !room {
            metrics().turned_away("sip");
            let answer = self.answer(&request, &line, "503 Service Unavailable", "");
            return call.spend(&request, &line, &answer).await;
        }
        let (calls, raw) = (Arc::clone(self), bytes.to_vec());
        tokio::spawn(async move {
            calls.ring(&call, request, raw, line).await;
            let mut open = calls.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.remove(&key);
        });
    }

    async fn ring(&self, call: &Call, request: Request, raw: Vec<u8>, line: Line) {
        if !line.forgeable(self.believes(line.peer.ip())) {
            let trying = self.answer(&request, &line, "100 Trying", "");
            call.say(&request, &line, &trying).await;
        }
        let required = request.required();
        let status = match self.store(&request, raw, &line).await {
            // The call is a contact all the same; without the extension it comes again as the same call.
            Some(true) if required.is_some() => {
                metrics().message("sip", "accepted");
                BAD_EXTENSION
            }
            Some(true) => {
                metrics().message("sip", "accepted");
                let ringing = self.answer(&request, &line, "180 Ringing", "");
                // The final answer must be affordable, too.
                let affordable = {
                    let state = call.state.lock().unwrap_or_else(PoisonError::into_inner);
                    let both = ringing.len() * 2 + 32;
                    state.allowed.is_none_or(|allowed| allowed >= both)
                };
                if affordable {
                    call.say(&request, &line, &ringing).await;
                }
                let rung = Duration::from_secs(self.config.ring_seconds.into());
                tokio::select! {
                    () = call.cancelled.notified() => "487 Request Terminated",
                    () = tokio::time::sleep(rung) => self.config.decline.status(),
                    () = self.stop.cancelled() => self.config.decline.status(),
                }
            }
            Some(false) => {
                metrics().message("sip", "rejected");
                "404 Not Found"
            }
            None => {
                metrics().message("sip", "deferred");
                "503 Service Unavailable"
            }
        };
        let more = match status == BAD_EXTENSION {
            true => required.as_deref().map(unsupported),
            false => None,
        };
        let last = self.answer(&request, &line, status, &more.unwrap_or_default());
        call.say(&request, &line, &last).await;
        let again = line.datagrams() && self.believes(line.peer.ip());
        let resend = async {
            let mut pause = T1;
            loop {
                tokio::time::sleep(pause).await;
                if again {
                    line.send(&request, &last).await;
                }
                pause = T2.min(pause * 2);
            }
        };
        tokio::select! {
            () = resend => {}
            () = tokio::time::sleep(REMEMBERED) => {}
            () = self.stop.cancelled() => {}
            // What is still under way of the same call finds its answer.
            () = async {
                call.acknowledged.cancelled().await;
                tokio::time::sleep(T2).await;
            } => {}
        }
    }

    /// Stores a call to a number of ours; `None` where that failed.
    async fn store(&self, request: &Request, raw: Vec<u8>, line: &Line) -> Option<bool> {
        let believed = self.believes(line.peer.ip());
        let named = |name| request.get(name).filter(|_| believed);
        let (called, diversion) = (named("p-called-party-id"), named("diversion"));
        let to = request.get("to");
        let addresses = [called, Some(&*request.uri), to, diversion];
        let users = addresses.into_iter().flatten();
        let users: Vec<String> = users.filter_map(|value| user(address(value))).collect();
        let numbers = self.numbers.ours(&users).await?;
        if numbers.is_empty() {
            return Some(false);
        }
        let asserted = named("p-asserted-identity");
        let caller = request.get("from").unwrap_or_default();
        let from = user(address(asserted.unwrap_or(caller))).unwrap_or_default();
        let id = request.get("call-id").unwrap_or_default();
        let now = OffsetDateTime::now_utc();
        let envelope = Envelope {
            peer: line.peer.ip(),
            provider: "sip",
            from: &from,
            to: &numbers[0],
            text: "",
            at: now.format(&Rfc3339).ok(),
            id,
            transport: if line.datagrams() { "UDP" } else { "TCP" },
            caller,
            asserted,
            diversion,
            user_agent: request.get("user-agent"),
        };
        let mut same = Sha256::new();
        let parts = [id, request.tag("from")].into_iter();
        for part in parts.chain(numbers.iter().map(String::as_str)) {
            same.update(part);
            same.update([0]);
        }
        let message = NewMessage {
            at: now,
            channel: Channel::Phone,
            envelope: serde_json::to_string(&envelope).ok()?,
            recipients: numbers.clone(),
            raw,
            same_as: Some(format!("sip {}", hex(&same.finalize()))),
        };
        self.intake.accept(message).await.ok().map(|_| true)
    }

    fn find(&self, request: &Request, line: &Line) -> Option<Arc<Call>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&key(request, line)).cloned()
    }

    /// An answer (RFC 3261, section 8.2.6), the same whenever the same is asked.
    fn answer(&self, request: &Request, line: &Line, status: &str, more: &str) -> String {
        let mut answer = format!("SIP/2.0 {status}\r\n");
        for (number, via) in request.all("via").enumerate() {
            match request.via().filter(|_| number == 0) {
                Some(top) => {
                    let received = top.whole.split(';').map(|part| {
                        let name = part.trim().to_ascii_lowercase();
                        match name == "rport" {
                            true => format!("rport={}", line.peer.port()),
                            false => part.to_owned(),
                        }
                    });
                    let top_line = received.collect::<Vec<_>>().join(";");
                    answer += &format!("Via: {top_line};received={}", line.peer.ip());
                    if !top.rest.is_empty() {
                        answer += &format!(", {}", top.rest);
                    }
                    answer += "\r\n";
                }
                None => answer += &format!("Via: {via}\r\n"),
            }
        }
        let get = |name| request.get(name).unwrap_or_default();
        answer += &format!("From: {}\r\nTo: {}", get("from"), get("to"));
        if request.tag("to").is_empty() && !status.starts_with("100") {
            let tag = Sha256::new().chain_update(self.salt);
            let tag = tag.chain_update(key(request, line)).finalize();
            answer += &format!(";tag={}", hex(&tag[..5]));
        }
        answer += &format!(
            "\r\nCall-ID: {}\r\nCSeq: {}\r\n",
            get("call-id"),
            get("cseq")
        );
        if let Some(server) = &self.config.server {
            answer += &format!("Server: {server}\r\n");
        }
        answer + more + "Content-Length: 0\r\n\r\n"
    }
}

impl Call {
    async fn say(&self, request: &Request, line: &Line, answer: &str) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.last = Some(answer.into());
        }
        self.spend(request, line, answer).await;
    }

    /// Sends what may be sent.
    async fn spend(&self, request: &Request, line: &Line, answer: &str) {
        let may = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut state.allowed {
                None => true,
                Some(allowed) if *allowed >= answer.len() => {
                    *allowed -= answer.len();
                    true
                }
                Some(_) => false,
            }
        };
        if may {
            line.send(request, answer).await;
        }
    }
}

/// Which extensions are not understood: all of them.
fn unsupported(required: &str) -> String {
    format!("Unsupported: {required}\r\n")
}

/// Which transaction a request belongs to (RFC 3261, section 17.2.3); an ACK or CANCEL has its INVITE's.
fn key(request: &Request, line: &Line) -> String {
    let (branch, sent_by) = match request.via() {
        Some(via) => (via.branch, via.sent_by),
        None => Default::default(),
    };
    let peer: SocketAddr = line.peer;
    let number = request.cseq().0.unwrap_or(0);
    match branch.starts_with("z9hG4bK") {
        true => format!("{} {sent_by} {branch}", peer.ip()),
        // A client of RFC 2543.
        false => format!(
            "{} {sent_by} {} {} {number}",
            peer.ip(),
            request.get("call-id").unwrap_or_default(),
            request.tag("from")
        ),
    }
}
