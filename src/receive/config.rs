//! The `[receive]` section of `otori.toml`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::AcmeConfig;
use super::authenticate::{AuthConfig, ExpectedConfig};
use super::calendar;
use super::imap::ImapConfig;
use super::report::ReportConfig;
use super::sip::SipConfig;
use super::smtp::Network;
use crate::canary::Campaign;
use crate::canary::Domain;
use crate::custody::PersonConfig;

/// How mail, calls and letters come in. Everything has a default: an empty section serves SMTP and
/// HTTP on loopback, with every webhook and page that needs a secret closed.
///
/// Secrets are never in the file itself: it names files of mode 0600, whose paths are relative to
/// the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiveConfig {
    /// Where SMTP listens.
    pub smtp: SocketAddr,
    /// Where LMTP listens, for a mail server that hands messages on to us; without it nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lmtp: Option<SocketAddr>,
    /// Where a Postfix in front asks which recipients there are (`socketmap:inet:127.0.0.1:2423:recipients`);
    /// without it nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socketmap: Option<SocketAddr>,
    /// Where HTTP listens: webhooks, mail-room page, dashboard, API.
    pub http: SocketAddr,
    /// The name in the banner, as a mail server of the domain would have (`mx1.shop.example`);
    /// without it, this machine's.
    pub hostname: Option<String>,
    /// What stands behind the name in the banner.
    pub banner: String,
    /// Milliseconds that every answer waits, for a server that is to seem farther away or busier.
    pub answer_delay_ms: u64,
    /// Addresses and networks (`10.1.0.0/16`) that speak the PROXY protocol, and so say who their clients
    /// are. From them nothing else is taken; anybody else is not believed.
    pub proxies: Vec<Network>,
    /// The HTTP server's address as strangers see it (`https://hooks.shop.example`). Twilio signs
    /// it, so its webhooks stay closed without.
    pub public_url: Option<String>,
    /// File with the token that `/metrics` asks for (`Authorization: Bearer …`). Without it `/metrics` answers
    /// this machine alone, and no proxy on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_token_file: Option<PathBuf>,
    /// Domains of the pool that take mail for any address. The others take it for their canaries and
    /// refuse the rest, as an ordinary domain does.
    pub catch_all: Vec<Domain>,
    /// Certificate for STARTTLS; without it STARTTLS is not offered. Both files are read again when
    /// they change.
    pub tls: Option<TlsConfig>,
    /// A certificate for STARTTLS that the receiver gets itself, from an ACME authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acme: Option<AcmeConfig>,
    /// A maildir that another mail server fills: what comes into its `new` is taken, and moved to its `cur`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maildir: Option<PathBuf>,
    /// Mailboxes at providers that are read over IMAP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imap: Vec<ImapConfig>,
    /// Who says whether a mail is from whom it claims.
    pub auth: AuthConfig,
    /// Who writes to a source's customers on its behalf: their mail, once it is proven to be theirs, is no alarm.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<ExpectedConfig>,
    /// A CSV of planned mailings (source, sender, planned, tolerance, share): their proven mail is no alarm, and is missed
    /// where it does not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaigns: Option<PathBuf>,
    /// What one client may take.
    pub limits: Limits,
    /// Phone webhooks.
    pub phone: PhoneConfig,
    /// Calls over SIP.
    pub sip: SipConfig,
    /// Attempts to log in.
    pub login: LoginConfig,
    /// Letters.
    pub post: PostConfig,
    /// Customers' reports.
    pub report: ReportConfig,
    /// Who may open the mail-room page and the dashboard: these, and the workspace's own `[[people]]`.
    pub people: Vec<PersonConfig>,
}

impl Default for ReceiveConfig {
    fn default() -> ReceiveConfig {
        ReceiveConfig {
            smtp: SocketAddr::from((Ipv4Addr::LOCALHOST, 2525)),
            lmtp: None,
            socketmap: None,
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8025)),
            hostname: None,
            banner: "ESMTP".to_owned(),
            answer_delay_ms: 0,
            proxies: Vec::new(),
            public_url: None,
            metrics_token_file: None,
            catch_all: Vec::new(),
            tls: None,
            acme: None,
            maildir: None,
            imap: Vec::new(),
            auth: AuthConfig::default(),
            expected: Vec::new(),
            campaigns: None,
            limits: Limits::default(),
            phone: PhoneConfig::default(),
            sip: SipConfig::default(),
            login: LoginConfig::default(),
            post: PostConfig::default(),
            report: ReportConfig::default(),
            people: Vec::new(),
        }
    }
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate, followed by those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Limits of the SMTP receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest message in bytes; a larger one is refused with 552.
    pub message_bytes: usize,
    /// Recipients of one message; further ones are refused with 452, and the client sends again.
    pub recipients: usize,
    /// Longest command line in bytes.
    pub line_bytes: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address, or one /64 of version 6.
    pub connections_per_address: usize,
    /// Connections at a time from one network: a /24, or a /64 of version 6.
    pub connections_per_network: usize,
    /// Bytes of unfinished messages held in memory by all connections together.
    pub memory_bytes: usize,
    /// Recipients accepted for which no message has come yet, or which wait to be stored as recipient checks, of all
    /// connections together; further ones are put off with 452. Each takes 0.4 KB of memory, and 3 KB at most.
    pub checks: usize,
    /// The same from one network.
    pub checks_per_network: usize,
    /// Wrong commands after which a client is sent away.
    pub errors: u32,
    /// Seconds of silence after which a client is sent away between commands.
    pub command_seconds: u64,
    /// Seconds of silence after which a client is sent away inside a message, and the start that one
    /// has which comes drop by drop.
    pub data_seconds: u64,
    /// Seconds that one connection may last.
    pub session_seconds: u64,
}

/// Longer than a minute nobody waits for each answer of a mail server.
const LONGEST_DELAY_MS: u64 = 60_000;
/// Octets of a command line that every server takes (RFC 5321, section 4.5.3.1.4).
const SHORTEST_LINE: usize = 512;

impl ReceiveConfig {
    /// With what the receiver could not be what it is for; each fault in words.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(name) = &self.hostname
            && (name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()))
        {
            faults.push("hostname is not a name like mx1.shop.example".to_owned());
        }
        if self.banner.contains(char::is_control) {
            faults.push("banner has a control character; it is one line of text".to_owned());
        }
        if let Some(server) = &self.sip.server
            && (server.is_empty() || server.contains(char::is_control))
        {
            let wrong =
                "sip.server is empty or has a control character; leave it out for no Server header";
            faults.push(wrong.to_owned());
        }
        if self.answer_delay_ms > LONGEST_DELAY_MS {
            faults.push(format!(
                "answer_delay_ms is {}: no client waits longer than {LONGEST_DELAY_MS} for every answer",
                self.answer_delay_ms
            ));
        }
        let limits = &self.limits;
        if limits.line_bytes < SHORTEST_LINE {
            faults.push(format!(
                "limits.line_bytes is {}: a command has up to {SHORTEST_LINE} bytes",
                limits.line_bytes
            ));
        }
        if limits.memory_bytes < limits.message_bytes {
            faults.push(format!(
                "limits.memory_bytes is {}, less than message_bytes: no message that large could be taken",
                limits.memory_bytes
            ));
        }
        for (name, none) in [
            ("message_bytes", limits.message_bytes == 0),
            ("recipients", limits.recipients == 0),
            ("connections", limits.connections == 0),
            (
                "connections_per_address",
                limits.connections_per_address == 0,
            ),
            (
                "connections_per_network",
                limits.connections_per_network == 0,
            ),
            ("memory_bytes", limits.memory_bytes == 0),
            ("checks", limits.checks == 0),
            ("checks_per_network", limits.checks_per_network == 0),
            ("errors", limits.errors == 0),
            ("command_seconds", limits.command_seconds == 0),
            ("data_seconds", limits.data_seconds == 0),
            ("session_seconds", limits.session_seconds == 0),
        ] {
            if none {
                faults.push(format!("limits.{name} is 0: nothing could be received"));
            }
        }
        faults
    }

    /// What is planned, by the calendar that it names; `dir` is the workspace.
    ///
    /// # Errors
    /// The calendar cannot be read, or is not right; in words.
    pub fn calendar(&self, dir: &Path) -> Result<Vec<Campaign>, String> {
        match &self.campaigns {
            Some(file) => calendar::read(dir, file),
            None => Ok(Vec::new()),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_bytes: 25 << 20,
            recipients: 100,
            line_bytes: 2048,
            connections: 1000,
            connections_per_address: 400,
            connections_per_network: 600,
            memory_bytes: 512 << 20,
            checks: 50_000,
            checks_per_network: 10_000,
            errors: 20,
            command_seconds: 300,
            data_seconds: 180,
            session_seconds: 3600,
        }
    }
}

/// Phone webhooks, and how long a number is listened to before it is given away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PhoneConfig {
    /// File with Twilio's auth token; without it `/hooks/twilio/…` are closed.
    pub twilio_token_file: Option<PathBuf>,
    /// File with the signature secret of a Vonage account; without it `/hooks/vonage/…` are closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vonage_secret_file: Option<PathBuf>,
    /// File with the secret that signs `/hooks/phone`; without it that webhook is closed.
    pub secret_file: Option<PathBuf>,
    /// Days for which a number is to be listened to before a canary gets it; `otori plant` tells of those
    /// that were not.
    pub burn_in_days: u16,
}

impl Default for PhoneConfig {
    fn default() -> PhoneConfig {
        PhoneConfig {
            twilio_token_file: None,
            vonage_secret_file: None,
            secret_file: None,
            // Robocallers' campaigns last days; two weeks see weekdays and weekends twice.
            burn_in_days: 14,
        }
    }
}

/// Attempts to log in, told by the source's own application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginConfig {
    /// File with the secret that signs `/hooks/login`; without it that webhook is closed.
    pub secret_file: Option<PathBuf>,
}

/// Letters: the programs of this machine that read their photographs. Each is found in `PATH` unless a path
/// is given; `off`, or a missing program, leaves reading to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostConfig {
    /// Tesseract, with its data for Japanese and English.
    pub tesseract: PathBuf,
    /// zbarimg, for barcodes.
    pub barcodes: PathBuf,
}

impl Default for PostConfig {
    fn default() -> PostConfig {
        PostConfig {
            tesseract: PathBuf::from("tesseract"),
            barcodes: PathBuf::from("zbarimg"),
        }
    }
}
