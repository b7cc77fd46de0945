//! Certificates as TLS up to 1.2 sends them in the clear.

use std::fmt;

use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Name;

use crate::bytes::Cursor;
use crate::limits;
use crate::time::Timestamp;

use super::anomaly::Anomaly;

/// One certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// All of it, in DER.
    pub der: Vec<u8>,
    /// Its SHA-256 fingerprint.
    pub sha256: [u8; 32],
    /// What it says; `None` where it cannot be read.
    pub fields: Option<CertificateFields>,
}

/// What a certificate says (RFC 5280 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFields {
    /// Its version: 1, 2 or 3.
    pub version: u32,
    /// Its serial number, big-endian, without the octet that DER adds for the sign.
    pub serial: Vec<u8>,
    /// For whom it is.
    pub subject: DistinguishedName,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// The DNS names that it holds for (subject alternative names).
    pub dns_names: Vec<String>,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid, that second included.
    pub not_after: Timestamp,
    /// The kind of its key.
    pub key: KeyKind,
    /// Bits of its key: of the modulus, the prime or the curve's field.
    pub key_bits: Option<u32>,
    /// The algorithm of the issuer's signature, as RFC 8017 and RFC 5758 name them, or the
    /// object identifier.
    pub signature_algorithm: String,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
    /// Whether it may issue others (basic constraints).
    pub authority: bool,
}

impl CertificateFields {
    /// Whether it is valid at a moment.
    #[must_use]
    pub fn is_valid_at(&self, time: Timestamp) -> bool {
        self.not_before <= time && time.nanos() / 1_000_000_000 <= self.not_after.nanos() / 1_000_000_000
    }
}

/// The kind of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// An elliptic curve, by name or object identifier.
    EllipticCurve(String),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// DSA.
    Dsa,
    /// Another one, by object identifier.
    Other(String),
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyKind::Rsa => f.write_str("RSA"),
            KeyKind::EllipticCurve(curve) => write!(f, "EC {curve}"),
            KeyKind::Ed25519 => f.write_str("Ed25519"),
            KeyKind::Ed448 => f.write_str("Ed448"),
            KeyKind::Dsa => f.write_str("DSA"),
            KeyKind::Other(oid) => f.write_str(oid),
        }
    }
}

/// A name as a list of attributes, in the order of the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistinguishedName(
    /// Type (`CN`, `O` …, else the object identifier) and value.
    pub Vec<(String, String)>,
);

impl DistinguishedName {
    /// The last common name.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.0.iter().rev().find(|(kind, _)| kind == "CN").map(|(_, value)| value.as_str())
    }

    /// As RFC 2253 §2 writes it: the last attribute first, special characters escaped.
    #[must_use]
    pub fn rfc2253(&self) -> String {
        let escape = |value: &str| {
            let mut escaped = String::with_capacity(value.len());
            for (index, c) in value.char_indices() {
                let at_edge = (index == 0 && matches!(c, ' ' | '#')) || (index + 1 == value.len() && c == ' ');
                if at_edge || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
                    escaped.push('\\');
                }
                escaped.push(c);
            }
            escaped
        };
        let parts: Vec<String> = self.0.iter().rev().map(|(kind, value)| format!("{kind}={}", escape(value))).collect();
        parts.join(",")
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (kind, value)) in self.0.iter().enumerate() {
            write!(f, "{}{kind}={value}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Certificate {
    /// Reads one certificate.
    #[must_use]
    pub fn read(der: &[u8]) -> Certificate {
        Certificate { der: der.to_vec(), sha256: Sha256::digest(der).into(), fields: fields(der) }
    }
}

/// Reads the chain of a Certificate message (RFC 5246 §7.4.2). `None`: its format is broken.
pub(super) fn read_chain(body: &[u8], anomalies: &mut Vec<Anomaly>) -> Option<Vec<Certificate>> {
    read_list(Cursor::new(body).vector24()?, false, anomalies)
}

/// Reads a Certificate message of TLS 1.3 (RFC 8446 §4.4.2): a context, and extensions for each.
pub(super) fn read_chain_tls13(body: &[u8], anomalies: &mut Vec<Anomaly>) -> Option<Vec<Certificate>> {
    let mut cursor = Cursor::new(body);
    cursor.vector8()?;
    read_list(cursor.vector24()?, true, anomalies)
}

fn read_list(list: &[u8], has_extensions: bool, anomalies: &mut Vec<Anomaly>) -> Option<Vec<Certificate>> {
    let mut list = Cursor::new(list);
    let mut chain = Vec::new();
    let mut count = 0;
    while !list.is_empty() {
        let Some(der) = list.vector24() else {
            anomalies.push(Anomaly::CertificateMalformed);
            break;
        };
        if has_extensions && list.vector16().is_none() {
            anomalies.push(Anomaly::CertificateMalformed);
        }
        count += 1;
        if chain.len() < limits::TLS_CERTIFICATES {
            let certificate = Certificate::read(der);
            if certificate.fields.is_none() {
                anomalies.push(Anomaly::CertificateMalformed);
            }
            chain.push(certificate);
        }
    }
    if count > limits::TLS_CERTIFICATES {
        anomalies.push(Anomaly::CertificatesMany(count as u32));
    }
    Some(chain)
}

fn fields(der: &[u8]) -> Option<CertificateFields> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let (key, key_bits) = key(&certificate);
    let moment = |time: x509_parser::time::ASN1Time| Timestamp::from_parts(time.timestamp(), 0);
    let (subject, issuer) = (name(certificate.subject()), name(certificate.issuer()));
    Some(CertificateFields {
        version: certificate.version().0.saturating_add(1),
        serial: without_sign(certificate.raw_serial()).to_vec(),
        self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        subject,
        issuer,
        dns_names: dns_names(&certificate),
        not_before: moment(certificate.validity().not_before),
        not_after: moment(certificate.validity().not_after),
        key,
        key_bits,
        signature_algorithm: algorithm(&certificate.signature_algorithm.algorithm.to_id_string()),
        authority: certificate.is_ca(),
    })
}

fn dns_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let dns = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    dns.take(limits::TLS_CERTIFICATE_NAMES).collect()
}

fn key(certificate: &X509Certificate<'_>) -> (KeyKind, Option<u32>) {
    let info = certificate.public_key();
    let kind = info.algorithm.algorithm.to_id_string();
    let parsed = info.parsed().ok();
    let bits = |key: &PublicKey<'_>| u32::try_from(key.key_size()).ok();
    match kind.as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => {
            let modulus = parsed.as_ref().and_then(|key| match key {
                PublicKey::RSA(rsa) => Some(significant_bits(rsa.modulus)),
                _ => None,
            });
            (KeyKind::Rsa, modulus)
        }
        "1.2.840.10045.2.1" => {
            let oid = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            let oid = oid.map_or_else(|| "explicit".to_owned(), |oid| oid.to_id_string());
            match CURVES.iter().find(|(id, ..)| *id == oid) {
                Some((_, curve, bits)) => (KeyKind::EllipticCurve((*curve).to_owned()), Some(*bits)),
                None => (KeyKind::EllipticCurve(oid), parsed.as_ref().and_then(bits)),
            }
        }
        "1.3.101.112" => (KeyKind::Ed25519, Some(256)),
        "1.3.101.113" => (KeyKind::Ed448, Some(456)),
        "1.2.840.10040.4.1" => (KeyKind::Dsa, parsed.as_ref().and_then(bits)),
        _ => (KeyKind::Other(kind), None),
    }
}

fn without_sign(serial: &[u8]) -> &[u8] {
    match serial {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => serial,
    }
}

fn significant_bits(number: &[u8]) -> u32 {
    let first = number.iter().position(|octet| *octet != 0).unwrap_or(number.len());
    let rest = &number[first..];
    rest.first().map_or(0, |top| rest.len() as u32 * 8 - top.leading_zeros())
}

fn name(name: &X509Name<'_>) -> DistinguishedName {
    let attributes = name.iter_attributes().map(|attribute| {
        let oid = attribute.attr_type().to_id_string();
        let kind = ATTRIBUTES.iter().find(|(id, _)| *id == oid).map_or(oid, |(_, short)| (*short).to_owned());
        let value = match attribute.as_str() {
            Ok(text) => text.to_owned(),
            Err(_) => other_string(attribute.attr_value().tag().0, attribute.as_slice()),
        };
        (kind, value)
    });
    DistinguishedName(attributes.collect())
}

/// A string of one of the old kinds: UTF-16 (BMPString, tag 30), or octets read as Latin-1
/// (T61String and whatever else is there).
fn other_string(tag: u32, octets: &[u8]) -> String {
    if tag == 30 {
        let units = octets.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
        return char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    }
    octets.iter().map(|octet| char::from(*octet)).collect()
}

fn algorithm(oid: &str) -> String {
    SIGNATURES.iter().find(|(id, _)| *id == oid).map_or(oid, |(_, name)| name).to_owned()
}

/// Attribute types with a short name (RFC 4514 §3, RFC 2985, and what OpenSSL adds).
const ATTRIBUTES: [(&str, &str); 18] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.42", "GN"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
];

/// Named curves: object identifier, name, bits.
const CURVES: [(&str, &str, u32); 9] = [
    ("1.2.840.10045.3.1.1", "secp192r1", 192),
    ("1.3.132.0.33", "secp224r1", 224),
    ("1.2.840.10045.3.1.7", "secp256r1", 256),
    ("1.3.132.0.34", "secp384r1", 384),
    ("1.3.132.0.35", "secp521r1", 521),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];

/// Signature algorithms: object identifier and name.
const SIGNATURES: [(&str, &str); 18] = [
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.3.14.3.2.29", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.10", "rsassaPss"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.10040.4.3", "dsa-with-SHA1"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("2.16.840.1.101.3.4.3.2", "dsa-with-SHA256"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_chain_keeps_what_can_be_read_and_tells_the_rest() {
        let read = |body: &[u8]| {
            let mut anomalies = Vec::new();
            let chain = read_chain(body, &mut anomalies);
            (chain.map(|chain| chain.len()), anomalies)
        };
        assert_eq!(read(&[0, 0]), (None, vec![]));
        assert_eq!(read(&[0, 0, 0]), (Some(0), vec![]));
        assert_eq!(read(&[0, 0, 5, 0, 0, 2, 0x30, 0]), (Some(1), vec![Anomaly::CertificateMalformed]));
        assert_eq!(read(&[0, 0, 4, 0, 0, 9, 0x30]), (Some(0), vec![Anomaly::CertificateMalformed]));
        let many = [&[0, 0, 60][..], &[0; 60]].concat();
        let (kept, anomalies) = read(&many);
        assert_eq!((kept, anomalies.last()), (Some(limits::TLS_CERTIFICATES), Some(&Anomaly::CertificatesMany(20))));
    }

    #[test]
    fn names_print_in_both_orders_and_escape_what_would_mislead() {
        let pairs = [("C", "US"), ("O", " A, B"), ("CN", "x+y")];
        let name = DistinguishedName(pairs.map(|(kind, value)| (kind.to_owned(), value.to_owned())).into());
        assert_eq!(name.to_string(), "C=US, O= A, B, CN=x+y");
        assert_eq!(name.rfc2253(), "CN=x\\+y,O=\\ A\\, B,C=US");
        assert_eq!(name.common_name(), Some("x+y"));
    }
}
