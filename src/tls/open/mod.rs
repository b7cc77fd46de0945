//! What keys open: key logs and private keys in, plaintext out; no I/O.
//!
//! ```text
//! key log lines, decryption secrets blocks, a server's private key ─► Keys ─► Keyring
//!                                                                               │
//! Conversation ─► Event (hellos, octets of sealed records) ─► Opener ◄──────────┘
//!                                                               └─► plaintext, Opening
//! ```
//!
//! An [`Opener`] stands beside a [`Conversation`](super::Conversation) and reads its events. The conversation does not know of it, so
//! what is said of sealed records (`RecordTrace`) cannot depend on keys.
//!
//! One idea per file: `key_log` reads keys, `server_key` a private one, `schedule` derives, `suite` says what a number
//! stands for, `cipher` opens one record, `agreement` holds what a handshake agreed on, `opener` follows
//! the conversation, `opening` is what came of it.

mod agreement;
mod cipher;
mod fuzz;
mod key_log;
mod keyring;
mod opener;
mod opening;
mod schedule;
mod server_key;
mod suite;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use fuzz::fuzz_open;
pub use key_log::{KeyLog, Keys, fuzz_key_log};
pub use keyring::Keyring;
pub use opener::{OpenedRecord, Opener, Outcome};
pub use opening::{Opening, Reason};
pub use server_key::{ServerKey, ServerKeyError};
