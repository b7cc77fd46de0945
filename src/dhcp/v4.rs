//! DHCP (RFC 2131, options of RFC 2132), where the name is in option 12, or in option 81 of RFC 4702.

use std::fmt;
use std::net::Ipv4Addr;

use super::Name;
use crate::bytes::Cursor;

/// A DHCP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// From a server, not from a client.
    pub is_reply: bool,
    /// What pairs the messages of one exchange.
    pub transaction: u32,
    /// The address that the client has already, and uses.
    pub client_address: Option<Ipv4Addr>,
    /// The address that the server gives ("your" address).
    pub your_address: Option<Ipv4Addr>,
    /// The client's hardware address, as long as it says.
    pub hardware: &'a [u8],
    /// What it is. `None`: BOOTP without options of DHCP (RFC 951).
    pub kind: Option<Kind>,
    /// The address that the client asks for (option 50).
    pub requested: Option<Ipv4Addr>,
    /// The host's name: option 81, else option 12; octets, as sent.
    pub host_name: Option<Name<'a>>,
    /// The options end without option 255, or one of them is cut.
    pub cut: bool,
}

/// What a message is for (option 53, RFC 2132 §9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// The client asks for the address that it names.
    pub const REQUEST: Kind = Kind(3);
    /// The server gives it.
    pub const ACK: Kind = Kind(5);
    /// The server refuses it.
    pub const NAK: Kind = Kind(6);
    /// The client has an address and asks for the rest.
    pub const INFORM: Kind = Kind(8);

    /// Its name, as people write it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "Discover",
            2 => "Offer",
            3 => "Request",
            4 => "Decline",
            5 => "ACK",
            6 => "NAK",
            7 => "Release",
            8 => "Inform",
            9 => "Force Renew",
            10 => "Lease query",
            11 => "Lease Unassigned",
            12 => "Lease Unknown",
            13 => "Lease Active",
            _ => return None,
        })
    }
}

impl<'a> Message<'a> {
    /// Reads a message. `None`: it is cut before its options, or its magic cookie is not that of RFC 2131 §3.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Message<'a>> {
        let mut cursor = Cursor::new(octets);
        let operation = cursor.u8()?;
        let hardware_type = cursor.u8()?;
        let hardware_length = usize::from(cursor.u8()?).min(HARDWARE_FIELD);
        cursor.u8()?;
        let transaction = cursor.u32()?;
        // Seconds since it began, and flags.
        cursor.take(4)?;
        let mut address = || cursor.u32().map(Ipv4Addr::from);
        let (client_address, your_address) = (address()?, address()?);
        // Addresses of the next server and of a relay.
        cursor.take(8)?;
        let hardware = cursor.take(HARDWARE_FIELD)?;
        // Names of a server and of a file to boot from.
        cursor.take(64 + 128)?;
        if cursor.take(COOKIE.len())? != COOKIE || !matches!(operation, 1 | 2) {
            return None;
        }
        let given = |address: Ipv4Addr| Some(address).filter(|address| !address.is_unspecified());
        let mut message = Message {
            is_reply: operation == 2,
            transaction,
            client_address: given(client_address),
            your_address: given(your_address),
            hardware: if hardware_type == ETHERNET { &hardware[..hardware_length] } else { hardware },
            kind: None,
            requested: None,
            host_name: None,
            cut: false,
        };
        message.cut = message.options(cursor.rest()).is_none();
        Some(message)
    }

    fn options(&mut self, octets: &'a [u8]) -> Option<()> {
        let mut cursor = Cursor::new(octets);
        let mut whole_name = false;
        loop {
            let code = cursor.u8()?;
            match code {
                PAD => continue,
                END => return Some(()),
                _ => {}
            }
            let value = cursor.vector8()?;
            match code {
                HOST_NAME if !whole_name => self.host_name = Some(Name::Text(trimmed(value))),
                MESSAGE_TYPE => self.kind = value.first().copied().map(Kind),
                REQUESTED => {
                    self.requested = <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from);
                }
                // Flags, two result codes, and the name (RFC 4702 §2).
                CLIENT_FQDN if value.len() > 3 => {
                    let name = &value[3..];
                    let in_labels = value[0] & FQDN_E != 0;
                    self.host_name = Some(if in_labels { Name::Labels(name) } else { Name::Text(trimmed(name)) });
                    whole_name = true;
                }
                _ => {}
            }
        }
    }
}

/// Without the zeros that some clients put behind a name.
fn trimmed(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    &name[..end]
}

/// `DHCP Request  - Transaction ID 0x3903f326`, as Wireshark writes it, and the host's name.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind.map(|kind| (kind, kind.name())), self.is_reply) {
            (Some((_, Some(name))), _) => write!(f, "DHCP {name:<8} - Transaction ID 0x{:x}", self.transaction)?,
            (Some((kind, None)), _) => {
                write!(f, "DHCP message type {} - Transaction ID 0x{:x}", kind.0, self.transaction)?;
            }
            (None, false) => write!(f, "Boot Request - Transaction ID 0x{:x}", self.transaction)?,
            (None, true) => write!(f, "Boot Reply - Transaction ID 0x{:x}", self.transaction)?,
        }
        if self.cut { f.write_str("[Malformed Packet]") } else { Ok(()) }
    }
}

/// Fuzz body: decodes and prints; nothing may panic, and a name is no longer than its message.
pub fn fuzz_v4(data: &[u8]) {
    if let Some(message) = Message::parse(data) {
        let _ = message.to_string();
        let name = message.host_name.and_then(|name| name.octets());
        assert!(name.is_none_or(|name| name.len() <= data.len()));
    }
}

const COOKIE: &[u8] = &[99, 130, 83, 99];
const HARDWARE_FIELD: usize = 16;
const ETHERNET: u8 = 1;

const PAD: u8 = 0;
const HOST_NAME: u8 = 12;
const REQUESTED: u8 = 50;
const MESSAGE_TYPE: u8 = 53;
const CLIENT_FQDN: u8 = 81;
const END: u8 = 255;

/// The name of option 81 is in labels.
const FQDN_E: u8 = 0x04;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(operation: u8, client: [u8; 4], your: [u8; 4], options: &[u8]) -> Vec<u8> {
        let mut octets = vec![operation, 1, 6, 0, 0x39, 0x03, 0xf3, 0x26, 0, 0, 0, 0];
        octets.extend(client);
        octets.extend(your);
        octets.extend([0; 8]);
        octets.extend([2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        octets.extend([0; 64 + 128]);
        octets.extend(COOKIE);
        octets.extend(options);
        octets
    }

    /// A request for 192.0.2.100 by a host that calls itself desk-7.
    fn request() -> Vec<u8> {
        let options = [&[53, 1, 3, 50, 4, 192, 0, 2, 100, 0, 12, 6][..], b"desk-7", &[255, 0, 0]].concat();
        message(1, [0; 4], [0; 4], &options)
    }

    #[test]
    fn a_request_shows_the_name_and_the_address_that_is_asked_for() {
        let octets = request();
        let parsed = Message::parse(&octets).unwrap();
        assert_eq!(parsed.kind, Some(Kind::REQUEST));
        assert_eq!(parsed.requested, Some(Ipv4Addr::new(192, 0, 2, 100)));
        assert_eq!(parsed.host_name.unwrap().octets().as_deref(), Some(&b"desk-7"[..]));
        assert_eq!(parsed.hardware, [2, 0, 0, 0, 0, 1]);
        assert_eq!((parsed.client_address, parsed.your_address, parsed.cut), (None, None, false));
        assert_eq!(parsed.to_string(), "DHCP Request  - Transaction ID 0x3903f326");
    }

    #[test]
    fn a_full_name_goes_before_a_short_one_and_may_be_in_labels() {
        let labels = b"\x06desk-7\x07example\x03org\x00";
        let of = |options: &[u8]| {
            let octets = message(1, [0; 4], [0; 4], options);
            Message::parse(&octets).unwrap().host_name.and_then(|name| name.octets())
        };
        let long = [&[81, labels.len() as u8 + 3, 0x05, 0, 0][..], labels, &[12, 4], b"desk", &[255]].concat();
        assert_eq!(of(&long).as_deref(), Some(&b"desk-7.example.org"[..]));
        let old = [&[12, 4][..], b"desk", &[81, 9, 0x01, 0, 0], b"desk-7", &[255]].concat();
        assert_eq!(of(&old).as_deref(), Some(&b"desk-7"[..]));
        assert_eq!(of(&[12, 2, 0, 0, 255]), None);
        let broken = [81, 6, 0x04, 0, 0, 9, b'x', b'y', 255];
        assert_eq!(of(&broken), None);
    }

    #[test]
    fn an_acknowledgement_gives_an_address() {
        let octets = message(2, [0; 4], [192, 0, 2, 100], &[53, 1, 5, 255]);
        let parsed = Message::parse(&octets).unwrap();
        assert!(parsed.is_reply);
        assert_eq!(parsed.your_address, Some(Ipv4Addr::new(192, 0, 2, 100)));
        assert_eq!(parsed.to_string(), "DHCP ACK      - Transaction ID 0x3903f326");
    }

    #[test]
    fn what_is_cut_is_said_and_what_is_no_dhcp_is_not_read() {
        let octets = request();
        // Options begin behind 240 octets; the last of them are two pads after the end.
        for length in 0..octets.len() {
            let parsed = Message::parse(&octets[..length]);
            assert_eq!(parsed.is_some(), length >= 240, "{length}");
            assert_eq!(
                parsed.is_some_and(|message| message.cut),
                (240..octets.len() - 2).contains(&length),
                "{length}"
            );
        }
        let mut other = octets.clone();
        other[236] = 0;
        assert_eq!(Message::parse(&other), None);
        other = octets;
        other[0] = 3;
        assert_eq!(Message::parse(&other), None);
    }

    #[test]
    fn any_octets_are_read_without_harm() {
        let octets = request();
        for place in 0..octets.len() {
            for value in [0, 1, 0x3f, 0x80, 0xff] {
                let mut changed = octets.clone();
                changed[place] = value;
                fuzz_v4(&changed);
            }
        }
    }
}
