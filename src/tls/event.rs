//! What a conversation tells as it is read.

use crate::stream::Span;

use super::anomaly::Anomaly;
use super::certificate::Certificate;
use super::hello::{ClientHello, ServerHello};
use super::length::PlaintextLength;
use super::registry::{Alert, ContentType, HandshakeType, ProtocolVersion};
use super::trace::Phase;

/// Something that was read.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Where it stands. A handshake message ends where its last octet does, and may begin in an
    /// earlier record.
    pub span: Span,
    /// What it is.
    pub kind: EventKind<'a>,
}

/// What was read.
#[derive(Clone, Debug)]
pub enum EventKind<'a> {
    /// A record has passed completely, or to its end with octets missing. What was in it, if it
    /// is clear, follows.
    Record(Record),
    /// A client's offer.
    ClientHello(&'a ClientHello),
    /// A server's choice.
    ServerHello(&'a ServerHello),
    /// The server asks for another ClientHello.
    HelloRetryRequest(&'a ServerHello),
    /// A chain of certificates; empty where a client has none.
    Certificates(&'a [Certificate]),
    /// Any other handshake message in the clear: its type and body.
    Handshake(HandshakeType, &'a [u8]),
    /// An alert in the clear.
    Alert(Alert),
    /// From here on the sender seals its records (up to TLS 1.2); nothing in TLS 1.3.
    ChangeCipherSpec,
    /// Octets that are no TLS records, piece by piece as they came.
    NotTls(&'a [u8]),
    /// Something strange.
    Anomaly(Anomaly),
    /// Octets of a sealed record, piece by piece as they came; told before the record itself, and
    /// only where [`Conversation::tell_octets`](super::Conversation::tell_octets) asked for them.
    SealedOctets(&'a [u8]),
    /// A handshake message in the clear with its header; told before what it says, and only where
    /// [`Conversation::tell_octets`](super::Conversation::tell_octets) asked for it.
    HandshakeOctets(&'a [u8]),
}

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its type.
    pub content_type: ContentType,
    /// Its version field, which from TLS 1.3 on says nothing.
    pub version: ProtocolVersion,
    /// Octets after the header.
    pub length: u16,
    /// Whether it is encrypted.
    pub sealed: bool,
    /// What it carries.
    pub phase: Phase,
    /// Octets of plaintext; `None` where that is not known. In TLS 1.3 exact unless padded.
    pub plaintext: Option<PlaintextLength>,
}
