//! `[receive.sip]`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::receive::smtp::Network;

/// Calls over SIP: the telephone rings, and nobody is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SipConfig {
    /// Where SIP listens, over UDP and TCP; without it nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Addresses and networks of the provider that brings the calls. Where there are some, nobody else is
    /// heard, and they are believed who the caller is (`P-Asserted-Identity`).
    pub peers: Vec<Network>,
    /// Seconds that it rings.
    pub ring_seconds: u16,
    /// How a call is declined.
    pub decline: Decline,
    /// The `Server` header; without it there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Calls held in memory at a time, the ended ones of the last half a minute among them.
    pub calls: usize,
    /// The same of one network (a /24, or a /64 of version 6) that is not a named peer.
    pub calls_per_network: usize,
}

impl Default for SipConfig {
    fn default() -> SipConfig {
        SipConfig {
            listen: None,
            peers: Vec::new(),
            ring_seconds: 15,
            decline: Decline::Absent,
            server: None,
            calls: 1000,
            calls_per_network: 100,
        }
    }
}

/// How a call is declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// 480, as of a telephone that nobody answers.
    Absent,
    /// 486.
    Busy,
    /// 603.
    Decline,
}

impl Decline {
    pub(super) const fn status(self) -> &'static str {
        match self {
            Decline::Absent => "480 Temporarily Unavailable",
            Decline::Busy => "486 Busy Here",
            Decline::Decline => "603 Decline",
        }
    }
}
