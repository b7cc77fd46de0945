//! Key exchange groups: curves, finite fields, and key encapsulation against quantum computers.

use super::{is_grease, numbers};

numbers! {
    /// A key exchange group (IANA "TLS Supported Groups", and the Kyber drafts that were deployed).
    pub struct Group(u16) {
        0x0001 SECT163K1                       "sect163k1"
        0x0002 SECT163R1                       "sect163r1"
        0x0003 SECT163R2                       "sect163r2"
        0x0004 SECT193R1                       "sect193r1"
        0x0005 SECT193R2                       "sect193r2"
        0x0006 SECT233K1                       "sect233k1"
        0x0007 SECT233R1                       "sect233r1"
        0x0008 SECT239K1                       "sect239k1"
        0x0009 SECT283K1                       "sect283k1"
        0x000a SECT283R1                       "sect283r1"
        0x000b SECT409K1                       "sect409k1"
        0x000c SECT409R1                       "sect409r1"
        0x000d SECT571K1                       "sect571k1"
        0x000e SECT571R1                       "sect571r1"
        0x000f SECP160K1                       "secp160k1"
        0x0010 SECP160R1                       "secp160r1"
        0x0011 SECP160R2                       "secp160r2"
        0x0012 SECP192K1                       "secp192k1"
        0x0013 SECP192R1                       "secp192r1"
        0x0014 SECP224K1                       "secp224k1"
        0x0015 SECP224R1                       "secp224r1"
        0x0016 SECP256K1                       "secp256k1"
        0x0017 SECP256R1                       "secp256r1"
        0x0018 SECP384R1                       "secp384r1"
        0x0019 SECP521R1                       "secp521r1"
        0x001a BRAINPOOLP256R1                 "brainpoolP256r1"
        0x001b BRAINPOOLP384R1                 "brainpoolP384r1"
        0x001c BRAINPOOLP512R1                 "brainpoolP512r1"
        0x001d X25519                          "x25519"
        0x001e X448                            "x448"
        0x001f BRAINPOOLP256R1TLS13            "brainpoolP256r1tls13"
        0x0020 BRAINPOOLP384R1TLS13            "brainpoolP384r1tls13"
        0x0021 BRAINPOOLP512R1TLS13            "brainpoolP512r1tls13"
        0x0022 GC256A                          "GC256A"
        0x0023 GC256B                          "GC256B"
        0x0024 GC256C                          "GC256C"
        0x0025 GC256D                          "GC256D"
        0x0026 GC512A                          "GC512A"
        0x0027 GC512B                          "GC512B"
        0x0028 GC512C                          "GC512C"
        0x0029 CURVESM2                        "curveSM2"
        0x0100 FFDHE2048                       "ffdhe2048"
        0x0101 FFDHE3072                       "ffdhe3072"
        0x0102 FFDHE4096                       "ffdhe4096"
        0x0103 FFDHE6144                       "ffdhe6144"
        0x0104 FFDHE8192                       "ffdhe8192"
        0x0200 MLKEM512                        "MLKEM512"
        0x0201 MLKEM768                        "MLKEM768"
        0x0202 MLKEM1024                       "MLKEM1024"
        0x11eb SECP256R1MLKEM768               "SecP256r1MLKEM768"
        0x11ec X25519MLKEM768                  "X25519MLKEM768"
        0x11ed SECP384R1MLKEM1024              "SecP384r1MLKEM1024"
        0x11ee CURVESM2MLKEM768                "curveSM2MLKEM768"
        0x16b7 CECPQ2B                         "CECPQ2b"
        0x4138 CECPQ2                          "CECPQ2"
        0x6399 X25519KYBER768DRAFT00           "X25519Kyber768Draft00"
        0x639a SECP256R1KYBER768DRAFT00        "SecP256r1Kyber768Draft00"
        0xfe30 X25519KYBER512DRAFT00           "X25519Kyber512Draft00"
        0xfe31 X25519KYBER768DRAFT00OLD        "X25519Kyber768Draft00Old"
        0xff01 ARBITRARY_EXPLICIT_PRIME_CURVES "arbitrary_explicit_prime_curves"
        0xff02 ARBITRARY_EXPLICIT_CHAR2_CURVES "arbitrary_explicit_char2_curves"
    }
}

impl Group {
    /// Whether it means nothing and is only there to be ignored (RFC 8701).
    #[must_use]
    pub fn is_grease(self) -> bool {
        is_grease(self.0)
    }

    /// Whether a quantum computer, too, would not find the key: ML-KEM, Kyber or NTRU inside,
    /// alone or beside a curve. A conversation without it can be recorded now and read later.
    #[must_use]
    pub fn is_post_quantum(self) -> bool {
        matches!(self.0, 0x0200..=0x0202 | 0x11eb..=0x11ee | 0x6399 | 0x639a | 0xfe30 | 0xfe31 | 0x16b7 | 0x4138)
    }
}
