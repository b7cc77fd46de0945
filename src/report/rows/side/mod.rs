//! Rows of the packet list for what is beside the mail: name look-ups, neighbours, errors and log-ins.
//!
//! Each function writes the Info column and returns the Protocol column, in the words of Wireshark 4.0.
//! They take slices and plain numbers; what depends on earlier packets is in [`Memory`], and an SSH
//! connection's state in [`crate::ssh::Connection`].

mod dns;
mod ip;
mod mailbox;
mod ssh;
mod text;

use std::fmt::{self, Write as _};
use std::net::IpAddr;

pub use ip::{UdpHeader, fragment_v4, fragment_v6, other_v4, other_v6, protocol_name};
pub use mailbox::{Imap, Pop, Row, Side, fuzz_mailbox};
pub use ssh::row as ssh;
pub use text::push_text;

use crate::{arp, dhcp, icmp, nbns};

/// What rows need to know of earlier packets. One for the whole capture, fed with every packet in order.
#[derive(Debug, Default)]
pub struct Memory {
    echoes: icmp::Echoes,
    owners: arp::Owners,
}

/// What the IP header around a message says.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// The packet's number in the capture.
    pub number: u64,
    /// Who sends.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// Time to live, or hop limit.
    pub time_to_live: u8,
    /// The capture holds less of the packet than was on the wire.
    pub cut: bool,
}

/// The protocols that share the format of DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// DNS (RFC 1035).
    Dns,
    /// Multicast DNS (RFC 6762).
    Mdns,
    /// Link-local multicast name resolution (RFC 4795).
    Llmnr,
}

impl Memory {
    /// At the start of a capture.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    /// The row of an ARP message. The address columns show the frame's hardware addresses.
    pub fn arp(&mut self, message: &[u8], cut: bool, out: &mut String) -> &'static str {
        let Some(message) = arp::Message::parse(message) else {
            out.push_str(end_tag(cut));
            return "ARP";
        };
        let _ = write!(out, "{message}");
        if let Some(address) = self.owners.learn(&message) {
            let _ = write!(out, " (duplicate use of {address} detected!)");
        }
        if cut {
            // What is missing is the padding, which tells nothing; but it is missing.
            out.push_str(CUT);
        }
        message.protocol()
    }

    /// The row of an ICMP message.
    pub fn icmp_v4(&mut self, around: &Around, message: &[u8], out: &mut String) -> &'static str {
        match icmp::v4::Message::parse(message) {
            Some(parsed) => {
                let request = self.answered(around, parsed.echo());
                let _ = write!(out, "{}", parsed.line(around.time_to_live, request));
            }
            None => out.push_str(MALFORMED),
        }
        quoted(around.cut, message, QUOTING_V4, out);
        retag(around.cut, out);
        "ICMP"
    }

    /// The row of an ICMPv6 message.
    pub fn icmp_v6(&mut self, around: &Around, message: &[u8], out: &mut String) -> &'static str {
        match icmp::v6::Message::parse(message) {
            Some(parsed) => {
                let request = self.answered(around, parsed.echo());
                let _ = write!(out, "{}", parsed.line(around.time_to_live, request));
            }
            None => out.push_str(MALFORMED),
        }
        quoted(around.cut, message, QUOTING_V6, out);
        retag(around.cut, out);
        "ICMPv6"
    }

    fn answered(&mut self, around: &Around, echo: Option<icmp::Echo>) -> Option<u64> {
        self.echoes.answer(around.number, around.source, around.destination, echo?)
    }
}

/// The row of a UDP datagram; `payload` as far as captured, `cut` where that is not all.
pub fn udp(header: &UdpHeader, payload: &[u8], cut: bool, out: &mut String) -> &'static str {
    let ports = [header.source_port.min(header.destination_port), header.source_port.max(header.destination_port)];
    let protocol = ports.into_iter().find_map(|port| {
        Some(match port {
            53 => "DNS",
            67 | 68 => "DHCP",
            137 => "NBNS",
            546 | 547 => "DHCPv6",
            5353 => "MDNS",
            5355 => "LLMNR",
            _ => return None,
        })
    });
    let protocol = match protocol {
        Some(protocol) if header.length > 8 && !payload.is_empty() => protocol,
        _ => return ip::udp(header, out),
    };
    match protocol {
        "DHCP" => line(dhcp::v4::Message::parse(payload), out),
        "DHCPv6" => line(dhcp::v6::Message::parse(payload), out),
        "NBNS" => line(nbns::Message::parse(payload), out),
        "MDNS" => dns::message(payload, Kind::Mdns, out),
        "LLMNR" => dns::message(payload, Kind::Llmnr, out),
        _ => dns::message(payload, Kind::Dns, out),
    }
    retag(cut, out);
    protocol
}

/// A message as it prints itself, if it could be read.
fn line(message: Option<impl fmt::Display>, out: &mut String) {
    match message {
        Some(message) => {
            let _ = write!(out, "{message}");
        }
        None => out.push_str(MALFORMED),
    }
}

/// The row of a DNS message that came over TCP, the length before it left out.
pub fn dns_over_tcp(message: &[u8], out: &mut String) -> &'static str {
    dns::message(message, Kind::Dns, out);
    "DNS"
}

/// Fuzz body: the first octet picks the decoder; whatever the rest is, a row is written that holds no
/// control character.
pub fn fuzz_side(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let mut out = String::new();
    let mut memory = Memory::new();
    let address = IpAddr::from([192, 0, 2, 1]);
    let around = Around { number: 1, source: address, destination: address, time_to_live: 64, cut: choice & 8 != 0 };
    let port = [53, 137, 5353, 67, 547, 68, 546, 5355][usize::from(choice >> 4 & 7)];
    let header = UdpHeader { source_port: port, destination_port: 5000, length: 9, checksum: 0, room: None, v6: false };
    match choice & 7 {
        0 => memory.arp(rest, around.cut, &mut out),
        1 => memory.icmp_v4(&around, rest, &mut out),
        2 => memory.icmp_v6(&around, rest, &mut out),
        3 => ssh(&mut crate::ssh::Connection::new(), crate::ssh::Sender::Client, rest, &mut out).unwrap_or("TCP"),
        4 => dns_over_tcp(rest, &mut out),
        _ => udp(&header, rest, around.cut, &mut out),
    };
    assert!(!out.chars().any(char::is_control), "{out:?}");
}

/// Where a decoder ended early because the capture has no more of the packet, the row says that.
fn retag(cut: bool, out: &mut String) {
    if cut && out.ends_with(MALFORMED) {
        out.truncate(out.len() - MALFORMED.len());
        out.push_str(CUT);
    }
}

/// An error message quotes the packet that it is about (RFC 792, RFC 4443 §3): where the capture cuts
/// the headers quoted, the row says that.
fn quoted(cut: bool, message: &[u8], quoting: &[u8], out: &mut String) {
    if !cut || message.len() < ICMP_HEADER || !quoting.contains(&message[0]) || out.ends_with(MALFORMED) {
        return;
    }
    let quote = &message[ICMP_HEADER..];
    let (ip_header, protocol) = match quote.first().map(|first| first >> 4) {
        Some(4) => (usize::from(quote[0] & 0xf) * 4, quote.get(9)),
        _ => (40, quote.get(6)),
    };
    let transport = if protocol == Some(&TCP) { 20 } else { 8 };
    if quote.len() < ip_header + transport {
        out.push_str(CUT);
    }
}

fn end_tag(cut: bool) -> &'static str {
    if cut { CUT } else { MALFORMED }
}

/// Types of ICMP and of ICMPv6 that quote a packet after eight octets.
const QUOTING_V4: &[u8] = &[3, 4, 5, 11, 12];
const QUOTING_V6: &[u8] = &[1, 2, 3, 4];
const ICMP_HEADER: usize = 8;
const TCP: u8 = 6;
const MALFORMED: &str = "[Malformed Packet]";
const CUT: &str = "[Packet size limited during capture]";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::tests::RESPONSE;

    fn header(port: u16) -> UdpHeader {
        UdpHeader { source_port: port, destination_port: 5000, length: 100, checksum: 0, room: None, v6: false }
    }

    #[test]
    fn a_port_decides_what_a_datagram_is() {
        let protocol = |port| udp(&header(port), RESPONSE, false, &mut String::new());
        assert_eq!(
            [53, 5353, 5355, 137, 67, 547, 9].map(protocol),
            ["DNS", "MDNS", "LLMNR", "NBNS", "DHCP", "DHCPv6", "UDP"]
        );
        let mut out = String::new();
        assert_eq!(udp(&UdpHeader { length: 8, ..header(53) }, &[], false, &mut out), "UDP");
        assert_eq!(out, "53 → 5000 Len=0");
    }

    #[test]
    fn a_cut_capture_is_not_blamed_on_the_sender() {
        let mut out = String::new();
        udp(&header(53), &RESPONSE[..20], true, &mut out);
        assert_eq!(out, "Standard query response 0x1234[Packet size limited during capture]");
    }

    #[test]
    fn a_quoted_header_that_the_capture_cuts_is_told() {
        let quote = [&[3, 3, 0, 0, 0, 0, 0, 0, 0x45][..], &[0; 27]].concat();
        let address = IpAddr::from([192, 0, 2, 1]);
        let row = |octets: &[u8], cut| {
            let around = Around { number: 1, source: address, destination: address, time_to_live: 64, cut };
            let mut out = String::new();
            Memory::new().icmp_v4(&around, octets, &mut out);
            out
        };
        assert_eq!(row(&quote, true), "Destination unreachable (Port unreachable)");
        assert_eq!(row(&quote[..30], false), "Destination unreachable (Port unreachable)");
        assert!(row(&quote[..30], true).ends_with("unreachable)[Packet size limited during capture]"));
    }

    #[test]
    fn a_reply_names_its_request() {
        let mut memory = Memory::new();
        let (a, b) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut row = |number, source, destination, message: &[u8]| {
            let around = Around { number, source, destination, time_to_live: 64, cut: false };
            let mut out = String::new();
            memory.icmp_v4(&around, message, &mut out);
            out
        };
        row(4, a, b, &[8, 0, 0xf7, 0xf7, 0, 1, 0, 7]);
        assert!(row(6, b, a, &[0, 0, 0xff, 0xf7, 0, 1, 0, 7]).ends_with("ttl=64 (request in 4)"));
    }

    #[test]
    fn exercise_fuzz_side() {
        let mut state = 0x0dd_ba11_u32;
        for round in 0..6000_usize {
            let mut mutated = [&[round as u8], &RESPONSE[..RESPONSE.len() - round % 11]].concat();
            for _ in 0..round % 9 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let at = 1 + state as usize % (mutated.len() - 1);
                mutated[at] = (state >> 16) as u8;
            }
            fuzz_side(&mutated);
        }
    }
}
