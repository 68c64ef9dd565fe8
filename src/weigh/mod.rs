//! How much better a leak explains what has reached a source's canaries than chance does.
//!
//! # The two hypotheses
//!
//! **H1**: a list of the source is in strangers' hands. Whoever has it reaches each of the source's contact
//! points on a channel with one unknown chance, whose logarithm is spread evenly from one in ten thousand to
//! certainty; half of all who have a list do not use the channel at all. Strays come on top.
//!
//! **H0**: nothing has leaked, and all of it is background: strays (a dictionary that guesses an address, a
//! wrong number, a letter put into the wrong box), each contact point by itself at a rate that is known only
//! to about a factor of ten; or a *sweep*, in which one stranger tries the contact points of all sources
//! alike, at a chance spread as above (a robocaller that dials whole ranges, a dictionary of names on a
//! domain of ours). [`Way::background`] states the rate and the chance of a sweep for each channel.
//!
//! # The data
//!
//! For each channel, at how many of the source's contact points anything came, out of how many, in how many
//! years; and the same for the contact points of each other source, which tell a sweep from a leak: a sweep
//! reaches all of them. Under either hypothesis another source may have leaked as well, each with the chance
//! [`LEAKED`]: whoever writes to everybody on two lists and to nobody on a third has two lists, and is no
//! sweep. Where every source is reached alike there is nothing to tell two leaks from a sweep, and it stays
//! undecided. A contact point counts once, however often it was reached and by
//! however many: mails of one actor to one canary are one event. A telephone number is one contact point
//! however many canaries share it. A canary that was both probed and written to counts as written to.
//!
//! How many different strangers came to one contact point is not counted: it would say more, and we do not
//! know how dependent they are.
//!
//! Telephone numbers are judged apart, each against its own burn-in and with who called: see [`weigh_calls`].
//!
//! The ratio of a channel is P(data | H1) / P(data | H0), both integrated over what is unknown: two fixed
//! hypotheses, so its expectation under H0 is 1, and by Markov's inequality background alone reaches 1,000 at
//! most once in a thousand. Channels are multiplied: given H0 they are independent, as far as we model.
//!
//! # What caps it
//!
//! A canary's details may have got out from us instead: from the registry, its mail server, a person who
//! saw them. One canary therefore carries at most [`KEPT`] powers of ten, and one whose details were shown
//! at most [`SHOWN`]; several carry the sum. Nothing carries more than [`MOST`]: the model itself may be
//! wrong. Caps only take away, so the bound above stays.

mod calls;
#[cfg(test)]
pub(crate) mod drawn;
mod grid;
mod verdict;

pub use calls::{
    Background as CallBackground, CallsWeight, Event, Line, OPENS, named, weigh_calls,
};
pub use verdict::{ChannelWeight, Limit, Standing, Verdict, Weight, support, verdict};

use crate::canary::{Channel, SightingKind};

/// Powers of ten that one canary carries whose details nobody was shown.
pub const KEPT: f64 = 3.0;
/// Powers of ten that one canary carries whose details somebody was shown.
pub const SHOWN: f64 = 1.0;
/// How probable it is that another source has leaked, before anything is looked at. A judgement: it only has to be
/// more probable than a sweep that spares a whole source.
pub const LEAKED: f64 = 0.01;
/// Powers of ten that anything carries.
pub const MOST: f64 = 12.0;

/// A kind of contact with a background of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A mail.
    Mail,
    /// A check of a mail address without a mail.
    Probe,
    /// A call or a text message.
    Phone,
    /// A letter.
    Post,
    /// An attempt to log in.
    Login,
    /// A customer's report.
    Report,
}

/// What comes to a contact point that no list holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Background {
    /// Strays at one contact point in a year, give or take a factor of ten.
    pub strays: f64,
    /// Sweeps in a year.
    pub sweeps: f64,
}

impl Way {
    /// All ways.
    pub const ALL: [Way; 6] = [
        Way::Mail,
        Way::Probe,
        Way::Phone,
        Way::Post,
        Way::Login,
        Way::Report,
    ];

    /// The way of a sighting.
    pub const fn of(channel: Channel, kind: SightingKind) -> Way {
        match (channel, kind) {
            (Channel::Mail, SightingKind::Probe) => Way::Probe,
            (Channel::Mail, _) => Way::Mail,
            (Channel::Phone | Channel::Sms, _) => Way::Phone,
            (Channel::Post, _) => Way::Post,
            (Channel::Login, _) => Way::Login,
            (Channel::Report, _) => Way::Report,
        }
    }

    /// The name in words and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Way::Mail => "mail",
            Way::Probe => "probe",
            Way::Phone => "phone",
            Way::Post => "post",
            Way::Login => "login",
            Way::Report => "report",
        }
    }

    /// What is to be expected without a leak. These are judgements, not measurements: an address that
    /// was never published is guessed rarely; a telephone number is called by somebody every few months;
    /// a letter needs the name together with the address; a report is somebody else's word about mail that
    /// may have come from anywhere.
    pub const fn background(self) -> Background {
        match self {
            Way::Mail => Background {
                strays: 1e-3,
                sweeps: 1e-2,
            },
            Way::Probe => Background {
                strays: 1e-2,
                sweeps: 0.1,
            },
            Way::Phone => Background {
                strays: 2.0,
                sweeps: 1.0,
            },
            Way::Post => Background {
                strays: 1e-4,
                sweeps: 1e-3,
            },
            Way::Login => Background {
                strays: 1e-3,
                sweeps: 3e-2,
            },
            Way::Report => Background {
                strays: 1.0,
                sweeps: 1.0,
            },
        }
    }
}

/// Contact points, and how many of them were reached.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reach {
    /// How many there are.
    pub points: u32,
    /// At how many anything came.
    pub reached: u32,
    /// For how many years they have been there.
    pub years: f64,
}

/// What has come by one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The way.
    pub way: Way,
    /// At the source.
    pub here: Reach,
    /// At each other source.
    pub elsewhere: Vec<Reach>,
}

impl Seen {
    /// log10 of the likelihood ratio of what came this way.
    pub fn log10_lr(&self) -> f64 {
        grid::log10_lr(self)
    }
}
