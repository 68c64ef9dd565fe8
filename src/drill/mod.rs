//! Drills: real messages to real canaries, by the way that a stranger's would take.
//!
//! A channel that has gone deaf (a mail domain that lapsed, a webhook that points nowhere) is as still as
//! one on which nobody calls. A drill tells them apart: it is sent outside, it has to come back in, and
//! its alert has to be taken. What is sent says to nobody but our own receiver that it is a drill.

mod config;
mod error;
mod hook;
mod letter;
mod post;
mod schedule;

pub use config::{DrillConfig, InvalidSpan, Span};
pub use error::Error;
pub use hook::Hook;
pub use letter::letter;
pub use post::Postman;
pub use schedule::{CLOCKS, gap, next};
