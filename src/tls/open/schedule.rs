//! From secrets to keys: the pseudorandom function of TLS up to 1.2, and HKDF as TLS 1.3 uses it.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

/// The hash behind a suite's key derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// MD5 and SHA-1 together: TLS 1.0 and 1.1 (RFC 2246 §5).
    Md5Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    /// Octets of its output, which are also the octets of a traffic secret.
    pub(super) fn len(self) -> usize {
        match self {
            Hash::Md5Sha1 => 36,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }

    /// The hash of `octets`, as the extended master secret takes it of the handshake (RFC 7627 §3).
    pub(super) fn digest(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Hash::Md5Sha1 => [&Md5::digest(octets)[..], &Sha1::digest(octets)[..]].concat(),
            Hash::Sha256 => Sha256::digest(octets).to_vec(),
            Hash::Sha384 => Sha384::digest(octets).to_vec(),
        }
    }

    /// The pseudorandom function (RFC 5246 §5, RFC 2246 §5), `out.len()` octets of it.
    pub(super) fn prf(self, secret: &[u8], label: &[u8], seed: &[&[u8]], out: &mut [u8]) {
        match self {
            Hash::Sha256 => p_hash::<Hmac<Sha256>>(secret, label, seed, out),
            Hash::Sha384 => p_hash::<Hmac<Sha384>>(secret, label, seed, out),
            Hash::Md5Sha1 => {
                // The two halves share the octet in the middle of a secret of odd length.
                let half = secret.len().div_ceil(2);
                p_hash::<Hmac<Md5>>(&secret[..half], label, seed, out);
                p_hash::<Hmac<Sha1>>(&secret[secret.len() - half..], label, seed, out);
            }
        }
    }

    /// HKDF-Expand-Label with an empty context (RFC 8446 §7.1); `out` is no longer than the hash,
    /// so that one round of HKDF-Expand fills it.
    pub(super) fn expand_label(self, secret: &[u8], label: &[u8], out: &mut [u8]) {
        const PREFIX: &[u8] = b"tls13 ";
        let length = (out.len() as u16).to_be_bytes();
        let info: [&[u8]; 5] = [&length, &[(PREFIX.len() + label.len()) as u8], PREFIX, label, &[0, 1]];
        let mut fill = |block: &[u8]| {
            let taken = out.len().min(block.len());
            out[..taken].copy_from_slice(&block[..taken]);
        };
        match self {
            Hash::Sha384 => fill(&mac::<Hmac<Sha384>>(secret, &info)),
            Hash::Sha256 | Hash::Md5Sha1 => fill(&mac::<Hmac<Sha256>>(secret, &info)),
        }
    }
}

/// P_hash (RFC 5246 §5), added to what stands in `out`.
fn p_hash<M: Mac + KeyInit>(secret: &[u8], label: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    let with_seed = |first: &[u8]| -> Vec<u8> {
        let mut pieces = vec![first, label];
        pieces.extend_from_slice(seed);
        mac::<M>(secret, &pieces)
    };
    let mut a = with_seed(&[]);
    for chunk in out.chunks_mut(M::output_size()) {
        let block = with_seed(&a);
        for (octet, more) in chunk.iter_mut().zip(&block) {
            *octet ^= more;
        }
        a = mac::<M>(secret, &[&a]);
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
    // HMAC takes keys of any length (RFC 2104 §2).
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for piece in pieces {
        mac.update(piece);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::testing::octets;
    use super::*;

    fn prf(hash: Hash, secret: &str, seed: &str, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        hash.prf(&octets(secret), b"test label", &[&octets(seed)], &mut out);
        out
    }

    /// Those of TLS 1.2 were published on the IETF's TLS mailing list; that of TLS 1.0 is by `openssl kdf … TLS1-PRF`.
    #[test]
    fn the_pseudorandom_functions_give_the_published_outputs() {
        assert_eq!(
            prf(Hash::Sha256, "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c", 100),
            octets(
                "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af\
                 0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187\
                 347b66"
            )
        );
        assert_eq!(
            prf(Hash::Sha384, "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465", 148),
            octets(
                "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0\
                 e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425\
                 9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070\
                 3d73e56f"
            )
        );
    }

    #[test]
    fn the_function_of_tls10_shares_the_octet_in_the_middle_of_its_secret() {
        assert_eq!(
            prf(Hash::Md5Sha1, "9bbe436ba940f017b17652849a71db3501", "a0ba9f936cda311827a6f796ffd5198c", 80),
            octets(
                "383efe5bcee535a940450a3f563e523f390cc3ecdc46eb4ab82f99e47673eb368f6df508205b3fa062c8b1f0d3d2752f57075acd\
                 8f947441ef065aef06eb7289063872d1ae0452a09d520884882a0fbb"
            )
        );
    }

    /// RFC 8448 §3: the server's handshake and application traffic keys.
    #[test]
    fn traffic_keys_are_those_of_the_published_trace() {
        for (secret, key, iv) in [
            (
                "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
                "3fce516009c21727d0f2e4e86ee403bc",
                "5d313eb2671276ee13000b30",
            ),
            (
                "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
                "9f02283b6c9c07efc26bb9f2ac92e356",
                "cf782b88dd83549aadf1e984",
            ),
        ] {
            let (mut found_key, mut found_iv) = ([0; 16], [0; 12]);
            Hash::Sha256.expand_label(&octets(secret), b"key", &mut found_key);
            Hash::Sha256.expand_label(&octets(secret), b"iv", &mut found_iv);
            assert_eq!((&found_key[..], &found_iv[..]), (&octets(key)[..], &octets(iv)[..]));
        }
    }
}
