//! ARP (RFC 826), with its announcements and probes (RFC 5227) and RARP (RFC 903).

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::Ipv4Addr;

use crate::bytes::Cursor;
use crate::limits;

/// One ARP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The kind of hardware address: 1 is Ethernet.
    pub hardware_type: u16,
    /// The kind of protocol address, as an EtherType: 0x0800 is IPv4.
    pub protocol_type: u16,
    /// What is asked or told.
    pub operation: Operation,
    /// The sender's hardware address.
    pub sender_hardware: &'a [u8],
    /// The sender's protocol address.
    pub sender_protocol: &'a [u8],
    /// The target's hardware address; zeros where it is asked for.
    pub target_hardware: &'a [u8],
    /// The target's protocol address.
    pub target_protocol: &'a [u8],
}

/// What an ARP message asks or tells (IANA: ARP Operation Codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation(pub u16);

impl<'a> Message<'a> {
    /// Decodes a message; what follows its four addresses (padding) is left out. `None`: cut short.
    #[must_use]
    pub fn parse(message: &'a [u8]) -> Option<Message<'a>> {
        let mut cursor = Cursor::new(message);
        let hardware_type = cursor.u16()?;
        let protocol_type = cursor.u16()?;
        let hardware_len = usize::from(cursor.u8()?);
        let protocol_len = usize::from(cursor.u8()?);
        Some(Message {
            hardware_type,
            protocol_type,
            operation: Operation(cursor.u16()?),
            sender_hardware: cursor.take(hardware_len)?,
            sender_protocol: cursor.take(protocol_len)?,
            target_hardware: cursor.take(hardware_len)?,
            target_protocol: cursor.take(protocol_len)?,
        })
    }

    /// Sender and target are the same address: told to all, asked by nobody.
    #[must_use]
    pub fn is_gratuitous(&self) -> bool {
        matches!(self.operation, Operation::REQUEST | Operation::REPLY) && self.sender_protocol == self.target_protocol
    }

    /// A gratuitous request as RFC 5227 §2.3 has it: the sender takes the address.
    #[must_use]
    pub fn is_announcement(&self) -> bool {
        self.operation == Operation::REQUEST && self.is_gratuitous() && is_zero(self.target_hardware)
    }

    /// Whether an address is free to take (RFC 5227 §2.1.1).
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.operation == Operation::REQUEST
            && is_zero(self.sender_protocol)
            && is_zero(self.target_hardware)
            && !self.is_gratuitous()
    }

    /// The protocol that the operation belongs to: ARP, RARP and their kin share one format.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        match self.operation.0 {
            3 | 4 => "RARP",
            5..=7 => "DRARP",
            8 | 9 => "Inverse ARP",
            11..=22 => "MARS",
            23 => "MAPOS",
            _ => "ARP",
        }
    }
}

impl Operation {
    /// Who has this protocol address?
    pub const REQUEST: Operation = Operation(1);
    /// The sender has it.
    pub const REPLY: Operation = Operation(2);
    /// Who is this hardware address (RFC 903)?
    pub const REVERSE_REQUEST: Operation = Operation(3);
    /// The target is it (RFC 903).
    pub const REVERSE_REPLY: Operation = Operation(4);
}

/// One line: `Who has 192.0.2.2? Tell 192.0.2.1`.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sender_hardware = Hardware(self.sender_hardware);
        let sender = Protocol(self.protocol_type, self.sender_protocol);
        let target_hardware = Hardware(self.target_hardware);
        let target = Protocol(self.protocol_type, self.target_protocol);
        match self.operation.0 {
            1 if self.is_announcement() => write!(f, "ARP Announcement for {target}"),
            1 if self.is_gratuitous() => write!(f, "Gratuitous ARP for {target} (Request)"),
            1 if self.is_probe() => write!(f, "Who has {target}? (ARP Probe)"),
            1 => write!(f, "Who has {target}? Tell {sender}"),
            2 if self.is_gratuitous() => write!(f, "Gratuitous ARP for {sender} (Reply)"),
            2 => write!(f, "{sender} is at {sender_hardware}"),
            3 | 5 | 8 => write!(f, "Who is {target_hardware}? Tell {sender_hardware}"),
            4 | 6 => write!(f, "{target_hardware} is at {target}"),
            7 => f.write_str("DRARP Error"),
            9 => write!(f, "{sender_hardware} is at {sender}"),
            10 => f.write_str("ARP NAK"),
            operation @ 11..=23 => {
                let name = MULTICAST_NAMES[usize::from(operation - 11)];
                write!(f, "{name} from {sender_hardware} at {sender}")
            }
            operation @ (24 | 25) => write!(f, "Experimental {} ( opcode {operation} )", operation - 23),
            operation @ (0 | 0xffff) => write!(f, "Reserved opcode {operation}"),
            operation => write!(f, "Unknown ARP opcode 0x{operation:04x}"),
        }
    }
}

/// Which hardware address each IPv4 address was first told to belong to. Bounded by
/// [`limits::ARP_OWNERS`]; the oldest goes first.
#[derive(Debug, Default)]
pub struct Owners {
    known: HashMap<Ipv4Addr, [u8; 6]>,
    order: VecDeque<Ipv4Addr>,
}

impl Owners {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Owners {
        Owners::default()
    }

    /// Learns from a message. An address that the message gives to another owner than the known one is
    /// returned; where both the sender's and the target's differ, the target's.
    pub fn learn(&mut self, message: &Message<'_>) -> Option<Ipv4Addr> {
        let sender = owner(message.sender_hardware, message.sender_protocol);
        let target = owner(message.target_hardware, message.target_protocol);
        let of_sender = sender.and_then(|(hardware, ip)| self.check(hardware, ip));
        if message.operation == Operation::REQUEST || message.is_gratuitous() {
            return of_sender;
        }
        target.and_then(|(hardware, ip)| self.check(hardware, ip)).or(of_sender)
    }

    fn check(&mut self, hardware: [u8; 6], ip: Ipv4Addr) -> Option<Ipv4Addr> {
        if let Some(known) = self.known.get(&ip) {
            return (*known != hardware).then_some(ip);
        }
        if self.order.len() >= limits::ARP_OWNERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(ip, hardware);
        self.order.push_back(ip);
        None
    }
}

/// Fuzz body: decodes, prints and learns; nothing may panic.
pub fn fuzz_arp(data: &[u8]) {
    let mut owners = Owners::new();
    if let Some(message) = Message::parse(data) {
        let _ = message.to_string();
        let _ = owners.learn(&message);
    }
}

/// A hardware address and an IPv4 address that can own each other: neither a group nor zeros.
fn owner(hardware: &[u8], protocol: &[u8]) -> Option<([u8; 6], Ipv4Addr)> {
    let hardware: [u8; 6] = hardware.try_into().ok()?;
    let protocol: [u8; 4] = protocol.try_into().ok()?;
    let group = hardware[0] & 1 != 0;
    (!group && !is_zero(&hardware) && !is_zero(&protocol)).then(|| (hardware, Ipv4Addr::from(protocol)))
}

fn is_zero(octets: &[u8]) -> bool {
    octets.iter().all(|octet| *octet == 0)
}

struct Hardware<'a>(&'a [u8]);

impl fmt::Display for Hardware<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("<No address>");
        }
        for (i, octet) in self.0.iter().enumerate() {
            write!(f, "{}{octet:02x}", if i > 0 { ":" } else { "" })?;
        }
        Ok(())
    }
}

/// An IPv4 address in its dotted form; any other protocol's as its octets.
struct Protocol<'a>(u16, &'a [u8]);

impl fmt::Display for Protocol<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, <[u8; 4]>::try_from(self.1)) {
            (0x0800, Ok(octets)) => write!(f, "{}", Ipv4Addr::from(octets)),
            _ if self.1.is_empty() => f.write_str("<No address>"),
            _ => self.1.iter().try_for_each(|octet| write!(f, "{octet:02x}")),
        }
    }
}

/// Operations 11 to 23 (RFC 2022 §4.3, RFC 2176).
const MULTICAST_NAMES: [&str; 13] = [
    "MARS request",
    "MARS MULTI request",
    "MARS MSERV request",
    "MARS JOIN request",
    "MARS LEAVE",
    "MARS NAK",
    "MARS UNSERV request",
    "MARS SJOIN request",
    "MARS SLEAVE",
    "MARS grouplist request",
    "MARS grouplist reply",
    "MARS redirect map",
    "MAPOS UNARP request",
];

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: [u8; 6] = [0; 6];
    const ONE: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const TWO: [u8; 6] = [2, 0, 0, 0, 0, 2];

    fn message(operation: u8, sender: ([u8; 6], u8), target: ([u8; 6], u8)) -> Vec<u8> {
        let ip = |last: u8| if last == 0 { [0, 0, 0, 0] } else { [192, 0, 2, last] };
        let head = [0, 1, 8, 0, 6, 4, 0, operation];
        [&head[..], &sender.0, &ip(sender.1), &target.0, &ip(target.1), &[0; 18]].concat()
    }

    fn line(octets: &[u8]) -> String {
        Message::parse(octets).unwrap().to_string()
    }

    #[test]
    fn a_request_and_its_reply_say_who_asks_and_who_answers() {
        assert_eq!(line(&message(1, (ONE, 1), (ZERO, 2))), "Who has 192.0.2.2? Tell 192.0.2.1");
        assert_eq!(line(&message(2, (TWO, 2), (ONE, 1))), "192.0.2.2 is at 02:00:00:00:00:02");
    }

    #[test]
    fn probes_and_announcements_are_told_apart() {
        assert_eq!(line(&message(1, (ONE, 0), (ZERO, 9))), "Who has 192.0.2.9? (ARP Probe)");
        assert_eq!(line(&message(1, (ONE, 1), (ZERO, 1))), "ARP Announcement for 192.0.2.1");
        assert_eq!(line(&message(1, (ONE, 1), ([255; 6], 1))), "Gratuitous ARP for 192.0.2.1 (Request)");
        assert_eq!(line(&message(2, (ONE, 1), (ONE, 1))), "Gratuitous ARP for 192.0.2.1 (Reply)");
        assert_eq!(line(&message(1, (ONE, 0), (TWO, 9))), "Who has 192.0.2.9? Tell 0.0.0.0");
    }

    #[test]
    fn a_reverse_request_asks_for_a_hardware_address() {
        let octets = message(3, (ONE, 0), (TWO, 0));
        assert_eq!(line(&octets), "Who is 02:00:00:00:00:02? Tell 02:00:00:00:00:01");
        assert_eq!(Message::parse(&octets).unwrap().protocol(), "RARP");
        assert_eq!(line(&message(26, (ONE, 1), (TWO, 2))), "Unknown ARP opcode 0x001a");
    }

    #[test]
    fn a_second_owner_of_an_address_is_noticed() {
        let mut owners = Owners::new();
        let mut learn = |octets: &[u8]| owners.learn(&Message::parse(octets).unwrap());
        assert_eq!(learn(&message(1, (ONE, 1), (ZERO, 2))), None);
        assert_eq!(learn(&message(1, (TWO, 1), (ZERO, 2))), Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(learn(&message(2, (TWO, 2), (ONE, 1))), None);
        assert_eq!(learn(&message(2, (TWO, 2), (TWO, 1))), Some(Ipv4Addr::new(192, 0, 2, 1)));
    }

    #[test]
    fn a_message_that_is_cut_is_none() {
        let octets = message(1, (ONE, 1), (ZERO, 2));
        for end in 0..28 {
            assert_eq!(Message::parse(&octets[..end]), None);
        }
        assert!(Message::parse(&octets[..28]).is_some());
    }

    #[test]
    fn exercise_fuzz_arp() {
        let octets = message(1, (ONE, 1), (ZERO, 2));
        let mut state = 0x9e37_79b9_u32;
        for round in 0..2000 {
            let mut mutated = octets[..round % (octets.len() + 1)].to_vec();
            for _ in 0..3 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                if let Some(octet) = mutated.get_mut(state as usize % 40) {
                    *octet = (state >> 8) as u8;
                }
            }
            fuzz_arp(&mutated);
        }
    }
}
