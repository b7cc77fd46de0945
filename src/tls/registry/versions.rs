//! Protocol versions.

use std::fmt;

/// A version number as it stands in records, hellos and the supported_versions extension.
///
/// Drafts of TLS 1.3 were deployed under numbers of their own (`0x7f00` + draft; `0xfb17` and
/// `0xfb1a` of one large browser trial for 23 and 26); everything that asks what a version *does* takes them as TLS 1.3.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProtocolVersion(pub u16);

impl ProtocolVersion {
    /// SSL 2.0.
    pub const SSL2: ProtocolVersion = ProtocolVersion(0x0002);
    /// SSL 3.0 (RFC 6101).
    pub const SSL3: ProtocolVersion = ProtocolVersion(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS10: ProtocolVersion = ProtocolVersion(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS11: ProtocolVersion = ProtocolVersion(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS12: ProtocolVersion = ProtocolVersion(0x0303);
    /// TLS 1.3 (RFC 8446).
    pub const TLS13: ProtocolVersion = ProtocolVersion(0x0304);

    /// Its name as OpenSSL writes it, if it has one and is no draft.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            ProtocolVersion::SSL2 => Some("SSLv2"),
            ProtocolVersion::SSL3 => Some("SSLv3"),
            ProtocolVersion::TLS10 => Some("TLSv1.0"),
            ProtocolVersion::TLS11 => Some("TLSv1.1"),
            ProtocolVersion::TLS12 => Some("TLSv1.2"),
            ProtocolVersion::TLS13 => Some("TLSv1.3"),
            _ => None,
        }
    }

    /// The number of the TLS 1.3 draft that it stands for, if it is one.
    #[must_use]
    pub fn draft(self) -> Option<u8> {
        match self.0 {
            0x7f00..=0x7fff => Some((self.0 & 0xff) as u8),
            0xfb17 => Some(23),
            0xfb1a => Some(26),
            _ => None,
        }
    }

    /// Whether it is TLS 1.3 or one of its drafts.
    #[must_use]
    pub fn is_tls13(self) -> bool {
        self == ProtocolVersion::TLS13 || self.draft().is_some()
    }

    /// Whether CBC records of this version begin with their own initialization vector
    /// (TLS 1.1 and later).
    #[must_use]
    pub fn has_explicit_iv(self) -> bool {
        self >= ProtocolVersion::TLS11
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.draft()) {
            (Some(name), _) => f.write_str(name),
            (None, Some(draft)) => write!(f, "TLSv1.3 (draft {draft})"),
            (None, None) => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtocolVersion({self})")
    }
}
