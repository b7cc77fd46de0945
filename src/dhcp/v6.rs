//! DHCP for IPv6 (RFC 8415), where the name is in option 39 (RFC 4704).

use std::fmt;
use std::net::Ipv6Addr;

use super::Name;
use crate::bytes::Cursor;

/// A message of DHCPv6 between a client and a server. What relays wrap around it is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The relays that it came through, the outermost first.
    pub relays: [Option<Relay>; HOPS],
    /// What it is.
    pub kind: Kind,
    /// What pairs the messages of one exchange: 24 bits.
    pub transaction: u32,
    /// The identifier of the client (DUID, option 1); empty where it is not said, or longer than RFC 8415 §11.1 allows.
    pub client: &'a [u8],
    /// The host's name (option 39): octets, as sent.
    pub host_name: Option<Name<'a>>,
    /// An option is cut.
    pub cut: bool,
    options: &'a [u8],
}

/// A relay that passed a message on (RFC 8415 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relay {
    /// From a server, not from a client.
    pub is_reply: bool,
    /// An address of the link on which the client is.
    pub link: Ipv6Addr,
}

/// Relays that a message may pass: HOP_COUNT_LIMIT of RFC 8415 §7.6.
pub const HOPS: usize = 8;

/// An address that a message speaks of (option 5, RFC 8415 §21.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub address: Ipv6Addr,
    /// For how many seconds; 0 takes it back.
    pub valid: u32,
}

/// What a message is for (RFC 8415 §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// The client looks for servers, and may take an address at once.
    pub const SOLICIT: Kind = Kind(1);
    /// A server offers an address.
    pub const ADVERTISE: Kind = Kind(2);
    /// The client asks for the address that was offered.
    pub const REQUEST: Kind = Kind(3);
    /// The client wants to keep its addresses.
    pub const RENEW: Kind = Kind(5);
    /// The same, of any server.
    pub const REBIND: Kind = Kind(6);
    /// The server gives addresses.
    pub const REPLY: Kind = Kind(7);

    /// Its name, as Wireshark writes it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "Solicit",
            2 => "Advertise",
            3 => "Request",
            4 => "Confirm",
            5 => "Renew",
            6 => "Rebind",
            7 => "Reply",
            8 => "Release",
            9 => "Decline",
            10 => "Reconfigure",
            11 => "Information-request",
            _ => return None,
        })
    }
}

impl<'a> Message<'a> {
    /// Reads a message. `None`: its head is cut, or a relay's message holds no other.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Message<'a>> {
        let mut relays = [None; HOPS];
        let mut octets = octets;
        for place in 0..=HOPS {
            let mut cursor = Cursor::new(octets);
            let kind = cursor.u8()?;
            if !matches!(kind, RELAY_FORWARD | RELAY_REPLY) {
                let transaction = cursor.u24()?;
                return Some(Message::of(relays, Kind(kind), transaction, cursor.rest()));
            }
            // Relays that it passed before.
            cursor.u8()?;
            let link = address(&mut cursor)?;
            // The address of the client, or of the relay before.
            cursor.take(16)?;
            *relays.get_mut(place)? = Some(Relay { is_reply: kind == RELAY_REPLY, link });
            octets = Options(cursor).find(|(code, _)| *code == RELAY_MESSAGE)?.1;
        }
        None
    }

    fn of(relays: [Option<Relay>; HOPS], kind: Kind, transaction: u32, options: &'a [u8]) -> Message<'a> {
        let mut message = Message { relays, kind, transaction, client: &[], host_name: None, cut: false, options };
        let mut all = Options(Cursor::new(options));
        for (code, value) in &mut all {
            match code {
                CLIENT_ID if value.len() <= LONGEST_DUID => message.client = value,
                // Flags, and the name (RFC 4704 §4).
                CLIENT_FQDN if value.len() > 1 => message.host_name = Some(Name::Labels(&value[1..])),
                _ => {}
            }
        }
        message.cut = !all.0.is_empty();
        message
    }

    /// The addresses that it speaks of, in order, in bindings for good or for a time (options 3 and 4).
    pub fn leases(&self) -> impl Iterator<Item = Lease> + use<'a> {
        let bindings = Options(Cursor::new(self.options)).filter_map(|(code, value)| match code {
            // An identifier and two times.
            IA_NA => value.get(12..),
            IA_TA => value.get(4..),
            _ => None,
        });
        bindings.flat_map(|inside| Options(Cursor::new(inside))).filter_map(|(code, value)| {
            let mut cursor = Cursor::new(value);
            let address = address(&mut cursor).filter(|_| code == IA_ADDRESS)?;
            // For how long it is preferred.
            cursor.u32()?;
            Some(Lease { address, valid: cursor.u32()? })
        })
    }
}

fn address(cursor: &mut Cursor<'_>) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(cursor.take(16)?).ok().map(Ipv6Addr::from)
}

/// Options with their codes, as far as they are whole (RFC 8415 §21.1).
struct Options<'a>(Cursor<'a>);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let mut ahead = Cursor::new(self.0.rest());
        let (code, length) = (ahead.u16()?, ahead.u16()?);
        let value = ahead.take(usize::from(length))?;
        self.0.take(4 + value.len())?;
        Some((code, value))
    }
}

/// `Solicit XID: 0x8c81ee CID: 00010001329eb4a3020000000264 IAA: 2001:db8::77`, as Wireshark writes it.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for relay in self.relays.iter().flatten() {
            let name = if relay.is_reply { "Relay-reply" } else { "Relay-forw" };
            write!(f, "{name} L: {} ", relay.link)?;
        }
        match self.kind.name() {
            Some(name) => write!(f, "{name} XID: 0x{:06x}", self.transaction)?,
            None => write!(f, "Message Type {} XID: 0x{:06x}", self.kind.0, self.transaction)?,
        }
        if !self.client.is_empty() {
            f.write_str(" CID: ")?;
            self.client.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        }
        self.leases().try_for_each(|lease| write!(f, " IAA: {}", lease.address))?;
        if self.cut { f.write_str("[Malformed Packet]") } else { Ok(()) }
    }
}

/// Fuzz body: decodes and prints; nothing may panic, and a name is no longer than its message.
pub fn fuzz_v6(data: &[u8]) {
    if let Some(message) = Message::parse(data) {
        let _ = message.to_string();
        let name = message.host_name.and_then(|name| name.octets());
        assert!(name.is_none_or(|name| name.len() <= data.len()));
        assert!(message.leases().count() * 28 <= data.len());
    }
}

/// Octets of a DUID: its type, and 128.
const LONGEST_DUID: usize = 130;

const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;

const CLIENT_ID: u16 = 1;
const IA_NA: u16 = 3;
const IA_TA: u16 = 4;
const IA_ADDRESS: u16 = 5;
const RELAY_MESSAGE: u16 = 9;
const CLIENT_FQDN: u16 = 39;

#[cfg(test)]
mod tests {
    use super::*;

    const DUID: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1];
    const LINK: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    const LEASED: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77);

    fn option(code: u16, value: &[u8]) -> Vec<u8> {
        [&code.to_be_bytes(), &(value.len() as u16).to_be_bytes(), value].concat()
    }

    /// A request for 2001:db8::77 by a host that calls itself desk-7.
    fn request() -> Vec<u8> {
        let lease = option(5, &[&LEASED.octets()[..], &[0, 0, 0x0e, 0x10, 0, 0, 0x1c, 0x20]].concat());
        let binding = option(3, &[&[0; 12][..], &lease].concat());
        let name = option(39, b"\x01\x06desk-7\x07example\x03org\x00");
        [&[3, 0x69, 0x6b, 0x8f][..], &option(1, DUID), &name, &binding].concat()
    }

    fn relayed(kind: u8, inner: &[u8]) -> Vec<u8> {
        let head = [&[kind, 0][..], &LINK.octets(), &[0xfe; 16]].concat();
        [head, option(18, b"eth0"), option(9, inner)].concat()
    }

    #[test]
    fn a_request_shows_the_name_and_the_address_that_is_asked_for() {
        let octets = request();
        let parsed = Message::parse(&octets).unwrap();
        assert_eq!(
            (parsed.kind, parsed.transaction, parsed.client, parsed.cut),
            (Kind::REQUEST, 0x69_6b8f, DUID, false)
        );
        assert_eq!(parsed.host_name.unwrap().octets().as_deref(), Some(&b"desk-7.example.org"[..]));
        assert_eq!(parsed.leases().collect::<Vec<_>>(), [Lease { address: LEASED, valid: 7200 }]);
        assert_eq!(parsed.to_string(), "Request XID: 0x696b8f CID: 00030001020000000001 IAA: 2001:db8::77");
    }

    #[test]
    fn what_relays_wrap_around_a_message_is_taken_off() {
        let octets = relayed(12, &relayed(12, &request()));
        let parsed = Message::parse(&octets).unwrap();
        let relay = Relay { is_reply: false, link: LINK };
        assert_eq!(parsed.relays[..3], [Some(relay), Some(relay), None]);
        let line = parsed.to_string();
        assert!(
            line.starts_with("Relay-forw L: 2001:db8::1 Relay-forw L: 2001:db8::1 Request XID: 0x696b8f "),
            "{line}"
        );
        let mut deep = request();
        for _ in 0..HOPS {
            deep = relayed(13, &deep);
        }
        assert!(Message::parse(&deep).is_some());
        assert_eq!(Message::parse(&relayed(13, &deep)), None, "no relay passes on more");
    }

    #[test]
    fn what_is_cut_is_said_and_is_read_as_far_as_it_goes() {
        let octets = request();
        // Options begin behind 4 octets: one of 14, one of 25, one of 44.
        let whole = [4, 18, 43, octets.len()];
        for length in 0..=octets.len() {
            let parsed = Message::parse(&octets[..length]);
            assert_eq!(parsed.is_some(), length >= 4, "{length}");
            assert_eq!(parsed.is_some_and(|message| message.cut), length > 4 && !whole.contains(&length), "{length}");
            assert_eq!(parsed.is_some_and(|message| message.host_name.is_some()), length >= 43, "{length}");
            let line = parsed.map(|message| message.to_string()).unwrap_or_default();
            assert_eq!(line.ends_with("[Malformed Packet]"), parsed.is_some_and(|message| message.cut), "{length}");
            let wrapped = relayed(12, &octets[..length]);
            assert_eq!(Message::parse(&wrapped).is_some(), length >= 4, "{length}");
        }
    }

    #[test]
    fn what_is_longer_than_it_may_be_is_not_kept() {
        let name = [&[1u8][..], &[&[63][..], &[b'x'; 63]].concat().repeat(4), &[0]].concat();
        let octets = [&[3, 0, 0, 1][..], &option(1, &[7; LONGEST_DUID + 1]), &option(39, &name)].concat();
        let parsed = Message::parse(&octets).unwrap();
        assert_eq!((parsed.client, parsed.cut), (&[][..], false));
        assert_eq!(parsed.host_name.unwrap().octets().map(|name| name.len()), Some(255));
        let longer = [&[1u8][..], &[&[63][..], &[b'x'; 63]].concat().repeat(5), &[0]].concat();
        assert_eq!(Name::Labels(&longer[1..]).octets(), None);
    }

    #[test]
    fn any_octets_are_read_without_harm() {
        let octets = relayed(12, &request());
        for place in 0..octets.len() {
            for value in [0, 1, 0x3f, 0x80, 0xff] {
                let mut changed = octets.clone();
                changed[place] = value;
                fuzz_v6(&changed);
            }
        }
    }
}
