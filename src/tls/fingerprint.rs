//! Fingerprints of hellos, which other tools index: JA3 and JA3S (Salesforce, BSD-3), JA4 for TLS
//! clients (FoxIO, the part under BSD-3; nothing of the other JA4 methods is here).

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::hello::{ClientHello, ServerHello};
use super::registry::{ExtensionType, ProtocolVersion, is_grease};

impl ClientHello {
    /// What JA3 hashes: version, suites, extensions, groups and point formats in decimal, values
    /// without meaning (RFC 8701) left out. `None` for a hello in the format of SSL 2.0.
    #[must_use]
    pub fn ja3_text(&self) -> Option<String> {
        if self.ssl2 {
            return None;
        }
        let extensions = self.extensions.as_ref();
        let suites = decimals(self.cipher_suites.iter().map(|suite| suite.0));
        let kinds = decimals(extensions.iter().flat_map(|e| &e.all).map(|extension| extension.kind.0));
        let groups = decimals(extensions.iter().flat_map(|e| &e.supported_groups).map(|group| group.0));
        let formats = decimals(extensions.iter().flat_map(|e| &e.point_formats).map(|format| u16::from(*format)));
        Some(format!("{},{suites},{kinds},{groups},{formats}", self.legacy_version.0))
    }

    /// The JA3 fingerprint: the MD5 of [`ClientHello::ja3_text`] in hexadecimal.
    #[must_use]
    pub fn ja3(&self) -> Option<String> {
        self.ja3_text().map(|text| hex(&Md5::digest(text)))
    }

    /// The JA4 fingerprint of a TLS client over TCP, `t13d1516h2_8daaf6152771_e5627efa2ab1`:
    /// version, whether a name is asked for, how many suites and extensions, first and last
    /// character of the first application protocol; then hashes of the sorted suites, and of the
    /// sorted extensions with the signature algorithms as they stand. `None` for a hello in the
    /// format of SSL 2.0.
    #[must_use]
    pub fn ja4(&self) -> Option<String> {
        self.ja4_in(Dialect::Published)
    }

    /// JA4 as Suricata writes it into its events. It differs where the published description has
    /// a case of its own: a hello without signature algorithms, or without extensions, and drafts
    /// of TLS 1.3 before 16.
    #[must_use]
    pub fn ja4_as_suricata(&self) -> Option<String> {
        self.ja4_in(Dialect::Suricata)
    }

    fn ja4_in(&self, dialect: Dialect) -> Option<String> {
        if self.ssl2 {
            return None;
        }
        let extensions = self.extensions.as_ref();
        let mut suites = meaningful(self.cipher_suites.iter().map(|suite| suite.0));
        let mut kinds = meaningful(extensions.iter().flat_map(|e| &e.all).map(|extension| extension.kind.0));
        let named = kinds.contains(&ExtensionType::SERVER_NAME.0);
        let (suite_count, kind_count) = (suites.len().min(99), kinds.len().min(99));
        suites.sort_unstable();
        kinds.sort_unstable();
        kinds.retain(|kind| {
            ![ExtensionType::SERVER_NAME, ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION]
                .contains(&ExtensionType(*kind))
        });
        let mut hashed = hexadecimals(&kinds);
        let schemes = meaningful(extensions.iter().flat_map(|e| &e.signature_algorithms).map(|scheme| scheme.0));
        if !schemes.is_empty() || dialect == Dialect::Suricata {
            hashed.push('_');
            hashed.push_str(&hexadecimals(&schemes));
        }
        let version = ja4_version(self.highest_number(dialect));
        let name = if named { 'd' } else { 'i' };
        let protocol = ja4_protocol(self.alpn().first().map_or(&[], Vec::as_slice));
        Some(format!(
            "t{version}{name}{suite_count:02}{kind_count:02}{protocol}_{}_{}",
            short_hash(&hexadecimals(&suites)),
            short_hash(&hashed),
        ))
    }

    /// The highest number in supported_versions, drafts included, or else the version field.
    fn highest_number(&self, dialect: Dialect) -> ProtocolVersion {
        const DRAFT_16: ProtocolVersion = ProtocolVersion(0x7f10);
        let known = |version: &ProtocolVersion| match dialect {
            Dialect::Published => true,
            Dialect::Suricata => *version <= ProtocolVersion::TLS13 || *version >= DRAFT_16,
        };
        let offered = self.extensions.iter().flat_map(|e| &e.supported_versions);
        let offered = offered.copied().filter(|version| !is_grease(version.0)).filter(known);
        offered.max().unwrap_or(self.legacy_version)
    }
}

impl ServerHello {
    /// What JA3S hashes: version, suite and extensions in decimal.
    #[must_use]
    pub fn ja3s_text(&self) -> String {
        let kinds = self.extensions.iter().flat_map(|e| &e.all).map(|extension| extension.kind.0.to_string());
        let kinds = kinds.collect::<Vec<_>>().join("-");
        format!("{},{},{kinds}", self.legacy_version.0, self.cipher_suite.0)
    }

    /// The JA3S fingerprint: the MD5 of [`ServerHello::ja3s_text`] in hexadecimal.
    #[must_use]
    pub fn ja3s(&self) -> String {
        hex(&Md5::digest(self.ja3s_text()))
    }
}

/// Whose reading of JA4.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Published,
    Suricata,
}

fn meaningful(numbers: impl Iterator<Item = u16>) -> Vec<u16> {
    numbers.filter(|number| !is_grease(*number)).collect()
}

fn decimals(numbers: impl Iterator<Item = u16>) -> String {
    meaningful(numbers).iter().map(u16::to_string).collect::<Vec<_>>().join("-")
}

fn hexadecimals(numbers: &[u16]) -> String {
    numbers.iter().map(|number| format!("{number:04x}")).collect::<Vec<_>>().join(",")
}

/// The first twelve hexadecimal digits of a SHA-256.
fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return NOTHING.to_owned();
    }
    hex(&Sha256::digest(text)[..6])
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn ja4_version(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLS13 => "13",
        ProtocolVersion::TLS12 => "12",
        ProtocolVersion::TLS11 => "11",
        ProtocolVersion::TLS10 => "10",
        ProtocolVersion::SSL3 => "s3",
        ProtocolVersion::SSL2 => "s2",
        _ => "00",
    }
}

/// The first and last character; where one is no letter or digit, the first and last
/// hexadecimal digit of the whole.
fn ja4_protocol(protocol: &[u8]) -> String {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else {
        return "00".to_owned();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)].iter().collect();
    }
    format!("{:x}{:x}", first >> 4, last & 15)
}

/// What stands for the hash of nothing.
const NOTHING: &str = "000000000000";
