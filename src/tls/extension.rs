//! The extensions of a hello, in order, and what is read from each.

use crate::bytes::Cursor;
use crate::limits;

use super::anomaly::Anomaly;
use super::registry::{ExtensionType, Group, ProtocolVersion, SignatureScheme};

/// One extension as it stands in a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its type.
    pub kind: ExtensionType,
    /// Octets of its contents.
    pub length: u16,
    /// Its contents, of a long one the beginning (`limits::TLS_EXTENSION_OCTETS`).
    pub data: Vec<u8>,
}

/// A key share: which group, and how many octets (the octets themselves mean nothing to us).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyShare {
    /// The group.
    pub group: Group,
    /// Octets of the share.
    pub length: u16,
}

/// A pre-shared key that a client offers (RFC 8446 §4.2.11): most often a ticket that the server
/// issued earlier, which links the two conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PskIdentity {
    /// Octets of the identity.
    pub length: u16,
    /// The identity, of a long one the beginning (`limits::TLS_EXTENSION_OCTETS`).
    pub identity: Vec<u8>,
    /// The ticket's age in milliseconds, obfuscated.
    pub obfuscated_age: u32,
}

/// What an encrypted ClientHello shows on its outside (RFC 9849 §5). A client without a key sends
/// the same with random contents (GREASE), which cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EncryptedClientHello {
    /// Which of the server's configurations it is for.
    pub config_id: u8,
    /// The key derivation of its HPKE suite.
    pub kdf: u16,
    /// The cipher of its HPKE suite.
    pub aead: u16,
    /// Octets of the encapsulated key.
    pub enc_length: u16,
    /// Octets of the encrypted inner hello.
    pub payload_length: u16,
}

/// All that the extensions of a hello say, of either side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Each, in order.
    pub all: Vec<Extension>,
    /// The server's name (RFC 6066 §3) as sent: octets, since a client may send anything. Empty in a server's hello that accepts it.
    pub server_name: Option<Vec<u8>>,
    /// Application protocols (RFC 7301): offered, or the one chosen.
    pub alpn: Vec<Vec<u8>>,
    /// Versions offered, or the one chosen (RFC 8446 §4.2.1).
    pub supported_versions: Vec<ProtocolVersion>,
    /// Groups offered (RFC 8446 §4.2.7).
    pub supported_groups: Vec<Group>,
    /// Formats of curve points (RFC 8422 §5.1.2).
    pub point_formats: Vec<u8>,
    /// Key shares (RFC 8446 §4.2.8); a HelloRetryRequest names its group with no octets.
    pub key_shares: Vec<KeyShare>,
    /// Signature algorithms (RFC 8446 §4.2.3).
    pub signature_algorithms: Vec<SignatureScheme>,
    /// Pre-shared keys offered.
    pub psk_identities: Vec<PskIdentity>,
    /// The pre-shared key that the server chose.
    pub psk_chosen: Option<u16>,
    /// How pre-shared keys may be used (RFC 8446 §4.2.9): 0 alone, 1 with a fresh key exchange.
    pub psk_modes: Vec<u8>,
    /// Data is sent before the server has answered (RFC 8446 §4.2.10).
    pub early_data: bool,
    /// CBC records are authenticated after encryption (RFC 7366).
    pub encrypt_then_mac: bool,
    /// The master secret is bound to the handshake (RFC 7627).
    pub extended_master_secret: bool,
    /// MACs are cut to ten octets (RFC 6066 §7).
    pub truncated_hmac: bool,
    /// Records longer than this are not wanted (RFC 8449).
    pub record_size_limit: Option<u16>,
    /// The code of the longest fragment (RFC 6066 §4): 1 is 512 octets … 4 is 4096.
    pub max_fragment_length: Option<u8>,
    /// Octets of the session ticket (RFC 5077): 0 asks for one, or promises one.
    pub session_ticket: Option<u16>,
    /// The certificate's status is asked for, or promised (RFC 6066 §8).
    pub status_request: bool,
    /// Secure renegotiation (RFC 5746).
    pub renegotiation_info: bool,
    /// Octets of padding (RFC 7685).
    pub padding: Option<u16>,
    /// The client may be asked for a certificate later (RFC 8446 §4.2.6).
    pub post_handshake_auth: bool,
    /// An encrypted ClientHello is inside, or seems to be.
    pub encrypted_client_hello: Option<EncryptedClientHello>,
    /// Whether a value without meaning (RFC 8701) is among extensions, versions, groups or shares.
    pub grease: bool,
}

impl Extensions {
    /// Reads the extensions of a hello. What cannot be read is told and left out; `false` says
    /// that the list itself breaks off.
    pub(super) fn read(block: &[u8], from: Sender, anomalies: &mut Vec<Anomaly>) -> (Extensions, bool) {
        let mut extensions = Extensions::default();
        let mut cursor = Cursor::new(block);
        while !cursor.is_empty() {
            let (Some(kind), Some(data)) = (cursor.u16().map(ExtensionType), cursor.vector16()) else {
                return (extensions, false);
            };
            if extensions.has(kind) {
                anomalies.push(Anomaly::ExtensionRepeated(kind));
            }
            extensions.grease |= kind.is_grease();
            extensions.all.push(Extension { kind, length: data.len() as u16, data: beginning(data) });
            if extensions.read_one(kind, data, from).is_none() {
                anomalies.push(Anomaly::ExtensionMalformed(kind));
            }
        }
        (extensions, true)
    }

    /// Whether an extension of this type is there.
    #[must_use]
    pub fn has(&self, kind: ExtensionType) -> bool {
        self.all.iter().any(|extension| extension.kind == kind)
    }

    fn read_one(&mut self, kind: ExtensionType, data: &[u8], from: Sender) -> Option<()> {
        let mut cursor = Cursor::new(data);
        match kind {
            ExtensionType::SERVER_NAME => self.server_name = Some(server_name(&mut cursor, from)?),
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => {
                let mut names = Cursor::new(cursor.vector16()?);
                while !names.is_empty() {
                    self.alpn.push(names.vector8()?.to_vec());
                }
            }
            ExtensionType::SUPPORTED_VERSIONS => {
                let list = if from == Sender::Client { cursor.vector8()? } else { cursor.take(2)? };
                self.supported_versions.extend(numbers(list)?.map(ProtocolVersion));
                self.grease |= numbers(list)?.any(super::registry::is_grease);
            }
            ExtensionType::SUPPORTED_GROUPS => {
                let list = cursor.vector16()?;
                self.supported_groups.extend(numbers(list)?.map(Group));
                self.grease |= numbers(list)?.any(super::registry::is_grease);
            }
            ExtensionType::EC_POINT_FORMATS => self.point_formats = cursor.vector8()?.to_vec(),
            ExtensionType::KEY_SHARE | ExtensionType::KEY_SHARE_DRAFT => self.key_shares(&mut cursor, from)?,
            ExtensionType::SIGNATURE_ALGORITHMS if from == Sender::Client => {
                self.signature_algorithms.extend(numbers(cursor.vector16()?)?.map(SignatureScheme));
            }
            ExtensionType::PRE_SHARED_KEY => self.pre_shared_keys(&mut cursor, from)?,
            ExtensionType::PSK_KEY_EXCHANGE_MODES => self.psk_modes = cursor.vector8()?.to_vec(),
            ExtensionType::EARLY_DATA => self.early_data = true,
            ExtensionType::ENCRYPT_THEN_MAC => self.encrypt_then_mac = true,
            ExtensionType::EXTENDED_MASTER_SECRET => self.extended_master_secret = true,
            ExtensionType::TRUNCATED_HMAC => self.truncated_hmac = true,
            ExtensionType::RECORD_SIZE_LIMIT => self.record_size_limit = Some(cursor.u16()?),
            ExtensionType::MAX_FRAGMENT_LENGTH => self.max_fragment_length = Some(cursor.u8()?),
            ExtensionType::SESSION_TICKET => self.session_ticket = Some(data.len() as u16),
            ExtensionType::STATUS_REQUEST => self.status_request = true,
            ExtensionType::RENEGOTIATION_INFO => self.renegotiation_info = true,
            ExtensionType::PADDING => self.padding = Some(data.len() as u16),
            ExtensionType::POST_HANDSHAKE_AUTH => self.post_handshake_auth = true,
            // An inner hello (type 1) would show only after decryption.
            ExtensionType::ENCRYPTED_CLIENT_HELLO if from == Sender::Client && cursor.u8()? == 0 => {
                self.encrypted_client_hello = Some(EncryptedClientHello {
                    kdf: cursor.u16()?,
                    aead: cursor.u16()?,
                    config_id: cursor.u8()?,
                    enc_length: cursor.vector16()?.len() as u16,
                    payload_length: cursor.vector16()?.len() as u16,
                });
            }
            _ => {}
        }
        Some(())
    }

    fn key_shares(&mut self, cursor: &mut Cursor<'_>, from: Sender) -> Option<()> {
        match from {
            Sender::Client => {
                let mut shares = Cursor::new(cursor.vector16()?);
                while !shares.is_empty() {
                    let group = Group(shares.u16()?);
                    self.grease |= group.is_grease();
                    self.key_shares.push(KeyShare { group, length: shares.vector16()?.len() as u16 });
                }
            }
            Sender::Server => {
                let group = Group(cursor.u16()?);
                let length = if cursor.is_empty() { 0 } else { cursor.vector16()?.len() as u16 };
                self.key_shares.push(KeyShare { group, length });
            }
        }
        Some(())
    }

    fn pre_shared_keys(&mut self, cursor: &mut Cursor<'_>, from: Sender) -> Option<()> {
        if from == Sender::Server {
            self.psk_chosen = Some(cursor.u16()?);
            return Some(());
        }
        let mut identities = Cursor::new(cursor.vector16()?);
        while !identities.is_empty() {
            let identity = identities.vector16()?;
            self.psk_identities.push(PskIdentity {
                length: identity.len() as u16,
                identity: beginning(identity),
                obfuscated_age: identities.u32()?,
            });
        }
        Some(())
    }
}

/// Whose hello it is: some extensions have another format in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Server,
}

/// The first name of type host_name (0), the only type there is.
fn server_name(cursor: &mut Cursor<'_>, from: Sender) -> Option<Vec<u8>> {
    if from == Sender::Server || cursor.is_empty() {
        return Some(Vec::new());
    }
    let mut names = Cursor::new(cursor.vector16()?);
    while !names.is_empty() {
        let kind = names.u8()?;
        let name = names.vector16()?;
        if kind == 0 {
            return Some(name.to_vec());
        }
    }
    None
}

/// The numbers of a list; `None` where it does not hold whole numbers.
pub(super) fn numbers(list: &[u8]) -> Option<impl Iterator<Item = u16> + '_> {
    let (pairs, rest) = list.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)))
}

/// The octets that are kept of what may be long.
pub(super) fn beginning(data: &[u8]) -> Vec<u8> {
    data[..data.len().min(limits::TLS_EXTENSION_OCTETS)].to_vec()
}
