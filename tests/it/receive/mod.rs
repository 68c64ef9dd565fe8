//! The receiver: mail, calls and letters to sightings, incidents and alerts.

mod acme;
mod agreeing;
pub mod alert;
mod authenticity;
mod bounce;
mod burn_in;
mod calls;
mod campaigns;
mod check;
pub mod crash;
mod crowds;
mod deploy;
mod dovecot;
pub mod envelope;
mod faults;
mod gate;
mod hostile;
mod imap;
mod incident;
mod ingest;
mod letters;
mod log;
mod login;
mod mail;
mod metrics;
mod names;
pub mod phone;
mod places;
pub mod post;
mod postfix;
mod probe;
mod reload;
mod report;
mod retention;
mod sip;
mod starttls;
mod strangers;
mod transcripts;
mod vonage;
pub mod web;

use crate::harness::Who;

pub const KEISUKE: Who<'static> = Who {
    family: ("髙橋", "タカハシ"),
    given: ("圭祐", "ケイスケ"),
    unit: "707",
    mail: "keisuke.t@decoys.example",
};
pub const HANAKO: Who<'static> = Who {
    family: ("青木", "アオキ"),
    given: ("花子", "ハナコ"),
    unit: "708",
    mail: "hana88@decoys.example",
};
pub const JIRO: Who<'static> = Who {
    family: ("渡辺", "ワタナベ"),
    given: ("次郎", "ジロウ"),
    unit: "709",
    mail: "jiro.w@decoys.example",
};
