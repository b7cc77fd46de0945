//! What an observer has seen, can infer, and cannot see of a session. A pure function of it.
//!
//! [`exposures`] lists what somebody on the path finds; [`matrix()`] says for every subject and every
//! [`Observer`] whether it can be learned, and why.

mod advice;
mod clear;
mod context;
mod flight;
pub mod infer;
mod inside;
mod matrix;
mod reach;
mod sealed;
mod spoken;
mod ssh;
mod told;
mod why;

pub use matrix::{Cell, Matrix, Row, Subject, matrix};
pub use reach::{Answer, Reach, reach};

pub use advice::{Advice, advice};
pub use inside::{OF_THE_HANDSHAKE, inside};
pub use told::read;

use std::borrow::Cow;

use infer::Inference;

use crate::session::{Session, Verdict};
use crate::stream::{Direction, Span};

/// One thing that an observer can or cannot learn, with its evidence.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// What it is about: a word that stays the same everywhere.
    pub subject: &'static str,
    /// From where it is seen.
    pub observer: Observer,
    /// Whether it can be learned.
    pub visibility: Visibility,
    /// The value, for machines.
    pub value: Value,
    /// The value, in words. Captured octets in it are not yet made safe for a terminal.
    pub text: String,
    /// Whether it gives away a secret.
    pub alarm: bool,
    /// Where it shows.
    pub evidence: Vec<Place>,
    /// Why it can or cannot be learned: one sentence.
    pub why: Cow<'static, str>,
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Observer {
    /// Somebody on the path who only reads.
    Passive,
    /// Somebody on the path who also changes, drops and answers what passes.
    Active,
    /// Somebody who recorded the session and gets the server's private key later.
    KeyHolder,
    /// Somebody who recorded the session and has a quantum computer later.
    Future,
}

impl Observer {
    /// All of them, the weakest first.
    pub const ALL: [Observer; 4] = [Observer::Passive, Observer::Active, Observer::KeyHolder, Observer::Future];

    /// Its name in machine-readable outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Observer::Passive => "passive",
            Observer::Active => "active",
            Observer::KeyHolder => "key-holder",
            Observer::Future => "future",
        }
    }
}

/// Whether something can be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// It stands in the clear.
    Seen,
    /// It follows from sizes and order.
    Inferred,
    /// It is sealed.
    Hidden,
}

impl Visibility {
    /// Its name in machine-readable outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Visibility::Seen => "seen",
            Visibility::Inferred => "inferred",
            Visibility::Hidden => "hidden",
        }
    }
}

/// Where a fact shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Octets of a stream.
    Span(Span),
    /// A packet.
    Packet(u64),
}

/// A plain value, for machines.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing to say but that it exists.
    None,
    /// Text; captured octets that are not UTF-8 as `\xNN`.
    Text(String),
    /// A count or a length.
    Number(u64),
    /// A length between two bounds.
    Range(u64, u64),
    /// Yes or no.
    Bool(bool),
    /// Several values.
    List(Vec<Value>),
    /// Named values.
    Fields(Vec<(&'static str, Value)>),
}

impl Exposure {
    fn new(visibility: Visibility, subject: &'static str, value: Value, text: impl Into<String>) -> Exposure {
        Exposure {
            subject,
            observer: Observer::Passive,
            visibility,
            value,
            text: text.into(),
            alarm: false,
            evidence: Vec::new(),
            why: why::of_finding(subject, visibility).into(),
        }
    }

    fn seen(subject: &'static str, value: Value, text: impl Into<String>) -> Exposure {
        Exposure::new(Visibility::Seen, subject, value, text)
    }

    fn inferred(subject: &'static str, value: Value, text: impl Into<String>) -> Exposure {
        Exposure::new(Visibility::Inferred, subject, value, text)
    }

    fn hidden(subject: &'static str, text: impl Into<String>) -> Exposure {
        Exposure::new(Visibility::Hidden, subject, Value::None, text)
    }

    fn at(mut self, spans: impl IntoIterator<Item = Span>) -> Exposure {
        self.evidence.extend(spans.into_iter().map(Place::Span));
        self
    }

    fn at_packet(mut self, packet: u64) -> Exposure {
        self.evidence.push(Place::Packet(packet));
        self
    }

    fn because(mut self, why: impl Into<Cow<'static, str>>) -> Exposure {
        self.why = why.into();
        self
    }

    fn alarming(mut self, alarm: bool) -> Exposure {
        self.alarm = alarm;
        self
    }
}

/// Everything that an observer learns of a session or does not; `read` is what its lengths give away ([`read`]).
#[must_use]
pub fn exposures(session: &Session, read: Option<&Inference>) -> Vec<Exposure> {
    let mut exposures = Vec::new();
    if let Some(summary) = &session.smtp {
        let contents = |transaction| session.contents(transaction);
        clear::exposures(summary, session.ladder.as_ref(), &contents, &mut exposures);
    }
    if let Some(tls) = &session.tls {
        sealed::exposures(session, tls, read, &mut exposures);
        flight::exposures(tls, &mut exposures);
    }
    if let Some(summary) = &session.ssh {
        ssh::exposures(summary, &mut exposures);
    }
    if session.verdict != Verdict::NotMail {
        context::exposures(session, &mut exposures);
    }
    timing(session, &mut exposures);
    if session.missing > 0 && session.verdict != Verdict::NotMail {
        exposures.push(Exposure::new(
            Visibility::Seen,
            "capture",
            Value::Number(session.missing),
            format!("{} missing from it: what stood there cannot be told", plural(session.missing, "octet")),
        ));
    }
    exposures
}

fn timing(session: &Session, exposures: &mut Vec<Exposure>) {
    let connection = &session.connection;
    let [originator, responder] = Direction::BOTH.map(|direction| connection.counters(direction).packets);
    let duration = connection.last_time.since(connection.first_time);
    exposures.push(
        Exposure::seen(
            "timing, sizes",
            Value::Fields(vec![
                ("packets_originator", Value::Number(originator)),
                ("packets_responder", Value::Number(responder)),
                ("milliseconds", Value::Number((duration.nanos() / 1_000_000).max(0).unsigned_abs())),
            ]),
            format!(
                "{} in {} s, each with its time and size",
                plural(originator + responder, "packet"),
                duration.decimals(3)
            ),
        )
        .at_packet(connection.number)
        .at_packet(connection.last_packet),
    );
}

/// `1 octet`, `2 octets`.
fn plural(n: u64, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

fn utf8(bytes: &[u8]) -> Value {
    Value::Text(crate::bytes::utf8(bytes))
}

fn text(bytes: &[u8]) -> String {
    crate::bytes::utf8(bytes)
}
