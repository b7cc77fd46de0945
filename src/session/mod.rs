//! One connection from its first packet to its last: what it speaks is found by content, the
//! octets go to the decoder they belong to, STARTTLS hands them over, and what was found is kept.
//!
//! [`Tracker`] takes packets and tells a [`Sink`] what happens, as it happens.

mod connection;
mod contents;
mod inside;
mod ladder;
mod lookups;
mod mail;
mod packets;
mod tracker;
mod upgrade;
mod verdict;

use std::fmt;

use crate::capture::Packet;
use crate::flow;
use crate::imf;
use crate::smtp;
use crate::ssh;
use crate::stream::{Direction, Span};
use crate::time::Timestamp;
use crate::tls;
use crate::wire::Frame;

pub use contents::{Attachment, Contents, Protection};
pub use inside::Inside;
pub use ladder::{Failure, Ladder, Rung};
pub use lookups::{Around, LookUp, NameFound, NameSource};
pub use mail::{MessageReader, Piece};
pub use packets::PacketMap;
pub use tracker::{Config, LimitReached, Shard, Tracker};
pub use upgrade::Upgraded;

/// Takes what happens in sessions. Every method does nothing unless it is written.
pub trait Sink {
    /// Part of a mail dialogue in the clear.
    fn smtp(&mut self, at: &At<'_>, event: &smtp::Event<'_>) {
        let _ = (at, event);
    }

    /// Part of a TLS conversation, as far as it is visible.
    fn tls(&mut self, at: &At<'_>, event: &tls::Event<'_>) {
        let _ = (at, event);
    }

    /// Part of a mail dialogue inside TLS, opened with keys: spans count octets of the plaintext, and the
    /// packets are those that carried them sealed. Nobody on the path saw it.
    fn inside(&mut self, at: &At<'_>, event: &smtp::Event<'_>) {
        let _ = (at, event);
    }

    /// A sealed record of the handshake, an alert or the like that was opened, after the record itself was told.
    fn opened(&mut self, at: &At<'_>, span: Span, record: &tls::OpenedRecord, opening: &tls::Opening) {
        let _ = (at, span, record, opening);
    }

    /// Octets that are not in the capture.
    fn gap(&mut self, at: &At<'_>, span: Span) {
        let _ = (at, span);
    }

    /// TLS begins inside a protocol that is not decoded.
    fn upgraded(&mut self, at: &At<'_>, from: Upgraded) {
        let _ = (at, from);
    }

    /// Octets of an SSH connection, in stream order.
    fn ssh(&mut self, at: &At<'_>, span: Span, bytes: &[u8]) {
        let _ = (at, span, bytes);
    }

    /// Octets that no decoder takes.
    fn other(&mut self, at: &At<'_>, span: Span, bytes: &[u8]) {
        let _ = (at, span, bytes);
    }

    /// A packet, after everything that its octets made happen.
    fn packet(&mut self, seen: &Seen<'_>) {
        let _ = seen;
    }

    /// A session is over, or the capture is; noticed at packet `now`.
    fn ended(&mut self, session: Session, now: u64) {
        let _ = (session, now);
    }
}

/// When and where an event became known.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The session.
    pub session: u64,
    /// The packet that completed it.
    pub packet: u64,
    /// The packet at which it became known: a later one where octets came out of order or had to
    /// wait until it was clear what is spoken.
    pub now: u64,
    /// When that packet was captured.
    pub time: Timestamp,
    /// Whose octets are the client's.
    pub client: Direction,
    /// Of a sealed record: whether what it says is told too ([`Sink::inside`]).
    pub opened: bool,
    maps: &'a [PacketMap; 2],
}

impl At<'_> {
    /// The packets that carried `span`.
    #[must_use]
    pub fn packets(&self, span: Span) -> Vec<u64> {
        self.maps[span.direction.index()].packets(span.range())
    }

    /// `client` or `server`.
    #[must_use]
    pub fn role(&self, direction: Direction) -> &'static str {
        role(self.client, direction)
    }
}

/// `client` or `server`, where `client` is the client's direction.
#[must_use]
pub fn role(client: Direction, direction: Direction) -> &'static str {
    if direction == client { "client" } else { "server" }
}

/// A packet, once everything that it made happen was told.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The packet as captured.
    pub packet: &'a Packet<'a>,
    /// Its headers.
    pub frame: &'a Frame<'a>,
    /// Since the first packet of the capture.
    pub first_time: Timestamp,
    /// Its place in a connection, for TCP.
    pub segment: Option<SegmentSeen>,
}

/// A TCP segment's place in its connection.
#[derive(Debug)]
pub struct SegmentSeen {
    /// The session.
    pub session: u64,
    /// Who sent it.
    pub direction: Direction,
    /// The client's direction, where it is known.
    pub client: Option<Direction>,
    /// What the connection speaks, as far as known.
    pub speaks: Speaks,
    /// What TCP analysis says.
    pub analysis: flow::analysis::Analysis,
    /// The stream octets that this packet's payload stands for.
    pub span: Option<Span>,
    /// Those of them that were new and in order.
    pub fresh: Option<Span>,
    /// Whether its octets stand after others that have not come yet.
    pub ahead: bool,
    /// Whether octets of this packet wait for more before they mean something.
    pub pending: bool,
    /// The TLS version negotiated so far.
    pub tls_version: Option<tls::ProtocolVersion>,
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// Nothing has decided it yet.
    Undecided,
    /// SMTP or LMTP in the clear.
    Smtp,
    /// TLS.
    Tls,
    /// SSH.
    Ssh,
    /// Something that is not decoded.
    Other,
}

/// What happened to a mail session on its way, for somebody on the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// All of it could be read.
    Clear,
    /// It began in the clear and became TLS by STARTTLS.
    ClearThenTls,
    /// It was TLS from its first octet.
    TlsFromStart,
    /// TLS was asked for and did not come about; it went on in the clear.
    Downgraded,
    /// It is not a mail session.
    NotMail,
    /// It cannot be told.
    Unknown,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 6] = [
        Verdict::Clear,
        Verdict::ClearThenTls,
        Verdict::TlsFromStart,
        Verdict::Downgraded,
        Verdict::NotMail,
        Verdict::Unknown,
    ];

    /// Its name in machine-readable outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Clear => "clear",
            Verdict::ClearThenTls => "clear-then-tls",
            Verdict::TlsFromStart => "tls-from-start",
            Verdict::Downgraded => "downgraded",
            Verdict::NotMail => "not-mail",
            Verdict::Unknown => "unknown",
        }
    }
}

/// What is spoken, by its name in machine-readable outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP in the clear.
    Smtp,
    /// SMTP that became TLS.
    SmtpStartTls,
    /// SMTP inside TLS from the start.
    Smtps,
    /// LMTP in the clear.
    Lmtp,
    /// TLS with something else inside, or something unknown.
    Tls,
    /// SSH.
    Ssh,
    /// Anything else.
    Other,
}

impl Protocol {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Smtp => "smtp",
            Protocol::SmtpStartTls => "smtp+starttls",
            Protocol::Smtps => "smtps",
            Protocol::Lmtp => "lmtp",
            Protocol::Tls => "tls",
            Protocol::Ssh => "ssh",
            Protocol::Other => "other",
        }
    }
}

/// A session that is over: everything that was found, with where it stands.
#[derive(Debug)]
pub struct Session {
    /// The connection: ends, counters, times.
    pub connection: flow::Connection,
    /// Whose octets are the client's, where the dialogue shows it.
    pub client: Option<Direction>,
    /// What is spoken.
    pub protocol: Protocol,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, as a sentence.
    pub verdict_text: &'static str,
    /// The dialogue in the clear, whole or up to STARTTLS.
    pub smtp: Option<smtp::Summary>,
    /// What its messages contain, as far as kept, in order.
    pub contents: Vec<Contents>,
    /// How far STARTTLS came, where the dialogue says anything of it.
    pub ladder: Option<Ladder>,
    /// What TLS shows.
    pub tls: Option<Box<TlsSeen>>,
    /// What SSH shows.
    pub ssh: Option<Box<ssh::Summary>>,
    /// What was spoken before TLS began inside it, where it is not decoded.
    pub upgraded: Option<Upgraded>,
    /// What keys showed of what is inside; nobody on the path saw it.
    pub inside: Option<Box<Inside>>,
    /// Octets that were sent but are not in the capture.
    pub missing: u64,
    /// Whether the capture holds it from its first octet to its last.
    pub complete: bool,
    /// Oddities.
    pub anomalies: Vec<Anomaly>,
    /// Oddities beyond those kept.
    pub anomalies_dropped: u64,
    /// What the DNS and NetBIOS say of its hosts.
    pub around: Around,
    maps: [PacketMap; 2],
}

/// What was seen of a TLS conversation.
#[derive(Debug)]
pub struct TlsSeen {
    /// Handshake facts.
    pub summary: tls::Summary,
    /// Directions, types and lengths of the records.
    pub trace: tls::RecordTrace,
}

impl Session {
    /// The packets that carried `span`.
    #[must_use]
    pub fn packets(&self, span: Span) -> Vec<u64> {
        self.maps[span.direction.index()].packets(span.range())
    }

    /// What the message of a transaction contains, if there was one and it is kept.
    #[must_use]
    pub fn contents(&self, transaction: u64) -> Option<&Contents> {
        self.contents.iter().find(|contents| contents.transaction == transaction)
    }

    /// The client's direction; the originator's where nothing shows it.
    #[must_use]
    pub fn client(&self) -> Direction {
        self.client.unwrap_or(Direction::FromOriginator)
    }
}

/// An oddity of a session, with where it stands.
#[derive(Clone, Debug)]
pub struct Anomaly {
    /// What it is.
    pub kind: AnomalyKind,
    /// Where it shows.
    pub span: Option<Span>,
    /// The packet at which it was noticed.
    pub packet: u64,
}

/// The oddities of each decoder, and those of the hand-over between them.
#[derive(Clone, Debug)]
pub enum AnomalyKind {
    /// Of TCP.
    Flow(flow::Anomaly),
    /// Of the mail dialogue.
    Smtp(smtp::Anomaly),
    /// Of a message.
    Imf(imf::Anomaly),
    /// Of TLS.
    Tls(tls::Anomaly),
    /// What TLS agreed on, or the server's certificate, is weak.
    TlsWeak(tls::Weakness),
    /// Mail or a login in the clear, though STARTTLS was offered.
    StartTlsNotUsed,
    /// TLS on a port where a mail dialogue begins in the clear.
    TlsOnClearPort,
    /// A clear dialogue on the port of SMTP over TLS (RFC 8314 §7.3).
    ClearOnTlsPort,
}

impl AnomalyKind {
    /// Its stable name.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            AnomalyKind::Flow(anomaly) => anomaly.id(),
            AnomalyKind::Smtp(anomaly) => anomaly.id(),
            AnomalyKind::Imf(anomaly) => anomaly.id(),
            AnomalyKind::Tls(anomaly) => anomaly.id(),
            AnomalyKind::TlsWeak(weakness) => weakness.id(),
            AnomalyKind::StartTlsNotUsed => "starttls-not-used",
            AnomalyKind::TlsOnClearPort | AnomalyKind::ClearOnTlsPort => "wrong-protocol",
        }
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnomalyKind::Flow(anomaly) => anomaly.fmt(f),
            AnomalyKind::Smtp(anomaly) => anomaly.fmt(f),
            AnomalyKind::Imf(anomaly) => anomaly.fmt(f),
            AnomalyKind::Tls(anomaly) => anomaly.fmt(f),
            AnomalyKind::TlsWeak(weakness) => weakness.fmt(f),
            AnomalyKind::StartTlsNotUsed => f.write_str(
                "the server offered STARTTLS, the client did not ask for it, and what followed was in the clear",
            ),
            AnomalyKind::TlsOnClearPort => f.write_str("TLS begins at once on a port where SMTP begins in the clear."),
            AnomalyKind::ClearOnTlsPort => f.write_str("SMTP in the clear on the port of SMTP over TLS."),
        }
    }
}
