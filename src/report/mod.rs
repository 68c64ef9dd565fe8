//! Documents for people who decide: an auditor, a court, a regulator, the police, a customer.
//!
//! A document is composed once, as a [`Page`] in one language, and rendered as HTML, PDF or JSON, so
//! that no two formats can say different things. Composing is pure: what it tells is gathered from the
//! registry before (`cli` does that), and the clock is an argument.

pub mod control;
pub mod dossier;
mod html;
mod lang;
pub mod page;
pub mod pdf;
mod weight;
pub mod when;

pub use crate::figure;
pub use html::html;
pub use lang::Lang;
pub(crate) use lang::say;
pub use page::Page;
