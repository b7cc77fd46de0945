//! The visible part of TLS: records, handshake, certificates, alerts, and lengths; no I/O.
//!
//! A [`Conversation`] takes the octets of both directions as they pass and tells what an observer
//! without keys learns from them. What is sealed is counted by its record headers; its octets are
//! neither kept nor looked at. [`RecordTrace`] is what remains of it: who sent a record, when, and
//! how many octets of plaintext it can hold.
//!
//! Formats: RFC 8446 (TLS 1.3), RFC 5246 (1.2), RFC 4346, RFC 2246, RFC 6101 (SSL 3.0).

mod anomaly;
mod certificate;
mod conversation;
mod event;
mod extension;
mod fingerprint;
mod flight;
mod fuzz;
mod handshake;
mod hello;
mod length;
mod open;
mod phase;
mod probe;
mod record;
mod registry;
mod strength;
mod summary;
mod trace;
mod weakness;

pub use anomaly::Anomaly;
pub use certificate::{Certificate, CertificateFields, DistinguishedName, KeyKind};
pub use conversation::Conversation;
pub use event::{Event, EventKind, Record};
pub use extension::{EncryptedClientHello, Extension, Extensions, KeyShare, PskIdentity};
pub use flight::{SealedCertificate, SealedKey};
pub use fuzz::{fuzz_certificate, fuzz_handshake, fuzz_tls};
pub use hello::{ClientHello, ServerHello};
pub use length::{Padding, PlaintextLength, Protection};
pub use open::{
    KeyLog, Keyring, Keys, OpenedRecord, Opener, Opening, Outcome, Reason, ServerKey, ServerKeyError, fuzz_key_log,
    fuzz_open,
};
pub use probe::{Probe, probe};
pub use registry::{
    Alert, AlertDescription, AlertLevel, CipherSuite, ContentType, ExtensionType, Group, HandshakeType,
    ProtocolVersion, SignatureScheme, Strength, SuiteClass, is_grease,
};
pub use strength::ForwardSecrecy;
pub use summary::{Shown, Summary};
pub use trace::{Beyond, Phase, RecordTrace, TraceRecord};
pub use weakness::{Tier, Weakness};

#[cfg(test)]
mod tests;
