//! Internet messages (RFC 5322) and their MIME parts (RFC 2045), read as they stream by.
//!
//! [`Unstuffer`] undoes the dot-stuffing of SMTP, [`HeaderReader`] collects what a message's
//! header says, [`decode_words`] makes its encoded words readable. [`Reader`] tells all of a message: its
//! fields, its MIME tree, and what the parts contain; [`sniff()`] says what a file is by its octets.

mod anomaly;
mod decode;
mod even;
mod header;
mod parameters;
mod part;
mod reader;
mod sniff;
mod unstuff;
mod words;

pub use anomaly::Anomaly;
pub use even::EvenLines;
pub use header::{Header, HeaderReader, fuzz_imf};
pub use part::{ContentType, Part, TransferEncoding};
pub use reader::{Detail, Event, Field, Reader, fuzz_mime};
pub use sniff::sniff;
pub use unstuff::Unstuffer;
pub use words::decode_words;
