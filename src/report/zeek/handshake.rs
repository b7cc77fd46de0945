//! Zeek's rules for `ssl.log` and `x509.log`.
//!
//! A record of `ssl.log` tells of the handshake up to the moment at which both sides seal what they say, or of as much of it as there was.

use std::net::IpAddr;

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::{Log, Record, Value};
use crate::limits::{ZEEK_ADDRESSES, ZEEK_HISTORY};
use crate::session::TlsSeen;
use crate::time::Timestamp;
use crate::tls::{
    Alert, Certificate, CertificateFields, CipherSuite, ContentType, DistinguishedName, EventKind, HandshakeType,
    KeyKind, ProtocolVersion, Summary,
};

/// What was seen of a handshake.
#[derive(Debug)]
pub(super) struct Handshake {
    /// When it began.
    ts: Timestamp,
    history: String,
    alert: Option<Alert>,
    /// Who has changed to sealed records, the client first.
    changed: [bool; 2],
    sealed: [bool; 2],
    is_tls13: bool,
    established: bool,
    /// A message with certificates was seen.
    certified: bool,
}

impl Handshake {
    pub(super) fn new(ts: Timestamp) -> Handshake {
        Handshake {
            ts,
            history: String::new(),
            alert: None,
            changed: [false; 2],
            sealed: [false; 2],
            is_tls13: false,
            established: false,
            certified: false,
        }
    }

    /// Takes what happened next.
    pub(super) fn event(&mut self, kind: &EventKind<'_>, from_client: bool) {
        if self.established {
            return;
        }
        let side = usize::from(!from_client);
        match kind {
            EventKind::ClientHello(_) => self.letter('c', from_client),
            EventKind::ServerHello(hello) => {
                self.is_tls13 = hello.version().is_tls13();
                self.letter('s', from_client);
            }
            EventKind::HelloRetryRequest(_) => self.letter('j', from_client),
            EventKind::Certificates(_) => {
                self.certified = true;
                self.letter('x', from_client);
            }
            EventKind::Handshake(kind, _) => {
                let known = LETTERS.iter().find(|(known, _)| known == kind);
                self.letter(known.map_or('z', |(_, letter)| *letter), from_client);
            }
            EventKind::Alert(alert) => {
                self.alert = Some(*alert);
                self.letter('l', from_client);
            }
            EventKind::ChangeCipherSpec => {
                self.letter('i', from_client);
                self.changed[side] = true;
                self.established = !self.is_tls13 && self.changed == [true; 2];
            }
            EventKind::Record(record) if record.content_type == ContentType::HEARTBEAT => self.letter('b', from_client),
            EventKind::Record(record) if record.sealed && self.is_tls13 => {
                self.sealed[side] = true;
                self.established = self.sealed == [true; 2];
            }
            _ => {}
        }
    }

    fn letter(&mut self, letter: char, from_client: bool) {
        if self.history.len() < ZEEK_HISTORY {
            self.history.push(if from_client { letter.to_ascii_uppercase() } else { letter });
        }
    }

    /// The record of `ssl.log`, behind `head`; nothing where no handshake message was seen.
    pub(super) fn record(self, tls: &TlsSeen, head: impl Fn(Timestamp) -> Vec<Value>) -> Option<Record> {
        if self.history.is_empty() {
            return None;
        }
        let summary = &tls.summary;
        let mut values = head(self.ts);
        let prints = |chain: &[Certificate]| match self.certified {
            true => Value::list(chain.iter().map(|certificate| hex(&certificate.sha256))),
            false => Value::Unset,
        };
        let server = summary.server_hello.as_deref();
        values.extend([
            Value::or_unset(server.map(|_| summary.version.map_or_else(String::new, version))),
            Value::or_unset(summary.cipher_suite.map(cipher)),
            Value::or_unset(summary.group.map(|group| group.to_string())),
            Value::or_unset(summary.server_name.clone()),
            Value::Bool(summary.resumed == Some(true)),
            Value::or_unset(self.alert.map(|alert| words(&alert.description.to_string()))),
            Value::or_unset(server.and_then(|hello| hello.extensions.as_ref()?.alpn.first().cloned())),
            Value::Bool(self.established),
            Value::or_unset(Some(self.history)),
            prints(&summary.certificates),
            prints(&summary.client_certificates),
            name_fits(summary).map_or(Value::Unset, Value::Bool),
        ]);
        Some(Record { log: Log::Ssl, values })
    }
}

/// The records of `x509.log` of a chain that was seen at `time`.
pub(super) fn certificates(chain: &[Certificate], from_client: bool, time: Timestamp) -> Vec<Record> {
    let record = |(n, certificate): (usize, &Certificate)| {
        let (host, client) = (n == 0, from_client);
        let fields = certificate.fields.as_ref()?;
        Some(Record { log: Log::X509, values: certificate_values(time, certificate, fields, host, client) })
    };
    chain.iter().enumerate().filter_map(record).collect()
}

fn certificate_values(
    ts: Timestamp,
    certificate: &Certificate,
    fields: &CertificateFields,
    host: bool,
    client: bool,
) -> Vec<Value> {
    let parsed = X509Certificate::from_der(&certificate.der).ok().map(|(_, read)| read);
    let (kind, curve) = match &fields.key {
        KeyKind::Rsa => (Some("rsa"), None),
        KeyKind::EllipticCurve(curve) => (Some("ecdsa"), Some(curve_name(curve))),
        KeyKind::Dsa => (Some("dsa"), None),
        KeyKind::Ed25519 | KeyKind::Ed448 | KeyKind::Other(_) => (None, None),
    };
    let algorithm = match &fields.key {
        KeyKind::Rsa => "rsaEncryption",
        KeyKind::EllipticCurve(_) => "id-ecPublicKey",
        KeyKind::Dsa => "dsaEncryption",
        KeyKind::Ed25519 => "ED25519",
        KeyKind::Ed448 => "ED448",
        KeyKind::Other(name) => name,
    };
    let exponent = parsed.as_ref().and_then(|read| match read.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => key.try_exponent().ok().map(|exponent| exponent.to_string()),
        _ => None,
    });
    let names = parsed.as_ref().map(alternative_names).unwrap_or_default();
    let constraints = parsed.as_ref().and_then(|read| read.basic_constraints().ok().flatten());
    let list = |texts: Vec<String>| if texts.is_empty() { Value::Unset } else { Value::list(texts) };
    vec![
        Value::Time(ts),
        Value::text(hex(&certificate.sha256)),
        Value::Count(fields.version.into()),
        Value::text(hex(&fields.serial).to_ascii_uppercase()),
        Value::text(name(&fields.subject)),
        Value::text(name(&fields.issuer)),
        Value::Time(fields.not_before),
        Value::Time(fields.not_after),
        Value::text(algorithm),
        Value::text(fields.signature_algorithm.clone()),
        Value::or_unset(kind),
        fields.key_bits.map_or(Value::Unset, |bits| Value::Count(bits.into())),
        Value::or_unset(exponent),
        Value::or_unset(curve),
        list(names.dns),
        list(names.uri),
        list(names.email),
        if names.ip.is_empty() {
            Value::Unset
        } else {
            Value::List(names.ip.into_iter().map(Value::Address).collect())
        },
        constraints.as_ref().map_or(Value::Unset, |constraints| Value::Bool(constraints.value.ca)),
        constraints
            .and_then(|constraints| constraints.value.path_len_constraint)
            .map_or(Value::Unset, |most| Value::Count(most.into())),
        Value::Bool(host),
        Value::Bool(client),
    ]
}

/// Subject alternative names by kind.
#[derive(Default)]
struct Names {
    dns: Vec<String>,
    uri: Vec<String>,
    email: Vec<String>,
    ip: Vec<IpAddr>,
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Names {
    let mut names = Names::default();
    let extensions = certificate.extensions().iter();
    let all = extensions.filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    for name in all.flatten().take(ZEEK_ADDRESSES) {
        match name {
            GeneralName::DNSName(text) => names.dns.push((*text).to_owned()),
            GeneralName::URI(text) => names.uri.push((*text).to_owned()),
            GeneralName::RFC822Name(text) => names.email.push((*text).to_owned()),
            GeneralName::IPAddress(octets) => {
                let ip = match octets.len() {
                    4 => <[u8; 4]>::try_from(*octets).ok().map(IpAddr::from),
                    16 => <[u8; 16]>::try_from(*octets).ok().map(IpAddr::from),
                    _ => None,
                };
                names.ip.extend(ip);
            }
            _ => {}
        }
    }
    names
}

/// Whether the name that the client asked for stands in the server's certificate; `None` without one of the two.
fn name_fits(summary: &Summary) -> Option<bool> {
    let asked = std::str::from_utf8(summary.server_name.as_deref()?).ok()?.to_ascii_lowercase();
    let fields = summary.certificates.first()?.fields.as_ref()?;
    // The common name counts where there are no other names (RFC 6125 §6.4.4).
    let common = fields.subject.common_name().filter(|_| fields.dns_names.is_empty()).map(str::to_owned);
    let fits = |name: &String| {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("*.") {
            Some(domain) => asked.split_once('.').is_some_and(|(_, rest)| rest == domain),
            None => name == asked,
        }
    };
    Some(fields.dns_names.iter().chain(&common).any(fits))
}

/// A name as OpenSSL writes it in the style of RFC 2253.
fn name(name: &DistinguishedName) -> String {
    name.rfc2253()
}

/// A version as Zeek spells it.
fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::SSL2 => "SSLv2".to_owned(),
        ProtocolVersion::SSL3 => "SSLv3".to_owned(),
        ProtocolVersion::TLS10 => "TLSv10".to_owned(),
        ProtocolVersion::TLS11 => "TLSv11".to_owned(),
        ProtocolVersion::TLS12 => "TLSv12".to_owned(),
        ProtocolVersion::TLS13 => "TLSv13".to_owned(),
        _ => match version.draft() {
            Some(draft) => format!("TLSv13-draft{draft}"),
            None => format!("unknown-{}", version.0),
        },
    }
}

fn cipher(suite: CipherSuite) -> String {
    suite.name().map_or_else(|| format!("unknown-{}", suite.0), str::to_owned)
}

/// A curve as OpenSSL calls it.
fn curve_name(curve: &str) -> String {
    match curve {
        "secp256r1" | "P-256" => "prime256v1".to_owned(),
        "P-384" => "secp384r1".to_owned(),
        "P-521" => "secp521r1".to_owned(),
        "secp192r1" | "P-192" => "prime192v1".to_owned(),
        other => other.to_owned(),
    }
}

/// `Handshake Failure` as `handshake_failure`.
fn words(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "_")
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Zeek's letters for handshake messages.
const LETTERS: [(HandshakeType, char); 13] = [
    (HandshakeType(0), 'h'),
    (HandshakeType::NEW_SESSION_TICKET, 't'),
    (HandshakeType::END_OF_EARLY_DATA, 'e'),
    (HandshakeType::ENCRYPTED_EXTENSIONS, 'o'),
    (HandshakeType::SERVER_KEY_EXCHANGE, 'k'),
    (HandshakeType::CERTIFICATE_REQUEST, 'r'),
    (HandshakeType::SERVER_HELLO_DONE, 'n'),
    (HandshakeType::CERTIFICATE_VERIFY, 'y'),
    (HandshakeType::CLIENT_KEY_EXCHANGE, 'g'),
    (HandshakeType::FINISHED, 'f'),
    (HandshakeType::CERTIFICATE_URL, 'w'),
    (HandshakeType::CERTIFICATE_STATUS, 'u'),
    (HandshakeType::SUPPLEMENTAL_DATA, 'a'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_alerts_are_spelled_as_zeek_spells_them() {
        let names = [0x0301, 0x0303, 0x0304, 0x7f13, 0x0505].map(|n| version(ProtocolVersion(n)));
        assert_eq!(names, ["TLSv10", "TLSv12", "TLSv13", "TLSv13-draft19", "unknown-1285"]);
        assert_eq!(words("Handshake Failure"), "handshake_failure");
    }
}
