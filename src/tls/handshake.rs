//! Handshake messages in the clear: put together over records, and what they say.

use crate::bytes::Cursor;
use crate::limits;
use crate::stream::{Direction, Span};

use super::anomaly::Anomaly;
use super::certificate;
use super::conversation::Conversation;
use super::event::{Event, EventKind};
use super::extension::beginning;
use super::hello::{ClientHello, ServerHello};
use super::length::Protection;
use super::registry::{CipherSuite, Group, HandshakeType, ProtocolVersion, SignatureScheme};

/// The handshake octets of one direction that were not read yet.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// ```text
    /// buffer: [ a message begun in earlier records | this record … ]
    ///           ^ start (in the stream)              ^ record_at; record_start in the stream
    /// ```
    buffer: Vec<u8>,
    start: u64,
    record_at: usize,
    record_start: u64,
    /// Records that the message in `buffer` is spread over.
    records: u32,
    /// Octets of a message that is too long, still to come.
    skip: usize,
}

impl Messages {
    /// A record begins whose contents, from `start` on, are handshake octets.
    pub(super) fn begin_record(&mut self, start: u64) {
        self.record_at = self.buffer.len();
        self.record_start = start;
        self.records = self.records.saturating_add(1);
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        let skipped = self.skip.min(octets.len());
        self.skip -= skipped;
        self.record_start += skipped as u64;
        self.buffer.extend_from_slice(&octets[skipped..]);
    }

    /// What came so far can go on no more; whether that was anything.
    pub(super) fn interrupt(&mut self) -> bool {
        let interrupted = !self.buffer.is_empty() || self.skip > 0;
        *self = Messages::default();
        interrupted
    }

    /// Whether what begins here can be a message: before any hello it may as well be sealed.
    pub(super) fn is_plausible(&self) -> bool {
        match self.buffer.first_chunk::<4>() {
            None => !self.buffer.is_empty(),
            Some(start) => {
                let (kind, length) = message_header(*start);
                kind.name().is_some() && length <= longest(kind)
            }
        }
    }

    /// Forgets the record that was added last.
    pub(super) fn drop_record(&mut self) {
        self.buffer.truncate(self.record_at);
    }

    pub(super) fn take_all(&mut self) -> Vec<u8> {
        std::mem::take(self).buffer
    }

    pub(super) fn pending_from(&self) -> Option<u64> {
        (!self.buffer.is_empty()).then_some(if self.record_at == 0 { self.record_start } else { self.start })
    }

    /// The place in the stream of the octet at `index` of the buffer, which begins a message.
    fn place(&self, index: usize) -> u64 {
        if index < self.record_at { self.start } else { self.record_start + (index - self.record_at) as u64 }
    }
}

impl Conversation {
    /// Reads the messages that the record just passed has completed.
    pub(super) fn handshake_messages(&mut self, direction: Direction, emit: &mut dyn FnMut(Event<'_>)) {
        let mut messages = std::mem::take(&mut self.sides[direction.index()].messages);
        let mut index = 0;
        while let Some(start) = messages.buffer.get(index..).and_then(<[u8]>::first_chunk::<4>) {
            let (kind, length) = message_header(*start);
            let at = messages.place(index);
            let end = index + 4 + length;
            if length > longest(kind) {
                messages.skip = end.saturating_sub(messages.buffer.len());
                let span = Span::new(direction, at, messages.place(messages.buffer.len()));
                self.anomaly(span, Anomaly::HandshakeTooLong { kind, length: length as u32 }, emit);
                index = end.min(messages.buffer.len());
            } else if let Some(body) = messages.buffer.get(index + 4..end) {
                let span = Span::new(direction, at, messages.place(end));
                if self.tells_octets {
                    emit(Event { span, kind: EventKind::HandshakeOctets(&messages.buffer[index..end]) });
                }
                self.message(span, kind, body, messages.records, emit);
                index = end;
            } else {
                break;
            }
            messages.records = 1;
        }
        if index < messages.buffer.len() {
            messages.start = messages.place(index);
        } else {
            messages.records = 0;
        }
        messages.buffer.drain(..index);
        messages.record_at = messages.buffer.len();
        // A conversation of gigabytes after it has no use for the room of its certificates.
        messages.buffer.shrink_to(limits::TLS_EXTENSION_OCTETS);
        self.sides[direction.index()].messages = messages;
    }

    fn message(&mut self, span: Span, kind: HandshakeType, body: &[u8], records: u32, emit: &mut dyn FnMut(Event<'_>)) {
        let mut anomalies = Vec::new();
        let understood = match kind {
            HandshakeType::CLIENT_HELLO => ClientHello::read(body, span, records, &mut anomalies)
                .map(|hello| self.client_hello(span.direction, hello, emit)),
            HandshakeType::SERVER_HELLO => {
                ServerHello::read(body, span, &mut anomalies).map(|hello| self.server_hello(hello, emit))
            }
            HandshakeType::HELLO_RETRY_REQUEST => {
                ServerHello::read_draft_retry(body, span, &mut anomalies).map(|hello| self.server_hello(hello, emit))
            }
            HandshakeType::CERTIFICATE => {
                certificate::read_chain(body, &mut anomalies).map(|chain| self.certificates(span, chain, emit))
            }
            _ => self.other_message(span.direction, kind, body).map(|()| {
                emit(Event { span, kind: EventKind::Handshake(kind, body) });
            }),
        };
        if understood.is_none() {
            emit(Event { span, kind: EventKind::Handshake(kind, body) });
            anomalies.push(Anomaly::HandshakeMalformed(kind));
        }
        if kind.name().is_none() {
            anomalies.push(Anomaly::HandshakeUnknown(kind));
        }
        anomalies.dedup();
        for anomaly in anomalies {
            self.anomaly(span, anomaly, emit);
        }
    }

    pub(super) fn client_hello(&mut self, direction: Direction, hello: ClientHello, emit: &mut dyn FnMut(Event<'_>)) {
        if self.summary.client_hello.is_none() && self.summary.server_hello.is_none() {
            self.summary.client = direction;
        }
        emit(Event { span: hello.span, kind: EventKind::ClientHello(&hello) });
        if direction != self.summary.client {
            self.anomaly(hello.span, Anomaly::HandshakeUnexpected(HandshakeType::CLIENT_HELLO), emit);
        } else if self.summary.client_hello.is_none() {
            self.summary.server_name = hello.server_name().map(<[u8]>::to_vec);
            self.summary.client_hello = Some(Box::new(hello));
        }
    }

    fn server_hello(&mut self, hello: ServerHello, emit: &mut dyn FnMut(Event<'_>)) {
        let (span, version, suite) = (hello.span, hello.version(), hello.cipher_suite);
        let is_retry = hello.is_retry();
        emit(Event {
            span,
            kind: if is_retry { EventKind::HelloRetryRequest(&hello) } else { EventKind::ServerHello(&hello) },
        });
        if self.summary.client_hello.is_none() {
            self.summary.client = span.direction.reversed();
        }
        if span.direction == self.summary.client || self.summary.server_hello.is_some() {
            return self.anomaly(span, Anomaly::HandshakeUnexpected(HandshakeType::SERVER_HELLO), emit);
        }
        if let Some(offer) = &self.summary.client_hello {
            let suite_offered = offer.cipher_suites.contains(&suite) || (is_retry && suite.0 == 0);
            let version_offered = offer.offers_version(version);
            if !suite_offered {
                self.anomaly(span, Anomaly::SuiteNotOffered(suite), emit);
            }
            if !version_offered {
                self.anomaly(span, Anomaly::VersionNotOffered(version), emit);
            }
        }
        if hello.has_downgrade_sentinel()
            && self.summary.client_hello.as_ref().is_none_or(|offer| offer.highest_version() > version)
        {
            self.anomaly(span, Anomaly::DowngradeSentinel(version), emit);
        }
        self.summary.version = Some(version);
        if is_retry {
            self.summary.group = hello.group();
            self.summary.hello_retry_request = Some(Box::new(hello));
            return;
        }
        let extensions = hello.extensions.as_ref();
        let has = |ask: fn(&super::extension::Extensions) -> bool| extensions.is_some_and(ask);
        self.summary.cipher_suite = Some(suite);
        self.summary.group = hello.group();
        self.summary.compressed = hello.compression_method != 0;
        self.summary.encrypt_then_mac = has(|e| e.encrypt_then_mac);
        self.summary.extended_master_secret = has(|e| e.extended_master_secret);
        self.summary.alpn = extensions.and_then(|e| e.alpn.first().cloned());
        if version.is_tls13() {
            self.summary.resumed = Some(has(|e| e.psk_chosen.is_some()));
        }
        self.protection = Protection::of(suite, version, self.summary.encrypt_then_mac, has(|e| e.truncated_hmac));
        self.summary.server_hello = Some(Box::new(hello));
    }

    fn certificates(&mut self, span: Span, chain: Vec<certificate::Certificate>, emit: &mut dyn FnMut(Event<'_>)) {
        emit(Event { span, kind: EventKind::Certificates(&chain) });
        if span.direction == self.summary.client {
            self.summary.client_certificates = chain;
            self.summary.client_certificates_span = Some(span);
        } else {
            self.summary.certificates = chain;
            self.summary.certificates_span = Some(span);
            self.summary.resumed = self.summary.resumed.or(Some(false));
        }
    }

    /// The messages of which a fact or two is kept.
    fn other_message(&mut self, direction: Direction, kind: HandshakeType, body: &[u8]) -> Option<()> {
        match kind {
            HandshakeType::SERVER_KEY_EXCHANGE if direction != self.summary.client => self.server_key_exchange(body)?,
            HandshakeType::CERTIFICATE_REQUEST => self.summary.client_certificate_requested = true,
            HandshakeType::SERVER_HELLO_DONE => self.summary.resumed = self.summary.resumed.or(Some(false)),
            HandshakeType::NEW_SESSION_TICKET => {
                let mut cursor = Cursor::new(body);
                self.summary.ticket_lifetime = Some(cursor.u32()?);
                self.summary.ticket = Some(beginning(cursor.vector16()?));
            }
            _ => {}
        }
        Some(())
    }

    /// The group, and how it is signed (RFC 8422 §5.4, RFC 5246 §7.4.3).
    fn server_key_exchange(&mut self, body: &[u8]) -> Option<()> {
        let mut cursor = Cursor::new(body);
        let name = self.summary.cipher_suite.and_then(CipherSuite::name).unwrap_or_default();
        if name.contains("PSK") {
            cursor.vector16()?;
        }
        if name.contains("_ECDHE_") || name.contains("_ECDH_anon_") {
            const NAMED_CURVE: u8 = 3;
            if cursor.u8()? != NAMED_CURVE {
                return Some(());
            }
            self.summary.group = Some(Group(cursor.u16()?));
            cursor.vector8()?;
        } else if name.contains("_DHE_") || name.contains("_DH_anon_") {
            let prime = cursor.vector16()?;
            let zeros = prime.iter().take_while(|octet| **octet == 0).count();
            let top = prime.get(zeros).map_or(0, |octet| octet.leading_zeros());
            self.summary.dh_bits = Some(((prime.len() - zeros) as u32 * 8).saturating_sub(top));
            cursor.vector16()?;
            cursor.vector16()?;
        } else {
            return Some(());
        }
        if self.summary.version == Some(ProtocolVersion::TLS12) && !cursor.is_empty() {
            self.summary.server_signature = Some(SignatureScheme(cursor.u16()?));
        }
        Some(())
    }

    /// The server seals without having sent a certificate or a ServerHelloDone: the keys are those
    /// of an earlier session (RFC 5246 §7.3, RFC 5077 §3.1).
    pub(super) fn server_changed_cipher(&mut self) {
        if self.summary.server_hello.is_some() && !self.sides[self.summary.client.reversed().index()].gaps {
            self.summary.resumed = self.summary.resumed.or(Some(true));
        }
    }
}

fn message_header(octets: [u8; 4]) -> (HandshakeType, usize) {
    let [kind, high, middle, low] = octets;
    (HandshakeType(kind), u32::from_be_bytes([0, high, middle, low]) as usize)
}

/// Octets of a message that are still read.
fn longest(kind: HandshakeType) -> usize {
    match kind {
        HandshakeType::CERTIFICATE => limits::TLS_CERTIFICATES_OCTETS,
        _ => limits::TLS_HANDSHAKE_OCTETS,
    }
}
