//! Goes through a packet from header to header.

use super::{Frame, LayerKind, LinkType, Stop, StopReason, Transport};
use etherparse::{EtherType, IpNumber};

/// Decodes the packet of a frame in which nothing was found yet. It was `original_len` octets long on
/// the wire, where the capture knows that.
///
/// The frame is filled where it stands: to move it costs as much as to decode it.
pub(super) fn walk(link_type: LinkType, frame: &mut Frame<'_>, original_len: Option<u32>) {
    let captured = frame.bytes.len();
    let mut walk = Walk {
        frame,
        at: 0,
        end: captured,
        stated: original_len.map_or(usize::MAX, |len| captured.max(len as usize)),
        datagram_payload: usize::MAX,
    };
    let mut next = walk.by_link_type(link_type);
    // The way that most packets go, without a turn of the loop.
    if next == Next::Ethernet {
        next = walk.ethernet();
    }
    if next == Next::Ipv4 {
        next = walk.ipv4();
    }
    if next == Next::Tcp {
        next = walk.tcp();
    }
    while next != Next::End {
        next = walk.step(next);
    }
    walk.frame.payload_end = walk.end;
}

/// The header to decode next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    Ethernet,
    Llc,
    Snap,
    Vlan(LayerKind),
    LinuxCooked,
    LinuxCooked2,
    Loopback,
    Nflog,
    Ppp,
    PppSerial,
    CiscoHdlc,
    Pppoe,
    Mpls,
    ControlWord,
    Gre,
    EtherIp,
    Erspan(u16),
    /// The version says which.
    Ip,
    Ipv4,
    Ipv6,
    /// An IPv6 extension header, by its protocol number.
    Extension(u8),
    Authentication,
    Tcp,
    Udp,
    Icmpv4,
    Icmpv6,
    Arp,
    End,
}

/// Where decoding stands. Each step adds one layer or stops.
///
/// `at <= end <= frame.bytes.len()` and `end <= stated` always hold.
pub(super) struct Walk<'f, 'a> {
    pub(super) frame: &'f mut Frame<'a>,
    /// The next octet to decode: where the last layer ends.
    pub(super) at: usize,
    /// The end of what was captured of the innermost datagram.
    pub(super) end: usize,
    /// The end of the innermost datagram on the wire, counted like `at`; `usize::MAX` where nothing states it.
    pub(super) stated: usize,
    /// Where the payload of the innermost IP header begins.
    pub(super) datagram_payload: usize,
}

impl<'a> Walk<'_, 'a> {
    fn by_link_type(&mut self, link_type: LinkType) -> Next {
        match link_type {
            LinkType::ETHERNET => Next::Ethernet,
            LinkType::RAW | LinkType::DLT_RAW | LinkType::DLT_RAW_OPENBSD => Next::Ip,
            LinkType::IPV4 => Next::Ipv4,
            LinkType::IPV6 => Next::Ipv6,
            LinkType::NULL | LinkType::LOOP => Next::Loopback,
            LinkType::LINUX_SLL => Next::LinuxCooked,
            LinkType::LINUX_SLL2 => Next::LinuxCooked2,
            LinkType::NFLOG => Next::Nflog,
            LinkType::PPP => Next::Ppp,
            LinkType::PPP_SERIAL => Next::PppSerial,
            LinkType::CISCO_HDLC => Next::CiscoHdlc,
            LinkType::PPPOE => Next::Pppoe,
            _ => Next::End,
        }
    }

    /// Apart, so that the way that most packets go stays together.
    #[inline(never)]
    fn step(&mut self, next: Next) -> Next {
        match next {
            Next::Ethernet => self.ethernet(),
            Next::Ipv4 => self.ipv4(),
            Next::Ipv6 => self.ipv6(),
            Next::Tcp => self.tcp(),
            Next::Udp => self.udp(),
            Next::Llc => self.llc(),
            Next::Snap => self.snap(),
            Next::Vlan(kind) => self.vlan(kind),
            Next::LinuxCooked => self.linux_cooked(),
            Next::LinuxCooked2 => self.linux_cooked_2(),
            Next::Loopback => self.loopback(),
            Next::Nflog => self.nflog(),
            Next::Ppp => self.ppp(),
            Next::PppSerial => self.ppp_serial(),
            Next::CiscoHdlc => self.cisco_hdlc(),
            Next::Pppoe => self.pppoe(),
            Next::Mpls => self.mpls(),
            Next::ControlWord => self.control_word(),
            Next::Gre => self.gre(),
            Next::EtherIp => self.ether_ip(),
            Next::Erspan(ether_type) => self.erspan(ether_type),
            Next::Ip => self.ip_by_version(),
            Next::Extension(protocol) => self.extension(protocol),
            Next::Authentication => self.authentication(),
            Next::Icmpv4 => self.icmpv4(),
            Next::Icmpv6 => self.icmpv6(),
            Next::Arp => self.arp(),
            Next::End => Next::End,
        }
    }

    /// What an EtherType leads to (IANA, IEEE 802 numbers).
    #[inline]
    pub(super) fn by_ether_type(&mut self, ether_type: u16) -> Next {
        match EtherType(ether_type) {
            EtherType::IPV4 => Next::Ipv4,
            EtherType::IPV6 => Next::Ipv6,
            EtherType::ARP => Next::Arp,
            EtherType::VLAN_TAGGED_FRAME => Next::Vlan(LayerKind::Vlan),
            EtherType::PROVIDER_BRIDGING | EtherType::VLAN_DOUBLE_TAGGED_FRAME | EtherType(0x9200) => {
                Next::Vlan(LayerKind::ServiceVlan)
            }
            EtherType(0x8864) => Next::Pppoe,
            EtherType(0x8847 | 0x8848) => Next::Mpls,
            EtherType(0x6558) => Next::Ethernet,
            EtherType(0x88be | 0x22eb) if self.after(LayerKind::Gre) => Next::Erspan(ether_type),
            EtherType(0x880b) if self.after(LayerKind::Gre) => Next::Ppp,
            _ => {
                self.frame.transport = Transport::OtherLink { ether_type, payload: self.rest() };
                Next::End
            }
        }
    }

    /// What an IP protocol number leads to (IANA, assigned internet protocol numbers).
    #[inline]
    pub(super) fn by_protocol(&mut self, protocol: u8) -> Next {
        match IpNumber(protocol) {
            IpNumber::TCP => Next::Tcp,
            IpNumber::UDP => Next::Udp,
            IpNumber::ICMP => Next::Icmpv4,
            IpNumber::IPV6_ICMP => Next::Icmpv6,
            IpNumber::IPV4 => Next::Ipv4,
            IpNumber::IPV6 => Next::Ipv6,
            IpNumber::GRE => Next::Gre,
            IpNumber::AUTHENTICATION_HEADER => Next::Authentication,
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_FRAGMENTATION_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber(135 | 139 | 140)
                if self.frame.ip.is_some_and(|ip| ip.source.is_ipv6()) =>
            {
                Next::Extension(protocol)
            }
            IpNumber(97) => Next::EtherIp,
            IpNumber(137) => Next::Mpls,
            _ => {
                self.frame.transport = Transport::OtherIp { protocol, payload: self.rest() };
                Next::End
            }
        }
    }

    /// What was captured and not decoded yet of the innermost datagram.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.frame.bytes.get(self.at..self.end).unwrap_or_default()
    }

    /// The first `N` octets of the next header, or a stop that says how many of `N` are there.
    #[inline]
    pub(super) fn header<const N: usize>(&mut self, kind: LayerKind) -> Option<&'a [u8; N]> {
        let header = self.rest().first_chunk();
        if header.is_none() {
            self.cut(kind, N);
        }
        header
    }

    /// The whole of a header of `len` octets, or a stop that says how many are there.
    pub(super) fn whole(&mut self, kind: LayerKind, len: usize) -> Option<&'a [u8]> {
        let header = self.rest().get(..len);
        if header.is_none() {
            self.cut(kind, len);
        }
        header
    }

    /// Notes that the next `len` octets are a header. False, and a stop: there is no room to note it.
    #[inline]
    pub(super) fn push(&mut self, kind: LayerKind, len: usize) -> bool {
        let end = self.at.saturating_add(len).min(self.end);
        if !self.frame.layers.push(kind, end) {
            self.stop(kind, StopReason::TooDeep);
            return false;
        }
        self.at = end;
        true
    }

    /// The datagram ends `len` octets from here, if what is around it does not end before.
    #[inline]
    pub(super) fn limit(&mut self, len: usize) {
        let stated = self.at.saturating_add(len);
        self.stated = self.stated.min(stated);
        self.end = self.end.min(stated);
    }

    /// The next header has not all the `needed` octets.
    #[cold]
    pub(super) fn cut(&mut self, kind: LayerKind, needed: usize) -> Next {
        let room = self.stated.saturating_sub(self.at);
        let needed_on_wire = needed as u32;
        self.stop(
            kind,
            if room < needed {
                StopReason::NoRoom { needed: needed_on_wire, left: room as u32 }
            } else {
                StopReason::Cut { needed: needed_on_wire, captured: (self.end - self.at) as u32 }
            },
        )
    }

    /// Ends decoding here. What is left belongs to the IP header where it directly follows one.
    #[cold]
    pub(super) fn stop(&mut self, layer: LayerKind, reason: StopReason) -> Next {
        self.frame.stop = Some(Stop { layer, at: self.at as u32, reason });
        let rest = self.rest();
        self.frame.transport = match self.frame.ip {
            Some(ip) if self.datagram_payload == self.at => Transport::OtherIp { protocol: ip.protocol, payload: rest },
            _ => Transport::Unknown(rest),
        };
        Next::End
    }

    /// Nothing here decodes what is left.
    pub(super) fn unknown(&mut self) -> Next {
        self.frame.transport = Transport::Unknown(self.rest());
        Next::End
    }

    /// Whether the last header is of this kind.
    fn after(&self, kind: LayerKind) -> bool {
        self.frame.layers.last().is_some_and(|layer| layer.kind == kind)
    }
}
