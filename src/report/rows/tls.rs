//! Rows of a TLS conversation.

use crate::report::collect::message_name;
use crate::tls::{self, ContentType, EventKind, ProtocolVersion};

/// What a packet said of a conversation.
#[derive(Debug, Default)]
pub(super) struct Line {
    names: Vec<String>,
    /// The last record was clear, and nothing in it has been named.
    unnamed: bool,
    version: Option<ProtocolVersion>,
    sealed: Vec<(u64, u64)>,
    asks_for: Option<String>,
    not_tls: bool,
}

impl Line {
    pub(super) fn clear(&mut self) {
        *self = Line::default();
    }

    pub(super) fn event(&mut self, event: &tls::Event<'_>) {
        match &event.kind {
            EventKind::Record(record) => {
                self.version.get_or_insert(record.version);
                self.unnamed = false;
                if record.sealed {
                    self.names.push(sealed_name(record.content_type).to_owned());
                    if let Some(plaintext) = record.plaintext {
                        self.sealed.push((u64::from(plaintext.min), u64::from(plaintext.max)));
                    }
                } else if record.content_type == ContentType::APPLICATION_DATA {
                    self.names.push("Application Data".to_owned());
                } else if record.content_type == ContentType::HEARTBEAT {
                    self.names.push("Heartbeat".to_owned());
                }
            }
            EventKind::ClientHello(hello) => {
                self.asks_for = hello.server_name().map(super::shown);
                self.names.push("Client Hello".to_owned());
            }
            EventKind::NotTls(_) => self.not_tls = true,
            _ => self.names.extend(message_name(event)),
        }
    }

    /// The row, or `None` where no record and no message ended in this packet.
    pub(super) fn row(
        &mut self,
        negotiated: Option<ProtocolVersion>,
    ) -> Option<(&'static str, String, Option<String>)> {
        if self.names.is_empty() {
            let garbage = self.not_tls.then(|| ("SSL", "Continuation Data".to_owned(), None));
            return garbage;
        }
        let version = negotiated.or(self.version);
        let note = match (&self.asks_for, self.sealed.as_slice()) {
            (Some(name), _) => Some(format!("asks for {name}")),
            (None, []) => None,
            (None, records) => {
                let lengths: Vec<String> = records
                    .iter()
                    .map(|(min, max)| if min == max { min.to_string() } else { format!("{min}-{max}") })
                    .collect();
                Some(format!("sealed, {} octets", lengths.join(" + ")))
            }
        };
        Some((column(version), self.names.join(", "), note))
    }
}

/// A sealed record by the type that its header shows.
fn sealed_name(content_type: ContentType) -> &'static str {
    match content_type {
        ContentType::HANDSHAKE => "Encrypted Handshake Message",
        ContentType::ALERT => "Encrypted Alert",
        ContentType::HEARTBEAT => "Encrypted Heartbeat",
        ContentType::CHANGE_CIPHER_SPEC => "Change Cipher Spec",
        _ => "Application Data",
    }
}

/// The protocol column: Wireshark writes TLS 1.0 as `TLSv1`.
fn column(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::SSL2) => "SSLv2",
        Some(ProtocolVersion::SSL3) => "SSLv3",
        Some(ProtocolVersion::TLS10) => "TLSv1",
        Some(ProtocolVersion::TLS11) => "TLSv1.1",
        Some(ProtocolVersion::TLS12) => "TLSv1.2",
        Some(version) if version.is_tls13() => "TLSv1.3",
        _ => "TLS",
    }
}
