//! What came of the keys for one conversation.

use std::fmt;

use crate::bytes::Cursor;
use crate::limits;
use crate::stream::{Direction, Span};

use super::super::certificate::Certificate;
use super::super::registry::{Alert, CipherSuite};

/// What was opened of a conversation, and what the sealed handshake says.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// Who is the client.
    pub client: Direction,
    /// Whether the ClientHello is in the capture: its random is what keys are found by.
    pub has_hello: bool,
    /// Whether the ServerHello is in the capture.
    pub has_server_hello: bool,
    /// The suite agreed on.
    pub suite: Option<CipherSuite>,
    /// Whether records of that suite, version and compression are opened here.
    pub can_open: bool,
    /// Whether keys for what is said were found, for each direction.
    pub keys_known: [bool; 2],
    /// Sealed records of each direction.
    pub sealed: [u64; 2],
    /// Those of them that were opened.
    pub opened: [u64; 2],
    /// The first record of each direction that stayed sealed though there were keys: its number among
    /// the records of both directions, from 1, and why.
    pub first_failure: [Option<(u64, Reason)>; 2],
    /// Whether records of a handshake stayed sealed though there are keys for what follows it.
    pub without_handshake_keys: bool,
    /// Handshakes, renegotiations and second hellos included.
    pub handshakes: u32,
    /// Whether the server asked for a second hello.
    pub retried: bool,
    /// Octets of early data.
    pub early_data: u64,
    /// TLS 1.3: whether each direction's Finished was read.
    pub finished: [bool; 2],
    /// TLS 1.3: how often each direction changed its key.
    pub key_updates: [u32; 2],
    /// TLS 1.3: session tickets.
    pub tickets: u32,
    /// TLS 1.3: the application protocol that the server chose.
    pub alpn: Option<Vec<u8>>,
    /// The server's certificates, where they were sealed.
    pub certificates: Vec<Certificate>,
    /// Where they stand: the records that carried them.
    pub certificates_span: Option<Span>,
    /// Whether the server asked for a client certificate.
    pub client_certificate_requested: bool,
    /// The client's certificates, where they were sealed.
    pub client_certificates: Vec<Certificate>,
    /// Where they stand.
    pub client_certificates_span: Option<Span>,
    /// Alerts that were sealed, of up to `limits::TLS_ANOMALIES`.
    pub alerts: Vec<(Span, Alert)>,
}

/// Why a record stays sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No key for its session was given.
    NoKeys,
    /// Only the keys for what comes after the handshake were given.
    NoHandshakeKeys,
    /// The ClientHello is not in the capture, so that nothing says whose keys are wanted.
    NoClientHello,
    /// The ServerHello is not in the capture, so that the suite is not known.
    NoServerHello,
    /// Its suite, version or compression is none that is opened here.
    Unsupported,
    /// Octets of it are missing.
    Incomplete,
    /// It does not authenticate: the key is wrong, or the record was changed or follows lost ones.
    NotAuthentic,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::NoKeys => "no key",
            Reason::NoHandshakeKeys => "no key for the handshake",
            Reason::NoClientHello => "the ClientHello is not in the capture",
            Reason::NoServerHello => "the ServerHello is not in the capture",
            Reason::Unsupported => "its cipher is not opened here",
            Reason::Incomplete => "octets of it are missing",
            Reason::NotAuthentic => "the key does not fit",
        })
    }
}

impl Opening {
    pub(super) fn new(client: Direction) -> Opening {
        Opening {
            client,
            has_hello: false,
            has_server_hello: false,
            suite: None,
            can_open: true,
            keys_known: [false; 2],
            sealed: [0; 2],
            opened: [0; 2],
            first_failure: [None; 2],
            without_handshake_keys: false,
            handshakes: 0,
            retried: false,
            early_data: 0,
            finished: [false; 2],
            key_updates: [0; 2],
            tickets: 0,
            alpn: None,
            certificates: Vec::new(),
            certificates_span: None,
            client_certificate_requested: false,
            client_certificates: Vec::new(),
            client_certificates_span: None,
            alerts: Vec::new(),
        }
    }

    /// Whether anything was opened.
    #[must_use]
    pub fn is_opened(&self) -> bool {
        self.opened != [0; 2]
    }

    pub(super) fn stayed_sealed(&mut self, direction: Direction, number: u64, reason: Reason) {
        self.without_handshake_keys |= reason == Reason::NoHandshakeKeys;
        if matches!(reason, Reason::Incomplete | Reason::NotAuthentic) {
            self.first_failure[direction.index()].get_or_insert((number, reason));
        }
    }

    pub(super) fn certificates(&mut self, span: Span, from_client: bool, chain: Vec<Certificate>) {
        if from_client {
            self.client_certificates = chain;
            self.client_certificates_span = Some(span);
        } else {
            self.certificates = chain;
            self.certificates_span = Some(span);
        }
    }

    /// The protocol that the server chose (RFC 7301 §3.1).
    pub(super) fn encrypted_extensions(&mut self, body: &[u8]) {
        const ALPN: u16 = 16;
        let Some(mut list) = Cursor::new(body).vector16().map(Cursor::new) else { return };
        while let (Some(kind), Some(value)) = (list.u16(), list.vector16()) {
            if kind == ALPN {
                let name = Cursor::new(value).vector16().and_then(|names| Cursor::new(names).vector8());
                self.alpn = name.map(|name| name[..name.len().min(limits::TLS_EXTENSION_OCTETS)].to_vec());
            }
        }
    }

    /// What came of the keys, as a sentence; `None` where nothing of it was sealed.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let total: u64 = self.sealed.iter().sum();
        if total == 0 {
            return None;
        }
        let opened: u64 = self.opened.iter().sum();
        if opened == 0 {
            let failed = self.first_failure.iter().flatten().min_by_key(|(number, _)| *number);
            return Some(match failed {
                _ if !self.has_hello => {
                    "keys given, but the ClientHello, by which they are found, is not in the capture".to_owned()
                }
                _ if !self.has_server_hello => {
                    "keys given, but the ServerHello is not in the capture: the cipher is not known".to_owned()
                }
                _ if !self.can_open => match self.suite {
                    Some(suite) => format!("keys given, but {suite} is not opened here"),
                    None => "keys given, but its cipher is not opened here".to_owned(),
                },
                Some((number, Reason::NotAuthentic)) => {
                    format!("the keys given for this session do not fit: record {number} did not open")
                }
                _ => "keys given, but none for this session".to_owned(),
            });
        }
        let [client, server] = [self.client.index(), 1 - self.client.index()];
        let mut sentences = vec![match (self.opened[client], self.opened[server]) {
            _ if opened == total => format!("all {total} sealed records opened"),
            (_, 0) if !self.keys_known[server] => {
                format!("the client's keys only: {opened} of {total} sealed records opened")
            }
            (0, _) if !self.keys_known[client] => {
                format!("the server's keys only: {opened} of {total} sealed records opened")
            }
            _ if self.keys_known == [false; 2] => {
                format!(
                    "only the handshake opened, {opened} of {total} sealed records: for what is said there are no keys"
                )
            }
            _ => format!("{opened} of {total} sealed records opened"),
        }];
        if self.without_handshake_keys {
            sentences.push("for the handshake there are no keys".to_owned());
        }
        for direction in [client, server] {
            if let Some((number, reason)) = self.first_failure[direction] {
                let who = if direction == client { "client" } else { "server" };
                sentences.push(format!("record {number}, from the {who}, did not open: {reason}"));
            }
        }
        Some(sentences.join("; "))
    }
}
