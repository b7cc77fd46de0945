//! What is weak in a conversation: the one table of such words, each with its source.
//!
//! Sources: RFC 9325 (Recommendations for Secure Use of TLS and DTLS), RFC 8996, 7568 and 6176
//! (deprecated versions), RFC 7465, RFC 9155; the tiers are those of the Dutch NCSC's "IT Security
//! Guidelines for Transport Layer Security" 2.1.

use std::fmt;

use crate::stream::Span;
use crate::time::Timestamp;

use super::certificate::{Certificate, CertificateFields, KeyKind};
use super::registry::{CipherSuite, ProtocolVersion, Strength, SuiteClass};
use super::summary::Summary;

/// Something that makes the protection weaker than it need be. All of it stands in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weakness {
    /// A version that must not be used any more.
    Version(ProtocolVersion),
    /// A suite that does not protect what it carries.
    Cipher(CipherSuite),
    /// The server's long-term key opens the key exchange.
    KeyExchange(CipherSuite),
    /// A Diffie-Hellman prime that is too short, in bits.
    Prime(u32),
    /// A certificate's key that is too short: its kind and bits.
    Key(KeyKind, u32),
    /// A certificate is signed with a hash that can be forged.
    Signature(String),
    /// Records are compressed, so that lengths tell of contents that an attacker mixes in (CRIME).
    Compression,
    /// The server does not bind a renegotiation to the session (RFC 5746).
    Renegotiation,
    /// The server's certificate was no longer valid at the time of the capture.
    Expired(Timestamp),
    /// The server's certificate was not yet valid at the time of the capture.
    NotYetValid(Timestamp),
    /// The server's certificate names itself as its issuer.
    SelfIssued,
    /// The server's certificate is not for the name that the client asked for.
    Name(String),
    /// The server's certificate is not for the name that the server greets with.
    Banner(String),
    /// The certificates do not stand in the order in which they sign each other.
    ChainOrder,
}

impl Weakness {
    /// The stable names of all of them.
    pub const IDS: &'static [&'static str] = &[
        "tls-weak-version",
        "tls-weak-cipher",
        "tls-weak-key-exchange",
        "tls-weak-prime",
        "tls-weak-key",
        "tls-weak-signature",
        "tls-weak-compression",
        "tls-weak-renegotiation",
        "tls-weak-certificate-expired",
        "tls-weak-certificate-not-yet-valid",
        "tls-weak-certificate-self-issued",
        "tls-weak-certificate-name",
        "tls-weak-certificate-banner",
        "tls-weak-certificate-chain",
    ];

    /// A stable name for scripts.
    #[must_use]
    pub fn id(&self) -> &'static str {
        let index = match self {
            Weakness::Version(_) => 0,
            Weakness::Cipher(_) => 1,
            Weakness::KeyExchange(_) => 2,
            Weakness::Prime(_) => 3,
            Weakness::Key(..) => 4,
            Weakness::Signature(_) => 5,
            Weakness::Compression => 6,
            Weakness::Renegotiation => 7,
            Weakness::Expired(_) => 8,
            Weakness::NotYetValid(_) => 9,
            Weakness::SelfIssued => 10,
            Weakness::Name(_) => 11,
            Weakness::Banner(_) => 12,
            Weakness::ChainOrder => 13,
        };
        Weakness::IDS[index]
    }

    /// Whether it concerns the server's certificates.
    #[must_use]
    pub fn is_of_certificate(&self) -> bool {
        use Weakness as W;
        matches!(
            self,
            W::Key(..)
                | W::Signature(_)
                | W::Expired(_)
                | W::NotYetValid(_)
                | W::SelfIssued
                | W::Name(_)
                | W::Banner(_)
                | W::ChainOrder
        )
    }
}

/// In words, without captured octets that could harm a terminal: what they name is escaped later.
impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Weakness::Version(version) => write!(f, "{version} must not be used any more"),
            Weakness::Cipher(suite) => write!(f, "{suite} does not protect what it carries"),
            Weakness::KeyExchange(suite) => {
                write!(f, "{suite} has no forward secrecy: the server's private key opens what was recorded")
            }
            Weakness::Prime(bits) => write!(f, "a Diffie-Hellman prime of {bits} bits is too short"),
            Weakness::Key(kind, bits) => write!(f, "a certificate's {kind} key of {bits} bits is too short"),
            Weakness::Signature(algorithm) => {
                write!(f, "a certificate is signed with {algorithm}, which can be forged")
            }
            Weakness::Compression => {
                f.write_str("records are compressed, so that their lengths tell of their contents")
            }
            Weakness::Renegotiation => f.write_str("the server does not know secure renegotiation"),
            Weakness::Expired(end) => write!(f, "the server's certificate was valid until {}", day(*end)),
            Weakness::NotYetValid(begin) => write!(f, "the server's certificate is valid only from {}", day(*begin)),
            Weakness::SelfIssued => f.write_str("the server's certificate names itself as its issuer"),
            Weakness::Name(name) => write!(f, "the server's certificate is not for {name}, which the client asked for"),
            Weakness::Banner(name) => {
                write!(f, "the server's certificate is not for {name}, as the server calls itself")
            }
            Weakness::ChainOrder => {
                f.write_str("the certificates do not stand in the order in which they sign each other")
            }
        }
    }
}

/// How an agreed parameter is judged, from best to worst (NCSC-NL 2.1, chapter 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// Safe, with a margin.
    Good,
    /// Safe, with less of one.
    Sufficient,
    /// Known to be fragile: to be left behind.
    PhaseOut,
    /// Not safe.
    Insufficient,
}

impl Tier {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Tier::Good => "good",
            Tier::Sufficient => "sufficient",
            Tier::PhaseOut => "to be phased out",
            Tier::Insufficient => "insufficient",
        }
    }
}

impl Summary {
    /// The tier of what was agreed on: the worst of version, key exchange and suite. `None` where
    /// no ServerHello was seen, or a number in it is not known.
    #[must_use]
    pub fn tier(&self) -> Option<Tier> {
        let version = match self.version? {
            version if version.is_tls13() => Tier::Good,
            ProtocolVersion::TLS12 => Tier::Sufficient,
            ProtocolVersion::TLS11 | ProtocolVersion::TLS10 => Tier::PhaseOut,
            _ => Tier::Insufficient,
        };
        let suite = self.cipher_suite?;
        let cipher = match (suite.strength()?, suite.class()?) {
            _ if is_triple_des(suite) => Tier::PhaseOut,
            (Strength::Broken, _) => Tier::Insufficient,
            (_, SuiteClass::Aead { tag: 16, .. }) => Tier::Good,
            (_, SuiteClass::Aead { .. } | SuiteClass::Cbc { .. }) => Tier::Sufficient,
            _ => Tier::Insufficient,
        };
        let exchange = match (self.forward_secrecy()?.is_forward_secret(), self.dh_bits) {
            (false, _) | (true, Some(2048..=3071)) => Tier::PhaseOut,
            (true, Some(0..=2047)) => Tier::Insufficient,
            (true, Some(_)) => Tier::Sufficient,
            (true, None) => Tier::Good,
        };
        Some(version.max(cipher).max(exchange))
    }

    /// What is weak, with where it shows. `now` is the time of the capture; `banner` the name that
    /// the server greets with before TLS begins.
    #[must_use]
    pub fn weaknesses(&self, now: Timestamp, banner: Option<&[u8]>) -> Vec<(Weakness, Option<Span>)> {
        let mut found = Vec::new();
        if let Some(hello) = &self.server_hello {
            self.agreed(hello.span, &mut found);
        }
        let span = self.certificates_span;
        let mut note = |weakness| found.push((weakness, span));
        self.chain(&mut note);
        if let Some(fields) = self.certificates.first().and_then(|leaf| leaf.fields.as_ref()) {
            if !fields.is_valid_at(now) {
                note(match now < fields.not_before {
                    true => Weakness::NotYetValid(fields.not_before),
                    false => Weakness::Expired(fields.not_after),
                });
            }
            if fields.self_issued {
                note(Weakness::SelfIssued);
            }
            let asked = self.server_name.as_deref().filter(|name| !name.is_empty());
            match (asked, banner.filter(|name| is_host_name(name))) {
                (Some(name), _) if !fields.is_for(name) => note(Weakness::Name(crate::bytes::utf8(name))),
                (None, Some(name)) if !fields.is_for(name) => note(Weakness::Banner(crate::bytes::utf8(name))),
                _ => {}
            }
        }
        found
    }

    /// What is weak in what the ServerHello chose.
    fn agreed(&self, span: Span, found: &mut Vec<(Weakness, Option<Span>)>) {
        let mut note = |weakness| found.push((weakness, Some(span)));
        if let Some(version) = self.version.filter(|version| !version.is_tls13() && *version < ProtocolVersion::TLS12) {
            note(Weakness::Version(version));
        }
        if let Some(suite) = self.cipher_suite {
            if suite.strength() == Some(Strength::Broken) {
                note(Weakness::Cipher(suite));
            }
            if !self.is_tls13() && suite.forward_secrecy() == Some(false) {
                note(Weakness::KeyExchange(suite));
            }
        }
        if let Some(bits) = self.dh_bits.filter(|bits| *bits < MIN_BITS) {
            note(Weakness::Prime(bits));
        }
        if self.compressed {
            note(Weakness::Compression);
        }
        let offered = self.client_hello.as_ref().is_some_and(|hello| {
            hello.cipher_suites.contains(&CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
                || hello.extensions.as_ref().is_some_and(|e| e.renegotiation_info)
        });
        let answered = self
            .server_hello
            .as_ref()
            .and_then(|hello| hello.extensions.as_ref())
            .is_some_and(|e| e.renegotiation_info);
        if offered && !answered && !self.is_tls13() {
            note(Weakness::Renegotiation);
        }
    }

    /// What is weak in the chain: keys and signatures of each certificate but the root's, whose
    /// signature nobody needs, and their order (RFC 5246 §7.4.2).
    fn chain(&self, note: &mut dyn FnMut(Weakness)) {
        let fields: Vec<Option<&CertificateFields>> =
            self.certificates.iter().map(|certificate: &Certificate| certificate.fields.as_ref()).collect();
        for fields in fields.iter().flatten() {
            if let (KeyKind::Rsa | KeyKind::Dsa, Some(bits)) = (&fields.key, fields.key_bits)
                && bits < MIN_BITS
            {
                note(Weakness::Key(fields.key.clone(), bits));
            } else if let (KeyKind::EllipticCurve(_), Some(bits)) = (&fields.key, fields.key_bits)
                && bits < MIN_CURVE_BITS
            {
                note(Weakness::Key(fields.key.clone(), bits));
            }
            let is_forgeable =
                FORGEABLE.iter().any(|hash| fields.signature_algorithm.to_ascii_lowercase().contains(hash));
            if is_forgeable && !fields.self_issued {
                note(Weakness::Signature(fields.signature_algorithm.clone()));
            }
        }
        let out_of_order = fields.windows(2).any(|pair| match pair {
            [Some(lower), Some(upper)] => lower.issuer != upper.subject,
            _ => false,
        });
        if out_of_order {
            note(Weakness::ChainOrder);
        }
    }
}

impl CertificateFields {
    /// Whether it is for a host of that name: by its DNS names, or where it has none by its common
    /// name (RFC 9525 §6.3, RFC 6125 §6.4.4). `*` stands for one label, the leftmost one.
    #[must_use]
    pub fn is_for(&self, name: &[u8]) -> bool {
        let name = String::from_utf8_lossy(name);
        if self.dns_names.is_empty() {
            return self.subject.common_name().is_some_and(|common| is_match(common, &name));
        }
        self.dns_names.iter().any(|pattern| is_match(pattern, &name))
    }
}

fn is_match(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.trim_end_matches('.'), name.trim_end_matches('.'));
    match pattern.strip_prefix("*.") {
        Some(rest) => {
            name.split_once('.').is_some_and(|(label, parent)| !label.is_empty() && parent.eq_ignore_ascii_case(rest))
        }
        None => pattern.eq_ignore_ascii_case(name),
    }
}

/// Whether a greeting's first word is a host's full name, and not `ESMTP` or an address.
fn is_host_name(name: &[u8]) -> bool {
    let labels = || name.split(|octet| *octet == b'.');
    labels().count() >= 2
        && labels().all(|label| !label.is_empty() && label.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-'))
        && name.iter().any(u8::is_ascii_alphabetic)
}

fn is_triple_des(suite: CipherSuite) -> bool {
    suite.name().is_some_and(|name| name.contains("_3DES_") && !name.contains("_anon_"))
}

fn day(time: Timestamp) -> String {
    time.utc().to_string().chars().take(10).collect()
}

/// RSA, DSA and Diffie-Hellman below it are too short (RFC 9325 §4.2, §4.5).
const MIN_BITS: u32 = 2048;

/// Curves below it are too short (RFC 9325 §4.2.1 has 256 bits; 224 still give 112 bits of security).
const MIN_CURVE_BITS: u32 = 224;

/// Hashes for which collisions are known (RFC 9155, RFC 6151).
const FORGEABLE: [&str; 3] = ["sha1", "md5", "md2"];

#[cfg(test)]
mod tests {
    use super::super::certificate::DistinguishedName;
    use super::super::registry::Group;
    use super::*;
    use crate::stream::Direction;

    fn fields(subject: &str, issuer: &str) -> CertificateFields {
        let name = |text: &str| DistinguishedName(vec![("CN".to_owned(), text.to_owned())]);
        CertificateFields {
            version: 3,
            serial: vec![1],
            subject: name(subject),
            issuer: name(issuer),
            dns_names: Vec::new(),
            not_before: Timestamp::from_parts(1000, 0),
            not_after: Timestamp::from_parts(2000, 0),
            key: KeyKind::Rsa,
            key_bits: Some(2048),
            signature_algorithm: "sha256WithRSAEncryption".to_owned(),
            self_issued: subject == issuer,
            authority: false,
        }
    }

    fn summary(chain: Vec<CertificateFields>) -> Summary {
        let mut summary = Summary::new(Direction::FromOriginator);
        summary.certificates = chain
            .into_iter()
            .map(|fields| Certificate { der: Vec::new(), sha256: [0; 32], fields: Some(fields) })
            .collect();
        summary
    }

    fn ids(summary: &Summary, seconds: i64, banner: Option<&[u8]>) -> Vec<&'static str> {
        summary
            .weaknesses(Timestamp::from_parts(seconds, 0), banner)
            .iter()
            .map(|(weakness, _)| weakness.id())
            .collect()
    }

    #[test]
    fn a_sound_chain_has_no_weakness() {
        let chain = summary(vec![fields("mx.example.org", "CA"), fields("CA", "Root")]);
        assert_eq!(ids(&chain, 1500, Some(b"mx.example.org")), [""; 0]);
        assert_eq!(ids(&chain, 2000, None), [""; 0], "the last second is included");
    }

    #[test]
    fn validity_is_judged_at_the_time_of_the_capture() {
        let chain = summary(vec![fields("mx.example.org", "CA")]);
        assert_eq!(ids(&chain, 999, None), ["tls-weak-certificate-not-yet-valid"]);
        assert_eq!(ids(&chain, 2001, None), ["tls-weak-certificate-expired"]);
    }

    #[test]
    fn a_name_is_held_against_what_was_asked_for_and_else_against_the_greeting() {
        let mut chain = summary(vec![fields("mx.example.org", "CA")]);
        assert_eq!(ids(&chain, 1500, Some(b"mail.example.org")), ["tls-weak-certificate-banner"]);
        assert_eq!(ids(&chain, 1500, Some(b"ESMTP")), [""; 0]);
        chain.server_name = Some(b"mail.example.org".to_vec());
        assert_eq!(ids(&chain, 1500, Some(b"mx.example.org")), ["tls-weak-certificate-name"]);
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let mut of = fields("x", "CA");
        of.dns_names = vec!["*.example.org".to_owned(), "example.com".to_owned()];
        for name in ["mx.example.org", "MX.Example.ORG.", "example.com"] {
            assert!(of.is_for(name.as_bytes()), "{name}");
        }
        for name in ["example.org", "a.b.example.org", ".example.org", "x", "mx.example.com"] {
            assert!(!of.is_for(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn keys_signatures_and_order_of_a_chain_are_looked_at() {
        let mut leaf = fields("mx.example.org", "CA");
        (leaf.key_bits, leaf.signature_algorithm) = (Some(1024), "sha1WithRSAEncryption".to_owned());
        let chain = summary(vec![leaf, fields("Root", "Root")]);
        assert_eq!(ids(&chain, 1500, None), ["tls-weak-key", "tls-weak-signature", "tls-weak-certificate-chain"]);
        let own = summary(vec![fields("mx.example.org", "mx.example.org")]);
        assert_eq!(ids(&own, 1500, None), ["tls-weak-certificate-self-issued"]);
    }

    #[test]
    fn the_tier_is_that_of_the_weakest_part() {
        let tier = |version, suite, group, bits| {
            let mut summary = summary(Vec::new());
            (summary.version, summary.cipher_suite) = (Some(version), Some(CipherSuite(suite)));
            (summary.group, summary.dh_bits) = (group, bits);
            summary.tier()
        };
        let curve = Some(Group::X25519);
        assert_eq!(tier(ProtocolVersion::TLS13, 0x1302, curve, None), Some(Tier::Good));
        assert_eq!(tier(ProtocolVersion::TLS12, 0xc02f, curve, None), Some(Tier::Sufficient));
        assert_eq!(tier(ProtocolVersion::TLS12, 0x009c, None, None), Some(Tier::PhaseOut));
        assert_eq!(tier(ProtocolVersion::TLS12, 0x009e, None, Some(2048)), Some(Tier::PhaseOut));
        assert_eq!(tier(ProtocolVersion::TLS12, 0x009e, None, Some(1024)), Some(Tier::Insufficient));
        assert_eq!(tier(ProtocolVersion::TLS12, 0x000a, None, None), Some(Tier::PhaseOut));
        assert_eq!(tier(ProtocolVersion::TLS12, 0xc011, curve, None), Some(Tier::Insufficient));
        assert_eq!(tier(ProtocolVersion::SSL3, 0x002f, None, None), Some(Tier::Insufficient));
    }

    #[test]
    fn every_weakness_has_a_name_and_words() {
        let time = Timestamp::from_parts(0, 0);
        let all = [
            Weakness::Version(ProtocolVersion::TLS10),
            Weakness::Cipher(CipherSuite(5)),
            Weakness::KeyExchange(CipherSuite(0x2f)),
            Weakness::Prime(512),
            Weakness::Key(KeyKind::Rsa, 512),
            Weakness::Signature("md5".to_owned()),
            Weakness::Compression,
            Weakness::Renegotiation,
            Weakness::Expired(time),
            Weakness::NotYetValid(time),
            Weakness::SelfIssued,
            Weakness::Name("a".to_owned()),
            Weakness::Banner("a".to_owned()),
            Weakness::ChainOrder,
        ];
        let ids: Vec<_> = all.iter().map(Weakness::id).collect();
        assert_eq!(ids, Weakness::IDS);
        assert!(all.iter().all(|weakness| !weakness.to_string().is_empty()));
    }
}
