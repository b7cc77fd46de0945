//! ICMP for IPv4 (RFC 792, RFC 950, RFC 1256, RFC 8335).

use std::fmt;

use super::Echo;
use crate::bytes::Cursor;

/// One ICMP message, as far as its first eight octets and its size tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// What kind of message it is.
    pub message_type: MessageType,
    /// Says more within a type.
    pub code: u8,
    /// As stated.
    pub checksum: u16,
    /// The identifier and the sequence number, where the type has them.
    pub query: Option<Query>,
    /// The message is shorter than its type needs.
    pub short: bool,
}

/// The two numbers that pair a query with its reply (RFC 792).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// Tells the senders on one host apart.
    pub identifier: u16,
    /// Counts the queries of a sender.
    pub sequence: u16,
}

/// The type of an ICMP message (IANA: ICMP Type Numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageType(pub u8);

impl Message {
    /// Decodes a message, its header included. `None`: not even a header of eight octets.
    #[must_use]
    pub fn parse(message: &[u8]) -> Option<Message> {
        let mut cursor = Cursor::new(message);
        let message_type = MessageType(cursor.u8()?);
        let code = cursor.u8()?;
        let checksum = cursor.u16()?;
        let query = Query { identifier: cursor.u16()?, sequence: cursor.u16()? };
        let needed = match message_type {
            MessageType::TIMESTAMP_REQUEST | MessageType::TIMESTAMP_REPLY => 20,
            MessageType::ADDRESS_MASK_REQUEST | MessageType::ADDRESS_MASK_REPLY => 12,
            _ => 8,
        };
        Some(Message {
            message_type,
            code,
            checksum,
            query: message_type.is_query().then_some(query),
            short: message.len() < needed,
        })
    }

    /// The echo request or reply that this is.
    #[must_use]
    pub fn echo(&self) -> Option<Echo> {
        let reply = match self.message_type {
            MessageType::ECHO_REPLY => true,
            MessageType::ECHO_REQUEST => false,
            _ => return None,
        };
        let Query { identifier, sequence } = self.query?;
        Some(Echo { reply, identifier, sequence, checksum: self.checksum })
    }

    /// One line; `time_to_live` is that of the packet, `request` the packet number of the request that
    /// this replies to.
    #[must_use]
    pub fn line(&self, time_to_live: u8, request: Option<u64>) -> Line {
        Line { message: *self, time_to_live, request }
    }
}

impl MessageType {
    /// Echo reply (RFC 792).
    pub const ECHO_REPLY: MessageType = MessageType(0);
    /// Destination unreachable (RFC 792).
    pub const UNREACHABLE: MessageType = MessageType(3);
    /// Redirect (RFC 792).
    pub const REDIRECT: MessageType = MessageType(5);
    /// Echo request (RFC 792).
    pub const ECHO_REQUEST: MessageType = MessageType(8);
    /// Time exceeded (RFC 792).
    pub const TIME_EXCEEDED: MessageType = MessageType(11);
    /// Timestamp (RFC 792).
    pub const TIMESTAMP_REQUEST: MessageType = MessageType(13);
    /// Timestamp reply (RFC 792).
    pub const TIMESTAMP_REPLY: MessageType = MessageType(14);
    /// Address mask request (RFC 950).
    pub const ADDRESS_MASK_REQUEST: MessageType = MessageType(17);
    /// Address mask reply (RFC 950).
    pub const ADDRESS_MASK_REPLY: MessageType = MessageType(18);

    /// Whether messages of this type carry an identifier and a sequence number in octets 4 to 7.
    #[must_use]
    pub fn is_query(self) -> bool {
        matches!(self.0, 0 | 8 | 13..=18)
    }

    /// The name; unassigned ones share one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "Echo (ping) reply",
            1 | 2 => "Reserved",
            3 => "Destination unreachable",
            4 => "Source quench (flow control)",
            5 => "Redirect",
            6 => "Alternate host address",
            8 => "Echo (ping) request",
            9 => "Router advertisement",
            10 => "Router solicitation",
            11 => "Time-to-live exceeded",
            12 => "Parameter problem",
            13 => "Timestamp request",
            14 => "Timestamp reply",
            15 => "Information request",
            16 => "Information reply",
            17 => "Address mask request",
            18 => "Address mask reply",
            19 => "Reserved (for security)",
            30 => "Traceroute",
            31 => "Datagram Conversion Error",
            32 => "Mobile Host Redirect",
            33 => "IPv6 Where-Are-You",
            34 => "IPv6 I-Am-Here",
            35 => "Mobile Registration Request",
            36 => "Mobile Registration Reply",
            37 => "Domain Name Request",
            38 => "Domain Name Reply",
            39 => "SKIP",
            40 => "Photuris",
            41 => "Experimental mobility protocols",
            42 => "Extended Echo request",
            43 => "Extended Echo reply",
            _ => "Unknown ICMP (obsolete or malformed?)",
        }
    }

    /// The names of its codes, from code 0; `None` for a type whose code says nothing.
    fn codes(self) -> Option<&'static [&'static str]> {
        Some(match self.0 {
            3 => &UNREACHABLE_CODES,
            5 => &[
                "Redirect for network",
                "Redirect for host",
                "Redirect for TOS and network",
                "Redirect for TOS and host",
            ],
            6 => &["Alternate address for host"],
            9 => &["Normal router advertisement"],
            11 => &["Time to live exceeded in transit", "Fragment reassembly time exceeded"],
            12 => &["Pointer indicates the error", "Required option missing", "Bad length"],
            40 => &[
                "Bad SPI",
                "Authentication Failed",
                "Decompression Failed",
                "Decryption Failed",
                "Need Authentication",
                "Need Authorization",
            ],
            42 => &["No error"],
            43 => &[
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

/// A [`Message`] in one line: `Echo (ping) request  id=0x0001, seq=7/1792, ttl=64`.
///
/// The sequence number is shown in both byte orders, because senders differ. The name is filled up to
/// twenty columns.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    message: Message,
    time_to_live: u8,
    request: Option<u64>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message;
        let name = match (message.message_type.0, message.code) {
            (9, 0 | NOT_A_ROUTER) => "Mobile IP Advertisement",
            _ => message.message_type.name(),
        };
        write!(f, "{name:<20}")?;
        if let Some(codes) = message.message_type.codes() {
            match codes.get(usize::from(message.code)) {
                None if (message.message_type.0, message.code) == (9, NOT_A_ROUTER) => {
                    f.write_str(" (Does not route common traffic)")?;
                }
                Some(name) => write!(f, " ({name})")?,
                None => write!(f, " (Unknown code: {})", message.code)?,
            }
        }
        if let Some(Query { identifier, sequence }) = message.query {
            let swapped = sequence.swap_bytes();
            write!(f, " id=0x{identifier:04x}, seq={sequence}/{swapped}, ttl={}", self.time_to_live)?;
        }
        if let Some(request) = self.request {
            write!(f, " (request in {request})")?;
        }
        if message.short {
            f.write_str("[Malformed Packet]")?;
        }
        Ok(())
    }
}

/// The code of a router advertisement of a mobility agent that routes for nobody else (RFC 5944 §2.1).
const NOT_A_ROUTER: u8 = 16;
/// Codes of destination unreachable (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1).
const UNREACHABLE_CODES: [&str; 16] = [
    "Network unreachable",
    "Host unreachable",
    "Protocol unreachable",
    "Port unreachable",
    "Fragmentation needed",
    "Source route failed",
    "Destination network unknown",
    "Destination host unknown",
    "Source host isolated",
    "Network administratively prohibited",
    "Host administratively prohibited",
    "Network unreachable for TOS",
    "Host unreachable for TOS",
    "Communication administratively filtered",
    "Host precedence violation",
    "Precedence cutoff in effect",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &[u8]) -> String {
        Message::parse(message).unwrap().line(64, None).to_string()
    }

    #[test]
    fn an_echo_shows_its_numbers() {
        let request = [8, 0, 0xf7, 0xf7, 0, 1, 0, 7];
        assert_eq!(line(&request), "Echo (ping) request  id=0x0001, seq=7/1792, ttl=64");
        let reply = Message::parse(&[0, 0, 0xff, 0xf7, 0, 1, 0, 7]).unwrap();
        assert_eq!(
            reply.line(63, Some(12)).to_string(),
            "Echo (ping) reply    id=0x0001, seq=7/1792, ttl=63 (request in 12)"
        );
        let expected = Echo { reply: true, identifier: 1, sequence: 7, checksum: 0xfff7 };
        assert_eq!(reply.echo(), Some(expected));
    }

    #[test]
    fn a_code_has_its_name_and_an_unknown_one_its_number() {
        assert_eq!(line(&[3, 4, 0, 0, 0, 0, 0, 0]), "Destination unreachable (Fragmentation needed)");
        assert_eq!(line(&[3, 16, 0, 0, 0, 0, 0, 0]), "Destination unreachable (Unknown code: 16)");
        assert_eq!(line(&[5, 1, 0, 0, 0, 0, 0, 0]), "Redirect             (Redirect for host)");
        assert_eq!(line(&[9, 16, 0, 0, 0, 0, 0, 0]), "Mobile IP Advertisement (Does not route common traffic)");
        assert_eq!(line(&[77, 1, 0, 0, 0, 0, 0, 0]), "Unknown ICMP (obsolete or malformed?)");
    }

    #[test]
    fn a_header_that_is_cut_is_no_message() {
        let request = [13, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for end in 0..8 {
            assert_eq!(Message::parse(&request[..end]), None);
        }
        for end in 8..20 {
            assert!(line(&request[..end]).ends_with("[Malformed Packet]"));
        }
        assert_eq!(line(&request), "Timestamp request    id=0x0001, seq=1/256, ttl=64");
    }
}
