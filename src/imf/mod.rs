//! Internet messages (RFC 5322): header fields, read as they stream by.
//!
//! [`Unstuffer`] undoes the dot-stuffing of SMTP, [`HeaderReader`] collects what a message's
//! header says, [`decode_words`] makes its encoded words readable.

mod header;
mod unstuff;
mod words;

pub use header::{Header, HeaderReader, fuzz_imf};
pub use unstuff::Unstuffer;
pub use words::decode_words;
