//! From the length of a sealed record to the length of what is in it.

use super::registry::{CipherSuite, ProtocolVersion, SuiteClass};

/// How many octets of plaintext a record holds: at least `min`, at most `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlaintextLength {
    /// The least that fits.
    pub min: u16,
    /// The most that fits; never below `min`.
    pub max: u16,
}

impl PlaintextLength {
    /// Exactly `length` octets.
    #[must_use]
    pub fn exactly(length: u16) -> PlaintextLength {
        PlaintextLength { min: length, max: length }
    }

    /// The length, if only one fits.
    #[must_use]
    pub fn exact(self) -> Option<u16> {
        (self.min == self.max).then_some(self.min)
    }

    /// Whether `length` fits.
    #[must_use]
    pub fn contains(self, length: u16) -> bool {
        (self.min..=self.max).contains(&length)
    }

    /// The same with padding that may be of any length: nothing is sure but the most.
    #[must_use]
    pub fn padded(self) -> PlaintextLength {
        PlaintextLength { min: 0, max: self.max }
    }

    /// The same without `tail` octets that are known to be padding.
    #[must_use]
    pub fn without(self, tail: u16) -> PlaintextLength {
        PlaintextLength { min: self.min.saturating_sub(tail), max: self.max.saturating_sub(tail) }
    }

    /// The same with padding to a multiple of `block`, the type octet included (RFC 8446 §5.4).
    #[must_use]
    pub fn padded_to(self, block: u16) -> PlaintextLength {
        PlaintextLength { min: self.max.saturating_add(1).saturating_sub(block), max: self.max }
    }
}

/// Whether records of TLS 1.3 are padded (RFC 8446 §5.4), which hides lengths behind an upper
/// bound. No mail program is known to ask for it, so that not seeing it is the normal case. The 16 zeros
/// that Java appends are no such padding: they are taken off, see [`super::RecordTrace::tail`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Padding {
    /// Nothing points to it: lengths are taken as exact.
    #[default]
    NotSeen,
    /// All lengths are multiples of a number too large for chance.
    Suspected,
    /// A length that is known from elsewhere is exceeded.
    Proven,
}

/// All that the relation between a record and its plaintext depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Protection {
    class: SuiteClass,
    version: ProtocolVersion,
    encrypt_then_mac: bool,
}

impl Protection {
    /// The protection that `suite` gives in `version`; `None` where the suite is not known.
    ///
    /// `truncated_hmac` (RFC 6066 §7) cuts the MAC of CBC and stream suites to ten octets;
    /// `encrypt_then_mac` (RFC 7366) speaks only of CBC suites.
    #[must_use]
    pub fn of(
        suite: CipherSuite,
        version: ProtocolVersion,
        encrypt_then_mac: bool,
        truncated_hmac: bool,
    ) -> Option<Protection> {
        let class = match suite.class()? {
            SuiteClass::Cbc { block, .. } if truncated_hmac => SuiteClass::Cbc { block, mac: 10 },
            SuiteClass::Stream { .. } if truncated_hmac => SuiteClass::Stream { mac: 10 },
            class => class,
        };
        Some(Protection { class, version, encrypt_then_mac })
    }

    /// The suite's class.
    #[must_use]
    pub fn class(&self) -> SuiteClass {
        self.class
    }

    /// Whether each record begins with eight octets of nonce, which most stacks count up.
    #[must_use]
    pub fn has_explicit_nonce(&self) -> bool {
        !self.version.is_tls13() && matches!(self.class, SuiteClass::Aead { explicit_nonce: 8, .. })
    }

    /// Whether contents are not encrypted, only authenticated.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        matches!(self.class, SuiteClass::Null { .. })
    }

    /// The plaintext of a sealed record of `n` octets (its length field), as if not padded beyond
    /// need. `None`: no plaintext makes a record of this length.
    ///
    /// With L octets of plaintext, blocks of B and a MAC of M octets:
    ///
    /// ```text
    /// TLS 1.3                 n = L + 1 + tag
    /// TLS 1.2 AEAD            n = nonce + L + tag
    /// CBC                     n = IV + B·⌈(L+M+1)/B⌉          IV = B from TLS 1.1 on, else 0
    /// CBC, encrypt-then-MAC   n = IV + B·⌈(L+1)/B⌉ + M
    /// stream, NULL            n = L + M
    /// ```
    #[must_use]
    pub fn plaintext(&self, n: u16) -> Option<PlaintextLength> {
        match self.class {
            SuiteClass::Aead { tag, .. } if self.version.is_tls13() => {
                n.checked_sub(u16::from(tag) + 1).map(PlaintextLength::exactly)
            }
            SuiteClass::Null { mac } if self.version.is_tls13() => {
                n.checked_sub(u16::from(mac) + 1).map(PlaintextLength::exactly)
            }
            SuiteClass::Aead { explicit_nonce, tag } => {
                n.checked_sub(u16::from(explicit_nonce) + u16::from(tag)).map(PlaintextLength::exactly)
            }
            SuiteClass::Stream { mac } | SuiteClass::Null { mac } => {
                n.checked_sub(u16::from(mac)).map(PlaintextLength::exactly)
            }
            SuiteClass::Cbc { block, mac } => {
                let (block, mac) = (u16::from(block), u16::from(mac));
                let iv = if self.version.has_explicit_iv() { block } else { 0 };
                let blocks = n.checked_sub(iv + if self.encrypt_then_mac { mac } else { 0 })?;
                if blocks == 0 || blocks % block != 0 {
                    return None;
                }
                let max = n.checked_sub(iv + mac + 1)?;
                Some(PlaintextLength { min: max.saturating_sub(block - 1), max })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plaintext(suite: u16, version: ProtocolVersion, encrypt_then_mac: bool, n: u16) -> Option<(u16, u16)> {
        let protection = Protection::of(CipherSuite(suite), version, encrypt_then_mac, false).unwrap();
        protection.plaintext(n).map(|length| (length.min, length.max))
    }

    #[test]
    fn twenty_octets_are_found_in_the_records_that_real_stacks_make_of_them() {
        let (tls12, tls13) = (ProtocolVersion::TLS12, ProtocolVersion::TLS13);
        assert_eq!(plaintext(0x1302, tls13, false, 37), Some((20, 20)));
        assert_eq!(plaintext(0x1305, tls13, false, 29), Some((20, 20)));
        assert_eq!(plaintext(0xc02f, tls12, false, 44), Some((20, 20)));
        assert_eq!(plaintext(0xcca8, tls12, false, 36), Some((20, 20)));
        assert_eq!(plaintext(0xc0a0, tls12, false, 36), Some((20, 20)));
        assert_eq!(plaintext(0x0002, tls12, false, 40), Some((20, 20)));
        let inside = |found: Option<(u16, u16)>| found.is_some_and(|(min, max)| min <= 20 && 20 <= max);
        assert!(inside(plaintext(0xc013, tls12, false, 64)));
        assert!(inside(plaintext(0xc013, tls12, true, 68)));
        assert!(inside(plaintext(0xc027, tls12, true, 80)));
        assert!(inside(plaintext(0xc028, tls12, true, 96)));
    }

    /// Every length of every class, against the formula the other way round.
    #[test]
    fn an_interval_of_cbc_holds_just_the_lengths_that_make_the_record() {
        for (suite, block, mac) in [(0xc013, 16, 20), (0xc027, 16, 32), (0xc028, 16, 48), (0x000a, 8, 20)] {
            for version in
                [ProtocolVersion::SSL3, ProtocolVersion::TLS10, ProtocolVersion::TLS11, ProtocolVersion::TLS12]
            {
                for etm in [false, true] {
                    let iv = if version >= ProtocolVersion::TLS11 { block } else { 0 };
                    let record = |l: u16| {
                        if etm {
                            iv + block * (l + 1).div_ceil(block) + mac
                        } else {
                            iv + block * (l + mac + 1).div_ceil(block)
                        }
                    };
                    for length in 0..200u16 {
                        let (min, max) = plaintext(suite, version, etm, record(length)).unwrap();
                        for other in 0..220u16 {
                            assert_eq!(
                                (min..=max).contains(&other),
                                record(other) == record(length),
                                "{length} {other}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_record_too_short_or_off_the_block_has_no_plaintext() {
        assert_eq!(plaintext(0x1301, ProtocolVersion::TLS13, false, 16), None);
        assert_eq!(plaintext(0x1301, ProtocolVersion::TLS13, false, 17), Some((0, 0)));
        assert_eq!(plaintext(0xc02f, ProtocolVersion::TLS12, false, 23), None);
        assert_eq!(plaintext(0xc013, ProtocolVersion::TLS12, false, 63), None);
        assert_eq!(plaintext(0xc013, ProtocolVersion::TLS12, false, 16), None);
        assert_eq!(plaintext(0xc013, ProtocolVersion::TLS12, true, 64), None);
        assert_eq!(plaintext(0x0005, ProtocolVersion::TLS12, false, 19), None);
        for n in 0..=u16::MAX {
            for etm in [false, true] {
                let _ = plaintext(0xc013, ProtocolVersion::TLS10, etm, n);
            }
        }
    }
}
