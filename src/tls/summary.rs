//! What is known of a conversation so far.

use crate::limits;
use crate::stream::{Direction, Span};

use super::anomaly::Anomaly;
use super::certificate::Certificate;
use super::hello::{ClientHello, ServerHello};
use super::registry::{Alert, CipherSuite, Group, ProtocolVersion, SignatureScheme};

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
