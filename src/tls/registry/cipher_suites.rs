//! Cipher suites: names, and what each does to the length of a record.
//!
//! The table itself is the IANA registry as `tls-parser` carries it; here stand what it leaves
//! out, and what the names mean.

use std::fmt;

use tls_parser::{TlsCipherEnc, TlsCipherEncMode, TlsCipherKx, TlsCipherMac, TlsCipherSuite};

use super::is_grease;

/// A cipher suite number (RFC 8446 §B.4, RFC 5246 §A.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CipherSuite(pub u16);

/// How a suite protects records, as far as lengths go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SuiteClass {
    /// Authenticated encryption: lengths show to the octet.
    Aead {
        /// Octets of nonce sent before the ciphertext in TLS 1.2 (8 for GCM and CCM, 0 for ChaCha20).
        explicit_nonce: u8,
        /// Octets of the authentication tag after it.
        tag: u8,
    },
    /// A block cipher with padding: lengths show in steps of a block.
    Cbc {
        /// Octets of a block.
        block: u8,
        /// Octets of the message authentication code.
        mac: u8,
    },
    /// A stream cipher (RC4): lengths show to the octet.
    Stream {
        /// Octets of the message authentication code.
        mac: u8,
    },
    /// No encryption at all: contents show.
    Null {
        /// Octets of the message authentication code.
        mac: u8,
    },
}

/// How far a suite can be trusted today, by RFC 9325 §4 and the registry's "Recommended" column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strength {
    /// Contents can be read or changed with modest means, or are not encrypted: NULL, EXPORT,
    /// RC4, DES, 3DES, RC2, anonymous key exchange (RFC 9325 §4.1, RFC 7465).
    Broken,
    /// Sound only with care: CBC, or no forward secrecy (RFC 9325 §4.1 SHOULD NOT).
    Legacy,
    /// Forward secrecy and authenticated encryption (RFC 9325 §4.2).
    Recommended,
}

impl CipherSuite {
    /// TLS_AES_128_GCM_SHA256.
    pub const TLS_AES_128_GCM_SHA256: CipherSuite = CipherSuite(0x1301);
    /// TLS_AES_256_GCM_SHA384.
    pub const TLS_AES_256_GCM_SHA384: CipherSuite = CipherSuite(0x1302);
    /// TLS_CHACHA20_POLY1305_SHA256.
    pub const TLS_CHACHA20_POLY1305_SHA256: CipherSuite = CipherSuite(0x1303);
    /// Not a suite: the client can be told of secure renegotiation (RFC 5746 §3.3).
    pub const TLS_EMPTY_RENEGOTIATION_INFO_SCSV: CipherSuite = CipherSuite(0x00ff);
    /// Not a suite: the client has come down to this version after a failure (RFC 7507).
    pub const TLS_FALLBACK_SCSV: CipherSuite = CipherSuite(0x5600);

    /// Its registered name, `TLS_AES_256_GCM_SHA384`, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self.registered() {
            Some(suite) => Some(suite.name),
            None => MORE_NAMES.iter().find(|(number, _)| *number == self.0).map(|(_, name)| *name),
        }
    }

    /// What it does to the length of a record; `None` where that is not known.
    #[must_use]
    pub fn class(self) -> Option<SuiteClass> {
        let Some(suite) = self.registered() else {
            return self.name().and_then(class_by_name);
        };
        if self.is_signalling() {
            return None;
        }
        let mac = u8::try_from(suite.mac_size / 8).ok()?;
        Some(match (suite.enc, suite.enc_mode) {
            (TlsCipherEnc::Null, _) => SuiteClass::Null { mac },
            (TlsCipherEnc::Rc4, _) => SuiteClass::Stream { mac },
            (TlsCipherEnc::Chacha20_Poly1305, _) => SuiteClass::Aead { explicit_nonce: 0, tag: 16 },
            (TlsCipherEnc::Aegis, _) => SuiteClass::Aead { explicit_nonce: 0, tag: 16 },
            (_, TlsCipherEncMode::Gcm) => SuiteClass::Aead { explicit_nonce: 8, tag: 16 },
            (_, TlsCipherEncMode::Ccm) => {
                SuiteClass::Aead { explicit_nonce: 8, tag: if suite.name.contains("_CCM_8") { 8 } else { 16 } }
            }
            (TlsCipherEnc::Aes | TlsCipherEnc::Camellia | TlsCipherEnc::Aria | TlsCipherEnc::Seed, _) => {
                SuiteClass::Cbc { block: 16, mac }
            }
            (TlsCipherEnc::Sm4, _) => SuiteClass::Cbc { block: 16, mac },
            (TlsCipherEnc::Des | TlsCipherEnc::TripleDes | TlsCipherEnc::Rc2 | TlsCipherEnc::Idea, _) => {
                SuiteClass::Cbc { block: 8, mac }
            }
        })
    }

    /// Whether what was recorded stays sealed when the server's key becomes known later. `None`
    /// where the suite is not known. In TLS 1.3 it does not depend on the suite, except that a
    /// pre-shared key may be used alone.
    #[must_use]
    pub fn forward_secrecy(self) -> Option<bool> {
        let Some(suite) = self.registered() else {
            return self.name().map(|name| name.contains("DHE_"));
        };
        Some(match suite.kx {
            TlsCipherKx::Tls13
            | TlsCipherKx::Dhe
            | TlsCipherKx::Ecdhe
            | TlsCipherKx::Eccpwd
            | TlsCipherKx::Aecdh
            | TlsCipherKx::Srp => true,
            TlsCipherKx::Psk => suite.name.contains("DHE"),
            TlsCipherKx::Dh => suite.name.contains("_DH_anon"),
            TlsCipherKx::Null | TlsCipherKx::Krb5 | TlsCipherKx::Rsa | TlsCipherKx::Ecdh => false,
        })
    }

    /// How far it can be trusted; `None` where the suite is not known.
    #[must_use]
    pub fn strength(self) -> Option<Strength> {
        let (name, class) = (self.name()?, self.class()?);
        let broken = ["_NULL", "EXPORT", "_RC4_", "_DES_", "DES40", "3DES", "_RC2_", "_anon_", "_MD5"];
        Some(if broken.iter().any(|word| name.contains(word)) {
            Strength::Broken
        } else if matches!(class, SuiteClass::Aead { .. }) && self.forward_secrecy() == Some(true) {
            Strength::Recommended
        } else {
            Strength::Legacy
        })
    }

    /// Octets of the hash that makes the keys of TLS 1.3, and so of its Finished message:
    /// 32 or 48. Its first drafts used the suites of TLS 1.2. `None` for a suite without one.
    #[must_use]
    pub fn tls13_hash_len(self) -> Option<u16> {
        let suite =
            self.registered().filter(|suite| suite.mac == TlsCipherMac::Aead || suite.kx == TlsCipherKx::Tls13)?;
        match suite.name.rsplit('_').next() {
            Some("SHA256" | "SM3") => Some(32),
            Some("SHA384") => Some(48),
            Some("SHA512") => Some(64),
            _ => None,
        }
    }

    /// Whether it is no suite but a signal in the list of suites.
    #[must_use]
    pub fn is_signalling(self) -> bool {
        matches!(self, CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV | CipherSuite::TLS_FALLBACK_SCSV)
    }

    /// Whether it means nothing and is only there to be ignored (RFC 8701).
    #[must_use]
    pub fn is_grease(self) -> bool {
        is_grease(self.0)
    }

    fn registered(self) -> Option<&'static TlsCipherSuite> {
        TlsCipherSuite::from_id(self.0)
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherSuite({self})")
    }
}

/// For the few suites that stand in no registry.
fn class_by_name(name: &str) -> Option<SuiteClass> {
    if name.contains("CHACHA20_POLY1305") {
        return Some(SuiteClass::Aead { explicit_nonce: 0, tag: 16 });
    }
    let mac = if name.ends_with("_MD5") { 16 } else { 20 };
    if name.contains("_RC4_") {
        Some(SuiteClass::Stream { mac })
    } else if name.contains("DES_") || name.contains("RC2") {
        Some(SuiteClass::Cbc { block: 8, mac })
    } else {
        None
    }
}

/// Deployed, but never registered: the first ChaCha20 draft, FIPS SSL 3.0, 1998's EXPORT1024,
/// and Fortezza, whose lengths are not told here.
const MORE_NAMES: [(u16, &str); 14] = [
    (0x001c, "SSL_FORTEZZA_KEA_WITH_NULL_SHA"),
    (0x001d, "SSL_FORTEZZA_KEA_WITH_FORTEZZA_CBC_SHA"),
    (0x0060, "TLS_RSA_EXPORT1024_WITH_RC4_56_MD5"),
    (0x0061, "TLS_RSA_EXPORT1024_WITH_RC2_CBC_56_MD5"),
    (0x0062, "TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA"),
    (0x0063, "TLS_DHE_DSS_EXPORT1024_WITH_DES_CBC_SHA"),
    (0x0064, "TLS_RSA_EXPORT1024_WITH_RC4_56_SHA"),
    (0x0065, "TLS_DHE_DSS_EXPORT1024_WITH_RC4_56_SHA"),
    (0x0066, "TLS_DHE_DSS_WITH_RC4_128_SHA"),
    (0xcc13, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_OLD_SHA256"),
    (0xcc14, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_OLD_SHA256"),
    (0xcc15, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_OLD_SHA256"),
    (0xfefe, "SSL_RSA_FIPS_WITH_DES_CBC_SHA"),
    (0xfeff, "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_their_registered_names_and_classes() {
        let cases = [
            (0x1301, "TLS_AES_128_GCM_SHA256", SuiteClass::Aead { explicit_nonce: 8, tag: 16 }),
            (0x1305, "TLS_AES_128_CCM_8_SHA256", SuiteClass::Aead { explicit_nonce: 8, tag: 8 }),
            (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", SuiteClass::Aead { explicit_nonce: 0, tag: 16 }),
            (0xc0a1, "TLS_RSA_WITH_AES_256_CCM_8", SuiteClass::Aead { explicit_nonce: 8, tag: 8 }),
            (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", SuiteClass::Cbc { block: 16, mac: 20 }),
            (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", SuiteClass::Cbc { block: 16, mac: 48 }),
            (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", SuiteClass::Cbc { block: 8, mac: 20 }),
            (0x0005, "TLS_RSA_WITH_RC4_128_SHA", SuiteClass::Stream { mac: 20 }),
            (0x0002, "TLS_RSA_WITH_NULL_SHA", SuiteClass::Null { mac: 20 }),
        ];
        for (number, name, class) in cases {
            assert_eq!(CipherSuite(number).name(), Some(name));
            assert_eq!(CipherSuite(number).class(), Some(class), "{name}");
        }
        assert_eq!(CipherSuite(0xeaea).to_string(), "0xeaea");
        assert_eq!(CipherSuite::TLS_FALLBACK_SCSV.class(), None);
    }

    #[test]
    fn strength_goes_by_key_exchange_and_cipher() {
        let of = |number| CipherSuite(number).strength();
        assert_eq!(of(0x1302), Some(Strength::Recommended));
        assert_eq!(of(0xc02f), Some(Strength::Recommended));
        assert_eq!(of(0xc013), Some(Strength::Legacy));
        assert_eq!(of(0x009c), Some(Strength::Legacy));
        for broken in [0x0000, 0x0003, 0x0005, 0x000a, 0x0009, 0x0034, 0xc016, 0xc018] {
            assert_eq!(of(broken), Some(Strength::Broken), "{}", CipherSuite(broken));
        }
        assert_eq!(CipherSuite(0x009c).forward_secrecy(), Some(false));
        assert_eq!(CipherSuite(0x009e).forward_secrecy(), Some(true));
    }

    #[test]
    fn tls13_suites_know_the_size_of_their_finished() {
        assert_eq!(CipherSuite::TLS_AES_128_GCM_SHA256.tls13_hash_len(), Some(32));
        assert_eq!(CipherSuite::TLS_AES_256_GCM_SHA384.tls13_hash_len(), Some(48));
        assert_eq!(CipherSuite(0x1305).tls13_hash_len(), Some(32));
        assert_eq!(CipherSuite(0xc013).tls13_hash_len(), None);
    }
}
