//! ClientHello, ServerHello and HelloRetryRequest.

use crate::bytes::Cursor;
use crate::stream::Span;

use super::anomaly::Anomaly;
use super::extension::{Extensions, Sender, numbers};
use super::registry::{CipherSuite, Group, HandshakeType, ProtocolVersion, is_grease};

/// What a client offers (RFC 8446 §4.1.2), in the order in which it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// Where it stands: the handshake message, from its first record to its last octet.
    pub span: Span,
    /// Octets of the handshake message, its header of four included.
    pub length: u32,
    /// Records that it is spread over.
    pub records: u32,
    /// Whether it came in the format of SSL 2.0.
    pub ssl2: bool,
    /// The version field; TLS 1.3 offers itself in an extension instead.
    pub legacy_version: ProtocolVersion,
    /// The client's random (an SSL 2.0 challenge stands at its end).
    pub random: [u8; 32],
    /// The session id.
    pub session_id: Vec<u8>,
    /// Cipher suites.
    pub cipher_suites: Vec<CipherSuite>,
    /// Compression methods; 0 is none.
    pub compression_methods: Vec<u8>,
    /// The extensions. `None`: it ends before them.
    pub extensions: Option<Extensions>,
    /// Whether a value without meaning (RFC 8701) is anywhere in it.
    pub grease: bool,
}

impl ClientHello {
    /// Reads the body of the handshake message; `None` where its format is broken before the
    /// extensions. Strange things that leave it readable go to `anomalies`.
    pub(super) fn read(body: &[u8], span: Span, records: u32, anomalies: &mut Vec<Anomaly>) -> Option<ClientHello> {
        let mut cursor = Cursor::new(body);
        let legacy_version = ProtocolVersion(cursor.u16()?);
        let random = cursor.take(32)?.try_into().ok()?;
        let session_id = cursor.vector8()?.to_vec();
        let cipher_suites: Vec<_> = numbers(cursor.vector16()?)?.map(CipherSuite).collect();
        let compression_methods = cursor.vector8()?.to_vec();
        let extensions = extensions(&mut cursor, Sender::Client, HandshakeType::CLIENT_HELLO, anomalies);
        let grease =
            cipher_suites.iter().any(|suite| suite.is_grease()) || extensions.as_ref().is_some_and(|e| e.grease);
        Some(ClientHello {
            span,
            length: body.len() as u32 + 4,
            records,
            ssl2: false,
            legacy_version,
            random,
            session_id,
            cipher_suites,
            compression_methods,
            extensions,
            grease,
        })
    }

    /// Reads a hello of SSL 2.0 (RFC 6101 §E), from its message type on. Its suites have three
    /// octets; those that begin with 0 are the suites of later versions.
    pub(super) fn read_ssl2(body: &[u8], span: Span) -> Option<ClientHello> {
        let mut cursor = Cursor::new(body);
        if cursor.u8()? != 1 {
            return None;
        }
        let legacy_version = ProtocolVersion(cursor.u16()?);
        let (suites, session_id, challenge) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
        let suites = cursor.take(usize::from(suites))?;
        let session_id = cursor.take(usize::from(session_id))?.to_vec();
        let challenge = cursor.take(usize::from(challenge))?;
        let mut random = [0; 32];
        let used = challenge.len().min(32);
        random[32 - used..].copy_from_slice(&challenge[challenge.len() - used..]);
        let (triples, _) = suites.as_chunks::<3>();
        Some(ClientHello {
            span,
            length: body.len() as u32,
            records: 1,
            ssl2: true,
            legacy_version,
            random,
            session_id,
            cipher_suites: triples
                .iter()
                .filter(|triple| triple[0] == 0)
                .map(|triple| CipherSuite(u16::from_be_bytes([triple[1], triple[2]])))
                .collect(),
            compression_methods: Vec::new(),
            extensions: None,
            grease: false,
        })
    }

    /// The server's name, if it is named.
    #[must_use]
    pub fn server_name(&self) -> Option<&[u8]> {
        self.extensions.as_ref()?.server_name.as_deref()
    }

    /// Application protocols offered.
    #[must_use]
    pub fn alpn(&self) -> &[Vec<u8>] {
        self.extensions.as_ref().map_or(&[], |e| &e.alpn)
    }

    /// The versions offered: those of the extension, or else all up to the version field.
    #[must_use]
    pub fn offers_version(&self, version: ProtocolVersion) -> bool {
        match &self.extensions {
            Some(e) if !e.supported_versions.is_empty() => e.supported_versions.contains(&version),
            _ => version <= self.legacy_version,
        }
    }

    /// The highest version offered, values without meaning left out.
    #[must_use]
    pub fn highest_version(&self) -> ProtocolVersion {
        let offered = self.extensions.iter().flat_map(|e| &e.supported_versions);
        offered
            .copied()
            .filter(|version| !is_grease(version.0))
            .max_by_key(|version| (version.is_tls13(), version.draft().is_none(), version.0))
            .unwrap_or(self.legacy_version)
    }
}

/// What a server chose (RFC 8446 §4.1.3), or asks the client to try again with (§4.1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// Where it stands: the handshake message, from its first record to its last octet.
    pub span: Span,
    /// Octets of the handshake message, its header of four included.
    pub length: u32,
    /// The version field; TLS 1.3 is chosen in an extension instead.
    pub legacy_version: ProtocolVersion,
    /// The server's random.
    pub random: [u8; 32],
    /// The session id: an echo of the client's, or a new one.
    pub session_id: Vec<u8>,
    /// The suite chosen.
    pub cipher_suite: CipherSuite,
    /// The compression method chosen; 0 is none.
    pub compression_method: u8,
    /// The extensions. `None`: it ends before them.
    pub extensions: Option<Extensions>,
}

impl ServerHello {
    /// Reads the body of the handshake message; `None` where its format is broken before the
    /// extensions. Drafts of TLS 1.3 before 22 have their number (the first ones that of TLS 1.3)
    /// in the version field, and leave session id and compression out.
    pub(super) fn read(body: &[u8], span: Span, anomalies: &mut Vec<Anomaly>) -> Option<ServerHello> {
        let mut cursor = Cursor::new(body);
        let legacy_version = ProtocolVersion(cursor.u16()?);
        let random = cursor.take(32)?.try_into().ok()?;
        let short = legacy_version.is_tls13();
        let session_id = if short { Vec::new() } else { cursor.vector8()?.to_vec() };
        let cipher_suite = CipherSuite(cursor.u16()?);
        let compression_method = if short { 0 } else { cursor.u8()? };
        let extensions = extensions(&mut cursor, Sender::Server, HandshakeType::SERVER_HELLO, anomalies);
        Some(ServerHello {
            span,
            length: body.len() as u32 + 4,
            legacy_version,
            random,
            session_id,
            cipher_suite,
            compression_method,
            extensions,
        })
    }

    /// Reads a HelloRetryRequest of the drafts before 22, a message type of its own: a version,
    /// from draft 19 on a suite, and extensions.
    pub(super) fn read_draft_retry(body: &[u8], span: Span, anomalies: &mut Vec<Anomaly>) -> Option<ServerHello> {
        let mut cursor = Cursor::new(body);
        let legacy_version = ProtocolVersion(cursor.u16()?);
        let has_suite = legacy_version.draft().is_some_and(|draft| draft >= 19);
        let cipher_suite = CipherSuite(if has_suite { cursor.u16()? } else { 0 });
        let extensions = extensions(&mut cursor, Sender::Server, HandshakeType::HELLO_RETRY_REQUEST, anomalies);
        Some(ServerHello {
            span,
            length: body.len() as u32 + 4,
            legacy_version,
            random: RETRY_RANDOM,
            session_id: Vec::new(),
            cipher_suite,
            compression_method: 0,
            extensions,
        })
    }

    /// The version chosen.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        let chosen = self.extensions.as_ref().and_then(|e| e.supported_versions.first());
        chosen.copied().unwrap_or(self.legacy_version)
    }

    /// Whether it is a HelloRetryRequest.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        self.random == RETRY_RANDOM
    }

    /// The group of the server's key share, or the one that it asks for.
    #[must_use]
    pub fn group(&self) -> Option<Group> {
        Some(self.extensions.as_ref()?.key_shares.first()?.group)
    }

    /// Whether the random carries the mark of a server that could do better than the version it
    /// chose (RFC 8446 §4.1.3).
    #[must_use]
    pub fn has_downgrade_sentinel(&self) -> bool {
        let end = &self.random[24..];
        match self.version() {
            version if version.is_tls13() => false,
            ProtocolVersion::TLS12 => end == b"DOWNGRD\x01",
            _ => end == b"DOWNGRD\x00" || end == b"DOWNGRD\x01",
        }
    }
}

/// The extensions at the end of a hello, and nothing after them.
fn extensions(
    cursor: &mut Cursor<'_>,
    from: Sender,
    kind: HandshakeType,
    anomalies: &mut Vec<Anomaly>,
) -> Option<Extensions> {
    if cursor.is_empty() {
        return None;
    }
    let Some(block) = cursor.vector16() else {
        anomalies.push(Anomaly::HandshakeMalformed(kind));
        return Some(Extensions::read(cursor.rest().get(2..)?, from, anomalies).0);
    };
    let (extensions, whole) = Extensions::read(block, from, anomalies);
    if !whole {
        anomalies.push(Anomaly::HandshakeMalformed(kind));
    } else if !cursor.is_empty() {
        anomalies.push(Anomaly::TrailingOctets(kind));
    }
    Some(extensions)
}

/// The random of a HelloRetryRequest: SHA-256 of those words (RFC 8446 §4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
