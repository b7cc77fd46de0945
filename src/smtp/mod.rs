//! SMTP (RFC 5321) and LMTP (RFC 2033) as a dialogue of commands and replies, read from octets;
//! no I/O.
//!
//! [`Dialogue`] takes the octets of both directions as they were captured and emits [`Event`]s.
//! One idea per file: `line` cuts lines, `command` and `reply` say what a line means, `end_of_data`
//! finds the end of a message, `lenient` reads on behind its look-alikes, `auth` reads SASL exchanges; `client` and `server` hold what each
//! side's octets do to the dialogue, `settle` what a reply decides, `transfer` what a message in transit does, `ledger` which
//! transaction a command belongs to. [`probe()`] tells SMTP from other protocols by content.

mod anomaly;
mod auth;
mod capability;
mod check;
mod client;
mod command;
mod dialogue;
mod end_of_data;
mod event;
mod fuzz;
mod ledger;
mod lenient;
mod line;
mod parameter;
mod probe;
mod proxy;
mod reply;
mod server;
mod settle;
mod status;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod transfer;
mod waiting;
mod xtext;

pub use anomaly::Anomaly;
pub use auth::{AuthAttempt, Gain, MASK, Username, decode as decode_response, mask};
pub use capability::{Capability, Limits};
pub use command::{Command, Parameter, Path, Verb};
pub use dialogue::{Dialogue, fuzz_smtp};
pub use event::{AuthLine, Event, EventKind, MessageEnd, Transfer};
pub use fuzz::{fuzz_auth, fuzz_chunks, fuzz_command, fuzz_lines, fuzz_replies};
pub use lenient::{LenientEnd, LenientReading, SmuggledMail};
pub use line::LineEnd;
pub use parameter::{Body, Notify, ParameterValue, ReturnContent};
pub use probe::{Probe, Side, probe};
pub use proxy::{ClientClaim, ProxyHeader};
pub use reply::{EnhancedStatus, Reply, ReplyTo};
pub use status::Retry;
pub use summary::{ClientName, EhloKeyword, Greeting, Recipient, StartTls, StatusReply, Summary, Transaction};
pub use waiting::{Awaited, Waiting};
pub use xtext::decode_xtext;
