//! All that hellos and certificates show, for the `tls` object of a session.

use serde::Serialize;

use super::Certificate;
use super::Resumes;
use super::convert::certificate;
use crate::bytes::utf8;
use crate::session::{Session, TlsSeen, Upgraded};
use crate::tls::{self, Extensions, KeyShare, SignatureScheme, is_grease};

/// What a TLS handshake shows, beyond what was agreed on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Handshake {
    /// What was spoken before TLS began, where it is not SMTP: `imap`, `pop3`, `ftp`, `ldap`, `xmpp` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgraded_from: Option<&'static str>,
    /// Who could read the records later, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readable_later_by: Option<&'static str>,
    /// `good`, `sufficient`, `to be phased out` or `insufficient` (NCSC-NL).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<&'static str>,
    /// Bits of the Diffie-Hellman prime, where the group has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<u32>,
    /// How the server signed its key exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_signature: Option<String>,
    /// Whether CBC records are authenticated after encryption (RFC 7366).
    pub encrypt_then_mac: bool,
    /// Whether the master secret is bound to the handshake (RFC 7627).
    pub extended_master_secret: bool,
    /// Whether records are compressed.
    pub compressed: bool,
    /// Whether the server asked for another hello (RFC 8446 §4.1.4).
    pub hello_retry: bool,
    /// Whether the client sends data before the server has answered (RFC 8446 §2.3).
    pub early_data: bool,
    /// Whether the server asked for a client certificate, where that is in the clear.
    pub client_certificate_requested: bool,
    /// The client's certificates, where they are in the clear.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_certificates: Vec<Certificate>,
    /// The client's offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_hello: Option<ClientHello>,
    /// The earlier sessions that it goes on from, where the client shows something of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumes: Option<Resumes>,
    /// Seconds that a session ticket may be used which the server issues in the clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_lifetime: Option<u32>,
}

/// What a client offers.
#[derive(Clone, Debug, Serialize)]
pub struct ClientHello {
    /// Octets of the message.
    pub length: u32,
    /// Records that it is spread over.
    pub records: u32,
    /// Packets that carried it.
    pub packets: u64,
    /// Versions, the best first.
    pub versions: Vec<String>,
    /// Cipher suites, in the client's order.
    pub cipher_suites: Vec<String>,
    /// Extensions by number, in order.
    pub extensions: Vec<u16>,
    /// Groups for the key exchange.
    pub groups: Vec<String>,
    /// Groups for which a share is sent at once, with its octets.
    pub key_shares: Vec<Share>,
    /// Signature algorithms.
    pub signature_algorithms: Vec<String>,
    /// Application protocols.
    pub alpn: Vec<String>,
    /// Whether an encrypted ClientHello is in it, or a random stand-in for one (RFC 9849 §6.2).
    pub encrypted_client_hello: bool,
    /// Whether it has values without meaning (RFC 8701).
    pub grease: bool,
    /// Octets of plaintext in a record that the client takes at most (RFC 8449).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_size_limit: Option<u16>,
    /// Octets of the longest fragment that the client takes (RFC 6066 §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_fragment_length: Option<u32>,
    /// Octets of a session id that it brings.
    pub session_id_length: u64,
    /// Octets of the session ticket that it brings (RFC 5077); 0 asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_ticket_length: Option<u16>,
    /// Octets of each pre-shared key's name, most often a ticket.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub psk_identity_lengths: Vec<u16>,
}

/// A key share.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// Its group.
    pub group: String,
    /// Its octets.
    pub length: u16,
}

/// What the handshake of a session shows.
pub(super) fn handshake(found: &Session, tls: &TlsSeen) -> Handshake {
    let summary = &tls.summary;
    Handshake {
        upgraded_from: found.upgraded.map(Upgraded::name),
        readable_later_by: summary.forward_secrecy().map(tls::ForwardSecrecy::reader),
        tier: summary.tier().map(tls::Tier::name),
        dh_bits: summary.dh_bits,
        server_signature: summary.server_signature.map(|scheme| scheme.to_string()),
        encrypt_then_mac: summary.encrypt_then_mac,
        extended_master_secret: summary.extended_master_secret,
        compressed: summary.compressed,
        hello_retry: summary.hello_retry_request.is_some(),
        early_data: extensions(summary).is_some_and(|e| e.early_data),
        client_certificate_requested: summary.client_certificate_requested,
        client_certificates: summary.client_certificates.iter().map(certificate).collect(),
        client_hello: summary.client_hello.as_deref().map(|hello| client_hello(found, hello)),
        resumes: None,
        ticket_lifetime: summary.ticket_lifetime,
    }
}

fn extensions(summary: &tls::Summary) -> Option<&Extensions> {
    summary.client_hello.as_ref()?.extensions.as_ref()
}

fn client_hello(found: &Session, hello: &tls::ClientHello) -> ClientHello {
    let none = Extensions::default();
    let extensions = hello.extensions.as_ref().unwrap_or(&none);
    let mut versions = extensions.supported_versions.clone();
    versions.retain(|version| !is_grease(version.0));
    if versions.is_empty() {
        versions.push(hello.legacy_version);
    }
    let share = |share: &KeyShare| Share { group: share.group.to_string(), length: share.length };
    ClientHello {
        length: hello.length,
        records: hello.records,
        packets: found.packets(hello.span).len() as u64,
        versions: versions.iter().map(ToString::to_string).collect(),
        cipher_suites: hello.cipher_suites.iter().filter(|s| !s.is_grease()).map(ToString::to_string).collect(),
        extensions: extensions.all.iter().map(|extension| extension.kind.0).filter(|kind| !is_grease(*kind)).collect(),
        groups: extensions.supported_groups.iter().filter(|g| !g.is_grease()).map(ToString::to_string).collect(),
        key_shares: extensions.key_shares.iter().filter(|share| !share.group.is_grease()).map(share).collect(),
        signature_algorithms: extensions.signature_algorithms.iter().map(SignatureScheme::to_string).collect(),
        alpn: extensions.alpn.iter().map(|name| utf8(name)).collect(),
        encrypted_client_hello: extensions.encrypted_client_hello.is_some(),
        grease: hello.grease,
        record_size_limit: extensions.record_size_limit,
        max_fragment_length: extensions.max_fragment_length.and_then(max_fragment),
        session_id_length: hello.session_id.len() as u64,
        session_ticket_length: extensions.session_ticket,
        psk_identity_lengths: extensions.psk_identities.iter().map(|identity| identity.length).collect(),
    }
}

/// The codes of RFC 6066 §4: 1 is 512 octets, each further one twice as many.
fn max_fragment(code: u8) -> Option<u32> {
    (1..=4).contains(&code).then(|| 256 << code)
}
