//! What a suite's number means for the keys: cipher, authentication code, and hash.

use tls_parser::{TlsCipherEnc, TlsCipherEncMode, TlsCipherMac, TlsCipherSuite, TlsPRF};

use super::super::registry::{CipherSuite, ProtocolVersion};
use super::cipher::{AeadKind, Algorithm, BlockKind, MacKind};
use super::schedule::Hash;

/// The cipher of a suite; `None` where records of it are not opened here.
pub(super) fn algorithm(suite: CipherSuite) -> Option<Algorithm> {
    let suite = TlsCipherSuite::from_id(suite.0)?;
    // Keys of export suites are made in another way (RFC 2246 §6.3.1).
    if suite.name.contains("EXPORT") {
        return None;
    }
    let short_tag = suite.name.contains("_CCM_8");
    let aead = |kind| Some(Algorithm::Aead(kind));
    match (suite.enc, suite.enc_mode, suite.enc_size) {
        (TlsCipherEnc::Chacha20_Poly1305, ..) => aead(AeadKind::ChaCha20Poly1305),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm, 128) => aead(AeadKind::Aes128Gcm),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm, 256) => aead(AeadKind::Aes256Gcm),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 128) if short_tag => aead(AeadKind::Aes128Ccm8),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 128) => aead(AeadKind::Aes128Ccm),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 256) if short_tag => aead(AeadKind::Aes256Ccm8),
        (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 256) => aead(AeadKind::Aes256Ccm),
        (TlsCipherEnc::Rc4, _, 128) => Some(Algorithm::Rc4(mac(suite.mac)?)),
        (cipher, TlsCipherEncMode::Cbc, bits) => {
            let block = match (cipher, bits) {
                (TlsCipherEnc::Aes, 128) => BlockKind::Aes128,
                (TlsCipherEnc::Aes, 256) => BlockKind::Aes256,
                (TlsCipherEnc::Camellia, 128) => BlockKind::Camellia128,
                (TlsCipherEnc::Camellia, 256) => BlockKind::Camellia256,
                (TlsCipherEnc::TripleDes, _) => BlockKind::TripleDes,
                _ => return None,
            };
            Some(Algorithm::Cbc(block, mac(suite.mac)?))
        }
        _ => None,
    }
}

/// The hash of a suite's key derivation in a version.
pub(super) fn hash(suite: CipherSuite, version: ProtocolVersion) -> Hash {
    if version < ProtocolVersion::TLS12 {
        return Hash::Md5Sha1;
    }
    let sha384 = match TlsCipherSuite::from_id(suite.0) {
        Some(suite) => suite.prf == TlsPRF::Sha384 || (suite.prf != TlsPRF::Sha256 && suite.name.ends_with("_SHA384")),
        None => false,
    };
    if sha384 { Hash::Sha384 } else { Hash::Sha256 }
}

fn mac(mac: TlsCipherMac) -> Option<MacKind> {
    match mac {
        TlsCipherMac::HmacMd5 => Some(MacKind::Md5),
        TlsCipherMac::HmacSha1 => Some(MacKind::Sha1),
        TlsCipherMac::HmacSha256 => Some(MacKind::Sha256),
        TlsCipherMac::HmacSha384 => Some(MacKind::Sha384),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_known_by_cipher_and_hash() {
        let of = |number| (algorithm(CipherSuite(number)), hash(CipherSuite(number), ProtocolVersion::TLS12));
        let aead = |kind| Some(Algorithm::Aead(kind));
        let cbc = |block, mac| Some(Algorithm::Cbc(block, mac));
        for (number, cipher, hash) in [
            (0x1301, aead(AeadKind::Aes128Gcm), Hash::Sha256),
            (0x1302, aead(AeadKind::Aes256Gcm), Hash::Sha384),
            (0x1303, aead(AeadKind::ChaCha20Poly1305), Hash::Sha256),
            (0x1304, aead(AeadKind::Aes128Ccm), Hash::Sha256),
            (0x1305, aead(AeadKind::Aes128Ccm8), Hash::Sha256),
            (0xc02b, aead(AeadKind::Aes128Gcm), Hash::Sha256),
            (0xc030, aead(AeadKind::Aes256Gcm), Hash::Sha384),
            (0xcca8, aead(AeadKind::ChaCha20Poly1305), Hash::Sha256),
            (0xccae, aead(AeadKind::ChaCha20Poly1305), Hash::Sha256),
            (0xc0ac, aead(AeadKind::Aes128Ccm), Hash::Sha256),
            (0xc0af, aead(AeadKind::Aes256Ccm8), Hash::Sha256),
            (0xc013, cbc(BlockKind::Aes128, MacKind::Sha1), Hash::Sha256),
            (0xc027, cbc(BlockKind::Aes128, MacKind::Sha256), Hash::Sha256),
            (0xc028, cbc(BlockKind::Aes256, MacKind::Sha384), Hash::Sha384),
            (0x003d, cbc(BlockKind::Aes256, MacKind::Sha256), Hash::Sha256),
            (0x0088, cbc(BlockKind::Camellia256, MacKind::Sha1), Hash::Sha256),
            (0xc077, cbc(BlockKind::Camellia256, MacKind::Sha384), Hash::Sha384),
            (0x000a, cbc(BlockKind::TripleDes, MacKind::Sha1), Hash::Sha256),
            (0x0004, Some(Algorithm::Rc4(MacKind::Md5)), Hash::Sha256),
            (0x0003, None, Hash::Sha256),
            (0x00ff, None, Hash::Sha256),
            (0xeaea, None, Hash::Sha256),
        ] {
            assert_eq!(of(number), (cipher, hash), "{}", CipherSuite(number));
        }
        assert_eq!(hash(CipherSuite(0xc014), ProtocolVersion::TLS11), Hash::Md5Sha1);
    }
}
