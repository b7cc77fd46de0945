//! What a handshake agrees on, as far as keys depend on it.

use crate::bytes::Cursor;
use crate::limits;

use super::super::extension::Extensions;
use super::super::hello::{ClientHello, ServerHello};
use super::super::registry::{CipherSuite, ExtensionType, ProtocolVersion};
use super::cipher::{Algorithm, KeyParts, RecordKey};
use super::key_log::{Label, MASTER_SECRET, Secret};
use super::keyring::Keyring;
use super::suite;

/// The facts of one handshake.
#[derive(Clone)]
pub(super) struct Agreement {
    pub(super) client_random: [u8; 32],
    /// What of the client's offer early data can be sealed with.
    pub(super) offered: Vec<CipherSuite>,
    pub(super) early_data: bool,
    client_session_id: Vec<u8>,
    /// The ticket that the client shows (RFC 5077).
    ticket: Vec<u8>,
    pub(super) has_server: bool,
    server_random: [u8; 32],
    session_id: Vec<u8>,
    pub(super) suite: CipherSuite,
    pub(super) version: ProtocolVersion,
    encrypt_then_mac: bool,
    extended_master_secret: bool,
    truncated_mac: bool,
    compressed: bool,
    /// The handshake so far, for an extended master secret; `None` once it has no use any more.
    transcript: Option<Vec<u8>>,
    /// The hash of the handshake up to the ClientKeyExchange.
    session_hash: Vec<u8>,
    /// The pre-master secret as the client sent it, where the key exchange is RSA.
    encrypted: Vec<u8>,
}

impl Default for Agreement {
    /// Nothing is agreed on.
    fn default() -> Agreement {
        Agreement {
            client_random: [0; 32],
            offered: Vec::new(),
            early_data: false,
            client_session_id: Vec::new(),
            ticket: Vec::new(),
            has_server: false,
            server_random: [0; 32],
            session_id: Vec::new(),
            suite: CipherSuite(0),
            version: ProtocolVersion(0),
            encrypt_then_mac: false,
            extended_master_secret: false,
            truncated_mac: false,
            compressed: false,
            transcript: None,
            session_hash: Vec::new(),
            encrypted: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Agreement({}, {})", self.version, self.suite)
    }
}

impl Agreement {
    /// After the client's offer; `transcript` is that of the handshake which it begins.
    pub(super) fn of_client(hello: &ClientHello, transcript: Option<Vec<u8>>) -> Agreement {
        let extensions = hello.extensions.as_ref();
        Agreement {
            transcript,
            client_random: hello.random,
            offered: hello.cipher_suites.iter().copied().filter(|suite| suite.0 >> 8 == TLS13_SUITES).collect(),
            early_data: extensions.is_some_and(|e| e.early_data),
            client_session_id: hello.session_id.clone(),
            ticket: extensions.map(|e| ticket_name(session_ticket(e))).unwrap_or_default(),
            ..Agreement::default()
        }
    }

    /// After the server's choice.
    pub(super) fn server(&mut self, hello: &ServerHello) {
        let extensions = hello.extensions.as_ref();
        self.has_server = true;
        self.server_random = hello.random;
        self.session_id = hello.session_id.clone();
        self.suite = hello.cipher_suite;
        self.version = hello.version();
        self.compressed = hello.compression_method != 0;
        self.encrypt_then_mac = extensions.is_some_and(|e| e.encrypt_then_mac);
        self.extended_master_secret = extensions.is_some_and(|e| e.extended_master_secret);
        self.truncated_mac = extensions.is_some_and(|e| e.truncated_hmac);
        // Early data is sealed as the session that is resumed was (RFC 8446 §4.2.10).
        self.early_data &= extensions.is_some_and(|e| e.psk_chosen.is_some());
        if self.version.is_tls13() {
            self.transcript = None;
        }
    }

    /// Whether records of what was agreed on are opened here.
    pub(super) fn can_open(&self) -> bool {
        let algorithm = suite::algorithm(self.suite);
        !self.compressed
            && match algorithm {
                Some(Algorithm::Aead(_)) if self.version.is_tls13() => true,
                Some(Algorithm::Aead(_)) => self.version == ProtocolVersion::TLS12,
                Some(_) => (ProtocolVersion::TLS10..=ProtocolVersion::TLS12).contains(&self.version),
                None => false,
            }
    }

    /// A handshake message of either side, its header included, in order.
    pub(super) fn transcribe(&mut self, message: &[u8]) {
        const CLIENT_HELLO: u8 = 1;
        if message.first() == Some(&CLIENT_HELLO) {
            self.transcript = Some(Vec::new());
        }
        let Some(transcript) = &mut self.transcript else { return };
        if transcript.len() + message.len() > limits::TLS_TRANSCRIPT_OCTETS {
            self.transcript = None;
        } else {
            transcript.extend_from_slice(message);
        }
    }

    pub(super) fn take_transcript(&mut self) -> Option<Vec<u8>> {
        self.transcript.take()
    }

    /// The client's part of the key exchange, which was transcribed just before.
    pub(super) fn client_key_exchange(&mut self, body: &[u8]) {
        if let Some(transcript) = self.transcript.take() {
            self.session_hash = suite::hash(self.suite, self.version).digest(&transcript);
        }
        let is_rsa = self.suite.name().is_some_and(|name| name.starts_with("TLS_RSA_WITH"));
        if is_rsa && let Some(encrypted) = Cursor::new(body).vector16() {
            self.encrypted = encrypted.to_vec();
        }
    }

    /// A ticket, which a later session may show to be resumed.
    pub(super) fn ticket(&mut self, ring: &mut Keyring, body: &[u8]) {
        let mut cursor = Cursor::new(body);
        let ticket = cursor.u32().and_then(|_| cursor.vector16());
        if let Some(ticket) = ticket
            && !ring.keys().servers().is_empty()
            && let Some(master) = self.opened_by_server(ring)
        {
            ring.remember(ticket_name(Some(ticket)), master);
        }
    }

    /// The keys that one side's records may be sealed with.
    pub(super) fn record_keys(&self, ring: &mut Keyring, from_client: bool) -> Vec<RecordKey> {
        let Some(algorithm) = suite::algorithm(self.suite) else { return Vec::new() };
        let (mac, key, iv) = algorithm.key_lengths(self.version);
        let masters = self.masters(ring);
        let hash = suite::hash(self.suite, self.version);
        masters
            .iter()
            .filter_map(|master| {
                // client MAC | server MAC | client key | server key | client IV | server IV
                let mut block = vec![0; 2 * (mac + key + iv)];
                hash.prf(master.octets(), b"key expansion", &[&self.server_random, &self.client_random], &mut block);
                let mut cursor = Cursor::new(&block);
                let mut pair = |length| Some([cursor.take(length)?, cursor.take(length)?][usize::from(!from_client)]);
                let keys = KeyParts { mac: pair(mac)?, key: pair(key)?, iv: pair(iv)? };
                RecordKey::tls12(algorithm, self.version, keys, self.encrypt_then_mac, self.truncated_mac)
            })
            .collect()
    }

    fn masters(&self, ring: &mut Keyring) -> Vec<Secret> {
        let keys = ring.keys();
        let mut masters: Vec<Secret> = keys.find(&self.client_random, Label::Master).copied().collect();
        let pre_masters = keys.find(&self.client_random, Label::PreMaster).map(|secret| secret.octets().to_vec());
        let encrypted = self.encrypted.first_chunk().into_iter().flat_map(|first| keys.encrypted(*first));
        for pre_master in pre_masters.chain(encrypted.map(|secret| secret.octets().to_vec())) {
            masters.extend(self.master(&pre_master));
        }
        if !self.session_id.is_empty() {
            masters.extend(keys.by_session_id(&self.session_id).copied());
        }
        if !ring.keys().servers().is_empty() {
            masters.extend(self.opened_by_server(ring));
        }
        masters
    }

    /// The master secret that the server's private key opens, or that of the session that is resumed.
    fn opened_by_server(&self, ring: &mut Keyring) -> Option<Secret> {
        if self.encrypted.is_empty() {
            let by_id = (!self.session_id.is_empty() && self.session_id == self.client_session_id)
                .then(|| ring.remembered(&self.session_id))
                .flatten();
            return by_id.or_else(|| ring.remembered(&self.ticket));
        }
        let master = ring.keys().servers().iter().find_map(|server| {
            let pre_master = server.pre_master(&self.encrypted).filter(|secret| secret.len() == MASTER_SECRET)?;
            self.master(&pre_master)
        })?;
        ring.remember(self.session_id.clone(), master);
        Some(master)
    }

    /// The master secret of a pre-master secret (RFC 5246 §8.1, RFC 7627 §4).
    fn master(&self, pre_master: &[u8]) -> Option<Secret> {
        let hash = suite::hash(self.suite, self.version);
        let mut master = [0; MASTER_SECRET];
        if self.extended_master_secret {
            if self.session_hash.is_empty() {
                return None;
            }
            hash.prf(pre_master, b"extended master secret", &[&self.session_hash], &mut master);
        } else {
            hash.prf(pre_master, b"master secret", &[&self.client_random, &self.server_random], &mut master);
        }
        Secret::new(&master)
    }
}

fn session_ticket(extensions: &Extensions) -> Option<&[u8]> {
    const SESSION_TICKET: ExtensionType = ExtensionType(35);
    extensions.all.iter().find(|extension| extension.kind == SESSION_TICKET).map(|extension| &extension.data[..])
}

/// What tells tickets apart: their beginning, which is a key's name and a vector (RFC 5077 §4).
fn ticket_name(ticket: Option<&[u8]>) -> Vec<u8> {
    let ticket = ticket.unwrap_or_default();
    ticket[..ticket.len().min(64)].to_vec()
}

/// The first octet of the suites of TLS 1.3.
const TLS13_SUITES: u16 = 0x13;
