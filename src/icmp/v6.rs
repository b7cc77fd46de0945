//! ICMPv6 (RFC 4443), with neighbour discovery (RFC 4861) and multicast listener discovery (RFC 3810).

use std::fmt;
use std::net::Ipv6Addr;

use super::Echo;
use crate::bytes::Cursor;

/// One ICMPv6 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What kind of message it is.
    pub message_type: MessageType,
    /// Says more within a type.
    pub code: u8,
    /// As stated.
    pub checksum: u16,
    /// What the type holds; `None` where the message is too short for it.
    pub body: Option<Body>,
    /// The neighbour discovery options (RFC 4861 §4.6), undecoded.
    pub options: &'a [u8],
    /// The message or its last option is shorter than it says.
    pub short: bool,
}

/// What a message says, for the types that a capture of mail meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing that is decoded here.
    Other,
    /// Echo request or reply.
    Echo(Echo),
    /// Neighbour solicitation: whose link-layer address is asked for.
    Solicitation {
        /// The address asked for.
        target: Ipv6Addr,
    },
    /// Neighbour advertisement.
    Advertisement {
        /// Whose link-layer address it is.
        target: Ipv6Addr,
        /// The three flag bits: router 0x80, solicited 0x40, override 0x20.
        flags: u8,
    },
}

/// The type of an ICMPv6 message (IANA: ICMPv6 "type" Numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageType(pub u8);

/// A neighbour discovery option that names a link-layer address (RFC 4861 §4.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLayerAddress<'a> {
    /// The target's address; otherwise the source's.
    pub target: bool,
    /// Six octets on Ethernet, eight on IEEE 802.15.4.
    pub address: &'a [u8],
}

impl<'a> Message<'a> {
    /// Decodes a message, its header included. `None`: not even the four octets that all types share.
    #[must_use]
    pub fn parse(message: &'a [u8]) -> Option<Message<'a>> {
        let mut cursor = Cursor::new(message);
        let message_type = MessageType(cursor.u8()?);
        let code = cursor.u8()?;
        let checksum = cursor.u16()?;
        let body = parse_body(message_type, checksum, &mut cursor);
        let options = match body {
            Some(_) if message_type.has_options() => cursor.rest(),
            _ => &[],
        };
        let mut walk = Options { rest: options, short: false };
        while walk.next().is_some() {}
        let short = body.is_none() || walk.short;
        Some(Message { message_type, code, checksum, body, options, short })
    }

    /// The echo request or reply that this is.
    #[must_use]
    pub fn echo(&self) -> Option<Echo> {
        match self.body {
            Some(Body::Echo(echo)) => Some(echo),
            _ => None,
        }
    }

    /// The link-layer addresses that the options name, in order.
    pub fn link_layer_addresses(&self) -> impl Iterator<Item = LinkLayerAddress<'a>> {
        Options { rest: self.options, short: false }.filter_map(|(kind, body)| {
            let address = match body.len() {
                6 => body,
                14 => &body[..8],
                _ => return None,
            };
            matches!(kind, 1 | 2).then_some(LinkLayerAddress { target: kind == 2, address })
        })
    }

    /// One line; `hop_limit` is that of the packet, `request` the packet number of the request that
    /// this replies to.
    #[must_use]
    pub fn line(&self, hop_limit: u8, request: Option<u64>) -> Line<'a> {
        Line { message: *self, hop_limit, request }
    }
}

impl MessageType {
    /// Destination unreachable (RFC 4443 §3.1).
    pub const UNREACHABLE: MessageType = MessageType(1);
    /// Packet too big (RFC 4443 §3.2).
    pub const PACKET_TOO_BIG: MessageType = MessageType(2);
    /// Echo request (RFC 4443 §4.1).
    pub const ECHO_REQUEST: MessageType = MessageType(128);
    /// Echo reply (RFC 4443 §4.2).
    pub const ECHO_REPLY: MessageType = MessageType(129);
    /// Router solicitation (RFC 4861 §4.1).
    pub const ROUTER_SOLICITATION: MessageType = MessageType(133);
    /// Router advertisement (RFC 4861 §4.2).
    pub const ROUTER_ADVERTISEMENT: MessageType = MessageType(134);
    /// Neighbour solicitation (RFC 4861 §4.3).
    pub const NEIGHBOR_SOLICITATION: MessageType = MessageType(135);
    /// Neighbour advertisement (RFC 4861 §4.4).
    pub const NEIGHBOR_ADVERTISEMENT: MessageType = MessageType(136);
    /// Redirect (RFC 4861 §4.5).
    pub const REDIRECT: MessageType = MessageType(137);
    /// Multicast listener report, version 2 (RFC 3810 §5.2).
    pub const LISTENER_REPORT_V2: MessageType = MessageType(143);

    /// Whether neighbour discovery options follow the fixed part.
    fn has_options(self) -> bool {
        matches!(self.0, 133..=137 | 141 | 142)
    }

    /// The name, for the assigned ones.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "Destination Unreachable",
            2 => "Packet Too Big",
            3 => "Time Exceeded",
            4 => "Parameter Problem",
            100 | 101 | 200 | 201 => "Private experimentation",
            127 => "Reserved for expansion of ICMPv6 error messages",
            128 => "Echo (ping) request",
            129 => "Echo (ping) reply",
            130 => "Multicast Listener Query",
            131 => "Multicast Listener Report",
            132 => "Multicast Listener Done",
            133 => "Router Solicitation",
            134 => "Router Advertisement",
            135 => "Neighbor Solicitation",
            136 => "Neighbor Advertisement",
            137 => "Redirect",
            138 => "Router Renumbering",
            139 => "Node Information Query",
            140 => "Node Information Reply",
            141 => "Inverse Neighbor Discovery Solicitation",
            142 => "Inverse Neighbor Discovery Advertisement",
            143 => "Multicast Listener Report Message v2",
            144 => "Home Agent Address Discovery Request",
            145 => "Home Agent Address Discovery Reply",
            146 => "Mobile Prefix Solicitation",
            147 => "Mobile Prefix Advertisement",
            148 => "Certification Path Solicitation",
            149 => "Certification Path Advertisement",
            150 => "Experimental Mobility",
            151 => "Multicast Router Advertisement",
            152 => "Multicast Router Solicitation",
            153 => "Multicast Router Termination",
            154 => "FMIPv6",
            155 => "RPL Control",
            156 => "Locator Update",
            157 => "Duplicate Address Request",
            158 => "Duplicate Address Confirmation",
            159 => "MPL Control Message",
            160 => "Extended Echo request",
            161 => "Extended Echo reply",
            255 => "Reserved for expansion of ICMPv6 informational messages",
            _ => return None,
        })
    }

    /// The names of its codes, from code 0; `None` for a type whose code says nothing.
    fn codes(self) -> Option<&'static [&'static str]> {
        Some(match self.0 {
            1 => &UNREACHABLE_CODES,
            3 => &["hop limit exceeded in transit", "fragment reassembly time exceeded"],
            4 => &[
                "erroneous header field encountered",
                "unrecognized Next Header type encountered",
                "unrecognized IPv6 option encountered",
                "IPv6 First Fragment has incomplete IPv6 Header Chain",
            ],
            138 => &["Command", "Result"],
            139 => &[
                "Query subject = IPv6 addresses",
                "Query subject = DNS name or empty",
                "Query subject = IPv4 addresses",
            ],
            140 => &["Successful", "Refused", "Unknown query type"],
            150 | 154 => &[],
            155 => &[
                "DODAG Information Solicitation",
                "DODAG Information Object",
                "Destination Advertisement Object",
                "Destination Advertisement Object Acknowledgment",
                "P2P Discovery Reply Object",
                "P2P Discovery Reply Object Acknowledgement",
            ],
            160 => &["No error"],
            161 => &[
                "No error",
                "Malformed Query",
                "No Such Interface",
                "No Such Table Entry",
                "Multiple Interfaces Satisfy Query",
            ],
            _ => return None,
        })
    }
}

/// A [`Message`] in one line: `Neighbor Solicitation for 2001:db8::9 from 02:00:00:00:00:01`.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    message: Message<'a>,
    hop_limit: u8,
    request: Option<u64>,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message;
        match message.message_type.name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "Unknown ({})", message.message_type.0)?,
        }
        if let Some(codes) = message.message_type.codes() {
            match codes.get(usize::from(message.code)) {
                Some(name) => write!(f, " ({name})")?,
                None if message.message_type == MessageType::UNREACHABLE => f.write_str(" (Unknown)")?,
                None => write!(f, " (Unknown ({}))", message.code)?,
            }
        }
        match message.body {
            Some(Body::Echo(echo)) => {
                let (identifier, sequence) = (echo.identifier, echo.sequence);
                write!(f, " id=0x{identifier:04x}, seq={sequence}, hop limit={}", self.hop_limit)?;
                if let Some(request) = self.request {
                    write!(f, " (request in {request})")?;
                }
            }
            Some(Body::Solicitation { target }) => write!(f, " for {target}")?,
            Some(Body::Advertisement { target, flags }) => write!(f, " {target} ({})", flag_names(flags))?,
            Some(Body::Other) | None => {}
        }
        for LinkLayerAddress { target, address } in message.link_layer_addresses() {
            f.write_str(if target && address.len() == 6 { " is at " } else { " from " })?;
            for (i, octet) in address.iter().enumerate() {
                write!(f, "{}{octet:02x}", if i > 0 { ":" } else { "" })?;
            }
        }
        if message.short {
            f.write_str("[Malformed Packet]")?;
        }
        Ok(())
    }
}

/// Walks options: kind, length in units of eight octets, body (RFC 4861 §4.6). A length of nought ends
/// the walk; an option that runs past the end does too, and is told.
struct Options<'a> {
    rest: &'a [u8],
    short: bool,
}

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut cursor = Cursor::new(self.rest);
        self.rest = &[];
        if cursor.is_empty() {
            return None;
        }
        let kind = cursor.u8()?;
        let Some(units) = cursor.u8() else {
            self.short = true;
            return None;
        };
        let body_len = (usize::from(units) * 8).checked_sub(2)?;
        let Some(body) = cursor.take(body_len) else {
            self.short = true;
            return None;
        };
        self.rest = cursor.rest();
        Some((kind, body))
    }
}

fn parse_body(message_type: MessageType, checksum: u16, cursor: &mut Cursor<'_>) -> Option<Body> {
    Some(match message_type {
        MessageType::ECHO_REQUEST | MessageType::ECHO_REPLY => Body::Echo(Echo {
            reply: message_type == MessageType::ECHO_REPLY,
            identifier: cursor.u16()?,
            sequence: cursor.u16()?,
            checksum,
        }),
        MessageType::NEIGHBOR_SOLICITATION => {
            cursor.take(4)?;
            Body::Solicitation { target: address(cursor)? }
        }
        MessageType::NEIGHBOR_ADVERTISEMENT => {
            let flags = cursor.u32()? >> 24;
            Body::Advertisement { target: address(cursor)?, flags: flags as u8 }
        }
        MessageType::LISTENER_REPORT_V2 => {
            cursor.take(2)?;
            for _ in 0..cursor.u16()? {
                if cursor.is_empty() {
                    break;
                }
                let auxiliary = cursor.u16()? & 0xff;
                let sources = cursor.u16()?;
                cursor.take(16 * (1 + usize::from(sources)) + 4 * usize::from(auxiliary))?;
            }
            Body::Other
        }
        other => {
            let fixed = match other.0 {
                1..=4 | 133 | 141 | 142 => 4,
                130..=132 => 20,
                134 => 12,
                137 => 36,
                _ => 0,
            };
            cursor.take(fixed)?;
            Body::Other
        }
    })
}

fn address(cursor: &mut Cursor<'_>) -> Option<Ipv6Addr> {
    let octets: [u8; 16] = cursor.take(16)?.try_into().ok()?;
    Some(Ipv6Addr::from(octets))
}

fn flag_names(flags: u8) -> &'static str {
    match flags >> 5 {
        0 => "none",
        1 => "ovr",
        2 => "sol",
        3 => "sol, ovr",
        4 => "rtr",
        5 => "rtr, ovr",
        6 => "rtr, sol",
        _ => "rtr, sol, ovr",
    }
}

/// Codes of destination unreachable (RFC 4443 §3.1, RFC 6550 §20.18, RFC 8883).
const UNREACHABLE_CODES: [&str; 8] = [
    "no route to destination",
    "Administratively prohibited",
    "Beyond scope of source address",
    "Address unreachable",
    "Port unreachable",
    "Source address failed ingress/egress policy",
    "Reject route to destination",
    "Error in Source Routing Header",
];

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    const TARGET_ADDRESS: [u8; 8] = [2, 1, 2, 0, 0, 0, 0, 1];
    const SOURCE_ADDRESS: [u8; 8] = [1, 1, 2, 0, 0, 0, 0, 1];

    fn line(message: &[u8]) -> String {
        Message::parse(message).unwrap().line(255, None).to_string()
    }

    fn neighbor(kind: u8, flags: u8, options: &[u8]) -> Vec<u8> {
        [&[kind, 0, 0, 0, flags, 0, 0, 0], &TARGET[..], options].concat()
    }

    #[test]
    fn an_echo_shows_its_numbers() {
        assert_eq!(line(&[128, 0, 0, 0, 0, 7, 0, 9]), "Echo (ping) request id=0x0007, seq=9, hop limit=255");
        let reply = Message::parse(&[129, 0, 0, 0, 0, 7, 0, 9]).unwrap();
        assert_eq!(
            reply.line(64, Some(3)).to_string(),
            "Echo (ping) reply id=0x0007, seq=9, hop limit=64 (request in 3)"
        );
    }

    #[test]
    fn neighbour_discovery_shows_who_asks_and_who_answers() {
        assert_eq!(line(&neighbor(135, 0, &[])), "Neighbor Solicitation for 2001:db8::9");
        assert_eq!(
            line(&neighbor(135, 0, &SOURCE_ADDRESS)),
            "Neighbor Solicitation for 2001:db8::9 from 02:00:00:00:00:01"
        );
        assert_eq!(
            line(&neighbor(136, 0xe0, &TARGET_ADDRESS)),
            "Neighbor Advertisement 2001:db8::9 (rtr, sol, ovr) is at 02:00:00:00:00:01"
        );
        assert_eq!(
            line(&[&[133, 0, 0, 0, 0, 0, 0, 0], &SOURCE_ADDRESS[..]].concat()),
            "Router Solicitation from 02:00:00:00:00:01"
        );
    }

    #[test]
    fn a_message_cut_anywhere_keeps_what_was_understood() {
        let whole = neighbor(136, 0x60, &TARGET_ADDRESS);
        assert_eq!(Message::parse(&whole[..3]), None);
        assert_eq!(line(&whole[..23]), "Neighbor Advertisement[Malformed Packet]");
        assert_eq!(line(&whole[..24]), "Neighbor Advertisement 2001:db8::9 (sol, ovr)");
        for end in 25..whole.len() {
            assert_eq!(line(&whole[..end]), "Neighbor Advertisement 2001:db8::9 (sol, ovr)[Malformed Packet]");
        }
        assert_eq!(line(&neighbor(136, 0, &[2, 0, 2])), "Neighbor Advertisement 2001:db8::9 (none)");
    }

    #[test]
    fn a_listener_report_with_a_record_that_is_cut_is_short() {
        let report = [&[143, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0], &TARGET[..]].concat();
        assert_eq!(line(&report), "Multicast Listener Report Message v2");
        assert_eq!(line(&report[..27]), "Multicast Listener Report Message v2[Malformed Packet]");
    }

    #[test]
    fn codes_and_unknown_types_are_named() {
        assert_eq!(line(&[1, 4, 0, 0, 0, 0, 0, 0]), "Destination Unreachable (Port unreachable)");
        assert_eq!(line(&[3, 9, 0, 0, 0, 0, 0, 0]), "Time Exceeded (Unknown (9))");
        assert_eq!(line(&[254, 0, 0, 0]), "Unknown (254)");
    }
}
