//! The `inferred` object: what a sealed dialogue gives away by its sizes.

use serde::Serialize;

use super::{Utterance, is_zero, seconds};
use crate::limits::MAX_STEPS;
use crate::observe::infer::{self, Inference};
use crate::session::{self, TlsSeen};
use crate::stream::Direction;
use crate::time::Timestamp;

/// What a sealed dialogue gives away by its sizes. Lengths are in octets.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Inferred {
    /// The messages, in order; null where their number cannot be told.
    pub messages: Option<Vec<InferredMessage>>,
    /// The login; null where there was none, or none can be told.
    pub auth: Option<InferredAuth>,
    /// Whether the client took its leave with QUIT; null: cannot tell.
    pub quit: Option<bool>,
    /// The server's software; null: cannot tell.
    pub server: Option<Software>,
    /// The client's software; null: cannot tell.
    pub client: Option<Software>,
    /// How sure the number of messages and the presence of a login are, 0 to 1.
    pub confidence: f64,
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
    /// One for each RCPT, in order; null where their number cannot be told.
    pub recipients: Option<Vec<InferredRecipient>>,
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
    pub software: String,
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
    /// Octets of the record, as its header says.
    pub length: u16,
    /// Why it is read so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How sure the reading is, 0 to 1.
    pub confidence: Option<f64>,
    /// What else it may say, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<Rival>,
}

/// Another reading of a record.
#[derive(Clone, Debug, Serialize)]
pub struct Rival {
    /// What it may say.
    pub reading: String,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
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
pub(super) fn of(found: &session::Session, tls: &TlsSeen, read: Inference) -> Inferred {
    let beyond: u64 = Direction::BOTH.iter().map(|d| tls.trace.beyond(*d).records).sum();
    let in_all = read.steps.len();
    let steps: Vec<Step> = read.steps.into_iter().take(MAX_STEPS).map(|one| step(found, tls, one)).collect();
    Inferred {
        messages: read.messages.map(|messages| messages.into_iter().map(message).collect()),
        auth: read.auth.map(auth),
        quit: read.quit,
        server: read.server.map(Software::from),
        client: read.client.map(Software::from),
        confidence: rounded(read.confidence),
        steps_dropped: (in_all - steps.len()) as u64 + beyond,
        steps,
        undecided: read.undecided,
    }
}

/// Gives each sealed record among `utterances` its reading; both are in the order in which records passed.
pub(super) fn tell(steps: Vec<Step>, utterances: &mut [Utterance]) {
    let mut records = utterances.iter_mut().filter(|utterance| utterance.kind == "tls" && utterance.sealed);
    for step in steps {
        let is_it = |record: &&mut Utterance| {
            record.from == step.from && record.length == u64::from(step.length) && record.packets == step.packets
        };
        let Some(record) = records.find(is_it) else { return };
        if step.reading.is_some() {
            (record.reading, record.confidence) = (step.reading, step.confidence);
        }
    }
}

/// Of padded records less is known when all have passed: each length within the block of its direction.
pub(super) fn tell_padding(found: &session::Session, tls: &TlsSeen, utterances: &mut [Utterance]) {
    for direction in [found.client(), found.client().reversed()] {
        let Some(block) = tls.trace.padding_block(direction) else { continue };
        let from = session::role(found.client(), direction);
        let records = utterances.iter_mut().filter(|utterance| utterance.kind == "tls" && utterance.sealed);
        for length in records.filter(|record| record.from == from).filter_map(|record| record.plaintext_length.as_mut())
        {
            length.min = (length.max + 1).saturating_sub(u64::from(block));
        }
    }
}

fn step(found: &session::Session, tls: &TlsSeen, step: infer::Step) -> Step {
    Step {
        record: step.record as u64 + 1,
        packets: found.packets(step.span),
        from: session::role(found.client(), step.direction),
        time: step.time,
        plaintext_length: step.plaintext_length.map(Length::from),
        reading: step.reading,
        length: tls.trace.records().get(step.record).map_or(0, |record| record.length),
        reason: step.reason,
        confidence: step.confidence.map(rounded),
        rivals: step
            .rivals
            .into_iter()
            .map(|(reading, confidence)| Rival { reading, confidence: rounded(confidence) })
            .collect(),
    }
}

fn message(message: infer::Message) -> InferredMessage {
    InferredMessage {
        sender_length: message.sender_length.map(Length::from),
        recipients: message.recipients.map(|recipients| {
            recipients
                .iter()
                .map(|recipient| InferredRecipient {
                    address_length: recipient.address_length.map(Length::from),
                    accepted: recipient.accepted,
                    confidence: rounded(recipient.confidence),
                })
                .collect()
        }),
        transfer: message.transfer.map(infer::Transfer::name),
        size: message.size.map(Length::from),
        accepted: message.accepted,
        confidence: rounded(message.confidence),
        determined: message.determined.iter().map(|claim| claim.name()).collect(),
    }
}

fn auth(auth: infer::Login) -> InferredAuth {
    InferredAuth {
        mechanism: auth.mechanism,
        succeeded: auth.succeeded,
        username_length: auth.username_length.map(Length::from),
        password_length: auth.password_length.map(Length::from),
        credential_length: auth.credential_length.map(Length::from),
        confidence: rounded(auth.confidence),
        determined: auth.determined.iter().map(|claim| claim.name()).collect(),
    }
}

/// Confidence to three decimals, never rounded up to certainty.
fn rounded(confidence: f64) -> f64 {
    ((confidence.clamp(0.0, 1.0) * 1000.0).floor() / 1000.0).min(MOST_CONFIDENT)
}

/// No reading of lengths is surer than this.
const MOST_CONFIDENT: f64 = 0.999;
