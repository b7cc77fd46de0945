//! What sizes and order give away without keys.
//!
//! The dialogue inside TLS is read from its record trace and from what stood in the clear around
//! it, and from nothing else: [`Sealed`] has no place for octets that a key would open.
//!
//! [`search`] keeps the most likely readings of the records in the order in which they passed:
//! each reading says of every record which commands or replies it holds, under the grammar of SMTP
//! (RFC 5321, 4954, 3030, 2920) and the lengths that each of them can have. [`templates`] knows
//! what well-known servers say, word for word; a server that is not known binds the lengths of its
//! replies as it goes. [`statements`] weighs the readings that are left: what they agree in is
//! stated, with the share of their weight as confidence. [`proof`] asks what holds in every reading
//! that the grammar allows, whatever the software.

mod calibration;
mod clients;
mod lengths;
mod replies;
mod search;
mod statements;
mod templates;
mod token;
mod words;

use crate::stream::Direction;
use crate::tls::RecordTrace;

pub use calibration::{Calibration, calibrate, dialogue, if_tls13};

/// A sealed dialogue as an observer has it: records, and what stood in the clear around them.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a> {
    /// Direction, time, type and length of the records, and what the suite makes of the lengths.
    pub trace: &'a RecordTrace,
    /// The client's direction.
    pub client: Direction,
    /// The server greets inside TLS, as with SMTP over TLS from the start (RFC 8314 §3.3).
    pub server_first: bool,
    /// What was said before STARTTLS; nothing where TLS began at once.
    pub clear: Option<Clear<'a>>,
    /// Octets of the connection are not in the capture.
    pub gaps: bool,
    /// The capture holds the end of the connection.
    pub closed: bool,
}

/// What stood in the clear before STARTTLS and bears on what follows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clear<'a> {
    /// The server's greeting, without its code.
    pub banner: Option<&'a [u8]>,
    /// Octets of the EHLO line, with its line end; it is said again inside (RFC 3207 §4.2).
    pub ehlo: Option<u64>,
    /// Octets of the reply to it.
    pub ehlo_reply: Option<u64>,
    /// Whether SIZE was offered (RFC 1870), so that clients state the size with MAIL.
    pub size_offered: bool,
}

/// A length in octets between two bounds that may be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Octets {
    /// At least.
    pub min: u64,
    /// At most; never below `min`.
    pub max: u64,
}

/// What was worked out of a sealed dialogue.
#[derive(Clone, Debug, Default)]
pub struct Inference {
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// The login, if there was one.
    pub auth: Option<Auth>,
    /// Whether the client took its leave with QUIT; `None`: cannot tell.
    pub quit: Option<bool>,
    /// The server's software.
    pub server: Option<Software>,
    /// The client's software.
    pub client: Option<Software>,
    /// The records that carry the dialogue, each with its reading.
    pub steps: Vec<Step>,
    /// Why a part could not be read.
    pub undecided: Vec<String>,
}

/// A message that was handed over, or meant to be.
#[derive(Clone, Debug)]
pub struct Message {
    /// Octets of the sender's address, without the brackets; `None`: cannot tell.
    pub sender_length: Option<Octets>,
    /// One for each RCPT, in order.
    pub recipients: Vec<Recipient>,
    /// How the message was sent.
    pub transfer: Option<Transfer>,
    /// Octets between the reply 354 and the final dot line, or the sum of the chunks.
    pub size: Option<Octets>,
    /// Whether the server took it.
    pub accepted: Option<bool>,
    /// How sure the reading of the message is, 0 to 1.
    pub confidence: f64,
    /// Claims that hold in every reading that the grammar allows.
    pub determined: Vec<&'static str>,
    /// The steps that the message stands in: the first and the last.
    pub steps: (usize, usize),
}

/// A recipient.
#[derive(Clone, Copy, Debug)]
pub struct Recipient {
    /// Octets of the address, without the brackets; `None`: cannot tell.
    pub address_length: Option<Octets>,
    /// Whether the server took it.
    pub accepted: Option<bool>,
    /// How sure both are, 0 to 1.
    pub confidence: f64,
    /// The step with its RCPT.
    pub step: usize,
}

/// How a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transfer {
    /// DATA, ended by a line of one dot (RFC 5321 §4.1.1.4).
    Data,
    /// BDAT, chunks of stated length (RFC 3030).
    Bdat,
}

impl Transfer {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Transfer::Data => "DATA",
            Transfer::Bdat => "BDAT",
        }
    }
}

/// A login.
#[derive(Clone, Debug)]
pub struct Auth {
    /// The SASL mechanism; `None`: cannot tell.
    pub mechanism: Option<&'static str>,
    /// Whether it succeeded.
    pub succeeded: Option<bool>,
    /// Octets of the user name.
    pub username_length: Option<Octets>,
    /// Octets of the password.
    pub password_length: Option<Octets>,
    /// Octets of user name and password together, where only the sum shows (PLAIN).
    pub credential_length: Option<Octets>,
    /// How sure the reading is, 0 to 1.
    pub confidence: f64,
    /// Claims that hold in every reading that the grammar allows.
    pub determined: Vec<&'static str>,
    /// The steps that it stands in: the first and the last.
    pub steps: (usize, usize),
}

/// A family of software.
#[derive(Clone, Debug, PartialEq)]
pub struct Software {
    /// Its name, as the table of templates has it.
    pub name: &'static str,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
}

/// A record, or a run of records, that carries part of the dialogue.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its index in the trace.
    pub record: usize,
    /// How many records it stands for: more than one in the middle of a long message.
    pub records: usize,
    /// Who sent it.
    pub direction: Direction,
    /// Octets of text in it.
    pub length: Octets,
    /// What it most likely says; empty: cannot tell.
    pub reading: String,
    /// How sure the reading is, 0 to 1.
    pub confidence: f64,
}

impl Octets {
    /// Exactly `n`.
    #[must_use]
    pub fn exactly(n: u64) -> Octets {
        Octets { min: n, max: n }
    }

    /// Whether `n` fits.
    #[must_use]
    pub fn contains(self, n: u64) -> bool {
        (self.min..=self.max).contains(&n)
    }

    /// Less `n` octets, at both ends, never below nothing.
    #[must_use]
    pub fn less(self, n: u64) -> Octets {
        Octets { min: self.min.saturating_sub(n), max: self.max.saturating_sub(n) }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Octets) -> Octets {
        Octets { min: self.min + other.min, max: self.max + other.max }
    }
}

/// Reads a sealed dialogue.
#[must_use]
pub fn infer(sealed: &Sealed<'_>) -> Inference {
    statements::of(sealed, &search::search(sealed))
}
