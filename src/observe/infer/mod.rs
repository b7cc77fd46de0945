//! What sizes and order give away without keys: the dialogue inside TLS, read from the lengths of
//! its records.
//!
//! The reading sees a [`Facts`] and nothing else: the record trace, and what stands in the clear
//! around it. Keys do not reach it, so that a session is read alike with and without them.

//!
//! `search` keeps the most likely ways to read the records as SMTP (RFC 5321, 4954, 2920, 3030)
//! in the order in which they passed; `templates.txt` says how long the replies of known servers
//! are and how known clients write, and a server that is not known binds the lengths of its replies
//! as it goes. `statements` makes claims of what the readings that are left agree in, with their
//! share of the weight as confidence; `determined` lists
//! those that hold in every reading that the grammar allows.

mod addresses;
mod calibration;
mod claims;
mod client;
mod engine;
mod expected;
mod facts;
mod fuzz;
mod grammar;
mod learned;
mod lone;
mod memory;
mod offers;
mod parameters;
mod prior;
mod reading;
mod reason;
mod replies;
mod search;
mod software;
mod statements;
mod sums;
mod templates;
#[cfg(test)]
mod tests;

pub use calibration::{Calibration, calibrate, dialogue, if_tls13};
pub use claims::{Claim, Login, Message, Octets, Recipient, Software, Transfer};
pub use facts::{ClearSide, Facts};
pub use fuzz::fuzz_infer;
pub(super) use offers::{STARTTLS_LINE, auth_line};

use crate::stream::{Direction, Span};
use crate::time::Timestamp;

/// What the sealed part of a session gives away.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inference {
    /// The mail transactions, in order; `None` where their number cannot be told.
    pub messages: Option<Vec<Message>>,
    /// The last login; `None`: none was found.
    pub auth: Option<Login>,
    /// Whether the client said QUIT; `None`: cannot tell.
    pub quit: Option<bool>,
    /// What the server's program is.
    pub server: Option<Software>,
    /// What the client's program is.
    pub client: Option<Software>,
    /// How sure it is that there are as many transactions as `messages` has and whether there was
    /// a login, 0 to 1.
    pub confidence: f64,
    /// The records that carry the dialogue, with their readings.
    pub steps: Vec<Step>,
    /// Why a part could not be read, a sentence each.
    pub undecided: Vec<String>,
}

/// A record of the sealed dialogue, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its index in `RecordTrace::records`.
    pub record: usize,
    /// Where it stands.
    pub span: Span,
    /// Who sent it.
    pub direction: Direction,
    /// When it was whole.
    pub time: Timestamp,
    /// Octets of text in it.
    pub plaintext_length: Option<Octets>,
    /// What it most likely says.
    pub reading: Option<String>,
    /// Why it is read so: a sentence without its full stop.
    pub reason: Option<String>,
    /// How sure the reading is, 0 to 1.
    pub confidence: Option<f64>,
    /// What else it may say, with how sure that is; the most likely first.
    pub rivals: Vec<(String, f64)>,
    /// Whether every reading that the grammar allows agrees.
    pub determined: bool,
}

/// A claim is stated where what it stands in is at least as sure as this; below it is a guess.
pub const STATED: f64 = 0.9;

/// Reads the sealed part of a session.
#[must_use]
pub fn infer(facts: &Facts<'_>) -> Inference {
    let (templates, priors) = engine::built_in();
    engine::infer(facts, templates, priors)
}

/// The same with some families of servers and clients left out of the table, for evaluations: they
/// are then software that is not known. The table is made anew, which takes a moment.
#[derive(Debug)]
pub struct Reader {
    templates: templates::Templates,
    priors: prior::Priors,
}

impl Reader {
    /// With all families but these.
    #[must_use]
    pub fn without(servers: &[&str], clients: &[&str]) -> Reader {
        let templates = templates::Templates::built_in().without(servers, clients);
        let priors = prior::Priors::new(&templates);
        Reader { templates, priors }
    }

    /// Reads the sealed part of a session.
    #[must_use]
    pub fn infer(&self, facts: &Facts<'_>) -> Inference {
        engine::infer(facts, &self.templates, &self.priors)
    }
}
