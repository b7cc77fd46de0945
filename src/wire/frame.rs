//! What [`decode`](super::decode) finds.

use super::{Layer, LayerKind, Layers, Stop, TcpOptions};
use std::fmt;
use std::net::IpAddr;

/// The headers located in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// All that was captured of the packet; for a datagram put together of fragments, the datagram.
    pub bytes: &'a [u8],
    /// Every header, outermost first.
    pub layers: Layers,
    /// The addresses of the innermost Ethernet or Linux cooked header.
    pub ethernet: Option<Mac>,
    /// The innermost IP header.
    pub ip: Option<Ip>,
    /// What the innermost header leads to.
    pub transport: Transport<'a>,
    /// Where and why decoding ended early.
    pub stop: Option<Stop>,
    /// Where the innermost length field, or the capture, ends the payload.
    pub(super) payload_end: usize,
}

impl<'a> Frame<'a> {
    /// Nothing was found yet.
    #[inline]
    pub(super) fn new(packet: &'a [u8]) -> Frame<'a> {
        Frame {
            bytes: packet,
            layers: Layers::new(),
            ethernet: None,
            ip: None,
            transport: Transport::Unknown(packet),
            stop: None,
            payload_end: packet.len(),
        }
    }

    /// Where in `bytes` the octets after the last header are, up to the end of the innermost
    /// datagram: (first, one after the last).
    #[must_use]
    pub fn payload_range(&self) -> (usize, usize) {
        (self.headers_end(), self.payload_end)
    }

    /// Where in `bytes` the octets after the innermost datagram are, padding to the least size of an
    /// Ethernet frame most often: (first, one after the last). Empty where there are none.
    #[must_use]
    pub fn trailer_range(&self) -> (usize, usize) {
        (self.payload_end, self.bytes.len())
    }

    /// The octets of a layer of this frame.
    #[must_use]
    pub fn octets(&self, layer: Layer) -> Option<&'a [u8]> {
        self.bytes.get(layer.start as usize..layer.end as usize)
    }

    /// The octets of the innermost header of a kind.
    #[must_use]
    pub fn header(&self, kind: LayerKind) -> Option<&'a [u8]> {
        self.layers.find(kind).and_then(|layer| self.octets(layer))
    }

    /// Where the headers end and the payload begins.
    pub(super) fn headers_end(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.end as usize)
    }
}

/// Link layer addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mac {
    /// The sender's.
    pub source: [u8; 6],
    /// The receiver's. Linux cooked headers have none.
    pub destination: Option<[u8; 6]>,
}

/// The fields of an IP header that matter further on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ip {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// What follows the header and those extension headers that were decoded (IANA protocol number).
    pub protocol: u8,
    /// Time to live (IPv4) or hop limit (IPv6).
    pub ttl: u8,
    /// Identification: of the IPv4 header, 16 bits, or of the IPv6 fragment header; 0 where there is none.
    pub identification: u32,
    /// Octets of the datagram, header included, as stated; 0 where IPv4 states 0. For IPv6, 40 plus
    /// the payload length, or plus the jumbo payload length (RFC 2675).
    pub total_len: u32,
    /// Octets of the header and of those extension headers that were decoded.
    pub header_len: u32,
    /// Differentiated services (RFC 2474), 6 bits.
    pub dscp: u8,
    /// Explicit congestion notification (RFC 3168), 2 bits.
    pub ecn: u8,
    /// The don't-fragment bit; false for IPv6, whose routers never do.
    pub dont_fragment: bool,
    /// The flow label of IPv6, 20 bits; 0 for IPv4.
    pub flow_label: u32,
}

/// What the innermost header that was decoded leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport<'a> {
    /// TCP.
    Tcp(Tcp<'a>),
    /// UDP.
    Udp(Udp<'a>),
    /// The whole message as captured, header included (RFC 792).
    Icmpv4(&'a [u8]),
    /// The whole message as captured, header included (RFC 4443).
    Icmpv6(&'a [u8]),
    /// The whole message, or what was captured of it (RFC 826).
    Arp(&'a [u8]),
    /// Another protocol over IP, or one whose header is cut or wrong (then [`Frame::stop`] is set).
    OtherIp {
        /// IANA protocol number.
        protocol: u8,
        /// What the datagram carries, as captured.
        payload: &'a [u8],
    },
    /// A fragment of a datagram, the first one too. [`Defragmenter`](super::Defragmenter) puts them together.
    Fragment {
        /// What the whole datagram carries (IANA protocol number).
        protocol: u8,
        /// Where this fragment begins in the whole payload, in octets.
        offset: u32,
        /// Whether it is not the last.
        more: bool,
        /// What was captured of it.
        payload: &'a [u8],
    },
    /// Another protocol over the link layer or GRE.
    OtherLink {
        /// EtherType.
        ether_type: u16,
        /// What it carries, as captured.
        payload: &'a [u8],
    },
    /// A link type or contents that nothing here decodes.
    Unknown(&'a [u8]),
}

/// A TCP segment (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp<'a> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Sequence number of the first octet of the payload, or of SYN.
    pub sequence: u32,
    /// The next sequence number that the sender expects, where ACK is set.
    pub acknowledgment: u32,
    /// Control bits.
    pub flags: TcpFlags,
    /// Window, as stated: not scaled.
    pub window: u16,
    /// Checksum, as stated: not verified.
    pub checksum: u16,
    /// Urgent pointer.
    pub urgent_pointer: u16,
    /// Options, as captured.
    pub options: &'a [u8],
    /// What was captured of the payload.
    pub payload: &'a [u8],
    /// Octets of the payload on the wire, by the IP header; what was captured, where that states none.
    pub payload_len: u32,
}

impl<'a> Tcp<'a> {
    /// The options one after the other.
    #[must_use]
    pub fn options(&self) -> TcpOptions<'a> {
        TcpOptions::new(self.options)
    }
}

/// The control bits of a TCP header: the low 12 bits of its octets 12 and 13, reserved ones included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// The sender has no more to send.
    pub const FIN: TcpFlags = TcpFlags(0x001);
    /// Synchronises sequence numbers.
    pub const SYN: TcpFlags = TcpFlags(0x002);
    /// Resets the connection.
    pub const RST: TcpFlags = TcpFlags(0x004);
    /// Push.
    pub const PSH: TcpFlags = TcpFlags(0x008);
    /// The acknowledgment number counts.
    pub const ACK: TcpFlags = TcpFlags(0x010);
    /// The urgent pointer counts.
    pub const URG: TcpFlags = TcpFlags(0x020);
    /// ECN echo (RFC 3168).
    pub const ECE: TcpFlags = TcpFlags(0x040);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: TcpFlags = TcpFlags(0x080);
    /// Accurate ECN (RFC 9768), formerly the nonce sum (RFC 3540).
    pub const NS: TcpFlags = TcpFlags(0x100);

    /// Whether all of `flags` are set.
    #[must_use]
    pub const fn contains(self, flags: TcpFlags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether FIN is set.
    #[must_use]
    pub const fn fin(self) -> bool {
        self.contains(TcpFlags::FIN)
    }

    /// Whether SYN is set.
    #[must_use]
    pub const fn syn(self) -> bool {
        self.contains(TcpFlags::SYN)
    }

    /// Whether RST is set.
    #[must_use]
    pub const fn rst(self) -> bool {
        self.contains(TcpFlags::RST)
    }

    /// Whether PSH is set.
    #[must_use]
    pub const fn psh(self) -> bool {
        self.contains(TcpFlags::PSH)
    }

    /// Whether ACK is set.
    #[must_use]
    pub const fn ack(self) -> bool {
        self.contains(TcpFlags::ACK)
    }

    /// Whether URG is set.
    #[must_use]
    pub const fn urg(self) -> bool {
        self.contains(TcpFlags::URG)
    }

    /// Whether ECE is set.
    #[must_use]
    pub const fn ece(self) -> bool {
        self.contains(TcpFlags::ECE)
    }

    /// Whether CWR is set.
    #[must_use]
    pub const fn cwr(self) -> bool {
        self.contains(TcpFlags::CWR)
    }

    /// Whether NS (AE) is set.
    #[must_use]
    pub const fn ns(self) -> bool {
        self.contains(TcpFlags::NS)
    }
}

impl std::ops::BitOr for TcpFlags {
    type Output = TcpFlags;

    fn bitor(self, other: TcpFlags) -> TcpFlags {
        TcpFlags(self.0 | other.0)
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
        let mut names = NAMES.iter().enumerate().filter(|(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name);
        match names.next() {
            None => f.write_str("no flags"),
            Some(first) => {
                f.write_str(first)?;
                names.try_for_each(|name| write!(f, " {name}"))
            }
        }
    }
}

/// A UDP datagram (RFC 768).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Octets of header and payload, as stated.
    pub length: u16,
    /// Checksum, as stated: not verified.
    pub checksum: u16,
    /// What was captured of the payload.
    pub payload: &'a [u8],
}
