//! The `inferred` object: what a sealed dialogue gives away by its sizes.

use serde::Serialize;

use super::{is_zero, seconds};
use crate::limits::MAX_STEPS;
use crate::observe::{self, infer};
use crate::session::{self, TlsSeen};
use crate::stream::Direction;
use crate::time::Timestamp;
use crate::tls;

/// What a sealed dialogue gives away by its sizes. Lengths are in octets.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Inferred {
    /// The messages, in order.
    pub messages: Vec<InferredMessage>,
    /// The login; null where there was none, or none can be told.
    pub auth: Option<InferredAuth>,
    /// Whether the client took its leave with QUIT; null: cannot tell.
    pub quit: Option<bool>,
    /// The server's software; null: cannot tell.
    pub server: Option<Software>,
    /// The client's software; null: cannot tell.
    pub client: Option<Software>,
    /// The records of the sealed stretch, in order.
    pub steps: Vec<Step>,
    /// Records beyond those kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub steps_dropped: u64,
    /// Why a part could not be read.
    pub undecided: Vec<String>,
}

/// A message whose contents are sealed.
#[derive(Clone, Debug, Serialize)]
pub struct InferredMessage {
    /// Octets of the sender's address, without the brackets.
    pub sender_length: Option<Length>,
    /// One for each RCPT, in order.
    pub recipients: Vec<InferredRecipient>,
    /// `DATA` or `BDAT`.
    pub transfer: Option<&'static str>,
    /// Octets between the reply 354 and the final dot line, or the sum of the chunks.
    pub size: Option<Length>,
    /// Whether the server took it.
    pub accepted: Option<bool>,
    /// How sure the reading is, 0 to 1.
    pub confidence: f64,
    /// Claims that hold in every reading that the grammar allows.
    pub determined: Vec<&'static str>,
}

/// A recipient whose address is sealed.
#[derive(Clone, Debug, Serialize)]
pub struct InferredRecipient {
    /// Octets of the address, without the brackets.
    pub address_length: Option<Length>,
    /// Whether the server took it.
    pub accepted: Option<bool>,
    /// How sure both are, 0 to 1.
    pub confidence: f64,
}

/// A login that is sealed.
#[derive(Clone, Debug, Serialize)]
pub struct InferredAuth {
    /// The SASL mechanism.
    pub mechanism: Option<&'static str>,
    /// Whether it succeeded.
    pub succeeded: Option<bool>,
    /// Octets of the user name.
    pub username_length: Option<Length>,
    /// Octets of the password.
    pub password_length: Option<Length>,
    /// Octets of both together, where only the sum shows.
    pub credential_length: Option<Length>,
    /// How sure the reading is, 0 to 1.
    pub confidence: f64,
    /// Claims that hold in every reading that the grammar allows.
    pub determined: Vec<&'static str>,
}

/// A family of software.
#[derive(Clone, Debug, Serialize)]
pub struct Software {
    /// Its name.
    pub software: &'static str,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
}

/// A sealed record.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its place among the records of the session, both ways, from 1.
    pub record: u64,
    /// The packets that carried it.
    pub packets: Vec<u64>,
    /// `client` or `server`.
    pub from: &'static str,
    /// When it was whole.
    #[serde(serialize_with = "seconds")]
    pub time: Timestamp,
    /// How many octets of text are in it.
    pub plaintext_length: Option<Length>,
    /// What it most likely says.
    pub reading: Option<String>,
    /// How sure the reading is, 0 to 1.
    pub confidence: Option<f64>,
}

/// A length in octets, between two bounds that may be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Length {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{}-{}", self.min, self.max) }
    }
}

impl From<infer::Octets> for Length {
    fn from(octets: infer::Octets) -> Length {
        Length { min: octets.min, max: octets.max }
    }
}

impl From<infer::Software> for Software {
    fn from(found: infer::Software) -> Software {
        Software { software: found.name, confidence: rounded(found.confidence) }
    }
}

/// What the records of a session give away.
pub(super) fn of(found: &session::Session, tls: &TlsSeen) -> Inferred {
    let read = observe::sealed(found).map(|sealed| infer::infer(&sealed)).unwrap_or_default();
    let mut undecided = read.undecided;
    if tls.trace.padding() != tls::Padding::NotSeen {
        undecided.push("records seem to be padded: lengths are upper bounds".to_owned());
    }
    let (steps, steps_dropped) = steps(found, tls, &read.steps);
    Inferred {
        messages: read.messages.iter().map(message).collect(),
        auth: read.auth.map(auth),
        quit: read.quit,
        server: read.server.map(Software::from),
        client: read.client.map(Software::from),
        steps,
        steps_dropped,
        undecided,
    }
}

fn message(message: &infer::Message) -> InferredMessage {
    InferredMessage {
        sender_length: message.sender_length.map(Length::from),
        recipients: message
            .recipients
            .iter()
            .map(|recipient| InferredRecipient {
                address_length: recipient.address_length.map(Length::from),
                accepted: recipient.accepted,
                confidence: rounded(recipient.confidence),
            })
            .collect(),
        transfer: message.transfer.map(infer::Transfer::name),
        size: message.size.map(Length::from),
        accepted: message.accepted,
        confidence: rounded(message.confidence),
        determined: message.determined.clone(),
    }
}

fn auth(auth: infer::Auth) -> InferredAuth {
    InferredAuth {
        mechanism: auth.mechanism,
        succeeded: auth.succeeded,
        username_length: auth.username_length.map(Length::from),
        password_length: auth.password_length.map(Length::from),
        credential_length: auth.credential_length.map(Length::from),
        confidence: rounded(auth.confidence),
        determined: auth.determined,
    }
}

/// Every record of the dialogue, as far as kept, with its reading, and how many are not kept.
fn steps(found: &session::Session, tls: &TlsSeen, read: &[infer::Step]) -> (Vec<Step>, u64) {
    let dialogue = infer::dialogue(&tls.trace, found.client(), found.smtp.is_none());
    let mut read = read.iter();
    let mut current: Option<(&infer::Step, usize)> = None;
    let steps: Vec<Step> = dialogue
        .iter()
        .take(MAX_STEPS)
        .map(|(index, record)| {
            // A reading can stand for a run of records.
            current = match current {
                Some((step, left)) if left > 0 => Some((step, left - 1)),
                _ => read.next().map(|step| (step, step.records.saturating_sub(1))),
            };
            let reading = current.map(|(step, _)| step).filter(|step| !step.reading.is_empty());
            Step {
                record: *index as u64 + 1,
                packets: found.packets(record.span()),
                from: session::role(found.client(), record.direction),
                time: record.time,
                plaintext_length: record.plaintext.map(|p| Length { min: u64::from(p.min), max: u64::from(p.max) }),
                reading: reading.map(|step| step.reading.clone()),
                confidence: reading.map(|step| rounded(step.confidence)),
            }
        })
        .collect();
    let beyond: u64 = Direction::BOTH.iter().map(|d| tls.trace.beyond(*d).records).sum();
    let dropped = (dialogue.len() - steps.len()) as u64 + beyond;
    (steps, dropped)
}

/// Confidence to three decimals, never rounded up to certainty.
fn rounded(confidence: f64) -> f64 {
    ((confidence.clamp(0.0, 1.0) * 1000.0).floor() / 1000.0).min(MOST_CONFIDENT)
}

/// No reading of lengths is surer than this.
const MOST_CONFIDENT: f64 = 0.999;
