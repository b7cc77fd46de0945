//! What the sizes of the sealed handshake of TLS 1.3 say of the certificates in it (RFC 8446 §4.4).

use std::fmt;

use crate::stream::Direction;

use super::length::Padding;
use super::summary::Summary;
use super::trace::{Phase, RecordTrace, TraceRecord};

/// A certificate and its proof in the sealed handshake, by the lengths of their records. It takes each
/// message to be a record of its own, as OpenSSL, GnuTLS and Go send them; a stack that puts several
/// into one record shows only their sum, of which nothing is said here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedCertificate {
    /// The kind of key, by the size of its signature.
    pub key: SealedKey,
    /// Octets of the certificates with their extensions, five more for each of them.
    pub chain_octets: u16,
    /// The record of the Certificate message in the trace, and that of CertificateVerify.
    pub records: [usize; 2],
}

/// The kind of a key, by the size of what it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedKey {
    /// RSA, with as many bits.
    Rsa(u16),
    /// ECDSA on secp256r1.
    P256,
    /// ECDSA on secp384r1.
    P384,
    /// ECDSA on secp521r1.
    P521,
    /// Ed25519 (or ECDSA on secp256r1, once in a few hundred million signatures).
    Ed25519,
    /// Ed448.
    Ed448,
    /// ML-DSA of one of its three sizes: 44, 65, 87.
    MlDsa(u8),
}

impl SealedKey {
    /// By the octets of a CertificateVerify message: 4 of header, 2 of algorithm, 2 of length, and the
    /// signature. ECDSA's are DER: two integers of which leading zeros are left out, so that a few
    /// octets vary. `None`: no signature in use is so long.
    fn of(message: u16) -> Option<SealedKey> {
        let signature = message.checked_sub(8)?;
        Some(match signature {
            64 => SealedKey::Ed25519,
            67..=72 => SealedKey::P256,
            99..=104 => SealedKey::P384,
            114 => SealedKey::Ed448,
            134..=139 => SealedKey::P521,
            128 | 256 | 384 | 512 | 1024 => SealedKey::Rsa(signature * 8),
            2420 => SealedKey::MlDsa(44),
            3309 => SealedKey::MlDsa(65),
            4627 => SealedKey::MlDsa(87),
            _ => return None,
        })
    }
}

impl fmt::Display for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SealedKey::Rsa(bits) => write!(f, "RSA of {bits} bits"),
            SealedKey::P256 => f.write_str("ECDSA on secp256r1"),
            SealedKey::P384 => f.write_str("ECDSA on secp384r1"),
            SealedKey::P521 => f.write_str("ECDSA on secp521r1"),
            SealedKey::Ed25519 => f.write_str("Ed25519"),
            SealedKey::Ed448 => f.write_str("Ed448"),
            SealedKey::MlDsa(level) => write!(f, "ML-DSA-{level}"),
        }
    }
}

impl RecordTrace {
    /// The certificate that `sender` sent sealed. `None`: it sent none, or its records do not show it.
    #[must_use]
    pub fn sealed_certificate(&self, summary: &Summary, sender: Direction) -> Option<SealedCertificate> {
        if !summary.is_tls13() || self.padding() != Padding::NotSeen {
            return None;
        }
        let finished = summary.cipher_suite?.tls13_hash_len()? + 4;
        let flight: Vec<(usize, &TraceRecord)> = self
            .records()
            .iter()
            .enumerate()
            .filter(|(_, record)| record.direction == sender && record.sealed && record.phase == Phase::Handshake)
            .collect();
        if flight.iter().any(|(_, record)| record.after_gap) {
            return None;
        }
        let exact = |index: usize| flight.get(index)?.1.plaintext?.exact();
        // The server's EncryptedExtensions come before; a client begins with its certificate.
        let least = if sender == summary.client { 2 } else { 3 };
        let last = flight.len().checked_sub(1).filter(|last| *last >= least && exact(*last) == Some(finished))?;
        let key = SealedKey::of(exact(last - 1)?)?;
        // Four octets of header, one for the context, three of length; a shorter one is another message.
        let chain_octets = exact(last - 2)?.checked_sub(8).filter(|octets| *octets > MIN_CERTIFICATE)?;
        Some(SealedCertificate { key, chain_octets, records: [flight[last - 2].0, flight[last - 1].0] })
    }

    /// Whether the client answered a request for its certificate with none: a Certificate message of
    /// eight octets before its Finished.
    #[must_use]
    pub fn declined_certificate(&self, summary: &Summary) -> Option<usize> {
        let empty = |record: &TraceRecord| record.plaintext.and_then(|p| p.exact()) == Some(8);
        let mut client = self.records().iter().enumerate().filter(|(_, record)| {
            record.direction == summary.client && record.sealed && record.phase == Phase::Handshake
        });
        let (index, _) = client.next().filter(|(_, record)| empty(record) && !record.after_gap)?;
        (summary.is_tls13() && self.padding() == Padding::NotSeen && client.next().is_some()).then_some(index)
    }
}

/// No certificate is as short as this.
const MIN_CERTIFICATE: u16 = 150;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_tells_the_kind_of_key_by_its_size() {
        let of = |signature: u16| SealedKey::of(8 + signature).map(|key| key.to_string());
        assert_eq!(of(256).as_deref(), Some("RSA of 2048 bits"));
        assert_eq!(of(512).as_deref(), Some("RSA of 4096 bits"));
        for length in [70, 71, 72] {
            assert_eq!(of(length).as_deref(), Some("ECDSA on secp256r1"));
        }
        assert_eq!(of(103).as_deref(), Some("ECDSA on secp384r1"));
        assert_eq!(of(64).as_deref(), Some("Ed25519"));
        assert_eq!(of(114).as_deref(), Some("Ed448"));
        assert_eq!(of(3309).as_deref(), Some("ML-DSA-65"));
        assert_eq!(of(200), None);
        assert_eq!(SealedKey::of(3), None);
    }
}
