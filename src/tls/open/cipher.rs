//! Record protection: what a suite uses, and how a record of it is opened.

use std::ops::Range;

use aes::cipher::{Block, BlockCipherDecrypt, BlockSizeUser, StreamCipher};
use aes::{Aes128, Aes256};
use camellia::{Camellia128, Camellia256};
use ccm::Ccm;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U8, U12, U16};
use des::TdesEde3;
use hmac::{Hmac, Mac};
use md5::Md5;
use rc4::Rc4;
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::super::registry::{ContentType, ProtocolVersion};

/// What a suite seals with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// Authenticated encryption with a nonce that the record does not, or only in part, carry.
    Aead(AeadKind),
    /// A block cipher and a message authentication code.
    Cbc(BlockKind, MacKind),
    /// RC4 and a message authentication code.
    Rc4(MacKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AeadKind {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Ccm,
    Aes256Ccm,
    Aes128Ccm8,
    Aes256Ccm8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Aes128,
    Aes256,
    Camellia128,
    Camellia256,
    TripleDes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MacKind {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

impl Algorithm {
    /// Octets of the key for the authentication code, of the cipher's key, and of the fixed part of
    /// the nonce or the first initialization vector: what each side takes out of the key block
    /// (RFC 5246 §6.3).
    pub(super) fn key_lengths(self, version: ProtocolVersion) -> (usize, usize, usize) {
        match self {
            Algorithm::Aead(AeadKind::ChaCha20Poly1305) => (0, 32, NONCE),
            Algorithm::Aead(kind) => (0, kind.key_len(), NONCE - EXPLICIT_NONCE),
            Algorithm::Cbc(block, mac) => {
                let iv = if version.has_explicit_iv() { 0 } else { block.len() };
                (mac.len(), block.key_len(), iv)
            }
            Algorithm::Rc4(mac) => (mac.len(), 16, 0),
        }
    }
}

impl AeadKind {
    pub(super) fn key_len(self) -> usize {
        match self {
            AeadKind::Aes128Gcm | AeadKind::Aes128Ccm | AeadKind::Aes128Ccm8 => 16,
            AeadKind::Aes256Gcm | AeadKind::Aes256Ccm | AeadKind::Aes256Ccm8 | AeadKind::ChaCha20Poly1305 => 32,
        }
    }
}

impl BlockKind {
    fn len(self) -> usize {
        if self == BlockKind::TripleDes { 8 } else { 16 }
    }

    fn key_len(self) -> usize {
        match self {
            BlockKind::Aes128 | BlockKind::Camellia128 => 16,
            BlockKind::Aes256 | BlockKind::Camellia256 => 32,
            BlockKind::TripleDes => 24,
        }
    }
}

impl MacKind {
    fn len(self) -> usize {
        match self {
            MacKind::Md5 => 16,
            MacKind::Sha1 => 20,
            MacKind::Sha256 => 32,
            MacKind::Sha384 => 48,
        }
    }
}

/// What a record says of itself, and its place among those that its sender sealed with one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) content_type: ContentType,
    pub(super) version: ProtocolVersion,
    pub(super) sequence: u64,
}

/// A key for the records of one direction.
pub(super) enum RecordKey {
    Aead {
        key: Box<AeadKey>,
        /// The nonce before the sequence number, or the explicit part, is put to it.
        iv: [u8; NONCE],
        form: AeadForm,
    },
    Cbc {
        key: Box<BlockKey>,
        mac: Box<MacKey>,
        /// Octets of the initialization vector that a record begins with.
        explicit_iv: usize,
        /// The last block of the record before, where records carry no vector (TLS 1.0).
        chained: [u8; MAX_BLOCK],
        encrypt_then_mac: bool,
    },
    Rc4 {
        cipher: Box<Rc4>,
        mac: Box<MacKey>,
    },
}

/// How nonce and additional data are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AeadForm {
    /// TLS 1.2, the second half of the nonce in the record (RFC 5288 §3, RFC 6655 §3).
    Explicit,
    /// TLS 1.2, the nonce from the sequence number (RFC 7905 §2).
    Implicit,
    /// TLS 1.3 (RFC 8446 §5.2), where the inner plaintext ends with its type.
    Tls13,
    /// TLS 1.3 before its draft 25: no additional data.
    Tls13Draft,
}

/// What was in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) content_type: ContentType,
    /// Where the plaintext stands in the output.
    pub(super) range: Range<usize>,
    /// Octets of the record before the place where its plaintext was.
    pub(super) prefix: usize,
}

impl RecordKey {
    /// A key of TLS 1.3 from what the traffic secret expands to.
    pub(super) fn tls13(kind: AeadKind, key: &[u8], iv: [u8; NONCE], draft: bool) -> Option<RecordKey> {
        let form = if draft { AeadForm::Tls13Draft } else { AeadForm::Tls13 };
        Some(RecordKey::Aead { key: Box::new(AeadKey::new(kind, key)?), iv, form })
    }

    /// A key of TLS up to 1.2 from its parts of the key block.
    pub(super) fn tls12(
        algorithm: Algorithm,
        version: ProtocolVersion,
        keys: KeyParts<'_>,
        encrypt_then_mac: bool,
        truncated_mac: bool,
    ) -> Option<RecordKey> {
        let mac = |kind| MacKey::new(kind, keys.mac, truncated_mac).map(Box::new);
        Some(match algorithm {
            Algorithm::Aead(kind) => {
                let mut iv = [0; NONCE];
                iv.get_mut(..keys.iv.len())?.copy_from_slice(keys.iv);
                let explicit = kind != AeadKind::ChaCha20Poly1305;
                let form = if explicit { AeadForm::Explicit } else { AeadForm::Implicit };
                RecordKey::Aead { key: Box::new(AeadKey::new(kind, keys.key)?), iv, form }
            }
            Algorithm::Cbc(kind, mac_kind) => {
                let mut chained = [0; MAX_BLOCK];
                chained.get_mut(..keys.iv.len())?.copy_from_slice(keys.iv);
                RecordKey::Cbc {
                    key: Box::new(BlockKey::new(kind, keys.key)?),
                    mac: mac(mac_kind)?,
                    explicit_iv: if version.has_explicit_iv() { kind.len() } else { 0 },
                    chained,
                    encrypt_then_mac,
                }
            }
            Algorithm::Rc4(mac_kind) => {
                let cipher = Box::new(Rc4::new_from_slice(keys.key).ok()?);
                RecordKey::Rc4 { cipher, mac: mac(mac_kind)? }
            }
        })
    }

    /// Opens `body`, what stands after the header of a record, into `out`. `None` where it does not
    /// authenticate; then it may be tried again at another place, but for RC4.
    ///
    /// `out` is made as long as it has to be, and keeps its memory from record to record.
    pub(super) fn open(&mut self, place: Place, body: &[u8], out: &mut Vec<u8>) -> Option<Opened> {
        match self {
            RecordKey::Aead { key, iv, form } => open_aead(key, iv, *form, place, body, out),
            RecordKey::Cbc { key, mac, explicit_iv, chained, encrypt_then_mac } => {
                let opened = open_cbc(key, mac, *explicit_iv, chained, *encrypt_then_mac, place, body, out);
                if *explicit_iv == 0 {
                    let end = body.len() - if *encrypt_then_mac { mac.len.min(body.len()) } else { 0 };
                    if let Some(last) = body.get(end.wrapping_sub(key.kind().len())..end) {
                        chained[..last.len()].copy_from_slice(last);
                    }
                }
                opened
            }
            RecordKey::Rc4 { cipher, mac } => {
                out.clear();
                out.extend_from_slice(body);
                cipher.apply_keystream(out);
                let end = out.len().checked_sub(mac.len)?;
                mac.verify(place, &[&out[..end]], &out[end..])?;
                Some(Opened { content_type: place.content_type, range: 0..end, prefix: 0 })
            }
        }
    }

    /// A record that is not opened passes: what the next ones depend on is kept.
    pub(super) fn pass(&mut self, body: &[u8], out: &mut Vec<u8>) {
        match self {
            RecordKey::Aead { .. } => {}
            RecordKey::Cbc { key, mac, explicit_iv: 0, chained, encrypt_then_mac } => {
                let end = body.len() - if *encrypt_then_mac { mac.len.min(body.len()) } else { 0 };
                if let Some(last) = body.get(end.wrapping_sub(key.kind().len())..end) {
                    chained[..last.len()].copy_from_slice(last);
                }
            }
            RecordKey::Cbc { .. } => {}
            RecordKey::Rc4 { cipher, .. } => {
                out.clear();
                out.extend_from_slice(body);
                cipher.apply_keystream(out);
            }
        }
    }

    /// So many octets were sealed with this key before it was known; `tail` is the end of them.
    pub(super) fn catch_up(&mut self, mut passed: u64, tail: &[u8]) {
        match self {
            RecordKey::Cbc { key, explicit_iv: 0, chained, .. } => {
                let block = key.kind().len();
                if let Some(last) = tail.get(tail.len().wrapping_sub(block)..) {
                    chained[..block].copy_from_slice(last);
                }
            }
            RecordKey::Rc4 { cipher, .. } => {
                let mut octets = [0; 1024];
                while passed > 0 {
                    let piece = passed.min(octets.len() as u64);
                    cipher.apply_keystream(&mut octets[..piece as usize]);
                    passed -= piece;
                }
            }
            RecordKey::Aead { .. } | RecordKey::Cbc { .. } => {}
        }
    }

    /// Whether records can be opened again once some are missing.
    pub(super) fn survives_loss(&self) -> bool {
        !matches!(self, RecordKey::Rc4 { .. })
    }

    /// Whether records begin with a nonce that most stacks count up.
    pub(super) fn has_explicit_nonce(&self) -> bool {
        matches!(self, RecordKey::Aead { form: AeadForm::Explicit, .. })
    }
}

/// One side's parts of a key block.
#[derive(Clone, Copy)]
pub(super) struct KeyParts<'a> {
    pub(super) mac: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) iv: &'a [u8],
}

fn open_aead(
    key: &AeadKey,
    iv: &[u8; NONCE],
    form: AeadForm,
    place: Place,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Option<Opened> {
    let prefix = if form == AeadForm::Explicit { EXPLICIT_NONCE } else { 0 };
    let (explicit, sealed) = body.split_at_checked(prefix)?;
    let length = sealed.len().checked_sub(key.tag_len())?;
    let mut nonce = *iv;
    match form {
        AeadForm::Explicit => nonce[NONCE - EXPLICIT_NONCE..].copy_from_slice(explicit),
        _ => {
            for (octet, count) in nonce[NONCE - 8..].iter_mut().zip(place.sequence.to_be_bytes()) {
                *octet ^= count;
            }
        }
    }
    out.clear();
    out.extend_from_slice(sealed);
    match form {
        AeadForm::Explicit | AeadForm::Implicit => {
            key.open(nonce, &pseudo_header(place, length), out)?;
            Some(Opened { content_type: place.content_type, range: 0..length, prefix })
        }
        AeadForm::Tls13 | AeadForm::Tls13Draft => {
            let mut header = [0; 5];
            header[0] = place.content_type.0;
            header[1..3].copy_from_slice(&place.version.0.to_be_bytes());
            header[3..].copy_from_slice(&(body.len() as u16).to_be_bytes());
            key.open(nonce, if form == AeadForm::Tls13 { &header } else { &[] }, out)?;
            // The type is the last octet that is not zero (RFC 8446 §5.4).
            let end = out[..length].iter().rposition(|octet| *octet != 0)?;
            Some(Opened { content_type: ContentType(out[end]), range: 0..end, prefix })
        }
    }
}

#[allow(clippy::too_many_arguments)]
fn open_cbc(
    key: &BlockKey,
    mac: &MacKey,
    explicit_iv: usize,
    chained: &[u8; MAX_BLOCK],
    encrypt_then_mac: bool,
    place: Place,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Option<Opened> {
    let block = key.kind().len();
    let mut sealed = body;
    if encrypt_then_mac {
        let (before, code) = body.split_at_checked(body.len().checked_sub(mac.len)?)?;
        mac.verify(place, &[before], code)?;
        sealed = before;
    }
    let (iv, sealed) = sealed.split_at_checked(explicit_iv)?;
    let iv = if explicit_iv == 0 { &chained[..block] } else { iv };
    if sealed.is_empty() || sealed.len() % block != 0 {
        return None;
    }
    out.clear();
    out.resize(sealed.len(), 0);
    key.decrypt(iv, sealed, out);
    // One octet of length, and before it as many octets of the same value (RFC 5246 §6.2.3.2).
    let padding = *out.last()?;
    let padded = out.len().checked_sub(usize::from(padding) + 1)?;
    if !out[padded..].iter().all(|octet| *octet == padding) {
        return None;
    }
    let end = if encrypt_then_mac {
        padded
    } else {
        let end = padded.checked_sub(mac.len)?;
        mac.verify(place, &[&out[..end]], &out[end..padded])?;
        end
    };
    Some(Opened { content_type: place.content_type, range: 0..end, prefix: explicit_iv })
}

/// What TLS up to 1.2 authenticates beside the contents (RFC 5246 §6.2.3.1, §6.2.3.3).
fn pseudo_header(place: Place, length: usize) -> [u8; 13] {
    let mut header = [0; 13];
    header[..8].copy_from_slice(&place.sequence.to_be_bytes());
    header[8] = place.content_type.0;
    header[9..11].copy_from_slice(&place.version.0.to_be_bytes());
    header[11..].copy_from_slice(&(length as u16).to_be_bytes());
    header
}

/// `ring` has what mail uses, on the processor's instructions; CCM is RustCrypto's.
pub(super) enum AeadKey {
    Ring(LessSafeKey),
    Aes128Ccm(Ccm<Aes128, U16, U12>),
    Aes256Ccm(Ccm<Aes256, U16, U12>),
    Aes128Ccm8(Ccm<Aes128, U8, U12>),
    Aes256Ccm8(Ccm<Aes256, U8, U12>),
}

impl AeadKey {
    fn new(kind: AeadKind, key: &[u8]) -> Option<AeadKey> {
        let ring = |algorithm| UnboundKey::new(algorithm, key).ok().map(|key| AeadKey::Ring(LessSafeKey::new(key)));
        match kind {
            AeadKind::Aes128Gcm => ring(&aead::AES_128_GCM),
            AeadKind::Aes256Gcm => ring(&aead::AES_256_GCM),
            AeadKind::ChaCha20Poly1305 => ring(&aead::CHACHA20_POLY1305),
            AeadKind::Aes128Ccm => Ccm::new_from_slice(key).ok().map(AeadKey::Aes128Ccm),
            AeadKind::Aes256Ccm => Ccm::new_from_slice(key).ok().map(AeadKey::Aes256Ccm),
            AeadKind::Aes128Ccm8 => Ccm::new_from_slice(key).ok().map(AeadKey::Aes128Ccm8),
            AeadKind::Aes256Ccm8 => Ccm::new_from_slice(key).ok().map(AeadKey::Aes256Ccm8),
        }
    }

    fn tag_len(&self) -> usize {
        if matches!(self, AeadKey::Aes128Ccm8(_) | AeadKey::Aes256Ccm8(_)) { 8 } else { 16 }
    }

    /// Opens ciphertext and tag in place; the plaintext stands at their beginning.
    fn open(&self, nonce: [u8; NONCE], data: &[u8], sealed: &mut [u8]) -> Option<()> {
        fn ccm<C: AeadInOut<NonceSize = U12>>(
            cipher: &C,
            nonce: [u8; NONCE],
            data: &[u8],
            sealed: &mut [u8],
            tag: usize,
        ) -> Option<()> {
            let (text, tag) = sealed.split_at_mut_checked(sealed.len().checked_sub(tag)?)?;
            let tag = (&*tag).try_into().ok()?;
            cipher.decrypt_inout_detached(&nonce.into(), data, text.into(), tag).ok()
        }
        match self {
            AeadKey::Ring(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, Aad::from(data), sealed).ok().map(|_| ())
            }
            AeadKey::Aes128Ccm(key) => ccm(key, nonce, data, sealed, 16),
            AeadKey::Aes256Ccm(key) => ccm(key, nonce, data, sealed, 16),
            AeadKey::Aes128Ccm8(key) => ccm(key, nonce, data, sealed, 8),
            AeadKey::Aes256Ccm8(key) => ccm(key, nonce, data, sealed, 8),
        }
    }
}

pub(super) enum BlockKey {
    Aes128(Aes128),
    Aes256(Aes256),
    Camellia128(Camellia128),
    Camellia256(Camellia256),
    TripleDes(TdesEde3),
}

impl BlockKey {
    fn new(kind: BlockKind, key: &[u8]) -> Option<BlockKey> {
        match kind {
            BlockKind::Aes128 => Aes128::new_from_slice(key).ok().map(BlockKey::Aes128),
            BlockKind::Aes256 => Aes256::new_from_slice(key).ok().map(BlockKey::Aes256),
            BlockKind::Camellia128 => Camellia128::new_from_slice(key).ok().map(BlockKey::Camellia128),
            BlockKind::Camellia256 => Camellia256::new_from_slice(key).ok().map(BlockKey::Camellia256),
            BlockKind::TripleDes => TdesEde3::new_from_slice(key).ok().map(BlockKey::TripleDes),
        }
    }

    fn kind(&self) -> BlockKind {
        match self {
            BlockKey::Aes128(_) => BlockKind::Aes128,
            BlockKey::Aes256(_) => BlockKind::Aes256,
            BlockKey::Camellia128(_) => BlockKind::Camellia128,
            BlockKey::Camellia256(_) => BlockKind::Camellia256,
            BlockKey::TripleDes(_) => BlockKind::TripleDes,
        }
    }

    /// Cipher block chaining, from `sealed` to `out`, which are whole blocks and as long as each other.
    fn decrypt(&self, iv: &[u8], sealed: &[u8], out: &mut [u8]) {
        fn cbc<C: BlockCipherDecrypt + BlockSizeUser>(cipher: &C, iv: &[u8], sealed: &[u8], out: &mut [u8]) {
            let (from, _) = Block::<C>::slice_as_chunks(sealed);
            let (to, _) = Block::<C>::slice_as_chunks_mut(out);
            // Both have as many blocks, so this does not fail.
            let _ = cipher.decrypt_blocks_b2b(from, to);
            for (octet, before) in out.iter_mut().zip(iv.iter().chain(sealed)) {
                *octet ^= before;
            }
        }
        match self {
            BlockKey::Aes128(cipher) => cbc(cipher, iv, sealed, out),
            BlockKey::Aes256(cipher) => cbc(cipher, iv, sealed, out),
            BlockKey::Camellia128(cipher) => cbc(cipher, iv, sealed, out),
            BlockKey::Camellia256(cipher) => cbc(cipher, iv, sealed, out),
            BlockKey::TripleDes(cipher) => cbc(cipher, iv, sealed, out),
        }
    }
}

/// HMAC with its key taken in, to be copied for each record.
pub(super) struct MacKey {
    state: MacState,
    /// Octets that are sent of it.
    len: usize,
}

enum MacState {
    Md5(Hmac<Md5>),
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
}

impl MacKey {
    fn new(kind: MacKind, key: &[u8], truncated: bool) -> Option<MacKey> {
        let state = match kind {
            MacKind::Md5 => MacState::Md5(Hmac::new_from_slice(key).ok()?),
            MacKind::Sha1 => MacState::Sha1(Hmac::new_from_slice(key).ok()?),
            MacKind::Sha256 => MacState::Sha256(Hmac::new_from_slice(key).ok()?),
            MacKind::Sha384 => MacState::Sha384(Hmac::new_from_slice(key).ok()?),
        };
        Some(MacKey { state, len: if truncated { TRUNCATED_MAC } else { kind.len() } })
    }

    fn verify(&self, place: Place, contents: &[&[u8]], code: &[u8]) -> Option<()> {
        fn check<M: Mac + Clone>(keyed: &M, header: [u8; 13], contents: &[&[u8]], code: &[u8]) -> Option<()> {
            let mut mac = keyed.clone();
            mac.update(&header);
            for piece in contents {
                mac.update(piece);
            }
            mac.verify_truncated_left(code).ok()
        }
        if code.len() != self.len {
            return None;
        }
        let header = pseudo_header(place, contents.iter().map(|piece| piece.len()).sum());
        match &self.state {
            MacState::Md5(keyed) => check(keyed, header, contents, code),
            MacState::Sha1(keyed) => check(keyed, header, contents, code),
            MacState::Sha256(keyed) => check(keyed, header, contents, code),
            MacState::Sha384(keyed) => check(keyed, header, contents, code),
        }
    }
}

/// Octets of the nonce of every suite in use.
pub(super) const NONCE: usize = 12;
/// Octets of it that records of TLS 1.2 carry.
pub(super) const EXPLICIT_NONCE: usize = 8;
const MAX_BLOCK: usize = 16;
/// Octets of a truncated HMAC (RFC 6066 §7).
const TRUNCATED_MAC: usize = 10;
