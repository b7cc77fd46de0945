//! What is known of a conversation so far.

use crate::limits;
use crate::stream::{Direction, Span};

use super::anomaly::Anomaly;
use super::certificate::Certificate;
use super::hello::{ClientHello, ServerHello};
use super::registry::{Alert, CipherSuite, ExtensionType, Group, ProtocolVersion, SignatureScheme};

/// What a client shows to resume an earlier session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// `pre-shared key` (RFC 8446 §4.2.11), `session ticket` (RFC 5077) or `session id` (RFC 5246).
    pub kind: &'static str,
    /// Its octets, of a long one the beginning (`limits::TLS_EXTENSION_OCTETS`).
    pub octets: &'a [u8],
    /// How many there are.
    pub length: u16,
}

/// What is known of a conversation so far. A `None` is not known, or does not apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Who is the client, corrected by who sent the ClientHello.
    pub client: Direction,
    /// The version agreed on.
    pub version: Option<ProtocolVersion>,
    /// The suite agreed on.
    pub cipher_suite: Option<CipherSuite>,
    /// The key exchange group agreed on.
    pub group: Option<Group>,
    /// Bits of the prime, where the key exchange is over a finite field that has no name.
    pub dh_bits: Option<u32>,
    /// How the server signed its key exchange (TLS 1.2).
    pub server_signature: Option<SignatureScheme>,
    /// The name that the client asked for: octets, since it may send anything.
    pub server_name: Option<Vec<u8>>,
    /// The application protocol that the server chose (TLS up to 1.2; later it is sealed).
    pub alpn: Option<Vec<u8>>,
    /// Whether an earlier session is resumed.
    pub resumed: Option<bool>,
    /// Whether records are compressed, which hides all lengths.
    pub compressed: bool,
    /// Whether CBC records are authenticated after encryption.
    pub encrypt_then_mac: bool,
    /// Whether the master secret is bound to the handshake (TLS up to 1.2).
    pub extended_master_secret: bool,
    /// The first ClientHello.
    pub client_hello: Option<Box<ClientHello>>,
    /// What the server asked the client to try again with.
    pub hello_retry_request: Option<Box<ServerHello>>,
    /// The ServerHello.
    pub server_hello: Option<Box<ServerHello>>,
    /// The server's certificates, its own first (TLS up to 1.2).
    pub certificates: Vec<Certificate>,
    /// Where they stand.
    pub certificates_span: Option<Span>,
    /// Whether the server asked for a client certificate (TLS up to 1.2).
    pub client_certificate_requested: bool,
    /// The client's certificates (TLS up to 1.2).
    pub client_certificates: Vec<Certificate>,
    /// Where they stand.
    pub client_certificates_span: Option<Span>,
    /// Seconds that the session ticket may be used, as the server says (TLS up to 1.2).
    pub ticket_lifetime: Option<u32>,
    /// The session ticket that the server issued, of a long one the beginning (TLS up to 1.2).
    pub ticket: Option<Vec<u8>>,
    /// Alerts in the clear, of up to `limits::TLS_ANOMALIES`.
    pub alerts: Vec<(Span, Alert)>,
    /// Whether each direction has sent its Finished. TLS 1.3: inferred from the size of the
    /// client's, which is also where the server's is known to be over.
    pub finished: [bool; 2],
    /// Whether the last record of each direction was an alert after the handshake, or is as long
    /// as one: then it is close_notify, as far as can be seen.
    pub closing_alert: [bool; 2],
    /// Records of each direction.
    pub records: [u64; 2],
    /// Whether octets were missing from what was read.
    pub gaps: bool,
    /// What was strange, of up to `limits::TLS_ANOMALIES`.
    pub anomalies: Vec<(Span, Anomaly)>,
    /// How many anomalies there were beyond that.
    pub anomalies_beyond: u64,
}

impl Summary {
    pub(super) fn new(client: Direction) -> Summary {
        Summary {
            client,
            version: None,
            cipher_suite: None,
            group: None,
            dh_bits: None,
            server_signature: None,
            server_name: None,
            alpn: None,
            resumed: None,
            compressed: false,
            encrypt_then_mac: false,
            extended_master_secret: false,
            client_hello: None,
            hello_retry_request: None,
            server_hello: None,
            certificates: Vec::new(),
            certificates_span: None,
            client_certificate_requested: false,
            client_certificates: Vec::new(),
            client_certificates_span: None,
            ticket_lifetime: None,
            ticket: None,
            alerts: Vec::new(),
            finished: [false; 2],
            closing_alert: [false; 2],
            records: [0; 2],
            gaps: false,
            anomalies: Vec::new(),
            anomalies_beyond: 0,
        }
    }

    /// Whether the handshake was completed by both sides.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.finished == [true; 2]
    }

    /// Whether TLS 1.3, or a draft of it, was agreed on.
    #[must_use]
    pub fn is_tls13(&self) -> bool {
        self.version.is_some_and(ProtocolVersion::is_tls13)
    }

    /// What the server gave the client, in the clear, to resume the session with: a ticket (RFC 5077) or a session id
    /// (RFC 5246 §7.4.1.3).
    pub fn issued(&self) -> impl Iterator<Item = &[u8]> {
        let id = self.server_hello.as_deref().filter(|_| !self.is_tls13() && self.resumed != Some(true));
        let id = id.map(|hello| hello.session_id.as_slice());
        self.ticket.as_deref().into_iter().chain(id).filter(|token| !token.is_empty())
    }

    /// What the client showed to resume an earlier session, if it did.
    #[must_use]
    pub fn shown(&self) -> Option<Shown<'_>> {
        let hello = self.client_hello.as_deref()?;
        let extensions = hello.extensions.as_ref();
        if let Some(identity) = extensions.and_then(|e| e.psk_identities.first()) {
            return Some(Shown { kind: "pre-shared key", octets: &identity.identity, length: identity.length });
        }
        let ticket = extensions.and_then(|e| e.all.iter().find(|e| e.kind == ExtensionType::SESSION_TICKET));
        if let Some(ticket) = ticket.filter(|ticket| ticket.length > 0) {
            return Some(Shown { kind: "session ticket", octets: &ticket.data, length: ticket.length });
        }
        // Any client may send a session id; that it is one of an earlier session shows when the server takes it up.
        let is_taken_up = self.resumed == Some(true) && !self.is_tls13() && !hello.session_id.is_empty();
        let length = u16::try_from(hello.session_id.len()).ok()?;
        is_taken_up.then_some(Shown { kind: "session id", octets: &hello.session_id, length })
    }

    /// The JA3 fingerprint of the client.
    #[must_use]
    pub fn ja3(&self) -> Option<String> {
        self.client_hello.as_ref()?.ja3()
    }

    /// The JA3S fingerprint of the server's first hello: a HelloRetryRequest, if it sent one, as
    /// the tools that publish these fingerprints take it.
    #[must_use]
    pub fn ja3s(&self) -> Option<String> {
        let first = self.hello_retry_request.as_ref().or(self.server_hello.as_ref())?;
        Some(first.ja3s())
    }

    /// The JA4 fingerprint of the client.
    #[must_use]
    pub fn ja4(&self) -> Option<String> {
        self.client_hello.as_ref()?.ja4()
    }

    pub(super) fn note(&mut self, span: Span, anomaly: Anomaly) {
        if self.anomalies.len() < limits::TLS_ANOMALIES {
            self.anomalies.push((span, anomaly));
        } else {
            self.anomalies_beyond += 1;
        }
    }
}
