//! Rows of what ends at IP: fragments, protocols that nothing here decodes, and plain UDP.

use std::fmt::Write as _;

/// A fragment of an IPv4 datagram that is not (yet) whole; `offset` in octets.
pub fn fragment_v4(protocol: u8, offset: u32, identification: u32, out: &mut String) -> &'static str {
    let name = protocol_name(protocol);
    let _ = write!(out, "Fragmented IP protocol (proto={name} {protocol}, off={offset}, ID={identification:04x})");
    "IPv4"
}

/// A fragment of an IPv6 datagram that is not (yet) whole; `offset` in octets, `more` to follow.
pub fn fragment_v6(protocol: u8, offset: u32, more: bool, identification: u32, out: &mut String) -> &'static str {
    let more = if more { 'y' } else { 'n' };
    let _ = write!(out, "IPv6 fragment (off={offset} more={more} ident=0x{identification:08x} nxt={protocol})");
    "IPv6"
}

/// IPv4 that carries a protocol that is not decoded.
pub fn other_v4(protocol: u8, out: &mut String) -> &'static str {
    let _ = write!(out, "{} ({protocol})", protocol_name(protocol));
    "IPv4"
}

/// IPv6 that carries a protocol that is not decoded, or nothing.
pub fn other_v6(protocol: u8, out: &mut String) -> &'static str {
    if protocol == NO_NEXT_HEADER {
        out.push_str("IPv6 no next header");
    } else {
        let _ = write!(out, "Unknown IP Protocol: {} ({protocol})", protocol_name(protocol));
    }
    "IPv6"
}

/// What a UDP header says, and how much room its IP header gives it.
#[derive(Clone, Copy, Debug)]
pub struct UdpHeader {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// Octets with the header, as the header states.
    pub length: u16,
    /// As the header states; 0 is none.
    pub checksum: u16,
    /// Octets with the header that the IP header leaves, where it is known.
    pub room: Option<u32>,
    /// The datagram travels in IPv6, where a checksum must be (RFC 8200 §8.1).
    pub v6: bool,
}

/// UDP of a protocol that is not decoded: `58612 → 1900 Len=137`.
pub fn udp(header: &UdpHeader, out: &mut String) -> &'static str {
    let UdpHeader { source_port, destination_port, length, checksum, room, v6 } = *header;
    let _ = write!(out, "{source_port} → {destination_port}");
    if length < UDP_HEADER {
        let _ = write!(out, " [BAD UDP LENGTH {length} < {UDP_HEADER}]");
        return "UDP";
    }
    if room.is_some_and(|room| u32::from(length) > room) {
        let _ = write!(out, " [BAD UDP LENGTH {length} > IP PAYLOAD LENGTH]");
    }
    let _ = write!(out, " Len={}", length - UDP_HEADER);
    if v6 && checksum == 0 {
        out.push_str(" [ILLEGAL CHECKSUM (0)]");
    }
    "UDP"
}

/// The name of a protocol number (IANA: Assigned Internet Protocol Numbers).
#[must_use]
pub fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        173 => "AX/4000 Testframe",
        224 => "Novell NCS Heartbeat",
        225.. => "Unknown",
        _ => NAMES.get(usize::from(protocol)).copied().unwrap_or("Unassigned"),
    }
}

const UDP_HEADER: u16 = 8;
const NO_NEXT_HEADER: u8 = 59;
#[rustfmt::skip]
const NAMES: [&str; 144] = [
    "IPv6 Hop-by-Hop Option", "ICMP", "IGMP", "GGP", "IPIP", "Stream", "TCP", "CBT", "EGP", "IGRP", "BBN RCC",
    "Network Voice", "PUP", "ARGUS", "EMCON", "XNET", "CHAOS", "UDP", "Multiplex", "DCN Measurement",
    "Host Monitoring", "Packet radio", "IDP", "Trunk-1", "Trunk-2", "Leaf-1", "Leaf-2", "Reliable Data", "IRT",
    "ISO TP4", "Bulk Data", "MFE NSP", "Merit Internodal", "Datagram Congestion Control Protocol",
    "3rd Party Connect", "Inter-Domain Policy Routing Protocol", "XTP", "Datagram delivery", "Control Message",
    "TP++", "IL", "IPv6", "Source demand routing", "Routing Header for IPv6", "Fragment Header for IPv6",
    "Inter-Domain Routing Protocol", "Reservation Protocol", "Generic Routing Encapsulation",
    "Dynamic source routing", "BNA", "Encap Security Payload", "Authentication Header", "INSLP", "SWIPE",
    "NBMA ARP", "IP Mobility", "TLSP Kryptonet", "SKIP", "ICMPv6", "No Next Header for IPv6",
    "Destination Options for IPv6", "any host internal protocol", "Mobile IPv6 (old)", "any local network",
    "SATNET EXPAK", "Kryptolan", "Remote Virtual Disk", "IPPC", "any distributed file system", "SATNET Monitoring",
    "VISA", "IPCV", "CPNX", "CPHB", "Wang Span", "Packet Video", "Backroom SATNET Mon", "Sun ND Protocol",
    "Wideband Mon", "Wideband Expak", "ISO Internet Protocol", "VMTP", "Secure VMTP", "VINES", "TTP", "NSFNET IGP",
    "Dissimilar Gateway", "TCF", "EIGRP", "OSPF IGP", "Sprite RPC", "Locus ARP", "Multicast Transport",
    "AX.25 Frames", "IP in IP", "MICP", "Semaphore", "Ether in IP", "ENCAP", "any private encryption scheme",
    "GMTP", "Ipsilon Flow", "PNNI over IP", "PIM", "ARIS", "SCPS", "QNX", "Active Networks", "IPComp",
    "Sitara Networks", "Compaq Peer", "IPX IN IP", "VRRP", "PGM", "any 0-hop protocol", "Layer 2 Tunneling", "DDX",
    "IATP", "STP", "SpectraLink", "UTI", "SMP", "SM", "PTP", "ISIS over IP", "FIRE", "CRTP", "CRUDP", "SSCOPMCE",
    "IPLT", "Secure Packet", "PIPE", "SCTP", "Fibre Channel", "RSVP E2EI", "Mobile IPv6", "UDPLite", "MPLS in IP",
    "MANET", "HIP", "Shim6 header", "WESP", "ROHC", "Ethernet",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn row(write: impl FnOnce(&mut String) -> &'static str) -> (&'static str, String) {
        let mut out = String::new();
        (write(&mut out), out)
    }

    #[test]
    fn fragments_name_what_they_are_of() {
        assert_eq!(
            row(|out| fragment_v4(1, 1480, 0x1234, out)),
            ("IPv4", "Fragmented IP protocol (proto=ICMP 1, off=1480, ID=1234)".into())
        );
        assert_eq!(
            row(|out| fragment_v6(17, 8, false, 77, out)),
            ("IPv6", "IPv6 fragment (off=8 more=n ident=0x0000004d nxt=17)".into())
        );
    }

    #[test]
    fn what_is_not_decoded_has_its_name_and_number() {
        assert_eq!(row(|out| other_v4(99, out)).1, "any private encryption scheme (99)");
        assert_eq!(row(|out| other_v6(253, out)).1, "Unknown IP Protocol: Unknown (253)");
        assert_eq!(row(|out| other_v6(59, out)).1, "IPv6 no next header");
        assert_eq!([protocol_name(143), protocol_name(144)], ["Ethernet", "Unassigned"]);
    }

    #[test]
    fn a_udp_length_that_cannot_be_is_shown() {
        let header =
            UdpHeader { source_port: 1, destination_port: 2, length: 10, checksum: 1, room: Some(10), v6: false };
        let info = |header: UdpHeader| row(|out| udp(&header, out)).1;
        assert_eq!(info(header), "1 → 2 Len=2");
        assert_eq!(info(UdpHeader { length: 4, ..header }), "1 → 2 [BAD UDP LENGTH 4 < 8]");
        assert_eq!(info(UdpHeader { length: 200, ..header }), "1 → 2 [BAD UDP LENGTH 200 > IP PAYLOAD LENGTH] Len=192");
        assert_eq!(info(UdpHeader { checksum: 0, v6: true, ..header }), "1 → 2 Len=2 [ILLEGAL CHECKSUM (0)]");
    }
}
