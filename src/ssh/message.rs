//! SSH messages that pass in the clear (RFC 4253 §12, RFC 4419, RFC 5656).

use crate::bytes::Cursor;

/// The number of a message (IANA: SSH Message Numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageNumber(pub u8);

/// What the messages 30 to 49 mean depends on the method of key exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyExchange {
    /// Diffie-Hellman in a fixed group (RFC 4253 §8), and methods that share its two messages.
    #[default]
    DiffieHellman,
    /// Diffie-Hellman in a group that the server picks (RFC 4419).
    GroupExchange,
    /// On an elliptic curve (RFC 5656, RFC 8731).
    EllipticCurve,
}

/// What one side offers for the key exchange (RFC 4253 §7.1): lists of names with commas between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyExchangeInit<'a> {
    /// Methods of key exchange.
    pub key_exchange: &'a [u8],
    /// Kinds of host key.
    pub host_key: &'a [u8],
    /// Ciphers, from client to server and back.
    pub encryption: [&'a [u8]; 2],
    /// Message authentication codes, from client to server and back.
    pub mac: [&'a [u8]; 2],
    /// Compression, from client to server and back.
    pub compression: [&'a [u8]; 2],
}

impl<'a> KeyExchangeInit<'a> {
    /// Decodes a message's payload after its number. `None`: cut short.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Option<KeyExchangeInit<'a>> {
        let mut cursor = Cursor::new(payload);
        cursor.take(16)?;
        let mut list = || {
            let length = cursor.u32()?;
            cursor.take(usize::try_from(length).ok()?)
        };
        Some(KeyExchangeInit {
            key_exchange: list()?,
            host_key: list()?,
            encryption: [list()?, list()?],
            mac: [list()?, list()?],
            compression: [list()?, list()?],
        })
    }
}

/// The first name of the client's list that the server's has too (RFC 4253 §7.1).
#[must_use]
pub fn negotiated<'a>(client: &'a [u8], server: &[u8]) -> Option<&'a [u8]> {
    names(client).find(|name| names(server).any(|other| other == *name))
}

fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|octet| *octet == b',').take(MAX_NAMES)
}

impl KeyExchange {
    /// What a method's name says about its messages.
    #[must_use]
    pub fn of(name: &[u8]) -> KeyExchange {
        match name {
            b"diffie-hellman-group-exchange-sha1" | b"diffie-hellman-group-exchange-sha256" => {
                KeyExchange::GroupExchange
            }
            b"curve25519-sha256" | b"curve25519-sha256@libssh.org" | b"curve448-sha512" => KeyExchange::EllipticCurve,
            _ if name.starts_with(b"ecdh-sha2-") => KeyExchange::EllipticCurve,
            _ => KeyExchange::DiffieHellman,
        }
    }
}

impl MessageNumber {
    /// The offer of one side.
    pub const KEX_INIT: MessageNumber = MessageNumber(20);
    /// What follows is sealed.
    pub const NEW_KEYS: MessageNumber = MessageNumber(21);

    /// The name, for the assigned ones.
    #[must_use]
    pub fn name(self, method: KeyExchange) -> Option<&'static str> {
        use KeyExchange::{DiffieHellman, EllipticCurve, GroupExchange};
        Some(match (self.0, method) {
            (1, _) => "Disconnect",
            (2, _) => "Ignore",
            (3, _) => "Unimplemented",
            (4, _) => "Debug",
            (5, _) => "Service Request",
            (6, _) => "Service Accept",
            (20, _) => "Key Exchange Init",
            (21, _) => "New Keys",
            (30, DiffieHellman) => "Diffie-Hellman Key Exchange Init",
            (31, DiffieHellman) => "Diffie-Hellman Key Exchange Reply",
            (30, EllipticCurve) => "Elliptic Curve Diffie-Hellman Key Exchange Init",
            (31, EllipticCurve) => "Elliptic Curve Diffie-Hellman Key Exchange Reply",
            (30, GroupExchange) => "Diffie-Hellman Group Exchange Request (Old)",
            (31, GroupExchange) => "Diffie-Hellman Group Exchange Group",
            (32, GroupExchange) => "Diffie-Hellman Group Exchange Init",
            (33, GroupExchange) => "Diffie-Hellman Group Exchange Reply",
            (34, GroupExchange) => "Diffie-Hellman Group Exchange Request",
            (50, _) => "User Authentication Request",
            (51, _) => "User Authentication Failure",
            (52, _) => "User Authentication Success",
            (53, _) => "User Authentication Banner",
            (80, _) => "Global Request",
            (81, _) => "Request Success",
            (82, _) => "Request Failure",
            (90, _) => "Channel Open",
            (91, _) => "Channel Open Confirmation",
            (92, _) => "Channel Open Failure",
            (93, _) => "Window Adjust",
            (94, _) => "Channel Data",
            (95, _) => "Channel Extended Data",
            (96, _) => "Channel EOF",
            (97, _) => "Channel Close",
            (98, _) => "Channel Request",
            (99, _) => "Channel Success",
            (100, _) => "Channel Failure",
            _ => return None,
        })
    }

    /// The name in the protocol's first version, where the numbers differ.
    #[must_use]
    pub fn name_in_version_1(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "No Message",
            1 => "Disconnect",
            2 => "Public Key",
            3 => "Session Key",
            4 => "User",
            _ => return None,
        })
    }
}

/// Names of a list that are compared; real lists have some thirty, and comparing is quadratic.
const MAX_NAMES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_first_name_that_the_server_knows_is_taken() {
        assert_eq!(negotiated(b"a,b,c", b"c,b"), Some(&b"b"[..]));
        assert_eq!(negotiated(b"a", b"b"), None);
        assert_eq!(negotiated(b"", b""), Some(&b""[..]));
    }

    #[test]
    fn a_methods_name_decides_what_its_messages_mean() {
        let name = |method: &[u8]| MessageNumber(31).name(KeyExchange::of(method));
        assert_eq!(name(b"diffie-hellman-group14-sha1"), Some("Diffie-Hellman Key Exchange Reply"));
        assert_eq!(name(b"diffie-hellman-group-exchange-sha256"), Some("Diffie-Hellman Group Exchange Group"));
        assert_eq!(name(b"curve25519-sha256"), Some("Elliptic Curve Diffie-Hellman Key Exchange Reply"));
        assert_eq!(MessageNumber(200).name(KeyExchange::DiffieHellman), None);
    }

    #[test]
    fn an_offer_that_is_cut_is_none() {
        let mut payload = vec![0; 16];
        for list in [&b"a,b"[..], b"key", b"c1", b"c2", b"m1", b"m2", b"none", b"none"] {
            payload.extend((list.len() as u32).to_be_bytes());
            payload.extend(list);
        }
        let offer = KeyExchangeInit::parse(&payload).unwrap();
        assert_eq!((offer.key_exchange, offer.encryption), (&b"a,b"[..], [&b"c1"[..], b"c2"]));
        for end in 0..payload.len() {
            assert_eq!(KeyExchangeInit::parse(&payload[..end]), None);
        }
    }
}
