//! What is strange in a TLS conversation, in one sentence each.

use std::fmt;

use super::registry::{CipherSuite, ContentType, ExtensionType, HandshakeType, ProtocolVersion};

/// Something that a well-behaved peer, or a whole capture, would not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Anomaly {
    /// No record header stands where one must.
    NotARecord,
    /// Octets are missing over the end of a record, so that the next one has to be searched for.
    FramingLost,
    /// Records were found again.
    Resynchronised {
        /// Octets between the last record known and the next, those that are missing included.
        skipped: u64,
    },
    /// Octets within one record are missing; the next record is known.
    RecordIncomplete,
    /// The stream ends within a record.
    RecordCut {
        /// Octets that the record's header promised and that did not come.
        missing: u32,
    },
    /// A record's length is above what its version allows (RFC 5246 §6.2.3, RFC 8446 §5.2).
    RecordTooLong(u16),
    /// A record's version is none.
    RecordVersion(ProtocolVersion),
    /// A record without contents, of a type that must have some (RFC 8446 §5.1).
    EmptyRecord(ContentType),
    /// Application data before any key can have been agreed on.
    ApplicationDataInClear,
    /// A record of a length that its cipher suite cannot make.
    ImpossibleLength(u16),
    /// Records are missing: the nonces that TLS 1.2 counts up jump.
    RecordsMissing(u64),
    /// A handshake message is longer than is read here.
    HandshakeTooLong {
        /// Which message.
        kind: HandshakeType,
        /// Its length.
        length: u32,
    },
    /// A handshake message that does not follow its format.
    HandshakeMalformed(HandshakeType),
    /// A handshake message of which octets are missing.
    HandshakeIncomplete,
    /// A handshake message of a type that is not registered.
    HandshakeUnknown(HandshakeType),
    /// A record of another type stands between the pieces of a handshake message (RFC 8446 §5.1).
    HandshakeInterleaved,
    /// A handshake message comes from the wrong side, or in the clear where it must be sealed.
    HandshakeUnexpected(HandshakeType),
    /// A ChangeCipherSpec that is not the single octet 1.
    ChangeCipherSpecMalformed,
    /// An alert that is not two octets.
    AlertMalformed,
    /// A heartbeat that asks for more octets than it brings (CVE-2014-0160).
    HeartbeatOverread {
        /// Octets that it asks for.
        claimed: u16,
        /// Octets of its record.
        length: u16,
    },
    /// An extension appears twice in one hello (RFC 8446 §4.2).
    ExtensionRepeated(ExtensionType),
    /// An extension's contents do not follow its format.
    ExtensionMalformed(ExtensionType),
    /// The server chose a suite that the client did not offer.
    SuiteNotOffered(CipherSuite),
    /// The server chose a version that the client did not offer.
    VersionNotOffered(ProtocolVersion),
    /// The server's random says that it could do better: somebody between the two may have
    /// brought the version down (RFC 8446 §4.1.3).
    DowngradeSentinel(ProtocolVersion),
    /// A certificate that cannot be read.
    CertificateMalformed,
    /// More certificates in a chain than are read here.
    CertificatesMany(u32),
    /// A hello in the format of SSL 2.0 (RFC 6176 forbids it).
    Ssl2Hello,
    /// Octets follow a hello inside its message.
    TrailingOctets(HandshakeType),
    /// The server is there and sends nothing after the ClientHello.
    HelloUnanswered {
        /// Octets of the hello.
        length: u32,
    },
}

/// Names the variants, and lists the names.
macro_rules! names {
    ($($variant:pat => $id:literal,)*) => {
        impl Anomaly {
            /// The stable names of all of them.
            pub const IDS: &'static [&'static str] = &[$($id,)*];

            /// A stable name for scripts.
            #[must_use]
            pub fn id(&self) -> &'static str {
                match self {
                    $($variant => $id,)*
                }
            }
        }
    };
}

names! {
    Anomaly::NotARecord => "tls-not-a-record",
    Anomaly::FramingLost => "tls-framing-lost",
    Anomaly::Resynchronised { .. } => "tls-resynchronised",
    Anomaly::RecordIncomplete => "tls-record-incomplete",
    Anomaly::RecordCut { .. } => "tls-record-cut",
    Anomaly::RecordTooLong(_) => "tls-record-too-long",
    Anomaly::RecordVersion(_) => "tls-record-version",
    Anomaly::EmptyRecord(_) => "tls-record-empty",
    Anomaly::ApplicationDataInClear => "tls-application-data-in-clear",
    Anomaly::ImpossibleLength(_) => "tls-impossible-length",
    Anomaly::RecordsMissing(_) => "tls-records-missing",
    Anomaly::HandshakeTooLong { .. } => "tls-handshake-too-long",
    Anomaly::HandshakeMalformed(_) => "tls-handshake-malformed",
    Anomaly::HandshakeIncomplete => "tls-handshake-incomplete",
    Anomaly::HandshakeUnknown(_) => "tls-handshake-unknown",
    Anomaly::HandshakeInterleaved => "tls-handshake-interleaved",
    Anomaly::HandshakeUnexpected(_) => "tls-handshake-unexpected",
    Anomaly::ChangeCipherSpecMalformed => "tls-change-cipher-spec-malformed",
    Anomaly::AlertMalformed => "tls-alert-malformed",
    Anomaly::HeartbeatOverread { .. } => "tls-heartbeat-overread",
    Anomaly::ExtensionRepeated(_) => "tls-extension-repeated",
    Anomaly::ExtensionMalformed(_) => "tls-extension-malformed",
    Anomaly::SuiteNotOffered(_) => "tls-suite-not-offered",
    Anomaly::VersionNotOffered(_) => "tls-version-not-offered",
    Anomaly::DowngradeSentinel(_) => "tls-downgrade-sentinel",
    Anomaly::CertificateMalformed => "tls-certificate-malformed",
    Anomaly::CertificatesMany(_) => "tls-certificates-many",
    Anomaly::Ssl2Hello => "tls-ssl2-hello",
    Anomaly::TrailingOctets(_) => "tls-trailing-octets",
    Anomaly::HelloUnanswered { .. } => "tls-hello-unanswered",
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Anomaly::NotARecord => f.write_str("octets stand where a TLS record should begin, and are none"),
            Anomaly::FramingLost => {
                f.write_str("octets are missing, and with them the place where the next TLS record begins")
            }
            Anomaly::Resynchronised { skipped } => write!(f, "TLS records are found again after {skipped} octets"),
            Anomaly::RecordIncomplete => f.write_str("octets within a TLS record are missing"),
            Anomaly::RecordCut { missing } => {
                write!(f, "the stream ends {missing} octets before the end of a TLS record")
            }
            Anomaly::RecordTooLong(length) => {
                write!(f, "a TLS record of {length} octets is longer than the protocol allows")
            }
            Anomaly::RecordVersion(version) => write!(f, "a TLS record bears the version {version}"),
            Anomaly::EmptyRecord(kind) => write!(f, "a TLS record of type {kind} is empty"),
            Anomaly::ApplicationDataInClear => f.write_str("TLS application data comes before any key was agreed on"),
            Anomaly::ImpossibleLength(n) => write!(f, "the cipher suite makes no TLS record of {n} octets"),
            Anomaly::RecordsMissing(count) => {
                write!(f, "{count} TLS records are missing, whole or in part, by the nonces of their neighbours")
            }
            Anomaly::HandshakeTooLong { kind, length } => {
                write!(f, "a {kind} of {length} octets is longer than is read here")
            }
            Anomaly::HandshakeMalformed(kind) => write!(f, "a {kind} does not follow its format"),
            Anomaly::HandshakeIncomplete => f.write_str("octets of a TLS handshake message are missing"),
            Anomaly::HandshakeUnknown(kind) => write!(f, "a TLS handshake message is of the unknown type {kind}"),
            Anomaly::HandshakeInterleaved => {
                f.write_str("a TLS handshake message is interrupted by a record of another type")
            }
            Anomaly::HandshakeUnexpected(kind) => write!(f, "a {kind} comes from the wrong side or at the wrong time"),
            Anomaly::ChangeCipherSpecMalformed => f.write_str("a ChangeCipherSpec is not the single octet 1"),
            Anomaly::AlertMalformed => f.write_str("a TLS alert is not two octets long"),
            Anomaly::HeartbeatOverread { claimed, length } => {
                write!(f, "a heartbeat of {length} octets asks for {claimed} octets in return")
            }
            Anomaly::ExtensionRepeated(kind) => write!(f, "the extension {kind} appears twice in one hello"),
            Anomaly::ExtensionMalformed(kind) => write!(f, "the extension {kind} does not follow its format"),
            Anomaly::SuiteNotOffered(suite) => write!(f, "the server chose {suite}, which the client did not offer"),
            Anomaly::VersionNotOffered(version) => {
                write!(f, "the server chose {version}, which the client did not offer")
            }
            Anomaly::DowngradeSentinel(version) => {
                write!(
                    f,
                    "the server chose {version} and marks that it could do better: the version may have been brought down"
                )
            }
            Anomaly::CertificateMalformed => f.write_str("a certificate cannot be read"),
            Anomaly::CertificatesMany(count) => {
                write!(f, "a chain of {count} certificates is longer than is read here")
            }
            Anomaly::Ssl2Hello => f.write_str("the client's hello has the format of SSL 2.0"),
            Anomaly::HelloUnanswered { length } => {
                write!(f, "the ClientHello of {length} octets was never answered")
            }
            Anomaly::TrailingOctets(kind) => write!(f, "octets follow the {kind} inside its message"),
        }
    }
}
