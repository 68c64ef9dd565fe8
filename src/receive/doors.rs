//! Doors for the fuzz targets, which nobody else has: what reads strangers' bytes behind private modules.

use time::OffsetDateTime;

use super::{sip, understand};
use crate::canary::Channel;
use crate::registry::Message;

/// A mail as it is understood: its actor, and whether it is a delivery report.
pub fn mail(raw: &[u8]) {
    let message = Message {
        id: 1,
        at: OffsetDateTime::UNIX_EPOCH,
        channel: Channel::Mail,
        envelope: "{\"from\":\"\"}".to_owned(),
        recipients: Vec::new(),
        raw: raw.to_vec(),
    };
    understand::look(&message);
}

/// A message of SIP, and what would be answered.
pub fn sip(bytes: &[u8]) {
    sip::look(bytes);
}
